"""What a printed sheet of a room says: the room, its seats, and who is allocated to them in a session."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

_ROOMS = """
SELECT room.id, room.name, room.number, b.name AS building, room.spare_count, e.name AS exam, e.timezone,
    s.id AS session_id, s.name AS session, s.number AS session_number, s.planned_start, s.start_ms, s.duration_ms
FROM room
JOIN building b ON b.id = room.building_id
JOIN exam e ON e.id = room.exam_id
JOIN session s ON s.exam_id = e.id
WHERE s.id = :session AND room.id = ANY(coalesce(CAST(:rooms AS bigint[]), ARRAY[room.id]))
    AND (:named OR EXISTS (SELECT 1 FROM allocation al JOIN seat ON seat.id = al.seat_id
        WHERE al.session_id = s.id AND seat.room_id = room.id))
ORDER BY room.ordinal, room.id
"""
_SEATS = """
SELECT seat.id AS seat_id, seat.label AS seat, seat.ordinal, seat.is_spare, seat.out_of_order, c.id AS candidate_id,
    c.ticket, c.name, c.gender, c.id_kind, c.id_number, c.specialty, c.employer, al.planned_seat_id <> seat.id AS moved
FROM seat
LEFT JOIN allocation al ON al.seat_id = seat.id AND al.session_id = :session
LEFT JOIN candidate c ON c.id = al.candidate_id
WHERE seat.room_id = :room
ORDER BY seat.ordinal
"""


async def rooms(
    conn: AsyncConnection, session_id: int, *, only: Collection[int] | None, named: bool = False
) -> Sequence[RowMapping]:
    """The rooms of the session's exam in which somebody sits in it, in their order. ``only``: of these (None: any);
    ``named``: also an empty one, because it was asked for by name."""
    found = await conn.execute(
        text(_ROOMS), {"session": session_id, "rooms": None if only is None else sorted(only), "named": named}
    )
    return found.mappings().all()


async def seats(conn: AsyncConnection, session_id: int, room_id: int) -> Sequence[RowMapping]:
    """Every seat of the room with who sits there now, in seat order; of an empty one ``ticket`` is None."""
    found = await conn.execute(text(_SEATS), {"session": session_id, "room": room_id})
    return found.mappings().all()


async def photos(conn: AsyncConnection, candidate_ids: Collection[int]) -> dict[int, tuple[str, bytes]]:
    """``(content type, bytes)`` by candidate, of those that have one."""
    found = await conn.execute(
        text(
            "SELECT candidate_id, content_type, body FROM candidate_photo"
            " WHERE candidate_id = ANY(CAST(:ids AS bigint[]))"
        ),
        {"ids": sorted(candidate_ids)},
    )
    return {row.candidate_id: (row.content_type, bytes(row.body)) for row in found}
