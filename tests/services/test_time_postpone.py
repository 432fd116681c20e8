"""Postponing a session, a room, one person: the end moves equally, and what follows for the next one is proposed."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import text

from tests.candidates import Candidate
from tests.halls import HOUR, opened
from tests.staff import signed_in

MIN = 60_000
LONG = 3 * HOUR


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 2), ("北楼", 1)]) as (_, client, made):
        made.client = client
        yield made


@pytest.fixture
async def office(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


async def rows(hall, sql: str, **values) -> list:
    async with hall.engine.begin() as conn:
        result = await conn.execute(text(sql), values)
        return list(result.mappings()) if result.returns_rows else []


async def start_at(hall, session_id: int, start_ms: int, duration_ms: int = LONG) -> None:
    await rows(
        hall,
        "UPDATE session SET start_ms = :s, duration_ms = :d WHERE id = :id",
        s=start_ms, d=duration_ms, id=session_id,
    )  # fmt: skip
    await rows(
        hall, "UPDATE attempt SET allotted_ms = :d, end_ms = :e, contact_ms = NULL WHERE session_id = :id",
        d=duration_ms, e=start_ms + duration_ms, id=session_id,
    )  # fmt: skip


async def next_session(hall, start_ms: int, *, tickets=None) -> int:
    """Another session for the same people at the same seats (or those with these tickets)."""
    session_id = (
        await rows(
            hall,
            "INSERT INTO session (exam_id, number, name, planned_start, duration_ms, start_ms)"
            " SELECT exam_id, 2, '第二场', planned_start + interval '2 hours', :d, :s FROM session WHERE id = :first"
            " RETURNING id",
            d=LONG, s=start_ms, first=hall.made.session_id,
        )
    )[0]["id"]  # fmt: skip
    for person in hall.made.people:
        if tickets is not None and person.ticket not in tickets:
            continue
        await rows(
            hall, "INSERT INTO allocation (session_id, candidate_id, seat_id, planned_seat_id) VALUES (:s, :c, :t, :t)",
            s=session_id, c=person.candidate_id, t=person.seat_id,
        )  # fmt: skip
        await rows(
            hall, "INSERT INTO attempt (id, session_id, candidate_id, allotted_ms, end_ms) VALUES (:a, :s, :c, :d, :e)",
            a=uuid.uuid4(), s=session_id, c=person.candidate_id, d=LONG, e=start_ms + LONG,
        )  # fmt: skip
    return session_id


def change(hall, action: str, kind: str = "site", **more) -> dict:
    scope = {name: more.pop(name) for name in ("rooms", "tickets", "attempt") if name in more}
    asked = {"session": more.pop("session", hall.made.session_id), "kind": kind, **scope}
    return {"action": action, "scope": asked, "reason": "late-start", **more}


async def done(office, asked: dict) -> dict:
    reply = await office.post("/time/actions", asked)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def start_of(hall, session_id: int) -> int:
    return (await rows(hall, "SELECT start_ms FROM session WHERE id = :s", s=session_id))[0]["start_ms"]


async def test_the_whole_session_is_postponed_and_its_end_with_it(hall, office):
    start = hall.now_ms + 30 * MIN
    await start_at(hall, hall.made.session_id, start)
    await rows(hall, "UPDATE attempt SET signed_in_ms = NULL")
    candidate = Candidate(hall.client, hall.made.people[0])
    assert (await candidate.sign_in()).status_code == 200
    told = await done(office, change(hall, "postpone", ms=10 * MIN))
    assert told["effect"]["starts"]["from"] == told["effect"]["starts"]["to"]
    assert "新的开考时间" in told["effect"]["zh"]
    assert await start_of(hall, hall.made.session_id) == start + 10 * MIN
    for row in await rows(hall, "SELECT end_ms, postponed_ms FROM attempt"):
        assert (row["end_ms"], row["postponed_ms"]) == (start + 10 * MIN + LONG, 0)
    clock = (await candidate.state())["clock"]
    assert abs(clock["starts_in_ms"] - (start + 10 * MIN - hall.now_ms)) < 10_000
    assert clock["remaining_ms"] == LONG
    # And once more: each is an entry of its own.
    await done(office, change(hall, "postpone", ms=5 * MIN))
    assert await start_of(hall, hall.made.session_id) == start + 15 * MIN


async def test_a_room_is_postponed_by_itself(hall, office):
    start = hall.now_ms + 30 * MIN
    await start_at(hall, hall.made.session_id, start)
    await done(office, change(hall, "postpone", "room", rooms=[hall.room_ids[0]], ms=10 * MIN))
    assert await start_of(hall, hall.made.session_id) == start
    for row in await rows(hall, "SELECT id, end_ms, postponed_ms FROM attempt"):
        late = 10 * MIN if row["id"] in hall.rooms[0] else 0
        assert (row["end_ms"], row["postponed_ms"]) == (start + late + LONG, late)
    view = (await office.get(f"/time/sessions/{hall.made.session_id}")).json()
    spans = {one["id"]: one["spans"] for one in view["rooms"]}
    assert [(one["kind"], one["from_ms"], one["to_ms"]) for one in spans[hall.room_ids[0]]] == [
        ("postpone", start, start + 10 * MIN)
    ]


async def test_a_postponement_is_taken_back_until_the_start_it_would_bring_has_passed(hall, office):
    start = hall.now_ms + 30 * MIN
    await start_at(hall, hall.made.session_id, start)
    first = await done(office, change(hall, "postpone", ms=10 * MIN))
    undo = await done(office, change(hall, "undo", entry=first["entry"]["id"], reason=""))
    assert await start_of(hall, hall.made.session_id) == start
    await done(office, change(hall, "undo", entry=undo["entry"]["id"], reason=""))
    assert await start_of(hall, hall.made.session_id) == start + 10 * MIN
    # The start as it was planned has passed meanwhile; the postponed one has not.
    await rows(hall, "UPDATE session SET start_ms = :s", s=hall.now_ms + 5 * MIN)
    again = {**change(hall, "undo", reason=""), "entry": (await last_entry(hall))}
    reply = await office.post("/time/actions", again)
    assert (reply.status_code, reply.json()["code"]) == (409, "undo-start-passed")
    assert await start_of(hall, hall.made.session_id) > hall.now_ms


async def last_entry(hall) -> int:
    return (await rows(hall, "SELECT max(id) AS id FROM adjustment"))[0]["id"]


async def test_who_has_begun_keeps_their_start_when_the_site_is_postponed(hall, office):
    await start_at(hall, hall.made.session_id, hall.now_ms + 30 * MIN)
    taken_back = await done(office, change(hall, "postpone", ms=5 * MIN))
    undo = await done(office, change(hall, "undo", entry=taken_back["entry"]["id"], reason=""))
    await done(office, change(hall, "postpone", "room", rooms=[hall.room_ids[1]], ms=40 * MIN))
    # The session begins; the second room still waits.
    await rows(hall, "UPDATE session SET start_ms = start_ms - :d", d=31 * MIN)
    await rows(hall, "UPDATE attempt SET end_ms = end_ms - :d", d=31 * MIN)
    asked = (
        "SELECT a.id, s.start_ms + a.postponed_ms AS at, a.end_ms FROM attempt a JOIN session s ON s.id = a.session_id"
    )
    before = {row["id"]: (row["at"], row["end_ms"]) for row in await rows(hall, asked)}
    told = await done(office, change(hall, "postpone", ms=10 * MIN))
    assert [(one["code"], one["count"]) for one in told["effect"]["left_out"]] == [("start-passed", 2)]
    assert (told["entry"]["scope"], len(told["entry"]["scope_names"])) == ("list", 1)
    for row in await rows(hall, asked):
        start, end = before[row["id"]]
        late = 0 if row["id"] in hall.rooms[0] else 10 * MIN
        assert (row["at"], row["end_ms"]) == (start + late, end + late)
    # Taken back it is one of the second room only; the one of before comes back for nobody who is at work.
    await done(office, change(hall, "undo", entry=told["entry"]["id"], reason=""))
    assert {row["id"]: (row["at"], row["end_ms"]) for row in await rows(hall, asked)} == before
    reply = await office.post("/time/actions", change(hall, "undo", entry=undo["entry"]["id"], reason=""))
    assert (reply.status_code, reply.json()["code"]) == (409, "start-passed")
    assert {row["id"]: (row["at"], row["end_ms"]) for row in await rows(hall, asked)} == before


async def test_a_session_that_is_not_anchored_cannot_be_postponed(hall, office):
    await rows(hall, "UPDATE session SET start_ms = NULL")
    await rows(hall, "UPDATE attempt SET end_ms = NULL")
    reply = await office.post("/time/actions", change(hall, "postpone", ms=MIN))
    assert reply.json()["code"] == "day-not-opened"


async def test_what_the_next_session_needs_is_proposed_and_approved(hall, office):
    start = hall.now_ms + 30 * MIN
    await start_at(hall, hall.made.session_id, start)
    # Twenty minutes between the two: five to spare.
    second = await next_session(hall, start + LONG + 20 * MIN)
    told = await done(office, change(hall, "postpone", ms=4 * MIN))
    assert told["effect"]["follows"] is None
    preview = (await office.post("/time/preview", change(hall, "postpone", ms=10 * MIN))).json()
    assert await rows(hall, "SELECT 1 FROM proposal") == []
    told = await done(office, {**change(hall, "postpone", ms=10 * MIN), "seen": preview["seen"]})
    follows = told["effect"]["follows"]
    assert (follows["session"]["number"], follows["candidates"], follows["ms"]) == (2, 3, 9 * MIN)
    assert "推迟 9 分钟" in follows["zh"]
    assert preview["effect"]["follows"]["ms"] == 9 * MIN
    assert await start_of(hall, second) == start + LONG + 20 * MIN
    # A further delay asks for more, in place of what was asked before.
    await done(office, change(hall, "postpone", ms=2 * MIN))
    waiting = await rows(hall, "SELECT id, session_id, evidence FROM proposal WHERE state = 'open'")
    assert [(one["session_id"], one["evidence"]["ms"]) for one in waiting] == [(second, 11 * MIN)]
    reply = await office.post(f"/time/proposals/{waiting[0]['id']}/approve", {"note": "同意"})
    assert reply.status_code == 200, reply.text
    assert await start_of(hall, second) == start + LONG + 31 * MIN
    assert {row["postponed_ms"] for row in await rows(hall, "SELECT postponed_ms FROM attempt")} == {0}


async def test_only_those_who_need_it_wait_for_a_room(hall, office):
    start = hall.now_ms + 30 * MIN
    await start_at(hall, hall.made.session_id, start)
    second = await next_session(hall, start + LONG + 15 * MIN)
    told = await done(office, change(hall, "extend", "room", rooms=[hall.room_ids[1]], ms=90_000))
    follows = told["effect"]["follows"]
    assert (follows["candidates"], follows["ms"], follows["overlaps"]) == (1, 2 * MIN, 0)
    proposal = (await rows(hall, "SELECT scope, scope_names FROM proposal"))[0]
    chosen = {one.ticket for one in hall.made.people if one.attempt in hall.rooms[1]}
    assert (proposal["scope"], set(proposal["scope_names"])) == ("list", chosen)
    assert await start_of(hall, second) == start + LONG + 15 * MIN


async def test_the_same_seat_counts_like_the_same_person(hall, office):
    start = hall.now_ms + 30 * MIN
    await start_at(hall, hall.made.session_id, start)
    person, other = hall.made.people[0], hall.made.people[1]
    second = await next_session(hall, start + LONG + 15 * MIN, tickets={other.ticket})
    # The other one sits where the first one sat.
    await rows(hall, "UPDATE allocation SET seat_id = :t WHERE session_id = :s", t=person.seat_id, s=second)
    asked = change(hall, "extend", "candidate", tickets=[person.ticket], ms=5 * MIN)
    assert (await office.post("/time/preview", asked)).json()["effect"]["follows"]["ms"] == 5 * MIN
