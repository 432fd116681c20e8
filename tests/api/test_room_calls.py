"""A room asks the next one for a seat, is stopped at one press, calls its roll, and writes down who leaves for good."""

from __future__ import annotations

import asyncio

import pytest

from tests.candidates import Candidate
from tests.doors import audit, body, hall, occupant
from tests.staff import signed_in

__all__ = ["hall"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
HOUR = 3_600_000


async def neighbour(hall, made, name: str, ordinal: int, spares: int, building: str | None = None) -> int:
    """Another room of the exam, with so many spare seats and nobody in it; in a building of its own when named."""
    room_id = await hall.sql(
        "WITH b AS (INSERT INTO building (exam_id, name) SELECT :e, CAST(:b AS text) WHERE CAST(:b AS text) IS NOT NULL"
        " RETURNING id)"
        " INSERT INTO room (exam_id, building_id, name, ordinal, seat_count, spare_count)"
        " SELECT :e, coalesce((SELECT id FROM b), (SELECT building_id FROM room WHERE id = :r)), :n, :o, 0, :s"
        " RETURNING id",
        e=made.exam_id, b=building, r=made.room_id, n=name, o=ordinal, s=spares,
    )  # fmt: skip
    for n in range(1, spares + 1):
        await hall.sql(
            "INSERT INTO seat (room_id, label, ordinal, is_spare) VALUES (:r, :l, :o, true)",
            r=room_id, l=f"备{n}", o=n,
        )  # fmt: skip
    return room_id


async def without_spares(hall, made) -> None:
    await hall.sql("UPDATE seat SET out_of_order = '无法开机' WHERE room_id = :r AND is_spare", r=made.room_id)


async def test_a_room_that_runs_out_asks_the_nearest_one_and_the_seat_is_kept_with_its_yes(hall):
    made, member, _ = await hall.at(-60_000)
    far = await neighbour(hall, made, "远楼", 2, 1, "北楼")
    near = await neighbour(hall, made, "近室", 9, 1)
    await without_spares(hall, made)
    other = await signed_in(hall.client, hall.engine, "invigilator", room_ids=[near])
    person = made.people[0]
    await Candidate(hall.client, person).sign_in()
    path = f"/attempts/{person.attempt}/spare-request"

    seen = await member.room(made.room_id, made.session_id)
    assert [one["room"] for one in seen["spare_rooms"]] == ["近室", "远楼"]
    asked = await member.post(path, {"to_room_id": near, "told_by": "李老师"})
    assert asked.status_code == 200, asked.text
    assert (await member.post(path, {"to_room_id": near})).json()["already"] is True
    assert (await member.post(path, {"to_room_id": far})).json()["code"] == "spare-asked"
    # The last seat there is spoken for: nobody else is sent to ask for it.
    stranger = await member.post(f"/attempts/{made.people[1].attempt}/spare-request", {"to_room_id": near})
    told = stranger.json()
    assert (stranger.status_code, told["code"], told["by"], told["next"]) == (
        409, "spare-taken", f"第01考室 {'考生1'}", "远楼",
    )  # fmt: skip
    (request,) = (await other.room(near, made.session_id))["spare_requests"]
    assert (request["name"], request["ticket"], request["from_room"], request["from_seat"], request["state"]) == (
        "考生1", person.ticket, "第01考室", "1", "asked",
    )  # fmt: skip
    answer = f"/spare-requests/{request['id']}/answer"
    # Not one's own room: neither its question nor its answer.
    assert (await member.post(answer, {"answer": "yes"})).json()["code"] == "not-permitted"

    both = await asyncio.gather(*(other.post(answer, {"answer": "yes"}) for _ in range(2)))
    assert sorted(one.json()["already"] for one in both) == [False, True]
    moving = occupant(await member.room(made.room_id, made.session_id), person.ticket)["relog"]
    assert (moving["to_room"], moving["to_seat"], moving["by"]) == ("近室", "备1", other.name)
    assert (await other.room(near, made.session_id))["spare_requests"] == []
    # The old PC is fenced by the sign-in at the new seat, as with every move.
    assert (await Candidate(hall.client, person).sign_in(seat={"room": "近室", "seat": "备1"})).status_code == 200
    (entered,) = await audit(hall, made, "spare.yes")
    assert (entered["ticket"], entered["room_ids"], entered["to"]) == (
        person.ticket, sorted([made.room_id, near]), "近室 备1",
    )  # fmt: skip
    assert [one["told_by"] for one in await audit(hall, made, "spare.ask")] == ["李老师"]


async def test_a_room_that_says_no_is_not_suggested_for_them_again_and_the_office_answers_for_a_room(hall):
    made, member, _ = await hall.at(-60_000)
    near = await neighbour(hall, made, "近室", 2, 1)
    await neighbour(hall, made, "次近", 3, 1)
    await without_spares(hall, made)
    office = await signed_in(hall.client, hall.engine, "office")
    person = made.people[0]
    path = f"/attempts/{person.attempt}/spare-request"
    request = (await member.post(path, {"to_room_id": near})).json()["request"]
    answer = f"/spare-requests/{request['id']}/answer"
    no = await office.post(answer, {"answer": "no", "told_by": "近室 王老师"})
    assert (no.status_code, no.json()["request"]["state"]) == (200, "declined")
    late = await office.post(answer, {"answer": "yes"})
    assert (late.json()["code"], late.json()["by"]) == ("spare-answered", office.name)
    (shown,) = (await member.room(made.room_id, made.session_id))["spare_requests"]
    assert (shown["state"], shown["to_room_id"], shown["answered"]["by"]) == ("declined", near, office.name)
    # Whoever has a seat by now asks nobody any more.
    following = (await member.room(made.room_id, made.session_id))["spare_rooms"][1]
    waits = (await member.post(path, {"to_room_id": following["room_id"]})).json()["request"]
    assert (await office.relog(person.attempt, to_seat_id=following["seat_id"])).status_code == 200
    gone = await office.post(f"/spare-requests/{waits['id']}/answer", {"answer": "yes"})
    assert (gone.status_code, gone.json()["code"]) == (409, "spare-answered")
    assert [one["told_by"] for one in await audit(hall, made, "spare.no")] == ["近室 王老师"]


def stop(made, kind: str = "room", **more) -> dict:
    scope = {"session": made.session_id, "kind": kind, **({"rooms": [made.room_id]} if kind == "room" else {})}
    return {"action": "pause", "scope": scope, "reason": "fire", **more}


async def test_whoever_is_on_the_spot_stops_the_room_and_lets_go_on_who_can(hall):
    made, member, chief = await hall.at(-60_000)
    sitting = [Candidate(hall.client, person) for person in made.people]
    for one in sitting:
        await one.sign_in()
    other = await neighbour(hall, made, "隔壁", 2, 0)
    foreign = {"session": made.session_id, "kind": "room", "rooms": [made.room_id]}
    stranger = await signed_in(hall.client, hall.engine, "invigilator", room_ids=[other])
    refused = await stranger.post("/time/actions", {"action": "pause", "scope": foreign, "reason": "fire"})
    assert (refused.status_code, refused.json()["code"]) == (403, "not-permitted")
    assert (await member.post("/time/actions", stop(made, "site"))).json()["code"] == "not-permitted"
    building = await hall.sql("SELECT building_id FROM room WHERE id = :r", r=made.room_id)
    whole = {"session": made.session_id, "kind": "building", "buildings": [building]}
    above = await member.post("/time/actions", {"action": "pause", "scope": whole, "reason": "fire"})
    assert above.json()["code"] == "not-permitted"
    paused = await member.post("/time/actions", stop(made))
    assert paused.status_code == 200, paused.text
    assert (await sitting[0].state())["state"] == "paused"
    # The chief stops the building with it, and lets it go on again: the room's own pause stays.
    assert (await chief.post("/time/actions", {"action": "pause", "scope": whole, "reason": "fire"})).status_code == 200
    assert (await chief.post("/time/actions", {"action": "resume", "scope": whole})).status_code == 200
    assert (await sitting[0].state())["state"] == "paused"

    # One is with the doctor: stopped by themselves before the room goes on.
    ill = {"session": made.session_id, "kind": "candidate", "attempt": str(made.people[2].attempt)}
    alone = {"action": "pause", "scope": ill, "reason": "medical", "note": "吸入烟雾"}
    assert (await member.post("/time/actions", alone)).status_code == 200
    assert (await member.post("/time/actions", {**stop(made), "action": "resume"})).status_code == 200
    assert [(await one.state())["state"] for one in sitting] == ["running", "running", "paused"]
    # Longer by what the room stood, and by nothing else.
    picture = await member.room(made.room_id, made.session_id)
    assert occupant(picture, made.people[2].ticket)["state"] == "paused"


async def test_a_roll_call_says_who_was_seen_by_whom_and_who_was_not(hall):
    made, member, chief = await hall.at(HOUR)
    room = f"/rooms/{made.room_id}"
    nobody = await member.post(f"{room}/roll-call", {"session_id": made.session_id})
    assert (nobody.status_code, nobody.json()["code"]) == (409, "roll-call-nobody")
    for n in (0, 2):
        await member.post(f"{room}/check-in", body(made, n))
    both = await asyncio.gather(
        *(one.post(f"{room}/roll-call", {"session_id": made.session_id}) for one in (member, chief))
    )
    assert sorted(one.json()["already"] for one in both) == [False, True]
    call = both[0].json()["roll_call"]
    assert [(one["seat"], one["name"], one["found"]) for one in call["people"]] == [
        ("1", "考生1", None), ("3", "考生3", None),
    ]  # fmt: skip
    tickets = [made.people[0].ticket, made.people[2].ticket]
    marks = f"{room}/roll-call/{call['id']}/marks"

    async def marked(who, some, found):
        reply = await who.post(marks, {"session_id": made.session_id, "tickets": some, "found": found})
        assert reply.status_code == 200, reply.text
        return reply.json()

    assert (await marked(member, tickets, True))["roll_call"]["counts"] == {
        "people": 2, "found": 2, "missing": 0, "open": 0,
    }  # fmt: skip
    assert (await marked(chief, tickets[:1], True))["changed"] == 0
    assert (await marked(chief, tickets[1:], False))["changed"] == 1
    shown = (await member.room(made.room_id, made.session_id))["roll_call"]
    assert [(one["found"], one["by"]) for one in shown["people"]] == [(True, member.name), (False, chief.name)]
    stranger = {"session_id": made.session_id, "tickets": [made.people[1].ticket], "found": True}
    assert (await member.post(marks, stranger)).json()["code"] == "ticket-unknown"

    over = f"{room}/roll-call/{call['id']}/close"
    closed = await member.post(over, {"session_id": made.session_id})
    assert closed.json()["roll_call"]["counts"]["missing"] == 1
    assert (await member.room(made.room_id, made.session_id))["roll_call"] is None
    late = await member.post(marks, {"session_id": made.session_id, "tickets": tickets, "found": True})
    assert (late.status_code, late.json()["code"]) == (409, "roll-call-closed")
    (kept,) = (await chief.get(f"{room}/roll-calls", session=made.session_id)).json()["roll_calls"]
    assert (kept["closed"]["by"], kept["counts"]) == (member.name, closed.json()["roll_call"]["counts"])
    assert [one["tickets"] for one in await audit(hall, made, "rollcall.mark")] == [tickets, tickets[1:]]
    assert [one["tickets"] for one in await audit(hall, made, "rollcall.close")] == [tickets[1:]]


async def test_who_leaves_for_good_has_ended_with_every_answer_kept(hall):
    made, member, chief = await hall.at(-60_000)
    person = made.people[0]
    path = f"/attempts/{person.attempt}/withdraw"
    never = await member.post(path, {"reason": "身体不适"})
    assert (never.status_code, never.json()["code"]) == (409, "not-signed-in")
    sitting = Candidate(hall.client, person)
    await sitting.sign_in()
    await sitting.answer(made.items[0], "A")
    assert (await member.post(path, {"reason": " "})).json()["code"] == "bad-body"
    both = await asyncio.gather(*(one.post(path, {"reason": "本人不愿继续"}) for one in (member, chief)))
    assert sorted(one.json()["already"] for one in both) == [False, True]
    assert both[0].json()["withdrew"] == both[1].json()["withdrew"]
    state = await sitting.state()
    assert (state["state"], state["responses"][str(made.items[0])]["value"]) == ("ended", "A")
    picture = await member.room(made.room_id, made.session_id)
    seen = occupant(picture, person.ticket)
    assert (seen["state"], seen["withdrew"]["reason"]) == ("forced", "本人不愿继续")
    # They came: present, whatever they did then.
    assert picture["numbers"]["present"] == 1
    (entered,) = await audit(hall, made, "attendance.withdraw")
    assert (entered["reason"], entered["ticket"], entered["room_id"]) == ("本人不愿继续", person.ticket, made.room_id)

    # Thought better of it: the office opens the attempt again, and they can leave again.
    office = await signed_in(hall.client, hall.engine, "office")
    one = {"session": made.session_id, "kind": "candidate", "attempt": str(person.attempt)}
    again = {"action": "reopen", "scope": one, "reason": "staff-error", "note": "本人改变主意"}
    assert (await office.post("/time/actions", again)).status_code == 200
    assert (await member.post(path, {"reason": "再次提出"})).json()["withdrew"]["reason"] == "再次提出"


async def test_who_has_ended_is_on_no_way_to_a_seat_any_more(hall):
    made, member, _ = await hall.at(-60_000)
    office = await signed_in(hall.client, hall.engine, "office")
    for n, person in enumerate(made.people[:2]):
        await Candidate(hall.client, person).sign_in()
        # The seat that was promised to the one before is free again.
        assert (await member.relog(person.attempt, to_seat_id=made.spares[0])).status_code == 200
        assert (await member.post(f"/attempts/{person.attempt}/withdraw", {"reason": "弃考"})).status_code == 200
        picture = await member.room(made.room_id, made.session_id)
        assert (occupant(picture, person.ticket)["relog"], picture["spare_left"]) == (None, 2)
        assert [(one["ticket"], one["why"]) for one in await audit(hall, made, "relog.withdraw")][n:] == [
            (person.ticket, "ended")
        ]
    # Opened again, nothing from before keeps the attempt from its end.
    one = {"session": made.session_id, "kind": "candidate", "attempt": str(made.people[0].attempt)}
    again = {"action": "reopen", "scope": one, "reason": "staff-error", "note": "本人改变主意"}
    assert (await office.post("/time/actions", again)).status_code == 200
    left = await hall.sql("SELECT count(*) FROM relog WHERE session_id = :s AND state = 'open'", s=made.session_id)
    assert left == 0


async def test_what_was_asked_for_who_has_ended_keeps_no_seat_from_the_next(hall):
    made, member, _ = await hall.at(-60_000)
    near = await neighbour(hall, made, "近室", 2, 1)
    await without_spares(hall, made)
    first, second = made.people[:2]
    await Candidate(hall.client, first).sign_in()
    asked = await member.post(f"/attempts/{first.attempt}/spare-request", {"to_room_id": near})
    assert asked.status_code == 200, asked.text
    assert (await member.room(made.room_id, made.session_id))["spare_rooms"] == []
    await member.post(f"/attempts/{first.attempt}/withdraw", {"reason": "弃考"})
    assert [one["room"] for one in (await member.room(made.room_id, made.session_id))["spare_rooms"]] == ["近室"]
    following = await member.post(f"/attempts/{second.attempt}/spare-request", {"to_room_id": near})
    assert following.status_code == 200, following.text


async def test_a_withdrawal_that_was_taken_back_is_not_the_cause_of_a_later_end(hall):
    made, member, _ = await hall.at(-60_000)
    office = await signed_in(hall.client, hall.engine, "office")
    person = made.people[0]
    await Candidate(hall.client, person).sign_in()
    await member.post(f"/attempts/{person.attempt}/withdraw", {"reason": "弃考"})
    scope = {"session": made.session_id, "kind": "candidate", "attempt": str(person.attempt)}
    for action in ("reopen", "end"):
        asked = {"action": action, "scope": scope, "reason": "other", "note": "考务决定"}
        done = await office.post("/time/actions", asked)
        assert done.status_code == 200, done.text
    seen = occupant(await member.room(made.room_id, made.session_id), person.ticket)
    assert (seen["state"], seen["withdrew"]) == ("forced", None)


async def test_a_room_that_was_released_is_not_suggested_and_said_to_be_so_of_a_move_into_it(hall):
    made, member, _ = await hall.at(-60_000)
    near = await neighbour(hall, made, "近室", 2, 1)
    await without_spares(hall, made)
    assert [one["room"] for one in (await member.room(made.room_id, made.session_id))["spare_rooms"]] == ["近室"]
    await hall.sql(
        "INSERT INTO room_record (session_id, room_id, signed_by, signed_ms, signed_expected, signed_present,"
        " signed_absent, released_by, released_ms) SELECT :s, :r, id, 1, 0, 0, 0, id, 1 FROM staff WHERE username = :u",
        s=made.session_id, r=near, u=member.username,
    )  # fmt: skip
    assert (await member.room(made.room_id, made.session_id))["spare_rooms"] == []
    office = await signed_in(hall.client, hall.engine, "office")
    spare = await hall.sql("SELECT id FROM seat WHERE room_id = :r", r=near)
    assert (await office.relog(made.people[0].attempt, to_seat_id=spare)).status_code == 200
    picture = await member.room(made.room_id, made.session_id)
    assert occupant(picture, made.people[0].ticket)["relog"]["released"] is True
