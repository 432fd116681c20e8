"""What a change of time is refused for before anybody's clock moves: no look at it, a body that says two things."""

from __future__ import annotations

import asyncio

import pytest

from tests.api.test_staff_time import MIN, body, building_of, done, everything, refused, room, rows, scope
from tests.halls import opened
from tests.staff import signed_in


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 2), ("北楼", 1)]) as (_, client, made):
        made.client = client
        yield made


@pytest.fixture
async def office(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


@pytest.fixture
async def second(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


async def test_what_gives_or_takes_time_is_looked_at_first(hall, office):
    given = (await done(office, body("extend", scope(hall), ms=5 * MIN)))["entry"]["id"]
    one, over = (scope(hall, "candidate", attempt=str(attempt)) for attempt in hall.everybody[:2])
    handed_in = "UPDATE attempt SET state = 'ended', ended_ms = :e, end_reason = 'hand_in' WHERE id = :a"
    await rows(hall, handed_in, e=hall.now_ms - MIN, a=hall.everybody[1])
    before = await everything(hall)
    for asked in (
        body("extend", scope(hall), ms=5 * MIN),
        body("credit", scope(hall), from_ms=MIN, to_ms=2 * MIN),
        body("pause", scope(hall), from_ms=hall.now_ms - MIN),
        body("end", one, note="x"),
        body("reopen", over, note="x"),
        body("undo", scope(hall), entry=given),
    ):
        await refused(office, {**asked, "seen": None}, "preview-needed")
        assert await everything(hall) == before, asked
    # A clock is stopped, and let go on, at once.
    await done(office, {**body("pause", room(hall, 1)), "seen": None})
    await done(office, {**body("resume", room(hall, 1), reason=""), "seen": None})


async def test_of_two_who_enter_the_same_extension_at_once_one_is_told_of_the_other(hall, office, second):
    asked = body("extend", scope(hall), ms=5 * MIN)
    sent = [(member, {**asked, "seen": await member.seen(asked)}) for member in (office, second)]
    replies = await asyncio.gather(*(member.post("/time/actions", one) for member, one in sent))
    assert {reply.json().get("code") for reply in replies} == {None, "time-changed"}
    assert len(await rows(hall, "SELECT 1 FROM adjustment")) == 1


async def test_a_scope_that_says_two_things_means_nobody(hall, office):
    """A site with a room beside it may have been meant for the room."""
    before = await everything(hall)
    first, building = hall.room_ids[0], await building_of(hall, 1)
    ticket, attempt = hall.made.people[0].ticket, str(hall.everybody[0])
    for wrong in (
        scope(hall, rooms=[first]),
        scope(hall, buildings=[building]),
        scope(hall, tickets=[ticket]),
        scope(hall, attempt=attempt),
        scope(hall, "building", buildings=[building], rooms=[first]),
        scope(hall, "room", rooms=[first], tickets=[ticket]),
        scope(hall, "list", tickets=[ticket], attempt=attempt),
        scope(hall, "candidate", tickets=[ticket], attempt=attempt),
    ):
        for path in ("/time/preview", "/time/actions"):
            await refused(office, body("extend", wrong, ms=5 * MIN), "scope-malformed", path)
    assert await everything(hall) == before


async def test_a_length_is_a_whole_number_of_milliseconds_and_a_second_at_least(hall, office):
    before = await everything(hall)
    for ms in (True, "600000", 1.5, "", []):
        await refused(office, body("extend", scope(hall), ms=ms), "bad-body")
        await refused(office, body("credit", scope(hall), from_ms=0, to_ms=ms), "bad-body")
    for number in (True, str(hall.made.session_id)):
        await refused(office, body("extend", {**scope(hall), "session": number}, ms=5 * MIN), "bad-body")
    await refused(office, body("extend", scope(hall), ms=1), "duration-too-short")
    await refused(office, body("extend", scope(hall), ms=999), "duration-too-short")
    assert await everything(hall) == before
    await done(office, body("extend", scope(hall), ms=1000))


async def test_nobody_reopens_a_whole_room(hall, office):
    """Those who handed in, and those whom the office has ended, are opened again by name."""
    await rows(hall, "UPDATE attempt SET state = 'ended', ended_ms = :e, end_reason = 'hand_in'", e=hall.now_ms - MIN)
    before = await everything(hall)
    for whom in (scope(hall), room(hall, 1), scope(hall, "building", buildings=[await building_of(hall, 1)])):
        await refused(office, body("reopen", whom, note="误交卷"), "reopen-by-name")
    assert await everything(hall) == before
    named = scope(hall, "list", tickets=[person.ticket for person in hall.made.people])
    assert (await done(office, body("reopen", named, note="误交卷")))["effect"]["candidates"] == 3


async def test_an_extension_before_the_day_is_opened_and_its_undoing(hall, office):
    await rows(hall, "UPDATE session SET start_ms = NULL")
    await rows(hall, "UPDATE attempt SET end_ms = NULL, signed_in_ms = NULL")
    allotted = await rows(hall, "SELECT id, end_ms, left_ms FROM attempt ORDER BY id")
    told = await done(office, body("extend", scope(hall), ms=10 * MIN))
    assert told["effect"]["zh"] == "2 个考室、3 人，本场还没有开考时间，定时后才有结束时间"
    assert "no start yet" in told["effect"]["en"]
    undone = await done(office, body("undo", scope(hall), entry=told["entry"]["id"], reason=""))
    assert undone["effect"]["zh"] == told["effect"]["zh"]
    assert await rows(hall, "SELECT id, end_ms, left_ms FROM attempt ORDER BY id") == allotted
    view = (await office.get(f"/attempts/{hall.everybody[0]}/time")).json()
    assert [line["kind"] for line in view["lines"]] == ["planned"]
