"""Redis dead, frozen, full, read-only, and back with less than it knew (I3): nothing of it reaches a candidate."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from contextlib import asynccontextmanager

import pytest
import redis.asyncio as redis_async
from redis.exceptions import ResponseError
from structlog.testing import capture_logs

from tests.candidates import SECRET, Candidate, running
from tests.checkpoint.test_stores_away import Away
from tests.factories import world
from tests.faults.own import answered, drained, frozen, kill, own_redis, place, readyz, seat, until, until_ready

pytestmark = pytest.mark.faults
NO_POSTGRES = "postgresql://nobody@127.0.0.1:1/none"


@pytest.fixture
def own():
    with place() as at, own_redis(at) as store:
        yield store


@pytest.fixture
async def made(fresh_db):
    return await world(fresh_db, SECRET.encode())


@asynccontextmanager
async def asking(store):
    client = redis_async.Redis.from_url(store.url)
    try:
        yield client
    finally:
        await client.aclose()


async def durable(one: Candidate, item: int, value: str) -> None:
    reply = await one.answer(item, value)
    assert (reply.status_code, reply.json().get("durability")) == (200, "durable"), reply.text


async def test_redis_killed_costs_no_error_and_no_request_ever_asks_it(fresh_url, own, made, monkeypatch):
    async with running(fresh_url, own.url, breaker_cooldown=3600) as (app, client):
        await until_ready(client, postgres=True, redis=True)
        one = await seat(client, made.people[0])
        kill(own.pid)
        seen = await until_ready(client, redis=False)
        assert seen["redis_why"] == "unreachable"
        assert (seen["status"], seen["ready"], seen["postgres"]) == (200, True, True)
        asked = []
        pool = app.state.deps.site.store.client.connection_pool
        connection = pool.get_connection

        async def counted(*arguments, **named):
            # The subscription behind the event streams is nobody's request.
            if asyncio.current_task() is not app.state.hub._task:
                asked.append(asyncio.current_task())
            return await connection(*arguments, **named)

        monkeypatch.setattr(pool, "get_connection", counted)
        for item in made.items[:5]:
            await durable(one, item, None)
        other = await seat(client, made.people[1])
        await durable(other, made.items[0], "A")
        assert (await other.state())["responses"][str(made.items[0])]["value"] == "A"
        assert (await one.send(path="hand-in")).json()["receipt"]["count"] == 5
        assert asked == []
        metrics = (await client.get("http://test/metrics")).text
        assert "holdfast_redis_up 0.0" in metrics
        assert 'holdfast_redis_faults_total{why="unreachable"}' in metrics


async def test_redis_frozen_is_found_out_once_and_found_again_without_a_restart(fresh_url, own, made):
    async with running(fresh_url, own.url) as (_, client):
        await until_ready(client, postgres=True, redis=True)
        one = await seat(client, made.people[0])
        with frozen(own.pid):
            seen = await until_ready(client, redis=False)
            assert seen["redis_why"] == "no-answer"
            for item in made.items:
                await durable(one, item, None)
        await until_ready(client, redis=True)
        assert (await one.state())["count"] == len(made.items)


@pytest.mark.parametrize("comes_back", ["empty", "stale"])
async def test_a_redis_that_has_forgotten_is_told_again_whom_it_serves(fresh_url, own, made, comes_back):
    """So that the next outage of PostgreSQL, also for a process that is started during it, finds who sits where."""
    old = own.data_dir / "old"
    async with running(fresh_url, own.url) as (_, client):
        await until_ready(client, postgres=True, redis=True)
        early = await seat(client, made.people[0])
        await durable(early, made.items[0], "A")
        async with asking(own) as client_of_own:
            # Its append-only file is whole at this moment.
            await client_of_own.ping()
            shutil.copytree(own.folder, old)
        late = await seat(client, made.people[1])
        await durable(early, made.items[0], "B")
        await durable(late, made.items[0], "C")
        kill(own.pid)
        await until_ready(client, redis=False)
        await durable(late, made.items[0], "D")
        for file in own.folder.glob("*.aof"):
            file.unlink()
            if comes_back == "stale":
                shutil.copy(old / file.name, file)
        await asyncio.to_thread(own.start)
        await until_ready(client, redis=True)
        # What it has is old or nothing, and what is shown is right.
        assert (await early.state())["responses"][str(made.items[0])]["value"] == "B"
        assert (await late.state())["responses"][str(made.items[0])]["value"] == "D"
        for one in (early, late):
            assert (await one.send()).json()["durability"] == "durable"
        async with asking(own) as client_of_own:
            for one in (early, late):
                key = f"hf:*:a:{one.person.attempt}"

                async def told(key=key):
                    keys = await client_of_own.keys(key)
                    return [await client_of_own.hexists(name, "facts") for name in keys]

                await until(told, lambda seen: seen == [True], "the facts of a candidate who was heard again")
    async with running(NO_POSTGRES, own.url) as (app, client):
        await until_ready(client, postgres=False, ready=True)
        for one, value in ((early, "E"), (late, "F")):
            one.client = client
            assert await answered(one, made.items[0], value) == "buffered"
        refused = await client.get("/attempt", headers=early.headers)
        assert (refused.status_code, refused.json()["code"]) == (503, "record-away")
        assert int(refused.headers["retry-after"]) >= 1
    async with running(fresh_url, own.url) as (app, client):
        await until_ready(client, postgres=True, redis=True)
        await drained(app)
        for one, value in ((early, "E"), (late, "F")):
            one.client = client
            assert (await one.state())["responses"][str(made.items[0])]["value"] == value


async def test_a_truncated_append_only_file_is_loaded_and_said(fresh_url, own, made):
    """Cut in the middle of its last entry, as a power cut leaves it: all entries before it are drained."""
    async with running(fresh_url, own.url) as (app, client):
        await until_ready(client, postgres=True, redis=True)
        one, other = await seat(client, made.people[0]), await seat(client, made.people[1])
        with Away(app):
            for who in (one, other):
                reply = await who.answer(made.items[0], "A")
                assert reply.json()["durability"] == "buffered", reply.text
            kill(own.pid)
        (file,) = own.folder.glob("*.aof")
        whole = file.read_bytes()
        # From the last thing written about the second candidate on, nothing: its entry is gone, its browser has it.
        at = whole.rfind(str(other.person.attempt).encode())
        os.truncate(file, whole.rfind(b"\r\n*", 0, at) + 20)
        with capture_logs() as logs:
            await asyncio.to_thread(own.start)
        assert "redis append-only file truncated" in [line["event"] for line in logs]
        await until_ready(client, postgres=True, redis=True)
        await drained(app)
        assert (await one.state())["responses"][str(made.items[0])]["value"] == "A"
        assert (await other.send(other.response(made.items[0], "A"))).json()["durability"] == "durable"
        assert (await other.state())["responses"][str(made.items[0])]["value"] == "A"


async def _full(ask, _folder) -> None:
    await ask.config_set("maxmemory", 1)


async def _roomy(ask, _folder) -> None:
    await ask.config_set("maxmemory", 0)


async def _replica(ask, _folder) -> None:
    await ask.execute_command("REPLICAOF", "127.0.0.1", "1")


async def _master(ask, _folder) -> None:
    await ask.execute_command("REPLICAOF", "NO", "ONE")


async def _saved(ask, status: str) -> None:
    async def look():
        with contextlib.suppress(ResponseError):  # the last one is still being written
            await ask.bgsave()
        return (await ask.info("persistence"))["rdb_last_bgsave_status"]

    await until(look, lambda seen: seen == status, f"a snapshot that ends {status}")


async def _no_snapshot(ask, folder) -> None:
    (folder / "dump.rdb").mkdir()
    await ask.config_set("save", "3600 1000000")
    await _saved(ask, "err")


async def _snapshot(ask, folder) -> None:
    (folder / "dump.rdb").rmdir()
    await _saved(ask, "ok")
    # Otherwise it writes one more when it is stopped.
    await ask.config_set("save", "")


REFUSALS = {
    "memory-full": (_full, _roomy),
    "read-only": (_replica, _master),
    "disk-fault": (_no_snapshot, _snapshot),
}


@pytest.mark.parametrize("why", REFUSALS)
async def test_a_redis_that_takes_no_writes_says_so_and_gives_back_what_it_holds(fresh_url, own, made, why):
    spoil, mend = REFUSALS[why]
    async with running(fresh_url, own.url) as (app, client), asking(own) as ask:
        await until_ready(client, postgres=True, redis=True)
        one = await seat(client, made.people[0])
        with Away(app):
            assert (await one.answer(made.items[0], "A")).json()["durability"] == "buffered"
            assert (await readyz(client))["buffered"] == 1
            await spoil(ask, own.folder)
            seen = await until_ready(client, redis=False)
            assert (seen["redis_why"], seen["ready"], seen["status"]) == (why, False, 503)
            # Neither store takes it: refused, not promised.
            refused = await one.answer(made.items[1], ["A"])
            assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
            assert int(refused.headers["retry-after"]) >= 1
        await until_ready(client, postgres=True, redis=False)
        # What it promised before is read and drained all the same.
        assert (await one.state())["responses"][str(made.items[0])]["value"] == "A"
        await durable(one, made.items[2], "T")
        other = await seat(client, made.people[1])
        await durable(other, made.items[0], "B")
        await mend(ask, own.folder)
        await until_ready(client, redis=True)
        with Away(app):
            reply = await one.answer(made.items[3], ["1"])
            assert (reply.status_code, reply.json().get("durability")) == (200, "buffered"), reply.text
        await until_ready(client, postgres=True)
        await drained(app)
        assert set((await one.state())["responses"]) == {str(made.items[n]) for n in (0, 2, 3)}
