"""Reading .csv files: one file, or the three of a roster in a folder or .zip.

A CSV has no sheets, so one file is one sheet named after it. Excel writes CSV in the system's code page (GB 18030
covers what Chinese Windows ever used), WPS and others in UTF-8 with a mark; "Unicode text" is UTF-16 with tabs.
"""

from __future__ import annotations

import csv
import re
import zipfile
import zlib
from io import StringIO
from pathlib import Path, PurePosixPath

from app.importers.container import load, open_zip
from app.importers.faults import Unreadable
from app.importers.workbook import EMPTY, LIMITS, Cell, Limits, Progress, Sheet, Workbook, digest, gather

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
# ="0012" is how exports keep Excel from eating zeros: text, not a formula.
_QUOTED = re.compile(r'="([^"]*)"')
_SEPARATORS = (",", "\t", ";")


def decode(data: bytes, file: str) -> str:
    """The text of a CSV file. Raises Unreadable when no encoding in use here fits."""
    encodings = ("utf-16",) if data.startswith(_UTF16) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Unreadable("not-a-workbook", file=file, looks_zh="无法识别的二进制数据", looks_en="unknown binary data")


def sheet_of(
    data: bytes,
    *,
    file: str,
    name: str,
    limits: Limits = LIMITS,
    before: int = 0,
    progress: Progress | None = None,
) -> Sheet:
    """One CSV as a sheet. Rows are counted as a spreadsheet program shows them."""
    text = decode(data, file)
    reader = csv.reader(StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    rows: list[tuple[int, tuple[Cell, ...]]] = []
    try:
        for number, raw in enumerate(reader, start=1):
            if before + len(rows) >= limits.rows:
                raise Unreadable("too-many-rows", file=file, limit=limits.rows)
            rows.append((number, tuple(_cell(value) for value in raw[: limits.columns])))
            if progress is not None and number % 200 == 0:
                progress(before + number)
    except csv.Error as error:
        raise Unreadable("csv-damaged", file=file, line=reader.line_num) from error
    return gather(name, rows)


def _separator(text: str) -> str:
    """The separator that splits the first rows into most columns; the comma where none does."""
    head = text.splitlines()[:5]
    return max(_SEPARATORS, key=lambda separator: max((line.count(separator) for line in head), default=0))


def _cell(value: str) -> Cell:
    if not value.strip():
        return EMPTY
    quoted = _QUOTED.fullmatch(value.strip())
    if quoted:
        return Cell(quoted.group(1), "text") if quoted.group(1).strip() else EMPTY
    # A CSV holds text only; what begins with '=' may be a formula or an answer, and the reader of the column knows.
    return Cell(value, "text")


def read_folder(folder: Path, limits: Limits = LIMITS, progress: Progress | None = None) -> Workbook:
    """Every .csv directly in ``folder``, as the sheets of one workbook."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".csv" and path.is_file())
    except OSError as error:
        raise Unreadable("file-unreadable", file=folder.name, reason=error.strerror or "") from error
    if not paths:
        raise Unreadable("nothing-inside", file=folder.name)
    return _together([(path.stem, load(path, limits)) for path in paths], folder.name, folder, limits, progress)


def read_zip(
    data: bytes, *, file: str, folder: Path, limits: Limits = LIMITS, progress: Progress | None = None
) -> Workbook:
    """Every .csv in a .zip, as the sheets of one workbook."""
    with open_zip(data, file, limits) as archive:
        try:
            parts = [
                (PurePosixPath(info.filename).stem, archive.read(info))
                for info in archive.infolist()
                if info.filename.lower().endswith(".csv") and not info.filename.startswith("__MACOSX/")
            ]
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
            raise Unreadable("workbook-damaged", file=file) from error
    if not parts:
        raise Unreadable("nothing-inside", file=file)
    return _together(parts, file, folder, limits, progress)


def _together(
    parts: list[tuple[str, bytes]], file: str, folder: Path, limits: Limits, progress: Progress | None
) -> Workbook:
    sheets: list[Sheet] = []
    for name, data in parts:
        before = sum(len(sheet.rows) for sheet in sheets)
        sheets.append(sheet_of(data, file=file, name=name, limits=limits, before=before, progress=progress))
    return Workbook(file, folder, digest(b"\0".join(data for _, data in parts)), tuple(sheets))
