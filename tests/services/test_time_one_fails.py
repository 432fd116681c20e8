"""One attempt that cannot be ended, one step that fails: the others have their turn all the same."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
from sqlalchemy.exc import DBAPIError

from app.services import time_decisions
from app.services.time_holds import Holds
from tests.halls import opened
from tests.services.test_time_postpone import change, done, rows
from tests.staff import signed_in


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 2), ("北楼", 2)], changeover=0) as (
        _,
        client,
        made,
    ):
        made.client = client
        yield made


@pytest.fixture
async def office(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


@asynccontextmanager
async def refusing(hall, table: str, event: str, when: str):
    """The record takes every other row of ``table``."""
    await rows(
        hall,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'this one cannot be written'; END $$",
    )
    await rows(
        hall,
        f"CREATE TRIGGER broken BEFORE {event} ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION refuse()",
    )
    try:
        yield
    finally:
        await rows(hall, "DROP FUNCTION refuse CASCADE")


async def states(hall) -> dict:
    return {row["id"]: row["state"] for row in await rows(hall, "SELECT id, state FROM attempt")}


async def test_one_attempt_that_cannot_be_ended_keeps_no_other_open_and_is_ended_later(hall, office):
    broken, *others = hall.everybody
    async with refusing(hall, "attempt", "UPDATE", f"NEW.id = '{broken}' AND NEW.state = 'ended'"):
        await time_decisions.end_all(hall.site, hall.everybody)
        assert await states(hall) == {broken: "open"} | dict.fromkeys(others, "ended")
        # Who asked is told that it is decided, for it is.
        one = {"tickets": [hall.made.people[0].ticket]}
        asked = change(hall, "end", "candidate", **one, reason="medical", note="送医")
        assert (await done(office, asked))["entry"]["kind"] == "end"
        assert (await states(hall))[broken] == "open"
    assert await Holds(hall.site).run() == 1
    assert (await states(hall))[broken] == "ended"


async def test_a_step_that_fails_does_not_keep_the_others_from_their_turn(hall, office):
    # A pause that has reached the cap, and somebody whose end was decided and not carried out.
    await hall.paused_since(0, hall.rooms[0], scope="room", reason="power")
    last = hall.made.people[-1]
    async with refusing(hall, "attempt", "UPDATE", f"NEW.id = '{last.attempt}' AND NEW.state = 'ended'"):
        asked = change(hall, "end", "candidate", tickets=[last.ticket], reason="medical", note="送医")
        await done(office, asked)
    async with refusing(hall, "adjustment", "INSERT", "NEW.reason = 'hold'"):
        with pytest.raises(DBAPIError, match="cannot be written"):
            await Holds(hall.site).run()
        assert (await states(hall))[last.attempt] == "ended"
    assert await Holds(hall.site).run() == 2
