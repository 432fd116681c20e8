"""What a room's numbers, its signature and its release rest on, when things change around them."""

from __future__ import annotations

import asyncio

import pytest

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
