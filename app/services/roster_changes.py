"""A roster against the record: what would change, and what of it may not. Pure: two pictures in, one plan out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.identity import ID_KINDS, mask_id
from app.importers.model import CandidatePlan, Placement, RoomPlan, Roster, SessionPlan
from app.services.changes import Blocked, BlockedCode, Change, short
from app.storage.postgres.candidates import Allocation, Candidate
from app.storage.postgres.exams import Room, Session

MINUTE_MS = 60_000
# Columns of a session that a roster may leave to the server.
_OPTIONAL = ("sign_in_opens", "last_admission", "earliest_hand_in")


@dataclass(frozen=True, slots=True)
class Stored:
    """The record's picture of one exam."""

    rooms: Sequence[Room] = ()
    sessions: Sequence[Session] = ()
    candidates: Sequence[Candidate] = ()
    allocations: Sequence[Allocation] = ()
    # (room, seat label) to the seat's id.
    seats: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not (self.rooms or self.sessions or self.candidates)


@dataclass(slots=True)
class Plan:
    """What is to be done, in the order of the words; ``changes`` tells it, the rest does it.

    Rooms and candidates carry the values that change. ``placements_out`` are ids of allocations that go or move;
    ``placements_in`` the (ticket, placement) that come.
    """

    rooms_in: list[tuple[int, RoomPlan]] = field(default_factory=list)
    rooms_changed: list[tuple[Room, int, RoomPlan]] = field(default_factory=list)
    rooms_out: list[Room] = field(default_factory=list)
    sessions_in: list[SessionPlan] = field(default_factory=list)
    sessions_changed: list[tuple[Session, dict[str, Any]]] = field(default_factory=list)
    sessions_out: list[Session] = field(default_factory=list)
    candidates_in: list[CandidatePlan] = field(default_factory=list)
    candidates_changed: list[tuple[Candidate, dict[str, Any], CandidatePlan]] = field(default_factory=list)
    candidates_out: list[Candidate] = field(default_factory=list)
    placements_in: list[tuple[str, Placement]] = field(default_factory=list)
    placements_out: list[int] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    blocked: list[Blocked] = field(default_factory=list)


def session_values(plan: SessionPlan, zone: ZoneInfo) -> dict[str, Any]:
    """The columns a session's row gets from the file; what the file leaves open is not among them."""
    start = instant(plan.start, zone)
    values: dict[str, Any] = {
        "number": plan.number,
        "name": plan.name,
        "planned_start": start,
        "imported_start": start,
        "duration_ms": plan.duration_ms,
    }
    for key in _OPTIONAL:
        given = getattr(plan, f"{key}_ms")
        if given is not None:
            values[f"{key}_ms"] = given
    return values


def instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """A wall time of the exam's zone as an instant in UTC."""
    return wall.replace(tzinfo=zone).astimezone(UTC)


