"""The office's recorded decisions: proposed by one person, approved by another, each with those it is for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection


async def propose(
    conn: AsyncConnection,
    *,
    exam_id: int,
    session_id: int,
    kind: str,
    number: str,
    words: str,
    limit_ms: int | None,
    staff_id: int,
    attempts: Collection[UUID],
    detail: Mapping[str, Any],
    now_ms: int,
) -> int:
    """A decision that waits for a second person; its id."""
    statement = text(
        "INSERT INTO decision (exam_id, session_id, kind, number, text, limit_ms, proposed_by, proposed_ms, detail)"
        " VALUES (:exam, :session, :kind, :number, :words, :limit, :staff, :now, :detail) RETURNING id"
    ).bindparams(bindparam("detail", type_=JSONB))
    entered = await conn.execute(
        statement,
        {
            "exam": exam_id, "session": session_id, "kind": kind, "number": number, "words": words, "limit": limit_ms,
            "staff": staff_id, "now": now_ms, "detail": dict(detail),
        },
    )  # fmt: skip
    decision = int(entered.scalar_one())
    await conn.execute(
        text(
            "INSERT INTO decision_attempt (decision_id, attempt_id)"
            " SELECT :decision, m.id FROM unnest(CAST(:attempts AS uuid[])) AS m(id) ORDER BY m.id"
        ),
        {"decision": decision, "attempts": sorted(set(attempts))},
    )
    return decision


_TOLD = """
    SELECT d.id, d.exam_id, d.session_id, d.kind, d.number, d.text, d.limit_ms, d.state, d.detail, d.proposed_by,
        d.proposed_ms, p.name AS proposed_by_name,
        p.username AS proposed_by_username, d.approved_by, d.approved_ms, a.name AS approved_by_name, d.made_at,
        (SELECT count(*) FROM decision_attempt m WHERE m.decision_id = d.id) AS candidates
    FROM decision d JOIN staff p ON p.id = d.proposed_by LEFT JOIN staff a ON a.id = d.approved_by
"""

_ABOUT = (
    "(CAST(:a AS uuid[]) IS NULL OR EXISTS (SELECT 1 FROM decision_attempt m"
    " WHERE m.decision_id = d.id AND m.attempt_id = ANY(CAST(:a AS uuid[]))))"
)


async def of_session(
    conn: AsyncConnection, session_id: int, attempts: Collection[UUID] | None = None
) -> Sequence[RowMapping]:
    """The session's decisions, newest first; only those about some of ``attempts`` when they are given."""
    rows = await conn.execute(
        text(f"{_TOLD} WHERE d.session_id = :s AND {_ABOUT} ORDER BY d.id DESC"),
        {"s": session_id, "a": None if attempts is None else sorted(attempts)},
    )
    return rows.mappings().all()


async def find(conn: AsyncConnection, decision: int) -> RowMapping | None:
    return (await conn.execute(text(f"{_TOLD} WHERE d.id = :d"), {"d": decision})).mappings().one_or_none()


async def lock(conn: AsyncConnection, decision: int) -> RowMapping | None:
    """The decision, its row locked: of two who decide on it the second sees what the first did."""
    await conn.execute(text("SELECT id FROM decision WHERE id = :d FOR NO KEY UPDATE"), {"d": decision})
    return await find(conn, decision)


async def approve(conn: AsyncConnection, decision: int, *, staff_id: int, now_ms: int) -> None:
    await conn.execute(
        text(
            "UPDATE decision SET state = 'approved', approved_by = :staff, approved_ms = :now"
            " WHERE id = :d AND state = 'proposed'"
        ),
        {"d": decision, "staff": staff_id, "now": now_ms},
    )


async def withdraw(conn: AsyncConnection, decision: int) -> None:
    await conn.execute(
        text("UPDATE decision SET state = 'withdrawn' WHERE id = :d AND state = 'proposed'"), {"d": decision}
    )


async def covers(conn: AsyncConnection, decision: int, attempts: Collection[UUID]) -> bool:
    """Whether every one of ``attempts`` is among those the decision is for."""
    found = await conn.scalar(
        text("SELECT count(*) FROM decision_attempt WHERE decision_id = :d AND attempt_id = ANY(CAST(:a AS uuid[]))"),
        {"d": decision, "a": sorted(attempts)},
    )
    return int(found or 0) == len(set(attempts))
