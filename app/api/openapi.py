"""The OpenAPI document: FastAPI's own for the staff's calls, and what it cannot see of the plain routes.

The candidate's calls, the event stream, health and the pages are Starlette routes (``api.candidate`` says why). Their
paths, methods and words come from the routes themselves, so the table here holds bodies and refusals only.
"""

from __future__ import annotations

import inspect
import re
from typing import Any, NamedTuple

import msgspec
from fastapi import FastAPI
from starlette.routing import Route

from app.api.problems import MEDIA_TYPE
from app.api.schemas import replies
from app.api.schemas.candidate import CheckpointIn, EventReceiptsIn, LeaseIn, SignInIn
from app.domain.errors import MESSAGES

REF = "#/components/schemas/{name}"
JSON = "application/json"
DEVICE, STAFF = "deviceToken", "staffLogin"
SECURITY = {
    DEVICE: {"type": "http", "scheme": "bearer", "description": "From POST /api/v1/candidate/sign-in."},
    STAFF: {"type": "http", "scheme": "bearer", "description": "From POST /api/v1/staff/sign-in."},
}


class Call(NamedTuple):
    """``body`` and ``reply``: a struct or a media type. ``also``: other answers than 200 and the problems.
    ``summary``: for a route whose endpoint has no words of its own."""

    reply: type[msgspec.Struct] | str
    body: type[msgspec.Struct] | None = None
    codes: tuple[str, ...] = ()
    token: str | None = DEVICE
    also: dict[str, str] | None = None
    summary: str = ""


_AWAY = ("unavailable", "record-away")
# The candidates' requests in work at once are bounded.
_BUSY = (*_AWAY, "overloaded")
_SEATED = ("bad-token", "grant-lost", "superseded", *_BUSY)
_GATED = (*_SEATED, "not-started", "closed", "not-found")
_BODY = ("bad-body", "body-too-large")
_WRITES = (*_SEATED, *_BODY, "too-many-responses", "not-started", "closed")

CALLS: dict[str, Call] = {
    "/api/v1/candidate/sign-in": Call(
        replies.SignedIn,
        SignInIn,
        (
            *_BODY, "sign-in-failed", "too-many-tries", "not-allocated", "not-open", "too-late", "lease-held",
            "wrong-seat", "seat-taken", "closed", *_BUSY,
        ),
        token=None,
    ),
    "/api/v1/attempt": Call(replies.AttemptTold, codes=_SEATED),
    "/api/v1/attempt/paper": Call(replies.PaperTold, codes=_GATED, also={"304": "The page has this paper."}),
    "/api/v1/attempt/media/{sha}": Call("image/*", codes=_GATED),
    "/api/v1/attempt/photo": Call(
        "image/jpeg", codes=("bad-token", "grant-lost", "superseded", "unavailable", "record-away"),
        also={"204": "There is none.", "304": "The page has this photo."},
    ),
    "/api/v1/attempt/ready": Call(replies.ReadyTold, codes=_SEATED),
    "/api/v1/attempt/time": Call(replies.TimeTold, codes=_SEATED),
    "/api/v1/attempt/event-receipts": Call(
        replies.EventReceiptsTold, EventReceiptsIn, ("bad-token", "bad-body", "body-too-large", *_BUSY)
    ),
    "/api/v1/attempt/lease": Call(
        replies.AttemptTold, LeaseIn, (*_BODY, "bad-token", "superseded", "seat-taken", "closed", *_BUSY)
    ),
    "/api/v1/attempt/checkpoints": Call(replies.CheckpointTold, CheckpointIn, _WRITES),
    "/api/v1/attempt/hand-in": Call(replies.HandInTold, CheckpointIn, (*_WRITES, "too-early-to-hand-in")),
    "/api/v1/attempt/empty": Call(replies.EmptyTold, CheckpointIn, ("bad-token", *_BODY, "too-many-responses")),
    "/api/v1/attempt/events": Call("text/event-stream", codes=_SEATED),
    "/livez": Call("text/plain", token=None),
    "/readyz": Call(replies.ReadyzTold, token=None, also={"503": "Nobody can be served; the same fields say why."}),
    "/role": Call(replies.RoleTold, token=None),
    "/metrics": Call("text/plain", token=None),
    "/": Call("text/html", token=None, summary="The candidate's page."),
    "/console": Call("text/html", token=None, summary="The staff's page."),
}  # fmt: skip

