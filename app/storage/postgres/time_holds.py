"""Who may have to be held: paused attempts, those whose next session begins while they sit, and unfinished ends."""

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


# Another attempt of the same candidate, begun earlier, still sat, and not over when this one begins.
_STILL_SITS = """
    EXISTS (
        SELECT 1 FROM attempt a JOIN session t ON t.id = a.session_id
        WHERE a.candidate_id = b.candidate_id AND a.id <> b.id AND a.signed_in_ms IS NOT NULL
            AND t.start_ms + a.postponed_ms < s.start_ms + b.postponed_ms
            AND a.state = 'open' AND a.end_ms > s.start_ms + b.postponed_ms
    )
"""


async def about_to_overlap(conn: AsyncConnection, *, from_ms: int, to_ms: int) -> Sequence[RowMapping]:
    """``id, session_id, exam_id, start_ms`` of attempts that begin within ``[from_ms, to_ms]`` although their candidate
    still sits another one."""
    return await _rows(
        conn,
        "SELECT b.id, b.session_id, s.exam_id, s.start_ms + b.postponed_ms AS start_ms"  # noqa: S608 -- a constant
        " FROM attempt b JOIN session s ON s.id = b.session_id WHERE b.state = 'open' AND b.left_ms IS NULL"
        f" AND s.start_ms + b.postponed_ms BETWEEN :from AND :to AND {_STILL_SITS} ORDER BY b.id",
        **{"from": from_ms, "to": to_ms},
    )


async def waited_enough(conn: AsyncConnection, *, now_ms: int, changeover_ms: int) -> Sequence[RowMapping]:
    """``id, session_id, exam_id, pause`` of attempts held for an earlier session that has ended for their candidate
    ``changeover_ms`` ago."""
    return await _rows(
        conn,
        """
        SELECT b.id, b.session_id, s.exam_id, x.id AS pause
        FROM attempt b JOIN session s ON s.id = b.session_id
        JOIN adjustment x ON x.attempt_id = b.id AND x.kind = 'pause' AND x.reason = 'follows'
        WHERE b.state = 'open' AND b.left_ms IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM adjustment r WHERE r.refers_id = x.id)
            AND NOT EXISTS (
                SELECT 1 FROM attempt a JOIN session t ON t.id = a.session_id
                WHERE a.candidate_id = b.candidate_id AND a.id <> b.id AND a.signed_in_ms IS NOT NULL
                    AND t.start_ms + a.postponed_ms < s.start_ms + b.postponed_ms
                    AND (a.state = 'open' OR a.ended_ms + :changeover > :now)
            )
        ORDER BY b.id
        """,
        now=now_ms,
        changeover=changeover_ms,
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
