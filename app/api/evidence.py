"""Evidence over HTTP: a file is sent as the bare body of a request, and opened by its number.

A tablet that loses the network in the middle sends the photo again under the same key and it is stored once; only then
is it attached, in the request that writes the record it belongs to.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.api.access import needs
from app.api.deps import get_deps
from app.api.staff import Id, Key, SessionId
from app.domain.errors import Refused
from app.domain.evidence import is_picture
from app.services import evidence, staff_requests
from app.services.staff_requests import Request as StaffRequest
from app.storage.postgres.staff import Login

router = APIRouter(prefix="/api/v1/staff", tags=["staff"])
Sending = Annotated[Login, needs(*evidence.SENDING)]
# Whether this file may be opened is a question about the record it belongs to.
Reading = Annotated[Login, needs("incident-view", "discrepancy-view", "misconduct-view")]
PATH = "/api/v1/staff/evidence"
Name = Annotated[str, Query(min_length=1, max_length=255, pattern=r"^[^\x00]*$")]


async def sent(request: Request, most: int) -> bytes:
    """The request's body, not more than ``most`` bytes of it. Refused body-too-large."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise Refused("body-too-large", limit=most)
        parts.append(part)
    return b"".join(parts)


@router.post("/evidence")
async def keep(request: Request, login: Sending, key: Key, session: SessionId, name: Name) -> dict[str, Any]:
    """Send a photo, scan or text: `{evidence: {id, name, content_type, size, sha256}}`.

    JPEG, PNG, WebP, PDF or plain text, told by its bytes. The body is the file itself; it is attached by the request
    that writes the record.
    """
    deps = get_deps(request)
    body = await sent(request, deps.settings.max_evidence_bytes)
    file = await asyncio.to_thread(evidence.looked_at, name, body)
    now_ms = deps.service_time.now_ms()
    asked = StaffRequest(key, f"evidence {session}", {"name": name, "sha256": file.sha256})
    return await staff_requests.once(
        deps.engine, login, asked,
        lambda conn: evidence.keep(
            conn, login, file, session_id=session, most=deps.settings.max_evidence_total_bytes, now_ms=now_ms
        ),
        now_ms=now_ms,
    )  # fmt: skip


@router.get("/evidence/{evidence_id}")
async def open_file(request: Request, login: Reading, evidence_id: Id) -> Response:
    """The bytes of a file, for whoever may read the record it is attached to."""
    async with get_deps(request).engine.connect() as conn:
        kept, body = await evidence.opened(conn, login, evidence_id)
    shown = "inline" if is_picture(kept.content_type) else "attachment"
    return Response(
        body,
        media_type=kept.content_type,
        headers={
            "Content-Disposition": f"{shown}; filename*=UTF-8''{quote(kept.name, safe='')}",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "no-store",
            "ETag": f'"{kept.sha256}"',
        },
    )
