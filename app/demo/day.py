"""The demo's day: session 1 runs from the moment the server starts, session 2 begins ten minutes later.

On a later start nothing is moved: the service counter stood while the demo was down. Only a session whose start fell
into that time is held by the service (it never starts by itself late), and is given a fresh countdown here, which is
what the office of a real exam would decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.storage.postgres import audit

COUNTDOWN = timedelta(minutes=10)
ACTOR = "demo"


@dataclass(frozen=True, slots=True)
class SessionClock:
    """A session as people ask about it. ``starts_in_ms`` None: not anchored; 0 or less: it has begun."""

    number: int
    name: str
    starts_in_ms: int | None
    remaining_ms: int


async def open_day(conn: AsyncConnection) -> None:
    """Anchor every session while no server runs: the counter stands, and moves on with the first process that ticks."""
    counter_ms = await conn.scalar(text("SELECT counter_ms FROM service_clock"))
    sessions = await conn.execute(text("SELECT id, number FROM session ORDER BY number"))
    await _anchor(conn, {row.id: (row.number - 1) * COUNTDOWN for row in sessions}, counter_ms or 0)


async def release_held(conn: AsyncConnection, now_ms: int) -> int:
    """A fresh countdown, from service time ``now_ms``, for sessions that missed their start; how many there were."""
    held = await conn.execute(text("SELECT id FROM session WHERE held IS NOT NULL AND start_ms IS NULL"))
    again = {row.id: COUNTDOWN for row in held}
    if again:
        await _anchor(conn, again, now_ms)
    return len(again)


async def _anchor(conn: AsyncConnection, starts_in: dict[int, timedelta], now_ms: int) -> None:
    """Give each session its start in service time, and its attempts their end, under the locks of DESIGN §4.3."""
    for session_id, wait in sorted(starts_in.items()):
        start_ms = now_ms + int(wait / timedelta(milliseconds=1))
        await conn.execute(
            text(
                "UPDATE session SET start_ms = :start, held = NULL,"
                " planned_start = clock_timestamp() + make_interval(secs => :wait) WHERE id = :id"
            ),
            {"start": start_ms, "wait": wait.total_seconds(), "id": session_id},
        )
        await conn.execute(
            text(
                "WITH l AS MATERIALIZED (SELECT id FROM attempt WHERE session_id = :id AND state = 'open'"
                " ORDER BY id FOR NO KEY UPDATE)"
                " UPDATE attempt a SET end_ms = :start + a.allotted_ms, clock_rev = a.clock_rev + 1"
                " FROM l WHERE a.id = l.id"
            ),
            {"start": start_ms, "id": session_id},
        )
    subject = {"sessions": sorted(starts_in), "starts_in_s": [int(wait.total_seconds()) for wait in starts_in.values()]}
    await audit.append(conn, actor=ACTOR, action="demo.open-day", subject=subject, service_ms=now_ms)


async def clocks(conn: AsyncConnection, now_ms: int) -> list[SessionClock]:
    """Every session at service time ``now_ms``, by number."""
    rows = await conn.execute(text("SELECT number, name, start_ms, duration_ms FROM session ORDER BY number"))
    return [
        SessionClock(row.number, row.name, None, row.duration_ms)
        if row.start_ms is None
        else SessionClock(
            row.number,
            row.name,
            row.start_ms - now_ms,
            min(row.duration_ms, max(0, row.start_ms + row.duration_ms - now_ms)),
        )
        for row in rows
    ]
