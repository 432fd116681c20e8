"""A room that has run out of spare seats asks another one, for one candidate.

Lock order: the attempt's row, the room that is asked, the request, the seat, the audit head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class SpareRequest:
    id: int
    attempt_id: UUID
    session_id: int
    state: str
    reason: str
    ticket: str
    name: str
    seat: str
    from_room_id: int
    from_room: str
    to_room_id: int
    to_room: str
    by: str
    made_ms: int
    answered_by: str | None
    answered_ms: int | None

    def told(self) -> dict[str, Any]:
        """What both rooms see of it."""
        answered = None
        if self.answered_ms is not None:
            answered = {"by": self.answered_by, "ms": self.answered_ms}
        return {
            "id": self.id, "attempt_id": str(self.attempt_id), "state": self.state, "reason": self.reason,
            "ticket": self.ticket, "name": self.name, "from_room": self.from_room, "from_room_id": self.from_room_id,
            "from_seat": self.seat, "to_room": self.to_room, "to_room_id": self.to_room_id,
            "asked": {"by": self.by, "ms": self.made_ms}, "answered": answered,
        }  # fmt: skip


_REQUEST = """
SELECT q.id, q.attempt_id, q.session_id, q.state, q.reason, c.ticket, c.name, st.label AS seat, q.from_room_id,
    fr.name AS from_room, q.to_room_id, tr.name AS to_room, asker.name AS by, q.made_ms,
    answerer.name AS answered_by, q.answered_ms
FROM spare_request q
JOIN attempt a ON a.id = q.attempt_id
JOIN candidate c ON c.id = a.candidate_id
JOIN allocation al ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id
JOIN seat st ON st.id = al.seat_id
JOIN room fr ON fr.id = q.from_room_id
JOIN room tr ON tr.id = q.to_room_id
JOIN staff asker ON asker.id = q.staff_id
LEFT JOIN staff answerer ON answerer.id = q.answered_by
"""

# What a page shows: what is asked of the room, and of what the room asked the newest word for whoever still needs it.
_OF_ROOM = """
WHERE q.session_id = :session AND a.state = 'open' AND (
    (q.to_room_id = :room AND q.state = 'asked')
    OR (q.from_room_id = :room AND q.state IN ('asked', 'declined')
        AND NOT EXISTS (SELECT 1 FROM spare_request n WHERE n.attempt_id = q.attempt_id AND n.id > q.id
            AND n.state <> 'declined')
        AND NOT EXISTS (SELECT 1 FROM relog m WHERE m.attempt_id = q.attempt_id
            AND (m.state = 'open' OR (m.state = 'used' AND m.opened_ms >= q.made_ms)))))
ORDER BY q.id
"""

# Rooms with a spare seat that works, is nobody's in the session, and is not spoken for by who asked before: the same
# building before another, then by distance in the order of the rooms. Who has ended needs no seat, asked for or not,
# and in a room that was released nobody is left to answer.
_NEAREST = """
WITH free AS (
    SELECT s.room_id, s.id, s.label, s.ordinal FROM seat s JOIN room r ON r.id = s.room_id
    WHERE r.exam_id = (SELECT exam_id FROM room WHERE id = :room) AND s.is_spare AND s.out_of_order IS NULL
        AND NOT EXISTS (SELECT 1 FROM allocation al WHERE al.seat_id = s.id AND al.session_id = :session)
        AND NOT EXISTS (SELECT 1 FROM relog m WHERE m.session_id = :session AND m.to_seat_id = s.id
            AND m.state = 'open')
        AND NOT EXISTS (SELECT 1 FROM room_record rr WHERE rr.session_id = :session AND rr.room_id = s.room_id
            AND rr.released_ms IS NOT NULL)
), asked AS (
    SELECT q.to_room_id AS room_id, count(*) AS n FROM spare_request q JOIN attempt a ON a.id = q.attempt_id
    WHERE q.session_id = :session AND q.state = 'asked' AND a.state = 'open' GROUP BY q.to_room_id
), rooms AS (
    SELECT DISTINCT ON (f.room_id) f.room_id, f.id AS seat_id, f.label,
        count(*) OVER (PARTITION BY f.room_id) - coalesce(k.n, 0) AS left
    FROM free f LEFT JOIN asked k ON k.room_id = f.room_id ORDER BY f.room_id, f.ordinal
)
SELECT x.seat_id, x.label, r.id AS room_id, r.name AS room, x.left
FROM rooms x JOIN room r ON r.id = x.room_id JOIN room own ON own.id = :room
WHERE r.id <> own.id AND x.left > 0
ORDER BY (r.building_id <> own.building_id), abs(r.ordinal - own.ordinal), r.ordinal
LIMIT :most
"""


async def nearest(conn: AsyncConnection, room_id: int, session_id: int, most: int = 5) -> list[dict[str, Any]]:
    """The rooms to ask, nearest first: ``{seat_id, label, room_id, room, left}``."""
    found = await conn.execute(text(_NEAREST), {"room": room_id, "session": session_id, "most": most})
    return [dict(row) for row in found.mappings()]


async def declined_by(conn: AsyncConnection, attempt: UUID) -> frozenset[int]:
    """The rooms that have said no for this candidate."""
    found = await conn.execute(
        text("SELECT to_room_id FROM spare_request WHERE attempt_id = :a AND state = 'declined'"), {"a": attempt}
    )
    return frozenset(found.scalars())


async def lock_room(conn: AsyncConnection, room_id: int) -> None:
    """Of two who ask for a room's last spare seat the second sees the first."""
    await conn.execute(text("SELECT 1 FROM room WHERE id = :room FOR NO KEY UPDATE"), {"room": room_id})


