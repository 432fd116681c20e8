"""Proposals: what the evidence or an invigilator asks the office to decide, and what was decided.

A proposal that still goes on has ``going`` in its evidence; only the look for silence changes it, under a lock that one
process holds at a time, and row by row under the row's lock, so that a decision meets it as it stands.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class New:
    """A proposal to be made; ``source`` makes it idempotent in its session and kind."""

    session_id: int
    kind: str
    source: str
    scope: str
    scope_names: Sequence[str]
    from_ms: int | None
    to_ms: int | None
    attempts: Collection[UUID]
    made_ms: int
    evidence: Mapping[str, Any] = field(default_factory=dict)
    proposed_by: int | None = None
    note: str = ""


async def make(conn: AsyncConnection, new: New) -> int | None:
    """The new proposal's id with its members written out; None when its source has made it before."""
    statement = text(
        "INSERT INTO proposal (session_id, kind, source, scope, scope_names, from_ms, to_ms, evidence, made_ms,"
        " proposed_by, note) VALUES (:session_id, :kind, :source, :scope, :scope_names, :from_ms, :to_ms, :evidence,"
        " :made_ms, :proposed_by, :note) ON CONFLICT (session_id, kind, source) DO NOTHING RETURNING id"
    ).bindparams(bindparam("scope_names", type_=JSONB), bindparam("evidence", type_=JSONB))
    values = {name: getattr(new, name) for name in New.__slots__ if name != "attempts"}
    made = await conn.execute(
        statement, {**values, "scope_names": list(new.scope_names), "evidence": dict(new.evidence)}
    )
    proposal = made.scalar_one_or_none()
    if proposal is None:
        return None
    await _add(conn, proposal, new.attempts)
    return int(proposal)


async def _add(conn: AsyncConnection, proposal: int, attempts: Collection[UUID]) -> None:
    await conn.execute(
        text(
            "INSERT INTO proposal_attempt (proposal_id, attempt_id)"
            " SELECT :proposal, m.id FROM unnest(CAST(:attempts AS uuid[])) AS m(id) ORDER BY m.id"
        ),
        {"proposal": proposal, "attempts": sorted(set(attempts))},
    )


async def update(
    conn: AsyncConnection, proposal: int, *, to_ms: int, evidence: Mapping[str, Any], without: Collection[UUID] = ()
) -> None:
    """What is known of a loss now. A decided one keeps its end: it was decided on that."""
    statement = text(
        "UPDATE proposal SET evidence = :evidence, to_ms = CASE WHEN state = 'open' THEN :to_ms ELSE to_ms END"
        " WHERE id = :p"
    ).bindparams(bindparam("evidence", type_=JSONB))
    await conn.execute(statement, {"p": proposal, "to_ms": to_ms, "evidence": dict(evidence)})
    if without:
        await conn.execute(
            text("DELETE FROM proposal_attempt WHERE proposal_id = :p AND attempt_id = ANY(CAST(:gone AS uuid[]))"),
            {"p": proposal, "gone": sorted(without)},
        )


_GOING = """
    SELECT p.id, p.session_id, p.kind, p.source, p.scope, p.scope_names, p.from_ms, p.to_ms, p.evidence, p.state,
        ARRAY(SELECT m.attempt_id FROM proposal_attempt m WHERE m.proposal_id = p.id) AS attempts
    FROM proposal p WHERE p.evidence @> '{"going": true}' ORDER BY p.id
"""


async def going(conn: AsyncConnection, *, locked: bool = False) -> Sequence[RowMapping]:
    """Losses that still go on, decided or not, by id, with their members as ``attempts``."""
    rows = await conn.execute(text(f"{_GOING} FOR NO KEY UPDATE OF p" if locked else _GOING))
    return rows.mappings().all()


_TOLD = """
    SELECT p.id, p.session_id, p.kind, p.source, p.scope, p.scope_names, p.from_ms, p.to_ms, p.evidence, p.state,
        p.adjustment_id, p.made_ms, p.made_at, p.proposed_by, b.name AS by, p.decided_by, d.name AS decided_by_name,
        p.decided_ms, p.note, n.exam_id, e.timezone,
        (SELECT count(*) FROM proposal_attempt m WHERE m.proposal_id = p.id) AS candidates
    FROM proposal p JOIN session n ON n.id = p.session_id JOIN exam e ON e.id = n.exam_id
    LEFT JOIN staff b ON b.id = p.proposed_by LEFT JOIN staff d ON d.id = p.decided_by
"""
_CONCERNS = """
    (CAST(:rooms AS bigint[]) IS NULL OR EXISTS (
        SELECT 1 FROM proposal_attempt m JOIN attempt a ON a.id = m.attempt_id
        JOIN allocation al ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id
        JOIN seat s ON s.id = al.seat_id WHERE m.proposal_id = p.id AND s.room_id = ANY(CAST(:rooms AS bigint[]))))
"""


