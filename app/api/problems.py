"""Refusals and faults as RFC 9457 problem details: one JSON shape, one table of statuses (``domain.errors``)."""

from __future__ import annotations

import random
from typing import Any

import orjson
import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.domain.checkpoints import Overloaded, RecordAway, StoreAway
from app.domain.errors import MESSAGES, ClockUnconfirmed, Refused

log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"

# Seconds after which a request is worth repeating, drawn anew for each refusal: 1,880 browsers that were refused in one
# second must not come back in one second. The page adds full jitter; a script that reads the header does not.
RETRY_AFTER = {"unavailable": (1, 3), "record-away": (1, 4), "overloaded": (2, 6)}


def language(request: Request) -> str:
    """``zh`` unless the request asks for English first."""
    return "en" if request.headers.get("accept-language", "").lower().startswith("en") else "zh"


def problem(refusal: Refused, lang: str) -> Response:
    """The refusal as a response."""
    message = MESSAGES[refusal.code]
    body: dict[str, Any] = {
        "type": f"urn:holdfast:{refusal.code}",
        "title": refusal.code,
        "status": message.status,
        "code": refusal.code,
        "detail": refusal.text(lang),
        "detail_zh": refusal.text("zh"),
        "detail_en": refusal.text("en"),
        **refusal.params,
    }
    headers = {}
    if "retry_after" in refusal.params:
        headers["Retry-After"] = str(refusal.params["retry_after"])
    return Response(orjson.dumps(body, default=str), message.status, headers, media_type=MEDIA_TYPE)


def again(code: str) -> Refused:
    """A refusal that says in how long to come again, with jitter."""
    return Refused(code, retry_after=random.randint(*RETRY_AFTER[code]))


def refusal_of(fault: StoreAway | ClockUnconfirmed | Overloaded) -> Refused:
    """What a caller is told when the service cannot answer now."""
    if isinstance(fault, RecordAway):
        return again("record-away")
    return again("overloaded" if isinstance(fault, Overloaded) else "unavailable")


def as_refusal(fault: Exception) -> Refused | None:
    """The refusal a known fault stands for; None when it is a bug."""
    if isinstance(fault, Refused):
        return fault
    return refusal_of(fault) if isinstance(fault, StoreAway | ClockUnconfirmed | Overloaded) else None


# What a reply that is under way may meet: refusals, and faults that pass. Anything else is a bug, and cuts it.
KNOWN = (Refused, StoreAway, ClockUnconfirmed, Overloaded, SQLAlchemyError, OSError, TimeoutError)


def last_line(fault: Exception) -> dict[str, Any]:
    """One of ``KNOWN`` as the last line of a stream whose status has been sent: `{refused: {code, detail_zh, …}}`."""
    refused = as_refusal(fault) or again("record-away")
    return {"refused": {"code": refused.code, "detail_zh": refused.text("zh"), "detail_en": refused.text("en")}}


async def on_known(request: Request, fault: Exception) -> Response:
    """Handler for everything ``as_refusal`` knows."""
    refusal = as_refusal(fault)
    if refusal is None:
        raise fault
    if refusal is not fault and not isinstance(fault, Overloaded):
        # The candidate is told to come back; which store or clock it was is for whoever reads the log. A storm is
        # counted (``holdfast_shed``) and not written down a thousand times: that would be the last straw.
        log.warning("unavailable", path=request.url.path, fault=repr(fault))
    if refusal.code == "not-permitted":
        # The one refusal that says something about who asked, whichever endpoint or service gave it.
        log.warning(
            "not permitted", staff=request.scope["state"].get("staff"), method=request.method, path=request.url.path
        )
    return problem(refusal, language(request))


async def on_store_fault(request: Request, fault: Exception) -> Response:
    """PostgreSQL failed outside the writer: the outcome is unknown, the repeated request settles it (STYLE 5)."""
    log.warning("store fault", path=request.url.path, fault=repr(fault))
    return problem(again("record-away"), language(request))


async def on_http(request: Request, fault: Exception) -> Response:
    """What the router itself refuses."""
    status = fault.status_code if isinstance(fault, HTTPException) else 500
    if status == 404:
        return problem(Refused("not-found"), language(request))
    if status == 405:
        refused = problem(Refused("bad-method"), language(request))
        refused.headers.update(getattr(fault, "headers", None) or {})
        return refused
    if status == 413:
        limit = request.app.state.deps.settings.max_body_bytes
        return problem(Refused("body-too-large", limit=limit), language(request))
    detail = str(getattr(fault, "detail", ""))
    return problem(Refused("bad-body", reason=detail), language(request))


async def on_invalid(request: Request, fault: Exception) -> Response:
    """A body that does not have the documented shape; what is wrong is named, what was sent is not repeated."""
    errors: list[dict[str, Any]] = getattr(fault, "errors", list)()
    told = [{"at": ".".join(str(part) for part in error["loc"]), "fault": error["msg"]} for error in errors]
    reason = "; ".join(f"{one['at']}: {one['fault']}" for one in told) or "?"
    return problem(Refused("bad-body", reason=reason, errors=told), language(request))
