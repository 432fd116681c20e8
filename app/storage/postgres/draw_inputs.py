"""What a draw reads: the session and its locks, who sits where, the bank, and what candidates have elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

Row = dict[str, Any]


async def _rows(conn: AsyncConnection, sql: str, **values: object) -> list[Row]:
    return [dict(row) for row in (await conn.execute(text(sql), values)).mappings()]


async def allow_long(conn: AsyncConnection, milliseconds: int) -> None:
    """Raise this transaction's limits: a draw computes for seconds between two."""
    for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
        await conn.execute(text("SELECT set_config(:name, :value, true)"), {"name": name, "value": str(milliseconds)})


_SESSION = """
SELECT s.id, s.exam_id, e.code AS exam_code, s.number, s.duration_ms, s.start_ms, b.spec AS blueprint
FROM session s JOIN exam e ON e.id = s.exam_id LEFT JOIN blueprint b ON b.session_id = s.id
WHERE s.id = :id
"""


async def session(conn: AsyncConnection, session_id: int) -> Row | None:
    """The session: id, exam_id, exam_code, number, duration_ms, start_ms, ``blueprint`` (spec or None)."""
    rows = await _rows(conn, _SESSION, id=session_id)
    return rows[0] if rows else None


async def lock_session(conn: AsyncConnection, session_id: int) -> Row | None:
    """The ``session``, locked with its exam until the transaction ends: one draw of an exam at a time, and the
    day is not opened in between. None when there is no such session."""
    await conn.execute(
        text("SELECT 1 FROM exam WHERE id = (SELECT exam_id FROM session WHERE id = :id) FOR NO KEY UPDATE"),
        {"id": session_id},
    )
    rows = await _rows(conn, f"{_SESSION} FOR NO KEY UPDATE OF s", id=session_id)
    return rows[0] if rows else None


async def service_ms(conn: AsyncConnection) -> int:
    """The confirmed value of the service clock; 0 where no server has run yet."""
    return int(await conn.scalar(text("SELECT counter_ms FROM service_clock")) or 0)


async def lock_attempts(conn: AsyncConnection, session_id: int) -> list[Row]:
    """The session's attempts, locked in the order of the writer; a sign-in waits or has already happened."""
    return await _rows(
        conn,
        "SELECT id, candidate_id, allotted_ms, (signed_in_ms IS NOT NULL OR epoch > 0 OR state <> 'open') AS in_use"
        " FROM attempt WHERE session_id = :id ORDER BY id FOR NO KEY UPDATE",
        id=session_id,
    )


async def seating(conn: AsyncConnection, session_id: int) -> list[Row]:
    """Who sits where: candidate_id, ticket, extra_time_ms, room_ordinal, room, seat (its ordinal)."""
    return await _rows(
        conn,
        """
        SELECT c.id AS candidate_id, c.ticket, c.extra_time_ms, r.ordinal AS room_ordinal, r.name AS room,
            seat.ordinal AS seat
        FROM allocation al JOIN candidate c ON c.id = al.candidate_id
            JOIN seat ON seat.id = al.seat_id JOIN room r ON r.id = seat.room_id
        WHERE al.session_id = :id
        """,
        id=session_id,
    )


async def candidate_ids(conn: AsyncConnection, exam_id: int) -> dict[str, int]:
    """ticket → id of every candidate of the exam."""
    rows = await _rows(conn, "SELECT ticket, id FROM candidate WHERE exam_id = :exam", exam=exam_id)
    return {row["ticket"]: row["id"] for row in rows}


_ITEM = "i.id AS item_id, i.number, v.id AS version_id, v.type, v.topic, v.stem, v.options, v.points_milli, v.media"
# Only how many blanks there are leaves the record; the accepted answers stay.
_BLANKS = "CASE WHEN v.type = 'blank' AND jsonb_typeof(v.key) = 'array' THEN jsonb_array_length(v.key) ELSE 0 END"


async def bank(conn: AsyncConnection, exam_id: int) -> list[Row]:
    """The newest version of every item of the exam that is not retired, without its key; ``blanks`` is how many
    blanks it has."""
    return await _rows(
        conn,
        f"SELECT DISTINCT ON (i.id) {_ITEM}, {_BLANKS} AS blanks FROM item i JOIN item_version v ON v.item_id = i.id"  # noqa: S608 -- constants
        " WHERE i.exam_id = :exam AND NOT i.retired ORDER BY i.id, v.version DESC",
        exam=exam_id,
    )


async def versions(conn: AsyncConnection, ids: Sequence[int]) -> list[Row]:
    """The item versions with these ids, as ``bank`` gives them."""
    return await _rows(
        conn,
        f"SELECT {_ITEM}, {_BLANKS} AS blanks FROM item_version v JOIN item i ON i.id = v.item_id"  # noqa: S608 -- constants
        " WHERE v.id = ANY(CAST(:ids AS bigint[]))",
        ids=list(ids),
    )


async def drawn_by(conn: AsyncConnection, draws: Sequence[int], session_id: int) -> dict[int, list[str]]:
    """candidate_id → the numbers of the items (any version) on their papers of these draws in other sessions than this
    one: rounds may have been exchanged, and papers go along with their candidates."""
    rows = await _rows(
        conn,
        """
        SELECT a.candidate_id, array_agg(i.number) AS numbers
        FROM paper p JOIN attempt a ON a.id = p.attempt_id JOIN paper_item pi ON pi.attempt_id = a.id
            JOIN item_version v ON v.id = pi.item_version_id JOIN item i ON i.id = v.item_id
        WHERE p.draw_id = ANY(CAST(:draws AS bigint[])) AND a.session_id <> :session
        GROUP BY a.candidate_id
        """,
        draws=list(draws),
        session=session_id,
    )
    return {row["candidate_id"]: row["numbers"] for row in rows}


async def draws_elsewhere(conn: AsyncConnection, exam_id: int, session_id: int) -> list[int]:
    """The draws whose papers are in force in the exam's other sessions."""
    rows = await _rows(
        conn,
        "SELECT d.id FROM draw d JOIN session s ON s.id = d.session_id WHERE s.exam_id = :exam AND EXISTS ("
        " SELECT 1 FROM paper p JOIN attempt a ON a.id = p.attempt_id WHERE p.draw_id = d.id AND a.session_id <> :id)"
        " ORDER BY d.id",
        exam=exam_id,
        id=session_id,
    )
    return [row["id"] for row in rows]


async def sat_by(conn: AsyncConnection, exam_id: int) -> dict[int, set[int]]:
    """candidate_id → the numbers of the sessions they are allocated to."""
    rows = await _rows(
        conn,
        "SELECT al.candidate_id, array_agg(s.number) AS numbers FROM allocation al JOIN session s"
        " ON s.id = al.session_id WHERE s.exam_id = :exam GROUP BY al.candidate_id",
        exam=exam_id,
    )
    return {row["candidate_id"]: set(row["numbers"]) for row in rows}


async def planned(conn: AsyncConnection, exam_id: int, session_id: int) -> dict[int, Any]:
    """number → blueprint spec of the exam's other sessions that have a blueprint but no papers yet."""
    rows = await _rows(
        conn,
        """
        SELECT s.number, b.spec FROM session s JOIN blueprint b ON b.session_id = s.id
        WHERE s.exam_id = :exam AND s.id <> :id
            AND NOT EXISTS (SELECT 1 FROM attempt a JOIN paper p ON p.attempt_id = a.id WHERE a.session_id = s.id)
        ORDER BY s.number
        """,
        exam=exam_id,
        id=session_id,
    )
    return {row["number"]: row["spec"] for row in rows}
