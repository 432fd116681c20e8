"""Reading a bank (题库) of items, with the pictures that lie beside it.

Two rows with the same stem and different options are two items (and noted: it may be a slip). Two rows with the same
stem *and* options are a fault: the draw knows items by number, so one candidate could be given the same question
twice, which no mark afterwards can put right.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from pathlib import Path

from app.importers import normalise, pictures
from app.importers.faults import Fault, Place, Report
from app.importers.items import LETTERS, read_item
from app.importers.model import Bank, ItemPlan, MediaFile
from app.importers.reading import read_workbook
from app.importers.records import Record
from app.importers.tables import Column, Kind, Table, find_tables, records
from app.importers.workbook import Progress, Workbook

ITEMS = Kind(
    "bank",
    ("试题", "题库", "试题库", "items", "bank"),
    (
        Column("number", "题号", ("序号", "编号", "试题编号", "number", "no.", "no")),
        Column("type", "题型", ("试题类型", "类型", "type"), required=True, spans=True),
        Column("topic", "知识点", ("科目", "章节", "专业", "分类", "topic"), spans=True),
        Column("stem", "题干", ("题目", "试题", "题目内容", "试题内容", "stem", "question"), required=True),
        *(Column(f"option_{x}", f"选项{x}", (x, f"{x}选项", f"option {x}", f"option{x}")) for x in LETTERS),
        Column("answer", "答案", ("正确答案", "标准答案", "参考答案", "answer", "key"), required=True),
        Column("points", "分值", ("分数", "分", "points", "score"), spans=True),
        Column("media", "图片", ("题干图片", "附图", "picture", "image")),
        *(Column(f"media_{x}", f"选项{x}图片", (f"{x}图片", f"option {x} picture")) for x in LETTERS),
    ),
)


def read_bank(path: Path, *, progress: Progress | None = None) -> tuple[Bank | None, Report, Workbook]:
    """The bank in ``path``, its report, and the file as read; pictures are looked for in the file's folder.

    The bank is None if the report holds a fault. Raises Unreadable where there is nothing to report on.
    """
    book = read_workbook([path], progress=progress)
    report = Report(book.file, "bank")
    return parse_bank(book, report), report, book


def parse_bank(book: Workbook, report: Report) -> Bank | None:
    """The bank in a workbook; None if ``report`` then holds a fault."""
    tables = find_tables(book, (ITEMS,), report)
    _check_pasted(book, tables, report)
    reading = _Reading(book.folder, report)
    for table in tables:
        reading.read(table)
    if not report.ok:
        return None
    bank = Bank(tables[0].title, tuple(reading.items), reading.media)
    report.counts = counts(bank)
    return bank


def counts(bank: Bank) -> dict[str, int]:
    """How many items there are, in all and of each type, and how many pictures."""
    types = Counter(item.type for item in bank.items)
    return {"items": len(bank.items), **dict(sorted(types.items())), "media": len(bank.media)}


def _check_pasted(book: Workbook, tables: list[Table], report: Report) -> None:
    """A picture pasted on a row of items would be lost in silence: a fault. One above the header is a letterhead."""
    first = min(table.header.number for table in tables)
    for picture in book.pictures:
        place = Place(row=picture.row, sheet=picture.sheet)
        report.add(Fault("pasted-picture" if picture.row > first else "picture-on-top", place))


class _Reading:
    """Rows against each other: numbers are unique, and no item is there twice."""

    def __init__(self, folder: Path, report: Report) -> None:
        self.folder = folder
        self.report = report
        self.items: list[ItemPlan] = []
        self.media: dict[str, MediaFile] = {}
        self._by_name: dict[str, MediaFile | pictures.PictureFault] = {}
        self._numbers: dict[str, Record] = {}
        self._seen: dict[tuple[str, ...], Record] = {}
        self._stems: dict[str, Record] = {}

    def read(self, table: Table) -> None:
        rows = list(records(table, self.report))
        if not rows:
            place = table.place(table.header.number)
            self.report.add(Fault("sheet-empty", place, params={"sheet_name": table.sheet.name}))
        if "number" not in table.columns:
            self.report.add(Fault("number-by-row", table.place(table.header.number)))
        for row in rows:
            record = Record(table, row, self.report)
            number = self._number(record)
            item = read_item(record, number, self._pictures)
            if item is not None:
                self._compare(record, item)
                self.items.append(item)

    def _number(self, record: Record) -> str | None:
        if not record.has("number"):
            number: str | None = str(len(self._numbers) + 1)
        else:
            number = record.text("number", normalise.number, required=True, limit=32)
        if number is None:
            return None
        first = self._numbers.setdefault(number, record)
        if first is not record:
            record.fault_with("number", "duplicate-number", first)
            return None
        return number

    def _compare(self, record: Record, item: ItemPlan) -> None:
        stem = "\0".join((_sameness(item.stem), *item.media))
        options = sorted("\0".join((_sameness(option.text), option.media or "")) for option in item.options)
        first = self._seen.setdefault((item.type, stem, *options), record)
        if first is not record:
            record.fault_with("stem", "duplicate-item", first)
            return
        similar = self._stems.setdefault(stem, record)
        if similar is not record:
            record.fault_with("stem", "same-stem", similar)

    def _pictures(self, record: Record, key: str) -> tuple[str, ...] | None:
        text = record.text(key, normalise.block)
        if text is None:
            return () if record.cell(key).kind == "empty" else None
        found: list[str] = []
        for name in pictures.names(text):
            media = self._load(name)
            if isinstance(media, pictures.PictureFault):
                record.fault(key, media.code, name, "", **media.params)
                return None
            self.media[media.sha256] = media
            found.append(media.sha256)
        return tuple(found)

    def _load(self, name: str) -> MediaFile | pictures.PictureFault:
        if name not in self._by_name:
            try:
                self._by_name[name] = pictures.load_picture(self.folder, name)
            except pictures.PictureFault as fault:
                self._by_name[name] = fault
        return self._by_name[name]


def _sameness(text: str) -> str:
    """The text as two items are compared: width and blanks do not make a difference, letter case may."""
    return "".join(unicodedata.normalize("NFKC", text).split())
