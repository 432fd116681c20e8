"""Roll calls 点名: who of a room is there, each with who saw them and when."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class RollCall:
    """``people``: ``{ticket, name, seat}`` of everybody present when it began, in seat order; ``marks``: by ticket
    ``{found, by, ms}``."""

    id: int
    session_id: int
    room_id: int
    room: str
    people: Sequence[Mapping[str, Any]]
    marks: Mapping[str, Mapping[str, Any]]
    by: str
    made_ms: int
    closed_by: str | None
    closed_ms: int | None

    @property
    def counts(self) -> dict[str, int]:
        found = [one["found"] for one in self.marks.values()]
        return {
            "people": len(self.people),
            "found": found.count(True),
            "missing": found.count(False),
            "open": len(self.people) - len(found),
        }

    def told(self) -> dict[str, Any]:
        nobody = {"found": None, "by": None, "ms": None}
        return {
            "id": self.id,
            "opened": {"by": self.by, "ms": self.made_ms},
            "closed": None if self.closed_ms is None else {"by": self.closed_by, "ms": self.closed_ms},
            "people": [{**one, **self.marks.get(one["ticket"], nobody)} for one in self.people],
            "counts": self.counts,
        }


_ROLL_CALL = """
SELECT rc.id, rc.session_id, rc.room_id, r.name AS room, rc.people, rc.marks, st.name AS by, rc.made_ms,
    cl.name AS closed_by, rc.closed_ms
FROM roll_call rc JOIN room r ON r.id = rc.room_id JOIN staff st ON st.id = rc.staff_id
LEFT JOIN staff cl ON cl.id = rc.closed_by
"""


async def find(conn: AsyncConnection, roll_call_id: int, *, lock: bool = False) -> RollCall | None:
    """With ``lock`` its row is locked first, and read afterwards."""
    if lock:
        await conn.execute(text("SELECT 1 FROM roll_call WHERE id = :id FOR NO KEY UPDATE"), {"id": roll_call_id})
    row = (await conn.execute(text(f"{_ROLL_CALL} WHERE rc.id = :id"), {"id": roll_call_id})).mappings().one_or_none()
    return RollCall(**row) if row is not None else None


async def of_room(conn: AsyncConnection, session_id: int, room_id: int) -> Sequence[RollCall]:
    """Every one, newest first."""
    rows = await conn.execute(
        text(f"{_ROLL_CALL} WHERE rc.session_id = :session AND rc.room_id = :room ORDER BY rc.id DESC"),
        {"session": session_id, "room": room_id},
    )
    return [RollCall(**row) for row in rows.mappings()]


async def find_open(conn: AsyncConnection, session_id: int, room_id: int) -> RollCall | None:
    row = await conn.execute(
        text(f"{_ROLL_CALL} WHERE rc.session_id = :session AND rc.room_id = :room AND rc.closed_ms IS NULL"),
        {"session": session_id, "room": room_id},
    )
    found = row.mappings().one_or_none()
    return RollCall(**found) if found is not None else None


async def begin(
    conn: AsyncConnection, session_id: int, room_id: int, people: Sequence[Mapping[str, Any]], *, told_by: str,
    staff_id: int, now_ms: int,
) -> bool:  # fmt: skip
    """False when one is open already: of two who begin at once the second finds the first."""
    entered = await conn.execute(
        text(
            "INSERT INTO roll_call (session_id, room_id, people, told_by, staff_id, made_ms)"
            " VALUES (:session, :room, CAST(:people AS jsonb), :told_by, :staff, :now)"
            " ON CONFLICT (session_id, room_id) WHERE closed_ms IS NULL DO NOTHING RETURNING id"
        ),
        {
            "session": session_id, "room": room_id, "people": json.dumps(list(people), ensure_ascii=False),
            "told_by": told_by, "staff": staff_id, "now": now_ms,
        },
    )  # fmt: skip
    return entered.scalar_one_or_none() is not None


async def mark(conn: AsyncConnection, roll_call_id: int, marks: Mapping[str, Mapping[str, Any] | None]) -> None:
    """These marks instead of what stood there; None takes one off. Row locked by the caller."""
    off = [ticket for ticket, one in marks.items() if one is None]
    on = {ticket: one for ticket, one in marks.items() if one is not None}
    await conn.execute(
        text("UPDATE roll_call SET marks = (marks - CAST(:off AS text[])) || CAST(:on AS jsonb) WHERE id = :id"),
        {"off": off, "on": json.dumps(on, ensure_ascii=False), "id": roll_call_id},
    )


async def close(conn: AsyncConnection, roll_call_id: int, *, staff_id: int, now_ms: int) -> None:
    """Row locked by the caller."""
    await conn.execute(
        text("UPDATE roll_call SET closed_by = :staff, closed_ms = :now WHERE id = :id"),
        {"staff": staff_id, "now": now_ms, "id": roll_call_id},
    )
