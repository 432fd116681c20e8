"""Files kept as evidence, and what they are attached to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.storage.postgres.hall_tables import evidence_file


@dataclass(frozen=True, slots=True)
class Kept:
    """A file without its bytes. ``staff_id``: who sent it."""

    id: int
    exam_id: int
    sha256: str
    content_type: str
    name: str
    size: int
    staff_id: int
    made_ms: int


@dataclass(frozen=True, slots=True)
class Attached:
    """What a file belongs to: the record's kind and id, its rooms (an incident may have none, the others have one), who
    wrote the record, whether it is sealed (misconduct always)."""

    kind: Literal["incident", "discrepancy", "misconduct"]
    id: int
    staff_id: int
    room_ids: frozenset[int]
    sealed: bool


_KEPT = (
    evidence_file.c.id, evidence_file.c.exam_id, evidence_file.c.sha256, evidence_file.c.content_type,
    evidence_file.c.name, evidence_file.c.size, evidence_file.c.staff_id, evidence_file.c.made_ms,
)  # fmt: skip


async def insert(conn: AsyncConnection, *, body: bytes, **values: Any) -> Kept:
    """``values``: exam_id, sha256, content_type, name, staff_id, made_ms."""
    statement = sa.insert(evidence_file).values(body=body, size=len(body), **values).returning(*_KEPT)
    return Kept(**(await conn.execute(statement)).mappings().one())


async def find(conn: AsyncConnection, evidence_ids: list[int]) -> list[Kept]:
    """Those that are there, by id."""
    query = sa.select(*_KEPT).where(evidence_file.c.id.in_(evidence_ids)).order_by(evidence_file.c.id)
    return [Kept(**row) for row in (await conn.execute(query)).mappings()]


async def lock(conn: AsyncConnection, evidence_ids: list[int]) -> None:
    """Hold the files until the transaction ends: of two that attach the same one the second sees it attached."""
    query = sa.select(evidence_file.c.id).where(evidence_file.c.id.in_(evidence_ids)).order_by(evidence_file.c.id)
    await conn.execute(query.with_for_update(key_share=True))


async def body(conn: AsyncConnection, evidence_id: int) -> bytes:
    return bytes(
        (await conn.execute(sa.select(evidence_file.c.body).where(evidence_file.c.id == evidence_id))).scalar_one()
    )


async def attached(conn: AsyncConnection, evidence_ids: list[int]) -> list[Attached]:
    """Every record that any of the files belongs to."""
    rows = await conn.execute(
        text(
            "SELECT 'incident' AS kind, i.id, i.staff_id, i.sealed,"
            " ARRAY(SELECT r.room_id FROM incident_room r WHERE r.incident_id = i.id) AS room_ids"
            " FROM incident i JOIN incident_entry e ON e.incident_id = i.id WHERE e.evidence_id = ANY(:ids)"
            " UNION ALL SELECT 'discrepancy', d.id, d.staff_id, false, ARRAY[d.room_id] FROM discrepancy d"
            " JOIN discrepancy_evidence e ON e.discrepancy_id = d.id WHERE e.evidence_id = ANY(:ids)"
            " UNION ALL SELECT 'misconduct', m.id, m.staff_id, true, ARRAY[m.room_id] FROM misconduct m"
            " JOIN misconduct_entry e ON e.misconduct_id = m.id WHERE e.evidence_id = ANY(:ids)"
        ),
        {"ids": evidence_ids},
    )
    return [Attached(row.kind, row.id, row.staff_id, frozenset(row.room_ids), row.sealed) for row in rows]


async def total(conn: AsyncConnection, exam_id: int) -> int:
    """Bytes of all files of the exam; one file more at a time is taken for the exam until the transaction ends."""
    await conn.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('evidence', :e))"), {"e": exam_id})
    query = sa.select(sa.func.coalesce(sa.func.sum(evidence_file.c.size), 0)).where(evidence_file.c.exam_id == exam_id)
    return int((await conn.execute(query)).scalar_one())


async def has_room(conn: AsyncConnection, exam_id: int, room_ids: Collection[int]) -> bool:
    query = "SELECT EXISTS (SELECT 1 FROM room WHERE exam_id = :e AND id = ANY(:rooms))"
    return bool(await conn.scalar(text(query), {"e": exam_id, "rooms": list(room_ids)}))


async def exam_of_session(conn: AsyncConnection, session_id: int) -> int | None:
    found = await conn.scalar(text("SELECT exam_id FROM session WHERE id = :s"), {"s": session_id})
    return None if found is None else int(found)
