"""The picture of one room in one session: who sits where, in what state, and which spare seat is next.

Reads once (``load``), then everything is decided in a pure function (``picture``) of what was read, the service time
and the settings, so that what the page shows can be tested without a hall.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import lifecycle
from app.domain.attendance import Standing
from app.domain.errors import Refused
from app.services import room_door
from app.storage.postgres import announcements, roll_calls, room_records, rooms, spare_requests
from app.storage.postgres.roll_calls import RollCall
from app.storage.postgres.room_records import RoomRecord
from app.storage.postgres.spare_requests import SpareRequest

SeatState = Literal[
    "not_arrived", "checked_in", "absent", "waiting", "answering", "on_leave", "paused", "silent", "handed_in",
    "timed_out", "forced", "deferred",
]  # fmt: skip
SEAT_STATES: tuple[SeatState, ...] = get_args(SeatState)
Row = Mapping[str, Any]
# Attempt id → (count of changes, items answered at that count): a count that has not moved need not be taken again.
Answered = MutableMapping[UUID, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Everything the database says about a room in a session."""

    room: Row
    session: Row
    seats: Sequence[Row]
    answered: Mapping[UUID, int]
    left_seats: frozenset[int]
    record: RoomRecord = field(default_factory=RoomRecord)
    # Asked only of a room that has no spare seat of its own left: the rooms that have one, nearest first.
    near: Sequence[Row] = ()
    # Seats that other rooms ask of this one, and that it has asked of them.
    asked: Sequence[SpareRequest] = ()
    roll_call: RollCall | None = None
    # What the office has said and nobody of the room has acknowledged.
    announced: Sequence[Row] = ()


async def load(conn: AsyncConnection, room_id: int, session_id: int, known: Answered | None = None) -> Loaded:
    """Nine statements whatever the number of seats, one more for a room that has run out of spares; refuses not-found
    (also a session of another exam).

    ``known`` carries answered counts from one load to the next: only attempts whose ``count`` moved are counted again.
    """
    room = await rooms.find_room(conn, room_id)
    session = await rooms.find_session(conn, session_id)
    if room is None or session is None or session["exam_id"] != room["exam_id"]:
        raise Refused("not-found")
    seats = await rooms.seats(conn, room_id, session_id)
    known = {} if known is None else known
    counts = {row["attempt_id"]: row["count"] for row in seats if row["attempt_id"] is not None}
    moved = [attempt for attempt, count in counts.items() if known.get(attempt, (0, 0))[0] != count]
    fresh = await rooms.answered(conn, moved)
    # A count read before its responses may be older than they are; the next load then counts once more.
    known.update({attempt: (counts[attempt], fresh.get(attempt, 0)) for attempt in moved})
    return Loaded(
        room=room,
        session=session,
        seats=seats,
        answered={attempt: known[attempt][1] if attempt in known else 0 for attempt in counts},
        left_seats=await rooms.left_seats(conn, room_id, session_id),
        record=await room_records.find(conn, session_id, room_id),
        near=() if any(map(_is_free_spare, seats)) else await spare_requests.nearest(conn, room_id, session_id),
        asked=await spare_requests.of_room(conn, session_id, room_id),
        roll_call=await roll_calls.find_open(conn, session_id, room_id),
        announced=await announcements.unknown_in(conn, room_id, session_id),
    )


def _is_free_spare(row: Row) -> bool:
    return bool(row["is_spare"] and _is_free(row))


def _is_free(row: Row) -> bool:
    return row["ticket"] is None and row["arriving_id"] is None and row["out_of_order"] is None


def session_state(session: Row, now_ms: int) -> Literal["planned", "waiting", "running", "ended", "held"]:
    """``planned``: not anchored yet. ``ended`` is the session's own end; single candidates may have longer."""
    start_ms = session["start_ms"]
    if session["held"] is not None:
        return "held"
    if start_ms is None:
        return "planned"
    if now_ms < start_ms:
        return "waiting"
    return "running" if now_ms < start_ms + session["duration_ms"] else "ended"


def session_clock(session: Row, now_ms: int, last_end_ms: int | None = None) -> dict[str, Any]:
    """``{service_ms, state, starts_in_ms, remaining_ms, longest_ms}``.

    ``remaining_ms`` is the session's own, ``longest_ms`` that of the candidate who may sit longest (None: nobody).
    """
    start_ms, duration_ms = session["start_ms"], session["duration_ms"]
    remaining = duration_ms if start_ms is None else max(0, min(duration_ms, start_ms + duration_ms - now_ms))
    return {
        "service_ms": now_ms,
        "state": session_state(session, now_ms),
        "starts_in_ms": max(0, start_ms - now_ms) if start_ms is not None and now_ms < start_ms else None,
        "remaining_ms": remaining,
        "longest_ms": max(0, last_end_ms - now_ms) if last_end_ms is not None else None,
    }


