"""What kind of file this is, by its content, and whether it is safe to unpack.

An office renames files and web systems export HTML pages as ``.xls``; the name therefore decides nothing. Everything
that is not read here gets one sentence (``Unreadable``) that says what it is and what to do.
"""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

from app.importers.faults import Unreadable
from app.importers.workbook import LIMITS, Limits, size_text

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
ENCRYPTED_MEMBER = 0x1

# First bytes of what people import by mistake.
_LOOKS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "PDF 文件", "a PDF file"),
    (b"\x89PNG", "PNG 图片", "a PNG picture"),
    (b"\xff\xd8\xff", "JPEG 图片", "a JPEG picture"),
    (b"GIF8", "GIF 图片", "a GIF picture"),
    (b"Rar!", "RAR 压缩包", "a RAR archive"),
    (b"7z\xbc\xaf", "7z 压缩包", "a 7z archive"),
    (b"\x1f\x8b", "gzip 压缩文件", "a gzip file"),
    (b"MZ", "程序文件", "a program"),
    (b"\x7fELF", "程序文件", "a program"),
    (b"SQLite format 3", "SQLite 数据库", "an SQLite database"),
)
_MARKUP = (b"<!doctype html", b"<html", b"<table", b"<head", b"<meta", b"<style")


def load(path: Path, limits: Limits = LIMITS) -> bytes:
    """The bytes of a file within the size limit. Raises Unreadable."""
    try:
        size = path.stat().st_size
        if size > limits.file_bytes:
            raise Unreadable("file-too-big", file=path.name, size=size_text(size), limit=size_text(limits.file_bytes))
        data = path.read_bytes()
    except FileNotFoundError:
        raise Unreadable("file-missing", file=path.name) from None
    except OSError as error:
        raise Unreadable("file-unreadable", file=path.name, reason=error.strerror or type(error).__name__) from error
    if not data.strip():
        raise Unreadable("file-empty", file=path.name)
    return data


def kind_of(data: bytes, file: str) -> str:
    """'xlsx', 'zip' (of other files) or 'text'. Raises Unreadable for everything else."""
    if data.startswith(OLE):
        if ENCRYPTED_STREAM in data:
            raise Unreadable("workbook-encrypted", file=file)
        raise Unreadable("old-workbook", file=file, format="Excel 97–2003 (.xls)")
    if data.startswith(b"PK"):
        return _kind_of_zip(data, file)
    for magic, zh, en in _LOOKS:
        if data.startswith(magic):
            raise Unreadable("not-a-workbook", file=file, looks_zh=zh, looks_en=en)
    start = data[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(_MARKUP):
        raise Unreadable("not-a-workbook", file=file, looks_zh="网页（HTML）", looks_en="a web page (HTML)")
    if start.startswith((b"<?xml", b"{", b"[{")):
        raise Unreadable("not-a-workbook", file=file, looks_zh="XML 或 JSON", looks_en="XML or JSON")
    return "text"


def _kind_of_zip(data: bytes, file: str) -> str:
    with open_zip(data, file) as archive:
        names = set(archive.namelist())
        if "xl/workbook.xml" in names:
            return "xlsx"
        if "xl/workbook.bin" in names:
            raise Unreadable("old-workbook", file=file, format=".xlsb")
        if "content.xml" in names and "mimetype" in names:
            raise Unreadable("old-workbook", file=file, format=".ods")
        if "[Content_Types].xml" in names:
            looks = ("Word 文档", "a Word document") if "word/document.xml" in names else ("Office 文档", "a document")
            if any(name.startswith("xl/") for name in names):
                raise Unreadable("workbook-damaged", file=file)
            raise Unreadable("not-a-workbook", file=file, looks_zh=looks[0], looks_en=looks[1])
        return "zip"


def open_zip(data: bytes, file: str, limits: Limits = LIMITS) -> zipfile.ZipFile:
    """The archive, once its directory promises to stay within the limits.

    Python's reader never returns more than the directory declares for a member, so the declared sizes bound what
    unpacking can cost: a zip bomb is refused here, before a byte of it is unpacked.
    """
    try:
        archive = zipfile.ZipFile(BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise Unreadable("workbook-damaged", file=file) from error
    members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    if unpacked > limits.unpacked_bytes or len(members) > limits.members:
        raise Unreadable("file-too-big", file=file, size=size_text(unpacked), limit=size_text(limits.unpacked_bytes))
    if any(member.flag_bits & ENCRYPTED_MEMBER for member in members):
        raise Unreadable("workbook-encrypted", file=file)
    return archive
