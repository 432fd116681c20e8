"""Items that a candidate says are wrong, and what was done for a room by telephone."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field, StringConstraints

from app.api.access import needs, permit
from app.api.deps import get_deps
from app.api.schemas.staff import Body, ToldBy
from app.api.staff import Id, Key, SessionId
from app.services import item_reports, staff_requests, telephone
from app.services.staff_requests import Request as StaffRequest
from app.storage.postgres.staff import Login

router = APIRouter(prefix="/api/v1/staff", tags=["staff"])
Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]


class ReportItem(Body):
    """``position``: the number of the question on that candidate's own paper."""

    position: Annotated[int, Field(strict=True, ge=1, le=10_000)]
    text: Said
    told_by: ToldBy = ""


@router.post("/attempts/{attempt_id}/item-reports")
async def report(
    request: Request, login: Annotated[Login, needs("item-report")], key: Key, attempt_id: UUID, body: ReportItem
) -> dict[str, Any]:
    """A candidate says that a question is wrong: `{report: {id, position, text, …}}`. They go on with the others."""
    now_ms = get_deps(request).service_time.now_ms()
    act = partial(
        item_reports.report, login=login, attempt_id=attempt_id, position=body.position, said=body.text,
        told_by=body.told_by, now_ms=now_ms,
    )  # fmt: skip
    asked = StaffRequest(key, f"item-report {attempt_id}", body.model_dump(mode="json"))
    return await staff_requests.once(get_deps(request).engine, login, asked, act, now_ms=now_ms)


@router.get("/item-reports")
async def listed(
    request: Request, login: Annotated[Login, needs("item-report-view")], session: SessionId
) -> dict[str, Any]:
    """What was said to be wrong in a session, newest first: `{reports: […]}`; the item itself only to the office."""
    async with get_deps(request).engine.connect() as conn:
        return await item_reports.listed(conn, login, session)


@router.get("/rooms/{room_id}/told-by")
async def by_telephone(
    request: Request, login: Annotated[Login, needs("view-room")], room_id: Id, session: SessionId
) -> dict[str, Any]:
    """What was done for the room by telephone, and who asked: `{entries: [{at, zh, en, by, told_by, ticket}]}`."""
    permit(login, "view-room", room_id)
    async with get_deps(request).engine.connect() as conn:
        return await telephone.done_for(conn, room_id, session)
