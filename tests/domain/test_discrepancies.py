"""What can be claimed at the door, how it is folded, and who sees how much of a number."""

from __future__ import annotations

import pytest

from app.domain.discrepancies import FIELD_WORDS, FIELDS, claim, shown, words
from app.domain.errors import Refused
from app.domain.identity import check_digit

NUMBER = "99000219900101101" + check_digit("99000219900101101")


@pytest.mark.parametrize(
    ("field", "typed", "kind", "held"),
    [
        ("name", "  李　雷 ", "resident", "李 雷"),
        ("name", "𠀀·阿卜杜", "resident", "𠀀·阿卜杜"),
        ("gender", "女", "resident", "女"),
        ("id_kind", "passport", "resident", "passport"),
        ("id_number", f" {NUMBER[:6]} {NUMBER[6:].lower()}", "resident", NUMBER),
        ("id_number", "ｇ１２３４５６７", "passport", "G1234567"),
        ("employer", "水利\u3000局", "resident", "水利 局"),
    ],
)
def test_a_claim_is_held_as_an_import_would_hold_it(field, typed, kind, held):
    assert claim(field, typed, id_kind=kind) == held


@pytest.mark.parametrize(
    ("field", "typed", "kind"),
    [
        ("name", "  ", "resident"),
        ("name", "李\x07雷", "resident"),
        ("name", "李\ud800", "resident"),
        ("gender", "男性", "resident"),
        ("id_kind", "library card", "resident"),
        ("id_number", NUMBER[:-1], "resident"),
        ("id_number", NUMBER[:-1] + ("0" if NUMBER[-1] != "0" else "1"), "resident"),
        ("id_number", "123", "passport"),
    ],
)
def test_what_cannot_be_is_refused(field, typed, kind):
    with pytest.raises(Refused) as refused:
        claim(field, typed, id_kind=kind)
    assert refused.value.code == "discrepancy-malformed"


def test_only_who_decides_sees_a_whole_number():
    assert shown("id_number", NUMBER, whole=True) == NUMBER
    masked = shown("id_number", NUMBER, whole=False)
    assert len(masked) == len(NUMBER)
    assert NUMBER[4:-2] not in masked
    assert shown("name", "李雷", whole=False) == "李雷"


def test_every_field_has_words_and_so_has_every_value():
    assert set(FIELD_WORDS) == set(FIELDS)
    assert words("id_kind", "passport", whole=False) == ("护照", "passport")
    assert words("photo", "", whole=False) == ("无", "none")
    assert words("gender", "", whole=True) == ("（空）", "(empty)")
