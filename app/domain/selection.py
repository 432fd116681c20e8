"""Which items of one stratum each candidate gets: even exposure, nothing twice for one candidate.

Candidates and items are plain indices here. The algorithm, for m candidates taking k of n items each:

1. *Targets.* m·k places are shared out so that every item has q or q + 1 of them. The items that get one more are
   those fewest of these candidates have had in other sessions: their total over the exam then stays even as well, and
   that is what keeps the last session drawable when the bank is only just large enough. Candidates with different
   sessions still to come get even targets of their own within the whole, for the same reason.
2. *Deal.* In seat order each candidate takes the k items furthest from their target among those they have not had.
   Whoever sits next then finds those items at the bottom: neighbours' papers share as little as the bank allows.
3. *Repair.* What earlier sessions forbid can leave some items over and others under their target. Give-and-take along a
   path (o → i when some candidate holds o and may take i) moves one place from an over-used item to an under-used one
   and leaves every paper its k items. A shortest path never uses a candidate twice, and by the max-flow theorem there
   is a path whenever a better sharing exists: so what step 3 cannot bring to q or q + 1 cannot be drawn at all.

Invariant after each step: every candidate holds exactly k items, none of them forbidden.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

# How a neighbour's items weigh against one step of exposure (1.0), and chance against both.
_HELD = 0.5
_STILL_FREE = -0.25
_CHANCE = 0.2


class Uneven(Exception):  # noqa: N818 -- an answer, not a failure
    """No choice of items gives every item q or q + 1 exposures; ``items`` are those that cannot get there."""

    def __init__(self, items: list[int], least: int) -> None:
        super().__init__(f"{len(items)} items cannot be used {least} or {least + 1} times")
        self.items = items
        self.least = least


@dataclass(frozen=True, slots=True)
class Hall:
    """The candidates of one stratum's draw, by index in seat order.

    ``had`` are items a candidate may not get again (enough others must be left), ``plans`` the sessions each has still
    to sit, ``neighbours`` who sits beside them.
    """

    had: Sequence[frozenset[int]]
    plans: Sequence[tuple[int, ...]]
    neighbours: Sequence[Sequence[int]]


def select(size: int, take: int, hall: Hall, chance: Callable[[], float]) -> list[list[int]]:
    """For each candidate the ``take`` items of 0 … size - 1 they get, in no particular order. Raises Uneven."""
    targets = _targets(size, take, hall, chance)
    held = _deal(targets, take, hall, chance)
    for plan, target in targets.items() if len(targets) > 1 else ():
        members = [c for c, own in enumerate(hall.plans) if own == plan]
        sharing = _Sharing(size, [held[c] for c in members], [hall.had[c] for c in members], chance)
        sharing.balance(target, target)
        for c, items in zip(members, sharing.chosen(), strict=True):
            held[c] = items
    sharing = _Sharing(size, held, hall.had, chance)
    total = [sum(each) for each in zip(*targets.values(), strict=True)]
    sharing.balance(total, total)
    least, more = divmod(len(held) * take, size)
    if impossible := sharing.balance([least] * size, [least + (more > 0)] * size):
        raise Uneven(impossible, least)
    return sharing.chosen()


def _targets(size: int, take: int, hall: Hall, chance: Callable[[], float]) -> dict[tuple[int, ...], list[int]]:
    """Step 1: how often each item should be used, apart for candidates with the same sessions still to sit.

    Those with most sessions to come are served first: what they leave each other for later must be even, the others can
    take what is left.
    """
    whole = [0] * size
    targets: dict[tuple[int, ...], list[int]] = {}
    for plan in sorted(set(hall.plans), key=lambda plan: (-len(plan), plan)):
        used = Counter(item for own, items in zip(hall.plans, hall.had, strict=True) if own == plan for item in items)
        least, more = divmod(hall.plans.count(plan) * take, size)
        rank = [(whole[item], used[item], chance()) for item in range(size)]
        targets[plan] = [least] * size
        for item in sorted(range(size), key=rank.__getitem__)[:more]:
            targets[plan][item] += 1
        whole = [sofar + own for sofar, own in zip(whole, targets[plan], strict=True)]
    return targets


def _deal(
    targets: Mapping[tuple[int, ...], list[int]], take: int, hall: Hall, chance: Callable[[], float]
) -> list[list[int]]:
    """Step 2. Within one step of exposure prefer what no neighbour holds, then what a neighbour could still get.

    The second preference looks ahead: taking what my neighbour has left makes what remains for the two of us differ,
    which matters when a small stratum is used up over the exam.
    """
    needs = {plan: list(target) for plan, target in targets.items()}
    size = len(next(iter(needs.values())))
    nobody = [0.0] * size
    moods: list[list[float]] = []
    held: list[list[int]] = []
    for candidate, mine in enumerate(hall.had):
        need = needs[hall.plans[candidate]]
        beside = [moods[other] for other in hall.neighbours[candidate] if other < candidate]
        mood = nobody
        if beside:
            mood = beside[0] if len(beside) == 1 else [sum(each) / len(beside) for each in zip(*beside, strict=True)]
        keys = [m - n + _CHANCE * chance() for m, n in zip(mood, need, strict=True)]
        free = [item for item in range(size) if item not in mine] if mine else list(range(size))
        free.sort(key=keys.__getitem__)
        chosen, left = free[:take], free[take:]
        own = [0.0] * size
        for item in chosen:
            need[item] -= 1
            own[item] = _HELD
        for item in left:
            own[item] = _STILL_FREE
        moods.append(own)
        held.append(chosen)
    return held


class _Sharing:
    """Who holds which item, as one bit set of candidates per item."""

    def __init__(
        self,
        size: int,
        held: Sequence[Sequence[int]],
        had: Sequence[frozenset[int]],
        chance: Callable[[], float],
    ) -> None:
        everyone = (1 << len(held)) - 1
        self.count = len(held)
        self.chance = chance
        self.holders = [0] * size  # item → who holds it
        self.takers = [everyone] * size  # item → who could take it
        for candidate, items in enumerate(held):
            bit = 1 << candidate
            for item in items:
                self.holders[item] |= bit
                self.takers[item] ^= bit
            for item in had[candidate]:
                self.takers[item] ^= bit
        self.exposure = [holders.bit_count() for holders in self.holders]

    def chosen(self) -> list[list[int]]:
        held: list[list[int]] = [[] for _ in range(self.count)]
        for item, holders in enumerate(self.holders):
            left = holders
            while left:
                low = left & -left
                held[low.bit_length() - 1].append(item)
                left ^= low
        return held

    def balance(self, low: list[int], high: list[int]) -> list[int]:
        """Move places until every item's exposure lies in [low, high]; returns the items that cannot get there."""
        exposure = self.exposure
        stuck: list[int] = []
        for item in range(len(low)):
            while exposure[item] > high[item]:
                path = self._path(item, lambda i: exposure[i] < low[i]) or self._path(
                    item, lambda i: exposure[i] < high[i]
                )
                if path is None:
                    stuck.append(item)
                    break
                self._shift(path)
        for item in range(len(low)):
            while exposure[item] < low[item]:
                path = self._path(item, lambda i: exposure[i] > low[i], backwards=True)
                if path is None:
                    stuck.append(item)
                    break
                self._shift(path[::-1])
        return stuck

    def _path(self, start: int, wanted: Callable[[int], bool], *, backwards: bool = False) -> list[int] | None:
        """Shortest give-and-take path from ``start`` to an item that is ``wanted`` (breadth first)."""
        near, far = (self.takers, self.holders) if backwards else (self.holders, self.takers)
        came: dict[int, int] = {start: start}
        unseen = [item for item in range(len(near)) if item != start]
        queue = [start]
        for item in queue:
            here = near[item]
            later: list[int] = []
            for other in unseen:
                if not here & far[other]:
                    later.append(other)
                    continue
                came[other] = item
                if wanted(other):
                    path = [other]
                    while path[-1] != start:
                        path.append(came[path[-1]])
                    return path[::-1]
                queue.append(other)
            unseen = later
        return None

    def _shift(self, path: list[int]) -> None:
        """Along the path each item is given up by one of its holders for the next item."""
        for gives, gets in pairwise(path):
            bit = self._anyone(self.holders[gives] & self.takers[gets])
            self.holders[gives] ^= bit
            self.takers[gives] ^= bit
            self.holders[gets] ^= bit
            self.takers[gets] ^= bit
        self.exposure[path[0]] -= 1
        self.exposure[path[-1]] += 1

    def _anyone(self, bits: int) -> int:
        # The next candidate at or after a random one: repairs should not all land on the first rooms.
        start = int(self.chance() * self.count)
        above = bits >> start << start
        return (above or bits) & -(above or bits)
