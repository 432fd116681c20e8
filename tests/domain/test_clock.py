"""The exam clock's rules one by one; tests/domain/test_clock_model.py has them all at once."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.adjustments import reason_words
from app.domain.clock import (
    Because,
    Entry,
    Interval,
    Ledger,
    Outage,
    as_of,
    because,
    duration_text,
    end_ms,
    explain,
    intervals,
    live,
    lost_ms,
    paused_since,
    remaining_ms,
    start_ms,
    uncharged_ms,
    union,
)

MINUTE = 60_000
HOUR = 60 * MINUTE
instants = st.integers(0, 120)
parts = st.lists(st.tuples(instants, instants).map(lambda pair: Interval(min(pair), max(pair), "x")), max_size=6)


def ledger(*entries: Entry, start: int | None = 0, allotted: int = 100, outages: tuple[Outage, ...] = ()) -> Ledger:
    return Ledger(start, allotted, entries, outages)


@given(parts=parts, data=st.data())
def test_overlaps_are_credited_once_in_any_order(parts, data):
    shuffled = data.draw(st.permutations(parts))
    covered = {tick for part in parts for tick in range(part.from_ms, part.to_ms)}
    assert uncharged_ms(shuffled, 0, 200) == len(covered)
    merged = union(shuffled)
    assert all(a.to_ms < b.from_ms for a, b in pairwise(merged))


def test_before_the_start_and_before_the_day_is_opened():
    assert remaining_ms(ledger(start=None), 5) == 100
    assert end_ms(ledger(start=None), 5) is None
    assert start_ms(ledger(start=None)) is None
    assert remaining_ms(ledger(start=1000), 999) == 100


def test_a_credit_that_begins_after_the_end_moves_nothing():
    assert end_ms(ledger(Entry(1, "credit", 100, 150)), 150) == 100
    assert end_ms(ledger(Entry(1, "credit", 99, 150)), 150) == 151


def test_a_postponement_moves_start_and_end_equally():
    moved = ledger(Entry(1, "postpone", amount_ms=30), Entry(2, "postpone", amount_ms=5))
    assert (start_ms(moved), end_ms(moved, 0)) == (35, 135)
    assert remaining_ms(moved, 34) == remaining_ms(moved, 35) == 100


def test_a_pause_stops_the_clock_and_its_resume_starts_it():
    held = ledger(Entry(1, "pause", 40))
    assert (end_ms(held, 90), paused_since(held, 90), remaining_ms(held, 90)) == (None, 40, 60)
    freed = ledger(Entry(1, "pause", 40), Entry(2, "resume", to_ms=90, refers_id=1))
    assert (end_ms(freed, 90), paused_since(freed, 90), remaining_ms(freed, 91)) == (150, None, 59)


def test_nobody_runs_while_one_of_two_pauses_holds_them():
    both = [Entry(1, "pause", 10), Entry(2, "pause", 20)]
    assert paused_since(ledger(*both, Entry(3, "resume", to_ms=30, refers_id=1)), 40) == 20
    freed = ledger(*both, Entry(3, "resume", to_ms=30, refers_id=1), Entry(4, "resume", to_ms=50, refers_id=2))
    assert end_ms(freed, 50) == 140


def test_who_is_resumed_twice_ran_from_the_first_time_on():
    twice = [Entry(2, "resume", to_ms=90, refers_id=1), Entry(3, "resume", to_ms=70, refers_id=1)]
    assert end_ms(ledger(Entry(1, "pause", 40), *twice), 90) == 130


def test_a_pause_that_began_before_the_start_counts_from_the_start_on():
    held = ledger(Entry(1, "pause", 10), start=50)
    assert (paused_since(held, 20), remaining_ms(held, 20), lost_ms(held, 20)) == (10, 100, 0)
    assert (paused_since(held, 80), remaining_ms(held, 80), lost_ms(held, 80)) == (10, 100, 30)
    freed = ledger(Entry(1, "pause", 10), Entry(2, "resume", to_ms=45, refers_id=1), start=50)
    assert (end_ms(freed, 45), lost_ms(freed, 60)) == (150, 0)


def test_a_pause_of_somebody_whose_time_was_over_holds_nothing():
    late = ledger(Entry(1, "pause", 100))
    assert (end_ms(late, 120), paused_since(late, 120)) == (100, None)
    assert paused_since(ledger(Entry(1, "pause", 99)), 120) == 99


def test_an_entry_that_is_taken_back_counts_again_when_that_is_taken_back():
    extended = Entry(1, "extend", amount_ms=30)
    undone = Entry(2, "undo", refers_id=1)
    assert end_ms(ledger(extended), 0) == 130
    assert end_ms(ledger(extended, undone), 0) == 100
    assert end_ms(ledger(undone, Entry(3, "undo", refers_id=2), extended), 0) == 130


def test_what_supersedes_an_entry_takes_its_place():
    shorter = [Entry(1, "credit", 10, 60), Entry(2, "credit", 10, 30, supersedes_id=1)]
    assert end_ms(ledger(*shorter), 60) == 120
    assert end_ms(ledger(*shorter, Entry(3, "undo", refers_id=2)), 60) == 150
    assert [entry.id for entry in live(shorter)] == [2]


def test_a_resume_that_is_taken_back_holds_again_since_the_pause_began():
    held = ledger(
        Entry(1, "pause", 40), Entry(2, "resume", to_ms=50, refers_id=1, made_ms=50), Entry(3, "undo", refers_id=2)
    )
    assert (paused_since(held, 70), remaining_ms(held, 70)) == (40, 60)


def test_the_past_is_what_was_known_then():
    told = ledger(
        Entry(1, "pause", 40, made_ms=41),
        Entry(2, "resume", to_ms=60, refers_id=1, made_ms=60),
        Entry(3, "extend", amount_ms=9, made_ms=80),
        outages=(Outage(70, 5),),
    )
    assert end_ms(as_of(told, 40), 40) == 100
    assert end_ms(as_of(told, 45), 45) is None
    assert end_ms(as_of(told, 60), 60) == 120
    assert [part.kind for part in because(as_of(told, 69), 69)] == ["planned", "pause"]
    assert end_ms(told, 80) == 129


def test_what_began_first_keeps_its_reason_and_the_next_is_told_with_what_it_adds():
    told = ledger(
        Entry(1, "credit", 20, 30, reason="relog"),
        Entry(2, "pause", 10, reason="power", scope="room"),
        Entry(3, "resume", to_ms=25, refers_id=2),
        # Inside the pause: it adds nothing.
        Entry(4, "credit", 12, 24, reason="medical"),
    )
    assert because(told, 40) == [
        Because("planned", 100, "allotted"), Because("pause", 15, "power", "room"), Because("credit", 5, "relog"),
    ]  # fmt: skip
    # Of what began together it is the one that was made first.
    both = ledger(Entry(1, "credit", 10, 12, reason="pc"), Entry(2, "credit", 10, 15, reason="power", scope="room"))
    assert because(both, 40)[1:] == [Because("credit", 2, "pc"), Because("credit", 3, "power", "room")]


def test_what_only_touches_keeps_its_reason():
    told = ledger(
        Entry(1, "pause", 10, reason="medical"),
        Entry(2, "resume", to_ms=11, refers_id=1),
        Entry(3, "credit", 11, 31, reason="power", scope="room"),
        Entry(4, "credit", 31, 35, reason="power", scope="room"),
    )
    assert because(told, 40)[1:] == [Because("pause", 1, "medical"), Because("credit", 24, "power", "room")]
    assert end_ms(told, 40) == 125


def test_what_counts_to_the_cap_is_told_once():
    entries = [
        Entry(1, "postpone", amount_ms=10),
        Entry(2, "extend", amount_ms=20),
        Entry(3, "pause", 30),
        Entry(4, "credit", 35, 45),
        Entry(5, "resume", to_ms=40, refers_id=3),
    ]
    # An outage before the own start, and one after the end, cost nobody anything.
    outages = (Outage(5, 1000), Outage(50, 7), Outage(900, 1000))
    assert lost_ms(ledger(*entries, outages=outages), 60) == 10 + 20 + 15 + 7
    # An open pause counts up to now.
    assert lost_ms(ledger(Entry(1, "pause", 30)), 60) == 30


def test_intervals_are_told_one_by_one():
    told = ledger(Entry(1, "credit", 20, 30, reason="relog"), Entry(2, "pause", 25, reason="fire"))
    assert intervals(told, 40) == [
        Interval(20, 30, "relog", "credit", "candidate"),
        Interval(25, 40, "fire", "pause", "candidate"),
    ]


def test_an_interval_cannot_end_before_it_begins():
    with pytest.raises(ValueError, match="before it begins"):
        Interval(5, 4)


ENDS = datetime(2026, 11, 23, 10, 3, 12, 400_000, tzinfo=UTC)


def test_the_end_is_explained_in_words():
    told = ledger(
        Entry(1, "pause", 10_000, reason="power", scope="room"),
        Entry(2, "resume", to_ms=160_000, refers_id=1),
        Entry(3, "credit", 300_000, 342_000, reason="relog"),
        allotted=HOUR,
    )
    zh, en = explain(because(told, 400_000), reason_words, ends_at=ENDS, left_ms=0)
    assert zh == "结束时间 10:03:12 = 10:00:00 + 考室断电 2:30 + 换机 0:42"
    assert en == "ends at 10:03:12 = 10:00:00 + room: power cut 2:30 + move to another seat 0:42"


def test_what_has_no_end_is_explained_by_what_is_left():
    told = ledger(Entry(1, "extend", amount_ms=MINUTE, reason="item-fault"), allotted=HOUR)
    assert explain(because(told, 0), reason_words, ends_at=None, left_ms=61 * MINUTE) == (
        "剩余 1:01:00，已计 延长（试题错误） 1:00",
        "1:01:00 left, counted: extended (faulty item) 1:00",
    )
    assert explain(because(ledger(), 0), reason_words, ends_at=None, left_ms=100)[0] == "剩余 0:00"


def seconds(clock: str) -> int:
    total = 0
    for part in clock.split(":"):
        total = total * 60 + int(part)
    return total


@given(lengths=st.lists(st.integers(1, 90_000), max_size=5), ms=st.integers(0, 999))
def test_what_is_shown_adds_up_to_the_second(lengths, ms):
    told = [Because("planned", HOUR, "allotted"), *(Because("extend", length, "other") for length in lengths)]
    zh, _ = explain(told, reason_words, ends_at=ENDS.replace(microsecond=ms * 1000), left_ms=0)
    end, planned, *summands = zh.removeprefix("结束时间 ").replace(" = ", " + ").split(" + ")
    assert seconds(end) == seconds(planned) + sum(seconds(one.split()[-1]) for one in summands)


@pytest.mark.parametrize(
    ("ms", "told"), [(0, "0:00"), (59_999, "0:59"), (150_000, "2:30"), (3_600_000, "1:00:00"), (5_405_000, "1:30:05")]
)
def test_lengths_are_told_in_minutes_and_seconds(ms, told):
    assert duration_text(ms) == told
