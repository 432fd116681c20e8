"""试题异议: a candidate says that an item is wrong, and the invigilator writes it down (plan 4.1).

The candidate goes on with the others; nothing is decided here. What is written down is the number on that candidate's
own paper and what they say; the record knows which version of which item that is, and so everybody else who drew it,
for the office's decision afterwards. The staff of a room are never told which item of the bank it is.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.domain.roles import allows, scope
from app.services.staff_requests import Done
from app.storage.postgres import item_reports
from app.storage.postgres.staff import Login


async def report(
    conn: AsyncConnection, login: Login, attempt_id: UUID, *, position: int, said: str, told_by: str, now_ms: int
) -> Done:
    """``{report}``. Refused: not-found, not-permitted, item-position-unknown, item-report-early (I12: a question that
    nobody can have seen)."""
    place = await item_reports.place(conn, attempt_id, position)
    if place is None:
        raise Refused("not-found")
    room_id = place["room_id"]
    if not allows(login.role, "item-report", room_id=room_id, own_room_ids=login.own_room_ids):
        raise Refused("not-permitted")
    if place["start_ms"] is None or now_ms < place["start_ms"]:
        raise Refused("item-report-early")
    if place["item_version_id"] is None:
        raise Refused("item-position-unknown", position=position, count=place["count"])
    told_by = told_by or login.told_by
    new = await item_reports.insert(
        conn, session_id=place["session_id"], attempt_id=attempt_id, item_version_id=place["item_version_id"],
        position=position, room_id=room_id, seat_label=place["seat"], text=said, told_by=told_by,
        staff_id=login.staff_id, made_ms=now_ms,
    )  # fmt: skip
    # What was said may quote the question: it stays out of the log, which more people read.
    subject = {
        "report": new, "ticket": place["ticket"], "attempt": str(attempt_id), "session_id": place["session_id"],
        "room_id": room_id, "room": place["room"], "seat": place["seat"], "position": position, "told_by": told_by,
    }  # fmt: skip
    return Done({"report": _told(await item_reports.find(conn, new), login)}, "item.report", subject)


async def listed(conn: AsyncConnection, login: Login, session_id: int) -> dict[str, Any]:
    """``{reports: [{id, position, text, ticket, name, room, seat, by, told_by, at, at_ms, item, drawn, reported}]}``,
    the newest first, of the rooms in reach."""
    rooms = None if scope(login.role, "item-report-view") == "all" else sorted(login.own_room_ids)
    return {"reports": [_told(row, login) for row in await item_reports.of_session(conn, session_id, rooms)]}


def _told(row: RowMapping, login: Login) -> dict[str, Any]:
    """``item``: its number in the bank, ``drawn``: how many of the session have it, ``reported``: how many of them have
    said so; null for those who watch a room."""
    office = scope(login.role, "item-report-view") == "all"
    return {
        "id": row["id"], "position": row["position"], "text": row["text"], "ticket": row["ticket"],
        "name": row["name"], "room": row["room"], "seat": row["seat_label"], "by": row["by"],
        "told_by": row["told_by"], "at": row["made_at"].isoformat(timespec="seconds"), "at_ms": row["made_ms"],
        "item": row["item"] if office else None, "drawn": row["drawn"] if office else None,
        "reported": row["reported"] if office else None,
    }  # fmt: skip
