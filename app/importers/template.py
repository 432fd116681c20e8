"""Empty, explained workbooks: what an office fills in, with a sheet that says how.

The columns come from the same tables the readers use, so a template can never ask for what is not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from app.domain.identity import ID_KINDS
from app.importers.bank import ITEMS
from app.importers.items import TYPES
from app.importers.plan import ROOMS, SESSIONS
from app.importers.roster import CANDIDATES
from app.importers.tables import Column, Kind

LAST_ROW = 10_000
GUIDE = "填写说明 Guide"

# By kind and column: how to fill it in (Chinese, English), and an example.
_HELP: dict[tuple[str, str], tuple[str, str, str]] = {
    ("roster", "ticket"): (
        "字母、数字和“-”，每人一个，不得重复",
        "letters, digits and -, one each, unique",
        "20240720101",
    ),
    ("roster", "name"): ("与证件一致，生僻字照写", "as on the document, rare characters included", "张三"),
    ("roster", "gender"): ("男或女，可不填", "男 or 女; may be empty", "男"),
    ("roster", "id_kind"): (
        f"可不填，默认居民身份证。可填：{'、'.join(names[0] for names in ID_KINDS.values())}",
        "may be empty: resident ID card",
        "居民身份证",
    ),
    ("roster", "id_number"): (
        "整列设为文本格式，避免变成数字",
        "keep the column's format Text, or digits are lost",
        "99000119900101123X",
    ),
    ("roster", "specialty"): ("可不填", "may be empty", "水工建筑"),
    ("roster", "employer"): ("可不填", "may be empty", "某水利局"),
    ("roster", "room"): ("与“考室”表中的名称一致", "as on the sheet 考室", "第01考室"),
    ("roster", "seat"): (
        "从 1 到正式机位数；备用机位写作“备1”“备2”",
        "1 to the number of seats; spare seats are 备1, 备2 …",
        "1",
    ),
    ("roster", "session"): ("参加的场次，多场用逗号分开", "sessions, separated by commas", "1,2,3"),
    ("roster", "extra"): ("个别加时（分钟），可不填", "extra minutes for this person; may be empty", ""),
    ("roster", "ordinal"): ("可不填", "may be empty", "1"),
    ("rooms", "room"): ("考室名称，不得重复", "name of the room, unique", "第01考室"),
    ("rooms", "building"): ("所在楼宇", "the building", "现教南楼"),
    ("rooms", "number"): ("门牌号，可不填", "number on the door; may be empty", "现101"),
    ("rooms", "seats"): ("正式机位的个数，机位号从 1 起", "how many regular seats, numbered from 1", "40"),
    ("rooms", "spares"): ("备用机位的个数，写作备1、备2……", "how many spare seats (备1, 备2 …)", "2"),
    ("sessions", "number"): ("场次号", "number of the session", "1"),
    ("sessions", "name"): ("可不填", "may be empty", "第一场"),
    ("sessions", "date"): ("开始时间已含日期时不填", "only if the start holds no date", "2024-07-20"),
    ("sessions", "start"): ("日期和时间", "date and time", "2024-07-20 08:30"),
    ("sessions", "end"): ("与时长填一个即可；都填须相符", "end or length; both must agree", "2024-07-20 10:00"),
    ("sessions", "minutes"): ("分钟", "minutes", "90"),
    ("sessions", "sign_in_opens"): (
        "开始前多少分钟开放登录，可不填",
        "sign-in opens so many minutes before; may be empty",
        "30",
    ),
    ("sessions", "last_admission"): (
        "开始后多少分钟内可入场，可不填",
        "admission until so many minutes after the start; may be empty",
        "15",
    ),
    ("sessions", "earliest_hand_in"): (
        "开始后多少分钟方可交卷，可不填",
        "hand-in from so many minutes after the start; may be empty",
        "30",
    ),
    ("bank", "number"): ("每题一个，不得重复；再次导入时按题号对应", "unique; the next import goes by it", "1"),
    ("bank", "type"): ("、".join(TYPES.values()), "single, multiple, true/false, fill-in, short answer", "单选题"),
    ("bank", "topic"): ("组卷按知识点抽题", "papers are drawn by topic", "水文与水资源"),
    ("bank", "stem"): (
        "公式可按文本书写；填空题的空用“____”",
        "formulas as text; a blank is written ____",
        "水的密度约为____kg/m³。",
    ),
    ("bank", "answer"): (
        (
            "单选 B；多选 ABD；判断 对/错、√/×、T/F；填空：多个空用“；”分开，同一空的多种写法用“|”分开，"
            "答案本身的分号或竖线前加“\\”；简答：参考答案，可不填"
        ),
        (
            "single B; multiple ABD; true/false 对/错, √/×, T/F; fill-in: blanks separated by ；, accepted forms of "
            "one blank by |, a backslash before either makes it part of the answer; short answer: for the marker"
        ),
        "1000|一千",
    ),
    ("bank", "points"): ("最多三位小数，默认 1", "up to three decimals, 1 by default", "1"),
    ("bank", "media"): (
        "图片文件名（PNG、JPEG、SVG），文件放在题库旁，多个用“;”分开；不要把图片贴在表格里",
        "file names of pictures (PNG, JPEG, SVG) beside the bank, separated by ;; do not paste pictures",
        "渗流.png",
    ),
}
_WIDTHS = {"name": 12, "id_number": 24, "employer": 26, "stem": 60, "answer": 20, "room": 14, "start": 20, "end": 20}
_CHOICES = {
    ("roster", "gender"): ("男", "女"),
    ("roster", "id_kind"): tuple(names[0] for names in ID_KINDS.values()),
    ("bank", "type"): tuple(TYPES.values()),
}


def write_template(kind: str, path: Path) -> None:
    """Write the empty workbook for 'roster' or 'bank'. Raises OSError where it cannot be written."""
    kinds = {"roster": (CANDIDATES, ROOMS, SESSIONS), "bank": (ITEMS,)}[kind]
    book = Workbook()
    if book.active is not None:
        book.remove(book.active)
    for each in kinds:
        _sheet(book.create_sheet(each.names[0]), each)
    _guide(book.create_sheet(GUIDE), kinds)
    book.save(path)


def _help(kind: Kind, column: Column) -> tuple[str, str, str]:
    known = _HELP.get((kind.key, column.key))
    if known is not None:
        return known
    if column.key.startswith("media_"):
        return "选项的图片，可不填", "picture of the option; may be empty", ""
    return "选择题的选项，至少两个，从 A 起不空缺", "an option; at least two, without gaps from A", ""


def _sheet(sheet: Worksheet, kind: Kind) -> None:
    fill = PatternFill("solid", fgColor="DDE8F3")
    for index, column in enumerate(_ordered(kind), start=1):
        zh, en, _ = _help(kind, column)
        head = sheet.cell(1, index, column.title)
        head.font = Font(bold=True)
        head.fill = fill
        head.alignment = Alignment(horizontal="center")
        head.comment = Comment(f"{'必填。' if column.required else ''}{zh}\n{en}", "Holdfast", height=120, width=320)
        letter = get_column_letter(index)
        sheet.column_dimensions[letter].width = _WIDTHS.get(column.key, 14)
        # Text format for whole columns: a spreadsheet then neither eats digits nor makes dates of '1-2'.
        sheet.column_dimensions[letter].number_format = "@"
        choices = _CHOICES.get((kind.key, column.key))
        if choices is not None:
            listed = DataValidation("list", formula1=f'"{",".join(choices)}"', allow_blank=True)
            sheet.add_data_validation(listed)
            listed.add(f"{letter}2:{letter}{LAST_ROW}")
    sheet.freeze_panes = "A2"


def _ordered(kind: Kind) -> list[Column]:
    """A sequence number leads, as every office has it; the rest as the reader lists them."""
    return sorted(kind.columns, key=lambda column: column.key != "ordinal")


def _guide(sheet: Worksheet, kinds: Sequence[Kind]) -> None:
    sheet.append(["工作表 Sheet", "列 Column", "必填 Required", "说明", "Guide", "例 Example"])
    for kind in kinds:
        for column in _ordered(kind):
            zh, en, example = _help(kind, column)
            sheet.append([kind.names[0], column.title, "是 yes" if column.required else "", zh, en, example])
    for letter, width in zip("ABCDEF", (14, 14, 10, 60, 60, 24), strict=True):
        sheet.column_dimensions[letter].width = width
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
