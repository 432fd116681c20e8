"""Who is left out of a change, and by what word: neither counted, nor told of it."""

from __future__ import annotations

import pytest

from tests.halls import opened
from tests.services.test_time_postpone import change, done, rows
from tests.staff import signed_in


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 2), ("北楼", 1)]) as (_, client, made):
        made.client = client
        yield made


@pytest.fixture
async def office(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


def left_out(told: dict) -> list[tuple[str, int]]:
    return [(one["code"], one["count"]) for one in told["effect"]["left_out"]]


async def test_a_resume_is_not_for_those_who_have_ended(hall, office):
    gone = hall.rooms[0][0]
    await done(office, change(hall, "pause", reason="fire"))
    await done(office, change(hall, "end", "candidate", attempt=str(gone), reason="medical", note="送医"))
    told = await done(office, change(hall, "resume", reason=""))
    assert (told["effect"]["candidates"], left_out(told)) == (2, [("attempt-ended", 1)])
    heard = await rows(hall, "SELECT attempt_id FROM notice_attempt WHERE notice_id = :n", n=told["notice"])
    assert {row["attempt_id"] for row in heard} == set(hall.everybody) - {gone}
    # Opened again, nobody stands in a pause that is gone.
    reopen = change(hall, "reopen", "candidate", attempt=str(gone), reason="staff-error", note="认错人")
    await done(office, reopen)
    assert await rows(hall, "SELECT 1 FROM attempt WHERE left_ms IS NOT NULL OR state <> 'open'") == []


async def test_a_room_that_the_site_holds_is_not_called_running(hall, office):
    await done(office, change(hall, "pause", "room", rooms=[hall.room_ids[0]], reason="power"))
    both = change(hall, "resume", "room", rooms=hall.room_ids, reason="")
    told = (await office.post("/time/preview", both)).json()
    assert left_out(told) == [("not-paused", 1)]
    await done(office, change(hall, "pause", reason="fire"))
    told = (await office.post("/time/preview", both)).json()
    assert left_out(told) == [("held-otherwise", 1)]
    assert "不含由其他暂停保持 1 人" in told["effect"]["zh"]
    assert "without 1 held by another pause" in told["effect"]["en"]