def told_session(session: Row, now_ms: int) -> dict[str, Any]:
    return {
        "id": session["id"],
        "exam_id": session["exam_id"],
        "number": session["number"],
        "name": session["name"],
        "planned_start": _wall(session["planned_start"]),
        "duration_ms": session["duration_ms"],
        "timezone": session["timezone"],
        "state": session_state(session, now_ms),
    }


def seat_state(row: Row, start_ms: int | None, now_ms: int, silent_after_ms: int) -> tuple[SeatState, int | None]:
    """The occupant's state, and for how many whole seconds they have been silent; ``start_ms`` is the session's.

    Silence is judged at the boundary as everywhere: exactly ``silent_after_ms`` unheard is silent. Whoever is paused is
    told as that, heard or not: nobody has to go there for it.
    """
    signed_in_ms = row["signed_in_ms"]
    if row["attempt_id"] is None or signed_in_ms is None:
        return _BEFORE_SIGN_IN[room_door.standing_of(row)], None
    state = lifecycle.derive(
        row["state"], signed_in=True, start_ms=room_door.own_start(row, start_ms), end_ms=row["end_ms"], now_ms=now_ms,
        paused=row["left_ms"] is not None,
    )  # fmt: skip
    if state in ("ended", "final"):
        # Past its end but not yet swept an attempt has no reason of its own: its time is up.
        reasons: dict[str | None, SeatState] = {
            "hand_in": "handed_in", "forced": "forced", "deferred": "deferred",
        }  # fmt: skip
        return reasons.get(row["end_reason"], "timed_out"), None
    if state == "paused":
        return "paused", None
    if row["leave_ms"] is not None:
        # Whether their PC is heard or not: nobody sits at it.
        return "on_leave", None
    heard_ms = max(signed_in_ms, row["contact_ms"] or 0)
    if now_ms - heard_ms >= silent_after_ms:
        return "silent", (now_ms - heard_ms) // 1000
    return ("waiting" if state == "waiting" else "answering"), None


_BEFORE_SIGN_IN: Mapping[Standing, SeatState] = {
    "present": "checked_in", "absent": "absent", "deferred": "deferred", "unaccounted": "not_arrived",
}  # fmt: skip


def picture(loaded: Loaded, now_ms: int, silent_after_ms: int, spare_low: int = 1) -> dict[str, Any]:
    """The room as the page gets it: ``{room, session, clock, counts, seats, spare_left, suggested_seat_id}``, and who
    came: ``{door, numbers, record, absent_due, spare_low, nearest_spare, …}``. ``absent_due``: whom to confirm as
    absent, by ticket, once nobody may come any more without a chief."""
    start_ms = loaded.session["start_ms"]
    seats = [_seat(row, loaded, start_ms, now_ms, silent_after_ms) for row in loaded.seats]
    # A paused attempt has no end until it goes on.
    open_ends = [
        row["end_ms"]
        for row in loaded.seats
        if row["end_ms"] is not None and row["state"] == "open" and row["left_ms"] is None
    ]
    states = [seat["occupant"]["state"] for seat in seats if seat["occupant"] is not None]
    free = [seat for seat in seats if seat["is_spare"] and seat["free"]]
    numbers = room_door.numbers(loaded.seats)
    # A spare that somebody had to leave in this session comes last: its PC is the likely reason.
    free.sort(key=lambda seat: (seat["seat_id"] in loaded.left_seats, seat["ordinal"]))
    return {
        "room": {key: loaded.room[key] for key in ("id", "name", "number", "building", "exam_name", "timezone")},
        "session": told_session(loaded.session, now_ms),
        "clock": session_clock(loaded.session, now_ms, max(open_ends, default=None)),
        "counts": {
            "expected": numbers["expected"],
            "arrived": numbers["present"],
            **{state: states.count(state) for state in SEAT_STATES},
        },
        "seats": seats,
        "spare_left": len(free),
        "suggested_seat_id": free[0]["seat_id"] if free else None,
        "spare_low": len(free) <= spare_low,
        "nearest_spare": dict(loaded.near[0]) if loaded.near else None,
        "spare_rooms": [dict(one) for one in loaded.near],
        "spare_requests": [one.told() for one in loaded.asked],
        "roll_call": None if loaded.roll_call is None else loaded.roll_call.told(),
        "door": room_door.door_told(loaded.session, start_ms, now_ms),
        "numbers": numbers,
        "record": loaded.record.told(),
        "announcements": [dict(one) for one in loaded.announced],
        "absent_due": room_door.absent_due(loaded.session, loaded.seats, start_ms, now_ms),
    }


