"""The table of terms, as wall and service time are converted through it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.wall_time import Term, WallTime


async def wall_time(conn: AsyncConnection, now_ms: int) -> WallTime:
    """The conversion as it stands at ``now_ms``, which the caller has just read."""
    now_at = datetime.now(UTC)
    rows = await conn.execute(text("SELECT start_ms, started_at FROM term ORDER BY n"))
    return WallTime([Term(row.start_ms, row.started_at) for row in rows], now_ms, now_at)


async def outages(conn: AsyncConnection, *, from_ms: int, to_ms: int, least_ms: int) -> list[tuple[int, int, datetime]]:
    """``(at_ms, gap_ms, ended_at)`` of the gaps of at least ``least_ms`` between two terms within ``[from_ms, to_ms]``
    of service time."""
    rows = await conn.execute(
        text(
            "SELECT start_ms, gap_ms, started_at FROM term WHERE gap_ms >= :least AND start_ms BETWEEN :from AND :to"
            " ORDER BY n"
        ),
        {"least": least_ms, "from": from_ms, "to": to_ms},
    )
    return [(row.start_ms, row.gap_ms, row.started_at) for row in rows]
