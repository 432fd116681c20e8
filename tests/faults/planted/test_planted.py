"""Each planted bug makes the checker say so, in a schedule that provokes it by itself; without the bug the very same
schedule holds. The oracle is the one of ``make faults`` (failover/invariants.py), so it is the oracle that is tested.

The schedules run the application in this process on real stores; that a bug reaches the processes of a running server
is shown once, by the launcher that ``failover.run --server-module`` uses.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from app.checkpoint import drain, statement, writer
from app.embedded.postgres import EmbeddedPostgres
from app.services import resuming
from app.storage.postgres.engine import create_engine
from app.storage.redis.client import RedisAway
from failover import client, invariants, reading, run
from failover.client import Device
from failover.hall import Hall
from failover.history import History
from failover.schedules import Fault
from tests.candidates import SECRET, running, test_settings
from tests.checkpoint.test_stores_away import Away
from tests.factories import World, open_relog, world
from tests.faults.own import kill, own_postgres, place, until, until_ready
from tests.faults.planted import (
    ack_before_commit,
    delete_before_ack,
    drain_without_stamp,
    epoch_without_lock,
    show_without_repair,
)

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]
# Nothing counts as away because the machine is slow.
PATIENT = dict.fromkeys(("commit_deadline", "lock_timeout", "redis_timeout"), 60)


@pytest.fixture(scope="module")
def postgres():
    """One that keeps commit times, by which the checker tells what was said too early; it may be killed."""
    with place() as at, own_postgres(at, track_commit_timestamp="on") as store:
        yield store


@dataclass
class Scene:
    """A running application, its stores, and one candidate's browsers with the history they write."""

    app: object
    http: object
    postgres: EmbeddedPostgres
    redis: object
    engine: object
    made: World
    history: History

    @property
    def texts(self) -> list[int]:
        return [item for item, kind in self.made.kinds.items() if kind == "text"]

    async def device(self, name: str) -> Device:
        """A browser of the candidate, signed in."""
        device = Device("http://test", self.made.people[0], self.history, random.Random(4), name)
        await device.close()
        device._client = self.http
        assert await device.sign_in()
        return device

    async def verdict(self) -> invariants.Verdict:
        attempts = await reading.load(self.engine, [self.made.people[0].attempt])
        return invariants.check(self.history.events, attempts)


