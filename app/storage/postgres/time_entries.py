"""Writing to the ledger of time, and reading it as it was written: one entry with everybody it is for.

The ledger is append-only; whoever writes holds the row locks of the members, so that the ends that are stored beside
it always follow from it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class NewEntry:
    """One line for the ledger. Instants are service time, lengths milliseconds."""

    kind: str
    session_id: int
    scope: str
    scope_names: Sequence[str]
    attempts: Collection[UUID]
    reason: str
    source: str
    made_ms: int
    room_id: int | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    amount_ms: int | None = None
    refers_id: int | None = None
    note: str = ""
    incident: str = ""
    staff_id: int | None = None
    decision_id: int | None = None


async def enter(conn: AsyncConnection, entry: NewEntry) -> int:
    """Write the entry with its members; its id. IntegrityError when its source was entered for the session before."""
    statement = text(
        "INSERT INTO adjustment (kind, session_id, scope, scope_names, room_id, from_ms, to_ms, amount_ms, refers_id,"
        " reason, note, incident, source, staff_id, decision_id, made_ms) VALUES (:kind, :session_id, :scope,"
        " :scope_names, :room_id, :from_ms, :to_ms, :amount_ms, :refers_id, :reason, :note, :incident, :source,"
        " :staff_id, :decision_id, :made_ms) RETURNING id"
    ).bindparams(bindparam("scope_names", type_=JSONB))
    values = {name: getattr(entry, name) for name in NewEntry.__slots__ if name != "attempts"}
    entered = await conn.execute(statement, {**values, "scope_names": list(entry.scope_names)})
    entry_id = int(entered.scalar_one())
    await conn.execute(
        text(
            "INSERT INTO adjustment_attempt (adjustment_id, attempt_id)"
            " SELECT :entry, m.id FROM unnest(CAST(:attempts AS uuid[])) AS m(id) ORDER BY m.id"
        ),
        {"entry": entry_id, "attempts": sorted(set(entry.attempts))},
    )
    return entry_id


_TOLD = """
    SELECT x.id, x.kind, x.session_id, x.scope, x.scope_names, x.room_id, x.from_ms, x.to_ms, x.amount_ms, x.refers_id,
        x.supersedes_id, x.reason, x.note, x.incident, x.staff_id, staff.name AS by, x.decision_id, x.made_ms,
        x.made_at, (SELECT count(*) FROM adjustment_attempt m WHERE m.adjustment_id = x.id) AS candidates
    FROM adjustment x LEFT JOIN staff ON staff.id = x.staff_id
"""


async def of_session(conn: AsyncConnection, session_id: int, *, automatic: bool = False) -> Sequence[RowMapping]:
    """The session's entries, oldest first. Without ``automatic`` the single ones of moves and reconnections are left
    out: a day has thousands."""
    return await _rows(
        conn,
        f"{_TOLD} WHERE x.session_id = :s AND (:all OR x.attempt_id IS NULL) ORDER BY x.id",
        s=session_id,
        all=automatic,
    )


async def of_attempt(conn: AsyncConnection, attempt: UUID) -> Sequence[RowMapping]:
    return await _rows(
        conn,
        f"{_TOLD} JOIN adjustment_attempt o ON o.adjustment_id = x.id WHERE o.attempt_id = :a ORDER BY x.id",
        a=attempt,
    )


async def find(conn: AsyncConnection, entry: int) -> RowMapping | None:
    rows = await _rows(conn, f"{_TOLD} WHERE x.id = :id", id=entry)
    return rows[0] if rows else None


async def members_of(conn: AsyncConnection, entry: int) -> list[UUID]:
    rows = await conn.execute(
        text("SELECT attempt_id FROM adjustment_attempt WHERE adjustment_id = :id ORDER BY attempt_id"), {"id": entry}
    )
    return list(rows.scalars())


async def links(conn: AsyncConnection, session_id: int) -> Sequence[RowMapping]:
    """``id, kind, refers_id, supersedes_id`` of every entry of the session that takes another one back."""
    return await _rows(
        conn,
        "SELECT id, kind, refers_id, supersedes_id FROM adjustment WHERE session_id = :s"
        " AND (kind = 'undo' OR supersedes_id IS NOT NULL) ORDER BY id",
        s=session_id,
    )


async def newest_decided(conn: AsyncConnection, session_id: int) -> int:
    """The id of the newest entry of the session that a person decided on, or that holds somebody; 0 without any."""
    found = await conn.scalar(
        text("SELECT coalesce(max(id), 0) FROM adjustment WHERE session_id = :s AND attempt_id IS NULL"),
        {"s": session_id},
    )
    return int(found or 0)


async def _rows(conn: AsyncConnection, sql: str, **values: Any) -> Sequence[RowMapping]:
    return (await conn.execute(text(sql), values)).mappings().all()
