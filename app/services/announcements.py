"""Announcements (通知): what the office says to a scope, and who has it.

Candidates get it as a notice: pushed to the open pages, carried by every reply until the page has shown it, and counted
by what the pages confirm. Staff see it on the page of their room until one of them has acknowledged it for the room.
Lock order: the request's key, attempts by id, the audit head.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.adjustments import NAMING, Change, Scope, check
from app.domain.errors import Refused
from app.domain.roles import allows
from app.services import staff_requests, time_scope
from app.services.hall_viewer import Viewer
from app.services.site import Site
from app.services.staff_requests import Done
from app.storage.postgres import adjustments, announcements, hall, notices
from app.storage.postgres import time_scope as scope_rows
from app.storage.postgres.hall import Seated
from app.storage.postgres.staff import Login
from app.storage.redis.events import MANY, Event

__all__ = ["Addressed", "Announcing", "acknowledge", "announce", "listed", "one", "within"]
Addressed = Literal["candidates", "staff", "both"]
ADDRESSED: tuple[Addressed, ...] = get_args(Addressed)
KIND = "announcement"
# Tickets an audit entry names; beyond it the rooms say where they sit.
NAMED = 50
LISTED = 50


@dataclass(frozen=True, slots=True)
class Announcing:
    """``en`` empty: the candidates' pages show the Chinese as it was typed."""

    scope: Scope
    addressed: Addressed
    zh: str
    en: str


async def announce(site: Site, login: Login, request: staff_requests.Request, asked: Announcing) -> dict[str, Any]:
    """``{announcement}`` as ``listed`` tells it, once for the request's key; the open pages hear of it at once.

    Refuses not-found, scope-malformed, scope-unknown, scope-empty, and not-permitted for a room out of reach.
    """
    told: list[Event] = []

    async def act(conn: AsyncConnection) -> Done:
        return await _announce(site, conn, login, asked, told)

    reply = await staff_requests.once(site.engine, login, request, act, now_ms=site.service_time.now_ms())
    for event in told:
        await site.tell(event)
    return reply


async def _announce(site: Site, conn: AsyncConnection, login: Login, asked: Announcing, told: list[Event]) -> Done:
    longest_ms = int(site.settings.longest_change.total_seconds() * 1000)
    # The shape of the scope is that of any change of time.
    check(Change("resume", asked.scope), now_ms=site.service_time.now_ms(), longest_ms=longest_ms)
    session = await time_scope.session_of(conn, asked.scope.session)
    reached = await time_scope.reach(conn, session, asked.scope)
    rooms = sorted({member.room_id for member in reached.members})
    for room_id in rooms:
        if not allows(login.role, "announce", room_id=room_id, own_room_ids=login.own_room_ids):
            raise Refused("not-permitted")
    # Whose paper is closed for good has no page any more that would show it.
    to = [member.attempt for member in reached.members if member.stored != "final"]
    if asked.addressed == "staff":
        to = []
    elif not to and asked.addressed == "candidates":
        raise Refused("scope-empty")
    now_ms = site.service_time.now_ms()
    notice_id = None
    english = asked.en or asked.zh
    if to:
        notice_id = await notices.create(conn, session.id, KIND, None, asked.zh, english, to, now_ms)
        # A reply looks for notices when its attempt's revision has moved.
        await scope_rows.lock_attempts(conn, to)
        await adjustments.touch(conn, to)
        notice = {"id": notice_id, "kind": KIND, "zh": asked.zh, "en": english}
        told.append(
            Event(
                "notice",
                attempt=MANY,
                session=session.id,
                data={"notice": notice, "attempts": [str(one) for one in to]},
            )
        )
    made = await announcements.create(
        conn,
        {
            "session_id": session.id, "addressed": asked.addressed, "scope": asked.scope.kind,
            "scope_names": list(reached.names)[:NAMED], "zh": asked.zh, "en": asked.en, "notice_id": notice_id,
            "staff_id": login.staff_id, "made_ms": now_ms,
        },
        rooms,
    )  # fmt: skip
    subject: dict[str, object] = {
        "session_id": session.id,
        "announcement": made,
        "addressed": asked.addressed,
        "scope": asked.scope.kind,
        "names": list(reached.names)[:NAMED],
        "candidates": len(to),
        "tickets": sorted(one.ticket for one in reached.members)[:NAMED] if asked.scope.kind in NAMING else [],
        "room_ids": rooms,
        "text": asked.zh,
        "text_en": asked.en,
    }
    if len(rooms) == 1:
        subject |= {"room_id": rooms[0], "room": reached.members[0].room}
    return Done({"announcement": await _one(conn, made)}, "notice.announce", subject)


