"""Incidents 突发事件: opened under one of the plans, and told with everything that belongs to them.

Lock order: the request's key, the exam's count of incidents or the incident's row, the audit head.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.domain.roles import scope
from app.domain.wall_time import WallTime
from app.services import incident_links, incident_plans, incident_scope
from app.services.incident_scope import Asked
from app.services.incident_words import entry_words
from app.services.staff_requests import Done
from app.services.time_words import iso
from app.storage.postgres import incidents, time_terms
from app.storage.postgres.staff import Login

# Tickets an audit entry names; beyond it the incident says who was meant.
NAMED = 50
# Scopes whose names are tickets.
PEOPLE = frozenset({"list", "candidate"})


@dataclass(frozen=True, slots=True)
class Opening:
    """What is asked for. It began at ``from_ms`` of service time, or ``minutes_ago`` on people's watches."""

    session_id: int
    plan: str
    scope: Asked
    title: str = ""
    note: str = ""
    told_by: str = ""
    sealed: bool | None = None
    from_ms: int | None = None
    minutes_ago: int = 0


async def open_incident(conn: AsyncConnection, login: Login, asked: Opening, *, now_ms: int) -> Done:
    """``{incident}`` as ``view`` tells it. Refused: not-found, plan-unknown, scope-malformed, scope-unknown,
    not-permitted (a room out of reach), interval-in-future."""
    exam_id = await incident_plans.exam_of(conn, asked.session_id)
    found = await incident_scope.find(conn, exam_id, asked.session_id, asked.scope)
    incident_scope.permit_over(login, "incident-open", found.room_ids)
    from_ms = began(await time_terms.wall_time(conn, now_ms), asked.from_ms, asked.minutes_ago, now_ms)
    plan = await incident_plans.ensure(conn, exam_id, asked.plan)
    # Whoever saw it and may not unseal it later still decides that it is written down confidentially.
    sealed = plan["sealed"] if asked.sealed is None or plan["sealed"] else asked.sealed
    number = await incidents.next_number(conn, exam_id)
    title = asked.title or plan["title_zh"]
    incident_id = await incidents.insert_incident(
        conn,
        {
            "exam_id": exam_id, "number": number, "session_id": asked.session_id, "plan_id": plan["id"],
            "title": title, "scope": asked.scope.kind, "scope_names": found.names, "sealed": sealed,
            "from_ms": from_ms, "told_by": asked.told_by, "staff_id": login.staff_id, "made_ms": now_ms,
        },
        rooms=found.room_ids,
        candidates=found.candidate_ids,
    )  # fmt: skip
    english = asked.title or plan["title_en"]
    opened = {
        "title": title,
        "title_en": english,
        "plan": asked.plan,
        "scope": asked.scope.kind,
        "names": found.names,
        "note": asked.note,
    }
    await incidents.enter(
        conn, incident_id, "opened", opened, staff_id=login.staff_id, made_ms=now_ms, told_by=asked.told_by
    )
    told = await view(conn, login, incident_id, now_ms=now_ms)
    return Done(
        told, "incident.open", {**subject(await held(conn, incident_id)), "from_ms": from_ms, "told_by": asked.told_by}
    )


def began(wall: WallTime, from_ms: int | None, minutes_ago: int, now_ms: int) -> int:
    """When it began, in service time. Refused interval-in-future."""
    if from_ms is None:
        # On the watch of whoever says so: service time may have stood since.
        from_ms = max(0, wall.service_ms(wall.now_at - timedelta(minutes=minutes_ago))) if minutes_ago else now_ms
    if from_ms > now_ms:
        raise Refused("interval-in-future")
    return from_ms


async def held(conn: AsyncConnection, incident_id: int) -> RowMapping:
    """The head. Refused not-found."""
    head = await incidents.find(conn, incident_id)
    if head is None:
        raise Refused("not-found")
    return head


def subject(head: RowMapping) -> dict[str, object]:
    """What the audit log holds of an incident in every entry: of a sealed one neither title nor names."""
    rooms = list(head["room_ids"])
    told: dict[str, object] = {
        "incident": head["id"], "number": head["number"], "plan": head["plan"], "session_id": head["session_id"],
        "sealed": head["sealed"],
    }  # fmt: skip
    if not head["sealed"]:
        told |= {"title": head["title"], "scope": head["scope"], "names": list(head["scope_names"])}
    told |= {"room_id": rooms[0], "room": head["room_names"][0]} if len(rooms) == 1 else {"room_ids": rooms}
    if head["scope"] == "candidate" and not head["sealed"]:
        told |= {"ticket": head["scope_names"][0]}
    elif head["scope"] == "list" and not head["sealed"]:
        told |= {"tickets": list(head["scope_names"])[:NAMED]}
    return told


# --- reading ---


async def listing(conn: AsyncConnection, login: Login, session_id: int, *, now_ms: int) -> dict[str, Any]:
    """``{incidents: [...]}`` of the session's exam that the login may read, newest first."""
    exam_id = await incident_plans.exam_of(conn, session_id)
    wall = await time_terms.wall_time(conn, now_ms)
    heads = [head for head in await incidents.of_exam(conn, exam_id) if incident_scope.may_read(login, head)]
    listed = []
    for head in heads:
        reach = incident_scope.in_reach(login, head)
        of_people = reach is not None and head["scope"] in PEOPLE
        people = await incidents.people(conn, head["id"], head["session_id"]) if of_people else []
        mine = [row for row in people if reach is None or not reach.isdisjoint(row["room_ids"])]
        listed.append({**told_head(head, wall), "names": _names(head, reach, mine)})
    return {"incidents": listed}


