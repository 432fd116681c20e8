"""What a day left on record, by room: what the room's record and the day's report are made of.

Every query takes sessions and rooms; ``rooms`` None means all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

_ROOMS = """
SELECT s.id AS session_id, s.name AS session, room.id AS room_id, room.name AS room, b.name AS building,
    count(*) FILTER (WHERE NOT deferred) AS expected,
    count(*) FILTER (WHERE NOT deferred AND here) AS present,
    count(*) FILTER (WHERE NOT deferred AND NOT here AND al.absent_ms IS NOT NULL) AS absent,
    count(*) FILTER (WHERE deferred) AS deferred,
    count(*) FILTER (WHERE late.id IS NOT NULL) AS late,
    count(*) FILTER (WHERE a.signed_in_ms IS NOT NULL AND a.end_reason = 'hand_in') AS handed_in,
    count(*) FILTER (WHERE a.signed_in_ms IS NOT NULL AND a.end_reason = 'time_out') AS timed_out,
    count(*) FILTER (WHERE a.signed_in_ms IS NOT NULL AND a.end_reason = 'forced' AND withdrew) AS withdrew,
    count(*) FILTER (WHERE a.signed_in_ms IS NOT NULL AND a.end_reason = 'forced' AND NOT withdrew) AS forced,
    count(*) FILTER (WHERE a.signed_in_ms IS NOT NULL AND a.state <> 'final') AS open,
    rr.signed_ms, signer.name AS signed_by, rr.signed_expected, rr.signed_present, rr.signed_absent, rr.released_ms,
    releaser.name AS released_by
FROM allocation al
JOIN session s ON s.id = al.session_id
JOIN seat ON seat.id = al.seat_id
JOIN room ON room.id = seat.room_id
JOIN building b ON b.id = room.building_id
LEFT JOIN attempt a ON a.session_id = al.session_id AND a.candidate_id = al.candidate_id
CROSS JOIN LATERAL (SELECT coalesce(a.end_reason = 'deferred', false) AS deferred,
    al.checked_in_ms IS NOT NULL OR a.signed_in_ms IS NOT NULL AS here,
    al.withdrew_ms IS NOT NULL AND NOT EXISTS (SELECT 1 FROM adjustment_attempt m
        JOIN adjustment x ON x.id = m.adjustment_id
        WHERE m.attempt_id = a.id AND x.kind = 'reopen' AND x.made_ms >= al.withdrew_ms) AS withdrew) is_so
LEFT JOIN admission late ON late.session_id = s.id AND late.candidate_id = al.candidate_id AND late.kind = 'late'
    AND late.withdrawn_ms IS NULL
LEFT JOIN room_record rr ON rr.session_id = s.id AND rr.room_id = room.id
LEFT JOIN staff signer ON signer.id = rr.signed_by
LEFT JOIN staff releaser ON releaser.id = rr.released_by
WHERE s.id = ANY(CAST(:sessions AS bigint[])) AND room.id = ANY(coalesce(CAST(:rooms AS bigint[]), ARRAY[room.id]))
GROUP BY s.id, room.id, b.id, rr.session_id, rr.room_id, signer.name, releaser.name
ORDER BY s.number, room.ordinal, room.id
"""
_RELOGS = """
SELECT r.state, r.reason, r.opened_ms, r.closed_ms, st.name AS by, c.ticket, c.name, fs.label AS from_seat,
    fr.name AS from_room, ts.label AS to_seat, tr.name AS to_room
FROM relog r
JOIN attempt a ON a.id = r.attempt_id
JOIN candidate c ON c.id = a.candidate_id
JOIN staff st ON st.id = r.staff_id
JOIN seat fs ON fs.id = r.from_seat_id JOIN room fr ON fr.id = fs.room_id
JOIN seat ts ON ts.id = r.to_seat_id JOIN room tr ON tr.id = ts.room_id
WHERE r.session_id = ANY(CAST(:sessions AS bigint[]))
    AND (fr.id = ANY(coalesce(CAST(:rooms AS bigint[]), ARRAY[fr.id]))
        OR tr.id = ANY(coalesce(CAST(:rooms AS bigint[]), ARRAY[tr.id])))
