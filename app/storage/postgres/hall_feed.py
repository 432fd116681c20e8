"""The audit log as the office's page runs through it: by area and room, the newest first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_ENTRIES = """
SELECT e.n, e.at, e.service_ms, e.staff_id, e.actor, s.name, s.role, e.action, e.subject
FROM audit_entry e LEFT JOIN staff s ON s.id = e.staff_id
WHERE split_part(e.action, '.', 1) = ANY(CAST(:areas AS text[]))
    AND (CAST(:before AS int8) IS NULL OR e.n < CAST(:before AS int8))
    AND (CAST(:after AS int8) IS NULL OR e.n > CAST(:after AS int8))
"""
# Containment is what the index on subject answers; one condition for each room, as the audit page asks.
_ABOUT = """
    AND e.subject @> ANY(ARRAY(
        SELECT jsonb_build_object('room_id', r) FROM unnest(CAST(:rooms AS int8[])) r
        UNION ALL SELECT jsonb_build_object('room_ids', jsonb_build_array(r)) FROM unnest(CAST(:rooms AS int8[])) r))
"""
# As ``Exam.has``, in one pass over the log: what another exam's day left there is not carried out of the database.
_OF_EXAM = """
    AND CASE
        WHEN e.subject->>'exam' IS NOT NULL THEN e.subject->>'exam' = :code
        WHEN e.subject->>'room_id' IS NOT NULL THEN e.subject->>'room_id' = ANY(CAST(:exam_rooms AS text[]))
        WHEN jsonb_typeof(e.subject->'room_ids') = 'array' AND e.subject->'room_ids' <> '[]' THEN EXISTS (
            SELECT 1 FROM jsonb_array_elements_text(e.subject->'room_ids') r WHERE r = ANY(CAST(:exam_rooms AS text[])))
        WHEN e.subject->>'session_id' IS NOT NULL THEN e.subject->>'session_id' = ANY(CAST(:sessions AS text[]))
        WHEN split_part(e.action, '.', 1) = ANY(CAST(:by_session AS text[])) AND e.subject->>'session' IS NOT NULL
            THEN e.subject->>'session' = ANY(CAST(:sessions AS text[]))
        ELSE true END
"""
# Areas whose subjects call a session's id ``session``.
BY_SESSION = ("proposal", "session")


@dataclass(frozen=True, slots=True)
class Exam:
    """What entries of the log name that are an exam's."""

    code: str
    room_ids: frozenset[int]
    session_ids: frozenset[int]

    def has(self, area: str, subject: Mapping[str, Any], rooms: Collection[int]) -> bool:
        """Whether an entry about these rooms is the exam's. One that names neither exam, room nor session is
        everybody's."""
        if subject.get("exam") is not None:
            return bool(subject["exam"] == self.code)
        if rooms:
            return not self.room_ids.isdisjoint(rooms)
        session = subject.get("session_id")
        if session is None and area in BY_SESSION:
            session = subject.get("session")
        return session is None or session in self.session_ids


async def exam(conn: AsyncConnection, exam_id: int) -> Exam:
    row = (
        await conn.execute(
            text(
                "SELECT e.code, ARRAY(SELECT r.id FROM room r WHERE r.exam_id = e.id) AS rooms,"
                " ARRAY(SELECT s.id FROM session s WHERE s.exam_id = e.id) AS sessions FROM exam e WHERE e.id = :e"
            ),
            {"e": exam_id},
        )
    ).one()
    return Exam(row.code, frozenset(row.rooms), frozenset(row.sessions))


async def entries(
    conn: AsyncConnection,
    areas: Collection[str],
    within: Exam,
    rooms: Collection[int] | None,
    *,
    before: int | None,
    after: int | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Entries of these areas in an exam's day, and about these rooms when they are given, newest first."""
    statement = f"{_ENTRIES}{_OF_EXAM}{'' if rooms is None else _ABOUT} ORDER BY e.n DESC LIMIT :limit"
    values: dict[str, Any] = {
        "areas": list(areas), "before": before, "after": after, "limit": limit, "code": within.code,
        "exam_rooms": [str(one) for one in within.room_ids], "sessions": [str(one) for one in within.session_ids],
        "by_session": list(BY_SESSION),
    }  # fmt: skip
    if rooms is not None:
        values["rooms"] = list(rooms)
    return [dict(row) for row in (await conn.execute(text(statement), values)).mappings()]


async def rooms(conn: AsyncConnection, exam_id: int) -> dict[int, str]:
    """The exam's rooms by id, in order."""
    found = await conn.execute(
        text("SELECT id, name FROM room WHERE exam_id = :e ORDER BY ordinal, id"), {"e": exam_id}
    )
    return {row.id: row.name for row in found}


async def sealed(conn: AsyncConnection, exam_id: int, but_of: int | None) -> list[int]:
    """Incidents that are sealed now, without those this member of staff opened."""
    found = await conn.scalars(
        text("SELECT id FROM incident WHERE exam_id = :e AND sealed AND staff_id IS DISTINCT FROM CAST(:s AS int8)"),
        {"e": exam_id, "s": but_of},
    )
    return list(found)
