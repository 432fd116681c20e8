"""How much of the buffer is not in the record yet: for the people who watch, not for the drain, whose cursor lies in
PostgreSQL. The drain shows it here as well, so that it can be told while PostgreSQL is away."""

from __future__ import annotations

from app.storage.redis.client import Keys, Store, script

MOST = 5_000


class Backlog:
    """Raises RedisAway when Redis does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._count = store.client.register_script(script("backlog"))

    async def count(self, keys: Keys) -> int:
        """Entries that wait to be drained, ``MOST`` when there are as many or more."""
        return int(await self._store.call(self._count(keys=[keys.buffer, keys.drained], args=[MOST])))

    async def show(self, keys: Keys, entry: str) -> None:
        """Everything up to stream id ``entry`` is drained."""
        await self._store.call(self._store.client.set(keys.drained, entry))
