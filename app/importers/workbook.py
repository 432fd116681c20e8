"""What a spreadsheet is here: sheets of rows of cells that still know where they stood and what they were.

``read`` takes .xlsx, .csv, a folder or .zip of .csv files, judged by content and never by the file's name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

CellValue = str | int | float | bool | datetime | date | time | timedelta | None

# Called with rows read so far; readers call it now and then, never for every row.
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. ``kind``: text, number, bool, date, error, formula, empty.

    ``covered`` is set where a merged range covers the cell: 'down' when it repeats the value of the cell above it in
    the range, 'across' when the range began in another column (then there is no value).
    """

    value: CellValue = None
    kind: str = "empty"
    number_format: str = "General"
    covered: str = ""


EMPTY = Cell()


@dataclass(frozen=True, slots=True)
class Row:
    """A row that holds something. ``number`` counts from 1 as spreadsheets show it; ``cells`` may be short."""

    number: int
    cells: tuple[Cell, ...]

    @property
    def is_blank(self) -> bool:
        return all(cell.kind == "empty" or cell.covered for cell in self.cells)

    def cell(self, index: int) -> Cell:
        return self.cells[index] if index < len(self.cells) else EMPTY


@dataclass(frozen=True, slots=True)
class Sheet:
    """``rows`` without blank ones; ``cut_after`` is the last row read where endless blank rows followed."""

    name: str
    rows: Sequence[Row]
    hidden: bool = False
    blank_rows: Sequence[int] = ()
    cut_after: int | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture pasted into a sheet, by the row of its upper left corner."""

    sheet: str
    row: int


@dataclass(frozen=True, slots=True)
class Workbook:
    file: str
    folder: Path
    sha256: str
    sheets: tuple[Sheet, ...]
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """More than an exam office ever has, less than what would stop the server."""

    file_bytes: int = 32 * 1024 * 1024
    unpacked_bytes: int = 192 * 1024 * 1024
    members: int = 2_000
    rows: int = 50_000
    columns: int = 256
    blank_run: int = 5_000


LIMITS = Limits()


def size_text(count: int) -> str:
    """'32 MB', '1.5 KB'."""
    for unit, size in (("MB", 1024 * 1024), ("KB", 1024)):
        if count >= size:
            return f"{count / size:.4g} {unit}"
    return f"{count} B"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def gather(
    name: str,
    rows: Sequence[tuple[int, tuple[Cell, ...]]],
    *,
    hidden: bool = False,
    cut_after: int | None = None,
) -> Sheet:
    """A sheet from (number, cells) in order: blank rows are set aside, and trailing ones forgotten."""
    kept: list[Row] = []
    blank: list[int] = []
    waiting: list[int] = []
    for number, cells in rows:
        row = Row(number, cells)
        if row.is_blank:
            waiting.append(number)
            continue
        blank.extend(waiting)
        waiting.clear()
        kept.append(row)
    return Sheet(name, kept, hidden=hidden, blank_rows=blank, cut_after=cut_after)
