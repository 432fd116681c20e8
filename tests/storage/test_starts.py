"""All starts as Redis is shown them: the later look at the record stays, in whatever order the looks are told."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import text

from app.settings import Settings
from app.storage.postgres import starts
from app.storage.postgres.starts import Starts
from app.storage.redis.client import Keys, Store
from app.storage.redis.starts import KeptStarts
from tests.candidates import SECRET
from tests.factories import world

KEYS = Keys("test")


@pytest.fixture
async def kept(redis_url, redis):
    store = Store(redis_url, Settings(redis_timeout=30))
    yield KeptStarts(store)
    await store.close()


async def test_what_is_shown_is_read_back_whole(kept):
    assert await kept.read(KEYS) is None
    seen = Starts(7, {1: 60_000, 2: None}, {uuid4(): 600_000})
    assert await kept.show(KEYS, seen) == 7
    assert await kept.read(KEYS) == seen


async def test_a_process_that_tells_late_takes_nothing_back(kept):
    assert await kept.show(KEYS, Starts(10, {1: 2}, {})) == 10
    assert await kept.show(KEYS, Starts(9, {1: 1}, {})) == 10
    assert (await kept.read(KEYS)).plans == {1: 2}


async def test_a_record_that_was_put_back_has_the_word(kept):
    """It counts from where it was; who saw the greater look before looking knows that it is not of this record."""
    await kept.show(KEYS, Starts(10, {1: 2}, {}))
    assert await kept.show(KEYS, Starts(4, {1: 1}, {}), over=9) == 10
    assert await kept.show(KEYS, Starts(4, {1: 1}, {}), over=10) == 4
    assert (await kept.read(KEYS)).plans == {1: 1}


async def test_a_look_that_sees_a_commit_is_later_than_one_that_does_not(fresh_db):
    """Also while an earlier transaction is still under way, and when it ends last."""
    made = await world(fresh_db, SECRET.encode())
    postpone = text("UPDATE session SET start_ms = start_ms + 1")
    seen = []
    async with fresh_db.connect() as looking, fresh_db.connect() as slow:
        await looking.execution_options(isolation_level="AUTOCOMMIT")
        seen.append(await starts.read(looking))
        await slow.execute(text("UPDATE attempt SET postponed_ms = 5 WHERE id = :a"), {"a": made.people[0].attempt})
        seen.append(await starts.read(looking))
        async with fresh_db.begin() as quick:
            await quick.execute(postpone)
        seen.append(await starts.read(looking))
        await slow.commit()
        seen.append(await starts.read(looking))
    assert [(list(one.plans.values()), list(one.postponed.values())) for one in seen] == [
        ([0], []), ([0], []), ([1], []), ([1], [5])
    ]  # fmt: skip
    before, same, after, last = (one.look for one in seen)
    assert before <= same < after < last
