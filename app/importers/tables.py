"""Finding the tables of a workbook by their headers: titles above, columns in any order, sheets by any name.

A sheet is known by the headers it has, not by what it is called; every visible sheet that fits is read, so that one
sheet per room works as well as one for all.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.importers.faults import Fault, Place, Report, Unreadable
from app.importers.workbook import LIMITS, Row, Sheet, Workbook

# Titles, dates and remarks stand above a header; nobody puts more of them there.
HEADER_WITHIN = 30
_UNIT = re.compile(r"[(\[【〔][^)\]】〕]*[)\]】〕]$")
# Sheets that explain name columns too, and are not data.
_GUIDE = re.compile(r"说明|须知|guide|readme", re.IGNORECASE)
_MARKS = re.compile(r"[\s*:：_※]")
_FOOTER = re.compile(
    r"^(合计|总计|小计|共计|共\d+|备注|说明|注[:：]|制表|填表|审核|total\b|note\b|remark)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Column:
    """``spans``: one merged cell may hold the value of several rows (the room of forty candidates)."""

    key: str
    title: str
    aliases: tuple[str, ...] = ()
    required: bool = False
    spans: bool = False
    is_id: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of sheet. ``names`` are what offices call it, for words and for the choice between equals."""

    key: str
    names: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def required(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.required)

    @property
    def wanted(self) -> str:
        return "、".join(column.title for column in self.required)


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet read as one kind. ``columns``: key to (index from 0, header as written)."""

    kind: Kind
    sheet: Sheet
    sheet_n: int
    header: Row
    columns: dict[str, tuple[int, str]]
    title: str = ""
    rows: tuple[Row, ...] = field(default=())

    def place(self, row: int = 0, key: str = "") -> Place:
        if key in self.columns:
            index, header = self.columns[key]
            return Place(self.sheet_n, row, index + 1, self.sheet.name, header)
        title = next((column.title for column in self.kind.columns if column.key == key), "")
        return Place(self.sheet_n, row, 0, self.sheet.name, title)


def header_key(text: str) -> str:
    """A header as it is compared: no blanks, marks or trailing unit; half-width; lower case."""
    plain = _MARKS.sub("", unicodedata.normalize("NFKC", text))
    return (_UNIT.sub("", plain) or plain).lower()


def find_tables(book: Workbook, kinds: Sequence[Kind], report: Report) -> list[Table]:
    """The tables in ``book``; what was left aside goes to ``report`` as notes, faults of headers as faults.

    Raises Unreadable when no sheet is of the first kind and one has headers that are not known.
    """
    tables: list[Table] = []
    aside: list[Fault] = []
    seen = ""
    for sheet_n, sheet in enumerate(book.sheets):
        place = Place(sheet_n, sheet=sheet.name)
        if sheet.hidden:
            aside.append(Fault("sheet-hidden", place))
            continue
        table = None if _GUIDE.search(sheet.name) else _table(sheet_n, sheet, kinds)
        if table is not None:
            tables.append(table)
        elif sheet.rows:
            seen = seen or ("" if _GUIDE.search(sheet.name) else _seen(sheet))
            aside.append(Fault("sheet-ignored", place))
    main = kinds[0]
    if not tables or (seen and all(table.kind is not main for table in tables)):
        raise Unreadable("unknown-headers", file=book.file, seen=seen or "—", wanted=main.wanted, kind=main.key)
    for fault in aside:
        report.add(fault)
    for table in tables:
        _check_headers(table, report)
    return tables


def _seen(sheet: Sheet) -> str:
    """The fullest of the first rows: most likely what was meant as the header."""
    row = max(sheet.rows[:HEADER_WITHIN], key=lambda row: sum(cell.kind == "text" for cell in row.cells))
    texts = [str(cell.value).strip()[:12] for cell in row.cells if cell.kind != "empty"]
    return "、".join(texts[:8])


def _match(row: Row, kind: Kind) -> dict[str, tuple[int, str]]:
    known = {header_key(name): column.key for column in kind.columns for name in (column.title, *column.aliases)}
    found: dict[str, tuple[int, str]] = {}
    for index, cell in enumerate(row.cells):
        if cell.kind != "text" or cell.covered:
            continue
        key = known.get(header_key(str(cell.value)))
        if key is not None and key not in found:
            found[key] = (index, " ".join(str(cell.value).split()))
    return found


def _table(sheet_n: int, sheet: Sheet, kinds: Sequence[Kind]) -> Table | None:
    best: tuple[float, int, bool] = (0, 0, False)
    chosen: tuple[Row, Kind, dict[str, tuple[int, str]]] | None = None
    for row in sheet.rows[:HEADER_WITHIN]:
        for kind in kinds:
            found = _match(row, kind)
            share = sum(column.key in found for column in kind.required) / len(kind.required)
            score = (share, len(found), sheet.name.strip() in kind.names)
            if share >= 0.5 and len(found) >= 2 and score > best:
                best, chosen = score, (row, kind, found)
    if chosen is None:
        return None
    header, kind, columns = chosen
    above = [cell for row in sheet.rows if row.number < header.number for cell in row.cells if cell.kind == "text"]
    title = " ".join(str(above[0].value).split()) if above else ""
    rows = tuple(row for row in sheet.rows if row.number > header.number)
    return Table(kind, sheet, sheet_n, header, columns, title, rows)


def _check_headers(table: Table, report: Report) -> None:
    for column in table.kind.required:
        if column.key not in table.columns:
            place = Place(table.sheet_n, table.header.number, 0, table.sheet.name, column.title)
            report.add(Fault("missing-column", place, params={"column_name": column.title}))
    taken = {index: key for key, (index, _) in table.columns.items()}
    for index, cell in enumerate(table.header.cells):
        if cell.kind == "empty" or cell.covered or index in taken:
            continue
        text = " ".join(str(cell.value).split())
        place = Place(table.sheet_n, table.header.number, index + 1, table.sheet.name, text)
        twin = next((key for key, at in _match(Row(0, (cell,)), table.kind).items() if at), None)
        if twin is not None and twin in table.columns:
            other = table.place(table.header.number, twin).cell
            report.add(Fault("duplicate-header", place, text, params={"column_name": text, "other": other}))
        else:
            report.add(Fault("column-ignored", place, text))
    if table.sheet.cut_after is not None:
        place = Place(table.sheet_n, table.sheet.cut_after, 0, table.sheet.name)
        report.add(Fault("rows-beyond", place, params={"count": LIMITS.blank_run}))


def records(table: Table, report: Report) -> Iterator[Row]:
    """The rows that hold data; blank rows between them, repeated headers and footers are noted and skipped."""
    first = table.header.number
    for number in table.sheet.blank_rows:
        if number > first:
            report.add(Fault("blank-row", Place(table.sheet_n, number, 0, table.sheet.name)))
    for row in table.rows:
        texts = [str(cell.value).strip() for cell in row.cells if cell.kind != "empty" and not cell.covered]
        if len(texts) <= 2 and _FOOTER.match(texts[0]):
            report.add(Fault("footer-row", Place(table.sheet_n, row.number, 0, table.sheet.name), texts[0][:80]))
        elif len(texts) > 1 and _match(row, table.kind) == table.columns:
            report.add(Fault("header-again", Place(table.sheet_n, row.number, 0, table.sheet.name)))
        else:
            yield row
