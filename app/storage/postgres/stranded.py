"""Responses that were kept aside, as the office looks at them: beside what is accepted, with where each came from.

``room_ids`` None means every room; otherwise only candidates who sit in one of them now are told of.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# A typed instant is the device's word: taken as no later than the arrival, for no calendar shows just any number.
_WALL = """(
    SELECT t.started_at + (least({ms}, {most}) - t.start_ms) * interval '1 millisecond'
    FROM term t WHERE t.start_ms <= greatest(least({ms}, {most}), 0) ORDER BY t.n DESC LIMIT 1
)"""


def _wall(ms: str, most: str) -> str:
    """SQL for the wall clock at a service-time instant, by the table of terms; informational."""
    return _WALL.format(ms=ms, most=most)


_SEATED = """
    JOIN allocation al ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id
    JOIN seat s ON s.id = al.seat_id
"""
_IN_REACH = "(CAST(:rooms AS int8[]) IS NULL OR s.room_id = ANY(CAST(:rooms AS int8[])))"


def _rooms(room_ids: Collection[int] | None) -> list[int] | None:
    return None if room_ids is None else sorted(room_ids)


async def timezone(conn: AsyncConnection, session_id: int) -> str:
    """The exam's zone, in which its wall clocks are read."""
    found = await conn.scalar(
        text("SELECT e.timezone FROM session s JOIN exam e ON e.id = s.exam_id WHERE s.id = :s"), {"s": session_id}
    )
    return str(found)


async def counts(
    conn: AsyncConnection, session_ids: Collection[int], room_ids: Collection[int] | None
) -> dict[int, int]:
    """Session id → how many stranded responses wait for a decision; sessions without any are left out."""
    rows = await conn.execute(
        text(
            f"SELECT a.session_id, count(*) AS n FROM stranded x JOIN attempt a ON a.id = x.attempt_id {_SEATED}"  # noqa: S608
            f" WHERE x.state = 'kept' AND a.session_id = ANY(:sessions) AND {_IN_REACH} GROUP BY a.session_id"
        ),
        {"sessions": sorted(session_ids), "rooms": _rooms(room_ids)},
    )
    return {row.session_id: row.n for row in rows}


async def attempts(
    conn: AsyncConnection,
    session_id: int,
    *,
    states: Sequence[str],
    room_ids: Collection[int] | None,
    after: int,
    limit: int,
) -> list[dict[str, Any]]:
    """Up to ``limit`` attempts with a stranded response in ``states``, the oldest such response first.

    ``first`` is that response's id, and the cursor: the next page begins after the last one's. ``{attempt_id, first,
    state, ticket, name, seat, room, building}``, the seat being the one the candidate is at now.
    """
    rows = await conn.execute(
        text(
            f"""
            SELECT a.id AS attempt_id, f.first, a.state, c.ticket, c.name, s.label AS seat, m.name AS room,
                b.name AS building
            FROM (
                SELECT x.attempt_id, min(x.id) AS first FROM stranded x WHERE x.state = ANY(:states)
                GROUP BY x.attempt_id
            ) f
            JOIN attempt a ON a.id = f.attempt_id
            JOIN candidate c ON c.id = a.candidate_id
            {_SEATED}
            JOIN room m ON m.id = s.room_id
            JOIN building b ON b.id = m.building_id
            WHERE a.session_id = :session AND f.first > :after AND {_IN_REACH}
            ORDER BY f.first LIMIT :limit
            """  # noqa: S608 -- constants of this module
        ),
        {
            "states": list(states), "session": session_id, "after": after, "limit": limit, "rooms": _rooms(room_ids),
        },
    )  # fmt: skip
    return [dict(row) for row in rows.mappings()]


