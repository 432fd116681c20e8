"""Discrepancies 信息不符 over HTTP: written down at the door, decided on by the office, printed and exported."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.api.access import needs
from app.api.deps import get_deps
from app.api.schemas.discrepancies import AttachFiles, DecideAll, OpenDiscrepancy
from app.api.schemas.incidents import Language
from app.api.schemas.staff import BIGGEST_ID
from app.api.staff import Id, Key, SessionId, carried_out
from app.services import corrections, corrections_report, discrepancies
from app.storage.postgres.staff import Login

router = APIRouter(prefix="/api/v1/staff", tags=["staff"])
Reading = Annotated[Login, needs("discrepancy-view")]
Writing = Annotated[Login, needs("discrepancy-open")]
Deciding = Annotated[Login, needs("discrepancy-decide")]
RoomId = Annotated[int, Query(alias="room", ge=1, le=BIGGEST_ID)]
Ticket = Annotated[str, Query(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
Format = Literal["html", "xlsx", "docx", "csv", "json"]


@router.get("/discrepancies")
async def listing(request: Request, login: Reading, session: SessionId) -> dict[str, Any]:
    """The correction list of a session's exam, of one's own rooms: `{discrepancies, counts}`."""
    deps = get_deps(request)
    async with deps.engine.connect() as conn:
        return await discrepancies.listing(conn, login, session, now_ms=deps.service_time.now_ms())


@router.get("/discrepancies/about")
async def about(request: Request, login: Writing, session: SessionId, room: RoomId, ticket: Ticket) -> dict[str, Any]:
    """What is on record of a candidate of this room, to compare with: `{candidate, fields, kinds, genders}`."""
    async with get_deps(request).engine.connect() as conn:
        return await discrepancies.about(conn, login, session, room, ticket)


@router.get("/discrepancies/report")
async def report(
    request: Request,
    login: Reading,
    session: SessionId,
    form: Annotated[Format, Query(alias="format")] = "html",
    language: Language = "zh",
) -> Response:
    """The correction list to print or to keep: `format` html, xlsx, docx, csv or json, `language` zh or en."""
    deps = get_deps(request)
    async with deps.engine.connect() as conn:
        listed = await corrections_report.rows(conn, login, session, language, now_ms=deps.service_time.now_ms())
    body = await asyncio.to_thread(corrections_report.written, listed, form, language)
    return Response(
        body,
        media_type=corrections_report.TYPES[form],
        headers={
            "Content-Disposition": f'attachment; filename="corrections-{session}.{form}"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )


@router.get("/discrepancies/{discrepancy_id}")
async def one(request: Request, login: Reading, discrepancy_id: Id) -> dict[str, Any]:
    """One discrepancy with its fields and files: `{discrepancy}`."""
    deps = get_deps(request)
    async with deps.engine.connect() as conn:
        return await discrepancies.one(conn, login, discrepancy_id, now_ms=deps.service_time.now_ms())


@router.post("/discrepancies")
async def open_discrepancy(request: Request, login: Writing, key: Key, body: OpenDiscrepancy) -> dict[str, Any]:
    """Write down what differs and admit the candidate provisionally: `{discrepancy, admitted, checked_in}`."""
    act = partial(discrepancies.open_discrepancy, login=login, asked=body.meant())
    return await carried_out(request, login, key, "discrepancy", body, act)


@router.post("/discrepancies/decide")
async def decide(request: Request, login: Deciding, key: Key, body: DecideAll) -> dict[str, Any]:
    """Correct the record, or leave it, field by field and once: `{discrepancies}`."""
    deps = get_deps(request)
    act = partial(corrections.decide, login=login, decisions=body.meant(), secret=deps.site.secret)
    return await carried_out(request, login, key, "discrepancies decide", body, act)


@router.post("/discrepancies/{discrepancy_id}/evidence")
async def attach(request: Request, login: Writing, key: Key, discrepancy_id: Id, body: AttachFiles) -> dict[str, Any]:
    """Add photos or scans that were sent before: `{discrepancy}`."""
    act = partial(
        discrepancies.attach, login=login, discrepancy_id=discrepancy_id, files=body.files, told_by=body.told_by
    )
    return await carried_out(request, login, key, f"discrepancy {discrepancy_id} evidence", body, act)
