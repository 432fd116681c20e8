"""All rooms of a session at a glance: who is there, who answers, what is open and what waits for a decision.

What moves by itself is counted anew at every look from the people's states; what staff change is read again when the
audit log has something new. The overview is made once for a process; each page gets the part its reader may see.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import hall
from app.domain.adjustments import NAMING
from app.domain.attendance import Balance, Standing, balance
from app.services import announcements, incidents, proposals, room, time_decision_records, time_sight
from app.services.day_feed import Recent
from app.services.hall_viewer import Viewer
from app.storage.postgres import hall as rows
from app.storage.postgres import hall_feed, time_decisions, time_terms
from app.storage.postgres import incidents as incident_rows
from app.storage.postgres import proposals as proposal_rows
from app.storage.postgres.hall import Seated
from app.storage.postgres.hall_feed import Exam

# States of those at their PCs, and of those who were.
SITTING = ("waiting", "answering", "on_leave", "paused", "silent")
OVER = ("handed_in", "timed_out", "forced")
# Announcements the page shows; the rest is on its own list.
RECENT = 20
# For how long it may change who has one.
COUNTED_FOR_MS = 900_000
TOTALS = ("expected", "present", "absent", "deferred", "unaccounted", "spare_left", "discrepancies")


@dataclass(frozen=True, slots=True)
class Slow:
    """What only staff change. ``rooms``: rows of ``rows.rooms``; incidents are heads that are open; ``people``: whom
    open incidents and proposals name, by ticket."""

    exam: Exam
    rooms: Sequence[Mapping[str, Any]]
    records: Mapping[int, Mapping[str, Any]]
    watched_by: Mapping[int, list[str]]
    incidents: Sequence[tuple[Any, dict[str, Any]]]
    # Sealed ones, open or not, with who opened each.
    sealed: Mapping[int, int]
    proposals: Sequence[tuple[list[int], dict[str, Any]]]
    decisions: Sequence[dict[str, Any]]
    discrepancies: Mapping[int, int]
    people: Mapping[str, Seated]


@dataclass(frozen=True, slots=True)
class Counted:
    """One room's people now."""

    balance: Balance
    states: Mapping[str, int]
    door_open: bool


@dataclass(frozen=True, slots=True)
class Announced:
    """The newest announcements, and whom they name."""

    rows: Sequence[dict[str, Any]]
    people: Mapping[str, Seated]

    def moves(self, now_ms: int) -> bool:
        """Whether one of late has not reached everybody."""
        return any(
            one["candidates"] is not None
            and one["candidates"]["shown"] < one["candidates"]["of"]
            and now_ms - one["made_ms"] < COUNTED_FOR_MS
            for one in self.rows
        )