async def acknowledge(
    site: Site, login: Login, request: staff_requests.Request, announcement_id: int, room_id: int
) -> dict[str, Any]:
    """``{known: {by, ms}, already}``: read by those who watch the room. Refuses not-found: it was not for this room."""

    async def act(conn: AsyncConnection) -> Done:
        row = await announcements.find(conn, announcement_id)
        if row is None or room_id not in row["room_ids"] or row["addressed"] == "candidates":
            raise Refused("not-found")
        now_ms = site.service_time.now_ms()
        first = await announcements.acknowledge(conn, announcement_id, room_id, staff_id=login.staff_id, now_ms=now_ms)
        room = next(each for each in await announcements.rooms(conn, announcement_id) if each["id"] == room_id)
        reply = {"known": {"by": room["known_by"], "ms": room["known_ms"]}, "already": not first}
        if not first:
            return Done(reply)
        subject = {
            "session_id": row["session_id"], "announcement": announcement_id, "room_id": room_id,
            "room": room["name"], "text": row["zh"],
        }  # fmt: skip
        return Done(reply, "notice.acknowledge", subject)

    return await staff_requests.once(site.engine, login, request, act, now_ms=site.service_time.now_ms())


# --- looking at them ---


async def listed(conn: AsyncConnection, viewer: Viewer, session_id: int) -> dict[str, Any]:
    """``{announcements: [{id, addressed, scope, names, zh, en, by, at, candidates: {of, shown, absent}?, rooms: {of,
    known}?, room_ids, waiting: [room id]}]}``, the newest first, of the rooms in reach. Refuses not-found."""
    session = await time_scope.session_of(conn, session_id)
    rows = await recent(conn, session.id)
    people = await seated(conn, rows)
    return {"announcements": [within(row, viewer, people) for row in rows if viewer.sees(row["room_ids"])]}


async def seated(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> dict[str, Seated]:
    """Whom these announcements of one exam name, with where they sit."""
    tickets = {ticket for row in rows if row["scope"] in NAMING for ticket in row["names"]}
    return await hall.seated(await hall.driver(conn), rows[0]["exam_id"], tickets) if tickets else {}


async def recent(conn: AsyncConnection, session_id: int, limit: int = LISTED) -> list[dict[str, Any]]:
    """Of the whole session; ``within`` narrows one to the rooms of a reader."""
    return [told(row) for row in await announcements.of_session(conn, session_id, limit)]


async def _one(conn: AsyncConnection, announcement_id: int) -> dict[str, Any]:
    row = await announcements.find(conn, announcement_id)
    if row is None:
        raise Refused("not-found")
    # Whoever said it reaches all of it.
    return within(told(row), Viewer(None, sealed=False, misconduct=False, staff_id=None), {})


def told(row: RowMapping) -> dict[str, Any]:
    candidates = None
    if row["notice_id"] is not None:
        candidates = {"of": row["of"], "shown": row["shown"], "absent": row["absent"]}
    return {
        "id": row["id"],
        "session_id": row["session_id"],
        "exam_id": row["exam_id"],
        "addressed": row["addressed"],
        "scope": row["scope"],
        "names": list(row["scope_names"]),
        "zh": row["zh"],
        "en": row["en"],
        "by": row["by"],
        "made_ms": row["made_ms"],
        "at": row["made_at"].astimezone(ZoneInfo(row["timezone"])).isoformat(timespec="seconds"),
        "candidates": candidates,
        "room_ids": list(row["room_ids"]),
        "known": list(row["known"]),
    }


def within(one: Mapping[str, Any], viewer: Viewer, people: Mapping[str, Seated]) -> dict[str, Any]:
    """As the viewer is told it: of rooms and of ``people`` by ticket their own; the candidates are counted for the
    whole announcement."""
    mine = [each for each in one["room_ids"] if viewer.sees([each])]
    known = set(one["known"])
    staff = None
    if one["addressed"] != "candidates":
        staff = {"of": len(mine), "known": sum(each in known for each in mine)}
    waiting = [each for each in mine if each not in known] if staff is not None else []
    return {
        **{key: value for key, value in one.items() if key not in ("known", "exam_id")},
        "names": viewer.names(one["scope"], one["names"], one["room_ids"], people),
        "room_ids": mine,
        "rooms": staff,
        "waiting": waiting,
    }


async def one(conn: AsyncConnection, viewer: Viewer, announcement_id: int) -> dict[str, Any]:
    """``{announcement, missing: [{attempt, room, seat, ticket, name}], rooms: [{id, name, known: {by, ms}?}]}``: whose
    page has not shown it, and which rooms have acknowledged it. Refuses not-found."""
    row = await announcements.find(conn, announcement_id)
    if row is None or not viewer.sees(row["room_ids"]):
        raise Refused("not-found")
    whole = told(row)
    lacking: Sequence[RowMapping] = ()
    if row["notice_id"] is not None:
        lacking = await notices.missing(conn, row["notice_id"])
    rooms = [] if row["addressed"] == "candidates" else await announcements.rooms(conn, announcement_id)
    return {
        "announcement": within(whole, viewer, await seated(conn, [whole])),
        "missing": [
            {"attempt": str(each["attempt_id"]), **{key: each[key] for key in ("room", "seat", "ticket", "name")}}
            for each in lacking
            if viewer.sees([each["room_id"]])
        ],
        "rooms": [
            {
                "id": each["id"],
                "name": each["name"],
                "known": None if each["known_ms"] is None else {"by": each["known_by"], "ms": each["known_ms"]},
            }
            for each in rooms
            if viewer.sees([each["id"]])
        ],
    }
