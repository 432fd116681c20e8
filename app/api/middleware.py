"""One thin ASGI layer around every request: an id, a log line, a latency, and the headers a browser is held to."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping

import structlog
from prometheus_client import Histogram
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import language, problem
from app.domain.errors import Refused

log = structlog.get_logger(__name__)
LATENCY = Histogram(
    "holdfast_request_seconds",
    "Seconds from a request to its status line",
    ["call"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
# Called every few seconds by every candidate: counted, not logged, unless they fail.
QUIET = frozenset({"/api/v1/attempt/checkpoints", "/api/v1/attempt/empty", "/livez", "/readyz", "/metrics"})
COUNTED = {path: LATENCY.labels(path.rsplit("/", 1)[-1]) for path in QUIET}
OTHERS = LATENCY.labels("other")


def page_policy(servers: list[str]) -> bytes:
    """What a page may load and whom it may talk to: this server, and the site's others."""
    allowed = ["'self'", *servers]
    return (
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none';"
        f" form-action 'self'; connect-src {' '.join(allowed)}"
    ).encode()


class RequestLayer:
    """Pure ASGI: no body is copied, no task is started."""

    def __init__(
        self, app: ASGIApp, policy: bytes, max_body_bytes: int, larger: Mapping[str, int] | None = None
    ) -> None:
        """``larger``: paths that take files, and how large ones."""
        self._app = app
        self._policy = policy
        self._max_body_bytes = max_body_bytes
        self._larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        request_id = secrets.token_hex(8)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        started = time.perf_counter()
        status = 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"]
                headers.append((b"x-request-id", request_id.encode()))
                if not path.startswith("/api/"):
                    headers.append((b"content-security-policy", self._policy))
                    headers.append((b"x-content-type-options", b"nosniff"))
                    headers.append((b"referrer-policy", b"no-referrer"))
                if path.startswith("/web/"):
                    # Asked again by ETag each time: modules of two releases must never meet in one page.
                    headers.append((b"cache-control", b"no-cache"))
            await send(message)

        try:
            most = self._larger.get(path, self._max_body_bytes)
            if path.startswith("/api/") and self._too_large(scope, most):
                # Before anything of it is read; a body that does not say its length is counted where it is read.
                refusal = Refused("body-too-large", limit=most)
                await problem(refusal, language(Request(scope)))(scope, receive, sending)
                return
            if path.startswith("/api/"):
                await scope["app"].state.deps.service_time.catch_up()
            await self._app(scope, receive, sending)
        finally:
            seconds = time.perf_counter() - started
            COUNTED.get(path, OTHERS).observe(seconds)
            if path.startswith("/api/") and (status >= 400 or path not in QUIET):
                log.info(
                    "request", method=scope["method"], path=path, status=status, ms=round(seconds * 1000, 1),
                    request_id=request_id, attempt=state.get("attempt"),
                )  # fmt: skip

    def _too_large(self, scope: Scope, most: int) -> bool:
        for name, value in scope["headers"]:
            if name == b"content-length":
                return value.isdigit() and int(value) > most
        return False
