"""Wall time and service time: within a term both run alike, between two the counter stood."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.wall_time import Term, WallTime

NOON = datetime(2026, 7, 20, 4, 0, tzinfo=UTC)
S = timedelta(seconds=1)
# Two minutes of service, a gap of 30 s, and one minute since.
WALL = WallTime([Term(0, NOON), Term(120_000, NOON + 150 * S)], 180_000, NOON + 210 * S)


@pytest.mark.parametrize(
    ("second", "service_ms"),
    [
        (0, 0),
        (60, 60_000),
        (120, 120_000),
        (135, 120_000),
        (150, 120_000),
        (151, 121_000),
        (210, 180_000),
        (220, 190_000),
    ],
)
def test_a_wall_instant_is_one_of_service(second, service_ms):
    assert WALL.service_ms(NOON + second * S) == service_ms


def test_before_the_first_term_nothing_was_counted():
    assert WALL.service_ms(NOON - 60 * S) == 0


@pytest.mark.parametrize(
    ("service_ms", "second"), [(0, 0), (60_000, 60), (120_000, 150), (180_000, 210), (240_000, 270)]
)
def test_and_back(service_ms, second):
    assert WALL.at(service_ms) == NOON + second * S


def test_a_wall_clock_that_was_set_is_read_as_people_read_it_now():
    """Five minutes were added since the term began: what people typed from their watches is measured from now."""
    wall = WallTime([Term(0, NOON)], 60_000, NOON + 360 * S)
    assert wall.service_ms(NOON + 350 * S) == 50_000
    assert wall.at(50_000) == NOON + 350 * S
    # What lies before the term began lies at its begin, not before zero.
    assert wall.service_ms(NOON) == 0


def test_while_the_service_stands_the_past_is_measured_from_where_it_stopped():
    """Stopped after three minutes of service, an hour ago; what is to come begins now."""
    stopped_at = NOON + 210 * S
    wall = WallTime(WALL.terms, 180_000, stopped_at, 3_600_000)
    for service_ms in (0, 60_000, 120_000, 150_000, 180_000):
        assert wall.at(service_ms) == WALL.at(service_ms)
        assert wall.service_ms(WALL.at(service_ms)) == service_ms
    assert wall.at(240_000) == stopped_at + 3_660 * S
    assert wall.service_ms(stopped_at + 3_660 * S) == 240_000
    # Whatever was typed of the hour is the one instant at which it stood.
    assert {wall.service_ms(stopped_at + n * S) for n in (0, 1, 1_800, 3_600)} == {180_000}
    bare = WallTime([], 180_000, stopped_at, 3_600_000)
    assert (bare.service_ms(stopped_at - S), bare.service_ms(stopped_at + 60 * S)) == (179_000, 180_000)


def test_without_any_term_now_is_the_only_known_point():
    wall = WallTime([], 5_000, NOON)
    assert wall.service_ms(NOON - S) == 4_000
    assert wall.at(6_000) == NOON + S


@given(st.lists(st.tuples(st.integers(1, 10_000), st.integers(0, 10_000)), min_size=1, max_size=6), st.data())
def test_what_service_time_says_of_an_instant_comes_back(stretches, data):
    terms, ms, at = [], 0, NOON
    for length, gap in stretches:
        terms.append(Term(ms, at))
        ms, at = ms + length, at + timedelta(milliseconds=length + gap)
    wall = WallTime(terms, ms, at)
    one, other = sorted(data.draw(st.tuples(st.integers(0, ms), st.integers(0, ms))))
    assert wall.service_ms(wall.at(one)) == one
    assert wall.at(one) <= wall.at(other)
