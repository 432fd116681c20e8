"""A room that has run out of spare seats (备用机位) asks the next one for one candidate; the other room answers.

Asking keeps no seat. The answer does: with *yes* the move is opened to a seat of the room that said it, and from then
on everything is a relog like any other. Of two who ask for a room's last seat the second is told at once, by the asked
room's row; and a room that says *no* is not suggested for that candidate again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.domain.roles import allows
from app.services import relog
from app.services.staff_requests import Done
from app.storage.postgres import relogs, spare_requests
from app.storage.postgres.spare_requests import SpareRequest
from app.storage.postgres.staff import Login

# Rooms a suggestion is looked for in; a hall that has no spare seat in so many calls the office.
MOST_ROOMS = 100


async def ask(
    conn: AsyncConnection,
    login: Login,
    attempt: UUID,
    *,
    to_room_id: int,
    reason: relog.Reason,
    told_by: str,
    clock: Callable[[], int],
) -> Done:
    """Ask the room that the page suggested: ``{request, already}``.

    Refuses not-found, not-permitted, attempt-over, relog-open, spare-asked (of another room), spare-taken: no seat is
    free there any more, or the last one is spoken for; said with the room that comes next.
    """
    seated = await relogs.lock_seated(conn, attempt)
    if seated is None:
        raise Refused("not-found")
    _permit(login, seated.room_id)
    relog.still_sitting(seated, clock())
    moving = await relogs.open_of_attempt(conn, attempt)
    if moving is not None:
        raise Refused("relog-open", name=seated.name, seat=moving.to_seat, room=moving.to_room, by=moving.by)
    before = await spare_requests.asked_for(conn, attempt)
    if before is not None:
        if before.to_room_id == to_room_id:
            return Done({"request": before.told(), "already": True})
        raise Refused("spare-asked", name=before.name, room=before.to_room, by=before.by)
    await spare_requests.lock_room(conn, to_room_id)
    declined = await spare_requests.declined_by(conn, attempt)
    near = await spare_requests.nearest(conn, seated.room_id, seated.session_id, MOST_ROOMS)
    there = next((one for one in near if one["room_id"] == to_room_id), None)
    if there is None:
        following = next((one for one in near if one["room_id"] not in declined), None)
        spoken = await spare_requests.asked_of(conn, seated.session_id, to_room_id)
        raise Refused(
            "spare-taken",
            by="、".join(f"{one.from_room} {one.name}" for one in spoken) or "—",
            next=following["room"] if following is not None else "—",
        )
    now_ms = clock()
    request_id = await spare_requests.insert(
        conn, attempt, seated.session_id, seated.room_id, to_room_id, reason=reason, told_by=told_by,
        staff_id=login.staff_id, now_ms=now_ms,
    )  # fmt: skip
    entered = await _found(conn, request_id)
    return Done({"request": entered.told(), "already": False}, "spare.ask", _subject(entered, told_by), now_ms)


async def answer(
    conn: AsyncConnection, login: Login, request_id: int, *, yes: bool, told_by: str, clock: Callable[[], int]
) -> Done:
    """The asked room's word: ``{request, relog, already}``; with yes the move is open, to a seat of this room.

    Refuses not-found, not-permitted, spare-answered (with what, by whom), spare-gone (no seat is free any more), and
    what refuses a relog.
    """
    found = await spare_requests.find(conn, request_id)
    if found is None:
        raise Refused("not-found")
    _permit(login, found.to_room_id)
    seated = await relogs.lock_seated(conn, found.attempt_id)
    found = await _found(conn, request_id, lock=True)
    if found.state != "asked" or seated is None:
        if found.state == ("granted" if yes else "declined"):
            return Done({"request": found.told(), "relog": None, "already": True})
        raise Refused("spare-answered", state=found.state, by=found.answered_by or "—")
    now_ms = clock()
    if not yes:
        await spare_requests.answer(conn, request_id, "declined", staff_id=login.staff_id, now_ms=now_ms)
        told = await _found(conn, request_id)
        reply = {"request": told.told(), "relog": None, "already": False}
        return Done(reply, "spare.no", _subject(told, told_by), now_ms)
    relog.still_sitting(seated, now_ms)
    moving = await relogs.open_of_attempt(conn, found.attempt_id)
    if moving is not None:
        raise Refused("relog-open", name=seated.name, seat=moving.to_seat, room=moving.to_room, by=moving.by)
    seat_id = await relogs.free_spare(conn, found.session_id, found.to_room_id)
    target = None if seat_id is None else await relogs.share_place(conn, seat_id)
    if target is None:
        raise Refused("spare-gone", room=found.to_room)
    opened = await relog.promise(conn, login, seated, target, reason=found.reason, now_ms=now_ms)
    await spare_requests.answer(conn, request_id, "granted", staff_id=login.staff_id, now_ms=now_ms, relog_id=opened.id)
    told = await _found(conn, request_id)
    subject = {**_subject(told, told_by), **relog.subject_of(opened)}
    return Done({"request": told.told(), "relog": relog.told(opened), "already": False}, "spare.yes", subject, now_ms)


async def withdraw(
    conn: AsyncConnection, login: Login, request_id: int, *, told_by: str, clock: Callable[[], int]
) -> Done:
    """The room that asked needs it no longer: ``{request, already}``. Refuses not-found, not-permitted and
    spare-answered."""
    found = await spare_requests.find(conn, request_id)
    if found is None:
        raise Refused("not-found")
    _permit(login, found.from_room_id)
    found = await _found(conn, request_id, lock=True)
    if found.state == "withdrawn":
        return Done({"request": found.told(), "already": True})
    if found.state != "asked":
        raise Refused("spare-answered", state=found.state, by=found.answered_by or "—")
    now_ms = clock()
    await spare_requests.answer(conn, request_id, "withdrawn", staff_id=login.staff_id, now_ms=now_ms)
    told = await _found(conn, request_id)
    return Done({"request": told.told(), "already": False}, "spare.withdraw", _subject(told, told_by), now_ms)


async def _found(conn: AsyncConnection, request_id: int, *, lock: bool = False) -> SpareRequest:
    found = await spare_requests.find(conn, request_id, lock=lock)
    if found is None:
        raise LookupError(f"spare request {request_id} vanished: they are never deleted")
    return found


def _subject(request: SpareRequest, told_by: str) -> dict[str, Any]:
    return {
        "request_id": request.id,
        "attempt": str(request.attempt_id),
        "ticket": request.ticket,
        "session_id": request.session_id,
        "room": request.from_room,
        "room_id": request.from_room_id,
        "room_ids": sorted({request.from_room_id, request.to_room_id}),
        "asked_room": request.to_room,
        "told_by": told_by,
    }


def _permit(login: Login, room_id: int) -> None:
    if not allows(login.role, "relog", room_id=room_id, own_room_ids=login.own_room_ids):
        raise Refused("not-permitted")
