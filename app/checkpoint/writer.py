"""The group-commit writer: the one way a checkpoint becomes `durable` (DESIGN §4.3–4.6).

One batch is in flight at a time; what arrives meanwhile gathers into the next one. So a lone candidate waits for
nobody, and under load a batch grows until PostgreSQL, not the number of round trips, is the limit.

Why each answer is safe:

* `durable` is said only after PostgreSQL reported the end of the transaction that wrote it, without a sync-wait
  warning. A COMMIT is never cancelled: past the deadline the connection is cut, not the statement, and the outcome is
  *unknown*. Repeating is harmless, because the merge is idempotent.
* `buffered` is said when PostgreSQL is away and Redis took the batch, with the stamp of its arrival, by which the
  drain judges it later. The same for an attempt whose row somebody holds for longer than a batch may wait, as a
  decision for a whole hall does: to keep a promise of effort costs nobody anything, to refuse costs a repeat of each.
  Whoever moves or ends an attempt has sealed it in Redis before, so nothing is promised behind their back.
* when neither answers, ``StoreAway`` goes up and becomes 503: the browser keeps everything and comes again.
* one bad response never fails its neighbours, nor does one locked attempt (``checkpoint.parts``).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar
from uuid import UUID

import asyncpg
import structlog
from prometheus_client import Counter, Gauge, Histogram

from app import background
from app.checkpoint import parts
from app.checkpoint.held import held
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
HELD = Counter("holdfast_held", "Checkpoints that a lock on their attempt kept out of the record")
POSTGRES_UP = Gauge("holdfast_postgres_up", "1 while the writer reaches PostgreSQL")
FAULTS = Counter("holdfast_postgres_faults", "Times PostgreSQL stopped taking writes", ["why"])

PROBE_EVERY_S = 0.25
# Nothing written for so long: PostgreSQL is asked.
QUIET_S = 5.0
# What a connection attempt may end with when PostgreSQL is away, whichever way it is.
AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, ReadOnly, DiskFull)


class Buffer(Protocol):
    """Where a batch goes while PostgreSQL is away."""

    async def append(self, checkpoints: Sequence[Checkpoint]) -> list[Outcome | Exception]: ...


T = TypeVar("T")
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
        self._heard = time.monotonic()
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
                batch = await parts.write(parts.Record(self._commit, self._held, self._done), batch)
                HELD.inc(len(batch))
            except (StoreAway, asyncpg.PostgresError) as fault:
                log.warning("postgres away", fault=str(fault))
                if isinstance(fault, asyncpg.PostgresError):
                    self._abandon(why(fault))
            finally:
                self._writing = False
        await self._hand_to_buffer([entry for entry in batch if not entry.future.done()])

    def _done(self, batch: Sequence[Waiting], outcomes: dict[UUID, Outcome]) -> None:
        """Answer what a commit has written."""
        done: list[tuple[Checkpoint, Outcome]] = []
        for entry in batch:
            outcome = outcomes.get(entry.checkpoint.attempt)
            if outcome is None:
                entry.fail(LookupError(entry.checkpoint.attempt))
                continue
            done.append((entry.checkpoint, outcome))
            entry.answer(outcome)
        WRITTEN.labels("durable").inc(len(done))
        self._committed(done)

    async def _commit(self, checkpoints: Sequence[Checkpoint]) -> dict[UUID, Outcome]:
        """One transaction. StoreAway when it is not known to be committed."""
        connection = self._connected()
        self._warned = False
        with COMMIT.time():
            outcomes = await self._in_time(write(connection, checkpoints))
        self._heard = time.monotonic()
        if self._warned:
            raise StoreAway("committed here, not on the standby")
        return outcomes

    async def _held(self, attempts: Sequence[UUID]) -> set[UUID]:
        return await self._in_time(held(self._connected(), attempts))

    def _connected(self) -> asyncpg.Connection[Any]:
        if self._connection is None:
            raise StoreAway("not connected")
        return self._connection

    async def _in_time(self, statement: Coroutine[Any, Any, T]) -> T:
        """``statement``, within the deadline of any commit. StoreAway when PostgreSQL does not answer."""
        task = asyncio.ensure_future(statement)
        finished, _ = await asyncio.wait({task}, timeout=self._deadline)
        if not finished:
            # Cancelling would send a cancel request into a COMMIT; cutting the line leaves it to PostgreSQL.
            self._abandon("no-answer")
            task.add_done_callback(_swallow)
            raise StoreAway("no commit within the deadline")
        try:
            return task.result()
        except (asyncpg.InterfaceError, OSError) as fault:
            self._abandon(why(fault))
            raise StoreAway(repr(fault)) from fault

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
                    self._heard = time.monotonic()
                    log.info("postgres reached")
            elif time.monotonic() - self._heard > QUIET_S:
                await self._ask()
            await asyncio.sleep(PROBE_EVERY_S)

    async def _ask(self) -> None:
        """A process that has nothing to write would say that all is well for as long as a silent PostgreSQL lets it.

        Asked on a connection of its own: no batch waits for the answer. Twice without one is away, as a commit is; a
        server that refuses has answered, and what its refusal means a batch finds out on the connection that it has.
        """
        for last in (False, True):
            try:
                connection = await self._reach()
            except (asyncpg.PostgresError, ReadOnly, DiskFull):
                break
            except AWAY as fault:
                if last and time.monotonic() - self._heard > QUIET_S and not self._writing:
                    log.warning("postgres away", fault=repr(fault))
                    self._abandon("no-answer")
            else:
                connection.terminate()
                break
        self._heard = time.monotonic()

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
