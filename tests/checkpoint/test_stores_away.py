"""Either store alone (I3), on a running application and real stores that are really away."""

from __future__ import annotations

import asyncio
import time

import asyncpg
import httpx
import pytest
from sqlalchemy import text

from app.checkpoint import drain, recovery
from app.storage.redis.client import Keys
from tests.candidates import SECRET, Candidate, running
from tests.factories import open_relog, world

GONE_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture
async def made(fresh_db):
    return await world(fresh_db, SECRET.encode())


async def until(condition, what: str) -> None:
    for _ in range(1200):
        if await condition():
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"never: {what}")


async def ready(client: httpx.AsyncClient) -> bool:
    reply = await client.get("http://test/readyz")
    return reply.status_code == 200 and reply.json()["postgres"]


class Away:
    """PostgreSQL gone for one process: its connections are cut and it cannot make new ones."""

    def __init__(self, app) -> None:
        self.site = app.state.deps.site
        self.connect = self.site.writer._connect

    def __enter__(self):
        async def refuse():
            raise ConnectionRefusedError("away")

        self.site.writer._connect = refuse
        self.site.writer._abandon()
        return self

    def __exit__(self, *_):
        self.site.writer._connect = self.connect


async def buffered(app) -> int:
    site = app.state.deps.site
    return await site.store.client.xlen(site.keys.buffer)


async def test_without_redis_everything_is_durable_and_nothing_fails(fresh_url, made):
    async with running(fresh_url, GONE_REDIS) as (_, client):
        await until(lambda: ready(client), "ready without redis")
        one = Candidate(client, made.people[0])
        assert (await one.sign_in()).status_code == 200
        replies = [await one.answer(item, None) for item in made.items]
        assert {reply.json()["durability"] for reply in replies} == {"durable"}
        assert (await one.send(path="hand-in")).json()["receipt"]["count"] == 10


async def test_without_postgres_answers_are_buffered_and_drained_when_it_is_back(
    fresh_url, redis_url, redis, made, fresh_db
):
    async with running(fresh_url, redis_url) as (app, client):
        await until(lambda: ready(client), "ready")
        one = Candidate(client, made.people[0])
        await one.sign_in()
        await one.answer(made.items[0], "A")
        with Away(app):
            reply = await one.answer(made.items[2], "T")
            assert reply.status_code == 200, reply.text
            assert reply.json()["durability"] == "buffered"
            assert reply.json()["items"][0]["status"] == "buffered"
            # The contiguous durable prefix: what is only buffered does not move it.
            assert reply.json()["acked_seq"] == 1
            assert await buffered(app) == 1
        site = app.state.deps.site
        connection = await asyncpg.connect(fresh_url)
        assert await drain.step(connection, site.hot(), 1) == 1
        assert await drain.step(connection, site.hot(), 1) == 0
        await connection.close()
        async with fresh_db.connect() as conn:
            rows = (await conn.execute(text("SELECT item_id, value FROM response ORDER BY 1"))).all()
        assert [tuple(r) for r in rows] == [(made.items[0], "A"), (made.items[2], "T")]
        # Drained entries stay for a replay after a promotion, and a replay changes nothing.
        assert await buffered(app) == 1


async def test_a_resume_repairs_before_it_shows(fresh_url, redis_url, redis, made, fresh_db):
    """What Redis has beyond the record is committed first, without waiting for the drain."""
    async with running(fresh_url, redis_url) as (app, client):
        await until(lambda: ready(client), "ready")
        one = Candidate(client, made.people[0])
        await one.sign_in()
        with Away(app):
            await one.answer(made.items[0], "B")
        await until(lambda: ready(client), "postgres back")
        state = await one.state()
        assert state["responses"][str(made.items[0])] == {
            "epoch": one.epoch, "rev": 1, "value": "B", "status": "durable",
        }  # fmt: skip
        async with fresh_db.connect() as conn:
            assert await conn.scalar(text("SELECT count(*) FROM response")) == 1


async def test_a_relog_that_overtakes_the_drain_keeps_what_was_buffered_before_it(
    fresh_url, redis_url, redis, made, fresh_db
):
    async with running(fresh_url, redis_url) as (app, client):
        await until(lambda: ready(client), "ready")
        old, new = Candidate(client, made.people[0]), Candidate(client, made.people[0])
        await old.sign_in()
        with Away(app):
            await old.answer(made.items[0], "B")
        await until(lambda: ready(client), "postgres back")
        await open_relog(fresh_db, made, made.people[0], made.spares[0])
        assert (await new.sign_in()).status_code == 200
        assert (await new.state())["responses"][str(made.items[0])]["value"] == "B"
        assert (await new.state())["stranded"] == []
        # The old device cannot buffer any more either.
        with Away(app):
            reply = await old.answer(made.items[2], "T")
        assert reply.status_code == 503
        assert int(reply.headers["retry-after"]) >= 1


