"""What a file that is kept as evidence may be, told by its first bytes and never by its name or by who sent it."""

from __future__ import annotations

import unicodedata

UTF8 = "text/plain; charset=utf-8"
GB18030 = "text/plain; charset=gb18030"
# A file's name as people see it in a list and on paper.
LONGEST_NAME = 120
_MAGIC = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"%PDF-", "application/pdf"))
_ENDINGS = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "application/pdf": ".pdf"}
# Layout, and the mark at the end of an old DOS file.
_LAYOUT = frozenset("\t\n\r\f\x1a")


def kind_of(body: bytes) -> str | None:
    """The content type of ``body``: JPEG, PNG, WebP, PDF or plain text (UTF-8, or GB18030 as old PCs write it); None
    for anything else. A picture may still be damaged further in: it is kept as it came, with its hash."""
    for magic, kind in _MAGIC:
        if body.startswith(magic):
            return kind
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    for encoding, kind in (("utf-8", UTF8), ("gb18030", GB18030)):
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        # Each character once: a file of ten megabytes has some thousand different ones.
        strange = [one for one in set(text) - _LAYOUT if unicodedata.category(one) in ("Cc", "Co", "Cn")]
        return None if strange else kind
    return None


def is_picture(kind: str) -> bool:
    return kind.startswith("image/")


def plain_name(name: str, kind: str) -> str:
    """``name`` without folders and unprintable characters, short enough, and with an ending that tells its kind."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(one for one in last if unicodedata.category(one)[0] != "C").strip(" .")
    ending = _ENDINGS.get(kind, ".txt")
    stem, dot, written = clean.rpartition(".")
    same = {".jpg": {"jpg", "jpeg"}, ".txt": {"txt", "log", "csv", "md"}}.get(ending, {ending[1:]})
    if not dot or written.lower() not in same:
        return (clean or "evidence")[: LONGEST_NAME - len(ending)] + ending
    return f"{stem[: LONGEST_NAME - len(written) - 1]}.{written}"


def pixels(body: bytes, kind: str) -> tuple[int, int] | None:
    """(width, height) of a PNG or JPEG as its head tells; None for anything else, or when the head is damaged."""
    if kind == "image/png" and body[12:16] == b"IHDR":
        return _real(int.from_bytes(body[16:20]), int.from_bytes(body[20:24]))
    if kind != "image/jpeg":
        return None
    at = 2
    # Segment after segment until a frame header (SOF), which is none of DHT, JPG and DAC.
    while at + 9 < len(body) and body[at] == 0xFF:
        mark = body[at + 1]
        if 0xC0 <= mark <= 0xCF and mark not in (0xC4, 0xC8, 0xCC):
            return _real(int.from_bytes(body[at + 7 : at + 9]), int.from_bytes(body[at + 5 : at + 7]))
        at += 2 + int.from_bytes(body[at + 2 : at + 4])
    return None


def _real(width: int, height: int) -> tuple[int, int] | None:
    return (width, height) if width > 0 and height > 0 else None
