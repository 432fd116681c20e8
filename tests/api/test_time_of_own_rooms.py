"""What an invigilator sees of a session's time: what is about somebody in a room of theirs."""

from __future__ import annotations

import pytest

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
