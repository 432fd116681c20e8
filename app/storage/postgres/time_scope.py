"""Who sits where in a session, as a decision on time sees them: the members of a scope, their limits, who follows.

Locks: exam, session, attempts by id; the caller has taken them in that order before it trusts what is read here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Timed:
    """A session with what its times are told in. ``planned_start`` is wall time, aware."""

    id: int
    exam_id: int
    exam: str
    number: int
    name: str
    timezone: str
    planned_start: datetime
    duration_ms: int
    start_ms: int | None
    held: str | None


@dataclass(frozen=True, slots=True)
class Member:
    """One attempt of the session with whose it is and where they sit."""

    attempt: UUID
    candidate_id: int
    ticket: str
    name: str
    seat_id: int
    seat: str
    room_id: int
    room: str
    building_id: int
    building: str
    stored: Literal["open", "ended", "final"]
    end_reason: str | None
    signed_in_ms: int | None
    ended_ms: int | None
    # Its own start and its end as last settled.
    start_ms: int | None
    end_ms: int | None
    left_ms: int | None
    epoch: int
    # Moves with everything that is entered about the attempt, and with its state.
    clock_rev: int


async def find_session(conn: AsyncConnection, session_id: int) -> Timed | None:
    row = (
        (
            await conn.execute(
                text(
                    "SELECT s.id, s.exam_id, e.name AS exam, s.number, s.name, e.timezone, s.planned_start,"
                    " s.duration_ms, s.start_ms, s.held FROM session s JOIN exam e ON e.id = s.exam_id WHERE s.id = :s"
                ),
                {"s": session_id},
            )
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else Timed(**row)


async def members(
    conn: AsyncConnection,
    session_id: int,
    *,
    buildings: Collection[int] | None = None,
    rooms: Collection[int] | None = None,
    tickets: Collection[str] | None = None,
    attempts: Collection[UUID] | None = None,
) -> list[Member]:
    """The attempts of the session that every given filter lets through, by id; the room is where they sit now."""
    rows = await conn.execute(
        text(
            "SELECT a.id AS attempt, c.id AS candidate_id, c.ticket, c.name, seat.id AS seat_id, seat.label AS seat,"
            " room.id AS room_id, room.name AS room, building.id AS building_id, building.name AS building,"
            " a.state AS stored, a.end_reason, a.signed_in_ms, a.ended_ms,"
            " s.start_ms + a.postponed_ms AS start_ms, a.end_ms, a.left_ms, a.epoch, a.clock_rev"
            " FROM attempt a JOIN session s ON s.id = a.session_id JOIN candidate c ON c.id = a.candidate_id"
            " JOIN allocation al ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id"
            " JOIN seat ON seat.id = al.seat_id JOIN room ON room.id = seat.room_id"
            " JOIN building ON building.id = room.building_id WHERE a.session_id = :session"
            " AND building.id = ANY(coalesce(CAST(:buildings AS bigint[]), ARRAY[building.id]))"
            " AND room.id = ANY(coalesce(CAST(:rooms AS bigint[]), ARRAY[room.id]))"
            " AND c.ticket = ANY(coalesce(CAST(:tickets AS text[]), ARRAY[c.ticket]))"
            " AND a.id = ANY(coalesce(CAST(:attempts AS uuid[]), ARRAY[a.id])) ORDER BY a.id"
        ),
        {
            "session": session_id,
            "buildings": None if buildings is None else sorted(buildings),
            "rooms": None if rooms is None else sorted(rooms),
            "tickets": None if tickets is None else sorted(tickets),
            "attempts": None if attempts is None else sorted(attempts),
        },
    )
    return [Member(**row) for row in rows.mappings()]


async def session_of_attempt(conn: AsyncConnection, attempt: UUID) -> int | None:
    found = await conn.scalar(text("SELECT session_id FROM attempt WHERE id = :a"), {"a": attempt})
    return None if found is None else int(found)


async def lock_attempts(conn: AsyncConnection, attempts: Collection[UUID]) -> None:
    """Take the row lock of every one of them, by id: the lock that the writer, the sweeper and the drain take too."""
    await conn.execute(
        text("SELECT id FROM attempt WHERE id = ANY(CAST(:a AS uuid[])) ORDER BY id FOR NO KEY UPDATE"),
        {"a": sorted(attempts)},
    )


async def lock_moved(conn: AsyncConnection, session_id: int, seen: Sequence[Member]) -> set[UUID]:
    """Take the row locks of everybody in ``seen``, by id; who of them is not what was seen any more.

    Compared is what every change of an attempt moves: its session, its state, the epoch of its lease (a sign-in, at
    this seat or another) and the revision of its clock (whatever is entered about it, a hand-in, an end). The rows are
    those that were waited for, not those of before the wait.
    """
    found = await conn.scalars(
        text(
            "WITH l AS MATERIALIZED (SELECT id, session_id, state, epoch, clock_rev FROM attempt"
            " WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE)"
            " SELECT q.id FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:epochs AS int8[]),"
            " CAST(:revs AS int4[])) AS q(id, state, epoch, clock_rev) LEFT JOIN l ON l.id = q.id"
            " WHERE (l.session_id, l.state, l.epoch, l.clock_rev)"
            " IS DISTINCT FROM (CAST(:session AS int8), q.state, q.epoch, q.clock_rev)"
        ),
        {
            "session": session_id,
            "ids": [member.attempt for member in seen],
            "states": [member.stored for member in seen],
            "epochs": [member.epoch for member in seen],
            "revs": [member.clock_rev for member in seen],
        },
    )
    return set(found)


async def sitting(
    conn: AsyncConnection, session_id: int, *, buildings: Collection[int], rooms: Collection[int]
) -> set[UUID]:
    """The session's attempts whose candidates sit in one of these rooms, or of these buildings' rooms, now."""
    found = await conn.scalars(
        text(
            "SELECT a.id FROM attempt a JOIN allocation al ON al.session_id = a.session_id"
            " AND al.candidate_id = a.candidate_id JOIN seat ON seat.id = al.seat_id"
            " JOIN room ON room.id = seat.room_id WHERE a.session_id = :session"
            " AND (room.id = ANY(CAST(:rooms AS int8[])) OR room.building_id = ANY(CAST(:buildings AS int8[])))"
        ),
        {"session": session_id, "rooms": sorted(rooms), "buildings": sorted(buildings)},
    )
    return set(found)


async def exam_places(conn: AsyncConnection, exam_id: int) -> Sequence[RowMapping]:
    """Every room of the exam: ``room_id, room, building_id, building``, in roster order."""
    return (
        (
            await conn.execute(
                text(
                    "SELECT room.id AS room_id, room.name AS room, building.id AS building_id,"
                    " building.name AS building FROM room JOIN building ON building.id = room.building_id"
                    " WHERE room.exam_id = :e ORDER BY room.ordinal, room.id"
                ),
                {"e": exam_id},
            )
        )
        .mappings()
        .all()
    )


async def limits(conn: AsyncConnection, attempts: Collection[UUID]) -> dict[UUID, int]:
    """The greatest limit that an approved decision gives each attempt, in milliseconds; absent without one.

    A cap is lifted for candidates of one session (I8): whoever goes to another one leaves it behind, like the entries.
    """
    rows = await conn.execute(
        text(
            "SELECT m.attempt_id, max(d.limit_ms) AS limit_ms FROM decision_attempt m"
            " JOIN attempt a ON a.id = m.attempt_id"
            " JOIN decision d ON d.id = m.decision_id AND d.session_id = a.session_id"
            " WHERE m.attempt_id = ANY(CAST(:a AS uuid[])) AND d.kind = 'lift-cap'"
            " AND d.state = 'approved' GROUP BY m.attempt_id"
        ),
        {"a": sorted(attempts)},
    )
    return {row.attempt_id: int(row.limit_ms) for row in rows}


@dataclass(frozen=True, slots=True)
class Sitter:
    """Who is signed in at a seat and not over."""

    ticket: str
    name: str
    room: str
    seat: str


async def seats_taken(conn: AsyncConnection, attempts: Collection[UUID], now_ms: int) -> dict[UUID, Sitter]:
    """Those at whose seat somebody else is signed in now, waiting for their start or answering, and who that is."""
    rows = await conn.execute(
        text(
            "SELECT DISTINCT ON (a.id) a.id, c.ticket, c.name, room.name AS room, seat.label AS seat FROM attempt a"
            " JOIN allocation x ON x.session_id = a.session_id AND x.candidate_id = a.candidate_id"
            " JOIN allocation y ON y.seat_id = x.seat_id AND y.candidate_id <> x.candidate_id"
            " JOIN attempt b ON b.session_id = y.session_id AND b.candidate_id = y.candidate_id"
            "   AND b.state = 'open' AND b.signed_in_ms IS NOT NULL AND b.end_ms > :now"
            " JOIN candidate c ON c.id = b.candidate_id JOIN seat ON seat.id = x.seat_id"
            " JOIN room ON room.id = seat.room_id WHERE a.id = ANY(CAST(:a AS uuid[])) ORDER BY a.id, b.id"
        ),
        {"a": sorted(attempts), "now": now_ms},
    )
    return {row.id: Sitter(row.ticket, row.name, row.room, row.seat) for row in rows}


@dataclass(frozen=True, slots=True)
class Follower:
    """A later attempt that needs the same person, or the same seat, as a member of this session."""

    attempt: UUID
    after: UUID
    session_id: int
    start_ms: int


async def followers(
    conn: AsyncConnection, session: Timed, free_at: Mapping[UUID, int | None], *, now_ms: int
) -> list[Follower]:
    """The attempts of later sessions of the exam, not begun yet, that wait for one of these to be over: same candidate,
    or same seat. Only those that begin before ``free_at`` of the attempt they wait for (None: whenever they begin)."""
    rows = await conn.execute(
        text(
            "SELECT b.id AS attempt, a.id AS after, b.session_id, s.start_ms + b.postponed_ms AS start_ms"
            " FROM unnest(CAST(:a AS uuid[]), CAST(:free AS bigint[])) AS q(id, free_ms)"
            " JOIN attempt a ON a.id = q.id"
            " JOIN allocation x ON x.session_id = a.session_id AND x.candidate_id = a.candidate_id"
            " JOIN session s ON s.exam_id = :exam AND s.id <> a.session_id AND s.start_ms IS NOT NULL"
            "   AND (s.planned_start, s.number) > (CAST(:planned AS timestamptz), CAST(:number AS int))"
            " JOIN allocation y ON y.session_id = s.id AND (y.candidate_id = x.candidate_id OR y.seat_id = x.seat_id)"
            " JOIN attempt b ON b.session_id = y.session_id AND b.candidate_id = y.candidate_id AND b.state = 'open'"
            " WHERE s.start_ms + b.postponed_ms > :now"
            " AND s.start_ms + b.postponed_ms < coalesce(q.free_ms, 9223372036854775807)"
        ),
        {
            "exam": session.exam_id, "a": list(free_at), "free": list(free_at.values()), "now": now_ms,
            "planned": session.planned_start, "number": session.number,
        },
    )  # fmt: skip
    return [Follower(**row) for row in rows.mappings()]
