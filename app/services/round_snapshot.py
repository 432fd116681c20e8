"""What a decision on rounds looks at, read once: the exam's sessions, seats and people as they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import clock, identity, rounds
from app.domain.errors import Refused
from app.domain.round_picture import Attempt, Kind, Picture, Plan, Seat, Session, Sitter
from app.storage.postgres import adjustments, schedule
from app.storage.postgres import rounds as store

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """What the office wants. ``other``: the session that ``session`` is exchanged with, or that people go to. Who, but
    for a swap: ``everyone``, or ``buildings`` and ``rooms`` (ids), ``tickets``, one ``attempt``."""

    kind: Kind
    session: int
    other: int | None = None
    everyone: bool = False
    buildings: tuple[int, ...] = ()
    rooms: tuple[int, ...] = ()
    tickets: tuple[str, ...] = ()
    attempt: UUID | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """``sessions`` and ``attempts`` are the rows behind the picture, by id; ``begins`` when each starts by the wall."""

    picture: Picture
    plan: Plan
    seen: str
    sessions: Mapping[int, Row]
    attempts: Mapping[UUID, Row]
    begins: Mapping[int, datetime]

    @property
    def exam(self) -> Row:
        return next(iter(self.sessions.values()))


async def look(conn: AsyncConnection, ask: Ask, now_ms: int) -> Known:
    """The plan for ``ask`` now. Refused not-found, round-other-exam, round-not-there, or as ``domain.rounds``."""
    rows = {row["id"]: row for row in await store.sessions(conn, ask.session)}
    if not rows:
        raise Refused("not-found")
    if ask.other is not None and ask.other not in rows:
        raise Refused("round-other-exam")
    exam_id = rows[ask.session]["exam_id"]
    wall = (await schedule.moment(conn)).wall
    begins = {each: _begins(row, wall, now_ms) for each, row in rows.items()}
    seats = {row["id"]: Seat(**row) for row in await store.seats(conn, exam_id)}
    sitting = await store.sitters(conn, exam_id)
    gone_on = await store.gone_on(conn, exam_id)
    picture = Picture(
        sessions={each: _session(row, begins[each], now_ms) for each, row in rows.items()},
        seats=list(seats.values()),
        sitters=[
            _sitter(
                row,
                seats[row["seat_id"]],
                None if row["attempt_id"] is None else _attempt(row, rows[row["session_id"]]["start_ms"], now_ms),
                # Taken out of it after the attempt had ended: they have another session for it.
                gone_on=row["end_reason"] == "deferred"
                and gone_on.get((row["ticket"], row["session_id"]), -1) >= row["ended_ms"],
            )
            for row in sitting
        ],
        held=await _held_places(conn, ask, sitting, seats),
    )
    plan = _plan(picture, ask)
    return Known(
        picture=picture,
        plan=plan,
        seen=plan.digest(picture),
        sessions=rows,
        attempts={row["attempt_id"]: row for row in sitting if row["attempt_id"] is not None},
        begins=begins,
    )


async def _held_places(
    conn: AsyncConnection, ask: Ask, sitting: Sequence[Row], seats: Mapping[int, Seat]
) -> dict[int, frozenset[int]]:
    """Session → rooms of every place that is paused or postponed by itself, of the sessions that somebody goes to."""
    targets = [ask.session, ask.other] if ask.kind == "swap" else [ask.other]
    there = [row for row in sitting if row["session_id"] in targets and row["state"] == "open"]
    still = {row["attempt_id"]: row for row in there if _stands_still(row)}
    if not still:
        return {}
    site: set[int] = set()
    places: set[tuple[int, str, int]] = set()
    held: set[tuple[int, int]] = set()
    for attempt, ledger in (await adjustments.load(conn, list(still))).items():
        session_id, seat = still[attempt]["session_id"], seats[still[attempt]["seat_id"]]
        scopes = {each.scope for each in clock.open_pauses(ledger.entries)}
        if "site" in scopes:
            site.add(session_id)
        # A postponement of everybody is the session's own start, which goes for whoever comes.
        scopes |= {each.scope for each in clock.live(ledger.entries) if each.kind == "postpone"} - {"site"}
        places |= {(session_id, "building", seat.building_id)} if "building" in scopes else set()
        places |= {(session_id, "room", seat.room_id)} if "room" in scopes else set()
        held.add((session_id, seat.room_id))
    # Where people of the session sit and none of them is held any more, the place was resumed by itself.
    free = {(row["session_id"], seats[row["seat_id"]].room_id) for row in there} - held
    found: dict[int, set[int]] = {}
    for seat in seats.values():
        for session_id in {row["session_id"] for row in still.values()}:
            here = {(session_id, "building", seat.building_id), (session_id, "room", seat.room_id)}
            if (session_id in site or here & places) and (session_id, seat.room_id) not in free:
                found.setdefault(session_id, set()).add(seat.room_id)
    return {session_id: frozenset(rooms) for session_id, rooms in found.items()}


def _stands_still(row: Row) -> bool:
    return row["left_ms"] is not None or bool(row["postponed_ms"])


def _plan(picture: Picture, ask: Ask) -> Plan:
    if ask.kind == "swap":
        return rounds.swap(picture, ask.session, ask.other or 0)
    who = _who(picture, ask)
    if ask.kind == "defer":
        return rounds.defer(picture, ask.session, who)
    decide = rounds.move if ask.kind == "move" else rounds.allocate
    return decide(picture, ask.session, ask.other or 0, who)


def _who(picture: Picture, ask: Ask) -> frozenset[int]:
    """The candidates that are named. A name that is not there is a slip: nobody is left out in silence."""
    sitters = picture.of(ask.session)
    names = {seat.building_id: seat.building for seat in picture.seats}, {s.room_id: s.room for s in picture.seats}
    if set(ask.buildings) - names[0].keys() or set(ask.rooms) - names[1].keys():
        raise Refused("round-other-exam")
    there = {each.seat.building_id for each in sitters}, {each.seat.room_id for each in sitters}
    by_ticket = {each.ticket: each for each in sitters}
    tickets = [identity.ticket_key(ticket) for ticket in ask.tickets]
    named = [each for each in sitters if each.attempt is not None and each.attempt.id == ask.attempt]
    missing = [
        *(names[0][one] for one in ask.buildings if one not in there[0]),
        *(names[1][one] for one in ask.rooms if one not in there[1]),
        *(ticket for ticket in tickets if ticket not in by_ticket),
        *([str(ask.attempt)] if ask.attempt is not None and not named else []),
    ]
    if missing:
        number = picture.sessions[ask.session].number
        raise Refused("round-not-there", session=number, names="、".join(missing))
    named += [by_ticket[ticket] for ticket in tickets]
    # A place means those there whom this can be about: the deferred are allocated, the others moved or deferred.
    about = [each for each in sitters if each.deferred is (ask.kind == "allocate") and not each.gone_on]
    at_place = [
        each
        for each in about
        if ask.everyone or each.seat.building_id in ask.buildings or each.seat.room_id in ask.rooms
    ]
    return frozenset(each.candidate_id for each in (*named, *at_place))


def _begins(row: Row, wall: datetime, now_ms: int) -> datetime:
    at: datetime = row["planned_start"]
    return at if row["start_ms"] is None else wall + timedelta(milliseconds=row["start_ms"] - now_ms)


def _session(row: Row, begins: datetime, now_ms: int) -> Session:
    return Session(
        id=row["id"],
        number=row["number"],
        name=row["name"],
        begins_ms=int(begins.timestamp() * 1000),
        duration_ms=row["duration_ms"],
        begun=row["start_ms"] is not None and now_ms >= row["start_ms"],
    )


def _sitter(row: Row, seat: Seat, attempt: Attempt | None, *, gone_on: bool) -> Sitter:
    return Sitter(
        candidate_id=row["candidate_id"],
        ticket=row["ticket"],
        name=row["name"],
        extra_ms=row["extra_ms"],
        session_id=row["session_id"],
        seat=seat,
        attempt=attempt,
        gone_on=gone_on,
    )


def _attempt(row: Row, start_ms: int | None, now_ms: int) -> Attempt:
    """Who has signed in sees the paper from their own start on; an answer shows that it has been seen in any case."""
    until_ms = now_ms if row["ended_ms"] is None else row["ended_ms"]
    started = row["signed_in_ms"] is not None and start_ms is not None and until_ms >= start_ms + row["postponed_ms"]
    ended = row["state"] != "open" or (row["end_ms"] is not None and now_ms >= row["end_ms"])
    deferred = row["end_reason"] == "deferred"
    return Attempt(
        id=row["attempt_id"],
        state="deferred" if deferred else "over" if ended else "open",
        seen=started or row["count"] > 0,
        runs=started and not ended and row["left_ms"] is None,
        held=_stands_still(row),
    )
