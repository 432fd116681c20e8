"""The demo's roster and bank as the workbooks an exam office would send, to go through the real importers."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from openpyxl import Workbook

from app.demo.bank import IMAGES, DemoItem, items
from app.demo.people import Hall
from app.domain.identity import ID_KINDS

TITLE = "水利专业技术资格考试（演示）"
SESSION_MINUTES = 90
GAP_MINUTES = 10
SESSION_NAMES = ("第一场", "第二场")

TYPE_NAMES = {"single": "单选题", "multiple": "多选题", "true_false": "判断题", "blank": "填空题", "text": "简答题"}
OPTION_LETTERS = "ABCDE"
TRUTH = {"T": "对", "F": "错"}


def write_roster(path: Path, hall: Hall, start: datetime) -> Path:
    """The roster: candidates, rooms, sessions. ``start``: the first session's start, naive, in the exam's zone."""
    book = Workbook(write_only=True)
    _sheet(
        book,
        "考场编排",
        (
            "序号",
            "准考证号",
            "姓名",
            "性别",
            "证件类型",
            "身份证号",
            "报考专业",
            "工作单位",
            "考室",
            "座位号",
            "场次",
        ),
        (
            (
                n,
                person.ticket,
                person.name,
                person.gender,
                ID_KINDS[person.id_kind][0],
                person.id_number,
                person.specialty,
                person.employer,
                person.room,
                str(person.seat),
                str(person.session),
            )
            for n, person in enumerate(hall.people, 1)
        ),
    )
    _sheet(
        book,
        "考室",
        ("考室", "楼宇", "房间号", "正式机位数", "备用机位数"),
        ((room.name, room.building, room.number, room.seats, room.spares) for room in hall.rooms),
    )
    starts = (start, start + timedelta(minutes=GAP_MINUTES))
    # A demo is tried at any moment: admission stays open to the end, and so does the way out.
    _sheet(
        book,
        "场次",
        ("场次", "名称", "开始时间", "结束时间", "时长(分钟)", "最迟入场(分钟)", "最早交卷(分钟)"),
        (
            (
                n,
                name,
                f"{begins:%Y-%m-%d %H:%M}",
                f"{begins + timedelta(minutes=SESSION_MINUTES):%Y-%m-%d %H:%M}",
                SESSION_MINUTES,
                SESSION_MINUTES,
                0,
            )
            for n, (name, begins) in enumerate(zip(SESSION_NAMES, starts, strict=True), 1)
        ),
    )
    book.save(path)
    return path


def write_bank(folder: Path) -> Path:
    """The bank's workbook in ``folder``, its pictures beside it."""
    for picture in IMAGES.iterdir():
        shutil.copyfile(picture, folder / picture.name)
    book = Workbook(write_only=True)
    options = tuple(f"选项{letter}" for letter in OPTION_LETTERS)
    _sheet(
        book,
        "试题",
        ("题号", "题型", "知识点", "题干", *options, "答案", "分值", "图片"),
        (_item_row(item) for item in items()),
    )
    path = folder / "bank.xlsx"
    book.save(path)
    return path


def _item_row(item: DemoItem) -> tuple[object, ...]:
    options = [*item.options, *[None] * (len(OPTION_LETTERS) - len(item.options))]
    points = item.points_milli / 1000
    return (item.number, TYPE_NAMES[item.type], item.topic, item.stem, *options, _answer(item), points, item.image)


def _answer(item: DemoItem) -> str:
    if item.type == "true_false":
        return TRUTH[item.key]
    if item.type == "blank":
        return "；".join("|".join(forms) for forms in item.blanks)
    return item.reference or item.key


def _sheet(book: Workbook, title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    sheet = book.create_sheet(title)
    sheet.append([TITLE])
    sheet.append(list(header))
    for row in rows:
        sheet.append(list(row))
