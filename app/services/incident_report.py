"""The report of one incident 突发事件报告, for paper, in Chinese or English."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.documents.docx import docx
from app.documents.html import html
from app.documents.model import Block, Document, Facts, Heading, Language, Signatures, Table
from app.documents.xlsx import xlsx
from app.services import incidents, report_pictures
from app.services.incident_words import SCOPES, STATES
from app.services.report_pictures import Pictures
from app.storage.postgres.staff import Login

log = structlog.get_logger(__name__)
TYPES = {
    "html": "text/html; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("突发事件报告", "Incident report"),
    "number": ("编号", "Number"), "plan": ("预案", "Plan"), "version": ("第 {n} 版", "version {n}"),
    "session": ("场次", "Session"), "what": ("事件", "Incident"), "scope": ("范围", "Scope"),
    "rooms": ("涉及考室", "Rooms"), "people": ("涉及人员", "People"), "state": ("状态", "State"),
    "from": ("开始", "From"), "to": ("结束", "To"), "by": ("登记人", "Opened by"), "told_by": ("电话报告人", "Told by"),
    "signed": ("签署", "Signed"), "sealed": ("保密", "Sealed"), "yes": ("是", "Yes"), "no": ("否", "No"),
    "steps": ("预案步骤", "Steps of the plan"), "step": ("步骤", "Step"), "done": ("登记", "Done"),
    "note": ("说明", "Note"), "not_done": ("未登记", "Not written down"),
    "line": ("处置经过", "What happened"), "at": ("时间", "Time"), "entry": ("内容", "What"), "who": ("人员", "Who"),
    "system": ("系统", "The system"), "listed": ("涉及应考人员", "Candidates affected"),
    "ticket": ("准考证号", "Ticket"), "name": ("姓名", "Name"), "room": ("考室", "Room"), "seat": ("机位", "Seat"),
    "told": ("告知记录", "Who was told"), "whom": ("告知对象", "Told"), "how": ("方式", "How"),
    "files": ("证据材料", "Evidence"), "file": ("文件", "File"), "size": ("大小", "Size"),
    "hash": ("SHA-256", "SHA-256"),
    "sign_by": ("记录人签字", "Written by"), "sign_chief": ("主考签字", "Chief"),
    "sign_office": ("考务办公室签字", "Exam office"),
    "printed": ("打印时间 {at}，第 {newest} 条记录为止", "Printed {at}, up to entry {newest}"),
}  # fmt: skip


async def make(
    conn: AsyncConnection, login: Login, incident_id: int, language: Language, *, now_ms: int
) -> tuple[Document, int]:
    """The document, and the incident's number. Refused as ``incidents.view``."""
    told = (await incidents.view(conn, login, incident_id, now_ms=now_ms))["incident"]
    log.info("incident report", staff=login.username, incident=incident_id)
    return document(told, await report_pictures.of(conn, told["entries"]), language), told["number"]


def written(document: Document, form: str) -> bytes:
    """The file's bytes; ``form`` is a key of ``TYPES``."""
    if form == "html":
        return html(document).encode()
    return xlsx(document) if form == "xlsx" else docx(document)


