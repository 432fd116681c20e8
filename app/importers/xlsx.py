"""Reading an .xlsx file.

openpyxl reads it row by row with formulas kept as formulas (a value that Excel computed may be stale or missing, and
an office must not import a guess). Merged ranges, which openpyxl's streaming reader does not know, come from calamine.
"""

from __future__ import annotations

import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import openpyxl
import python_calamine
from openpyxl.utils.exceptions import InvalidFileException

from app.importers.container import open_zip
from app.importers.faults import Unreadable
from app.importers.workbook import EMPTY, LIMITS, Cell, Limits, Picture, Progress, Sheet, Workbook, digest, gather

# A damaged workbook makes the two libraries raise nearly anything; from inside them all of it means one thing.
DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,  # xml.etree's ParseError
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
    InvalidFileException,
    python_calamine.CalamineError,
)

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"
# (first row, first column, last row, last column), all from 1.
Merged = tuple[int, int, int, int]


def read_xlsx(
    data: bytes, *, file: str, folder: Path, limits: Limits = LIMITS, progress: Progress | None = None
) -> Workbook:
    """Every sheet of the workbook. Raises Unreadable (damaged, too big, too many rows)."""
    with open_zip(data, file, limits) as archive:
        try:
            with warnings.catch_warnings():
                # openpyxl warns of what it does not keep (validations, extensions); nothing of it is read here.
                warnings.simplefilter("ignore")
                sheets = _sheets(data, _Reading(file, limits, progress))
                pictures = _pictures(archive, [sheet.name for sheet in sheets])
        except DAMAGE as error:
            raise Unreadable("workbook-damaged", file=file) from error
    return Workbook(file, folder, digest(data), tuple(sheets), tuple(pictures))


@dataclass(slots=True)
class _Reading:
    """One reading of one file: its limits, and how many rows it has given so far."""

    file: str
    limits: Limits
    progress: Progress | None
    filled: int = 0

    def count_row(self) -> None:
        self.filled += 1
        if self.filled > self.limits.rows:
            raise Unreadable("too-many-rows", file=self.file, limit=self.limits.rows)
        if self.progress is not None and self.filled % 200 == 0:
            self.progress(self.filled)


def _sheets(data: bytes, reading: _Reading) -> list[Sheet]:
    book = openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=False, keep_links=False)
    merged = python_calamine.CalamineWorkbook.from_filelike(BytesIO(data))
    sheets: list[Sheet] = []
    try:
        for source in book.worksheets:
            hidden = source.sheet_state != "visible"
            # Some writers declare a wrong size, and a reader that believes it loses rows in silence.
            source.reset_dimensions()
            ranges = [] if hidden else _merged_ranges(merged, source.title)
            rows, cut_after = _rows(source.iter_rows(), ranges, reading)
            sheets.append(gather(source.title, rows, hidden=hidden, cut_after=cut_after))
    finally:
        book.close()
    return sheets


def _merged_ranges(book: python_calamine.CalamineWorkbook, title: str) -> list[Merged]:
    ranges = book.get_sheet_by_name(title).merged_cell_ranges or []
    return sorted((top + 1, left + 1, bottom + 1, right + 1) for (top, left), (bottom, right) in ranges)


def _rows(
    source: Iterable[Any], merged: list[Merged], reading: _Reading
) -> tuple[list[tuple[int, tuple[Cell, ...]]], int | None]:
    """The rows up to a long blank run; the number of the last row that held anything if there was one."""
    rows: list[tuple[int, tuple[Cell, ...]]] = []
    last_full = 0
    above: tuple[Cell, ...] = ()
    for number, raw in enumerate(source, start=1):
        cells = tuple(_cell(each) for each in raw[: reading.limits.columns])
        if merged:
            cells = _cover(number, cells, above, merged)
        above = cells
        if any(cell.kind != "empty" and not cell.covered for cell in cells):
            last_full = number
            reading.count_row()
        elif number - last_full > reading.limits.blank_run:
            return [row for row in rows if row[0] <= last_full], last_full
        rows.append((number, cells))
    return rows, None


def _cover(number: int, cells: tuple[Cell, ...], above: tuple[Cell, ...], merged: list[Merged]) -> tuple[Cell, ...]:
    covered = list(cells)
    for top, left, bottom, right in merged:
        if not top <= number <= bottom:
            continue
        covered.extend([EMPTY] * (min(right, LIMITS.columns) - len(covered)))
        for column in range(left, min(right, LIMITS.columns) + 1):
            if column > left:
                covered[column - 1] = Cell(covered="across")
            elif number > top:
                origin = above[column - 1]
                covered[column - 1] = Cell(origin.value, origin.kind, origin.number_format, covered="down")
    return tuple(covered)


def _cell(raw: Any) -> Cell:
    value, kind = raw.value, raw.data_type
    if value is None:
        return EMPTY
    if kind == "f":
        text = value if isinstance(value, str) else getattr(value, "text", None) or "="
        return Cell(str(text), "formula")
    if kind == "e":
        return Cell(str(value), "error")
    if isinstance(value, str):
        text = _ESCAPE.sub(lambda found: chr(int(found.group(1), 16)), value)
        return Cell(text, "text") if text.strip() else EMPTY
    if isinstance(value, bool):
        return Cell(value, "bool")
    if isinstance(value, datetime | date | time | timedelta):
        return Cell(value, "date", raw.number_format)
    return Cell(value, "number", raw.number_format)


def _pictures(archive: zipfile.ZipFile, sheets: list[str]) -> list[Picture]:
    """Pictures pasted into sheets. The sheet is named only where there is just one, the row always."""
    found: list[Picture] = []
    for name in archive.namelist():
        if not re.fullmatch(r"xl/drawings/drawing\d+\.xml", name):
            continue
        # The standard parser's expat refuses entity bombs; drawings hold no entities of their own.
        tree = ET.fromstring(archive.read(name))  # noqa: S314
        for anchor in tree:
            row = anchor.find(f"{_DRAWING}from/{_DRAWING}row")
            if anchor.find(f".//{_DRAWING}pic") is not None:
                number = int(row.text or 0) + 1 if row is not None else 0
                found.append(Picture(sheets[0] if len(sheets) == 1 else "", number))
    return found
