"""A start that was moved after the sign-in, and a process that begins while PostgreSQL is away: it never saw the move.

What the sign-in left in Redis says when the session was to start then. Whoever goes by it lets a candidate begin before
the postponed start.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.services import scheduling
from app.storage.postgres import exams, schedule
from app.storage.redis.starts import KeptStarts
from tests.candidates import Candidate, running
from tests.faults.own import hall, kill, own_postgres, place, seat, until
from tests.staff import signed_in

pytestmark = pytest.mark.faults
MINUTE = 60_000
AHEAD = 10 * MINUTE


@pytest.fixture
def own():
    with place() as at, own_postgres(at, shared_buffers="32MB") as store:
        yield store


class Day:
    """Two candidates who wait for a session that starts in ten minutes, and an office."""

    def __init__(self, own, redis_url, app, client, engine, made) -> None:
        self.own, self.redis_url = own, redis_url
        self.site, self.client, self.engine, self.made = app.state.deps.site, client, engine, made
        self.people: list[Candidate] = []
        self.office = None

    async def begin(self) -> None:
        self.start_ms = self.site.service_time.now_ms() + AHEAD
        async with self.engine.begin() as conn:
            await conn.execute(text("UPDATE session SET start_ms = :s"), {"s": self.start_ms})
            await conn.execute(text("UPDATE attempt SET end_ms = :s + allotted_ms"), {"s": self.start_ms})
        self.people = [await seat(self.client, person) for person in self.made.people[:2]]
        self.office = await signed_in(self.client, self.engine, "office")

    async def postpone(self, minutes: int, **scope) -> None:
        asked = {
            "action": "postpone", "reason": "late-start", "ms": minutes * MINUTE,
            "scope": {"session": self.made.session_id, **scope},
        }  # fmt: skip
        reply = await self.office.post("/time/actions", asked)
        assert reply.status_code == 200, reply.text

    async def shown(self, start_ms: int | None) -> None:
        """Until Redis has been shown this start: nobody told it at once, so it takes up to a second."""

        async def look():
            seen = await KeptStarts(self.site.store).read(self.site.keys)
            return seen and seen.plans.get(self.made.session_id, 0)

        await until(look, lambda seen: seen == start_ms, f"a start of {start_ms} in Redis")

    @asynccontextmanager
    async def a_process_that_never_saw_the_record(self):
        """PostgreSQL dies; what begins then."""
        kill(self.own.pid)
        async with running(self.own.url, self.redis_url) as (app, client):
            for one in self.people:
                one.client = client
            yield app


@asynccontextmanager
async def waiting(own, redis_url):
    async with hall(own.url, redis_url) as (app, client, engine, made):
        day = Day(own, redis_url, app, client, engine, made)
        await day.begin()
        yield day


async def buffered(one: Candidate) -> dict:
    """A heartbeat's reply, as soon as the process answers without the record."""

    async def send():
        return await one.send()

    reply = await until(send, lambda reply: reply.status_code == 200, "a reply")
    assert reply.json()["durability"] == "buffered"
    return reply.json()["clock"]


async def starts_at(day: Day, one: Candidate, start_ms: int) -> None:
    """The page waits for ``start_ms``, and gets neither questions nor leave to answer."""
    clock = await buffered(one)
    assert clock["state"] == "waiting"
    assert clock["service_ms"] + clock["starts_in_ms"] == start_ms
    reply = await one.answer(day.made.items[0], "A")
    assert (reply.status_code, reply.json()["code"]) == (403, "not-started")
    assert (await one.client.get("/attempt/paper", headers=one.headers)).status_code == 503


async def test_a_postponed_session_and_a_postponed_candidate_start_when_they_were_told(own, redis_url, redis):
    async with waiting(own, redis_url) as day:
        one, other = day.people
        await day.postpone(20, kind="site")
        await day.postpone(7, kind="list", tickets=[other.person.ticket])
        # No second passes in which anybody could look at the record again.
        async with day.a_process_that_never_saw_the_record():
            await starts_at(day, one, day.start_ms + 20 * MINUTE)
            await starts_at(day, other, day.start_ms + 27 * MINUTE)
            for person in day.people:
                assert (await buffered(person))["remaining_ms"] == 90 * MINUTE


async def test_a_fresh_countdown_holds_although_nobody_tells_the_pages_of_it(own, redis_url, redis):
    async with waiting(own, redis_url) as day:
        async with day.engine.begin() as conn:
            now = await schedule.moment(conn)
            exam = await exams.resolve(conn, None)
            await scheduling.start_in(
                conn, exam, 1, delay=timedelta(minutes=40), now_wall=now.wall, service_now_ms=now.service_ms
            )
        start_ms = now.service_ms + 40 * MINUTE
        await day.shown(start_ms)
        async with day.a_process_that_never_saw_the_record():
            for one in day.people:
                await starts_at(day, one, start_ms)


async def test_a_session_that_is_held_is_not_begun_by_a_process_that_knows_only_its_sign_ins(own, redis_url, redis):
    async with waiting(own, redis_url) as day:
        async with day.engine.begin() as conn:
            await conn.execute(text("UPDATE session SET start_ms = NULL, held = 'service-away'"))
            await conn.execute(text("UPDATE attempt SET end_ms = NULL, clock_rev = clock_rev + 1"))
        await day.shown(None)
        async with day.a_process_that_never_saw_the_record():
            clock = await buffered(day.people[0])
            assert (clock["state"], clock["starts_in_ms"]) == ("waiting", None)
            reply = await day.people[0].answer(day.made.items[0], "A")
            assert (reply.status_code, reply.json()["code"]) == (403, "not-started")


async def test_without_what_was_shown_the_sign_in_is_gone_by(own, redis_url, redis):
    """A Redis that an older release has told of its sign-ins and of nothing else."""
    async with waiting(own, redis_url) as day:
        keys = day.site.keys
        kill(own.pid)

        async def forgotten() -> int:
            await asyncio.sleep(0.5)
            return await redis.delete(keys.starts)

        # A look that was under way when PostgreSQL died may show it once more.
        await until(forgotten, lambda deleted: deleted == 0, "no start in Redis")
        async with running(own.url, redis_url) as (_, client):
            day.people[0].client = client
            await starts_at(day, day.people[0], day.start_ms)
