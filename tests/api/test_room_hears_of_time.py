"""The room's page shows what the office decides about time at once, whichever process the office spoke to."""

from __future__ import annotations

import asyncio

import pytest

from app.services import room_feed
from tests.api.test_staff_room import listening, watching
from tests.api.test_staff_time import MIN
from tests.candidates import SECRET, Candidate
from tests.factories import world
from tests.staff import signed_in


@pytest.fixture
async def made(fresh_db):
    return await world(fresh_db, SECRET.encode())


async def test_a_room_sees_a_decision_about_its_time_without_waiting_for_its_next_look(
    fresh_url, redis_url, redis, fresh_db, made, monkeypatch
):
    # By itself a room is looked at only now and then: what comes sooner came because of the decision.
    monkeypatch.setattr(room_feed, "LOOK_EVERY_S", 600.0)
    async with listening(fresh_url, redis_url) as (app, client), listening(fresh_url, redis_url) as (_, elsewhere):
        assert (await Candidate(client, made.people[0]).sign_in()).status_code == 200
        office = await signed_in(elsewhere, fresh_db, "office")
        member = await signed_in(client, fresh_db, "invigilator", room_ids=[made.room_id])
        scope = {"session": made.session_id, "kind": "room", "rooms": [made.room_id]}
        async with watching(member, made) as stream:
            assert (await stream.next("room"))["counts"]["paused"] == 0
            await _waits(app)
            for action, paused in (("pause", 1), ("resume", 0)):
                reply = await office.post("/time/actions", {"action": action, "scope": scope, "reason": "power"})
                assert reply.status_code == 200, reply.text
                while (await stream.next("room"))["counts"]["paused"] != paused:
                    pass
                await _waits(app)
            before = (await member.room(made.room_id, made.session_id))["clock"]["longest_ms"]
            longer = {"action": "extend", "scope": scope, "ms": 5 * MIN, "reason": "power"}
            assert (await office.post("/time/actions", longer)).status_code == 200
            while (await stream.next("room"))["clock"]["longest_ms"] < before + 4 * MIN:
                pass


async def _waits(app) -> None:
    """Until the room's one look is over, and the next one is ten minutes away."""
    [feed] = app.state.room_feeds.feeds.values()
    await asyncio.sleep(2 * room_feed.CLOSEST_S)
    assert not feed.hurry.is_set()
