"""Decisions of the office that lift the 60-minute cap (I8): a number, a text, and two different people.

Who is meant is written out when it is proposed, so that nobody is added between the proposal and the approval. An
approved decision stands; it raises a limit and moves no clock by itself: a held scope is resumed by its own action.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import adjustments
from app.domain.adjustments import Change, Scope
from app.domain.errors import Refused
from app.domain.roles import allows
from app.services import time_facts, time_scope
from app.services.site import Site
from app.services.staff_requests import Done
from app.storage.postgres import time_decisions
from app.storage.postgres.staff import Login

STATES = {"approved": ("批准", "approved"), "withdrawn": ("撤回", "withdrawn")}


def permit(login: Login) -> None:
    if not allows(login.role, "time-decide", room_id=None, own_room_ids=login.own_room_ids):
        raise Refused("not-permitted")


async def propose(
    site: Site,
    conn: AsyncConnection,
    login: Login,
    scope: Scope,
    *,
    number: str,
    words: str,
    limit_ms: int,
    now_ms: int,
    through: str = "console",
) -> Done:
    """Put a new limit for the scope before a second person. Refused: not-permitted, scope-malformed, scope-unknown,
    scope-empty, decision-incomplete, decision-limit."""
    permit(login)
    longest_ms, cap_ms = time_facts.ms(site.settings.longest_change), time_facts.ms(site.settings.time_cap)
    # The shape of the scope is that of any change; a reason is not asked for, the text is one.
    adjustments.check(Change("resume", scope), now_ms=now_ms, longest_ms=longest_ms)
    if not number or not words:
        raise Refused("decision-incomplete")
    if not cap_ms < limit_ms <= longest_ms:
        raise Refused("decision-limit", least_min=cap_ms // 60_000, most_min=longest_ms // 60_000)
    session = await time_scope.session_of(conn, scope.session)
    reached = await time_scope.reach(conn, session, scope)
    decision = await time_decisions.propose(
        conn,
        exam_id=session.exam_id,
        session_id=session.id,
        kind="lift-cap",
        number=number,
        words=words,
        limit_ms=limit_ms,
        staff_id=login.staff_id,
        attempts=[member.attempt for member in reached.members],
        detail={"scope": scope.kind, "scope_names": list(reached.names)},
        now_ms=now_ms,
    )
    row = await _found(conn, decision)
    return Done({"decision": told(row)}, "time.decision.propose", {**_subject(row), "through": through})


async def approve(conn: AsyncConnection, login: Login, decision: int, *, now_ms: int, through: str = "console") -> Done:
    """The second person's word. Refused: not-permitted, decision-unknown, decision-same-person, decision-closed."""
    permit(login)
    row = await time_decisions.lock(conn, decision)
    if row is None:
        raise Refused("decision-unknown", decision=decision)
    if row["state"] == "approved" and row["approved_by"] == login.staff_id:
        return Done({"decision": told(row)})
    _refuse_closed(row)
    if row["proposed_by"] == login.staff_id or _same_name(row["proposed_by_name"], login.name):
        raise Refused("decision-same-person")
    await time_decisions.approve(conn, decision, staff_id=login.staff_id, now_ms=now_ms)
    row = await _found(conn, decision)
    return Done({"decision": told(row)}, "time.decision.approve", {**_subject(row), "through": through})


async def withdraw(conn: AsyncConnection, login: Login, decision: int, *, through: str = "console") -> Done:
    """Take back what nobody has approved yet. Refused: not-permitted, decision-unknown, decision-closed."""
    permit(login)
    row = await time_decisions.lock(conn, decision)
    if row is None:
        raise Refused("decision-unknown", decision=decision)
    if row["state"] == "withdrawn":
        return Done({"decision": told(row)})
    _refuse_closed(row)
    await time_decisions.withdraw(conn, decision)
    row = await _found(conn, decision)
    return Done({"decision": told(row)}, "time.decision.withdraw", {**_subject(row), "through": through})


async def _found(conn: AsyncConnection, decision: int) -> RowMapping:
    row = await time_decisions.find(conn, decision)
    if row is None:
        raise LookupError(f"decision {decision} vanished: decisions are never deleted")
    return row


def _same_name(one: str, other: str) -> bool:
    """One person may have an account for each of their roles; an account is not a second person."""
    return "".join(one.split()).casefold() == "".join(other.split()).casefold()


def _refuse_closed(row: RowMapping) -> None:
    if row["state"] != "proposed":
        zh, en = STATES[row["state"]]
        raise Refused("decision-closed", decision=row["id"], state_zh=zh, state_en=en)


def told(row: RowMapping) -> dict[str, Any]:
    """A decision as staff read it."""
    detail: dict[str, Any] = row["detail"]
    return {
        "id": row["id"],
        "session": row["session_id"],
        "kind": row["kind"],
        "number": row["number"],
        "text": row["text"],
        "limit_ms": row["limit_ms"],
        "state": row["state"],
        "scope": detail.get("scope", "list"),
        "scope_names": detail.get("scope_names", []),
        "candidates": row["candidates"],
        "proposed_by": row["proposed_by_name"],
        "proposed_by_username": row["proposed_by_username"],
        "approved_by": row["approved_by_name"],
        "proposed_ms": row["proposed_ms"],
        "approved_ms": row["approved_ms"],
        "made_at": row["made_at"].isoformat(timespec="seconds"),
    }


def _subject(row: RowMapping) -> dict[str, object]:
    return {
        "decision": row["id"],
        "session_id": row["session_id"],
        "number": row["number"],
        "text": row["text"],
        "limit_ms": row["limit_ms"],
        "names": row["detail"].get("scope_names", [])[:50],
        "candidates": row["candidates"],
        "proposed_by": row["proposed_by_name"],
    }
