"""Who came: a candidate's place in a session with what is known of their presence.

Lock order, as everywhere: attempts by id, allocations by id, the room's record, the audit head.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.attendance import Door, Standing, door, standing


@dataclass(frozen=True, slots=True)
class Placed:
    """One candidate in one session; ``start_ms`` is their own start."""

    allocation_id: int
    session_id: int
    candidate_id: int
    attempt_id: UUID | None
    ticket: str
    name: str
    gender: str
    seat_id: int
    seat: str
    seat_ordinal: int
    room_id: int
    room: str
    exam_id: int
    timezone: str
    session: str
    state: str | None
    end_reason: str | None
    signed_in_ms: int | None
    end_ms: int | None
    start_ms: int | None
    sign_in_opens_ms: int
    last_admission_ms: int
    earliest_hand_in_ms: int
    checked_in_ms: int | None
    checked_in_by: str | None
    absent_ms: int | None
    absent_by: str | None
    admitted: bool

    @property
    def standing(self) -> Standing:
        return standing(
            checked_in=self.checked_in_ms is not None,
            signed_in=self.signed_in_ms is not None,
            absent=self.absent_ms is not None,
            end_reason=self.end_reason,
        )

    @property
    def door(self) -> Door:
        return door(
            self.start_ms,
            opens_ms=self.sign_in_opens_ms,
            last_admission_ms=self.last_admission_ms,
            hand_in_ms=self.earliest_hand_in_ms,
        )

    def subject(self) -> dict[str, object]:
        """What an audit entry about this candidate is found by."""
        return {
            "session_id": self.session_id,
            "ticket": self.ticket,
            "attempt": str(self.attempt_id) if self.attempt_id is not None else None,
            "room": self.room,
            "room_id": self.room_id,
            "seat": self.seat,
        }


_PLACED = """
SELECT al.id AS allocation_id, al.session_id, al.candidate_id, a.id AS attempt_id, c.ticket, c.name, c.gender,
    seat.id AS seat_id, seat.label AS seat, seat.ordinal AS seat_ordinal, room.id AS room_id, room.name AS room,
    room.exam_id, e.timezone, s.name AS session, a.state, a.end_reason, a.signed_in_ms,
    a.end_ms,
    s.start_ms + coalesce(a.postponed_ms, 0) AS start_ms, s.sign_in_opens_ms, s.last_admission_ms,
    s.earliest_hand_in_ms, al.checked_in_ms, seer.name AS checked_in_by, al.absent_ms, misser.name AS absent_by,
    EXISTS (SELECT 1 FROM admission ad WHERE ad.session_id = al.session_id AND ad.candidate_id = al.candidate_id
        AND ad.kind = 'late' AND ad.withdrawn_ms IS NULL) AS admitted
FROM allocation al
JOIN candidate c ON c.id = al.candidate_id
JOIN session s ON s.id = al.session_id
JOIN seat ON seat.id = al.seat_id
JOIN room ON room.id = seat.room_id
JOIN exam e ON e.id = room.exam_id
LEFT JOIN attempt a ON a.session_id = al.session_id AND a.candidate_id = al.candidate_id
LEFT JOIN staff seer ON seer.id = al.checked_in_by
LEFT JOIN staff misser ON misser.id = al.absent_by
"""


async def _placed(conn: AsyncConnection, where: str, **values: object) -> list[Placed]:
    rows = await conn.execute(text(f"{_PLACED} WHERE {where} ORDER BY seat.ordinal, al.id"), values)
    return [Placed(**row) for row in rows.mappings()]


async def lock(conn: AsyncConnection, session_id: int, tickets: Collection[str]) -> list[Placed]:
    """The candidates with these tickets in the session, their attempts and then their allocations locked.

    Locked first and read afterwards: after a wait PostgreSQL reads only the locked row again, and the seat a swap has
    just given away would still be shown.
    """
    found = await conn.execute(
        text(
            "SELECT al.id, a.id AS attempt FROM allocation al JOIN candidate c ON c.id = al.candidate_id"
            " LEFT JOIN attempt a ON a.session_id = al.session_id AND a.candidate_id = al.candidate_id"
            " WHERE al.session_id = :session AND c.ticket = ANY(CAST(:tickets AS text[]))"
        ),
        {"session": session_id, "tickets": list(tickets)},
    )
    rows = found.all()
    ids = [row.id for row in rows]
    await _lock(conn, ids, [row.attempt for row in rows if row.attempt is not None])
    return await _placed(conn, "al.id = ANY(CAST(:ids AS bigint[]))", ids=ids)


async def lock_attempt(conn: AsyncConnection, attempt: UUID) -> Placed | None:
    """Whose attempt it is and where they sit, locked as by ``lock``."""
    found = await conn.execute(
        text(
            "SELECT al.id FROM attempt a JOIN allocation al ON al.session_id = a.session_id"
            " AND al.candidate_id = a.candidate_id WHERE a.id = :attempt"
        ),
        {"attempt": attempt},
    )
    allocation = found.scalar_one_or_none()
    if allocation is None:
        return None
    await _lock(conn, [allocation], [attempt])
    (place,) = await _placed(conn, "al.id = :id", id=allocation)
    return place


async def lock_room(conn: AsyncConnection, session_id: int, room_id: int) -> list[Placed]:
    """Everybody who sits in the room in the session, in seat order, locked as by ``lock``.

    Whoever was moved into the room while this waited is told too, unlocked: they have just signed in there.
    """
    found = await of_room(conn, session_id, room_id)
    await _lock(
        conn, [one.allocation_id for one in found], [one.attempt_id for one in found if one.attempt_id is not None]
    )
    return await of_room(conn, session_id, room_id)


async def _lock(conn: AsyncConnection, allocations: Sequence[int], attempts: Sequence[UUID]) -> None:
    if attempts:
        await conn.execute(
            text("SELECT 1 FROM attempt WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE"),
            {"ids": list(attempts)},
        )
    await conn.execute(
        text("SELECT 1 FROM allocation WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY id FOR NO KEY UPDATE"),
        {"ids": list(allocations)},
    )


async def of_room(conn: AsyncConnection, session_id: int, room_id: int) -> list[Placed]:
    """Everybody who sits in the room in the session, in seat order."""
    return await _placed(conn, "al.session_id = :session AND seat.room_id = :room", session=session_id, room=room_id)


async def elsewhere(conn: AsyncConnection, session_id: int, ticket: str) -> str | None:
    """Which other sessions the exam's candidate with this ticket sits, by name; None: there is no such candidate."""
    row = await conn.execute(
        text(
            "SELECT string_agg(other.name, '、' ORDER BY other.planned_start) AS names, count(c.id) AS n FROM session s"
            " JOIN candidate c ON c.exam_id = s.exam_id AND c.ticket = :ticket"
            " LEFT JOIN allocation al ON al.candidate_id = c.id LEFT JOIN session other ON other.id = al.session_id"
            " WHERE s.id = :session"
        ),
        {"session": session_id, "ticket": ticket},
    )
    found = row.one()
    return (found.names or "") if found.n else None


