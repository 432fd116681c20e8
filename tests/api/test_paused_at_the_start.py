"""A candidate paused since before the start has not begun when the start passes: no question until they go on."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from tests.api.test_events import seated
from tests.api.test_time_candidate import MINUTE, Office
from tests.candidates import SECRET, running
from tests.factories import world


@pytest.fixture
async def made(fresh_db):
    return await world(fresh_db, SECRET.encode(), start_ms=MINUTE)


async def code(client, one, path: str) -> tuple[int, str | None]:
    reply = await client.get(f"/attempt/{path}", headers=one.headers)
    return reply.status_code, None if reply.status_code in (200, 304) else reply.json()["code"]


async def the_start_passes(engine, app) -> None:
    """All that is planned for the first minute happens now: the session starts, whoever is paused stays it."""
    async with engine.begin() as conn:
        await conn.execute(text("UPDATE session SET start_ms = 1"))
        await conn.execute(text("UPDATE attempt SET end_ms = 1 + allotted_ms WHERE left_ms IS NULL"))
    await app.state.deps.known.refresh_plans()


async def test_no_question_leaves_until_they_go_on(fresh_url, redis_url, redis, fresh_db, made):
    async with running(fresh_url, redis_url) as (app, client):
        office = Office(app, fresh_db, made)
        one, other = await seated(client, made.people[0]), await seated(client, made.people[1])
        pause = await office.decide("pause", one.person, scope="room", from_ms=0)
        assert (await one.send()).json()["state"] == "waiting"
        await the_start_passes(fresh_db, app)
        await office.pass_by(50)
        assert await code(client, other, "paper") == (200, None)
        # Through the checkpoint and the resume they hear that they are paused, with their whole time, and no question.
        reply = (await one.send()).json()
        assert (reply["state"], reply["clock"]["remaining_ms"]) == ("paused", 90 * MINUTE)
        assert (await one.state())["responses"] == {}
        assert await code(client, one, "paper") == (403, "paused-at-start")
        assert await code(client, one, f"media/{'0' * 64}") == (403, "paused-at-start")
        # Another pause over the first one, and the end of the first: still not begun.
        site = await office.decide("pause", one.person, scope="site", reason="fire")
        await office.decide("resume", one.person, refers_id=pause)
        assert await code(client, one, "paper") == (403, "paused-at-start")
        await office.decide("resume", one.person, refers_id=site)
        assert await code(client, one, "paper") == (200, None)
        # Paused once they have begun, the paper comes back to a page that was moved or reloaded meanwhile.
        await office.pass_by(50)
        await office.decide("pause", one.person)
        assert await code(client, one, "paper") == (200, None)