async def test_what_was_buffered_after_the_grant_is_stranded_by_the_drain(fresh_url, redis_url, redis, made, fresh_db):
    """A Redis that missed the grant buffers for the old device; the stamp tells the drain."""
    async with running(fresh_url, redis_url) as (app, client):
        await until(lambda: ready(client), "ready")
        old, new = Candidate(client, made.people[0]), Candidate(client, made.people[0])
        await old.sign_in()
        await open_relog(fresh_db, made, made.people[0], made.spares[0])
        await new.sign_in()
        site = app.state.deps.site
        await redis.hset(site.keys.hot(made.people[0].attempt), "epoch", old.epoch)
        await asyncio.sleep(0.3)
        with Away(app):
            assert (await old.answer(made.items[0], "B")).json()["durability"] == "buffered"
        connection = await asyncpg.connect(fresh_url)
        await drain.step(connection, site.hot(), 1)
        kept = await connection.fetch("SELECT item_id, reason FROM stranded")
        assert [tuple(k) for k in kept] == [(made.items[0], "old_epoch")]
        assert await connection.fetchval("SELECT count(*) FROM response") == 0
        await connection.close()


async def test_both_away_says_in_how_long_to_come_again(fresh_url, redis_url, redis, made):
    async with running(fresh_url, redis_url) as (app, client):
        await until(lambda: ready(client), "ready")
        one = Candidate(client, made.people[0])
        await one.sign_in()
        site = app.state.deps.site
        with Away(app):
            # Nobody called, so nobody probes: it stays open.
            site.store.breaker.failed("unreachable", time.monotonic())
            reply = await one.answer(made.items[0], "B")
            assert (reply.status_code, reply.json()["code"]) == (503, "unavailable")
            assert int(reply.headers["retry-after"]) >= 1


async def test_a_redis_that_is_empty_or_stale_is_no_harm(fresh_url, redis_url, redis, made):
    async with running(fresh_url, redis_url) as (app, client):
        await until(lambda: ready(client), "ready")
        one = Candidate(client, made.people[0])
        await one.sign_in()
        await one.answer(made.items[0], "A")
        site = app.state.deps.site
        key = site.keys.hot(made.people[0].attempt)
        await until(lambda: _has(redis, key, f"r:{made.items[0]}"), "hot copy written")
        stale = await redis.dump(key)
        await one.answer(made.items[0], "B")
        await until(lambda: _version(redis, key, made.items[0], b":2:"), "hot copy followed")
        await redis.restore(key, 0, stale, replace=True)
        assert (await one.state())["responses"][str(made.items[0])]["value"] == "B"
        await redis.delete(key)
        assert (await one.state())["responses"][str(made.items[0])]["value"] == "B"


async def _has(redis, key, name) -> bool:
    return bool(await redis.hexists(key, name))


async def _version(redis, key, item, part: bytes) -> bool:
    return part in (await redis.hget(key, f"r:{item}") or b"")


async def test_another_lineages_leftovers_are_ignored(fresh_url, redis_url, redis, made):
    await redis.set(Keys("yesterday").clock, "99999999:7")
    await redis.set("hf:lineage", '[1, "yesterday"]')
    async with running(fresh_url, redis_url) as (app, client):
        await until(lambda: ready(client), "ready")
        one = Candidate(client, made.people[0])
        await one.sign_in()
        clock = (await one.answer(made.items[0], "A")).json()["clock"]
        assert clock["service_ms"] < 60_000
        assert app.state.deps.service_time.lineage_uid != "yesterday"


async def test_the_drain_survives_being_killed_between_commit_and_cursor(fresh_url, redis_url, redis, made):
    async with running(fresh_url, redis_url) as (app, client):
        await until(lambda: ready(client), "ready")
        one = Candidate(client, made.people[0])
        await one.sign_in()
        with Away(app):
            for n, item in enumerate(made.items[:5]):
                await one.send(one.response(item, None), position=n + 1)
        site = app.state.deps.site
        connection = await asyncpg.connect(fresh_url)
        entries = await site.hot().entries("0-0", 100)
        await drain.commit(connection, [checkpoint for _, checkpoint in entries])
        before = await connection.fetchrow("SELECT count, chain, position FROM attempt WHERE count > 0")
        await drain.step(connection, site.hot(), 1)
        after = await connection.fetchrow("SELECT count, chain, position FROM attempt WHERE count > 0")
        assert tuple(before) == tuple(after)
        assert before["count"] == 5
        assert await recovery.drain_attempt(connection, site.hot(), 1, made.people[0].attempt) == 0
        await connection.close()


