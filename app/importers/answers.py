"""The answer column of a bank, for each type of item. Pure functions on text; None means it cannot be read so."""

from __future__ import annotations

import re

from app.domain.identity import fold

_TRUE = ("对", "正确", "是", "√", "✓", "✔", "☑", "T", "TRUE", "Y", "YES", "V", "RIGHT")
_FALSE = ("错", "错误", "否", "不对", "×", "✗", "✘", "✕", "☒", "F", "FALSE", "N", "NO", "X", "WRONG")
_TRUTH = {**dict.fromkeys(_TRUE, "T"), **dict.fromkeys(_FALSE, "F")}

_BETWEEN_LETTERS = re.compile(r"[,，、;；/|和及&+.。]+")

_BLANK_SEPARATORS = ";；"
_FORM_SEPARATORS = "|｜"
_LINES = re.compile(r"[_＿﹏]{2,}")
_BRACKETS = re.compile(r"（\s*）|\(\s+\)|【\s*】|\[\s+\]")


def truth(text: str) -> str | None:
    """'T' or 'F' for any spelling of true or false in use."""
    return _TRUTH.get(fold(text))


def letters(text: str) -> list[str] | None:
    """['A', 'B', 'D'] for 'ABD', 'a、b、d', 'A,B,D'; None where anything but letters A to H is there."""
    closed = _BETWEEN_LETTERS.sub("", fold(text))
    return list(closed) if closed and set(closed) <= set("ABCDEFGH") else None


def blanks(text: str) -> list[list[str]]:
    """The accepted forms of each blank: '渗流|渗透；管涌' is [['渗流', '渗透'], ['管涌']].

    Blanks are separated by ; or ；, forms by | or ｜; a backslash before one of them makes it part of the answer, and
    stays a backslash everywhere else (formulas are full of them). Forms are stripped, empty ones and repetitions go;
    a blank that is left without any form is an empty list.
    """
    found: list[list[str]] = [[""]]
    escaped = False
    for char in text:
        if escaped:
            found[-1][-1] += char if char in _BLANK_SEPARATORS + _FORM_SEPARATORS else "\\" + char
            escaped = False
        elif char == "\\":
            escaped = True
        elif char in _BLANK_SEPARATORS:
            found.append([""])
        elif char in _FORM_SEPARATORS:
            found[-1].append("")
        else:
            found[-1][-1] += char
    if escaped:
        found[-1][-1] += "\\"
    if len(found) > 1 and not "".join(found[-1]).strip():
        found.pop()  # a separator at the very end is a habit, not a blank
    return [list(dict.fromkeys(form.strip() for form in forms if form.strip())) for forms in found]


def blanks_in(stem: str) -> int:
    """How many blanks the stem shows: drawn lines, or empty brackets where there are no lines; 0 if none is shown."""
    return len(_LINES.findall(stem)) or len(_BRACKETS.findall(stem))
