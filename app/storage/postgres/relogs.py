"""Relogs: a candidate's permission to sign in at another seat, open until it is used or withdrawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.storage.postgres.hall_tables import spare_request
from app.storage.postgres.tables import allocation, attempt, candidate, relog, room, seat, session, staff


@dataclass(frozen=True, slots=True)
class Seated:
    """A locked attempt with where its candidate sits and when its session runs."""

    attempt_id: UUID
    session_id: int
    exam_id: int
    seat_id: int
    seat: str
    room_id: int
    room: str
    ticket: str
    name: str
    state: Literal["open", "ended", "final"]
    signed_in_ms: int | None
    start_ms: int | None
    end_ms: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """A seat somebody may be moved to."""

    seat_id: int
    seat: str
    room_id: int
    room: str
    exam_id: int
    is_spare: bool
    out_of_order: str | None


@dataclass(frozen=True, slots=True)
class Relog:
    id: int
    attempt_id: UUID
    session_id: int
    from_seat_id: int
    to_seat_id: int
    from_seat: str
    to_seat: str
    from_room_id: int
    to_room_id: int
    from_room: str
    to_room: str
    reason: str
    state: Literal["open", "used", "withdrawn"]
    by: str
    ticket: str
    name: str


async def lock_seated(conn: AsyncConnection, attempt_id: UUID) -> Seated | None:
    """Lock the attempt's row (FOR NO KEY UPDATE, as the checkpoint writer does), then read where the candidate sits.

    Two statements on purpose: after a wait PostgreSQL reads only the locked row again. A sign-in that held the row
    has moved ``allocation.seat_id``, and a join made before the wait would still show the old seat.
    """
    locked = sa.select(attempt.c.id).where(attempt.c.id == attempt_id).with_for_update(key_share=True)
    if (await conn.execute(locked)).scalar_one_or_none() is None:
        return None
    query = (
        sa.select(
            attempt.c.id.label("attempt_id"),
            attempt.c.session_id,
            session.c.exam_id,
            seat.c.id.label("seat_id"),
            seat.c.label.label("seat"),
            room.c.id.label("room_id"),
            room.c.name.label("room"),
            candidate.c.ticket,
            candidate.c.name,
            attempt.c.state,
            attempt.c.signed_in_ms,
            (session.c.start_ms + attempt.c.postponed_ms).label("start_ms"),
            attempt.c.end_ms,
        )
        .join(session, session.c.id == attempt.c.session_id)
        .join(candidate, candidate.c.id == attempt.c.candidate_id)
        .join(
            allocation,
            sa.and_(
                allocation.c.session_id == attempt.c.session_id, allocation.c.candidate_id == attempt.c.candidate_id
            ),
        )
        .join(seat, seat.c.id == allocation.c.seat_id)
        .join(room, room.c.id == seat.c.room_id)
        .where(attempt.c.id == attempt_id)
    )
    return Seated(**(await conn.execute(query)).mappings().one())


async def share_place(conn: AsyncConnection, seat_id: int) -> Place | None:
    """The seat, its row locked FOR SHARE: nobody marks it out of order before this transaction ends."""
    query = (
        sa.select(
            seat.c.id.label("seat_id"),
            seat.c.label.label("seat"),
            room.c.id.label("room_id"),
            room.c.name.label("room"),
            room.c.exam_id,
            seat.c.is_spare,
            seat.c.out_of_order,
        )
        .join(room, room.c.id == seat.c.room_id)
        .where(seat.c.id == seat_id)
        .with_for_update(read=True, of=seat)
    )
    row = (await conn.execute(query)).mappings().one_or_none()
    return Place(**row) if row is not None else None


async def occupant(conn: AsyncConnection, session_id: int, seat_id: int) -> str | None:
    """Name of whoever the seat belongs to in the session."""
    query = (
        sa.select(candidate.c.name)
        .join(allocation, allocation.c.candidate_id == candidate.c.id)
        .where(allocation.c.session_id == session_id, allocation.c.seat_id == seat_id)
    )
    return cast("str | None", (await conn.execute(query)).scalar_one_or_none())


_FROM, _TO = seat.alias("from_seat"), seat.alias("to_seat")
_FROM_ROOM, _TO_ROOM = room.alias("from_room"), room.alias("to_room")


def _relogs() -> sa.Select[Any]:
    return (
        sa.select(
            relog.c.id,
            relog.c.attempt_id,
            relog.c.session_id,
            relog.c.from_seat_id,
            relog.c.to_seat_id,
            _FROM.c.label.label("from_seat"),
            _TO.c.label.label("to_seat"),
            _FROM_ROOM.c.id.label("from_room_id"),
            _TO_ROOM.c.id.label("to_room_id"),
            _FROM_ROOM.c.name.label("from_room"),
            _TO_ROOM.c.name.label("to_room"),
            relog.c.reason,
            relog.c.state,
            staff.c.name.label("by"),
            candidate.c.ticket,
            candidate.c.name,
        )
        .join(_FROM, _FROM.c.id == relog.c.from_seat_id)
        .join(_TO, _TO.c.id == relog.c.to_seat_id)
        .join(_FROM_ROOM, _FROM_ROOM.c.id == _FROM.c.room_id)
        .join(_TO_ROOM, _TO_ROOM.c.id == _TO.c.room_id)
        .join(staff, staff.c.id == relog.c.staff_id)
        .join(attempt, attempt.c.id == relog.c.attempt_id)
        .join(candidate, candidate.c.id == attempt.c.candidate_id)
    )


async def find(conn: AsyncConnection, relog_id: int) -> Relog | None:
    row = (await conn.execute(_relogs().where(relog.c.id == relog_id))).mappings().one_or_none()
    return Relog(**row) if row is not None else None


async def open_of_attempt(conn: AsyncConnection, attempt_id: UUID) -> Relog | None:
    query = _relogs().where(relog.c.attempt_id == attempt_id, relog.c.state == "open")
    row = (await conn.execute(query)).mappings().one_or_none()
    return Relog(**row) if row is not None else None


async def open_to_seat(conn: AsyncConnection, session_id: int, seat_id: int) -> Relog | None:
    query = _relogs().where(relog.c.session_id == session_id, relog.c.to_seat_id == seat_id, relog.c.state == "open")
    row = (await conn.execute(query)).mappings().one_or_none()
    return Relog(**row) if row is not None else None


async def over_the_end(conn: AsyncConnection, session_id: int, *, now_ms: int) -> list[Relog]:
    """The open relogs of the session whose attempts are open although their time is up, by ticket."""
    query = (
        _relogs()
        .where(relog.c.session_id == session_id, relog.c.state == "open")
        .where(attempt.c.state == "open", attempt.c.end_ms <= now_ms)
        .order_by(candidate.c.ticket)
    )
    return [Relog(**row) for row in (await conn.execute(query)).mappings()]


async def any_open_to_seat(conn: AsyncConnection, seat_id: int) -> Relog | None:
    """An open relog to the seat in whichever session."""
    query = _relogs().where(relog.c.to_seat_id == seat_id, relog.c.state == "open").limit(1)
    row = (await conn.execute(query)).mappings().one_or_none()
    return Relog(**row) if row is not None else None


async def insert_open(
    conn: AsyncConnection, seated: Seated, *, to_seat_id: int, reason: str, staff_id: int, now_ms: int
) -> int | None:
    """The new relog's id, or None when another open one has the seat (unique index ``uq_relog_seat``).

    Waits for a transaction that is about to commit the same seat. The caller holds the attempt's row.
    """
    statement = (
        insert(relog)
        .values(
            attempt_id=seated.attempt_id,
            session_id=seated.session_id,
            from_seat_id=seated.seat_id,
            to_seat_id=to_seat_id,
            reason=reason,
            staff_id=staff_id,
            opened_ms=now_ms,
        )
        .on_conflict_do_nothing()
        .returning(relog.c.id)
    )
    return cast("int | None", (await conn.execute(statement)).scalar_one_or_none())


async def unask(conn: AsyncConnection, attempt_id: UUID, *, staff_id: int, now_ms: int) -> None:
    """The candidate has a seat: what another room was asked for them, and has not answered, is withdrawn."""
    await conn.execute(
        sa.update(spare_request)
        .where(spare_request.c.attempt_id == attempt_id, spare_request.c.state == "asked")
        .values(state="withdrawn", answered_by=staff_id, answered_ms=now_ms)
    )


async def free_spare(conn: AsyncConnection, session_id: int, room_id: int) -> int | None:
    """The room's first spare seat that works and is nobody's in the session; one that somebody had to leave comes
    last."""
    used = relog.alias("used")
    left = sa.exists().where(used.c.session_id == session_id, used.c.from_seat_id == seat.c.id, used.c.state == "used")
    query = (
        sa.select(seat.c.id)
        .where(
            seat.c.room_id == room_id,
            seat.c.is_spare,
            seat.c.out_of_order.is_(None),
            ~sa.exists().where(allocation.c.session_id == session_id, allocation.c.seat_id == seat.c.id),
            ~sa.exists().where(
                relog.c.session_id == session_id, relog.c.to_seat_id == seat.c.id, relog.c.state == "open"
            ),
        )
        .order_by(left, seat.c.ordinal)
        .limit(1)
    )
    return cast("int | None", (await conn.execute(query)).scalar_one_or_none())


async def let_go(conn: AsyncConnection, attempt_id: UUID, *, now_ms: int) -> Relog | None:
    """Close the attempt's open relog as withdrawn: that one, None when none was open. Row locked by the caller."""
    closed = await conn.execute(
        sa.update(relog)
        .where(relog.c.attempt_id == attempt_id, relog.c.state == "open")
        .values(state="withdrawn", closed_ms=now_ms)
        .returning(relog.c.id)
    )
    relog_id = closed.scalar_one_or_none()
    return None if relog_id is None else await find(conn, relog_id)


async def withdraw(conn: AsyncConnection, relog_id: int, *, now_ms: int) -> bool:
    """Close an open relog as withdrawn; False when it was not open any more."""
    done = await conn.execute(
        sa.update(relog)
        .where(relog.c.id == relog_id, relog.c.state == "open")
        .values(state="withdrawn", closed_ms=now_ms)
    )
    return done.rowcount == 1