async def insert(
    conn: AsyncConnection, attempt: UUID, session_id: int, from_room_id: int, to_room_id: int, *, reason: str,
    told_by: str, staff_id: int, now_ms: int,
) -> int:  # fmt: skip
    entered = await conn.execute(
        text(
            "INSERT INTO spare_request (attempt_id, session_id, from_room_id, to_room_id, reason, told_by, staff_id,"
            " made_ms) VALUES (:attempt, :session, :from_room, :to_room, :reason, :told_by, :staff, :now) RETURNING id"
        ),
        {
            "attempt": attempt, "session": session_id, "from_room": from_room_id, "to_room": to_room_id,
            "reason": reason, "told_by": told_by, "staff": staff_id, "now": now_ms,
        },
    )  # fmt: skip
    return int(entered.scalar_one())


async def find(conn: AsyncConnection, request_id: int, *, lock: bool = False) -> SpareRequest | None:
    """With ``lock`` its row is locked first, and read afterwards."""
    if lock:
        await conn.execute(
            text("SELECT 1 FROM spare_request WHERE id = :id FOR NO KEY UPDATE"), {"id": request_id}
        )  # fmt: skip
    row = (await conn.execute(text(f"{_REQUEST} WHERE q.id = :id"), {"id": request_id})).mappings().one_or_none()
    return SpareRequest(**row) if row is not None else None


async def asked_for(conn: AsyncConnection, attempt: UUID) -> SpareRequest | None:
    """The candidate's request that nobody has answered yet."""
    found = await conn.execute(text(f"{_REQUEST} WHERE q.attempt_id = :a AND q.state = 'asked'"), {"a": attempt})
    row = found.mappings().one_or_none()
    return SpareRequest(**row) if row is not None else None


async def asked_of(conn: AsyncConnection, session_id: int, room_id: int) -> Sequence[SpareRequest]:
    """What waits for the room's answer, oldest first."""
    found = await conn.execute(
        text(
            f"{_REQUEST} WHERE q.session_id = :session AND q.to_room_id = :room AND q.state = 'asked'"
            " AND a.state = 'open' ORDER BY q.id"
        ),
        {"session": session_id, "room": room_id},
    )
    return [SpareRequest(**row) for row in found.mappings()]


async def of_room(conn: AsyncConnection, session_id: int, room_id: int) -> Sequence[SpareRequest]:
    """What a room's page shows: asked of it, and asked by it."""
    found = await conn.execute(text(_REQUEST + _OF_ROOM), {"session": session_id, "room": room_id})
    return [SpareRequest(**row) for row in found.mappings()]


async def answer(
    conn: AsyncConnection, request_id: int, state: str, *, staff_id: int, now_ms: int, relog_id: int | None = None
) -> None:
    """Row locked by the caller."""
    await conn.execute(
        text(
            "UPDATE spare_request SET state = :state, answered_by = :staff, answered_ms = :now, relog_id = :relog"
            " WHERE id = :id"
        ),
        {"state": state, "staff": staff_id, "now": now_ms, "relog": relog_id, "id": request_id},
    )
