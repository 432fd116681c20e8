"""Everything the record holds of one attempt, for its audit: read in one snapshot, written nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.attempt_record import Adjustment, Aside, Lease, PaperItem, Relog, Snapshot, Standing, Term
from app.domain.chain import Head, Revision
from app.domain.responses import Response, Version


async def _rows(conn: AsyncConnection, sql: str, **values: object) -> Sequence[RowMapping]:
    return (await conn.execute(text(sql), values)).mappings().all()


async def of_ticket(conn: AsyncConnection, exam_id: int, ticket: str) -> Sequence[RowMapping]:
    """The candidate's allocations in this exam by session: ``number``, and ``attempt_id`` (None before the draw)."""
    return await _rows(
        conn,
        """
        SELECT s.number, a.id AS attempt_id
        FROM candidate c JOIN allocation al ON al.candidate_id = c.id JOIN session s ON s.id = al.session_id
        LEFT JOIN attempt a ON a.session_id = al.session_id AND a.candidate_id = al.candidate_id
        WHERE c.exam_id = :exam AND c.ticket = :ticket ORDER BY s.number
        """,
        exam=exam_id,
        ticket=ticket,
    )


async def exams_of_ticket(conn: AsyncConnection, ticket: str) -> list[str]:
    """The codes of the exams in which somebody has this ticket."""
    sql = "SELECT e.code FROM candidate c JOIN exam e ON e.id = c.exam_id WHERE c.ticket = :ticket ORDER BY e.code"
    return [row["code"] for row in await _rows(conn, sql, ticket=ticket)]


async def snapshot(conn: AsyncConnection, attempt: UUID) -> Snapshot:
    """The attempt as it stands. Call it in a transaction of isolation REPEATABLE READ: the history of a candidate who
    is answering must not be newer than the head it is held against."""
    rows = await _rows(
        conn,
        """
        SELECT a.*, c.ticket, c.name, e.code, e.timezone, s.number, s.name AS session_name, s.start_ms,
            (SELECT jsonb_agg(jsonb_build_array(lower(x), upper(x)) ORDER BY x) FROM unnest(a.acked) x) AS acked_ranges
        FROM attempt a JOIN candidate c ON c.id = a.candidate_id JOIN session s ON s.id = a.session_id
        JOIN exam e ON e.id = s.exam_id WHERE a.id = :attempt
        """,
        attempt=attempt,
    )
    row = rows[0]
    return Snapshot(
        attempt=attempt,
        ticket=row["ticket"],
        name=row["name"],
        exam=row["code"],
        timezone=row["timezone"],
        session_number=row["number"],
        session_name=row["session_name"],
        start_ms=row["start_ms"],
        standing=_standing(row),
        revisions=await _revisions(conn, row["session_id"], attempt),
        responses=await _responses(conn, attempt),
        leases=await _leases(conn, attempt),
        relogs=await _relogs(conn, attempt),
        stranded=await _stranded(conn, attempt),
        adjustments=await _adjustments(conn, attempt),
        terms=[Term(**one) for one in await _rows(conn, "SELECT n, start_ms, gap_ms, started_at FROM term ORDER BY n")],
        paper=await _paper(conn, attempt),
    )


def _standing(row: RowMapping) -> Standing:
    return Standing(
        state=row["state"],
        epoch=row["epoch"],
        grants=tuple((epoch, at_ms) for epoch, at_ms in row["grants"]),
        head=Head(bytes(row["chain"]), row["chain_links"], row["count"]),
        ended_ms=row["ended_ms"],
        end_reason=row["end_reason"],
        final_ms=row["final_ms"],
        receipt=row["receipt"],
        receipts=tuple(row["receipts"]),
        acked=tuple((begin, end) for begin, end in row["acked_ranges"] or ()),
        contact_ms=row["contact_ms"],
    )


def _response(row: Any, *, adopt_n: int = 0) -> Response:
    version = Version(row["epoch"], row["rev"], row.get("adopt_n", adopt_n), bytes(row["value_hash"]))
    return Response(row["item_id"], version, row["value"], row["at_ms"])


