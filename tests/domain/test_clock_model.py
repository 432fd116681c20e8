"""The exam clock against the simplest possible model (I6, I7): one that looks at every second by itself.

The model knows the office's decisions in the order they were made and nothing of intervals, unions or walks: at each
second it asks whether anything stops the clock, and takes a second away if nothing does. The clock knows the entries as
a set, which may have come in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby

from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.clock import (
    Because,
    Entry,
    Ledger,
    Outage,
    as_of,
    because,
    end_ms,
    live,
    lost_ms,
    paused_since,
    remaining_ms,
    start_ms,
    until,
)

HORIZON = 160
# Later than every end the model can come to.
LATE = 2000


@dataclass(frozen=True)
class Model:
    """Second by second. ``entries`` in the order they were made."""

    base: int
    allotted: int
    entries: tuple[Entry, ...]

    def counts(self, entry: Entry) -> bool:
        """Nothing that counts takes it back."""
        return not any(
            (other.supersedes_id == entry.id or (other.kind == "undo" and other.refers_id == entry.id))
            and self.counts(other)
            for other in self.entries
        )

    def of(self, kind: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.kind == kind and self.counts(entry)]

    @property
    def start(self) -> int:
        return self.base + sum(entry.amount_ms for entry in self.of("postpone"))

    @property
    def allowance(self) -> int:
        return self.allotted + sum(entry.amount_ms for entry in self.of("extend"))

    def resumed_at(self, pause: Entry) -> int | None:
        return min((entry.to_ms for entry in self.of("resume") if entry.refers_id == pause.id), default=None)

    def stopping(self, second: int) -> list[Entry]:
        """What keeps this second from being charged."""
        found = [entry for entry in self.of("credit") if entry.from_ms <= second < entry.to_ms]
        for pause in self.of("pause"):
            resumed = self.resumed_at(pause)
            if pause.from_ms <= second and (resumed is None or second < resumed):
                found.append(pause)
        return found

    def stopped(self, second: int) -> bool:
        """Whether this second is charged to nobody."""
        return bool(self.stopping(second))

    def whose(self, second: int) -> tuple[str, str, str] | None:
        """Under what this second is told: of all that stops it what began first, and of those what was made first."""
        first = min(self.stopping(second), key=lambda entry: (entry.from_ms, entry.id), default=None)
        return None if first is None else (first.kind, first.reason, first.scope)

    def told(self, now: int) -> list[Because]:
        """The seconds that are not charged, up to the end or to ``now``, in a row as long as they are told under the
        same."""
        end = self.end()
        return self.told_before(now if end is None else end)

    def told_before(self, last: int) -> list[Because]:
        rows = groupby(map(self.whose, range(self.start, last)))
        runs = [(whose, len(list(seconds))) for whose, seconds in rows]
        return [Because(whose[0], ms, whose[1], whose[2]) for whose, ms in runs if whose is not None]

    def left(self, now: int) -> int:
        """What is left when ``now`` begins."""
        return max(0, self.allowance - sum(not self.stopped(second) for second in range(self.start, now)))

    def uncharged(self, now: int) -> int:
        """The seconds of the attempt's own time, up to its end or to ``now``, for which the clock stood."""
        end = self.end()
        last = now if end is None else end
        return sum(self.stopped(second) for second in range(self.start, last))

    def end(self) -> int | None:
        """The first second with nothing left; None when the clock stands for good before that."""
        left = self.allowance
        for second in range(self.start, LATE):
            if left == 0:
                return second
            left -= not self.stopped(second)
        return None


instants = st.integers(0, 90)
amounts = st.integers(1, 25)
# Few, so that what touches is often told under the same.
reasons = st.sampled_from(["power", "medical"])
scopes = st.sampled_from(["room", "candidate"])


