"""PostgreSQL behind a line that swallows every byte: accepted, acknowledged, and never answered."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url, text

from app.settings import Settings
from app.storage.postgres.engine import connect, create_engine
from app.worker import loops
from failover.proxy import Proxy
from tests.candidates import SECRET, Candidate, running, test_settings
from tests.factories import world

pytestmark = pytest.mark.faults
CAP_S = 120


@asynccontextmanager
async def behind_a_line(url: str):
    """(line, URL through it); only for a PostgreSQL on a unix socket, as the tests' own is."""
    there = make_url(url)
    host = there.query.get("host") or there.host or ""
    if not str(host).startswith("/"):
        pytest.skip("the proxy leads to a unix socket")
    port = there.query.get("port") or there.port or 5432
    async with Proxy(Path(str(host)) / f".s.PGSQL.{port}") as line:
        through = there.set(host="127.0.0.1", port=line.port, query={})
        yield line, through.render_as_string(hide_password=False)


async def until(condition, what: str) -> None:
    seen = None
    deadline = time.monotonic() + CAP_S
    while time.monotonic() < deadline:
        if (seen := await condition()) is True:
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"never: {what}; seen last: {seen}")


@pytest.mark.timeout(CAP_S * 4)
async def test_a_black_hole_is_told_within_its_bound_and_left_without_a_restart(fresh_url, redis_url, redis, fresh_db):
    made = await world(fresh_db, SECRET.encode(), candidates=2)
    limits = {"hold_timeout": 1, "connect_timeout": 1}
    stop = asyncio.Event()
    async with behind_a_line(fresh_url) as (line, through), running(through, redis_url, **limits) as (_, client):
        worker = asyncio.create_task(
            loops.run(test_settings(**limits), database_url=through, redis_url=redis_url, stop=stop)
        )
        try:

            async def ready():
                reply = await client.get("http://test/readyz")
                return (reply.status_code == 200 and reply.json()["postgres"]) or reply.text

            await until(ready, "ready")
            first, second = (Candidate(client, person) for person in made.people)
            assert (await first.sign_in()).status_code == 200
            assert (await first.answer(made.items[0], "A")).json()["durability"] == "durable"
            async with line.broken("drop"):
                # Nobody has written since: only the sign-in itself finds out.
                async with asyncio.timeout(CAP_S):
                    refused = await second.sign_in()
                assert refused.status_code == 503, refused.text
                assert int(refused.headers["retry-after"]) >= 1

                async def buffered():
                    reply = await first.answer(made.items[2], "T")
                    return (reply.status_code == 200 and reply.json()["durability"] == "buffered") or reply.text

                await until(buffered, "buffered")

            async def drained():
                async with fresh_db.connect() as conn:
                    value = await conn.scalar(
                        text("SELECT value #>> '{}' FROM response WHERE item_id = :i"), {"i": made.items[2]}
                    )
                return value == "T" or value

            # Nobody sends anything: the drain finds its way back by itself.
            await until(drained, "drained")
            await until(ready, "ready again")

            async def signed_in():
                reply = await second.sign_in()
                return reply.status_code == 200 or reply.text

            await until(signed_in, "signed in")
            assert (await second.answer(made.items[0], "B")).status_code == 200
        finally:
            stop.set()
            await worker


@pytest.mark.timeout(CAP_S * 2)
async def test_a_pooled_connection_that_hangs_is_cut_and_nothing_is_cancelled(fresh_url):
    engine = create_engine(fresh_url, Settings(hold_timeout=1), name="holdfast-hung", bounded=True)
    look = await asyncpg.connect(fresh_url)
    try:
        with pytest.raises(Exception, match="closed"):
            async with engine.connect() as conn:
                await conn.execute(text("SELECT pg_sleep(600)"))
        # The statement was left to the server: it runs on there, and is nobody's business here.
        state = await look.fetchval(
            "SELECT state FROM pg_stat_activity WHERE application_name = 'holdfast-hung' AND query LIKE '%pg_sleep%'"
        )
        assert state == "active"
        async with engine.connect() as conn:
            assert await conn.scalar(text("SELECT 1")) == 1
        await look.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)'")
    finally:
        await look.close()
        await engine.dispose()


async def test_a_pooled_connection_that_is_returned_in_time_is_not_cut(fresh_url):
    engine = create_engine(fresh_url, Settings(hold_timeout=1), bounded=True, pool_size=1)
    try:
        async with engine.connect() as conn:
            first = await conn.scalar(text("SELECT pg_backend_pid()"))
        await asyncio.sleep(1.5)
        async with engine.connect() as conn:
            assert await conn.scalar(text("SELECT pg_backend_pid()")) == first
    finally:
        await engine.dispose()


async def test_both_ends_of_a_network_line_give_up_a_silent_one(fresh_url):
    settings = Settings(line_timeout=10)
    async with behind_a_line(fresh_url) as (_, through):
        connection = await connect(through, settings, name="holdfast-line")
        raw = connection._transport.get_extra_info("socket")
        assert raw.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000
        assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 5
        # The server's end is a unix socket here, where these say 0; that they are taken is what matters.
        assert await connection.fetchval("SHOW tcp_user_timeout") in ("0", "10s")
        await connection.close()
