"""What a drawn paper is, and the rules every draw keeps.

``verify`` knows nothing of how papers are drawn; it reads the result and names every broken rule. The service runs it
before a draw is stored, ``holdfast papers verify`` on what is stored, the tests on everything.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.domain.blueprint import Blueprint

# An option that speaks of others by letter ("A 和 C 都对") is true only in the bank's order.
_BY_LETTER = re.compile(r"(?<![A-Za-z0-9])[A-H]\s*(?:[和与及或、，,/&]|and|or)\s*[A-H](?![A-Za-z0-9])")
# A last option that sums up the others ("以上都不对") reads as nonsense anywhere else.
_SUMS_UP = re.compile(
    r"\s*(?:[以如]上|上述|前述).*[都均皆全各是对错确有]|\s*(?:all|none|both|neither) of the", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Item:
    """An item of the bank. ``options`` are the one-letter option ids in the bank's order ('' when it has none)."""

    number: str
    topic: str
    type: str
    options: str
    points_milli: int
    # How many options, from the first, may change places.
    loose: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """Someone a paper is drawn for.

    ``place`` is (room, seat ordinal); ``drawn`` the numbers of the items they have in other sessions; ``later`` the
    (number, blueprint) of each session they sit whose papers are still to be drawn.
    """

    ticket: str
    place: tuple[str, int]
    drawn: frozenset[str] = frozenset()
    later: tuple[tuple[int, Blueprint], ...] = ()

    @property
    def plan(self) -> tuple[int, ...]:
        """The sessions still to be drawn for them."""
        return tuple(number for number, _ in self.later)


@dataclass(frozen=True, slots=True)
class Entry:
    """One position of a paper; ``order`` holds the option ids as this candidate sees them, e.g. 'CADB'."""

    number: str
    order: str
    points_milli: int


@dataclass(frozen=True, slots=True)
class Paper:
    ticket: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Shortage:
    """A part of the bank that cannot give one candidate all the items their sessions need.

    ``needed`` = ``count`` (this session) + ``drawn`` (already theirs in other sessions) + ``later`` (sessions still to
    be drawn), for the candidate who needs most; ``candidates`` is how many are short.
    """

    topic: str | None
    type: str
    count: int
    drawn: int
    later: int
    available: int
    candidates: int

    @property
    def needed(self) -> int:
        return self.count + self.drawn + self.later


@dataclass(frozen=True, slots=True)
class Fault:
    """A broken rule: blueprint | twice | repeated | exposure | neighbours | options | points | papers."""

    rule: str
    ticket: str
    detail: str


def loose_options(type_: str, texts: Sequence[str]) -> int:
    """How many of an item's options, from the first, may be shuffled."""
    if type_ not in ("single", "multiple") or any(_BY_LETTER.search(text) for text in texts):
        return 0
    if texts and _SUMS_UP.match(texts[-1]):
        return len(texts) - 1
    return len(texts)


def pairs_of(hall: Sequence[Candidate], columns: int | None) -> list[list[int]]:
    """For each candidate (by index) the neighbours: the seats before and after, and with ``columns`` seats in a row
    also those in front and behind."""
    at = {candidate.place: index for index, candidate in enumerate(hall)}
    steps = {1, columns or 1}
    beside: list[list[int]] = []
    for candidate in hall:
        room, seat = candidate.place
        near = (at.get((room, seat + sign * step)) for step in steps for sign in (-1, 1))
        beside.append(sorted(index for index in near if index is not None))
    return beside


def shortages(blueprint: Blueprint, items: Iterable[Item], candidates: Iterable[Candidate]) -> list[Shortage]:
    """Where the bank is too small for this session, counting what candidates have drawn and have still to draw.

    Strata are either apart or one within the other (a topic within "any topic"), so comparing need and stock for each
    of them is not only necessary but enough (Hall's theorem on nested sets).
    """
    bank = list(items)
    people = list(candidates)
    stock: dict[tuple[str | None, str], frozenset[str]] = {}
    found: list[Shortage] = []
    for wide in dict.fromkeys((*blueprint.strata, *(s for c in people for _, b in c.later for s in b.strata))):
        key = (wide.topic, wide.type)
        if key in stock:
            continue
        stock[key] = frozenset(item.number for item in bank if wide.holds(item.topic, item.type))
        count = sum(s.count for s in blueprint.strata if s.within(wide))
        if count == 0:
            continue
        cache: dict[tuple[tuple[int, Blueprint], ...], int] = {}
        worst: Shortage | None = None
        short = 0
        for candidate in people:
            if candidate.later not in cache:
                cache[candidate.later] = sum(s.count for _, b in candidate.later for s in b.strata if s.within(wide))
            later = cache[candidate.later]
            drawn = len(candidate.drawn & stock[key])
            here = Shortage(wide.topic, wide.type, count, drawn, later, len(stock[key]), 0)
            if here.needed > here.available:
                short += 1
                if worst is None or here.needed > worst.needed:
                    worst = here
        if worst is not None:
            found.append(
                Shortage(worst.topic, worst.type, count, worst.drawn, worst.later, worst.available, candidates=short)
            )
    return found


