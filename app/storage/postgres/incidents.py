"""Incidents: the head row, its rooms and people, and the entries that only ever grow."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import RowMapping, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.storage.postgres.hall_tables import incident, incident_candidate, incident_entry, incident_plan, incident_room

_HEAD = (
    "SELECT i.*, p.plan, p.version, p.title_zh, p.title_en, p.steps, e.name AS exam_name, e.timezone, s.number AS"
    " session_number, s.name AS session_name, w.name AS opened_by, g.name AS signed_by_name,"
    " ARRAY(SELECT r.room_id FROM incident_room r WHERE r.incident_id = i.id) AS room_ids,"
    " ARRAY(SELECT ro.name FROM incident_room r JOIN room ro ON ro.id = r.room_id WHERE r.incident_id = i.id"
    " ORDER BY ro.ordinal, ro.id) AS room_names,"
    " (SELECT max(n.id) FROM incident_entry n WHERE n.incident_id = i.id) AS newest"
    " FROM incident i JOIN incident_plan p ON p.id = i.plan_id JOIN exam e ON e.id = i.exam_id"
    " LEFT JOIN session s ON s.id = i.session_id JOIN staff w ON w.id = i.staff_id"
    " LEFT JOIN staff g ON g.id = i.signed_by"
)


# --- plans ---


async def newest_plans(conn: AsyncConnection, exam_id: int) -> list[RowMapping]:
    """The exam's newest version of every plan it has edited or used, with who made it."""
    rows = await conn.execute(
        text(
            "SELECT DISTINCT ON (p.plan) p.*, w.name AS by FROM incident_plan p LEFT JOIN staff w ON w.id = p.staff_id"
            " WHERE p.exam_id = :e ORDER BY p.plan, p.version DESC"
        ),
        {"e": exam_id},
    )
    return list(rows.mappings())


async def insert_plan(conn: AsyncConnection, values: Mapping[str, Any]) -> int | None:
    """The new version's id; None when that version is there already, also when it was made a moment ago."""
    statement = insert(incident_plan).values(**values).on_conflict_do_nothing().returning(incident_plan.c.id)
    found = (await conn.execute(statement)).scalar_one_or_none()
    return None if found is None else int(found)


# --- incidents ---


async def next_number(conn: AsyncConnection, exam_id: int) -> int:
    """Counted in the exam; whoever asks next waits until this transaction ends."""
    await conn.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('incident', :e))"), {"e": exam_id})
    return int(
        (
            await conn.execute(
                text("SELECT coalesce(max(number), 0) + 1 FROM incident WHERE exam_id = :e"), {"e": exam_id}
            )
        ).scalar_one()
    )


async def insert_incident(
    conn: AsyncConnection, values: Mapping[str, Any], *, rooms: Collection[int], candidates: Collection[int]
) -> int:
    incident_id = int((await conn.execute(sa.insert(incident).values(**values).returning(incident.c.id))).scalar_one())
    await add_scope(conn, incident_id, rooms=rooms, candidates=candidates)
    return incident_id


async def add_scope(
    conn: AsyncConnection, incident_id: int, *, rooms: Collection[int], candidates: Collection[int]
) -> None:
    if rooms:
        of = [{"incident_id": incident_id, "room_id": one} for one in sorted(rooms)]
        await conn.execute(insert(incident_room).on_conflict_do_nothing(), of)
    if candidates:
        of = [{"incident_id": incident_id, "candidate_id": one} for one in sorted(candidates)]
        await conn.execute(insert(incident_candidate).on_conflict_do_nothing(), of)


async def drop_scope(
    conn: AsyncConnection, incident_id: int, *, rooms: Collection[int], candidates: Collection[int]
) -> None:
    await conn.execute(
        sa.delete(incident_room).where(
            incident_room.c.incident_id == incident_id, incident_room.c.room_id.in_(sorted(rooms))
        )
    )
    await conn.execute(
        sa.delete(incident_candidate).where(
            incident_candidate.c.incident_id == incident_id,
            incident_candidate.c.candidate_id.in_(sorted(candidates)),
        )
    )


async def lock(conn: AsyncConnection, incident_id: int) -> bool:
    """Whether it is there; its row is held until the transaction ends."""
    query = sa.select(incident.c.id).where(incident.c.id == incident_id).with_for_update(key_share=True)
    return (await conn.execute(query)).scalar_one_or_none() is not None


async def find(conn: AsyncConnection, incident_id: int) -> RowMapping | None:
    """The head with its plan, exam, session, names, ``room_ids`` and the ``newest`` entry."""
    return (await conn.execute(text(f"{_HEAD} WHERE i.id = :i"), {"i": incident_id})).mappings().one_or_none()


