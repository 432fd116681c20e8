"""What a decision on rounds reads and writes.

Locks are taken in one order: the exam, its sessions, attempts by id, the audit head.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

Row = dict[str, Any]


async def _rows(conn: AsyncConnection, sql: str, **values: object) -> list[Row]:
    return [dict(row) for row in (await conn.execute(text(sql), values)).mappings()]


# --- locks


async def lock_sessions(conn: AsyncConnection, session_ids: Collection[int]) -> None:
    """The exams of these sessions, then the sessions: no draw, import or reschedule runs beside this one."""
    ids = sorted(session_ids)
    await conn.execute(
        text(
            "SELECT 1 FROM exam WHERE id IN (SELECT exam_id FROM session WHERE id = ANY(CAST(:ids AS bigint[])))"
            " ORDER BY id FOR NO KEY UPDATE"
        ),
        {"ids": ids},
    )
    await conn.execute(
        text("SELECT 1 FROM session WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY id FOR NO KEY UPDATE"), {"ids": ids}
    )


async def lock_attempts(
    conn: AsyncConnection, whole: Collection[int], session_id: int, candidate_ids: Collection[int]
) -> None:
    """Every attempt of the sessions ``whole``, and those of these candidates in ``session_id``."""
    await conn.execute(
        text(
            "SELECT 1 FROM attempt WHERE session_id = ANY(CAST(:whole AS bigint[]))"
            " OR (session_id = :session AND candidate_id = ANY(CAST(:who AS bigint[])))"
            " ORDER BY id FOR NO KEY UPDATE"
        ),
        {"whole": sorted(whole), "session": session_id, "who": sorted(candidate_ids)},
    )


# --- what is


async def sessions(conn: AsyncConnection, session_id: int) -> list[Row]:
    """The sessions of the exam that ``session_id`` belongs to: id, exam_id, exam_code, timezone, number, name,
    planned_start, duration_ms, start_ms, blueprint (spec or None)."""
    return await _rows(
        conn,
        "SELECT s.id, s.exam_id, e.code AS exam_code, e.timezone, s.number, s.name, s.planned_start, s.duration_ms,"
        " s.start_ms, b.spec AS blueprint FROM session s JOIN exam e ON e.id = s.exam_id"
        " LEFT JOIN blueprint b ON b.session_id = s.id"
        " WHERE e.id = (SELECT exam_id FROM session WHERE id = :id) ORDER BY s.number",
        id=session_id,
    )


async def seats(conn: AsyncConnection, exam_id: int) -> list[Row]:
    """Every seat of the exam with its room and building."""
    return await _rows(
        conn,
        "SELECT seat.id, seat.room_id, r.name AS room, r.ordinal AS room_ordinal, b.id AS building_id,"
        " b.name AS building, seat.label, seat.ordinal, seat.is_spare AS spare,"
        " seat.out_of_order IS NOT NULL AS out_of_order"
        " FROM seat JOIN room r ON r.id = seat.room_id JOIN building b ON b.id = r.building_id"
        " WHERE r.exam_id = :exam",
        exam=exam_id,
    )


async def sitters(conn: AsyncConnection, exam_id: int) -> list[Row]:
    """Every allocation of the exam with its candidate and, where there is one, its attempt."""
    return await _rows(
        conn,
        "SELECT al.session_id, al.candidate_id, al.seat_id, c.ticket, c.name, c.extra_time_ms AS extra_ms,"
        " a.id AS attempt_id, a.state, a.end_reason, a.signed_in_ms, a.end_ms, a.left_ms, a.ended_ms,"
        " a.postponed_ms, a.epoch, a.count FROM allocation al JOIN session s ON s.id = al.session_id"
        " JOIN candidate c ON c.id = al.candidate_id LEFT JOIN attempt a ON a.session_id = al.session_id"
        " AND a.candidate_id = al.candidate_id WHERE s.exam_id = :exam",
        exam=exam_id,
    )


async def gone_on(conn: AsyncConnection, exam_id: int) -> dict[tuple[str, int], int]:
    """(ticket, session) of everybody whom a decision has taken out of a session → when, last."""
    rows = await _rows(
        conn,
        "SELECT m ->> 0 AS ticket, CAST(m ->> 1 AS bigint) AS session_id, max(d.proposed_ms) AS at_ms"
        " FROM decision d CROSS JOIN LATERAL jsonb_array_elements(d.detail -> 'moves') m"
        " WHERE d.exam_id = :exam AND d.kind IN ('swap', 'move') GROUP BY 1, 2",
        exam=exam_id,
    )
    return {(row["ticket"], row["session_id"]): row["at_ms"] for row in rows}


async def papers_of(conn: AsyncConnection, session_ids: Collection[int]) -> list[Row]:
    """Every paper of these sessions: attempt_id, candidate_id, session_id, draw_id, numbers (by position)."""
    return await _rows(
        conn,
        "SELECT a.id AS attempt_id, a.candidate_id, a.session_id, p.draw_id, q.numbers"
        " FROM attempt a JOIN paper p ON p.attempt_id = a.id CROSS JOIN LATERAL ("
        "  SELECT array_agg(i.number ORDER BY pi.position) AS numbers FROM paper_item pi"
        "  JOIN item_version v ON v.id = pi.item_version_id JOIN item i ON i.id = v.item_id"
        "  WHERE pi.attempt_id = a.id) q"
        " WHERE a.session_id = ANY(CAST(:ids AS bigint[]))",
        ids=sorted(session_ids),
    )


async def items_had(conn: AsyncConnection, candidate_ids: Collection[int]) -> list[Row]:
    """Per attempt of these candidates: candidate_id, attempt_id, numbers of the items on its paper."""
    return await _rows(
        conn,
        "SELECT a.candidate_id, a.id AS attempt_id, array_agg(i.number) AS numbers FROM attempt a"
        " JOIN paper_item pi ON pi.attempt_id = a.id JOIN item_version v ON v.id = pi.item_version_id"
        " JOIN item i ON i.id = v.item_id WHERE a.candidate_id = ANY(CAST(:ids AS bigint[]))"
        " GROUP BY a.candidate_id, a.id",
        ids=sorted(candidate_ids),
    )


async def draw_specs(conn: AsyncConnection, draw_ids: Collection[int]) -> dict[int, Any]:
    """draw_id → spec."""
    rows = await _rows(conn, "SELECT id, spec FROM draw WHERE id = ANY(CAST(:ids AS bigint[]))", ids=sorted(draw_ids))
    return {row["id"]: row["spec"] for row in rows}


async def waiting_to_close(conn: AsyncConnection, decision_id: int) -> list[UUID]:
    """The attempts that a decision ended as deferred and that are not final yet."""
    rows = await _rows(
        conn,
        "SELECT a.id FROM decision_attempt d JOIN attempt a ON a.id = d.attempt_id"
        " WHERE d.decision_id = :id AND a.state = 'ended' AND a.end_reason = 'deferred' ORDER BY a.id",
        id=decision_id,
    )
    return [row["id"] for row in rows]


# --- what is written (all rows locked by the caller)


class Going(NamedTuple):
    """An allocation that goes to another session, with the attempt that goes along (None: not drawn yet).
    ``postponed_ms`` and whatever the old session's ledger said stay behind: an entry belongs to one session."""

    candidate_id: int
    from_id: int
    to_id: int
    seat_id: int
    attempt_id: UUID | None
    allotted_ms: int
    end_ms: int | None