@dataclass(eq=False, slots=True)
class Overview:
    """One look at the hall, told to each reader once."""

    session: dict[str, Any]
    clock: dict[str, Any]
    slow: Slow
    counted: Mapping[int, Counted]
    announcements: Announced
    recent: Recent
    spare_low: int
    _told: dict[Viewer, bytes] = field(default_factory=dict)

    def hidden(self, viewer: Viewer) -> frozenset[int]:
        """Incidents that are sealed by now, whatever their entries said when they were written."""
        if viewer.sealed:
            return frozenset()
        return frozenset(one for one, opened_by in self.slow.sealed.items() if opened_by != viewer.staff_id)

    def text(self, viewer: Viewer) -> bytes:
        """``told`` as JSON, made once for all who see the same."""
        if viewer not in self._told:
            self._told[viewer] = orjson.dumps(self.told(viewer), option=orjson.OPT_NON_STR_KEYS)
        return self._told[viewer]

    def told(self, viewer: Viewer) -> dict[str, Any]:
        """``{session, clock, rooms, totals, incidents, proposals, decisions, announcements}`` of what is in reach."""
        open_incidents = [(head, told) for head, told in self.slow.incidents if viewer.sees_incident(head)]
        asked = [(in_rooms, told) for in_rooms, told in self.slow.proposals if viewer.sees(in_rooms)]
        per_room = Counter(one for head, _ in open_incidents for one in head["room_ids"])
        waiting = Counter(one for in_rooms, _ in asked for one in in_rooms)
        told_rooms = [
            self._room(row, per_room[row["id"]], waiting[row["id"]])
            for row in self.slow.rooms
            if viewer.sees([row["id"]])
        ]
        states: Counter[str] = Counter()
        for one in told_rooms:
            states.update(one["states"])
        totals = {name: sum(one[name] for one in told_rooms) for name in TOTALS}
        return {
            "session": self.session,
            "clock": self.clock,
            "rooms": told_rooms,
            "totals": {
                **totals,
                "rooms": sum(not one["reserve"] for one in told_rooms),
                "signed": sum(one["signed"] is not None for one in told_rooms),
                "released": sum(one["released"] is not None for one in told_rooms),
                "states": states,
            },
            "incidents": [
                {**told, "names": viewer.names(told["scope"], told["names"], told["room_ids"], self.slow.people)}
                for _, told in open_incidents
            ],
            "proposals": [time_sight.within(told, viewer, self.slow.people) for _, told in asked],
            "decisions": list(self.slow.decisions) if viewer.rooms is None else [],
            "announcements": [
                announcements.within(one, viewer, self.announcements.people)
                for one in self.announcements.rows
                if viewer.sees(one["room_ids"])
            ],
        }

    def _room(self, row: Mapping[str, Any], open_incidents: int, asked: int) -> dict[str, Any]:
        counted = self.counted.get(row["id"], NOBODY)
        record: Mapping[str, Any] = self.slow.records.get(row["id"], {})
        states = counted.states
        sitting = sum(states.get(state, 0) for state in SITTING)
        discrepancies = self.slow.discrepancies.get(row["id"], 0)
        numbers = hall.Numbers(
            sitting=sitting,
            silent=states.get("silent", 0),
            paused=states.get("paused", 0),
            unaccounted=counted.balance.unaccounted,
            spare_left=row["spare_left"],
            has_spares=row["spares"] > 0,
            door_open=counted.door_open,
            over=sitting == 0 and any(states.get(state) for state in OVER),
            incidents=open_incidents,
            proposals=asked,
            discrepancies=discrepancies,
            signed=record.get("signed_ms") is not None,
            released=record.get("released_ms") is not None,
        )
        why = hall.reasons(numbers)
        return {
            **{
                key: row[key]
                for key in (
                    "id",
                    "name",
                    "number",
                    "building",
                    "building_id",
                    "spares",
                    "spare_left",
                    "broken",
                    "reserve",
                )
            },
            **counted.balance.numbers(),
            "states": states,
            "sitting": sitting,
            "spare_low": row["spares"] > 0 and row["spare_left"] <= self.spare_low,
            "watched_by": self.slow.watched_by.get(row["id"], []),
            "incidents": open_incidents,
            "proposals": asked,
            "discrepancies": discrepancies,
            "signed": _step(record, "signed"),
            "released": _step(record, "released"),
            "level": hall.level(numbers, why),
            "why": why,
        }


NOBODY = Counted(Balance(0, 0, 0), {}, True)


def _step(record: Mapping[str, Any], step: str) -> dict[str, Any] | None:
    ms = record.get(f"{step}_ms")
    return None if ms is None else {"by": record[f"{step}_by"], "ms": ms}


def counted(states: Sequence[str], standings: Sequence[Standing], door_open: bool) -> Counted:
    return Counted(balance(standings), dict(Counter(states)), door_open)


async def load(conn: AsyncConnection, session: Mapping[str, Any], now_ms: int) -> Slow:
    """Everything of a session that only staff change: a dozen statements, none of them over responses."""
    raw = await rows.driver(conn)
    session_id, exam_id = session["id"], session["exam_id"]
    wall = await time_terms.wall_time(conn, now_ms)
    every = await incident_rows.of_exam(conn, exam_id)
    heads = [head for head in every if head["state"] == "open"]
    asked = [row for row in await proposal_rows.of_session(conn, session_id) if row["state"] == "open"]
    in_rooms = await rows.proposed(raw, session_id)
    named = {ticket for row in (*heads, *asked) if row["scope"] in NAMING for ticket in row["scope_names"]}
    return Slow(
        exam=await hall_feed.exam(conn, exam_id),
        people=await rows.seated(raw, exam_id, named),
        rooms=await rows.rooms(raw, session_id, exam_id),
        records=await rows.records(raw, session_id),
        watched_by=await rows.watched_by(raw, exam_id),
        incidents=[(head, incidents.told_head(head, wall)) for head in heads],
        sealed={head["id"]: head["staff_id"] for head in every if head["sealed"]},
        proposals=[(in_rooms.get(row["id"], []), proposals.told(row, wall)) for row in asked],
        decisions=[
            time_decision_records.told(row)
            for row in await time_decisions.of_session(conn, session_id)
            if row["state"] == "proposed"
        ],
        discrepancies=await rows.discrepancies(raw, session_id),
    )


async def announced(conn: AsyncConnection, session_id: int) -> Announced:
    found = await announcements.recent(conn, session_id, RECENT)
    return Announced(found, await announcements.seated(conn, found))


def overview(
    session: Mapping[str, Any],
    slow: Slow,
    people: Mapping[int, Counted],
    told: Announced,
    recent: Recent,
    *,
    spare_low: int,
    now_ms: int,
) -> Overview:
    return Overview(
        session=room.told_session(session, now_ms),
        clock=room.session_clock(session, now_ms),
        slow=slow,
        counted=people,
        announcements=told,
        recent=recent,
        spare_low=spare_low,
    )
