"""holdfast time, as the office types it on a day without the console."""

from __future__ import annotations

import asyncio
import csv
import json
import os
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.candidates import SECRET
from tests.commands import process
from tests.halls import opened
from tests.staff import PASSWORD, account

MIN = 60_000


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    rooms = [("南楼", 2), ("北楼", 1)]
    async with opened(fresh_url, redis_url, fresh_db, rooms=rooms) as (_, _, made):
        yield made


@pytest.fixture
def holdfast(fresh_url, redis_url, tmp_path, hall, fresh_db):
    """Run the command beside the running service: ``await holdfast("show", "1") -> (code, out, err)``."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    environment |= {
        "HOLDFAST_DATABASE_URL": fresh_url, "HOLDFAST_REDIS_URL": redis_url, "HOLDFAST_SECRET_KEY": SECRET,
        "HOLDFAST_CLOCK_LEAD": "5", "HOLDFAST_DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": str(Path.cwd()),
        "COLUMNS": "160",
    }  # fmt: skip

    async def run(*arguments: str, typed: str = "") -> tuple[int, str, str]:
        done = await asyncio.to_thread(
            process.holdfast, "time", *arguments, environment=environment, cwd=tmp_path, typed=typed
        )
        return done.returncode, done.stdout, done.stderr

    return run


async def ends(engine) -> dict:
    async with engine.connect() as conn:
        rows = await conn.execute(text("SELECT id, end_ms, left_ms FROM attempt"))
        return {row.id: (row.end_ms, row.left_ms) for row in rows}


async def test_a_room_is_extended_after_one_question(holdfast, hall, fresh_db):
    by = await account(fresh_db, "office")
    before = await ends(fresh_db)
    asked = ("extend", "1", "2:30", "--rooms", "第1考室", "--by", by, "--reason", "power", "--note", "跳闸")
    code, out, _ = await holdfast(*asked, typed="n\n")
    assert (code, "1 个考室、2 人" in out, "没有作任何改动" in out) == (1, True, True)
    assert await ends(fresh_db) == before
    code, out, err = await holdfast(*asked, typed="y\n")
    assert (code, "新的结束时间" in out) == (0, True), err
    after = await ends(fresh_db)
    for attempt in hall.everybody:
        assert after[attempt][0] - before[attempt][0] == (150_000 if attempt in hall.rooms[0] else 0)
    async with fresh_db.connect() as conn:
        entry = (await conn.execute(text("SELECT actor, subject FROM audit_entry ORDER BY n DESC LIMIT 1"))).one()
    assert (entry.actor, entry.subject["through"], entry.subject["note"]) == (by, "holdfast time", "跳闸")


async def test_pause_resume_undo_and_what_is_shown(holdfast, hall, fresh_db):
    by = await account(fresh_db, "office")
    done = json.loads((await holdfast("pause", "1", "--site", "--by", by, "--reason", "fire", "--yes", "--json"))[1])
    assert all(left is not None for _, left in (await ends(fresh_db)).values())
    code, out, _ = await holdfast("show", "1")
    assert (code, "第1考室" in out, "pause" in out, "火警" in out) == (0, True, True, True)
    entry = str(done["entry"]["id"])
    assert (await holdfast("resume", "1", "--entry", entry, "--by", by, "--yes"))[0] == 0
    assert all(left is None for _, left in (await ends(fresh_db)).values())
    assert (await holdfast("extend", "1", "5", "--buildings", "北楼", "--by", by, "--reason", "pc", "--yes"))[0] == 0
    ticket = next(one.ticket for one in hall.made.people if one.attempt in hall.rooms[1])
    assert "延长（单机故障） 5:00" in (await holdfast("show", "1", "--ticket", ticket))[1]
    last = json.loads((await holdfast("show", "1", "--json"))[1])["entries"][-1]["id"]
    assert (await holdfast("undo", "1", str(last), "--by", by, "--yes"))[0] == 0
    assert "延长" not in (await holdfast("show", "1", "--ticket", ticket))[1]


async def test_one_pause_is_ended_for_the_rooms_that_are_named(holdfast, hall, fresh_db):
    by = await account(fresh_db, "office")
    done = json.loads((await holdfast("pause", "1", "--site", "--by", by, "--reason", "fire", "--yes", "--json"))[1])
    asked = ("resume", "1", "--entry", str(done["entry"]["id"]), "--by", by, "--yes")
    code, _, err = await holdfast(*asked, "--rooms", "第1考室")
    assert code == 0, err
    standing = {attempt for attempt, (_, left) in (await ends(fresh_db)).items() if left is not None}
    assert standing == set(hall.rooms[1])
    assert (await holdfast(*asked))[0] == 0
    assert all(left is None for _, left in (await ends(fresh_db)).values())


async def test_the_cap_is_lifted_by_two_people_of_whom_each_has_a_password(holdfast, hall, fresh_db):
    by, other = await account(fresh_db, "office"), await account(fresh_db, "office")
    asked = ("extend", "1", "80", "--site", "--by", by, "--reason", "power", "--yes")
    code, _, err = await holdfast(*asked)
    assert (code, "[cap-exceeded]" in err) == (2, True)
    lift = ("lift", "1", "90", "--site", "--by", by, "--number", "7 号", "--text", "准予", "--password-stdin")
    code, _, err = await holdfast(*lift, typed="not it\n")
    assert (code, "[wrong-password]" in err) == (2, True), err
    async with fresh_db.connect() as conn:
        assert await conn.scalar(text("SELECT count(*) FROM decision")) == 0
    code, out, err = await holdfast(*lift, typed=PASSWORD + "\n")
    assert code == 0, err
    decision = "".join(filter(str.isdigit, out.splitlines()[0].partition("号")[0]))
    for name, typed, refused in ((by, PASSWORD, "decision-same-person"), (other, "not it", "wrong-password")):
        code, _, err = await holdfast("approve", decision, "--by", name, "--password-stdin", typed=typed + "\n")
        assert (code, f"[{refused}]" in err) == (2, True), err
    assert (await holdfast("approve", decision, "--by", other, "--password-stdin", typed=PASSWORD + "\n"))[0] == 0
    async with fresh_db.connect() as conn:
        wrote = await conn.execute(
            text("SELECT actor, subject FROM audit_entry WHERE action LIKE 'time.decision.%' ORDER BY n")
        )
        assert [(row.actor, row.subject["through"]) for row in wrote] == [
            (by, "holdfast time"),
            (other, "holdfast time"),
        ]
    assert (await holdfast(*asked))[0] == 0


async def test_everybodys_time_is_exported(holdfast, hall, fresh_db, tmp_path):
    by = await account(fresh_db, "office")
    assert (await holdfast("extend", "1", "5", "--rooms", "第1考室", "--by", by, "--reason", "power", "--yes"))[0] == 0
    code, out, err = await holdfast("export", "1", "时间.csv")
    assert (code, "3" in out) == (0, True), err
    with (tmp_path / "时间.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    told = {line["准考证号 ticket"]: line for line in lines}
    assert set(told) == {one.ticket for one in hall.made.people}
    for person in hall.made.people:
        extended = person.attempt in hall.rooms[0]
        assert ("延长（断电） 5:00" in told[person.ticket]["说明"]) is extended
        assert told[person.ticket]["合计毫秒 lost_ms"] == str(5 * MIN if extended else 0)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("pause", "1", "--reason", "power"), "scope-malformed"),
        (("pause", "1", "--site", "--rooms", "第1考室", "--reason", "power"), "scope-malformed"),
        (("pause", "1", "--rooms", "无此考室", "--reason", "power"), "scope-unknown"),
        (("pause", "9", "--site", "--reason", "power"), "session-unknown"),
        (("pause", "1", "--site", "--reason", "relog"), "reason-unknown"),
        (("extend", "1", "0", "--site", "--reason", "power"), "duration-not-positive"),
        (("undo", "1", "77"), "entry-unknown"),
    ],
)
async def test_what_cannot_be_done_is_said(holdfast, hall, fresh_db, arguments, code):
    by = await account(fresh_db, "office")
    done, _, err = await holdfast(*arguments, "--by", by, "--yes")
    assert (done, f"[{code}]" in err, "Traceback" in err) == (2, True, False), err
    async with fresh_db.connect() as conn:
        assert await conn.scalar(text("SELECT count(*) FROM adjustment")) == 0


async def test_who_may_not_decide_may_not_here_either(holdfast, hall, fresh_db):
    by = await account(fresh_db, "invigilator", room_ids=hall.room_ids)
    for name, code in ((by, "not-permitted"), ("nobody", "staff-unknown")):
        done, _, err = await holdfast("extend", "1", "5", "--site", "--reason", "power", "--by", name, "--yes")
        assert (done, f"[{code}]" in err) == (2, True), err
