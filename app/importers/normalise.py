"""Putting right what does not need asking: full-width digits, stray blanks, a lower-case x, invisible characters.

Each function takes the text of a cell and gives what is imported with the codes of what was changed (keys of
``messages.NOTES``); applying it twice changes nothing the second time. Names are treated with restraint: rare
characters and compatibility ideographs stay exactly as they are, because a name is spelled as its document spells it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from app.domain.identity import fold, fold_id

_HAN = r"[\u2e80-\u2fff\u3005-\u3007\u3400-\u9fff\ue000-\uf8ff\uf900-\ufaff\U00020000-\U0003ffff]"
_DOTS = re.compile(r"[•‧∙⋅・･．●]")
_PLAIN_DOT = re.compile(rf"(?<={_HAN})\.(?={_HAN})")
_BLANKS = re.compile(r"\s+")
# A blank beside a Chinese character only pads (张　三); one between Latin words parts them.
_PADDING = re.compile(rf"(?<={_HAN})\s+|\s+(?={_HAN})|(?<=·)\s+|\s+(?=·)")
_LINE_BREAKS = re.compile(r"\r\n?|[\u2028\u2029\x85\x0b\x0c]")
_KEPT_CONTROLS = "\t\n\r\x0b\x0c\x85"
# U+FF01–FF5E are ASCII's full-width twins; in words only letters and digits are made half-width, because full-width
# punctuation is how Chinese is written.
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code - 0xFEE0).isalnum()}


@dataclass(frozen=True, slots=True)
class Normalised:
    value: str
    changes: tuple[str, ...] = ()


def _visible(text: str) -> str:
    """Without control characters, zero-width characters and halves of surrogate pairs."""
    return "".join(
        char for char in text if char in _KEPT_CONTROLS or unicodedata.category(char) not in ("Cc", "Cf", "Cs")
    )


def _changes(*pairs: tuple[str, bool]) -> tuple[str, ...]:
    return tuple(code for code, changed in pairs if changed)


def number(raw: str) -> Normalised:
    """A ticket, a seat, a count: half-width, no blanks, upper case."""
    return _folded(raw, fold(raw))


def id_number(raw: str) -> Normalised:
    """The number of a document."""
    return _folded(raw, fold_id(raw))


def _folded(raw: str, folded: str) -> Normalised:
    visible = _visible(raw)
    closed = _BLANKS.sub("", visible)
    half = unicodedata.normalize("NFKC", closed)
    # An apostrophe typed to make Excel keep the text arrives as part of it in a CSV.
    value = folded.lstrip("'`’")
    return Normalised(
        value,
        _changes(
            ("invisible-characters", visible != raw),
            ("stray-blanks", closed != visible),
            ("full-width", half != closed),
            ("lower-case", any(char.isascii() and char.islower() for char in half)),
            ("respelled", value != fold(half)),
        ),
    )


def name(raw: str) -> Normalised:
    """A person's name: blanks that only pad it removed, the dot of transliterated names brought to one form."""
    visible = _visible(raw)
    half = visible.translate(_FULL_WIDTH)
    dotted = _PLAIN_DOT.sub("·", _DOTS.sub("·", half))
    closed = _BLANKS.sub(" ", _PADDING.sub("", dotted.strip()))
    return Normalised(
        closed,
        _changes(
            ("invisible-characters", visible != raw),
            ("full-width", half != visible),
            ("name-dot", dotted != half),
            ("stray-blanks", closed != dotted),
        ),
    )


def line(raw: str) -> Normalised:
    """A short text in one line (room, specialty, topic): letters and digits half-width, blanks stripped and joined."""
    visible = _visible(raw)
    half = visible.translate(_FULL_WIDTH)
    joined = _BLANKS.sub(" ", half.strip())
    return Normalised(
        joined,
        _changes(
            ("invisible-characters", visible != raw), ("full-width", half != visible), ("stray-blanks", joined != half)
        ),
    )


def block(raw: str) -> Normalised:
    """A stem, an option, an answer: kept as written (formulas are text), only its edges and unseen characters go."""
    broken = _LINE_BREAKS.sub("\n", raw)
    visible = _visible(broken)
    stripped = visible.strip()
    return Normalised(
        stripped, _changes(("invisible-characters", visible != broken), ("stray-blanks", stripped != visible))
    )


def has_private_use(text: str) -> bool:
    """Whether a private-use character (a home-made glyph of an old system) is in the text."""
    return any(unicodedata.category(char) == "Co" for char in text)


def is_garbled(text: str) -> bool:
    """Whether characters were lost on the way: the replacement character, or question marks in a name."""
    return any(char in "?？\ufffd" for char in text)