def verify(
    blueprint: Blueprint,
    items: Iterable[Item],
    candidates: Iterable[Candidate],
    papers: Iterable[Paper],
    *,
    columns: int | None = None,
) -> list[Fault]:
    """Every rule the papers break; empty when all hold."""
    bank = {item.number: item for item in items}
    hall = sorted(candidates, key=lambda candidate: (candidate.place, candidate.ticket))
    by_ticket: dict[str, Paper] = {}
    faults: list[Fault] = []
    for paper in papers:
        if paper.ticket in by_ticket:
            faults.append(Fault("papers", paper.ticket, "two papers"))
        by_ticket[paper.ticket] = paper
    tickets = {candidate.ticket for candidate in hall}
    faults += [Fault("papers", ticket, "no paper") for ticket in sorted(tickets - by_ticket.keys())]
    faults += [Fault("papers", ticket, "not a candidate") for ticket in sorted(by_ticket.keys() - tickets)]

    stratum = {number: blueprint.stratum_of(item.topic, item.type) for number, item in bank.items()}
    exposure = Counter[str]()
    for candidate in hall:
        if (mine := by_ticket.get(candidate.ticket)) is not None:
            faults += _of_one(blueprint, bank, stratum, candidate, mine)
            exposure.update(entry.number for entry in mine.entries)
    for index, part in enumerate(blueprint.strata):
        seen = [exposure[number] for number, own in stratum.items() if own == index]
        if seen and max(seen) - min(seen) > 1:
            faults.append(Fault("exposure", "", f"{part.topic or '*'}/{part.type}: {min(seen)} - {max(seen)}"))
    for index, others in enumerate(pairs_of(hall, columns)):
        for other in others:
            if other < index:
                faults += _alike(by_ticket.get(hall[index].ticket), by_ticket.get(hall[other].ticket))
    return faults


def _of_one(
    blueprint: Blueprint,
    bank: dict[str, Item],
    stratum: dict[str, int | None],
    candidate: Candidate,
    paper: Paper,
) -> list[Fault]:
    ticket, entries = paper.ticket, paper.entries
    numbers = [entry.number for entry in entries]
    if unknown := [number for number in numbers if number not in bank]:
        return [Fault("blueprint", ticket, f"not in the bank: {', '.join(unknown)}")]
    faults: list[Fault] = []
    if len(set(numbers)) != len(numbers):
        faults.append(Fault("twice", ticket, ", ".join(n for n, times in Counter(numbers).items() if times > 1)))
    if repeated := candidate.drawn.intersection(numbers):
        faults.append(Fault("repeated", ticket, ", ".join(sorted(repeated))))
    if len(entries) != blueprint.count:
        faults.append(Fault("blueprint", ticket, f"{len(entries)} items instead of {blueprint.count}"))
    start = first = 0
    for section in blueprint.sections:
        drawn = Counter(stratum[number] for number in numbers[start : start + section.count])
        wanted = {first + offset: part.count for offset, part in enumerate(section.strata)}
        if drawn != wanted:
            faults.append(Fault("blueprint", ticket, f"{section.title}: {dict(drawn)} instead of {wanted}"))
        start += section.count
        first += len(section.strata)
    strata = blueprint.strata
    for entry in entries:
        item, index = bank[entry.number], stratum[entry.number]
        points = (strata[index].points_milli if index is not None else None) or item.points_milli
        if entry.points_milli != points:
            faults.append(Fault("points", ticket, f"{entry.number}: {entry.points_milli} instead of {points}"))
        loose = item.loose if blueprint.shuffle_options else 0
        if entry.order[loose:] != item.options[loose:] or sorted(entry.order) != sorted(item.options):
            faults.append(Fault("options", ticket, f"{entry.number}: {entry.order} of {item.options}"))
    return faults


def _alike(one: Paper | None, other: Paper | None) -> list[Fault]:
    if one is None or other is None:
        return []
    return [
        Fault("neighbours", one.ticket, f"{mine.number} at position {position}, as {other.ticket}")
        for position, (mine, theirs) in enumerate(zip(one.entries, other.entries, strict=False), start=1)
        if mine.number == theirs.number
    ]