_SIGNED_IN = ("login-ended", *_AWAY)
_LOGIN = (*_SIGNED_IN, "password-must-change")
_CHANGE = (*_LOGIN, "bad-body", "not-permitted", "not-found", "idempotency-key-needed", "idempotency-mismatch")
_TIME = (
    "scope-malformed", "scope-unknown", "scope-empty", "reason-unknown", "note-missing", "duration-missing",
    "duration-not-positive", "duration-too-short", "duration-absurd", "interval-missing", "interval-backwards",
    "interval-in-future", "reopen-by-name", "wall-time-zone", "entry-missing",
    "entry-unknown", "entry-undone", "entry-not-undoable", "day-not-opened",
    "start-passed", "not-begun", "already-paused", "not-paused", "held-otherwise", "attempt-ended",
    "handed-in", "ended-by-staff", "attempt-deferred", "attempt-open", "no-time-left", "reopen-seat-taken",
    "runs-elsewhere", "credit-before-start",
    "decision-unknown", "decision-not-approved", "cap-held",
)  # fmt: skip
_ROUNDS = (
    "round-same-session", "round-other-exam", "round-nobody", "round-not-there", "round-begun", "round-both",
    "round-over", "round-runs", "round-overlaps", "round-no-seats", "round-already-deferred", "round-not-deferred",
    "round-gone-on", "not-drawn", "blueprint-missing", "bank-too-small", "uneven-points", "neighbours-alike",
    "draw-faulty",
)  # fmt: skip
_AT_THE_DOOR = ("ticket-unknown", "other-session", "other-room", "room-signed")
STAFF_CODES: dict[str, tuple[str, ...]] = {
    "/sign-in": (
        "bad-body", "staff-sign-in-failed", "staff-too-many-tries", "staff-disabled", "staff-demo-account",
        *_AWAY,
    ),
    "/sign-out": _SIGNED_IN,
    "/me": _SIGNED_IN,
    "/sessions": (*_LOGIN, "not-permitted"),
    "/rooms/{room_id}": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/rooms/{room_id}/events": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/attempts/{attempt_id}/relog": (
        *_CHANGE, "attempt-over", "relog-open", "seat-out-of-reach", "seat-out-of-order", "seat-occupied",
        "seat-promised",
    ),
    "/relogs/{relog_id}/withdraw": (*_CHANGE, "relog-used"),
    "/seats/{seat_id}/mark": (*_CHANGE, "seat-promised"),
    "/password": (
        *_SIGNED_IN, "bad-body", "idempotency-key-needed", "idempotency-mismatch", "staff-weak-password",
        "staff-same-password", "staff-wrong-password", "staff-too-many-tries",
    ),
    "/accounts": (*_CHANGE, "staff-bad-name", "staff-weak-password", "staff-exists"),
    "/accounts/{account_id}/password": (*_CHANGE, "staff-weak-password", "staff-own-account"),
    "/accounts/{account_id}/disable": (*_CHANGE, "staff-own-account", "staff-last-admin", "staff-already-disabled"),
    "/accounts/{account_id}/enable": (*_CHANGE, "staff-own-account", "staff-already-enabled"),
    "/accounts/{account_id}/rooms": (*_CHANGE, "staff-own-account", "staff-rooms-changed"),
    "/accounts/{account_id}/logins/revoke": (*_CHANGE, "staff-own-account"),
    "/audit": (*_LOGIN, "bad-body", "not-permitted"),
    "/audit/actions": (*_LOGIN, "not-permitted"),
    "/rooms/{room_id}/check-in": (
        *_CHANGE, *_AT_THE_DOOR, "last-admission-passed", "candidate-deferred", "candidate-ended",
    ),
    "/rooms/{room_id}/check-in/undo": (*_CHANGE, *_AT_THE_DOOR, "signed-in-already", "admitted-late"),
    "/rooms/{room_id}/admissions": (
        *_CHANGE, *_AT_THE_DOOR, "signed-in-already", "admission-open", "candidate-deferred", "candidate-ended",
    ),
    "/rooms/{room_id}/absent": (*_CHANGE, "room-signed", "absent-too-early", "attendance-changed"),
    "/seats/swap": (
        *_CHANGE, "swap-one-person", "ticket-unknown", "other-session", "seats-changed", "swap-too-late", "relog-open",
        "room-signed",
    ),
    "/attempts/{attempt_id}/spare-request": (
        *_CHANGE, "attempt-over", "relog-open", "spare-asked", "spare-taken",
    ),
    "/spare-requests/{request_id}/answer": (
        *_CHANGE, "attempt-over", "relog-open", "spare-answered", "spare-gone", "seat-occupied", "seat-promised",
    ),
    "/spare-requests/{request_id}/withdraw": (*_CHANGE, "spare-answered"),
    "/rooms/{room_id}/roll-calls": (*_LOGIN, "bad-body", "not-permitted"),
    "/rooms/{room_id}/roll-call": (*_CHANGE, "roll-call-nobody", "roll-call-closed"),
    "/rooms/{room_id}/roll-call/{roll_call_id}/marks": (*_CHANGE, "ticket-unknown", "roll-call-closed"),
    "/rooms/{room_id}/roll-call/{roll_call_id}/close": _CHANGE,
    "/attempts/{attempt_id}/withdraw": (*_CHANGE, "not-signed-in", "candidate-deferred", "candidate-ended"),
    "/attempts/{attempt_id}/leave": (*_CHANGE, "not-signed-in", "candidate-ended"),
    "/attempts/{attempt_id}/return": (*_CHANGE, "not-left", "candidate-ended"),
    "/rooms/{room_id}/sign-off": (*_CHANGE, "attendance-moved", "not-balanced"),
    "/rooms/{room_id}/sign-off/undo": (*_CHANGE, "room-released"),
    "/rooms/{room_id}/release": (
        *_CHANGE, "not-signed", "signed-numbers", "not-balanced", "attempts-open", "outbox-open",
    ),
    "/rooms/{room_id}/duty": (*_CHANGE, "staff-unknown", "duty-not-watching", "duty-changed"),
    "/time/preview": (*_LOGIN, "bad-body", "not-permitted", "not-found", *_TIME),
    "/time/actions": (
        *_CHANGE, *_TIME, "preview-needed", "undo-too-late", "undo-start-passed", "time-changed", "cap-exceeded",
        "nothing-gained",
    ),
    "/time/sessions/{session_id}": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/time/candidates": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/time/notices/{notice_id}": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/attempts/{attempt_id}/time": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/time/decisions": (
        *_CHANGE, "scope-malformed", "scope-unknown", "scope-empty", "decision-incomplete", "decision-limit",
    ),
    "/time/decisions/{decision_id}/approve": (
        *_CHANGE, "decision-unknown", "decision-same-person", "decision-closed",
    ),
    "/time/decisions/{decision_id}/withdraw": (*_CHANGE, "decision-unknown", "decision-closed"),
    "/time/proposals": (
        *_CHANGE, "scope-malformed", "scope-unknown", "scope-empty", "reason-unknown", "note-missing",
        "duration-missing", "duration-not-positive", "duration-too-short", "duration-absurd", "interval-missing",
        "interval-backwards", "interval-in-future", "wall-time-zone",
    ),
    "/time/proposals/{proposal_id}/preview": (
        *_LOGIN, "bad-body", "not-permitted", "not-found", *_TIME, "proposal-unneeded",
    ),
    "/time/proposals/{proposal_id}/approve": (
        *_CHANGE, *_TIME, "proposal-decided", "proposal-same-person", "proposal-unneeded", "undo-too-late",
        "time-changed", "cap-exceeded", "nothing-gained",
    ),
    "/time/proposals/{proposal_id}/dismiss": (*_CHANGE, "proposal-decided", "proposal-note-missing"),
    "/rounds/preview": (*_LOGIN, "bad-body", "not-permitted", "not-found", *_ROUNDS),
    "/rounds/actions": (*_CHANGE, *_ROUNDS, "round-changed", "decision-incomplete"),
    "/hall": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/hall/events": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/hall/feed": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/hall/candidates": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/announcements": (*_CHANGE, "scope-malformed", "scope-unknown", "scope-empty"),
    "/announcements/{announcement_id}": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/announcements/{announcement_id}/acknowledge": _CHANGE,
    "/plans": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/plans/{plan}": (*_CHANGE, "plan-unknown", "plan-malformed", "plan-changed"),
    "/incidents": (
        *_CHANGE, "plan-unknown", "scope-malformed", "scope-unknown", "interval-in-future",
    ),
    "/incidents/{incident_id}": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/incidents/{incident_id}/report": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/incidents/{incident_id}/entries": (
        *_CHANGE, "incident-over", "step-unknown", "step-decided", "entry-empty", "scope-unknown",
        "evidence-unknown", "evidence-attached", "interval-in-future",
    ),
    "/incidents/{incident_id}/close": (*_CHANGE, "incident-over", "incident-changed"),
    "/incidents/{incident_id}/reopen": (*_CHANGE, "incident-open", "incident-changed", "entry-empty"),
    "/incidents/{incident_id}/sign": (*_CHANGE, "incident-over", "incident-not-closed", "incident-changed"),
    "/discrepancies": (
        *_CHANGE, "ticket-unknown", "other-session", "other-room", "discrepancy-malformed", "discrepancy-same",
        "discrepancy-open", "evidence-unknown", "evidence-attached", "evidence-type",
    ),
    "/discrepancies/about": (*_LOGIN, "bad-body", "not-permitted", "ticket-unknown"),
    "/discrepancies/report": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/discrepancies/decide": (
        *_CHANGE, "discrepancy-decided", "discrepancy-same-person", "discrepancy-moved", "discrepancy-id-taken",
    ),
    "/discrepancies/{discrepancy_id}": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/discrepancies/{discrepancy_id}/evidence": (*_CHANGE, "evidence-unknown", "evidence-attached"),
    "/misconduct": (
        *_CHANGE, "ticket-unknown", "other-session", "other-room", "candidate-ended", "misconduct-removed",
        "evidence-unknown", "evidence-attached",
    ),
    "/misconduct/{misconduct_id}": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/misconduct/{misconduct_id}/report": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/misconduct/{misconduct_id}/entries": (
        *_CHANGE, "misconduct-changed", "misconduct-removed", "candidate-ended", "entry-empty", "evidence-unknown",
        "evidence-attached",
    ),
    "/evidence": (*_CHANGE, "body-too-large", "evidence-empty", "evidence-full", "evidence-type"),
    "/evidence/{evidence_id}": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/print/room-record": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/print/day-report": (*_LOGIN, "bad-body", "not-permitted", "not-found", "export-of-what", "export-under-way"),
    "/print/{what}": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/site/exams": (*_CHANGE, "exam-exists", "timezone-unknown"),
    "/site/exams/{exam_id}": (*_CHANGE, "site-changed"),
    "/site/exams/{exam_id}/sessions": (*_CHANGE, "session-door-late"),
    "/site/sessions/{session_id}": (
        *_CHANGE, "session-begun", "site-changed", "session-drawn", "session-door-late", "sessions-overlap",
        "sessions-share-seats",
    ),
    "/site/sessions/{session_id}/remove": (
        *_CHANGE, "session-begun", "site-changed", "session-has-people", "site-still-used",
    ),
    "/site/sessions/{session_id}/blueprint": (
        *_CHANGE, "blueprint-missing", "blueprint-changed", "bank-too-small", "blueprint-bad-count",
    ),
    "/site/sessions/{session_id}/draw": (
        *_CHANGE, "site-job-open", "draw-changed", "session-started", "papers-in-use", "already-drawn",
        "blueprint-missing",
    ),
    "/site/exams/{exam_id}/rooms": (*_CHANGE, "room-exists"),
    "/site/rooms/{room_id}": (*_CHANGE, "site-changed", "room-in-session", "room-exists", "site-still-used"),
    "/site/rooms/{room_id}/remove": (*_CHANGE, "site-changed", "room-has-people", "site-still-used"),
    "/site/rooms/{room_id}/seats": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/site/buildings/{building_id}": (*_CHANGE, "site-changed", "building-exists"),
    "/site/imports": (*_CHANGE, "body-too-large", "site-job-open"),
    "/site/jobs/{job_id}": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/site/jobs/{job_id}/confirm": (*_CHANGE, "site-job-over", "import-outdated"),
    "/site/jobs/{job_id}/discard": (*_CHANGE, "site-job-over"),
    "/site/jobs/{job_id}/faults": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/site/jobs/{job_id}/report": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/site/templates/{kind}": (*_LOGIN, "bad-body", "not-permitted"),
    "/attempts/{attempt_id}/item-reports": (*_CHANGE, "item-position-unknown", "item-report-early"),
    "/item-reports": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/rooms/{room_id}/told-by": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/photos": (
        *_CHANGE, "body-too-large", "photos-not-an-archive", "photos-encrypted", "photos-too-many", "photos-under-way",
    ),
    "/candidates/{ticket}/photo": (*_LOGIN, "bad-body", "not-permitted", "not-found"),
    "/exports": (*_LOGIN, "not-permitted"),
    "/exports/{kind}": (*_LOGIN, "bad-body", "not-permitted", "not-found", "export-of-what", "export-under-way"),
    "/stranded": (*_LOGIN, "bad-body", "not-permitted", "not-found", "session-not-begun"),
    "/stranded/counts": (*_LOGIN, "not-permitted"),
    "/stranded/adopt": (*_CHANGE, "session-not-begun", "stranded-decided", "adopt-moved-on"),
    "/stranded/dismiss": (*_CHANGE, "session-not-begun", "stranded-decided", "adopt-moved-on"),
}  # fmt: skip
STAFF_PREFIX = "/api/v1/staff"


