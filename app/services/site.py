"""One process of a site: its settings, both stores, the writer and the service time, opened and closed together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.checkpoint.ack import Follower, RedisBuffer
from app.checkpoint.writer import Writer
from app.domain.checkpoints import RecordAway
from app.domain.errors import ClockUnconfirmed, Refused
from app.secrets import site_secret
from app.services.service_time import ServiceTime
from app.settings import Settings
from app.storage.postgres.disk import own_disk
from app.storage.postgres.engine import connect, connect_writer, create_engine
from app.storage.redis.backlog import Backlog
from app.storage.redis.client import Keys, Store
from app.storage.redis.clock import RedisClock
from app.storage.redis.events import Event, publish
from app.storage.redis.hot import Hot

SETTLE_STEP_S = 0.05
CLOSE_S = 1.0


class Site:
    """What services work with. ``async with Site.open(...)`` starts and stops everything in the right order."""

    def __init__(self, settings: Settings, database_url: str, redis_url: str, name: str) -> None:
        self.settings = settings
        self.database_url = database_url
        self.name = name
        self.secret = site_secret(settings)
        # Failed sign-ins counted by this process alone, for the time Redis is away: name → (failures, window's end).
        self.local_failures: dict[str, tuple[int, float]] = {}
        # Set when the process is asked to end: open streams finish then, so that nobody waits for them.
        self.closing = asyncio.Event()
        self.engine: AsyncEngine = create_engine(database_url, settings, name=name, bounded=True)
        self.store = Store(redis_url, settings)
        self.redis_clock = RedisClock(self.store)
        self.service_time = ServiceTime(self.engine, self.redis_clock, settings)
        self._hot: Hot | None = None
        self._hot_lineage = ""
        self.follower = Follower(self.hot_or_none)
        self.backlog = Backlog(self.store)
        self.disk = own_disk(settings.data_dir, database_url, settings.disk_reserve_mb)
        self.writer = Writer(
            self._connect_writer, RedisBuffer(self.hot_or_none), settings, self.follower, disk=self.disk
        )

    @property
    def redis(self) -> Any:
        """The bare Redis client, for counters that may fail open; wrap calls in ``store.call``."""
        return self.store.client

    @property
    def keys(self) -> Keys:
        """Redis keys of the lineage in force. Raises ClockUnconfirmed before either store has answered once."""
        return Keys(self.service_time.lineage_uid)

    def hot(self) -> Hot:
        lineage = self.service_time.lineage_uid
        if self._hot is None or self._hot_lineage != lineage:
            self._hot, self._hot_lineage = Hot(self.store, Keys(lineage)), lineage
        return self._hot

    def hot_or_none(self) -> Hot | None:
        try:
            return self.hot()
        except ClockUnconfirmed:
            return None

    async def tell(self, event: Event) -> None:
        """Push an event to every open page it concerns."""
        await publish(self.store, self.keys, event)

    async def settled(self, wait_s: float) -> bool:
        """Wait until the time is known and PostgreSQL is reached, at most ``wait_s``; whether both are so."""
        return await _within(wait_s, lambda: self.writer.postgres_up and self.service_time.knows)

    async def reached(self, wait_s: float) -> bool:
        """Wait until PostgreSQL is reached, at most ``wait_s``; whether it is."""
        return await _within(wait_s, lambda: self.writer.postgres_up)

    async def _connect_writer(self) -> asyncpg.Connection[Any]:
        return await connect_writer(self.database_url, self.settings, name=f"{self.name}-writer")

    async def connect_own(self, purpose: str) -> asyncpg.Connection[Any]:
        """A plain connection for a loop that needs one of its own."""
        return await connect(self.database_url, self.settings, name=f"{self.name}-{purpose}")

    def require_postgres(self) -> None:
        """For what cannot be done without the record: refuse at once rather than wait. Raises RecordAway."""
        if not self.writer.postgres_up:
            raise RecordAway("postgres is away")

    def refuse_foreign(self, lineage_n: int) -> None:
        """For a token of a lineage that this record has never had. Refused `bad-token`."""
        if lineage_n > self.service_time.lineage_n:
            raise Refused("bad-token")

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection for a short look on the checkpoint path. Raises TimeoutError past three commit deadlines, which
        leaves room for the moment after a restart, when everybody's facts are asked for at once."""
        async with asyncio.timeout(3 * self.settings.commit_deadline.total_seconds()), self.engine.connect() as conn:
            yield conn

    @asynccontextmanager
    async def plain(self) -> AsyncIterator[asyncpg.Connection[Any]]:
        """A pooled asyncpg connection outside any transaction: each statement commits by itself."""
        async with self.engine.connect() as connection:
            raw = await connection.get_raw_connection()
            driver = raw.driver_connection
            if driver is None:
                raise ConnectionError("the pool handed out a closed connection")
            yield driver

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: Settings, database_url: str, redis_url: str, *, name: str = "holdfast"
    ) -> AsyncIterator[Site]:
        site = cls(settings, database_url, redis_url, name)
        await site.service_time.start()
        await site.follower.start()
        await site.writer.start()
        try:
            yield site
        finally:
            await site.writer.stop()
            await site.follower.stop()
            await site.service_time.stop()
            await site.store.close()
            # Each connection is said goodbye to, and a server that does not answer must not hold us up.
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await site.engine.dispose()


async def _within(wait_s: float, good: Callable[[], bool]) -> bool:
    for _ in range(int(wait_s / SETTLE_STEP_S)):
        if good():
            return True
        await asyncio.sleep(SETTLE_STEP_S)
    return good()
