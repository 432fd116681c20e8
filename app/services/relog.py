"""Relog 换机登录: staff let a candidate sign in at another seat, or again at the same one.

The click alone fences nobody and can be withdrawn; the old PC is fenced when the candidate signs in at the new seat
(I5, services.sign_in). What this module guarantees is that a seat is promised to one candidate at a time, however
many members of staff click at once, and that every change is on the audit log with it.

Lock order: the request's idempotency key, the attempt's row, the target seat (shared), the relog, the audit head.
"""

from __future__ import annotations

from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import lifecycle
from app.domain.errors import Refused
from app.domain.roles import allows
from app.services.staff_requests import Done
from app.storage.postgres import relogs, rooms
from app.storage.postgres.relogs import Place, Relog, Seated
from app.storage.postgres.staff import Login

Reason = Literal["pc_failed", "power", "network", "peripheral", "other"]
REASONS: tuple[Reason, ...] = get_args(Reason)


async def open_relog(
    conn: AsyncConnection,
    login: Login,
    attempt_id: UUID,
    *,
    to_seat_id: int | None,
    reason: Reason,
    note: str,
    told_by: str = "",
    now_ms: int,
) -> Done:
    """Promise ``to_seat_id`` to the candidate (None: the seat they are at, for a PC that came back without memory).

    A candidate who has not signed in yet may be moved too: the plan knows moves before the start. The same request
    again finds the relog open and gives it back. Refuses not-found, not-permitted, attempt-over, relog-open,
    seat-out-of-reach, seat-out-of-order, seat-occupied, seat-promised.
    """
    seated = await relogs.lock_seated(conn, attempt_id)
    if seated is None:
        raise Refused("not-found")
    _permit(login, seated.room_id)
    target = await relogs.share_place(conn, to_seat_id if to_seat_id is not None else seated.seat_id)
    if target is None:
        raise Refused("not-found")
    still_sitting(seated, now_ms)
    already = await relogs.open_of_attempt(conn, attempt_id)
    if already is not None:
        if already.to_seat_id == target.seat_id:
            return Done({"relog": told(already)})
        raise Refused("relog-open", name=seated.name, seat=already.to_seat, room=already.to_room, by=already.by)
    _reachable(login, seated, target)

    opened = await promise(conn, login, seated, target, reason=reason, now_ms=now_ms)
    return Done({"relog": told(opened)}, "relog.open", {**subject_of(opened), "note": note, "told_by": told_by})


async def promise(
    conn: AsyncConnection, login: Login, seated: Seated, target: Place, *, reason: str, now_ms: int
) -> Relog:
    """The seat is the candidate's to sign in at, and nobody else's. Both rows are locked by the caller, who has looked
    whether it may be promised at all. What another room was asked for them is asked no more.

    Refuses seat-occupied, seat-promised.
    """
    relog_id = None
    while relog_id is None:
        relog_id = await relogs.insert_open(
            conn, seated, to_seat_id=target.seat_id, reason=reason, staff_id=login.staff_id, now_ms=now_ms
        )
        if relog_id is None:
            promised = await relogs.open_to_seat(conn, seated.session_id, target.seat_id)
            # None: withdrawn between the two statements, so the seat is free again and the insert is worth repeating.
            if promised is not None:
                raise Refused("seat-promised", seat=target.seat, name=promised.name)
    # Only now is it safe to ask who sits there: the insert waited for any transaction that was just using up a
    # relog to this seat, and a statement after it sees what that one committed.
    if target.seat_id != seated.seat_id:
        occupant = await relogs.occupant(conn, seated.session_id, target.seat_id)
        if occupant is not None:
            raise Refused("seat-occupied", seat=target.seat, name=occupant)

    opened = await relogs.find(conn, relog_id)
    if opened is None:
        raise LookupError(f"relog {relog_id} vanished inside its own transaction")
    await relogs.unask(conn, seated.attempt_id, staff_id=login.staff_id, now_ms=now_ms)
    return opened


