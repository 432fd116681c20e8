"""Which of a candidate's attempts has them, and which must wait: by how things stand, whoever looked when."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.clock import NEVER_MS
from app.domain.one_at_a_time import Sitting, clashes, may_begin, must_wait, runs, runs_elsewhere, seated_in

NOW = 100


def sitting(n: int, start_ms: int | None, end_ms: int | None, **more) -> Sitting:
    return Sitting(UUID(int=n), 1, n, start_ms, end_ms, **more)


FIRST = sitting(1, 0, 200)
SECOND = sitting(2, 90, 290, sat=False)


@pytest.mark.parametrize(
    "first",
    [
        FIRST,
        replace(FIRST, end_ms=NEVER_MS, paused=True),
        # Its time is up, and a move is under way that will give some back.
        replace(FIRST, end_ms=80, undecided=True),
        # Both start at once: the number decides, and one of the two goes first.
        replace(FIRST, start_ms=90),
    ],
)
@pytest.mark.parametrize(
    "second", [SECOND, replace(SECOND, end_ms=NEVER_MS, paused=True), replace(SECOND, start_ms=NOW + 5)]
)
def test_the_later_one_waits_while_the_earlier_one_has_the_candidate(first, second):
    assert must_wait([second, first], NOW, ahead_ms=10) == [second]
    # However long ago its start was missed.
    assert must_wait([first, second], 199, ahead_ms=10) == [second]


@pytest.mark.parametrize(
    "first",
    [
        replace(FIRST, ended_ms=50),
        replace(FIRST, end_ms=80),
        # Nobody came to it.
        replace(FIRST, sat=False),
        replace(FIRST, start_ms=95),
        replace(FIRST, start_ms=None, end_ms=None),
    ],
)
def test_nothing_else_makes_it_wait(first):
    assert must_wait([first, SECOND], NOW) in ([], [first])
    assert SECOND not in must_wait([first, SECOND], NOW)


def test_one_that_waits_keeps_the_next_from_beginning():
    waits = replace(SECOND, end_ms=NEVER_MS, paused=True, waits=True)
    third = sitting(3, 95, 300, sat=False)
    assert must_wait([replace(FIRST, ended_ms=99), waits, third], NOW) == [third]
    assert not may_begin(replace(third, waits=True), [waits, third], NOW, changeover_ms=0)


def test_it_is_let_go_when_the_one_before_is_over_on_record_and_the_changeover_too():
    waits = replace(SECOND, end_ms=NEVER_MS, paused=True, waits=True)
    over = replace(FIRST, ended_ms=70)
    assert may_begin(waits, [over, waits], NOW, changeover_ms=30)
    assert not may_begin(waits, [over, waits], NOW, changeover_ms=31)
    # Its time is up, and nobody has ended it yet.
    assert not may_begin(waits, [replace(FIRST, end_ms=10), waits], NOW, changeover_ms=0)
    assert may_begin(waits, [replace(FIRST, end_ms=10, sat=False), waits], NOW, changeover_ms=0)


def test_what_is_over_is_not_opened_beside_another_that_goes_on():
    over = replace(FIRST, ended_ms=70)
    for other in (SECOND, replace(SECOND, paused=True), replace(SECOND, end_ms=95, undecided=True)):
        assert runs_elsewhere(over.attempt, [over, other], NOW)
    for other in (replace(SECOND, waits=True), replace(SECOND, start_ms=NOW + 1), replace(SECOND, end_ms=95)):
        assert not runs_elsewhere(over.attempt, [over, other], NOW)


def test_who_signs_in_goes_where_they_are_in_the_middle_of():
    sat = replace(SECOND, sat=True)
    assert seated_in([sat, FIRST], NOW) == FIRST
    assert seated_in([sat, replace(FIRST, end_ms=80, undecided=True)], NOW) == replace(FIRST, end_ms=80, undecided=True)
    assert seated_in([sat, replace(FIRST, end_ms=80)], NOW) == sat
    assert seated_in([SECOND, replace(FIRST, ended_ms=80)], NOW) is None


ATTEMPTS = st.builds(
    sitting,
    st.integers(1, 3),
    st.none() | st.integers(80, 120),
    st.integers(85, 140),
    paused=st.booleans(),
    sat=st.booleans(),
    undecided=st.booleans(),
    waits=st.booleans(),
    ended_ms=st.none() | st.integers(80, 100),
)


@given(st.lists(ATTEMPTS, max_size=4, unique_by=lambda one: one.number), st.integers(0, 20))
def test_when_all_wait_who_must_no_two_run(mine, ahead_ms):
    mine = [replace(one, end_ms=NEVER_MS) if one.paused else one for one in mine]
    # A pause holds whatever waits, unless its time was over before.
    mine = [replace(one, paused=True, end_ms=NEVER_MS) if one.waits else one for one in mine]
    late = must_wait(mine, NOW, ahead_ms=ahead_ms)
    after = [replace(one, paused=True, waits=True, end_ms=NEVER_MS) if one in late else one for one in mine]
    assert not clashes(after, NOW)
    assert must_wait(after, NOW, ahead_ms=ahead_ms) == []
    # Nobody waits for nothing: of those that have the candidate one is left.
    if any(runs(one, NOW) for one in mine) and late:
        assert len(late) < len(mine)
