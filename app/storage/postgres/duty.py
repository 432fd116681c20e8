"""Who watches a room, and every change of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def lock_room(conn: AsyncConnection, room_id: int) -> dict[str, Any] | None:
    """``{id, name, exam_id}``, the room's row locked: one change of duty at a time."""
    found = await conn.execute(
        text("SELECT id, name, exam_id FROM room WHERE id = :room FOR NO KEY UPDATE"), {"room": room_id}
    )
    row = found.mappings().one_or_none()
    return dict(row) if row is not None else None


async def on_duty(conn: AsyncConnection, room_id: int) -> list[dict[str, Any]]:
    """``[{id, username, name, role}]`` of the accounts assigned to the room that are in use."""
    found = await conn.execute(
        text(
            "SELECT s.id, s.username, s.name, s.role FROM staff_room r JOIN staff s ON s.id = r.staff_id"
            " WHERE r.room_id = :room AND NOT s.disabled ORDER BY s.role, s.username"
        ),
        {"room": room_id},
    )
    return [dict(row) for row in found.mappings()]


async def available(conn: AsyncConnection, room_id: int, *, demo: bool) -> list[dict[str, Any]]:
    """Invigilators and chiefs who are not assigned to the room, with the rooms they watch, the idle ones first:
    ``[{username, name, role, rooms: [name]}]``. Accounts of the demo cannot sign in where ``demo`` is False."""
    found = await conn.execute(
        text(
            """
            SELECT s.username, s.name, s.role, coalesce(array_agg(room.name ORDER BY room.ordinal)
                FILTER (WHERE room.id IS NOT NULL), '{}') AS rooms
            FROM staff s LEFT JOIN staff_room r ON r.staff_id = s.id LEFT JOIN room ON room.id = r.room_id
            WHERE s.role IN ('invigilator', 'chief') AND NOT s.disabled AND (:demo OR NOT s.is_demo)
                AND NOT EXISTS (SELECT 1 FROM staff_room own WHERE own.staff_id = s.id AND own.room_id = :room)
            GROUP BY s.id ORDER BY count(room.id), s.username
            """
        ),
        {"room": room_id, "demo": demo},
    )
    return [dict(row) for row in found.mappings()]


async def changes(conn: AsyncConnection, room_id: int, limit: int = 50) -> list[dict[str, Any]]:
    """The newest changes: ``[{joined, left, reason, by, ms}]``, names of staff, null where nobody joined or left."""
    found = await conn.execute(
        text(
            "SELECT j.name AS joined, l.name AS left, d.reason, b.name AS by, d.made_ms AS ms FROM duty_change d"
            " LEFT JOIN staff j ON j.id = d.joined_id LEFT JOIN staff l ON l.id = d.left_id"
            " JOIN staff b ON b.id = d.staff_id WHERE d.room_id = :room ORDER BY d.id DESC LIMIT :limit"
        ),
        {"room": room_id, "limit": limit},
    )
    return [dict(row) for row in found.mappings()]


async def join(conn: AsyncConnection, room_id: int, staff_id: int) -> bool:
    """False when they were on duty there already."""
    done = await conn.execute(
        text("INSERT INTO staff_room (staff_id, room_id) VALUES (:staff, :room) ON CONFLICT DO NOTHING"),
        {"staff": staff_id, "room": room_id},
    )
    return done.rowcount == 1


async def leave(conn: AsyncConnection, room_id: int, staff_id: int) -> bool:
    """False when they were not on duty there."""
    done = await conn.execute(
        text("DELETE FROM staff_room WHERE staff_id = :staff AND room_id = :room"),
        {"staff": staff_id, "room": room_id},
    )
    return done.rowcount == 1


async def enter(
    conn: AsyncConnection,
    room_id: int,
    *,
    joined_id: int | None,
    left_id: int | None,
    reason: str,
    staff_id: int,
    now_ms: int,
) -> None:
    await conn.execute(
        text(
            "INSERT INTO duty_change (room_id, joined_id, left_id, reason, staff_id, made_ms)"
            " VALUES (:room, :joined, :left, :reason, :staff, :now)"
        ),
        {
            "room": room_id,
            "joined": joined_id,
            "left": left_id,
            "reason": reason,
            "staff": staff_id,
            "now": now_ms,
        },
    )
