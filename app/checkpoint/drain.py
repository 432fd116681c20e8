"""The drain: what was acknowledged `buffered` becomes durable (DESIGN §4.6).

1. Read the cursor: everything up to it is committed.
2. Read the next entries of the stream, in order.
3. Write them with the writer's own statement, marked as buffered: each is judged by its stamp, not by the hour.
4. Move the cursor. Killed between 3 and 4 the entries are written once more, which changes nothing (I4).
5. Tell whoever asked to hear it what became of each entry: `durable` under I2, so only after the commit, and not when
   it came with a sync-wait warning. A resume, a move or an end may commit an entry before the drain comes to it; the
   drain writes it once more all the same and tells it then, so nothing is told in two places.
6. Forget entries that are both behind the cursor and older than the keeping time; the rest stay for a replay after a
   promotion.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import structlog
from prometheus_client import Counter

from app.checkpoint.statement import write
from app.domain.checkpoints import Checkpoint, Outcome, Row, StoreAway
from app.storage.postgres import buffer_cursors
from app.storage.postgres.engine import SYNC_WARNING
from app.storage.redis.hot import Hot, stream_order

log = structlog.get_logger(__name__)
DRAINED = Counter("holdfast_drained", "Buffered checkpoints committed")

# Small on purpose: live writes wait behind a drain's row locks for no longer than one such batch.
STEP = 100
# Nobody waits for the drain, so it is patient; but a line that swallows everything must not hold it for ever.
DEADLINE_S = 10.0
# Faults of the data itself, not of the moment: the rest of the batch is written without the row that has one.
DATA_FAULTS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.CardinalityViolationError)

T = TypeVar("T")
Done = Sequence[tuple[Checkpoint, Outcome]]


def nobody(_done: Done) -> None:
    """Who is told by default."""


def by_stamp(checkpoint: Checkpoint) -> Checkpoint:
    """The rule of the drain: an entry is judged by the stamp it was promised under, not by when it is drained."""
    return replace(checkpoint, buffered=True)


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


async def commit(
    connection: asyncpg.Connection[Any], checkpoints: Sequence[Checkpoint]
) -> list[tuple[Checkpoint, Outcome]]:
    """Write ``checkpoints`` in order; each with what became of it, an attempt that does not exist left out.

    A response that PostgreSQL refuses as data is set aside, logged and told as refused, alone. Raises what asyncpg
    raises, and StoreAway when the commit came with a sync-wait warning: nothing of it is known then.
    """
    done: list[tuple[Checkpoint, Outcome]] = []
    for batch in rounds(by_stamp(checkpoint) for checkpoint in checkpoints):
        try:
            outcomes = await _write(connection, batch)
        except DATA_FAULTS:
            outcomes = {}
            for checkpoint in batch:
                outcomes |= await _alone(connection, checkpoint)
        done += [(one, outcomes[one.attempt]) for one in batch if one.attempt in outcomes]
    return done


async def _alone(connection: asyncpg.Connection[Any], checkpoint: Checkpoint) -> dict[UUID, Outcome]:
    good: list[Row] = []
    refused: dict[tuple[int, int], str] = {}
    for row in checkpoint.rows:
        try:
            await _write(connection, [replace(checkpoint, rows=[row])])
        except DATA_FAULTS:
            log.exception("buffered response refused", attempt=str(checkpoint.attempt), item=row.item)
            refused[row.item, row.rev] = "bad-value"
        else:
            good.append(row)
    outcomes = await _write(connection, [replace(checkpoint, rows=good)])
    for outcome in outcomes.values():
        outcome.refused.update(refused)
    return outcomes


async def _write(connection: asyncpg.Connection[Any], batch: Sequence[Checkpoint]) -> dict[UUID, Outcome]:
    warnings: list[str | None] = []

    def noticed(_connection: object, message: asyncpg.PostgresLogMessage) -> None:
        warnings.append(message.sqlstate)

    connection.add_log_listener(noticed)
    try:
        outcomes = await in_time(connection, write(connection, batch))
    finally:
        connection.remove_log_listener(noticed)
    if SYNC_WARNING in warnings:
        raise StoreAway("committed here, not on the standby")
    return outcomes


async def in_time(connection: asyncpg.Connection[Any], statement: Awaitable[T]) -> T:
    """``statement``, whose line is cut after DEADLINE_S. Not the statement: a COMMIT is never cancelled, and whether it
    happened shows when the step is repeated."""
    task = asyncio.ensure_future(statement)
    task.add_done_callback(_seen)
    try:
        await asyncio.wait({task}, timeout=DEADLINE_S)
    finally:
        if not task.done():
            connection.terminate()
    return await task


def _seen(task: asyncio.Future[Any]) -> None:
    """A statement whose waiter is gone ends with its connection; nobody is left to be told."""
    if not task.cancelled():
        task.exception()


async def place(connection: asyncpg.Connection[Any], hot: Hot, lineage_n: int) -> str:
    """The cursor where the stream still holds its entry, else the beginning: another Redis, or one that was emptied.

    Ids are the wall clock of the Redis that gave them, so they cannot tell whose they are: one whose clock is behind
    may hold entries on both sides of a cursor that is not its own. The entry at the cursor can tell, for it is never
    forgotten (``forget``). A replay changes nothing; an entry passed over would be an answer lost.
    """
    cursor = await buffer_cursors.read(connection, lineage_n)
    return cursor if await hot.holds(cursor) else buffer_cursors.START


async def step(
    connection: asyncpg.Connection[Any], hot: Hot, lineage_n: int, committed: Callable[[Done], None] = nobody
) -> int:
    """Drain up to STEP entries; how many there were. ``committed`` is told what became of them; it must not wait."""
    cursor = await in_time(connection, place(connection, hot, lineage_n))
    entries = await hot.entries(cursor, STEP)
    if not entries:
        return 0
    done = await commit(connection, [checkpoint for _, checkpoint in entries])
    await in_time(connection, buffer_cursors.advance(connection, lineage_n, entries[-1][0]))
    DRAINED.inc(len(entries))
    committed(done)
    return len(entries)


async def forget(connection: asyncpg.Connection[Any], hot: Hot, lineage_n: int, older_than_ms: int) -> int:
    """Trim entries older than ``older_than_ms`` (Redis' wall clock in ms) that are behind the cursor."""
    cursor = await place(connection, hot, lineage_n)
    # MINID keeps the id itself: the newest drained entry stays, so that an empty stream never forgets its place.
    before = min(cursor, f"{older_than_ms}-0", key=stream_order)
    return await hot.trim(before)
