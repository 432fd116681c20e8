"""``holdfast time`` hours after the service was stopped: what was so then is told by the clocks of then."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.candidates import SECRET
from tests.commands import process
from tests.factories import world
from tests.halls import HOUR
from tests.staff import account

MIN = 60_000
SECOND = timedelta(seconds=1)


@pytest.fixture
async def people(fresh_db):
    """Two hours of service that began eight hours ago: one handed in after 50 minutes, the other has an hour left."""
    made = await world(fresh_db, SECRET.encode(), candidates=2, items=2, duration_ms=3 * HOUR)
    handed_in, at_work = made.people
    async with fresh_db.begin() as conn:
        await conn.execute(text("UPDATE attempt SET signed_in_ms = 0"))
        await conn.execute(
            text(
                "UPDATE attempt SET state = 'final', ended_ms = :e, final_ms = :e, end_reason = 'hand_in' WHERE id = :a"
            ),
            {"e": 50 * MIN, "a": handed_in.attempt},
        )
        await conn.execute(
            text(
                "INSERT INTO term (n, lineage_n, start_ms, gap_ms, leader, started_at)"
                " SELECT 1, max(n), 0, 0, 'one', now() - interval '8 hours' FROM lineage"
            )
        )
        await conn.execute(
            text("UPDATE service_clock SET term = 1, counter_ms = :c, ticked_at = now() - interval '6 hours'"),
            {"c": 2 * HOUR},
        )
    return handed_in, at_work


@pytest.fixture
async def began_at(people, fresh_db) -> datetime:
    async with fresh_db.connect() as conn:
        return await conn.scalar(text("SELECT started_at FROM term"))


@pytest.fixture
def holdfast(fresh_url, redis_url, redis, tmp_path, people):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    environment = kept | {
        "HOLDFAST_DATABASE_URL": fresh_url, "HOLDFAST_REDIS_URL": redis_url, "HOLDFAST_SECRET_KEY": SECRET,
        "HOLDFAST_DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": str(Path.cwd()), "COLUMNS": "160",
    }  # fmt: skip

    async def run(*arguments: str) -> tuple[str, str]:
        done = await asyncio.to_thread(process.holdfast, "time", *arguments, environment=environment, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout, done.stderr

    return run


def near(told: str, at: datetime) -> bool:
    """To the second that is shown."""
    return -SECOND < datetime.fromisoformat(told) - at < SECOND


async def test_the_export_tells_when_everybody_ended_and_that_the_service_stands(holdfast, people, began_at):
    handed_in, at_work = people
    asked_at = datetime.now(UTC)
    out, err = await holdfast("export", "1")
    assert "考试时钟已停 6:0" in err
    assert "The exam clock has stood for 6:0" in err
    told = {line["准考证号 ticket"]: line for line in csv.DictReader(io.StringIO(out))}
    gone, here = told[handed_in.ticket], told[at_work.ticket]
    assert near(gone["开考 start"], began_at)
    assert near(gone["结束 end"], began_at + timedelta(minutes=50))
    assert gone["合计毫秒 lost_ms"] == "0"
    # Who is still at work ends an hour after it comes back, which is no sooner than now; and it is said why.
    ends_at = datetime.fromisoformat(here["结束 end"])
    assert asked_at - SECOND < ends_at - timedelta(hours=1) < datetime.now(UTC)
    planned = (began_at + timedelta(hours=3)).astimezone(ends_at.tzinfo)
    stood = re.search(r" = (\S+) \+ 服务中断 (6:0\d:\d\d)$", here["说明"])
    assert stood is not None, here["说明"]
    assert stood[1] in {f"{planned + n * SECOND:%H:%M:%S}" for n in (-1, 0, 1)}
    assert 6 * HOUR <= int(here["合计毫秒 lost_ms"]) < 6 * HOUR + 10 * MIN


async def test_what_is_shown_says_that_the_service_stands(holdfast, people, began_at):
    told = json.loads((await holdfast("show", "1", "--ticket", people[0].ticket, "--json"))[0])
    assert told["standing_ms"] >= 6 * HOUR
    assert near(told["clock"]["ended_at"], began_at + timedelta(minutes=50))
    view, err = await holdfast("show", "1", "--json")
    assert near(json.loads(view)["now_at"], began_at + timedelta(hours=2))
    assert "考试时钟已停 6:0" in err
    assert "考试时钟已停 6:0" in (await holdfast("proposals", "1"))[1]


async def test_what_was_typed_is_when_it_was_by_the_wall(holdfast, began_at, fresh_db):
    """Twenty minutes before the service stopped, to ten minutes after."""
    by = await account(fresh_db, "office")
    typed = [(began_at + timedelta(minutes=n)).isoformat() for n in (100, 130)]
    done, _ = await holdfast("credit", "1", *typed, "--site", "--reason", "power", "--by", by, "--yes", "--json")
    entry = json.loads(done)["entry"]
    assert (entry["from_ms"], entry["to_ms"]) == (100 * MIN, 120 * MIN)
