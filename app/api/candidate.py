"""The candidate's calls (DESIGN §6): thin edges over ``services.sign_in``, ``services.resuming`` and
``services.sitting``.

Plain Starlette routes: the checkpoint is the hot path of the whole product, and dependency injection and response
models would cost more there than the work itself. ``empty`` has the same route class, middleware, body and decoding
and touches no store: it is what ``holdfast bench checkpoint`` measures against.
"""

from __future__ import annotations

import re
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.api.deps import address_of, claims_of, get_deps
from app.api.schemas.candidate import decode_checkpoint, decode_event_receipts, decode_lease, decode_sign_in
from app.domain.checkpoints import Overloaded
from app.domain.errors import Refused
from app.services import lost_grant, own_time
from app.services import sign_in as signing_in
from app.storage.postgres import attempts

JSON = "application/json"
SHA256 = re.compile(r"[0-9a-f]{64}")
NO_STORE = {"Cache-Control": "no-store"}


def reply(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, NO_STORE, media_type=JSON)


async def body_of(request: Request, limit: int) -> bytes:
    """The request's body. Refused `body-too-large` before more than the limit is held."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > limit:
        raise Refused("body-too-large", limit=limit)
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > limit:
            raise Refused("body-too-large", limit=limit)
    return bytes(received)


async def sign_in(request: Request) -> Response:
    """A device token, the lease and everything the first page shows, for a ticket and six digits of an ID."""
    deps = get_deps(request)
    data = decode_sign_in(await body_of(request, deps.settings.max_body_bytes))
    signed_in = await signing_in.sign_in(
        deps.site,
        signing_in.Request(
            ticket=data.ticket,
            id_tail=data.id_tail,
            device_id=data.device_id,
            lease_secret=data.lease_secret,
            room=data.seat.room if data.seat else None,
            seat=data.seat.seat if data.seat else None,
            address=address_of(request),
        ),
    )
    claims = signed_in.claims
    request.scope["state"]["attempt"] = str(claims.attempt)
    state = await deps.resuming.resume(claims)
    return reply(
        {
            "token": deps.tokens.sign(claims),
            "device_id": claims.device_id,
            "lease_secret": signed_in.lease_secret,
            "attempt_id": str(claims.attempt),
            "epoch": claims.epoch,
            "lineage": state["lineage"],
            "next_seq": state["next_seq"],
            # From the record, not from memory: seats are exchanged before the start without a new grant.
            **{name: state[name] for name in ("candidate", "exam", "session", "seat")},
            "servers": deps.settings.servers,
            "clock": state["clock"],
            "state": state["state"],
        }
    )


async def state(request: Request) -> Response:
    """Where the candidate stands: both stores merged and repaired before anything is shown."""
    return reply(await get_deps(request).resuming.resume(claims_of(request)))


async def show_lease(request: Request) -> Response:
    """For a device whose grant the record has lost (`grant-lost`): token and lease secret enter it again."""
    deps, claims = get_deps(request), claims_of(request)
    data = decode_lease(await body_of(request, deps.settings.max_body_bytes))
    await lost_grant.enter_again(deps.site, claims, data.device_id, data.lease_secret, address_of(request))
    return reply(await deps.resuming.resume(claims))


async def paper(request: Request) -> Response:
    """The prepared bytes, as they were compressed when the paper was drawn."""
    deps, claims = get_deps(request), claims_of(request)
    await deps.resuming.gate(claims)
    async with deps.engine.connect() as conn:
        found = await attempts.paper(conn, claims.attempt)
    if found is None:
        raise Refused("not-found")
    body, etag = found
    headers = {**NO_STORE, "ETag": f'"{etag}"', "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == f'"{etag}"':
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=JSON)


async def media(request: Request) -> Response:
    """A picture of the candidate's own paper."""
    deps, claims = get_deps(request), claims_of(request)
    await deps.resuming.gate(claims)
    if not SHA256.fullmatch(request.path_params["sha"]):
        raise Refused("not-found")
    async with deps.engine.connect() as conn:
        found = await attempts.picture(conn, claims.attempt, request.path_params["sha"])
    if found is None:
        raise Refused("not-found")
    headers = {**NO_STORE, "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'"}
    body, content_type = found
    return Response(body, headers=headers, media_type=content_type)


async def ready(request: Request) -> Response:
    """The first paint at this seat: ends the gap of a relog."""
    return reply(await get_deps(request).resuming.ready(claims_of(request)))


async def time(request: Request) -> Response:
    """Where this candidate's end comes from: the summands, and the line in words."""
    return reply(await own_time.own_time(get_deps(request).site, claims_of(request)))


async def event_receipts(request: Request) -> Response:
    """The page has shown these notices to its candidate."""
    deps, claims = get_deps(request), claims_of(request)
    shown = decode_event_receipts(await body_of(request, deps.settings.max_body_bytes))
    if not deps.receipts.note(claims.attempt, shown):
        raise Overloaded("too many receipts wait for the record")
    return reply({})


async def checkpoints(request: Request) -> Response:
    """Responses, position, marks and elapsed time; each response gets its own answer. Empty: the heartbeat."""
    deps = get_deps(request)
    claims = claims_of(request)
    sent = decode_checkpoint(await body_of(request, deps.settings.max_body_bytes), deps.settings)
    return reply(await deps.sitting.checkpoint(claims, sent))


async def hand_in(request: Request) -> Response:
    """A last checkpoint and the end of the attempt; the reply holds the receipt."""
    deps = get_deps(request)
    claims = claims_of(request)
    sent = decode_checkpoint(await body_of(request, deps.settings.max_body_bytes), deps.settings)
    return reply(await deps.sitting.hand_in(claims, sent))


async def empty(request: Request) -> Response:
    """Everything a checkpoint does but the stores; the measure of ``holdfast bench checkpoint``."""
    deps = get_deps(request)
    claims = claims_of(request)
    sent = decode_checkpoint(await body_of(request, deps.settings.max_body_bytes), deps.settings)
    return reply({"seq": sent.seq, "epoch": claims.epoch, "items": len(sent.responses)})


PREFIX = "/api/v1"
ROUTES = [
    Route(f"{PREFIX}/candidate/sign-in", sign_in, methods=["POST"]),
    Route(f"{PREFIX}/attempt/checkpoints", checkpoints, methods=["POST"]),
    Route(f"{PREFIX}/attempt/empty", empty, methods=["POST"]),
    Route(f"{PREFIX}/attempt/hand-in", hand_in, methods=["POST"]),
    Route(f"{PREFIX}/attempt/lease", show_lease, methods=["POST"]),
    Route(f"{PREFIX}/attempt/time", time, methods=["GET"]),
    Route(f"{PREFIX}/attempt/event-receipts", event_receipts, methods=["POST"]),
    Route(f"{PREFIX}/attempt/ready", ready, methods=["POST"]),
    Route(f"{PREFIX}/attempt/paper", paper, methods=["GET"]),
    Route(f"{PREFIX}/attempt/media/{{sha}}", media, methods=["GET"]),
    Route(f"{PREFIX}/attempt", state, methods=["GET"]),
]