_GO = """
WITH m AS (
    SELECT * FROM unnest(CAST(:candidates AS bigint[]), CAST(:froms AS bigint[]), CAST(:tos AS bigint[]),
        CAST(:seats AS bigint[]), CAST(:attempts AS uuid[]), CAST(:allotted AS bigint[]), CAST(:ends AS bigint[]))
        AS m(candidate_id, from_id, to_id, seat_id, attempt_id, allotted_ms, end_ms)
),
gone AS (
    DELETE FROM allocation al USING m
    WHERE al.session_id = m.from_id AND al.candidate_id = m.candidate_id RETURNING al.id
),
come AS (
    INSERT INTO allocation (session_id, candidate_id, seat_id, planned_seat_id)
    SELECT m.to_id, m.candidate_id, m.seat_id, m.seat_id FROM m CROSS JOIN (SELECT count(*) AS n FROM gone) g
    WHERE g.n > 0
)
UPDATE attempt SET session_id = m.to_id, allotted_ms = m.allotted_ms, end_ms = m.end_ms, left_ms = NULL,
    postponed_ms = 0, clock_rev = clock_rev + 1
FROM m WHERE attempt.id = m.attempt_id
"""


async def go(conn: AsyncConnection, going: Sequence[Going]) -> None:
    """Take everybody to their new session and seat, attempts along.

    One statement: two rounds exchange their seats, and an attempt has an allocation at its end as at its begin. The
    count of what is gone comes before the first row that is entered, so no seat is given twice on the way.
    """
    if not going:
        return
    await conn.execute(
        text(_GO),
        {
            "candidates": [each.candidate_id for each in going],
            "froms": [each.from_id for each in going],
            "tos": [each.to_id for each in going],
            "seats": [each.seat_id for each in going],
            "attempts": [each.attempt_id for each in going],
            "allotted": [each.allotted_ms for each in going],
            "ends": [each.end_ms for each in going],
        },
    )


