"""What a room page reads: the sessions, a room's seats with who sits there, and how much each has answered.

Every query here is one statement over indexed keys, whatever the number of seats.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.storage.postgres.hall_tables import admission, leave, room_record
from app.storage.postgres.tables import (
    adjustment,
    adjustment_attempt,
    allocation,
    attempt,
    building,
    candidate,
    exam,
    paper,
    relog,
    response,
    room,
    seat,
    session,
    staff,
)


async def find_room(conn: AsyncConnection, room_id: int) -> dict[str, Any] | None:
    """``{id, name, number, building, exam_id, exam_name, timezone}``."""
    query = (
        sa.select(
            room.c.id,
            room.c.name,
            room.c.number,
            room.c.exam_id,
            building.c.name.label("building"),
            exam.c.name.label("exam_name"),
            exam.c.timezone,
        )
        .join(building, building.c.id == room.c.building_id)
        .join(exam, exam.c.id == room.c.exam_id)
        .where(room.c.id == room_id)
    )
    row = (await conn.execute(query)).mappings().one_or_none()
    return dict(row) if row is not None else None


async def lock_seat(conn: AsyncConnection, seat_id: int) -> dict[str, Any] | None:
    """``{id, room_id, room, label, is_spare, out_of_order}`` with the seat's row locked FOR NO KEY UPDATE."""
    query = (
        sa.select(
            seat.c.id, seat.c.room_id, room.c.name.label("room"), seat.c.label, seat.c.is_spare, seat.c.out_of_order
        )
        .join(room, room.c.id == seat.c.room_id)
        .where(seat.c.id == seat_id)
        .with_for_update(key_share=True, of=seat)
    )
    row = (await conn.execute(query)).mappings().one_or_none()
    return dict(row) if row is not None else None


async def set_out_of_order(conn: AsyncConnection, seat_id: int, why: str | None) -> None:
    await conn.execute(sa.update(seat).where(seat.c.id == seat_id).values(out_of_order=why))


_SESSION = (
    session.c.id,
    session.c.exam_id,
    session.c.number,
    session.c.name,
    session.c.planned_start,
    session.c.duration_ms,
    session.c.start_ms,
    session.c.held,
    session.c.sign_in_opens_ms,
    session.c.last_admission_ms,
    session.c.earliest_hand_in_ms,
    sa.select(exam.c.timezone).where(exam.c.id == session.c.exam_id).scalar_subquery().label("timezone"),
)


async def find_session(conn: AsyncConnection, session_id: int) -> dict[str, Any] | None:
    """``{id, exam_id, number, name, planned_start, duration_ms, start_ms, held, sign_in_opens_ms, last_admission_ms,
    earliest_hand_in_ms, timezone}``; the zone is the exam's."""
    row = (await conn.execute(sa.select(*_SESSION).where(session.c.id == session_id))).mappings().one_or_none()
    return dict(row) if row is not None else None


async def sessions(conn: AsyncConnection, exam_ids: Collection[int]) -> list[dict[str, Any]]:
    """The sessions of the exams in planned order, as ``find_session``."""
    query = sa.select(*_SESSION).where(session.c.exam_id.in_(sorted(exam_ids)))
    query = query.order_by(session.c.planned_start, session.c.exam_id, session.c.number)
    return [dict(row) for row in (await conn.execute(query)).mappings()]


async def rooms_in_use(conn: AsyncConnection, session_ids: Collection[int]) -> dict[int, list[int]]:
    """Session id → ids of the rooms in which somebody is allocated."""
    query = (
        sa.select(allocation.c.session_id, seat.c.room_id)
        .distinct()
        .join(seat, seat.c.id == allocation.c.seat_id)
        .where(allocation.c.session_id.in_(sorted(session_ids)))
        .order_by(allocation.c.session_id, seat.c.room_id)
    )
    used: dict[int, list[int]] = {session_id: [] for session_id in session_ids}
    for session_id, room_id in await conn.execute(query):
        used[session_id].append(room_id)
    return used


