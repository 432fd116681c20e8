"""Whoever ended during a pause: their record says the same for ever, whatever the others go through."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.domain import clock
from app.domain.clock import Entry, Ledger, Outage
from app.domain.endings import Ending
from app.domain.wall_time import Term, WallTime
from app.services import time_lookup
from app.services.known import Known
from tests.candidates import Candidate, test_settings
from tests.halls import HOUR, opened
from tests.services.test_time_postpone import MIN, change, done, rows
from tests.staff import signed_in


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 3), ("北楼", 1)]) as (_, client, made):
        made.client = client
        yield made


@pytest.fixture
async def office(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


@pytest.fixture
async def candidate(hall):
    """The first of the first room, at their seat."""
    await rows(hall, "UPDATE session SET last_admission_ms = :h", h=24 * HOUR)
    person = next(one for one in hall.made.people if one.attempt == hall.rooms[0][0])
    await rows(hall, "UPDATE attempt SET signed_in_ms = NULL WHERE id = :a", a=person.attempt)
    found = Candidate(hall.client, person)
    assert (await found.sign_in()).status_code == 200
    return found


async def defer(hall, attempt) -> None:
    await rows(
        hall,
        "UPDATE attempt SET state = 'ended', ended_ms = :e, end_reason = 'deferred', left_ms = NULL WHERE id = :a",
        e=hall.now_ms, a=attempt,
    )  # fmt: skip


async def later(hall, ms: int = 1500) -> None:
    """Service time goes on by that much."""
    since = hall.now_ms
    async with asyncio.timeout(60):
        while hall.now_ms < since + ms:
            await asyncio.sleep(0.1)


async def told_of(hall, office, attempt) -> dict:
    """In service time: wall times are converted by two clocks, and may differ by the second in which they are read."""
    told = (await office.get(f"/attempts/{attempt}/time")).json()
    assert told["explain_zh"].startswith("结束时间 ")
    assert "考室断电 " in told["explain_zh"]
    assert told["explain_zh"].endswith(("由工作人员结束", "缓考"))
    clock_keys = ("state", "end_ms", "ended_ms", "remaining_ms", "paused_since_ms")
    return {"lost_ms": told["lost_ms"], "lines": told["lines"], **{key: told["clock"][key] for key in clock_keys}}


async def exported(hall, attempts) -> list[tuple[str, str, int]]:
    async with hall.engine.connect() as conn:
        found = await time_lookup.export(test_settings(), conn, hall.made.session_id, now_ms=hall.now_ms)
        tickets = {one.ticket for one in hall.made.people if one.attempt in attempts}
        return [(line[0], line[5], int(line[8])) for line in found if line[0] in tickets]


async def test_the_record_of_whoever_ended_in_a_pause_stays_as_it_was(hall, office, candidate):
    room = {"rooms": [hall.room_ids[0]]}
    forced, deferred, works_on = hall.rooms[0]
    since = hall.now_ms - 5 * MIN
    await done(office, change(hall, "pause", "room", **room, from_ms=since, reason="power"))
    await done(office, change(hall, "end", "candidate", attempt=str(forced), reason="medical", note="送医"))
    await defer(hall, deferred)
    ended = {row["id"]: row["ended_ms"] for row in await rows(hall, "SELECT id, ended_ms FROM attempt")}

    async def everything() -> list:
        own = (await hall.client.get("/attempt/time", headers=candidate.headers)).json()["lines"]
        why = await Known(hall.site).because(forced, 1)
        told = [await told_of(hall, office, one) for one in (forced, deferred)]
        return [*told, await exported(hall, (forced, deferred)), own, why]

    first = await everything()
    for attempt, told in zip((forced, deferred), first, strict=False):
        assert told["lost_ms"] == ended[attempt] - since
        assert (told["state"], told["remaining_ms"], told["paused_since_ms"]) == ("ended", 0, None)
    await later(hall)
    assert await everything() == first
    # Nor do the others' resume, and what comes after it, make it any longer.
    resumed = (await done(office, change(hall, "resume", "room", **room, reason="")))["entry"]["id"]
    await done(office, change(hall, "pause", reason="fire"))
    await later(hall)
    assert await everything() == first
    # On record the pause is over for all of them, the deferred as well.
    about = await rows(hall, "SELECT attempt_id FROM adjustment_attempt WHERE adjustment_id = :r", r=resumed)
    assert {row["attempt_id"] for row in about} == {forced, deferred, works_on}


async def test_a_room_in_which_everybody_ended_in_a_pause_is_not_drawn_as_paused(hall, office):
    people = hall.rooms[0]
    pause = change(hall, "pause", "room", rooms=[hall.room_ids[0]], reason="power")
    entry = (await done(office, pause))["entry"]["id"]
    named = {"tickets": [one.ticket for one in hall.made.people if one.attempt in people[:2]]}
    await done(office, change(hall, "end", "list", **named, reason="power", note="不再恢复"))
    await later(hall, 300)
    await defer(hall, people[2])
    last = max(row["ended_ms"] for row in await rows(hall, "SELECT ended_ms FROM attempt WHERE ended_ms IS NOT NULL"))

    async def seen() -> tuple[dict, bool]:
        view = (await office.get(f"/time/sessions/{hall.made.session_id}")).json()
        assert view["now_ms"] >= last
        room = next(one for one in view["rooms"] if one["id"] == hall.room_ids[0])
        return room, next(one["open"] for one in view["entries"] if one["id"] == entry)

    room, stands = await seen()
    walls = ("start_at", "end_at", "spans")
    assert (room["paused"], stands) == (0, False)
    assert room["end_at"] is not None
    [span] = room["spans"]
    assert (span["kind"], span["to_ms"]) == ("pause", last)
    assert room["lost_ms"] == last - span["from_ms"]
    await later(hall)
    again, _ = await seen()
    assert {**again, **dict.fromkeys(walls)} == {**room, **dict.fromkeys(walls)}
    assert again["spans"][0]["to_ms"] == last


def test_an_outage_after_the_end_is_not_in_the_explanation():
    """Handed in after half an hour of an hour; the service is away for a quarter of an hour later on."""
    nine = datetime(2026, 11, 24, 9, tzinfo=UTC)
    handed_in, again = 30 * MIN, 40 * MIN
    wall = WallTime(
        [Term(0, nine), Term(again, nine + timedelta(minutes=55))], again + MIN, nine + timedelta(minutes=56)
    )
    room = Entry(1, "credit", 10 * MIN, 15 * MIN, reason="power", scope="room", made_ms=20 * MIN)
    ledger = Ledger(0, HOUR, (room,), (Outage(again, 15 * MIN),))
    ended = Ending(handed_in, "hand_in")
    zh, _ = time_lookup.explained(time_lookup.theirs(ledger, ended), wall, wall.now_ms, "UTC", ended)
    assert zh == "结束时间 10:05:00 = 10:00:00 + 考室断电 5:00，09:30:00 交卷"
    # Who was still at work is told of it; and of an instant before it, nobody.
    zh, _ = time_lookup.explained(ledger, wall, wall.now_ms, "UTC", None)
    assert zh == "结束时间 10:20:00 = 10:00:00 + 考室断电 5:00 + 服务中断 15:00"
    zh, _ = time_lookup.explained(clock.as_of(ledger, handed_in), wall, handed_in, "UTC", None)
    assert zh == "结束时间 10:05:00 = 10:00:00 + 考室断电 5:00"
