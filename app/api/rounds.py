"""The office's decisions on rounds: swap, move, defer, allocate (DESIGN §5): shown first, then confirmed once."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from app.api.deps import get_deps
from app.api.schemas.rounds import Confirm, Rounds
from app.api.staff import Key, Who
from app.domain.errors import Refused
from app.domain.roles import allows
from app.services import rounds
from app.services.rounds import Confirmed
from app.storage.postgres.staff import Login

router = APIRouter(prefix="/api/v1/staff/rounds", tags=["staff"])


@router.post("/preview")
async def preview(request: Request, login: Who, body: Rounds) -> dict[str, Any]:
    """What it would do; changes nothing: `{effect, seen}`."""
    _permit(login)
    return await rounds.preview(get_deps(request).site, body.ask())


@router.post("/actions")
async def act(request: Request, login: Who, key: Key, body: Confirm) -> dict[str, Any]:
    """Do what the preview showed, for everybody or for nobody: `{decision, effect, notice}`."""
    _permit(login)
    confirmed = Confirmed(body.seen, body.number, body.text)
    return await rounds.act(get_deps(request).site, login, key, body.ask(), confirmed)


def _permit(login: Login) -> None:
    if not allows(login.role, "rounds-decide", room_id=None, own_room_ids=login.own_room_ids):
        raise Refused("not-permitted")
