"""A printable document as its parts, before it is HTML, a workbook or a Word file.

Whoever makes a record builds one of these in the language it is wanted in; the three writers say the same with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph; line breaks in ``text`` stay."""

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Label and value, two pairs to a line."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Table:
    """``widths``: what share each column has of the whole, in any unit; equal shares when empty."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """``pixels``: (width, height); None when the file does not say, and then a Word file names it only."""

    body: bytes
    content_type: str
    caption: str
    pixels: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Signatures:
    """Lines to be signed by hand, each with its label, and a date."""

    labels: Sequence[str]


Block = Heading | Paragraph | Facts | Table | Picture | Signatures


@dataclass(frozen=True, slots=True)
class Document:
    """``foot``: one line under everything, for what tells this print from another."""

    title: str
    subtitle: str
    language: Language
    blocks: Sequence[Block]
    foot: str = ""
    landscape: bool = False


DATE = {"zh": "日期", "en": "Date"}
EMPTY = {"zh": "无", "en": "None"}


def shares(table: Table) -> list[float]:
    """The columns' widths as parts of 1."""
    widths = list(table.widths) or [1] * len(table.head)
    return [width / sum(widths) for width in widths]
