"""PostgreSQL frozen, read-only, out of connections, gone together with Redis: said, survived, caught up.

Each story is told by the same application all along: nothing is restarted but the store.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import ExitStack

import asyncpg
import pytest

from tests.candidates import Candidate
from tests.factories import open_relog
from tests.faults.own import (
    answered,
    caught_up,
    frozen,
    hall,
    kill,
    own_postgres,
    own_redis,
    place,
    readyz,
    refused,
    says_what_cannot_work,
    seat,
    until,
    until_answered,
    until_ready,
)

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def own():
    """One server for the stories that leave it as they found it. Few connections, to be taken away."""
    with place() as at, own_postgres(at, max_connections="60", shared_buffers="32MB") as store:
        yield store


class Calls:
    """How often something was called."""

    def __init__(self) -> None:
        self.n = 0

    async def look(self) -> int:
        return self.n


def count_of(owner: object, name: str) -> Calls:
    """Calls of ``owner``'s coroutine function ``name`` from now on."""
    calls, real = Calls(), getattr(owner, name)

    async def counted(*arguments):
        calls.n += 1
        return await real(*arguments)

    setattr(owner, name, counted)
    return calls


async def test_a_disk_that_hangs_means_buffered_and_then_durable(own, redis_url, redis):
    async with hall(own.url, redis_url) as (app, client, _, made):
        one, stranger = await seat(client, made.people[0]), Candidate(client, made.people[1])
        await one.answer(made.items[0], "A")
        with frozen(own.pid):
            await until_answered(one, made.items[2], "T", "buffered")
            seen = await until_ready(client, postgres=False, redis=True)
            assert (seen["postgres_why"], seen["ready"], seen["status"]) == ("no-answer", True, 200)
            assert seen["buffered"] >= 1
            await says_what_cannot_work(one, stranger)
        await until_ready(client, postgres=True)
        await caught_up(app, one, {made.items[0]: "A", made.items[2]: "T"})
        assert (await readyz(client))["buffered"] == 0
        await until_answered(one, made.items[2], "F", "durable")
        assert (await stranger.sign_in()).status_code == 200


async def test_a_process_with_nothing_to_write_says_it_as_well(own, redis_url, redis):
    """Its page would tell staff that all is well, while every answer is buffered by the process beside it."""
    async with hall(own.url, redis_url) as (_, client, _, _):
        await until_ready(client, postgres=True)
        with frozen(own.pid):
            assert (await until_ready(client, postgres=False))["postgres_why"] == "no-answer"
        await until_ready(client, postgres=True)


async def test_a_server_that_turns_read_only_is_not_mistaken_for_one_that_works(own, redis_url, redis):
    async with hall(own.url, redis_url) as (app, client, _, made):
        one, stranger = await seat(client, made.people[0]), Candidate(client, made.people[1])
        await one.answer(made.items[0], "A")
        admin = await asyncpg.connect(own.url, server_settings={"default_transaction_read_only": "off"})
        try:
            await admin.execute("ALTER SYSTEM SET default_transaction_read_only = on")
            await admin.execute("SELECT pg_reload_conf()")
            # Before any checkpoint has met it: whoever does is told the same.
            reply = await until(stranger.sign_in, lambda reply: reply.status_code != 200, "a sign-in that is refused")
            assert await refused(reply) == "record-away"
            await until_answered(one, made.items[2], "T", "buffered")
            seen = await until_ready(client, postgres=False)
            assert seen["postgres_why"] == "read-only"
            await says_what_cannot_work(one, stranger)
            # It accepts connections all the time, and that alone proves nothing: no answer is the one that finds out.
            writer = app.state.deps.site.writer
            away, tries = writer._away, count_of(writer, "_connect")
            for n in range(8):
                seen = tries.n
                assert await answered(one, made.items[3], [str(n)]) == "buffered"
                await until(tries.look, lambda now, seen=seen: now > seen, "another look at it")
            assert writer._away == away, "it was taken for back"
        finally:
            await admin.execute("ALTER SYSTEM RESET default_transaction_read_only")
            await admin.execute("SELECT pg_reload_conf()")
            await admin.close()
        await until_ready(client, postgres=True)
        await caught_up(app, one, {made.items[0]: "A", made.items[2]: "T", made.items[3]: ["7"]})


