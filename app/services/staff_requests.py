"""Every change by staff happens once, however often its request is repeated, and is on the audit log or not at all.

A lost reply is normal on exam day. The browser repeats the request under the same ``Idempotency-Key`` and gets the
reply of the first time; the change, the stored reply and the audit entry are one transaction.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.domain.errors import Refused
from app.storage.postgres import audit, staff
from app.storage.postgres.staff import Login


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked: the same key with another ``endpoint`` or ``body`` is a mistake of the client."""

    key: str
    endpoint: str
    body: Mapping[str, Any]

    @property
    def body_hash(self) -> bytes:
        text = json.dumps(self.body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).digest()


@dataclass(frozen=True, slots=True)
class Done:
    """What an action did: the reply, and its audit entry unless nothing changed. ``at_ms``: the service time it stands
    under in the record; None: when it was asked."""

    reply: dict[str, Any]
    action: str = ""
    subject: Mapping[str, object] | None = None
    at_ms: int | None = None


async def once(
    engine: AsyncEngine,
    login: Login,
    request: Request,
    act: Callable[[AsyncConnection], Awaitable[Done]],
    *,
    now_ms: int,
) -> dict[str, Any]:
    """Run ``act`` in a transaction, or give the reply it gave before under this key.

    A refusal rolls everything back, the claim of the key too: asked again it is decided again. Refuses
    ``idempotency-mismatch``. The audit entry is the last statement before COMMIT.
    """
    async with engine.begin() as conn:
        given = await staff.claim_request(
            conn, staff_id=login.staff_id, key=request.key, endpoint=request.endpoint, body_hash=request.body_hash
        )
        if given is not None:
            if (given.endpoint, given.body_hash) != (request.endpoint, request.body_hash):
                raise Refused("idempotency-mismatch")
            return given.reply
        done = await act(conn)
        await staff.answer_request(conn, staff_id=login.staff_id, key=request.key, status=200, reply=done.reply)
        if done.subject is not None:
            await audit.append(
                conn,
                actor=login.username,
                action=done.action,
                subject=_told(login, done.subject),
                staff_id=login.staff_id,
                service_ms=now_ms if done.at_ms is None else done.at_ms,
            )
    return done.reply


def _told(login: Login, subject: Mapping[str, object]) -> Mapping[str, object]:
    """Done for a room by telephone, it says on whose word, whatever it was; what the body says goes first."""
    if not login.told_by or subject.get("told_by"):
        return subject
    return {**subject, "told_by": login.told_by}
