"""Real processes, really killed and really frozen, under candidates who never stop answering."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import tempfile
import time
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from sqlalchemy import text

from app.secrets import site_secret
from tests.candidates import Candidate
from tests.e2e.server import Server
from tests.factories import world
from tests.faults.recording import answering, check

pytestmark = pytest.mark.faults
SECOND = 1000


@pytest.fixture(scope="module")
def server():
    """One server for all stories: what a fault leaves behind is the next one's beginning."""
    with tempfile.TemporaryDirectory(prefix="holdfast-faults-") as place:
        made = Server(Path(place))
        made.start()
        yield made
        made.stop()


@asynccontextmanager
async def hall(server: Server, candidates: int = 6):
    """An exam of its own that has just begun."""
    engine = server.engine()
    try:
        async with engine.connect() as conn:
            now = await conn.scalar(text("SELECT counter_ms FROM service_clock"))
        code = f"exam{secrets.token_hex(3)}"
        secret = site_secret(server.settings)
        yield engine, await world(engine, secret, candidates=candidates, start_ms=now, code=code)
    finally:
        await engine.dispose()


def family(server: Server) -> list[psutil.Process]:
    head = psutil.Process(server.pid)
    return [head, *head.children(recursive=True)]


def store(server: Server, name: str) -> psutil.Process:
    """The store's own process: for PostgreSQL the postmaster, whose children are its backends."""
    for one in family(server):
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = one.parent()
            if one.name().startswith(name) and parent is not None and not parent.name().startswith(name):
                return one
    raise AssertionError(f"no {name} among the server's processes")


def role(server: Server, name: str) -> list[psutil.Process]:
    """The processes of one role: `api` or `worker`."""
    found = []
    for one in family(server):
        with contextlib.suppress(psutil.NoSuchProcess):
            line = one.cmdline()
            if "app.processes" in line and line[line.index("app.processes") + 1] == name:
                found.append(one)
    return found


async def until_acknowledged(people, since: int, kind: str = "durable") -> None:
    """Until everybody has been told `kind` more often than `since` times in sum each."""
    for _ in range(1200):
        if all(one.kinds.get(kind, 0) > since for one in people):
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"not everybody reached {since} × {kind}: {[one.kinds for one in people]}")


def told(people, kind: str) -> int:
    return max(one.kinds.get(kind, 0) for one in people)


def remaining(people) -> list[int]:
    return [one.clocks[-1][1] for one in people]


async def test_power_off_for_everything_costs_no_answer_and_no_second(server):
    async with hall(server) as (engine, made), answering(server.url, made) as people:
        await until_acknowledged(people, 5)
        before = remaining(people)
        cut = time.monotonic()
        await asyncio.to_thread(server.power_cut)
        await engine.dispose()
        await asyncio.sleep(6)
        await asyncio.to_thread(server.start)
        back = time.monotonic()
        await until_acknowledged(people, told(people, "durable") + 5)
        after, now = remaining(people), time.monotonic()
    served = (now - back + 1) * SECOND
    for earlier, later in zip(before, after, strict=True):
        # At most what was served again is gone, never what was not; and no gift beyond the reconnect credit.
        assert earlier - served - SECOND <= later <= earlier + SECOND
    assert now - cut > 6
    totals = await _checked(server, people)
    assert totals["promised"] > 0


async def _checked(server: Server, people) -> dict[str, int]:
    engine = server.engine()
    try:
        return await check(engine, people)
    finally:
        await engine.dispose()


async def test_everything_frozen_and_woken_costs_nobody_a_second(server):
    async with hall(server) as (_, made), answering(server.url, made) as people:
        await until_acknowledged(people, 5)
        frozen = family(server)
        with contextlib.ExitStack() as thawed:
            for one in frozen:
                one.send_signal(signal.SIGSTOP)
                thawed.callback(one.send_signal, signal.SIGCONT)
            before = remaining(people)
            await asyncio.sleep(8)
        woken = time.monotonic()
        await until_acknowledged(people, told(people, "durable") + 5)
        after, now = remaining(people), time.monotonic()
    for earlier, later in zip(before, after, strict=True):
        assert later >= earlier - (now - woken + 2) * SECOND
    await _checked(server, people)


