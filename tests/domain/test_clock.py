"""The exam clock against a model that counts every millisecond by itself (I6, I7)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.clock import (
    Because,
    Interval,
    Ledger,
    because,
    duration_text,
    end_ms,
    remaining_ms,
    uncharged_ms,
    union,
)

MINUTE = 60_000
instants = st.integers(0, 120)
intervals = st.lists(st.tuples(instants, instants).map(lambda pair: Interval(min(pair), max(pair), "x")), max_size=6)


def counted(ledger: Ledger, now: int) -> int:
    """Second by second: a tick is charged when it lies after the start and in no interval."""
    left = ledger.allotted_ms + sum(ms for ms, _ in ledger.extensions)
    for tick in range(ledger.start_ms, now):
        if not any(i.from_ms <= tick < i.to_ms for i in ledger.uncharged):
            left -= 1
    return max(0, left)


ledgers = st.builds(
    Ledger,
    start_ms=st.integers(0, 30),
    allotted_ms=st.integers(0, 60),
    extensions=st.lists(st.tuples(st.integers(0, 20), st.just("e")), max_size=2).map(tuple),
    uncharged=intervals.map(tuple),
)


@given(ledger=ledgers, now=instants)
def test_remaining_is_what_counting_every_tick_gives(ledger, now):
    assert remaining_ms(ledger, now) == counted(ledger, now)


@given(ledger=ledgers)
def test_the_end_is_the_first_instant_with_nothing_left(ledger):
    end = end_ms(ledger)
    assert remaining_ms(ledger, end) == 0
    if end > ledger.start_ms:
        assert remaining_ms(ledger, end - 1) > 0


@given(parts=intervals, data=st.data())
def test_overlaps_are_credited_once_in_any_order(parts, data):
    shuffled = data.draw(st.permutations(parts))
    covered = {tick for part in parts for tick in range(part.from_ms, part.to_ms)}
    assert uncharged_ms(shuffled, 0, 200) == len(covered)
    merged = union(shuffled)
    assert all(a.to_ms < b.from_ms for a, b in pairwise(merged))


@given(ledger=ledgers)
@example(ledger=Ledger(1, 0, uncharged=(Interval(0, 2),)))
def test_the_explanation_adds_up_to_the_end(ledger):
    told = because(ledger)
    assert told[0] == Because("planned", ledger.allotted_ms, "allotted")
    assert ledger.start_ms + sum(part.ms for part in told) == end_ms(ledger)


def test_before_the_start_and_before_the_day_is_opened():
    assert remaining_ms(Ledger(None, 90 * MINUTE), 5) == 90 * MINUTE
    assert end_ms(Ledger(None, 90 * MINUTE)) is None
    assert remaining_ms(Ledger(1000, 90 * MINUTE), 999) == 90 * MINUTE


def test_a_credit_that_begins_after_the_end_moves_nothing():
    ledger = Ledger(0, 10, uncharged=(Interval(10, 50),))
    assert end_ms(ledger) == 10
    assert end_ms(Ledger(0, 10, uncharged=(Interval(9, 50),))) == 51


def test_an_interval_cannot_end_before_it_begins():
    with pytest.raises(ValueError, match="before it begins"):
        Interval(5, 4)


@pytest.mark.parametrize(
    ("ms", "told"), [(0, "0:00"), (59_999, "0:59"), (150_000, "2:30"), (3_600_000, "1:00:00"), (5_405_000, "1:30:05")]
)
def test_lengths_are_told_in_minutes_and_seconds(ms, told):
    assert duration_text(ms) == told
