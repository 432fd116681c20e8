"""A roll call 点名: after an evacuation, or whenever somebody must know who is where.

It holds everybody who is present as it begins, at the seat they had then: who is moved afterwards is still looked for.
Every mark says who saw them (or did not) and when; the newest one counts, all of them are on the audit log. It is over
when somebody says so; what was open then stays open on record.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import identity
from app.domain.errors import Refused
from app.services.attendance import Where, permit
from app.services.staff_requests import Done
from app.storage.postgres import attendance, roll_calls
from app.storage.postgres.roll_calls import RollCall
from app.storage.postgres.staff import Login


async def begin(conn: AsyncConnection, login: Login, where: Where, *, clock: Callable[[], int]) -> Done:
    """``{roll_call, already}``; one that is open is told. Refuses not-permitted, not-found, roll-call-nobody."""
    permit(login, "roll-call", where.room_id)
    everybody = await attendance.of_room(conn, where.session_id, where.room_id)
    if not everybody:
        raise Refused("not-found")
    present = [one for one in everybody if one.standing == "present"]
    if not present:
        raise Refused("roll-call-nobody", room=everybody[0].room)
    people = [{"ticket": one.ticket, "name": one.name, "seat": one.seat} for one in present]
    now_ms = clock()
    begun = await roll_calls.begin(
        conn, where.session_id, where.room_id, people, told_by=where.told_by, staff_id=login.staff_id, now_ms=now_ms
    )
    found = await roll_calls.find_open(conn, where.session_id, where.room_id)
    if found is None:
        raise Refused("roll-call-closed", by="—")
    reply = {"roll_call": found.told(), "already": not begun}
    if not begun:
        return Done(reply)
    return Done(reply, "rollcall.begin", {**_subject(found, where.told_by), **found.counts}, now_ms)


async def mark(
    conn: AsyncConnection,
    login: Login,
    where: Where,
    roll_call_id: int,
    tickets: Collection[str],
    *,
    found: bool | None,
    clock: Callable[[], int],
) -> Done:
    """Seen (True), not here (False), or neither after all (None): ``{roll_call, changed}``; a mark that stands already
    is not made anew. Refuses not-permitted, not-found, ticket-unknown, roll-call-closed."""
    call = await _open(conn, login, where, roll_call_id)
    names = {one["ticket"]: one["name"] for one in call.people}
    wanted = sorted({identity.ticket_key(ticket) for ticket in tickets})
    for ticket in wanted:
        if ticket not in names:
            raise Refused("ticket-unknown", ticket=ticket)
    changed = [ticket for ticket in wanted if call.marks.get(ticket, {}).get("found") is not found]
    if not changed:
        return Done({"roll_call": call.told(), "changed": 0})
    now_ms = clock()
    word = None if found is None else {"found": found, "by": login.name, "ms": now_ms}
    await roll_calls.mark(conn, roll_call_id, dict.fromkeys(changed, word))
    after = await _found(conn, roll_call_id)
    subject = {**_subject(after, where.told_by), "tickets": changed, "found": found, **after.counts}
    return Done({"roll_call": after.told(), "changed": len(changed)}, "rollcall.mark", subject, now_ms)


async def close(
    conn: AsyncConnection, login: Login, where: Where, roll_call_id: int, *, clock: Callable[[], int]
) -> Done:
    """``{roll_call, already}``. Refuses not-permitted, not-found."""
    permit(login, "roll-call", where.room_id)
    call = await roll_calls.find(conn, roll_call_id, lock=True)
    if call is None or (call.session_id, call.room_id) != (where.session_id, where.room_id):
        raise Refused("not-found")
    if call.closed_ms is not None:
        return Done({"roll_call": call.told(), "already": True})
    now_ms = clock()
    await roll_calls.close(conn, roll_call_id, staff_id=login.staff_id, now_ms=now_ms)
    after = await _found(conn, roll_call_id)
    missing = sorted(ticket for ticket, one in after.marks.items() if not one["found"])
    subject = {**_subject(after, where.told_by), "tickets": missing, **after.counts}
    return Done({"roll_call": after.told(), "already": False}, "rollcall.close", subject, now_ms)


async def _open(conn: AsyncConnection, login: Login, where: Where, roll_call_id: int) -> RollCall:
    permit(login, "roll-call", where.room_id)
    call = await roll_calls.find(conn, roll_call_id, lock=True)
    if call is None or (call.session_id, call.room_id) != (where.session_id, where.room_id):
        raise Refused("not-found")
    if call.closed_ms is not None:
        raise Refused("roll-call-closed", by=call.closed_by)
    return call


async def _found(conn: AsyncConnection, roll_call_id: int) -> RollCall:
    found = await roll_calls.find(conn, roll_call_id)
    if found is None:
        raise LookupError(f"roll call {roll_call_id} vanished: they are never deleted")
    return found


def _subject(call: RollCall, told_by: str) -> dict[str, Any]:
    return {
        "roll_call": call.id,
        "session_id": call.session_id,
        "room": call.room,
        "room_id": call.room_id,
        "told_by": told_by,
    }
