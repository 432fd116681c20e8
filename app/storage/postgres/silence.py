"""What the record knows of who is heard: one look at every seat whose time is running."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.silence import Seat

# An arbitrary number that only the look for silence uses: one process proposes at a time.
SILENCE_LOCK = 7_301_188_005

# Left out: who has not arrived, is paused or is over, for nothing is lost by their silence. Heard from the last
# acknowledged contact on, but not before their own start, the end of their last pause or the moment their attempt was
# opened again: what was silent before that cost nothing.
_SEATS = """
SELECT a.id, a.session_id, s.room_id, m.building_id,
    greatest(a.signed_in_ms, a.contact_ms, a.late_contact_ms, n.start_ms + a.postponed_ms, p.again_ms) AS heard_ms,
    coalesce((a.grants -> -1 ->> 1)::int8, 0) AS granted_ms
FROM attempt a
JOIN session n ON n.id = a.session_id
JOIN allocation al ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id
JOIN seat s ON s.id = al.seat_id
JOIN room m ON m.id = s.room_id
LEFT JOIN (
    SELECT x.attempt_id, max(CASE j.kind WHEN 'reopen' THEN j.made_ms ELSE j.to_ms END) AS again_ms
    FROM adjustment j JOIN adjustment_attempt x ON x.adjustment_id = j.id
    WHERE (j.kind IN ('resume', 'reopen') OR (j.kind = 'credit' AND j.reason = 'reopened'))
        AND j.made_ms > :now - 86400000
    GROUP BY x.attempt_id
) p ON p.attempt_id = a.id
WHERE a.state = 'open' AND a.end_ms > :now AND a.left_ms IS NULL AND a.signed_in_ms IS NOT NULL
    AND n.start_ms + a.postponed_ms <= :now
"""


async def seats(conn: AsyncConnection, now_ms: int) -> dict[int, dict[UUID, Seat]]:
    """Session id → attempt → seat, of everybody whose time is running; one statement whatever their number."""
    found: dict[int, dict[UUID, Seat]] = {}
    for row in await conn.execute(text(_SEATS), {"now": now_ms}):
        seat = Seat(row.id, row.room_id, row.building_id, row.heard_ms, row.granted_ms)
        found.setdefault(row.session_id, {})[row.id] = seat
    return found


async def served_ms(conn: AsyncConnection, handover_ms: int) -> int | None:
    """When the service last came back from an outage of its own, None if it never was away."""
    found = await conn.scalar(
        text("SELECT start_ms FROM term WHERE gap_ms >= :handover ORDER BY n DESC LIMIT 1"), {"handover": handover_ms}
    )
    return None if found is None else int(found)


async def alone(conn: AsyncConnection) -> bool:
    """Whether this transaction is the only one that proposes, until it ends."""
    return bool(await conn.scalar(text("SELECT pg_try_advisory_xact_lock(:n)"), {"n": SILENCE_LOCK}))


async def place_names(
    conn: AsyncConnection, room_ids: Collection[int]
) -> tuple[dict[int, str], dict[int, str], dict[int, int]]:
    """Names of the rooms and of their buildings, and which room is in which: ``(rooms, buildings, building of)``."""
    rows: Any = await conn.execute(
        text(
            "SELECT m.id, m.name, b.id AS building_id, b.name AS building FROM room m JOIN building b"
            " ON b.id = m.building_id WHERE m.id = ANY(:rooms) ORDER BY m.ordinal, m.id"
        ),
        {"rooms": sorted(room_ids)},
    )
    rooms: dict[int, str] = {}
    buildings: dict[int, str] = {}
    within: dict[int, int] = {}
    for row in rows:
        rooms[row.id], buildings[row.building_id], within[row.id] = row.name, row.building, row.building_id
    return rooms, buildings, within
