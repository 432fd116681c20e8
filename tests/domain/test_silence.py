"""What a silence is evidence of, and what it is not (DESIGN §5)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import ceil
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.domain.silence import GROUPS, Seat, Silence, Stretch, Thresholds, classify, follow

S = 1000
LIMITS = Thresholds(silence_ms=25 * S, onset_ms=15 * S, settle_ms=15 * S, reconnect_ms=60 * S, share=0.6, least=5)
READY = LIMITS.silence_ms + LIMITS.onset_ms
NOW = 3_600 * S


def who(n: int) -> UUID:
    return UUID(int=n)


def hall(*rooms: tuple[int, list[int]]) -> list[Seat]:
    """Seats by room: (building, how long ago each seat was heard, in seconds)."""
    seats = []
    for number, (building, ages) in enumerate(rooms, 1):
        for age in ages:
            seats.append(Seat(who(len(seats) + 1), number, building, NOW - age * S))
    return seats


def groups(seats, *, now_ms=NOW, served_ms=None) -> list[Silence]:
    return [one for one in classify(seats, now_ms, LIMITS, served_ms) if one.kind in GROUPS]


ALIVE = [2] * 40
DARK = [50 + n % 10 for n in range(40)]


def test_thirty_eight_of_forty_in_a_room():
    seats = hall((1, [2, 3, *DARK[:38]]), (1, ALIVE))
    (found,) = classify(seats, NOW, LIMITS, None)
    assert (found.kind, found.rooms, found.building, found.seats, len(found.lost)) == ("room", (1,), 1, 40, 38)
    assert (found.from_ms, found.since_ms) == (NOW - 59 * S, NOW - 50 * S)


def test_one_seat_is_one_seat():
    (found,) = classify(hall((1, [300, *ALIVE]), (1, ALIVE)), NOW, LIMITS, None)
    assert (found.kind, found.lost) == ("seat", {who(1)})


def test_whoever_pulled_a_cable_before_is_not_part_of_the_rooms_loss():
    (group,) = groups(hall((1, [600, *DARK[:39]])))
    assert (len(group.lost), group.from_ms) == (39, NOW - 59 * S)
    assert who(1) not in group.lost


def test_single_seats_that_fall_silent_one_after_another_are_no_room():
    # One more every half minute, until all forty are silent.
    assert groups(hall((1, [60 + 30 * n for n in range(40)]))) == []


def test_a_few_people_alone_in_a_large_room_are_no_room():
    assert groups(hall((1, DARK[:4]), (1, ALIVE))) == []


def test_a_building_is_not_told_room_by_room():
    (found,) = groups(hall((1, DARK), (1, DARK), (1, ALIVE), (2, ALIVE)))
    assert (found.kind, found.building, found.rooms, found.seats, len(found.lost)) == ("building", 1, (1, 2), 120, 80)


def test_everyone():
    (found,) = groups(hall((1, DARK), (1, DARK), (2, DARK), (2, DARK), (3, DARK), (3, DARK)))
    assert (found.kind, found.building, found.seats, len(found.lost)) == ("site", None, 240, 240)


def test_a_hall_of_one_building_is_told_as_that_building_and_a_hall_of_one_room_as_that_room():
    assert [one.kind for one in groups(hall((1, DARK), (1, DARK)))] == ["building"]
    assert [one.kind for one in groups(hall((1, DARK)))] == ["room"]


def test_two_rooms_that_fail_minutes_apart_are_two_losses():
    later = [age + 200 for age in DARK]
    found = groups(hall((1, DARK), (1, later), (1, ALIVE), (1, ALIVE)))
    assert sorted((one.kind, one.rooms) for one in found) == [("room", (1,)), ("room", (2,))]


def test_nothing_is_said_before_every_seat_of_the_same_cause_is_silent():
    # The last was heard 15 s after the first: one second earlier not all of them would be counted.
    seats = [replace(seat, heard_ms=seat.heard_ms - NOW) for seat in hall((1, [n % 16 for n in range(40)]))]
    last = max(seat.heard_ms for seat in seats)
    assert groups(seats, now_ms=last + LIMITS.silence_ms - 1) == []
    (found,) = groups(seats, now_ms=last + LIMITS.silence_ms)
    assert len(found.lost) == 40


def test_the_services_own_outage_is_nobodys_silence():
    served = NOW - 80 * S
    seats = hall((1, [81 + n % 5 for n in range(40)]), (2, [85] * 40))
    (found,) = classify(seats, NOW, LIMITS, served)
    assert (found.kind, len(found.lost)) == ("service", 80)
    # Who has not found back when everybody should have is lost from the moment the service was there again.
    late = served + LIMITS.reconnect_ms + READY
    here = [replace(seat, heard_ms=late - S) if seat.building == 2 else seat for seat in seats]
    (room,) = classify(here, late, LIMITS, served)
    assert (room.kind, room.rooms, room.from_ms, room.after_outage) == ("room", (1,), served, True)


def test_a_room_that_is_lost_after_the_service_came_back_is_not_excused():
    (found,) = groups(hall((1, DARK)), served_ms=NOW - 61 * S)
    assert (found.kind, found.after_outage) == ("room", False)


# --- against counting ---

ages = st.integers(0, 200)
rooms = st.lists(st.tuples(st.integers(1, 3), st.lists(ages, min_size=1, max_size=14)), min_size=1, max_size=7)
served = st.none() | st.integers(0, 250).map(lambda age: NOW - age * S)


@given(rooms=rooms, served_ms=served)
def test_every_silent_seat_is_told_once_and_nobody_else(rooms, served_ms):
    seats = hall(*rooms)
    told = Counter(attempt for one in classify(seats, NOW, LIMITS, served_ms) for attempt in one.lost)
    silent = {seat.attempt for seat in seats if NOW - seat.heard_ms >= LIMITS.silence_ms}
    assert set(told) == silent
    assert set(told.values()) <= {1}


@given(rooms=rooms, served_ms=served)
def test_a_group_is_most_of_its_rooms_within_one_window(rooms, served_ms):
    seats = {seat.attempt: seat for seat in hall(*rooms)}
    for one in groups(list(seats.values()), served_ms=served_ms):
        heard = [max(seats[attempt].heard_ms, served_ms or 0) for attempt in one.lost]
        assert (min(heard), max(heard)) == (one.from_ms, one.since_ms)
        assert one.since_ms - one.from_ms <= LIMITS.onset_ms
        assert NOW - one.from_ms >= READY
        # Room by room and from nothing but the seats: at least one is lost by the plain rule.
        by_room = Counter(seats[attempt].room for attempt in one.lost)
        size = Counter(seat.room for seat in seats.values())
        lost = [room for room, n in by_room.items() if n >= max(5, ceil(0.6 * size[room] - 1e-9))]
        assert lost
        if one.kind == "room":
            assert one.rooms == (lost[0],)
        else:
            assert len(lost) >= 2
        if one.kind == "building":
            assert {seats[attempt].building for attempt in one.lost} == {one.building}


@given(rooms=rooms, order=st.randoms(use_true_random=False))
def test_the_order_of_the_seats_does_not_matter(rooms, order):
    seats = hall(*rooms)
    shuffled = list(seats)
    order.shuffle(shuffled)
    assert set(classify(seats, NOW, LIMITS, None)) == set(classify(shuffled, NOW, LIMITS, None))


@given(rooms=rooms, seat=st.integers(0, 97))
def test_no_seat_alone_makes_or_ends_more_than_its_own_share(rooms, seat):
    """Nobody gains a group's credit by their own silence: with one more silent seat a group that was not there needs
    exactly that seat, so without the others' silence there is none."""
    seats = hall(*rooms)
    one = seat % len(seats)
    alone = [replace(each, heard_ms=NOW) for each in seats]
    alone[one] = seats[one]
    assert groups(alone) == []


