"""The open proposals to postpone a session because another one was delayed, and whom their members wait for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Pair:
    """A member of the proposal with its start, and the attempt it waits for, which it comes ``after``: same candidate,
    or same seat. ``ended_ms`` None: that one is still open."""

    attempt: UUID
    after: UUID
    start_ms: int
    ended_ms: int | None


async def open_about(conn: AsyncConnection, session_id: int) -> Sequence[RowMapping]:
    """``id, session_id, evidence`` of the open ones for this session, or because of it, by id."""
    rows = await conn.execute(
        text(
            "SELECT id, session_id, evidence FROM proposal WHERE kind = 'follows' AND state = 'open'"
            " AND (session_id = :s OR evidence->'after'->>'session' = CAST(CAST(:s AS bigint) AS text)) ORDER BY id"
        ),
        {"s": session_id},
    )
    return rows.mappings().all()


async def pairs(conn: AsyncConnection, proposal: int, *, after: int, now_ms: int) -> list[Pair]:
    """The members that have not begun, each with whom it waits for in the session ``after``."""
    rows = await conn.execute(
        text(
            "SELECT b.id AS attempt, a.id AS after, s.start_ms + b.postponed_ms AS start_ms,"
            " CASE WHEN a.state = 'open' THEN NULL ELSE a.ended_ms END AS ended_ms"
            " FROM proposal_attempt m JOIN proposal p ON p.id = m.proposal_id"
            " JOIN attempt b ON b.id = m.attempt_id AND b.session_id = p.session_id AND b.state = 'open'"
            " JOIN session s ON s.id = b.session_id"
            " JOIN allocation y ON y.session_id = b.session_id AND y.candidate_id = b.candidate_id"
            " JOIN allocation x ON x.session_id = :after"
            "   AND (x.candidate_id = y.candidate_id OR x.seat_id = y.seat_id)"
            " JOIN attempt a ON a.session_id = x.session_id AND a.candidate_id = x.candidate_id"
            " WHERE m.proposal_id = :p AND s.start_ms + b.postponed_ms > :now"
        ),
        {"p": proposal, "after": after, "now": now_ms},
    )
    return [Pair(**row) for row in rows.mappings()]