def _names(head: RowMapping, reach: frozenset[int] | None, people: Sequence[RowMapping]) -> list[str]:
    if reach is None or head["scope"] not in PEOPLE:
        return list(head["scope_names"])
    return [row["ticket"] for row in people]


async def view(conn: AsyncConnection, login: Login, incident_id: int, *, now_ms: int) -> dict[str, Any]:
    """``{incident}``: the head, and ``steps``, ``rooms``, ``people``, ``entries``, ``actions``, ``may``, ``newest``.
    Refused: not-found, not-permitted."""
    head = await held(conn, incident_id)
    if not incident_scope.may_read(login, head):
        raise Refused("not-permitted")
    wall = await time_terms.wall_time(conn, now_ms)
    zone = head["timezone"]
    reach = incident_scope.in_reach(login, head)
    people = [
        row
        for row in await incidents.people(conn, incident_id, head["session_id"])
        if reach is None or not reach.isdisjoint(row["room_ids"])
    ]
    theirs = None if reach is None else {row["ticket"] for row in people}
    entries = [told_entry(row, wall, zone, head["steps"], theirs) for row in await incidents.entries(conn, incident_id)]
    rooms = await incidents.rooms(conn, incident_id)
    actions = await incident_links.actions(conn, login, head, people, wall, now_ms=now_ms)
    return {
        "incident": {
            **told_head(head, wall),
            "names": _names(head, reach, people),
            "exam": head["exam_name"],
            "version": head["version"],
            "told_by": head["told_by"],
            "steps": told_steps(head["steps"], entries),
            "rooms": [{"id": row["id"], "name": row["name"], "building": row["building"]} for row in rooms],
            "people": [{key: row[key] for key in ("ticket", "name", "room", "seat")} for row in people],
            "entries": entries,
            "actions": actions,
            "printed": iso(wall, now_ms, zone),
            "may": {
                "write": incident_scope.may_write(login, head),
                "close": incident_scope.may_close(login, head),
                "sign": scope(login.role, "incident-sign") == "all",
                "seal": scope(login.role, "incident-sealed") == "all" and incident_scope.may_write(login, head),
            },
        }
    }


def told_head(head: RowMapping, wall: WallTime) -> dict[str, Any]:
    """``{id, number, plan, plan_zh, plan_en, title, session, scope, names, sealed, state, from, to, by, …}``."""
    zone = head["timezone"]
    return {
        "id": head["id"],
        "number": head["number"],
        "plan": head["plan"],
        "plan_zh": head["title_zh"],
        "plan_en": head["title_en"],
        "title": head["title"],
        "session_id": head["session_id"],
        "session": head["session_name"],
        "scope": head["scope"],
        "names": list(head["scope_names"]),
        "room_ids": list(head["room_ids"]),
        "sealed": head["sealed"],
        "state": head["state"],
        "from_ms": head["from_ms"],
        "from": iso(wall, head["from_ms"], zone),
        "to_ms": head["to_ms"],
        "to": None if head["to_ms"] is None else iso(wall, head["to_ms"], zone),
        "by": head["opened_by"],
        "at": iso(wall, head["made_ms"], zone),
        "newest": head["newest"],
        "signed_by": head["signed_by_name"],
        "signed_at": None if head["signed_ms"] is None else iso(wall, head["signed_ms"], zone),
    }


def told_entry(
    row: RowMapping, wall: WallTime, zone: str, steps: Sequence[dict[str, Any]], theirs: Collection[str] | None
) -> dict[str, Any]:
    """``{id, kind, data, zh, en, by, told_by, at, at_ms, evidence}``; of tickets ``theirs`` only, None: all."""
    file = None
    if row["evidence_id"] is not None:
        file = {
            "id": row["evidence_id"], "name": row["file_name"], "content_type": row["content_type"],
            "size": row["size"], "sha256": row["sha256"],
        }  # fmt: skip
    data = row["data"]
    if theirs is not None and (row["kind"] == "people" or data.get("scope") in PEOPLE):
        named = "tickets" if row["kind"] == "people" else "names"
        data = {**data, named: [one for one in data[named] if one in theirs]}
    zh, en = entry_words(row["kind"], data, steps, row["file_name"])
    return {
        "id": row["id"], "kind": row["kind"], "data": data, "zh": zh, "en": en, "by": row["by"],
        "told_by": row["told_by"], "at": iso(wall, row["made_ms"], zone), "at_ms": row["made_ms"], "evidence": file,
    }  # fmt: skip


def told_steps(steps: Sequence[dict[str, Any]], entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each step with who did it last, or None: ``{id, zh, en, done: {by, at, note}}``."""
    done: dict[str, dict[str, Any] | None] = {}
    for entry in entries:
        if entry["kind"] in ("step", "step-undone"):
            told = {"by": entry["by"], "at": entry["at"], "note": entry["data"].get("note", "")}
            done[entry["data"]["step"]] = told if entry["kind"] == "step" else None
    return [{**step, "done": done.get(step["id"])} for step in steps]
