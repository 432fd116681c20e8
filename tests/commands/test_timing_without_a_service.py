"""``holdfast time`` and ``holdfast rounds`` with the stores alone: nobody serves, nobody counts, the office decides."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from app.commands.service import moment
from app.domain import clock
from app.services.site import Site
from app.storage.postgres import service_clocks
from app.storage.postgres.engine import asyncpg_arguments
from app.storage.postgres.service_clocks import TICKER_LOCK
from tests.candidates import SECRET, Candidate, running, test_settings
from tests.commands import process
from tests.halls import HOUR, opened
from tests.rounds_exam import exam_in_rounds
from tests.staff import PASSWORD, account, signed_in

MIN = 60_000


def _environment(fresh_url, redis_url, tmp_path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    return kept | {
        "HOLDFAST_DATABASE_URL": fresh_url, "HOLDFAST_REDIS_URL": redis_url, "HOLDFAST_SECRET_KEY": SECRET,
        "HOLDFAST_CLOCK_LEAD": "5", "HOLDFAST_DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": str(Path.cwd()),
        "COLUMNS": "160",
    }  # fmt: skip


@pytest.fixture
def began(fresh_url, redis_url, tmp_path):
    """Start a command on the stores: ``await began("time", "show", "1")`` is its process."""

    async def start(*arguments: str):
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app.cli", *arguments, cwd=tmp_path,
            env=_environment(fresh_url, redis_url, tmp_path), stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    return start


@pytest.fixture
def holdfast(fresh_url, redis_url, tmp_path):
    """Run a command on the stores: ``await holdfast("time", "show", "1") -> (code, out, err)``."""

    async def run(*arguments: str, typed: str = "") -> tuple[int, str, str]:
        environment = _environment(fresh_url, redis_url, tmp_path)
        done = await asyncio.to_thread(process.holdfast, *arguments, environment=environment, cwd=tmp_path, typed=typed)
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
async def stopped(fresh_url, redis_url, redis, fresh_db):
    """A hall an hour into its session whose service has served, and has stopped."""
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 2), ("北楼", 1)]) as (_, client, hall):
        one = Candidate(client, hall.made.people[0])
        assert (await one.sign_in()).status_code == 200
        await one.answer(hall.made.items[0], "A")
    hall.first = one
    return hall


async def counter(engine) -> int:
    async with engine.connect() as conn:
        return await conn.scalar(
            text("SELECT greatest((SELECT counter_ms FROM service_clock), (SELECT max(contact_ms) FROM attempt))")
        )


async def stored(engine) -> dict:
    async with engine.connect() as conn:
        rows = await conn.execute(text("SELECT id, end_ms, left_ms, state FROM attempt ORDER BY id"))
        return {row.id: row for row in rows}


async def test_every_decision_is_made_at_the_instant_at_which_the_clock_stands(holdfast, stopped, fresh_db):
    by = await account(fresh_db, "office")
    at_ms = await counter(fresh_db)
    before = await stored(fresh_db)
    done = ("--by", by, "--yes", "--json")

    async def entry(*arguments: str) -> dict:
        code, out, err = await holdfast("time", *arguments, *done)
        assert code == 0, err
        told = json.loads(out)["entry"]
        assert told["made_ms"] == at_ms
        return told

    pause = await entry("pause", "1", "--rooms", "第1考室", "--reason", "power")
    paused = await stored(fresh_db)
    for attempt in stopped.rooms[0]:
        assert (paused[attempt].end_ms, paused[attempt].left_ms) == (clock.NEVER_MS, before[attempt].end_ms - at_ms)
    await entry("resume", "1", "--entry", str(pause["id"]))
    # Nothing has passed: what stood for no time was not lost.
    assert [row.end_ms for row in (await stored(fresh_db)).values()] == [row.end_ms for row in before.values()]
    extend = await entry("extend", "1", "5", "--buildings", "北楼", "--reason", "pc")
    undo = await entry("undo", "1", str(extend["id"]))
    await entry("undo", "1", str(undo["id"]))
    ticket = stopped.made.people[0].ticket
    await entry("end", "1", "--tickets", ticket, "--reason", "other", "--note", "退场")
    assert (await stored(fresh_db))[stopped.made.people[0].attempt].state == "ended"
    await entry("reopen", "1", "--tickets", ticket, "--reason", "staff-error", "--note", "误结束")
    assert await counter(fresh_db) == at_ms
    async with fresh_db.connect() as conn:
        assert await conn.scalar(text("SELECT count(*) FROM term")) == 1


async def test_the_next_term_takes_what_was_decided_and_the_page_goes_on(
    holdfast, stopped, fresh_db, fresh_url, redis_url
):
    by = await account(fresh_db, "office")
    asked = ("time", "extend", "1", "2:30", "--rooms", "第1考室", "--by", by, "--reason", "power")
    code, out, _ = await holdfast(*asked, typed="n\n")
    assert (code, "考试时钟停着" in out, "the exam clock stands" in out, "没有作任何改动" in out) == (
        1,
        True,
        True,
        True,
    )
    before = (await stored(fresh_db))[stopped.first.person.attempt].end_ms
    code, _, err = await holdfast(*asked, typed="y\n")
    assert code == 0, err
    async with running(fresh_url, redis_url) as (app, client):
        if not await app.state.deps.site.settled(60):
            pytest.fail("the service never knew the time")
        stopped.first.client = client
        reply = (await stopped.first.answer(stopped.made.items[1], ["A"])).json()
    notices = [notice["zh"] for notice in reply["notices"]]
    assert notices == ["考试延长 2 分 30 秒（断电）。"]
    after = (await stored(fresh_db))[stopped.first.person.attempt].end_ms
    # Reconnecting after the outage is credited on top, up to a minute.
    assert 150_000 <= after - before <= 150_000 + MIN


async def test_a_proposal_is_looked_at_approved_changed_and_left_aside(holdfast, stopped, fresh_db):
    asks, by = await account(fresh_db, "office"), await account(fresh_db, "office")
    invigilator = await account(fresh_db, "invigilator")
    ask = ("time", "ask", "1", "--rooms", "第1考室", "--reason", "power", "--note", "跳闸", "--json")
    ids = []
    for length in ("3", "4", "50"):
        code, out, err = await holdfast(*ask, "--by", asks, "--length", length)
        assert code == 0, err
        ids.append(str(json.loads(out)["id"]))
    code, out, err = await holdfast("time", "proposals", "1")
    assert (code, out.count("open")) == (0, 3), err
    before = (await stored(fresh_db))[stopped.rooms[0][0]].end_ms
    code, _, err = await holdfast("time", "accept", ids[0], "--by", asks, "--yes")
    assert (code, "[proposal-same-person]" in err) == (2, True)
    code, out, _ = await holdfast("time", "accept", ids[0], "--by", by, typed="n\n")
    assert (code, "新的结束时间" in out) == (1, True)
    code, _, err = await holdfast("time", "accept", ids[0], "--by", by, typed="y\n")
    assert code == 0, err
    code, out, err = await holdfast("time", "accept", ids[1], "--by", by, "--length", "2", "--yes", "--json")
    assert (code, json.loads(out)["proposal"]["state"]) == (0, "changed"), err
    assert (await stored(fresh_db))[stopped.rooms[0][0]].end_ms - before == 5 * MIN
    code, _, err = await holdfast("time", "accept", ids[1], "--by", by, "--yes")
    assert (code, "[proposal-decided]" in err) == (2, True)
    code, _, err = await holdfast("time", "dismiss", ids[2], "--by", invigilator, "--note", "不是")
    assert (code, "[not-permitted]" in err) == (2, True)
    code, _, err = await holdfast("time", "dismiss", ids[2], "--by", by, "--note", "插头松动")
    assert code == 0, err
    async with fresh_db.connect() as conn:
        rows = await conn.execute(text("SELECT action, subject FROM audit_entry WHERE action LIKE 'proposal.%'"))
        assert {row.subject["through"] for row in rows} == {"holdfast time"}


async def test_a_decision_is_put_taken_back_and_approved(holdfast, stopped, fresh_db):
    by, other = await account(fresh_db, "office"), await account(fresh_db, "office")
    lift = ("time", "lift", "1", "90", "--site", "--number", "7 号", "--text", "准予", "--by", by, "--password-stdin")
    for number, (command, who) in enumerate((("withdraw", by), ("approve", other)), 1):
        code, _, err = await holdfast(*lift, typed=PASSWORD + "\n")
        assert code == 0, err
        code, _, err = await holdfast("time", command, str(number), "--by", who, "--password-stdin", typed="no\n")
        assert (code, "[wrong-password]" in err) == (2, True)
        done = await holdfast("time", command, str(number), "--by", who, "--password-stdin", typed=PASSWORD + "\n")
        assert done[0] == 0, done[2]
    code, _, err = await holdfast("time", "approve", "1", "--by", other, "--password-stdin", typed=PASSWORD + "\n")
    assert (code, "[decision-closed]" in err) == (2, True)
    code, out, _ = await holdfast("time", "show", "1")
    assert (code, "withdrawn" in out, "approved" in out, "1:30:00" in out) == (0, True, True, True)


async def test_what_can_be_looked_at(holdfast, stopped, fresh_db):
    by = await account(fresh_db, "office")
    person = stopped.made.people[0]
    done = await holdfast("time", "extend", "1", "5", "--site", "--by", by, "--reason", "pc", "--yes", "--json")
    notice = str(json.loads(done[1])["notice"])
    code, out, err = await holdfast("time", "notice", notice)
    assert (code, "3 人中 0 人" in out, person.ticket in out) == (0, True, True), err
    code, out, err = await holdfast("time", "find", "1", "考生1")
    assert (code, out.split()[:2]) == (0, [person.ticket, "考生1"]), err
    assert (await holdfast("time", "find", "1", "无此人"))[0] == 1
    now = json.loads((await holdfast("time", "show", "1", "--ticket", person.ticket, "--json"))[1])
    # What the service has stood for by now is told beside it.
    stood_ms = sum(line["ms"] for line in now["lines"] if line["kind"] == "outage")
    assert now["lost_ms"] == 5 * MIN + stood_ms
    long_ago = "2020-01-01T00:00:00+08:00"
    then = json.loads((await holdfast("time", "show", "1", "--ticket", person.ticket, "--at", long_ago, "--json"))[1])
    # The instant from which on there is a clock to go by.
    assert (then["at_ms"], then["lost_ms"]) == (HOUR, 0)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("extend", "1", "5", "--rooms", "第2考試"), "第2考試（相近 near：第2考室、"),
        (("extend", "1", "5", "--rooms", "第1考室,第3室"), "第3室（相近 near："),
        (("extend", "1", "5", "--buildings", "Main"), "Main（现有 there are：北楼、南楼）"),
        (("extend", "1", "5", "--tickets", "EXAM-11"), "EXAM-11（相近 near：EXAM-1、"),
    ],
)
async def test_a_mistyped_name_is_answered_with_the_near_ones(holdfast, stopped, fresh_db, arguments, told):
    by = await account(fresh_db, "office")
    code, _, err = await holdfast("time", *arguments, "--by", by, "--reason", "pc", "--yes")
    assert (code, told in err, "[scope-unknown]" in err) == (2, True, True), err
    async with fresh_db.connect() as conn:
        assert await conn.scalar(text("SELECT count(*) FROM adjustment")) == 0


async def test_rounds_are_swapped_moved_and_deferred_with_the_stores_alone(
    holdfast, fresh_db, fresh_url, redis_url, redis
):
    exam = await exam_in_rounds(fresh_db, SECRET.encode(), seats=9)
    words = ("--by", await account(fresh_db, "office"), "--number", "8 号", "--text", "台风")
    sat = await exam.sits()
    code, out, err = await holdfast("rounds", "swap", "1", "2", *words, typed="n\n")
    assert (code, "第 1 场与第 2 场对调" in out, "考试时钟停着" in out) == (1, True, True), err
    assert await exam.sits() == sat
    for arguments in (
        ("swap", "1", "2"),
        ("move", "2", "3", "--rooms", "第01考室"),
        ("defer", "1", "--tickets", exam.people[1][0].ticket),
        ("allocate", "1", "3", "--tickets", exam.people[1][0].ticket),
    ):
        code, _, err = await holdfast("rounds", *arguments, *words, "--yes")
        assert code == 0, (arguments, err)
    kinds = await exam.rows("SELECT subject FROM audit_entry WHERE action LIKE 'rounds.%' ORDER BY n")
    assert [row["subject"]["through"] for row in kinds] == ["holdfast rounds"] * 4
    code, _, err = await holdfast("rounds", "move", "2", "3", "--rooms", "第1考室", *words, "--yes")
    assert (code, "第1考室（相近 near：第01考室" in err, "[scope-unknown]" in err) == (2, True, True), err


async def test_where_somebody_holds_the_clock_and_does_not_count_nothing_is_decided(
    holdfast, stopped, fresh_db, fresh_url
):
    by = await account(fresh_db, "office")
    frozen = await asyncpg.connect(**asyncpg_arguments(fresh_url))
    try:
        assert await frozen.fetchval("SELECT pg_try_advisory_lock($1)", TICKER_LOCK)
        code, _, err = await holdfast("time", "extend", "1", "5", "--site", "--by", by, "--reason", "pc", "--yes")
        assert (code, "[no-service]" in err) == (2, True), err
    finally:
        await frozen.close()
    async with fresh_db.connect() as conn:
        assert await conn.scalar(text("SELECT count(*) FROM adjustment")) == 0


async def test_a_command_that_takes_its_time_is_not_taken_for_frozen(stopped, fresh_db, fresh_url, redis_url):
    at_ms = await counter(fresh_db)
    async with Site.open(test_settings(), fresh_url, redis_url) as site, moment(site) as stands:
        assert stands
        other = await asyncpg.connect(**asyncpg_arguments(fresh_url))
        try:
            for _ in range(20):
                await asyncio.sleep(0.2)
                assert not await service_clocks.end_frozen(other, 2.0)
            assert not await service_clocks.lead(other)
        finally:
            await other.close()
        assert site.service_time.now_ms() == at_ms
    assert not site.service_time.knows


async def test_the_service_can_begin_while_a_command_waits_for_an_answer(
    began, stopped, fresh_db, fresh_url, redis_url
):
    """The lock is not held while a person thinks, and what was shown still binds."""
    by = await account(fresh_db, "office")
    process = await began("time", "extend", "1", "5", "--site", "--by", by, "--reason", "pc")
    async with asyncio.timeout(90):
        # Whatever comes before the question has been said.
        while "stands" not in (await process.stdout.readline()).decode():
            pass
    async with running(fresh_url, redis_url) as (app, client):
        if not await app.state.deps.site.settled(60):
            pytest.fail("the service never knew the time: the command has kept the clock")
        _, err = await process.communicate(b"y\n")
        assert process.returncode == 0, err.decode()
        office = await signed_in(client, fresh_db, "office")
        view = (await office.get(f"/time/sessions/{stopped.made.session_id}")).json()
    (made,) = [entry for entry in view["entries"] if entry["by"]]
    assert (made["kind"], made["made_ms"] >= HOUR) == ("extend", True)
