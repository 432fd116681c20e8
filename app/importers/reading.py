"""From paths to one workbook: an .xlsx, a .csv, several .csv files, or a folder or .zip of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.importers.container import kind_of, load
from app.importers.csvs import read_folder, read_zip, sheet_of
from app.importers.workbook import LIMITS, Limits, Progress, Workbook, digest
from app.importers.xlsx import read_xlsx


def read_workbook(paths: Sequence[Path], *, limits: Limits = LIMITS, progress: Progress | None = None) -> Workbook:
    """The sheets of all ``paths`` as one workbook, named after the first. Raises Unreadable."""
    books = [_read_one(path, limits, progress) for path in paths]
    if len(books) == 1:
        return books[0]
    sheets = tuple(sheet for book in books for sheet in book.sheets)
    pictures = tuple(picture for book in books for picture in book.pictures)
    together = digest("\n".join(book.sha256 for book in books).encode())
    return Workbook(books[0].file, books[0].folder, together, sheets, pictures)


def _read_one(path: Path, limits: Limits, progress: Progress | None) -> Workbook:
    if path.is_dir():
        return read_folder(path, limits, progress)
    data = load(path, limits)
    kind = kind_of(data, path.name)
    folder = path.parent
    if kind == "xlsx":
        return read_xlsx(data, file=path.name, folder=folder, limits=limits, progress=progress)
    if kind == "zip":
        return read_zip(data, file=path.name, folder=folder, limits=limits, progress=progress)
    sheet = sheet_of(data, file=path.name, name=path.stem, limits=limits, progress=progress)
    return Workbook(path.name, folder, digest(data), (sheet,))
