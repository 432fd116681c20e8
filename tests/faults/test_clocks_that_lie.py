"""Clocks that lie: whatever a wall clock, a process or a store says of the time, nobody pays for it (I6).

Everybody answers all the while and keeps what they are told. The law is the same in every story (``Watcher.paid``):
between two replies no more may be gone than passed on this machine's monotonic clock, less what nobody served, within a
second; and nothing is given. The PC's own clock: tests/web/pc-clock.test.js.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import redis as redis_sync
from sqlalchemy import text

from app.secrets import site_secret
from app.storage.redis.client import LINEAGE_KEY, Keys
from failover.wall_clock import library
from tests.e2e.server import Server
from tests.faults.lying import Site, heard, watching
from tests.faults.own import PATIENCE_S, kill, place
from tests.faults.test_processes import family, role

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(library() is None, reason="libfaketime has no library for this machine"),
]
FIVE_MINUTES_S = 300
SUSPENDED_S = 40.0
HOURS_MS = 3 * 3_600_000


# --- what is suspended for 40 s: these begin first, and the other stories run meanwhile --------------------------


@pytest.fixture(scope="module", autouse=True)
def suspended():
    """The stories that take 40 s, by what is suspended, each on a server of its own."""
    started = {name: threading.Event() for name in ("everything", "worker")}
    with ThreadPoolExecutor(2) as apart:
        stories = {name: apart.submit(asyncio.run, _suspended(name, begun)) for name, begun in started.items()}
        # A false clock is in the environment while its store starts: whatever started beside it would have it too.
        assert all(begun.wait(PATIENCE_S) for begun in started.values())
        yield stories


async def _suspended(name: str, begun: threading.Event) -> None:
    with place() as at:
        server = Server(at)
        try:
            await asyncio.to_thread(server.start)
        finally:
            begun.set()
        try:
            await _sleep_and_wake(server, name)
        finally:
            await asyncio.to_thread(server.stop)


async def _sleep_and_wake(server: Server, name: str) -> None:
    engine = server.engine()
    try:
        async with watching(engine, site_secret(server.settings), [server.url]) as people:
            victims = family(server) if name == "everything" else role(server, name)
            assert victims
            with ExitStack() as thawed:
                for one in victims:
                    one.send_signal(signal.SIGSTOP)
                    thawed.callback(one.send_signal, signal.SIGCONT)
                asleep = time.monotonic()
                await asyncio.sleep(SUSPENDED_S)
            await heard(people, 3)
        async with engine.connect() as conn:
            gap = await conn.scalar(text("SELECT coalesce(max(gap_ms), 0) FROM term WHERE n > 1"))
    finally:
        await engine.dispose()
    for one in people:
        one.paid(away_s=one.silence(asleep) if name == "everything" else 0)
    # The site's own sleep is an outage with its length on record; one process that slept was nobody's.
    assert (gap >= (SUSPENDED_S - 1) * 1000) == (name == "everything"), gap


@pytest.fixture(scope="module")
def site(suspended):
    with place() as at, Site(at) as made:
        yield made


@pytest.fixture
async def true_again(site: Site):
    """Every wall clock tells the truth afterwards."""
    yield
    await site.move(0)


# --- wall clocks --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump_s", [FIVE_MINUTES_S, -FIVE_MINUTES_S])
async def test_the_wall_clock_of_everything_jumps_and_nobody_notices(site, true_again, jump_s):
    async with site.sitting() as people:
        await site.move(jump_s)
        assert await site.wrong_by_s() == pytest.approx(jump_s, abs=30)
        await heard(people, 10)
    for one in people:
        one.paid()
    # Not that the clock stood: a term of its own would be an outage.
    totals = [one.kinds for one in people]
    assert all(set(kinds) == {"durable"} for kinds in totals), totals


@pytest.mark.parametrize("jump_s", [FIVE_MINUTES_S, -FIVE_MINUTES_S])
async def test_a_site_that_comes_back_with_another_wall_clock_has_charged_nobody(site, true_again, jump_s):
    """The power fails, and the clock that the machines come back with is five minutes off."""
    async with site.sitting() as people:
        await asyncio.to_thread(site.server.power_cut)
        dead = time.monotonic()
        await site.move(jump_s)
        await asyncio.to_thread(site.server.start)
        await heard(people, 5)
    for one in people:
        one.paid(away_s=one.silence(dead))


async def test_another_server_five_minutes_off_on_the_same_stores(site, true_again):
    """Every page asks now this server and now that one; then the one that is right dies, and the other one ticks."""
    site.second.clock.set(FIVE_MINUTES_S)
    await asyncio.to_thread(site.second.start)
    async with site.sitting(site.server, site.second) as people:
        await heard(people, 10)
        await asyncio.to_thread(site.server.power_cut)
        for one in people:
            one.lines = one.lines[1:]
        await heard(people, 10)
    for one in people:
        one.paid()
    await asyncio.to_thread(site.server.start)
    await asyncio.to_thread(site.second.stop)


# --- stores -------------------------------------------------------------------------------------------------------


async def test_postgres_that_crashed_and_is_started_again_goes_on_where_the_clock_stood(site):
    async with site.sitting() as people:
        before = await _counter(site)
        # Killed, and back on the same directory: the same timeline of the same record.
        await asyncio.to_thread(kill, site.postgres.pid)
        await asyncio.to_thread(site.start_store, site.postgres)
        await heard(people, 5)
        assert await _counter(site) >= before
    for one in people:
        one.paid()


@pytest.mark.parametrize("lineage", ["another", "the same"])
async def test_a_redis_left_over_from_the_rehearsal_moves_nobodys_clock(site, lineage):
    """Its counter is three hours ahead. Of another lineage it is nobody's; of the same one (the record was put back to
    before the rehearsal, Redis was not) it is more than can have passed."""
    async with site.sitting() as people:
        record = await _counter(site)
        # During the exam Redis dies, and another one's data are there when it is back.
        with redis_sync.Redis.from_url(site.redis.url) as client:
            n, uid = json.loads(client.get(LINEAGE_KEY))
        await asyncio.to_thread(kill, site.redis.pid)
        await asyncio.to_thread(site.start_store, site.redis)
        _leave_over(site, n, uid, lineage, record)
        await heard(people, 10)
        # A new term begins over it.
        _leave_over(site, n, uid, lineage, record)
        for worker in role(site.server, "worker"):
            worker.kill()
        await heard(people, 5)
        # And it has to carry the counter alone.
        await asyncio.to_thread(kill, site.postgres.pid)
        if lineage == "the same":
            _leave_over(site, n, uid, lineage, record)
        await asyncio.sleep(2)
        await asyncio.to_thread(site.start_store, site.postgres)
        await heard(people, 5)
        assert await _counter(site) < record + HOURS_MS
    for one in people:
        one.paid()


async def _counter(site: Site) -> int:
    async with site.engine() as engine, engine.connect() as conn:
        return await conn.scalar(text("SELECT counter_ms FROM service_clock"))


def _leave_over(site: Site, n: int, uid: str, lineage: str, record_ms: int) -> None:
    if lineage == "another":
        n, uid = n + 1, f"rehearsal-{secrets.token_hex(4)}"
    with redis_sync.Redis.from_url(site.redis.url) as client:
        client.set(LINEAGE_KEY, json.dumps([n, uid]))
        client.set(Keys(uid).clock, f"{record_ms + HOURS_MS}:100")


# --- the end of what began first ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["everything", "worker"])
async def test_suspended_for_forty_seconds_and_resumed(suspended, name):
    await asyncio.to_thread(suspended[name].result, PATIENCE_S * 2)
