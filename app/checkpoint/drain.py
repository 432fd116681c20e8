"""The drain: what was acknowledged `buffered` becomes durable (DESIGN §4.6).

1. Read the cursor: everything up to it is committed.
2. Read the next entries of the stream, in order.
3. Write them with the writer's own statement, marked as buffered: each is judged by its stamp, not by the hour.
4. Move the cursor. Killed between 3 and 4 the entries are written once more, which changes nothing (I4).
5. Forget entries that are both behind the cursor and older than the keeping time; the rest stay for a replay after a
   promotion.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg
import structlog
from prometheus_client import Counter

from app.checkpoint.statement import write
from app.domain.checkpoints import Checkpoint, Row
from app.storage.postgres import buffer_cursors
from app.storage.redis.hot import Hot, stream_order

log = structlog.get_logger(__name__)
DRAINED = Counter("holdfast_drained", "Buffered checkpoints committed")

# Small on purpose: live writes wait behind a drain's row locks for no longer than one such batch.
STEP = 100


def rounds(checkpoints: Iterable[Checkpoint]) -> list[list[Checkpoint]]:
    """Split into batches of at most one checkpoint per attempt, each attempt's order kept."""
    batches: list[list[Checkpoint]] = []
    position: dict[object, int] = {}
    for checkpoint in checkpoints:
        n = position.get(checkpoint.attempt, 0)
        position[checkpoint.attempt] = n + 1
        if n == len(batches):
            batches.append([])
        batches[n].append(checkpoint)
    return batches


async def commit(connection: asyncpg.Connection[Any], checkpoints: Sequence[Checkpoint]) -> None:
    """Write ``checkpoints`` in order. One that PostgreSQL refuses as data is set aside and logged, alone."""
    for batch in rounds(checkpoints):
        try:
            await write(connection, batch)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError):
            for checkpoint in batch:
                await _alone(connection, checkpoint)


async def _alone(connection: asyncpg.Connection[Any], checkpoint: Checkpoint) -> None:
    rows: list[Row] = checkpoint.rows
    for row in rows:
        checkpoint.rows = [row]
        try:
            await write(connection, [checkpoint])
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError):
            log.exception("buffered response refused", attempt=str(checkpoint.attempt), item=row.item)
    checkpoint.rows = []
    await write(connection, [checkpoint])


async def place(connection: asyncpg.Connection[Any], hot: Hot, lineage_n: int) -> str:
    """The cursor, or the beginning when the stream has never come as far: another Redis, or one that was emptied and
    whose clock is behind. A replay changes nothing; an entry passed over would be an answer lost."""
    cursor = await buffer_cursors.read(connection, lineage_n)
    newest = await hot.newest_id()
    return cursor if stream_order(newest) >= stream_order(cursor) else buffer_cursors.START


async def step(connection: asyncpg.Connection[Any], hot: Hot, lineage_n: int) -> int:
    """Drain up to STEP entries; how many there were."""
    cursor = await place(connection, hot, lineage_n)
    entries = await hot.entries(cursor, STEP)
    if not entries:
        return 0
    await commit(connection, [checkpoint for _, checkpoint in entries])
    await buffer_cursors.advance(connection, lineage_n, entries[-1][0])
    DRAINED.inc(len(entries))
    return len(entries)


async def forget(connection: asyncpg.Connection[Any], hot: Hot, lineage_n: int, older_than_ms: int) -> int:
    """Trim entries older than ``older_than_ms`` (Redis' wall clock in ms) that are behind the cursor."""
    cursor = await buffer_cursors.read(connection, lineage_n)
    # MINID keeps the id itself: the newest drained entry stays, so that an empty stream never forgets its place.
    before = min(cursor, f"{older_than_ms}-0", key=stream_order)
    return await hot.trim(before)