async def of_session(
    conn: AsyncConnection, session_id: int, room_ids: Collection[int] | None = None
) -> Sequence[RowMapping]:
    """The session's proposals, open ones first, the newest first; ``room_ids``: only those about somebody there."""
    rows = await conn.execute(
        text(f"{_TOLD} WHERE p.session_id = :s AND {_CONCERNS} ORDER BY (p.state = 'open') DESC, p.id DESC"),
        {"s": session_id, "rooms": None if room_ids is None else sorted(room_ids)},
    )
    return rows.mappings().all()


async def find(conn: AsyncConnection, proposal: int) -> RowMapping | None:
    return (await conn.execute(text(f"{_TOLD} WHERE p.id = :p"), {"p": proposal})).mappings().one_or_none()


async def lock(conn: AsyncConnection, proposal: int) -> RowMapping | None:
    """The proposal, its row locked: of two who decide on it the second sees what the first did."""
    await conn.execute(text("SELECT id FROM proposal WHERE id = :p FOR NO KEY UPDATE"), {"p": proposal})
    return await find(conn, proposal)


async def members(conn: AsyncConnection, proposal: int) -> list[UUID]:
    rows = await conn.execute(
        text("SELECT attempt_id FROM proposal_attempt WHERE proposal_id = :p ORDER BY attempt_id"), {"p": proposal}
    )
    return list(rows.scalars())


async def tickets(conn: AsyncConnection, ids: Collection[int]) -> dict[int, list[str]]:
    """Proposal → the tickets of its members."""
    rows = await conn.execute(
        text(
            "SELECT m.proposal_id, c.ticket FROM proposal_attempt m JOIN attempt a ON a.id = m.attempt_id"
            " JOIN candidate c ON c.id = a.candidate_id WHERE m.proposal_id = ANY(:ids) ORDER BY c.ticket"
        ),
        {"ids": sorted(ids)},
    )
    found: dict[int, list[str]] = {}
    for row in rows:
        found.setdefault(row.proposal_id, []).append(row.ticket)
    return found


async def replace_older(conn: AsyncConnection, session_id: int, kind: str, source: str) -> None:
    """Close what is open under a ``source`` that begins so: something newer stands in its place."""
    await conn.execute(
        text(
            "UPDATE proposal SET state = 'changed' WHERE session_id = :s AND kind = :kind AND state = 'open'"
            " AND starts_with(source, :source)"
        ),
        {"s": session_id, "kind": kind, "source": source},
    )


async def lapse(conn: AsyncConnection, proposal: int, note: str = "") -> None:
    """Close an open proposal of which nothing is left to decide; nobody decided. ``note``: why, in place of its own."""
    await conn.execute(
        text(
            "UPDATE proposal SET state = 'dismissed', note = coalesce(nullif(:note, ''), note)"
            " WHERE id = :p AND state = 'open'"
        ),
        {"p": proposal, "note": note},
    )


async def decide(
    conn: AsyncConnection,
    proposal: int,
    *,
    state: str,
    staff_id: int,
    now_ms: int,
    note: str,
    adjustment_id: int | None = None,
    to_ms: int | None = None,
) -> bool:
    """Close an open proposal; False when it was not open. ``to_ms``: up to when a loss that went on was decided."""
    done = await conn.execute(
        text(
            "UPDATE proposal SET state = :state, decided_by = :staff, decided_ms = :now, note = :note,"
            " adjustment_id = :entry, to_ms = coalesce(:to_ms, to_ms) WHERE id = :p AND state = 'open'"
        ),
        {
            "p": proposal, "state": state, "staff": staff_id, "now": now_ms, "note": note, "entry": adjustment_id,
            "to_ms": to_ms,
        },
    )  # fmt: skip
    return bool(done.rowcount)