@st.composite
def histories(draw: st.DrawFn) -> list[Entry]:
    """What an office may have decided by ``now``: entries with ids and instants that grow."""
    made: list[Entry] = []
    at = 0
    for n in range(1, draw(st.integers(0, 9)) + 1):
        at = draw(st.integers(at, 100))
        pauses = [entry.id for entry in made if entry.kind == "pause"]
        kinds = ["postpone", "pause", "extend", "credit"] + ["resume"] * bool(pauses) + ["undo", "change"] * bool(made)
        kind = draw(st.sampled_from(kinds))
        if kind == "pause":
            # Decided now, of something that may have begun before.
            begins = draw(st.integers(0, at))
            made.append(Entry(n, "pause", begins, reason=draw(reasons), scope=draw(scopes), made_ms=at))
        elif kind == "resume":
            made.append(Entry(n, "resume", to_ms=at, refers_id=draw(st.sampled_from(pauses)), made_ms=at))
        elif kind == "undo":
            made.append(Entry(n, "undo", refers_id=draw(st.sampled_from([entry.id for entry in made])), made_ms=at))
        elif kind == "credit":
            begins = draw(st.integers(0, at))
            ends = draw(st.integers(begins, at))
            made.append(Entry(n, "credit", begins, ends, reason=draw(reasons), scope=draw(scopes), made_ms=at))
        elif kind == "change":
            replaced = draw(st.sampled_from([entry.id for entry in made]))
            begins = draw(st.integers(0, at))
            ends = draw(st.integers(begins, at))
            made.append(Entry(n, "credit", begins, ends, reason=draw(reasons), made_ms=at, supersedes_id=replaced))
        else:
            made.append(Entry(n, kind, amount_ms=draw(amounts), made_ms=at))
    return made


bases = st.integers(0, 30)
allowances = st.integers(0, 60)


def both(base: int, allotted: int, made: list[Entry]) -> tuple[Model, Ledger]:
    return Model(base, allotted, tuple(made)), Ledger(base, allotted, tuple(made))


@given(base=bases, allotted=allowances, made=histories(), ahead=st.integers(0, 60))
def test_what_is_left_is_what_counting_every_second_gives(base, allotted, made, ahead):
    now = max([100, *(entry.made_ms for entry in made)]) + ahead
    model, ledger = both(base, allotted, made)
    assert start_ms(ledger) == model.start
    assert remaining_ms(ledger, now) == model.left(now)


@given(base=bases, allotted=allowances, made=histories())
def test_the_end_is_the_first_second_with_nothing_left(base, allotted, made):
    model, ledger = both(base, allotted, made)
    assert end_ms(ledger, HORIZON) == model.end()
    assert (paused_since(ledger, HORIZON) is None) == (model.end() is not None)


@given(base=bases, allotted=allowances, made=histories(), data=st.data())
def test_the_order_in_which_entries_arrive_changes_nothing(base, allotted, made, data):
    model, _ = both(base, allotted, made)
    # Another server, or the same one after a repair: the same entries, in any order.
    ledger = Ledger(base, allotted, tuple(data.draw(st.permutations(made))))
    assert remaining_ms(ledger, HORIZON) == model.left(HORIZON)
    assert end_ms(ledger, HORIZON) == model.end()
    assert because(ledger, HORIZON) == because(Ledger(base, allotted, tuple(made)), HORIZON)


@given(base=bases, allotted=allowances, made=histories(), data=st.data())
def test_an_entry_that_comes_late_is_as_good_as_one_in_time(base, allotted, made, data):
    """What was decided on another server arrives afterwards; meanwhile this one told the time it knew."""
    late = data.draw(st.sets(st.sampled_from([entry.id for entry in made]))) if made else set()
    # Nothing can be known of what refers to an entry before the entry.
    closed = False
    while not closed:
        more = {e.id for e in made if (e.refers_id in late or e.supersedes_id in late) and e.id not in late}
        late, closed = late | more, not more
    early = [entry for entry in made if entry.id not in late]
    known, ledger = both(base, allotted, early)
    assert remaining_ms(ledger, HORIZON) == known.left(HORIZON)
    full = replace(ledger, entries=(*ledger.entries, *(entry for entry in made if entry.id in late)))
    assert remaining_ms(full, HORIZON) == both(base, allotted, made)[0].left(HORIZON)


