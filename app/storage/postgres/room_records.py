"""A room's record of one session: absentees confirmed, signed off, released, each by somebody at some time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

Step = Literal["absent", "signed", "released"]

_RECORD = """
SELECT r.absent_ms, ab.name AS absent_by, r.signed_ms, sg.name AS signed_by, r.released_ms, rl.name AS released_by,
    r.remarks
FROM room_record r
LEFT JOIN staff ab ON ab.id = r.absent_by
LEFT JOIN staff sg ON sg.id = r.signed_by
LEFT JOIN staff rl ON rl.id = r.released_by
WHERE r.session_id = :session AND r.room_id = :room
"""


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """``_by`` are names of staff; a step that was not taken has None twice."""

    absent_ms: int | None = None
    absent_by: str | None = None
    signed_ms: int | None = None
    signed_by: str | None = None
    released_ms: int | None = None
    released_by: str | None = None
    remarks: str = ""

    def step(self, step: Step) -> dict[str, Any] | None:
        """``{by, ms}`` of a step, None while it was not taken."""
        ms = getattr(self, f"{step}_ms")
        return None if ms is None else {"by": getattr(self, f"{step}_by"), "ms": ms}

    def told(self) -> dict[str, Any]:
        return {
            "absent_confirmed": self.step("absent"),
            "signed": self.step("signed"),
            "released": self.step("released"),
            "remarks": self.remarks,
        }


async def find(conn: AsyncConnection, session_id: int, room_id: int) -> RoomRecord:
    """The record as it stands; an empty one where nothing was entered yet."""
    row = (await conn.execute(text(_RECORD), {"session": session_id, "room": room_id})).mappings().one_or_none()
    return RoomRecord(**row) if row is not None else RoomRecord()


async def lock(conn: AsyncConnection, session_id: int, room_id: int) -> RoomRecord:
    """The record, its row made if need be and locked: of two who sign at once the second sees the first."""
    await conn.execute(
        text("INSERT INTO room_record (session_id, room_id) VALUES (:session, :room) ON CONFLICT DO NOTHING"),
        {"session": session_id, "room": room_id},
    )
    await conn.execute(
        text("SELECT 1 FROM room_record WHERE session_id = :session AND room_id = :room FOR NO KEY UPDATE"),
        {"session": session_id, "room": room_id},
    )
    return await find(conn, session_id, room_id)


async def take(
    conn: AsyncConnection,
    step: Step,
    session_id: int,
    room_id: int,
    *,
    staff_id: int | None,
    now_ms: int | None,
    remarks: str | None = None,
) -> None:
    """Enter a step, or (None twice) take it back. Row locked by the caller; ``remarks`` None leaves them."""
    await conn.execute(
        text(
            f"UPDATE room_record SET {step}_by = :staff, {step}_ms = :now,"  # noqa: S608 -- one of three words
            " remarks = coalesce(:remarks, remarks) WHERE session_id = :session AND room_id = :room"
        ),
        {"staff": staff_id, "now": now_ms, "remarks": remarks, "session": session_id, "room": room_id},
    )
