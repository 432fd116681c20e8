"""The administration: exams, their sessions, rooms and seats, set up at the console before the day.

Everything here is for ``manage-site``. Accounts and who watches which room are in ``accounts``; a seat that is out of
order is marked where everybody marks it (``/seats/{id}/mark``); files and draws are in ``site_jobs``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api.access import needs
from app.api.deps import get_deps
from app.api.schemas.site import (
    ChangeRoom,
    ChangeSession,
    NewExam,
    RemoveRoom,
    RemoveSession,
    RenameBuilding,
    RenameExam,
    RoomIn,
    SessionIn,
    SetBlueprint,
)
from app.api.staff import Id, Key
from app.domain.errors import Refused
from app.services import exam_picture, exam_rooms, exam_setup, staff_requests
from app.services.staff_requests import Done
from app.services.staff_requests import Request as StaffRequest
from app.storage.postgres import exam_setup as stored
from app.storage.postgres.staff import Login

router = APIRouter(prefix="/api/v1/staff/site", tags=["staff"])
Office = Annotated[Login, needs("manage-site")]
LOOKING = [needs("manage-site")]


async def once(
    request: Request, login: Login, asked: StaffRequest, act: Callable[[AsyncConnection], Awaitable[Done]]
) -> dict[str, Any]:
    deps = get_deps(request)
    return await staff_requests.once(deps.engine, login, asked, act, now_ms=deps.service_time.now_ms())


# --- exams ---


@router.get("/exams", dependencies=LOOKING)
async def listed(request: Request) -> dict[str, Any]:
    """Every exam: `{exams: [{id, code, name, timezone, is_demo, sessions, rooms, candidates, items}]}`."""
    async with get_deps(request).engine.connect() as conn:
        return {"exams": await stored.listed(conn)}


@router.post("/exams")
async def add_exam(request: Request, login: Office, key: Key, body: NewExam) -> dict[str, Any]:
    """A new exam, empty: `{id, code}`."""
    act = partial(exam_setup.add_exam, code=body.code, name=body.name, timezone=body.timezone)
    return await once(request, login, StaffRequest(key, "site.exam-add", body.model_dump(mode="json")), act)


@router.get("/exams/{exam_id}", dependencies=LOOKING)
async def one(request: Request, exam_id: Id) -> dict[str, Any]:
    """An exam: `{exam, sessions: [{id, number, name, start, minutes, sign_in_opens, last_admission, earliest_hand_in,
    state, people, papers, signed_in, items, digest, drawn_at}], rooms: [{id, name, number, building_id, building,
    ordinal, seats, spares, out_of_order, people, staff}], job}`; `job` as `/site/jobs/{id}` tells it."""
    async with get_deps(request).engine.connect() as conn:
        return await exam_picture.picture(conn, exam_id)


@router.post("/exams/{exam_id}")
async def rename_exam(request: Request, login: Office, key: Key, exam_id: Id, body: RenameExam) -> dict[str, Any]:
    """Another name for the exam: `{id, name}`."""
    asked = StaffRequest(key, f"site.exam {exam_id}", body.model_dump(mode="json"))
    return await once(
        request, login, asked, partial(exam_setup.rename_exam, exam_id=exam_id, name=body.name, seen=body.seen)
    )


# --- sessions ---


@router.post("/exams/{exam_id}/sessions")
async def add_session(request: Request, login: Office, key: Key, exam_id: Id, body: SessionIn) -> dict[str, Any]:
    """One more session, after the last: `{id, number}`."""
    asked = StaffRequest(key, f"site.session-add {exam_id}", body.model_dump(mode="json"))
    return await once(request, login, asked, partial(exam_setup.add_session, exam_id=exam_id, form=body.form()))


@router.post("/sessions/{session_id}")
async def change_session(
    request: Request, login: Office, key: Key, session_id: Id, body: ChangeSession
) -> dict[str, Any]:
    """Its name, start, length and the settings of the door, before it begins: `{id, changed}`."""
    asked = StaffRequest(key, f"site.session {session_id}", body.model_dump(mode="json"))
    act = partial(exam_setup.change_session, session_id=session_id, form=body.form(), seen=body.seen.form())
    return await once(request, login, asked, act)


@router.post("/sessions/{session_id}/remove")
async def remove_session(
    request: Request, login: Office, key: Key, session_id: Id, body: RemoveSession
) -> dict[str, Any]:
    """A session to which nobody is allocated goes: `{id}`."""
    asked = StaffRequest(key, f"site.session-remove {session_id}", body.model_dump(mode="json"))
    return await once(
        request, login, asked, partial(exam_setup.remove_session, session_id=session_id, seen=body.seen.form())
    )


@router.get("/sessions/{session_id}/blueprint", dependencies=LOOKING)
async def blueprint(request: Request, session_id: Id) -> dict[str, Any]:
    """What papers are made of, against the bank: `{strata: [{type, topic, count, needed, available}]}`."""
    async with get_deps(request).engine.connect() as conn:
        return await exam_picture.standing(conn, session_id)


@router.post("/sessions/{session_id}/blueprint")
async def set_blueprint(
    request: Request, login: Office, key: Key, session_id: Id, body: SetBlueprint
) -> dict[str, Any]:
    """So many items on every paper, in the bank's own proportions: `{items}`."""
    asked = StaffRequest(key, f"site.blueprint {session_id}", body.model_dump(mode="json"))
    act = partial(exam_picture.set_blueprint, session_id=session_id, items=body.items, seen=body.seen)
    return await once(request, login, asked, act)


