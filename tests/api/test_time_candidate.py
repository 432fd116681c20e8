"""What a decision about time does to a candidate's page: pushed, in the next reply, on another server, without either
store, and when it comes too late."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from app.domain.clock import NEVER_MS
from app.services import ending, timing
from app.storage.postgres import adjustments
from tests.api.test_events import heard, seated, stream
from tests.candidates import SECRET, running
from tests.checkpoint.test_stores_away import Away, until
from tests.factories import world

MINUTE = 60_000


@pytest.fixture
async def made(fresh_db):
    return await world(fresh_db, SECRET.encode())


class Office:
    """Decides by the steps of ``services.timing``, without a person: what may be decided is tested elsewhere."""

    def __init__(self, app, engine, made) -> None:
        self.site, self.engine, self.made = app.state.deps.site, engine, made
        self.n = 0

    async def decide(self, kind: str, *people, tell: bool = True, notice: dict | None = None, **entry) -> int:
        """Enter one entry about ``people``, now; its id."""
        self.n += 1
        ids = sorted(person.attempt for person in people)
        async with self.engine.begin() as conn:
            locked = text("SELECT id FROM attempt WHERE id = ANY(:a) ORDER BY id FOR NO KEY UPDATE")
            await conn.execute(locked, {"a": ids})
            now_ms = self.site.service_time.now_ms()
            if kind == "pause":
                entry.setdefault("from_ms", now_ms)
            if kind == "resume":
                entry["to_ms"] = now_ms
            made = await adjustments.insert_entry(
                conn, kind, session_id=self.made.session_id, members=ids, reason=entry.pop("reason", "power"),
                source=f"test:{self.n}", now_ms=now_ms, **entry,
            )  # fmt: skip
            moved = await adjustments.settle(conn, ids, now_ms)
        if tell:
            await timing.announce(self.site, self.made.session_id, moved, notice)
        assert made is not None
        return made

    async def attempt(self, person) -> dict:
        async with self.engine.connect() as conn:
            found = await conn.execute(text("SELECT * FROM attempt WHERE id = :a"), {"a": person.attempt})
            return dict(found.mappings().one())

    async def pass_by(self, ms: int) -> None:
        """Wait until the service clock has counted so much."""
        reached = self.site.service_time.now_ms() + ms

        async def there() -> bool:
            return self.site.service_time.now_ms() >= reached

        await until(there, f"{ms} ms of service time")


NOTICE = {"id": 7, "kind": "pause", "zh": "考试已暂停", "en": "The exam is paused"}


async def test_a_pause_and_its_end_reach_the_open_page(fresh_url, redis_url, redis, fresh_db, made):
    async with running(fresh_url, redis_url) as (app, client):
        office = Office(app, fresh_db, made)
        one, other = await seated(client, made.people[0]), await seated(client, made.people[1])
        before = (await one.state())["clock"]
        await heard(app)
        async with stream(app, one.token) as events, stream(app, other.token) as others:
            assert (await events.next())[1]["state"] == "running"
            assert (await others.next())[1]["state"] == "running"
            pause = await office.decide("pause", one.person, notice=NOTICE, scope="room")
            name, data = await events.next()
            assert (name, data["notice"], data["clock"]["state"]) == ("paused", NOTICE, "paused")
            assert data["clock"]["ends_at"] is None
            left_ms = data["clock"]["remaining_ms"]
            assert 0 <= before["remaining_ms"] - left_ms <= data["clock"]["service_ms"] - before["service_ms"]
            await office.pass_by(1200)
            reply = (await one.answer(made.items[0], "A")).json()
            # What was typed as the pause arrived is kept, and not a millisecond has gone.
            assert reply["items"][0]["status"] == "durable"
            assert (reply["state"], reply["clock"]["remaining_ms"]) == ("paused", left_ms)
            await office.decide("resume", one.person, refers_id=pause)
            name, data = await events.next()
            assert (name, data["clock"]["state"]) == ("resumed", "running")
            assert 0 <= left_ms - data["clock"]["remaining_ms"] < 1000
            assert [part["kind"] for part in data["clock"]["because"]] == ["planned", "pause"]
            assert data["clock"]["because"][1]["text_zh"].startswith("考室断电 0:0")
            assert data["clock"]["because"][1]["ms"] >= 1200
            # Whom it was not about has heard nothing of it.
            await office.decide("extend", other.person, amount_ms=MINUTE)
            name, data = await others.next()
            assert (name, data["clock"]["because"][1]["ms"]) == ("clock", MINUTE)
    row = await office.attempt(one.person)
    # The session began at 0.
    assert row["end_ms"] == row["allotted_ms"] + await paused_ms(fresh_db, one.person)


async def paused_ms(engine, person) -> int:
    async with engine.connect() as conn:
        return await conn.scalar(
            text(
                "SELECT sum(r.to_ms - p.from_ms) FROM adjustment r JOIN adjustment p ON p.id = r.refers_id"
                " JOIN adjustment_attempt m ON m.adjustment_id = r.id WHERE m.attempt_id = :a"
            ),
            {"a": person.attempt},
        )


async def test_who_is_held_twice_goes_on_when_neither_holds_them(fresh_url, redis_url, redis, fresh_db, made):
    async with running(fresh_url, redis_url) as (app, client):
        office = Office(app, fresh_db, made)
        one = await seated(client, made.people[0])
        room = await office.decide("pause", one.person, scope="room")
        site = await office.decide("pause", one.person, scope="site", reason="fire")
        left_ms = (await one.send()).json()["clock"]["remaining_ms"]
        await office.decide("resume", one.person, refers_id=room)
        still = (await one.send()).json()["clock"]
        assert (still["state"], still["remaining_ms"]) == ("paused", left_ms)
        await office.decide("resume", one.person, refers_id=site)
        assert (await one.send()).json()["clock"]["state"] == "running"
        row = await office.attempt(one.person)
        assert row["left_ms"] is None
        assert row["end_ms"] < NEVER_MS


async def test_the_time_of_a_paused_attempt_does_not_run_out(fresh_url, redis_url, redis, fresh_db, made):
    async with running(fresh_url, redis_url) as (app, client):
        office = Office(app, fresh_db, made)
        one, other = await seated(client, made.people[0]), await seated(client, made.people[1])
        async with fresh_db.begin() as conn:
            soon = "UPDATE attempt SET allotted_ms = :ms, end_ms = :ms"
            await conn.execute(text(soon), {"ms": office.site.service_time.now_ms() + 1500})
        pause = await office.decide("pause", one.person)
        left_ms = (await office.attempt(one.person))["left_ms"]
        await office.pass_by(2000)

        async def swept() -> bool:
            await ending.sweep(office.site)
            return (await office.attempt(other.person))["state"] != "open"

        await until(swept, "the end of who was not paused")
        assert (await one.answer(made.items[0], "A")).json()["state"] == "paused"
        assert (await office.attempt(one.person))["state"] == "open"
        await office.decide("resume", one.person, refers_id=pause)
        row = await office.attempt(one.person)
        resumed = office.site.service_time.now_ms()
        assert 0 < left_ms <= 1500
        assert row["end_ms"] - resumed <= left_ms


async def test_nobody_hands_in_while_the_exam_is_paused(fresh_url, redis_url, redis, fresh_db, made):
    async with running(fresh_url, redis_url) as (app, client):
        office = Office(app, fresh_db, made)
        one = await seated(client, made.people[0])
        pause = await office.decide("pause", one.person)
        reply = await one.send(one.response(made.items[0], "A"), path="hand-in")
        assert (reply.status_code, reply.json()["code"]) == (409, "attempt-paused")
        # Refused is the end, not the answers.
        assert (await one.state())["responses"][str(made.items[0])]["value"] == "A"
        await office.decide("resume", one.person, refers_id=pause)
        one.seq += 1
        reply = await one.send(path="hand-in")
        assert reply.json()["receipt"]["answered"] == 1


async def test_a_pause_taken_back_was_never_there(fresh_url, redis_url, redis, fresh_db, made):
    async with running(fresh_url, redis_url) as (app, client):
        office = Office(app, fresh_db, made)
        one = await seated(client, made.people[0])
        planned = (await office.attempt(one.person))["end_ms"]
        pause = await office.decide("pause", one.person)
        await office.pass_by(600)
        undo = await office.decide("undo", one.person, refers_id=pause)
        assert (await office.attempt(one.person))["end_ms"] == planned
        await office.decide("undo", one.person, refers_id=undo)
        assert (await one.send()).json()["state"] == "paused"


async def test_a_postponed_candidate_waits_while_their_neighbour_works(fresh_url, redis_url, redis, fresh_db):
    made = await world(fresh_db, SECRET.encode(), start_ms=MINUTE)
    async with running(fresh_url, redis_url) as (app, client):
        office = Office(app, fresh_db, made)
        one, other = await seated(client, made.people[0]), await seated(client, made.people[1])
        await heard(app)
        async with stream(app, one.token) as events:
            assert (await events.next())[1]["clock"]["starts_in_ms"] <= MINUTE
            await office.decide("postpone", one.person, amount_ms=10 * MINUTE, scope="room", reason="late-start")
            clock = (await events.until("clock"))["clock"]
            assert 10 * MINUTE < clock["starts_in_ms"] <= 11 * MINUTE
            assert clock["because"][1]["text_zh"] == "推迟开考（开考延误） 10:00"
        async with fresh_db.begin() as conn:
            # The session begins.
            await conn.execute(text("UPDATE session SET start_ms = 0"))
        await app.state.deps.known.refresh_plans()
        assert (await other.answer(made.items[0], "A")).json()["state"] == "running"
        assert (await one.answer(made.items[0], "A")).json()["code"] == "not-started"
        assert (await client.get("/attempt/paper", headers=one.headers)).json()["code"] == "not-started"
        assert (await one.send()).json()["state"] == "waiting"


async def test_another_server_tells_it_with_its_next_reply(fresh_url, redis_url, redis, fresh_db, made):
    async with running(fresh_url, redis_url) as (app, client), running(fresh_url, redis_url) as (_, elsewhere):
        office = Office(app, fresh_db, made)
        one = await seated(client, made.people[0])
        there = type(one)(elsewhere, one.person)
        there.token, there.seq = one.token, 2
        assert (await there.send()).json()["state"] == "running"
        await office.decide("pause", one.person, tell=False)
        reply = (await there.send()).json()
        assert reply["state"] == "paused"
        assert reply["clock"]["remaining_ms"] == (await office.attempt(one.person))["left_ms"]
        assert (await one.state())["state"] == "paused"


async def test_a_pause_outlasts_an_outage_of_postgresql(fresh_url, redis_url, redis, fresh_db, made):
    async with running(fresh_url, redis_url) as (app, client), running(fresh_url, redis_url) as (other, elsewhere):
        office = Office(app, fresh_db, made)
        one = await seated(client, made.people[0])
        await office.decide("pause", one.person)
        left_ms = (await office.attempt(one.person))["left_ms"]
        # A process that has never heard of this candidate knows it from the hot copy.
        there = type(one)(elsewhere, one.person)
        there.token, there.seq = one.token, 2
        with Away(app), Away(other):
            for page in (one, there):
                reply = (await page.answer(made.items[0], "A")).json()
                assert (reply["durability"], reply["state"]) == ("buffered", "paused")
                assert reply["clock"]["remaining_ms"] == left_ms


async def test_a_stream_that_is_just_opening_misses_nothing(fresh_url, redis_url, redis, fresh_db, made):
    async with running(fresh_url, redis_url) as (app, client):
        office = Office(app, fresh_db, made)
        one = await seated(client, made.people[0])
        await heard(app)
        resume, taken, go_on = app.state.deps.resuming.resume, asyncio.Event(), asyncio.Event()

        async def slow(claims):
            snapshot = await resume(claims)
            taken.set()
            await go_on.wait()
            return snapshot

        app.state.deps.resuming.resume = slow
        async with stream(app, one.token) as events:
            await taken.wait()
            await office.decide("pause", one.person)

            async def arrived() -> bool:
                return str(one.person.attempt) in app.state.hub._paused

            await until(arrived, "the event in this process")
            go_on.set()
            assert (await events.next())[1]["state"] == "running"
            assert (await events.next())[0] == "paused"


async def test_an_end_taken_back_is_not_brought_back_by_a_reply_that_was_late(
    fresh_url, redis_url, redis, fresh_db, made
):
    async with running(fresh_url, redis_url) as (app, client):
        office = Office(app, fresh_db, made)
        one = await seated(client, made.people[0])
        await one.answer(made.items[0], "A")
        await ending.end(office.site, one.person.attempt, "forced")
        hot = office.site.hot()

        async def shown(state: str) -> bool:
            known = await hot.read(one.person.attempt)
            return known is not None and known.state == state

        await until(lambda: shown("ended"), "the hot copy of the end")
        async with fresh_db.begin() as conn:
            reopened = "UPDATE attempt SET state = 'open', ended_ms = NULL, end_reason = NULL"
            await conn.execute(text(reopened))
        await office.decide("reopen", one.person, reason="staff-error")
        assert await shown("open")
        # Another process told of a commit from before it.
        await hot.clocks([(one.person.attempt, 1, "ended", 5)])
        assert await shown("open")
        with Away(app):
            reply = (await one.answer(made.items[0], "B")).json()
            assert (reply["durability"], reply["state"]) == ("buffered", "running")
