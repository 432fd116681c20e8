"""Taking back what took something back: whoever ran out of time in between works again."""

from __future__ import annotations

import pytest

from tests.halls import opened
from tests.services.test_time_postpone import LONG, MIN, change, done, rows, start_at
from tests.staff import signed_in


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 2), ("北楼", 1)]) as (_, client, made):
        made.client = client
        yield made


@pytest.fixture
async def office(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


async def test_time_that_counts_again_opens_whoever_ran_out_of_it(hall, office):
    session_id = hall.made.session_id
    await start_at(hall, session_id, hall.now_ms - 60 * MIN)
    given = await done(office, change(hall, "extend", ms=10 * MIN, reason="power"))
    undo = await done(office, change(hall, "undo", entry=given["entry"]["id"], reason=""))
    # The time runs out, for all but one who had handed in before.
    (timed_out, handed_in), (late,) = hall.rooms
    ended = hall.now_ms - 2 * MIN
    await start_at(hall, session_id, ended - LONG)
    for attempt, reason, at in ((timed_out, "time_out", ended), (handed_in, "hand_in", ended - 20 * MIN)):
        await rows(
            hall, "UPDATE attempt SET state = 'ended', end_reason = :r, ended_ms = :e WHERE id = :a",
            r=reason, e=at, a=attempt,
        )  # fmt: skip
    # One is given time of their own, and is at work.
    await rows(hall, "UPDATE attempt SET end_ms = :e, allotted_ms = :d WHERE id = :a", e=ended + 30 * MIN,
               d=LONG + 30 * MIN, a=late)  # fmt: skip
    told = await done(office, change(hall, "undo", entry=undo["entry"]["id"], reason=""))
    assert told["effect"]["reopened"] == 1
    now = {row["id"]: row for row in await rows(hall, "SELECT id, state, end_reason, end_ms FROM attempt")}
    made = (await rows(hall, "SELECT made_ms FROM adjustment WHERE id = :i", i=told["entry"]["id"]))[0]["made_ms"]
    assert (now[timed_out]["state"], now[timed_out]["end_reason"]) == ("open", None)
    # All ten minutes, from now on: what passed while the page was closed is credited, as with an extension.
    assert now[timed_out]["end_ms"] == made + 10 * MIN
    assert (now[handed_in]["state"], now[handed_in]["end_reason"]) == ("ended", "hand_in")
    assert now[late]["end_ms"] == ended + 40 * MIN
    (credit,) = await rows(hall, "SELECT from_ms, to_ms FROM adjustment WHERE reason = 'reopened' AND kind = 'credit'")
    assert (credit["from_ms"], credit["to_ms"]) == (ended, made)
