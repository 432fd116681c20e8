"""Own starts that fell into an outage (DESIGN §5): of a room, a list or a candidate that was postponed beyond the start
of the session, and whose postponed start passed while nobody ticked.

A session that was away at its start loses its anchor. These cannot: the session runs for everybody else. They are
paused instead, by an entry like any other, in the transaction that begins the new term: the counter does not reach
their start before they are held. Whoever decides about time lets them go on, and not a millisecond of theirs has run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from app.domain.clock import NEVER_MS

# Locked in the order of everybody who locks attempts. Whoever is paused already waits for a person as it is.
LATE = """
SELECT a.id, a.session_id, c.ticket, room.id AS room_id, room.name AS room,
    a.end_ms - (s.start_ms + a.postponed_ms) AS left_ms
FROM attempt a JOIN session s ON s.id = a.session_id JOIN candidate c ON c.id = a.candidate_id
JOIN allocation al ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id
JOIN seat ON seat.id = al.seat_id JOIN room ON room.id = seat.room_id
WHERE a.postponed_ms <> 0 AND a.state = 'open' AND a.left_ms IS NULL AND a.end_ms IS NOT NULL
    AND s.start_ms + a.postponed_ms > $1 AND s.start_ms + a.postponed_ms <= $2
ORDER BY a.id FOR NO KEY UPDATE OF a
"""
# Rooms of these sessions in which somebody sits who is not held here.
OTHERS = """
SELECT DISTINCT a.session_id, seat.room_id FROM attempt a
JOIN allocation al ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id
JOIN seat ON seat.id = al.seat_id
WHERE a.session_id = ANY($1) AND a.state = 'open' AND a.id <> ALL($2)
"""
ENTER = """
INSERT INTO adjustment (kind, session_id, scope, scope_names, room_id, from_ms, reason, source, made_ms)
VALUES ('pause', $1, $2, $3::jsonb, $4, $5, 'outage', $6, $5) RETURNING id
"""


async def hold(connection: asyncpg.Connection[Any], *, term: int, now_ms: int, until_ms: int) -> int:
    """Pause every attempt whose own start lies in ``(now_ms, until_ms]``; how many. Within a transaction."""
    late = await connection.fetch(LATE, now_ms, until_ms)
    if not late:
        return 0
    ids = [row["id"] for row in late]
    others = {tuple(row) for row in await connection.fetch(OTHERS, [row["session_id"] for row in late], ids)}
    scopes: dict[tuple[int, bool], list[asyncpg.Record]] = {}
    for row in late:
        whole = (row["session_id"], row["room_id"]) not in others
        scopes.setdefault((row["session_id"], whole), []).append(row)
    for (session_id, whole), some in sorted(scopes.items()):
        await _enter(connection, session_id, some, whole=whole, term=term, now_ms=now_ms)
    # What follows from the ledger, which nobody reads before this is committed.
    await connection.execute(
        "UPDATE attempt a SET end_ms = $3, left_ms = q.left_ms, clock_rev = a.clock_rev + 1"
        " FROM unnest($1::uuid[], $2::int8[]) AS q(id, left_ms) WHERE a.id = q.id",
        ids, [row["left_ms"] for row in late], NEVER_MS,
    )  # fmt: skip
    return len(late)


async def _enter(
    connection: asyncpg.Connection[Any], session_id: int, some: Sequence[asyncpg.Record], *, whole: bool, term: int,
    now_ms: int,
) -> None:  # fmt: skip
    """One entry, of the scope by which people would name these, so that they are resumed by that name."""
    rooms = {row["room_id"]: row["room"] for row in some}
    scope = "room" if whole else "candidate" if len(some) == 1 else "list"
    names = list(rooms.values()) if whole else [row["ticket"] for row in some]
    entry = await connection.fetchval(
        ENTER, session_id, scope, json.dumps(names, ensure_ascii=False),
        next(iter(rooms)) if whole and len(rooms) == 1 else None, now_ms, f"late:{term}:{scope}",
    )  # fmt: skip
    members: list[UUID] = [row["id"] for row in some]
    await connection.execute(
        "INSERT INTO adjustment_attempt (adjustment_id, attempt_id) SELECT $1, m.id FROM unnest($2::uuid[]) AS m(id)",
        entry, members,
    )  # fmt: skip
