"""Announcements: what the office said to a scope, which pages have shown it, which rooms have acknowledged it.

The candidates' half is a notice like any other (``storage.postgres.notices``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.storage.postgres.hall_tables import announcement

_COUNTED = """
SELECT n.id, n.session_id, x.exam_id, n.addressed, n.scope, n.scope_names, n.zh, n.en, n.notice_id, n.staff_id,
    s.name AS by, n.made_ms, n.made_at, e.timezone,
    ARRAY(SELECT r.room_id FROM announcement_room r WHERE r.announcement_id = n.id ORDER BY r.room_id) AS room_ids,
    ARRAY(SELECT r.room_id FROM announcement_room r WHERE r.announcement_id = n.id AND r.known_ms IS NOT NULL
        ORDER BY r.room_id) AS known,
    c.of, c.shown, c.absent
FROM announcement n JOIN staff s ON s.id = n.staff_id
JOIN session x ON x.id = n.session_id JOIN exam e ON e.id = x.exam_id
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE a.signed_in_ms IS NOT NULL) AS of,
        count(m.shown_ms) FILTER (WHERE a.signed_in_ms IS NOT NULL) AS shown,
        count(*) FILTER (WHERE a.signed_in_ms IS NULL) AS absent
    FROM notice_attempt m JOIN attempt a ON a.id = m.attempt_id WHERE m.notice_id = n.notice_id
) c ON n.notice_id IS NOT NULL
"""

_FOR_ROOM = """
SELECT n.id, n.zh, n.en, s.name AS by, n.made_ms, w.name AS known_by, r.known_ms
FROM announcement_room r
JOIN announcement n ON n.id = r.announcement_id AND n.addressed <> 'candidates' AND n.session_id = :session
JOIN staff s ON s.id = n.staff_id LEFT JOIN staff w ON w.id = r.known_by
WHERE r.room_id = :room AND r.known_ms IS NULL ORDER BY n.id
"""


async def create(conn: AsyncConnection, values: Mapping[str, Any], rooms: Collection[int]) -> int:
    made = (await conn.execute(sa.insert(announcement).values(**values).returning(announcement.c.id))).scalar_one()
    await conn.execute(
        text(
            "INSERT INTO announcement_room (announcement_id, room_id)"
            " SELECT :n, r FROM unnest(CAST(:rooms AS int8[])) AS r ORDER BY r"
        ),
        {"n": made, "rooms": sorted(rooms)},
    )
    return int(made)


async def of_session(conn: AsyncConnection, session_id: int, limit: int) -> Sequence[RowMapping]:
    """The newest first, each with its rooms, those that know of it, and of the pages how many have shown it."""
    found = await conn.execute(
        text(f"{_COUNTED} WHERE n.session_id = :s ORDER BY n.id DESC LIMIT :limit"), {"s": session_id, "limit": limit}
    )
    return found.mappings().all()


async def find(conn: AsyncConnection, announcement_id: int) -> RowMapping | None:
    return (await conn.execute(text(f"{_COUNTED} WHERE n.id = :n"), {"n": announcement_id})).mappings().one_or_none()


async def unknown_in(conn: AsyncConnection, room_id: int, session_id: int) -> list[dict[str, Any]]:
    """What the staff of a room have yet to acknowledge: ``[{id, zh, en, by, made_ms}]``, oldest first."""
    found = await conn.execute(text(_FOR_ROOM), {"room": room_id, "session": session_id})
    return [{key: row[key] for key in ("id", "zh", "en", "by", "made_ms")} for row in found.mappings()]


async def rooms(conn: AsyncConnection, announcement_id: int) -> Sequence[RowMapping]:
    """Every room it was for: ``id, name, known_by, known_ms``."""
    found = await conn.execute(
        text(
            "SELECT r.id, r.name, s.name AS known_by, x.known_ms"
            " FROM announcement_room x JOIN room r ON r.id = x.room_id"
            " LEFT JOIN staff s ON s.id = x.known_by WHERE x.announcement_id = :n ORDER BY r.ordinal, r.id"
        ),
        {"n": announcement_id},
    )
    return found.mappings().all()


async def acknowledge(conn: AsyncConnection, announcement_id: int, room_id: int, *, staff_id: int, now_ms: int) -> bool:
    """False when somebody did before, or it was not for this room."""
    done = await conn.execute(
        text(
            "UPDATE announcement_room SET known_by = :staff, known_ms = :now"
            " WHERE announcement_id = :n AND room_id = :room AND known_ms IS NULL"
        ),
        {"n": announcement_id, "room": room_id, "staff": staff_id, "now": now_ms},
    )
    return bool(done.rowcount)
