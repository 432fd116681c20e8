"""The exam office's own calls: what was kept aside, and the decision on it (DESIGN I5).

Every decision takes an ``Idempotency-Key`` and goes through
``staff_requests.once``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from app.api.access import needs
from app.api.deps import get_deps
from app.api.schemas.office import Chosen, Decide
from app.api.schemas.staff import BIGGEST_ID
from app.api.staff import Key, SessionId
from app.checkpoint.adoption import Choice
from app.services import staff_sign_in, stranded
from app.storage.postgres import rooms
from app.storage.postgres import stranded as kept
from app.storage.postgres.staff import Login

router = APIRouter(prefix="/api/v1/staff/stranded", tags=["staff"])
Reading = Annotated[Login, needs("view-stranded")]
Deciding = Annotated[Login, needs("decide-stranded")]


@router.get("")
async def stranded_list(
    request: Request,
    login: Reading,
    session: SessionId,
    *,
    decided: Annotated[bool, Query()] = False,
    after: Annotated[int, Query(ge=0, le=BIGGEST_ID)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> dict[str, Any]:
    """Answers kept aside beside the accepted ones, by candidate: `{session, kept, attempts, next}`; `next` is the
    `after` of the following page."""
    deps = get_deps(request)
    now_ms = deps.service_time.now_ms()
    async with deps.engine.connect() as conn:
        return await stranded.listed(conn, login, session, decided=decided, after=after, limit=limit, now_ms=now_ms)


@router.get("/counts")
async def stranded_counts(request: Request, login: Reading) -> dict[str, Any]:
    """How many wait for a decision, by session: `{sessions: [{id, kept}]}`."""
    reach = stranded.rooms_in_reach(login)
    async with get_deps(request).engine.connect() as conn:
        exams = {one["exam_id"] for one in await staff_sign_in.rooms_in_reach(conn, login)}
        found = await rooms.sessions(conn, exams)
        counted = await kept.counts(conn, [one["id"] for one in found], reach)
    return {"sessions": [{"id": one["id"], "kept": counted.get(one["id"], 0)} for one in found]}


@router.post("/adopt")
async def adopt(request: Request, login: Deciding, key: Key, body: Decide) -> dict[str, Any]:
    """Let kept-aside answers count, all or none: `{items: [{stranded, item, result}]}`."""
    return await stranded.decide(get_deps(request).site, login, key, _choices(body.items), "adopted", note=body.note)


@router.post("/dismiss")
async def dismiss(request: Request, login: Deciding, key: Key, body: Decide) -> dict[str, Any]:
    """Leave kept-aside answers aside, all or none; they stay on record: `{items: [{stranded, item, result}]}`."""
    return await stranded.decide(get_deps(request).site, login, key, _choices(body.items), "dismissed", note=body.note)


def _choices(items: Sequence[Chosen]) -> list[Choice]:
    return [Choice(one.stranded, one.seen) for one in items]
