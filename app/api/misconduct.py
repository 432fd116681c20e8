"""Misconduct 违纪 over HTTP: facts written down, added to, printed; a candidate removed. Read by few."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.api.access import needs
from app.api.deps import get_deps
from app.api.schemas.incidents import Format, Language
from app.api.schemas.misconduct import OpenMisconduct, WriteMisconduct
from app.api.staff import Id, Key, SessionId, feeds
from app.services import incident_report, misconduct, misconduct_entries, misconduct_report
from app.services.staff_requests import Request as StaffRequest
from app.storage.postgres.staff import Login

router = APIRouter(prefix="/api/v1/staff", tags=["staff"])
Reading = Annotated[Login, needs("misconduct-view")]
Writing = Annotated[Login, needs("misconduct-open")]


@router.get("/misconduct")
async def listing(request: Request, login: Reading, session: SessionId) -> dict[str, Any]:
    """The records of a session's exam that the login may read, and head-counts by room: `{misconduct, rooms}`."""
    deps = get_deps(request)
    async with deps.engine.connect() as conn:
        return await misconduct.listing(conn, login, session, now_ms=deps.service_time.now_ms())


@router.get("/misconduct/{misconduct_id}")
async def one(request: Request, login: Reading, misconduct_id: Id) -> dict[str, Any]:
    """One record with everything that was added: `{misconduct}`."""
    deps = get_deps(request)
    async with deps.engine.connect() as conn:
        return await misconduct.view(conn, login, misconduct_id, now_ms=deps.service_time.now_ms())


@router.get("/misconduct/{misconduct_id}/report")
async def report(
    request: Request,
    login: Reading,
    misconduct_id: Id,
    form: Annotated[Format, Query(alias="format")] = "html",
    language: Language = "zh",
) -> Response:
    """One record to print and to be signed by hand: `format` html, xlsx or docx, `language` zh or en."""
    deps = get_deps(request)
    async with deps.engine.connect() as conn:
        made = await misconduct_report.make(conn, login, misconduct_id, language, now_ms=deps.service_time.now_ms())
    body = await asyncio.to_thread(incident_report.written, made, form)
    return Response(
        body,
        media_type=incident_report.TYPES[form],
        headers={
            "Content-Disposition": f'attachment; filename="misconduct-{misconduct_id}.{form}"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )


@router.post("/misconduct")
async def open_record(request: Request, login: Writing, key: Key, body: OpenMisconduct) -> dict[str, Any]:
    """Write down what was seen; `measure` removed also ends the candidate's exam, answers kept: `{misconduct}`."""
    asked = StaffRequest(key, "misconduct", body.model_dump(mode="json"))
    reply = await misconduct.open_record(get_deps(request).site, login, asked, body.meant())
    feeds(request).hurry()
    return reply


@router.post("/misconduct/{misconduct_id}/entries")
async def write(request: Request, login: Writing, key: Key, misconduct_id: Id, body: WriteMisconduct) -> dict[str, Any]:
    """Add a note, a witness, files, that the candidate was told, or another measure: `{misconduct}`."""
    asked = StaffRequest(key, f"misconduct {misconduct_id}", body.model_dump(mode="json"))
    reply = await misconduct_entries.write(get_deps(request).site, login, asked, misconduct_id, body.meant())
    feeds(request).hurry()
    return reply
