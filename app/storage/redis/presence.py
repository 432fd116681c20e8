"""Who Redis has heard of: the contacts that are buffered while PostgreSQL takes no writes."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.storage.redis.client import Keys, Store

# Attempts asked for in one call: a reply that takes longer than one call may would count as an absence.
PART = 200


async def seen_ms(store: Store, keys: Keys, attempts: Sequence[UUID]) -> dict[UUID, int]:
    """Service time of each attempt's last contact that its hot copy knows of; who has none is left out. RedisAway."""
    seen: dict[UUID, int] = {}
    for at in range(0, len(attempts), PART):
        part = attempts[at : at + PART]
        pipeline = store.client.pipeline(transaction=False)
        for attempt in part:
            pipeline.hget(keys.hot(attempt), "seen_ms")
        replies: list[bytes | None] = await store.call(pipeline.execute())
        for attempt, found in zip(part, replies, strict=True):
            if found:
                seen[attempt] = int(found)
    return seen
