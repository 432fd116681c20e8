"""The ledger of time as people read it: entries with who made them and for how many. ``adjustments`` writes it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import clock

_TOLD = """
    SELECT x.id, x.kind, x.session_id, x.scope, x.scope_names, x.room_id, x.from_ms, x.to_ms, x.amount_ms, x.refers_id,
        x.supersedes_id, x.reason, x.note, x.incident, x.staff_id, staff.name AS by, x.decision_id, x.made_ms,
        x.made_at, (SELECT count(*) FROM adjustment_attempt m WHERE m.adjustment_id = x.id) AS candidates
    FROM adjustment x LEFT JOIN staff ON staff.id = x.staff_id
"""


async def of_session(conn: AsyncConnection, session_id: int, *, automatic: bool = False) -> Sequence[RowMapping]:
    """The session's entries, oldest first. Without ``automatic`` the single ones of moves and reconnections are left
    out: a day has thousands."""
    return await _rows(
        conn,
        f"{_TOLD} WHERE x.session_id = :s AND (:all OR x.attempt_id IS NULL) ORDER BY x.id",
        s=session_id,
        all=automatic,
    )


async def of_attempt(conn: AsyncConnection, attempt: UUID) -> Sequence[RowMapping]:
    return await _rows(
        conn,
        f"{_TOLD} JOIN adjustment_attempt o ON o.adjustment_id = x.id WHERE o.attempt_id = :a ORDER BY x.id",
        a=attempt,
    )


async def find(conn: AsyncConnection, entry: int) -> RowMapping | None:
    rows = await _rows(conn, f"{_TOLD} WHERE x.id = :id", id=entry)
    return rows[0] if rows else None


async def chain(conn: AsyncConnection, session_id: int) -> list[clock.Entry]:
    """Every entry of the session as far as it takes others back or can be taken back, by id."""
    rows = await _rows(
        conn,
        "SELECT id, kind, from_ms, to_ms, amount_ms, refers_id, reason, note, made_ms, supersedes_id, scope"
        " FROM adjustment WHERE session_id = :s ORDER BY id",
        s=session_id,
    )
    return [clock.Entry(**row) for row in rows]


async def set_start(conn: AsyncConnection, session_id: int, start_ms: int) -> None:
    """Move an anchored session that has not begun, for everybody; the caller settles the attempts."""
    await conn.execute(text("UPDATE session SET start_ms = :start WHERE id = :s"), {"start": start_ms, "s": session_id})


async def newest_decided(conn: AsyncConnection, session_id: int) -> int:
    """The id of the newest entry of the session that a person decided on, or that holds somebody; 0 without any."""
    found = await conn.scalar(
        text("SELECT coalesce(max(id), 0) FROM adjustment WHERE session_id = :s AND attempt_id IS NULL"),
        {"s": session_id},
    )
    return int(found or 0)


async def pauses_by(conn: AsyncConnection, attempts: Collection[UUID], roles: Collection[str]) -> set[int]:
    """Ids of the pauses of these attempts that people of these roles have made."""
    found = await conn.scalars(
        text(
            "SELECT x.id FROM adjustment x JOIN adjustment_attempt m ON m.adjustment_id = x.id"
            " JOIN staff ON staff.id = x.staff_id WHERE m.attempt_id = ANY(CAST(:a AS uuid[])) AND x.kind = 'pause'"
            " AND staff.role = ANY(CAST(:roles AS text[]))"
        ),
        {"a": sorted(attempts), "roles": list(roles)},
    )
    return set(found)


async def _rows(conn: AsyncConnection, sql: str, **values: Any) -> Sequence[RowMapping]:
    return (await conn.execute(text(sql), values)).mappings().all()


async def rooms_reached(conn: AsyncConnection, session_id: int) -> dict[int, list[int]]:
    """Entry id → ids of the rooms in which somebody sits now whom it is for; single entries of the service left out."""
    rows = await conn.execute(
        text(
            "SELECT DISTINCT m.adjustment_id AS entry, seat.room_id FROM adjustment x"
            " JOIN adjustment_attempt m ON m.adjustment_id = x.id JOIN attempt a ON a.id = m.attempt_id"
            " JOIN allocation al ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id"
            " JOIN seat ON seat.id = al.seat_id WHERE x.session_id = :s AND x.attempt_id IS NULL"
            " ORDER BY m.adjustment_id, seat.room_id"
        ),
        {"s": session_id},
    )
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(row.entry, []).append(row.room_id)
    return found