# --- until they are heard again ---


def lost_room(n: int = 38) -> tuple[Stretch, dict[UUID, Seat]]:
    seats = hall((1, [2] * (40 - n) + DARK[:n]))
    (found,) = groups(seats)
    return Stretch(found, NOW), {seat.attempt: seat for seat in seats}


def heard(seats: dict[UUID, Seat], attempts, at_ms: int) -> dict[UUID, Seat]:
    return seats | {one: replace(seats[one], heard_ms=at_ms) for one in attempts}


def test_a_loss_that_goes_on_is_told_up_to_now():
    stretch, seats = lost_room()
    followed = follow(stretch, seats, NOW + 30 * S, LIMITS)
    assert followed.closed is None
    assert (followed.going.to_ms, followed.going.silence) == (NOW + 30 * S, stretch.silence)


def test_a_room_that_is_back_closes_with_its_last_seat():
    stretch, seats = lost_room()
    order = sorted(stretch.silence.lost)
    first = heard(seats, order[:30], NOW + 10 * S)
    going = follow(stretch, first, NOW + 12 * S, LIMITS).going
    assert len(going.back) == 30
    # They write on: what counts is when they were first heard again.
    last = heard(heard(first, order[:30], NOW + 20 * S), order[30:], NOW + 19 * S)
    followed = follow(going, last, NOW + 21 * S, LIMITS)
    assert followed.going is None
    assert (followed.closed.to_ms, followed.closed.silence.lost) == (NOW + 19 * S, stretch.silence.lost)


