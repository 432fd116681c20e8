"""Where an incident is and who may read and write it.

An incident of rooms is seen by whoever watches one of them, a sealed one by the office's roles and whoever opened it.
Who watches one of its rooms writes down what they see; only who opened it, or watches over all of it, closes it. What
people write and send belongs to the incident; of its candidates and of what was done, whoever watches some rooms is
told what concerns these rooms.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.domain.roles import Action, allows, scope
from app.storage.postgres import incidents
from app.storage.postgres.staff import Login

Kind = Literal["site", "building", "room", "list", "candidate"]
LISTED = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """A scope as somebody asked for it: buildings or rooms by id, people by ticket."""

    kind: Kind
    buildings: tuple[int, ...] = ()
    rooms: tuple[int, ...] = ()
    tickets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """Ids, and names as people say them. For people: also the rooms they sit in, so that these rooms' staff see it."""

    names: list[str]
    room_ids: set[int] = field(default_factory=set)
    candidate_ids: set[int] = field(default_factory=set)


async def find(conn: AsyncConnection, exam_id: int, session_id: int | None, asked: Asked) -> Found:
    """Refused: scope-malformed, scope-unknown."""
    named = {
        "site": True,
        "building": bool(asked.buildings),
        "room": bool(asked.rooms),
        "list": bool(asked.tickets),
        "candidate": len(asked.tickets) == 1,
    }
    if not named[asked.kind]:
        raise Refused("scope-malformed", scope=asked.kind)
    if asked.kind in ("list", "candidate"):
        return await _people(conn, exam_id, session_id, asked.tickets)
    return await _places(conn, exam_id, asked)


async def _people(conn: AsyncConnection, exam_id: int, session_id: int | None, tickets: Collection[str]) -> Found:
    wanted = list(dict.fromkeys(tickets))
    there = {row["ticket"]: row for row in await incidents.named(conn, exam_id, session_id, wanted)}
    _refuse_unknown([one for one in wanted if one not in there])
    return Found(
        wanted,
        {row["room_id"] for row in there.values() if row["room_id"] is not None},
        {row["candidate_id"] for row in there.values()},
    )


async def _places(conn: AsyncConnection, exam_id: int, asked: Asked) -> Found:
    places = await incidents.places(conn, exam_id)
    if asked.kind == "site":
        return Found([], {row["id"] for row in places})
    key, name = ("building_id", "building") if asked.kind == "building" else ("id", "name")
    wanted = list(dict.fromkeys(asked.buildings if asked.kind == "building" else asked.rooms))
    known = {row[key]: str(row[name]) for row in places}
    _refuse_unknown([str(one) for one in wanted if one not in known])
    return Found([known[one] for one in wanted], {row["id"] for row in places if row[key] in set(wanted)})


def _refuse_unknown(names: list[str]) -> None:
    if names:
        more = "…" if len(names) > LISTED else ""
        raise Refused("scope-unknown", names="、".join(names[:LISTED]) + more)


# --- who ---


def permit_over(login: Login, action: Action, room_ids: Collection[int]) -> None:
    """All of these rooms are in reach, and at least one when reach is limited. Refused not-permitted."""
    if scope(login.role, action) == "all":
        return
    if not room_ids or not _all_in_reach(login, action, room_ids):
        raise Refused("not-permitted")


def _all_in_reach(login: Login, action: Action, room_ids: Collection[int]) -> bool:
    return all(allows(login.role, action, room_id=one, own_room_ids=login.own_room_ids) for one in room_ids)


def may_read(login: Login, head: RowMapping | dict[str, Any]) -> bool:
    return _may(login, "incident-view", head)


def may_write(login: Login, head: RowMapping | dict[str, Any]) -> bool:
    """Whoever opened it and has none of its rooms any more reads what they wrote, and writes nothing."""
    reach = scope(login.role, "incident-open")
    return reach is not None and _may(login, "incident-open", head) and (reach == "all" or _any(login, head))


def may_seal(login: Login, head: RowMapping | dict[str, Any]) -> bool:
    """Who seals it can still read it afterwards."""
    own = bool(head["staff_id"] == login.staff_id)
    return may_write(login, head) and (own or scope(login.role, "incident-sealed") == "all")


def in_reach(login: Login, head: RowMapping | dict[str, Any]) -> frozenset[int] | None:
    """The incident's rooms that the login looks after; None when that is every room."""
    if scope(login.role, "incident-view") == "all":
        return None
    return frozenset(head["room_ids"]) & login.own_room_ids


def may_close(login: Login, head: RowMapping | dict[str, Any]) -> bool:
    if not may_write(login, head):
        return False
    return bool(head["staff_id"] == login.staff_id) or _all_in_reach(login, "incident-open", head["room_ids"])


def _may(login: Login, action: Action, head: RowMapping | dict[str, Any]) -> bool:
    if head["staff_id"] == login.staff_id:
        return True
    if head["sealed"] and scope(login.role, "incident-sealed") != "all":
        return False
    if scope(login.role, action) == "all":
        return True
    return _any(login, head)


def _any(login: Login, head: RowMapping | dict[str, Any]) -> bool:
    return not login.own_room_ids.isdisjoint(head["room_ids"])
