"""From a scope as somebody asked for it to the attempts that are meant.

Who is in a room is where they sit *now*: a candidate who was moved is paused with the room they are in. The members
are written out with the entry, so who was meant stays a fact when they move on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.adjustments import Scope
from app.domain.errors import Refused
from app.storage.postgres import time_scope
from app.storage.postgres.time_scope import Member, Timed

# As many unknown names as a refusal lists.
LISTED = 10


@dataclass(frozen=True, slots=True)
class Reached:
    """Whom a scope means: ``names`` as people say them (rooms, buildings, tickets), ``room_id`` when it is one room."""

    session: Timed
    members: Sequence[Member]
    names: Sequence[str]
    room_id: int | None

    @property
    def rooms(self) -> int:
        return len({each.room_id for each in self.members})


async def session_of(conn: AsyncConnection, session_id: int) -> Timed:
    """Refused not-found."""
    found = await time_scope.find_session(conn, session_id)
    if found is None:
        raise Refused("not-found")
    return found


async def reach(conn: AsyncConnection, session: Timed, scope: Scope) -> Reached:
    """The members of the scope. Refused: scope-unknown (an id or ticket that is not in this session's exam, with its
    name), scope-empty."""
    room_id: int | None = None
    names: list[str]
    if scope.among:
        members = await time_scope.members(conn, session.id, attempts=scope.among)
        names = list(scope.names)
        there = {each.room_id for each in members}
        room_id = there.pop() if scope.kind in ("room", "candidate") and len(there) == 1 else None
    elif scope.kind == "site":
        names = []
        members = await time_scope.members(conn, session.id)
    elif scope.kind in ("building", "room"):
        places = await time_scope.exam_places(conn, session.exam_id)
        known = {place[f"{scope.kind}_id"]: str(place[scope.kind]) for place in places}
        wanted = dict.fromkeys(scope.buildings if scope.kind == "building" else scope.rooms)
        _refuse_unknown([str(one) for one in wanted if one not in known])
        names = [known[one] for one in wanted]
        if scope.kind == "building":
            members = await time_scope.members(conn, session.id, buildings=list(wanted))
        else:
            members = await time_scope.members(conn, session.id, rooms=list(wanted))
            room_id = next(iter(wanted)) if len(wanted) == 1 else None
    elif scope.attempt is not None:
        members = await time_scope.members(conn, session.id, attempts=[scope.attempt])
        names = [each.ticket for each in members]
    else:
        members = await time_scope.members(conn, session.id, tickets=list(scope.tickets))
        found = {each.ticket for each in members}
        _refuse_unknown([one for one in dict.fromkeys(scope.tickets) if one not in found])
        names = list(dict.fromkeys(scope.tickets))
    if not members:
        raise Refused("scope-empty")
    if len({each.room_id for each in members}) == 1 and scope.kind == "candidate":
        room_id = members[0].room_id
    return Reached(session, members, names, room_id)


def _refuse_unknown(names: Sequence[str]) -> None:
    if names:
        more = "…" if len(names) > LISTED else ""
        raise Refused("scope-unknown", names="、".join(names[:LISTED]) + more)