def wall_text(at: datetime, zone: ZoneInfo) -> str:
    """'2024-07-20 08:30' in the exam's zone."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def candidate_values(plan: CandidatePlan) -> dict[str, Any]:
    """The columns of a candidate that come straight from the file."""
    return {
        "name": plan.name,
        "gender": plan.gender,
        "id_kind": plan.id_kind,
        "id_number": plan.id_number,
        "specialty": plan.specialty,
        "employer": plan.employer,
        "extra_time_ms": plan.extra_time_ms,
    }


def compare(roster: Roster, stored: Stored, zone: ZoneInfo) -> Plan:
    """Everything that differs. Nothing is blocked where nothing has been drawn."""
    plan = Plan()
    _sessions(plan, roster, stored, zone)
    _rooms(plan, roster, stored)
    _candidates(plan, roster, stored)
    _placements(plan, roster, stored)
    _hold_seats(plan, stored)
    plan.blocked = list(dict.fromkeys(plan.blocked))
    return plan


def session_key(number: int) -> str:
    return f"第{number}场"


def _sessions(plan: Plan, roster: Roster, stored: Stored, zone: ZoneInfo) -> None:
    known = {each.number: each for each in stored.sessions}
    for wanted in roster.sessions:
        there = known.pop(wanted.number, None)
        key = session_key(wanted.number)
        if there is None:
            start = wanted.start.strftime("%Y-%m-%d %H:%M")
            plan.sessions_in.append(wanted)
            plan.changes.append(Change("session", "add", key, after=f"{wanted.name} {start}"))
            continue
        values, changes = _session_differences(wanted, there, zone)
        if values:
            plan.sessions_changed.append((there, values))
            plan.changes.extend(changes)
            _block_session(plan, there)
    for there in known.values():
        plan.sessions_out.append(there)
        plan.changes.append(Change("session", "remove", session_key(there.number), before=there.name))
        _block_session(plan, there)


def _block_session(plan: Plan, there: Session) -> None:
    if there.start_ms is not None:
        plan.blocked.append(Blocked("session-anchored", session_key(there.number)))
    elif there.attempts:
        plan.blocked.append(Blocked("session-drawn", session_key(there.number)))


def _session_differences(wanted: SessionPlan, there: Session, zone: ZoneInfo) -> tuple[dict[str, Any], list[Change]]:
    """A start is compared with what the last roster said, not with what a reschedule made of it."""
    key = session_key(wanted.number)
    values: dict[str, Any] = {}
    changes: list[Change] = []

    def differs(name: str, column: dict[str, Any], before: object, after: object) -> None:
        values.update(column)
        changes.append(Change("session", "change", key, name, short(before), short(after)))

    start = instant(wanted.start, zone)
    if start != (there.imported_start or there.planned_start):
        moved = {"planned_start": start, "imported_start": start}
        differs("start", moved, wall_text(there.planned_start, zone), wall_text(start, zone))
    if wanted.name != there.name:
        differs("name", {"name": wanted.name}, there.name, wanted.name)
    if wanted.duration_ms != there.duration_ms:
        minutes = (there.duration_ms // MINUTE_MS, wanted.duration_ms // MINUTE_MS)
        differs("minutes", {"duration_ms": wanted.duration_ms}, *minutes)
    for name in _OPTIONAL:
        given, stood = getattr(wanted, f"{name}_ms"), getattr(there, f"{name}_ms")
        if given is not None and given != stood:
            differs(name, {f"{name}_ms": given}, stood // MINUTE_MS, given // MINUTE_MS)
    return values, changes


def _rooms(plan: Plan, roster: Roster, stored: Stored) -> None:
    known = {each.name: each for each in stored.rooms}
    for ordinal, wanted in enumerate(roster.rooms, start=1):
        there = known.pop(wanted.name, None)
        if there is None:
            plan.rooms_in.append((ordinal, wanted))
            where = f"{wanted.building} {wanted.number}".strip()
            size = f"{wanted.seats}+{wanted.spares}"
            plan.changes.append(Change("room", "add", wanted.name, after=f"{where} {size}"))
            continue
        pairs = (
            ("building", there.building, wanted.building),
            ("number", there.number, wanted.number),
            ("seats", there.seat_count, wanted.seats),
            ("spares", there.spare_count, wanted.spares),
            ("ordinal", there.ordinal, ordinal),
        )
        changes = [
            Change("room", "change", wanted.name, name, short(before), short(after))
            for name, before, after in pairs
            if before != after
        ]
        if changes:
            plan.rooms_changed.append((there, ordinal, wanted))
            plan.changes.extend(changes)
    for there in known.values():
        plan.rooms_out.append(there)
        plan.changes.append(Change("room", "remove", there.name, before=there.building))


def _candidates(plan: Plan, roster: Roster, stored: Stored) -> None:
    known = {each.ticket: each for each in stored.candidates}
    for wanted in roster.candidates:
        there = known.pop(wanted.ticket, None)
        if there is None:
            plan.candidates_in.append(wanted)
            plan.changes.append(Change("candidate", "add", wanted.ticket, after=wanted.name))
            continue
        values = {name: value for name, value in candidate_values(wanted).items() if value != getattr(there, name)}
        if values:
            plan.candidates_changed.append((there, values, wanted))
            plan.changes.extend(_candidate_changes(there, values))
            _block_candidate(plan, there)
    for there in known.values():
        plan.candidates_out.append(there)
        plan.changes.append(Change("candidate", "remove", there.ticket, before=there.name))
        _block_candidate(plan, there)


def _candidate_changes(there: Candidate, values: Mapping[str, Any]) -> Iterator[Change]:
    for name, after in values.items():
        before = getattr(there, name)
        match name:
            case "id_number":
                told = (mask_id(before), mask_id(after))
            case "id_kind":
                told = (ID_KINDS.get(before, (before,))[0], ID_KINDS[after][0])
            case "extra_time_ms":
                told = (str(before // MINUTE_MS), str(after // MINUTE_MS))
            case _:
                told = (short(before), short(after))
        field_name = "extra" if name == "extra_time_ms" else name
        yield Change("candidate", "change", there.ticket, field_name, *told)


def _block_candidate(plan: Plan, there: Candidate) -> None:
    code: BlockedCode | None = "signed-in" if there.signed_in else "drawn" if there.drawn else None
    if code is not None:
        plan.blocked.append(Blocked(code, f"{there.ticket} {there.name}"))


def _placements(plan: Plan, roster: Roster, stored: Stored) -> None:
    known = {(each.ticket, each.session): each for each in stored.allocations}
    people = {each.ticket: each for each in stored.candidates}
    for wanted in roster.candidates:
        there = people.get(wanted.ticket)
        for placement in wanted.placements:
            allocated = known.pop((wanted.ticket, placement.session), None)
            seat = (placement.room, placement.seat)
            if allocated is not None and allocated.planned == seat:
                continue
            plan.placements_in.append((wanted.ticket, placement))
            if there is None:
                continue  # told with the candidate who is new
            key = f"{wanted.ticket} {session_key(placement.session)}"
            if allocated is None:
                plan.changes.append(Change("allocation", "add", key, after=_seat_text(seat)))
            else:
                plan.placements_out.append(allocated.id)
                told = (_seat_text(allocated.planned), _seat_text(seat))
                plan.changes.append(Change("allocation", "change", key, "seat", *told))
            _block_candidate(plan, there)
    leaving = {each.ticket for each in plan.candidates_out}
    for (ticket, number), allocated in known.items():
        plan.placements_out.append(allocated.id)
        if ticket not in leaving:
            key = f"{ticket} {session_key(number)}"
            plan.changes.append(Change("allocation", "remove", key, before=_seat_text(allocated.planned)))
            _block_candidate(plan, people[ticket])


def _seat_text(seat: tuple[str, str]) -> str:
    return f"{seat[0]} {seat[1]}"


def _hold_seats(plan: Plan, stored: Stored) -> None:
    """A seat somebody was moved to is taken, whatever the roster planned for it."""
    going = set(plan.placements_out)
    moved = {
        (each.session, each.seat_id): each.ticket
        for each in stored.allocations
        if each.id not in going and each.seat_id != each.planned_seat_id
    }
    for ticket, placement in plan.placements_in:
        seat_id = stored.seats.get((placement.room, placement.seat))
        if seat_id is not None and (placement.session, seat_id) in moved:
            plan.blocked.append(Blocked("seat-held", f"{ticket} {session_key(placement.session)}"))
