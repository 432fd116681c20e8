"""A room accounts for its session: signed off when the numbers balance, released when nothing of anybody is open.

Each step is taken once, by the locked record and at the time it is then; who comes second is told who took it and when.
Signing says the numbers aloud: they are part of the request, and refused when they are no longer what the record says.
They are kept as they were signed: whoever is moved or deferred afterwards changes what is so, and then it has to be
signed again before the room is released.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.attendance import Balance, balance
from app.domain.errors import Refused
from app.domain.roles import Action, allows, scope
from app.services.attendance import Where, named
from app.services.staff_requests import Done
from app.storage.postgres import attendance, room_records
from app.storage.postgres.attendance import Placed
from app.storage.postgres.room_records import RoomRecord
from app.storage.postgres.staff import Login

Waiting = Callable[[AsyncConnection, Sequence[UUID]], Awaitable[int]]


async def sign_off(
    conn: AsyncConnection,
    login: Login,
    where: Where,
    seen: tuple[int, int, int],
    *,
    remarks: str,
    clock: Callable[[], int],
) -> Done:
    """``seen``: expected, present and absent as the page showed them. ``{numbers, record, already}``.

    Refuses attendance-moved (the numbers are others by now) and not-balanced (somebody is neither present nor absent).
    """
    _permit(login, "sign-off-room", where.room_id)
    everybody = await _everybody(conn, where)
    numbers = balance(one.standing for one in everybody)
    record = await room_records.lock(conn, where.session_id, where.room_id)
    if record.signed_ms is not None:
        return Done({"numbers": numbers.numbers(), "record": record.told(), "already": True})
    if seen != (numbers.expected, numbers.present, numbers.absent):
        raise Refused("attendance-moved", **numbers.numbers())
    _balanced(numbers, everybody)
    now_ms = clock()
    await room_records.sign(
        conn, where.session_id, where.room_id, seen, staff_id=login.staff_id, now_ms=now_ms, remarks=remarks
    )
    record = await room_records.find(conn, where.session_id, where.room_id)
    reply = {"numbers": numbers.numbers(), "record": record.told(), "already": False}
    subject = {**_subject(where, everybody), **numbers.numbers(), "remarks": remarks}
    return Done(reply, "room.sign-off", subject, now_ms)


async def reopen(conn: AsyncConnection, login: Login, where: Where, *, reason: str, clock: Callable[[], int]) -> Done:
    """Take the signature back, for a reason: somebody was admitted after all. A release goes with it, and is the
    office's to take back: an attempt was opened again there, or somebody was moved in. Refuses room-released."""
    _permit(login, "sign-off-room", where.room_id)
    everybody = await _everybody(conn, where)
    record = await room_records.lock(conn, where.session_id, where.room_id)
    if record.signed_ms is None:
        return Done({"record": record.told(), "already": True})
    if record.released_ms is not None and scope(login.role, "release-room") != "all":
        raise Refused("room-released", by=record.released_by)
    await room_records.unsign(conn, where.session_id, where.room_id)
    after = await room_records.find(conn, where.session_id, where.room_id)
    before = {**(record.step("signed") or {}), "numbers": record.numbers, "released": record.step("released")}
    subject = {**_subject(where, everybody), "reason": reason, "before": before}
    return Done({"record": after.told(), "already": False}, "room.reopen", subject, clock())


async def release(
    conn: AsyncConnection, login: Login, where: Where, *, waiting: Waiting, clock: Callable[[], int]
) -> Done:
    """Everybody may go. ``waiting``: how many answers of these attempts wait for the record, asked last, when the rows
    are locked and all are final.

    Refuses not-signed, not-balanced, signed-numbers (others than were signed: somebody was moved since),
    attempts-open with whose, outbox-open.
    """
    _permit(login, "release-room", where.room_id)
    everybody = await _everybody(conn, where)
    numbers = balance(one.standing for one in everybody)
    record = await room_records.lock(conn, where.session_id, where.room_id)
    if record.released_ms is not None:
        # By these numbers it was released; what is so by now is on the room's page.
        return Done({"numbers": record.numbers, "record": record.told(), "already": True})
    if record.signed_ms is None:
        raise Refused("not-signed")
    _balanced(numbers, everybody)
    _as_signed(numbers, record)
    # Whoever signed in and is not final may still have answers in their PC: that outbox counts as open. Who never
    # signed in has no PC, and an attempt that only the office makes final must not hold the others back.
    sitting = [one for one in everybody if one.signed_in_ms is not None and one.state != "final"]
    if sitting:
        raise Refused("attempts-open", n=len(sitting), names=named(sitting))
    sat = [one.attempt_id for one in everybody if one.attempt_id is not None and one.signed_in_ms is not None]
    buffered = await waiting(conn, sat)
    if buffered:
        raise Refused("outbox-open", n=buffered)
    now_ms = clock()
    await room_records.take(conn, "released", where.session_id, where.room_id, staff_id=login.staff_id, now_ms=now_ms)
    record = await room_records.find(conn, where.session_id, where.room_id)
    reply = {"numbers": numbers.numbers(), "record": record.told(), "already": False}
    return Done(reply, "room.release", {**_subject(where, everybody), **numbers.numbers()}, now_ms)


async def _everybody(conn: AsyncConnection, where: Where) -> list[Placed]:
    everybody = await attendance.lock_room(conn, where.session_id, where.room_id)
    if not everybody:
        raise Refused("not-found")
    return everybody


def _balanced(numbers: Balance, everybody: list[Placed]) -> None:
    if not numbers.balances:
        missing = [one for one in everybody if one.standing == "unaccounted"]
        raise Refused("not-balanced", **numbers.numbers(), names=named(missing))


def _as_signed(numbers: Balance, record: RoomRecord) -> None:
    signed = record.numbers
    if signed is not None and signed != {name: numbers.numbers()[name] for name in signed}:
        before = {f"signed_{name}": n for name, n in signed.items()}
        raise Refused("signed-numbers", by=record.signed_by, **before, **numbers.numbers())


def _subject(where: Where, everybody: list[Placed]) -> dict[str, object]:
    return {
        "session_id": where.session_id,
        "room_id": where.room_id,
        "room": everybody[0].room,
        "told_by": where.told_by,
    }


def _permit(login: Login, action: Action, room_id: int) -> None:
    if not allows(login.role, action, room_id=room_id, own_room_ids=login.own_room_ids):
        raise Refused("not-permitted")
