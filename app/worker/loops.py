"""The background work of a site: the expiry sweeper and the buffer drain.

Both may run in several processes at once without harm (row locks with SKIP LOCKED, an idempotent statement); the drain
takes an advisory lock all the same, so that the buffer is read once and not by everybody.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from app import background
from app.checkpoint import drain
from app.domain.checkpoints import StoreAway
from app.domain.errors import ClockUnconfirmed
from app.services import ending, silence
from app.services.site import Site
from app.services.time_holds import Holds
from app.settings import Settings
from app.storage.postgres import buffer_cursors
from app.storage.redis.client import RedisAway
from app.storage.redis.events import Event, publish, settled
from app.worker.ticker import Ticker

log = structlog.get_logger(__name__)
AWAY = (
    OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError, RedisAway, StoreAway,
    ClockUnconfirmed,
)  # fmt: skip
# An arbitrary number that only the drain uses.
DRAIN_LOCK = 7_301_188_003
DRAIN_EVERY_S = 0.25
FORGET_EVERY_S = 60.0


async def forever(name: str, every_s: float, work: Callable[[], Awaitable[Any]]) -> None:
    """Run ``work`` again and again; a store that is away is waited for, anything else is logged and tried again."""
    while True:
        try:
            busy = await work()
        except AWAY as fault:
            log.info("waiting", loop=name, fault=repr(fault))
            busy = False
        except Exception:
            log.exception("loop failed", loop=name)
            busy = False
        # A loop that found work comes back at once, but never starves the others.
        await asyncio.sleep(0 if busy else every_s)


class Drain:
    """Owns a connection that holds the drain's lock; ``run`` does one step and tells the pages what became of it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._connection: asyncpg.Connection[Any] | None = None
        self._forgot = time.monotonic()

    async def run(self) -> int:
        """Drain one step; how many entries there were. Onto a disk that is nearly full nothing is drained: what the
        writer keeps from it must not come to it from here. Nor while Redis is away: PostgreSQL is not asked either."""
        site = self._site
        if site.disk.short or not site.store.up:
            return 0
        hot, lineage_n, lineage = site.hot(), site.service_time.lineage_n, site.service_time.lineage_uid
        told: list[Event] = []
        try:
            connection = await self._connected()
            if not await drain.in_time(connection, connection.fetchval("SELECT pg_try_advisory_lock($1)", DRAIN_LOCK)):
                return 0
            done = await drain.step(connection, hot, lineage_n, lambda done: told.extend(settled(done, lineage)))
            await drain.in_time(connection, connection.fetchval("SELECT pg_advisory_unlock($1)", DRAIN_LOCK))
            if done:
                cursor = await drain.in_time(connection, buffer_cursors.read(connection, lineage_n))
                with contextlib.suppress(RedisAway):  # a picture for people; a Redis without memory refuses it
                    await site.backlog.show(site.keys, cursor)
            if not done and time.monotonic() - self._forgot > FORGET_EVERY_S:
                self._forgot = time.monotonic()
                keep_ms = int(site.settings.buffer_keep.total_seconds() * 1000)
                before_ms = int(time.time() * 1000) - keep_ms
                await drain.in_time(connection, drain.forget(connection, hot, lineage_n, before_ms))
        except Exception:
            await self.close()
            raise
        finally:
            # What was committed is told whatever came after it; an event that is lost costs one more request.
            await publish(site.store, site.keys, *told)
        return done

    async def _connected(self) -> asyncpg.Connection[Any]:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._site.connect_own("drain")
            # It waits for one candidate's row with a hundred others locked: no longer than a live batch would.
            wait_ms = int(self._site.settings.lock_timeout.total_seconds() * 1000)
            await self._connection.execute(f"SET lock_timeout = {wait_ms}")
        return self._connection

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()


async def run(
    settings: Settings,
    *,
    database_url: str,
    redis_url: str,
    stop: asyncio.Event,
    ready: Callable[[], None] | None = None,
) -> None:
    """The worker process: ticker, sweeper and drain until ``stop``. ``ready`` is called when it could tick."""
    async with Site.open(settings, database_url, redis_url, name="holdfast-worker") as site:
        ticker = Ticker(lambda: site.connect_own("ticker"), site.redis_clock, site.service_time, settings)
        await ticker.start()
        draining = Drain(site)
        holds = Holds(site)
        tasks = [
            asyncio.create_task(forever("sweeper", settings.sweep_every.total_seconds(), lambda: _sweep(site))),
            asyncio.create_task(forever("drain", DRAIN_EVERY_S, draining.run)),
            asyncio.create_task(forever("holds", settings.sweep_every.total_seconds(), lambda: _hold(site, holds))),
            asyncio.create_task(forever("silence", settings.loss_every.total_seconds(), lambda: _look(site))),
        ]
        if ready is not None:
            tasks.append(asyncio.create_task(_tell(ticker, ready)))
        try:
            await stop.wait()
        finally:
            # The clock first: what the others do at their end may take a moment in which it must not stand.
            try:
                await ticker.stop()
                for task in tasks:
                    await background.end(task)
            finally:
                await draining.close()


async def _sweep(site: Site) -> int:
    # An end drains its attempt and writes it twice; on a disk that is nearly full it can wait, for it is not judged by
    # when it is written.
    return 0 if site.disk.short else await ending.sweep(site)


async def _hold(site: Site, holds: Holds) -> bool:
    """Never at once again: whoever is left over is looked at in a second."""
    if not site.disk.short:
        await holds.run()
    return False


async def _look(site: Site) -> bool:
    """Never at once again: what is silent stays so for a while."""
    if not site.disk.short:
        await silence.look(site)
    return False


async def _tell(ticker: Ticker, ready: Callable[[], None]) -> None:
    await ticker.asked.wait()
    ready()
