"""The push: what happened, told to every process that holds an open page.

Pub/sub loses what nobody hears, so nothing rests on it: every reply carries the clock and the state as well, and a
stream begins with a full snapshot.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog

from app.domain.checkpoints import Checkpoint, Outcome
from app.storage.redis.client import FAULTY, Keys, RedisAway, Store

log = structlog.get_logger(__name__)
# In place of an attempt: those named in ``data["attempts"]``. A process of an older release knows no page by that name,
# and takes it for nobody's rather than for everybody's.
MANY = "many"


@dataclass(frozen=True, slots=True)
class Event:
    """``name`` for the pages of one attempt, of those it names (``MANY``), or of everybody when ``attempt`` is None."""

    name: str
    attempt: str | None = None
    session: int | None = None
    data: dict[str, Any] = field(default_factory=dict)


def settled(done: Iterable[tuple[Checkpoint, Outcome]], lineage: str) -> list[Event]:
    """What became of buffered checkpoints, for the pages that were told `buffered`: one event ``settled`` per attempt,
    ``{items: [{item, rev, epoch, status, code?}], count, lineage}``. The last word on a revision is the one told."""
    items: dict[str, dict[tuple[int, int, int], dict[str, Any]]] = {}
    counts: dict[str, int | None] = {}
    for checkpoint, outcome in done:
        attempt = str(checkpoint.attempt)
        mine = items.setdefault(attempt, {})
        for row in checkpoint.rows:
            status, code = outcome.status(row)
            word = {"item": row.item, "rev": row.rev, "epoch": checkpoint.epoch, "status": status}
            mine[row.item, row.rev, checkpoint.epoch] = word if code is None else {**word, "code": code}
        counts[attempt] = outcome.count
    return [
        Event("settled", attempt=attempt, data={"items": list(words.values()), "count": count, "lineage": lineage})
        for (attempt, words), count in zip(items.items(), counts.values(), strict=True)
        if words
    ]


async def publish(store: Store, keys: Keys, *events: Event) -> None:
    """Tell every process. A Redis that is away is logged: the next reply carries the news."""
    if not events:
        return
    pipeline = store.client.pipeline(transaction=False)
    for event in events:
        pipeline.publish(keys.events, orjson.dumps(event))
    try:
        await store.call(pipeline.execute(raise_on_error=True))
    except RedisAway as fault:
        log.info("events not pushed", names=sorted({event.name for event in events}), fault=str(fault))


async def listen(store: Store, keys: Keys) -> AsyncIterator[Event]:
    """Every event of the lineage from now on. Ends with RedisAway when the connection is lost."""
    pubsub = store.client.pubsub(ignore_subscribe_messages=True)
    try:
        await pubsub.subscribe(keys.events)
        while True:
            message = await pubsub.get_message(timeout=1.0)
            if message is not None:
                yield Event(**orjson.loads(message["data"]))
    except FAULTY as fault:
        raise RedisAway(repr(fault)) from fault
    finally:
        await pubsub.aclose()  # type: ignore[no-untyped-call]
