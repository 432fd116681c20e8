"""What an export reads: whom it is about, in the order of the list, and then a chunk of them at a time.

Every statement is bound to the keys of its chunk, so that its time and memory do not grow with the hall; the caller
keeps one REPEATABLE READ transaction over all of them, so that they tell of one instant.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

# "One export a person at a time" as a key of advisory locks.
_LOCK = 0x45585054
_LISTED = """
SELECT al.id AS allocation_id, a.id AS attempt_id, al.session_id, coalesce(p.item_count, 0) AS items,
    a.signed_in_ms IS NOT NULL AND s.start_ms + a.postponed_ms <= :now AS seen
FROM allocation al
JOIN session s ON s.id = al.session_id
JOIN seat ON seat.id = al.seat_id
JOIN room ON room.id = seat.room_id
LEFT JOIN attempt a ON a.session_id = al.session_id AND a.candidate_id = al.candidate_id
LEFT JOIN paper p ON p.attempt_id = a.id
WHERE al.session_id = ANY(CAST(:sessions AS bigint[]))
ORDER BY s.number, room.ordinal, room.id, seat.ordinal, al.id
"""
_ATTENDANCE = """
SELECT al.id AS allocation_id, s.name AS session, c.ticket, c.name, c.gender, c.id_kind, c.id_number, c.specialty,
    c.employer, b.name AS building, room.name AS room, seat.label AS seat, planned.label AS planned_seat,
    planned_room.name AS planned_room, al.planned_seat_id <> al.seat_id AS moved, al.checked_in_ms,
    seer.name AS checked_in_by, al.absent_ms, misser.name AS absent_by, a.id AS attempt_id, a.state, a.end_reason,
    a.signed_in_ms, a.ended_ms, coalesce(p.item_count, 0) AS items, late.made_ms AS late_ms, leave_of.name AS late_by,
    late.reason AS late_reason, gone.ms AS withdrew_ms, gone.by AS withdrew_by, gone.reason AS withdrew_reason,
    provisional.id IS NOT NULL AS provisional,
    (SELECT count(*) FROM relog r WHERE r.attempt_id = a.id AND r.state = 'used') AS relogs,
    (SELECT count(*) FROM leave l WHERE l.attempt_id = a.id) AS leaves,
    (SELECT count(*) FROM response r WHERE r.attempt_id = a.id AND r.value <> 'null'::jsonb) AS answered
FROM allocation al
JOIN session s ON s.id = al.session_id
JOIN candidate c ON c.id = al.candidate_id
JOIN seat ON seat.id = al.seat_id
JOIN room ON room.id = seat.room_id
JOIN building b ON b.id = room.building_id
JOIN seat planned ON planned.id = al.planned_seat_id
JOIN room planned_room ON planned_room.id = planned.room_id
LEFT JOIN attempt a ON a.session_id = al.session_id AND a.candidate_id = al.candidate_id
LEFT JOIN paper p ON p.attempt_id = a.id
LEFT JOIN staff seer ON seer.id = al.checked_in_by
LEFT JOIN staff misser ON misser.id = al.absent_by
LEFT JOIN admission late ON late.session_id = al.session_id AND late.candidate_id = al.candidate_id
    AND late.kind = 'late' AND late.withdrawn_ms IS NULL
LEFT JOIN staff leave_of ON leave_of.id = late.staff_id
LEFT JOIN admission provisional ON provisional.session_id = al.session_id
    AND provisional.candidate_id = al.candidate_id AND provisional.kind = 'provisional'
LEFT JOIN LATERAL (SELECT st.name AS by, al.withdrew_ms AS ms, al.withdrew_reason AS reason FROM staff st
    WHERE st.id = al.withdrew_by AND NOT EXISTS (SELECT 1 FROM adjustment_attempt m
        JOIN adjustment x ON x.id = m.adjustment_id
        WHERE m.attempt_id = a.id AND x.kind = 'reopen' AND x.made_ms >= al.withdrew_ms)) gone ON true
WHERE al.id = ANY(CAST(:ids AS bigint[]))
"""
_ANSWERS = """
SELECT pi.attempt_id, pi.position, i.number, v.version, v.type, pi.points_milli, CAST(r.value AS text), r.at_ms,
    r.stamp_ms, r.late, h.first_ms, h.revisions
FROM paper_item pi
JOIN item_version v ON v.id = pi.item_version_id
JOIN item i ON i.id = v.item_id
LEFT JOIN response r ON r.attempt_id = pi.attempt_id AND r.item_id = pi.item_version_id
LEFT JOIN (
    SELECT attempt_id, item_id, min(stamp_ms) AS first_ms, count(*) AS revisions FROM response_history
    WHERE session_id = ANY(CAST(:sessions AS bigint[])) AND attempt_id = ANY(CAST(:ids AS uuid[]))
    GROUP BY attempt_id, item_id
) h ON h.attempt_id = pi.attempt_id AND h.item_id = pi.item_version_id
WHERE pi.attempt_id = ANY(CAST(:ids AS uuid[]))
ORDER BY pi.attempt_id, pi.position
"""
_HEADS = """
SELECT a.id AS attempt_id, s.name AS session, c.ticket, c.name, room.name AS room, seat.label AS seat, a.state,
    a.end_reason, a.signed_in_ms, gone.ms AS withdrew_ms
