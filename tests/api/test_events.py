"""The push to a candidate's page, read from the running application as a page reads it."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
import pytest
from sqlalchemy import text

from app.api.events import MOST_STREAMS, RECONNECT_WITHIN_MS
from app.storage.redis.events import Event
from app.worker.loops import Drain
from tests.candidates import SECRET, Candidate, running
from tests.checkpoint.test_stores_away import Away
from tests.factories import open_relog, world

WAIT_S = 60


@pytest.fixture
async def made(fresh_db):
    return await world(fresh_db, SECRET.encode())


class Stream:
    """Server-sent events by the ASGI protocol: httpx' transport would wait for the end of a body that has none."""

    def __init__(self) -> None:
        self.status = 0
        self._text = ""
        self._frames: asyncio.Queue[tuple[str, dict] | None] = asyncio.Queue()
        self.gone = asyncio.Event()
        self.seen: list[str] = []

    async def send(self, message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        self._text += message.get("body", b"").decode()
        *whole, self._text = self._text.split("\n\n")
        for part in whole:
            lines = dict(line.split(": ", 1) for line in part.splitlines() if not line.startswith(":"))
            if lines:
                self._frames.put_nowait((lines["event"], json.loads(lines["data"])))
        if not message.get("more_body"):
            self._frames.put_nowait(None)

    async def receive(self):
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def next(self) -> tuple[str, dict] | None:
        """The next event; None at the end of the stream."""
        try:
            async with asyncio.timeout(WAIT_S):
                event = await self._frames.get()
        except TimeoutError:
            pytest.fail(f"nothing more came after {self.seen}")
        self.seen.append(event[0] if event else "the end")
        return event

    async def until(self, name: str) -> dict:
        """The data of the next event of that name."""
        while (event := await self.next()) is not None:
            if event[0] == name:
                return event[1]
        pytest.fail(f"no {name} in {self.seen}")


@asynccontextmanager
async def stream(app, token: str):
    one = Stream()
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/api/v1/attempt/events", "raw_path": b"/api/v1/attempt/events", "query_string": b"", "root_path": "",
        "headers": [(b"authorization", f"Bearer {token}".encode()), (b"host", b"test")],
        "client": ("127.0.0.1", 1), "server": ("test", 80), "state": {},
    }  # fmt: skip
    task = asyncio.create_task(app(scope, one.receive, one.send))
    try:
        yield one
    finally:
        one.gone.set()
        task.cancel()
        await asyncio.wait({task})


async def seated(client, person) -> Candidate:
    one = Candidate(client, person)
    assert (await one.sign_in()).status_code == 200
    return one


async def heard(app) -> None:
    """Wait until this process hears the site's events."""
    site = app.state.deps.site
    async with asyncio.timeout(WAIT_S):
        while not (await site.store.client.pubsub_numsub(site.keys.events))[0][1]:
            await asyncio.sleep(0.02)


async def test_a_stream_begins_with_what_shows_a_restored_record(fresh_url, redis_url, redis, made):
    async with running(fresh_url, redis_url) as (app, client):
        one = await seated(client, made.people[0])
        await one.answer(made.items[0], "A")
        async with stream(app, one.token) as events:
            name, data = await events.next()
    assert name == "snapshot"
    assert set(data) == {"attempt_id", "epoch", "clock", "state", "count", "lineage"}
    assert (data["count"], data["epoch"]) == (1, one.epoch)
    assert data["lineage"] == app.state.deps.site.service_time.lineage_uid


async def test_buffered_answers_are_told_when_they_are_durable_without_being_asked(fresh_url, redis_url, redis, made):
    async with running(fresh_url, redis_url) as (app, client):
        one, other = await seated(client, made.people[0]), await seated(client, made.people[1])
        await heard(app)
        site = app.state.deps.site
        async with stream(app, one.token) as events, stream(app, other.token) as others:
            assert (await events.next())[0] == "snapshot"
            assert (await others.next())[0] == "snapshot"
            with Away(app):
                reply = await one.answer(made.items[0], "A")
                assert reply.json()["items"][0]["status"] == "buffered"
                await other.answer(made.items[2], "T")
            draining = Drain(site)
            try:
                assert await draining.run() == 2
            finally:
                await draining.close()
            told, told_other = await events.until("settled"), await others.until("settled")
    lineage = site.service_time.lineage_uid
    assert told == {
        "items": [{"item": made.items[0], "rev": 1, "epoch": one.epoch, "status": "durable"}],
        "count": 1,
        "lineage": lineage,
    }
    assert [word["item"] for word in told_other["items"]] == [made.items[2]], "each hears its own"


