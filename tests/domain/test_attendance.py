"""Who came: every standing, the balance, and the door on both sides of its last instant."""

from __future__ import annotations

import itertools

import pytest

from app.domain.attendance import Balance, balance, door, standing


@pytest.mark.parametrize(
    ("checked_in", "signed_in", "absent", "expected"),
    [
        (False, False, False, "unaccounted"),
        (False, False, True, "absent"),
        (True, False, False, "present"),
        (False, True, False, "present"),
        # Nobody who is there is absent, whatever was confirmed before.
        (True, False, True, "present"),
        (False, True, True, "present"),
    ],
)
def test_a_person_who_is_there_is_present(checked_in, signed_in, absent, expected):
    assert standing(checked_in=checked_in, signed_in=signed_in, absent=absent) == expected


@pytest.mark.parametrize(("checked_in", "signed_in", "absent"), list(itertools.product([False, True], repeat=3)))
def test_who_is_deferred_is_neither_present_nor_absent_wherever_they_are(checked_in, signed_in, absent):
    known = {"checked_in": checked_in, "signed_in": signed_in, "absent": absent}
    assert standing(**known, end_reason="deferred") == "deferred"
    assert standing(**known, end_reason="hand_in") == standing(**known)


def test_everybody_is_counted_once_and_the_balance_says_who_is_left():
    for each in itertools.product(["present", "absent", "unaccounted", "deferred"], repeat=3):
        found = balance(each)
        assert found.expected + found.deferred == 3
        assert found.expected == found.present + found.absent + found.unaccounted
        assert found.balances is ("unaccounted" not in each)
    assert balance([]) == Balance(0, 0, 0)
    assert balance(["present", "absent", "unaccounted", "deferred"]).numbers() == {
        "expected": 3, "present": 1, "absent": 1, "deferred": 1, "unaccounted": 1,
    }  # fmt: skip


def test_the_door_closes_after_its_last_instant_and_later_for_who_starts_later():
    lengths = {"opens_ms": 1_800_000, "last_admission_ms": 900_000, "hand_in_ms": 600_000}
    own = door(5_000_000, **lengths)
    assert (own.opens_ms, own.last_admission_ms, own.hand_in_ms) == (3_200_000, 5_900_000, 5_600_000)
    assert own.open_at(5_900_000)
    assert not own.open_at(5_900_001)
    assert door(5_060_000, **lengths).open_at(5_960_000)
    # Nobody can be too late for a session that has no start.
    assert door(None, **lengths).open_at(10**12)