def _seat(row: Row, loaded: Loaded, start_ms: int | None, now_ms: int, silent_after_ms: int) -> dict[str, Any]:
    occupied = row["ticket"] is not None
    arriving = None
    if row["arriving_id"] is not None:
        arriving = {
            "id": row["arriving_id"],
            "name": row["comer_name"],
            "ticket": row["comer_ticket"],
            "from_seat": row["from_label"],
            "from_room": row["from_room"] if row["from_room_id"] != loaded.room["id"] else None,
        }
    return {
        "seat_id": row["seat_id"],
        "label": row["label"],
        "ordinal": row["ordinal"],
        "is_spare": row["is_spare"],
        "out_of_order": row["out_of_order"],
        "free": _is_free(row),
        "arriving": arriving,
        "occupant": _occupant(row, loaded, start_ms, now_ms, silent_after_ms) if occupied else None,
    }


# Who still has time before them.
_TIMED: frozenset[SeatState] = frozenset(
    {"waiting", "answering", "on_leave", "paused", "silent", "not_arrived", "checked_in", "absent"}
)


def _occupant(row: Row, loaded: Loaded, start_ms: int | None, now_ms: int, silent_after_ms: int) -> dict[str, Any]:
    state, silent_s = seat_state(row, start_ms, now_ms, silent_after_ms)
    relog = None
    if row["relog_id"] is not None:
        relog = {
            "id": row["relog_id"],
            "from_seat": row["label"],
            "to_seat": row["to_label"],
            "to_seat_id": row["to_seat_id"],
            "to_room": row["to_room"] if row["to_room_id"] != loaded.room["id"] else None,
            "same_seat": row["to_seat_id"] == row["seat_id"],
            "released": row["to_released"],
            "reason": row["relog_reason"],
            "by": row["relog_by"],
            "opened_s": max(0, now_ms - row["relog_opened_ms"]) // 1000,
            "state": "open",
        }
    last_ms = None if row["signed_in_ms"] is None else max(row["signed_in_ms"], row["contact_ms"] or 0)
    remaining_ms = None
    # The time of someone who has ended no longer runs, before the start nobody's does, and a paused one's stands.
    if state in _TIMED and row["end_ms"] is not None:
        left_ms = row["end_ms"] - max(now_ms, room_door.own_start(row, start_ms) or now_ms)
        remaining_ms = max(0, left_ms if row["left_ms"] is None else row["left_ms"])
    return {
        "attempt_id": str(row["attempt_id"]) if row["attempt_id"] is not None else None,
        "ticket": row["ticket"],
        "name": row["name"],
        "gender": row["gender"],
        "specialty": row["specialty"],
        "employer": row["employer"],
        "photo": None,
        "state": state,
        "silent_s": silent_s,
        "last_seen_s": max(0, now_ms - last_ms) // 1000 if last_ms is not None else None,
        "remaining_ms": remaining_ms,
        "answered": loaded.answered.get(row["attempt_id"], 0),
        "total": row["item_count"],
        "planned_label": row["planned_label"],
        "planned_room": row["planned_room"] if row["planned_room_id"] != loaded.room["id"] else None,
        "relog": relog,
        "candidate_id": row["candidate_id"],
        "checked_in": _by(row["checked_in_by"], row["checked_in_ms"]),
        "admission": None
        if row["admitted_ms"] is None
        else {"by": row["admitted_by"], "ms": row["admitted_ms"], "reason": row["admitted_reason"]},
        "provisional": row["provisional_id"] is not None,
        "withdrew": None
        if row["withdrew_ms"] is None
        else {"by": row["withdrew_by"], "ms": row["withdrew_ms"], "reason": row["withdrew_reason"]},
        "leave": None
        if row["leave_ms"] is None
        else {"kind": row["leave_kind"], "ms": row["leave_ms"], "away_s": max(0, now_ms - row["leave_ms"]) // 1000},
    }


def _by(name: str | None, ms: int | None) -> dict[str, Any] | None:
    return None if ms is None else {"by": name, "ms": ms}


def _wall(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
