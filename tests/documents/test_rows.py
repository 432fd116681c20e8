"""Many rows as files: more than a sheet holds, texts that are no formulas, and characters no file can hold."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import openpyxl
import pytest

from app.documents import rows
from app.documents.rows import Column, Letters, writer

COLUMNS = (Column("name", "姓名", "Name", 20), Column("n", "数", "N"))
ROWS = [
    ("=1+1", 1), ("@SUM(A1)", -2), ("\ttab", None), ("张三\n<李四>&", 0.5), (Letters(["A", "C"]), True),
    (["渠", "首"], 7), (["1", "2"], 8),
    ("半\ud800个\x00", datetime(2026, 11, 24, 9, 0, tzinfo=UTC)),
]  # fmt: skip


def written(form: str, chunks=(ROWS,)) -> bytes:
    out = io.BytesIO()
    pen = writer(form, out, COLUMNS, "zh", title="名单")
    for chunk in chunks:
        pen.write(chunk)
    pen.close()
    return out.getvalue()


def test_no_cell_of_a_csv_file_is_a_formula_and_numbers_stay_numbers():
    lines = list(csv.reader(io.StringIO(written("csv").decode("utf-8-sig"), newline="")))
    assert [line[0] for line in lines] == [
        "姓名", "'=1+1", "'@SUM(A1)", "'\ttab", "张三\n<李四>&", "AC", "渠 | 首", "1 | 2", "半?个\x00",
    ]  # fmt: skip
    assert [line[1] for line in lines[1:]] == ["1", "-2", "", "0.5", "True", "7", "8", "2026-11-24 09:00:00"]


def test_json_keeps_what_a_value_is():
    found = json.loads(written("json", [ROWS[:3], [], ROWS[3:]]))["名单"]
    assert [one["n"] for one in found] == [1, -2, None, 0.5, True, 7, 8, "2026-11-24T09:00:00+00:00"]
    assert found[4]["name"] == ["A", "C"]


@pytest.mark.parametrize("shared", [0, 2, 50_000])
def test_a_workbook_goes_on_on_the_next_sheet_and_says_the_same_however_its_texts_are_kept(monkeypatch, shared):
    monkeypatch.setattr(rows, "ROWS_A_SHEET", 3)
    monkeypatch.setattr(rows, "SHARED", shared)
    book = openpyxl.load_workbook(io.BytesIO(written("xlsx", [ROWS[:2], ROWS[2:]])))
    assert book.sheetnames == ["名单", "名单 2", "名单 3"]
    cells = [[cell.value for cell in row] for sheet in book for row in list(sheet.iter_rows())[1:]]
    assert [row[0] for row in cells] == ["=1+1", "@SUM(A1)", "\ttab", "张三\n<李四>&", "AC", "渠 | 首", "1 | 2", "半个"]
    assert [row[1] for row in cells] == [1, -2, None, 0.5, "True", 7, 8, "2026-11-24 09:00:00"]
    assert {sheet.cell(1, 1).value for sheet in book} == {"姓名"}
    assert book["名单"].cell(2, 1).data_type == "s"


def test_a_cell_that_is_cut_says_so_and_is_as_long_as_excel_counts():
    fits, long = "长" * rows.LONGEST, "𠮷" * 20_000
    assert rows._cut(fits) == fits
    cut = rows._cut(long)
    assert len(cut.encode("utf-16-le")) // 2 <= rows.LONGEST
    assert (cut.endswith(rows.CUT), set(cut[: -len(rows.CUT)])) == (True, {"𠮷"})
