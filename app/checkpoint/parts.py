"""A batch that PostgreSQL does not take whole, taken apart so that nobody pays for a neighbour (DESIGN §4.4).

* **A fault of the data**: halved until it stands alone, then its rows one by one; the bad ones are refused.
* **A row that somebody holds**: the batch has waited as long as a batch may. PostgreSQL is asked which of its rows are
  held; those are given back, the others are written. Not halved: a decision for the whole hall holds every row,
  and each half would wait for its own, with everybody else behind it. What meets a held row once more is given back
  whole; it does not wait a third time.
* **A deadlock**: run again, at last halved, at last given back.

Why what is given back may be promised `buffered`: its statement failed, so its transaction was rolled back and nothing
of it is applied. (Single rows of a checkpoint with a bad one may be: their transaction is known to be committed, and
the drain writes them once more, which changes nothing.) A commit whose outcome is unknown raises instead. Each part is
told as ``done`` at its own commit, before the next one is tried, so what is durable is never given back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import asyncpg
import structlog

from app.checkpoint.queue import Waiting
from app.domain.checkpoints import Checkpoint, Outcome

log = structlog.get_logger(__name__)

# Statement-level faults of the data itself; such a batch is halved.
DATA_FAULTS = ("21", "22", "23")
# The same statement may simply be run again: deadlock, serialisation.
TRY_AGAIN = ("40P01", "40001")
LOCKED = "55P03"
RETRIES = 3


@dataclass(frozen=True, slots=True)
class Record:
    """PostgreSQL as the writer reaches it.

    ``commit``: one transaction; raises what asyncpg raises when it was rolled back, StoreAway when that is not known.
    ``held``: those of these attempts whose rows somebody holds now. ``done``: called after each commit, with what it
    wrote; an attempt that does not exist has no outcome.
    """

    commit: Callable[[Sequence[Checkpoint]], Awaitable[dict[UUID, Outcome]]]
    held: Callable[[Sequence[UUID]], Awaitable[set[UUID]]]
    done: Callable[[Sequence[Waiting], dict[UUID, Outcome]], None]


async def write(
    record: Record, batch: list[Waiting], tries: int = RETRIES, *, has_waited: bool = False
) -> list[Waiting]:
    """Write ``batch`` (not empty); the entries that somebody's lock kept out, of which nothing is in doubt.

    Raises what ``record`` raises for anything but the data and the locks: PostgreSQL takes no writes then.
    """
    try:
        outcomes = await record.commit([entry.checkpoint for entry in batch])
    except asyncpg.PostgresError as fault:
        state = fault.sqlstate or ""
        of_data = state.startswith(DATA_FAULTS)
        if state == LOCKED:
            return batch if has_waited else await _write_free(record, batch, tries)
        if state in TRY_AGAIN and tries:
            return await write(record, batch, tries - 1, has_waited=has_waited)
        if len(batch) > 1 and (of_data or state in TRY_AGAIN):
            middle = len(batch) // 2
            held = await write(record, batch[:middle], tries, has_waited=has_waited)
            return held + await write(record, batch[middle:], tries, has_waited=has_waited)
        if of_data:
            return await _write_alone(record, batch[0], fault)
        if state in TRY_AGAIN:
            return batch
        raise
    record.done(batch, outcomes)
    return []


async def _write_free(record: Record, batch: list[Waiting], tries: int) -> list[Waiting]:
    if len(batch) == 1:
        return batch
    held = await record.held([entry.checkpoint.attempt for entry in batch])
    back = [entry for entry in batch if entry.checkpoint.attempt in held]
    free = [entry for entry in batch if entry.checkpoint.attempt not in held]
    if free:
        back += await write(record, free, tries, has_waited=True)
    return back


async def _write_alone(record: Record, entry: Waiting, fault: asyncpg.PostgresError) -> list[Waiting]:
    """A checkpoint that PostgreSQL will not take whole: its rows one by one, the bad ones refused."""
    checkpoint = entry.checkpoint
    log.warning("bad response isolated", attempt=str(checkpoint.attempt), sqlstate=fault.sqlstate)
    good, bad = [], []
    try:
        for row in checkpoint.rows:
            try:
                await record.commit([replace(checkpoint, rows=[row])])
            except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError):
                bad.append(row)
            else:
                good.append(row)
        # The good rows again, together: already written, so this is the transaction their answer speaks of.
        outcomes = await record.commit([replace(checkpoint, rows=good)])
    except asyncpg.PostgresError as again:
        if again.sqlstate == LOCKED or again.sqlstate in TRY_AGAIN:
            return [entry]
        raise
    outcome = outcomes[checkpoint.attempt]
    outcome.refused.update({(row.item, row.rev): "bad-value" for row in bad})
    # Not ``done``: the hot copy follows whole checkpoints, and this one holds what the record refuses.
    entry.answer(outcome)
    return []
