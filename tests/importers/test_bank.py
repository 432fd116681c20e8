"""Banks: five types of items, every fault in one report."""

from __future__ import annotations

import base64
import zipfile
import zlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from app.importers.bank import read_bank
from app.importers.faults import Report
from app.importers.model import Bank, OptionPlan
from tests.importers import workbooks
from tests.importers.workbooks import BANK_HEADERS, items

NUMBER, TYPE, TOPIC, STEM, A, B, C, D, ANSWER, POINTS, MEDIA = range(11)


def png(width: int = 1, height: int = 1) -> bytes:
    """A real PNG, one grey pixel tall and wide unless told otherwise."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x00\x00\x00\x00"
    pixels = zlib.compress(b"\x00\x80" if width == height == 1 else b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


JPEG = (
    base64.b64decode(
        "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////"
        "////////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA="
    )
    + b"\xff\xd9"
)
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1"/></svg>'


def read(tmp_path: Path, rows: list[list[Any]] | None = None, **kwargs: Any) -> tuple[Bank | None, Report]:
    bank, report, _ = read_bank(workbooks.bank(tmp_path / "题库.xlsx", rows, **kwargs))
    assert (bank is not None) == report.ok
    return bank, report


def codes(report: Report) -> list[tuple[str, str]]:
    return [(fault.code, fault.place.cell) for fault in report.faults]


def notes(report: Report) -> list[tuple[str, str]]:
    return [(note.code, note.place.cell) for note in report.notes]


def test_the_five_types(tmp_path: Path) -> None:
    bank, report = read(tmp_path)
    assert report.faults == []
    assert bank is not None
    assert [(item.type, item.key) for item in bank.items] == [
        ("single", "A"),
        ("multiple", ["A", "B", "D"]),
        ("true_false", "T"),
        ("blank", [["1000", "一千"], ["1"]]),
        ("text", "挡水"),
    ]
    assert [option.id for option in bank.items[1].options] == ["A", "B", "C", "D"]
    assert bank.items[2].options == (OptionPlan("T", "正确"), OptionPlan("F", "错误"))
    assert [item.points_milli for item in bank.items] == [1000, 2000, 1000, 2000, 5000]
    assert bank.items[3].options == bank.items[4].options == ()
    assert report.counts == {"items": 5, "single": 1, "multiple": 1, "true_false": 1, "blank": 1, "text": 1, "media": 0}


def spoil(row: int, column: int, value: Any) -> Callable[[list[list[Any]]], None]:
    def spoiled(rows: list[list[Any]]) -> None:
        rows[row][column] = value

    return spoiled


FAULTS = [
    (spoil(1, NUMBER, None), "missing-value", "A4"),
    (spoil(1, NUMBER, 1), "duplicate-number", "A4"),
    (spoil(0, TYPE, None), "missing-value", "B3"),
    (spoil(0, TYPE, "连线题"), "unknown-type", "B3"),
    (spoil(0, TOPIC, None), "missing-value", "C3"),
    (spoil(0, STEM, None), "missing-value", "D3"),
    (spoil(0, STEM, "=A1&B1"), "formula", "D3"),
    (spoil(0, STEM, "水" * 20_001), "too-long", "D3"),
    (spoil(0, A, datetime(2024, 1, 2)), "excel-date", "E3"),  # noqa: DTZ001
    (spoil(0, B, None), "too-few-options", "F3"),
    (spoil(1, B, None), "option-gap", "F4"),
    (spoil(1, B, "大坝"), "duplicate-option", "F4"),
    (spoil(0, ANSWER, None), "missing-answer", "I3"),
    (spoil(0, ANSWER, "C"), "answer-not-an-option", "I3"),
    (spoil(0, ANSWER, "低处"), "answer-not-an-option", "I3"),
    (spoil(0, ANSWER, "AB"), "several-answers", "I3"),
    (spoil(1, ANSWER, "ABE"), "answer-not-an-option", "I4"),
    (spoil(1, ANSWER, "AAB"), "repeated-answer", "I4"),
    (spoil(2, ANSWER, "也许"), "bad-truth", "I5"),
    (spoil(2, ANSWER, None), "missing-answer", "I5"),
    (spoil(3, ANSWER, None), "missing-answer", "I6"),
    (spoil(3, ANSWER, "1000"), "blank-count", "I6"),
    (spoil(3, ANSWER, "1000；1；2"), "blank-count", "I6"),
    (spoil(3, ANSWER, "；1"), "empty-blank", "I6"),
    (spoil(0, POINTS, 0), "bad-points", "J3"),
    (spoil(0, POINTS, -1), "bad-points", "J3"),
    (spoil(0, POINTS, 0.0005), "bad-points", "J3"),
    (spoil(0, POINTS, "一分"), "bad-points", "J3"),
    (spoil(0, MEDIA, "没有.png"), "picture-missing", "K3"),
    (spoil(0, MEDIA, "../题库.xlsx"), "picture-name", "K3"),
    (spoil(0, MEDIA, "题库.xlsx"), "picture-unknown", "K3"),
]


@pytest.mark.parametrize(
    ("spoiled", "code", "cell"), FAULTS, ids=[f"{code}-{n}" for n, (_, code, _) in enumerate(FAULTS)]
)
def test_one_fault_is_one_entry(tmp_path: Path, spoiled, code: str, cell: str) -> None:
    rows = items()
    spoiled(rows)
    bank, report = read(tmp_path, rows)
    assert bank is None
    assert codes(report) == [(code, cell)]
    fault = report.faults[0]
    assert fault.place.column in BANK_HEADERS
    assert "{" not in fault.what.zh + fault.what.en + fault.mend.zh + fault.mend.en


def test_all_faults_are_in_one_report(tmp_path: Path) -> None:
    rows = items()
    rows[0][ANSWER] = "D"
    rows[1][POINTS] = "x"
    rows[1][ANSWER] = "E"
    rows[3][STEM] = None
    assert codes(read(tmp_path, rows)[1]) == [
        ("answer-not-an-option", "I3"),
        ("answer-not-an-option", "I4"),
        ("bad-points", "J4"),
        ("missing-value", "D6"),
    ]


@pytest.mark.parametrize("true", ["对", "√", "T", "正确", "是", "true", "✓", "Y", "t", "Ｔ", True])
def test_spellings_of_true(tmp_path: Path, true: Any) -> None:
    rows = items()
    rows[2][ANSWER] = true
    bank, _ = read(tmp_path, rows)
    assert bank is not None
    assert bank.items[2].key == "T"


@pytest.mark.parametrize("false", ["错", "×", "F", "错误", "否", "x", "False", False])
def test_spellings_of_false(tmp_path: Path, false: Any) -> None:
    rows = items()
    rows[2][ANSWER] = false
    bank, _ = read(tmp_path, rows)
    assert bank is not None
    assert bank.items[2].key == "F"


def test_true_false_with_options_of_its_own(tmp_path: Path) -> None:
    rows = items()
    rows[2][A], rows[2][B], rows[2][ANSWER] = "正确", "错误", "B"
    bank, _ = read(tmp_path, rows)
    assert bank is not None
    assert bank.items[2].key == "F"


@pytest.mark.parametrize("answer", ["ABD", "abd", "A,B,D", "A、B、D", "D B A", "ＡＢＤ", "A；B；D"])
def test_spellings_of_several_answers(tmp_path: Path, answer: str) -> None:
    rows = items()
    rows[1][ANSWER] = answer
    bank, _ = read(tmp_path, rows)
    assert bank is not None
    assert bank.items[1].key == ["A", "B", "D"]


@pytest.mark.parametrize(
    ("stem", "answer", "key"),
    [
        ("水的____。", "密度", [["密度"]]),
        ("水的____。", "密度|比重｜容重", [["密度", "比重", "容重"]]),
        ("（ ）和（ ）", "甲;乙", [["甲"], ["乙"]]),
        ("____", "a\\;b", [["a;b"]]),
        ("____", "\\frac{1}{2}|0.5", [["\\frac{1}{2}", "0.5"]]),
        ("没有画线", "甲；乙", [["甲"], ["乙"]]),
        ("____", "=5", [["=5"]]),
        ("____", 0.7, [["0.7"]]),
        ("____", 1000, [["1000"]]),
        ("____", "甲；", [["甲"]]),
    ],
)
def test_fill_in_answers(tmp_path: Path, stem: str, answer: Any, key: list[list[str]]) -> None:
    rows = items()
    rows[3][STEM] = stem
    rows[3][ANSWER] = answer

    def keep_as_text(book: Workbook) -> None:
        book["试题"]["I6"].data_type = "s" if isinstance(answer, str) else "n"

    bank, report = read(tmp_path, rows, spoil=keep_as_text)
    assert report.faults == []
    assert bank is not None
    assert bank.items[3].key == key


def test_a_number_that_is_shown_otherwise_is_read_as_shown_or_noted(tmp_path: Path) -> None:
    rows = items()
    rows[0][A], rows[0][B] = 0.25, 1.5

    def format_numbers(book: Workbook) -> None:
        book["试题"]["E3"].number_format = "0%"
        book["试题"]["F3"].number_format = "0.00"

    bank, report = read(tmp_path, rows, spoil=format_numbers)
    assert bank is not None
    assert [option.text for option in bank.items[0].options] == ["25%", "1.5"]
    assert notes(report) == [("number-format", "E3"), ("number-format", "F3")]


def test_the_same_stem_with_other_options_is_two_items(tmp_path: Path) -> None:
    rows = items()
    rows.append([6, "单选题", "水文", "水往哪里流？ ", "东", "西", None, None, "A", 1, None])
    bank, report = read(tmp_path, rows)
    assert bank is not None
    assert len(bank.items) == 6
    assert ("same-stem", "D8") in notes(report)


@pytest.mark.parametrize(("first", "second"), [("低处", "高处"), ("高处", "低处"), ("低 处", "高处")])
def test_the_same_stem_with_the_same_options_is_a_fault(tmp_path: Path, first: str, second: str) -> None:
    rows = items()
    rows.append([6, "单选题", "机电", "水往哪里流？", first, second, None, None, "A", 1, None])
    assert codes(read(tmp_path, rows)[1]) == [("duplicate-item", "D8")]


def test_letters_before_options_go_when_all_have_them(tmp_path: Path) -> None:
    rows = items()
    rows[0][A], rows[0][B] = "A. 低处", "B、高处"
    rows[1][A], rows[1][B] = "A. 大坝", "水闸"
    bank, _ = read(tmp_path, rows)
    assert bank is not None
    assert [option.text for option in bank.items[0].options] == ["低处", "高处"]
    assert bank.items[1].options[0].text == "A. 大坝"


def test_more_options_than_four(tmp_path: Path) -> None:
    headers = [*BANK_HEADERS[:8], "选项E", "F", *BANK_HEADERS[8:]]
    rows = [[*row[:8], None, None, *row[8:]] for row in items()]
    rows[1][8], rows[1][9], rows[1][10] = "泵站", "涵洞", "ABDEF"
    bank, _ = read(tmp_path, rows, headers=headers)
    assert bank is not None
    assert bank.items[1].key == ["A", "B", "D", "E", "F"]


def test_points_are_thousandths_and_default_to_one(tmp_path: Path) -> None:
    rows = items()
    rows[0][POINTS], rows[1][POINTS], rows[2][POINTS] = 0.5, "1.125", None
    rows[3][POINTS] = "2分"
    bank, report = read(tmp_path, rows)
    assert bank is not None
    assert [item.points_milli for item in bank.items[:4]] == [500, 1125, 1000, 2000]
    assert ("points-default", "J5") in notes(report)


def test_a_bank_without_numbers_is_numbered_by_row(tmp_path: Path) -> None:
    bank, report = read(tmp_path, [row[1:] for row in items()], headers=BANK_HEADERS[1:])
    assert bank is not None
    assert [item.number for item in bank.items] == ["1", "2", "3", "4", "5"]
    assert [code for code, _ in notes(report)] == ["number-by-row"]


def test_a_bank_as_csv(tmp_path: Path) -> None:
    path = workbooks.csv_file(tmp_path / "题库.csv", [BANK_HEADERS, *items()], encoding="gb18030")
    bank, report, _ = read_bank(path)
    assert report.faults == []
    assert bank is not None
    assert bank.items[3].key == [["1000", "一千"], ["1"]]


# --- pictures


def test_pictures_beside_the_bank(tmp_path: Path) -> None:
    (tmp_path / "渗流.png").write_bytes(png())
    (tmp_path / "b.JPG").write_bytes(JPEG)
    (tmp_path / "c.svg").write_bytes(SVG)
    headers = [*BANK_HEADERS, "选项A图片", "选项B图片"]
    rows = [[*row, None, None] for row in items()]
    rows[0][MEDIA] = "渗流.png；b.jpg"
    rows[0][A], rows[0][11] = None, "c.svg"
    bank, report = read(tmp_path, rows, headers=headers)
    assert report.faults == []
    assert bank is not None
    kinds = [bank.media[sha256].content_type for sha256 in bank.items[0].media]
    assert kinds == ["image/png", "image/jpeg"]
    option = bank.items[0].options[0]
    assert option.text == ""
    assert option.media is not None
    assert bank.media[option.media].content_type == "image/svg+xml"
    assert report.counts["media"] == 3


def test_a_stem_may_be_a_picture_alone(tmp_path: Path) -> None:
    (tmp_path / "q.png").write_bytes(png())
    rows = items()
    rows[0][STEM], rows[0][MEDIA] = None, "q.png"
    bank, _ = read(tmp_path, rows)
    assert bank is not None
    assert bank.items[0].stem == ""


UNSAFE = [
    b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
    b'<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>',
    b'<svg xmlns="http://www.w3.org/2000/svg"><image href="http://a/b.png"/></svg>',
    b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink"><use x:href="b.svg#a"/></svg>',
    b'<svg xmlns="http://www.w3.org/2000/svg"><a href="javascript:x()"/></svg>',
    b'<svg xmlns="http://www.w3.org/2000/svg"><style>@import "a.css";</style></svg>',
    b'<svg xmlns="http://www.w3.org/2000/svg"><rect style="fill:url(http://a/b)"/></svg>',
    b'<svg xmlns="http://www.w3.org/2000/svg"><rect style="fill:\\75 rl(x)"/></svg>',
    b'<svg xmlns="http://www.w3.org/2000/svg"><foreignObject/></svg>',
    b'<svg xmlns="http://www.w3.org/2000/svg"><body xmlns="http://www.w3.org/1999/xhtml"/></svg>',
    b'<svg xmlns="http://www.w3.org/2000/svg"><image href="data:text/html;base64,AA"/></svg>',
    b'<svg xmlns="http://www.w3.org/2000/svg"><set attributeName="href" to="x"/></svg>',
    b'<?xml-stylesheet href="a.css"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    b'<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
]


@pytest.mark.parametrize("body", UNSAFE)
def test_an_svg_that_runs_or_fetches_is_refused(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "q.svg").write_bytes(body)
    rows = items()
    rows[0][MEDIA] = "q.svg"
    assert codes(read(tmp_path, rows)[1]) == [("picture-unsafe", "K3")]


@pytest.mark.parametrize(
    "body",
    [
        SVG,
        b'<svg xmlns="http://www.w3.org/2000/svg"><defs><path id="a"/></defs><use href="#a" fill="url(#a)"/></svg>',
        b'<svg xmlns="http://www.w3.org/2000/svg"><style>.a{fill:url("#b")}</style><text>on load</text></svg>',
        b'<svg xmlns="http://www.w3.org/2000/svg"><image href="data:image/png;base64,AA"/></svg>',
    ],
)
def test_a_harmless_svg_passes(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "q.svg").write_bytes(body)
    rows = items()
    rows[0][MEDIA] = "q.svg"
    assert read(tmp_path, rows)[1].faults == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"\x89PNG\r\n\x1a\n", "picture-unknown"),
        (png()[:40], "picture-unknown"),
        (JPEG[:60], "picture-unknown"),
        (b"GIF89a", "picture-unknown"),
        (b"<html><svg></svg></html>", "picture-unknown"),
        (b"<svg>", "picture-unknown"),
        (png(60_000, 60_000), "picture-too-big"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * (2 * 1024 * 1024), "picture-too-big"),
    ],
)
def test_a_picture_is_judged_by_its_content(tmp_path: Path, body: bytes, code: str) -> None:
    (tmp_path / "q.png").write_bytes(body)
    rows = items()
    rows[0][MEDIA] = "q.png"
    assert codes(read(tmp_path, rows)[1]) == [(code, "K3")]


def paste(path: Path, row: int) -> Path:
    """Put a picture on ``row`` (from 1) as Excel would store it."""
    drawing = (
        '<xdr:wsDr xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing">'
        f"<xdr:oneCellAnchor><xdr:from><xdr:col>3</xdr:col><xdr:row>{row - 1}</xdr:row></xdr:from><xdr:pic/>"
        "</xdr:oneCellAnchor></xdr:wsDr>"
    )
    with zipfile.ZipFile(path, "a") as book:
        book.writestr("xl/drawings/drawing1.xml", drawing)
        book.writestr("xl/media/image1.png", png())
    return path


def test_a_picture_pasted_on_an_item_is_a_fault_and_a_letterhead_is_not(tmp_path: Path) -> None:
    on_item = read_bank(paste(workbooks.bank(tmp_path / "a.xlsx"), 4))[1]
    assert [(fault.code, fault.place.reference) for fault in on_item.faults] == [("pasted-picture", "试题!4")]
    on_top = read_bank(paste(workbooks.bank(tmp_path / "b.xlsx"), 1))[1]
    assert on_top.faults == []
    assert notes(on_top) == [("picture-on-top", "1")]
