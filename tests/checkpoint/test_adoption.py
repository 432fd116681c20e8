"""Adoption beside the writer: under one lock, in one order; and the hot copies that follow it."""

from __future__ import annotations

import asyncio
import random

import pytest
from sqlalchemy import text

from app.checkpoint import adoption
from app.checkpoint.adoption import Choice
from app.checkpoint.statement import write
from app.domain.adoption import tag
from app.domain.attempt_proof import prove
from app.domain.checkpoints import Checkpoint, Row
from app.domain.responses import Version, canonical, value_hash
from app.storage.postgres import attempt_history
from app.storage.postgres.engine import connect
from app.storage.redis import adopted
from app.storage.redis.client import Keys, Store
from app.storage.redis.hot import Hot
from tests.candidates import SECRET, test_settings
from tests.factories import world

EPOCH = 1_000_002
OLD = 1_000_001


def row(item: int, rev: int, value, adopt_n: int = 0) -> Row:
    return Row(item, rev, canonical(value).decode(), value_hash(value), 1000, adopt_n)


@pytest.fixture
async def made(fresh_db):
    made = await world(fresh_db, SECRET.encode(), candidates=3)
    async with fresh_db.begin() as conn:
        await conn.execute(
            text(f"UPDATE attempt SET epoch = {EPOCH}, grants = '[[{OLD}, 0], [{EPOCH}, 500]]', signed_in_ms = 0")
        )
        for person in made.people:
            for epoch, revoked in ((OLD, 500), (EPOCH, None)):
                await conn.execute(
                    text(
                        "INSERT INTO lease (attempt_id, epoch, device_id, secret_hash, seat_id, granted_ms, revoked_ms)"
                        " VALUES (:a, :e, 'd', '', :s, :g, :r)"
                    ),
                    {"a": person.attempt, "e": epoch, "s": person.seat_id, "g": 0 if revoked else 500, "r": revoked},
                )
    return made


@pytest.fixture
async def office_id(fresh_db) -> int:
    async with fresh_db.begin() as conn:
        return await conn.scalar(
            text("INSERT INTO staff (username, name, role, password_hash) VALUES ('o', 'o', 'office', '') RETURNING id")
        )


@pytest.fixture
async def writer(fresh_url):
    connection = await connect(fresh_url, test_settings(), name="test-writer")
    yield connection
    await connection.close()


async def kept(engine) -> list[Choice]:
    """What waits, with what is accepted now."""
    async with engine.connect() as conn:
        rows = await conn.execute(
            text(
                "SELECT x.id, r.epoch, r.rev, r.adopt_n, r.value_hash FROM stranded x LEFT JOIN response r"
                " ON r.attempt_id = x.attempt_id AND r.item_id = x.item_id WHERE x.state = 'kept' ORDER BY x.id"
            )
        )
        return [
            Choice(one.id, tag(None if one.epoch is None else Version(one.epoch, one.rev, one.adopt_n, one.value_hash)))
            for one in rows
        ]


async def decide(engine, choices: list[Choice], staff_id: int, verdict="adopted") -> list[str | None]:
    """The obstacles; nothing is written when there is one."""
    async with engine.connect() as conn:
        items = await adoption.decide(conn, choices, verdict, staff_id=staff_id, note="", now_ms=2000)
        obstacles = [item.obstacle for item in items]
        await (conn.rollback() if any(obstacles) else conn.commit())
    return obstacles


