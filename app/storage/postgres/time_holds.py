"""Who may have to be held: paused attempts, and those that an outage may have taken to the cap; unfinished ends."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection


async def _rows(conn: AsyncConnection, sql: str, **values: object) -> Sequence[RowMapping]:
    return (await conn.execute(text(sql), values)).mappings().all()


async def paused(conn: AsyncConnection) -> Sequence[RowMapping]:
    """``id, session_id, clock_rev`` of every attempt that is paused now."""
    return await _rows(
        conn, "SELECT id, session_id, clock_rev FROM attempt WHERE state = 'open' AND left_ms IS NOT NULL"
    )


async def running(conn: AsyncConnection, now_ms: int) -> Sequence[RowMapping]:
    """The same of every attempt that runs now: an outage may have taken it to its limit."""
    return await _rows(
        conn,
        "SELECT a.id, a.session_id, a.clock_rev FROM attempt a JOIN session s ON s.id = a.session_id"
        " WHERE a.state = 'open' AND a.left_ms IS NULL AND a.end_ms > :now AND s.start_ms + a.postponed_ms <= :now",
        now=now_ms,
    )


async def unfinished_ends(conn: AsyncConnection) -> Sequence[RowMapping]:
    """``id`` of attempts that the office has ended and that are still open: whoever carried it out has died."""
    return await _rows(
        conn,
        """
        SELECT a.id FROM adjustment x JOIN adjustment_attempt m ON m.adjustment_id = x.id
        JOIN attempt a ON a.id = m.attempt_id
        WHERE x.kind = 'end' AND a.state = 'open' AND NOT EXISTS (
            SELECT 1 FROM adjustment r JOIN adjustment_attempt o ON o.adjustment_id = r.id
            WHERE r.kind = 'reopen' AND o.attempt_id = a.id AND r.id > x.id)
        """,
    )