async def of_exam(conn: AsyncConnection, exam_id: int) -> list[RowMapping]:
    """Every incident of the exam, newest first."""
    rows = await conn.execute(text(f"{_HEAD} WHERE i.exam_id = :e ORDER BY i.number DESC"), {"e": exam_id})
    return list(rows.mappings())


async def change(conn: AsyncConnection, incident_id: int, values: Mapping[str, Any]) -> None:
    await conn.execute(sa.update(incident).where(incident.c.id == incident_id).values(**values))


async def rooms(conn: AsyncConnection, incident_id: int) -> list[RowMapping]:
    rows = await conn.execute(
        text(
            "SELECT r.id, r.name, b.name AS building FROM incident_room ir JOIN room r ON r.id = ir.room_id"
            " JOIN building b ON b.id = r.building_id WHERE ir.incident_id = :i ORDER BY r.ordinal, r.id"
        ),
        {"i": incident_id},
    )
    return list(rows.mappings())


async def people(conn: AsyncConnection, incident_id: int, session_id: int | None) -> list[RowMapping]:
    """The candidates named in the incident, with where they sit in its session; ``room_ids``: also where they sat."""
    rows = await conn.execute(
        text(
            "SELECT c.id AS candidate_id, c.ticket, c.name, a.id AS attempt_id, r.name AS room, st.label AS seat,"
            " ARRAY(SELECT w.room_id FROM seat w WHERE w.id IN (al.seat_id, al.planned_seat_id) UNION SELECT f.room_id"
            " FROM relog m JOIN seat f ON f.id = m.from_seat_id WHERE m.attempt_id = a.id) AS room_ids"
            " FROM incident_candidate ic JOIN candidate c ON c.id = ic.candidate_id"
            " LEFT JOIN attempt a ON a.candidate_id = c.id AND a.session_id = :s"
            " LEFT JOIN allocation al ON al.candidate_id = c.id AND al.session_id = :s"
            " LEFT JOIN seat st ON st.id = al.seat_id LEFT JOIN room r ON r.id = st.room_id"
            " WHERE ic.incident_id = :i ORDER BY r.ordinal, st.ordinal, c.ticket"
        ),
        {"i": incident_id, "s": session_id},
    )
    return list(rows.mappings())


async def places(conn: AsyncConnection, exam_id: int) -> list[RowMapping]:
    """Every room of the exam with its building, in order."""
    rows = await conn.execute(
        text(
            "SELECT r.id, r.name, b.id AS building_id, b.name AS building FROM room r"
            " JOIN building b ON b.id = r.building_id WHERE r.exam_id = :e ORDER BY r.ordinal, r.id"
        ),
        {"e": exam_id},
    )
    return list(rows.mappings())


async def named(
    conn: AsyncConnection, exam_id: int, session_id: int | None, tickets: Collection[str]
) -> list[RowMapping]:
    """``ticket, name, candidate_id, room_id`` of those of the tickets that the exam has."""
    rows = await conn.execute(
        text(
            "SELECT c.ticket, c.name, c.id AS candidate_id, st.room_id FROM candidate c"
            " LEFT JOIN allocation al ON al.candidate_id = c.id AND al.session_id = :s"
            " LEFT JOIN seat st ON st.id = al.seat_id WHERE c.exam_id = :e AND c.ticket = ANY(:t)"
        ),
        {"e": exam_id, "s": session_id, "t": sorted(tickets)},
    )
    return list(rows.mappings())


# --- entries ---


async def enter(conn: AsyncConnection, incident_id: int, kind: str, data: Mapping[str, Any], **more: Any) -> int:
    """``more``: staff_id, made_ms, told_by, evidence_id. The entry's id."""
    statement = sa.insert(incident_entry).values(incident_id=incident_id, kind=kind, data=dict(data), **more)
    return int((await conn.execute(statement.returning(incident_entry.c.id))).scalar_one())


async def entries(conn: AsyncConnection, incident_id: int) -> list[RowMapping]:
    """All of them in the order they came, with who wrote each and the file it brings."""
    rows = await conn.execute(
        text(
            "SELECT n.id, n.kind, n.data, n.told_by, n.made_ms, n.made_at, w.name AS by, n.staff_id, n.evidence_id,"
            " f.name AS file_name, f.content_type, f.size, f.sha256 FROM incident_entry n"
            " JOIN staff w ON w.id = n.staff_id LEFT JOIN evidence_file f ON f.id = n.evidence_id"
            " WHERE n.incident_id = :i ORDER BY n.id"
        ),
        {"i": incident_id},
    )
    return list(rows.mappings())
