"""Normalisation: what it puts right, and that it stops there."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.importers import normalise
from app.importers.messages import NOTES

EVERY = [normalise.number, normalise.id_number, normalise.name, normalise.line, normalise.block]
# Surrogates and NUL included: a damaged file holds anything.
texts = st.text(st.characters(), max_size=40)


@pytest.mark.parametrize("clean", EVERY)
@given(text=texts)
def test_cleaning_twice_changes_nothing(clean, text: str) -> None:
    once = clean(text)
    again = clean(once.value)
    assert again.value == once.value
    assert again.changes == ()


@pytest.mark.parametrize("clean", EVERY)
@given(text=texts)
def test_what_was_changed_is_named_and_what_was_not_is_not(clean, text: str) -> None:
    cleaned = clean(text)
    assert set(cleaned.changes) <= set(NOTES)
    if cleaned.changes == ():
        assert cleaned.value == text or clean is normalise.block


@pytest.mark.parametrize("clean", EVERY)
@given(text=texts)
def test_nothing_postgres_refuses_is_left(clean, text: str) -> None:
    value = clean(text).value
    assert "\0" not in value
    assert all(unicodedata.category(char) not in ("Cf", "Cs") for char in value)
    value.encode()


@pytest.mark.parametrize(
    ("raw", "value", "changes"),
    [
        ("２０２４０７２０１２３", "20240720123", ("full-width",)),
        (" 2024\u00a0001 ", "2024001", ("stray-blanks",)),
        ("2024a1", "2024A1", ("lower-case",)),
        ("'20240720123", "20240720123", ("respelled",)),
        ("\u200b20240720123", "20240720123", ("invisible-characters",)),
        ("20240720123", "20240720123", ()),
    ],
)
def test_numbers(raw: str, value: str, changes: tuple[str, ...]) -> None:
    assert normalise.number(raw) == normalise.Normalised(value, changes)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (" 张三\u3000", "张三"),
        ("张\u3000三", "张三"),
        ("阿卜杜拉•买买提", "阿卜杜拉·买买提"),
        ("阿卜杜拉.买买提", "阿卜杜拉·买买提"),
        ("阿卜杜拉 · 买买提", "阿卜杜拉·买买提"),
        ("José  María Díaz", "José María Díaz"),
        ("J. R. Smith", "J. R. Smith"),
        ("ＡＢ", "AB"),
    ],
)
def test_names_are_put_right(raw: str, value: str) -> None:
    cleaned = normalise.name(raw)
    assert cleaned.value == value
    assert (cleaned.changes == ()) == (raw == value)


@pytest.mark.parametrize("name", ["𠮷田", "﨑山", "㛃", "䶮", "𬍛", "葛\U000e0100", "王（小）"])
def test_rare_names_stay_as_they_are(name: str) -> None:
    assert normalise.name(name) == normalise.Normalised(name)


def test_formulas_in_stems_are_only_trimmed() -> None:
    stem = "  当 $Q=\\frac{1}{n}AR^{2/3}$，ｎ＝0.014 时\r\n流量？ "
    assert normalise.block(stem).value == "当 $Q=\\frac{1}{n}AR^{2/3}$，ｎ＝0.014 时\n流量？"
