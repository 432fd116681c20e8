"""At the door: check-in, late admission, absentees, seats exchanged; and what two do at once."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from sqlalchemy import text

from tests.api.test_discrepancies import opening
from tests.candidates import Candidate
from tests.doors import audit, body, hall, occupant
from tests.staff import signed_in

__all__ = ["hall"]
pytestmark = pytest.mark.asyncio(loop_scope="module")

HOUR = 3_600_000


async def test_a_check_in_is_entered_once_and_the_second_hears_who_did_it(hall):
    made, member, chief = await hall.at(HOUR)
    path = f"/rooms/{made.room_id}/check-in"
    first, second = await asyncio.gather(
        member.post(path, body(made, told_by="门口 王老师")), chief.post(path, body(made))
    )
    one, other = sorted((first.json(), second.json()), key=lambda told: told["already"])
    assert (one["already"], other["already"]) == (False, True)
    assert one["checked_in"] == other["checked_in"]
    entered = await audit(hall, made, "attendance.check-in")
    assert [(e["ticket"], e["room_id"], e["session_id"]) for e in entered] == [
        (made.people[0].ticket, made.room_id, made.session_id)
    ]
    picture = await member.room(made.room_id, made.session_id)
    assert occupant(picture, made.people[0].ticket)["checked_in"] == one["checked_in"]
    assert occupant(picture, made.people[0].ticket)["state"] == "checked_in"
    assert (picture["counts"]["checked_in"], picture["counts"]["arrived"]) == (1, 1)
    assert picture["numbers"] == {"expected": 3, "present": 1, "absent": 0, "deferred": 0, "unaccounted": 2}

    undone = await member.post(f"{path}/undo", body(made, reason="点错了"))
    assert undone.status_code == 200
    assert [e["reason"] for e in await audit(hall, made, "attendance.check-in-undo")] == ["点错了"]
    picture = await member.room(made.room_id, made.session_id)
    assert occupant(picture, made.people[0].ticket)["state"] == "not_arrived"


async def test_who_is_at_the_wrong_door_is_told_the_right_one(hall):
    made, member, _ = await hall.at(HOUR)
    other = await hall.sql(
        "INSERT INTO room (exam_id, building_id, name, ordinal, seat_count, spare_count)"
        " SELECT exam_id, building_id, '第02考室', 2, 1, 0 FROM room WHERE id = :r RETURNING id",
        r=made.room_id,
    )
    office = await signed_in(hall.client, hall.engine, "office")
    refused = await office.post(f"/rooms/{other}/check-in", body(made))
    assert (refused.status_code, refused.json()["code"]) == (409, "other-room")
    assert (refused.json()["room"], refused.json()["seat"]) == ("第01考室", "1")
    # A room that is not one's own is not asked about at all.
    assert (await member.post(f"/rooms/{other}/check-in", body(made))).json()["code"] == "not-permitted"
    unknown = await member.post(f"/rooms/{made.room_id}/check-in", {**body(made), "ticket": "X-404"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "ticket-unknown")


async def test_after_last_admission_a_chief_lets_in_and_the_time_is_lost(hall):
    made, member, chief = await hall.at(-HOUR, last_admission_ms=900_000)
    late = Candidate(hall.client, made.people[0])
    assert (await late.sign_in()).json()["code"] == "too-late"
    refused = await member.post(f"/rooms/{made.room_id}/check-in", body(made))
    assert refused.json()["code"] == "last-admission-passed"
    path = f"/rooms/{made.room_id}/admissions"
    assert (await member.post(path, body(made, reason="堵车"))).json()["code"] == "not-permitted"
    admitted = await chief.post(path, body(made, reason="班车故障，主考同意"))
    assert admitted.json()["already"] is False
    again = await chief.post(path, body(made, reason="又一次"))
    assert (again.json()["already"], again.json()["admission"]["reason"]) == (True, "班车故障，主考同意")

    told = (await late.sign_in()).json()
    assert told["state"] == "running"
    # The hour is gone: nobody gave it back.
    assert told["clock"]["remaining_ms"] < 5_400_000 - HOUR + 60_000
    (entered,) = await audit(hall, made, "attendance.admit")
    assert entered["reason"] == "班车故障，主考同意"
    assert entered["late_ms"] >= HOUR
    assert entered["attempt"] == str(made.people[0].attempt)
    seen = occupant(await member.room(made.room_id, made.session_id), made.people[0].ticket)
    assert seen["admission"]["reason"] == "班车故障，主考同意"


async def test_nobody_is_admitted_late_while_the_door_is_open(hall):
    made, _, chief = await hall.at(HOUR)
    refused = await chief.post(f"/rooms/{made.room_id}/admissions", body(made, reason="提前"))
    assert (refused.status_code, refused.json()["code"]) == (409, "admission-open")


async def test_absentees_are_confirmed_as_they_were_shown_and_only_after_last_admission(hall):
    made, member, chief = await hall.at(-HOUR)
    path = f"/rooms/{made.room_id}/absent"
    tickets = [one.ticket for one in made.people]
    await hall.sql("UPDATE session SET last_admission_ms = 36000000 WHERE id = :s", s=made.session_id)
    early = await member.post(path, {"session_id": made.session_id, "tickets": tickets})
    assert (early.status_code, early.json()["code"]) == (409, "absent-too-early")
    await hall.sql("UPDATE session SET last_admission_ms = 900000 WHERE id = :s", s=made.session_id)

    await chief.post(f"/rooms/{made.room_id}/admissions", body(made, 1, reason="迟到"))
    stale = await member.post(path, {"session_id": made.session_id, "tickets": tickets})
    assert (stale.status_code, stale.json()["code"]) == (409, "attendance-changed")
    assert (stale.json()["came"], stale.json()["missing"]) == ("2 考生2", "—")

    now = {"session_id": made.session_id, "tickets": [tickets[0], tickets[2]]}
    first, second = await asyncio.gather(member.post(path, now), chief.post(path, now))
    assert sorted((first.json()["already"], second.json()["already"])) == [False, True]
    assert [one["ticket"] for one in first.json()["absent"]] == [tickets[0], tickets[2]]
    (entered,) = await audit(hall, made, "attendance.absent")
    assert entered["tickets"] == [tickets[0], tickets[2]]
    picture = await member.room(made.room_id, made.session_id)
    assert occupant(picture, tickets[0])["state"] == "absent"
    assert picture["record"]["absent_confirmed"]["by"] in (member.name, chief.name)
    assert picture["numbers"] == {"expected": 3, "present": 1, "absent": 2, "deferred": 0, "unaccounted": 0}

    # Who is let in after all is absent no longer.
    await chief.post(f"/rooms/{made.room_id}/admissions", body(made, 0, reason="考务办公室同意"))
    picture = await member.room(made.room_id, made.session_id)
    assert picture["numbers"] == {"expected": 3, "present": 2, "absent": 1, "deferred": 0, "unaccounted": 0}


async def test_two_seats_are_exchanged_before_the_start_in_one_action(hall):
    made, member, _ = await hall.at(HOUR // 2)
    one, other = made.people[:2]
    sitting = Candidate(hall.client, one)
    assert (await sitting.sign_in()).status_code == 200
    asked = {
        "session_id": made.session_id,
        "candidates": [{"ticket": p.ticket, "seat_id": p.seat_id} for p in (one, other)],
        "reason": "坐错了",
    }
    done = await member.post("/seats/swap", asked)
    assert done.status_code == 200, done.text
    assert {c["ticket"]: c["seat"] for c in done.json()["candidates"]} == {one.ticket: "2", other.ticket: "1"}
    # Pressed again elsewhere: what was seen is no longer so.
    stale = await member.post("/seats/swap", asked)
    assert (stale.status_code, stale.json()["code"]) == (409, "seats-changed")
    assert (await sitting.state())["seat"]["seat"] == "2"
    named = Candidate(hall.client, other)
    assert (await named.sign_in(seat={"room": "第01考室", "seat": "2"})).json()["code"] == "wrong-seat"
    assert (await named.sign_in(seat={"room": "第01考室", "seat": "1"})).status_code == 200
    (entered,) = await audit(hall, made, "attendance.swap")
    assert entered["tickets"] == [one.ticket, other.ticket]
    assert entered["after"] == {one.ticket: "第01考室 2", other.ticket: "第01考室 1"}


async def test_after_the_start_seats_are_not_exchanged(hall):
    made, member, _ = await hall.at(-1000)
    asked = {
        "session_id": made.session_id,
        "candidates": [{"ticket": p.ticket, "seat_id": p.seat_id} for p in made.people[:2]],
        "reason": "坐错了",
    }
    assert (await member.post("/seats/swap", asked)).json()["code"] == "swap-too-late"


async def locked(hall, row, waiting, then, table="attempt") -> httpx.Response:
    """The reply of ``waiting``, which waits for the attempt's row (or that of another table) while ``then`` happens in
    the transaction that holds it."""
    async with hall.engine.connect() as conn:
        await conn.execute(text(f"SELECT 1 FROM {table} WHERE id = :row FOR NO KEY UPDATE"), {"row": row})
        task = asyncio.create_task(waiting)
        async with asyncio.timeout(40):
            while not await hall.sql(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            ):
                assert not task.done()
                await asyncio.sleep(0.01)
        await then(conn)
        await conn.commit()
    return await task


async def test_an_admission_that_is_taken_back_meanwhile_lets_nobody_in(hall):
    made, _, chief = await hall.at(-HOUR, last_admission_ms=900_000)
    person = made.people[0]
    await chief.post(f"/rooms/{made.room_id}/admissions", body(made, reason="认错了人"))

    async def undone(conn) -> None:
        await conn.execute(
            text(
                "UPDATE admission SET withdrawn_by = staff_id, withdrawn_ms = made_ms"
                " WHERE session_id = :s AND candidate_id = :c"
            ),
            {"s": made.session_id, "c": person.candidate_id},
        )

    reply = await locked(hall, person.attempt, Candidate(hall.client, person).sign_in(), undone)
    assert reply.json()["code"] == "too-late", reply.text
    assert await hall.sql("SELECT signed_in_ms FROM attempt WHERE id = :a", a=person.attempt) is None


async def test_the_wrong_absentee_let_in_and_taken_back_is_absent_again(hall):
    made, member, chief = await hall.at(-HOUR, last_admission_ms=900_000)
    room, tickets = f"/rooms/{made.room_id}", [one.ticket for one in made.people]
    await member.post(f"{room}/absent", {"session_id": made.session_id, "tickets": tickets})
    await chief.post(f"{room}/admissions", body(made, reason="认错了人"))
    assert (await member.room(made.room_id, made.session_id))["numbers"]["absent"] == 2
    assert (await chief.post(f"{room}/check-in/undo", body(made, reason="认错了人"))).status_code == 200
    picture = await member.room(made.room_id, made.session_id)
    assert picture["numbers"] == {"expected": 3, "present": 0, "absent": 3, "deferred": 0, "unaccounted": 0}
    assert [one["absent_again"] for one in await audit(hall, made, "attendance.check-in-undo")] == [True]
    signed = {"session_id": made.session_id, "expected": 3, "present": 0, "absent": 3}
    assert (await member.post(f"{room}/sign-off", signed)).status_code == 200


async def test_an_exchange_that_waited_past_the_start_is_too_late(hall):
    made, member, _ = await hall.at(HOUR)
    asked = {
        "session_id": made.session_id,
        "candidates": [{"ticket": p.ticket, "seat_id": p.seat_id} for p in made.people[:2]],
        "reason": "坐错了",
    }

    async def begins(conn) -> None:
        now = {"now": hall.site.service_time.now_ms(), "s": made.session_id}
        await conn.execute(text("UPDATE session SET start_ms = :now WHERE id = :s"), now)

    reply = await locked(hall, made.people[0].attempt, member.post("/seats/swap", asked), begins)
    assert reply.json()["code"] == "swap-too-late", reply.text


async def test_what_waited_stands_after_what_it_waited_for(hall):
    made, member, chief = await hall.at(-HOUR, last_admission_ms=36_000_000)
    room, first = f"/rooms/{made.room_id}", made.people[0].attempt
    waited: list[int] = []

    async def passes(conn) -> None:
        waited.append(hall.site.service_time.now_ms())

    async def after(row, waiting, table="attempt") -> None:
        reply = await locked(hall, row, waiting, passes, table)
        assert reply.status_code == 200, reply.text
        made_ms = await hall.sql("SELECT service_ms FROM audit_entry ORDER BY n DESC LIMIT 1")
        assert made_ms >= waited[-1], reply.request.url

    tickets = [one.ticket for one in made.people]
    session = {"session_id": made.session_id}
    signed = {**session, "expected": 3, "present": 0, "absent": 3}
    await after(first, member.post(f"{room}/check-in", body(made)))
    called = (await member.post(f"{room}/roll-call", session)).json()["roll_call"]["id"]
    marks = {**session, "tickets": tickets[:1], "found": True}
    await after(called, member.post(f"{room}/roll-call/{called}/marks", marks), "roll_call")
    await after(called, member.post(f"{room}/roll-call/{called}/close", session), "roll_call")
    await after(first, member.post(f"{room}/check-in/undo", body(made, reason="点错了")))
    await hall.sql("UPDATE session SET last_admission_ms = 900000 WHERE id = :s", s=made.session_id)
    await after(first, chief.post(f"{room}/admissions", body(made, reason="迟到")))
    await after(first, chief.post(f"{room}/check-in/undo", body(made, reason="认错了人")))
    await after(first, member.post(f"{room}/absent", {**session, "tickets": tickets}))
    await after(first, member.post(f"{room}/sign-off", signed))
    await after(first, member.post(f"{room}/sign-off/undo", {**session, "reason": "补记"}))
    await after(first, member.post(f"{room}/sign-off", signed))
    await after(first, chief.post(f"{room}/release", session))
    differs = opening(made, name="考生壹")
    await after(first, member.post("/discrepancies", differs))
    told = await hall.sql("SELECT max(id) FROM discrepancy")
    asked = {"decisions": [{"discrepancy": told, "field": "name", "approve": False, "seen": "考生1"}]}
    office = await signed_in(hall.client, hall.engine, "office")
    await after(made.people[0].candidate_id, office.post("/discrepancies/decide", asked), "candidate")
    asked = {"left": member.username, "reason": "身体不适"}
    await after(made.room_id, chief.post(f"{room}/duty", asked), "room")
    # The steps themselves stand where their entries do.
    record = (await chief.room(made.room_id, made.session_id))["record"]
    for step, n in (("absent_confirmed", 6), ("signed", 9), ("released", 10)):
        assert record[step]["ms"] >= waited[n], step