async def seats(conn: AsyncConnection, room_id: int, session_id: int) -> list[dict[str, Any]]:
    """Every seat of the room in order, with its occupant in the session and the open relogs from and to it."""
    planned = seat.alias("planned")
    planned_room = room.alias("planned_room")
    leaving, arriving = relog.alias("leaving"), relog.alias("arriving")
    target, target_room = seat.alias("target"), room.alias("target_room")
    origin, origin_room = seat.alias("origin"), room.alias("origin_room")
    comer_attempt, comer = attempt.alias("comer_attempt"), candidate.alias("comer")
    by, seer, admitter = staff.alias("moved_by"), staff.alias("seer"), staff.alias("admitter")
    parted = staff.alias("parted")
    late, provisional = admission.alias("late"), admission.alias("provisional")
    query = (
        sa.select(
            seat.c.id.label("seat_id"),
            seat.c.label,
            seat.c.ordinal,
            seat.c.is_spare,
            seat.c.out_of_order,
            candidate.c.ticket,
            candidate.c.name,
            candidate.c.gender,
            candidate.c.specialty,
            candidate.c.employer,
            candidate.c.extra_time_ms,
            planned.c.label.label("planned_label"),
            planned_room.c.id.label("planned_room_id"),
            planned_room.c.name.label("planned_room"),
            attempt.c.id.label("attempt_id"),
            attempt.c.state,
            attempt.c.signed_in_ms,
            attempt.c.contact_ms,
            attempt.c.end_ms,
            attempt.c.left_ms,
            attempt.c.postponed_ms,
            attempt.c.end_reason,
            attempt.c.ended_ms,
            attempt.c.count,
            paper.c.item_count,
            leaving.c.id.label("relog_id"),
            leaving.c.to_seat_id,
            leaving.c.reason.label("relog_reason"),
            leaving.c.opened_ms.label("relog_opened_ms"),
            target.c.label.label("to_label"),
            target_room.c.id.label("to_room_id"),
            target_room.c.name.label("to_room"),
            room_record.c.released_ms.is_not(None).label("to_released"),
            by.c.name.label("relog_by"),
            arriving.c.id.label("arriving_id"),
            origin.c.label.label("from_label"),
            origin_room.c.id.label("from_room_id"),
            origin_room.c.name.label("from_room"),
            comer.c.name.label("comer_name"),
            comer.c.ticket.label("comer_ticket"),
            candidate.c.id.label("candidate_id"),
            allocation.c.checked_in_ms,
            seer.c.name.label("checked_in_by"),
            allocation.c.absent_ms,
            sa.case((_left_for_good(), allocation.c.withdrew_ms)).label("withdrew_ms"),
            allocation.c.withdrew_reason,
            parted.c.name.label("withdrew_by"),
            late.c.made_ms.label("admitted_ms"),
            late.c.reason.label("admitted_reason"),
            admitter.c.name.label("admitted_by"),
            provisional.c.id.label("provisional_id"),
            leave.c.kind.label("leave_kind"),
            leave.c.left_ms.label("leave_ms"),
        )
        .select_from(seat)
        .outerjoin(allocation, sa.and_(allocation.c.seat_id == seat.c.id, allocation.c.session_id == session_id))
        .outerjoin(candidate, candidate.c.id == allocation.c.candidate_id)
        .outerjoin(planned, planned.c.id == allocation.c.planned_seat_id)
        .outerjoin(planned_room, planned_room.c.id == planned.c.room_id)
        .outerjoin(
            attempt, sa.and_(attempt.c.session_id == session_id, attempt.c.candidate_id == allocation.c.candidate_id)
        )
        .outerjoin(paper, paper.c.attempt_id == attempt.c.id)
        .outerjoin(leaving, sa.and_(leaving.c.attempt_id == attempt.c.id, leaving.c.state == "open"))
        .outerjoin(target, target.c.id == leaving.c.to_seat_id)
        .outerjoin(target_room, target_room.c.id == target.c.room_id)
        .outerjoin(
            room_record, sa.and_(room_record.c.session_id == session_id, room_record.c.room_id == target_room.c.id)
        )
        .outerjoin(by, by.c.id == leaving.c.staff_id)
        .outerjoin(
            arriving,
            sa.and_(
                arriving.c.session_id == session_id, arriving.c.to_seat_id == seat.c.id, arriving.c.state == "open"
            ),
        )
        .outerjoin(origin, origin.c.id == arriving.c.from_seat_id)
        .outerjoin(origin_room, origin_room.c.id == origin.c.room_id)
        .outerjoin(comer_attempt, comer_attempt.c.id == arriving.c.attempt_id)
        .outerjoin(comer, comer.c.id == comer_attempt.c.candidate_id)
        .outerjoin(seer, seer.c.id == allocation.c.checked_in_by)
        .outerjoin(parted, parted.c.id == allocation.c.withdrew_by)
        .outerjoin(late, _admitted(late, "late"))
        .outerjoin(admitter, admitter.c.id == late.c.staff_id)
        .outerjoin(provisional, _admitted(provisional, "provisional"))
        .outerjoin(leave, sa.and_(leave.c.attempt_id == attempt.c.id, leave.c.returned_ms.is_(None)))
        .where(seat.c.room_id == room_id)
        .order_by(seat.c.ordinal)
    )
    return [dict(row) for row in (await conn.execute(query)).mappings()]


def _left_for_good() -> sa.ColumnElement[bool]:
    """They withdrew, and the office has not opened the attempt again since: an end after that has another cause."""
    taken_back = sa.exists().where(
        adjustment_attempt.c.attempt_id == attempt.c.id,
        adjustment.c.id == adjustment_attempt.c.adjustment_id,
        adjustment.c.kind == "reopen",
        adjustment.c.made_ms >= allocation.c.withdrew_ms,
    )
    return sa.and_(allocation.c.withdrew_ms.is_not(None), ~taken_back)


def _admitted(let_in: sa.FromClause, kind: str) -> sa.ColumnElement[bool]:
    return sa.and_(
        let_in.c.session_id == allocation.c.session_id,
        let_in.c.candidate_id == allocation.c.candidate_id,
        let_in.c.kind == kind,
        let_in.c.withdrawn_ms.is_(None),
    )


async def answered(conn: AsyncConnection, attempt_ids: Collection[UUID]) -> dict[UUID, int]:
    """How many items each attempt has a response to; a cleared one (``null``) is none. 0 is left out."""
    if not attempt_ids:
        return {}
    query = (
        sa.select(response.c.attempt_id, sa.func.count().label("n"))
        .where(response.c.attempt_id.in_(sorted(attempt_ids)), response.c.value != sa.text("'null'::jsonb"))
        .group_by(response.c.attempt_id)
    )
    found = await conn.execute(query)
    return {row.attempt_id: row.n for row in found}


async def left_seats(conn: AsyncConnection, room_id: int, session_id: int) -> frozenset[int]:
    """Seats of the room that somebody was moved away from in the session: their PCs are not to be trusted."""
    query = (
        sa.select(relog.c.from_seat_id)
        .distinct()
        .join(seat, seat.c.id == relog.c.from_seat_id)
        .where(
            relog.c.session_id == session_id,
            seat.c.room_id == room_id,
            relog.c.state == "used",
            relog.c.to_seat_id != relog.c.from_seat_id,
        )
    )
    return frozenset((await conn.execute(query)).scalars())
