"""A room's record of one session: absentees confirmed, signed off, released, each by somebody at some time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

Step = Literal["absent", "signed", "released"]

_RECORD = """
SELECT r.absent_ms, ab.name AS absent_by, r.signed_ms, sg.name AS signed_by, r.released_ms, rl.name AS released_by,
    r.signed_expected, r.signed_present, r.signed_absent, r.remarks
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
    signed_expected: int | None = None
    signed_present: int | None = None
    signed_absent: int | None = None
    remarks: str = ""

    def step(self, step: Step) -> dict[str, Any] | None:
        """``{by, ms}`` of a step, None while it was not taken."""
        ms = getattr(self, f"{step}_ms")
        return None if ms is None else {"by": getattr(self, f"{step}_by"), "ms": ms}

    @property
    def numbers(self) -> dict[str, int] | None:
        """``{expected, present, absent}`` as they were signed, None while nobody has."""
        expected, present, absent = self.signed_expected, self.signed_present, self.signed_absent
        if expected is None or present is None or absent is None:
            return None
        return {"expected": expected, "present": present, "absent": absent}

    def told(self) -> dict[str, Any]:
        signed = self.step("signed")
        return {
            "absent_confirmed": self.step("absent"),
            "signed": None if signed is None else {**signed, "numbers": self.numbers},
            "released": self.step("released"),
            "remarks": self.remarks,
        }


async def find(conn: AsyncConnection, session_id: int, room_id: int) -> RoomRecord:
    """The record as it stands; an empty one where nothing was entered yet."""
    row = (await conn.execute(text(_RECORD), {"session": session_id, "room": room_id})).mappings().one_or_none()
    return RoomRecord(**row) if row is not None else RoomRecord()


async def released(conn: AsyncConnection, session_id: int, room_ids: Collection[int]) -> list[dict[str, Any]]:
    """Which of these rooms have been released: ``[{room_id, room, by, ms}]``."""
    found = await conn.execute(
        text(
            "SELECT r.room_id, room.name AS room, st.name AS by, r.released_ms AS ms FROM room_record r"
            " JOIN room ON room.id = r.room_id JOIN staff st ON st.id = r.released_by"
            " WHERE r.session_id = :session AND r.room_id = ANY(CAST(:rooms AS bigint[])) ORDER BY room.ordinal"
        ),
        {"session": session_id, "rooms": sorted(room_ids)},
    )
    return [dict(row) for row in found.mappings()]


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


async def sign(
    conn: AsyncConnection,
    session_id: int,
    room_id: int,
    numbers: tuple[int, int, int],
    *,
    staff_id: int,
    now_ms: int,
    remarks: str,
) -> None:
    """The signature, and under it the numbers: expected, present, absent. Row locked by the caller."""
    expected, present, absent = numbers
    await conn.execute(
        text(
            "UPDATE room_record SET signed_by = :staff, signed_ms = :now, signed_expected = :expected,"
            " signed_present = :present, signed_absent = :absent, remarks = :remarks"
            " WHERE session_id = :session AND room_id = :room"
        ),
        {
            "staff": staff_id, "now": now_ms, "expected": expected, "present": present, "absent": absent,
            "remarks": remarks, "session": session_id, "room": room_id,
        },
    )  # fmt: skip


async def unsign(conn: AsyncConnection, session_id: int, room_id: int) -> None:
    """The signature is taken back, and the release with it; the remarks stay for the next one. Row locked by the
    caller."""
    await conn.execute(
        text(
            "UPDATE room_record SET signed_by = NULL, signed_ms = NULL, signed_expected = NULL, signed_present = NULL,"
            " signed_absent = NULL, released_by = NULL, released_ms = NULL"
            " WHERE session_id = :session AND room_id = :room"
        ),
        {"session": session_id, "room": room_id},
    )


async def take(
    conn: AsyncConnection, step: Literal["absent", "released"], session_id: int, room_id: int, *,
    staff_id: int, now_ms: int,
) -> None:  # fmt: skip
    """Enter a step. Row locked by the caller."""
    await conn.execute(
        text(
            f"UPDATE room_record SET {step}_by = :staff, {step}_ms = :now"  # noqa: S608 -- one of two words
            " WHERE session_id = :session AND room_id = :room"
        ),
        {"staff": staff_id, "now": now_ms, "session": session_id, "room": room_id},
    )