async def test_no_connection_left_is_said_and_waited_for(own, redis_url, redis):
    """53300: whatever lost its connection gets no new one, and nothing that was promised is lost."""
    async with hall(own.url, redis_url) as (app, client, _, made), contextlib.AsyncExitStack() as taken:
        one, stranger = await seat(client, made.people[0]), Candidate(client, made.people[1])
        await one.answer(made.items[0], "A")
        admin = await asyncpg.connect(own.url)
        taken.push_async_callback(admin.close)

        async def take_all() -> str:
            # Their connections are cut, and the places are taken before they can come again.
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'holdfast%'"
            )
            with contextlib.suppress(asyncpg.TooManyConnectionsError):
                while True:
                    taken.push_async_callback((await asyncpg.connect(own.url)).close)
            return (await readyz(client)).get("postgres_why", "")

        await until(take_all, lambda why: why == "too-many-connections", "a server without a free connection")
        assert await answered(one, made.items[2], "T") == "buffered"
        await says_what_cannot_work(one, stranger)
        await taken.aclose()
        await until_ready(client, postgres=True)
        await caught_up(app, one, {made.items[0]: "A", made.items[2]: "T"})


async def test_both_stores_gone_and_back(redis_url):
    """503 with words and jitter while nobody can take an answer; then all is caught up, by the same application."""
    with ExitStack() as stores:
        at = stores.enter_context(place())
        postgres = stores.enter_context(own_postgres(at / "p", shared_buffers="32MB"))
        redis = stores.enter_context(own_redis(at / "r"))
        async with hall(postgres.url, redis.url) as (app, client, _, made):
            one, two = await seat(client, made.people[0]), await seat(client, made.people[1])
            assert await answered(one, made.items[0], "A") == "durable"
            kill(postgres.pid)
            await until_answered(one, made.items[2], "T", "buffered")
            kill(redis.pid)
            await until_ready(client, postgres=False, redis=False, ready=False, status=503)
            kept = two.response(made.items[0], "B")
            refusals = [await two.send(kept) for _ in range(30)]
            assert {await refused(reply) for reply in refusals} == {"unavailable"}
            assert len({reply.headers["retry-after"] for reply in refusals}) > 1
            for store in (postgres, redis):
                await asyncio.to_thread(store.start)
            await until_ready(client, postgres=True, redis=True, ready=True)
            reply = await until(lambda: two.send(kept), lambda reply: reply.status_code == 200, "an acknowledgement")
            assert reply.json()["durability"] == "durable"
            await caught_up(app, one, {made.items[0]: "A", made.items[2]: "T"})
            await caught_up(app, two, {made.items[0]: "B"})


async def test_a_move_waits_for_the_record_and_says_so(own, redis_url, redis):
    """A new seat is granted by PostgreSQL alone (I5): while it is away the old seat goes on, and nobody gets two."""
    async with hall(own.url, redis_url) as (_, client, engine, made):
        old, new = await seat(client, made.people[0]), Candidate(client, made.people[0])
        await open_relog(engine, made, made.people[0], made.spares[0])
        with frozen(own.pid):
            await until_answered(old, made.items[0], "A", "buffered")
            assert await refused(await new.sign_in()) == "record-away"
            assert await answered(old, made.items[0], "B") == "buffered"
        await until_ready(client, postgres=True)
        reply = await until(new.sign_in, lambda reply: reply.status_code == 200, "signed in at the spare seat")
        assert reply.json()["seat"]["seat"] == "备1"
        assert (await new.state())["responses"][str(made.items[0])]["value"] == "B"
        assert (await old.answer(made.items[0], "C")).status_code == 409
