"""What the record and candidates disagree about: written down at the door, decided on once, field by field."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import RowMapping, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.storage.postgres.hall_tables import (
    admission,
    discrepancy,
    discrepancy_evidence,
    discrepancy_field,
    evidence_file,
)

# The room is where it was written down; the seat is where the candidate sits now.
_HEAD = """
SELECT d.id, d.session_id, s.number AS session_number, s.name AS session_name, s.exam_id, e.name AS exam_name,
    e.timezone, d.candidate_id, c.ticket, c.name AS candidate, d.room_id, room.name AS room, seat.label AS seat,
    d.identified, d.note, d.told_by, d.staff_id, st.name AS by, d.made_ms, a.id AS attempt_id
FROM discrepancy d
JOIN session s ON s.id = d.session_id
JOIN exam e ON e.id = s.exam_id
JOIN candidate c ON c.id = d.candidate_id
JOIN room ON room.id = d.room_id
JOIN staff st ON st.id = d.staff_id
LEFT JOIN allocation al ON al.session_id = d.session_id AND al.candidate_id = d.candidate_id
LEFT JOIN seat ON seat.id = al.seat_id
LEFT JOIN attempt a ON a.session_id = d.session_id AND a.candidate_id = d.candidate_id
"""
_RECORDED = """
SELECT c.id, c.exam_id, c.ticket, c.name, c.gender, c.id_kind, c.id_number, c.specialty, c.employer,
    coalesce((SELECT p.sha256 FROM candidate_photo p WHERE p.candidate_id = c.id), '') AS photo
FROM candidate c WHERE c.id = ANY(CAST(:ids AS bigint[])) ORDER BY c.id
"""
# The whole of what one file of evidence is, to be the candidate's photo from now on.
_TAKE_PHOTO = """
INSERT INTO candidate_photo (candidate_id, sha256, content_type, body, name)
SELECT :candidate, f.sha256, f.content_type, f.body, f.name
FROM evidence_file f JOIN discrepancy_evidence e ON e.evidence_id = f.id
WHERE e.discrepancy_id = :discrepancy AND f.sha256 = :sha256 LIMIT 1
ON CONFLICT (candidate_id) DO UPDATE SET sha256 = EXCLUDED.sha256, content_type = EXCLUDED.content_type,
    body = EXCLUDED.body, name = EXCLUDED.name, made_at = now()
"""


async def lock_recorded(conn: AsyncConnection, candidate_ids: Collection[int]) -> dict[int, RowMapping]:
    """What the record holds of the candidates, by id, their rows locked in that order."""
    ids = sorted(set(candidate_ids))
    await conn.execute(
        text("SELECT 1 FROM candidate WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY id FOR NO KEY UPDATE"),
        {"ids": ids},
    )
    return await recorded(conn, ids)


async def recorded(conn: AsyncConnection, candidate_ids: Collection[int]) -> dict[int, RowMapping]:
    """``id, exam_id, ticket``, and a value for every field (of the photo its hash, '' without one)."""
    rows = await conn.execute(text(_RECORDED), {"ids": sorted(set(candidate_ids))})
    return {row["id"]: row for row in rows.mappings()}


async def open_fields(conn: AsyncConnection, candidate_id: int) -> Sequence[RowMapping]:
    """Fields of the candidate that are still to be decided on: ``field, claimed, by, made_ms``."""
    rows = await conn.execute(
        text(
            "SELECT f.field, f.claimed, st.name AS by, d.made_ms FROM discrepancy_field f"
            " JOIN discrepancy d ON d.id = f.discrepancy_id JOIN staff st ON st.id = d.staff_id"
            " WHERE d.candidate_id = :c AND f.state = 'open' ORDER BY d.id, f.field"
        ),
        {"c": candidate_id},
    )
    return rows.mappings().all()


async def enter(
    conn: AsyncConnection, values: Mapping[str, Any], fields: Mapping[str, tuple[str, str]], files: Collection[int]
) -> int:
    """``fields``: each with what is recorded and what is claimed. The new discrepancy's id."""
    query = sa.insert(discrepancy).values(**values).returning(discrepancy.c.id)
    new = int((await conn.execute(query)).scalar_one())
    await conn.execute(
        sa.insert(discrepancy_field),
        [
            {"discrepancy_id": new, "field": field, "recorded": before, "claimed": after}
            for field, (before, after) in fields.items()
        ],
    )
    await attach(conn, new, files)
    return new


async def attach(conn: AsyncConnection, discrepancy_id: int, files: Collection[int]) -> None:
    if files:
        await conn.execute(
            sa.insert(discrepancy_evidence),
            [{"discrepancy_id": discrepancy_id, "evidence_id": one} for one in sorted(files)],
        )


async def admit(conn: AsyncConnection, values: Mapping[str, Any]) -> bool:
    """The provisional admission; False when there is one already."""
    statement = (
        insert(admission).values(kind="provisional", **values).on_conflict_do_nothing().returning(admission.c.id)
    )
    return (await conn.execute(statement)).scalar_one_or_none() is not None


