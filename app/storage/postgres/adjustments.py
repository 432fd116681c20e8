"""The ledger of time: append-only, and the end of an attempt that follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import clock


async def of_attempt(conn: AsyncConnection, attempt: UUID) -> Sequence[RowMapping]:
    return (
        (
            await conn.execute(
                text(
                    "SELECT kind, from_ms, to_ms, amount_ms, reason FROM adjustment WHERE attempt_id = :a ORDER BY id"
                ),
                {"a": attempt},
            )
        )
        .mappings()
        .all()
    )


async def ledger(conn: AsyncConnection, attempt: UUID) -> clock.Ledger:
    """Everything that decides the attempt's time."""
    row = (
        (
            await conn.execute(
                text(
                    "SELECT s.start_ms, a.allotted_ms FROM attempt a JOIN session s ON s.id = a.session_id"
                    " WHERE a.id = :a"
                ),
                {"a": attempt},
            )
        )
        .mappings()
        .one()
    )
    entries = await of_attempt(conn, attempt)
    return clock.Ledger(
        start_ms=row["start_ms"],
        allotted_ms=row["allotted_ms"],
        extensions=tuple((e["amount_ms"], e["reason"]) for e in entries if e["kind"] == "extend"),
        uncharged=tuple(
            clock.Interval(e["from_ms"], e["to_ms"], e["reason"]) for e in entries if e["kind"] == "credit"
        ),
    )


async def credit(
    conn: AsyncConnection,
    attempt: UUID,
    *,
    session_id: int,
    from_ms: int,
    to_ms: int,
    reason: str,
    source: str,
    now_ms: int,
    staff_id: int | None = None,
) -> bool:
    """Enter an uncharged interval and move the attempt's end; False when this source has entered it before.

    The attempt's row is locked by the caller, so the end that is stored always follows from the ledger beside it.
    """
    entered = await conn.execute(
        text(
            "INSERT INTO adjustment (kind, session_id, attempt_id, from_ms, to_ms, reason, source, staff_id, made_ms)"
            " VALUES ('credit', :session_id, :attempt, :from_ms, :to_ms, :reason, :source, :staff_id, :now)"
            " ON CONFLICT (attempt_id, source) DO NOTHING"
        ),
        {
            "session_id": session_id,
            "attempt": attempt,
            "from_ms": from_ms,
            "to_ms": max(from_ms, to_ms),
            "reason": reason,
            "source": source,
            "staff_id": staff_id,
            "now": now_ms,
        },
    )
    if not entered.rowcount:
        return False
    await conn.execute(
        text("UPDATE attempt SET end_ms = :end, clock_rev = clock_rev + 1 WHERE id = :attempt"),
        {"end": clock.end_ms(await ledger(conn, attempt)), "attempt": attempt},
    )
    return True
