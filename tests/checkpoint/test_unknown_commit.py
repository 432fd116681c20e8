"""A COMMIT that the standby may not have (I2): it succeeds with a warning, and nobody is told that it did.

There is one copy of the record here, so the record is asked to raise the very warning, at the very place.
"""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from app.domain.checkpoints import Checkpoint, RecordAway
from app.storage.postgres.engine import create_engine
from tests.candidates import SECRET, Candidate, running, test_settings
from tests.checkpoint.test_writer import EPOCH, Kept, row, writing
from tests.factories import world

ON_COMMIT = "CREATE CONSTRAINT TRIGGER unsure {when} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION warn()"
# The writer's statement is its whole transaction.
IN_STATEMENT = "CREATE TRIGGER unsure {when} FOR EACH STATEMENT EXECUTE FUNCTION warn()"


@pytest.fixture
async def made(fresh_db):
    return await world(fresh_db, SECRET.encode(), candidates=2)


@asynccontextmanager
async def unreplicated(engine, when: str, trigger: str = ON_COMMIT):
    """Every COMMIT of a transaction that did ``when`` warns."""
    async with engine.begin() as conn:
        await conn.exec_driver_sql(
            "CREATE OR REPLACE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " RAISE WARNING 'not replicated' USING ERRCODE = '01000'; RETURN NULL; END $$"
        )
        await conn.exec_driver_sql(trigger.format(when=when))
    try:
        yield
    finally:
        async with engine.begin() as conn:
            await conn.exec_driver_sql(f"DROP TRIGGER unsure ON {when.rsplit(' ', 1)[-1]}")


async def test_the_writer_promises_no_more_than_the_buffer_until_a_repeat_settles_it(fresh_url, fresh_db, made):
    async with fresh_db.begin() as conn:
        await conn.exec_driver_sql(f"UPDATE attempt SET epoch = {EPOCH}, grants = '[[{EPOCH}, 0]]'")
    sent = Checkpoint(made.people[0].attempt, EPOCH, 1, 5, [row(made.items[0], 1)])
    kept = Kept()
    async with writing(fresh_url, kept, commit_deadline=60, queue_patience=60) as w:
        async with unreplicated(fresh_db, "AFTER INSERT ON response", IN_STATEMENT):
            assert (await w.writer.submit(sent)).durability == "buffered"
        assert [one.rows for one in kept.checkpoints] == [sent.rows]
        assert w.told == [], "the hot copy follows commits"
        again = await w.writer.submit(sent)
    assert (again.durability, again.count) == ("durable", 1)


async def test_a_transaction_of_the_engine_is_unknown_and_its_connection_goes_on(fresh_url, fresh_db):
    engine = create_engine(fresh_url, test_settings(), pool_size=1)
    try:
        async with engine.begin() as conn:
            await conn.execute(text("CREATE TABLE thing (n int)"))
        async with unreplicated(fresh_db, "AFTER INSERT ON thing"):
            with pytest.raises(RecordAway):
                async with engine.begin() as conn:
                    await conn.execute(text("INSERT INTO thing VALUES (1)"))
            # Said while a statement runs it is a warning like any other.
            async with engine.begin() as conn:
                await conn.execute(text("DO $$ BEGIN RAISE WARNING 'mind' USING ERRCODE = '01000'; END $$"))
        async with engine.begin() as conn:
            await conn.execute(text("INSERT INTO thing VALUES (2)"))
        async with engine.connect() as conn:
            # It had committed here: unknown is not undone.
            assert list((await conn.execute(text("SELECT n FROM thing ORDER BY n"))).scalars()) == [1, 2]
    finally:
        await engine.dispose()


async def test_a_sign_in_and_a_receipt_are_given_by_the_request_that_repeats_them(
    fresh_url, redis_url, redis, fresh_db, made
):
    async with running(fresh_url, redis_url, commit_deadline=60, queue_patience=60) as (_, client):
        one = Candidate(client, made.people[0])
        one.device_id, one.lease_secret = "device-of-its-own", "s" * 40
        async with unreplicated(fresh_db, "AFTER INSERT ON lease"):
            refused = await one.sign_in()
            assert (refused.status_code, refused.json()["code"]) == (503, "record-away"), refused.text
            assert int(refused.headers["retry-after"]) >= 1
        assert (await one.sign_in()).status_code == 200
        assert (await one.answer(made.items[0], "A")).json()["durability"] == "durable"
        async with fresh_db.connect() as conn:
            assert await conn.scalar(text("SELECT count(*) FROM lease")) == 1, "the same grant, told late"
        async with unreplicated(fresh_db, "AFTER UPDATE OF receipt ON attempt"):
            refused = await one.send(path="hand-in")
            assert (refused.status_code, refused.json()["code"]) == (503, "record-away"), refused.text
        receipt = (await one.send(path="hand-in")).json()["receipt"]
        async with fresh_db.connect() as conn:
            assert (
                await conn.scalar(text("SELECT receipt ->> 'chain' FROM attempt WHERE state = 'final'"))
                == (receipt["chain"])
            )