async def _revisions(conn: AsyncConnection, session_id: int, attempt: UUID) -> list[Revision]:
    rows = await _rows(
        conn,
        """
        SELECT item_id, epoch, rev, adopt_n, value_hash, value, at_ms, stamp_ms, seq, link, late, chain_before
        FROM response_history WHERE session_id = :session AND attempt_id = :attempt
        ORDER BY link, item_id, epoch, rev, adopt_n, value_hash
        """,
        session=session_id,
        attempt=attempt,
    )
    return [
        Revision(
            row["link"],
            _response(row),
            row["stamp_ms"],
            row["seq"],
            row["late"],
            None if row["chain_before"] is None else bytes(row["chain_before"]),
        )
        for row in rows
    ]


async def _responses(conn: AsyncConnection, attempt: UUID) -> dict[int, tuple[Response, int, bool]]:
    rows = await _rows(conn, "SELECT * FROM response WHERE attempt_id = :attempt", attempt=attempt)
    return {row["item_id"]: (_response(row), row["stamp_ms"], row["late"]) for row in rows}


async def _leases(conn: AsyncConnection, attempt: UUID) -> list[Lease]:
    rows = await _rows(
        conn,
        """
        SELECT l.epoch, l.device_id AS device, r.name || ' ' || s.label AS seat, l.address, l.granted_ms, l.revoked_ms
        FROM lease l JOIN seat s ON s.id = l.seat_id JOIN room r ON r.id = s.room_id
        WHERE l.attempt_id = :attempt ORDER BY l.epoch
        """,
        attempt=attempt,
    )
    return [Lease(**row) for row in rows]


async def _relogs(conn: AsyncConnection, attempt: UUID) -> list[Relog]:
    rows = await _rows(
        conn,
        """
        SELECT m.opened_ms, m.closed_ms, m.state, m.reason, staff.name AS by,
            fr.name || ' ' || f.label AS from_seat, tr.name || ' ' || t.label AS to_seat
        FROM relog m JOIN staff ON staff.id = m.staff_id
        JOIN seat f ON f.id = m.from_seat_id JOIN room fr ON fr.id = f.room_id
        JOIN seat t ON t.id = m.to_seat_id JOIN room tr ON tr.id = t.room_id
        WHERE m.attempt_id = :attempt ORDER BY m.id
        """,
        attempt=attempt,
    )
    return [Relog(**row) for row in rows]


async def _stranded(conn: AsyncConnection, attempt: UUID) -> list[Aside]:
    rows = await _rows(
        conn,
        "SELECT x.*, staff.name AS by FROM stranded x LEFT JOIN staff ON staff.id = x.decided_by"
        " WHERE x.attempt_id = :attempt ORDER BY x.id",
        attempt=attempt,
    )
    return [
        Aside(_response(row), row["stamp_ms"], row["reason"], row["state"], row["by"], row["decided_ms"], row["note"])
        for row in rows
    ]


async def _adjustments(conn: AsyncConnection, attempt: UUID) -> list[Adjustment]:
    rows = await _rows(
        conn,
        """
        SELECT x.kind, x.from_ms, x.to_ms, x.amount_ms, x.reason, x.note, staff.name AS by, x.made_ms, x.scope,
            back.kind AS of_kind
        FROM adjustment_attempt m JOIN adjustment x ON x.id = m.adjustment_id
        LEFT JOIN adjustment back ON back.id = coalesce(x.refers_id, x.supersedes_id)
        LEFT JOIN staff ON staff.id = x.staff_id
        WHERE m.attempt_id = :attempt ORDER BY x.id
        """,
        attempt=attempt,
    )
    return [Adjustment(**row) for row in rows]


async def _paper(conn: AsyncConnection, attempt: UUID) -> dict[int, PaperItem]:
    rows = await _rows(
        conn,
        "SELECT p.item_version_id AS item, p.position, v.type, p.option_order FROM paper_item p"
        " JOIN item_version v ON v.id = p.item_version_id WHERE p.attempt_id = :attempt",
        attempt=attempt,
    )
    return {row["item"]: PaperItem(row["position"], row["type"], row["option_order"]) for row in rows}
