"""Documents, tails and masks."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.identity import (
    CHECKED_KINDS,
    ID_KINDS,
    check_digit,
    fold,
    fold_id,
    id_tail,
    id_tail_hmac,
    mask_id,
    resident_fault,
    says_male,
    ticket_key,
)

births = st.dates(min_value=date(1900, 1, 1), max_value=date(2006, 12, 31))
sequences = st.integers(min_value=0, max_value=999)


@st.composite
def resident_ids(draw: st.DrawFn) -> str:
    first17 = f"990001{draw(births):%Y%m%d}{draw(sequences):03d}"
    return first17 + check_digit(first17)


@given(resident_ids())
def test_a_number_with_its_own_check_digit_passes(number: str) -> None:
    assert resident_fault(number, on=date(2024, 7, 20)) is None


@given(resident_ids(), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(number: str, at: int, by: int) -> None:
    digit = (int(number[at]) + by) % 10
    assert resident_fault(f"{number[:at]}{digit}{number[at + 1 :]}") is not None


@given(resident_ids(), st.integers(0, 15))
def test_two_neighbours_swapped_are_always_noticed(number: str, at: int) -> None:
    swapped = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    assert swapped == number or resident_fault(swapped) is not None


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        ("99000119900101001", "length"),
        ("990001900101001", "length"),
        ("99000119900101001XX", "length"),
        ("9900011990010100AX", "form"),
        ("99000119900230001X", "date"),
        ("99000118990101001X", "date"),
    ],
)
def test_each_fault_has_its_name(number: str, fault: str) -> None:
    assert resident_fault(number) == fault


def test_nobody_is_born_after_the_exam() -> None:
    first17 = "99000120240721001"
    number = first17 + check_digit(first17)
    assert resident_fault(number, on=date(2024, 7, 20)) == "date"
    assert resident_fault(number, on=date(2024, 7, 21)) is None


def test_the_seventeenth_digit_says_the_sex() -> None:
    assert says_male("990001199001010013")
    assert not says_male("990001199001010021")


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold_id(fold_id(text)) == fold_id(text)


def test_what_is_typed_meets_what_was_imported() -> None:
    key = b"k" * 32
    stored = id_tail_hmac(key, id_tail("99000119900101001X"))
    assert len(stored) == 32
    for typed in ("01001X", "01001x", "０１００１ｘ", " 01001 x ", "01001×"):
        assert id_tail_hmac(key, typed) == stored
    assert id_tail_hmac(b"other" * 8, "01001X") != stored
    assert ticket_key(" ２０２４a－１ ") == "2024A-1"


@pytest.mark.parametrize(
    ("number", "tail"),
    [("99000119900101001x", "01001X"), ("H12345678", "345678"), ("南字第1234567号", "234567"), ("E(1)23", "E123")],
)
def test_the_tail_is_the_last_six_letters_or_digits(number: str, tail: str) -> None:
    assert id_tail(number) == tail


@given(resident_ids())
def test_a_mask_hides_the_birthday_and_the_tail(number: str) -> None:
    masked = mask_id(number)
    assert len(masked) == len(number)
    assert number[6:14] not in masked
    assert id_tail(number) not in masked


@pytest.mark.parametrize("number", ["", "A", "A1", "E123456", "H12345678", "南字第1234567号"])
def test_short_numbers_are_masked_too(number: str) -> None:
    masked = mask_id(number)
    assert len(masked) == len(number)
    assert len(number) < 2 or "*" in masked
    assert len(number) < 6 or id_tail(number) not in masked


def test_every_checked_kind_is_a_kind() -> None:
    assert set(CHECKED_KINDS) <= set(ID_KINDS)
