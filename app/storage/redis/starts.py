"""When every session starts, kept beside the hot copies: a process that begins while PostgreSQL is away knows no more
of it than what stands here."""

from __future__ import annotations

import json
from uuid import UUID

from app.storage.postgres.starts import Starts
from app.storage.redis.client import Keys, Store, script
from app.storage.redis.hot import LIFE_S


class KeptStarts:
    """Raises RedisAway when Redis does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keep = store.client.register_script(script("starts"))

    async def show(self, keys: Keys, seen: Starts, *, over: int | None = None) -> int:
        """Keep what was seen in the record, unless a later look stands there; the look that stands there now. ``over``:
        one that stood there before this look was taken, so that it is none of this record's if it is greater."""
        told = {"plans": seen.plans, "postponed": {str(attempt): ms for attempt, ms in seen.postponed.items()}}
        args: list[int | str] = [seen.look, json.dumps(told), LIFE_S, "" if over is None else over]
        return int(await self._store.call(self._keep(keys=[keys.starts], args=args)))

    async def read(self, keys: Keys) -> Starts | None:
        """What stands there, None when nothing does."""
        raw: bytes | None = await self._store.call(self._store.client.get(keys.starts))
        if not raw:
            return None
        look, _, told = raw.decode().partition(":")
        known = json.loads(told)
        return Starts(
            look=int(look),
            plans={int(session): start_ms for session, start_ms in known["plans"].items()},
            postponed={UUID(attempt): ms for attempt, ms in known["postponed"].items()},
        )
