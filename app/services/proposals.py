"""Proposals before the office: what is asked and why, asking for one, and leaving one aside.

What comes of an approval is a decision on time like any other (``services.proposal_approval``). Nothing is credited
for evidence alone: a person decides (DESIGN §5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import adjustments
from app.domain.adjustments import Change, reason_words
from app.domain.errors import Refused
from app.domain.proposals import words
from app.domain.roles import Action, allows, scope
from app.domain.wall_time import WallTime
from app.services import staff_requests, time_scope, time_sight
from app.services.site import Site
from app.services.staff_requests import Done
from app.services.staff_requests import Request as StaffRequest
from app.storage.postgres import proposals, time_terms
from app.storage.postgres.staff import Login

# What the look for silence needs of a loss and nobody wants to read.
WORKING = {"back", "since_ms", "level", "seats"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks the office for: a credit of an interval, or an extension; instants are service time."""

    change: Change
    body: Mapping[str, Any]


# --- looking at them ---


async def listed(conn: AsyncConnection, login: Login, session_id: int, *, now_ms: int) -> list[dict[str, Any]]:
    """The session's proposals as staff read them, open ones first; an account with rooms of its own sees those about
    somebody who sits there, and in them who sits there (``time_sight``). Refused not-permitted."""
    reach = scope(login.role, "time-view")
    if reach is None:
        raise Refused("not-permitted")
    rooms = None if reach == "all" else login.own_room_ids
    rows = await proposals.of_session(conn, session_id, rooms)
    if not rows:
        return []
    wall = await time_terms.wall_time(conn, now_ms)
    tickets = await proposals.tickets(
        conn, [row["id"] for row in rows if row["state"] == "open" and row["scope"] != "site"]
    )
    each = [told(row, wall, tickets.get(row["id"], [])) for row in rows]
    return await time_sight.limited(conn, rows[0]["exam_id"], rooms, each)


def told(row: RowMapping, wall: WallTime, tickets: list[str] | None = None) -> dict[str, Any]:
    """One proposal: who, from when to when, how much, why, and what became of it."""
    zone = ZoneInfo(row["timezone"])
    evidence: dict[str, Any] = row["evidence"]
    from_at, to_at = _wall(wall, row["from_ms"], zone), _wall(wall, row["to_ms"], zone)
    asks_ms = amount_ms(row)
    named = dict(evidence)
    if "typed_ms" in evidence:
        named["typed_at"] = _wall(wall, evidence["typed_ms"], zone)
    zh, en = words(row["kind"], named, from_at=from_at, to_at=to_at, ms=asks_ms, by=row["by"] or "")
    reason = evidence.get("reason", "")
    reason_zh, reason_en = reason_words(reason) if reason else ("", "")
    return {
        "id": row["id"],
        "session": row["session_id"],
        "kind": row["kind"],
        "scope": row["scope"],
        "scope_names": row["scope_names"],
        "names": row["scope_names"],
        "candidates": row["candidates"],
        "tickets": tickets or [],
        "from_ms": row["from_ms"],
        "to_ms": row["to_ms"],
        "from_at": _iso(from_at),
        "to_at": _iso(to_at),
        "amount_ms": asks_ms,
        "going": bool(evidence.get("going")),
        "evidence": {key: value for key, value in evidence.items() if key not in WORKING}
        | ({"of": evidence["seats"]} if "seats" in evidence else {}),
        "zh": zh,
        "en": en,
        "reason": reason,
        "reason_zh": reason_zh,
        "reason_en": reason_en,
        "state": row["state"],
        "entry": row["adjustment_id"],
        "by": row["by"],
        "decided_by": row["decided_by_name"],
        "decided_ms": row["decided_ms"],
        "note": row["note"] or evidence.get("note", ""),
        "made_ms": row["made_ms"],
        "made_at": row["made_at"].astimezone(zone).isoformat(timespec="seconds"),
    }


def amount_ms(row: RowMapping) -> int:
    """What the proposal asks for, in milliseconds."""
    if row["from_ms"] is None or row["to_ms"] is None:
        return int(row["evidence"].get("ms", 0))
    return int(row["to_ms"] - row["from_ms"])


def _wall(wall: WallTime, ms: int | None, zone: ZoneInfo) -> datetime | None:
    return None if ms is None else wall.at(ms).astimezone(zone)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")


