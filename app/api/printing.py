"""Paper: sheets for the door and the room, the room's record and the day's report."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response, StreamingResponse

from app.api.access import needs
from app.api.deps import get_deps
from app.api.schemas.incidents import Language
from app.api.schemas.staff import BIGGEST_ID
from app.api.staff import SessionId
from app.services import printables
from app.services.printables import What
from app.storage.postgres.staff import Login

router = APIRouter(prefix="/api/v1/staff", tags=["staff"])
RoomId = Annotated[int | None, Query(alias="room", ge=1, le=BIGGEST_ID)]
HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
HTML = "text/html; charset=utf-8"


@router.get("/print/{what}")
async def sheets(
    request: Request,
    login: Annotated[Login, needs("view-room")],
    what: Annotated[What, Path()],
    session: SessionId,
    *,
    room: RoomId = None,
    language: Language = "zh",
    photos: bool | None = None,
) -> Response:
    """A sheet of one room, or of every room in reach, to print: the photos of a single room unless told otherwise."""
    deps = get_deps(request)
    pages = printables.pages(
        deps.engine, login, what, session_id=session, room_id=room, language=language,
        photos=room is not None if photos is None else photos, now_ms=deps.service_time.now_ms(),
    )  # fmt: skip
    # Refused before anything is sent.
    first = await anext(pages)
    return StreamingResponse(_all(first, pages), media_type=HTML, headers=HEADERS)


async def _all(first: str, rest: AsyncIterator[str]) -> AsyncIterator[bytes]:
    yield first.encode()
    async for part in rest:
        yield part.encode()
