"""Lists that leave the house: attendance, answers, times, incidents, corrections.

With ``progress`` the reply is a stream in two parts: lines of JSON (``{"done", "total"}`` again and again, then
``{"name", "type", "rows", "size", "sha256"}``, or ``{"refused"}`` with a problem if it failed on the way), and after
the last line the file's bytes. Without it the reply is the file alone. Why it is one call: ``services.exporting``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response, StreamingResponse

from app.api import problems
from app.api.access import needs
from app.api.deps import Deps, get_deps
from app.api.schemas.incidents import Language
from app.api.schemas.staff import BIGGEST_ID
from app.documents.rows import TYPES, Form
from app.domain.errors import Refused
from app.services import exporting
from app.services.export_columns import COLUMNS, KIND_WORDS, Kind
from app.services.exporting import Made, Order, Progress
from app.storage.postgres.staff import Login

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/api/v1/staff", tags=["staff"])
Exporting = Annotated[Login, needs("export")]
OfExam = Annotated[int | None, Query(alias="exam", ge=1, le=BIGGEST_ID)]
OfSession = Annotated[int | None, Query(alias="session", ge=1, le=BIGGEST_ID)]
STREAM = "application/x-holdfast-export"


@router.get("/exports")
async def kinds(_login: Exporting) -> dict[str, Any]:
    """What can be exported, with the columns of each: `{kinds: [{kind, zh, en, columns: [{key, zh, en}]}]}`."""
    return {
        "kinds": [
            {
                "kind": kind, "zh": zh, "en": en,
                "columns": [{"key": one.key, "zh": one.zh, "en": one.en} for one in COLUMNS[kind]],
            }
            for kind, (zh, en) in KIND_WORDS.items()
        ]
    }  # fmt: skip


@router.get("/exports/{kind}")
async def export(
    request: Request,
    login: Exporting,
    kind: Annotated[Kind, Path()],
    *,
    exam: OfExam = None,
    session: OfSession = None,
    form: Annotated[Form, Query(alias="format")] = "xlsx",
    language: Language = "zh",
    progress: bool = False,
) -> Response:
    """A list of an exam, or of one session of it, as `format` xlsx, csv or json; with `progress` 1 told on the way."""
    if (exam is None) == (session is None):
        raise Refused("export-of-what")
    order = Order(kind, form, language, exam, session)
    work = _work(get_deps(request), login, order)
    # Refused before anything is sent, as everything else is.
    first = await anext(work)
    if progress:
        return StreamingResponse(_told(first, work, form), media_type=STREAM, headers=_HEADERS)
    while not isinstance(first, Made):
        first = await anext(work)
    named = {"Content-Disposition": f'attachment; filename="{first.name}"', "Content-Length": str(first.size)}
    return StreamingResponse(_bytes(work), media_type=TYPES[form], headers=_HEADERS | named)


_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
Part = Progress | Made | bytes


async def _work(deps: Deps, login: Login, order: Order) -> AsyncGenerator[Part, None]:
    """What ``services.exporting`` says, and then the bytes. Closed, it lets go of file and connections."""
    now_ms = deps.service_time.now_ms()
    async with AsyncExitStack() as stack:
        out = stack.enter_context(exporting.scratch())
        async with exporting.own_engine(deps.settings, deps.site.database_url) as engine:
            parts = exporting.export(deps.settings, engine, login, order, out, now_ms=now_ms)
            async with aclosing(parts) as working:
                async for part in working:
                    yield part
        async for block in exporting.blocks(out):
            yield block


async def _told(first: Part, work: AsyncGenerator[Part, None], form: Form) -> AsyncIterator[bytes]:
    part: Part | None = first
    try:
        while part is not None:
            yield part if isinstance(part, bytes) else _line(part, form)
            part = await anext(work, None)
    except problems.KNOWN as fault:
        # The status has been sent: what is left is to say so. Cut in the middle of the bytes, the size says it.
        log.warning("export failed", fault=repr(fault))
        if isinstance(part, Progress):
            yield _json(problems.last_line(fault))
    finally:
        await asyncio.shield(_close(work))


async def _bytes(work: AsyncGenerator[Part, None]) -> AsyncIterator[bytes]:
    try:
        async for part in work:
            if isinstance(part, bytes):
                yield part
    finally:
        await asyncio.shield(_close(work))


async def _close(work: AsyncGenerator[Part, None]) -> None:
    await work.aclose()


def _line(part: Progress | Made, form: Form) -> bytes:
    if isinstance(part, Progress):
        return _json({"done": part.done, "total": part.total})
    return _json({"name": part.name, "type": TYPES[form], "rows": part.rows, "size": part.size, "sha256": part.sha256})


def _json(told: dict[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False).encode() + b"\n"
