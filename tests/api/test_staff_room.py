"""The live room: what the page is told, how often, and by how much work."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import socket
from datetime import timedelta

import httpx
import pytest
import uvicorn
from sqlalchemy import event, text

from app.main import create_app
from app.services import room, room_feed, staff_accounts
from tests.candidates import SECRET, Candidate, running, test_settings
from tests.factories import world
from tests.staff import signed_in


@pytest.fixture
async def made(fresh_db):
    return await world(fresh_db, SECRET.encode())


@pytest.fixture
async def hall(fresh_url, redis_url, redis, made):
    async with running(fresh_url, redis_url, silent_after=timedelta(seconds=1)) as (app, client):
        yield app, client


@pytest.fixture
def client(hall):
    return hall[1]


@pytest.fixture
async def invigilator(client, fresh_db, made):
    return await signed_in(client, fresh_db, "invigilator", room_ids=[made.room_id])


async def test_the_room_tells_who_sits_where_in_which_state(client, fresh_db, made, invigilator):
    one, two, three = (Candidate(client, person) for person in made.people[:3])
    for candidate in (one, two, three):
        await candidate.sign_in()
    await one.answer(made.items[0], "A")
    await one.answer(made.items[1], ["A", "C"])
    await one.answer(made.items[0], None)  # cleared again: one answer, not two
    await three.send(path="hand-in")
    await asyncio.sleep(1.1)
    await one.send()  # a heartbeat: two stays silent
    told = await invigilator.room(made.room_id, made.session_id)
    states = {seat["label"]: seat["occupant"] and seat["occupant"]["state"] for seat in told["seats"]}
    assert states == {"1": "answering", "2": "silent", "3": "handed_in", "4": "not_arrived", "备1": None, "备2": None}
    first = told["seats"][0]["occupant"]
    assert (first["ticket"], first["answered"], first["total"]) == (made.people[0].ticket, 1, 10)
    assert told["seats"][1]["occupant"]["silent_s"] >= 1
    assert told["counts"] == {
        "expected": 4, "arrived": 3, "not_arrived": 1, "waiting": 0, "answering": 1, "silent": 1, "handed_in": 1,
        "timed_out": 0, "forced": 0, "paused": 0, "deferred": 0, "checked_in": 0, "absent": 0, "on_leave": 0,
    }  # fmt: skip
    assert (told["clock"]["state"], told["spare_left"]) == ("running", 2)
    # Neither an answer nor an ID number is for this page.
    assert made.people[0].tail not in json.dumps(told)


async def test_a_room_costs_a_fixed_number_of_statements(fresh_db, made):
    larger = await world(fresh_db, SECRET.encode(), code="larger", candidates=30)
    statements: list[str] = []
    event.listen(fresh_db.sync_engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    counts = []
    for one in (made, larger):
        statements.clear()
        async with fresh_db.connect() as conn:
            loaded = await room.load(conn, one.room_id, one.session_id)
        assert len(loaded.seats) == len(one.people) + 2
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 8


async def test_answers_are_counted_again_only_for_those_who_answered(client, fresh_db, made):
    one = Candidate(client, made.people[0])
    await one.sign_in()
    known: room.Answered = {}

    async def answered() -> dict:
        async with fresh_db.connect() as conn:
            return dict((await room.load(conn, made.room_id, made.session_id, known)).answered)

    await one.answer(made.items[0], "A")
    assert (await answered())[made.people[0].attempt] == 1
    # A response that appears without its count moving is not looked for: proof that nothing is counted twice.
    async with fresh_db.begin() as conn:
        await conn.execute(text("DELETE FROM response"))
    assert (await answered())[made.people[0].attempt] == 1
    await one.answer(made.items[1], ["A"])
    assert (await answered())[made.people[0].attempt] == 1  # the deleted one is gone, the new one counts


async def test_a_session_of_another_exam_is_not_found(client, fresh_db, made):
    other = await world(fresh_db, SECRET.encode(), code="other")
    office = await signed_in(client, fresh_db, "office")
    for path in (f"/rooms/{made.room_id}", f"/rooms/{made.room_id}/events"):
        reply = await office.get(path, session=other.session_id)
        assert (reply.status_code, reply.json()["code"]) == (404, "not-found")
    assert (await office.get(f"/rooms/{made.room_id}")).status_code == 422


# --- the stream ---


@contextlib.asynccontextmanager
async def listening(fresh_url, redis_url, **changes):
    """The application behind a real uvicorn, because an in-process transport hands a stream over only at its end."""
    app = create_app(test_settings(**changes), database_url=fresh_url, redis_url=redis_url)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_config=None, lifespan="on", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        async with asyncio.timeout(40):
            while not server.started:
                await asyncio.sleep(0.01)
        base = f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1"
        async with httpx.AsyncClient(base_url=base, timeout=60) as client:
            yield app, client
        server.should_exit = True
        await serving


@pytest.fixture
def serve(fresh_url, redis_url, redis):
    """``async with serve(**settings) as (app, client)``."""
    return functools.partial(listening, fresh_url, redis_url)


class Stream:
    """Events of one open stream, each within a few seconds."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()

    async def next(self, name: str) -> dict:
        found = ""
        async with asyncio.timeout(40):
            async for line in self._lines:
                if line.startswith("event: "):
                    found = line.removeprefix("event: ")
                elif line.startswith("data: ") and found == name:
                    return json.loads(line.removeprefix("data: "))
        raise AssertionError(f"the stream ended without {name}")

    async def ended(self) -> None:
        async with asyncio.timeout(40):
            async for _ in self._lines:
                pass


