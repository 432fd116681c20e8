"""What is read of a whole session at once, every second: as few columns as decide a state, and what was entered since.

On plain asyncpg connections: 1,880 rows a second are not worth an ORM's mappings. Nothing here touches responses.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

Row = Mapping[str, Any]

# What moves without anybody of the staff doing something. The rest of a room is read again when they have.
MOVING = (
    "attempt_id", "state", "signed_in_ms", "contact_ms", "end_ms", "left_ms", "postponed_ms", "end_reason", "ended_ms",
    "count", "checked_in_ms", "absent_ms", "leave_ms",
)  # fmt: skip

_SESSION = """
SELECT s.id, s.exam_id, s.number, s.name, s.planned_start, s.duration_ms, s.start_ms, s.held, s.sign_in_opens_ms,
    s.last_admission_ms, s.earliest_hand_in_ms, e.timezone, h.n AS head
FROM session s JOIN exam e ON e.id = s.exam_id CROSS JOIN audit_head h WHERE s.id = $1
"""

_MOVING = """
SELECT st.room_id, al.seat_id, al.checked_in_ms, al.absent_ms, a.id AS attempt_id, a.state, a.epoch, a.signed_in_ms,
    a.end_ms, a.left_ms, a.postponed_ms, a.end_reason, a.ended_ms, l.left_ms AS leave_ms, a.contact_ms, a.count
FROM allocation al
JOIN seat st ON st.id = al.seat_id
LEFT JOIN attempt a ON a.session_id = al.session_id AND a.candidate_id = al.candidate_id
LEFT JOIN leave l ON l.attempt_id = a.id AND l.returned_ms IS NULL
WHERE al.session_id = $1 AND ($2::int8[] IS NULL OR st.room_id = ANY($2::int8[]))
ORDER BY st.room_id, al.seat_id
"""

_PEOPLE = """
SELECT c.ticket, c.name, r.id AS room_id, r.name AS room, st.id AS seat_id, st.label AS seat, al.checked_in_ms,
    al.absent_ms, a.id AS attempt_id, a.state, a.signed_in_ms, a.contact_ms, a.end_ms, a.left_ms, a.postponed_ms,
    a.end_reason, l.left_ms AS leave_ms
FROM allocation al
JOIN candidate c ON c.id = al.candidate_id
JOIN seat st ON st.id = al.seat_id
JOIN room r ON r.id = st.room_id
LEFT JOIN attempt a ON a.session_id = al.session_id AND a.candidate_id = al.candidate_id
LEFT JOIN leave l ON l.attempt_id = a.id AND l.returned_ms IS NULL
WHERE al.session_id = $1 AND ($2::int8[] IS NULL OR st.room_id = ANY($2::int8[]))
ORDER BY r.ordinal, r.id, st.ordinal
"""

_ENTERED = """
SELECT e.n, e.at, e.service_ms, e.staff_id, e.actor, s.name, s.role, e.action, e.subject
FROM audit_entry e LEFT JOIN staff s ON s.id = e.staff_id
WHERE e.n > $1 ORDER BY e.n LIMIT $2
"""

# A room that was evacuated is still one of the session's; a room of spare seats only is there for those of others.
_ROOMS = """
WITH planned AS MATERIALIZED (
    SELECT q.room_id FROM allocation p JOIN seat q ON q.id = p.planned_seat_id WHERE p.session_id = $1
    UNION SELECT c.room_id FROM room_record c WHERE c.session_id = $1
)
SELECT r.id, r.name, r.number, r.ordinal, b.name AS building, b.id AS building_id,
    count(*) FILTER (WHERE st.is_spare) AS spares,
    count(*) FILTER (WHERE st.is_spare AND st.out_of_order IS NULL AND al.id IS NULL AND m.id IS NULL) AS spare_left,
    count(*) FILTER (WHERE st.out_of_order IS NOT NULL) AS broken,
    count(al.id) = 0 AND r.id NOT IN (SELECT p.room_id FROM planned p) AS reserve
FROM room r
JOIN building b ON b.id = r.building_id
JOIN seat st ON st.room_id = r.id
LEFT JOIN allocation al ON al.session_id = $1 AND al.seat_id = st.id
LEFT JOIN relog m ON m.session_id = $1 AND m.to_seat_id = st.id AND m.state = 'open'
WHERE r.exam_id = $2
GROUP BY r.id, b.id
HAVING count(al.id) > 0 OR r.id IN (SELECT p.room_id FROM planned p) OR bool_and(st.is_spare)
ORDER BY r.ordinal, r.id
"""

_RECORDS = """
SELECT r.room_id, r.signed_ms, g.name AS signed_by, r.released_ms, l.name AS released_by
FROM room_record r LEFT JOIN staff g ON g.id = r.signed_by LEFT JOIN staff l ON l.id = r.released_by
WHERE r.session_id = $1
"""

_WATCHED_BY = """
SELECT sr.room_id, array_agg(s.name ORDER BY s.id) AS names
FROM staff_room sr JOIN staff s ON s.id = sr.staff_id AND NOT s.disabled AND s.role = 'invigilator'
JOIN room r ON r.id = sr.room_id AND r.exam_id = $1 GROUP BY sr.room_id
"""

_PROPOSED = """
SELECT p.id, array_agg(DISTINCT st.room_id) AS rooms
FROM proposal p
JOIN proposal_attempt m ON m.proposal_id = p.id
JOIN attempt a ON a.id = m.attempt_id
JOIN allocation al ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id
JOIN seat st ON st.id = al.seat_id
WHERE p.session_id = $1 AND p.state = 'open' GROUP BY p.id
"""

_SEATED = """
SELECT c.ticket, c.name, ARRAY(
    SELECT st.room_id FROM allocation al JOIN seat st ON st.id IN (al.seat_id, al.planned_seat_id)
    WHERE al.candidate_id = c.id
    UNION SELECT f.room_id FROM allocation al
    JOIN attempt a ON a.session_id = al.session_id AND a.candidate_id = al.candidate_id
    JOIN relog m ON m.attempt_id = a.id JOIN seat f ON f.id = m.from_seat_id WHERE al.candidate_id = c.id) AS room_ids
