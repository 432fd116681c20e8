"""The push: what happened, told to every process that holds an open page.

Pub/sub loses what nobody hears, so nothing rests on it: every reply carries the clock and the state as well, and a
stream begins with a full snapshot.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from typing import Any

import structlog
from redis.exceptions import RedisError

from app.storage.redis.client import Keys, RedisAway, Store

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """``name`` for the pages of one attempt, or of a whole session when ``attempt`` is None."""

    name: str
    attempt: str | None = None
    session: int | None = None
    data: dict[str, Any] = field(default_factory=dict)


async def publish(store: Store, keys: Keys, event: Event) -> None:
    """Tell every process. A Redis that is away is logged: the next reply carries the news."""
    try:
        await store.call(store.client.publish(keys.events, json.dumps(asdict(event), ensure_ascii=False)))
    except RedisAway as fault:
        log.info("event not pushed", name=event.name, fault=str(fault))


async def listen(store: Store, keys: Keys) -> AsyncIterator[Event]:
    """Every event of the lineage from now on. Ends with RedisAway when the connection is lost."""
    pubsub = store.client.pubsub(ignore_subscribe_messages=True)
    try:
        await pubsub.subscribe(keys.events)
        while True:
            message = await pubsub.get_message(timeout=1.0)
            if message is not None:
                yield Event(**json.loads(message["data"]))
    except (RedisError, OSError) as fault:
        raise RedisAway(repr(fault)) from fault
    finally:
        await pubsub.aclose()  # type: ignore[no-untyped-call]