async def withdraw_relog(conn: AsyncConnection, login: Login, relog_id: int, *, now_ms: int) -> Done:
    """Take back an open relog; withdrawing it twice is the same as once. Refuses not-found, not-permitted, relog-used.

    The attempt's row is locked first, as by the sign-in that may be using the relog at this moment: one of the two
    comes first and the other one sees it.
    """
    found = await relogs.find(conn, relog_id)
    if found is None:
        raise Refused("not-found")
    await relogs.lock_seated(conn, found.attempt_id)
    # The rooms of a relog never change, its state may have while we waited.
    if not any(_may(login, room_id) for room_id in (found.from_room_id, found.to_room_id)):
        raise Refused("not-permitted")
    changed = await relogs.withdraw(conn, relog_id, now_ms=now_ms)
    current = await relogs.find(conn, relog_id)
    if current is None:
        raise LookupError(f"relog {relog_id} vanished: relogs are never deleted")
    if current.state == "used":
        raise Refused("relog-used", name=current.name, seat=current.to_seat)
    reply = {"relog": told(current)}
    return Done(reply, "relog.withdraw", subject_of(current)) if changed else Done(reply)


async def mark_seat(
    conn: AsyncConnection, login: Login, seat_id: int, *, out_of_order: str | None, told_by: str = ""
) -> Done:
    """Say why nobody may be moved to a seat, or (None) that its PC works again.

    The seat's row is locked against relogs that read it, so a seat is never promised and out of order at once.
    Refuses not-found, not-permitted, seat-promised.
    """
    found = await rooms.lock_seat(conn, seat_id)
    if found is None:
        raise Refused("not-found")
    if not allows(login.role, "mark-seat", room_id=found["room_id"], own_room_ids=login.own_room_ids):
        raise Refused("not-permitted")
    if out_of_order is not None:
        promised = await relogs.any_open_to_seat(conn, seat_id)
        if promised is not None:
            raise Refused("seat-promised", seat=promised.to_seat, name=promised.name)
    reply = {"seat": {"seat_id": seat_id, "label": found["label"], "out_of_order": out_of_order}}
    if found["out_of_order"] == out_of_order:
        return Done(reply)
    await rooms.set_out_of_order(conn, seat_id, out_of_order)
    subject = {
        "seat_id": seat_id,
        "seat": found["label"],
        "room": found["room"],
        "room_id": found["room_id"],
        "told_by": told_by,
        "before": found["out_of_order"],
        "after": out_of_order,
    }
    return Done(reply, "seat.mark", subject)


def told(relog: Relog) -> dict[str, Any]:
    """What staff are told of a relog."""
    return {
        "id": relog.id,
        "attempt_id": str(relog.attempt_id),
        "state": relog.state,
        "from_seat": relog.from_seat,
        "to_seat": relog.to_seat,
        "from_room": relog.from_room,
        "to_room": relog.to_room,
        "to_seat_id": relog.to_seat_id,
        "same_seat": relog.from_seat_id == relog.to_seat_id,
        "reason": relog.reason,
        "by": relog.by,
        "ticket": relog.ticket,
        "name": relog.name,
    }


def subject_of(relog: Relog) -> dict[str, object]:
    return {
        "relog_id": relog.id,
        "attempt": str(relog.attempt_id),
        "room": relog.from_room,
        "room_id": relog.from_room_id,
        "room_ids": sorted({relog.from_room_id, relog.to_room_id}),
        "session_id": relog.session_id,
        "ticket": relog.ticket,
        "from": f"{relog.from_room} {relog.from_seat}",
        "to": f"{relog.to_room} {relog.to_seat}",
        "from_seat_id": relog.from_seat_id,
        "to_seat_id": relog.to_seat_id,
        "reason": relog.reason,
    }


def _may(login: Login, room_id: int) -> bool:
    return allows(login.role, "relog", room_id=room_id, own_room_ids=login.own_room_ids)


def _permit(login: Login, room_id: int) -> None:
    if not _may(login, room_id):
        raise Refused("not-permitted")


def still_sitting(seated: Seated, now_ms: int) -> None:
    state = lifecycle.derive(
        seated.state,
        signed_in=seated.signed_in_ms is not None,
        start_ms=seated.start_ms,
        end_ms=seated.end_ms,
        now_ms=now_ms,
    )
    if state in ("ended", "final"):
        raise Refused("attempt-over", name=seated.name)


def _reachable(login: Login, seated: Seated, target: Place) -> None:
    if target.exam_id != seated.exam_id or not _may(login, target.room_id):
        raise Refused("seat-out-of-reach", seat=target.seat, room=target.room)
    if target.out_of_order is not None:
        raise Refused("seat-out-of-order", seat=target.seat, why=target.out_of_order)
