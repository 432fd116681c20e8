"""Restarts of real processes under candidates who never stop answering: nobody sees an error, nothing is lost."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text

from tests.e2e.server import Server
from tests.faults.keepalive import keeping
from tests.faults.recording import answering, check
from tests.faults.test_processes import family, hall, role, told, until_acknowledged

pytestmark = pytest.mark.faults
CAP_S = 240


@pytest.fixture(scope="module")
def server():
    with tempfile.TemporaryDirectory(prefix="hf-restart-") as place:
        made = Server(Path(place))
        made.start()
        yield made
        made.stop()


def processes(server: Server) -> set[int]:
    return {one.pid for name in ("api", "worker") for one in role(server, name)}


def said(server: Server, event: str) -> int:
    return server.log.read_text().count(f'"event": "{event}"')


async def until(condition, what: str, seen) -> None:
    deadline = time.monotonic() + CAP_S
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"never: {what}; seen last: {seen()}")
        await asyncio.sleep(0.1)


async def roll(server: Server) -> None:
    """SIGHUP, until every process is another one."""
    before, done = processes(server), said(server, "restarted")
    os.kill(server.pid, signal.SIGHUP)
    await until(lambda: said(server, "restarted") > done, "restarted", lambda: server.log.read_text()[-2000:])
    after = processes(server)
    assert len(after) == 3
    assert not before & after


async def checked(server: Server, people) -> dict[str, int]:
    engine = server.engine()
    try:
        return await check(engine, people)
    finally:
        await engine.dispose()


@pytest.mark.timeout(CAP_S * 3)
async def test_a_rolling_restart_under_load_is_noticed_by_nobody(server):
    async with hall(server) as (engine, made), answering(server.url, made) as people:
        await until_acknowledged(people, 3)
        async with keeping(server.port) as kept:
            for _ in range(2):
                await roll(server)
                await until_acknowledged(people, told(people, "durable") + 3)
        async with engine.connect() as conn:
            # The clock changed hands and nobody was credited for it: no gap was worth a name.
            assert await conn.scalar(text("SELECT count(*) FROM term")) >= 2
            assert await conn.scalar(text("SELECT coalesce(max(gap_ms), 0) FROM term WHERE n > 1")) < 2000
    totals = await checked(server, people)
    assert set(totals) == {"promised", "durable"}, totals
    assert [one.errors for one in kept if one.errors] == []
    assert sum(one.answers for one in kept) > 1000
    passed = sum(map(int, re.findall(r'"passed_on": (\d+)', server.log.read_text())))
    assert passed > 0


@pytest.mark.timeout(CAP_S * 2)
async def test_every_api_process_told_to_go_at_once_makes_clients_wait_and_nothing_else(server):
    """Nobody is left to take over: connections wait for the processes that are started next."""
    async with keeping(server.port) as kept:
        before = role(server, "api")
        for one in before:
            one.terminate()
        _, alive = await asyncio.to_thread(psutil.wait_procs, before, CAP_S)
        assert not alive
        answers = [one.answers for one in kept]
        await until(
            lambda: all(one.answers > had for one, had in zip(kept, answers, strict=True)),
            "everybody answered again",
            lambda: [(one.answers, one.errors) for one in kept],
        )
    assert [one.errors for one in kept if one.errors] == []


@pytest.mark.timeout(CAP_S * 2)
async def test_a_frozen_worker_stops_the_clock_for_seconds_only(server):
    """Its connection lives and holds the ticker's lock: another process ends that connection and ticks."""
    async with hall(server) as (engine, made), answering(server.url, made) as people:
        await until_acknowledged(people, 3)
        worker = role(server, "worker")[0]
        async with engine.connect() as conn:
            term = await conn.scalar(text("SELECT max(n) FROM term"))
        worker.send_signal(signal.SIGSTOP)
        try:
            await until_acknowledged(people, told(people, "durable") + 20)
        finally:
            worker.send_signal(signal.SIGCONT)
        # Woken, it finds its connection dead and goes to the end of the queue.
        await until_acknowledged(people, told(people, "durable") + 10)
        async with engine.connect() as conn:
            assert await conn.scalar(text("SELECT max(n) FROM term")) <= term + 2
    await checked(server, people)


@pytest.mark.timeout(CAP_S * 2)
async def test_a_stop_with_writes_in_flight_keeps_what_was_acknowledged(server):
    async with hall(server) as (engine, made), answering(server.url, made) as people:
        await until_acknowledged(people, 5)
        everything = family(server)
        head = everything[0]
        await engine.dispose()
        head.terminate()
        server._process.wait(timeout=CAP_S)
        server._process = None
        left = [one for one in everything if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
        assert left == [], "a stop leaves nothing behind"
        log = server.log.read_text()
        assert '"event": "process killed' not in log
        assert '"event": "requests cut off"' not in log
        postgres = (server.data_dir / "logs" / "postgres.log").read_text()
        assert postgres.rstrip().endswith("database system is shut down")
        await asyncio.to_thread(server.start)
        await until_acknowledged(people, told(people, "durable") + 3)
    totals = await checked(server, people)
    assert totals["promised"] > 0
