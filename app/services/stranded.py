"""What was kept aside, before the office: the list to look at, and the decision (I5, I11).

Nothing is shown that the record does not hold, and nothing decided on less: before a decision the attempt is repaired
from Redis like before a move, so an answer that is still buffered is seen, and refuses the decision, rather than being
decided over. While Redis is away what it holds comes later and wins by itself (``domain.adoption``).

An answer that was typed inside a credited gap shows that the candidate was at work: that the credit should be shorter
is proposed with the adoption, and decided by itself (``services.shortening``).

Lock order: the request's idempotency key, the attempts' rows by id, the stranded rows, the audit head.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.checkpoint import adoption as deciding
from app.checkpoint import recovery
from app.checkpoint.adoption import Choice, Item
from app.domain.adoption import Verdict, tag
from app.domain.errors import Refused
from app.domain.responses import Version
from app.domain.roles import scope
from app.services import shortening, staff_requests
from app.services.site import Site
from app.services.staff_requests import Done
from app.services.staff_requests import Request as StaffRequest
from app.storage.postgres import rooms, stranded
from app.storage.postgres.staff import Login
from app.storage.redis import adopted as hot_copies
from app.storage.redis.client import RedisAway
from app.storage.redis.events import Event

log = structlog.get_logger(__name__)
KEPT, DECIDED = ("kept",), ("adopted", "dismissed")
ACTIONS: Mapping[Verdict, str] = {"adopted": "stranded.adopt", "dismissed": "stranded.dismiss"}
# Digits of a device's name that are shown: enough to tell two apart.
DEVICE_DIGITS = 6

# Reason → why it was kept aside, in words for the office.
REASONS: Mapping[str, tuple[str, str]] = {
    "old_epoch": (
        "考生已在另一台电脑登录之后，原电脑才送到",
        "it came from the previous PC after the candidate had signed in at another one",
    ),
    "late": (
        "考试结束后送到；这台电脑在作答之后、结束之前曾与服务器联系而没有送出",
        "it came after the end, from a PC that had been in contact since it was typed and had not sent it",
    ),
    "ended": ("在考试结束之后作答", "it was typed after the end of the exam"),
    "final": ("作答终结之后才送到", "it came after the attempt was final"),
}


def rooms_in_reach(login: Login) -> frozenset[int] | None:
    """The rooms of which the login may see what was kept aside, None for all. Refuses not-permitted."""
    reach = scope(login.role, "view-stranded")
    if reach is None:
        raise Refused("not-permitted")
    return None if reach == "all" else login.own_room_ids


async def listed(
    conn: AsyncConnection, login: Login, session_id: int, *, decided: bool, after: int, limit: int, now_ms: int
) -> dict[str, Any]:
    """A page of ``{session, kept, attempts, next}``: by candidate, by item, what is accepted and what was kept aside.

    Refuses not-found, not-permitted, and session-not-begun: what an item says is nobody's before its session starts
    (I12).
    """
    reach = rooms_in_reach(login)
    session = await rooms.find_session(conn, session_id)
    if session is None:
        raise Refused("not-found")
    if session["start_ms"] is None or now_ms < session["start_ms"]:
        raise Refused("session-not-begun")
    states = DECIDED if decided else KEPT
    people = await stranded.attempts(conn, session_id, states=states, room_ids=reach, after=after, limit=limit + 1)
    more, people = len(people) > limit, people[:limit]
    rows = await stranded.of_attempts(conn, [one["attempt_id"] for one in people], states=states)
    by_attempt = {attempt: list(group) for attempt, group in groupby(rows, key=lambda row: row["attempt_id"])}
    counted = await stranded.counts(conn, [session_id], reach)
    return {
        "session": {
            "id": session_id,
            "name": session["name"],
            "timezone": await stranded.timezone(conn, session_id),
        },
        "kept": counted.get(session_id, 0),
        "attempts": [
            {
                "attempt_id": str(one["attempt_id"]),
                "ticket": one["ticket"],
                "name": one["name"],
                "building": one["building"],
                "room": one["room"],
                "seat": one["seat"],
                "state": one["state"],
                "items": _items(by_attempt.get(one["attempt_id"], [])),
            }
            for one in people
        ],
        "next": people[-1]["first"] if more else None,
    }


def _items(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [_item(list(group)) for _, group in groupby(rows, key=lambda row: row["item_id"])]


def _item(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One item of one candidate: ``{item, position, type, stem, options, pictures, seen, accepted, kept}``."""
    first = rows[0]
    seen = _accepted_version(first)
    return {
        "item": first["item_id"],
        "position": first["position"],
        "type": first["type"],
        "stem": first["stem"],
        "options": _options(first["options"] or [], first["option_order"] or ""),
        "pictures": first["pictures"] or 0,
        "seen": tag(seen),
        "accepted": None if seen is None else _accepted(first),
        "kept": [_kept(row, first) for row in rows],
    }


def _accepted_version(row: Mapping[str, Any]) -> Version | None:
    if row["accepted_epoch"] is None:
        return None
    return Version(row["accepted_epoch"], row["accepted_rev"], row["accepted_adopt_n"], bytes(row["accepted_hash"]))


def _accepted(row: Mapping[str, Any]) -> dict[str, Any]:
    """``adopted_by`` names whoever adopted it; None: the candidate's own."""
    return {
        "value": row["accepted_value"],
        "seat": row["accepted_seat"],
        "room": row["accepted_room"],
        "device": _device(row["accepted_device_id"]),
        "at_ms": row["accepted_at_ms"],
        "stamp_ms": row["accepted_stamp_ms"],
        "typed_at": _wall(row["accepted_typed_at"]),
        "adopted_by": row["accepted_by"] if row["accepted_adopt_n"] else None,
    }


