"""Whom a name, a ticket or a seat means, across all rooms of a session, in pages."""

from __future__ import annotations

from typing import Any

import asyncpg

from app.domain.errors import Refused
from app.services import room
from app.services.hall_viewer import Viewer
from app.services.room import SeatState
from app.storage.postgres import hall as rows

PAGE = 50
LABEL = 2


async def search(
    conn: asyncpg.Connection[Any],
    viewer: Viewer,
    session_id: int,
    query: str,
    *,
    state: SeatState | None,
    room_id: int | None,
    skip: int,
    now_ms: int,
    silent_ms: int,
) -> dict[str, Any]:
    """``{candidates: [{ticket, name, room_id, room, seat_id, seat, attempt_id, state, silent_s}], total, next}``, by
    room and seat. ``query``: part of a name, ticket or room, or a seat ("12", "备1"); of several words all must fit.
    ``next`` is the ``skip`` of the following page, null on the last one. Refuses not-found."""
    session = await rows.session(conn, session_id)
    if session is None:
        raise Refused("not-found")
    # A name may be of two hundred letters, but nobody means more than a few words.
    words = query.casefold().split()[:8]
    found = []
    for one in await rows.people(conn, session_id, viewer.rooms):
        if room_id is not None and one["room_id"] != room_id:
            continue
        if not all(_fits(one, word) for word in words):
            continue
        now_in, silent_s = room.seat_state(one, session["start_ms"], now_ms, silent_ms)
        if state is None or now_in == state:
            found.append((one, now_in, silent_s))
    shown = found[skip : skip + PAGE]
    return {
        "candidates": [
            {
                **{key: one[key] for key in ("ticket", "name", "room_id", "room", "seat_id", "seat")},
                "attempt_id": None if one["attempt_id"] is None else str(one["attempt_id"]),
                "state": now_in,
                "silent_s": silent_s,
            }
            for one, now_in, silent_s in shown
        ],
        "total": len(found),
        "next": skip + PAGE if skip + PAGE < len(found) else None,
    }


def _fits(one: rows.Row, word: str) -> bool:
    # What is as short as a seat's label means the seat: half of all tickets hold a "12" somewhere.
    if (word.isdigit() and len(word) <= LABEL) or word.startswith("备"):
        return bool(word == one["seat"])
    return word in one["ticket"].casefold() or word in one["name"].casefold() or word in one["room"].casefold()