async def of_attempts(
    conn: AsyncConnection, attempt_ids: Sequence[UUID], *, states: Sequence[str]
) -> list[dict[str, Any]]:
    """Every stranded response of the attempts in ``states``, in order of attempt, position on the paper and arrival.

    Each with its item (``position, type, stem, options, option_order, pictures``), its origin (``from_seat, from_room,
    device_id``: of the lease of its epoch), wall clocks (``typed_at``, ``received_at``), whether it was typed inside a
    credited gap, the decision if there is one, and the accepted response of the item with its own origin
    (``accepted_*``; ``accepted_epoch`` None: nothing is accepted).
    """
    typed, accepted_typed = _wall("x.at_ms", "x.stamp_ms"), _wall("r.at_ms", "r.stamp_ms")
    rows = await conn.execute(
        text(
            f"""
            SELECT x.id, x.attempt_id, x.item_id, x.epoch, x.rev, x.value, x.value_hash, x.at_ms, x.stamp_ms, x.reason,
                x.state, x.received_at, x.decided_ms, x.note, d.name AS decided_by,
                {typed} AS typed_at,
                EXISTS (
                    SELECT 1 FROM adjustment_attempt g JOIN adjustment j ON j.id = g.adjustment_id
                    WHERE g.attempt_id = x.attempt_id AND j.kind = 'credit'
                        AND j.from_ms <= x.at_ms AND x.at_ms < j.to_ms
                ) AS in_credit,
                l.device_id, ls.label AS from_seat, lm.name AS from_room,
                p.position, p.option_order, v.type, v.stem, v.options, jsonb_array_length(v.media) AS pictures,
                r.epoch AS accepted_epoch, r.rev AS accepted_rev, r.adopt_n AS accepted_adopt_n,
                r.value_hash AS accepted_hash, r.value AS accepted_value, r.at_ms AS accepted_at_ms,
                r.stamp_ms AS accepted_stamp_ms, {accepted_typed} AS accepted_typed_at,
                rl.device_id AS accepted_device_id, rs.label AS accepted_seat, rm.name AS accepted_room,
                o.name AS accepted_by
            FROM stranded x
            LEFT JOIN staff d ON d.id = x.decided_by
            LEFT JOIN lease l ON l.attempt_id = x.attempt_id AND l.epoch = x.epoch
            LEFT JOIN seat ls ON ls.id = l.seat_id
            LEFT JOIN room lm ON lm.id = ls.room_id
            LEFT JOIN paper_item p ON p.attempt_id = x.attempt_id AND p.item_version_id = x.item_id
            LEFT JOIN item_version v ON v.id = x.item_id
            LEFT JOIN response r ON r.attempt_id = x.attempt_id AND r.item_id = x.item_id
            -- An adopted response was typed where the stranded one was that it was adopted from.
            LEFT JOIN LATERAL (
                SELECT y.epoch, y.decided_by FROM stranded y
                WHERE r.adopt_n > 0 AND y.attempt_id = r.attempt_id AND y.item_id = r.item_id AND y.state = 'adopted'
                    AND y.value_hash = r.value_hash
                ORDER BY y.decided_ms DESC LIMIT 1
            ) f ON true
            LEFT JOIN staff o ON o.id = f.decided_by
            LEFT JOIN lease rl ON rl.attempt_id = r.attempt_id AND rl.epoch = coalesce(f.epoch, r.epoch)
            LEFT JOIN seat rs ON rs.id = rl.seat_id
            LEFT JOIN room rm ON rm.id = rs.room_id
            WHERE x.attempt_id = ANY(:attempts) AND x.state = ANY(:states)
            ORDER BY x.attempt_id, p.position, x.item_id, x.id
            """  # noqa: S608 -- constants of this module
        ),
        {"attempts": list(attempt_ids), "states": list(states)},
    )
    return [dict(row) for row in rows.mappings()]


async def reach(conn: AsyncConnection, ids: Collection[int]) -> list[dict[str, Any]]:
    """Per stranded response ``{id, session_id, start_ms, room_id, ticket, name}``; unknown ids are left out."""
    rows = await conn.execute(
        text(
            f"SELECT x.id, a.session_id, n.start_ms, s.room_id, c.ticket, c.name FROM stranded x"  # noqa: S608
            f" JOIN attempt a ON a.id = x.attempt_id JOIN session n ON n.id = a.session_id"
            f" JOIN candidate c ON c.id = a.candidate_id {_SEATED} WHERE x.id = ANY(:ids)"
        ),
        {"ids": sorted(ids)},
    )
    return [dict(row) for row in rows.mappings()]


async def typed(conn: AsyncConnection, ids: Collection[int]) -> list[dict[str, Any]]:
    """When each was typed, by the device's word and no later than it arrived: ``{attempt_id, session_id, ticket,
    typed_ms}``, of attempts that are still open."""
    rows = await conn.execute(
        text(
            "SELECT x.attempt_id, a.session_id, c.ticket, least(x.at_ms, x.stamp_ms) AS typed_ms FROM stranded x"
            " JOIN attempt a ON a.id = x.attempt_id JOIN candidate c ON c.id = a.candidate_id"
            " WHERE x.id = ANY(:ids) AND a.state = 'open' ORDER BY x.attempt_id, typed_ms"
        ),
        {"ids": sorted(ids)},
    )
    return [dict(row) for row in rows.mappings()]


async def decided_by(conn: AsyncConnection, ids: Collection[int]) -> str:
    """The name of whoever decided last on any of these; empty when nobody has."""
    rows = await conn.execute(
        text(
            "SELECT d.name FROM stranded x JOIN staff d ON d.id = x.decided_by WHERE x.id = ANY(:ids)"
            " ORDER BY x.decided_ms DESC LIMIT 1"
        ),
        {"ids": sorted(ids)},
    )
    return str(rows.scalar_one_or_none() or "")