FROM candidate c WHERE c.exam_id = $1 AND c.ticket = ANY($2::text[])
"""

_DISCREPANCIES = """
SELECT d.room_id, count(DISTINCT d.id) AS open FROM discrepancy d
JOIN discrepancy_field f ON f.discrepancy_id = d.id AND f.state = 'open'
WHERE d.session_id = $1 GROUP BY d.room_id
"""


@dataclass(frozen=True, slots=True)
class Seated:
    """``room_ids``: where somebody sits, was to sit and has sat, in all sessions of the exam."""

    name: str
    room_ids: frozenset[int]


async def driver(conn: AsyncConnection) -> asyncpg.Connection[Any]:
    """The connection below, for the statements of this module."""
    raw = (await conn.get_raw_connection()).driver_connection
    if raw is None:
        raise ConnectionError("the pool handed out a closed connection")
    return cast("asyncpg.Connection[Any]", raw)


async def seated(conn: asyncpg.Connection[Any], exam_id: int, tickets: Collection[str]) -> dict[str, Seated]:
    """Of the exam's candidates those with these tickets."""
    if not tickets:
        return {}
    found = await conn.fetch(_SEATED, exam_id, sorted(tickets))
    return {row["ticket"]: Seated(row["name"], frozenset(row["room_ids"])) for row in found}


async def session(conn: asyncpg.Connection[Any], session_id: int) -> dict[str, Any] | None:
    """As ``rooms.find_session``, with ``head``: the number of the newest audit entry."""
    row = await conn.fetchrow(_SESSION, session_id)
    return None if row is None else dict(row)


async def moving(conn: asyncpg.Connection[Any], session_id: int, room_ids: Collection[int] | None) -> list[Row]:
    """Everybody allocated in the session, in those rooms or in all: ``room_id, seat_id, epoch`` and ``MOVING``, last of
    all what every heartbeat and answer moves: ``contact_ms, count``."""
    return cast("list[Row]", await conn.fetch(_MOVING, session_id, None if room_ids is None else sorted(room_ids)))


async def people(conn: asyncpg.Connection[Any], session_id: int, room_ids: Collection[int] | None) -> list[Row]:
    """Everybody allocated, with what decides their state, ticket, name, room and seat, by room and seat."""
    return cast("list[Row]", await conn.fetch(_PEOPLE, session_id, None if room_ids is None else sorted(room_ids)))


async def entered(conn: asyncpg.Connection[Any], after: int, limit: int) -> list[Row]:
    """The audit entries numbered above ``after``, oldest first; ``subject`` is JSON text, or parsed by the pool."""
    return cast("list[Row]", await conn.fetch(_ENTERED, after, limit))


async def rooms(conn: asyncpg.Connection[Any], session_id: int, exam_id: int) -> list[Row]:
    """The rooms in which somebody is or was to sit, and (``reserve``) those that have spare seats only, in order, with
    their spare seats and how many of them are left."""
    return cast("list[Row]", await conn.fetch(_ROOMS, session_id, exam_id))


async def records(conn: asyncpg.Connection[Any], session_id: int) -> dict[int, Row]:
    return {row["room_id"]: row for row in await conn.fetch(_RECORDS, session_id)}


async def watched_by(conn: asyncpg.Connection[Any], exam_id: int) -> dict[int, list[str]]:
    """Room → the names of its invigilators."""
    return {row["room_id"]: list(row["names"]) for row in await conn.fetch(_WATCHED_BY, exam_id)}


async def proposed(conn: asyncpg.Connection[Any], session_id: int) -> dict[int, list[int]]:
    """Open proposal → the rooms in which those sit whom it is about."""
    return {row["id"]: list(row["rooms"]) for row in await conn.fetch(_PROPOSED, session_id)}


async def discrepancies(conn: asyncpg.Connection[Any], session_id: int) -> dict[int, int]:
    """Room → discrepancies with a field that waits for a decision."""
    return {row["room_id"]: int(row["open"]) for row in await conn.fetch(_DISCREPANCIES, session_id)}
