"""At the door and in the room: check-in, late admission, absentees, seats exchanged, leaves (DESIGN §9).

The room is in the path, and whether it is one's own is asked with it; what is open in a room shows at once on every
page that watches it.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request

from app.api.access import needs
from app.api.deps import get_deps
from app.api.schemas.attendance import CheckIn, ConfirmAbsent, Leave, Return, SwapSeats, WithReason
from app.api.staff import Id, Key, carried_out, feeds
from app.services import attendance, leave, seat_swap
from app.services.attendance import Where
from app.services.staff_requests import Request as StaffRequest
from app.storage.postgres.staff import Login

router = APIRouter(prefix="/api/v1/staff", tags=["staff"])


@router.post("/rooms/{room_id}/check-in")
async def check_in(
    request: Request, login: Annotated[Login, needs("check-in")], key: Key, room_id: Id, body: CheckIn
) -> dict[str, Any]:
    """Seen at the door of this room: `{candidate, checked_in: {by, ms}, already}`."""
    where = Where(body.session_id, room_id, body.told_by)
    act = partial(attendance.check_in, login=login, where=where, ticket=body.ticket)
    return await carried_out(request, login, key, f"check-in {room_id}", body, act)


@router.post("/rooms/{room_id}/check-in/undo")
async def undo_check_in(
    request: Request, login: Annotated[Login, needs("check-in")], key: Key, room_id: Id, body: WithReason
) -> dict[str, Any]:
    """The wrong one was checked in: `{candidate, checked_in: null}`."""
    where = Where(body.session_id, room_id, body.told_by)
    act = partial(attendance.undo_check_in, login=login, where=where, ticket=body.ticket, reason=body.reason)
    return await carried_out(request, login, key, f"check-in-undo {room_id}", body, act)


@router.post("/rooms/{room_id}/admissions")
async def admit_late(
    request: Request, login: Annotated[Login, needs("admit-late")], key: Key, room_id: Id, body: WithReason
) -> dict[str, Any]:
    """Let somebody in after last admission; the time is lost: `{candidate, admission: {by, ms, reason}, already}`."""
    where = Where(body.session_id, room_id, body.told_by)
    act = partial(attendance.admit_late, login=login, where=where, ticket=body.ticket, reason=body.reason)
    return await carried_out(request, login, key, f"admit {room_id}", body, act)


@router.post("/rooms/{room_id}/absent")
async def confirm_absent(
    request: Request, login: Annotated[Login, needs("confirm-absent")], key: Key, room_id: Id, body: ConfirmAbsent
) -> dict[str, Any]:
    """The room's absentees, after last admission: `{absent: [candidate], numbers, record, already}`."""
    where = Where(body.session_id, room_id, body.told_by)
    act = partial(attendance.confirm_absent, login=login, where=where, tickets=body.tickets)
    return await carried_out(request, login, key, f"absent {room_id}", body, act)


@router.post("/seats/swap")
async def swap_seats(
    request: Request, login: Annotated[Login, needs("swap-seats")], key: Key, body: SwapSeats
) -> dict[str, Any]:
    """Two candidates get each other's seats before the start: `{candidates: [both, as they sit now]}`."""
    act = partial(
        seat_swap.swap_seats,
        login=login,
        session_id=body.session_id,
        seats=[(one.ticket, one.seat_id) for one in body.candidates],
        reason=body.reason,
        told_by=body.told_by,
    )
    reply = await carried_out(request, login, key, "swap", body, act)
    deps = get_deps(request)
    moved = [UUID(one["attempt_id"]) for one in reply["candidates"] if one["attempt_id"] is not None]
    await seat_swap.after(deps.site, deps.known, moved)
    return reply


@router.post("/attempts/{attempt_id}/leave")
async def leave_room(
    request: Request, login: Annotated[Login, needs("leave")], key: Key, attempt_id: UUID, body: Leave
) -> dict[str, Any]:
    """Out of the room; the question is hidden, the clock runs: `{leave: {kind, note, by, ms}, already}`."""
    asked = StaffRequest(key, f"leave {attempt_id}", body.model_dump(mode="json"))
    reply = await leave.leave(
        get_deps(request).site, login, asked, attempt_id, kind=body.kind, note=body.note, told_by=body.told_by
    )
    feeds(request).hurry()
    return reply


@router.post("/attempts/{attempt_id}/return")
async def come_back(
    request: Request, login: Annotated[Login, needs("leave")], key: Key, attempt_id: UUID, body: Return
) -> dict[str, Any]:
    """Back in the room: `{returned: {by, ms, away_ms}, already}`."""
    asked = StaffRequest(key, f"return {attempt_id}", body.model_dump(mode="json"))
    reply = await leave.come_back(get_deps(request).site, login, asked, attempt_id, told_by=body.told_by)
    feeds(request).hurry()
    return reply
