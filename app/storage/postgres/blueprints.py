"""The sessions of an exam and their blueprints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import RowMapping, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.storage.postgres.tables import blueprint

Row = RowMapping


async def _rows(conn: AsyncConnection, sql: str, **values: object) -> Sequence[Row]:
    return (await conn.execute(text(sql), values)).mappings().all()


async def exam_codes(conn: AsyncConnection) -> list[str]:
    return [row["code"] for row in await _rows(conn, "SELECT code FROM exam ORDER BY code")]


async def sessions(conn: AsyncConnection, exam_code: str) -> Sequence[Row]:
    """The sessions of the exam, by number: id, exam_id, exam_code, number, name and ``blueprint`` (spec or None)."""
    return await _rows(
        conn,
        """
        SELECT s.id, s.exam_id, e.code AS exam_code, s.number, s.name, b.spec AS blueprint
        FROM session s JOIN exam e ON e.id = s.exam_id LEFT JOIN blueprint b ON b.session_id = s.id
        WHERE e.code = :code ORDER BY s.number
        """,
        code=exam_code,
    )


async def set_blueprint(conn: AsyncConnection, session_id: int, spec: Mapping[str, Any]) -> None:
    """Replace the session's blueprint; papers already drawn keep the one they were drawn by (``draw.spec``)."""
    statement = insert(blueprint).values(session_id=session_id, spec=spec)
    await conn.execute(
        statement.on_conflict_do_update(
            index_elements=[blueprint.c.session_id], set_={"spec": statement.excluded.spec, "created_at": sa.func.now()}
        )
    )


async def most_sessions(conn: AsyncConnection, exam_id: int) -> int:
    """How many sessions the busiest candidate of the exam sits; 0 without allocations."""
    return int(
        await conn.scalar(
            text(
                "SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM allocation al"
                " JOIN session s ON s.id = al.session_id WHERE s.exam_id = :exam GROUP BY al.candidate_id) AS sat"
            ),
            {"exam": exam_id},
        )
        or 0
    )
