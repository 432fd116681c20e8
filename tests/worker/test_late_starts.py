"""The service was away when a room, or one candidate, was to start after the others: nobody starts late unasked."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.services.time_holds import Holds
from tests.api.test_events import seated
from tests.api.test_time_candidate import MINUTE, Office
from tests.candidates import SECRET, Candidate, running
from tests.factories import world
from tests.services.test_time_postpone import change, done
from tests.staff import signed_in

LATE = 10 * MINUTE
# So that the clock passes the postponed start soon after the outage.
NEARLY = LATE - 3000


@pytest.fixture
async def made(fresh_db):
    return await world(fresh_db, SECRET.encode(), candidates=3, last_admission_ms=10**9)


class Story:
    """The session begins; some are postponed by ten minutes; the service goes away and comes back."""

    def __init__(self, fresh_url, redis_url, redis, engine, made) -> None:
        self.urls, self.redis, self.engine, self.made = (fresh_url, redis_url), redis, engine, made
        self.pages: list[Candidate] = []

    async def postponed(self, *numbers: int) -> None:
        async with running(*self.urls) as (app, client):
            self.pages = [await seated(client, person) for person in self.made.people]
            office = Office(app, self.engine, self.made)
            people = [self.made.people[number] for number in numbers]
            await office.decide("postpone", *people, amount_ms=LATE, scope="room", reason="late-start")

    async def away(self, minutes: float) -> None:
        """Nobody ticked for so long, and the postponed start lies three seconds ahead of the counter."""
        await self.redis.flushdb()
        async with self.engine.begin() as conn:
            await conn.execute(
                text("UPDATE service_clock SET counter_ms = :n, ticked_at = now() - make_interval(secs => :s)"),
                {"n": NEARLY, "s": minutes * 60},
            )

    async def holds(self) -> list[dict]:
        async with self.engine.connect() as conn:
            found = await conn.execute(
                text(
                    "SELECT x.id, x.scope, x.scope_names, x.source, ARRAY(SELECT m.attempt_id FROM adjustment_attempt m"
                    " WHERE m.adjustment_id = x.id) AS members FROM adjustment x WHERE x.kind = 'pause'"
                )
            )
            return [dict(row) for row in found.mappings()]


@pytest.fixture
def story(fresh_url, redis_url, redis, fresh_db, made):
    return Story(fresh_url, redis_url, redis, fresh_db, made)


async def test_a_room_whose_own_start_fell_into_the_outage_waits_for_the_office(story, made, fresh_db):
    await story.postponed(0, 1, 2)
    await story.away(20)
    async with running(*story.urls) as (app, client):
        office = Office(app, fresh_db, made)
        site = app.state.deps.site
        await office.pass_by(4000)
        assert site.service_time.now_ms() > LATE
        (hold,) = await story.holds()
        assert (hold["scope"], hold["scope_names"]) == ("room", ["第01考室"])
        assert set(hold["members"]) == {person.attempt for person in made.people}
        one = story.pages[0]
        one.client = client
        reply = (await one.send()).json()
        assert (reply["state"], reply["clock"]["remaining_ms"]) == ("paused", 90 * MINUTE)
        paper = await client.get("/attempt/paper", headers=one.headers)
        assert (paper.status_code, paper.json()["code"]) == (403, "paused-at-start")
        # The worker says why, once.
        assert await Holds(site).run() == 3
        assert await Holds(site).run() == 0
        (notice,) = (await one.send()).json()["notices"]
        assert "考务办公室" in notice["zh"]
        member = await signed_in(client, fresh_db, "office")
        view = (await member.get(f"/time/sessions/{made.session_id}")).json()
        assert [entry["id"] for entry in view["entries"] if entry["open"]] == [hold["id"]]
        asked = change(story, "resume", "room", rooms=[made.room_id], reason="")
        await done(member, asked)
        reply = (await one.send()).json()
        assert reply["state"] == "running"
        assert 90 * MINUTE - 60_000 < reply["clock"]["remaining_ms"] <= 90 * MINUTE
        assert (await client.get("/attempt/paper", headers=one.headers)).status_code == 200


async def test_one_candidate_is_held_and_the_others_of_the_room_go_on(story, made, fresh_db):
    await story.postponed(1)
    await story.away(20)
    async with running(*story.urls) as (app, client):
        await Office(app, fresh_db, made).pass_by(4000)
        (hold,) = await story.holds()
        assert (hold["scope"], hold["scope_names"]) == ("candidate", [made.people[1].ticket])
        states = []
        for page in story.pages:
            page.client = client
            states.append((await page.send()).json()["state"])
        assert states == ["running", "paused", "running"]


async def test_let_go_on_before_it_they_start_when_they_were_to(story, made, fresh_db):
    await story.postponed(0, 1, 2)
    await story.away(20)
    async with fresh_db.begin() as conn:
        # Some minutes are left of the countdown.
        await conn.execute(text("UPDATE service_clock SET counter_ms = counter_ms - :m"), {"m": 5 * MINUTE})
    async with running(*story.urls) as (_, client):
        member = await signed_in(client, fresh_db, "office")
        assert len(await story.holds()) == 1
        await done(member, change(story, "resume", "room", rooms=[made.room_id], reason=""))
        story.pages[0].client = client
        clock = (await story.pages[0].send()).json()["clock"]
        assert clock["state"] == "waiting"
        assert clock["service_ms"] + clock["starts_in_ms"] == LATE


@pytest.mark.parametrize("seconds", [0.4, 1.6])
async def test_a_start_outside_the_gap_is_nobodys_business(story, made, fresh_db, seconds):
    """A change of leader, and an outage that was over before the start."""
    await story.postponed(0, 1, 2)
    await story.away(seconds / 60)
    async with running(*story.urls) as (app, client):
        await Office(app, fresh_db, made).pass_by(4000)
        assert await story.holds() == []
        story.pages[0].client = client
        assert (await story.pages[0].send()).json()["state"] == "running"
