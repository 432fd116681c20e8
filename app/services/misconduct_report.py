"""One record of misconduct 违纪情况登记表, for paper: facts, who saw it, what the candidate was told and signed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.documents.model import Block, Document, Facts, Heading, Language, Paragraph, Signatures, Table
from app.services import misconduct, report_pictures
from app.services.misconduct import MEASURE_WORDS, SIGNATURE_WORDS
from app.services.report_pictures import Pictures
from app.storage.postgres.staff import Login

log = structlog.get_logger(__name__)
WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("违纪情况登记表", "Record of misconduct"),
    "sealed": ("保密", "Confidential"),
    "ticket": ("准考证号", "Ticket"), "name": ("姓名", "Name"), "session": ("场次", "Session"),
    "room": ("考室", "Room"), "seat": ("机位", "Seat"), "seen": ("发现时间", "Seen at"),
    "by": ("登记人", "Written by"), "second": ("共同见证的工作人员", "Second member of staff"),
    "told": ("是否当场告知应考人员", "Candidate told"), "yes": ("是", "Yes"), "no": ("否", "No"),
    "signature": ("应考人员签字", "Candidate's signature"), "measure": ("现场处置", "Measure"),
    "incident": ("关联突发事件", "Incident"), "told_by": ("电话报告人", "Told by"),
    "facts": ("事实经过", "Facts"), "log": ("补充与变更", "Added and changed"), "at": ("时间", "Time"),
    "what": ("内容", "What"), "who": ("人员", "Who"), "files": ("证据材料", "Evidence"), "file": ("文件", "File"),
    "note": ("补充", "Note"), "witness": ("证人", "Witness"), "kind_told": ("告知", "Told"),
    "evidence": ("证据", "Evidence"), "kind_measure": ("处置", "Measure"),
    "sign_1": ("工作人员签字（一）", "First member of staff"),
    "sign_2": ("工作人员签字（二）", "Second member of staff"),
    "sign_3": ("应考人员签字", "Candidate"),
    "printed": ("打印时间 {at}，第 {newest} 条记录为止。仅记录事实，不作处理结论。",
                "Printed {at}, up to entry {newest}. Facts only; no penalty is decided here."),
}  # fmt: skip


async def make(conn: AsyncConnection, login: Login, misconduct_id: int, language: Language, *, now_ms: int) -> Document:
    """Refused as ``misconduct.view``. That it was printed is on the log of the service."""
    told = (await misconduct.view(conn, login, misconduct_id, now_ms=now_ms))["misconduct"]
    log.info("misconduct report", staff=login.username, misconduct=misconduct_id)
    return document(told, await report_pictures.of(conn, told["entries"]), language)


def document(told: Mapping[str, Any], pictures: Pictures, language: Language) -> Document:
    """Pure: from what ``misconduct.view`` tells."""
    at = 0 if language == "zh" else 1
    words = {key: pair[at] for key, pair in WORDS.items()}
    signature = told[f"signature_{language}"]
    facts = [
        (words["ticket"], told["ticket"]), (words["name"], told["name"]), (words["session"], told["session"]),
        (words["room"], told["room"]), (words["seat"], told["seat"]), (words["seen"], _time(told["seen_at"])),
        (words["by"], told["by"]), (words["second"], told["second_staff"]),
        (words["told"], words["yes" if told["told"] else "no"]), (words["signature"], signature),
        (words["measure"], told[f"measure_{language}"]), (words["told_by"], told["told_by"] or "—"),
    ]  # fmt: skip
    if told["incident"] is not None:
        facts.append((words["incident"], str(told["incident"])))
    lines = [[_time(entry["at"]), _said(entry, words, at), entry["by"]] for entry in told["entries"]]
    files = [entry["evidence"] for entry in told["entries"] if entry["evidence"] is not None]
    blocks: list[Block] = [
        Facts(facts), Heading(words["facts"]), Paragraph(told["facts"]), Heading(words["log"]),
        Table([words["at"], words["what"], words["who"]], lines, (3, 8, 2)), Heading(words["files"]),
        Table([words["file"], "SHA-256"], [[file["name"], file["sha256"]] for file in files], (3, 7)),
        *pictures.blocks(language), Signatures([words["sign_1"], words["sign_2"], words["sign_3"]]),
    ]  # fmt: skip
    return Document(
        title=words["title"], subtitle=f"{told['exam']} · {words['sealed']}", language=language, blocks=blocks,
        foot=words["printed"].format(at=_time(told["printed"]), newest=told["newest"]),
    )  # fmt: skip


def _said(entry: Mapping[str, Any], words: Mapping[str, str], at: int) -> str:
    data = entry["data"]
    match entry["kind"]:
        case "witness":
            head = f"{words['witness']} {data['name']}"
        case "told":
            head = f"{words['kind_told']} ({SIGNATURE_WORDS[data['signature']][at]})"
        case "measure":
            head = f"{words['kind_measure']}: {MEASURE_WORDS[data['measure']][at]}"
        case "evidence":
            head = f"{words['evidence']} {entry['evidence']['name']}"
        case _:
            head = words["note"]
    return f"{head}: {data['text']}" if data.get("text") else head


def _time(at: str) -> str:
    return at[:19].replace("T", " ")
