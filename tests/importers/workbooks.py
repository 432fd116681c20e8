"""Small rosters and banks as files, faultless unless a test spoils them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from app.domain.identity import check_digit

TITLE = "某年度业务考试考场编排表"
HEADERS = ["序号", "准考证号", "姓名", "性别", "身份证号", "报考专业", "工作单位", "考室", "座位号", "场次"]
ROOM_HEADERS = ["考室", "楼宇", "房间号", "正式机位数", "备用机位数"]
SESSION_HEADERS = ["场次", "名称", "开始时间", "结束时间", "时长(分钟)"]
BANK_HEADERS = ["题号", "题型", "知识点", "题干", "选项A", "选项B", "选项C", "选项D", "答案", "分值", "图片"]
ROOMS = [["第01考室", "东楼", "东101", 6, 2], ["第02考室", "西楼", "西201", 6, 3]]
SESSIONS = [
    [1, "第一场", "2024-07-20 08:30", "2024-07-20 10:00", 90],
    [2, "第二场", "2024-07-20 10:30", "2024-07-20 12:00", 90],
]
NAMES = ["王一", "李二", "张三", "刘四", "陈五", "杨六", "黄七", "赵八", "周九", "吴十"]

Rows = list[list[Any]]


def resident_id(n: int, *, male: bool = True, born: str = "19900101") -> str:
    """The n-th resident ID number of a region that does not exist."""
    first17 = f"990001{born}{n:02d}{1 if male else 2}"
    return first17 + check_digit(first17)


def people(count: int = 4, *, room: str = "第01考室", sessions: Any = "1,2") -> Rows:
    """Rows of a roster: men, seats 1, 2, …"""
    return [
        [n, f"2024{n:04d}", NAMES[n - 1], "男", resident_id(n), "水工建筑", "某局", room, n, sessions]
        for n in range(1, count + 1)
    ]


def roster(
    path: Path,
    rows: Rows | None = None,
    *,
    headers: Sequence[str] = HEADERS,
    rooms: Rows | None = None,
    sessions: Rows | None = None,
    spoil: Callable[[Workbook], None] | None = None,
) -> Path:
    """A roster workbook; ``spoil`` gets the workbook before it is saved."""
    book = Workbook()
    _sheet(book, "考场编排", headers, people() if rows is None else rows)
    _sheet(book, "考室", ROOM_HEADERS, ROOMS if rooms is None else rooms)
    _sheet(book, "场次", SESSION_HEADERS, SESSIONS if sessions is None else sessions)
    book.remove(book.worksheets[0])
    if spoil is not None:
        spoil(book)
    book.save(path)
    return path


def items() -> Rows:
    """One item of each type."""
    return [
        [1, "单选题", "水文", "水往哪里流？", "低处", "高处", None, None, "A", 1, None],
        [2, "多选题", "水文", "哪些是水工建筑物？", "大坝", "水闸", "白云", "渠道", "ABD", 2, None],
        [3, "判断题", "机电", "变压器能改变电压。", None, None, None, None, "对", 1, None],
        [4, "填空题", "施工", "1 m³ 水重约____kg，即____t。", None, None, None, None, "1000|一千；1", 2, None],
        [5, "简答题", "施工", "简述围堰的作用。", None, None, None, None, "挡水", 5, None],
    ]


def bank(
    path: Path,
    rows: Rows | None = None,
    *,
    headers: Sequence[str] = BANK_HEADERS,
    spoil: Callable[[Workbook], None] | None = None,
) -> Path:
    book = Workbook()
    _sheet(book, "试题", headers, items() if rows is None else rows, title="试题库")
    book.remove(book.worksheets[0])
    if spoil is not None:
        spoil(book)
    book.save(path)
    return path


def _sheet(
    book: Workbook, name: str, headers: Sequence[str], rows: Iterable[Sequence[Any]], title: str = TITLE
) -> None:
    sheet = book.create_sheet(name)
    sheet.append([title])
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(headers))
    sheet.append(list(headers))
    for row in rows:
        sheet.append(list(row))


def csv_file(path: Path, rows: Iterable[Sequence[Any]], *, encoding: str = "utf-8-sig", separator: str = ",") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=separator).writerows(rows)
    return path


def csv_roster(folder: Path, *, encoding: str = "utf-8-sig", rows: Rows | None = None) -> Path:
    """The three files of a roster in a folder."""
    csv_file(folder / "编排.csv", [HEADERS, *(people() if rows is None else rows)], encoding=encoding)
    csv_file(folder / "考室.csv", [ROOM_HEADERS, *ROOMS], encoding=encoding)
    csv_file(folder / "场次.csv", [SESSION_HEADERS, *SESSIONS], encoding=encoding)
    return folder
