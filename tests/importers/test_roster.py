"""Rosters: every fault in one report, and nothing that is not one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.styles import Font

from app.importers.faults import Report
from app.importers.model import Placement, Roster
from app.importers.roster import read_roster
from tests.importers import workbooks
from tests.importers.workbooks import HEADERS, people, resident_id

TICKET, NAME, GENDER, ID, ROOM, SEAT, SESSION = 1, 2, 3, 4, 7, 8, 9


def read(tmp_path: Path, rows: list[list[Any]] | None = None, **kwargs: Any) -> tuple[Roster | None, Report]:
    roster, report, _ = read_roster(workbooks.roster(tmp_path / "花名册.xlsx", rows, **kwargs))
    assert (roster is not None) == report.ok
    return roster, report


def codes(report: Report) -> list[tuple[str, str]]:
    return [(fault.code, fault.place.cell) for fault in report.faults]


def notes(report: Report) -> list[tuple[str, str]]:
    return [(note.code, note.place.cell) for note in report.notes]


def test_a_faultless_roster(tmp_path: Path) -> None:
    roster, report = read(tmp_path)
    assert report.faults == []
    assert roster is not None
    assert roster.title == workbooks.TITLE
    assert roster.rooms[0].labels == [
        *((str(n), False) for n in range(1, 7)),
        ("备1", True),
        ("备2", True),
    ]
    assert roster.sessions[1].start == datetime(2024, 7, 20, 10, 30)  # noqa: DTZ001
    assert roster.sessions[1].duration_ms == 90 * 60_000
    first = roster.candidates[0]
    assert (first.ticket, first.name, first.gender, first.id_kind) == ("20240001", "王一", "男", "resident")
    assert first.placements == (Placement(1, "第01考室", "1"), Placement(2, "第01考室", "1"))
    assert report.counts == {
        "candidates": 4,
        "allocations": 8,
        "sessions": 2,
        "buildings": 2,
        "rooms": 2,
        "seats": 12,
        "spare_seats": 5,
    }


# --- one fault each: what is spoiled, the code, the cell


def spoil(column: int, value: Any, row: int = 1) -> Callable[[list[list[Any]]], None]:
    def spoiled(rows: list[list[Any]]) -> None:
        rows[row][column] = value

    return spoiled


FAULTS = [
    (spoil(TICKET, None), "missing-value", "B4"),
    (spoil(TICKET, " \u3000"), "missing-value", "B4"),
    (spoil(TICKET, "20240001"), "duplicate-ticket", "B4"),
    (spoil(TICKET, "２０２４０００１"), "duplicate-ticket", "B4"),
    (spoil(TICKET, "2024/0002"), "bad-ticket", "B4"),
    (spoil(TICKET, "准考证"), "bad-ticket", "B4"),
    (spoil(TICKET, "=A1"), "formula", "B4"),
    (spoil(TICKET, "2.024E+10"), "number-lost-digits", "B4"),
    (spoil(TICKET, 2.0240720101e16), "number-lost-digits", "B4"),
    (spoil(TICKET, datetime(2024, 7, 20)), "excel-date", "B4"),  # noqa: DTZ001
    (spoil(NAME, None), "missing-value", "C4"),
    (spoil(NAME, "王?"), "garbled", "C4"),
    (spoil(NAME, "王\ufffd"), "garbled", "C4"),
    (spoil(NAME, "王" * 201), "too-long", "C4"),
    (spoil(GENDER, "未知"), "unknown-gender", "D4"),
    (spoil(ID, None), "missing-value", "E4"),
    (spoil(ID, resident_id(1)), "duplicate-id-number", "E4"),
    (spoil(ID, resident_id(2)[:-1] + ("0" if resident_id(2)[-1] != "0" else "1")), "id-check-digit", "E4"),
    (spoil(ID, "99000119900230001X"), "id-date", "E4"),
    (spoil(ID, "990001900101001"), "id-length", "E4"),
    (spoil(ID, "99000119900101O01X"), "id-form", "E4"),
    (spoil(ID, 330102198001011234), "number-lost-digits", "E4"),
    (spoil(ID, 3.30102198001e16), "number-lost-digits", "E4"),
    (spoil(ID, "3.30102E+17"), "number-lost-digits", "E4"),
    (spoil(ROOM, None), "missing-value", "H4"),
    (spoil(ROOM, "第99考室"), "unknown-room", "H4"),
    (spoil(SEAT, None), "missing-value", "I4"),
    (spoil(SEAT, 1), "duplicate-seat", "I4"),
    (spoil(SEAT, "01"), "duplicate-seat", "I4"),
    (spoil(SEAT, 7), "seat-beyond-room", "I4"),
    (spoil(SEAT, -1), "seat-not-positive", "I4"),
    (spoil(SEAT, 0), "seat-not-positive", "I4"),
    (spoil(SEAT, 2.5), "seat-not-a-number", "I4"),
    (spoil(SEAT, "前排"), "seat-not-a-number", "I4"),
    (spoil(SEAT, True), "seat-not-a-number", "I4"),
    (spoil(SEAT, "备3"), "spare-beyond-room", "I4"),
    (spoil(SEAT, "=1+1"), "formula", "I4"),
    (spoil(SESSION, None), "missing-value", "J4"),
    (spoil(SESSION, "3"), "unknown-session", "J4"),
    (spoil(SESSION, "1,3"), "unknown-session", "J4"),
    (spoil(SESSION, "1,1"), "repeated-session", "J4"),
    (spoil(SESSION, "上午"), "unknown-session", "J4"),
    (spoil(SESSION, date(2024, 1, 2)), "excel-date", "J4"),
]


@pytest.mark.parametrize(
    ("spoiled", "code", "cell"), FAULTS, ids=[f"{code}-{n}" for n, (_, code, _) in enumerate(FAULTS)]
)
def test_one_fault_is_one_entry(tmp_path: Path, spoiled, code: str, cell: str) -> None:
    rows = people()
    spoiled(rows)
    roster, report = read(tmp_path, rows)
    assert roster is None
    assert codes(report) == [(code, cell)]
    fault = report.faults[0]
    assert (fault.place.sheet, fault.place.row) == ("考场编排", 4)
    assert fault.place.column in HEADERS
    for words in (fault.what, fault.mend):
        assert words.zh
        assert words.en
        assert "{" not in words.zh + words.en


def test_all_faults_of_a_file_are_in_one_report(tmp_path: Path) -> None:
    rows = people(6)
    rows[0][TICKET] = None
    rows[0][SEAT] = 99
    rows[1][ID] = "1"
    rows[2][ROOM] = "没有"
    rows[3][SESSION] = "9"
    rows[5][NAME] = None
    _, report = read(tmp_path, rows)
    assert codes(report) == [
        ("missing-value", "B3"),
        ("seat-beyond-room", "I3"),
        ("id-length", "E4"),
        ("unknown-room", "H5"),
        ("unknown-session", "J6"),
        ("missing-value", "C8"),
    ]


def test_a_row_wrong_in_one_column_still_takes_its_seat_and_ticket(tmp_path: Path) -> None:
    rows = people()
    rows[0][NAME] = None
    rows[1][TICKET] = rows[0][TICKET]
    rows[2][SEAT] = rows[0][SEAT]
    _, report = read(tmp_path, rows)
    assert codes(report) == [("missing-value", "C3"), ("duplicate-ticket", "B4"), ("duplicate-seat", "I5")]


def test_a_document_is_one_person_whatever_the_spelling(tmp_path: Path) -> None:
    number = next(resident_id(n) for n in range(10, 99) if resident_id(n).endswith("X"))
    rows = people()
    rows[0][ID] = number
    rows[1][ID] = number.lower()
    _, report = read(tmp_path, rows)
    assert ("duplicate-id-number", "E4") in codes(report)


# --- what real sheets do


def test_what_is_put_right_is_reported(tmp_path: Path) -> None:
    number = next(resident_id(n) for n in range(10, 99) if resident_id(n).endswith("X"))
    rows = people()
    rows[0][TICKET] = "２０２４０００１"
    rows[0][NAME] = " 王　一\u3000"
    rows[1][ID] = number.lower()
    rows[2][SEAT] = "3号"
    rows[3][TICKET] = 20240004
    roster, report = read(tmp_path, rows)
    assert roster is not None
    assert [candidate.ticket for candidate in roster.candidates] == ["20240001", "20240002", "20240003", "20240004"]
    assert roster.candidates[0].name == "王一"
    assert roster.candidates[1].id_number == number
    assert notes(report)[:5] == [
        ("full-width", "B3"),
        ("stray-blanks", "C3"),
        ("lower-case", "E4"),
        ("respelled", "I5"),
        ("number-for-text", "B6"),
    ]
    told = {note.code: note for note in report.notes}
    assert told["full-width"].shown_after == "20240001"
    assert number not in str(report.as_json())


def test_titles_column_order_and_header_spelling_do_not_matter(tmp_path: Path) -> None:
    headers = ["考试场次", "机位", "考 场", "*姓名", "准考证号码", "证件号码（必填）", "备注"]
    rows = [["1", row[SEAT], row[ROOM], row[NAME], row[TICKET], row[ID], "无"] for row in people()]

    def add_titles(book: Workbook) -> None:
        book["考场编排"].insert_rows(2, 3)
        book["考场编排"]["A3"] = "制表日期：7月1日"

    roster, report = read(tmp_path, rows, headers=headers, spoil=add_titles)
    assert report.faults == []
    assert roster is not None
    assert len(roster.candidates) == 4
    assert ("column-ignored", "G5") in notes(report)


def test_a_missing_column_is_one_fault_not_one_per_row(tmp_path: Path) -> None:
    headers = [header for header in HEADERS if header != "座位号"]
    rows = [row[:SEAT] + row[SEAT + 1 :] for row in people()]
    _, report = read(tmp_path, rows, headers=headers)
    assert [fault.code for fault in report.faults] == ["missing-column"]
    assert report.faults[0].place.column == "座位号"


def test_a_header_twice(tmp_path: Path) -> None:
    rows = [[*row, "别的"] for row in people()]
    _, report = read(tmp_path, rows, headers=[*HEADERS, "姓 名"])
    assert codes(report) == [("duplicate-header", "K2")]
    assert "C2" in report.faults[0].what.zh


def test_blank_rows_footers_and_repeated_headers_are_skipped(tmp_path: Path) -> None:
    rows = people()
    rows.insert(2, [None] * 10)
    rows.insert(4, HEADERS.copy())
    rows += [["合计：4人"] + [None] * 9, [None] * 10, ["制表人：某"] + [None] * 9]
    roster, report = read(tmp_path, rows)
    assert roster is not None
    assert len(roster.candidates) == 4
    assert [code for code, _ in notes(report)][:5] == [
        "blank-row",
        "header-again",
        "footer-row",
        "blank-row",
        "footer-row",
    ]


def test_formatted_empty_rows_below_do_not_matter(tmp_path: Path) -> None:
    def format_far(book: Workbook) -> None:
        for row in range(10, 7_000):
            book["考场编排"].cell(row, 1).font = Font(bold=True)

    roster, report = read(tmp_path, spoil=format_far)
    assert roster is not None
    assert notes(report)[:1] == [("rows-beyond", "6")]


def test_a_row_with_only_its_ordinal_is_reported_as_missing_everything(tmp_path: Path) -> None:
    rows = [*people(), [5] + [None] * 9]
    _, report = read(tmp_path, rows)
    assert {cell for _, cell in codes(report)} == {"B7", "C7", "E7", "H7", "I7", "J7"}


def test_merged_rooms_fill_down_and_merged_names_do_not(tmp_path: Path) -> None:
    def merge_rooms(book: Workbook) -> None:
        book["考场编排"].merge_cells("H3:H6")

    roster, report = read(tmp_path, spoil=merge_rooms)
    assert roster is not None
    assert {placement.room for each in roster.candidates for placement in each.placements} == {"第01考室"}
    assert [code for code, _ in notes(report)].count("merged-filled") == 3

    def merge_names(book: Workbook) -> None:
        book["考场编排"].merge_cells("C3:C4")

    _, report = read(tmp_path, spoil=merge_names)
    assert codes(report) == [("merged-cell", "C4")]


def test_hidden_and_other_sheets_are_not_read(tmp_path: Path) -> None:
    def add_sheets(book: Workbook) -> None:
        copy = book.copy_worksheet(book["考场编排"])
        copy.title = "旧名单"
        copy.sheet_state = "hidden"
        book.create_sheet("统计").append(["甲", "乙"])
        book.create_sheet("空表")

    roster, report = read(tmp_path, spoil=add_sheets)
    assert roster is not None
    assert len(roster.candidates) == 4
    assert [(note.code, note.place.sheet) for note in report.notes if note.code.startswith("sheet")] == [
        ("sheet-hidden", "旧名单"),
        ("sheet-ignored", "统计"),
    ]


def test_one_sheet_per_room_is_one_roster(tmp_path: Path) -> None:
    def add_sheet(book: Workbook) -> None:
        sheet = book.create_sheet("第二考室名单")
        sheet.append(HEADERS)
        row = people(5, room="第02考室")[4]
        sheet.append(row)
        sheet.append([*people(6, room="第02考室")[5][:8], row[SEAT], "1"])

    _, report = read(tmp_path, spoil=add_sheet)
    assert [(fault.code, fault.place.reference) for fault in report.faults] == [("duplicate-seat", "第二考室名单!I3")]


def test_a_duplicate_on_another_sheet_names_the_sheet(tmp_path: Path) -> None:
    def add_sheet(book: Workbook) -> None:
        sheet = book.create_sheet("补充")
        sheet.append(HEADERS)
        sheet.append([*people(5)[4][:1], "20240001", *people(5)[4][2:]])

    _, report = read(tmp_path, spoil=add_sheet)
    assert [fault.code for fault in report.faults] == ["duplicate-ticket"]
    assert "考场编排" in report.faults[0].what.zh
    assert "考场编排" in report.faults[0].what.en


def test_rounds_share_seats_at_different_times(tmp_path: Path) -> None:
    rows = people()
    rows[0][SESSION], rows[1][SESSION] = 1, 2
    rows[1][SEAT] = rows[0][SEAT]
    roster, report = read(tmp_path, rows)
    assert report.faults == []
    assert roster is not None
    assert roster.candidates[1].placements == (Placement(2, "第01考室", "1"),)


def test_one_row_per_session_is_the_same_candidate(tmp_path: Path) -> None:
    rows = people()
    rows[0][SESSION] = "1"
    rows.append([5, *rows[0][1:SEAT], 6, "2"])
    roster, report = read(tmp_path, rows)
    assert roster is not None
    assert roster.candidates[0].placements == (Placement(1, "第01考室", "1"), Placement(2, "第01考室", "6"))
    assert ("several-rows", "B7") in notes(report)


def test_the_same_ticket_for_somebody_else_is_no_continuation(tmp_path: Path) -> None:
    rows = people()
    rows[0][SESSION] = "1"
    rows[1][TICKET], rows[1][SESSION] = rows[0][TICKET], "2"
    assert codes(read(tmp_path, rows)[1]) == [("duplicate-ticket", "B4")]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1", (1,)),
        (2, (2,)),
        ("1，2", (1, 2)),
        ("2、1", (1, 2)),
        ("1 2", (1, 2)),
        ("1-2", (1, 2)),
        ("第一场", (1,)),
        ("第2场", (2,)),
        ("第一场、第二场", (1, 2)),
        ("全部", (1, 2)),
    ],
)
def test_spellings_of_sessions(tmp_path: Path, text: Any, numbers: tuple[int, ...]) -> None:
    roster, report = read(tmp_path, people(1, sessions=text))
    assert report.faults == []
    assert roster is not None
    assert tuple(placement.session for placement in roster.candidates[0].placements) == numbers


@pytest.mark.parametrize(
    ("text", "label"), [("备1", "备1"), ("备用2", "备2"), ("备０1", "备1"), ("备 2", "备2"), ("06", "6"), (6.0, "6")]
)
def test_spellings_of_seats(tmp_path: Path, text: Any, label: str) -> None:
    rows = people(1)
    rows[0][SEAT] = text
    roster, report = read(tmp_path, rows)
    assert report.faults == []
    assert roster is not None
    assert roster.candidates[0].placements[0].seat == label
    assert ("spare-seat-used" in {note.code for note in report.notes}) == label.startswith("备")


@pytest.mark.parametrize(
    ("kind", "number", "stored"),
    [
        ("护照", "E12345678", "passport"),
        ("港澳通行证", "h12345678", "hk_macao"),
        ("台胞证", "12345678", "taiwan"),
        ("军官证", "南字第1234567号", "officer"),
        ("港澳台居民居住证", resident_id(7), "hmt_residence"),
        (None, resident_id(8), "resident"),
    ],
)
def test_other_documents(tmp_path: Path, kind: str | None, number: str, stored: str) -> None:
    rows = [[*row, None] for row in people()]
    rows[0][ID], rows[0][10] = number, kind
    roster, report = read(tmp_path, rows, headers=[*HEADERS, "证件类型"])
    assert report.faults == []
    assert roster is not None
    assert (roster.candidates[0].id_kind, roster.candidates[0].id_number) == (stored, number.upper())


@pytest.mark.parametrize(
    ("kind", "number", "code"),
    [
        ("护照", "E123", "id-too-short"),
        ("护照", "E1234?678", "id-characters"),
        ("驾照", "E12345678", "unknown-id-kind"),
    ],
)
def test_faulty_documents(tmp_path: Path, kind: str, number: str, code: str) -> None:
    rows = [[*row, None] for row in people()]
    rows[0][ID], rows[0][10] = number, kind
    _, report = read(tmp_path, rows, headers=[*HEADERS, "证件类型"])
    assert [fault.code for fault in report.faults] == [code]


def test_sex_is_only_compared(tmp_path: Path) -> None:
    rows = people()
    rows[0][GENDER] = "女"
    roster, report = read(tmp_path, rows)
    assert roster is not None
    assert roster.candidates[0].gender == "女"
    assert ("sex-differs", "D3") in notes(report)


@pytest.mark.parametrize("name", ["阿卜杜热合曼·阿卜杜克里木江", "𠮷𬍛", "Maria Lindqvist", "王" * 50])
def test_names_of_any_kind(tmp_path: Path, name: str) -> None:
    rows = people()
    rows[0][NAME] = name
    roster, report = read(tmp_path, rows)
    assert roster is not None
    assert roster.candidates[0].name == name
    assert not [code for code, cell in notes(report) if cell == "C3"]


def test_extra_time_reaches_the_candidate_and_not_the_next_session(tmp_path: Path) -> None:
    headers = [*HEADERS, "加时(分钟)"]
    rows = [[*row, extra] for row, extra in zip(people(), (30, None, "20分钟", 0), strict=True)]
    roster, report = read(tmp_path, rows, headers=headers)
    assert report.faults == []
    assert roster is not None
    assert [candidate.extra_time_ms for candidate in roster.candidates] == [1_800_000, 0, 1_200_000, 0]
    rows[0][10] = 31
    assert codes(read(tmp_path, rows, headers=headers)[1]) == [("extra-overlaps", "K3")]


# --- rooms and sessions


@pytest.mark.parametrize(
    ("row", "code", "cell"),
    [
        (["第03考室", "东楼", "东103", 0, 2], "not-a-whole-number", "D5"),
        (["第03考室", "东楼", "东103", "四十", 2], "not-a-whole-number", "D5"),
        (["第03考室", "东楼", "东103", None, 2], "missing-value", "D5"),
        (["第03考室", "东楼", "东103", 40, -1], "not-a-whole-number", "E5"),
        (["第03考室", None, "东103", 40, 2], "missing-value", "B5"),
        (["第01考室", "东楼", "东103", 40, 2], "duplicate-room", "A5"),
        ([None, "东楼", "东103", 40, 2], "missing-value", "A5"),
    ],
)
def test_faults_of_rooms(tmp_path: Path, row: list[Any], code: str, cell: str) -> None:
    _, report = read(tmp_path, rooms=[*workbooks.ROOMS, row])
    assert codes(report) == [(code, cell)]


def test_a_room_whose_row_is_faulty_is_not_unknown_to_its_candidates(tmp_path: Path) -> None:
    rooms = [["第01考室", "东楼", "东101", "六", 2], workbooks.ROOMS[1]]
    assert codes(read(tmp_path, rooms=rooms)[1]) == [("not-a-whole-number", "D3")]


@pytest.mark.parametrize(
    ("row", "code", "cell"),
    [
        ([3, "第三场", "下午两点", "2024-07-20 15:30", 90], "bad-time", "C5"),
        ([3, "第三场", "2024-02-30 14:00", "2024-07-20 15:30", 90], "bad-time", "C5"),
        ([3, "第三场", None, "2024-07-20 15:30", 90], "missing-value", "C5"),
        ([3, "第三场", "2024-07-20 14:00", None, None], "no-duration", "D5"),
        ([3, "第三场", "2024-07-20 14:00", "2024-07-20 13:00", None], "end-before-start", "D5"),
        ([3, "第三场", "2024-07-20 14:00", "2024-07-20 15:30", 60], "duration-differs", "E5"),
        ([3, "第三场", "2024-07-20 14:00", "2024-07-22 15:30", None], "session-too-long", "D5"),
        ([2, "第三场", "2024-07-20 14:00", "2024-07-20 15:30", 90], "duplicate-session", "A5"),
        (["丙", "第三场", "2024-07-20 14:00", "2024-07-20 15:30", 90], "not-a-whole-number", "A5"),
    ],
)
def test_faults_of_sessions(tmp_path: Path, row: list[Any], code: str, cell: str) -> None:
    _, report = read(tmp_path, sessions=[*workbooks.SESSIONS, row])
    assert codes(report) == [(code, cell)]


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        ("2024-07-20 14:00", "2024-07-20 15:30", None),
        ("2024-07-20 14:00", None, 90),
        ("2024/7/20 14:00", "15:30", 90),
        ("2024年7月20日 14：00", "15:30", "90分钟"),
        (datetime(2024, 7, 20, 13, 59, 59, 999999), time(15, 30), None),  # noqa: DTZ001
    ],
)
def test_spellings_of_times(tmp_path: Path, start: Any, end: Any, minutes: Any) -> None:
    roster, report = read(tmp_path, sessions=[*workbooks.SESSIONS, [3, None, start, end, minutes]])
    assert report.faults == []
    assert roster is not None
    third = roster.sessions[2]
    assert (third.name, third.start, third.duration_ms) == (
        "第3场",
        datetime(2024, 7, 20, 14, 0),  # noqa: DTZ001
        5_400_000,
    )


def test_sessions_that_overlap_are_one_fault_however_many_sit_both(tmp_path: Path) -> None:
    sessions = [workbooks.SESSIONS[0], [2, "第二场", "2024-07-20 09:30", "2024-07-20 11:00", 90]]
    _, report = read(tmp_path, sessions=sessions)
    assert [fault.code for fault in report.faults] == ["overlapping-sessions"]
    assert "4" in report.faults[0].what.zh
    rows = people()
    for n, row in enumerate(rows):
        row[SESSION] = "1" if n < 2 else "2"
    rows[2][SEAT] = 1
    assert [fault.code for fault in read(tmp_path, rows, sessions=sessions)[1].faults] == ["overlapping-seats"]


def test_an_empty_sheet_is_named(tmp_path: Path) -> None:
    assert ("sheet-empty", "2") in codes(read(tmp_path, [])[1])


def test_reports_say_nothing_of_a_number_but_where_it_is_faulty(tmp_path: Path) -> None:
    rows = people()
    wrong = resident_id(2)[:-1] + ("0" if resident_id(2)[-1] != "0" else "1")
    rows[1][ID] = wrong
    _, report = read(tmp_path, rows)
    assert wrong in str(report.as_json())
    assert wrong not in repr(report.faults)
    assert resident_id(1) not in str(report.as_json())
