"""Somebody holds the attempts' rows, as a decision for the whole hall does, while everybody goes on answering.

A row that is held refuses nothing for good: what meets it is promised to the buffer, and judged by its stamp.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy import text

from app.checkpoint import drain
from app.domain.checkpoints import Checkpoint
from tests.candidates import SECRET, Candidate, running
from tests.checkpoint.test_stores_away import buffered, ready, until
from tests.checkpoint.test_writer import EPOCH, Kept, row, writing
from tests.factories import world


@pytest.fixture
async def made(fresh_db):
    return await world(fresh_db, SECRET.encode(), candidates=8)


@asynccontextmanager
async def holding(url: str, attempts):
    """These rows are another transaction's."""
    other = await asyncpg.connect(url)
    transaction = other.transaction()
    await transaction.start()
    await other.fetch("SELECT id FROM attempt WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE", list(attempts))
    try:
        yield
    finally:
        await transaction.rollback()
        await other.close()


async def test_nobody_is_sent_away_while_a_decision_holds_the_hall(fresh_url, redis_url, redis, made, fresh_db):
    async with running(fresh_url, redis_url) as (app, client):
        await until(lambda: ready(client), "ready")
        people = [Candidate(client, person) for person in made.people]
        for one in people:
            assert (await one.sign_in()).status_code == 200
            assert (await one.answer(made.items[1], "A")).json()["durability"] == "durable"
        async with holding(fresh_url, [person.attempt for person in made.people]):
            replies = await asyncio.gather(*(one.answer(made.items[0], "B") for one in people))
        told = [(reply.status_code, reply.json().get("durability")) for reply in replies]
        assert told == [(200, "buffered")] * len(people), [reply.text for reply in replies]
        assert await buffered(app) == len(people)
        # The buffer is where they are, and nowhere else: nothing was told twice.
        async with fresh_db.connect() as conn:
            count = text("SELECT count(*) FROM response WHERE item_id = :item")
            assert await conn.scalar(count, {"item": made.items[0]}) == 0
        connection = await asyncpg.connect(fresh_url)
        assert await drain.step(connection, app.state.deps.site.hot(), 1) == len(people)
        await connection.close()
        async with fresh_db.connect() as conn:
            assert await conn.scalar(count, {"item": made.items[0]}) == len(people)
            assert await conn.scalar(text("SELECT count(*) FROM stranded")) == 0
        # PostgreSQL was never away.
        assert (await people[0].answer(made.items[2], "T")).json()["durability"] == "durable"


async def test_who_is_sealed_is_promised_nothing_while_the_row_is_held(fresh_url, redis_url, redis, made):
    """A move or an end seals and drains before it takes the row: nothing may slip in behind it."""
    async with running(fresh_url, redis_url) as (app, client):
        await until(lambda: ready(client), "ready")
        one = Candidate(client, made.people[0])
        await one.sign_in()
        await app.state.deps.site.hot().seal(one.person.attempt, one.epoch, "ab")
        async with holding(fresh_url, [one.person.attempt]):
            reply = await one.answer(made.items[0], "B")
        assert reply.status_code == 503, reply.text
        assert await buffered(app) == 0


@pytest.mark.parametrize("held", [8, 5, 1])
async def test_a_batch_waits_once_for_rows_that_are_held(fresh_url, fresh_db, made, held):
    """Not once for each half of it, with everybody else behind it: the free ones are written, the others buffered."""
    async with fresh_db.begin() as conn:
        await conn.exec_driver_sql(f"UPDATE attempt SET epoch = {EPOCH}, grants = '[[{EPOCH}, 0]]'")
    kept, sizes = Kept(), []
    async with writing(fresh_url, kept, commit_deadline=60, queue_patience=60) as w:
        commit = w.writer._commit

        async def counted(checkpoints):
            sizes.append(len(checkpoints))
            return await commit(checkpoints)

        w.writer._commit = counted
        attempts = [person.attempt for person in made.people]
        async with holding(fresh_url, attempts[:held]):
            outcomes = await asyncio.gather(
                *(w.writer.submit(Checkpoint(one, EPOCH, 1, 5, [row(made.items[0], 1)])) for one in attempts)
            )
    assert [one.durability for one in outcomes] == ["buffered"] * held + ["durable"] * (8 - held)
    assert {one.attempt for one in kept.checkpoints} == set(attempts[:held])
    assert len(w.told) == 8 - held, "the hot copy follows commits"
    assert sizes == ([8, 8 - held] if held < 8 else [8])
