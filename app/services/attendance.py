"""At the door: candidates checked in, late-comers admitted, absentees confirmed.

What two members of staff do at once is decided by the candidate's locked allocation: the second one is told what the
first did, by whom and when, and nothing is doubled. Where what is decided on can change between the look and the
press, the request carries what was seen, and is refused with what changed. The clock is read under the lock: who waited
for somebody is judged by the time they got on, and stands after them in the record.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import identity
from app.domain.attendance import balance
from app.domain.errors import Refused
from app.domain.roles import Action, allows
from app.services.staff_requests import Done
from app.storage.postgres import admissions, attendance, room_records
from app.storage.postgres.attendance import Placed
from app.storage.postgres.room_records import RoomRecord
from app.storage.postgres.staff import Login

# Names in a refusal; of more than these the number says enough.
NAMED = 5
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Where:
    """The room a request is about, in which session, and who asked for it by telephone ('': nobody)."""

    session_id: int
    room_id: int
    told_by: str = ""


async def check_in(conn: AsyncConnection, login: Login, where: Where, ticket: str, *, clock: Callable[[], int]) -> Done:
    """Present, seen at the door: ``{candidate, checked_in: {by, ms}, already}``. Twice is the same as once.

    Refuses not-permitted, ticket-unknown, other-session, other-room, room-signed, last-admission-passed,
    candidate-deferred and candidate-ended.
    """
    place = await _place(conn, login, "check-in", where, ticket)
    if place.checked_in_ms is not None:
        seen = {"by": place.checked_in_by, "ms": place.checked_in_ms}
        return Done({"candidate": told(place), "checked_in": seen, "already": True})
    now_ms = clock()
    await still_open(conn, where, now_ms)
    _not_deferred(place)
    if place.signed_in_ms is None:
        if _over(place, now_ms):
            raise Refused("candidate-ended", name=place.name)
        if not place.admitted and not place.door.open_at(now_ms):
            raise Refused("last-admission-passed", name=place.name)
    await attendance.check_in(conn, place.allocation_id, staff_id=login.staff_id, now_ms=now_ms)
    reply = {"candidate": told(place), "checked_in": {"by": login.name, "ms": now_ms}, "already": False}
    subject = {**place.subject(), "told_by": where.told_by, "was_absent": place.absent_ms is not None}
    return Done(reply, "attendance.check-in", subject, now_ms)


async def undo_check_in(
    conn: AsyncConnection, login: Login, where: Where, ticket: str, *, reason: str, clock: Callable[[], int]
) -> Done:
    """The wrong one was checked in: ``{candidate, checked_in: null}``. An admission after last admission goes with it,
    for it says that they came; only who may give it may take it back. Whoever was confirmed as absent is so again.

    Refuses as ``check_in``, and signed-in-already (then they are there), admitted-late.
    """
    place = await _place(conn, login, "check-in", where, ticket)
    if place.checked_in_ms is None:
        return Done({"candidate": told(place), "checked_in": None})
    now_ms = clock()
    await still_open(conn, where, now_ms)
    if place.signed_in_ms is not None:
        raise Refused("signed-in-already", name=place.name)
    admission = await admissions.find(conn, place)
    if admission is not None:
        if not allows(login.role, "admit-late", room_id=where.room_id, own_room_ids=login.own_room_ids):
            raise Refused("admitted-late", name=place.name, by=admission["by"])
        await admissions.withdraw(conn, place, staff_id=login.staff_id, now_ms=now_ms)
    await attendance.undo_check_in(conn, place.allocation_id)
    subject = {
        **place.subject(),
        "told_by": where.told_by,
        "reason": reason,
        "before": place.checked_in_by,
        "admission": admission,
        "absent_again": place.absent_ms is not None,
    }
    return Done({"candidate": told(place), "checked_in": None}, "attendance.check-in-undo", subject, now_ms)


async def admit_late(
    conn: AsyncConnection, login: Login, where: Where, ticket: str, *, reason: str, clock: Callable[[], int]
) -> Done:
    """Let in after last admission, for a reason; the time that has passed is lost. The candidate counts as present.

    ``{candidate, admission: {by, ms, reason}, already}``. Refuses as ``check_in``, and admission-open while nobody's
    leave is needed.
    """
    place = await _place(conn, login, "admit-late", where, ticket)
    now_ms = clock()
    await still_open(conn, where, now_ms)
    if not place.admitted:
        _not_deferred(place)
        if place.signed_in_ms is not None:
            raise Refused("signed-in-already", name=place.name)
        if place.door.open_at(now_ms):
            raise Refused("admission-open", name=place.name)
        if _over(place, now_ms):
            raise Refused("candidate-ended", name=place.name)
    before = await admissions.admit(
        conn, place, reason=reason, told_by=where.told_by, staff_id=login.staff_id, now_ms=now_ms
    )
    if before is not None:
        return Done({"candidate": told(place), "admission": before, "already": True})
    if place.checked_in_ms is None:
        await attendance.check_in(conn, place.allocation_id, staff_id=login.staff_id, now_ms=now_ms)
    late_ms = now_ms - place.start_ms if place.start_ms is not None else 0
    subject = {
        **place.subject(),
        "told_by": where.told_by,
        "reason": reason,
        "late_ms": late_ms,
        "was_absent": place.absent_ms is not None,
    }
    admission = {"by": login.name, "ms": now_ms, "reason": reason}
    reply = {"candidate": told(place), "admission": admission, "already": False}
    return Done(reply, "attendance.admit", subject, now_ms)


async def confirm_absent(
    conn: AsyncConnection, login: Login, where: Where, tickets: Collection[str], *, clock: Callable[[], int]
) -> Done:
    """The room's absentees, confirmed together: ``tickets`` are exactly those the page showed as missing.

    ``{absent: [candidate], numbers, record, already}``. Refuses absent-too-early while somebody may still come, and
    attendance-changed with who has come since, or is missing as well.
    """
    permit(login, "confirm-absent", where.room_id)
    everybody = await attendance.lock_room(conn, where.session_id, where.room_id)
    if not everybody:
        raise Refused("not-found")
    record = await room_records.lock(conn, where.session_id, where.room_id)
    missing = [one for one in everybody if one.standing == "unaccounted"]
    if not missing and record.absent_ms is not None:
        return Done(_told_room(everybody, record, already=True))
    now_ms = clock()
    _unsigned(record, now_ms)
    early = [one for one in missing if one.door.open_at(now_ms)]
    if early:
        raise Refused("absent-too-early", names=named(early))
    shown = {identity.ticket_key(ticket) for ticket in tickets}
    came = [one for one in everybody if one.ticket in shown and one.standing == "present"]
    unseen = [one for one in missing if one.ticket not in shown]
    if came or unseen:
        raise Refused("attendance-changed", came=named(came) or "—", missing=named(unseen) or "—")
    await attendance.confirm_absent(
        conn, [one.allocation_id for one in missing], staff_id=login.staff_id, now_ms=now_ms
    )
    await room_records.take(conn, "absent", where.session_id, where.room_id, staff_id=login.staff_id, now_ms=now_ms)
    after = await attendance.of_room(conn, where.session_id, where.room_id)
    record = await room_records.find(conn, where.session_id, where.room_id)
    subject = {
        "session_id": where.session_id,
        "room_id": where.room_id,
        "room": everybody[0].room,
        "tickets": [one.ticket for one in missing],
        "told_by": where.told_by,
        **balance(one.standing for one in after).numbers(),
    }
    return Done(_told_room(after, record, already=False), "attendance.absent", subject, now_ms)


def told(place: Placed) -> dict[str, Any]:
    """A candidate as the door knows them."""
    return {
        "ticket": place.ticket,
        "name": place.name,
        "gender": place.gender,
        "attempt_id": str(place.attempt_id) if place.attempt_id is not None else None,
        "seat_id": place.seat_id,
        "seat": place.seat,
        "room_id": place.room_id,
        "room": place.room,
    }


def named(places: Iterable[Placed]) -> str:
    """The first few by seat and name, and how many more."""
    each = [f"{place.seat} {place.name}" for place in places]
    return "、".join(each[:NAMED]) + (f" … +{len(each) - NAMED}" if len(each) > NAMED else "")


def _told_room(everybody: Iterable[Placed], record: RoomRecord, *, already: bool) -> dict[str, Any]:
    each = list(everybody)
    return {
        "absent": [told(one) for one in each if one.standing == "absent"],
        "numbers": balance(one.standing for one in each).numbers(),
        "record": record.told(),
        "already": already,
    }


async def _place(conn: AsyncConnection, login: Login, action: Action, where: Where, ticket: str) -> Placed:
    """The candidate, locked, in the room that was named."""
    permit(login, action, where.room_id)
    found = await attendance.lock(conn, where.session_id, [identity.ticket_key(ticket)])
    if not found:
        raise await unknown(conn, where.session_id, identity.ticket_key(ticket))
    place = found[0]
    if place.room_id != where.room_id:
        raise Refused("other-room", name=place.name, room=place.room, seat=place.seat)
    return place


async def unknown(conn: AsyncConnection, session_id: int, ticket: str) -> Refused:
    others = await attendance.elsewhere(conn, session_id, ticket)
    if others is None:
        return Refused("ticket-unknown", ticket=ticket)
    return Refused("other-session", ticket=ticket, sessions=others or "—")


async def still_open(conn: AsyncConnection, where: Where, now_ms: int) -> None:
    """Read after the allocation was locked, which whoever signs off locks as well: one of the two comes first."""
    _unsigned(await room_records.find(conn, where.session_id, where.room_id), now_ms)


def _unsigned(record: RoomRecord, now_ms: int) -> None:
    if record.signed_ms is not None:
        raise Refused("room-signed", by=record.signed_by, minutes=(now_ms - record.signed_ms) // MINUTE_MS)


def _not_deferred(place: Placed) -> None:
    if place.standing == "deferred":
        raise Refused("candidate-deferred", name=place.name)


def _over(place: Placed, now_ms: int) -> bool:
    return place.state in ("ended", "final") or (place.end_ms is not None and now_ms >= place.end_ms)


def permit(login: Login, action: Action, room_id: int) -> None:
    if not allows(login.role, action, room_id=room_id, own_room_ids=login.own_room_ids):
        raise Refused("not-permitted")
