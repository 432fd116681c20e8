"""A newer release brings the tables up to itself while this one serves: nobody is told of a fault (STYLE 11)."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from tests.candidates import SECRET, Candidate, running
from tests.factories import world

COLUMNS = (
    "ALTER TABLE attempt ADD COLUMN of_a_later_release BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE lease ADD COLUMN of_a_later_release TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE relog ADD COLUMN of_a_later_release BIGINT",
)


async def test_a_request_that_meets_a_new_column_is_asked_to_come_again_and_goes_through(
    fresh_url, redis_url, redis, fresh_db
):
    made = await world(fresh_db, SECRET.encode(), candidates=3)
    async with running(fresh_url, redis_url) as (app, client):
        if not await app.state.deps.site.settled(60):
            pytest.fail("the service never knew the time")
        # The statements are planned, on connections that stay open.
        first, second, third = (Candidate(client, person) for person in made.people)
        for one in (first, second):
            assert (await one.sign_in()).status_code == 200
            assert (await one.answer(made.items[0], "A")).status_code == 200
        assert (await first.send(path="hand-in")).status_code == 200
        async with fresh_db.begin() as conn:
            for sql in COLUMNS:
                await conn.execute(text(sql))
        assert (await second.answer(made.items[0], "B")).json()["durability"] == "durable"
        said = await second.send(path="hand-in")
        if said.status_code != 200:
            assert (said.status_code, said.json()["code"]) == (503, "record-away"), said.text
            assert int(said.headers["Retry-After"]) >= 1
            said = await second.send(path="hand-in")
        assert said.json()["state"] == "final"
        replies = [await third.sign_in() for _ in range(2)]
        assert replies[0].status_code in (200, 503), replies[0].text
        assert replies[1].status_code == 200