# --- rooms ---


@router.post("/exams/{exam_id}/rooms")
async def add_room(request: Request, login: Office, key: Key, exam_id: Id, body: RoomIn) -> dict[str, Any]:
    """One more room with its seats, after the last: `{id, name}`."""
    asked = StaffRequest(key, f"site.room-add {exam_id}", body.model_dump(mode="json"))
    return await once(request, login, asked, partial(exam_rooms.add_room, exam_id=exam_id, form=body.form()))


@router.post("/rooms/{room_id}")
async def change_room(request: Request, login: Office, key: Key, room_id: Id, body: ChangeRoom) -> dict[str, Any]:
    """Its name, building and seats; while a session is going on in it, only more spare seats: `{id, changed}`."""
    asked = StaffRequest(key, f"site.room {room_id}", body.model_dump(mode="json"))
    now_ms = get_deps(request).service_time.now_ms()
    act = partial(exam_rooms.change_room, room_id=room_id, form=body.form(), seen=body.seen.form(), now_ms=now_ms)
    return await once(request, login, asked, act)


@router.post("/rooms/{room_id}/remove")
async def remove_room(request: Request, login: Office, key: Key, room_id: Id, body: RemoveRoom) -> dict[str, Any]:
    """A room in which nobody is allocated a seat goes: `{id}`."""
    asked = StaffRequest(key, f"site.room-remove {room_id}", body.model_dump(mode="json"))
    return await once(request, login, asked, partial(exam_rooms.remove_room, room_id=room_id, seen=body.seen.form()))


@router.get("/rooms/{room_id}/seats", dependencies=LOOKING)
async def seats(request: Request, room_id: Id) -> dict[str, Any]:
    """A room's seats in order: `{seats: [{id, label, is_spare, out_of_order, people}]}`."""
    async with get_deps(request).engine.connect() as conn:
        if await stored.exam_of_room(conn, room_id) is None:
            raise Refused("not-found")
        return {"seats": await stored.seats(conn, room_id)}


@router.post("/buildings/{building_id}")
async def rename_building(
    request: Request, login: Office, key: Key, building_id: Id, body: RenameBuilding
) -> dict[str, Any]:
    """Another name for a building: `{id, name}`."""
    asked = StaffRequest(key, f"site.building {building_id}", body.model_dump(mode="json"))
    act = partial(exam_rooms.rename_building, building_id=building_id, name=body.name, seen=body.seen)
    return await once(request, login, asked, act)