async def test_one_api_process_killed_is_noticed_by_nobody(server):
    async with hall(server) as (_, made), answering(server.url, made) as people:
        await until_acknowledged(people, 5)
        victim = role(server, "api")[0]
        victim.kill()
        await until_acknowledged(people, told(people, "durable") + 15)
        assert {one.pid for one in role(server, "api")} != {victim.pid}
    totals = await _checked(server, people)
    assert totals.get("503", 0) == 0


async def test_the_ticking_process_killed_stops_the_clock_and_nothing_else_for_long(server):
    async with hall(server) as (engine, made), answering(server.url, made) as people:
        await until_acknowledged(people, 5)
        role(server, "worker")[0].kill()
        await until_acknowledged(people, told(people, "durable") + 20)
        async with engine.connect() as conn:
            assert await conn.scalar(text("SELECT count(*) FROM term")) >= 2
    await _checked(server, people)


async def test_redis_frozen_and_killed_is_noticed_by_nobody(server):
    async with hall(server) as (_, made), answering(server.url, made) as people:
        await until_acknowledged(people, 5)
        redis = store(server, "redis")
        redis.send_signal(signal.SIGSTOP)
        try:
            await until_acknowledged(people, told(people, "durable") + 10)
        finally:
            redis.kill()
        await until_acknowledged(people, told(people, "durable") + 10)
    totals = await _checked(server, people)
    assert totals.get("buffered", 0) == 0


async def test_postgres_frozen_means_buffered_and_then_durable(server):
    async with hall(server) as (engine, made), answering(server.url, made) as people:
        await until_acknowledged(people, 5)
        postgres = store(server, "postgres")
        group = [postgres, *postgres.children(recursive=True)]
        with contextlib.ExitStack() as thawed:
            for one in group:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.send_signal(signal.SIGSTOP)
                    thawed.callback(_wake, one)
            await until_acknowledged(people, 3, "buffered")
        await until_acknowledged(people, told(people, "durable") + 10)
        async with engine.connect() as conn:
            for _ in range(600):
                if await conn.scalar(text("SELECT entry FROM buffer_cursor")):
                    break
                await asyncio.sleep(0.1)
            else:
                pytest.fail("the drain never moved its cursor")
    totals = await _checked(server, people)
    assert totals["buffered"] >= 18


def _wake(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGCONT)


async def test_postgres_killed_comes_back_and_nothing_is_lost(server):
    async with hall(server) as (engine, made), answering(server.url, made) as people:
        await until_acknowledged(people, 5)
        postgres = store(server, "postgres")
        for one in [postgres, *postgres.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        await engine.dispose()
        await until_acknowledged(people, told(people, "durable") + 10)
    await _checked(server, people)


async def test_a_stop_waits_for_no_page(server):
    """SIGTERM to an API process with an open stream: the page is told over how long to come back, the stream ends, the
    process is gone within ten seconds."""
    async with (
        hall(server, candidates=1) as (_, made),
        httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=30) as client,
    ):
        one = Candidate(client, made.people[0])
        await one.sign_in()
        victims = role(server, "api")
        ended = []

        async def watch():
            async with client.stream("GET", "/attempt/events", headers=one.headers) as reply:
                async for line in reply.aiter_lines():
                    ended.append(line)  # noqa: PERF401 -- read while it grows
            ended.append("END")

        watching = asyncio.create_task(watch())
        for _ in range(600):
            if any(line == "event: snapshot" for line in ended):
                break
            await asyncio.sleep(0.05)
        else:
            pytest.fail(f"no snapshot: {ended}")
        for victim in victims:
            victim.terminate()
        await asyncio.wait_for(watching, 60)
        assert ended[-1] == "END"
        assert [line for line in ended if line.startswith("event: ")][-1] == "event: reconnect"
        assert [line for line in ended if line.startswith("data: ")][-1] == 'data: {"within_ms":5000}'
        _, alive = await asyncio.to_thread(psutil.wait_procs, victims, 60)
        assert not alive
