"""The demo's bank: well-formed, varied, and without a pattern somebody could guess by."""

from __future__ import annotations

import tomllib
from collections import Counter
from xml.etree import ElementTree as ET

import pytest

from app.demo.bank import BLANK, FOLDER, IMAGES, DemoItem, items

ITEMS = items()
LETTERS = "ABCDEFGH"
KNOWN_FIELDS = {"number", "type", "stem", "options", "key", "image", "reference"}


def of_type(kind: str) -> list[DemoItem]:
    return [item for item in ITEMS if item.type == kind]


def each(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("item", of_type(kind), ids=lambda item: item.number)


def test_there_are_enough_items_of_every_type_and_topic() -> None:
    types = Counter(item.type for item in ITEMS)
    assert types == {"single": 96, "multiple": 32, "true_false": 26, "blank": 16, "text": 8}
    topics = Counter(item.topic for item in ITEMS)
    assert len(topics) == 8
    assert min(topics.values()) >= 20
    for topic in topics:
        assert {item.type for item in ITEMS if item.topic == topic} == set(types)


def test_numbers_and_stems_are_unique() -> None:
    assert len({item.number for item in ITEMS}) == len(ITEMS)
    assert len({"".join(item.stem.split()) for item in ITEMS}) == len(ITEMS)


def test_no_field_is_misspelt() -> None:
    for path in FOLDER.glob("*.toml"):
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["item"]:
            assert set(entry) <= KNOWN_FIELDS, entry["number"]


def test_single_keys_are_spread_evenly_over_the_options() -> None:
    for topic in {item.topic for item in ITEMS}:
        keys = Counter(item.key for item in of_type("single") if item.topic == topic)
        assert keys == dict.fromkeys("ABCD", 3), topic


def test_multiple_keys_favour_no_option_and_true_is_as_common_as_false() -> None:
    letters = Counter(letter for item in of_type("multiple") for letter in item.key if letter in "ABCD")
    assert max(letters.values()) - min(letters.values()) <= 8, letters
    truth = Counter(item.key for item in of_type("true_false"))
    assert abs(truth["T"] - truth["F"]) <= 2, truth


def test_the_right_option_is_not_given_away_by_its_length() -> None:
    longest = sum(
        len(item.options[LETTERS.index(item.key)]) > max(len(o) for o in item.options if o != right)
        for item in of_type("single")
        if (right := item.options[LETTERS.index(item.key)])
    )
    assert longest <= len(of_type("single")) * 0.4, longest


@pytest.mark.parametrize("item", [*of_type("single"), *of_type("multiple")], ids=lambda item: item.number)
def test_choice_items_are_well_formed(item: DemoItem) -> None:
    assert 4 <= len(item.options) <= 5
    assert len(set(item.options)) == len(item.options)
    assert all(option == option.strip() and option for option in item.options)
    assert set(item.key) <= set(LETTERS[: len(item.options)])
    assert list(item.key) == sorted(set(item.key))
    if item.type == "single":
        assert len(item.key) == 1
        assert len(item.options) == 4
    else:
        assert 2 <= len(item.key) < len(item.options)
    assert "（　）" in item.stem
    assert not item.blanks


@each("true_false")
def test_true_false_items_are_well_formed(item: DemoItem) -> None:
    assert item.key in ("T", "F")
    assert not item.options
    assert not item.blanks


@each("blank")
def test_blanks_have_several_distinct_accepted_forms(item: DemoItem) -> None:
    assert item.stem.count(BLANK) == len(item.blanks) >= 1
    for forms in item.blanks:
        assert len(forms) == len(set(forms)) >= 2
        assert all(form == form.strip() and form for form in forms)
        # These two separate forms and blanks in a workbook.
        assert not set("".join(forms)) & set("|；;")


def test_several_blanks_are_numbers_with_units() -> None:
    assert sum(item.blanks[0][0].replace(".", "").isdigit() for item in of_type("blank")) >= 6


@each("text")
def test_text_items_come_with_what_a_marker_looks_for(item: DemoItem) -> None:
    assert len(item.stem) > 40
    assert len(item.reference) > 80
    assert not item.options
    assert not item.key


def test_pictures_are_small_plain_svgs_and_all_used() -> None:
    used = [item.image for item in ITEMS if item.image]
    assert len(used) >= 4
    assert sorted(used) == sorted(path.name for path in IMAGES.iterdir())
    for name in used:
        source = (IMAGES / name).read_text(encoding="utf-8")
        assert len(source) < 10_000
        root = ET.fromstring(source)  # noqa: S314 -- our own pictures
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert tags <= {"svg", "title", "rect", "path", "line", "circle", "text"}, name
        assert "href" not in source
