"""The exam office's page: all rooms of a session at a glance, the feed of the day, anybody by name, over one stream.

An account with rooms of its own (a chief) sees those. What is sent is made once for everybody who sees the same.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

import orjson
import structlog
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api.access import login_of, needs
from app.api.deps import get_deps
from app.api.schemas.staff import BIGGEST_ID
from app.api.staff import KEEP_ALIVE_S, LOGIN_CHECK_S, LOOK_UP_S, SessionId, feeds
from app.domain.errors import Refused
from app.services import day_feed, hall_look, hall_search
from app.services.day_feed import Kind
from app.services.hall_viewer import Viewer, viewer_of
from app.services.room import SeatState
from app.storage.postgres import rooms
from app.storage.postgres.staff import Login

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/api/v1/staff/hall", tags=["staff"])
Seeing = Annotated[Login, needs("hall-view")]
Number = Annotated[int | None, Query(ge=1, le=BIGGEST_ID)]
# What a page that comes back has missed; more than this it asks for by itself.
CATCH_UP = 50
NO_STORE = {"Cache-Control": "no-store"}


@router.get("")
async def overview(request: Request, login: Seeing, session: SessionId) -> Response:
    """All rooms of a session now: `{session, clock, rooms, totals, incidents, proposals, decisions, announcements}`.

    Each room has its head-counts, people by state, spare seats, what is open there, who signed it off and released it,
    and `level` (alarm, look, calm, done) with `why`.
    """
    viewer = viewer_of(login)
    seen = await hall_look.once(get_deps(request).site, session)
    return Response(seen.text(viewer), media_type="application/json", headers=NO_STORE)


@router.get("/feed")
async def feed(
    request: Request,
    login: Seeing,
    session: SessionId,
    room: Number = None,
    kind: Kind | None = None,
    before: Number = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """What happened, newest first: `{entries: [{n, at, by, role, action, kind, zh, en, room_ids, room, tickets,
    names, scope, about_zh, about_en}], next, people, rooms, kinds}`. `next` is the `before` of the following page."""
    viewer = viewer_of(login)
    async with get_deps(request).engine.connect() as conn:
        exam_id = await _exam(conn, session)
        return await day_feed.page(
            conn, viewer, exam_id, room_id=room, kind=kind, before=before, after=None, limit=limit
        )


@router.get("/candidates")
async def candidates(
    request: Request,
    login: Seeing,
    session: SessionId,
    query: Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")] = "",
    state: SeatState | None = None,
    room: Number = None,
    skip: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> dict[str, Any]:
    """Whom a name, ticket, seat or room means, or who is in a `state`, by room and seat: `{candidates, total, next}`.

    `next` is the `skip` of the following page.
    """
    deps = get_deps(request)
    silent_ms = int(deps.settings.silent_after.total_seconds() * 1000)
    async with deps.site.plain() as conn:
        return await hall_search.search(
            conn, viewer_of(login), session, query, state=state, room_id=room, skip=skip,
            now_ms=deps.service_time.now_ms(), silent_ms=silent_ms,
        )  # fmt: skip


@router.get("/events")
async def hall_events(
    request: Request, login: Seeing, session: SessionId, after: Annotated[int, Query(ge=0, le=BIGGEST_ID)] = 0
) -> StreamingResponse:
    """Server-sent events: `hall` (as `GET /staff/hall`), `feed` (newer `entries`, `people`), `away` (cannot be read),
    `closed`.

    `after` is the newest entry the page has; 0 begins with what is new from now on.
    """
    async with get_deps(request).engine.connect() as conn:
        exam_id = await _exam(conn, session)
    return StreamingResponse(
        _stream(request, login, session, exam_id, after),
        media_type="text/event-stream",
        headers={**NO_STORE, "X-Accel-Buffering": "no"},
    )


async def _exam(conn: AsyncConnection, session_id: int) -> int:
    found = await rooms.find_session(conn, session_id)
    if found is None:
        raise Refused("not-found")
    return int(found["exam_id"])


async def _stream(request: Request, login: Login, session_id: int, exam_id: int, after: int) -> AsyncIterator[bytes]:
    deps, viewer = get_deps(request), viewer_of(login)
    ends = time.monotonic() + deps.settings.stream_life.total_seconds()
    checked = said = time.monotonic()
    n = 0
    async with feeds(request).watch_hall(session_id) as board:
        if after:
            found, people, more = await _missed(request, viewer, exam_id, after)
            after = max([after, *(entry["n"] for entry in found)])
            yield _feed(found, people, more=more)
        while (now := time.monotonic()) < ends and not deps.site.closing.is_set():
            seen = await board.newer_than(n, LOOK_UP_S)
            if seen is None:
                if now - said >= KEEP_ALIVE_S - LOOK_UP_S:
                    said = now
                    yield b": keep-alive\n\n"
            else:
                n, said = seen.n, now
                if seen.text is None:
                    yield b"event: away\ndata: {}\n\n"
                else:
                    yield b"event: hall\ndata: " + seen.text.text(viewer) + b"\n\n"
                    after = after or seen.text.recent.last or 0
                    hidden = seen.text.hidden(viewer)
                    news, people = seen.text.recent.newer(after, viewer, seen.text.slow.exam, hidden)
                    if news:
                        after = news[0]["n"]
                        yield _feed(news, people)
            if now - checked >= LOGIN_CHECK_S:
                checked = now
                refused, viewer = await _no_longer_welcome(request, viewer)
                if refused is not None:
                    yield b'event: closed\ndata: {"code": "' + refused.code.encode() + b'"}\n\n'
                    return


async def _missed(
    request: Request, viewer: Viewer, exam_id: int, after: int
) -> tuple[list[dict[str, Any]], dict[str, str], bool]:
    """Newest first, names by ticket, and whether there are others between these and what the page has."""
    async with get_deps(request).engine.connect() as conn:
        found = await day_feed.page(
            conn, viewer, exam_id, room_id=None, kind=None, before=None, after=after, limit=CATCH_UP
        )
    return found["entries"], found["people"], found["next"] is not None


def _feed(entries: list[dict[str, Any]], people: dict[str, str], *, more: bool = False) -> bytes:
    """``people``: names by ticket; ``more``: there are others between these and what the page has."""
    return b"event: feed\ndata: " + orjson.dumps({"entries": entries, "people": people, "more": more}) + b"\n\n"


async def _no_longer_welcome(request: Request, viewer: Viewer) -> tuple[Refused | None, Viewer]:
    """Why the stream must end, if it must; otherwise what its reader may see by now."""
    try:
        return None, viewer_of(await login_of(request))
    except Refused as refused:
        return refused, viewer
    except (SQLAlchemyError, OSError) as fault:
        # Cannot tell, which is not "no": asked again in a few seconds.
        log.info("login not checked", fault=repr(fault))
    return None, viewer