# --- asking for one ---


async def ask(site: Site, login: Login, key: str, asked: Asked, *, through: str = "console") -> dict[str, Any]:
    """Put it before the office: ``{proposal: …}``.

    Refuses what makes no sense as a decision (``domain.adjustments.check``), scope-unknown, scope-empty, and for an
    account with rooms of its own a scope that reaches beyond them (not-permitted).
    """
    now_ms = site.service_time.now_ms()
    permit(login, "time-propose")
    adjustments.check(asked.change, now_ms=now_ms, longest_ms=longest_ms(site))
    act = partial(_ask, login=login, asked=asked, now_ms=now_ms, through=through)
    request = StaffRequest(key, "time.propose", asked.body)
    return await staff_requests.once(site.engine, login, request, act, now_ms=now_ms)


async def _ask(conn: AsyncConnection, *, login: Login, asked: Asked, now_ms: int, through: str) -> Done:
    change = asked.change
    reached = await time_scope.reach(conn, await time_scope.session_of(conn, change.scope.session), change.scope)
    for room_id in sorted({member.room_id for member in reached.members}):
        permit(login, "time-propose", room_id)
    made = await proposals.make(
        conn,
        proposals.New(
            session_id=reached.session.id,
            kind="asked",
            source=f"staff:{uuid4()}",
            scope=change.scope.kind,
            scope_names=reached.names,
            from_ms=change.from_ms,
            to_ms=change.to_ms,
            attempts=[member.attempt for member in reached.members],
            made_ms=now_ms,
            evidence={"reason": change.reason, "note": change.note, "incident": change.incident}
            | ({"ms": change.ms} if change.kind == "extend" else {}),
            proposed_by=login.staff_id,
        ),
    )
    if made is None:
        raise LookupError("a new source was made before")
    reply = {"proposal": await told_one(conn, made, now_ms)}
    return Done(reply, "proposal.ask", {**subject(reply["proposal"]), "through": through})


# --- leaving one aside ---


async def dismiss(
    site: Site, login: Login, key: str, proposal: int, *, note: str, through: str = "console"
) -> dict[str, Any]:
    """The office leaves a proposal aside; it stays on record: ``{proposal: …}``. Refuses not-found, note-missing,
    proposal-decided."""
    now_ms = site.service_time.now_ms()
    permit(login, "time-decide")
    if not note:
        raise Refused("proposal-note-missing")

    async def act(conn: AsyncConnection) -> Done:
        await open_one(conn, proposal)
        await proposals.decide(conn, proposal, state="dismissed", staff_id=login.staff_id, now_ms=now_ms, note=note)
        reply = {"proposal": await told_one(conn, proposal, now_ms)}
        return Done(reply, "proposal.dismiss", {**subject(reply["proposal"]), "through": through})

    request = StaffRequest(key, f"proposal.dismiss {proposal}", {"note": note})
    return await staff_requests.once(site.engine, login, request, act, now_ms=now_ms)


async def open_one(conn: AsyncConnection, proposal: int) -> RowMapping:
    """The proposal, its row locked. Refused not-found, and proposal-decided with who was first."""
    row = await proposals.lock(conn, proposal)
    if row is None:
        raise Refused("not-found")
    if row["state"] != "open":
        raise Refused("proposal-decided", by=row["decided_by_name"] or "—", state=row["state"])
    return row


async def told_one(conn: AsyncConnection, proposal: int, now_ms: int) -> dict[str, Any]:
    row = await proposals.find(conn, proposal)
    if row is None:
        raise LookupError(proposal)
    return told(row, await time_terms.wall_time(conn, now_ms))


def subject(one: Mapping[str, Any]) -> dict[str, object]:
    """What the audit log says of a proposal."""
    kept = ("id", "session", "kind", "scope", "names", "candidates", "from_ms", "to_ms", "amount_ms", "entry", "note")
    return {key: one[key] for key in kept} | {"words": one["zh"]}


def permit(login: Login, action: Action, room_id: int | None = None) -> None:
    if not allows(login.role, action, room_id=room_id, own_room_ids=login.own_room_ids):
        raise Refused("not-permitted")


def longest_ms(site: Site) -> int:
    """The longest interval that can be meant."""
    return int(site.settings.longest_change.total_seconds() * 1000)