@given(base=bases, allotted=allowances, made=histories(), at=st.integers(0, 100))
def test_a_past_instant_is_told_as_it_was_known_then(base, allotted, made, at):
    then = [entry for entry in made if entry.made_ms <= at]
    model, _ = both(base, allotted, then)
    ledger = as_of(Ledger(base, allotted, tuple(made)), at)
    assert remaining_ms(ledger, at) == model.left(at)
    assert lost_ms(ledger, at) == lost_ms(both(base, allotted, then)[1], at)


@given(base=bases, allotted=allowances, made=histories())
def test_taking_an_entry_back_is_as_if_it_had_never_been_made(base, allotted, made):
    assume(made)
    standing = [entry for entry in live(made) if entry.kind != "undo"]
    assume(standing)
    last = standing[-1]
    n = made[-1].id + 1
    undone = [*made, Entry(n, "undo", refers_id=last.id, made_ms=100)]
    never = [entry for entry in made if entry.id != last.id]
    if last.supersedes_id is None:
        assert remaining_ms(Ledger(base, allotted, tuple(undone)), HORIZON) == both(base, allotted, never)[0].left(
            HORIZON
        )
    back = Ledger(base, allotted, (*undone, Entry(n + 1, "undo", refers_id=n, made_ms=100)))
    assert because(back, HORIZON) == because(Ledger(base, allotted, tuple(made)), HORIZON)


@given(base=bases, allotted=allowances, made=histories(), gaps=st.lists(st.tuples(instants, amounts), max_size=3))
def test_what_counts_to_the_cap_is_every_lost_second_once(base, allotted, made, gaps):
    model, ledger = both(base, allotted, made)
    ledger = replace(ledger, outages=tuple(Outage(at, gap) for at, gap in gaps))
    end = model.end()
    stood = sum(gap for at, gap in gaps if model.start <= at < (HORIZON if end is None else end))
    decided = model.start - base + model.allowance - allotted
    assert lost_ms(ledger, HORIZON) == decided + model.uncharged(HORIZON) + stood


@given(base=bases, allotted=allowances, made=histories())
def test_the_explanation_adds_up_to_the_end(base, allotted, made):
    _, ledger = both(base, allotted, made)
    end = end_ms(ledger, HORIZON)
    if end is not None:
        assert base + sum(part.ms for part in because(ledger, HORIZON)) == end


@given(base=bases, allotted=allowances, made=histories(), data=st.data())
def test_every_second_is_told_under_what_began_to_stop_it_first(base, allotted, made, data):
    model, _ = both(base, allotted, made)
    ledger = Ledger(base, allotted, tuple(data.draw(st.permutations(made))))
    uncharged = [part for part in because(ledger, HORIZON) if part.kind in ("pause", "credit")]
    assert uncharged == model.told(HORIZON)
    assert sum(part.ms for part in uncharged) == model.uncharged(HORIZON)


@given(base=bases, allotted=allowances, made=histories(), ended=st.integers(0, 100), data=st.data())
def test_who_has_ended_loses_nothing_more(base, allotted, made, ended, data):
    """Decisions go on, about others too: pauses are resumed, or are not, and the service goes away once more."""
    model, ledger = both(base, allotted, made)
    end = model.end()
    assume(end is None or ended <= end)
    gap = Outage(data.draw(instants), data.draw(amounts))
    theirs = until(replace(ledger, outages=(gap,)), ended)
    now = ended + data.draw(st.integers(0, 60))
    told = because(theirs, now)
    assert [part for part in told if part.kind in ("pause", "credit")] == model.told_before(ended)
    assert [part.ms for part in told if part.kind == "outage"] == [gap.gap_ms] * (model.start <= gap.at_ms < ended)
    assert paused_since(theirs, now) is None
    assert base + sum(part.ms for part in told if part.kind != "outage") == end_ms(theirs, now)
    assert told == because(theirs, ended)
    assert until(theirs, ended) == theirs
