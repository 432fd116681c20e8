"""What a delay asks of the next session, as long as it asks it: proposed, taken back, and worked out anew."""

from __future__ import annotations

import pytest

from app.storage.postgres import adjustments
from tests.halls import opened
from tests.services.test_time_postpone import LONG, MIN, change, done, next_session, rows, start_at, start_of
from tests.staff import signed_in

# What the settings leave between two sessions.
CHANGEOVER = 15 * MIN


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 2), ("北楼", 1)]) as (_, client, made):
        made.client = client
        yield made


@pytest.fixture
async def office(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


async def paused_for(hall, ms: int) -> None:
    """The site has been paused for so long."""
    since = hall.now_ms - ms
    async with hall.engine.begin() as conn:
        await adjustments.insert_entry(
            conn, "pause", session_id=hall.made.session_id, members=hall.everybody, reason="fire", source="staff:test",
            now_ms=since, scope="site", from_ms=since,
        )  # fmt: skip
        await adjustments.settle(conn, hall.everybody, since)


async def asked(hall) -> list[tuple[str, int]]:
    return [
        (row["state"], row["ms"])
        for row in await rows(hall, "SELECT state, (evidence->>'ms')::int8 AS ms FROM proposal ORDER BY id")
    ]


async def test_a_resume_says_what_the_pause_cost_the_next_session(hall, office):
    start = hall.now_ms - 60 * MIN
    await start_at(hall, hall.made.session_id, start)
    second = await next_session(hall, start + LONG + CHANGEOVER + 20 * MIN)
    await paused_for(hall, 30 * MIN)
    told = await done(office, change(hall, "resume", reason=""))
    follows = told["effect"]["follows"]
    # The thirty minutes of the pause, and the moment until the resume, rounded up.
    assert (follows["session"]["id"], follows["candidates"]) == (second, 3)
    assert 10 * MIN < follows["ms"] <= 12 * MIN
    assert await asked(hall) == [("open", follows["ms"])]
