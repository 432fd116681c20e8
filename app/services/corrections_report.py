"""The correction list 信息更正表 for paper, for a workbook, and as plain rows: both values of every field."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.documents.docx import docx
from app.documents.html import html
from app.documents.model import Document, Language, Signatures, Table
from app.documents.xlsx import xlsx
from app.domain.discrepancies import STATE_WORDS
from app.services import discrepancies
from app.storage.postgres.staff import Login

TYPES: Mapping[str, str] = {
    "html": "text/html; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}
COLUMNS: Mapping[str, tuple[str, str]] = {
    "ticket": ("准考证号", "Ticket"), "name": ("姓名", "Name"), "session": ("场次", "Session"),
    "room": ("考室", "Room"), "seat": ("机位", "Seat"), "field": ("项目", "Field"),
    "recorded": ("编排数据", "Recorded"), "claimed": ("证件所示", "On the document"), "state": ("处理结果", "Decision"),
    "decided_by": ("处理人", "Decided by"), "decided_at": ("处理时间", "Decided at"), "note": ("说明", "Note"),
    "identified": ("身份确认方式", "How identified"), "by": ("登记人", "Written down by"), "at": ("登记时间", "At"),
    "files": ("附件", "Files"),
}  # fmt: skip
# What fits on a sheet of paper lying down.
ON_PAPER = (
    "ticket", "name", "room", "field", "recorded", "claimed", "state", "decided_by", "identified", "by", "at", "note",
)  # fmt: skip
WIDTHS = (12, 8, 9, 7, 13, 13, 8, 8, 12, 8, 9, 10)
# A cell that begins like a formula is one to a spreadsheet, whoever typed it.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def rows(
    conn: AsyncConnection, login: Login, session_id: int, language: Language, *, now_ms: int
) -> list[dict[str, str]]:
    """One row per field, by ticket: the keys of ``COLUMNS``; instants in ISO 8601. Refused not-found."""
    told = await discrepancies.listing(conn, login, session_id, now_ms=now_ms)
    return rows_of(told["discrepancies"], language)


def rows_of(told: Sequence[Mapping[str, Any]], language: Language) -> list[dict[str, str]]:
    """The same of these discrepancies only."""
    heads = sorted(told, key=lambda head: (head["ticket"], head["id"]))
    return [_row(head, field, language) for head in heads for field in head["fields"]]


def _row(head: Mapping[str, Any], field: Mapping[str, Any], language: Language) -> dict[str, str]:
    return {
        "ticket": head["ticket"], "name": head["name"], "session": head["session"], "room": head["room"],
        "seat": head["seat"] or "", "field": field[language], "recorded": field[f"recorded_{language}"],
        "claimed": field[f"claimed_{language}"], "state": field[f"state_{language}"],
        "decided_by": field["by"] or "", "decided_at": field["at"] or "", "note": field["note"] or head["note"],
        "identified": head["identified"], "by": head["by"], "at": head["at"],
        "files": "; ".join(file["name"] for file in head["files"]),
    }  # fmt: skip


def _shown(each: Mapping[str, str], key: str) -> str:
    """A cell for people: of an instant the minute, on the exam's clock."""
    return each[key][:16].replace("T", " ") if key in ("at", "decided_at") else each[key]


def document(listed: Sequence[Mapping[str, str]], language: Language) -> Document:
    at = 0 if language == "zh" else 1
    title, office = (("信息更正表", "考务办公室签字"), ("Corrections", "Exam office"))[at]
    states = [each["state"] for each in listed]
    counts = "，".join(f"{words[at]} {states.count(words[at])}" for words in STATE_WORDS.values())
    return Document(
        title=title,
        subtitle=counts if language == "zh" else counts.replace("，", ", "),
        language=language,
        blocks=[
            Table(
                [COLUMNS[key][at] for key in ON_PAPER],
                [[_shown(each, key) for key in ON_PAPER] for each in listed],
                WIDTHS,
            ),
            Signatures([office]),
        ],
        landscape=True,
    )


def written(listed: Sequence[Mapping[str, str]], form: str, language: Language) -> bytes:
    """The file's bytes; ``form`` is a key of ``TYPES``. JSON has keys and whole instants, all else words for people."""
    if form == "json":
        return json.dumps(list(listed), ensure_ascii=False, indent=1).encode()
    if form == "csv":
        out = io.StringIO()
        pen = csv.writer(out)
        pen.writerow([words[0 if language == "zh" else 1] for words in COLUMNS.values()])
        pen.writerows([[_plain(_shown(each, key)) for key in COLUMNS] for each in listed])
        return ("\ufeff" + out.getvalue()).encode()
    made = document(listed, language)
    if form == "html":
        return html(made).encode()
    return xlsx(made) if form == "xlsx" else docx(made)


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell
