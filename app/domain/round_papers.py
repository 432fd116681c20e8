"""Papers for people who join a session that has been drawn: nobody else's paper changes.

``draw_among`` keeps the rules of a draw (``domain.papers``) except one: the exposure of a session is no longer within
one step, because those who were drawn for already hold what they hold. In seat order each newcomer takes, per stratum,
the items that the session has used least, none of which they have had, and a position for each at which no neighbour
has the same item (bipartite matching). Where no such order exists they choose again; after ``TRIES`` it is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.domain import papers
from app.domain.blueprint import Blueprint
from app.domain.errors import Refused
from app.domain.paper_rules import Candidate, Item, Paper, pairs_of
from app.domain.seeded import shuffled, stream

TRIES = 40
# How a neighbour's item weighs against one step of exposure, and chance against both.
_HELD = 0.5
_CHANCE = 0.2


@dataclass(frozen=True, slots=True)
class Fixed:
    """Somebody who keeps their paper: where they sit and its item numbers by position."""

    ticket: str
    place: tuple[str, int]
    numbers: tuple[str, ...]


def alike(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two papers show the same item at the same position."""
    return any(mine == theirs for mine, theirs in zip(one, other, strict=False))


def beside(places: Mapping[str, tuple[str, int]], columns: int | None) -> dict[str, list[str]]:
    """ticket → the tickets of those who sit beside them."""
    hall = [Candidate(ticket, place) for ticket, place in sorted(places.items())]
    near = pairs_of(hall, columns)
    return {each.ticket: [hall[other].ticket for other in near[index]] for index, each in enumerate(hall)}


def draw_among(
    blueprint: Blueprint,
    items: Iterable[Item],
    newcomers: Iterable[Candidate],
    fixed: Iterable[Fixed],
    exposure: Mapping[str, int],
    seed: str,
    *,
    label: str = "",
    columns: int | None = None,
) -> list[Paper]:
    """One paper per newcomer, in seat order; the same ones for the same seed and inputs.

    ``fixed`` are those who may sit beside them, ``exposure`` how often the session has used each item. Refused with
    ``bank-too-small``, ``uneven-points`` or ``neighbours-alike``.
    """
    bank = sorted(items, key=lambda item: item.number)
    hall = sorted(newcomers, key=lambda candidate: (candidate.place, candidate.ticket))
    papers.check_bank(blueprint, bank, hall)
    index = {item.number: i for i, item in enumerate(bank)}
    settled = {each.ticket: [index.get(number, -1) for number in each.numbers] for each in fixed}
    near = beside({**{each.ticket: each.place for each in fixed}, **{c.ticket: c.place for c in hall}}, columns)
    session = _Session(blueprint, bank, Counter({index[n]: times for n, times in exposure.items() if n in index}))
    rows: list[list[int]] = []
    for candidate in hall:
        had = frozenset(index[number] for number in candidate.drawn if number in index)
        neighbours = [settled[ticket] for ticket in near[candidate.ticket] if ticket in settled]
        chances = (stream(seed, label, "join", candidate.ticket, str(n)) for n in range(TRIES))
        row = session.paper(had, neighbours, chances)
        if isinstance(row, int):
            raise Refused("neighbours-alike", candidates=1, positions=str(row))
        settled[candidate.ticket] = row
        rows.append(row)
    return papers.with_orders(blueprint, bank, hall, rows, (seed, label))


class _Session:
    def __init__(self, blueprint: Blueprint, bank: Sequence[Item], exposure: Counter[int]) -> None:
        self.exposure = exposure
        self.sections = [
            [
                (stratum.count, [i for i, item in enumerate(bank) if stratum.holds(item.topic, item.type)])
                for stratum in section.strata
            ]
            for section in blueprint.sections
        ]

    def paper(
        self,
        had: frozenset[int],
        neighbours: Sequence[Sequence[int]],
        chances: Iterable[Callable[[], float]],
    ) -> list[int] | int:
        """The items by position, or the position (from 1) that could not be filled."""
        stuck = 0
        for attempt, chance in enumerate(chances):
            row: list[int] = []
            for strata in self.sections:
                chosen: list[int] = []
                for count, pool in strata:
                    chosen += self._least_used(count, pool, had, neighbours, chance, attempt)
                ordered = arrange(shuffled(chosen, chance), len(row), neighbours)
                if isinstance(ordered, int):
                    stuck = ordered + 1
                    break
                row += ordered
            else:
                self.exposure.update(row)
                return row
        return stuck

    def _least_used(
        self,
        count: int,
        pool: Sequence[int],
        had: frozenset[int],
        neighbours: Sequence[Sequence[int]],
        chance: Callable[[], float],
        attempt: int,
    ) -> list[int]:
        # Each time it did not work out, what the neighbours hold is shunned more.
        held = _HELD * (1 + attempt)
        keys = {
            i: self.exposure[i] + held * sum(i in row for row in neighbours) + _CHANCE * chance()
            for i in pool
            if i not in had
        }
        return sorted(keys, key=keys.__getitem__)[:count]


def arrange(items: Sequence[int], start: int, neighbours: Sequence[Sequence[int]]) -> list[int] | int:
    """The items in an order in which none stands where a neighbour has it, from position ``start`` (0-based) on; the
    position of a clash that cannot be avoided."""
    at: dict[int, int] = {}  # position → index in items

    def give(index: int, tried: set[int]) -> bool:
        for position in range(start, start + len(items)):
            if position in tried or any(position < len(o) and o[position] == items[index] for o in neighbours):
                continue
            tried.add(position)
            if position not in at or give(at[position], tried):
                at[position] = index
                return True
        return False

    for index in range(len(items)):
        if not give(index, set()):
            return next(p for p in range(start, start + len(items)) if p not in at)
    return [items[at[position]] for position in range(start, start + len(items))]
