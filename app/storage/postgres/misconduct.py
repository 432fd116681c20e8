"""Records of misconduct: a head row, and entries that only ever grow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.storage.postgres.hall_tables import misconduct, misconduct_entry

_HEAD = """
SELECT m.*, s.name AS session_name, s.exam_id, e.name AS exam_name, e.timezone, c.ticket, c.name AS candidate,
    room.name AS room, st.name AS by, i.number AS incident_number, a.id AS attempt_id, a.state AS attempt_state,
    (SELECT max(n.id) FROM misconduct_entry n WHERE n.misconduct_id = m.id) AS newest
FROM misconduct m
JOIN session s ON s.id = m.session_id
JOIN exam e ON e.id = s.exam_id
JOIN candidate c ON c.id = m.candidate_id
JOIN room ON room.id = m.room_id
JOIN staff st ON st.id = m.staff_id
LEFT JOIN incident i ON i.id = m.incident_id
LEFT JOIN attempt a ON a.session_id = m.session_id AND a.candidate_id = m.candidate_id
"""
_ENTRIES = """
SELECT n.id, n.kind, n.data, n.evidence_id, n.made_ms, st.name AS by, f.name AS file_name, f.content_type, f.size,
    f.sha256
FROM misconduct_entry n JOIN staff st ON st.id = n.staff_id LEFT JOIN evidence_file f ON f.id = n.evidence_id
WHERE n.misconduct_id = :m ORDER BY n.id
"""


async def insert(conn: AsyncConnection, values: Mapping[str, Any]) -> int:
    statement = sa.insert(misconduct).values(**values).returning(misconduct.c.id)
    return int((await conn.execute(statement)).scalar_one())


async def enter(
    conn: AsyncConnection,
    misconduct_id: int,
    kind: str,
    data: Mapping[str, Any],
    *,
    staff_id: int,
    made_ms: int,
    evidence_id: int | None = None,
) -> None:
    await conn.execute(
        sa.insert(misconduct_entry).values(
            misconduct_id=misconduct_id, kind=kind, data=dict(data), evidence_id=evidence_id, staff_id=staff_id,
            made_ms=made_ms,
        )
    )  # fmt: skip


async def change(conn: AsyncConnection, misconduct_id: int, values: Mapping[str, Any]) -> None:
    await conn.execute(sa.update(misconduct).where(misconduct.c.id == misconduct_id).values(**values))


async def lock(conn: AsyncConnection, misconduct_id: int) -> bool:
    """Whether it is there; its row is held until the transaction ends."""
    query = sa.select(misconduct.c.id).where(misconduct.c.id == misconduct_id).with_for_update(key_share=True)
    return (await conn.execute(query)).scalar_one_or_none() is not None


async def find(conn: AsyncConnection, misconduct_id: int) -> RowMapping | None:
    """The head with the names of everything it points at, and its ``newest`` entry (None: there is none)."""
    return (await conn.execute(text(f"{_HEAD} WHERE m.id = :m"), {"m": misconduct_id})).mappings().one_or_none()


async def of_exam(conn: AsyncConnection, exam_id: int, staff_id: int | None) -> Sequence[RowMapping]:
    """The exam's records, newest first; with ``staff_id`` those that this person wrote."""
    mine = "" if staff_id is None else " AND m.staff_id = :staff"
    rows = await conn.execute(
        text(f"{_HEAD} WHERE s.exam_id = :e{mine} ORDER BY m.id DESC"), {"e": exam_id, "staff": staff_id}
    )
    return rows.mappings().all()


async def entries(conn: AsyncConnection, misconduct_id: int) -> Sequence[RowMapping]:
    return (await conn.execute(text(_ENTRIES), {"m": misconduct_id})).mappings().all()


async def removed_by(conn: AsyncConnection, attempt: UUID, *, but: int) -> str | None:
    """Who had the attempt ended by another record than ``but``, unless it has been opened again since."""
    found = await conn.scalar(
        text(
            """
            SELECT st.name FROM misconduct m
            JOIN attempt a ON a.session_id = m.session_id AND a.candidate_id = m.candidate_id
            JOIN LATERAL (SELECT n.staff_id FROM misconduct_entry n WHERE n.misconduct_id = m.id AND n.kind = 'measure'
                ORDER BY n.id DESC LIMIT 1) last ON true
            JOIN staff st ON st.id = last.staff_id
            WHERE a.id = :a AND m.measure = 'removed' AND m.id <> :but AND EXISTS (
                SELECT 1 FROM adjustment x JOIN adjustment_attempt o ON o.adjustment_id = x.id
                WHERE o.attempt_id = a.id AND x.kind = 'end' AND NOT EXISTS (
                    SELECT 1 FROM adjustment r JOIN adjustment_attempt p ON p.adjustment_id = r.id
                    WHERE p.attempt_id = a.id AND r.kind = 'reopen' AND r.id > x.id))
            ORDER BY m.id LIMIT 1
            """
        ),
        {"a": attempt, "but": but},
    )
    return None if found is None else str(found)
