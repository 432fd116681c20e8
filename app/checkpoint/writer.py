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
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import structlog
from prometheus_client import Counter, Gauge, Histogram

from app import background
from app.checkpoint.probe import probe
from app.checkpoint.queue import Queue, Waiting
from app.checkpoint.statement import write
from app.domain.checkpoints import Checkpoint, Outcome, Overloaded, StoreAway
from app.settings import Settings
from app.storage.postgres.disk import Disk, DiskFull
from app.storage.postgres.engine import SYNC_WARNING
from app.storage.postgres.errors import ReadOnly, why

log = structlog.get_logger(__name__)

BATCH = Histogram("holdfast_batch_checkpoints", "Checkpoints in one batch", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256))
COMMIT = Histogram("holdfast_commit_seconds", "Seconds from sending a batch to its commit")
WRITTEN = Counter("holdfast_checkpoints", "Checkpoints answered", ["durability"])
POSTGRES_UP = Gauge("holdfast_postgres_up", "1 while the writer reaches PostgreSQL")
FAULTS = Counter("holdfast_postgres_faults", "Times PostgreSQL stopped taking writes", ["why"])

# Statement-level faults of the data itself; such a batch is halved (DESIGN §4.4).
DATA_FAULTS = ("21", "22", "23")
# The same statement may simply be run again: deadlock, lock not available, serialisation.
TRY_AGAIN = ("40P01", "40001")
# Somebody holds one attempt of the batch: its neighbours must not wait for it, so the batch is halved at once.
LOCKED = "55P03"
RETRIES = 3
PROBE_EVERY_S = 0.25
# What a connection attempt may end with when PostgreSQL is away, whichever way it is.
AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, ReadOnly, DiskFull)


class Buffer(Protocol):
    """Where a batch goes while PostgreSQL is away."""

    async def append(self, checkpoints: Sequence[Checkpoint]) -> list[Outcome | Exception]: ...


Connect = Callable[[], Awaitable["asyncpg.Connection[Any]"]]
Committed = Callable[[Sequence[tuple[Checkpoint, Outcome]]], None]