async def check_in(conn: AsyncConnection, allocation_id: int, *, staff_id: int, now_ms: int) -> None:
    """Seen at the door: whoever was held for absent is not (``domain.attendance``). That it was confirmed stays
    written, for when the wrong one was checked in. Row locked by the caller."""
    await conn.execute(
        text("UPDATE allocation SET checked_in_ms = :now, checked_in_by = :staff WHERE id = :id"),
        {"id": allocation_id, "staff": staff_id, "now": now_ms},
    )


async def undo_check_in(conn: AsyncConnection, allocation_id: int) -> None:
    """Whoever was confirmed as absent before is absent again. Row locked by the caller."""
    await conn.execute(
        text("UPDATE allocation SET checked_in_ms = NULL, checked_in_by = NULL WHERE id = :id"), {"id": allocation_id}
    )


async def confirm_absent(conn: AsyncConnection, allocation_ids: Sequence[int], *, staff_id: int, now_ms: int) -> None:
    await conn.execute(
        text("UPDATE allocation SET absent_ms = :now, absent_by = :staff WHERE id = ANY(CAST(:ids AS bigint[]))"),
        {"ids": list(allocation_ids), "staff": staff_id, "now": now_ms},
    )


async def withdrawn(conn: AsyncConnection, allocation_id: int) -> dict[str, Any] | None:
    """``{by, ms, reason}`` of a candidate who has left for good, and was not let in again since."""
    found = await conn.execute(
        text(
            "SELECT st.name AS by, al.withdrew_ms AS ms, al.withdrew_reason AS reason FROM allocation al"
            " JOIN staff st ON st.id = al.withdrew_by WHERE al.id = :id AND NOT EXISTS (SELECT 1 FROM attempt a"
            " JOIN adjustment_attempt m ON m.attempt_id = a.id JOIN adjustment x ON x.id = m.adjustment_id"
            " WHERE a.session_id = al.session_id AND a.candidate_id = al.candidate_id AND x.kind = 'reopen'"
            " AND x.made_ms >= al.withdrew_ms)"
        ),
        {"id": allocation_id},
    )
    row = found.mappings().one_or_none()
    return dict(row) if row is not None else None


async def withdraw(conn: AsyncConnection, allocation_id: int, *, reason: str, staff_id: int, now_ms: int) -> None:
    """They leave for good. Row locked by the caller."""
    await conn.execute(
        text(
            "UPDATE allocation SET withdrew_ms = :now, withdrew_by = :staff, withdrew_reason = :reason WHERE id = :id"
        ),
        {"id": allocation_id, "reason": reason, "staff": staff_id, "now": now_ms},
    )


async def swap(conn: AsyncConnection, one: Placed, other: Placed) -> None:
    """Each gets the other's seat; who has signed in already sits at the PC they are at, under its right name.

    One statement, judged at its end: the constraint that a seat holds one candidate is deferrable for this.
    """
    values = {
        "a": one.allocation_id,
        "b": other.allocation_id,
        "to_a": other.seat_id,
        "to_b": one.seat_id,
    }
    await conn.execute(
        text(
            "UPDATE allocation SET seat_id = CASE id WHEN :a THEN CAST(:to_a AS bigint) ELSE :to_b END"
            " WHERE id IN (:a, :b)"
        ),
        values,
    )
    await conn.execute(
        text(
            "UPDATE lease l SET seat_id = al.seat_id FROM attempt a JOIN allocation al"
            " ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id"
            " WHERE al.id IN (:a, :b) AND l.attempt_id = a.id AND l.revoked_ms IS NULL"
        ),
        {"a": one.allocation_id, "b": other.allocation_id},
    )
