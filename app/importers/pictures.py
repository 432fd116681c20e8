"""Pictures of a bank: files beside it, judged by content, and harmless in a browser.

A picture is sent to every candidate's browser, so an SVG must hold nothing that runs or that fetches: no script, no
event attribute, no foreign markup, no reference but to its own parts or to data inside it. What cannot be judged
(entities, style sheets, other encodings) is refused rather than cleaned.
"""

from __future__ import annotations

import hashlib
import re
import struct
import unicodedata
from pathlib import Path
from xml.etree import ElementTree as ET

from app.importers.model import MediaFile

MOST_BYTES = 2 * 1024 * 1024
# Beyond this an old PC spends its memory on one picture.
MOST_PIXELS = 40_000_000

_PNG = b"\x89PNG\r\n\x1a\n"
_SVG = "{http://www.w3.org/2000/svg}"
_XHTML = "{http://www.w3.org/1999/xhtml}"
_RUNS = ("script", "foreignObject", "handler", "listener", "iframe", "embed", "object", "audio", "video", "animate")
_INNER_DATA = re.compile(r"data:image/(png|jpeg|gif);base64,", re.IGNORECASE)
_URL = re.compile(r"url\(\s*['\"]?\s*([^)'\"\s]*)", re.IGNORECASE)
_NAMES = re.compile(r"[;；|,，、\n]+")


class PictureFault(Exception):  # noqa: N818 -- a finding about a file, kept in the report
    """``code`` is a key of ``messages.BANK``."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


def names(text: str) -> list[str]:
    """The file names in a cell, in order, each once."""
    return list(dict.fromkeys(part.strip() for part in _NAMES.split(text) if part.strip()))


def load_picture(folder: Path, name: str) -> MediaFile:
    """The picture called ``name`` in ``folder``. Raises PictureFault."""
    if name in (".", "..") or any(mark in name for mark in "/\\\0"):
        raise PictureFault("picture-name")
    path = _find(folder, name)
    try:
        if path is None or not path.is_file():
            raise PictureFault("picture-missing")
        if path.stat().st_size > MOST_BYTES:
            raise PictureFault("picture-too-big", limit="2 MB")
        body = path.read_bytes()
    except OSError as error:
        raise PictureFault("picture-missing") from error
    return MediaFile(hashlib.sha256(body).hexdigest(), content_type(body), body)


def _find(folder: Path, name: str) -> Path | None:
    path = folder / name
    if path.exists():
        return path
    # Windows ignores case, and a Mac's archive spells Chinese names decomposed.
    wanted = unicodedata.normalize("NFC", name).casefold()
    same = (each for each in folder.iterdir() if unicodedata.normalize("NFC", each.name).casefold() == wanted)
    return next(same, None)


def content_type(body: bytes) -> str:
    """The media type by content. Raises PictureFault for anything but a sound PNG, JPEG or harmless SVG."""
    if body.startswith(_PNG):
        size = _png_size(body)
        kind = "image/png"
    elif body.startswith(b"\xff\xd8\xff"):
        size = _jpeg_size(body)
        kind = "image/jpeg"
    else:
        _check_svg(body)
        return "image/svg+xml"
    if size is None:
        raise PictureFault("picture-unknown")
    if not 0 < size[0] * size[1] <= MOST_PIXELS:
        raise PictureFault("picture-too-big", limit=f"{MOST_PIXELS // 1_000_000} MP")
    return kind


def _png_size(body: bytes) -> tuple[int, int] | None:
    if body[12:16] != b"IHDR" or b"IEND" not in body[-64:] or len(body) < 33:
        return None
    width, height = struct.unpack(">II", body[16:24])
    return width, height


def _jpeg_size(body: bytes) -> tuple[int, int] | None:
    """Width and height from the frame header, found by walking the segments; None where the file is cut or broken."""
    at = 2
    while at + 9 < len(body):
        if body[at] != 0xFF:
            return None
        marker = body[at + 1]
        if marker == 0xFF:  # padding between segments
            at += 1
            continue
        length = int(struct.unpack(">H", body[at + 2 : at + 4])[0])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", body[at + 5 : at + 9])
            return (width, height) if b"\xff\xd9" in body[-512:] else None
        at += 2 + length
    return None


def _check_svg(body: bytes) -> None:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PictureFault("picture-unknown") from None
    lowered = text.lower()
    if "<svg" not in lowered:
        raise PictureFault("picture-unknown")
    for mark in ("<!entity", "<!doctype", "<?xml-stylesheet"):
        # A plain DOCTYPE is harmless, but only a DOCTYPE can bring entities: nothing drawn for an exam needs one.
        if mark in lowered:
            raise PictureFault("picture-unsafe", found=mark.strip("<!?"))
    try:
        root = ET.fromstring(text)  # noqa: S314 -- documents with entities were refused above
    except (ET.ParseError, ValueError):
        raise PictureFault("picture-unknown") from None
    if root.tag != f"{_SVG}svg":
        raise PictureFault("picture-unknown")
    for element in root.iter():
        _check_element(element)


def _check_element(element: ET.Element) -> None:
    tag = str(element.tag)
    local = tag.rpartition("}")[2]
    if tag.startswith(_XHTML) or local.lower().startswith(tuple(name.lower() for name in _RUNS)) or local == "set":
        raise PictureFault("picture-unsafe", found=local)
    if local == "style":
        _check_style(element.text or "", "style")
    for attribute, value in element.attrib.items():
        name = attribute.rpartition("}")[2].lower()
        if name.startswith("on"):
            raise PictureFault("picture-unsafe", found=name)
        if name in ("href", "src", "data", "action") and not _inside(value):
            raise PictureFault("picture-unsafe", found=name)
        _check_style(value, name)


def _check_style(text: str, found: str) -> None:
    """Style text, or an attribute that may hold some: nothing is fetched and nothing is spelled in disguise."""
    lowered = "".join(text.split()).lower()
    if "@import" in lowered or "javascript:" in lowered or "expression(" in lowered:
        raise PictureFault("picture-unsafe", found=found)
    if found == "style" and "\\" in text:
        raise PictureFault("picture-unsafe", found=found)
    if any(not _inside(target) for target in _URL.findall(text)):
        raise PictureFault("picture-unsafe", found=found)


def _inside(target: str) -> bool:
    value = target.strip()
    return value.startswith("#") or bool(_INNER_DATA.match(value))
