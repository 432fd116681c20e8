"""What cannot be read at all gets one clear sentence; what can be read is read, whatever it is called."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest

from app.importers.container import OLE
from app.importers.faults import Unreadable
from app.importers.messages import FILES, MESSAGES
from app.importers.reading import read_workbook
from app.importers.roster import read_roster
from app.importers.workbook import LIMITS, Limits
from tests.importers import workbooks


def refused(path: Path, **kwargs) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        read_roster(path, **kwargs)
    fault = caught.value
    for language in ("zh", "en"):
        sentence = fault.text(language)
        assert path.name in sentence
        assert "{" not in sentence
        assert "\n" not in sentence
    return fault


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file-empty"),
        (b" \r\n", "file-empty"),
        (b"%PDF-1.7 \0", "not-a-workbook"),
        (b"\x89PNG\r\n\x1a\n", "not-a-workbook"),
        (b"<html><table><tr><td>x</td></tr></table>", "not-a-workbook"),
        (b"\xef\xbb\xbf<!DOCTYPE html><html>", "not-a-workbook"),
        (b'{"a": 1}', "not-a-workbook"),
        (bytes(range(256)) * 8, "not-a-workbook"),
        (b"\0\x01\x02 something", "not-a-workbook"),
        (OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "workbook-encrypted"),
        (OLE + b"\0" * 600 + "Workbook".encode("utf-16-le"), "old-workbook"),
        (b"PK\x03\x04 cut off", "workbook-damaged"),
        ("姓名,年龄\n张三,3\n".encode(), "unknown-headers"),
        ("就是一段话".encode("gb18030"), "unknown-headers"),
    ],
)
def test_a_file_that_is_none_gets_one_sentence(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "花名册.xlsx"
    path.write_bytes(content)
    assert refused(path).code == code


def test_a_missing_file(tmp_path: Path) -> None:
    assert refused(tmp_path / "没有.xlsx").code == "file-missing"


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"[Content_Types].xml": b"", "word/document.xml": b""}, "not-a-workbook"),
        ({"xl/workbook.bin": b""}, "old-workbook"),
        ({"mimetype": b"", "content.xml": b""}, "old-workbook"),
        ({"[Content_Types].xml": b"", "xl/workbook.xml": b"<workbook"}, "workbook-damaged"),
        ({"readme.txt": b"hello"}, "nothing-inside"),
    ],
)
def test_archives_that_are_no_workbook(tmp_path: Path, members: dict[str, bytes], code: str) -> None:
    assert refused(archive(tmp_path / "a.xlsx", members)).code == code


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = archive(tmp_path / "bomb.xlsx", {"xl/workbook.xml": b"0" * (LIMITS.unpacked_bytes + 1)})
    assert path.stat().st_size < 1_000_000
    assert refused(path).code == "file-too-big"


def test_a_bomb_that_lies_about_its_size_is_damaged(tmp_path: Path) -> None:
    path = workbooks.roster(tmp_path / "r.xlsx")
    with zipfile.ZipFile(path) as good:
        members = {name: good.read(name) for name in good.namelist() if name != "xl/worksheets/sheet2.xml"}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as bad:
        for name, content in members.items():
            bad.writestr(name, content)
        bad.writestr("xl/worksheets/sheet2.xml", b"0" * 50_000_000)
    data = bytearray(made.getvalue())
    # The directory now promises a hundred bytes for what unpacks to fifty million.
    at = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, at + 24, 100)
    path.write_bytes(bytes(data))
    assert len(data) < 200_000
    assert refused(path).code == "workbook-damaged"


def test_a_huge_file_is_not_even_opened(tmp_path: Path) -> None:
    path = tmp_path / "big.xlsx"
    with path.open("wb") as file:
        file.truncate(LIMITS.file_bytes + 1)
    assert refused(path).code == "file-too-big"


@pytest.mark.parametrize("make", [workbooks.roster, lambda path: workbooks.csv_file(path, workbooks.people(9))])
def test_too_many_rows(tmp_path: Path, make) -> None:
    path = make(tmp_path / "r.xlsx")
    with pytest.raises(Unreadable) as caught:
        read_workbook([path], limits=Limits(rows=5))
    assert caught.value.code == "too-many-rows"


def test_a_folder_without_tables(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert refused(tmp_path / "in").code == "nothing-inside"


def test_a_broken_quote_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text('准考证号,姓名\n"1"2,张三\n', encoding="utf-8")
    fault = refused(path)
    assert fault.code == "csv-damaged"
    assert fault.params["line"] == 2


def test_unknown_headers_name_what_was_seen_and_what_is_needed(tmp_path: Path) -> None:
    path = workbooks.roster(tmp_path / "r.xlsx", headers=["甲", "乙", "丙", "丁", "戊", "己", "庚", "辛", "壬", "癸"])
    fault = refused(path)
    assert fault.code == "unknown-headers"
    assert "甲、乙" in fault.text("zh")
    assert "准考证号" in fault.text("en")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_in_every_encoding_an_office_saves(tmp_path: Path, encoding: str) -> None:
    rows = workbooks.people()
    rows[0][2] = "王䶮"
    roster, report, _ = read_roster(workbooks.csv_roster(tmp_path, encoding=encoding, rows=rows))
    assert report.faults == []
    assert roster is not None
    assert roster.candidates[0].name == "王䶮"


@pytest.mark.parametrize("separator", ["\t", ";"])
def test_csv_with_other_separators(tmp_path: Path, separator: str) -> None:
    rows = [workbooks.HEADERS, *workbooks.people(sessions="1,2")]
    workbooks.csv_roster(tmp_path)
    workbooks.csv_file(tmp_path / "编排.csv", rows, separator=separator)
    assert read_roster(tmp_path)[1].faults == []


def test_three_csv_files_are_a_roster_by_option_folder_or_zip(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    workbooks.csv_roster(folder)
    packed = tmp_path / "花名册.zip"
    with zipfile.ZipFile(packed, "w") as made:
        for path in sorted(folder.iterdir()):
            made.write(path, path.name)
    by_option = read_roster(folder / "编排.csv", rooms=folder / "考室.csv", sessions=folder / "场次.csv")
    by_folder = read_roster(folder)
    by_zip = read_roster(packed)
    assert by_option[0] is not None
    assert by_option[0].candidates == by_folder[0].candidates == by_zip[0].candidates
    assert by_folder[2].sha256 == by_zip[2].sha256


def test_a_csv_roster_alone_says_what_else_is_needed(tmp_path: Path) -> None:
    path = workbooks.csv_file(tmp_path / "编排.csv", [workbooks.HEADERS, *workbooks.people()])
    roster, report, _ = read_roster(path)
    assert roster is None
    assert {(fault.code, fault.place.sheet) for fault in report.faults} == {
        ("sheet-missing", "考室"),
        ("sheet-missing", "场次"),
    }
    assert all("--rooms" in fault.mend.zh for fault in report.faults)


def test_text_that_excel_was_kept_from_eating(tmp_path: Path) -> None:
    rows = workbooks.people()
    rows[0][1] = '="00240001"'
    roster, report, _ = read_roster(workbooks.csv_roster(tmp_path, rows=rows))
    assert report.faults == []
    assert roster is not None
    assert roster.candidates[0].ticket == "00240001"


def test_a_formula_in_a_csv_is_one(tmp_path: Path) -> None:
    rows = workbooks.people()
    rows[0][1] = "=B3"
    _, report, _ = read_roster(workbooks.csv_roster(tmp_path, rows=rows))
    assert [fault.code for fault in report.faults] == ["formula"]


def test_every_message_is_in_two_languages() -> None:
    assert len(MESSAGES) > 90
    for code, message in MESSAGES.items():
        assert message.what.zh, code
        assert message.what.en, code
        assert bool(message.mend.zh) == bool(message.mend.en), code
        assert any("\u4e00" <= char <= "\u9fff" for char in message.what.zh), code
    assert all(message.mend.zh for message in FILES.values())