def install(app: FastAPI) -> None:
    """Let ``app.openapi`` (and /openapi.json) tell of every call. The document is made once, when first asked for."""
    by_fastapi = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(by_fastapi(), app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _completed(document: dict[str, Any], app: FastAPI) -> dict[str, Any]:
    kinds = [kind for call in CALLS.values() for kind in (call.body, call.reply) if isinstance(kind, type)]
    _, schemas = msgspec.json.schema_components([*kinds, replies.Problem], ref_template=REF)
    components = document.setdefault("components", {})
    # What FastAPI says of its own 422 is not what is sent: every refusal is a problem.
    kept = {name: each for name, each in components.get("schemas", {}).items() if not name.endswith("ValidationError")}
    components["schemas"] = kept | schemas
    components["securitySchemes"] = SECURITY
    for path, operations in document["paths"].items():
        codes = STAFF_CODES[path.removeprefix(STAFF_PREFIX)]
        for operation in operations.values():
            operation["responses"].pop("422", None)
            operation["responses"] |= _problems(codes)
            operation["security"] = [{STAFF: []}] if "login-ended" in codes else []
            for parameter in operation.get("parameters", ()):
                # Optional to FastAPI only, so that its absence is refused in our words.
                parameter["required"] = parameter["required"] or parameter["name"] == "idempotency-key"
    for route in app.routes:
        if isinstance(route, Route) and route.path in CALLS:
            operations = document["paths"].setdefault(route.path, {})
            for method in sorted((route.methods or set()) - {"HEAD"}):
                operations[method.lower()] = _operation(route, CALLS[route.path])
    return document


def _operation(route: Route, call: Call) -> dict[str, Any]:
    summary, _, description = (inspect.getdoc(route.endpoint) or call.summary).partition("\n\n")
    success = {"description": "Done.", "content": _content(call.reply)}
    told: dict[str, Any] = {
        "tags": ["candidate" if route.path.startswith("/api/") else "site"],
        "summary": " ".join(summary.split()).replace("``", "`"),
        "operationId": re.sub(r"\W+", "_", route.path).strip("_") or "page",
        "security": [] if call.token is None else [{call.token: []}],
        "responses": {"200": success},
    }
    for status, why in (call.also or {}).items():
        told["responses"][status] = (
            {"description": why} if status in {"204", "304"} else {**success, "description": why}
        )
    if description:
        told["description"] = description
    told["responses"] |= _problems(call.codes)
    if call.body is not None:
        told["requestBody"] = {"required": True, "content": _content(call.body)}
    names = re.findall(r"{(\w+)}", route.path)
    if names:
        told["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
    return told


def _content(kind: type[msgspec.Struct] | str) -> dict[str, Any]:
    if isinstance(kind, str):
        return {kind: {"schema": {"type": "string"}}}
    return {JSON: {"schema": {"$ref": REF.format(name=kind.__name__)}}}


def _problems(codes: tuple[str, ...]) -> dict[str, Any]:
    """One entry per status; its description names the codes."""
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(MESSAGES[code].status, []).append(code)
    schema = {"schema": {"$ref": REF.format(name=replies.Problem.__name__)}}
    return {
        str(status): {"description": ", ".join(f"`{code}`" for code in found), "content": {MEDIA_TYPE: schema}}
        for status, found in sorted(by_status.items())
    }
