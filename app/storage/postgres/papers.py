"""Draws and papers in the record.

A paper belongs to an attempt; a candidate's attempt in a session begins to exist when the session is drawn. 1,880
papers of 100 items go in by one COPY per table; who drew an item is one query on an index.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.storage.postgres.tables import attempt, draw, paper, paper_item

Row = RowMapping


async def _rows(conn: AsyncConnection, sql: str, **values: object) -> Sequence[Row]:
    return (await conn.execute(text(sql), values)).mappings().all()


# --- what a draw writes -----------------------------------------------------------------------------------------


class AttemptRow(NamedTuple):
    id: UUID
    session_id: int
    candidate_id: int
    allotted_ms: int
    end_ms: int | None


class PaperRow(NamedTuple):
    attempt_id: UUID
    draw_id: int
    item_count: int
    body: bytes
    etag: str


class PaperItemRow(NamedTuple):
    attempt_id: UUID
    position: int
    item_version_id: int
    option_order: str
    points_milli: int


async def remove_papers(conn: AsyncConnection, session_id: int) -> None:
    """Take the session's papers away; its attempts and the rows of ``draw`` stay (which seeds there were is kept)."""
    of_session = sa.select(attempt.c.id).where(attempt.c.session_id == session_id)
    await conn.execute(sa.delete(paper_item).where(paper_item.c.attempt_id.in_(of_session)))
    await conn.execute(sa.delete(paper).where(paper.c.attempt_id.in_(of_session)))


async def reallot(conn: AsyncConnection, attempt_id: UUID, by_ms: int) -> None:
    """Give an attempt that nobody has begun more or less time, as the candidate's extra time changed."""
    await conn.execute(
        text(
            "UPDATE attempt SET allotted_ms = allotted_ms + :by, left_ms = left_ms + :by, clock_rev = clock_rev + 1,"
            " end_ms = CASE WHEN left_ms IS NULL THEN end_ms + :by ELSE end_ms END WHERE id = :id"
        ),
        {"id": attempt_id, "by": by_ms},
    )


async def add_draw(
    conn: AsyncConnection, session_id: int, *, seed: str, spec: Mapping[str, Any], papers: int, digest: bytes
) -> int:
    made = await conn.execute(
        sa.insert(draw)
        .values(session_id=session_id, seed=seed, spec=spec, papers=papers, digest=digest)
        .returning(draw.c.id)
    )
    return int(made.scalar_one())


async def copy_attempts(conn: AsyncConnection, rows: Iterable[AttemptRow]) -> None:
    await _copy(conn, "attempt", AttemptRow._fields, rows)


async def copy_papers(conn: AsyncConnection, rows: Iterable[PaperRow]) -> None:
    await _copy(conn, "paper", PaperRow._fields, rows)


async def copy_paper_items(conn: AsyncConnection, rows: Iterable[PaperItemRow]) -> None:
    await _copy(conn, "paper_item", PaperItemRow._fields, rows)


async def _copy(conn: AsyncConnection, table: str, columns: Sequence[str], rows: Iterable[Any]) -> None:
    """COPY through the driver's own connection: SQLAlchemy's transaction is on it already (a statement has run)."""
    driver = (await conn.get_raw_connection()).driver_connection
    if driver is None:
        raise RuntimeError("the connection is closed")
    await driver.copy_records_to_table(table, columns=list(columns), records=rows)


async def count(conn: AsyncConnection, session_id: int) -> int:
    """How many papers the session has."""
    query = sa.select(sa.func.count()).select_from(paper).join(attempt, attempt.c.id == paper.c.attempt_id)
    return int((await conn.execute(query.where(attempt.c.session_id == session_id))).scalar_one())


async def newest_digest(conn: AsyncConnection, session_id: int) -> str | None:
    """The digest of the session's last draw, in hexadecimal; None where nothing was ever drawn."""
    query = sa.select(draw.c.digest).where(draw.c.session_id == session_id).order_by(draw.c.id.desc()).limit(1)
    found = await conn.scalar(query)
    return None if found is None else bytes(found).hex()


# --- what is asked afterwards -----------------------------------------------------------------------------------


async def draws_of(conn: AsyncConnection, session_id: int) -> Sequence[Row]:
    """The draws whose papers the session has, newest first: rows of ``draw`` and the ``number`` of its session.

    One, unless people have been moved between rounds since it was drawn.
    """
    return await _rows(
        conn,
        "SELECT d.*, s.number FROM draw d JOIN session s ON s.id = d.session_id WHERE EXISTS ("
        " SELECT 1 FROM paper p JOIN attempt a ON a.id = p.attempt_id WHERE p.draw_id = d.id AND a.session_id = :id)"
        " ORDER BY d.id DESC",
        id=session_id,
    )


async def stored(conn: AsyncConnection, session_id: int) -> Sequence[Row]:
    """Every paper of the session: attempt_id, ticket, etag, body and its rows as parallel arrays by position."""
    return await _rows(
        conn,
        """
        SELECT a.id AS attempt_id, a.candidate_id, a.end_reason, c.ticket, p.draw_id, p.etag, p.body, p.item_count, q.*
        FROM attempt a JOIN candidate c ON c.id = a.candidate_id JOIN paper p ON p.attempt_id = a.id
        CROSS JOIN LATERAL (
            SELECT array_agg(pi.position ORDER BY pi.position) AS positions,
                array_agg(pi.item_version_id ORDER BY pi.position) AS versions,
                array_agg(pi.option_order ORDER BY pi.position) AS orders,
                array_agg(pi.points_milli ORDER BY pi.position) AS points
            FROM paper_item pi WHERE pi.attempt_id = a.id
        ) q
        WHERE a.session_id = :id ORDER BY c.ticket
        """,
        id=session_id,
    )


WHO_DREW = """
SELECT s.number AS session, c.ticket, c.name, r.name AS room, seat.label AS seat, p.position, p.option_order,
    p.item_version_id, a.id AS attempt_id
FROM paper_item p JOIN attempt a ON a.id = p.attempt_id JOIN session s ON s.id = a.session_id
    JOIN candidate c ON c.id = a.candidate_id
    JOIN allocation al ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id
    JOIN seat ON seat.id = al.seat_id JOIN room r ON r.id = seat.room_id
WHERE p.item_version_id = ANY(CAST(:versions AS bigint[]))
ORDER BY s.number, r.ordinal, seat.ordinal
"""


async def item_versions(conn: AsyncConnection, exam_code: str, number: str) -> list[int]:
    """The ids of all versions of the exam's item with this number; empty when there is no such item."""
    rows = await _rows(
        conn,
        "SELECT v.id FROM item_version v JOIN item i ON i.id = v.item_id JOIN exam e ON e.id = i.exam_id"
        " WHERE e.code = :code AND i.number = :number ORDER BY v.version",
        code=exam_code,
        number=number,
    )
    return [row["id"] for row in rows]


async def who_drew(conn: AsyncConnection, versions: Sequence[int]) -> Sequence[Row]:
    """Everyone (抽中该题目) on whose paper one of these item versions stands, in the order of sessions and seats.

    Rows: session, ticket, name, room, seat (label), position, option_order, item_version_id, attempt_id.
    """
    return await _rows(conn, WHO_DREW, versions=list(versions))