async def test_what_the_drain_strands_is_told_with_the_reason(fresh_url, redis_url, redis, made, fresh_db):
    """The relog was not told to Redis, so the old device could still buffer; its stamp lies after the grant."""
    async with running(fresh_url, redis_url) as (app, client):
        old = await seated(client, made.people[0])
        await heard(app)
        site = app.state.deps.site
        async with stream(app, old.token) as events:
            await events.next()
            with Away(app):
                await old.answer(made.items[0], "B")
            async with fresh_db.begin() as conn:
                await conn.execute(
                    text("UPDATE attempt SET epoch = :e, grants = grants || CAST(:g AS jsonb) WHERE id = :a"),
                    {"e": old.epoch + 1, "g": json.dumps([[old.epoch + 1, 0]]), "a": made.people[0].attempt},
                )
            draining = Drain(site)
            try:
                assert await draining.run() == 1
            finally:
                await draining.close()
            (word,) = (await events.until("settled"))["items"]
    assert word == {"item": made.items[0], "rev": 1, "epoch": old.epoch, "status": "stranded", "code": "old_epoch"}


async def test_a_process_that_is_asked_to_end_says_so_before_it_closes_the_stream(fresh_url, redis_url, redis, made):
    async with running(fresh_url, redis_url) as (app, client):
        one, late = await seated(client, made.people[0]), await seated(client, made.people[1])
        async with stream(app, one.token) as events:
            await events.next()
            app.state.deps.site.closing.set()
            assert await events.next() == ("reconnect", {"within_ms": RECONNECT_WITHIN_MS})
            assert await events.next() is None
        async with stream(app, late.token) as events:
            # One that was opened in the last moment is told the same, not left hanging.
            assert [await events.next() for _ in range(3)][1:] == [
                ("reconnect", {"within_ms": RECONNECT_WITHIN_MS}),
                None,
            ]


async def test_a_start_that_is_given_or_moved_is_told_to_waiting_pages(fresh_url, redis_url, redis, made, fresh_db):
    async with running(fresh_url, redis_url) as (app, client):
        one = await seated(client, made.people[0])
        known = app.state.deps.known
        async with stream(app, one.token) as events:
            await events.next()
            async with asyncio.timeout(WAIT_S):
                while not known.plans:
                    await asyncio.sleep(0.02)
            async with fresh_db.begin() as conn:
                await conn.execute(text("UPDATE session SET start_ms = 60000 WHERE id = :s"), {"s": made.session_id})
            assert await events.next() == ("clock", {})
        assert known.plans[made.session_id] == 60000


async def test_one_candidate_does_not_fill_a_process_with_streams(fresh_url, redis_url, redis, made):
    async with running(fresh_url, redis_url) as (app, client), AsyncExitStack() as opened:
        one = await seated(client, made.people[0])
        streams = []
        for _ in range(MOST_STREAMS + 2):
            streams.append(await opened.enter_async_context(stream(app, one.token)))
            assert (await streams[-1].next())[0] == "snapshot"
        for oldest in streams[:2]:
            assert await oldest.next() is None
        app.state.hub.hand_out(Event("clock", attempt=str(made.people[0].attempt)))
        assert [(await newest.next())[0] for newest in streams[2:]] == ["clock"] * MOST_STREAMS


async def test_a_move_ends_the_old_seat_s_stream_and_not_the_new_one_s(fresh_url, redis_url, redis, made, fresh_db):
    async with running(fresh_url, redis_url) as (app, client):
        old = await seated(client, made.people[0])
        await heard(app)
        async with stream(app, old.token) as events:
            await events.next()
            await open_relog(fresh_db, made, made.people[0], made.spares[0])
            new = await seated(client, made.people[0])
            assert await events.until("superseded") == {"epoch": new.epoch}
            assert await events.next() is None
        async with stream(app, old.token) as events:
            async with asyncio.timeout(WAIT_S):
                while not events.status:
                    await asyncio.sleep(0.02)
            assert events.status == 409


async def test_nothing_is_told_before_the_commit(fresh_url, redis_url, redis, made):
    """While somebody holds the attempt's row the drain cannot commit, and nobody hears of a durable answer."""
    async with running(fresh_url, redis_url) as (app, client):
        one = await seated(client, made.people[0])
        await heard(app)
        holder = await asyncpg.connect(fresh_url)
        draining = Drain(app.state.deps.site)
        try:
            async with stream(app, one.token) as events:
                await events.next()
                with Away(app):
                    await one.answer(made.items[0], "A")
                async with holder.transaction():
                    await holder.execute("SELECT 1 FROM attempt WHERE id = $1 FOR UPDATE", made.people[0].attempt)
                    with pytest.raises(asyncpg.LockNotAvailableError):
                        await draining.run()
                # Told in order: had the first try said a word, it would come before this one.
                assert await draining.run() == 1
                told = await events.until("settled")
            assert told["items"][0]["status"] == "durable"
            assert told["count"] == await holder.fetchval("SELECT max(count) FROM attempt")
            assert events.seen == ["snapshot", "settled"]
        finally:
            await draining.close()
            await holder.close()
