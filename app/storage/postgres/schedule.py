"""When sessions start: what the clock says, and anchoring a session in service time.

Locks are taken in one order everywhere: exam, session, attempts by id, audit head.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import clock
from app.storage.postgres import adjustments
from app.storage.postgres.tables import allocation, attempt, candidate, session


@dataclass(frozen=True, slots=True)
class Moment:
    """The wall clock and the service clock read together; ``standing_ms`` is how long the counter has not moved."""

    wall: datetime
    service_ms: int
    standing_ms: int


async def moment(conn: AsyncConnection) -> Moment:
    """Now, by the record's own clocks."""
    row = (
        await conn.execute(
            text(
                "SELECT clock_timestamp() AS wall, counter_ms,"
                " greatest(0, extract(epoch FROM clock_timestamp() - ticked_at) * 1000)::int8 AS standing_ms"
                " FROM service_clock WHERE id = 1"
            )
        )
    ).one()
    return Moment(row.wall, row.counter_ms, row.standing_ms)


async def lock_session(conn: AsyncConnection, session_id: int) -> None:
    await conn.execute(sa.select(session.c.id).where(session.c.id == session_id).with_for_update(key_share=True))


async def set_plan(conn: AsyncConnection, session_id: int, planned_start: datetime) -> None:
    await conn.execute(sa.update(session).where(session.c.id == session_id).values(planned_start=planned_start))


async def anchor(conn: AsyncConnection, session_id: int, start_ms: int | None) -> int:
    """Set (or with None take away) the session's start in service time, and the ends of its open attempts with it.

    Only for a session that has not begun. Returns how many attempts have an end now.
    """
    rows = await conn.execute(
        sa.select(attempt.c.id)
        .where(attempt.c.session_id == session_id, attempt.c.state == "open")
        .order_by(attempt.c.id)
        .with_for_update(key_share=True)
    )
    ids = [row.id for row in rows]
    await conn.execute(sa.update(session).where(session.c.id == session_id).values(start_ms=start_ms, held=None))
    # Nothing of anybody's time has run: whoever is paused now is paused at the start, whenever that will be.
    moved = await adjustments.settle(conn, ids, clock.NEVER_MS if start_ms is None else start_ms)
    return len(moved) if start_ms is not None else 0


async def shared_candidates(conn: AsyncConnection, first_id: int, second_id: int) -> tuple[int, int]:
    """How many candidates sit both sessions, and the longest extra time any of them has, in milliseconds."""
    other = allocation.alias()
    query = (
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.max(candidate.c.extra_time_ms), 0))
        .select_from(allocation)
        .join(other, other.c.candidate_id == allocation.c.candidate_id)
        .join(candidate, candidate.c.id == allocation.c.candidate_id)
        .where(allocation.c.session_id == first_id, other.c.session_id == second_id)
    )
    count, extra_ms = (await conn.execute(query)).one()
    return int(count), int(extra_ms)


async def shared_seats(conn: AsyncConnection, first_id: int, second_id: int) -> int:
    """How many seats the two sessions give to different people."""
    other = allocation.alias()
    query = (
        sa.select(sa.func.count())
        .select_from(allocation)
        .join(other, other.c.seat_id == allocation.c.seat_id)
        .where(
            allocation.c.session_id == first_id,
            other.c.session_id == second_id,
            other.c.candidate_id != allocation.c.candidate_id,
        )
    )
    return int(await conn.scalar(query) or 0)


async def without_paper(conn: AsyncConnection, session_id: int) -> int:
    """How many are allocated to the session and have no paper: they could not sign in."""
    query = text(
        "SELECT count(*) FROM allocation al WHERE al.session_id = :session AND NOT EXISTS ("
        " SELECT 1 FROM attempt a JOIN paper p ON p.attempt_id = a.id"
        " WHERE a.session_id = al.session_id AND a.candidate_id = al.candidate_id)"
    )
    return int(await conn.scalar(query, {"session": session_id}) or 0)
