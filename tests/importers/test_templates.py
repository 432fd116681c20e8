"""The workbooks that are written for offices to fill in, and the reports they get back."""

from __future__ import annotations

import io
import json
from pathlib import Path

import openpyxl
import pytest
from rich.console import Console

from app.importers import render
from app.importers.bank import ITEMS, read_bank
from app.importers.plan import ROOMS, SESSIONS
from app.importers.roster import CANDIDATES, read_roster
from app.importers.template import GUIDE, write_template
from tests.importers import workbooks


def fill(path: Path, sheets: dict[str, list[dict[str, object]]]) -> None:
    """Write rows by header below the header row."""
    book = openpyxl.load_workbook(path)
    for name, rows in sheets.items():
        sheet = book[name]
        columns = {str(cell.value): cell.column for cell in sheet[1]}
        for number, row in enumerate(rows, start=2):
            for header, value in row.items():
                sheet.cell(number, columns[header], value)
    book.save(path)


def test_an_empty_template_asks_only_to_be_filled_in(tmp_path: Path) -> None:
    write_template("roster", tmp_path / "r.xlsx")
    write_template("bank", tmp_path / "b.xlsx")
    roster = read_roster(tmp_path / "r.xlsx")[1]
    assert [(fault.code, fault.place.sheet) for fault in roster.faults] == [
        ("sheet-empty", "考场编排"),
        ("sheet-empty", "考室"),
        ("sheet-empty", "场次"),
    ]
    assert [fault.code for fault in read_bank(tmp_path / "b.xlsx")[1].faults] == ["sheet-empty"]


def test_a_filled_roster_template_imports(tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    write_template("roster", path)
    fill(
        path,
        {
            "考场编排": [
                {
                    "准考证号": "20240001",
                    "姓名": "王一",
                    "身份证号": workbooks.resident_id(1),
                    "考室": "第01考室",
                    "座位号": "1",
                    "场次": "1",
                }
            ],
            "考室": [{"考室": "第01考室", "楼宇": "东楼", "正式机位数": 40}],
            "场次": [{"场次": 1, "开始时间": "2024-07-20 08:30", "时长": 90, "最迟入场": 30}],
        },
    )
    roster, report, _ = read_roster(path)
    assert report.faults == []
    assert roster is not None
    assert roster.sessions[0].last_admission_ms == 30 * 60_000
    assert roster.sessions[0].sign_in_opens_ms is None


def test_a_filled_bank_template_imports(tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    write_template("bank", path)
    headers = workbooks.BANK_HEADERS
    rows = [
        {header: value for header, value in zip(headers, row, strict=True) if value is not None}
        for row in workbooks.items()
    ]
    fill(path, {"试题": rows})
    bank, report, _ = read_bank(path)
    assert report.faults == []
    assert bank is not None
    assert len(bank.items) == 5


@pytest.mark.parametrize(("kind", "kinds"), [("roster", (CANDIDATES, ROOMS, SESSIONS)), ("bank", (ITEMS,))])
def test_every_column_is_explained(tmp_path: Path, kind: str, kinds) -> None:
    path = tmp_path / "t.xlsx"
    write_template(kind, path)
    book = openpyxl.load_workbook(path)
    explained = {(row[0], row[1]): row[3:5] for row in book[GUIDE].iter_rows(min_row=2, values_only=True)}
    for each in kinds:
        sheet = book[each.names[0]]
        headers = {str(cell.value): cell for cell in sheet[1]}
        for column in each.columns:
            zh, en = explained[each.names[0], column.title]
            assert zh
            assert en
            assert headers[column.title].comment is not None
            assert sheet.column_dimensions[headers[column.title].column_letter].number_format == "@"


def faulty(tmp_path: Path):
    rows = workbooks.people()
    rows[0][8] = 99
    rows[1][2] = " 李二 "
    return read_roster(workbooks.roster(tmp_path / "r.xlsx", rows))[1]


def test_the_report_as_text_and_as_a_table(tmp_path: Path) -> None:
    report = faulty(tmp_path)
    console = Console(file=io.StringIO(), width=160)
    console.print(render.table(report))
    table = console.file.getvalue()
    for said in (render.text(report), table):
        for part in ("考场编排", "座位号", "I3", "99", "超出考室的机位数", "beyond the room's size", "请改座位号"):
            assert part in said
        assert "多余的空格已去掉" in said
    zh, en = render.headline(report)
    assert "1 处错误" in zh
    assert "1 fault;" in en


def test_the_report_as_json(tmp_path: Path) -> None:
    told = json.loads(json.dumps(faulty(tmp_path).as_json()))
    assert told["ok"] is False
    assert told["fault_codes"] == {"seat-beyond-room": 1}
    fault = told["faults"][0]
    assert {key: fault[key] for key in ("sheet", "row", "column", "cell", "value", "code")} == {
        "sheet": "考场编排",
        "row": 3,
        "column": "座位号",
        "cell": "I3",
        "value": "99",
        "code": "seat-beyond-room",
    }
    assert set(fault["what"]) == set(fault["mend"]) == {"zh", "en"}
    assert told["notes"][0]["after"] == "李二"


def test_no_report_shows_markup_of_a_file_as_markup(tmp_path: Path) -> None:
    rows = workbooks.people()
    rows[0][7] = "[red]第[/red]考室[/]"
    report = read_roster(workbooks.roster(tmp_path / "r.xlsx", rows))[1]
    console = Console(file=io.StringIO(), width=160)
    console.print(render.table(report))
    assert "[red]" in console.file.getvalue()