def test_a_few_that_stay_out_do_not_hold_up_the_room():
    stretch, seats = lost_room()
    order = sorted(stretch.silence.lost)
    seats = heard(seats, order[:-4], NOW + 10 * S)
    going = follow(stretch, seats, NOW + 10 * S, LIMITS).going
    assert follow(going, seats, NOW + 24 * S, LIMITS).closed is None
    followed = follow(going, seats, NOW + 25 * S, LIMITS)
    assert followed.going is None
    assert (followed.closed.to_ms, followed.closed.silence.lost) == (NOW + 10 * S, stretch.silence.lost)


def test_half_a_room_that_comes_back_is_closed_and_the_other_half_is_followed_on():
    stretch, seats = lost_room()
    order = sorted(stretch.silence.lost)
    seats = heard(seats, order[:20], NOW + 10 * S)
    going = follow(stretch, seats, NOW + 10 * S, LIMITS).going
    followed = follow(going, seats, NOW + 25 * S, LIMITS)
    assert (followed.closed.silence.lost, followed.closed.to_ms) == (frozenset(order[:20]), NOW + 10 * S)
    assert (followed.going.silence.lost, followed.going.to_ms) == (frozenset(order[20:]), NOW + 25 * S)
    seats = heard(seats, order[20:], NOW + 400 * S)
    rest = follow(followed.going, seats, NOW + 401 * S, LIMITS)
    assert (rest.going, rest.closed.silence.lost, rest.closed.to_ms) == (None, frozenset(order[20:]), NOW + 400 * S)


def test_one_who_was_moved_meanwhile_has_the_relogs_credit_and_none_of_the_rooms():
    stretch, seats = lost_room()
    moved, other = sorted(stretch.silence.lost)[:2]
    seats = heard(seats, [moved], NOW + 10 * S)
    seats[moved] = replace(seats[moved], room=2, granted_ms=NOW + 9 * S)
    going = follow(stretch, seats, NOW + 10 * S, LIMITS).going
    followed = follow(going, seats, NOW + 25 * S, LIMITS)
    assert followed.closed is None
    assert followed.going.silence.lost == stretch.silence.lost - {moved}
    # A PC that came back by itself has no relog that would have measured anything.
    back = heard(seats, [other], NOW + 30 * S)
    going = follow(followed.going, back, NOW + 30 * S, LIMITS).going
    alone = follow(going, back, NOW + 45 * S, LIMITS)
    assert (alone.closed.silence.lost, alone.closed.to_ms) == ({other}, NOW + 30 * S)
    assert len(alone.going.silence.lost) == 36


def test_who_is_paused_or_over_loses_nothing_more():
    stretch, seats = lost_room()
    running = {one: seat for one, seat in seats.items() if one not in stretch.silence.lost}
    followed = follow(stretch, running, NOW + 60 * S, LIMITS)
    assert (followed.going, followed.closed.to_ms) == (None, NOW + 60 * S)


times = st.lists(st.integers(1, 40), min_size=38, max_size=38)


@given(times=times, step=st.integers(1, 7))
def test_everybody_lost_is_closed_once_and_with_no_less_than_they_lost(times, step):
    """However they come back, looked at however often: each is in exactly one closed part, whose interval covers the
    time from the loss to their own first contact, and by no more than what the settling allows and the looks miss."""
    stretch, seats = lost_room()
    lost = sorted(stretch.silence.lost)
    back = {one: NOW + 10 * S * time for one, time in zip(lost, times, strict=True)}
    going, closed, now = stretch, [], NOW
    while going is not None:
        now += step * S
        assert now < NOW + 600 * S
        seats = heard(seats, [one for one in lost if back[one] <= now], now)
        followed = follow(going, seats, now, LIMITS)
        going = followed.going
        if followed.closed is not None:
            closed.append(followed.closed)
    parts = Counter(one for part in closed for one in part.silence.lost)
    assert parts == Counter(dict.fromkeys(lost, 1))
    for part in closed:
        ends = sorted(back[one] for one in part.silence.lost)
        assert part.silence.from_ms == stretch.silence.from_ms
        # Fewer than `least` may still be out: they are the invigilators' again.
        assert sum(end > part.to_ms for end in ends) < LIMITS.least
        assert part.to_ms <= ends[0] + LIMITS.settle_ms + 2 * step * S
