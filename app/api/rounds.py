"""The office's decisions on rounds: swap, move, defer, allocate (DESIGN §5): shown first, then confirmed once."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request

from app.api.access import needs
from app.api.deps import get_deps
from app.api.schemas.rounds import Confirm, Rounds
from app.api.staff import Key
from app.services import rounds
from app.services.rounds import Confirmed
from app.storage.postgres.staff import Login

router = APIRouter(prefix="/api/v1/staff/rounds", tags=["staff"])
Deciding = Annotated[Login, needs("rounds-decide")]


@router.post("/preview", dependencies=[needs("rounds-decide")])
async def preview(request: Request, body: Rounds) -> dict[str, Any]:
    """What it would do; changes nothing: `{effect, seen}`."""
    return await rounds.preview(get_deps(request).site, body.ask())


@router.post("/actions")
async def act(request: Request, login: Deciding, key: Key, body: Confirm) -> dict[str, Any]:
    """Do what the preview showed, for everybody or for nobody: `{decision, effect, notice}`."""
    confirmed = Confirmed(body.seen, body.number, body.text)
    return await rounds.act(get_deps(request).site, login, key, body.ask(), confirmed)
