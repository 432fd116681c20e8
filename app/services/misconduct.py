"""Misconduct 违纪 (plan 1): what was seen, by which two, who was told; never a penalty.

Read by the office's roles, and by whoever wrote it their own. A candidate sits on unmarked or with a mark, of which no
other page knows, or is removed (``services.misconduct_removal``). Lock order: attempt, allocation, the record, the
audit head.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, get_args

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import identity
from app.domain.errors import Refused
from app.domain.roles import allows, scope
from app.services import evidence, incident_scope, misconduct_removal, staff_requests
from app.services.misconduct_removal import Removal
from app.services.site import Site
from app.services.staff_requests import Done
from app.services.time_words import iso
from app.storage.postgres import attendance, incidents, time_terms
from app.storage.postgres import evidence as stored_files
from app.storage.postgres import misconduct as rows
from app.storage.postgres.attendance import Placed
from app.storage.postgres.staff import Login

Measure = Literal["noted", "marked", "removed"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
MEASURE_WORDS = {
    "noted": ("继续作答", "sits on"),
    "marked": ("继续作答，已作标记", "sits on, with a mark"),
    "removed": ("已令退场，答案保留", "removed, answers kept"),
}
Signature = Literal["", "signed", "refused"]
SIGNATURE_WORDS = {
    "": ("未签字", "not signed"),
    "signed": ("已签字", "signed"),
    "refused": ("拒绝签字", "refused to sign"),
}


@dataclass(frozen=True, slots=True)
class Opening:
    """``second_staff``: who else saw it. ``minutes_ago``: when it was seen. ``witnesses``: (name, what they say)."""

    session_id: int
    room_id: int
    ticket: str
    facts: str
    second_staff: str
    told: bool
    signature: Signature = ""
    measure: Measure = "noted"
    minutes_ago: int = 0
    witnesses: tuple[tuple[str, str], ...] = ()
    files: tuple[int, ...] = ()
    incident_id: int | None = None
    told_by: str = ""


async def open_record(site: Site, login: Login, request: staff_requests.Request, asked: Opening) -> dict[str, Any]:
    """``{misconduct}`` as ``view`` tells it.

    Refused: not-permitted (removing needs more than writing it down), ticket-unknown, other-session, other-room,
    candidate-ended, misconduct-removed, evidence-unknown, evidence-attached, not-found (the incident).
    """
    removed: list[Removal] = []

    async def act(conn: AsyncConnection) -> Done:
        return await _open(site, conn, login, asked, removed)

    reply = await staff_requests.once(site.engine, login, request, act, now_ms=site.service_time.now_ms())
    await misconduct_removal.after(site, removed)
    return reply


async def _open(site: Site, conn: AsyncConnection, login: Login, asked: Opening, removed: list[Removal]) -> Done:
    permit(login, asked.measure, asked.room_id, "noted")
    place = await _placed(conn, asked)
    await _incident(conn, login, asked.incident_id)
    kept = await evidence.attachable(conn, login, asked.files, exam_id=place.exam_id)
    now_ms = site.service_time.now_ms()
    wall = await time_terms.wall_time(conn, now_ms)
    seen_ms = now_ms
    if asked.minutes_ago:
        # On the watch of whoever says so: service time may have stood since.
        seen_ms = max(0, wall.service_ms(wall.now_at - timedelta(minutes=asked.minutes_ago)))
    new = await rows.insert(
        conn,
        {
            "session_id": place.session_id, "candidate_id": place.candidate_id, "room_id": place.room_id,
            "seat_label": place.seat, "incident_id": asked.incident_id, "facts": asked.facts,
            "second_staff": asked.second_staff, "seen_ms": min(seen_ms, now_ms), "told": asked.told,
            "signature": asked.signature, "measure": asked.measure, "told_by": asked.told_by,
            "staff_id": login.staff_id, "made_ms": now_ms,
        },
    )  # fmt: skip
    by = {"staff_id": login.staff_id, "made_ms": now_ms}
    await rows.enter(conn, new, "measure", {"measure": asked.measure, "before": None, "text": ""}, **by)
    for name, says in asked.witnesses:
        await rows.enter(conn, new, "witness", {"name": name, "text": says}, **by)
    for each in kept:
        await rows.enter(conn, new, "evidence", {"text": ""}, evidence_id=each.id, **by)
    if asked.measure == "removed":
        removed.append(await misconduct_removal.remove(conn, login, place, now_ms, mine=new))
    told = await view(conn, login, new, now_ms=now_ms)
    return Done(told, "misconduct.open", {**subject(await held(conn, new)), "told_by": asked.told_by})


def permit(login: Login, measure: Measure, room_id: int, before: Measure) -> None:
    """Removing, and taking a removal back, is for a chief. Refused not-permitted."""
    needed = {"misconduct-open"} | ({"misconduct-remove"} if "removed" in (measure, before) else set())
    for action in ("misconduct-open", "misconduct-remove"):
        if action in needed and not allows(login.role, action, room_id=room_id, own_room_ids=login.own_room_ids):
            raise Refused("not-permitted")


async def _placed(conn: AsyncConnection, asked: Opening) -> Placed:
    key = identity.ticket_key(asked.ticket)
    found = await attendance.lock(conn, asked.session_id, [key])
    if not found:
        others = await attendance.elsewhere(conn, asked.session_id, key)
        if others is None:
            raise Refused("ticket-unknown", ticket=key)
        raise Refused("other-session", ticket=key, sessions=others or "—")
    place = found[0]
    if place.room_id != asked.room_id:
        raise Refused("other-room", name=place.name, room=place.room, seat=place.seat)
    return place


async def _incident(conn: AsyncConnection, login: Login, incident_id: int | None) -> None:
    if incident_id is None:
        return
    head = await incidents.find(conn, incident_id)
    if head is None or not incident_scope.may_read(login, head):
        raise Refused("not-found")


# --- reading ---


async def held(conn: AsyncConnection, misconduct_id: int) -> RowMapping:
    head = await rows.find(conn, misconduct_id)
    if head is None:
        raise Refused("not-found")
    return head


def may_read(login: Login, head: RowMapping) -> bool:
    return bool(head["staff_id"] == login.staff_id) or scope(login.role, "misconduct-view") == "all"


def may_write(login: Login, head: RowMapping) -> bool:
    """Who may read it and writes such records at all."""
    return may_read(login, head) and allows(
        login.role, "misconduct-open", room_id=head["room_id"], own_room_ids=login.own_room_ids
    )


async def listing(conn: AsyncConnection, login: Login, session_id: int, *, now_ms: int) -> dict[str, Any]:
    """``{misconduct, rooms: [{room_id, room, session, candidates, marked, removed}]}`` of the session's exam: all of it
    for the office's roles, one's own otherwise. Refused not-found."""
    exam_id = await stored_files.exam_of_session(conn, session_id)
    if exam_id is None:
        raise Refused("not-found")
    everything = scope(login.role, "misconduct-view") == "all"
    heads = await rows.of_exam(conn, exam_id, None if everything else login.staff_id)
    wall = await time_terms.wall_time(conn, now_ms)
    return {"misconduct": [told_head(head, wall) for head in heads], "rooms": _counted(heads)}


def _counted(heads: Sequence[RowMapping]) -> list[dict[str, Any]]:
    """Head-count per room and session: a candidate counts once, by the gravest measure."""
    gravest: dict[tuple[int, int, int], RowMapping] = {}
    for head in heads:
        key = (head["session_id"], head["room_id"], head["candidate_id"])
        known = gravest.get(key)
        if known is None or MEASURES.index(head["measure"]) > MEASURES.index(known["measure"]):
            gravest[key] = head
    counts: dict[tuple[int, int], Counter[str]] = {}
    names: dict[tuple[int, int], tuple[str, str]] = {}
    for (session, room, _), head in gravest.items():
        counts.setdefault((session, room), Counter())[head["measure"]] += 1
        names[session, room] = (head["session_name"], head["room"])
    return [
        {
            "session_id": session, "session": names[session, room][0], "room_id": room, "room": names[session, room][1],
            "candidates": of.total(), **{measure: of[measure] for measure in MEASURES},
        }
        for (session, room), of in sorted(counts.items())
    ]  # fmt: skip


async def view(conn: AsyncConnection, login: Login, misconduct_id: int, *, now_ms: int) -> dict[str, Any]:
    """``{misconduct}``: the head, ``entries`` and what the login ``may``. Refused: not-found, not-permitted."""
    head = await held(conn, misconduct_id)
    if not may_read(login, head):
        raise Refused("not-permitted")
    wall = await time_terms.wall_time(conn, now_ms)
    entries = [
        _told_entry(row, iso(wall, row["made_ms"], head["timezone"])) for row in await rows.entries(conn, head["id"])
    ]
    removes = allows(login.role, "misconduct-remove", room_id=head["room_id"], own_room_ids=login.own_room_ids)
    may = {"write": may_write(login, head), "remove": removes and may_write(login, head)}
    printed = iso(wall, now_ms, head["timezone"])
    return {"misconduct": {**told_head(head, wall), "entries": entries, "may": may, "printed": printed}}


def told_head(head: RowMapping, wall: Any) -> dict[str, Any]:
    zone = head["timezone"]
    measure_zh, measure_en = MEASURE_WORDS[head["measure"]]
    signature_zh, signature_en = SIGNATURE_WORDS[head["signature"]]
    return {
        "id": head["id"],
        "exam": head["exam_name"],
        "session_id": head["session_id"],
        "session": head["session_name"],
        "ticket": head["ticket"],
        "name": head["candidate"],
        "room_id": head["room_id"],
        "room": head["room"],
        "seat": head["seat_label"],
        "incident_id": head["incident_id"],
        "incident": head["incident_number"],
        "facts": head["facts"],
        "second_staff": head["second_staff"],
        "seen_ms": head["seen_ms"],
        "seen_at": iso(wall, head["seen_ms"], zone),
        "told": head["told"],
        "signature": head["signature"],
        "signature_zh": signature_zh,
        "signature_en": signature_en,
        "measure": head["measure"],
        "measure_zh": measure_zh,
        "measure_en": measure_en,
        "told_by": head["told_by"],
        "by": head["by"],
        "at": iso(wall, head["made_ms"], zone),
        "newest": head["newest"],
    }


def _told_entry(row: RowMapping, at: str) -> dict[str, Any]:
    file = None
    if row["evidence_id"] is not None:
        file = {
            "id": row["evidence_id"], "name": row["file_name"], "content_type": row["content_type"],
            "size": row["size"], "sha256": row["sha256"],
        }  # fmt: skip
    return {"id": row["id"], "kind": row["kind"], "data": row["data"], "by": row["by"], "at": at, "evidence": file}


def subject(head: RowMapping) -> dict[str, object]:
    """What the audit log holds of it: who and where, and never the facts."""
    return {
        "misconduct": head["id"],
        "session_id": head["session_id"],
        "ticket": head["ticket"],
        "attempt": None if head["attempt_id"] is None else str(head["attempt_id"]),
        "room": head["room"],
        "room_id": head["room_id"],
        "seat": head["seat_label"],
        "measure": head["measure"],
    }