def document(told: Mapping[str, Any], pictures: Pictures, language: Language) -> Document:
    """Pure: from what ``incidents.view`` tells."""
    at = 0 if language == "zh" else 1

    def word(key: str, **values: object) -> str:
        return WORDS[key][at].format(**values)

    blocks: list[Block] = [
        Facts(_facts(told, word, language)),
        Heading(word("steps")),
        Table([word("step"), word("done"), word("note")], _steps(told, word, language), (6, 3, 3)),
        Heading(word("line")),
        Table([word("at"), word("entry"), word("who")], _line(told, word, language), (2, 8, 3)),
    ]
    if told["people"]:
        people = [[one["ticket"], one["name"], one["room"] or "", one["seat"] or ""] for one in told["people"]]
        head = [word("ticket"), word("name"), word("room"), word("seat")]
        blocks += [Heading(f"{word('listed')} ({len(people)})"), Table(head, people)]
    informed = [
        [hour(one["at"]), one["data"]["who"], one["data"].get("how", ""), one["data"].get("text", ""), one["by"]]
        for one in told["entries"]
        if one["kind"] == "told"
    ]
    head = [word("at"), word("whom"), word("how"), word("note"), word("who")]
    blocks += [Heading(word("told")), Table(head, informed, (2, 3, 2, 5, 2))]
    files = [one["evidence"] for one in told["entries"] if one["evidence"] is not None]
    if files:
        rows = [[one["name"], f"{-(-one['size'] // 1024)} KB", one["sha256"]] for one in files]
        blocks += [
            Heading(word("files")),
            Table([word("file"), word("size"), word("hash")], rows, (4, 1, 7)),
            *pictures.blocks(language),
        ]
    blocks.append(Signatures([word("sign_by"), word("sign_chief"), word("sign_office")]))
    return Document(
        title=f"{word('title')} #{told['number']}",
        subtitle=told["exam"],
        language=language,
        blocks=blocks,
        foot=word("printed", at=_moment(told["printed"]), newest=told["newest"]),
    )


def hour(at: str) -> str:
    return f"{datetime.fromisoformat(at):%H:%M:%S}"


def _moment(at: str | None) -> str:
    return "—" if at is None else f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M:%S}"


def _facts(told: Mapping[str, Any], word: Any, language: Language) -> list[tuple[str, str]]:
    at = 0 if language == "zh" else 1
    scope = SCOPES[told["scope"]][at]
    names = "、".join(told["names"][:20]) + ("…" if len(told["names"]) > 20 else "")
    rooms = [room["name"] for room in told["rooms"]]
    pairs = [
        (word("number"), f"#{told['number']}"),
        (word("plan"), f"{told['plan']} {told[f'plan_{language}']} ({word('version', n=told['version'])})"),
        (word("session"), told["session"] or "—"),
        (word("what"), told[f"plan_{language}"] if told["title"] == told["plan_zh"] else told["title"]),
        (word("scope"), f"{scope} {names}".strip()),
        (word("rooms"), f"{len(rooms)}: {'、'.join(rooms[:50])}" if rooms else "—"),
        (word("people"), str(len(told["people"])) if told["people"] else "—"),
        (word("state"), STATES[told["state"]][at]),
        (word("from"), _moment(told["from"])),
        (word("to"), _moment(told["to"])),
        (word("by"), f"{told['by']} {_moment(told['at'])}"),
        (word("signed"), f"{told['signed_by']} {_moment(told['signed_at'])}" if told["signed_by"] else "—"),
        (word("sealed"), word("yes" if told["sealed"] else "no")),
    ]
    if told["told_by"]:
        pairs.append((word("told_by"), told["told_by"]))
    return pairs


def _steps(told: Mapping[str, Any], word: Any, language: Language) -> list[list[str]]:
    rows = []
    for n, step in enumerate(told["steps"], 1):
        done = step["done"]
        rows.append(
            [
                f"{n}. {step[language]}",
                word("not_done") if done is None else f"{hour(done['at'])} {done['by']}",
                "" if done is None else done["note"],
            ]
        )
    return rows


def _line(told: Mapping[str, Any], word: Any, language: Language) -> list[list[str]]:
    """What people wrote and what was done in the system, in the order it came."""
    entries = [
        (one["at_ms"], 0, one["at"], one[language], _by(one["by"], one["told_by"], word)) for one in told["entries"]
    ]
    actions = [(one["at_ms"], 1, one["at"], one[language], one["by"] or word("system")) for one in told["actions"]]
    lines = sorted([*entries, *actions], key=lambda line: line[:2])
    return [[hour(at), what, who] for _, _, at, what, who in lines]


def _by(by: str, told_by: str, word: Any) -> str:
    return f"{by} ({word('told_by')} {told_by})" if told_by else by
