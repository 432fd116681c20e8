"""The photos of a record that are printed with its report, and the names of those that are not.

A report is made in memory as a whole, three times over while a Word file is packed: so many pictures and so many bytes
go in. The others are named, and stand in the list of files with their hash like every file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.documents.model import Block, Language, Paragraph, Picture
from app.domain.evidence import is_picture, pixels
from app.storage.postgres import evidence

MOST_PICTURES = 12
LARGEST_PICTURE = 6_000_000
MOST_BYTES = 24_000_000
WORDS = {
    "zh": "未随本表打印的照片（共 {n} 张，可在系统中打开）：{names}",
    "en": "Photos not printed here ({n}; they can be opened in the system): {names}",
}


@dataclass(frozen=True, slots=True)
class Pictures:
    shown: Sequence[Picture]
    left_out: Sequence[str]

    def blocks(self, language: Language) -> list[Block]:
        if not self.left_out:
            return [*self.shown]
        names = "、".join(self.left_out)
        return [*self.shown, Paragraph(WORDS[language].format(n=len(self.left_out), names=names))]


async def of(conn: AsyncConnection, entries: Sequence[Mapping[str, Any]]) -> Pictures:
    """``entries`` as a record tells them, each with its ``evidence`` or None; the first ones go in."""
    shown: list[Picture] = []
    left_out: list[str] = []
    left = MOST_BYTES
    for file in (entry["evidence"] for entry in entries):
        if file is None or not is_picture(file["content_type"]):
            continue
        if len(shown) == MOST_PICTURES or file["size"] > min(left, LARGEST_PICTURE):
            left_out.append(file["name"])
            continue
        left -= file["size"]
        body = await evidence.body(conn, file["id"])
        shown.append(Picture(body, file["content_type"], file["name"], pixels(body, file["content_type"])))
    return Pictures(shown, left_out)
