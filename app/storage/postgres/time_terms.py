"""The table of terms, as wall and service time are converted through it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.wall_time import MS, Term, WallTime

# The counter advances every half second; one that stood for longer than this is not being advanced by anybody.
STANDING_MS = 5_000


async def wall_time(conn: AsyncConnection, now_ms: int) -> WallTime:
    """The conversion as it stands at ``now_ms``, which the caller has just read.

    What pairs the two clocks is the last step of the counter, written with the wall time at which it was made: not the
    moment of this call, which may come hours after the counter has stopped.
    """
    found = await conn.execute(
        text(
            "SELECT t.start_ms, t.started_at, c.counter_ms, c.ticked_at, clock_timestamp() AS wall"
            " FROM service_clock c LEFT JOIN term t ON true WHERE c.id = 1 ORDER BY t.n"
        )
    )
    rows = found.all()
    clock = rows[0]
    now_at = clock.ticked_at + (now_ms - clock.counter_ms) * MS
    stood_ms = (clock.wall - now_at) // MS
    terms = [Term(row.start_ms, row.started_at) for row in rows if row.started_at is not None]
    return WallTime(terms, now_ms, now_at, stood_ms if stood_ms > STANDING_MS else 0)


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
