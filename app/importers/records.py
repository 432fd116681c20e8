"""One row of a table, read column by column; everything that is wrong with a cell goes to the report."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from app.importers.faults import Fault, Place, Report
from app.importers.normalise import Normalised, line, number
from app.importers.tables import Table
from app.importers.workbook import Cell, Row

# A spreadsheet keeps fifteen digits of a number; what is longer has lost its end.
KEPT_DIGITS = 10**15
SHOWN = 80
_SCIENTIFIC = re.compile(r"\d+(\.\d+)?E\+\d+|\d+\.\d+E\d+")
_PLAIN_FORMATS = ("General", "@", "0", "0_ ", "0;[Red]0", "#")


def shown(cell: Cell) -> str:
    """A cell's value for a report: short, on one line."""
    text = "" if cell.value is None else str(cell.value)
    text = text.replace("\n", "⏎")
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


class Record:
    """Access to the cells of one row by column key; every method reports what is wrong and then gives None."""

    def __init__(self, table: Table, row: Row, report: Report) -> None:
        self.table = table
        self.row = row
        self.report = report
        self._spec = {column.key: column for column in table.kind.columns}

    def has(self, key: str) -> bool:
        return key in self.table.columns

    def cell(self, key: str) -> Cell:
        """The cell as read; an empty one where the table lacks the column."""
        return self.row.cell(self.table.columns[key][0]) if key in self.table.columns else Cell()

    def place(self, key: str = "") -> Place:
        return self.table.place(self.row.number, key)

    def fault(self, key: str, code: str, value: str | None = None, after: str = "", **params: object) -> None:
        """Add a fault or a note about the cell under ``key``."""
        spec = self._spec[key]
        text = shown(self.cell(key)) if value is None else value
        named = {"column_name": spec.title, **params}
        self.report.add(Fault(code, self.place(key), text, after, named, spec.is_id))

    def fault_with(self, key: str, code: str, other: Record, **params: object) -> None:
        """Add a fault or a note about this row and another one, which its words name."""
        name = other.table.sheet.name
        elsewhere = other.table.sheet_n != self.table.sheet_n
        where = {
            "row": other.row.number,
            "sheet": f"（工作表“{name}”）" if elsewhere else "",
            "sheet_en": f" of sheet “{name}”" if elsewhere else "",
        }
        self.fault(key, code, None, "", **where, **params)

    # --- text

    def text(
        self,
        key: str,
        clean: Callable[[str], Normalised] = line,
        *,
        required: bool = False,
        limit: int = 200,
        digits: bool = False,
        equals: bool = True,
    ) -> str | None:
        """The cell's text after ``clean``, noted where that changed it.

        None where it is empty ('' too where only blanks were left) or wrong. ``digits``: a long number that a
        spreadsheet may have mangled; ``equals``: a text that begins with '=' is a formula gone wrong.
        """
        if not self.has(key):
            return None
        raw = self.raw_text(key, required=required, digits=digits, equals=equals)
        if raw is None:
            return None
        cleaned = clean(raw)
        if not cleaned.value:
            if required:
                self.fault(key, "missing-value")
            return None
        if digits and _SCIENTIFIC.fullmatch(cleaned.value):
            self.fault(key, "number-lost-digits")
            return None
        if len(cleaned.value) > limit:
            self.fault(key, "too-long", limit=limit)
            return None
        for change in cleaned.changes:
            self.fault(key, change, after=cleaned.value[:SHOWN])
        return cleaned.value

    def raw_text(self, key: str, *, required: bool, digits: bool = False, equals: bool = True) -> str | None:
        """The cell as text before any cleaning; None where empty or wrong (reported)."""
        cell = self.cell(key)
        code = self._wrong(key, cell, digits=digits, equals=equals)
        if code is not None:
            self.fault(key, code)
            return None
        if cell.covered == "down":
            self.fault(key, "merged-filled")
        match cell.value:
            case None:
                if required:
                    self.fault(key, "missing-value")
                return None
            case bool():
                return "TRUE" if cell.value else "FALSE"
            case int() | float():
                return self._spell_number(key, cell, digits=digits)
            case _:
                return str(cell.value)

    def _wrong(self, key: str, cell: Cell, *, digits: bool, equals: bool) -> str | None:
        if cell.covered == "across" or (cell.covered == "down" and not self._spec[key].spans):
            return "merged-cell"
        if cell.kind == "formula" or (equals and cell.kind == "text" and str(cell.value).lstrip().startswith("=")):
            return "formula"
        if cell.kind == "error":
            return "error-value"
        if cell.kind == "date":
            return "excel-date"
        if digits and isinstance(cell.value, int | float) and abs(cell.value) >= KEPT_DIGITS:
            return "number-lost-digits"
        return None

    def _spell_number(self, key: str, cell: Cell, *, digits: bool) -> str:
        value = Decimal(repr(cell.value))
        percent = "%" in cell.number_format
        value = value * 100 if percent else value
        spelled = format(value.normalize(), "f") + ("%" if percent else "")
        if digits:
            self.fault(key, "number-for-text", after=spelled)
        elif percent or (value % 1 and cell.number_format not in _PLAIN_FORMATS):
            self.fault(key, "number-format", after=spelled)
        return spelled

    # --- numbers

    def whole(
        self, key: str, *, least: int, most: int, required: bool = False, default: int | None = None
    ) -> int | None:
        """A whole number within the bounds; ``default`` where the cell is empty."""
        if not self.has(key):
            return default
        cell = self.cell(key)
        if cell.kind == "empty":
            if required:
                self.fault(key, "missing-value")
            return default
        text = self.text(key, number, required=required)
        if text is None:
            return None
        text = text.removesuffix("分钟").removesuffix("个")
        bare = text.removeprefix("-")
        value = int(text) if bare.isascii() and bare.isdigit() and len(bare) <= 9 else None
        if value is None or not least <= value <= most:
            self.fault(key, "not-a-whole-number", least=least, most=most)
            return None
        return value
