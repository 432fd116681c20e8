"""Staff: sign-in, the live room, relog, seats out of order (DESIGN §6).

Who may do what is asked of ``domain.roles`` and nothing else. Every change takes an ``Idempotency-Key`` and goes
through ``staff_requests.once``: one transaction holds the change, its reply and its audit entry.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Annotated, Any, Protocol, cast
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api.access import SIGNED_IN, login_of, needs, nobody_yet, permit
from app.api.deps import address_of, get_deps
from app.api.schemas.staff import BIGGEST_ID, MarkSeat, OpenRelog, SignIn
from app.domain.errors import Refused
from app.domain.roles import ACTIONS, Action, allows
from app.services import relog, room, staff_requests, staff_sign_in
from app.services.room_feed import RoomFeeds
from app.services.staff_requests import Done
from app.services.staff_requests import Request as StaffRequest
from app.storage.postgres import rooms
from app.storage.postgres.staff import Login

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/api/v1/staff", tags=["staff"])

Id = Annotated[int, Path(ge=1, le=BIGGEST_ID)]
SessionId = Annotated[int, Query(alias="session", ge=1, le=BIGGEST_ID)]
# What a page asks before it shows a button.
CLICKS: tuple[Action, ...] = tuple(action for action in ACTIONS if action != "view-room")
KEEP_ALIVE_S = 5.0
LOOK_UP_S = 1.0
LOGIN_CHECK_S = 10.0


def idempotency_key(idempotency_key: Annotated[str | None, Header()] = None) -> str:
    """The request's key, made by the browser once per click. Refuses idempotency-key-needed."""
    if idempotency_key is None or not 0 < len(idempotency_key) <= 100:
        raise Refused("idempotency-key-needed")
    return idempotency_key


Key = Annotated[str, Depends(idempotency_key)]
Watching = Annotated[Login, needs("view-room")]


def feeds(request: Request) -> RoomFeeds:
    """The open room pages of this process; ``hurry()`` after a change shows it to them at once."""
    return cast("RoomFeeds", request.app.state.room_feeds)


class Act(Protocol):
    """A change: ``clock`` tells service time, to be read under its locks."""

    def __call__(self, conn: AsyncConnection, *, clock: Callable[[], int]) -> Awaitable[Done]: ...


async def carried_out(
    request: Request, login: Login, key: str, change: str, body: BaseModel, act: Act
) -> dict[str, Any]:
    """The reply of ``act``, once for this ``key``: ``change`` says what is done and to whom, ``body`` everything else.
    Its audit entry is what ``act`` says it did (``staff_requests.once``). The room's pages look again at once."""
    deps = get_deps(request)
    clock = deps.service_time.now_ms
    asked = StaffRequest(key, change, body.model_dump(mode="json"))
    reply = await staff_requests.once(deps.engine, login, asked, partial(act, clock=clock), now_ms=clock())
    feeds(request).hurry()
    return reply


async def _told_login(request: Request, login: Login) -> dict[str, Any]:
    async with get_deps(request).engine.connect() as conn:
        reach = await staff_sign_in.rooms_in_reach(conn, login)
    return {
        "staff": {
            "username": login.username,
            "name": login.name,
            "role": login.role,
            "may": sorted(action for action in CLICKS if _may(login, action)),
            "must_change": login.must_change,
            "rooms": reach,
        },
        "expires_at": login.expires_at.isoformat(timespec="seconds"),
    }


def _may(login: Login, action: Action) -> bool:
    return allows(login.role, action, room_id=None, own_room_ids=login.own_room_ids)


@router.post("/sign-in", dependencies=[Depends(nobody_yet)])
async def sign_in(request: Request, body: SignIn) -> dict[str, Any]:
    """``{token, staff: {username, name, role, may, rooms}, expires_at}``."""
    signed_in = await staff_sign_in.sign_in(
        get_deps(request).site, username=body.username, password=body.password, address=address_of(request)
    )
    return {"token": signed_in.token, **await _told_login(request, signed_in.login)}


@router.post("/sign-out")
async def sign_out(request: Request, login: Annotated[Login, SIGNED_IN]) -> dict[str, Any]:
    """Revokes this login."""
    await staff_sign_in.sign_out(get_deps(request).site, login)
    return {}


@router.get("/me")
async def me(request: Request, login: Annotated[Login, SIGNED_IN]) -> dict[str, Any]:
    """As the reply of sign-in, without the token."""
    return await _told_login(request, login)


@router.get("/sessions")
async def sessions(request: Request, login: Watching) -> dict[str, Any]:
    """The sessions of the exams whose rooms the login sees: ``{sessions: [{…, clock, room_ids}]}``."""
    deps = get_deps(request)
    now_ms = deps.service_time.now_ms()
    async with deps.engine.connect() as conn:
        reach = await staff_sign_in.rooms_in_reach(conn, login)
        found = await rooms.sessions(conn, {one["exam_id"] for one in reach})
        used = await rooms.rooms_in_use(conn, [one["id"] for one in found])
    seen = {one["id"] for one in reach}
    return {
        "sessions": [
            {
                **room.told_session(one, now_ms),
                "clock": room.session_clock(one, now_ms),
                "room_ids": [room_id for room_id in used[one["id"]] if room_id in seen],
            }
            for one in found
        ]
    }


