"""The audit log (I11): who did what, when, to whom."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from app.api.access import needs
from app.api.deps import get_deps
from app.api.schemas.staff import BIGGEST_ID, Instant
from app.services import audit_log
from app.storage.postgres.audit_search import Sought

router = APIRouter(prefix="/api/v1/staff/audit", tags=["staff"], dependencies=[needs("read-audit")])
Name = Annotated[str | None, Query(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
Number = Annotated[int | None, Query(ge=1, le=BIGGEST_ID)]


@router.get("")
async def audit_entries(
    request: Request,
    *,
    ticket: Name = None,
    staff: Name = None,
    room: Number = None,
    action: Name = None,
    since: Annotated[Instant | None, Query(alias="from")] = None,
    until: Annotated[Instant | None, Query(alias="to")] = None,
    before: Number = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """Entries of the audit log, the newest first: `{entries: [{n, at, service_ms, actor, name, role, action, zh, en,
    subject, hash}], next, people, rooms, timezone}`.

    Each of these narrows it: `ticket` (a candidate), `staff` (a username: what they did and what was done to their
    account), `room` (its id), `action` (`relog.open`, or `relog` for all of them), `from` and `to` (instants with
    their zone; `to` is not included). `next` is the `before` of the following page; `people` are names by ticket,
    `rooms` names by id.
    """
    sought = Sought(ticket, staff, room, action, since, until)
    async with get_deps(request).engine.connect() as conn:
        return await audit_log.search(conn, sought, before=before, limit=limit)


@router.get("/actions")
async def audit_actions() -> dict[str, Any]:
    """What can be looked for, by area: `{areas: [{area, zh, en, actions: [{action, zh, en}]}]}`."""
    return {"areas": audit_log.actions()}