ORDER BY r.opened_ms, r.id
"""
# An entry of the service for one candidate is told by its kind alone: after an outage there is one for everybody.
_TIMES = """
SELECT x.id, x.kind, x.reason, x.amount_ms, x.from_ms, x.to_ms, x.scope, x.scope_names, x.note, x.incident, x.made_ms,
    x.refers_id, x.supersedes_id, x.staff_id, st.name AS by, count(*) AS people,
    array_agg(c.ticket ORDER BY c.ticket) FILTER (WHERE x.scope IN ('list', 'candidate')) AS tickets
FROM adjustment x
JOIN adjustment_attempt m ON m.adjustment_id = x.id
JOIN attempt a ON a.id = m.attempt_id
JOIN candidate c ON c.id = a.candidate_id
JOIN allocation al ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id
JOIN seat ON seat.id = al.seat_id
LEFT JOIN staff st ON st.id = x.staff_id
WHERE x.session_id = ANY(CAST(:sessions AS bigint[])) AND x.attempt_id IS NULL
    AND seat.room_id = ANY(coalesce(CAST(:rooms AS bigint[]), ARRAY[seat.room_id]))
GROUP BY x.id, st.name ORDER BY x.id
"""
_BY_ITSELF = """
SELECT x.kind, x.reason, count(*) AS entries, count(DISTINCT x.attempt_id) AS people,
    coalesce(sum(x.to_ms - x.from_ms), 0)::int8 AS ms
FROM adjustment x
JOIN attempt a ON a.id = x.attempt_id
JOIN allocation al ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id
JOIN seat ON seat.id = al.seat_id
WHERE x.session_id = ANY(CAST(:sessions AS bigint[]))
    AND seat.room_id = ANY(coalesce(CAST(:rooms AS bigint[]), ARRAY[seat.room_id]))
GROUP BY x.kind, x.reason ORDER BY x.kind, x.reason
"""
_LEAVES = """
SELECT c.ticket, c.name, room.name AS room, seat.label AS seat, l.kind, l.note, l.left_ms, l.returned_ms,
    l.returned_by IS NOT NULL AS came_back, st.name AS left_by
FROM leave l
JOIN attempt a ON a.id = l.attempt_id
JOIN candidate c ON c.id = a.candidate_id
JOIN allocation al ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id
JOIN seat ON seat.id = al.seat_id
JOIN room ON room.id = seat.room_id
JOIN staff st ON st.id = l.left_by
WHERE a.session_id = ANY(CAST(:sessions AS bigint[]))
    AND room.id = ANY(coalesce(CAST(:rooms AS bigint[]), ARRAY[room.id]))
ORDER BY l.left_ms, l.id
"""
_ADMISSIONS = """
SELECT c.ticket, c.name, room.name AS room, seat.label AS seat, ad.reason, ad.made_ms, st.name AS by
FROM admission ad
JOIN candidate c ON c.id = ad.candidate_id
JOIN allocation al ON al.session_id = ad.session_id AND al.candidate_id = ad.candidate_id
JOIN seat ON seat.id = al.seat_id
JOIN room ON room.id = seat.room_id
JOIN staff st ON st.id = ad.staff_id
WHERE ad.session_id = ANY(CAST(:sessions AS bigint[])) AND ad.kind = 'late' AND ad.withdrawn_ms IS NULL
    AND room.id = ANY(coalesce(CAST(:rooms AS bigint[]), ARRAY[room.id]))