async def test_the_office_and_the_candidates_at_once_neither_wait_in_a_ring_nor_lose_anything(
    fresh_db, made, writer, office_id
):
    """Batches of three attempts from the writer, decisions over the same three, in every order of items."""
    dice = random.Random(7)
    for person in made.people:
        for n, item in enumerate(made.items[:4]):
            await write(writer, [Checkpoint(person.attempt, OLD, 1 + n, 600, [row(item, 1, "旧")])])
    typed = {person.attempt: dict.fromkeys(made.items[:4], 0) for person in made.people}
    adoptions = 0

    async def candidates() -> None:
        for seq in range(1, 61):
            batch = []
            for person in made.people:
                item = dice.choice(made.items[:4])
                typed[person.attempt][item] += 1
                rev = typed[person.attempt][item]
                batch.append(Checkpoint(person.attempt, EPOCH, seq, 1000 + seq, [row(item, rev, f"自己{rev}")]))
            await write(writer, batch)

    async def office() -> None:
        nonlocal adoptions
        for n in range(40):
            waiting = await kept(fresh_db)
            if not waiting:
                return
            chosen = dice.sample(waiting, min(len(waiting), 3))
            obstacles = await decide(fresh_db, chosen, office_id, "dismissed" if n % 5 == 4 else "adopted")
            assert set(obstacles) <= {None, "moved-on"}
            adoptions += not any(obstacles)

    async with asyncio.timeout(100):
        await asyncio.gather(candidates(), office())
        # Where the candidate wrote nothing the decision stands; where they wrote, their last word does.
        for choice in await kept(fresh_db):
            assert await decide(fresh_db, [choice], office_id) == [None]
            adoptions += 1
        for person in made.people:
            last = [row(item, rev + 1, "最后") for item, rev in typed[person.attempt].items() if rev % 2]
            await write(writer, [Checkpoint(person.attempt, EPOCH, 61, 1100, last)])
    assert adoptions
    async with fresh_db.connect() as conn:
        for person in made.people:
            snapshot = await attempt_history.snapshot(conn, person.attempt)
            assert prove(snapshot).findings == ()
            rows = await conn.execute(
                text("SELECT item_id, rev, value FROM response WHERE attempt_id = :a"), {"a": person.attempt}
            )
            for one in rows:
                own = typed[person.attempt][one.item_id]
                if own % 2:
                    assert (one.rev, one.value) == (own + 1, "最后")


async def test_one_obstacle_holds_back_the_whole_click(fresh_db, made, writer, office_id):
    attempt = made.people[0].attempt
    await write(writer, [Checkpoint(attempt, OLD, 1, 600, [row(item, 1, "旧") for item in made.items[:3]])])
    waiting = await kept(fresh_db)
    await write(writer, [Checkpoint(attempt, EPOCH, 1, 1000, [row(made.items[1], 1, "新")])])
    assert await decide(fresh_db, waiting, office_id) == [None, "moved-on", None]
    assert await decide(fresh_db, waiting, office_id, "dismissed") == [None, "moved-on", None]
    async with fresh_db.connect() as conn:
        assert await conn.scalar(text("SELECT count(*) FROM stranded WHERE state = 'kept'")) == 3
        assert await conn.scalar(text("SELECT count(*) FROM response")) == 1
    with pytest.raises(LookupError):
        await decide(fresh_db, [Choice(10**9, None)], office_id)


async def test_the_hot_copy_takes_what_is_newer_and_nothing_else(redis_url, redis, made):
    store, keys = Store(redis_url, test_settings()), Keys("line")
    hot = Hot(store, keys)
    known, unknown = made.people[0].attempt, made.people[1].attempt
    item, other = made.items[:2]
    try:
        await hot.grant(known, EPOCH, {})
        own = Checkpoint(known, EPOCH, 1, 1000, [row(item, 2, "自己")])
        assert (await hot.append([own]))[0][0] == b"ok"

        def told(attempt, item: int, epoch: int, rev: int, adopt_n: int, value) -> dict:
            return {
                "attempt_id": attempt, "item_id": item, "epoch": epoch, "rev": rev, "adopt_n": adopt_n,
                "value_hash": value_hash(value), "value": value, "at_ms": 1, "stamp_ms": 2, "count": 5,
            }  # fmt: skip

        assert (
            await adopted.follow(
                store, keys, [told(known, item, EPOCH, 2, 1, "采用"), told(known, other, 0, 1, 1, None)]
            )
            == 2
        )
        copy = await hot.read(known)
        assert copy is not None
        assert (copy.epoch, copy.count) == (EPOCH, 5)
        assert (copy.responses[item].value, copy.responses[item].adopt_n) == ("采用", 1)
        assert (copy.responses[other].value, copy.responses[other].epoch) == (None, 0)
        # Old news, in any order, changes nothing; an attempt without a copy gets none.
        assert (
            await adopted.follow(
                store, keys, [told(known, item, EPOCH, 1, 9, "旧"), told(unknown, item, EPOCH, 9, 1, "x")]
            )
            == 0
        )
        assert await hot.read(unknown) is None
        assert (await hot.append([Checkpoint(known, EPOCH, 2, 1001, [row(item, 3, "又改")])]))[0][0] == b"ok"
        copy = await hot.read(known)
        assert copy is not None
        assert copy.responses[item].value == "又改"
    finally:
        await store.close()
