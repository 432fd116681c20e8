"""A candidate leaves the room and comes back (toilet, doctor): logged, the clock runs, the question is hidden.

The page is told by a notice, because a notice arrives: it comes with every reply until the page has shown it. A page
that is loaded meanwhile asks and is told too (``services.resuming``).
"""

from __future__ import annotations

from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import lifecycle
from app.domain.errors import Refused
from app.domain.roles import allows
from app.services import staff_requests
from app.services.site import Site
from app.services.staff_requests import Done
from app.storage.postgres import leaves, notices, relogs
from app.storage.postgres.relogs import Seated
from app.storage.postgres.staff import Login
from app.storage.redis.events import Event

Kind = Literal["toilet", "medical", "other"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# Said by the notice, for whoever reads it in the office; the page shows words of its own in place of the question.
LEFT = (
    "您已离开考室，试题已隐藏，考试时间继续计算。返回后请举手，由监考人员恢复。",
    "You have left the room: the question is hidden and the time runs on. Raise your hand when you are back.",
)
BACK = ("您已返回考室，请继续作答。", "You are back in the room. Please go on.")


async def leave(
    site: Site, login: Login, request: staff_requests.Request, attempt: UUID, *, kind: Kind, note: str, told_by: str
) -> dict[str, Any]:
    """``{leave: {kind, note, by, ms}, already}``; out already, the leave that is open is told.

    Refuses not-found, not-permitted, not-signed-in, candidate-ended.
    """
    told: list[dict[str, Any]] = []

    async def act(conn: AsyncConnection) -> Done:
        seated = await _seated(conn, login, attempt)
        now_ms = site.service_time.now_ms()
        _sits(seated, now_ms)
        entered = await leaves.open_leave(conn, attempt, kind=kind, note=note, staff_id=login.staff_id, now_ms=now_ms)
        found = await leaves.find_open(conn, attempt)
        if found is None:
            raise LookupError(f"the leave of {attempt} vanished inside its own transaction")
        reply = {"leave": _told(found), "already": not entered}
        if not entered:
            return Done(reply)
        told.append(await _tell(conn, seated, "leave", LEFT, now_ms))
        subject = {**_subject(seated, told_by), "kind": kind, "note": note}
        return Done(reply, "leave.open", subject)

    return await _carry_out(site, login, request, attempt, act, told)


async def come_back(
    site: Site, login: Login, request: staff_requests.Request, attempt: UUID, *, told_by: str
) -> dict[str, Any]:
    """``{returned: {by, ms, away_ms}, already}``. Refuses not-found, not-permitted, not-left,
    candidate-ended (out of the room when it was over: nobody came back)."""
    told: list[dict[str, Any]] = []

    async def act(conn: AsyncConnection) -> Done:
        seated = await _seated(conn, login, attempt)
        now_ms = site.service_time.now_ms()
        found = await leaves.find_open(conn, attempt)
        if found is None:
            last = await leaves.last_return(conn, attempt)
            if last is None or last["by"] is None:
                if last is not None:
                    _sits(seated, now_ms)
                raise Refused("not-left", name=seated.name)
            away_ms = last["returned_ms"] - last["left_ms"]
            returned = {"by": last["by"], "ms": last["returned_ms"], "away_ms": away_ms}
            return Done({"returned": returned, "already": True})
        await leaves.end(conn, found["id"], staff_id=login.staff_id, now_ms=now_ms)
        told.append(await _tell(conn, seated, "return", BACK, now_ms))
        away_ms = max(0, now_ms - found["left_ms"])
        returned = {"by": login.name, "ms": now_ms, "away_ms": away_ms}
        subject = {**_subject(seated, told_by), "kind": found["kind"], "away_ms": away_ms}
        return Done({"returned": returned, "already": False}, "leave.return", subject)

    return await _carry_out(site, login, request, attempt, act, told)


async def _carry_out(
    site: Site,
    login: Login,
    request: staff_requests.Request,
    attempt: UUID,
    act: Any,
    told: list[dict[str, Any]],
) -> dict[str, Any]:
    reply = await staff_requests.once(site.engine, login, request, act, now_ms=site.service_time.now_ms())
    for notice in told:
        await site.tell(Event("notice", attempt=str(attempt), data=notice))
    return reply


async def _seated(conn: AsyncConnection, login: Login, attempt: UUID) -> Seated:
    seated = await relogs.lock_seated(conn, attempt)
    if seated is None:
        raise Refused("not-found")
    if not allows(login.role, "leave", room_id=seated.room_id, own_room_ids=login.own_room_ids):
        raise Refused("not-permitted")
    return seated


def _sits(seated: Seated, now_ms: int) -> None:
    state = lifecycle.derive(
        seated.state,
        signed_in=seated.signed_in_ms is not None,
        start_ms=seated.start_ms,
        end_ms=seated.end_ms,
        now_ms=now_ms,
    )
    if state in ("ended", "final"):
        raise Refused("candidate-ended", name=seated.name)
    if seated.signed_in_ms is None:
        raise Refused("not-signed-in", name=seated.name)


async def _tell(
    conn: AsyncConnection, seated: Seated, kind: str, words: tuple[str, str], now_ms: int
) -> dict[str, Any]:
    zh, en = words
    notice = await notices.create(conn, seated.session_id, kind, None, zh, en, [seated.attempt_id], now_ms)
    await leaves.move_page(conn, seated.attempt_id)
    return {"id": notice, "kind": kind, "zh": zh, "en": en}


def _told(found: dict[str, Any]) -> dict[str, Any]:
    return {"kind": found["kind"], "note": found["note"], "by": found["by"], "ms": found["left_ms"]}


def _subject(seated: Seated, told_by: str) -> dict[str, object]:
    return {
        "session_id": seated.session_id,
        "ticket": seated.ticket,
        "attempt": str(seated.attempt_id),
        "room": seated.room,
        "room_id": seated.room_id,
        "seat": seated.seat,
        "told_by": told_by,
    }