class Writer:
    """One per process; ``start`` it, ``submit`` checkpoints, ``stop`` it after the last answer.

    ``committed`` is told of every durable batch after its commit (the hot copy); it must not wait.
    """

    def __init__(
        self,
        connect: Connect,
        buffer: Buffer,
        settings: Settings,
        committed: Committed,
        *,
        disk: Disk | None = None,
    ) -> None:
        self._disk = disk or Disk(None, 0)
        self._connect = connect
        self._buffer = buffer
        self._committed = committed
        self._deadline = settings.commit_deadline.total_seconds()
        self.queue = Queue(
            batch=settings.batch_limit,
            limit=settings.queue_limit,
            patience_s=settings.queue_patience.total_seconds(),
        )
        self._connection: asyncpg.Connection[Any] | None = None
        # Why there is no connection, and since when (monotonic seconds); None while there is one.
        self._away: tuple[str, float] | None = ("starting", time.monotonic())
        self._warned = False
        self._writing = False
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    @property
    def postgres_up(self) -> bool:
        """Whether the last thing heard from PostgreSQL was good."""
        return self._connection is not None

    @property
    def away(self) -> tuple[str, float] | None:
        """Why PostgreSQL takes no writes (``storage.postgres.errors``) and for how many seconds; None while it does."""
        return None if self._away is None else (self._away[0], time.monotonic() - self._away[1])

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._probe()), asyncio.create_task(self._run())]

    async def stop(self) -> None:
        """Answer everything that waits, then close."""
        self._stopping = True
        self.queue.wake()
        probe, run = self._tasks
        await run
        await background.end(probe)
        if self._connection is not None:
            # Everything is answered; a goodbye would wait for a server that may not answer.
            self._connection.terminate()
            self._connection = None

    async def submit(self, checkpoint: Checkpoint) -> Outcome:
        """What became of ``checkpoint``; StoreAway when nobody can say, Overloaded when too much is waiting."""
        if self._stopping:
            raise Overloaded("stopping")
        return await self.queue.submit(checkpoint)

    # --- batches ---

    async def _run(self) -> None:
        while True:
            batch = self.queue.take()
            if not batch:
                if self._stopping:
                    return
                await self.queue.something()
                continue
            began = time.monotonic()
            try:
                await self._settle(batch)
            except Exception as fault:  # whatever it was, nobody may be left waiting
                log.exception("batch failed", size=len(batch))
                for entry in batch:
                    entry.fail(StoreAway(repr(fault)))
            self.queue.took(time.monotonic() - began)

    async def _settle(self, batch: list[Waiting]) -> None:
        BATCH.observe(len(batch))
        if self._disk.short:
            self._abandon("disk-full")
        if self._connection is not None:
            self._writing = True
            try:
                await self._write(batch)
            except StoreAway as fault:
                log.warning("postgres away", fault=str(fault))
            else:
                return
            finally:
                self._writing = False
        await self._hand_to_buffer([entry for entry in batch if not entry.future.done()])

    async def _write(self, batch: list[Waiting], tries: int = RETRIES) -> None:
        checkpoints = [entry.checkpoint for entry in batch]
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
                batch[0].fail(StoreAway("the attempt is locked"))
            else:
                self._abandon(why(fault))
                raise StoreAway(f"{state} {fault}") from fault
            return
        done: list[tuple[Checkpoint, Outcome]] = []
        for entry in batch:
            attempt = entry.checkpoint.attempt
            outcome = outcomes.get(attempt)
            if outcome is None:
                entry.fail(LookupError(attempt))
                continue
            done.append((entry.checkpoint, outcome))
            entry.answer(outcome)
        WRITTEN.labels("durable").inc(len(done))
        self._committed(done)

    async def _write_alone(self, entry: Waiting, fault: asyncpg.PostgresError) -> None:
        """A checkpoint that PostgreSQL will not take whole: its rows one by one, the bad ones refused."""
        checkpoint = entry.checkpoint
        log.warning("bad response isolated", attempt=str(checkpoint.attempt), sqlstate=fault.sqlstate)
        good, bad = [], []
        for row in checkpoint.rows:
            try:
                await self._commit([replace(checkpoint, rows=[row])])
            except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError):
                bad.append(row)
            else:
                good.append(row)
        # The good rows again, together: already written, so this is the transaction their answer speaks of.
        outcomes = await self._commit([replace(checkpoint, rows=good)])
        outcome = outcomes[checkpoint.attempt]
        outcome.refused.update({(row.item, row.rev): "bad-value" for row in bad})
        entry.answer(outcome)

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
            self._abandon("no-answer")
            statement.add_done_callback(_swallow)
            raise StoreAway("no commit within the deadline")
        try:
            outcomes = statement.result()
        except (asyncpg.InterfaceError, OSError) as fault:
            self._abandon(why(fault))
            raise StoreAway(repr(fault)) from fault
        if self._warned:
            raise StoreAway("committed here, not on the standby")
        return outcomes

    async def _hand_to_buffer(self, batch: list[Waiting]) -> None:
        if not batch:
            return
        try:
            outcomes = await self._buffer.append([entry.checkpoint for entry in batch])
        except StoreAway as fault:
            for entry in batch:
                entry.fail(fault)
            return
        for entry, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Exception):
                entry.fail(outcome)
            else:
                WRITTEN.labels("buffered").inc()
                entry.answer(outcome)

    # --- the connection ---

    def _abandon(self, reason: str = "unreachable") -> None:
        connection, self._connection = self._connection, None
        self._lost(reason)
        if connection is not None:
            connection.terminate()

    def _lost(self, reason: str) -> None:
        POSTGRES_UP.set(0)
        if self._away is None or self._away[0] != reason:
            log.error("postgres takes no writes", why=reason)
            FAULTS.labels(reason).inc()
            self._away = (reason, time.monotonic() if self._away is None else self._away[1])

    def _noticed(self, _connection: object, message: asyncpg.PostgresLogMessage) -> None:
        if message.sqlstate == SYNC_WARNING:
            self._warned = True

    async def _probe(self) -> None:
        """Keep a connection; while there is none, try again every quarter of a second. No checkpoint is the probe."""
        while True:
            if self._connection is not None and self._connection.is_closed():
                self._abandon()
            if self._disk.look() and not self._writing:
                # Never under a batch: the next one sees it for itself.
                self._abandon("disk-full")
            if self._connection is None:
                try:
                    connection = await self._reach()
                except AWAY as fault:
                    self._lost(why(fault))
                    log.debug("postgres not reached", fault=repr(fault))
                except Exception:
                    # A bug in one try must not leave the process without PostgreSQL for good.
                    self._lost("unreachable")
                    log.exception("postgres not reached")
                else:
                    connection.add_log_listener(self._noticed)
                    self._connection = connection
                    self._away = None
                    POSTGRES_UP.set(1)
                    log.info("postgres reached")
            await asyncio.sleep(PROBE_EVERY_S)

    async def _reach(self) -> asyncpg.Connection[Any]:
        """A connection to a PostgreSQL that takes writes, within the deadline of any commit. Raises AWAY."""
        if self._disk.short:
            raise DiskFull
        connection = await self._connect()
        asked = asyncio.ensure_future(probe(connection, self._away[0] if self._away else None))
        try:
            # Shielded: a query that is cancelled asks its server to stop it, and this one may not answer.
            async with asyncio.timeout(self._deadline):
                await asyncio.shield(asked)
        except BaseException:
            connection.terminate()
            asked.add_done_callback(_swallow)
            raise
        return connection


def _swallow(task: asyncio.Future[Any]) -> None:
    """An abandoned statement ends with the cut connection's error; its outcome was already told as unknown."""
    if not task.cancelled():
        task.exception()
