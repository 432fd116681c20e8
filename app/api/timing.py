"""The office's calls about time: look, preview, decide, explain (DESIGN §5, I8).

Who may do what is asked of ``domain.roles`` by the services; every change takes an ``Idempotency-Key``. A wall time is
converted once, here, and the ledger holds service time only.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api.access import needs
from app.api.deps import get_deps
from app.api.schemas.staff import BIGGEST_ID
from app.api.schemas.timing import Action, Propose
from app.api.staff import Id, Key, SessionId
from app.domain.adjustments import Change
from app.services import (
    staff_requests,
    time_decision_records,
    time_decisions,
    time_facts,
    time_lookup,
    time_overview,
)
from app.services.staff_requests import Done
from app.services.staff_requests import Request as StaffRequest
from app.storage.postgres import time_terms
from app.storage.postgres.staff import Login

router = APIRouter(prefix="/api/v1/staff", tags=["staff"])
Viewing = Annotated[Login, needs("time-view")]
Deciding = Annotated[Login, needs("time-decide")]
# What somebody who watches a room may do alone is for the services to say (``time_facts.permit``).
Acting = Annotated[Login, needs("time-decide", "time-pause-one", "time-pause-room", "time-pause-building")]


async def change_of(conn: AsyncConnection, body: Action, now_ms: int) -> Change:
    """The request as the services take it. Refused wall-time-zone."""
    wall = await time_terms.wall_time(conn, now_ms)
    return Change(
        kind=body.action,
        scope=body.scope.meant(),
        reason=body.reason,
        note=body.note,
        incident=body.incident,
        ms=body.ms,
        from_ms=time_facts.instant(wall, body.from_ms, body.from_at),
        to_ms=time_facts.instant(wall, body.to_ms, body.to_at),
        entry=body.entry,
        decision=body.decision,
        seen=body.seen,
    )


@router.post("/time/preview")
async def preview(request: Request, login: Acting, body: Action) -> dict[str, Any]:
    """What a change of time would do, before it is confirmed: `{effect, seen}`. Nothing is changed."""
    site = get_deps(request).site
    now_ms = site.service_time.now_ms()
    async with site.engine.connect() as conn:
        change = await change_of(conn, body, now_ms)
        return await time_decisions.preview(site, conn, login, change, now_ms=now_ms)


@router.post("/time/actions")
async def act(request: Request, login: Acting, key: Key, body: Action) -> dict[str, Any]:
    """Postpone, pause, resume, extend, credit, end, reopen or undo: `{entry, entries, effect, notice}`."""
    site = get_deps(request).site
    now_ms = site.service_time.now_ms()
    async with site.engine.connect() as conn:
        change = await change_of(conn, body, now_ms)
    asked = StaffRequest(key, "time", body.model_dump(mode="json"))
    return await time_decisions.carry_out(site, login, asked, change, now_ms=now_ms)


@router.get("/time/sessions/{session_id}")
async def session_view(request: Request, login: Viewing, session_id: Id) -> dict[str, Any]:
    """A session's time: planned and actual, room by room, every entry, outage, held scope, proposal and decision."""
    site = get_deps(request).site
    now_ms = site.service_time.now_ms()
    async with site.engine.connect() as conn:
        return await time_overview.session_view(site.settings, conn, login, session_id, now_ms=now_ms)


@router.get("/time/candidates")
async def candidates(
    request: Request, login: Viewing, session: SessionId, query: Annotated[str, Query(min_length=1, max_length=100)]
) -> dict[str, Any]:
    """Whom a ticket or a name means in a session: `{candidates: [{attempt_id, ticket, name, room, seat}]}`."""
    async with get_deps(request).engine.connect() as conn:
        return await time_lookup.candidates(conn, login, session, query)


@router.get("/time/notices/{notice_id}")
async def notice_reach(request: Request, login: Viewing, notice_id: Id) -> dict[str, Any]:
    """Whose page has shown a notice: `{shown, of, absent, missing: [{attempt, room, seat, ticket, name}]}`."""
    async with get_deps(request).engine.connect() as conn:
        return await time_lookup.notice_reach(conn, login, notice_id)


@router.get("/attempts/{attempt_id}/time")
async def attempt_time(
    request: Request, login: Viewing, attempt_id: UUID, at_ms: Annotated[int | None, Query(ge=0, le=BIGGEST_ID)] = None
) -> dict[str, Any]:
    """Why an attempt ends when it does, in words and summands, now or as it was known at `at_ms`."""
    site = get_deps(request).site
    now_ms = site.service_time.now_ms()
    async with site.engine.connect() as conn:
        return await time_lookup.attempt_time(site.settings, conn, login, attempt_id, now_ms=now_ms, at_ms=at_ms)


@router.post("/time/decisions")
async def propose(request: Request, login: Deciding, key: Key, body: Propose) -> dict[str, Any]:
    """Put a decision that lifts the cap for a scope before a second person: `{decision}`."""
    site = get_deps(request).site
    now_ms = site.service_time.now_ms()

    async def decide(conn: AsyncConnection) -> Done:
        return await time_decision_records.propose(
            site, conn, login, body.scope.meant(), number=body.number, words=body.text, limit_ms=body.limit_ms,
            now_ms=now_ms,
        )  # fmt: skip

    asked = StaffRequest(key, "time.decision", body.model_dump(mode="json"))
    return await staff_requests.once(site.engine, login, asked, decide, now_ms=now_ms)


@router.post("/time/decisions/{decision_id}/approve")
async def approve(request: Request, login: Deciding, key: Key, decision_id: Id) -> dict[str, Any]:
    """The second person's approval of a decision: `{decision}`."""
    site = get_deps(request).site
    now_ms = site.service_time.now_ms()

    async def decide(conn: AsyncConnection) -> Done:
        return await time_decision_records.approve(conn, login, decision_id, now_ms=now_ms)

    asked = StaffRequest(key, f"time.decision.approve {decision_id}", {})
    return await staff_requests.once(site.engine, login, asked, decide, now_ms=now_ms)


@router.post("/time/decisions/{decision_id}/withdraw")
async def withdraw(request: Request, login: Deciding, key: Key, decision_id: Id) -> dict[str, Any]:
    """Take back a decision that nobody has approved: `{decision}`."""
    site = get_deps(request).site
    now_ms = site.service_time.now_ms()

    async def decide(conn: AsyncConnection) -> Done:
        return await time_decision_records.withdraw(conn, login, decision_id)

    asked = StaffRequest(key, f"time.decision.withdraw {decision_id}", {})
    return await staff_requests.once(site.engine, login, asked, decide, now_ms=now_ms)
