"""What time it is in the service: the reader every process counts with (DESIGN §5).

A process knows a confirmed value and the moment, on its own monotonic clock, at which it first saw it. It counts on
from there, never more than one second, never backwards. Past that second it does not know the time, and says so.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import asyncpg
import structlog
from prometheus_client import Gauge
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app import background
from app.domain.errors import ClockUnconfirmed
from app.settings import Settings
from app.storage.postgres.service_clocks import READ, Confirmed
from app.storage.redis.client import RedisAway
from app.storage.redis.clock import RedisClock

log = structlog.get_logger(__name__)
CATCH_UP_EVERY_S = 0.025
SERVICE_MS = Gauge("holdfast_service_ms", "The service counter as this process knows it")


class Reading:
    """The pure part: confirmed values in, the time out. ``mono`` is monotonic seconds."""

    def __init__(self, lead_ms: int) -> None:
        self._lead_ms = lead_ms
        self._confirmed: Confirmed | None = None
        self._seen_at = 0.0
        # A counter seen once may belong to a service that has stopped: it must be seen to move before it is believed.
        self._moves = False
        self._last_ms = 0

    @property
    def confirmed(self) -> Confirmed | None:
        return self._confirmed

    def observe(self, confirmed: Confirmed, mono: float) -> None:
        """Take note of a confirmed value. An old one changes nothing, so a frozen ticker cannot look alive."""
        known = self._confirmed
        if known is not None and known.lineage_uid == confirmed.lineage_uid:
            if confirmed.counter_ms < known.counter_ms:
                return
            if confirmed.counter_ms == known.counter_ms:
                if confirmed.term > known.term:
                    self._confirmed = confirmed
                return
        if known is not None and confirmed.lineage_n < known.lineage_n:
            return
        self._moves = known is not None and confirmed.lineage_uid == known.lineage_uid
        if not self._moves:
            self._last_ms = 0
        self._confirmed = confirmed
        self._seen_at = mono

    def possible(self, seen: Confirmed, mono: float) -> bool:
        """Whether a counter that was read at ``mono`` can have come that far since the last confirmed value.

        It moves no faster than time does, and a new term begins no more than a stamp's lead ahead. Only the record may
        say otherwise: a Redis that does was left over, from before the record was put back.
        """
        known = self._confirmed
        if known is None or known.lineage_uid != seen.lineage_uid:
            return True
        return seen.counter_ms - known.counter_ms <= (mono - self._seen_at) * 1000 + 2 * self._lead_ms

    def now_ms(self, mono: float) -> int:
        """Service time at ``mono``; ClockUnconfirmed more than the lead past the last confirmed value."""
        if self._confirmed is None or not self._moves:
            raise ClockUnconfirmed
        since = int((mono - self._seen_at) * 1000)
        if since > self._lead_ms:
            raise ClockUnconfirmed
        self._last_ms = max(self._last_ms, self._confirmed.counter_ms + max(0, since))
        return self._last_ms


class ServiceTime:
    """Polls both stores and answers ``now_ms()``. Start it with the process, stop it last."""

    def __init__(
        self,
        engine: AsyncEngine,
        redis_clock: RedisClock,
        settings: Settings,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._redis = redis_clock
        self._poll_s = settings.clock_poll.total_seconds()
        self._commit_s = settings.commit_deadline.total_seconds()
        self._monotonic = monotonic
        self._tick_s = settings.tick.total_seconds()
        self._reading = Reading(int(settings.clock_lead.total_seconds() * 1000))
        self._task: asyncio.Task[None] | None = None
        self._catching_up: asyncio.Task[None] | None = None
        self._stands: Confirmed | None = None

    def stand(self, at: Confirmed | None) -> None:
        """The counter stands at ``at`` (None: as ever): for a command that holds the ticker's lock and does not tick.
        While it does nobody can advance it, so the last value is the time, however long ago it was confirmed."""
        self._stands = at

    def now_ms(self) -> int:
        """Service time in ms. Raises ClockUnconfirmed."""
        if self._stands is not None:
            return self._stands.counter_ms
        return self._reading.now_ms(self._monotonic())

    @property
    def known(self) -> Confirmed | None:
        """The last confirmed value, None before there was one."""
        return self._reading.confirmed

    @property
    def knows(self) -> bool:
        """Whether ``now_ms`` would answer."""
        try:
            self.now_ms()
        except ClockUnconfirmed:
            return False
        return True

    @property
    def confirmed(self) -> Confirmed:
        if self._reading.confirmed is None:
            raise ClockUnconfirmed
        return self._reading.confirmed

    @property
    def lineage_uid(self) -> str:
        return self.confirmed.lineage_uid

    @property
    def lineage_n(self) -> int:
        return self.confirmed.lineage_n

    @property
    def term(self) -> int:
        return self.confirmed.term

    def observe(self, confirmed: Confirmed) -> None:
        """For the process that ticks: it knows the value without asking."""
        self._reading.observe(confirmed, self._monotonic())

    def possible(self, seen: Confirmed) -> bool:
        """Whether the counter of this lineage can stand where Redis says (``Reading.possible``)."""
        return self._reading.possible(seen, self._monotonic())

    async def start(self) -> None:
        await self._look()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        await background.end(self._task)
        await background.end(self._catching_up)

    async def catch_up(self) -> None:
        """Where the time is not known, look again at once, for at most one tick, before anybody is told so.

        A process that was starved of its CPU finds a request and a clock that is past its second in the same instant,
        while the counter has long moved on. All requests that meet this wait for the same look.
        """
        if self.knows:
            return
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = asyncio.create_task(self._look_until_known(self._monotonic() + self._tick_s))
        await asyncio.wait({self._catching_up}, timeout=self._tick_s)

    async def _look_until_known(self, ends: float) -> None:
        while not self.knows and self._monotonic() < ends:
            await self._look()
            await asyncio.sleep(CATCH_UP_EVERY_S)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._poll_s)
            try:
                await self._look()
            except Exception:
                # A bug in one look must not stop the clock of this process for good.
                log.exception("the counter could not be read")

    async def _look(self) -> None:
        """One look at Redis, or at PostgreSQL where Redis has no news.

        The first look asks PostgreSQL first: only it says which lineage is in force, and a Redis may be left over from
        a rehearsal.
        """
        before = self._reading.confirmed
        at = self._monotonic()
        if before is None:
            seen = await self._from_postgres() or await self._from_redis(None)
        else:
            seen = await self._from_redis(before)
            if seen is None or seen.counter_ms <= before.counter_ms or not self.possible(seen):
                at = self._monotonic()
                seen = await self._from_postgres()
        if seen is not None:
            self._reading.observe(seen, at)
            SERVICE_MS.set(seen.counter_ms)

    async def _from_redis(self, before: Confirmed | None) -> Confirmed | None:
        try:
            if before is None:
                return await self._redis.read_any()
            return await self._redis.read(before.lineage_n, before.lineage_uid)
        except RedisAway:
            return None

    async def _from_postgres(self) -> Confirmed | None:
        try:
            async with asyncio.timeout(self._commit_s), self._engine.connect() as connection:
                row = (await connection.execute(text(READ))).one()
        except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as fault:
            log.debug("service clock not read", fault=repr(fault))
            return None
        return Confirmed(row[0], row[1], row[2], row[3])
