"""The service beside which a command decides: its stores, and what time it is in it, also when nobody runs it.

While it runs, the time is what every process reads. When nobody does, the counter stands, and where it stands is the
time: the command takes the ticker's lock, so that none can begin to count meanwhile, and gives it back before it asks
a person anything. Nobody is charged for what is decided then: no time passes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg
import structlog
import typer

from app import background
from app.commands.database import buffer, database
from app.domain.errors import Refused
from app.services.site import Site
from app.settings import settings
from app.storage.postgres import service_clocks
from app.storage.redis.client import RedisAway

log = structlog.get_logger(__name__)
T = TypeVar("T")
SETTLE_S = 3.0
ASK_S = 0.5
STANDS = (
    "考试服务没有运行，考试时钟停着：以上钟点按此刻恢复服务计算，页面在恢复后得知。\n"
    "The service is not running and the exam clock stands: the hours above hold if it came back now, and the pages hear"
    " of it then."
)


def with_service(work: Callable[[Site], Awaitable[T]]) -> T:
    """Run ``work`` on the stores of the service, be it running or not; ``moment`` says what time it is."""
    # The service's own log lines are for the server, not for whoever typed a command.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    own = settings()

    async def run(database_url: str, redis_url: str) -> T:
        async with Site.open(own, database_url, redis_url, name="holdfast-cli") as site:
            return await work(site)

    with database(own) as database_url, buffer(own) as redis_url:
        return asyncio.run(run(database_url, redis_url))


@asynccontextmanager
async def moment(site: Site) -> AsyncIterator[bool]:
    """``site.service_time`` knows the time within; whether it stands. Refused no-service when it can neither be read
    nor held: whoever should count is frozen. Raises OSError, TimeoutError or asyncpg's when PostgreSQL is away."""
    connection = await site.connect_own("moment")
    try:
        # Whoever gets the lock at once need not listen for seconds to know that nobody counts.
        held = await service_clocks.lead(connection)
        if not held and await site.settled(SETTLE_S):
            yield False
            return
        if not held and not await service_clocks.lead(connection):
            raise Refused("no-service")
        await site.reached(SETTLE_S)
        site.service_time.stand(await service_clocks.standing(connection, await _redis_ms(site, connection)))
        alive = asyncio.create_task(_ask_on(connection))
        try:
            yield True
        finally:
            site.service_time.stand(None)
            await background.end(alive)
    finally:
        # The lock goes with the connection.
        await connection.close()


async def _ask_on(connection: asyncpg.Connection[Any]) -> None:
    """Whoever holds the lock and asks nothing is taken for frozen, and the lock taken away: a swap of two rounds may
    take longer than that."""
    try:
        while True:
            await asyncio.sleep(ASK_S)
            await connection.fetchval("SELECT 1")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as fault:
        # Whether the deed itself was done is for the deed to say.
        log.critical("the clock is no longer held", fault=repr(fault))


async def _redis_ms(site: Site, connection: asyncpg.Connection[Any]) -> int:
    """Redis' counter of the record's own lineage, when it can have counted on while PostgreSQL was away; else 0."""
    record = await service_clocks.read(connection)
    try:
        seen = await site.redis_clock.read(record.lineage_n, record.lineage_uid)
    except RedisAway:
        return 0
    away_ms = await service_clocks.unticked_ms(connection)
    return 0 if seen is None or seen.counter_ms - record.counter_ms > away_ms else seen.counter_ms


async def confirmed(*, yes: bool) -> bool:
    """Ask once, without keeping the service from what it does."""
    return yes or await asyncio.to_thread(typer.confirm, "确认执行？· Do it?", default=False)
