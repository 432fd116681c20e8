"""A room while a session was held there: who watched it, and which of its seats were out of order.

Both are kept as they are now; what they were is worked out backwards from every change since. A record that is printed
in the afternoon is still the morning's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

# Over with the release; until then when everybody's time is up, and never while somebody's clock stands.
_SPANS = """
WITH ended AS (
    SELECT a.session_id, seat.room_id, CASE WHEN bool_and(coalesce(a.end_ms, a.ended_ms) IS NOT NULL)
        THEN max(greatest(a.end_ms, a.ended_ms)) END AS ms
    FROM attempt a
    JOIN allocation al ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id
    JOIN seat ON seat.id = al.seat_id
    WHERE a.session_id = ANY(CAST(:sessions AS bigint[]))
        AND seat.room_id = ANY(coalesce(CAST(:rooms AS bigint[]), ARRAY[seat.room_id]))
    GROUP BY a.session_id, seat.room_id
)
SELECT s.id AS session_id, room.id AS room_id, s.start_ms - s.sign_in_opens_ms AS from_ms,
    coalesce(rr.released_ms, ended.ms) AS to_ms
FROM session s
JOIN room ON room.exam_id = s.exam_id
LEFT JOIN ended ON ended.session_id = s.id AND ended.room_id = room.id
LEFT JOIN room_record rr ON rr.session_id = s.id AND rr.room_id = room.id
WHERE s.id = ANY(CAST(:sessions AS bigint[])) AND room.id = ANY(coalesce(CAST(:rooms AS bigint[]), ARRAY[room.id]))
ORDER BY s.number, room.ordinal, room.id
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
WHERE e.action = 'seat.mark' AND e.service_ms >= :from
    AND (CAST(:room AS int8) IS NULL OR e.subject @> jsonb_build_object('room_id', CAST(:room AS int8)))
ORDER BY e.n
"""
_SEATS = """
SELECT seat.id AS seat_id, seat.room_id, room.name AS room, seat.label AS seat, seat.out_of_order FROM seat
JOIN room ON room.id = seat.room_id WHERE room.id = ANY(CAST(:rooms AS bigint[])) ORDER BY room.ordinal, seat.ordinal
"""


@dataclass(frozen=True, slots=True)
class Span:
    """From when sign-in opened until the room was done, in service time; not past now. A session without a start has
    none, and nothing has happened in it."""

    from_ms: int
    to_ms: int


async def span(conn: AsyncConnection, session_id: int, room_id: int, *, now_ms: int) -> Span:
    return (await spans(conn, [session_id], {room_id}, now_ms=now_ms))[session_id, room_id]


async def spans(
    conn: AsyncConnection, sessions: Sequence[int], only: Collection[int] | None, *, now_ms: int
) -> dict[tuple[int, int], Span]:
    """By session and room, of these rooms of their exam (None: all), sessions and rooms in their order."""
    values = {"sessions": list(sessions), "rooms": None if only is None else sorted(only)}
    return {
        (row.session_id, row.room_id): Span(now_ms, now_ms)
        if row.from_ms is None
        else Span(row.from_ms, now_ms if row.to_ms is None else min(row.to_ms, now_ms))
        for row in await conn.execute(text(_SPANS), values)
    }


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
    found = [(seat["seat"], _fault(seat, rows, during)) for seat in seats]
    return [(label, *fault) for label, fault in found if fault is not None]


async def all_broken(
    conn: AsyncConnection, during: Mapping[tuple[int, int], Span], *, now_ms: int
) -> list[tuple[list[int], str, str, str, bool]]:
    """The same of many rooms (``spans``): ``(sessions, room, label, reason, repaired)``, a line for each fault. Of a
    session that is still to come nothing is told, unless none has begun."""
    begun = {key: one for key, one in during.items() if one.from_ms <= now_ms} or during
    if not begun:
        return []
    since = min(one.from_ms for one in begun.values())
    rows = (await conn.execute(text(_MARKS), {"room": None, "from": since})).mappings().all()
    of_seat: dict[int, list[RowMapping]] = {}
    for row in rows:
        of_seat.setdefault(row["seat_id"], []).append(row)
    seats = (await conn.execute(text(_SEATS), {"rooms": sorted({room for _, room in begun})})).mappings()
    found = []
    for seat in seats:
        lines: dict[tuple[str, bool], list[int]] = {}
        for (session, room), one in begun.items():
            if room != seat["room_id"]:
                continue
            marks = [row for row in of_seat.get(seat["seat_id"], ()) if row["ms"] >= one.from_ms]
            fault = _fault(seat, marks, one)
            if fault is not None:
                lines.setdefault(fault, []).append(session)
        found += [(sessions, seat["room"], seat["seat"], *fault) for fault, sessions in lines.items()]
    return found


def _fault(seat: RowMapping, rows: Sequence[RowMapping], during: Span) -> tuple[str, bool] | None:
    """Why the seat could not be used, and whether it could again at its end; ``rows``: every mark since it began."""
    marks = [row for row in rows if row["seat_id"] == seat["seat_id"]]
    within = [row for row in marks if row["ms"] <= during.to_ms]
    later = next((row for row in marks if row["ms"] > during.to_ms), None)
    at_end = seat["out_of_order"] if later is None else later["before"]
    reasons = [one for row in within for one in (row["before"], row["after"]) if one is not None]
    if at_end is None and not reasons:
        return None
    return at_end or reasons[-1], at_end is None
