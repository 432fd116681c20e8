"""Which pauses a resume ends: those of what it names, and nobody's narrower one by the way."""

from __future__ import annotations

import pytest

from app.services.time_holds import Holds
from tests.halls import opened
from tests.services.test_time_holds import lift, paused
from tests.services.test_time_postpone import change, done
from tests.staff import signed_in


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 2), ("北楼", 1)]) as (_, client, made):
        made.client = client
        yield made


@pytest.fixture
async def office(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


async def test_the_site_resumed_twice_leaves_a_candidates_own_pause(hall, office):
    ill = hall.rooms[0][0]
    await done(office, change(hall, "pause", "candidate", attempt=str(ill), reason="medical"))
    await done(office, change(hall, "pause", reason="fire"))
    await done(office, change(hall, "resume", reason=""))
    assert await paused(hall) == {ill}
    reply = await office.post("/time/actions", change(hall, "resume", reason=""))
    assert (reply.status_code, reply.json()["code"]) == (409, "not-paused")
    # Nor does a room's resume reach it; the candidate's own does.
    room = change(hall, "resume", "room", rooms=[hall.room_ids[0]], reason="")
    assert (await office.post("/time/actions", room)).json()["code"] == "not-paused"
    assert await paused(hall) == {ill}
    await done(office, change(hall, "resume", "candidate", attempt=str(ill), reason=""))
    assert await paused(hall) == set()


async def test_a_room_that_nothing_paused_as_such_is_let_out_of_the_site_pause(hall, office):
    await done(office, change(hall, "pause", reason="fire"))
    await done(office, change(hall, "resume", "room", rooms=[hall.room_ids[0]], reason=""))
    assert await paused(hall) == set(hall.rooms[1])


async def test_who_is_let_go_from_a_hold_keeps_a_pause_of_their_own(hall, office, fresh_db):
    ill = hall.rooms[0][0]
    await done(office, change(hall, "pause", "candidate", attempt=str(ill), reason="medical"))
    await hall.paused_since(0)
    assert await Holds(hall.site).run() == 3
    await lift(hall, fresh_db, office, 120)
    (held,) = (await office.get(f"/time/sessions/{hall.made.session_id}")).json()["held"]
    tickets = [one["ticket"] for one in held["members"]]
    assert len(tickets) == 3
    await done(office, change(hall, "resume", "list", tickets=tickets, reason=""))
    assert await paused(hall) == {ill}


async def test_a_hold_over_one_persons_own_pause_ends_with_it(hall, office, fresh_db):
    ill = hall.made.people[0]
    await hall.paused_since(0, [ill.attempt], scope="candidate", reason="medical")
    assert await Holds(hall.site).run() == 1
    await lift(hall, fresh_db, office, 120)
    # Somebody who resumes the whole site means nobody's own pause.
    reply = await office.post("/time/actions", change(hall, "resume", reason=""))
    assert (reply.status_code, reply.json()["code"]) == (409, "not-paused")
    await done(office, change(hall, "resume", "list", tickets=[ill.ticket], reason=""))
    assert await paused(hall) == set()


async def test_what_the_office_paused_for_one_candidate_no_invigilator_ends(hall, office, fresh_db):
    stopped = str(hall.rooms[0][0])
    watching = await signed_in(hall.client, fresh_db, "invigilator", room_ids=[hall.room_ids[0]])
    chief = await signed_in(hall.client, fresh_db, "chief", room_ids=[hall.room_ids[0]])
    resume = change(hall, "resume", "candidate", attempt=stopped, reason="")
    await done(office, change(hall, "pause", "candidate", attempt=stopped, reason="disturbance"))
    for one in (watching, chief):
        reply = await one.post("/time/actions", resume)
        assert (reply.status_code, reply.json()["code"]) == (409, "paused-by-office")
    assert await paused(hall) == {hall.rooms[0][0]}
    await done(office, resume)
    assert await paused(hall) == set()
    # What one of them stopped, the other may start again.
    await done(watching, change(hall, "pause", "candidate", attempt=stopped, reason="medical"))
    await done(chief, resume)
    assert await paused(hall) == set()
