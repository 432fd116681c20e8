"""What lands between the look of a decision on time and its locks: a hand-in, a time-out, a move, a credit, an answer.

Each is made by a transaction that holds the attempt's row, so the decision has read everything and waits for it; when
it is seen to wait, the transaction commits.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from app.domain import clock
from app.storage.postgres import adjustments, attempts
from tests.candidates import Candidate
from tests.halls import opened
from tests.services.test_time_postpone import MIN, change, rows
from tests.staff import signed_in

# How the statement begins that locks the attempts of a decision and compares them with what was read.
LOCKS = "WITH l AS MATERIALIZED (SELECT id, session_id, state%"


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 3), ("北楼", 2)]) as (_, client, made):
        made.client = client
        yield made


@pytest.fixture
async def office(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


async def waiting(hall) -> None:
    """Until a decision waits for the rows of its attempts."""
    async with asyncio.timeout(60):
        while not await rows(
            hall, "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            " AND query LIKE :locks", locks=LOCKS,
        ):  # fmt: skip
            await asyncio.sleep(0.02)


@asynccontextmanager
async def meanwhile(hall, attempt, member, asked: dict):
    """The decision ``asked`` for, of which everything is read and ``attempt`` is not locked yet; yields the connection
    that holds it and the reply to come. Committed on the way out."""
    async with hall.engine.connect() as conn:
        await attempts.lock(conn, attempt)
        reply = asyncio.create_task(member.post("/time/actions", asked))
        await waiting(hall)
        try:
            yield conn, reply
            await conn.commit()
        finally:
            await conn.rollback()
            await reply


async def entered(hall) -> dict[str, set]:
    """Of each kind of entry: whom they are about."""
    found = await rows(
        hall,
        "SELECT x.kind, m.attempt_id FROM adjustment x JOIN adjustment_attempt m ON m.adjustment_id = x.id"
        " WHERE x.attempt_id IS NULL",
    )
    about: dict[str, set] = {}
    for row in found:
        about.setdefault(row["kind"], set()).add(row["attempt_id"])
    return about


async def stored(hall) -> dict:
    return {row["id"]: row for row in await rows(hall, "SELECT * FROM attempt")}


async def test_who_hands_in_while_the_pause_waits_is_not_paused(hall, office):
    one, *others = sorted(hall.everybody)
    async with meanwhile(hall, one, office, change(hall, "pause", reason="fire")) as (conn, reply):
        await attempts.end(conn, one, ended_ms=hall.now_ms, reason="hand_in")
    told = reply.result().json()
    assert told["effect"]["candidates"] == len(others)
    assert [(out["code"], out["count"]) for out in told["effect"]["left_out"]] == [("attempt-ended", 1)]
    assert await entered(hall) == {"pause": set(others)}
    now = await stored(hall)
    assert (now[one]["state"], now[one]["left_ms"]) == ("ended", None)
    assert now[one]["end_ms"] != clock.NEVER_MS
    assert all(now[each]["left_ms"] is not None for each in others)


async def test_who_is_timed_out_while_the_extension_waits_works_again(hall, office):
    one = min(hall.everybody)
    async with meanwhile(hall, one, office, change(hall, "extend", ms=10 * MIN, reason="fire")) as (conn, reply):
        # Their end was a moment ago; the sweeper comes by.
        ended = hall.now_ms
        await conn.execute(text("UPDATE attempt SET end_ms = :e WHERE id = :a"), {"e": ended, "a": one})
        await attempts.end(conn, one, ended_ms=ended, reason="time_out")
    assert reply.result().json()["effect"]["reopened"] == 1
    assert (await entered(hall))["reopen"] == {one}
    now = (await stored(hall))[one]
    assert (now["state"], now["end_reason"]) == ("open", None)


async def test_a_credit_that_is_entered_while_the_extension_waits_counts(hall, office):
    one, other = sorted(hall.everybody)[:2]
    before = await stored(hall)
    at = hall.now_ms
    async with meanwhile(hall, one, office, change(hall, "extend", ms=10 * MIN, reason="fire")) as (conn, reply):
        await adjustments.credit(
            conn, one, session_id=hall.made.session_id, from_ms=at - 5 * MIN, to_ms=at, reason="reconnect",
            source="term:7", now_ms=at,
        )  # fmt: skip
    assert reply.result().status_code == 200
    now = await stored(hall)
    assert now[one]["end_ms"] == before[one]["end_ms"] + 15 * MIN
    assert now[other]["end_ms"] == before[other]["end_ms"] + 10 * MIN
    # Two entries, and each has moved the revision.
    assert now[one]["clock_rev"] == before[one]["clock_rev"] + 2


async def test_a_credit_that_is_entered_while_the_extension_waits_counts_to_the_cap(hall, office):
    one = min(hall.everybody)
    at = hall.now_ms
    async with meanwhile(hall, one, office, change(hall, "extend", ms=58 * MIN, reason="fire")) as (conn, reply):
        await adjustments.credit(
            conn, one, session_id=hall.made.session_id, from_ms=at - 5 * MIN, to_ms=at, reason="reconnect",
            source="term:7", now_ms=at,
        )  # fmt: skip
    said = reply.result().json()
    assert (said["code"], said["count"], said["over_cap"][0]["lost_ms"]) == ("cap-exceeded", 1, 63 * MIN)
    assert await entered(hall) == {}


async def moves(conn, attempt, seat_id: int, now_ms: int) -> None:
    """They sign in at this seat, as ``services.sign_in`` has it."""
    await conn.execute(
        text(
            "UPDATE allocation SET seat_id = :s WHERE (session_id, candidate_id) ="
            " (SELECT session_id, candidate_id FROM attempt WHERE id = :a)"
        ),
        {"s": seat_id, "a": attempt},
    )
    await attempts.grant(
        conn, attempt, epoch=(1 << 32) + 9, device_id="new", secret_hash=b"x", seat_id=seat_id, now_ms=now_ms, term=1,
        address="", gap_from_ms=None,
    )  # fmt: skip


async def spare_in(hall, room_id: int) -> int:
    seat = hall.made.spares[0]
    await rows(hall, "UPDATE seat SET room_id = :r WHERE id = :s", r=room_id, s=seat)
    return seat


@pytest.mark.parametrize("out", [True, False])
async def test_who_leaves_a_room_or_comes_into_it_while_its_pause_waits_is_looked_for_again(hall, office, out):
    room, other = hall.room_ids
    seat = await spare_in(hall, other if out else room)
    # The decision waits for the first of the room's rows; who moves sits in it, or comes from the other one.
    held = min(hall.rooms[0])
    mover = held if out else hall.rooms[1][0]
    asked = change(hall, "pause", "room", rooms=[room], reason="power")
    async with meanwhile(hall, held, office, asked) as (conn, reply):
        await moves(conn, mover, seat, hall.now_ms)
    assert (reply.result().status_code, reply.result().json()["code"]) == (409, "time-changed")
    assert await entered(hall) == {}


async def test_who_moves_within_the_site_is_paused_with_it(hall, office):
    seat = await spare_in(hall, hall.room_ids[1])
    one = min(hall.rooms[0])
    async with meanwhile(hall, one, office, change(hall, "pause", reason="fire")) as (conn, reply):
        await moves(conn, one, seat, hall.now_ms)
    assert reply.result().json()["effect"]["candidates"] == 5
    assert await entered(hall) == {"pause": set(hall.everybody)}


async def test_who_has_left_the_invigilators_room_is_not_theirs_to_pause(hall, fresh_db):
    room, other = hall.room_ids
    seat = await spare_in(hall, other)
    member = await signed_in(hall.client, fresh_db, "invigilator", room_ids=[room])
    one = hall.rooms[0][0]
    asked = change(hall, "pause", "candidate", attempt=str(one), reason="medical")
    async with meanwhile(hall, one, member, asked) as (conn, reply):
        await moves(conn, one, seat, hall.now_ms)
    assert (reply.result().status_code, reply.result().json()["code"]) == (403, "not-permitted")
    assert await entered(hall) == {}


async def test_answers_are_kept_while_a_decision_reads_and_none_of_them_is_news_to_it(hall, office):
    people = sorted(hall.made.people, key=lambda person: person.attempt)
    await rows(hall, "UPDATE attempt SET signed_in_ms = NULL")
    await rows(hall, "UPDATE session SET last_admission_ms = 86400000")
    working = [Candidate(hall.client, person) for person in people]
    for one in working:
        assert (await one.sign_in()).status_code == 200
    held, *others = working
    asked = change(hall, "extend", ms=10 * MIN, reason="fire")
    async with meanwhile(hall, held.person.attempt, office, asked) as (_, reply):
        # All the others answer; nobody is kept waiting by a decision that has not got its first lock.
        for one in others:
            kept = await one.answer(hall.made.items[0], "A")
            assert kept.json()["durability"] == "durable"
        assert not reply.done()
    assert reply.result().json()["effect"]["candidates"] == len(people)
    ends = {row["end_ms"] for row in (await stored(hall)).values()}
    assert len(ends) == 1
    for one in others:
        assert (await one.state())["responses"]


async def test_what_is_entered_about_somebody_who_is_over_moves_their_revision_too(hall, office):
    one = hall.everybody[0]
    assert (await office.post("/time/actions", change(hall, "pause", reason="fire"))).status_code == 200
    async with hall.engine.begin() as conn:
        await attempts.lock(conn, one)
        await attempts.end(conn, one, ended_ms=hall.now_ms, reason="hand_in")
    before = await stored(hall)
    assert (await office.post("/time/actions", change(hall, "resume", reason=""))).status_code == 200
    # On record also for who is over.
    assert (await entered(hall))["resume"] == set(hall.everybody)
    now = await stored(hall)
    assert {each: now[each]["clock_rev"] - before[each]["clock_rev"] for each in now} == dict.fromkeys(now, 1)
    assert (now[one]["state"], now[one]["ended_ms"]) == ("ended", before[one]["ended_ms"])


async def test_a_refused_decision_stops_nobodys_answers(hall, office):
    """It takes none of their rows: somebody else holds one, and it is refused all the same."""
    async with hall.engine.connect() as conn:
        await attempts.lock(conn, min(hall.everybody))
        async with asyncio.timeout(60):
            reply = await office.post("/time/actions", change(hall, "resume", reason=""))
        await conn.rollback()
    assert (reply.status_code, reply.json()["code"]) == (409, "not-paused")


async def test_the_audit_entry_bears_the_instant_of_the_decision_not_of_the_asking(hall, office):
    one = min(hall.everybody)
    async with meanwhile(hall, one, office, change(hall, "pause", reason="fire")):
        # The service goes on while it waits.
        began = hall.now_ms
        async with asyncio.timeout(60):
            while hall.now_ms <= began:
                await asyncio.sleep(0.02)
        released = hall.now_ms
    (entry,) = await rows(hall, "SELECT made_ms, from_ms FROM adjustment")
    (audited,) = await rows(hall, "SELECT service_ms FROM audit_entry WHERE action = 'time.pause'")
    assert audited["service_ms"] == entry["made_ms"] == entry["from_ms"] >= released
