"""Announcements 通知 over HTTP: made for a scope, acknowledged by rooms, followed until everybody has them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request

from app.api.access import needs, permit
from app.api.deps import get_deps
from app.api.schemas.announcements import Acknowledge, Announce
from app.api.staff import Id, Key, SessionId, feeds
from app.services import announcements
from app.services.hall_viewer import viewer_of
from app.services.staff_requests import Request as StaffRequest
from app.storage.postgres.staff import Login

router = APIRouter(prefix="/api/v1/staff/announcements", tags=["staff"])
Seeing = Annotated[Login, needs("hall-view")]
Making = Annotated[Login, needs("announce")]
Reading = Annotated[Login, needs("acknowledge")]


@router.post("")
async def announce(request: Request, login: Making, key: Key, body: Announce) -> dict[str, Any]:
    """Say something to candidates (`to`: candidates), their rooms' staff (staff), or both: `{announcement}`.

    Candidates' pages show it within a second, or with their next reply when they are away; each confirms it.
    """
    asked = StaffRequest(key, "announcement", body.model_dump(mode="json"))
    reply = await announcements.announce(get_deps(request).site, login, asked, body.meant())
    feeds(request).hurry(body.scope.session)
    return reply


@router.get("")
async def listing(request: Request, login: Seeing, session: SessionId) -> dict[str, Any]:
    """A session's announcements, newest first, each with who has it.

    `{announcements: [{id, addressed, scope, names, zh, en, by, at, candidates: {of, shown, absent}, rooms: {of, known},
    room_ids, waiting}]}`; `waiting` are the rooms that have not acknowledged it.
    """
    async with get_deps(request).engine.connect() as conn:
        return await announcements.listed(conn, viewer_of(login), session)


@router.get("/{announcement_id}")
async def one(request: Request, login: Seeing, announcement_id: Id) -> dict[str, Any]:
    """Who has not got it: `{announcement, missing: [{attempt, room, seat, ticket, name}], rooms: [{id, name,
    known}]}`."""
    async with get_deps(request).engine.connect() as conn:
        return await announcements.one(conn, viewer_of(login), announcement_id)


@router.post("/{announcement_id}/acknowledge")
async def acknowledge(
    request: Request, login: Reading, key: Key, announcement_id: Id, body: Acknowledge
) -> dict[str, Any]:
    """A room's staff have read it: `{known: {by, ms}, already}`. Whoever comes second is told who did."""
    permit(login, "acknowledge", body.room_id)
    asked = StaffRequest(key, f"acknowledge {announcement_id}", body.model_dump(mode="json"))
    reply = await announcements.acknowledge(get_deps(request).site, login, asked, announcement_id, body.room_id)
    feeds(request).hurry()
    return reply