async def test_a_buffer_that_is_behind_the_cursor_is_drained_from_its_beginning(fresh_url, redis_url, redis, made):
    """Another Redis, or one that was emptied and whose clock is behind: what it took is drained all the same."""
    async with running(fresh_url, redis_url) as (app, client):
        await until(lambda: ready(client), "ready")
        one = Candidate(client, made.people[0])
        await one.sign_in()
        connection = await asyncpg.connect(fresh_url)
        await connection.execute("INSERT INTO buffer_cursor (lineage_n, entry) VALUES (1, '99999999999999-0')")
        with Away(app):
            assert (await one.answer(made.items[0], "B")).json()["durability"] == "buffered"
        assert await drain.step(connection, app.state.deps.site.hot(), 1) == 1
        assert await connection.fetchval("SELECT value FROM response") == '"B"'
        await connection.close()


async def test_a_hot_copy_that_forgot_the_end_gives_nobody_their_whole_time_again(fresh_url, redis_url, redis, made):
    """Redis' wall clock jumped, and the copy expired while PostgreSQL was away."""
    async with running(fresh_url, redis_url) as (app, client):
        await until(lambda: ready(client), "ready")
        one = Candidate(client, made.people[0])
        await one.sign_in()
        before = (await one.answer(made.items[0], "A")).json()["clock"]["remaining_ms"]
        with Away(app):
            site = app.state.deps.site
            await site.store.client.delete(site.keys.hot(one.person.attempt))
            reply = (await one.answer(made.items[0], "B")).json()
            assert reply["durability"] == "buffered"
            assert reply["clock"]["remaining_ms"] <= before
            assert reply["clock"]["ends_at"] is not None


async def test_a_process_that_only_looked_on_knows_the_end_as_well(fresh_url, redis_url, redis, made):
    """The candidate's first answer after a move may reach another process, as PostgreSQL goes away."""
    async with running(fresh_url, redis_url) as (_, client), running(fresh_url, redis_url) as (other, beside):
        await until(lambda: ready(client), "ready")
        one = Candidate(client, made.people[0])
        await one.sign_in()
        before = (await one.answer(made.items[0], "A")).json()["clock"]["remaining_ms"]
        # Its window has moved on: the whole time would be more than was left.
        connection = await asyncpg.connect(fresh_url)
        await connection.execute("UPDATE attempt SET end_ms = end_ms - 60000, clock_rev = 7")
        await connection.close()
        one.client = beside
        deps = other.state.deps
        await deps.known.seated(deps.tokens.read(one.token))
        with Away(other):
            site = other.state.deps.site
            await site.store.client.delete(site.keys.hot(one.person.attempt))
            reply = (await one.answer(made.items[0], "B")).json()
            assert reply["durability"] == "buffered"
            assert reply["clock"]["remaining_ms"] <= before - 50_000
            assert reply["clock"]["ends_at"] is not None


async def test_a_hot_copy_that_missed_a_credit_takes_nothing_back(fresh_url, redis_url, redis, made):
    async with running(fresh_url, redis_url) as (app, client):
        await until(lambda: ready(client), "ready")
        one = Candidate(client, made.people[0])
        await one.sign_in()
        connection = await asyncpg.connect(fresh_url)
        await connection.execute("UPDATE attempt SET end_ms = end_ms + 300000, clock_rev = clock_rev + 1")
        credited = (await one.answer(made.items[0], "A")).json()["clock"]["remaining_ms"]
        with Away(app):
            site = app.state.deps.site
            hot = site.keys.hot(one.person.attempt)
            end_ms = await connection.fetchval("SELECT end_ms FROM attempt WHERE id = $1", one.person.attempt)
            await site.store.client.hset(hot, mapping={"end_ms": end_ms - 300_000, "rev": 0})
            reply = (await one.answer(made.items[0], "B")).json()
            assert reply["durability"] == "buffered"
            assert credited - 60_000 < reply["clock"]["remaining_ms"] <= credited
        await connection.close()