ORDER BY ad.made_ms, ad.id
"""
# Who was let in again since has not left for good.
_WITHDRAWN = """
SELECT c.ticket, c.name, seat.label AS seat, al.withdrew_ms, al.withdrew_reason, st.name AS by
FROM allocation al
JOIN attempt a ON a.session_id = al.session_id AND a.candidate_id = al.candidate_id
JOIN candidate c ON c.id = al.candidate_id
JOIN seat ON seat.id = al.seat_id
JOIN staff st ON st.id = al.withdrew_by
WHERE al.session_id = ANY(CAST(:sessions AS bigint[]))
    AND seat.room_id = ANY(coalesce(CAST(:rooms AS bigint[]), ARRAY[seat.room_id]))
    AND NOT EXISTS (SELECT 1 FROM adjustment_attempt m JOIN adjustment x ON x.id = m.adjustment_id
        WHERE m.attempt_id = a.id AND x.kind = 'reopen' AND x.made_ms >= al.withdrew_ms)
ORDER BY al.withdrew_ms, al.id
"""
_MOVED = """
SELECT c.ticket, c.name, planned_room.name AS from_room, planned.label AS from_seat, room.name AS to_room,
    seat.label AS to_seat
FROM allocation al
JOIN candidate c ON c.id = al.candidate_id
JOIN seat ON seat.id = al.seat_id
JOIN room ON room.id = seat.room_id
JOIN seat planned ON planned.id = al.planned_seat_id
JOIN room planned_room ON planned_room.id = planned.room_id
WHERE al.session_id = ANY(CAST(:sessions AS bigint[])) AND al.seat_id <> al.planned_seat_id
    AND (room.id = ANY(coalesce(CAST(:rooms AS bigint[]), ARRAY[room.id]))
        OR planned_room.id = ANY(coalesce(CAST(:rooms AS bigint[]), ARRAY[planned_room.id])))
ORDER BY planned_room.ordinal, planned.ordinal
"""
_MISCONDUCT = """
SELECT m.room_id, count(DISTINCT m.candidate_id) AS people FROM misconduct m
WHERE m.session_id = ANY(CAST(:sessions AS bigint[]))
    AND m.room_id = ANY(coalesce(CAST(:rooms AS bigint[]), ARRAY[m.room_id]))
    AND (CAST(:staff AS bigint) IS NULL OR m.staff_id = :staff)
GROUP BY m.room_id
"""
_DECISIONS = """
SELECT d.id, d.kind, d.number, d.text, d.state, p.name AS proposed_by, q.name AS approved_by, d.proposed_ms,
    d.approved_ms, count(m.attempt_id) AS people
FROM decision d
JOIN staff p ON p.id = d.proposed_by
LEFT JOIN staff q ON q.id = d.approved_by
LEFT JOIN decision_attempt m ON m.decision_id = d.id
LEFT JOIN attempt a ON a.id = m.attempt_id
LEFT JOIN allocation al ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id
LEFT JOIN seat ON seat.id = al.seat_id
WHERE d.session_id = ANY(CAST(:sessions AS bigint[]))
    AND (CAST(:rooms AS bigint[]) IS NULL OR seat.room_id = ANY(CAST(:rooms AS bigint[])))
GROUP BY d.id, p.name, q.name ORDER BY d.id
"""
_UNDONE = """
WITH mine AS (
    SELECT a.id, a.state, a.signed_in_ms FROM attempt a
    JOIN allocation al ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id
    JOIN seat ON seat.id = al.seat_id
    WHERE a.session_id = ANY(CAST(:sessions AS bigint[]))
    AND seat.room_id = ANY(coalesce(CAST(:rooms AS bigint[]), ARRAY[seat.room_id]))
)
SELECT (SELECT count(*) FROM mine WHERE signed_in_ms IS NOT NULL AND state <> 'final') AS attempts,
    (SELECT count(*) FROM stranded x JOIN mine ON mine.id = x.attempt_id WHERE x.state = 'kept') AS stranded,
    (SELECT count(*) FROM notice_attempt n JOIN mine ON mine.id = n.attempt_id
        WHERE n.shown_ms IS NULL AND mine.signed_in_ms IS NOT NULL) AS notices,
    (SELECT count(*) FROM relog r JOIN mine ON mine.id = r.attempt_id WHERE r.state = 'open') AS relogs,
    (SELECT count(*) FROM leave l JOIN mine ON mine.id = l.attempt_id WHERE l.returned_ms IS NULL) AS leaves,
    (SELECT count(DISTINCT p.id) FROM proposal p JOIN proposal_attempt o ON o.proposal_id = p.id
        JOIN mine ON mine.id = o.attempt_id WHERE p.state = 'open') AS proposals
