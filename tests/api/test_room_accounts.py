"""What a room's numbers, its signature and its release rest on, when things change around them."""

from __future__ import annotations

import pytest

from app.domain.checkpoints import Checkpoint
from app.storage.redis.client import RedisAway
from tests.candidates import Candidate
from tests.doors import audit, body, hall, occupant
from tests.staff import signed_in

__all__ = ["hall"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
HOUR = 3_600_000


async def defer(hall, made, *people: int) -> None:
    office = await signed_in(hall.client, hall.engine, "office")
    tickets = [made.people[n].ticket for n in people]
    asked = {"kind": "defer", "scope": {"session": made.session_id, "kind": "list", "tickets": tickets}}
    seen = await office.post("/rounds/preview", asked)
    assert seen.status_code == 200, seen.text
    done = await office.post(
        "/rounds/actions", {**asked, "seen": seen.json()["seen"], "number": "7号", "text": "试题错误"}
    )
    assert done.status_code == 200, done.text


async def test_who_was_deferred_before_they_came_is_expected_by_nobody(hall):
    made, member, chief = await hall.at(-HOUR)
    room = f"/rooms/{made.room_id}"
    await chief.post(f"{room}/admissions", body(made, 0, reason="迟到"))
    await defer(hall, made, 2)
    picture = await member.room(made.room_id, made.session_id)
    assert occupant(picture, made.people[2].ticket)["state"] == "deferred"
    assert picture["numbers"] == {"expected": 2, "present": 1, "absent": 0, "deferred": 1, "unaccounted": 1}
    assert (picture["counts"]["expected"], picture["counts"]["arrived"], picture["counts"]["deferred"]) == (2, 1, 1)
    assert picture["absent_due"] == [made.people[1].ticket]
    refused = await chief.post(f"{room}/admissions", body(made, 2, reason="来了"))
    assert (refused.status_code, refused.json()["code"]) == (409, "candidate-deferred")

    absent = {"session_id": made.session_id, "tickets": [made.people[1].ticket]}
    assert (await member.post(f"{room}/absent", absent)).status_code == 200
    signed = await member.post(
        f"{room}/sign-off", {"session_id": made.session_id, "expected": 2, "present": 1, "absent": 1}
    )
    assert signed.status_code == 200, signed.text
    (entered,) = await audit(hall, made, "room.sign-off")
    assert (entered["expected"], entered["absent"], entered["deferred"]) == (2, 1, 1)


async def test_a_late_admission_goes_with_its_check_in_and_only_who_may_give_it_takes_it_back(hall):
    made, member, chief = await hall.at(-HOUR)
    room = f"/rooms/{made.room_id}"
    undo = body(made, reason="认错了人")
    await chief.post(f"{room}/admissions", body(made, reason="迟到"))
    refused = await member.post(f"{room}/check-in/undo", undo)
    assert (refused.status_code, refused.json()["code"]) == (409, "admitted-late")
    assert (await chief.post(f"{room}/check-in/undo", undo)).status_code == 200
    seen = occupant(await member.room(made.room_id, made.session_id), made.people[0].ticket)
    assert (seen["state"], seen["admission"]) == ("not_arrived", None)
    # Nothing of it is left: not at the door, not at the PC.
    again = await member.post(f"{room}/check-in", body(made))
    assert (again.status_code, again.json()["code"]) == (409, "last-admission-passed")
    late = Candidate(hall.client, made.people[0])
    assert (await late.sign_in()).json()["code"] == "too-late"
    (entered,) = await audit(hall, made, "attendance.check-in-undo")
    assert (entered["reason"], entered["admission"]["by"]) == ("认错了人", chief.name)

    # The right one of that name comes after all.
    assert (await chief.post(f"{room}/admissions", body(made, reason="确是本人"))).json()["already"] is False
    assert (await late.sign_in()).status_code == 200
    assert len((await member.room(made.room_id, made.session_id))["seats"]) == 5


async def test_what_was_signed_stays_as_signed_and_a_room_that_has_changed_since_is_signed_again(hall):
    made, member, chief = await hall.at(HOUR)
    room = f"/rooms/{made.room_id}"
    for n in range(3):
        await member.post(f"{room}/check-in", body(made, n))
    signing = {"session_id": made.session_id, "expected": 3, "present": 3, "absent": 0}
    signed = (await member.post(f"{room}/sign-off", signing)).json()["record"]["signed"]
    assert signed["numbers"] == {"expected": 3, "present": 3, "absent": 0}

    await defer(hall, made, 2)
    picture = await member.room(made.room_id, made.session_id)
    assert picture["numbers"]["expected"] == 2
    assert picture["record"]["signed"] == signed
    refused = await chief.post(f"{room}/release", {"session_id": made.session_id})
    told = refused.json()
    assert (refused.status_code, told["code"], told["by"]) == (409, "signed-numbers", member.name)
    assert (told["signed_expected"], told["expected"]) == (3, 2)

    again = {"session_id": made.session_id, "reason": "一人缓考"}
    assert (await member.post(f"{room}/sign-off/undo", again)).json()["record"]["signed"] is None
    await member.post(f"{room}/sign-off", {**signing, "expected": 2, "present": 2})
    released = await chief.post(f"{room}/release", {"session_id": made.session_id})
    assert released.status_code == 200, released.text
    (entered,) = await audit(hall, made, "room.reopen")
    assert entered["before"]["numbers"] == {"expected": 3, "present": 3, "absent": 0}


async def test_a_room_waits_for_its_own_answers_and_for_a_buffer_that_can_be_asked(hall, monkeypatch):
    made, member, chief = await hall.at(-60_000)
    other, *_ = await hall.at(-60_000)
    room, release = f"/rooms/{made.room_id}", {"session_id": made.session_id}
    for n in range(3):
        sitting = Candidate(hall.client, made.people[n])
        await sitting.sign_in()
        await sitting.send(path="hand-in")
    signing = {"session_id": made.session_id, "expected": 3, "present": 3, "absent": 0}
    assert (await member.post(f"{room}/sign-off", signing)).status_code == 200
    hot = hall.site.hot()

    async def promised(attempt) -> None:
        await hot._store.client.delete(hot._keys.hot(attempt))
        (reply,) = await hot.append([Checkpoint(attempt, sitting.epoch, 9, hall.site.service_time.now_ms())])
        assert reply[0] == b"ok"

    await promised(other.people[0].attempt)
    await promised(made.people[0].attempt)
    own = await chief.post(f"{room}/release", release)
    assert (own.status_code, own.json()["code"], own.json()["n"]) == (409, "outbox-open", 1)

    async def away(*_):
        raise RedisAway("away")

    with monkeypatch.context() as broken:
        broken.setattr(hot, "pending", away)
        unknown = await chief.post(f"{room}/release", release)
    assert (unknown.status_code, unknown.json()["code"]) == (503, "unavailable")
    assert (await member.room(made.room_id, made.session_id))["record"]["released"] is None

    # What waits for another room holds nobody here back.
    await hot._store.client.delete(hot._keys.pending(made.people[0].attempt))
    assert (await chief.post(f"{room}/release", release)).status_code == 200


def swapping(made, *tickets: str) -> dict:
    seats = (made.people[0].seat_id, made.people[1].seat_id)
    people = [{"ticket": ticket, "seat_id": seat} for ticket, seat in zip(tickets, seats, strict=True)]
    return {"session_id": made.session_id, "candidates": people, "reason": "坐错了"}


async def test_after_seats_are_exchanged_every_store_knows_where_they_sit(hall):
    made, member, _ = await hall.at(HOUR // 2)
    one, other = made.people[:2]
    sitting = Candidate(hall.client, one)
    assert (await sitting.sign_in()).json()["seat"]["seat"] == "1"
    hot = hall.site.hot()
    assert (await hot.facts(one.attempt))["seat"]["seat"] == "1"
    assert (await member.post("/seats/swap", swapping(made, one.ticket, other.ticket))).status_code == 200
    assert (await hot.facts(one.attempt))["seat"]["seat"] == "2"
    # The page is loaded anew, under the same grant.
    assert (await sitting.sign_in()).json()["seat"]["seat"] == "2"


async def test_one_person_is_not_exchanged_with_themselves_however_the_ticket_is_spelt(hall):
    made, member, _ = await hall.at(HOUR)
    ticket = made.people[0].ticket
    wide = "".join(chr(ord(char) + 0xFEE0) for char in ticket.lower())
    refused = await member.post("/seats/swap", swapping(made, ticket, wide))
    assert (refused.status_code, refused.json()["code"]) == (422, "swap-one-person")
    # Two people are, also where one of them was scanned and the other typed.
    spelt = f"{made.people[1].ticket[:3]} {made.people[1].ticket[3:].lower()}"
    assert (await member.post("/seats/swap", swapping(made, wide, spelt))).status_code == 200


async def test_an_attempt_that_is_read_says_which_word_on_its_leave_it_knows(hall):
    made, member, _ = await hall.at(-60_000)
    sitting = Candidate(hall.client, made.people[0])
    await sitting.sign_in()
    assert (await sitting.state())["leave_notice"] == 0
    path = f"/attempts/{made.people[0].attempt}"
    for how, body_, out in (("leave", {"kind": "toilet"}, True), ("return", {}, False)):
        await member.post(f"{path}/{how}", body_)
        state, told = await sitting.state(), (await sitting.send()).json()["notices"]
        assert (state["on_leave"], state["leave_notice"]) == (out, told[-1]["id"])