async def find(conn: AsyncConnection, discrepancy_id: int) -> RowMapping | None:
    return (await conn.execute(text(f"{_HEAD} WHERE d.id = :d"), {"d": discrepancy_id})).mappings().one_or_none()


async def of_exam(conn: AsyncConnection, exam_id: int, room_ids: Collection[int] | None) -> Sequence[RowMapping]:
    """The exam's, newest first; with ``room_ids`` those of these rooms."""
    where = "" if room_ids is None else " AND d.room_id = ANY(CAST(:rooms AS bigint[]))"
    rows = await conn.execute(
        text(f"{_HEAD} WHERE s.exam_id = :e{where} ORDER BY d.id DESC"), {"e": exam_id, "rooms": sorted(room_ids or ())}
    )
    return rows.mappings().all()


async def some(conn: AsyncConnection, discrepancy_ids: Collection[int]) -> Sequence[RowMapping]:
    rows = await conn.execute(
        text(f"{_HEAD} WHERE d.id = ANY(CAST(:ids AS bigint[])) ORDER BY d.id"), {"ids": sorted(set(discrepancy_ids))}
    )
    return rows.mappings().all()


async def fields(
    conn: AsyncConnection, discrepancy_ids: Collection[int], *, lock: bool = False
) -> dict[int, list[RowMapping]]:
    """The fields of each: ``field, recorded, claimed, state, by, decided_ms, note``."""
    query = (
        sa.select(
            discrepancy_field.c.discrepancy_id, discrepancy_field.c.field, discrepancy_field.c.recorded,
            discrepancy_field.c.claimed, discrepancy_field.c.state, discrepancy_field.c.decided_ms,
            discrepancy_field.c.note,
            sa.text("(SELECT st.name FROM staff st WHERE st.id = discrepancy_field.decided_by) AS by"),
        )
        .where(discrepancy_field.c.discrepancy_id.in_(sorted(set(discrepancy_ids))))
        .order_by(discrepancy_field.c.discrepancy_id, discrepancy_field.c.field)
    )  # fmt: skip
    if lock:
        query = query.with_for_update(key_share=True)
    found: dict[int, list[RowMapping]] = {}
    for row in (await conn.execute(query)).mappings():
        found.setdefault(row["discrepancy_id"], []).append(row)
    return found


async def files(conn: AsyncConnection, discrepancy_ids: Collection[int]) -> dict[int, list[RowMapping]]:
    """The files of each, without their bytes."""
    query = (
        sa.select(
            discrepancy_evidence.c.discrepancy_id, evidence_file.c.id, evidence_file.c.name,
            evidence_file.c.content_type, evidence_file.c.size, evidence_file.c.sha256,
        )
        .join(evidence_file, evidence_file.c.id == discrepancy_evidence.c.evidence_id)
        .where(discrepancy_evidence.c.discrepancy_id.in_(sorted(set(discrepancy_ids))))
        .order_by(evidence_file.c.id)
    )  # fmt: skip
    found: dict[int, list[RowMapping]] = {}
    for row in (await conn.execute(query)).mappings():
        found.setdefault(row["discrepancy_id"], []).append(row)
    return found


async def decide(
    conn: AsyncConnection, discrepancy_id: int, field: str, *, state: str, note: str, staff_id: int, now_ms: int
) -> bool:
    """False when somebody has decided on this field before."""
    query = (
        sa.update(discrepancy_field)
        .where(
            discrepancy_field.c.discrepancy_id == discrepancy_id,
            discrepancy_field.c.field == field,
            discrepancy_field.c.state == "open",
        )
        .values(state=state, note=note, decided_by=staff_id, decided_ms=now_ms)
    )
    return (await conn.execute(query)).rowcount == 1


async def take_photo(conn: AsyncConnection, candidate_id: int, discrepancy_id: int, sha256: str) -> bool:
    """Make the evidence with this hash the candidate's photo; False when it is not attached."""
    done = await conn.execute(
        text(_TAKE_PHOTO), {"candidate": candidate_id, "discrepancy": discrepancy_id, "sha256": sha256}
    )
    return done.rowcount == 1


async def holders(
    conn: AsyncConnection, exam_id: int, documents: Collection[tuple[str, str]], but: Collection[int]
) -> list[str]:
    """Tickets of others in the exam with one of these (kind, number)."""
    rows = await conn.execute(
        text(
            "SELECT c.ticket FROM candidate c JOIN unnest(CAST(:kinds AS text[]), CAST(:numbers AS text[]))"
            " AS d(kind, number) ON d.kind = c.id_kind AND d.number = c.id_number"
            " WHERE c.exam_id = :e AND NOT c.id = ANY(CAST(:but AS bigint[])) ORDER BY c.ticket"
        ),
        {
            "e": exam_id,
            "kinds": [kind for kind, _ in documents],
            "numbers": [number for _, number in documents],
            "but": sorted(but),
        },
    )
    return list(rows.scalars())
