"""What was taken back stays taken back: an attempt that the office reopened, and what was on its way from before."""

from __future__ import annotations

import pytest

from tests.api.test_staff_time import attempts, body, done, scope
from tests.candidates import Candidate
from tests.factories import open_relog
from tests.halls import opened
from tests.staff import signed_in


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 2)]) as (_, client, made):
        made.client = client
        yield made


@pytest.fixture
async def office(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


def by_mistake(hall, n: int = 0) -> dict:
    one = scope(hall, "candidate", attempt=str(hall.made.people[n].attempt))
    return body("reopen", one, reason="staff-error", note="误交卷")


async def handed_in(hall) -> tuple[Candidate, dict]:
    """The first candidate, with one answer, and the receipt."""
    one = Candidate(hall.client, hall.made.people[0])
    assert (await one.sign_in()).status_code == 200
    await one.answer(hall.made.items[0], "A")
    reply = await one.send(path="hand-in")
    assert reply.json()["state"] == "final"
    return one, reply.json()["receipt"]


async def test_a_repeat_of_the_hand_in_that_was_taken_back_ends_nothing(hall, office):
    one, _ = await handed_in(hall)
    await done(office, by_mistake(hall))
    one.seq -= 1
    repeated = await one.send(path="hand-in")
    assert repeated.status_code == 200
    said = repeated.json()
    assert (said["receipt"], said["hand_in_void"], said["state"]) == (None, True, "running")
    assert (await attempts(hall))[one.person.attempt]["state"] == "open"
    # What the candidate presses now has a number of its own.
    assert (await one.answer(hall.made.items[0], "B")).json()["durability"] == "durable"
    assert (await one.send(path="hand-in")).json()["state"] == "final"


async def test_numbers_begin_again_with_a_new_grant(hall, office):
    one, _ = await handed_in(hall)
    await done(office, by_mistake(hall))
    await open_relog(hall.engine, hall.made, one.person, hall.made.spares[0])
    other = Candidate(hall.client, one.person)
    assert (await other.sign_in()).status_code == 200
    assert other.seq == 1
    assert (await other.send(path="hand-in")).json()["state"] == "final"
