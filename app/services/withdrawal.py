"""A candidate who says that they leave for good (弃考、退出): the attempt ends, every answer is kept.

It goes through the ledger of time like every other end, so that whoever carries it out may die and the attempt is ended
all the same, and the office can open it again when the candidate thinks better of it. That they came is a fact: they
stay present in the room's numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.services import staff_requests, time_decisions, timing
from app.services.attendance import permit, told
from app.services.site import Site
from app.services.staff_requests import Done, Request
from app.storage.postgres import adjustments, attendance, notices
from app.storage.postgres.adjustments import Moved
from app.storage.postgres.staff import Login

# What the page says; the ledger is read by everybody in the room, and says no more.
ENDED = (
    "您已提出退出本场考试，本场考试已结束，已作答的内容均已保留。请听从监考人员安排。",
    "You have withdrawn from this session, and it has ended for you. Your answers are kept. Please follow the staff.",
)
LEDGER = "本人退出 · withdrew"


@dataclass(slots=True)
class _Ended:
    session_id: int = 0
    moved: list[Moved] = field(default_factory=list)
    notice: dict[str, Any] | None = None


async def withdraw(
    site: Site, login: Login, request: Request, attempt: UUID, *, reason: str, told_by: str
) -> dict[str, Any]:
    """``{candidate, withdrew: {by, ms, reason}, already}``. Refuses not-found, not-permitted, not-signed-in (whoever
    never sat down is absent), candidate-deferred, candidate-ended."""
    ended = _Ended()

    async def act(conn: AsyncConnection) -> Done:
        place = await attendance.lock_attempt(conn, attempt)
        if place is None:
            raise Refused("not-found")
        permit(login, "withdraw", place.room_id)
        before = await attendance.withdrawn(conn, place.allocation_id)
        if before is not None:
            return Done({"candidate": told(place), "withdrew": before, "already": True})
        now_ms = site.service_time.now_ms()
        if place.standing == "deferred":
            raise Refused("candidate-deferred", name=place.name)
        if place.state != "open" or (place.end_ms is not None and now_ms >= place.end_ms):
            raise Refused("candidate-ended", name=place.name)
        if place.signed_in_ms is None:
            raise Refused("not-signed-in", name=place.name)
        entry = await adjustments.insert_entry(
            conn, "end", session_id=place.session_id, members=[attempt], reason="other", source=f"staff:{uuid4()}",
            now_ms=now_ms, scope="candidate", scope_names=[place.ticket], room_id=place.room_id, note=LEDGER,
            staff_id=login.staff_id,
        )  # fmt: skip
        ended.session_id = place.session_id
        ended.moved = list(await adjustments.settle(conn, [attempt], now_ms))
        zh, en = ENDED
        notice = await notices.create(conn, place.session_id, "end", entry, zh, en, [attempt], now_ms)
        ended.notice = {"id": notice, "kind": "end", "zh": zh, "en": en}
        await attendance.withdraw(conn, place.allocation_id, reason=reason, staff_id=login.staff_id, now_ms=now_ms)
        withdrew = {"by": login.name, "ms": now_ms, "reason": reason}
        reply = {"candidate": told(place), "withdrew": withdrew, "already": False}
        subject = {**place.subject(), "reason": reason, "told_by": told_by, "entry": entry}
        return Done(reply, "attendance.withdraw", subject)

    reply = await staff_requests.once(site.engine, login, request, act, now_ms=site.service_time.now_ms())
    if ended.notice is not None:
        await timing.announce(site, ended.session_id, ended.moved, ended.notice)
        await time_decisions.end_all(site, [attempt])
    return reply
