"""The files of a folder or .zip of photos, one by one, whatever lies around them.

Nothing is ever unpacked onto the disk: a member's path is only read, so a path that leads out of the archive leads
nowhere. One file at a time is held, and no more of it is unpacked than a photo may have, whatever the directory of the
archive declares. That bound holds for what is stored or deflated, as every program writes it; other methods unpack
without one, and their members count as damaged.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.domain.errors import Refused
from app.domain.photos import is_litter
from app.importers.portrait import MOST_BYTES

MOST_FILES = 50_000
MOST_UNPACKED = 8 * 1024**3
_ENCRYPTED = 0x1
_UTF8_NAME = 0x800
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError)


@dataclass(frozen=True, slots=True)
class Found:
    """One file. ``body`` None: it is larger than any photo; b"": it cannot be read."""

    path: str
    body: bytes | None


class Folder:
    """The files below a folder, deep ones too."""

    def __init__(self, path: Path) -> None:
        self.name = path.resolve().name
        self._root = path
        self._files = sorted(
            one for one in path.rglob("*") if one.is_file() and not is_litter(one.relative_to(path).as_posix())
        )
        _within(len(self._files), 0)

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[Found]:
        for one in self._files:
            path = one.relative_to(self._root).as_posix()
            try:
                yield Found(path, one.read_bytes() if one.stat().st_size <= MOST_BYTES else None)
            except OSError:
                yield Found(path, b"")


class Archive:
    """The members of a .zip. Refused: photos-not-an-archive, photos-encrypted, photos-too-many."""

    def __init__(self, file: Path | IO[bytes], name: str) -> None:
        self.name = name
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError):
            raise Refused("photos-not-an-archive", file=name) from None
        members = [one for one in self._zip.infolist() if not one.filename.endswith("/")]
        if any(one.flag_bits & _ENCRYPTED for one in members):
            raise Refused("photos-encrypted", file=name)
        _within(len(members), sum(one.file_size for one in members if one.file_size <= MOST_BYTES))
        named = ((_name(one), one) for one in members)
        self._members = sorted(((path, one) for path, one in named if not is_litter(path)), key=lambda each: each[0])

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Found]:
        for path, member in self._members:
            if member.file_size > MOST_BYTES:
                yield Found(path, None)
                continue
            yield Found(path, self._read(member))

    def _read(self, member: zipfile.ZipInfo) -> bytes | None:
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            return b""
        try:
            with self._zip.open(member) as file:
                body = file.read(MOST_BYTES + 1)
        except _DAMAGED:
            return b""
        return body if len(body) <= MOST_BYTES else None


Source = Folder | Archive


def source_of(path: Path) -> Source:
    """Refused: photos-missing, photos-not-an-archive, photos-encrypted, photos-too-many."""
    if path.is_dir():
        return Folder(path)
    if not path.is_file():
        raise Refused("photos-missing", file=str(path))
    return Archive(path, path.name)


def _within(files: int, unpacked: int) -> None:
    if files > MOST_FILES or unpacked > MOST_UNPACKED:
        raise Refused("photos-too-many", files=files, most=MOST_FILES, gb=MOST_UNPACKED // 1024**3)


def _name(member: zipfile.ZipInfo) -> str:
    """The member's path. Chinese Windows writes GBK without saying so, and it is read as an old American code page."""
    name = member.filename
    if not member.flag_bits & _UTF8_NAME:
        try:
            raw = name.encode("cp437")
        except UnicodeEncodeError:
            return name.replace("\\", "/")
        for encoding in ("utf-8", "gb18030"):
            try:
                name = raw.decode(encoding)
            except UnicodeDecodeError:
                continue
            break
    return name.replace("\\", "/")
