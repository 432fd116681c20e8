"""A room asks another one for a seat, calls its roll, and writes down who leaves for good."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request

from app.api.access import needs, permit
from app.api.deps import get_deps
from app.api.schemas.room_calls import AnswerSpare, AskSpare, MarkRoll, RollCall, Told, Withdraw
from app.api.staff import Id, Key, SessionId, carried_out, feeds
from app.services import roll_calls, spare_requests, withdrawal
from app.services.attendance import Where
from app.services.staff_requests import Request as StaffRequest
from app.storage.postgres import roll_calls as rows
from app.storage.postgres.staff import Login

router = APIRouter(prefix="/api/v1/staff", tags=["staff"])
Moving = Annotated[Login, needs("relog")]
Calling = Annotated[Login, needs("roll-call")]


@router.post("/attempts/{attempt_id}/spare-request")
async def ask_spare(request: Request, login: Moving, key: Key, attempt_id: UUID, body: AskSpare) -> dict[str, Any]:
    """Ask the nearest room for a spare seat: `{request, already}`. No seat is kept by it."""
    act = partial(
        spare_requests.ask,
        login=login,
        attempt=attempt_id,
        to_room_id=body.to_room_id,
        reason=body.reason,
        told_by=body.told_by,
    )
    return await carried_out(request, login, key, f"spare-ask {attempt_id}", body, act)


@router.post("/spare-requests/{request_id}/answer")
async def answer_spare(request: Request, login: Moving, key: Key, request_id: Id, body: AnswerSpare) -> dict[str, Any]:
    """The asked room's word; with yes a seat of it is kept by an open relog: `{request, relog, already}`."""
    act = partial(
        spare_requests.answer,
        login=login,
        request_id=request_id,
        yes=body.answer == "yes",
        told_by=body.told_by,
    )
    return await carried_out(request, login, key, f"spare-answer {request_id}", body, act)


@router.post("/spare-requests/{request_id}/withdraw")
async def withdraw_spare(request: Request, login: Moving, key: Key, request_id: Id, body: Told) -> dict[str, Any]:
    """The room that asked needs it no longer: `{request, already}`."""
    act = partial(spare_requests.withdraw, login=login, request_id=request_id, told_by=body.told_by)
    return await carried_out(request, login, key, f"spare-withdraw {request_id}", body, act)


@router.get("/rooms/{room_id}/roll-calls")
async def of_room(
    request: Request, login: Annotated[Login, needs("view-room")], room_id: Id, session: SessionId
) -> dict[str, Any]:
    """The room's roll calls in the session, newest first: `{roll_calls: [{id, opened, closed, people, counts}]}`."""
    permit(login, "view-room", room_id)
    async with get_deps(request).engine.connect() as conn:
        found = await rows.of_room(conn, session, room_id)
    return {"roll_calls": [one.told() for one in found]}


@router.post("/rooms/{room_id}/roll-call")
async def begin(request: Request, login: Calling, key: Key, room_id: Id, body: RollCall) -> dict[str, Any]:
    """Everybody present is to be found: `{roll_call, already}`; one that is open goes on."""
    where = Where(body.session_id, room_id, body.told_by)
    act = partial(roll_calls.begin, login=login, where=where)
    return await carried_out(request, login, key, f"roll-call {room_id}", body, act)


@router.post("/rooms/{room_id}/roll-call/{roll_call_id}/marks")
async def mark(
    request: Request, login: Calling, key: Key, room_id: Id, roll_call_id: Id, body: MarkRoll
) -> dict[str, Any]:
    """Who is there and who is missing: `{roll_call, changed}`."""
    act = partial(
        roll_calls.mark,
        login=login,
        where=Where(body.session_id, room_id, body.told_by),
        roll_call_id=roll_call_id,
        tickets=body.tickets,
        found=body.found,
    )
    return await carried_out(request, login, key, f"roll-call-mark {room_id} {roll_call_id}", body, act)


@router.post("/rooms/{room_id}/roll-call/{roll_call_id}/close")
async def close(
    request: Request, login: Calling, key: Key, room_id: Id, roll_call_id: Id, body: RollCall
) -> dict[str, Any]:
    """It is over; who was not called stays open on record: `{roll_call, already}`."""
    where = Where(body.session_id, room_id, body.told_by)
    act = partial(roll_calls.close, login=login, where=where, roll_call_id=roll_call_id)
    return await carried_out(request, login, key, f"roll-call-close {room_id} {roll_call_id}", body, act)


@router.post("/attempts/{attempt_id}/withdraw")
async def withdraw(
    request: Request, login: Annotated[Login, needs("withdraw")], key: Key, attempt_id: UUID, body: Withdraw
) -> dict[str, Any]:
    """They leave for good: ended, every answer kept: `{candidate, withdrew: {by, ms, reason}, already}`."""
    asked = StaffRequest(key, f"withdraw-candidate {attempt_id}", body.model_dump(mode="json"))
    reply = await withdrawal.withdraw(
        get_deps(request).site, login, asked, attempt_id, reason=body.reason, told_by=body.told_by
    )
    feeds(request).hurry()
    return reply