FROM attempt a
JOIN session s ON s.id = a.session_id
JOIN candidate c ON c.id = a.candidate_id
JOIN allocation al ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id
JOIN seat ON seat.id = al.seat_id
JOIN room ON room.id = seat.room_id
LEFT JOIN LATERAL (SELECT st.name AS by, al.withdrew_ms AS ms, al.withdrew_reason AS reason FROM staff st
    WHERE st.id = al.withdrew_by AND NOT EXISTS (SELECT 1 FROM adjustment_attempt m
        JOIN adjustment x ON x.id = m.adjustment_id
        WHERE m.attempt_id = a.id AND x.kind = 'reopen' AND x.made_ms >= al.withdrew_ms)) gone ON true
WHERE a.id = ANY(CAST(:ids AS uuid[]))
"""


# position, item number, version, type, points (milli), value, at_ms, stamp_ms, late, first saved (ms), times saved; the
# last six None (but for the value, which may be null itself) where nothing was answered.
Answer = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Sitting:
    """A session that is exported."""

    id: int
    number: int
    name: str
    exam_id: int
    exam_code: str
    exam: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Listed:
    """One candidate in one session. ``seen``: they have signed in and their own start has come; before it nobody is to
    know what was drawn (I12). ``items`` is how many were."""

    allocation_id: int
    attempt_id: UUID | None
    session_id: int
    items: int
    seen: bool


async def take_turn(conn: AsyncConnection, staff_id: int) -> bool:
    """Whether this person has no other export under way; theirs until the transaction ends, however it ends."""
    found = await conn.scalar(
        text("SELECT pg_try_advisory_xact_lock(:lock, CAST(hashint8(:staff) AS int4))"),
        {"lock": _LOCK, "staff": staff_id},
    )
    return bool(found)


async def sessions(conn: AsyncConnection, *, exam_id: int | None, session_id: int | None) -> list[Sitting]:
    """The exam's sessions in their order, or the one; none when there is no such exam or session."""
    rows = await conn.execute(
        text(
            "SELECT s.id, s.number, s.name, s.exam_id, e.code AS exam_code, e.name AS exam, e.timezone FROM session s"
            " JOIN exam e ON e.id = s.exam_id WHERE s.id = coalesce(CAST(:session AS bigint), s.id)"
            " AND e.id = coalesce(CAST(:exam AS bigint), e.id) ORDER BY s.number"
        ),
        {"exam": exam_id, "session": session_id},
    )
    return [Sitting(**row) for row in rows.mappings()]


async def listed(conn: AsyncConnection, session_ids: Sequence[int], *, now_ms: int) -> list[Listed]:
    """Everybody allocated to the sessions, by session, room and seat."""
    rows = await conn.execute(text(_LISTED), {"sessions": list(session_ids), "now": now_ms})
    # Of a session that is not anchored nobody has begun.
    return [Listed(**{**row, "seen": bool(row["seen"])}) for row in rows.mappings()]


async def attendance(conn: AsyncConnection, allocation_ids: Sequence[int]) -> list[RowMapping]:
    """A row of each, in the order that was asked for."""
    rows = await conn.execute(text(_ATTENDANCE), {"ids": list(allocation_ids)})
    found = {row["allocation_id"]: row for row in rows.mappings()}
    return [found[one] for one in allocation_ids]


async def heads(conn: AsyncConnection, attempt_ids: Collection[UUID]) -> Mapping[UUID, RowMapping]:
    rows = await conn.execute(text(_HEADS), {"ids": list(attempt_ids)})
    return {row["attempt_id"]: row for row in rows.mappings()}


async def answers(
    conn: AsyncConnection, attempt_ids: Collection[UUID], session_ids: Collection[int]
) -> Mapping[UUID, list[Answer]]:
    """Every drawn item with the answer to it, if there is one, by attempt and in the paper's order."""
    rows = await conn.execute(text(_ANSWERS), {"ids": list(attempt_ids), "sessions": list(session_ids)})
    found: dict[UUID, list[Answer]] = {one: [] for one in attempt_ids}
    for attempt_id, position, number, version, kind, points, value, *rest in rows:
        found[attempt_id].append((position, number, version, kind, points, _value(value), *rest))
    return found


@lru_cache(maxsize=4096)
def _value(told: str | None) -> Any:
    """What was answered. Of a choice there are few different ones in a session, and nobody changes what is given."""
    return None if told is None else json.loads(told)
