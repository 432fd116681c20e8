"""A room accounts for its session: leaves, the sign-off and the release, who watches it, and its spare seats."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from app.services import ending
from tests.candidates import Candidate
from tests.doors import audit, body, hall, occupant
from tests.staff import Staff, account, signed_in

__all__ = ["hall"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
HOUR = 3_600_000


def numbers(made, expected, present, absent, **more):
    return {"session_id": made.session_id, "expected": expected, "present": present, "absent": absent, **more}


async def test_a_room_is_signed_when_it_balances_and_released_when_nothing_of_anybody_is_open(hall):
    made, member, chief = await hall.at(-HOUR)
    room = f"/rooms/{made.room_id}"
    sitting = Candidate(hall.client, made.people[0])
    await chief.post(f"{room}/admissions", body(made, 0, reason="迟到"))
    await sitting.sign_in()

    open_yet = await member.post(f"{room}/sign-off", numbers(made, 3, 1, 0))
    assert (open_yet.status_code, open_yet.json()["code"]) == (409, "not-balanced")
    assert (open_yet.json()["unaccounted"], open_yet.json()["names"]) == (2, "2 考生2、3 考生3")
    tickets = [one.ticket for one in made.people[1:]]
    await member.post(f"{room}/absent", {"session_id": made.session_id, "tickets": tickets})
    wrong = await member.post(f"{room}/sign-off", numbers(made, 3, 2, 1))
    assert (wrong.json()["code"], wrong.json()["present"]) == ("attendance-moved", 1)

    asked = numbers(made, 3, 1, 2, remarks="考场秩序良好", told_by="101 考室 李老师")
    first, second = await asyncio.gather(member.post(f"{room}/sign-off", asked), chief.post(f"{room}/sign-off", asked))
    assert sorted(one.json()["already"] for one in (first, second)) == [False, True]
    assert first.json()["record"]["signed"] == second.json()["record"]["signed"]
    (entered,) = await audit(hall, made, "room.sign-off")
    assert (entered["remarks"], entered["told_by"], entered["absent"]) == ("考场秩序良好", "101 考室 李老师", 2)

    # Signed: nobody's presence changes behind the signature.
    late = await chief.post(f"{room}/admissions", body(made, 1, reason="又来一人"))
    assert (late.status_code, late.json()["code"]) == (409, "room-signed")
    assert late.json()["by"] in (member.name, chief.name)

    release = {"session_id": made.session_id}
    assert (await member.post(f"{room}/release", release)).json()["code"] == "not-permitted"
    early = await chief.post(f"{room}/release", release)
    assert (early.json()["code"], early.json()["names"]) == ("attempts-open", "1 考生1")
    await sitting.send(path="hand-in")
    # The absent ones' attempts are open for whoever looks, and hold nobody back.
    done = await chief.post(f"{room}/release", release)
    assert done.status_code == 200, done.text
    assert (await chief.post(f"{room}/release", release)).json()["already"] is True
    picture = await member.room(made.room_id, made.session_id)
    assert picture["record"]["released"]["by"] == chief.name
    back = await member.post(f"{room}/sign-off/undo", {"session_id": made.session_id, "reason": "补记"})
    assert (back.json()["code"], back.json()["by"]) == ("room-released", chief.name)


async def test_a_signature_is_taken_back_for_a_reason(hall):
    made, member, chief = await hall.at(HOUR)
    room = f"/rooms/{made.room_id}"
    for n in range(3):
        await member.post(f"{room}/check-in", body(made, n))
    assert (await chief.post(f"{room}/release", {"session_id": made.session_id})).json()["code"] == "not-signed"
    await member.post(f"{room}/sign-off", numbers(made, 3, 3, 0))
    undone = await member.post(f"{room}/sign-off/undo", {"session_id": made.session_id, "reason": "签早了"})
    assert undone.json()["record"]["signed"] is None
    (entered,) = await audit(hall, made, "room.reopen")
    assert (entered["reason"], entered["before"]["by"]) == ("签早了", member.name)


async def test_who_leaves_is_shown_no_question_and_the_clock_runs(hall):
    made, member, chief = await hall.at(-60_000)
    person = made.people[0]
    path = f"/attempts/{person.attempt}"
    absent = await member.post(f"{path}/leave", {"kind": "toilet"})
    assert (absent.status_code, absent.json()["code"]) == (409, "not-signed-in")
    sitting = Candidate(hall.client, person)
    told = (await sitting.sign_in()).json()
    assert (await member.post(f"{path}/return")).json()["code"] == "not-left"

    both = await asyncio.gather(
        member.post(f"{path}/leave", {"kind": "toilet"}), chief.post(f"{path}/leave", {"kind": "medical"})
    )
    assert sorted(one.json()["already"] for one in both) == [False, True]
    assert both[0].json()["leave"] == both[1].json()["leave"]
    # The page hears of it with its next reply, and a page that is loaded anew too.
    beat = (await sitting.send()).json()
    assert [notice["kind"] for notice in beat["notices"]] == ["leave"]
    state = await sitting.state()
    assert state["on_leave"] is True
    assert state["clock"]["remaining_ms"] <= told["clock"]["remaining_ms"]
    seen = occupant(await member.room(made.room_id, made.session_id), person.ticket)
    assert (seen["state"], seen["leave"]["kind"]) == ("on_leave", both[0].json()["leave"]["kind"])

    back = await member.post(f"{path}/return", {"told_by": "李老师"})
    assert (back.status_code, back.json()["already"]) == (200, False)
    again = await chief.post(f"{path}/return")
    assert (again.json()["already"], again.json()["returned"]["by"]) == (True, member.name)
    assert (await sitting.state())["on_leave"] is False
    assert [notice["kind"] for notice in (await sitting.send()).json()["notices"]] == ["leave", "return"]
    (left,) = await audit(hall, made, "leave.open")
    assert (left["ticket"], left["attempt"]) == (person.ticket, str(person.attempt))
    assert [one["told_by"] for one in await audit(hall, made, "leave.return")] == ["李老师"]


async def test_a_leave_ends_with_its_attempt_whatever_way_it_ends(hall):
    made, member, _ = await hall.at(-60_000, candidates=4)
    office = await signed_in(hall.client, hall.engine, "office")
    sitters = [Candidate(hall.client, person) for person in made.people]
    paths = [f"/attempts/{person.attempt}" for person in made.people]
    for sitting, path in zip(sitters, paths, strict=True):
        await sitting.sign_in()
        assert (await member.post(f"{path}/leave", {"kind": "toilet"})).status_code == 200
    scopes = [{"session": made.session_id, "kind": "candidate", "attempt": str(p.attempt)} for p in made.people]

    assert (await sitters[0].send(path="hand-in")).status_code == 200
    now = hall.site.service_time.now_ms()
    await hall.sql("UPDATE attempt SET end_ms = :now WHERE id = :a", now=now, a=made.people[1].attempt)
    await ending.end(hall.site, made.people[1].attempt, "time_out")
    stop = {"action": "end", "scope": scopes[2], "reason": "other", "note": "结束"}
    seen = (await office.post("/time/preview", stop)).json()["seen"]
    assert (await office.post("/time/actions", {**stop, "seen": seen})).status_code == 200
    assert (await member.post(f"{paths[3]}/withdraw", {"reason": "弃考"})).status_code == 200

    async with hall.engine.connect() as conn:
        rows = await conn.execute(
            text(
                "SELECT a.end_reason, l.returned_ms = greatest(l.left_ms, a.ended_ms) AS with_it, l.returned_by"
                " FROM leave l JOIN attempt a ON a.id = l.attempt_id WHERE a.session_id = :s ORDER BY l.id"
            ),
            {"s": made.session_id},
        )
        ended = [tuple(row) for row in rows]
    # Nobody brought them back, and the room's paper does not say so.
    reasons = ("hand_in", "time_out", "forced", "forced")
    assert ended == [(reason, True, None) for reason in reasons]
    asked = {"session": made.session_id, "room": made.room_id}
    assert (await member.get("/print/room-record", **asked)).text.count("未返回</td>") == 4
    assert (await member.post(f"{paths[0]}/return")).json()["code"] == "candidate-ended"
    # Opened again, the page shows the question.
    again = {"action": "reopen", "scope": scopes[0], "reason": "staff-error", "note": "误交卷"}
    assert (await office.post("/time/actions", again)).status_code == 200
    assert (await sitters[0].state())["on_leave"] is False


async def test_an_invigilator_is_replaced_and_what_was_open_is_the_next_ones(hall):
    made, member, chief = await hall.at(-60_000)
    await Candidate(hall.client, made.people[0]).sign_in()
    opened = (await member.relog(made.people[0].attempt, to_seat_id=made.spares[0])).json()["relog"]
    comer = await account(hall.engine, "invigilator")
    path = f"/rooms/{made.room_id}/duty"
    assert (await member.get(path)).json()["code"] == "not-permitted"
    offered = (await chief.get(path)).json()
    assert comer in [one["username"] for one in offered["available"]]
    asked = {"joined": comer, "left": member.username, "reason": "身体不适"}
    done = await chief.post(path, asked)
    assert {one["username"] for one in done.json()["on_duty"]} == {comer, chief.username}
    stale = await chief.post(path, asked)
    assert (stale.status_code, stale.json()["code"]) == (409, "duty-changed")
    assert (await chief.get(path)).json()["changes"][0]["reason"] == "身体不适"

    assert (await member.post(f"/relogs/{opened['id']}/withdraw")).json()["code"] == "not-permitted"
    relief = Staff(hall.client, comer)
    await relief.sign_in()
    assert (await relief.post(f"/relogs/{opened['id']}/withdraw")).json()["relog"]["state"] == "withdrawn"
    (entered,) = await audit(hall, made, "duty.change")
    assert (entered["joined"], entered["left"]) == (comer, member.username)
    office = await signed_in(hall.client, hall.engine, "office")
    assert (await office.post(path, {"joined": office.username, "reason": "x"})).json()["code"] == "duty-not-watching"


async def test_a_room_that_runs_out_is_shown_the_nearest_spare(hall):
    made, member, _ = await hall.at(HOUR)
    for name, ordinal, building in (("远楼考室", 2, "北楼"), ("同楼远", 9, "南楼"), ("同楼近", 4, "南楼")):
        await hall.sql(
            "INSERT INTO building (exam_id, name) VALUES (:e, :b) ON CONFLICT DO NOTHING", e=made.exam_id, b=building
        )
        room_id = await hall.sql(
            "INSERT INTO room (exam_id, building_id, name, ordinal, seat_count, spare_count)"
            " SELECT :e, id, :n, :o, 1, 1 FROM building WHERE exam_id = :e AND name = :b RETURNING id",
            e=made.exam_id, b=building, n=name, o=ordinal,
        )  # fmt: skip
        await hall.sql("INSERT INTO seat (room_id, label, ordinal, is_spare) VALUES (:r, '备1', 1, true)", r=room_id)
    picture = await member.room(made.room_id, made.session_id)
    assert (picture["nearest_spare"], picture["spare_low"]) == (None, False)
    await member.post(f"/seats/{made.spares[0]}/mark", {"out_of_order": "显示器坏"})
    assert (await member.room(made.room_id, made.session_id))["spare_low"] is True
    await member.post(f"/seats/{made.spares[1]}/mark", {"out_of_order": "主机坏"})
    picture = await member.room(made.room_id, made.session_id)
    assert (picture["spare_left"], picture["suggested_seat_id"]) == (0, None)
    assert (picture["nearest_spare"]["room"], picture["nearest_spare"]["left"]) == ("同楼近", 1)


async def test_a_signature_and_a_change_of_presence_at_once_leave_a_record_that_balances(hall):
    for _ in range(4):
        made, member, chief = await hall.at(HOUR)
        room = f"/rooms/{made.room_id}"
        for n in range(3):
            await member.post(f"{room}/check-in", body(made, n))
        signed, undone = await asyncio.gather(
            member.post(f"{room}/sign-off", numbers(made, 3, 3, 0)),
            chief.post(f"{room}/check-in/undo", body(made, 1, reason="点错了")),
        )
        told = {signed.json().get("code"), undone.json().get("code")}
        assert told in ({None, "room-signed"}, {"attendance-moved", None}), told
        picture = await member.room(made.room_id, made.session_id)
        assert (picture["record"]["signed"] is None) == (picture["numbers"]["unaccounted"] == 1)


async def test_two_who_exchange_the_same_seats_at_once_exchange_them_once(hall):
    made, member, chief = await hall.at(HOUR // 4)
    one, other = made.people[:2]
    asked = {
        "session_id": made.session_id,
        "candidates": [{"ticket": person.ticket, "seat_id": person.seat_id} for person in (one, other)],
        "reason": "坐错了",
    }
    both = await asyncio.gather(
        member.post("/seats/swap", asked), chief.post("/seats/swap", asked), Candidate(hall.client, one).sign_in()
    )
    assert sorted(reply.status_code for reply in both) == [200, 200, 409]
    picture = await member.room(made.room_id, made.session_id)
    assert [seat["occupant"]["ticket"] for seat in picture["seats"][:2]] == [other.ticket, one.ticket]
    held = await hall.sql(
        "SELECT l.seat_id FROM lease l WHERE l.attempt_id = :a AND l.revoked_ms IS NULL", a=one.attempt
    )
    assert held == other.seat_id


async def test_what_is_opened_again_in_a_released_room_is_said_before_and_put_right_by_the_office(hall):
    made, member, chief = await hall.at(-HOUR)
    room, release = f"/rooms/{made.room_id}", {"session_id": made.session_id}
    sitting = Candidate(hall.client, made.people[0])
    await chief.post(f"{room}/admissions", body(made, 0, reason="迟到"))
    await sitting.sign_in()
    tickets = [one.ticket for one in made.people[1:]]
    await member.post(f"{room}/absent", {"session_id": made.session_id, "tickets": tickets})
    await member.post(f"{room}/sign-off", numbers(made, 3, 1, 2))
    await sitting.send(path="hand-in")
    assert (await chief.post(f"{room}/release", release)).json()["already"] is False

    office = await signed_in(hall.client, hall.engine, "office")
    one = {"session": made.session_id, "kind": "candidate", "attempt": str(made.people[0].attempt)}
    again = {"action": "reopen", "scope": one, "reason": "staff-error", "note": "误交卷"}
    effect = (await office.post("/time/preview", again)).json()["effect"]
    assert [(told["room"], told["by"]) for told in effect["released"]] == [("第01考室", chief.name)]
    assert "第01考室 已放行" in effect["zh"]
    assert (await office.post("/time/actions", again)).status_code == 200
    # Pressed again: by what was signed, not by what is so now.
    told = (await chief.post(f"{room}/release", release)).json()
    assert (told["already"], told["numbers"]) == (True, {"expected": 3, "present": 1, "absent": 2})

    back = {"session_id": made.session_id, "reason": "重开误交卷"}
    for other in (member, chief):
        assert (await other.post(f"{room}/sign-off/undo", back)).json()["code"] == "room-released"
    undone = (await office.post(f"{room}/sign-off/undo", back)).json()["record"]
    assert (undone["signed"], undone["released"]) == (None, None)
    (entered,) = await audit(hall, made, "room.reopen")
    assert (entered["reason"], entered["before"]["released"]["by"]) == ("重开误交卷", chief.name)
    await member.post(f"{room}/sign-off", numbers(made, 3, 1, 2))
    assert (await chief.post(f"{room}/release", release)).json()["code"] == "attempts-open"
    await sitting.send(path="hand-in")
    assert (await chief.post(f"{room}/release", release)).json()["already"] is False


async def test_an_account_of_the_demo_watches_no_room_outside_it(hall):
    made, member, chief = await hall.at(HOUR)
    demo = await account(hall.engine, "invigilator", is_demo=True)
    asked = {"joined": demo, "left": member.username, "reason": "换岗"}
    refused = await chief.post(f"/rooms/{made.room_id}/duty", asked)
    assert refused.json()["code"] == "staff-unknown"
    on_duty = (await chief.get(f"/rooms/{made.room_id}/duty")).json()["on_duty"]
    assert {one["username"] for one in on_duty} == {member.username, chief.username}