async def remove_papers(conn: AsyncConnection, attempt_ids: Collection[UUID]) -> None:
    """Take unseen papers away; the draws they came from stay on record."""
    for table in ("paper_item", "paper"):
        await conn.execute(
            text(f"DELETE FROM {table} WHERE attempt_id = ANY(CAST(:ids AS uuid[]))"),  # noqa: S608 -- constants
            {"ids": sorted(attempt_ids)},
        )


async def fence(conn: AsyncConnection, epochs: Mapping[UUID, int], seats: Mapping[UUID, int], now_ms: int) -> None:
    """Give each attempt a new epoch that nobody holds: the page that waits at the old seat may write no more, and the
    candidate signs in as if for the first time."""
    values = [
        {"attempt": attempt, "epoch": epoch, "seat": seats[attempt], "now": now_ms,
         "grant": json.dumps([[epoch, now_ms]])}
        for attempt, epoch in sorted(epochs.items())
    ]  # fmt: skip
    if not values:
        return
    await conn.execute(
        text("UPDATE lease SET revoked_ms = :now WHERE attempt_id = :attempt AND revoked_ms IS NULL"), values
    )
    await conn.execute(
        text(
            "INSERT INTO lease (attempt_id, epoch, device_id, secret_hash, seat_id, granted_ms, revoked_ms)"
            " VALUES (:attempt, :epoch, '', '', :seat, :now, :now)"
        ),
        values,
    )
    await conn.execute(
        text(
            "UPDATE attempt SET epoch = :epoch, grants = grants || CAST(:grant AS jsonb), acked = '{}',"
            " signed_in_ms = NULL, contact_ms = NULL, gap_from_ms = NULL WHERE id = :attempt"
        ),
        values,
    )


async def withdraw_relogs(conn: AsyncConnection, attempt_ids: Collection[UUID], now_ms: int) -> None:
    """Nobody is on their way to a seat of a session they no longer sit."""
    await conn.execute(
        text(
            "UPDATE relog SET state = 'withdrawn', closed_ms = :now"
            " WHERE state = 'open' AND attempt_id = ANY(CAST(:ids AS uuid[]))"
        ),
        {"now": now_ms, "ids": sorted(attempt_ids)},
    )


async def decide(
    conn: AsyncConnection,
    *,
    exam_id: int,
    session_id: int,
    kind: str,
    number: str,
    words: str,
    staff_id: int,
    now_ms: int,
    detail: Mapping[str, Any],
    attempts: Collection[UUID],
) -> int:
    """Enter a decision that one confirmation has made, with its attempts; its id."""
    entered = await conn.execute(
        text(
            "INSERT INTO decision (exam_id, session_id, kind, number, text, proposed_by, proposed_ms, state, detail)"
            " VALUES (:exam, :session, :kind, :number, :words, :staff, :now, 'approved', CAST(:detail AS jsonb))"
            " RETURNING id"
        ),
        {
            "exam": exam_id,
            "session": session_id,
            "kind": kind,
            "number": number,
            "words": words,
            "staff": staff_id,
            "now": now_ms,
            "detail": json.dumps(detail, ensure_ascii=False),
        },
    )
    decision_id = int(entered.scalar_one())
    await conn.execute(
        text(
            "INSERT INTO decision_attempt (decision_id, attempt_id)"
            " SELECT :decision, m.id FROM unnest(CAST(:attempts AS uuid[])) AS m(id) ORDER BY m.id"
        ),
        {"decision": decision_id, "attempts": sorted(set(attempts))},
    )
    return decision_id
