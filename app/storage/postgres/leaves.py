"""Out of the room and back: one open leave per attempt."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def open_leave(conn: AsyncConnection, attempt: UUID, *, kind: str, note: str, staff_id: int, now_ms: int) -> bool:
    """Enter that the candidate has left; False when they are out already. The attempt's row is locked by the caller."""
    entered = await conn.execute(
        text(
            "INSERT INTO leave (attempt_id, kind, note, left_by, left_ms) VALUES (:attempt, :kind, :note, :staff, :now)"
            " ON CONFLICT (attempt_id) WHERE returned_ms IS NULL DO NOTHING RETURNING id"
        ),
        {"attempt": attempt, "kind": kind, "note": note, "staff": staff_id, "now": now_ms},
    )
    return entered.scalar_one_or_none() is not None


async def find_open(conn: AsyncConnection, attempt: UUID) -> dict[str, Any] | None:
    """``{id, kind, note, left_ms, by}`` of the leave that has not ended; None: they are in the room."""
    found = await conn.execute(
        text(
            "SELECT l.id, l.kind, l.note, l.left_ms, st.name AS by FROM leave l JOIN staff st ON st.id = l.left_by"
            " WHERE l.attempt_id = :attempt AND l.returned_ms IS NULL"
        ),
        {"attempt": attempt},
    )
    row = found.mappings().one_or_none()
    return dict(row) if row is not None else None


async def last_return(conn: AsyncConnection, attempt: UUID) -> dict[str, Any] | None:
    """``{kind, left_ms, returned_ms, by}`` of the newest leave that has ended; ``by`` None: with the attempt."""
    found = await conn.execute(
        text(
            "SELECT l.kind, l.left_ms, l.returned_ms, st.name AS by FROM leave l"
            " LEFT JOIN staff st ON st.id = l.returned_by WHERE l.attempt_id = :attempt ORDER BY l.id DESC LIMIT 1"
        ),
        {"attempt": attempt},
    )
    row = found.mappings().one_or_none()
    return dict(row) if row is not None else None


async def end(conn: AsyncConnection, leave_id: int, *, staff_id: int, now_ms: int) -> None:
    """They are back. The attempt's row is locked by the caller."""
    await conn.execute(
        text("UPDATE leave SET returned_by = :staff, returned_ms = greatest(left_ms, :now) WHERE id = :id"),
        {"id": leave_id, "staff": staff_id, "now": now_ms},
    )


async def is_out(conn: AsyncConnection, attempt: UUID) -> tuple[bool, int]:
    """Whether they are out of the room, and the id of the notice that last said so or otherwise (0: none did): one
    look, so that a page can tell whether this or a notice it has heard is the newer word."""
    found = await conn.execute(
        text(
            "SELECT EXISTS (SELECT 1 FROM leave WHERE attempt_id = :attempt AND returned_ms IS NULL) AS out,"
            " coalesce((SELECT max(n.id) FROM notice_attempt m JOIN notice n ON n.id = m.notice_id"
            " WHERE m.attempt_id = :attempt AND n.kind IN ('leave', 'return')), 0) AS said"
        ),
        {"attempt": attempt},
    )
    row = found.one()
    return bool(row.out), int(row.said)


async def move_page(conn: AsyncConnection, attempt: UUID) -> None:
    """Every notice moves the revision by which a page's replies look for one. Row locked by the caller."""
    await conn.execute(text("UPDATE attempt SET clock_rev = clock_rev + 1 WHERE id = :id"), {"id": attempt})
