"""What an effect says beside whom it is for: who stays held all the same, and who is held by it elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import clock
from app.services import one_at_a_time
from app.services.site import Site
from app.services.time_plan import LISTED, Plan
from app.storage.postgres import adjustments, room_records, time_entries, time_scope
from app.storage.postgres.time_scope import Member


async def told(site: Site, conn: AsyncConnection, plan: Plan, effect: dict[str, Any]) -> dict[str, Any]:
    """The effect with ``waiting`` (how many of those it lets go on stay held until their previous session is over),
    ``elsewhere`` (who has moved out of the place meanwhile and is still held by what ends there) and ``released`` (the
    rooms that were released and have somebody at work again by it), also in words."""
    waiting = await _waiting(site, conn, plan)
    elsewhere = await _elsewhere(conn, plan)
    zh, en = str(effect["zh"]), str(effect["en"])
    if waiting:
        zh += f"；其中 {waiting} 人上一场尚未结束，待其结束后开始"
        en += f"; {waiting} of them still sit the session before and begin after it"
    if elsewhere:
        names = [f"{one.name}（{one.ticket}，{one.room} {one.seat}）" for one in elsewhere[:LISTED]]
        listed = "、".join(names) + ("…" if len(elsewhere) > LISTED else "")
        zh += f"；已换到别处、仍被这一暂停保持 {len(elsewhere)} 人：{listed}"
        en += f"; still held by this pause elsewhere: {len(elsewhere)} ({listed})"
    released = await _released(conn, plan)
    if released:
        rooms = "、".join(one["room"] for one in released)
        zh += f"；{rooms} 已放行：重开后须由考务办公室撤回放行，考完重新签署、放行"
        en += f"; {rooms} already released: the exam office takes that back, and it is signed and released again after"
    people = [
        {"attempt": str(one.attempt), "ticket": one.ticket, "name": one.name, "room": one.room, "seat": one.seat}
        for one in elsewhere
    ]
    return {**effect, "waiting": waiting, "elsewhere": people, "released": released, "zh": zh, "en": en}


async def _released(conn: AsyncConnection, plan: Plan) -> list[dict[str, Any]]:
    rooms = {member.room_id for member in plan.takes if member.attempt in plan.reopened}
    return await room_records.released(conn, plan.reached.session.id, rooms) if rooms else []


async def _waiting(site: Site, conn: AsyncConnection, plan: Plan) -> int:
    if plan.change.kind not in ("resume", "undo", "reopen"):
        return 0
    return len(await one_at_a_time.held(site, conn, [member.attempt for member in plan.takes], plan.now_ms))


async def _elsewhere(conn: AsyncConnection, plan: Plan) -> Sequence[Member]:
    """Who was paused with the place and sits in another one by now, which the pause was not for."""
    place = plan.change.scope.kind
    if place not in ("room", "building"):
        return ()
    takes = {member.attempt for member in plan.takes}
    found: dict[object, Member] = {}
    for line in plan.lines:
        row = await time_entries.find(conn, line.refers_id) if line.kind == "resume" and line.refers_id else None
        if row is None or row["scope"] != place:
            continue
        others = set(await adjustments.members(conn, row["id"])) - takes
        moved = [
            one for one in await time_scope.members(conn, plan.reached.session.id, attempts=others)
            if one.stored == "open" and getattr(one, place) not in row["scope_names"]
        ]  # fmt: skip
        ledgers = await adjustments.load(conn, [one.attempt for one in moved])
        for one in moved:
            if any(pause.id == row["id"] for pause in clock.open_pauses(ledgers[one.attempt].entries)):
                found[one.attempt] = one
    return list(found.values())
