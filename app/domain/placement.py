"""In which order each candidate meets their items: neighbours never see the same item at the same position.

Candidates and items are indices; a paper is the list of its items by position, cut into *spans* (the sections), and an
item stays in its span. The algorithm:

1. In seat order each candidate's spans are shuffled; a position where somebody already placed beside them has the same
   item is swapped within its span. With d neighbours placed an item is barred from at most d positions and a position
   to at most d items, so a span of 2·d + 2 items always holds such a swap.
2. In a shorter span where none helps, its items are matched to its positions anew (bipartite matching; from 2·d items
   on it always succeeds, for the same reason).
3. In shorter spans two neighbours may simply hold too much alike. Then candidates exchange items of one stratum with
   each other, which leaves every exposure as it is, until no clash is left (least-clashes search, bounded).

Step 3 is bounded by STEPS, so a plan that cannot be kept (one item for all in a section of its own) ends as an answer:
the clashes that are left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.domain.seeded import shuffled

Span = tuple[int, int]
Clash = tuple[int, int]

STEPS = 2_000


def place(
    papers: Sequence[Sequence[Sequence[int]]],
    stratum: Sequence[int],
    had: Sequence[frozenset[int]],
    neighbours: Sequence[Sequence[int]],
    chance: Callable[[], float],
) -> tuple[list[list[int]], list[Clash]]:
    """Every candidate's items by position, and the clashes nobody could avoid (empty when the rule is kept).

    ``papers[c][s]`` are candidate c's items in section s (all candidates have equally many), ``stratum[item]`` is what
    an item may be exchanged within, ``had[c]`` what candidate c may not be given. A clash is (candidate, position).
    """
    hall = _Hall(papers, stratum, had, neighbours, chance)
    for candidate in range(len(papers)):
        hall.seat(candidate)
    return hall.rows, hall.settle()


class _Hall:
    def __init__(
        self,
        papers: Sequence[Sequence[Sequence[int]]],
        stratum: Sequence[int],
        had: Sequence[frozenset[int]],
        neighbours: Sequence[Sequence[int]],
        chance: Callable[[], float],
    ) -> None:
        self.spans: list[Span] = []
        start = 0
        for section in papers[0] if papers else ():
            self.spans.append((start, start + len(section)))
            start += len(section)
        self.papers, self.stratum, self.had, self.neighbours, self.chance = papers, stratum, had, neighbours, chance
        self.rows: list[list[int]] = []

    # --- steps 1 and 2

    def seat(self, candidate: int) -> None:
        row: list[int] = []
        for section in self.papers[candidate]:
            row += shuffled(section, self.chance)
        beside = [self.rows[other] for other in self.neighbours[candidate] if other < candidate]
        self.rows.append(row)
        for span in self.spans:
            if any(_same(row, other, span) for other in beside) and not self._swap(row, beside, span):
                self._match(row, beside, span)

    def _swap(self, row: list[int], beside: list[list[int]], span: Span) -> bool:
        start, stop = span
        for position in range(start, stop):
            if all(other[position] != row[position] for other in beside):
                continue
            offset = int(self.chance() * (stop - start))
            for step in range(stop - start):
                target = start + (offset + step) % (stop - start)
                if all(o[target] != row[position] and o[position] != row[target] for o in beside):
                    row[position], row[target] = row[target], row[position]
                    break
            else:
                return False
        return True

    def _match(self, row: list[int], beside: list[list[int]], span: Span) -> None:
        """Put as many items of the span as possible where nobody beside has them (augmenting paths)."""
        start, stop = span
        items = shuffled(row[start:stop], self.chance)
        at: dict[int, int] = {}  # position → index in items

        def give(index: int, tried: set[int]) -> bool:
            for position in range(start, stop):
                if position in tried or any(other[position] == items[index] for other in beside):
                    continue
                tried.add(position)
                if position not in at or give(at[position], tried):
                    at[position] = index
                    return True
            return False

        over = [index for index in range(len(items)) if not give(index, set())]
        for position in range(start, stop):
            row[position] = items[at[position] if position in at else over.pop()]

    # --- step 3

    def settle(self) -> list[Clash]:
        clashes = dict.fromkeys(clash for candidate in range(len(self.rows)) for clash in self._clashes(candidate))
        for _ in range(STEPS):
            if not clashes:
                break
            candidate, position = list(clashes)[int(self.chance() * len(clashes))]
            if self.chance() < 0.5:  # either of the two may be the one to change
                candidate = next(o for o in self.neighbours[candidate] if self._alike(o, candidate, position))
            for changed in self._ease(candidate, position):
                for someone in (changed, *self.neighbours[changed]):
                    for span in self.spans:
                        for place in range(*span):
                            clashes.pop((someone, place), None)
                    clashes.update(dict.fromkeys(self._clashes(someone)))
        return list(clashes)

    def _clashes(self, candidate: int) -> list[Clash]:
        row = self.rows[candidate]
        found: list[Clash] = []
        for other in self.neighbours[candidate]:
            if other < candidate:
                found += [(candidate, p) for p, (a, b) in enumerate(zip(row, self.rows[other], strict=True)) if a == b]
        return found

    def _alike(self, one: int, other: int, position: int) -> bool:
        return self.rows[one][position] == self.rows[other][position]

    def _beside(self, candidate: int, position: int, item: int) -> int:
        return sum(self.rows[other][position] == item for other in self.neighbours[candidate])

    def _ease(self, candidate: int, position: int) -> tuple[int, ...]:
        """The change of this position, or of a neighbour's, that leaves the fewest clashes; who was changed.

        Ties are broken by chance, and the best change is made even when it makes things worse: that is how the search
        leaves a dead end.
        """
        start, stop = next(span for span in self.spans if span[0] <= position < span[1])
        row = self.rows[candidate]
        item = row[position]
        best, moves = 0.0, None
        for other in shuffled(range(len(self.rows)), self.chance):
            theirs = self.rows[other]
            for place in range(start, stop):
                gets = theirs[place]
                if other == candidate:
                    if place == position:
                        continue
                elif (
                    self.stratum[gets] != self.stratum[item]
                    or gets in self.had[candidate]
                    or item in self.had[other]
                    or gets in row
                    or item in theirs
                ):
                    continue
                before = self._beside(candidate, position, item) + self._beside(other, place, gets)
                row[position], theirs[place] = gets, item
                after = self._beside(candidate, position, gets) + self._beside(other, place, item)
                row[position], theirs[place] = item, gets
                gain = before - after + 0.5 * self.chance()
                if moves is None or gain > best:
                    best, moves = gain, (other, place)
            if best >= 1.0 and other != candidate:
                break
        if moves is None:
            return ()
        other, place = moves
        row[position], self.rows[other][place] = self.rows[other][place], item
        return (candidate, other)


def _same(row: list[int], other: list[int], span: Span) -> bool:
    start, stop = span
    return any(map(int.__eq__, row[start:stop], other[start:stop]))
