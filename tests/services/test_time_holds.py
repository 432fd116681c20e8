"""What the service holds by itself: a scope that facts have brought to the cap, and a second session of one person."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from app.services.time_holds import Holds
from tests.halls import HOUR, opened
from tests.services.test_time_postpone import change, done, next_session, rows
from tests.staff import signed_in

MIN = 60_000


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    rooms = [("南楼", 2), ("北楼", 1)]
    async with opened(fresh_url, redis_url, fresh_db, rooms=rooms, changeover=0) as (_, client, made):
        made.client = client
        yield made


@pytest.fixture
async def office(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


async def held(hall) -> set:
    found = await rows(
        hall,
        "SELECT m.attempt_id FROM adjustment x JOIN adjustment_attempt m ON m.adjustment_id = x.id"
        " WHERE x.reason = 'hold' AND x.kind = 'pause'",
    )
    return {row["attempt_id"] for row in found}


async def paused(hall) -> set:
    return {row["id"] for row in await rows(hall, "SELECT id FROM attempt WHERE left_ms IS NOT NULL")}


async def lift(hall, fresh_db, office, minutes: int, **scope) -> None:
    second = await signed_in(hall.client, fresh_db, "office")
    body = {
        "kind": "lift-cap", "number": "7 号", "text": "准予继续", "limit_ms": minutes * MIN,
        "scope": {"session": hall.made.session_id, "kind": "site", **scope},
    }  # fmt: skip
    decision = (await office.post("/time/decisions", body)).json()["decision"]["id"]
    assert (await second.post(f"/time/decisions/{decision}/approve")).status_code == 200


async def test_a_pause_that_reaches_sixty_minutes_is_held_until_the_office_decides(hall, office, fresh_db):
    holds = Holds(hall.site)
    # The room stands since the session began, an hour ago.
    room = {"rooms": [hall.room_ids[0]]}
    await hall.paused_since(0, hall.rooms[0], scope="room", reason="power")
    assert await holds.run() == 2
    assert await held(hall) == set(hall.rooms[0])
    assert await holds.run() == 0
    assert await Holds(hall.site).run() == 0

    view = (await office.get(f"/time/sessions/{hall.made.session_id}")).json()
    assert [(one["rooms"], one["candidates"], one["scope"]) for one in view["held"]] == [
        ([hall.room_ids[0]], 2, "room")
    ]
    assert view["held"][0]["lost_ms"] >= HOUR
    reply = await office.post("/time/actions", change(hall, "resume", "room", **room, reason=""))
    assert (reply.status_code, reply.json()["code"], reply.json()["count"]) == (409, "cap-held", 2)
    assert await paused(hall) == set(hall.rooms[0])
    # Nor is the hold undone, or the room's pause taken from under it.
    entry = view["held"][0]["entry"]
    reply = await office.post("/time/actions", change(hall, "undo", entry=entry, reason=""))
    assert reply.json()["code"] == "entry-not-undoable"

    await lift(hall, fresh_db, office, 120, kind="room", **room)
    before = {row["id"]: row["left_ms"] for row in await rows(hall, "SELECT id, left_ms FROM attempt")}
    await done(office, change(hall, "resume", "room", **room, reason=""))
    assert await paused(hall) == set()
    resumed = (await rows(hall, "SELECT max(to_ms) AS ms FROM adjustment WHERE kind = 'resume'"))[0]["ms"]
    for row in await rows(hall, "SELECT id, end_ms FROM attempt"):
        if row["id"] in hall.rooms[0]:
            assert row["end_ms"] == resumed + before[row["id"]]
    assert await holds.run() == 0
    audited = await rows(hall, "SELECT actor, subject FROM audit_entry WHERE action = 'time.hold'")
    assert [(one["actor"], one["subject"]["candidates"]) for one in audited] == [("holds", 2)]


async def test_one_whose_limit_is_lifted_in_time_is_not_held(hall, office, fresh_db):
    await lift(hall, fresh_db, office, 120)
    await done(office, change(hall, "pause", from_ms=0, reason="fire"))
    assert await Holds(hall.site).run() == 0
    assert await held(hall) == set()
    await done(office, change(hall, "resume", reason=""))


async def test_a_pause_is_held_only_when_it_gets_there(hall, office):
    holds = Holds(hall.site)
    await done(office, change(hall, "pause", from_ms=10 * MIN, reason="fire"))
    assert await holds.run() == 0
    assert await held(hall) == set()


async def test_an_outage_of_an_hour_holds_whoever_it_took_to_the_limit(hall, office):
    late = hall.rooms[1]
    # Who was given another start begins after it and lost nothing.
    await rows(hall, "UPDATE attempt SET allotted_ms = 1000, end_ms = 1000 WHERE id = ANY(:a)", a=late)
    await rows(
        hall,
        "INSERT INTO term (n, lineage_n, start_ms, gap_ms, leader, started_at)"
        " SELECT 0, lineage_n, :at, :gap, '', now() - interval '30 minutes' FROM term",
        at=30 * MIN, gap=61 * MIN,
    )  # fmt: skip
    holds = Holds(hall.site)
    assert await holds.run() == 2
    assert await held(hall) == set(hall.rooms[0])
    assert await holds.run() == 0


async def test_who_came_to_the_limit_by_decisions_alone_goes_on(hall, office):
    await done(office, change(hall, "extend", ms=60 * MIN, reason="power"))
    assert await Holds(hall.site).run() == 0
    # A relog's gap on top is a fact, and no reason to stop anybody either.
    async with hall.engine.begin() as conn:
        await conn.execute(
            text(
                "INSERT INTO adjustment (kind, session_id, attempt_id, from_ms, to_ms, reason, source, made_ms)"
                " SELECT 'credit', session_id, id, 5, 60005, 'relog', 'relog:1', 60005 FROM attempt"
            )
        )
    assert await Holds(hall.site).run() == 0
    assert await paused(hall) == set()


async def test_nobody_begins_a_session_while_they_sit_the_one_before(hall, office):
    second = await next_session(hall, hall.now_ms + 5_000)
    waiting = {row["id"]: row["end_ms"] for row in await rows(
        hall, "SELECT id, end_ms FROM attempt WHERE session_id = :s", s=second
    )}  # fmt: skip
    holds = Holds(hall.site)
    await holds.run()
    assert await paused(hall) == set(waiting)
    await holds.run()
    assert len(await rows(hall, "SELECT 1 FROM adjustment WHERE reason = 'follows'")) == 3
    assert {row["kind"] for row in await rows(hall, "SELECT kind FROM notice WHERE session_id = :s", s=second)} == {
        "pause"
    }
    # A resume of the site does not let them go: they still sit the first one.
    reply = await office.post("/time/actions", change(hall, "resume", session=second, reason=""))
    assert reply.json()["code"] == "not-paused"
    await rows(
        hall,
        "UPDATE attempt SET state = 'ended', ended_ms = :e, end_reason = 'hand_in' WHERE session_id = :s",
        e=hall.now_ms, s=hall.made.session_id,
    )  # fmt: skip
    while await paused(hall):
        await holds.run()
    # They have lost nothing of it.
    for row in await rows(hall, "SELECT id, end_ms FROM attempt WHERE session_id = :s", s=second):
        assert row["end_ms"] >= waiting[row["id"]]
        assert row["end_ms"] - waiting[row["id"]] < 5 * MIN


async def test_an_end_that_was_decided_is_carried_out_by_whoever_comes_next(hall, office):
    async with hall.engine.begin() as conn:
        entry = await conn.scalar(
            text(
                "INSERT INTO adjustment (kind, session_id, scope, reason, source, made_ms)"
                " VALUES ('end', :s, 'room', 'fire', 'staff:x', 5) RETURNING id"
            ),
            {"s": hall.made.session_id},
        )
        await conn.execute(
            text("INSERT INTO adjustment_attempt (adjustment_id, attempt_id) SELECT :e, unnest(CAST(:a AS uuid[]))"),
            {"e": entry, "a": hall.rooms[0]},
        )
    assert await Holds(hall.site).run() == 2
    ended = await rows(hall, "SELECT id FROM attempt WHERE state = 'ended' AND end_reason = 'forced'")
    assert {row["id"] for row in ended} == set(hall.rooms[0])
    assert await Holds(hall.site).run() == 0


async def outage(hall, minutes: int) -> None:
    """One that has just ended; the processes that were there before it go on."""
    await rows(
        hall,
        "INSERT INTO term (n, lineage_n, start_ms, gap_ms, leader, started_at)"
        " SELECT max(n) + 1, max(lineage_n), :at, :gap, '', now() FROM term",
        at=hall.now_ms, gap=minutes * MIN,
    )  # fmt: skip


async def test_who_was_at_the_limit_by_decisions_is_held_when_an_outage_comes_on_top(hall, office):
    await done(office, change(hall, "extend", "room", rooms=[hall.room_ids[0]], ms=60 * MIN, reason="power"))
    assert await Holds(hall.site).run() == 0
    await outage(hall, 45)
    holds = Holds(hall.site)
    assert await holds.run() == 2
    assert await held(hall) == set(hall.rooms[0])
    assert await holds.run() == 0


async def test_who_is_paused_through_an_outage_is_held_by_the_process_that_was_there_before(hall, office, monkeypatch):
    holds = Holds(hall.site)
    await done(office, change(hall, "pause", from_ms=hall.now_ms - 20 * MIN, reason="fire"))
    assert await holds.run() == 0
    await outage(hall, 45)
    term = hall.site.service_time.term + 1
    monkeypatch.setattr(type(hall.site.service_time), "term", property(lambda _: term))
    assert await holds.run() == 3
    assert await held(hall) == set(hall.everybody)


async def test_a_hand_in_by_mistake_is_taken_back_while_the_next_session_waits_for_it(hall, office):
    second = await next_session(hall, hall.now_ms + 1_500)
    holds = Holds(hall.site)
    await holds.run()
    waiting = await paused(hall)
    assert len(waiting) == 3
    while (await rows(hall, "SELECT start_ms FROM session WHERE id = :s", s=second))[0]["start_ms"] >= hall.now_ms:
        await asyncio.sleep(0.05)
    first = hall.rooms[0][0]
    await rows(
        hall, "UPDATE attempt SET state = 'ended', ended_ms = :e, end_reason = 'hand_in' WHERE id = :a",
        e=hall.now_ms - 1, a=first,
    )  # fmt: skip
    mistaken = change(hall, "reopen", "candidate", attempt=str(first), reason="staff-error", note="误交卷")
    await done(office, mistaken)
    assert (await rows(hall, "SELECT state FROM attempt WHERE id = :a", a=first))[0]["state"] == "open"
    await holds.run()
    assert await paused(hall) == waiting


async def test_who_waited_for_the_session_before_has_time_to_change_over(fresh_url, redis_url, redis, fresh_db):
    rooms = [("南楼", 2), ("北楼", 1)]
    async with opened(fresh_url, redis_url, fresh_db, rooms=rooms, changeover=600) as (_, _, hall):
        await next_session(hall, hall.now_ms + 5_000)
        holds = Holds(hall.site)
        await holds.run()
        waiting = await paused(hall)
        assert len(waiting) == 3
        ended = "UPDATE attempt SET state = 'ended', ended_ms = :e, end_reason = 'hand_in' WHERE session_id = :s"
        await rows(hall, ended, e=hall.now_ms - 8 * MIN, s=hall.made.session_id)
        await holds.run()
        assert await paused(hall) == waiting
        await rows(hall, ended, e=hall.now_ms - 10 * MIN, s=hall.made.session_id)
        await holds.run()
        assert await paused(hall) == set()
