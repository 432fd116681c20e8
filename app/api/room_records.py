"""A room accounts for its session, and who watches it."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Request

from app.api.access import needs
from app.api.deps import get_deps
from app.api.schemas.attendance import ChangeDuty, Release, Reopen, SignOff
from app.api.staff import Id, Key, carried_out
from app.services import duty, room_outbox, room_record
from app.services.attendance import Where
from app.storage.postgres.staff import Login

router = APIRouter(prefix="/api/v1/staff", tags=["staff"])


@router.post("/rooms/{room_id}/sign-off")
async def sign_off(
    request: Request, login: Annotated[Login, needs("sign-off-room")], key: Key, room_id: Id, body: SignOff
) -> dict[str, Any]:
    """The room's numbers, said and signed: `{numbers, record, already}`. Expected = present + absent, or refused."""
    act = partial(
        room_record.sign_off,
        login=login,
        where=Where(body.session_id, room_id, body.told_by),
        seen=(body.expected, body.present, body.absent),
        remarks=body.remarks,
    )
    return await carried_out(request, login, key, f"sign-off {room_id}", body, act)


@router.post("/rooms/{room_id}/sign-off/undo")
async def reopen(
    request: Request, login: Annotated[Login, needs("sign-off-room")], key: Key, room_id: Id, body: Reopen
) -> dict[str, Any]:
    """Take the signature back, for a reason: `{record, already}`."""
    where = Where(body.session_id, room_id, body.told_by)
    act = partial(room_record.reopen, login=login, where=where, reason=body.reason)
    return await carried_out(request, login, key, f"sign-off-undo {room_id}", body, act)


@router.post("/rooms/{room_id}/release")
async def release(
    request: Request, login: Annotated[Login, needs("release-room")], key: Key, room_id: Id, body: Release
) -> dict[str, Any]:
    """Everybody may go: signed, every attempt final, nothing known to wait: `{numbers, record, already}`."""
    deps = get_deps(request)
    where = Where(body.session_id, room_id, body.told_by)
    act = partial(room_record.release, login=login, where=where, waiting=partial(room_outbox.waiting, deps.site))
    return await carried_out(request, login, key, f"release {room_id}", body, act)


@router.get("/rooms/{room_id}/duty")
async def on_duty(request: Request, login: Annotated[Login, needs("manage-duty")], room_id: Id) -> dict[str, Any]:
    """Who watches the room, who could, and every change: `{on_duty, available, changes}`."""
    deps = get_deps(request)
    async with deps.engine.connect() as conn:
        return await duty.told(conn, login, room_id, demo=deps.settings.demo)


@router.post("/rooms/{room_id}/duty")
async def change_duty(
    request: Request, login: Annotated[Login, needs("manage-duty")], key: Key, room_id: Id, body: ChangeDuty
) -> dict[str, Any]:
    """An invigilator joins, leaves, or is replaced: `{on_duty: [{username, name, role}]}`."""
    deps = get_deps(request)
    act = partial(
        duty.change,
        login=login,
        room_id=room_id,
        joined=body.joined,
        left=body.left,
        reason=body.reason,
        told_by=body.told_by,
        demo=deps.settings.demo,
    )
    return await carried_out(request, login, key, f"duty {room_id}", body, act)