def _kept(row: Mapping[str, Any], first: Mapping[str, Any]) -> dict[str, Any]:
    zh, en = REASONS[row["reason"]]
    return {
        "stranded": row["id"],
        "value": row["value"],
        "same": first["accepted_hash"] is not None and bytes(row["value_hash"]) == bytes(first["accepted_hash"]),
        "seat": row["from_seat"],
        "room": row["from_room"],
        "device": _device(row["device_id"]),
        "at_ms": row["at_ms"],
        "stamp_ms": row["stamp_ms"],
        "typed_at": _wall(row["typed_at"]),
        "received_at": _wall(row["received_at"]),
        "reason": row["reason"],
        "reason_zh": zh,
        "reason_en": en,
        "in_credit": row["in_credit"],
        "state": row["state"],
        "decided_by": row["decided_by"],
        "decided_ms": row["decided_ms"],
        "note": row["note"],
    }


def _options(options: Sequence[Mapping[str, Any]], order: str) -> list[dict[str, Any]]:
    """Id and text in the order the candidate saw; the bank's where nothing was shuffled."""
    place = {one: n for n, one in enumerate(order)}
    told = [{"id": one["id"], "text": one["text"]} for one in options]
    return sorted(told, key=lambda one: place.get(one["id"], len(place)))


def _device(device_id: str | None) -> str | None:
    return None if device_id is None else device_id[:DEVICE_DIGITS]


def _wall(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds")


async def decide(
    site: Site, login: Login, key: str, choices: Sequence[Choice], verdict: Verdict, *, note: str
) -> dict[str, Any]:
    """Adopt or dismiss ``choices``, all or nothing: ``{items: [{stranded, item, result}]}``.

    Refuses not-found, session-not-begun, stranded-decided, adopt-moved-on; the last two with ``results``, one for each
    choice: ``decided``, ``moved-on`` or ``unchanged``. The candidate's page is told, so that it shows what counts.
    """
    site.require_postgres()
    ids = [choice.stranded for choice in choices]
    async with site.engine.connect() as conn:
        attempts = await deciding.attempts_of(conn, ids)
    for attempt in attempts:
        async with site.plain() as connection:
            await recovery.repair(connection, site.hot_or_none(), site.service_time.lineage_n, attempt)
    now_ms = site.service_time.now_ms()
    places: list[Item] = []

    async def act(conn: AsyncConnection) -> Done:
        known = {row["id"]: row for row in await stranded.reach(conn, ids)}
        _refuse_unknown(ids, known, now_ms)
        items = await deciding.decide(conn, choices, verdict, staff_id=login.staff_id, note=note, now_ms=now_ms)
        await _refuse_obstacles(conn, items, known)
        if verdict == "adopted":
            await shortening.propose(conn, ids, staff_id=login.staff_id, now_ms=now_ms)
        places.extend(items)
        reply = {"items": [{"stranded": one.stranded, "item": one.item, "result": verdict} for one in items]}
        subject = {"note": note, "items": [_subject(one, known[one.stranded]) for one in items]}
        return Done(reply, ACTIONS[verdict], subject)

    body = {"items": [[choice.stranded, choice.seen] for choice in choices], "note": note}
    asked = StaffRequest(key, ACTIONS[verdict], body)
    reply = await staff_requests.once(site.engine, login, asked, act, now_ms=now_ms)
    if verdict == "adopted":
        await _tell(site, places)
    return reply


def _refuse_unknown(ids: Collection[int], known: Mapping[int, Mapping[str, Any]], now_ms: int) -> None:
    if any(one not in known for one in ids):
        raise Refused("not-found")
    if any(row["start_ms"] is None or now_ms < row["start_ms"] for row in known.values()):
        raise Refused("session-not-begun")


async def _refuse_obstacles(
    conn: AsyncConnection, items: Sequence[Item], known: Mapping[int, Mapping[str, Any]]
) -> None:
    results = [{"stranded": one.stranded, "result": one.obstacle or "unchanged"} for one in items]
    decided = [one.stranded for one in items if one.obstacle == "decided"]
    if decided:
        raise Refused("stranded-decided", by=await stranded.decided_by(conn, decided), results=results)
    moved = next((one for one in items if one.obstacle == "moved-on"), None)
    if moved is not None:
        raise Refused("adopt-moved-on", name=known[moved.stranded]["name"], results=results)


def _subject(item: Item, row: Mapping[str, Any]) -> dict[str, object]:
    """What the audit log says of one item: which versions, never a value or what a value could be guessed from."""
    return {
        "stranded": item.stranded,
        "attempt_id": str(item.attempt),
        "session_id": row["session_id"],
        "ticket": row["ticket"],
        "item": item.item,
        "reason": item.reason,
        "seen": _place(item.seen),
        "version": _place(item.version),
    }


def _place(version: Version | None) -> str | None:
    return None if version is None else f"{version.epoch}.{version.rev}.{version.adopt_n}"


async def _tell(site: Site, items: Sequence[Item]) -> None:
    """After the commit: the hot copies, and the candidates' pages. Nothing rests on either (STYLE 8: fail open)."""
    if not items:
        return
    async with site.engine.connect() as conn:
        rows = await deciding.accepted_now(conn, sorted({(one.attempt, one.item) for one in items}))
    try:
        await hot_copies.follow(site.store, site.keys, rows)
    except RedisAway as fault:
        log.info("hot copy not told of an adoption", fault=str(fault))
    for attempt in sorted({one.attempt for one in items}):
        await site.tell(Event("adopted", attempt=str(attempt), data={}))