@asynccontextmanager
async def scene(postgres: EmbeddedPostgres, redis, redis_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    engine = create_engine(postgres.url, test_settings(), name="holdfast-test", pool_size=2)
    try:
        code = f"p{secrets.token_hex(4)}"
        made = await world(engine, SECRET.encode(), candidates=1, code=code)
        with History(tmp_path / "history.jsonl") as history:
            async with running(postgres.url, redis_url, **PATIENT) as (app, http):
                await until_ready(http, status=200, postgres=True, redis=True)
                yield Scene(app, http, postgres, redis, engine, made, history)
    finally:
        await engine.dispose()


# --- the schedules ----------------------------------------------------------------------------------------------


async def killed_after_the_answer(on: Scene) -> invariants.Verdict:
    """PostgreSQL is killed in the instant in which the browser hears `durable`; the PC dies with it."""
    device = await on.device("one")
    device.type(on.texts[0], "答")
    await device.flush()
    await asyncio.to_thread(kill, on.postgres.pid)
    await asyncio.to_thread(on.postgres.start)
    await on.engine.dispose()
    await until_ready(on.http, status=200, postgres=True)
    return await on.verdict()


async def granted_while_a_write_waits(on: Scene) -> invariants.Verdict:
    """A grant holds the attempt's row; a write of the old epoch arrives and waits for it; the grant commits."""
    device = await on.device("old")
    attempt, epoch = on.made.people[0].attempt, device.epoch + 1
    granting = await asyncpg.connect(on.postgres.url)
    watching = await asyncpg.connect(on.postgres.url)
    try:
        async with granting.transaction():
            await granting.execute("SELECT id FROM attempt WHERE id = $1 FOR NO KEY UPDATE", attempt)
            granted_ms = await granting.fetchval("SELECT counter_ms FROM service_clock")
            device.type(on.texts[0], "迟")
            stop = asyncio.Event()
            waiting = asyncio.create_task(device.flush(stop))
            await until(
                lambda: watching.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"),
                lambda seen: seen > 0 or waiting.done(),
                "a write that waits for the row",
            )
            await granting.execute(
                "UPDATE lease SET revoked_ms = $2 WHERE attempt_id = $1 AND revoked_ms IS NULL", attempt, granted_ms
            )
            await granting.execute(
                "INSERT INTO lease (attempt_id, epoch, device_id, secret_hash, seat_id, granted_ms, address)"
                " VALUES ($1, $2, 'new', '', $3, $4, '')",
                attempt, epoch, on.made.spares[0], granted_ms,
            )  # fmt: skip
            await granting.execute(
                "UPDATE attempt SET epoch = $2, grants = grants || $3::jsonb, acked = '{}' WHERE id = $1",
                attempt, epoch, json.dumps([[epoch, granted_ms]]),
            )  # fmt: skip
        on.history.add("sign-in", candidate=str(attempt), device="new", epoch=epoch, lineage=device.outbox.lineage)
        await waiting
    finally:
        await granting.close()
        await watching.close()
    return await on.verdict()


async def buffered_after_the_move(on: Scene) -> invariants.Verdict:
    """A Redis that missed the grant buffers for the old device; then the drain comes."""
    old = await on.device("old")
    await open_relog(on.engine, on.made, on.made.people[0], on.made.spares[0])
    new = await on.device("new")
    site = on.app.state.deps.site
    await on.redis.hset(site.keys.hot(on.made.people[0].attempt), "epoch", old.epoch)
    # The stamp of what follows must be a later one than the grant's.
    after = site.service_time.now_ms()
    await until(_now(site), lambda now: now > after, "a later millisecond")
    with Away(on.app):
        old.type(on.texts[0], "旧")
        await _once_answered(on, old)
    await _drain(on)
    await new.flush()
    return await on.verdict()


async def resumed_before_the_drain(on: Scene) -> invariants.Verdict:
    """An answer is in Redis alone; the page is loaded again before the drain has come."""
    device = await on.device("one")
    with Away(on.app):
        device.type(on.texts[0], "缓")
        await _once_answered(on, device)
    await until_ready(on.http, status=200, postgres=True)
    assert await device.resume()
    verdict = await on.verdict()
    # The browser has it still, so this alone is no loss: what is wrong is what was shown.
    verdict.violations = [one for one in verdict.violations if not one.startswith("lost")]
    return verdict


async def reloaded_before_the_answer(on: Scene) -> invariants.Verdict:
    """Both stores are away; the page is loaded again before any answer; then both are back."""
    device = await on.device("one")
    site = on.app.state.deps.site
    device.type(on.texts[0], "存")
    with Away(on.app):
        call = site.store.call
        site.store.call = _redis_away
        try:
            await _once_answered(on, device)
        finally:
            site.store.call = call
    await until_ready(on.http, status=200, postgres=True)
    assert await device.resume()
    while device.outbox.queue:
        await device.flush()
    return await on.verdict()


async def _redis_away(answer):
    getattr(answer, "close", lambda: None)()
    raise RedisAway("away")


def _now(site) -> Callable[[], Awaitable[int]]:
    async def look() -> int:
        return site.service_time.now_ms()

    return look


async def _once_answered(on: Scene, device: Device) -> None:
    """One request, given up after its first answer, whatever that was."""
    stop = asyncio.Event()
    sending = asyncio.create_task(device.flush(stop))
    answers = len([one for one in on.history.events if one["kind"] in ("reply", "silence")])

    async def look() -> int:
        return len([one for one in on.history.events if one["kind"] in ("reply", "silence")])

    await until(look, lambda seen: seen > answers, "an answer")
    stop.set()
    await sending


async def _drain(on: Scene) -> None:
    site = on.app.state.deps.site
    connection = await asyncpg.connect(on.postgres.url)
    try:
        while await drain.step(connection, site.hot(), site.service_time.lineage_n):
            pass
    finally:
        await connection.close()


@dataclass(frozen=True)
class Planted:
    plant: Callable[[], None]
    schedule: Callable[[Scene], Awaitable[invariants.Verdict]]
    # What the checker must call it.
    found: str


BUGS = {
    "acking before the commit": Planted(lambda: ack_before_commit.plant(later_s=600), killed_after_the_answer, "lost"),
    "checking the epoch without the lock": Planted(
        epoch_without_lock.plant, granted_while_a_write_waits, "stale_applied"
    ),
    "draining without the stamp rule": Planted(drain_without_stamp.plant, buffered_after_the_move, "stale_applied"),
    "showing Redis' answers without repair": Planted(show_without_repair.plant, resumed_before_the_drain, "early"),
    "deleting before the ack": Planted(delete_before_ack.plant, reloaded_before_the_answer, "lost"),
}


@pytest.fixture
def dug_up(monkeypatch):
    """Whatever is planted is gone after the test."""
    monkeypatch.setattr(writer, "write", writer.write)
    monkeypatch.setattr(statement, "WRITE", statement.WRITE)
    monkeypatch.setattr(drain, "by_stamp", drain.by_stamp)
    monkeypatch.setattr(resuming, "recovery", resuming.recovery)
    monkeypatch.setattr(resuming.Resuming, "resume", resuming.Resuming.resume)
    monkeypatch.setattr(client.Outbox, "waiting", client.Outbox.waiting)


@pytest.mark.parametrize("name", BUGS)
async def test_the_checker_reports_the_planted_bug(name, postgres, redis, redis_url, tmp_path, dug_up):
    bug = BUGS[name]
    bug.plant()
    async with scene(postgres, redis, redis_url, tmp_path) as on:
        verdict = await bug.schedule(on)
    assert verdict.counts[bug.found] > 0, verdict.violations
    assert any(one.startswith(bug.found) for one in verdict.violations), verdict.violations


@pytest.mark.parametrize("name", BUGS)
async def test_the_same_schedule_holds_without_it(name, postgres, redis, redis_url, tmp_path):
    async with scene(postgres, redis, redis_url, tmp_path) as on:
        verdict = await BUGS[name].schedule(on)
    assert verdict.violations == []


async def test_a_bug_reaches_the_processes_of_a_running_server(tmp_path):
    """By the launcher alone; PostgreSQL is killed under load, and the run fails."""
    launcher = [sys.executable, "-m", "tests.faults.planted.ack_before_commit"]
    with tempfile.TemporaryDirectory(prefix="hf-") as name, History(tmp_path / "history.jsonl") as history:
        async with Hall(Path(name), launcher=launcher) as hall:
            done = await run.schedule(hall, 1, history, load_s=4.0, faults=[Fault("kill", "postgres", 2.0)])
    assert not done.ok
    assert done.verdict.counts["lost"] + done.verdict.counts["early"] > 0
