"""Actions taken in the system while an incident lasted, as its timeline tells them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import audit_words
from app.domain.adjustments import AUTOMATIC, reason_words
from app.domain.roles import scope
from app.domain.wall_time import WallTime
from app.services import misconduct_removal
from app.services.incident_scope import in_reach
from app.services.time_words import iso, length_words
from app.storage.postgres import incident_links
from app.storage.postgres.staff import Login

# Told from the ledger and the relogs, or about something else, or the ordinary work of every session.
LEFT_OUT = (
    "time.%", "relog.%", "incident.%", "evidence.%", "staff.%", "proposal.%", "papers.%", "notice.%", "export.%",
    "session.%", "attendance.check-in%", "attendance.absent",
)  # fmt: skip
ABOUT_ROOMS = frozenset({"site", "building", "room"})
KINDS = {
    "postpone": ("推迟开考", "start postponed"),
    "pause": ("暂停", "paused"),
    "resume": ("恢复", "resumed"),
    "extend": ("延长", "extended"),
    "credit": ("补时", "credited"),
    "end": ("结束考试", "ended"),
    "reopen": ("恢复作答", "reopened"),
    "undo": ("撤销", "undone"),
}
RELOGS = {
    "open": ("待登录", "not signed in yet"),
    "used": ("已登录", "signed in"),
    "withdrawn": ("已撤回", "withdrawn"),
}
# Of a subject, what a line of the timeline shows.
SHOWN = ("ticket", "name", "room", "seat", "from", "to", "reason", "note", "after", "kind", "measure")


async def actions(
    conn: AsyncConnection, login: Login, head: RowMapping, people: Sequence[RowMapping], wall: WallTime, *, now_ms: int
) -> list[dict[str, Any]]:
    """``[{source, id, kind, zh, en, by, at, at_ms}]`` in the order they came. Misconduct that the login may not read is
    left out, whoever reads the incident; whoever watches some rooms is told of these (``people``: theirs)."""
    ids = [row["candidate_id"] for row in people]
    reach = in_reach(login, head)
    rooms = list(head["room_ids"]) if reach is None else sorted(reach)
    about = {
        "exam": head["exam_id"],
        "number": str(head["number"]),
        "from": head["from_ms"],
        "to": now_ms if head["to_ms"] is None else head["to_ms"],
        "whole": reach is None,
        "everywhere": head["scope"] == "site" and reach is None,
        "by_rooms": head["scope"] in ABOUT_ROOMS,
        "rooms": rooms,
        "people": ids,
    }
    named = {
        "tickets": [row["ticket"] for row in people],
        "attempts": [str(row["attempt_id"]) for row in people if row["attempt_id"] is not None],
        "seats": await incident_links.seats_of(conn, head["session_id"], ids),
    }
    decided = misconduct_removal.untold(login, await incident_links.decided(conn, about, AUTOMATIC))
    told = [_decision(row, None if reach is None else {one["ticket"] for one in people}) for row in decided]
    # One line for each kind of them: after an outage there is one for every candidate.
    told += [_entered(row) for row in await incident_links.by_itself(conn, about, AUTOMATIC)]
    told += [_relog(row) for row in await incident_links.relogs(conn, about)]
    audit = {key: value for key, value in about.items() if key in ("from", "to", "by_rooms", "rooms")}
    told += [
        _audited(row)
        for row in await incident_links.audited(conn, {**audit, **named}, left_out=LEFT_OUT)
        if not _hidden(login, row)
    ]
    told.sort(key=lambda one: (one["at_ms"], one["source"], one["id"]))
    return [{**one, "at": iso(wall, one["at_ms"], head["timezone"])} for one in told]


def _hidden(login: Login, row: RowMapping) -> bool:
    if not row["action"].startswith("misconduct"):
        return False
    return scope(login.role, "misconduct-view") != "all" and row["staff_id"] != login.staff_id


def _decision(row: RowMapping, mine: Collection[str] | None) -> dict[str, Any]:
    """``mine``: the only tickets that a list of people is told with."""
    kind_zh, kind_en = KINDS[row["kind"]]
    why_zh, why_en = reason_words(row["reason"])
    people = row["scope"] in ("list", "candidate")
    known = [one for one in row["scope_names"] if not people or mine is None or one in mine]
    names = "、".join(known[:5]) + ("…" if len(row["scope_names"]) > min(5, len(known)) else "")
    long_zh, long_en = _length(row)
    note = f"；{row['note']}" if row["note"] else ""
    return {
        "source": "time", "id": row["id"], "kind": row["kind"], "by": row["by"] or "", "at_ms": row["made_ms"],
        "zh": f"{kind_zh}{long_zh} {names}（{row['people']} 人，{why_zh}）{note}",
        "en": f"{kind_en}{long_en} {names} ({row['people']} candidates, {why_en}){note}",
    }  # fmt: skip


def _length(row: RowMapping) -> tuple[str, str]:
    ms = row["amount_ms"]
    if ms is None and row["kind"] == "credit":
        ms = row["to_ms"] - row["from_ms"]
    return _long(ms)


def _long(ms: int | None) -> tuple[str, str]:
    if ms is None:
        return "", ""
    zh, en = length_words(ms)
    return f" {zh}", f" {en}"


def _entered(row: RowMapping) -> dict[str, Any]:
    kind_zh, kind_en = KINDS[row["kind"]]
    why_zh, why_en = reason_words(row["reason"])
    one = row["entries"] == row["people"] == 1
    long_zh, long_en = _long(row["length_ms"] if one else None)
    who = f" {row['name']} {row['ticket']}" if one else ""
    return {
        "source": "time", "id": row["id"], "kind": row["kind"], "by": "", "at_ms": row["made_ms"],
        "zh": f"自动{kind_zh}{long_zh}{who}（{row['people']} 人，{why_zh}）",
        "en": f"{kind_en}{long_en} by the system{who} ({row['people']} candidates, {why_en})",
    }  # fmt: skip


def _relog(row: RowMapping) -> dict[str, Any]:
    state_zh, state_en = RELOGS[row["state"]]
    way = f"{row['from_room']} {row['from_seat']} → {row['to_room']} {row['to_seat']}"
    who = f"{row['name']} {row['ticket']}"
    return {
        "source": "relog", "id": row["id"], "kind": "relog", "by": row["by"], "at_ms": row["made_ms"],
        "zh": f"换机登录 {who}：{way}（{state_zh}）", "en": f"moved {who}: {way} ({state_en})",
    }  # fmt: skip


def _audited(row: RowMapping) -> dict[str, Any]:
    action, subject = row["action"], row["subject"]
    zh, en = audit_words.words(action)
    # Of misconduct the line says that it was written down; what it says is read in its own record.
    shown = ("ticket", "room", "seat") if action.startswith("misconduct") else SHOWN
    words = " ".join(str(subject[key]) for key in shown if isinstance(subject.get(key), str) and subject[key])
    return {
        "source": "audit", "id": row["id"], "kind": action, "by": row["by"], "at_ms": row["made_ms"],
        "zh": f"{zh} {words}".strip(), "en": f"{en} {words}".strip(),
    }  # fmt: skip
