"""Incidents 突发事件 over HTTP: opened, written into as they go on, closed and signed; and the plans behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from app.api.access import needs
from app.api.deps import get_deps
from app.api.schemas.incidents import EditPlan, Format, Language, OpenIncident, Turn, WriteEntry
from app.api.staff import Id, Key, SessionId
from app.services import incident_entries, incident_plans, incident_report, incidents, staff_requests
from app.services.staff_requests import Done
from app.services.staff_requests import Request as StaffRequest
from app.storage.postgres.staff import Login

router = APIRouter(prefix="/api/v1/staff", tags=["staff"])
Reading = Annotated[Login, needs("incident-view")]
Writing = Annotated[Login, needs("incident-open")]
Signing = Annotated[Login, needs("incident-sign")]
Planning = Annotated[Login, needs("incident-plans")]
Plan = Annotated[str, Path(max_length=8, pattern=r"^[0-9.]+$")]


async def _once(
    request: Request, login: Login, asked: StaffRequest, act: Callable[[AsyncConnection, int], Awaitable[Done]]
) -> dict[str, Any]:
    deps = get_deps(request)
    now_ms = deps.service_time.now_ms()
    return await staff_requests.once(deps.engine, login, asked, lambda conn: act(conn, now_ms), now_ms=now_ms)


@router.get("/plans")
async def plans(request: Request, _login: Reading, session: SessionId) -> dict[str, Any]:
    """The contingency plans of a session's exam: `{plans: [{plan, version, title_zh, title_en, steps, sealed}]}`."""
    async with get_deps(request).engine.connect() as conn:
        return await incident_plans.of_session(conn, session)


@router.post("/plans/{plan}")
async def edit_plan(request: Request, login: Planning, key: Key, plan: Plan, body: EditPlan) -> dict[str, Any]:
    """A new version of a plan's title and steps: `{plan}`. Incidents keep the version they were opened under."""
    steps = [step.model_dump() for step in body.steps]
    return await _once(
        request, login, StaffRequest(key, f"plan {plan}", body.model_dump(mode="json")),
        lambda conn, _: incident_plans.edit(
            conn, login, body.session, plan, title=(body.title_zh, body.title_en), steps=steps, seen=body.seen
        ),
    )  # fmt: skip


@router.get("/incidents")
async def listing(request: Request, login: Reading, session: SessionId) -> dict[str, Any]:
    """The incidents of a session's exam that the login may read, newest first: `{incidents}`."""
    deps = get_deps(request)
    async with deps.engine.connect() as conn:
        return await incidents.listing(conn, login, session, now_ms=deps.service_time.now_ms())


@router.get("/incidents/{incident_id}")
async def one(request: Request, login: Reading, incident_id: Id) -> dict[str, Any]:
    """One incident with its steps, entries, people, files and the actions taken meanwhile: `{incident}`."""
    deps = get_deps(request)
    async with deps.engine.connect() as conn:
        return await incidents.view(conn, login, incident_id, now_ms=deps.service_time.now_ms())


@router.get("/incidents/{incident_id}/report")
async def report(
    request: Request,
    login: Reading,
    incident_id: Id,
    form: Annotated[Format, Query(alias="format")] = "html",
    language: Language = "zh",
) -> Response:
    """The report of one incident to print: `format` html, xlsx or docx, `language` zh or en."""
    deps = get_deps(request)
    async with deps.engine.connect() as conn:
        made, number = await incident_report.make(conn, login, incident_id, language, now_ms=deps.service_time.now_ms())
    body = await asyncio.to_thread(incident_report.written, made, form)
    return Response(
        body,
        media_type=incident_report.TYPES[form],
        headers={
            "Content-Disposition": f'attachment; filename="incident-{number}.{form}"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )


@router.post("/incidents")
async def open_incident(request: Request, login: Writing, key: Key, body: OpenIncident) -> dict[str, Any]:
    """Open an incident under a plan for the site, buildings, rooms or candidates: `{incident}`."""
    return await _once(
        request, login, StaffRequest(key, "incident", body.model_dump(mode="json")),
        lambda conn, now_ms: incidents.open_incident(conn, login, body.meant(), now_ms=now_ms),
    )  # fmt: skip


@router.post("/incidents/{incident_id}/entries")
async def write(request: Request, login: Writing, key: Key, incident_id: Id, body: WriteEntry) -> dict[str, Any]:
    """Write down a step, a note, who was told, people, files or a change: `{incident}`."""
    return await _once(
        request, login, StaffRequest(key, f"incident {incident_id}", body.model_dump(mode="json")),
        lambda conn, now_ms: incident_entries.write(conn, login, incident_id, body.meant(), now_ms=now_ms),
    )  # fmt: skip


@router.post("/incidents/{incident_id}/close")
async def close(request: Request, login: Writing, key: Key, incident_id: Id, body: Turn) -> dict[str, Any]:
    """It is over: `{incident}`. Steps left undone are written down with it."""
    return await _once(
        request, login, StaffRequest(key, f"incident close {incident_id}", body.model_dump(mode="json")),
        lambda conn, now_ms: incident_entries.close(
            conn, login, incident_id, note=body.note, told_by=body.told_by, seen=body.seen, now_ms=now_ms
        ),
    )  # fmt: skip


@router.post("/incidents/{incident_id}/reopen")
async def reopen(request: Request, login: Writing, key: Key, incident_id: Id, body: Turn) -> dict[str, Any]:
    """It is not over after all, with the reason: `{incident}`. A signed one only by whoever signs."""
    return await _once(
        request, login, StaffRequest(key, f"incident reopen {incident_id}", body.model_dump(mode="json")),
        lambda conn, now_ms: incident_entries.reopen(
            conn, login, incident_id, note=body.note, seen=body.seen, now_ms=now_ms
        ),
    )  # fmt: skip


@router.post("/incidents/{incident_id}/sign")
async def sign(request: Request, login: Signing, key: Key, incident_id: Id, body: Turn) -> dict[str, Any]:
    """The office signs a closed incident as it was seen: `{incident}`."""
    return await _once(
        request, login, StaffRequest(key, f"incident sign {incident_id}", body.model_dump(mode="json")),
        lambda conn, now_ms: incident_entries.sign(
            conn, login, incident_id, note=body.note, seen=body.seen, now_ms=now_ms
        ),
    )  # fmt: skip
