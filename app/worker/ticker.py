"""The ticker: the one process that advances the service counter (DESIGN §5).

Every process of a site runs this loop; the one that holds the advisory lock ticks, the others wait to take over.

Why no clock can lie to it: a step is the process's own monotonic time since its own last read of the counter, at most
one second, and it counts only when the store has confirmed a compare-and-set. A frozen process, a crash, a restart, a
new leader: the counter just stood. While PostgreSQL is away the same is done in Redis, under a lock of its own and
against the same expected value, so two tickers cannot add up: the one that comes second finds the counter moved.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import structlog

from app import background
from app.services.service_time import ServiceTime
from app.settings import Settings
from app.storage.postgres import service_clocks
from app.storage.postgres.service_clocks import Confirmed
from app.storage.redis.client import RedisAway
from app.storage.redis.clock import RedisClock

log = structlog.get_logger(__name__)
# Beginning a term looks at every attempt once; it happens when nobody is being served.
TERM_S = 10
FAULTS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)


class Ticker:
    """``connect`` opens a connection of the ticker's own; the advisory lock lives and dies with it."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection[Any]]],
        redis_clock: RedisClock,
        service_time: ServiceTime,
        settings: Settings,
        monotonic: Callable[[], float] = time.monotonic,
        standby_s: float = 0.0,
    ) -> None:
        self._connect = connect
        self._redis = redis_clock
        self._service_time = service_time
        self._tick_s = settings.tick.total_seconds()
        self._patience_s = settings.commit_deadline.total_seconds()
        self._max_step_ms = int(settings.max_step.total_seconds() * 1000)
        self._handover_ms = int(settings.handover_gap.total_seconds() * 1000)
        self._frozen_s = settings.frozen_after.total_seconds()
        self._monotonic = monotonic
        self._standby_s = standby_s
        # The one that should tick looks for the lock more often than those that serve candidates as well.
        self._look_s = self._tick_s if standby_s else self._tick_s / 5
        self._me = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._task: asyncio.Task[None] | None = None
        self._leaving = asyncio.Event()
        self.leading = False
        # Set once the lock was asked for, whoever has it: this process could take over.
        self.asked = asyncio.Event()

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Hand over: the one that ticks confirms one more step and gives the lock back, so that the next one has it
        before anybody's second is over."""
        self._leaving.set()
        if self._task is not None and self.leading:
            await asyncio.wait({self._task}, timeout=2 * self._patience_s)
        await background.end(self._task)

    async def _run(self) -> None:
        # A process that serves candidates lets the one that does not go first: its event loop is the busier one.
        await asyncio.sleep(self._standby_s)
        away = False
        while not self._leaving.is_set():
            try:
                await self._serve(await (self._serve_from_redis() if away else self._bounded(self._connect())))
                away = False
            except FAULTS as fault:
                log.info("ticker without postgres", fault=repr(fault))
                away = True
            except Exception:
                log.exception("the ticker failed")
                await asyncio.sleep(self._tick_s)
            finally:
                self.leading = False

    async def _told_to_leave(self, wait_s: float) -> bool:
        """Wait, but no longer than until ``stop``; whether that was it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._leaving.wait()
        return self._leaving.is_set()

    def _step(self, since: float) -> int:
        return min(self._max_step_ms, int((self._monotonic() - since) * 1000))

    async def _serve(self, connection: asyncpg.Connection[Any]) -> None:
        """Wait for the lock on PostgreSQL, then tick until it is lost. Raises FAULTS."""
        try:
            await self._lead(connection)
            redis_ms = await self._redis_ms(connection)
            async with asyncio.timeout(TERM_S):
                at = await service_clocks.begin_term(connection, self._me, redis_ms, self._handover_ms)
            log.info("term begins", term=at.term, service_ms=at.counter_ms)
            self.leading = True
            read = self._monotonic()
            # Everybody's second began with the predecessor's last step: the first one of a term comes early.
            wait_s = self._look_s
            while True:
                self._service_time.observe(at)
                await self._show(at)
                leaving = await self._told_to_leave(max(0.0, wait_s - (self._monotonic() - read)))
                wait_s = self._tick_s
                sampled = self._monotonic()
                if (sampled - read) * 1000 >= self._max_step_ms + self._handover_ms:
                    # Frozen and woken: an outage like any other, with its gap on record and its reconnect credit.
                    log.warning("the ticker was frozen", seconds=round(sampled - read, 1))
                    return
                moved = await self._bounded(service_clocks.tick(connection, at, self._step(read)))
                if moved is None:
                    # Somebody else moved the counter: read again; what passed meanwhile is not counted twice.
                    moved = await self._bounded(service_clocks.read(connection))
                    if moved.term != at.term:
                        log.warning("another term has begun", mine=at.term, theirs=moved.term)
                        return
                    sampled = self._monotonic()
                at, read = moved, sampled
                if leaving:
                    self._service_time.observe(at)
                    await self._show(at)
                    await self._bounded(service_clocks.release(connection))
                    return
        finally:
            self.leading = False
            connection.terminate()

    async def _lead(self, connection: asyncpg.Connection[Any]) -> None:
        """Wait for the lock. A holder that is frozen keeps it as long as its connection lives, and would be an outage
        for as long: when the clock has stood, its connection is ended. That is safe, because a step counts only by its
        compare-and-set: woken, it finds no connection, and another term than its own."""
        stood_s = 0.0
        while not await self._bounded(service_clocks.lead(connection)):
            self.asked.set()
            before = self._monotonic()
            await asyncio.sleep(self._look_s)
            # Look by look: a process that was frozen itself must not blame the one that ticks.
            stood_s = 0.0 if self._service_time.knows else stood_s + min(self._monotonic() - before, self._tick_s)
            if stood_s >= self._frozen_s:
                stood_s = 0.0
                ended = await self._bounded(service_clocks.end_frozen(connection, self._frozen_s))
                log.warning("the clock stands", holder_ended=ended)
        self.asked.set()

    async def _serve_from_redis(self) -> asyncpg.Connection[Any]:
        """Tick in Redis until PostgreSQL answers again, without a pause for looking; the connection that was made."""
        reached = asyncio.create_task(self._reach())
        try:
            at, read = await self._read_redis(), self._monotonic()
            while not reached.done():
                await asyncio.wait({reached}, timeout=self._tick_s / 2)
                moved = None
                sampled = self._monotonic()
                if at is not None:
                    with contextlib.suppress(RedisAway):
                        moved = await self._redis.tick(at, self._step(read), self._me)
                if moved is None:
                    at, read = await self._read_redis(), self._monotonic()
                else:
                    at, read = moved, sampled
                    self._service_time.observe(at)
            return reached.result()
        except BaseException:
            # Told to end while the connection was on its way here: it is nobody's.
            reached.cancel()
            reached.add_done_callback(_drop)
            raise

    async def _reach(self) -> asyncpg.Connection[Any]:
        """A connection to a PostgreSQL that answers. A frozen one accepts connections and says nothing."""
        while True:
            try:
                connection: asyncpg.Connection[Any] = await self._bounded(self._connect())
                try:
                    await self._bounded(connection.fetchval("SELECT 1"))
                except BaseException:
                    connection.terminate()
                    raise
            except FAULTS as fault:
                log.debug("postgres still away", fault=repr(fault))
                await asyncio.sleep(self._tick_s)
            else:
                return connection

    async def _read_redis(self) -> Confirmed | None:
        try:
            known = self._service_time.known
            if known is None:
                return await self._redis.read_any()
            seen = await self._redis.read(known.lineage_n, known.lineage_uid)
            if seen is None or self._service_time.possible(seen):
                return seen
            log.warning("redis was left over", service_ms=known.counter_ms, redis_ms=seen.counter_ms)
            return await self._redis.tick(seen, known.counter_ms - seen.counter_ms, self._me)
        except RedisAway:
            return None

    async def _redis_ms(self, connection: asyncpg.Connection[Any]) -> int:
        """Redis' counter of the record's own lineage; leftovers, of another lineage or of this one, count for nothing.

        While PostgreSQL was away Redis counted alone. A process that has followed knows how far it can have come; one
        that was started since has the wall clock's word for how long PostgreSQL was away.
        """
        record = await self._bounded(service_clocks.read(connection))
        try:
            seen = await self._redis.read(record.lineage_n, record.lineage_uid)
        except RedisAway:
            return 0
        if seen is None:
            return 0
        away_ms = await self._bounded(service_clocks.unticked_ms(connection)) + self._handover_ms
        if self._service_time.possible(seen) or seen.counter_ms - record.counter_ms <= away_ms:
            return seen.counter_ms
        log.warning("redis was left over", service_ms=record.counter_ms, redis_ms=seen.counter_ms)
        return 0

    async def _show(self, at: Confirmed) -> None:
        """Tell Redis the value that was just confirmed, also over what cannot be."""
        try:
            standing = await self._redis.show(at)
            if standing is not None and not self._service_time.possible(standing):
                log.warning("redis was left over", service_ms=at.counter_ms, redis_ms=standing.counter_ms)
                await self._redis.show(at, over_all=True)
        except RedisAway as fault:
            log.debug("counter not mirrored", fault=str(fault))

    async def _bounded(self, work: Awaitable[Any]) -> Any:
        """PostgreSQL has the commit deadline to answer; past it the connection is given up and the step is unknown."""
        # Not wait_for: on Python 3.11 it can swallow a cancellation that comes as the work ends.
        async with asyncio.timeout(self._patience_s):
            return await work


def _drop(reached: asyncio.Task[asyncpg.Connection[Any]]) -> None:
    if not reached.cancelled() and reached.exception() is None:
        reached.result().terminate()
