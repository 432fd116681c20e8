"""What an invigilator sees of a session's time: what is about somebody in a room of theirs."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.storage.postgres import notices
from tests.api.test_staff_time import MIN, body, done, room, scope
from tests.halls import opened
from tests.staff import signed_in


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 2), ("北楼", 1)]) as (_, client, made):
        made.client = client
        yield made


async def test_decisions_and_notices_of_other_rooms_are_not_an_invigilators(hall, fresh_db):
    office = await signed_in(hall.client, fresh_db, "office")
    member = await signed_in(hall.client, fresh_db, "invigilator", room_ids=hall.room_ids[:1])
    other = await signed_in(hall.client, fresh_db, "invigilator", room_ids=hall.room_ids[1:])
    told = [await done(office, body("extend", of, ms=MIN)) for of in (room(hall, 1), room(hall, 2), scope(hall))]
    ours, theirs, everybodys = (one["notice"] for one in told)
    lifted = []
    for n in (1, 2):
        asked = {"kind": "lift-cap", "scope": room(hall, n), "number": f"{n} 号", "text": "准予", "limit_ms": 90 * MIN}
        reply = await office.post("/time/decisions", asked)
        assert reply.status_code == 200, reply.text
        lifted.append(reply.json()["decision"]["id"])

    async def seen(staff) -> tuple[set, set]:
        view = (await staff.get(f"/time/sessions/{hall.made.session_id}")).json()
        return {one["id"] for one in view["notices"]}, {one["id"] for one in view["decisions"]}

    assert await seen(member) == ({ours, everybodys}, {lifted[0]})
    assert await seen(other) == ({theirs, everybodys}, {lifted[1]})
    assert await seen(office) == ({ours, theirs, everybodys}, set(lifted))

    # What is for people here and there names to a room its own people, and counts them all.
    here, there = (hall.made.people[hall.everybody.index(some[0])] for some in hall.rooms)
    some = scope(hall, "list", tickets=[here.ticket, there.ticket])
    await done(office, body("extend", some, ms=MIN))
    asked = {"kind": "lift-cap", "scope": some, "number": "3 号", "text": "准予", "limit_ms": 90 * MIN}
    assert (await office.post("/time/decisions", asked)).status_code == 200
    asked = {"scope": some, "ms": MIN, "reason": "power", "note": "晚发"}
    assert (await office.post("/time/proposals", asked)).status_code == 200
    for staff, named in ((office, {here.ticket, there.ticket}), (member, {here.ticket}), (other, {there.ticket})):
        session = {"session": hall.made.session_id}
        view = (await staff.get(f"/time/sessions/{hall.made.session_id}")).json()
        [proposal] = (await staff.get("/time/proposals", **session)).json()["proposals"]
        person = there if staff is other else here
        own = (await staff.get(f"/attempts/{person.attempt}/time")).json()
        lists = [view["proposals"], view["decisions"], view["entries"], own["entries"]]
        told = [proposal, *(one for each in lists for one in each if one["scope"] == "list")]
        assert [(set(one["scope_names"]), one["candidates"]) for one in told] == [(named, 2)] * 5
        assert set(proposal["names"]) == set(proposal["tickets"]) == named


async def test_an_invigilator_is_told_how_many_of_their_own_rooms_have_a_notice(hall, fresh_db):
    """Three have pages, two of them in the invigilator's room; one of those has shown what all three were told."""
    office = await signed_in(hall.client, fresh_db, "office")
    member = await signed_in(hall.client, fresh_db, "invigilator", room_ids=hall.room_ids[:1])
    other = await signed_in(hall.client, fresh_db, "invigilator", room_ids=hall.room_ids[1:])
    everybodys = (await done(office, body("extend", scope(hall), ms=MIN)))["notice"]
    theirs = (await done(office, body("extend", room(hall, 2), ms=MIN)))["notice"]
    [first, *_] = hall.rooms[0]
    async with fresh_db.begin() as conn:
        assert await notices.mark_shown(conn, [(everybodys, first, hall.now_ms)]) == 1
        await conn.execute(text("UPDATE attempt SET signed_in_ms = NULL WHERE id = :a"), {"a": hall.rooms[1][0]})

    async def counted(staff) -> tuple[int, int, int]:
        view = (await staff.get(f"/time/sessions/{hall.made.session_id}")).json()
        listed = next(one for one in view["notices"] if one["id"] == everybodys)
        asked = (await staff.get(f"/time/notices/{everybodys}")).json()
        assert [listed[key] for key in ("shown", "of", "absent")] == [asked[key] for key in ("shown", "of", "absent")]
        assert len(asked["missing"]) == asked["of"] - asked["shown"]
        return asked["shown"], asked["of"], asked["absent"]

    assert await counted(office) == (1, 2, 1)
    assert await counted(member) == (1, 2, 0)
    assert await counted(other) == (0, 0, 1)
    # And what is for nobody of theirs is none of theirs.
    reply = await member.get(f"/time/notices/{theirs}")
    assert (reply.status_code, reply.json()["code"]) == (404, "not-found")
