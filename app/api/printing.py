"""Paper: sheets for the door and the room, the room's record and the day's report."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response, StreamingResponse

from app.api.access import needs
from app.api.deps import get_deps
from app.api.exports import OfExam, OfSession
from app.api.schemas.incidents import Format, Language
from app.api.schemas.staff import BIGGEST_ID
from app.api.staff import SessionId
from app.documents import sheets
from app.documents.model import Document, Heading
from app.domain.errors import Refused
from app.services import day_report, exporting, printables, room_report
from app.services.incident_report import TYPES, written
from app.services.printables import What
from app.storage.postgres import exports
from app.storage.postgres.staff import Login

router = APIRouter(prefix="/api/v1/staff", tags=["staff"])
RoomId = Annotated[int | None, Query(alias="room", ge=1, le=BIGGEST_ID)]
HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
HTML = "text/html; charset=utf-8"


@router.get("/print/room-record")
async def room_record(
    request: Request,
    login: Annotated[Login, needs("view-room")],
    session: SessionId,
    *,
    room: RoomId = None,
    form: Annotated[Format, Query(alias="format")] = "html",
    language: Language = "zh",
) -> Response:
    """The record of one room in a session, or of every room in reach: `format` html, xlsx or docx."""
    deps = get_deps(request)
    now_ms = deps.service_time.now_ms()
    async with deps.engine.connect() as conn:
        rooms = await room_report.rooms_of(conn, login, session, room)
    made = []
    for each in rooms:
        # A connection for each: a whole site takes longer than one may be held.
        async with deps.engine.connect() as conn:
            made.append(await room_report.document(conn, login, each, language, now_ms=now_ms))
    body = await asyncio.to_thread(_bound, made, form)
    return _file(body, form, f"room-record-{session}{'' if room is None else f'-{room}'}")


@router.get("/print/day-report")
async def day(
    request: Request,
    login: Annotated[Login, needs("hall-view")],
    *,
    exam: OfExam = None,
    session: OfSession = None,
    form: Annotated[Format, Query(alias="format")] = "html",
    language: Language = "zh",
) -> Response:
    """The report of an exam's day, or of one session, over the rooms in reach: `format` html, xlsx or docx."""
    if (exam is None) == (session is None):
        raise Refused("export-of-what")
    deps = get_deps(request)
    # One instant, on a connection of its own: a pool's is cut before a whole site's times are worked out.
    async with exporting.own_engine(deps.settings, deps.site.database_url) as engine, engine.connect() as conn:
        await conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        # Hundreds of ledgers beside the candidates: one list or report at a time for a person.
        if not await exports.take_turn(conn, login.staff_id):
            raise Refused("export-under-way")
        made = await day_report.document(
            deps.settings, conn, login, language, exam_id=exam, session_id=session, now_ms=deps.service_time.now_ms()
        )
    body = await asyncio.to_thread(written, made, form)
    return _file(body, form, f"day-report-{exam if session is None else f's{session}'}")


def _bound(made: list[Document], form: Format) -> bytes:
    """One document, or several as one: each on pages of its own in HTML, under its heading in a file."""
    if len(made) == 1:
        return written(made[0], form)
    if form == "html":
        first = made[0]
        parts = [sheets.begin(first.title, first.language), *map(sheets.told_document, made), sheets.END]
        return "".join(parts).encode()
    blocks = [block for each in made for block in (Heading(each.subtitle), *each.blocks)]
    return written(replace(made[0], subtitle="", blocks=blocks), form)


def _file(body: bytes, form: Format, name: str) -> Response:
    named = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return Response(body, media_type=TYPES[form], headers=HEADERS | named)


@router.get("/print/{what}")
async def of_a_room(
    request: Request,
    login: Annotated[Login, needs("view-room")],
    what: Annotated[What, Path()],
    session: SessionId,
    *,
    room: RoomId = None,
    language: Language = "zh",
    photos: bool | None = None,
) -> Response:
    """A sheet of one room, or of every room in reach, to print: the photos of a single room unless told otherwise."""
    deps = get_deps(request)
    pages = printables.pages(
        deps.engine, login, what, session_id=session, room_id=room, language=language,
        photos=room is not None if photos is None else photos, now_ms=deps.service_time.now_ms(),
    )  # fmt: skip
    # Refused before anything is sent.
    first = await anext(pages)
    return StreamingResponse(_all(first, pages), media_type=HTML, headers=HEADERS)


async def _all(first: str, rest: AsyncIterator[str]) -> AsyncIterator[bytes]:
    yield first.encode()
    async for part in rest:
        yield part.encode()
