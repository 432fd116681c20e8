"""Many rows as a workbook, a CSV file or JSON, written as they come: what is held at a time is one chunk.

A workbook is written directly (ECMA-376, inline strings): of a hundred thousand answers openpyxl makes a million cell
objects first. Every cell that is no number is a string, so that what somebody typed is never a formula; in a CSV file,
where nothing says so, such a cell begins with an apostrophe.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, Literal, Protocol
from xml.sax.saxutils import escape, quoteattr

Form = Literal["xlsx", "csv", "json"]
Value = str | int | float | bool | datetime | None | list[Any]
TYPES: dict[Form, str] = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}
# A sheet has 1,048,576 rows; what comes after these is on the next one.
ROWS_A_SHEET = 1_000_000
# The most that a cell may hold.
LONGEST = 32_767
# Stands at the end of a cell that had more; .csv and .json have all of it.
CUT = " …[超出单元格长度，全文见 .csv 或 .json · too long for a cell]"
# A cell that begins like a formula is one to a spreadsheet, whoever typed it.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
# As many different texts a workbook keeps once each (names, seats, words); the rest stand in their cells.
SHARED, LONGEST_SHARED = 50_000, 80
# What XML 1.0 cannot hold in whatever way it is written.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Letters(list[Any]):
    """What was chosen, written as people write it (``ACD``); of any other list the parts are told apart."""


@dataclass(frozen=True, slots=True)
class Column:
    """``key`` is its name in JSON, ``zh`` and ``en`` the headings, ``width`` in characters of a workbook."""

    key: str
    zh: str
    en: str
    width: int = 12

    def heading(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


class Writer(Protocol):
    """``write`` any number of times, ``close`` once; neither is called by two threads at a time."""

    def write(self, rows: Iterable[Sequence[Value]]) -> None: ...

    def close(self) -> None: ...


def writer(form: Form, out: IO[bytes], columns: Sequence[Column], language: str, *, title: str) -> Writer:
    """``out`` stays open; ``title`` names the sheet, or the list in JSON."""
    if form == "xlsx":
        return Workbook(out, columns, language, title)
    return Csv(out, columns, language) if form == "csv" else Json(out, columns, title)


def plain(value: Value) -> str:
    """A value as a cell shows it."""
    match value:
        case None:
            return ""
        case str():
            return value
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case Letters():
            return "".join(map(plain, value))
        case list():
            return " | ".join(map(plain, value))
        case _:
            return str(value)


class Csv:
    """UTF-8 with the mark by which spreadsheets know it."""

    def __init__(self, out: IO[bytes], columns: Sequence[Column], language: str) -> None:
        self._out = out
        out.write(b"\xef\xbb\xbf")
        self._lines([[column.heading(language) for column in columns]])

    def write(self, rows: Iterable[Sequence[Value]]) -> None:
        self._lines([_guarded(value) for value in row] for row in rows)

    def _lines(self, rows: Iterable[Sequence[str]]) -> None:
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        # Half a surrogate pair cannot be written at all.
        self._out.write(text.getvalue().encode("utf-8", "replace"))

    def close(self) -> None:
        self._out.flush()


def _guarded(value: Value) -> str:
    told = plain(value)
    return f"'{told}" if not isinstance(value, int | float) and told.startswith(FORMULA) else told


class Json:
    """``{"<title>": [{key: value}]}``, a row to a line; instants in ISO 8601 with their offset."""

    def __init__(self, out: IO[bytes], columns: Sequence[Column], title: str) -> None:
        self._out = out
        self._keys = [column.key for column in columns]
        self._first = True
        out.write(f"{{{json.dumps(title)}: [".encode())

    def write(self, rows: Iterable[Sequence[Value]]) -> None:
        parts = []
        for row in rows:
            parts.append("\n" if self._first else ",\n")
            self._first = False
            parts.append(json.dumps(dict(zip(self._keys, row, strict=True)), ensure_ascii=False, default=_iso))
        self._out.write("".join(parts).encode("utf-8", "replace"))

    def close(self) -> None:
        self._out.write(b"\n]}\n")
        self._out.flush()


def _iso(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    raise TypeError(f"a cell holds no {type(value).__name__}")


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_STYLES = (
    f'{_XML}<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/><name val="Microsoft YaHei"/></font>'
    '<font><b/><sz val="11"/><name val="Microsoft YaHei"/></font></fonts><fills count="3"><fill><patternFill'
    ' patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill><fill><patternFill'
    ' patternType="solid"><fgColor rgb="FFF0F0F0"/></patternFill></fill></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf/><xf fontId="1" fillId="2" applyFont="1"'
    ' applyFill="1"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)


class Workbook:
    """One sheet, frozen under its headings; as many more as the rows need."""

    def __init__(self, out: IO[bytes], columns: Sequence[Column], language: str, title: str) -> None:
        # Level 1: the cells of a column are much alike, and more effort buys a tenth of the size for thrice the time.
        self._package = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self._title = title
        widths = "".join(
            f'<col min="{n}" max="{n}" width="{column.width}" customWidth="1"/>' for n, column in enumerate(columns, 1)
        )
        heads = "".join(_text(column.heading(language), ' s="1"') for column in columns)
        self._head = (
            f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1"'
            f' topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>{widths}</cols>'
            f"<sheetData><row>{heads}</row>"
        )
        self._shared: list[str] = []
        self._known: dict[str, str] = {}
        self._sheets = 0
        self._rows = 0
        self._sheet = self._begin()

    def _begin(self) -> IO[bytes]:
        self._sheets += 1
        self._rows = 0
        sheet = self._package.open(f"xl/worksheets/sheet{self._sheets}.xml", "w")
        sheet.write(self._head.encode())
        return sheet

    def _end(self) -> None:
        self._sheet.write(b"</sheetData></worksheet>")
        self._sheet.close()

    def write(self, rows: Iterable[Sequence[Value]]) -> None:
        parts: list[str] = []
        for row in rows:
            if self._rows == ROWS_A_SHEET:
                self._sheet.write("".join(parts).encode())
                parts = []
                self._end()
                self._sheet = self._begin()
            self._rows += 1
            parts.append("<row>")
            parts.extend(map(self._cell, row))
            parts.append("</row>")
        self._sheet.write("".join(parts).encode())

    def _cell(self, value: Value) -> str:
        # Of a hundred thousand cells most have been written before: what is looked up is not escaped again.
        told = self._known.get(value) if type(value) is str else None
        if told is not None:
            return told
        if value is None or value == "":
            return "<c/>"
        if isinstance(value, int | float) and not isinstance(value, bool):
            return f"<c><v>{value}</v></c>"
        text = plain(value)
        if len(self._shared) == SHARED or len(text) > LONGEST_SHARED:
            return _text(text)
        told = f'<c t="s"><v>{len(self._shared)}</v></c>'
        self._shared.append(text)
        if type(value) is str:
            self._known[value] = told
        return told

    def close(self) -> None:
        self._end()
        numbers = range(1, self._sheets + 1)
        names = [self._title if n == 1 else f"{self._title} {n}" for n in numbers]
        sheets = "".join(
            f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"/>'
            for n, name in zip(numbers, names, strict=True)
        )
        relations = [(f"rId{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in numbers]
        relations.append((f"rId{self._sheets + 1}", "styles", "styles.xml"))
        relations.append((f"rId{self._sheets + 2}", "sharedStrings", "sharedStrings.xml"))
        self._package.writestr(
            "xl/workbook.xml",
            f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_REL}"><sheets>{sheets}</sheets></workbook>',
        )
        self._package.writestr("xl/_rels/workbook.xml.rels", _relations(relations))
        self._package.writestr("xl/styles.xml", _STYLES)
        strings = "".join(f"<si>{_spaced(text)}</si>" for text in self._shared)
        self._package.writestr("xl/sharedStrings.xml", f'{_XML}<sst xmlns="{_MAIN}">{strings}</sst>')
        self._package.writestr("_rels/.rels", _relations([("rId1", "officeDocument", "xl/workbook.xml")]))
        parts = "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_KIND}.worksheet+xml"/>' for n in numbers
        )
        self._package.writestr(
            "[Content_Types].xml",
            f'{_XML}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels"'
            ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml"'
            f' ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType='
            f'"{_KIND}.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/>'
            f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_KIND}.sharedStrings+xml"/>{parts}</Types>',
        )
        self._package.close()


def _relations(some: Sequence[tuple[str, str, str]]) -> str:
    lines = "".join(f'<Relationship Id="{i}" Type="{_REL}/{kind}" Target="{to}"/>' for i, kind, to in some)
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{lines}</Relationships>'


def _text(text: str, style: str = "") -> str:
    return f'<c t="inlineStr"{style}><is>{_spaced(text)}</is></c>'


def _spaced(text: str) -> str:
    if text.isascii() and text.isalnum():
        return f"<t>{text}</t>"
    return f'<t xml:space="preserve">{escape(_cut(_ILLEGAL.sub("", text)))}</t>'


def _cut(text: str) -> str:
    """What a cell may hold of it, counted as spreadsheets count (UTF-16), and a mark where there was more."""
    if len(text) * 2 <= LONGEST:
        return text
    units = text.encode("utf-16-le")
    if len(units) <= LONGEST * 2:
        return text
    return units[: (LONGEST - len(CUT)) * 2].decode("utf-16-le", "ignore") + CUT
