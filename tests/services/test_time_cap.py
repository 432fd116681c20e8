"""What the sixty minutes count when somebody decides: every way to give time, and what the service itself took."""

from __future__ import annotations

import pytest

from tests.halls import HOUR, opened
from tests.services.test_time_holds import lift
from tests.services.test_time_postpone import change, done, next_session, rows, start_at
from tests.staff import signed_in

MIN = 60_000


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 2)]) as (_, client, made):
        made.client = client
        yield made


@pytest.fixture
async def office(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


async def beyond_the_cap(office, asked: dict) -> list[int]:
    """What each would have lost in all, in minutes."""
    reply = await office.post("/time/actions", asked)
    assert (reply.status_code, reply.json()["code"]) == (409, "cap-exceeded"), reply.text
    return [one["lost_ms"] // MIN for one in reply.json()["over_cap"]]


async def test_an_outage_of_the_service_counts_to_what_may_still_be_given(hall, office):
    await rows(
        hall,
        "INSERT INTO term (n, lineage_n, start_ms, gap_ms, leader)"
        " SELECT n - 1000, lineage_n, :at, :gap, 'earlier' FROM term ORDER BY n LIMIT 1",
        at=HOUR // 2, gap=45 * MIN,
    )  # fmt: skip
    assert await beyond_the_cap(office, change(hall, "extend", ms=16 * MIN)) == [61, 61]
    await done(office, change(hall, "extend", ms=15 * MIN))


async def test_reopening_gives_back_what_has_passed_and_counts(hall, office):
    mistaken = hall.rooms[0][0]
    reopen = change(hall, "reopen", "candidate", attempt=str(mistaken), note="误交卷")
    await done(office, change(hall, "extend", ms=30 * MIN))
    ended = "UPDATE attempt SET state = 'ended', end_reason = 'hand_in', ended_ms = :e WHERE id = :a"
    await rows(hall, ended, e=hall.now_ms - 31 * MIN, a=mistaken)
    assert await beyond_the_cap(office, reopen) == [61]
    await rows(hall, ended, e=hall.now_ms - 20 * MIN, a=mistaken)
    await done(office, reopen)


async def test_taking_back_an_undo_gives_and_counts(hall, office):
    first = await done(office, change(hall, "extend", ms=40 * MIN))
    undo = await done(office, change(hall, "undo", entry=first["entry"]["id"], reason=""))
    second = await done(office, change(hall, "extend", ms=40 * MIN))
    again = change(hall, "undo", entry=undo["entry"]["id"], reason="")
    assert await beyond_the_cap(office, again) == [80, 80]
    # What takes time away is never refused for it.
    await done(office, change(hall, "undo", entry=second["entry"]["id"], reason=""))
    await done(office, again)


async def test_a_cap_lifted_in_one_session_is_not_lifted_in_the_next(hall, office, fresh_db):
    first, second = hall.made.session_id, await next_session(hall, hall.now_ms + 2 * HOUR, tickets=[])
    await start_at(hall, first, hall.now_ms + HOUR)
    await lift(hall, fresh_db, office, 120)
    # Everybody goes to the other session before their start, and their attempts with them.
    await rows(
        hall,
        "INSERT INTO allocation (session_id, candidate_id, seat_id, planned_seat_id)"
        " SELECT :s, candidate_id, seat_id, planned_seat_id FROM allocation WHERE session_id = :f",
        s=second, f=first,
    )  # fmt: skip
    await rows(hall, "UPDATE attempt SET session_id = :s, signed_in_ms = NULL", s=second)
    await rows(hall, "DELETE FROM allocation WHERE session_id = :f", f=first)
    assert await beyond_the_cap(office, change(hall, "extend", session=second, ms=61 * MIN)) == [61, 61]
    # And it is theirs again where it was lifted.
    await rows(
        hall,
        "INSERT INTO allocation (session_id, candidate_id, seat_id, planned_seat_id)"
        " SELECT :f, candidate_id, seat_id, planned_seat_id FROM allocation",
        f=first,
    )  # fmt: skip
    await rows(hall, "UPDATE attempt SET session_id = :f", f=first)
    await rows(hall, "DELETE FROM allocation WHERE session_id = :s", s=second)
    await done(office, change(hall, "extend", ms=61 * MIN))
