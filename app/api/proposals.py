"""What the evidence, or an invigilator, asks the office to decide about time (DESIGN §5)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from app.api.access import needs
from app.api.deps import get_deps
from app.api.schemas.proposals import Approve, Ask, Dismiss
from app.api.schemas.staff import BIGGEST_ID
from app.api.staff import Key, SessionId
from app.domain.adjustments import Change
from app.services import proposal_approval, proposals
from app.services.proposal_approval import Given
from app.services.time_facts import instant
from app.storage.postgres import time_terms
from app.storage.postgres.staff import Login

router = APIRouter(prefix="/api/v1/staff/time/proposals", tags=["staff"])
Deciding = Annotated[Login, needs("time-decide")]
Id = Annotated[int, Path(alias="proposal_id", ge=1, le=BIGGEST_ID)]


@router.get("")
async def proposal_list(
    request: Request, login: Annotated[Login, needs("time-view")], session: SessionId
) -> dict[str, Any]:
    """Open ones first: `{session, now_ms, proposals: [{id, kind, state, names, from_at, to_at, zh, en, …}]}`."""
    deps = get_deps(request)
    now_ms = deps.service_time.now_ms()
    async with deps.engine.connect() as conn:
        found = await proposals.listed(conn, login, session, now_ms=now_ms)
    return {"session": session, "now_ms": now_ms, "proposals": found}


@router.post("")
async def ask(request: Request, login: Annotated[Login, needs("time-propose")], key: Key, body: Ask) -> dict[str, Any]:
    """Ask the office to credit an interval, or for `ms` more: `{proposal}`. An invigilator asks for their own rooms."""
    from_ms, to_ms = await _instants(request, body)
    change = Change(
        "extend" if from_ms is None and to_ms is None else "credit",
        body.scope.meant(),
        reason=body.reason,
        note=body.note,
        incident=body.incident,
        ms=body.ms,
        from_ms=from_ms,
        to_ms=to_ms,
    )
    asked = proposals.Asked(change, body.model_dump(mode="json"))
    return await proposals.ask(get_deps(request).site, login, key, asked)


@router.post("/{proposal_id}/preview")
async def preview(request: Request, login: Deciding, proposal: Id, body: Approve) -> dict[str, Any]:
    """What approving it so would do, for exactly those it is about: `{effect, seen}`. Nothing is changed."""
    return await proposal_approval.preview(get_deps(request).site, login, proposal, await _given(request, body))


@router.post("/{proposal_id}/approve")
async def approve(request: Request, login: Deciding, key: Key, proposal: Id, body: Approve) -> dict[str, Any]:
    """Approve it as it is or changed: `{proposal, entry, effect, notice}`; the pages hear of it at once."""
    given = await _given(request, body)
    return await proposal_approval.approve(get_deps(request).site, login, key, proposal, given)


@router.post("/{proposal_id}/dismiss")
async def dismiss(request: Request, login: Deciding, key: Key, proposal: Id, body: Dismiss) -> dict[str, Any]:
    """Leave it aside, with the reason; it stays on record: `{proposal}`."""
    return await proposals.dismiss(get_deps(request).site, login, key, proposal, note=body.note)


async def _given(request: Request, body: Approve) -> Given:
    from_ms, to_ms = await _instants(request, body)
    return Given(body.note, body.reason, body.ms, from_ms, to_ms, body.decision, body.seen)


async def _instants(request: Request, body: Ask | Approve) -> tuple[int | None, int | None]:
    """The interval in service time; wall times go through the table of terms. Refused wall-time-zone."""
    if body.from_at is None and body.to_at is None:
        return body.from_ms, body.to_ms
    deps = get_deps(request)
    now_ms = deps.service_time.now_ms()
    async with deps.engine.connect() as conn:
        wall = await time_terms.wall_time(conn, now_ms)
    return instant(wall, body.from_ms, body.from_at), instant(wall, body.to_ms, body.to_at)
