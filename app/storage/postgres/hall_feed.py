"""The audit log as the office's page runs through it: by area and room, the newest first."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_ENTRIES = """
SELECT e.n, e.at, e.service_ms, e.staff_id, e.actor, s.name, s.role, e.action, e.subject
FROM audit_entry e LEFT JOIN staff s ON s.id = e.staff_id
WHERE split_part(e.action, '.', 1) = ANY(CAST(:areas AS text[]))
    AND (CAST(:before AS int8) IS NULL OR e.n < CAST(:before AS int8))
    AND (CAST(:after AS int8) IS NULL OR e.n > CAST(:after AS int8))
"""
# Containment is what the index on subject answers; one condition for each room, as the audit page asks.
_ABOUT = """
    AND e.subject @> ANY(ARRAY(
        SELECT jsonb_build_object('room_id', r) FROM unnest(CAST(:rooms AS int8[])) r
        UNION ALL SELECT jsonb_build_object('room_ids', jsonb_build_array(r)) FROM unnest(CAST(:rooms AS int8[])) r))
"""


async def entries(
    conn: AsyncConnection,
    areas: Collection[str],
    rooms: Collection[int] | None,
    *,
    before: int | None,
    after: int | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Entries of these areas, and about these rooms when they are given, newest first."""
    statement = f"{_ENTRIES}{'' if rooms is None else _ABOUT} ORDER BY e.n DESC LIMIT :limit"
    values: dict[str, Any] = {"areas": list(areas), "before": before, "after": after, "limit": limit}
    if rooms is not None:
        values["rooms"] = list(rooms)
    return [dict(row) for row in (await conn.execute(text(statement), values)).mappings()]


async def rooms(conn: AsyncConnection, exam_id: int) -> dict[int, str]:
    """The exam's rooms by id, in order."""
    found = await conn.execute(
        text("SELECT id, name FROM room WHERE exam_id = :e ORDER BY ordinal, id"), {"e": exam_id}
    )
    return {row.id: row.name for row in found}


async def sealed(conn: AsyncConnection, exam_id: int, but_of: int | None) -> list[int]:
    """Incidents that are sealed now, without those this member of staff opened."""
    found = await conn.scalars(
        text("SELECT id FROM incident WHERE exam_id = :e AND sealed AND staff_id IS DISTINCT FROM CAST(:s AS int8)"),
        {"e": exam_id, "s": but_of},
    )
    return list(found)
