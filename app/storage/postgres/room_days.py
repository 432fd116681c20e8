"""A room while a session was held there: who watched it, and which of its seats were out of order.

Both are kept as they are now; what they were is worked out backwards from every change since. A record that is printed
in the afternoon is still the morning's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

# Over with the release; until then when everybody's time is up, and never while somebody's clock stands.
_SPAN = """
SELECT s.start_ms - s.sign_in_opens_ms AS from_ms, coalesce(
    (SELECT rr.released_ms FROM room_record rr WHERE rr.session_id = s.id AND rr.room_id = :room),
    (SELECT CASE WHEN bool_and(coalesce(a.end_ms, a.ended_ms) IS NOT NULL)
        THEN max(greatest(a.end_ms, a.ended_ms)) END
    FROM attempt a
    JOIN allocation al ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id
    JOIN seat ON seat.id = al.seat_id
    WHERE a.session_id = s.id AND seat.room_id = :room)) AS to_ms
FROM session s WHERE s.id = :session
"""
_WATCHING = """
SELECT s.id, s.name, s.role, s.username FROM staff_room r JOIN staff s ON s.id = r.staff_id
WHERE r.room_id = :room AND NOT s.disabled
"""
_CHANGES = """
SELECT d.joined_id, j.name AS joined, j.role AS joined_role, j.username AS joined_username, d.left_id,
    l.name AS left, l.role AS left_role, l.username AS left_username, d.reason, b.name AS by, d.made_ms AS ms
FROM duty_change d
LEFT JOIN staff j ON j.id = d.joined_id
LEFT JOIN staff l ON l.id = d.left_id
JOIN staff b ON b.id = d.staff_id
WHERE d.room_id = :room AND d.made_ms >= :from ORDER BY d.id
"""
_MARKS = """
SELECT CAST(e.subject->>'seat_id' AS int8) AS seat_id, e.subject->>'before' AS before, e.subject->>'after' AS after,
    e.service_ms AS ms
FROM audit_entry e
WHERE e.action = 'seat.mark' AND e.subject @> jsonb_build_object('room_id', CAST(:room AS int8))
    AND e.service_ms >= :from ORDER BY e.n
"""


@dataclass(frozen=True, slots=True)
class Span:
    """From when sign-in opened until the room was done, in service time; not past now. A session without a start has
    none, and nothing has happened in it."""

    from_ms: int
    to_ms: int


async def span(conn: AsyncConnection, session_id: int, room_id: int, *, now_ms: int) -> Span:
    row = (await conn.execute(text(_SPAN), {"session": session_id, "room": room_id})).mappings().one()
    if row["from_ms"] is None:
        return Span(now_ms, now_ms)
    return Span(row["from_ms"], now_ms if row["to_ms"] is None else min(row["to_ms"], now_ms))


async def duty(conn: AsyncConnection, room_id: int, during: Span) -> tuple[list[str], list[dict[str, Any]]]:
    """Names of whoever watched at its end, and the changes during it, oldest first: ``{ms, joined, left, reason,
    by}``."""
    rows = (await conn.execute(text(_WATCHING), {"room": room_id})).mappings()
    watching = {row["id"]: (row["role"], row["username"], row["name"]) for row in rows}
    found = (await conn.execute(text(_CHANGES), {"room": room_id, "from": during.from_ms})).mappings().all()
    for row in reversed(found):
        if row["ms"] <= during.to_ms:
            break
        if row["joined_id"] is not None:
            watching.pop(row["joined_id"], None)
        if row["left_id"] is not None:
            watching[row["left_id"]] = (row["left_role"], row["left_username"], row["left"])
    return [name for _, _, name in sorted(watching.values())], [
        {key: row[key] for key in ("ms", "joined", "left", "reason", "by")}
        for row in found
        if row["ms"] <= during.to_ms
    ]


async def broken(
    conn: AsyncConnection, seats: Sequence[RowMapping], room_id: int, during: Span
) -> list[tuple[str, str, bool]]:
    """Of the room's seats (``seat_id, seat, out_of_order``, as they are now) those that were out of order at any time
    of it: ``(label, reason, repaired before its end)``, the last reason."""
    rows = (await conn.execute(text(_MARKS), {"room": room_id, "from": during.from_ms})).mappings().all()
    found = []
    for seat in seats:
        marks = [row for row in rows if row["seat_id"] == seat["seat_id"]]
        within = [row for row in marks if row["ms"] <= during.to_ms]
        later = next((row for row in marks if row["ms"] > during.to_ms), None)
        at_end = seat["out_of_order"] if later is None else later["before"]
        reasons = [one for row in within for one in (row["before"], row["after"]) if one is not None]
        if at_end is not None or reasons:
            found.append((seat["seat"], at_end or reasons[-1], at_end is None))
    return found