"""


async def rooms(conn: AsyncConnection, sessions: Sequence[int], only: Collection[int] | None) -> Sequence[RowMapping]:
    """Head-counts of every room with somebody in it, by session, and who signed which ones and released it."""
    return await _rows(conn, _ROOMS, sessions, only)


async def relogs(conn: AsyncConnection, sessions: Sequence[int], only: Collection[int] | None) -> Sequence[RowMapping]:
    """Moves out of the rooms or into them, in the order they were opened."""
    return await _rows(conn, _RELOGS, sessions, only)


async def times(conn: AsyncConnection, sessions: Sequence[int], only: Collection[int] | None) -> Sequence[RowMapping]:
    """Entries on time that people made, or that hold somebody, with for how many in these rooms; of a list of
    candidates ``tickets`` are those in these rooms, where ``scope_names`` has everybody's."""
    return await _rows(conn, _TIMES, sessions, only)


async def by_itself(
    conn: AsyncConnection, sessions: Sequence[int], only: Collection[int] | None
) -> Sequence[RowMapping]:
    """What the service credited single candidates, by kind and reason: ``entries, people, ms``."""
    return await _rows(conn, _BY_ITSELF, sessions, only)


async def leaves(conn: AsyncConnection, sessions: Sequence[int], only: Collection[int] | None) -> Sequence[RowMapping]:
    return await _rows(conn, _LEAVES, sessions, only)


async def admissions(
    conn: AsyncConnection, sessions: Sequence[int], only: Collection[int] | None
) -> Sequence[RowMapping]:
    """Late ones, with who admitted them and why."""
    return await _rows(conn, _ADMISSIONS, sessions, only)


async def withdrawn(
    conn: AsyncConnection, sessions: Sequence[int], only: Collection[int] | None
) -> Sequence[RowMapping]:
    """Who left for good, with the reason they gave and who wrote it down."""
    return await _rows(conn, _WITHDRAWN, sessions, only)


async def moved(conn: AsyncConnection, sessions: Sequence[int], only: Collection[int] | None) -> Sequence[RowMapping]:
    """Who sits elsewhere than the roster put them."""
    return await _rows(conn, _MOVED, sessions, only)


async def misconduct(
    conn: AsyncConnection, sessions: Sequence[int], only: Collection[int] | None, *, staff_id: int | None
) -> dict[int, int]:
    """Candidates by room; with ``staff_id`` those that this person wrote down."""
    return {row["room_id"]: row["people"] for row in await _rows(conn, _MISCONDUCT, sessions, only, staff=staff_id)}


async def decisions(
    conn: AsyncConnection, sessions: Sequence[int], only: Collection[int] | None
) -> Sequence[RowMapping]:
    """The office's decisions; of some rooms those that are about somebody in them."""
    return await _rows(conn, _DECISIONS, sessions, only)


async def undone(conn: AsyncConnection, sessions: Sequence[int], only: Collection[int] | None) -> dict[str, int]:
    """What has not reached its end: ``attempts, stranded, notices, relogs, leaves, proposals``."""
    return dict((await _rows(conn, _UNDONE, sessions, only))[0])


async def _rows(
    conn: AsyncConnection, sql: str, sessions: Sequence[int], only: Collection[int] | None, **more: Any
) -> Sequence[RowMapping]:
    values = {"sessions": list(sessions), "rooms": None if only is None else sorted(only), **more}
    return (await conn.execute(text(sql), values)).mappings().all()
