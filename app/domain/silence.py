"""Silence, classified: one seat, a room, a building, everyone, or the service itself (DESIGN §5).

A candidate who merely goes silent is charged, for pulling a cable must not buy time. What nobody does alone is to
silence most of a room within seconds: that is evidence, from which a loss is proposed to the office, never more. The
rule, in the order in which it is applied:

1. A seat is silent when nothing was heard of it for ``silence_ms``. Behind an outage of the service it is given
   ``reconnect_ms`` more to find its way back, and until then its silence is the service's own.
2. A room is lost when the last contacts of at least ``share`` of its seats, and of at least ``least``, lie within
   ``onset_ms`` of each other. Who was silent long before, or falls silent long after, is not part of it.
3. Rooms whose seats all fell silent within one such window are one event. The event is told as the smallest thing that
   explains it: the site, when it took at least ``share`` of the buildings and two of them; a building, when it took at
   least ``share`` of its rooms and two of them; otherwise each room by itself.
4. Nothing is said before ``silence_ms + onset_ms`` have passed since the first of them was heard: by then every seat
   that the same cause took is silent, and a building is not told room by room.

A loss is then followed until its seats are heard again (``follow``). All instants are service time in milliseconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Literal
from uuid import UUID

Kind = Literal["seat", "room", "building", "site", "service"]
GROUPS: tuple[Kind, ...] = ("room", "building", "site")


@dataclass(frozen=True, slots=True)
class Seat:
    """Where somebody sits whose time is running, and when they were last heard of, or began to run if that is later.

    ``granted_ms``: when a device was last given the attempt (a sign-in, a relog).
    """

    attempt: UUID
    room: int
    building: int
    heard_ms: int
    granted_ms: int = 0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """``share`` is above one half: a room is lost at one instant, not at two."""

    silence_ms: int
    onset_ms: int
    settle_ms: int
    reconnect_ms: int
    share: float
    least: int

    def needed(self, seats: int) -> int:
        """How many of ``seats`` must be silent for the group to be lost."""
        # Not 25 of 40 seats because 0.6 · 40 is a hair above 24 in binary.
        return max(self.least, ceil(self.share * seats - 1e-9))


@dataclass(frozen=True, slots=True)
class Silence:
    """Seats that fell silent together.

    ``from_ms`` and ``since_ms`` are their first and their last contact; ``seats`` is how many of the group were
    running, ``lost`` who is silent. ``after_outage``: they were last heard of before the service was away.
    """

    kind: Kind
    rooms: tuple[int, ...]
    building: int | None
    from_ms: int
    since_ms: int
    seats: int
    lost: frozenset[UUID]
    after_outage: bool = False


# --- what is silent now ---


def classify(seats: Sequence[Seat], now_ms: int, limits: Thresholds, served_ms: int | None) -> list[Silence]:
    """Every silence there is at ``now_ms``, each silent seat in exactly one of them.

    ``seats`` are those of one session whose time is running and who are in no loss that is followed already;
    ``served_ms`` is when the service last came back from an outage of its own, None if never.
    """
    quiet, excused = _quiet(seats, now_ms, limits, served_ms)
    found: list[Silence] = []
    told: set[UUID] = set()
    for event in _events(_lost_rooms(seats, quiet, now_ms, limits), limits.onset_ms):
        for silence in _explained(event, seats, quiet, limits, served_ms):
            found.append(silence)
            told |= silence.lost
    found += [_alone(seat) for seat in quiet if seat.attempt not in told]
    if excused:
        found.append(_group("service", excused, excused, served_ms))
    return found


def _quiet(
    seats: Iterable[Seat], now_ms: int, limits: Thresholds, served_ms: int | None
) -> tuple[list[Seat], list[Seat]]:
    """Silent seats, and those whose silence is still the service's own; a contact from before the outage counts as one
    at the moment the service came back, for nobody could be heard in between."""
    quiet, excused = [], []
    for seat in seats:
        heard = seat
        patience = limits.silence_ms
        if served_ms is not None and seat.heard_ms <= served_ms:
            heard = replace(seat, heard_ms=served_ms)
            patience += limits.reconnect_ms
        if now_ms - heard.heard_ms >= patience:
            quiet.append(heard)
        elif now_ms - seat.heard_ms >= limits.silence_ms:
            excused.append(seat)
    return quiet, excused


def _lost_rooms(seats: Sequence[Seat], quiet: Sequence[Seat], now_ms: int, limits: Thresholds) -> list[list[Seat]]:
    """The lost seats of each lost room."""
    count: dict[int, int] = defaultdict(int)
    for seat in seats:
        count[seat.room] += 1
    by_room: dict[int, list[Seat]] = defaultdict(list)
    for seat in quiet:
        by_room[seat.room].append(seat)
    lost = [(_densest(silent, limits.onset_ms), limits.needed(count[room])) for room, silent in by_room.items()]
    ready_ms = now_ms - limits.silence_ms - limits.onset_ms
    return [cluster for cluster, needed in lost if len(cluster) >= needed and cluster[0].heard_ms <= ready_ms]


def _densest(seats: Iterable[Seat], width_ms: int) -> list[Seat]:
    """The most seats whose last contacts lie within ``width_ms``, in order; the latest such where there are several."""
    ordered = sorted(seats, key=lambda seat: (seat.heard_ms, seat.attempt))
    best = (0, 0)
    first = 0
    for last, seat in enumerate(ordered):
        while seat.heard_ms - ordered[first].heard_ms > width_ms:
            first += 1
        if last + 1 - first >= best[1] - best[0]:
            best = (first, last + 1)
    return ordered[best[0] : best[1]]


def _events(rooms: Iterable[list[Seat]], width_ms: int) -> list[list[list[Seat]]]:
    """Lost rooms put together that fell silent within one window."""
    waiting = sorted(rooms, key=lambda room: (room[0].heard_ms, room[-1].heard_ms, room[0].room))
    events = []
    while waiting:
        ends_ms = max(waiting[0][-1].heard_ms, waiting[0][0].heard_ms + width_ms)
        events.append([room for room in waiting if room[-1].heard_ms <= ends_ms])
        waiting = [room for room in waiting if room[-1].heard_ms > ends_ms]
    return events


def _explained(
    event: Sequence[list[Seat]], seats: Sequence[Seat], quiet: Sequence[Seat], limits: Thresholds, served_ms: int | None
) -> list[Silence]:
    """An event as the smallest thing that explains it."""
    lost_rooms = {room[0].room for room in event}
    buildings = _buildings(seats, limits.least)
    lost_buildings = [
        building for building, rooms in buildings.items() if _most(len(rooms & lost_rooms), len(rooms), limits.share)
    ]
    first_ms = min(room[0].heard_ms for room in event)
    last_ms = max(room[-1].heard_ms for room in event)
    within = [seat for seat in quiet if first_ms <= seat.heard_ms <= last_ms]
    if _most(len(lost_buildings), len(buildings), limits.share):
        return [_group("site", seats, within, served_ms)]
    found = []
    for building in sorted(lost_buildings):
        there = [seat for seat in seats if seat.building == building]
        found.append(_group("building", there, [one for one in within if one.building == building], served_ms))
    for room in event:
        if room[0].building not in lost_buildings:
            there = [seat for seat in seats if seat.room == room[0].room]
            found.append(_group("room", there, room, served_ms))
    return found


def _buildings(seats: Iterable[Seat], least: int) -> dict[int, set[int]]:
    """The rooms of each building that are large enough to be lost."""
    count: dict[tuple[int, int], int] = defaultdict(int)
    for seat in seats:
        count[seat.building, seat.room] += 1
    buildings: dict[int, set[int]] = defaultdict(set)
    for (building, room), n in count.items():
        if n >= least:
            buildings[building].add(room)
    return buildings


def _most(lost: int, of: int, share: float) -> bool:
    """Whether what was lost is more than one, and most: one of one is explained by itself."""
    return lost >= 2 and lost >= share * of - 1e-9


def _group(kind: Kind, seats: Collection[Seat], lost: Collection[Seat], served_ms: int | None) -> Silence:
    heard = [seat.heard_ms for seat in lost]
    rooms = tuple(sorted({seat.room for seat in lost}))
    buildings = {seat.building for seat in lost}
    return Silence(
        kind=kind,
        rooms=rooms,
        building=buildings.pop() if len(buildings) == 1 else None,
        from_ms=min(heard),
        since_ms=max(heard),
        seats=len(seats),
        lost=frozenset(seat.attempt for seat in lost),
        after_outage=served_ms is not None and max(heard) <= served_ms,
    )


def _alone(seat: Seat) -> Silence:
    return _group("seat", [seat], [seat], None)


# --- until they are heard again ---


@dataclass(frozen=True, slots=True)
class Stretch:
    """A loss that is followed: what it was when it was found, and who of it has been heard again, and when."""

    silence: Silence
    to_ms: int
    back: Mapping[UUID, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Followed:
    """``closed``: who is back, with the end of their loss. ``going``: who is not. One of them may be None."""

    going: Stretch | None
    closed: Stretch | None


def follow(stretch: Stretch, seats: Mapping[UUID, Seat], now_ms: int, limits: Thresholds) -> Followed:
    """The stretch at ``now_ms``. ``seats`` are those of the session whose time is running.

    1. Who was heard after the loss began is back from then. Who does not run any more (paused, handed in, ended) is
       taken out of it now: their time is not lost any more.
    2. Nobody is back: it goes on. The first who is back gives the others ``settle_ms``: PCs start one after another,
       and the last of a room must not lose what the first gained.
    3. Then who is back is closed, with the latest of their contacts as the end for all of them. If fewer than ``least``
       are still out, they are closed with them: single seats are the invigilators' again. Otherwise the others are
       followed on by themselves, so that nobody is given another's minutes.
    4. Fewer than ``least`` who are back while the others are not, and who were given another device meanwhile, are left
       to the relog, which has measured their gap to the second.
    """
    lost = stretch.silence.lost
    back = {attempt: ms for attempt, ms in stretch.back.items() if attempt in lost}
    for attempt in lost - back.keys():
        seat = seats.get(attempt)
        if seat is None:
            back[attempt] = now_ms
        elif seat.heard_ms > stretch.silence.since_ms:
            back[attempt] = seat.heard_ms
    out = lost - back.keys()
    if not back or (out and now_ms < min(back.values()) + limits.settle_ms):
        return Followed(replace(stretch, to_ms=max(now_ms, stretch.silence.from_ms), back=back), None)
    to_ms = max(stretch.silence.from_ms, *back.values())
    if len(out) < limits.least:
        return Followed(None, replace(stretch, to_ms=to_ms, back=back))
    returned = frozenset(back)
    if len(returned) < limits.least:
        returned = frozenset(one for one in returned if not _moved(seats.get(one), stretch.silence.since_ms))
    part = replace(stretch.silence, lost=returned)
    rest = replace(stretch.silence, lost=frozenset(out))
    return Followed(
        Stretch(rest, to_ms=max(now_ms, stretch.silence.from_ms)),
        Stretch(part, to_ms=max(stretch.silence.from_ms, *(back[one] for one in returned)), back={})
        if returned
        else None,
    )


def _moved(seat: Seat | None, since_ms: int) -> bool:
    return seat is not None and seat.granted_ms > since_ms