@router.get("/rooms/{room_id}")
async def room_picture(request: Request, login: Watching, room_id: Id, session: SessionId) -> dict[str, Any]:
    """The room in that session now (``services.room.picture``)."""
    permit(login, "view-room", room_id)
    deps = get_deps(request)
    now_ms = deps.service_time.now_ms()
    async with deps.engine.connect() as conn:
        loaded = await room.load(conn, room_id, session)
    silent_after_ms = int(deps.settings.silent_after.total_seconds() * 1000)
    return room.picture(loaded, now_ms, silent_after_ms, deps.settings.spare_low)


@router.get("/rooms/{room_id}/events")
async def room_events(request: Request, login: Watching, room_id: Id, session: SessionId) -> StreamingResponse:
    """Server-sent events: ``room`` (a whole picture), ``away`` (the stores cannot be asked), ``closed {code}``."""
    permit(login, "view-room", room_id)
    deps = get_deps(request)
    async with deps.engine.connect() as conn:
        found, timed = await rooms.find_room(conn, room_id), await rooms.find_session(conn, session)
    if found is None or timed is None or found["exam_id"] != timed["exam_id"]:
        raise Refused("not-found")
    return StreamingResponse(
        _stream(request, login, room_id, session),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(request: Request, login: Login, room_id: int, session_id: int) -> AsyncIterator[str]:
    deps = get_deps(request)
    ends = time.monotonic() + deps.settings.stream_life.total_seconds()
    checked = said = time.monotonic()
    n = 0
    async with feeds(request).watch(room_id, session_id) as feed:
        while (now := time.monotonic()) < ends and not get_deps(request).site.closing.is_set():
            # Not longer at a time: a process that is asked to end waits for nobody's quiet room.
            seen = await feed.newer_than(n, min(KEEP_ALIVE_S, LOOK_UP_S))
            if seen is None:
                if now - said >= KEEP_ALIVE_S - LOOK_UP_S:
                    said = now
                    yield ": keep-alive\n\n"
            else:
                n, said = seen.n, now
                yield "event: away\ndata: {}\n\n" if seen.text is None else f"event: room\ndata: {seen.text}\n\n"
            if now - checked >= LOGIN_CHECK_S:
                checked = now
                refused = await _no_longer_welcome(request, login, room_id)
                if refused is not None:
                    yield f'event: closed\ndata: {{"code": "{refused.code}"}}\n\n'
                    return


async def _no_longer_welcome(request: Request, login: Login, room_id: int) -> Refused | None:
    """Why the stream must end, if it must: it outlives neither its login nor the assignment to the room."""
    try:
        again = await login_of(request)
        permit(again, "view-room", room_id)
    except Refused as refused:
        return refused
    except (SQLAlchemyError, OSError) as fault:
        # Cannot tell, which is not "no": asked again in a few seconds.
        log.info("login not checked", staff=login.username, fault=repr(fault))
    return None


@router.post("/attempts/{attempt_id}/relog")
async def open_relog(
    request: Request, login: Annotated[Login, needs("relog")], key: Key, attempt_id: UUID, body: OpenRelog
) -> dict[str, Any]:
    """Let the candidate sign in at another seat: ``{relog: {id, state, from_seat, to_seat, name, ticket, …}}``."""
    deps = get_deps(request)
    now_ms = deps.service_time.now_ms()
    act = partial(
        relog.open_relog,
        login=login,
        attempt_id=attempt_id,
        to_seat_id=body.to_seat_id,
        reason=body.reason,
        note=body.note,
        told_by=body.told_by,
        now_ms=now_ms,
    )
    asked = StaffRequest(key, f"relog {attempt_id}", body.model_dump(mode="json"))
    reply = await staff_requests.once(deps.engine, login, asked, act, now_ms=now_ms)
    feeds(request).hurry()
    return reply


@router.post("/relogs/{relog_id}/withdraw")
async def withdraw_relog(
    request: Request, login: Annotated[Login, needs("relog")], key: Key, relog_id: Id
) -> dict[str, Any]:
    """Take back a relog that nobody has used yet."""
    deps = get_deps(request)
    now_ms = deps.service_time.now_ms()
    act = partial(relog.withdraw_relog, login=login, relog_id=relog_id, now_ms=now_ms)
    reply = await staff_requests.once(
        deps.engine, login, StaffRequest(key, f"withdraw {relog_id}", {}), act, now_ms=now_ms
    )
    feeds(request).hurry()
    return reply


@router.post("/seats/{seat_id}/mark")
async def mark_seat(
    request: Request, login: Annotated[Login, needs("mark-seat")], key: Key, seat_id: Id, body: MarkSeat
) -> dict[str, Any]:
    """Put a seat out of order with the reason, or back in order."""
    deps = get_deps(request)
    now_ms = deps.service_time.now_ms()
    act = partial(relog.mark_seat, login=login, seat_id=seat_id, out_of_order=body.out_of_order, told_by=body.told_by)
    asked = StaffRequest(key, f"mark {seat_id}", body.model_dump(mode="json"))
    reply = await staff_requests.once(deps.engine, login, asked, act, now_ms=now_ms)
    feeds(request).hurry()
    return reply
