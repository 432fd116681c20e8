"""What is written into an incident as it goes on: steps, notes, who was told, people, files, and its end.

Entries only grow. What can be decided but once (a step, the end, the signature) is decided under the incident's row
lock, and whoever comes second is told who was first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.domain.roles import scope
from app.services import evidence, incident_scope, incidents
from app.services.incident_scope import Asked
from app.services.staff_requests import Done
from app.storage.postgres import incidents as rows
from app.storage.postgres import time_terms
from app.storage.postgres.staff import Login

Kind = Literal["step", "note", "told", "people", "evidence", "change"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to write down. By kind: step (``step``, ``done``), note (``text``), told (``who``, ``how``, ``text``),
    people (``rooms``, ``tickets``, ``removed``), evidence (``files``), change (``title``, ``sealed``, or when it began
    as ``minutes_ago``)."""

    kind: Kind
    text: str = ""
    told_by: str = ""
    step: str = ""
    done: bool = True
    who: str = ""
    how: str = ""
    rooms: tuple[int, ...] = ()
    tickets: tuple[str, ...] = ()
    removed: bool = False
    files: tuple[int, ...] = ()
    title: str = ""
    sealed: bool | None = None
    minutes_ago: int | None = None


async def write(conn: AsyncConnection, login: Login, incident_id: int, entry: Entry, *, now_ms: int) -> Done:
    """``{incident}`` as it is then. Refused: not-found, not-permitted, incident-over, step-unknown, step-decided,
    entry-empty, scope-unknown, evidence-unknown, evidence-attached, interval-in-future."""
    head = await _locked(conn, incident_id)
    if not incident_scope.may_write(login, head):
        raise Refused("not-permitted")
    if head["state"] == "signed" or (head["state"] == "closed" and entry.kind in ("step", "people", "change")):
        raise await _over(conn, head)
    pen = _Pen(conn, login, head, entry.told_by, now_ms)
    match entry.kind:
        case "step":
            await _step(pen, entry)
        case "note":
            await pen.enter("note", {"text": _needed(entry.text)})
        case "told":
            await pen.enter("told", {"who": _needed(entry.who), "how": entry.how, "text": entry.text})
        case "people":
            await _people(pen, entry)
        case "evidence":
            for kept in await evidence.attachable(conn, login, entry.files, exam_id=head["exam_id"]):
                await pen.enter("evidence", {"text": entry.text}, evidence_id=kept.id)
        case "change":
            await _change(pen, entry)
    action = "incident.step-undone" if entry.kind == "step" and not entry.done else f"incident.{entry.kind}"
    return await _told(pen, action, told_by=entry.told_by, step=entry.step)


async def close(
    conn: AsyncConnection, login: Login, incident_id: int, *, note: str, told_by: str, seen: int, now_ms: int
) -> Done:
    """It is over; steps left undone are written down with it. Refused: not-found, not-permitted, incident-over,
    incident-changed."""
    head = await _locked(conn, incident_id)
    if not incident_scope.may_close(login, head):
        raise Refused("not-permitted")
    if head["state"] != "open":
        raise await _over(conn, head)
    await _unchanged(conn, head, seen)
    pen = _Pen(conn, login, head, told_by, now_ms)
    entries = [
        {"kind": row["kind"], "data": row["data"], "by": "", "at": ""} for row in await rows.entries(conn, head["id"])
    ]
    undone = [step["id"] for step in incidents.told_steps(head["steps"], entries) if step["done"] is None]
    await rows.change(conn, head["id"], {"state": "closed", "to_ms": now_ms})
    await pen.enter("closed", {"text": note, "undone": undone})
    return await _told(pen, "incident.close", note=note, undone=undone, told_by=told_by)


async def reopen(conn: AsyncConnection, login: Login, incident_id: int, *, note: str, seen: int, now_ms: int) -> Done:
    """It is not over after all; a signed one is opened again by whoever signs. Refused: not-found, not-permitted,
    incident-open, incident-changed, entry-empty."""
    head = await _locked(conn, incident_id)
    signs = scope(login.role, "incident-sign") == "all"
    if not incident_scope.may_close(login, head) or (head["state"] == "signed" and not signs):
        raise Refused("not-permitted")
    if head["state"] == "open":
        raise Refused("incident-open", number=head["number"])
    await _unchanged(conn, head, seen)
    pen = _Pen(conn, login, head, "", now_ms)
    await rows.change(conn, head["id"], {"state": "open", "to_ms": None, "signed_by": None, "signed_ms": None})
    await pen.enter("reopened", {"text": _needed(note)})
    return await _told(pen, "incident.reopen", note=note)


async def sign(conn: AsyncConnection, login: Login, incident_id: int, *, note: str, seen: int, now_ms: int) -> Done:
    """The office puts its name under a closed incident as it was seen. Refused: not-found, not-permitted,
    incident-not-closed, incident-over, incident-changed."""
    head = await _locked(conn, incident_id)
    if scope(login.role, "incident-sign") != "all":
        raise Refused("not-permitted")
    if head["state"] == "open":
        raise Refused("incident-not-closed", number=head["number"])
    if head["state"] == "signed":
        raise await _over(conn, head)
    await _unchanged(conn, head, seen)
    pen = _Pen(conn, login, head, "", now_ms)
    await rows.change(conn, head["id"], {"state": "signed", "signed_by": login.staff_id, "signed_ms": now_ms})
    await pen.enter("signed", {"text": note})
    return await _told(pen, "incident.sign", note=note)


