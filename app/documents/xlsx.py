"""A document as a workbook: one sheet, the parts under each other, wide enough to be read and printed."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from app.documents.model import (
    DATE,
    EMPTY,
    Block,
    Document,
    Facts,
    Heading,
    Paragraph,
    Picture,
    Signatures,
    Table,
    shares,
)

# Columns of the sheet, unless a table has more; each spreads its own over them.
COLUMNS = 12
WIDTH = 9
_WRAP = Alignment(wrap_text=True, vertical="top")
_THIN = Side(style="thin", color="808080")
_BOX = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_GREY = PatternFill("solid", fgColor="F0F0F0")
# A sheet's name may not have these, and not more than 31 characters.
_NAME = str.maketrans(dict.fromkeys("[]:*?/\\", " "))


def xlsx(document: Document) -> bytes:
    book = Workbook()
    sheet: Worksheet = book.worksheets[0]
    sheet.title = document.title.translate(_NAME)[:31] or "1"
    columns = max([COLUMNS, *(len(block.head) for block in document.blocks if isinstance(block, Table))])
    for n in range(1, columns + 1):
        sheet.column_dimensions[get_column_letter(n)].width = WIDTH
    sheet.page_setup.orientation = "landscape" if document.landscape else "portrait"
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    pen = _Pen(sheet, columns)
    pen.line([document.title], [1.0], font=Font(bold=True, size=16))
    pen.line([document.subtitle], [1.0])
    for block in document.blocks:
        _block(pen, block, document)
    if document.foot:
        pen.skip()
        pen.line([document.foot], [1.0], font=Font(size=8, color="444444"))
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _block(pen: _Pen, block: Block, document: Document) -> None:
    match block:
        case Heading(text):
            pen.skip()
            pen.line([text], [1.0], font=Font(bold=True, size=12))
        case Paragraph(text):
            pen.line([text], [1.0])
        case Facts(pairs):
            for label, value in pairs:
                pen.line([label, value], [0.25, 0.75], boxed=True, grey=1)
        case Table():
            parts = shares(block)
            pen.line(block.head, parts, boxed=True, grey=len(block.head), font=Font(bold=True))
            for row in block.rows:
                pen.line(row, parts, boxed=True)
            if not block.rows:
                pen.line([EMPTY[document.language]], [1.0], boxed=True)
        case Picture():
            pen.line([block.caption], [1.0])
        case Signatures(labels):
            for label in labels:
                pen.skip()
                pen.line([label, "", DATE[document.language], ""], [0.25, 0.35, 0.15, 0.25])


class _Pen:
    """Writes line after line; the cells of a line share the sheet's columns."""

    def __init__(self, sheet: Worksheet, columns: int) -> None:
        self._sheet = sheet
        self._columns = columns
        self._row = 0

    def skip(self) -> None:
        self._row += 1

    def line(
        self, cells: Sequence[str], parts: Sequence[float], *, boxed: bool = False, grey: int = 0, font: Any = None
    ) -> None:
        self._row += 1
        begin, done, lines = 1, 0.0, 1
        for n, (text, part) in enumerate(zip(cells, parts, strict=True)):
            done += part
            # At least one column each, and as many left as there are cells to come.
            end = min(max(begin, round(done * self._columns)), self._columns - (len(cells) - n - 1))
            cell = self._sheet.cell(self._row, begin)
            cell.value = ILLEGAL_CHARACTERS_RE.sub("", text)
            # What begins with = is what somebody typed, never a formula.
            cell.data_type = "s"
            cell.alignment = _WRAP
            if font is not None:
                cell.font = font
            for column in range(begin, end + 1):
                if boxed:
                    self._sheet.cell(self._row, column).border = _BOX
                if n < grey:
                    self._sheet.cell(self._row, column).fill = _GREY
            if end > begin:
                self._sheet.merge_cells(start_row=self._row, start_column=begin, end_row=self._row, end_column=end)
            lines = max(lines, _lines(text, (end - begin + 1) * WIDTH))
            begin = end + 1
        # Merged cells do not grow by themselves.
        self._sheet.row_dimensions[self._row].height = 15.0 * lines + (8 if font is not None and font.size else 0)


def _lines(text: str, width: int) -> int:
    """How many lines a text takes; Chinese is twice as wide."""
    return sum(1 + sum(2 if ord(one) > 0x2E7F else 1 for one in line) // width for line in text.split("\n"))
