"""How many of the candidates' requests one process works on at once; those beyond it are told to come again.

The last of the bounds: a checkpoint meets the writer's own queue first (``app.checkpoint.queue``), and a body its
length. This one is for whatever gathers elsewhere, waiting for a connection to a store. Staff and the health pages are
let through, for they are few and are needed most when it is full; an open event stream is no work.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.problems import language, problem, refusal_of
from app.checkpoint.queue import SHED
from app.domain.checkpoints import Overloaded

COUNTED = ("/api/v1/attempt", "/api/v1/candidate")
STREAM = "/api/v1/attempt/events"


class Admission:
    """Pure ASGI. ``limit`` is per process."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(COUNTED) or scope["path"] == STREAM:
            await self._app(scope, receive, send)
            return
        if self._inside >= self._limit:
            SHED.labels("requests").inc()
            await problem(refusal_of(Overloaded("requests")), language(Request(scope)))(scope, receive, send)
            return
        self._inside += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._inside -= 1
