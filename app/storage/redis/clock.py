"""The service counter as Redis holds it: a mirror of the record's, and the counter itself while PostgreSQL is away."""

from __future__ import annotations

import json

from app.storage.postgres.service_clocks import Confirmed
from app.storage.redis.client import LINEAGE_KEY, Keys, Store, script

LOCK_MS = 2_000


class RedisClock:
    """Every method raises RedisAway when Redis does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tick = store.client.register_script(script("tick"))
        self._mirror = store.client.register_script(script("mirror"))

    async def show(self, at: Confirmed, *, over_all: bool = False) -> Confirmed | None:
        """Mirror a value that PostgreSQL confirmed, and say which lineage it belongs to; what stands there then. A
        later value stays as it is, unless ``over_all``."""
        keys = Keys(at.lineage_uid)
        raw: bytes | None = await self._store.call(
            self._mirror(keys=[keys.clock], args=[at.counter_ms, at.term, int(over_all)])
        )
        lineage = json.dumps([at.lineage_n, at.lineage_uid])
        await self._store.call(self._store.client.set(LINEAGE_KEY, lineage))
        return _parse(raw, at.lineage_n, at.lineage_uid)

    async def read(self, lineage_n: int, lineage_uid: str) -> Confirmed | None:
        """The counter of one lineage, None when Redis knows nothing of it."""
        raw: bytes | None = await self._store.call(self._store.client.get(Keys(lineage_uid).clock))
        return _parse(raw, lineage_n, lineage_uid)

    async def read_any(self) -> Confirmed | None:
        """The counter of the lineage Redis last served: for a process that starts while PostgreSQL is away."""
        raw: bytes | None = await self._store.call(self._store.client.get(LINEAGE_KEY))
        if raw is None:
            return None
        lineage_n, uid = json.loads(raw)
        return await self.read(lineage_n, uid)

    async def tick(self, at: Confirmed, step_ms: int, me: str) -> Confirmed | None:
        """Advance in Redis alone; None when another process does, or the counter has moved."""
        keys = Keys(at.lineage_uid)
        reply: list[bytes | int] = await self._store.call(
            self._tick(keys=[keys.clock, keys.ticker], args=[me, at.counter_ms, at.counter_ms + step_ms, LOCK_MS])
        )
        if not reply[0]:
            return None
        return Confirmed(at.lineage_n, at.lineage_uid, at.term, at.counter_ms + step_ms)


def _parse(raw: bytes | None, lineage_n: int, uid: str) -> Confirmed | None:
    if not raw:
        return None
    counter, _, term = raw.decode().partition(":")
    return Confirmed(lineage_n, uid, int(term), int(counter))
