"""An invigilator is replaced in a room, or joined by another.

What is open in a room belongs to the room and not to who opened it: relogs, proposals, pauses and incidents are found
by their rooms, so whoever is on duty from now on has them before them, and whoever left has not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.domain.roles import allows
from app.services.staff_requests import Done
from app.storage.postgres import duty, staff
from app.storage.postgres.staff import Account, Login


async def told(conn: AsyncConnection, login: Login, room_id: int, *, demo: bool) -> dict[str, Any]:
    """``{on_duty: [{username, name, role}], available: [{username, name, role, rooms}], changes: [{joined, left,
    reason, by, ms}]}``."""
    _permit(login, room_id)
    return {
        "on_duty": _names(await duty.on_duty(conn, room_id)),
        "available": await duty.available(conn, room_id, demo=demo),
        "changes": await duty.changes(conn, room_id),
    }


async def change(
    conn: AsyncConnection,
    login: Login,
    room_id: int,
    *,
    joined: str | None,
    left: str | None,
    reason: str,
    told_by: str,
    clock: Callable[[], int],
    demo: bool,
) -> Done:
    """``joined`` watches the room from now on, ``left`` no longer does (usernames); ``{on_duty}``.

    Refuses not-found, not-permitted, staff-unknown (also an account of the demo that joins where ``demo`` is False: it
    could never sign in), duty-not-watching (a role that watches no room), duty-changed (it is so already, with who is
    on duty now).
    """
    _permit(login, room_id)
    room = await duty.lock_room(conn, room_id)
    if room is None:
        raise Refused("not-found")
    coming = await _account(conn, joined)
    going = await _account(conn, left)
    if coming is not None and coming.is_demo and not demo:
        raise Refused("staff-unknown", username=coming.username)
    # Whose rooms are being assigned at this moment is waited for (services.staff_admin): neither undoes the other.
    for one in sorted(account.id for account in (coming, going) if account is not None):
        await staff.lock(conn, one)
    if coming is not None and (coming.disabled or coming.role not in ("invigilator", "chief")):
        raise Refused("duty-not-watching", name=coming.name)
    before = await duty.on_duty(conn, room_id)
    came = coming is None or await duty.join(conn, room_id, coming.id)
    went = going is None or await duty.leave(conn, room_id, going.id)
    if not came or not went:
        # The refusal rolls back what half of it did.
        raise Refused("duty-changed", names="、".join(one["name"] for one in before) or "—")
    now_ms = clock()
    await duty.enter(
        conn,
        room_id,
        joined_id=coming.id if coming is not None else None,
        left_id=going.id if going is not None else None,
        reason=reason,
        staff_id=login.staff_id,
        now_ms=now_ms,
    )
    subject = {
        "room_id": room_id,
        "room": room["name"],
        "joined": joined,
        "left": left,
        "reason": reason,
        "told_by": told_by,
    }
    return Done({"on_duty": _names(await duty.on_duty(conn, room_id))}, "duty.change", subject, now_ms)


def _names(watching: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: one[key] for key in ("username", "name", "role")} for one in watching]


async def _account(conn: AsyncConnection, username: str | None) -> Account | None:
    if username is None:
        return None
    found = await staff.find(conn, username)
    if found is None:
        raise Refused("staff-unknown", username=username)
    return found


def _permit(login: Login, room_id: int) -> None:
    if not allows(login.role, "manage-duty", room_id=room_id, own_room_ids=login.own_room_ids):
        raise Refused("not-permitted")
