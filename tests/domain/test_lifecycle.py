"""The life of an attempt, on both sides of every boundary (I9)."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest

from app.domain.lifecycle import TRANSITIONS, Event, NotAllowed, State, after, derive, mermaid

STATES = get_args(State)
EVENTS = get_args(Event)


@pytest.mark.parametrize(
    ("now", "signed_in", "state"),
    [
        (99, False, "scheduled"),
        (99, True, "waiting"),
        (100, True, "running"),
        (100, False, "running"),
        (199, True, "running"),
        (200, True, "ended"),
    ],
)
def test_what_is_stored_as_open_is_told_by_the_clock(now, signed_in, state):
    assert derive("open", signed_in=signed_in, start_ms=100, end_ms=200, now_ms=now) == state


def test_a_session_that_is_not_anchored_waits_however_late_it_is():
    assert derive("open", signed_in=True, start_ms=None, end_ms=None, now_ms=10**12) == "waiting"


@pytest.mark.parametrize(("now", "state"), [(99, "waiting"), (100, "paused"), (10**15, "paused")])
def test_a_pause_shows_from_the_start_on_and_outlasts_everything(now, state):
    assert derive("open", signed_in=True, start_ms=100, end_ms=4 * 10**15, now_ms=now, paused=True) == state


def test_what_is_stored_as_ended_or_final_stays_so():
    for stored in ("ended", "final"):
        assert derive(stored, signed_in=True, start_ms=0, end_ms=10**9, now_ms=5) == stored
        assert derive(stored, signed_in=True, start_ms=0, end_ms=10**9, now_ms=5, paused=True) == stored


def test_every_step_that_is_not_in_the_table_is_refused():
    for state, event in itertools.product(STATES, EVENTS):
        if (state, event) in TRANSITIONS:
            assert after(state, event) == TRANSITIONS[state, event]
        else:
            with pytest.raises(NotAllowed):
                after(state, event)


def test_final_is_reached_through_ended_only():
    assert {source for (source, _), target in TRANSITIONS.items() if target == "final"} == {"ended"}


def test_the_diagram_holds_every_step():
    drawn = mermaid()
    for (state, event), target in TRANSITIONS.items():
        assert f"{state} --> {target}: {event}" in drawn
