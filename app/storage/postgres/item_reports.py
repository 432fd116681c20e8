"""Items that a candidate says are wrong, as staff wrote it down."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.storage.postgres.hall_tables import item_report

_LIST = """
SELECT r.id, r.session_id, r.position, r.text, r.told_by, r.made_ms, r.made_at, r.seat_label, r.room_id, r.attempt_id,
    room.name AS room, c.ticket, c.name, st.name AS by, i.number AS item, v.version,
    (SELECT count(*) FROM paper_item p JOIN attempt a ON a.id = p.attempt_id
        WHERE p.item_version_id = r.item_version_id AND a.session_id = r.session_id) AS drawn,
    (SELECT count(DISTINCT o.attempt_id) FROM item_report o
        WHERE o.item_version_id = r.item_version_id AND o.session_id = r.session_id) AS reported
FROM item_report r JOIN attempt a ON a.id = r.attempt_id JOIN candidate c ON c.id = a.candidate_id
JOIN room ON room.id = r.room_id JOIN staff st ON st.id = r.staff_id
JOIN item_version v ON v.id = r.item_version_id JOIN item i ON i.id = v.item_id
"""


async def place(conn: AsyncConnection, attempt_id: UUID, position: int) -> RowMapping | None:
    """Where the attempt sits, when it begins, and the version at that position of its paper: ``session_id, start_ms,
    ticket, name, room_id, room, seat, item_version_id (None: no such position), count``."""
    found = await conn.execute(
        text(
            "SELECT a.session_id, s.start_ms + coalesce(a.postponed_ms, 0) AS start_ms, c.ticket, c.name,"
            " room.id AS room_id, room.name AS room, seat.label AS seat, p.item_version_id,"
            " (SELECT count(*) FROM paper_item every WHERE every.attempt_id = a.id) AS count"
            " FROM attempt a JOIN session s ON s.id = a.session_id JOIN candidate c ON c.id = a.candidate_id"
            " JOIN allocation al ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id"
            " JOIN seat ON seat.id = al.seat_id JOIN room ON room.id = seat.room_id"
            " LEFT JOIN paper_item p ON p.attempt_id = a.id AND p.position = :position WHERE a.id = :attempt"
        ),
        {"attempt": attempt_id, "position": position},
    )
    return found.mappings().one_or_none()


async def insert(conn: AsyncConnection, **values: Any) -> int:
    return int((await conn.execute(sa.insert(item_report).values(**values).returning(item_report.c.id))).scalar_one())


async def find(conn: AsyncConnection, report_id: int) -> RowMapping:
    return (await conn.execute(text(f"{_LIST} WHERE r.id = :id"), {"id": report_id})).mappings().one()


async def of_session(conn: AsyncConnection, session_id: int, room_ids: list[int] | None) -> list[RowMapping]:
    """The newest first; ``room_ids`` None: of every room."""
    narrow = "" if room_ids is None else " AND r.room_id = ANY(CAST(:rooms AS bigint[]))"
    values: dict[str, Any] = {"session": session_id} | ({} if room_ids is None else {"rooms": room_ids})
    found = await conn.execute(text(f"{_LIST} WHERE r.session_id = :session{narrow} ORDER BY r.id DESC"), values)
    return list(found.mappings())
