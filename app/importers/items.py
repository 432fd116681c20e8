"""One row of a bank: its type, and by type its options and its answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from app.importers import answers, normalise
from app.importers.model import ItemPlan, Key, OptionPlan
from app.importers.records import SHOWN, Record

LETTERS = "ABCDEFGH"
TYPES = {"single": "单选题", "multiple": "多选题", "true_false": "判断题", "blank": "填空题", "text": "简答题"}
_TYPE_NAMES = {
    **{name: key for key, name in TYPES.items()},
    **dict.fromkeys(("单选", "单项选择题", "单项选择", "SINGLE", "SINGLECHOICE"), "single"),
    **dict.fromkeys(
        ("多选", "多项选择题", "多项选择", "不定项选择题", "不定项", "MULTIPLE", "MULTIPLECHOICE"), "multiple"
    ),
    **dict.fromkeys(("判断", "是非题", "对错题", "判断正误", "TRUE/FALSE", "TRUE_FALSE", "TRUEFALSE"), "true_false"),
    **dict.fromkeys(("填空", "BLANK", "FILL-IN", "FILLIN"), "blank"),
    **dict.fromkeys(
        (
            *("简答", "问答题", "问答", "论述题", "论述", "案例题", "案例分析题", "案例分析", "案例"),
            *("主观题", "计算题", "分析题", "TEXT", "ESSAY", "SHORTANSWER", "CASE"),
        ),
        "text",
    ),
}
TRUE_FALSE_OPTIONS = (OptionPlan("T", "正确"), OptionPlan("F", "错误"))
STEM_LIMIT = 20_000
OPTION_LIMIT = 2_000
ANSWER_LIMIT = 5_000
MOST_POINTS = 1_000
DEFAULT_POINTS_MILLI = 1_000

# Loads the pictures a cell names and gives their SHA-256; None if one is wrong (reported).
Pictures = Callable[[Record, str], tuple[str, ...] | None]


def read_item(record: Record, number: str | None, pictures: Pictures) -> ItemPlan | None:
    """The item on this row; None if anything in it is missing or wrong."""
    kind = _type(record)
    topic = record.text("topic", required=True, limit=100)
    media = pictures(record, "media")
    stem = _block(record, "stem", limit=STEM_LIMIT, required=not media)
    points = _points(record)
    options, key = _options_and_key(record, kind, stem or "", pictures) if kind is not None else (None, _WRONG)
    if None in (number, kind, points, media, options) or (topic is None and record.has("topic")) or key is _WRONG:
        return None
    if stem is None and (record.cell("stem").kind != "empty" or not media):
        return None
    return ItemPlan(
        number or "", kind or "", topic or "", stem or "", options or (), _key(key), points or 0, media or ()
    )


class _Wrong:
    """The answer could not be read (reported). None is a key of its own: an answer marked by hand."""


_WRONG = _Wrong()


def _key(key: Key | _Wrong) -> Key:
    return None if isinstance(key, _Wrong) else key


def _block(record: Record, key: str, *, limit: int, required: bool = False) -> str | None:
    # '=' may begin an answer or a formula as text; a formula of the spreadsheet is told apart by its kind.
    return record.text(key, normalise.block, required=required, limit=limit, equals=False)


def _type(record: Record) -> str | None:
    text = record.text("type", normalise.number, required=True)
    if text is None:
        return None
    kind = _TYPE_NAMES.get(text)
    if kind is None:
        record.fault("type", "unknown-type", known="、".join(TYPES.values()))
    return kind


def _points(record: Record) -> int | None:
    if not record.has("points"):
        return DEFAULT_POINTS_MILLI
    if record.cell("points").kind == "empty":
        record.fault("points", "points-default")
        return DEFAULT_POINTS_MILLI
    text = record.text("points", normalise.number)
    if text is None:
        return None
    try:
        milli = Decimal(text.removesuffix("分")) * 1000
        if milli.is_finite() and milli == milli.to_integral_value() and 0 < milli <= MOST_POINTS * 1000:
            return int(milli)
    except InvalidOperation:
        pass  # not a number: the same fault
    record.fault("points", "bad-points")
    return None


def _options_and_key(
    record: Record, kind: str, stem: str, pictures: Pictures
) -> tuple[tuple[OptionPlan, ...] | None, Key | _Wrong]:
    if kind in ("single", "multiple"):
        options = _options(record, pictures)
        return options, _choice(record, kind, options)
    given = [letter for letter in LETTERS if record.cell(f"option_{letter}").kind != "empty"]
    if kind == "true_false":
        return TRUE_FALSE_OPTIONS, _truth(record, given)
    if given:
        record.fault(f"option_{given[0]}", "options-ignored")
    return (), _blanks(record, stem) if kind == "blank" else _block(record, "answer", limit=STEM_LIMIT)


# --- choice


def _options(record: Record, pictures: Pictures) -> tuple[OptionPlan, ...] | None:
    before = record.report.fault_count
    texts = {letter: _block(record, f"option_{letter}", limit=OPTION_LIMIT) for letter in LETTERS}
    media = {letter: pictures(record, f"media_{letter}") or () for letter in LETTERS}
    given = [letter for letter in LETTERS if texts[letter] is not None or media[letter]]
    if record.report.fault_count > before:
        return None
    if len(given) < 2:
        record.fault(f"option_{LETTERS[len(given)]}", "too-few-options")
        return None
    gap = next((letter for letter in LETTERS[: LETTERS.index(given[-1])] if letter not in given), None)
    if gap is not None:
        record.fault(f"option_{gap}", "option-gap", missing=gap)
        return None
    _strip_letters(record, texts, given)
    first_of: dict[tuple[str, tuple[str, ...]], str] = {}
    for letter in given:
        first = first_of.setdefault((texts[letter] or "", media[letter]), letter)
        if first != letter:
            record.fault(f"option_{letter}", "duplicate-option", first=first, second=letter)
            return None
    return tuple(OptionPlan(letter, texts[letter] or "", next(iter(media[letter]), None)) for letter in given)


def _strip_letters(record: Record, texts: dict[str, str | None], given: list[str]) -> None:
    """Drop 'A.' before option A when every option has its own letter: options are shuffled and lettered anew."""
    stripped: dict[str, str] = {}
    for letter in given:
        found = re.match(
            rf"\s*[{letter}{letter.lower()}{chr(ord(letter) + 0xFEE0)}]\s*[.．、:：)）]\s*", texts[letter] or ""
        )
        if found is None:
            return
        stripped[letter] = (texts[letter] or "")[found.end() :]
    if all(stripped.values()):
        for letter, text in stripped.items():
            record.fault(f"option_{letter}", "option-letter", after=text[:SHOWN])
            texts[letter] = text


def _choice(record: Record, kind: str, options: tuple[OptionPlan, ...] | None) -> Key | _Wrong:
    text = _answer(record)
    if text is None:
        return _WRONG
    known = [option.id for option in options or ()]
    letters = answers.letters(text)
    if letters is None or (options is not None and not set(letters) <= set(known)):
        record.fault("answer", "answer-not-an-option", answer=text[:SHOWN], options="".join(known) or "—")
        return _WRONG
    if len(set(letters)) < len(letters):
        record.fault("answer", "repeated-answer")
        return _WRONG
    if kind == "single":
        if len(letters) > 1:
            record.fault("answer", "several-answers")
            return _WRONG
        return letters[0]
    if len(letters) == 1:
        record.fault("answer", "one-of-several")
    return sorted(letters)


# --- the other types


def _answer(record: Record) -> str | None:
    if record.has("answer") and record.cell("answer").kind == "empty":
        record.fault("answer", "missing-answer")
        return None
    return _block(record, "answer", limit=ANSWER_LIMIT)


def _truth(record: Record, given: list[str]) -> Key | _Wrong:
    text = _answer(record)
    if text is None:
        return _WRONG
    letters = answers.letters(text)
    if given and letters is not None and len(letters) == 1 and letters[0] in given:
        # Options A 正确, B 错误 and the answer 'A'.
        text = _block(record, f"option_{letters[0]}", limit=OPTION_LIMIT) or ""
    elif given:
        record.fault(f"option_{given[0]}", "options-ignored")
    found = answers.truth(text)
    if found is None:
        record.fault("answer", "bad-truth")
        return _WRONG
    return found


def _blanks(record: Record, stem: str) -> Key | _Wrong:
    text = _answer(record)
    if text is None:
        return _WRONG
    found = answers.blanks(text)
    empty = next((n for n, forms in enumerate(found, start=1) if not forms), None)
    if empty is not None:
        record.fault("answer", "empty-blank", blank=empty)
        return _WRONG
    shown = answers.blanks_in(stem)
    if shown and shown != len(found):
        record.fault("answer", "blank-count", blanks=shown, answers=len(found))
        return _WRONG
    return found
