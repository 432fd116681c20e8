"""The group-commit writer: the one way a checkpoint becomes `durable` (DESIGN §4.3–4.6).

One batch is in flight at a time; what arrives meanwhile gathers into the next one. So a lone candidate waits for
nobody, and under load a batch grows until PostgreSQL, not the number of round trips, is the limit.

Why each answer is safe:

* `durable` is said only after PostgreSQL reported the end of the transaction that wrote it, without a sync-wait
  warning. A COMMIT is never cancelled: past the deadline the connection is cut, not the statement, and the outcome is
  *unknown*. Repeating is harmless, because the merge is idempotent.
* `buffered` is said when PostgreSQL is away and Redis took the batch, with the stamp of its arrival, by which the
  drain judges it later.
* when neither answers, ``StoreAway`` goes up and becomes 503: the browser keeps everything and comes again.
* one bad response never fails its neighbours: on a data error the batch is halved until it stands alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import structlog
from prometheus_client import Counter, Gauge, Histogram

from app import background
from app.checkpoint.statement import write
from app.domain.checkpoints import Checkpoint, Outcome, Overloaded, StoreAway
from app.settings import Settings

log = structlog.get_logger(__name__)

BATCH = Histogram("holdfast_batch_checkpoints", "Checkpoints in one batch", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256))
COMMIT = Histogram("holdfast_commit_seconds", "Seconds from sending a batch to its commit")
WRITTEN = Counter("holdfast_checkpoints", "Checkpoints answered", ["durability"])
QUEUE = Gauge("holdfast_queue", "Checkpoints waiting for a batch")
POSTGRES_UP = Gauge("holdfast_postgres_up", "1 while the writer reaches PostgreSQL")

# Statement-level faults of the data itself; such a batch is halved (DESIGN §4.4).
DATA_FAULTS = ("21", "22", "23")
# The same statement may simply be run again: deadlock, lock not available, serialisation.
TRY_AGAIN = ("40P01", "40001")
# Somebody holds one attempt of the batch: its neighbours must not wait for it, so the batch is halved at once.
LOCKED = "55P03"
# Requests of one attempt that may wait: a browser has one, a script could have thousands.
PER_ATTEMPT = 8
RETRIES = 3
PROBE_EVERY_S = 0.25


class Buffer(Protocol):
    """Where a batch goes while PostgreSQL is away."""

    async def append(self, checkpoints: Sequence[Checkpoint]) -> list[Outcome | Exception]: ...


Connect = Callable[[], Awaitable["asyncpg.Connection[Any]"]]
Committed = Callable[[Sequence[tuple[Checkpoint, Outcome]]], None]
_Waiting = tuple[Checkpoint, "asyncio.Future[Outcome]"]


class Writer:
    """One per process; ``start`` it, ``submit`` checkpoints, ``stop`` it after the last answer.

    ``committed`` is told of every durable batch after its commit (the hot copy); it must not wait.
    """

    def __init__(self, connect: Connect, buffer: Buffer, settings: Settings, committed: Committed) -> None:
        self._connect = connect
        self._buffer = buffer
        self._committed = committed
        self._deadline = settings.commit_deadline.total_seconds()
        self._batch_limit = settings.batch_limit
        self._queue_limit = settings.queue_limit
        self._waiting: deque[_Waiting] = deque()
        self._of_attempt: dict[UUID, int] = {}
        self._arrived = asyncio.Event()
        self._connection: asyncpg.Connection[Any] | None = None
        self._warned = False
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    @property
    def postgres_up(self) -> bool:
        """Whether the last thing heard from PostgreSQL was good."""
        return self._connection is not None

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._probe()), asyncio.create_task(self._run())]

    async def stop(self) -> None:
        """Answer everything that waits, then close."""
        self._stopping = True
        self._arrived.set()
        probe, run = self._tasks
        await run
        await background.end(probe)
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def submit(self, checkpoint: Checkpoint) -> Outcome:
        """What became of ``checkpoint``; StoreAway when nobody can say, Overloaded when too much is waiting."""
        mine = self._of_attempt.get(checkpoint.attempt, 0)
        if self._stopping or len(self._waiting) >= self._queue_limit or mine >= PER_ATTEMPT:
            raise Overloaded
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((checkpoint, future))
        self._arrived.set()
        self._of_attempt[checkpoint.attempt] = mine + 1
        try:
            return await future
        finally:
            left = self._of_attempt[checkpoint.attempt] - 1
            if left:
                self._of_attempt[checkpoint.attempt] = left
            else:
                del self._of_attempt[checkpoint.attempt]

    # --- batches ---

    async def _run(self) -> None:
        while not (self._stopping and not self._waiting):
            if not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            batch = self._gather()
            QUEUE.set(len(self._waiting))
            try:
                await self._settle(batch)
            except Exception as fault:  # whatever it was, nobody may be left waiting
                log.exception("batch failed", size=len(batch))
                for _, future in batch:
                    _fail(future, StoreAway(repr(fault)))

    def _gather(self) -> list[_Waiting]:
        """The next batch: oldest first, one checkpoint per attempt (the second one waits for the next batch)."""
        batch: list[_Waiting] = []
        taken: set[UUID] = set()
        later: list[_Waiting] = []
        while self._waiting and len(batch) < self._batch_limit:
            entry = self._waiting.popleft()
            if entry[1].cancelled():
                continue
            if entry[0].attempt in taken:
                later.append(entry)
                continue
            taken.add(entry[0].attempt)
            batch.append(entry)
        self._waiting.extendleft(reversed(later))
        return batch

    async def _settle(self, batch: list[_Waiting]) -> None:
        BATCH.observe(len(batch))
        if self._connection is not None:
            try:
                await self._write(batch)
            except StoreAway as fault:
                log.warning("postgres away", fault=str(fault))
            else:
                return
        await self._hand_to_buffer([entry for entry in batch if not entry[1].done()])

    async def _write(self, batch: list[_Waiting], tries: int = RETRIES) -> None:
        checkpoints = [checkpoint for checkpoint, _ in batch]
        try:
            outcomes = await self._commit(checkpoints)
        except asyncpg.PostgresError as fault:
            state = fault.sqlstate or ""
            if state in TRY_AGAIN and tries:
                await self._write(batch, tries - 1)
            elif len(batch) > 1 and (state.startswith(DATA_FAULTS) or state == LOCKED or state in TRY_AGAIN):
                middle = len(batch) // 2
                await self._write(batch[:middle], tries)
                await self._write(batch[middle:], tries)
            elif state.startswith(DATA_FAULTS):
                await self._write_alone(batch[0], fault)
            elif state == LOCKED or state in TRY_AGAIN:
                _fail(batch[0][1], StoreAway("the attempt is locked"))
            else:
                self._abandon()
                raise StoreAway(f"{state} {fault}") from fault
            return
        done: list[tuple[Checkpoint, Outcome]] = []
        for checkpoint, future in batch:
            outcome = outcomes.get(checkpoint.attempt)
            if outcome is None:
                _fail(future, LookupError(checkpoint.attempt))
                continue
            done.append((checkpoint, outcome))
            if not future.done():
                future.set_result(outcome)
        WRITTEN.labels("durable").inc(len(done))
        self._committed(done)

    async def _write_alone(self, entry: _Waiting, fault: asyncpg.PostgresError) -> None:
        """A checkpoint that PostgreSQL will not take whole: its rows one by one, the bad ones refused."""
        checkpoint, future = entry
        log.warning("bad response isolated", attempt=str(checkpoint.attempt), sqlstate=fault.sqlstate)
        good, bad = [], []
        for row in checkpoint.rows:
            try:
                await self._commit([_with_rows(checkpoint, [row])])
            except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError):
                bad.append(row)
            else:
                good.append(row)
        # The good rows again, together: already written, so this is the transaction their answer speaks of.
        outcomes = await self._commit([_with_rows(checkpoint, good)])
        outcome = outcomes[checkpoint.attempt]
        outcome.refused.update({(row.item, row.rev): "bad-value" for row in bad})
        if not future.done():
            future.set_result(outcome)

    async def _commit(self, checkpoints: Sequence[Checkpoint]) -> dict[UUID, Outcome]:
        """One transaction. StoreAway when it is not known to be committed."""
        connection = self._connection
        if connection is None:
            raise StoreAway("not connected")
        self._warned = False
        statement = asyncio.ensure_future(write(connection, checkpoints))
        with COMMIT.time():
            finished, _ = await asyncio.wait({statement}, timeout=self._deadline)
        if not finished:
            # Cancelling would send a cancel request into a COMMIT; cutting the line leaves it to PostgreSQL.
            self._abandon()
            statement.add_done_callback(_swallow)
            raise StoreAway("no commit within the deadline")
        try:
            outcomes = statement.result()
        except (asyncpg.InterfaceError, OSError) as fault:
            self._abandon()
            raise StoreAway(repr(fault)) from fault
        if self._warned:
            raise StoreAway("committed here, not on the standby")
        return outcomes

    async def _hand_to_buffer(self, batch: list[_Waiting]) -> None:
        if not batch:
            return
        try:
            outcomes = await self._buffer.append([checkpoint for checkpoint, _ in batch])
        except StoreAway as fault:
            for _, future in batch:
                _fail(future, fault)
            return
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Exception):
                _fail(future, outcome)
            elif not future.done():
                WRITTEN.labels("buffered").inc()
                future.set_result(outcome)

    # --- the connection ---

    def _abandon(self) -> None:
        connection, self._connection = self._connection, None
        POSTGRES_UP.set(0)
        if connection is not None:
            connection.terminate()

    def _noticed(self, _connection: object, message: asyncpg.PostgresLogMessage) -> None:
        # "The transaction has already committed locally, but might not have been replicated to the standby."
        # Told by its SQLSTATE: the words depend on the server's language.
        if message.sqlstate == "01000":
            self._warned = True

    async def _probe(self) -> None:
        """Keep a connection; while there is none, try again every quarter of a second."""
        while True:
            if self._connection is None or self._connection.is_closed():
                self._connection = None
                try:
                    connection = await self._connect()
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as fault:
                    POSTGRES_UP.set(0)
                    log.debug("postgres not reached", fault=repr(fault))
                else:
                    connection.add_log_listener(self._noticed)
                    self._connection = connection
                    POSTGRES_UP.set(1)
                    log.info("postgres reached")
            await asyncio.sleep(PROBE_EVERY_S)


def _with_rows(checkpoint: Checkpoint, rows: list[Any]) -> Checkpoint:
    return Checkpoint(
        checkpoint.attempt, checkpoint.epoch, checkpoint.seq, checkpoint.stamp_ms, rows, checkpoint.position,
        checkpoint.marked, checkpoint.elapsed_ms, checkpoint.term, checkpoint.buffered,
    )  # fmt: skip


def _fail(future: asyncio.Future[Outcome], fault: Exception) -> None:
    if not future.done():
        future.set_exception(fault)


def _swallow(task: asyncio.Future[Any]) -> None:
    """An abandoned statement ends with the cut connection's error; its outcome was already told as unknown."""
    if not task.cancelled():
        task.exception()