@contextlib.asynccontextmanager
async def watching(member, made):
    url = f"/staff/rooms/{made.room_id}/events"
    async with member.client.stream("GET", url, params={"session": made.session_id}, headers=member.headers) as reply:
        assert reply.status_code == 200
        assert reply.headers["content-type"].startswith("text/event-stream")
        assert reply.headers["cache-control"] == "no-store"
        yield Stream(reply)


async def test_the_stream_begins_with_the_room_and_tells_every_change(serve, fresh_db, made):
    async with serve() as (_, client):
        member = await signed_in(client, fresh_db, "invigilator", room_ids=[made.room_id])
        async with watching(member, made) as stream:
            assert (await stream.next("room"))["counts"]["arrived"] == 0
            await Candidate(client, made.people[0]).sign_in()
            while (await stream.next("room"))["counts"]["arrived"] != 1:
                pass
            told = (await member.relog(made.people[0].attempt, to_seat_id=made.spares[0])).json()["relog"]
            while (seen := await stream.next("room"))["seats"][0]["occupant"]["relog"] is None:
                pass
            assert seen["seats"][0]["occupant"]["relog"]["id"] == told["id"]
            assert seen["suggested_seat_id"] == made.spares[1]


async def test_watchers_of_one_room_share_one_look_and_the_last_one_ends_it(serve, fresh_db, made):
    async with serve() as (app, client):
        member = await signed_in(client, fresh_db, "office")
        async with watching(member, made) as first, watching(member, made) as second:
            await first.next("room")
            await second.next("room")
            feeds = app.state.room_feeds
            assert [feed.watchers for feed in feeds.feeds.values()] == [2]
        async with asyncio.timeout(40):
            while feeds.feeds:
                await asyncio.sleep(0.05)


async def test_a_revoked_login_loses_its_stream(serve, fresh_db, made, monkeypatch):
    monkeypatch.setattr("app.api.staff.LOGIN_CHECK_S", 0.2)
    async with serve() as (_, client):
        member = await signed_in(client, fresh_db, "invigilator", room_ids=[made.room_id])
        async with watching(member, made) as stream:
            await stream.next("room")
            async with fresh_db.begin() as conn:
                await staff_accounts.revoke(conn, member.username, disable=False)
            assert (await stream.next("closed"))["code"] == "login-ended"
            await stream.ended()


async def test_an_invigilator_who_loses_the_room_loses_its_stream(serve, fresh_db, made, monkeypatch):
    monkeypatch.setattr("app.api.staff.LOGIN_CHECK_S", 0.2)
    async with serve() as (_, client):
        member = await signed_in(client, fresh_db, "invigilator", room_ids=[made.room_id])
        async with watching(member, made) as stream:
            await stream.next("room")
            async with fresh_db.begin() as conn:
                await staff_accounts.assign(conn, member.username, [])
            assert (await stream.next("closed"))["code"] == "not-permitted"


async def test_a_stream_ends_by_itself_after_its_life(serve, fresh_db, made):
    async with serve(stream_life=timedelta(seconds=0.5)) as (_, client):
        member = await signed_in(client, fresh_db, "office")
        async with watching(member, made) as stream:
            await stream.next("room")
            await stream.ended()


async def test_a_foreign_room_has_no_stream(client, fresh_db, made):
    member = await signed_in(client, fresh_db, "invigilator")
    reply = await member.get(f"/rooms/{made.room_id}/events", session=made.session_id)
    assert (reply.status_code, reply.json()["code"]) == (403, "not-permitted")


async def test_a_watch_goes_on_after_a_fault_and_says_once_that_it_cannot_look(monkeypatch):
    monkeypatch.setattr(room_feed, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(room_feed, "CLOSEST_S", 0.01)
    board: room_feed.Board[str] = room_feed.Board()
    fault: list[Exception] = []
    forgotten: list[int] = []
    news = ["one"]

    async def look(_asked):
        if fault:
            raise fault[0]
        if news:
            await board.put(news.pop())

    watch = room_feed.Watch(look, lambda: forgotten.append(1), {1: board})
    watch.task = board.task = asyncio.create_task(watch.run())
    try:
        first = await board.newer_than(0, 5)
        assert first.text == "one"
        assert await board.newer_than(first.n, 0.2) is None
        fault.append(OSError("no database"))
        away = await board.newer_than(first.n, 60)
        assert (away.text, len(forgotten)) == (None, 1)
        assert await board.newer_than(away.n, 0.2) is None  # said once
        fault.clear()
        news.append("two")
        back = await board.newer_than(away.n, 60)
        assert back.text == "two"
        fault.append(ValueError("a bug must be seen"))
        await asyncio.wait([watch.task], timeout=60)
        with pytest.raises(ValueError, match="a bug"):
            await board.newer_than(back.n, 0.2)
    finally:
        watch.task.cancel()
