"""Let in after last admission, by somebody, for a reason; and taken back when it was the wrong one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.storage.postgres.attendance import Placed


async def admit(
    conn: AsyncConnection, place: Placed, *, reason: str, told_by: str, staff_id: int, now_ms: int
) -> dict[str, Any] | None:
    """Enter a late admission; when there is one already: ``{by, ms, reason}`` of that one."""
    entered = await conn.execute(
        text(
            "INSERT INTO admission (session_id, candidate_id, kind, reason, told_by, staff_id, made_ms)"
            " VALUES (:session, :candidate, 'late', :reason, :told_by, :staff, :now)"
            " ON CONFLICT (session_id, candidate_id, kind) WHERE withdrawn_ms IS NULL DO NOTHING RETURNING id"
        ),
        {
            "session": place.session_id,
            "candidate": place.candidate_id,
            "reason": reason,
            "told_by": told_by,
            "staff": staff_id,
            "now": now_ms,
        },
    )
    if entered.scalar_one_or_none() is not None:
        return None
    return await find(conn, place)


async def find(conn: AsyncConnection, place: Placed) -> dict[str, Any] | None:
    """``{by, ms, reason}`` of the late admission that stands."""
    found = await conn.execute(
        text(
            "SELECT st.name AS by, ad.made_ms AS ms, ad.reason FROM admission ad JOIN staff st ON st.id = ad.staff_id"
            " WHERE ad.session_id = :session AND ad.candidate_id = :candidate AND ad.kind = 'late'"
            " AND ad.withdrawn_ms IS NULL"
        ),
        {"session": place.session_id, "candidate": place.candidate_id},
    )
    row = found.mappings().one_or_none()
    return dict(row) if row is not None else None


async def stands(conn: AsyncConnection, attempt: UUID) -> bool:
    """Whether the attempt's candidate may come in late; whoever takes that back locks the attempt's row."""
    found = await conn.execute(
        text(
            "SELECT EXISTS (SELECT 1 FROM attempt a JOIN admission ad ON ad.session_id = a.session_id"
            " AND ad.candidate_id = a.candidate_id WHERE a.id = :attempt AND ad.kind = 'late'"
            " AND ad.withdrawn_ms IS NULL)"
        ),
        {"attempt": attempt},
    )
    return bool(found.scalar_one())


async def withdraw(conn: AsyncConnection, place: Placed, *, staff_id: int, now_ms: int) -> None:
    """The late admission stands no longer. The allocation's row is locked by the caller."""
    await conn.execute(
        text(
            "UPDATE admission SET withdrawn_by = :staff, withdrawn_ms = :now WHERE session_id = :session"
            " AND candidate_id = :candidate AND kind = 'late' AND withdrawn_ms IS NULL"
        ),
        {"session": place.session_id, "candidate": place.candidate_id, "staff": staff_id, "now": now_ms},
    )