# --- the parts ---


@dataclass(slots=True)
class _Pen:
    """Who writes into which incident, and when."""

    conn: AsyncConnection
    login: Login
    head: RowMapping
    told_by: str
    now_ms: int

    async def enter(self, kind: str, data: dict[str, Any], evidence_id: int | None = None) -> None:
        await rows.enter(
            self.conn, self.head["id"], kind, data, evidence_id=evidence_id, staff_id=self.login.staff_id,
            made_ms=self.now_ms, told_by=self.told_by,
        )  # fmt: skip


async def _locked(conn: AsyncConnection, incident_id: int) -> RowMapping:
    if not await rows.lock(conn, incident_id):
        raise Refused("not-found")
    return await incidents.held(conn, incident_id)


async def _told(pen: _Pen, action: str, **more: object) -> Done:
    told = await incidents.view(pen.conn, pen.login, pen.head["id"], now_ms=pen.now_ms)
    head = await incidents.held(pen.conn, pen.head["id"])
    # Of a sealed one the audit log says that something was written, not what.
    kept = {} if head["sealed"] else {key: value for key, value in more.items() if value not in ("", None)}
    return Done(told, action, {**incidents.subject(head), "entry": head["newest"], **kept})


async def _over(conn: AsyncConnection, head: RowMapping) -> Refused:
    ends = [row for row in await rows.entries(conn, head["id"]) if row["kind"] in ("closed", "signed")]
    return Refused("incident-over", number=head["number"], by=ends[-1]["by"], at=_clock(head, ends[-1]))


async def _unchanged(conn: AsyncConnection, head: RowMapping, seen: int) -> None:
    if head["newest"] != seen:
        newest = (await rows.entries(conn, head["id"]))[-1]
        raise Refused("incident-changed", number=head["number"], by=newest["by"], at=_clock(head, newest))


def _clock(head: RowMapping, row: RowMapping) -> str:
    return f"{row['made_at'].astimezone(ZoneInfo(head['timezone'])):%H:%M:%S}"


async def _step(pen: _Pen, entry: Entry) -> None:
    if entry.step not in {step["id"] for step in pen.head["steps"]}:
        raise Refused("step-unknown", step=entry.step)
    wrote = [
        row
        for row in await rows.entries(pen.conn, pen.head["id"])
        if row["kind"] in ("step", "step-undone") and row["data"]["step"] == entry.step
    ]
    if (bool(wrote) and wrote[-1]["kind"] == "step") == entry.done:
        by, at = (wrote[-1]["by"], _clock(pen.head, wrote[-1])) if wrote else ("—", "—")
        raise Refused("step-decided", by=by, at=at)
    await pen.enter("step" if entry.done else "step-undone", {"step": entry.step, "note": entry.text})


async def _people(pen: _Pen, entry: Entry) -> None:
    if not entry.rooms and not entry.tickets:
        raise Refused("entry-empty")
    exam_id, session_id = pen.head["exam_id"], pen.head["session_id"]
    named, placed = incident_scope.Found([]), incident_scope.Found([])
    if entry.tickets:
        named = await incident_scope.find(pen.conn, exam_id, session_id, Asked("list", tickets=entry.tickets))
    if entry.rooms:
        placed = await incident_scope.find(pen.conn, exam_id, session_id, Asked("room", rooms=entry.rooms))
    incident_scope.permit_over(pen.login, "incident-open", placed.room_ids | named.room_ids)
    change = rows.drop_scope if entry.removed else rows.add_scope
    # Taking a person out says nothing of the room they sat in.
    of_people = set() if entry.removed else named.room_ids
    await change(pen.conn, pen.head["id"], rooms=placed.room_ids | of_people, candidates=named.candidate_ids)
    await pen.enter(
        "people",
        {"rooms": placed.names, "tickets": named.names, "removed": entry.removed, "text": entry.text},
    )


async def _change(pen: _Pen, entry: Entry) -> None:
    values: dict[str, Any] = {}
    if entry.title:
        values["title"] = entry.title
    if entry.sealed is not None and entry.sealed != pen.head["sealed"]:
        # What is sealed is opened to others by the office only.
        opens = scope(pen.login.role, "incident-sealed") == "all"
        if not (incident_scope.may_seal(pen.login, pen.head) if entry.sealed else opens):
            raise Refused("not-permitted")
        values["sealed"] = entry.sealed
    if entry.minutes_ago is not None:
        wall = await time_terms.wall_time(pen.conn, pen.now_ms)
        values["from_ms"] = incidents.began(wall, None, entry.minutes_ago, pen.now_ms)
    changed = {key: value for key, value in values.items() if pen.head[key] != value}
    if not changed:
        raise Refused("entry-empty")
    await rows.change(pen.conn, pen.head["id"], changed)
    for key, value in changed.items():
        await pen.enter("changed", {"field": key, "before": pen.head[key], "after": value, "text": entry.text})


def _needed(text: str) -> str:
    if not text:
        raise Refused("entry-empty")
    return text


def files_of(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The files of an incident, in the order they came."""
    return [entry["evidence"] for entry in entries if entry["evidence"] is not None]
