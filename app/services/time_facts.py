"""What a change of time is judged by: read once for a preview, and again under the locks for an action."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import adjustments as rules
from app.domain import clock
from app.domain.adjustments import Change, ScopeKind
from app.domain.errors import Refused
from app.domain.roles import ROLES, Action, allows, scope
from app.domain.wall_time import WallTime
from app.services import one_at_a_time, time_scope
from app.services.site import Site
from app.services.time_judge import Facts
from app.services.time_plan import Plan
from app.services.time_scope import Reached
from app.storage.postgres import adjustments, time_decisions, time_entries
from app.storage.postgres import time_scope as time_scope_rows
from app.storage.postgres.staff import Login
from app.storage.postgres.time_scope import Member, Sitter, Timed

# What whoever is on the spot may stop at once, by the scope: a fire waits for nobody's telephone.
ON_THE_SPOT: Mapping[str, Action] = {
    "candidate": "time-pause-one", "room": "time-pause-room", "building": "time-pause-building",
}  # fmt: skip


def ms(length: timedelta) -> int:
    return int(length.total_seconds() * 1000)


def permit(login: Login, change: Change, whom: Reached) -> None:
    """The office decides for everybody; who watches a room may stop and start one candidate's clock in it, the room's,
    and a chief the building's, from now on, and the office can take it back. Refused not-permitted."""
    if _decides(login):
        return
    action = ON_THE_SPOT.get(change.scope.kind)
    mine = (
        action is not None
        and (action != "time-pause-one" or len(whom.members) == 1)
        and all(
            allows(login.role, action, room_id=room_id, own_room_ids=login.own_room_ids)
            for room_id in {member.room_id for member in whom.members}
        )
    )
    if not mine or change.kind not in ("pause", "resume") or change.from_ms is not None:
        raise Refused("not-permitted")


def _decides(login: Login) -> bool:
    return allows(login.role, "time-decide", room_id=None, own_room_ids=login.own_room_ids)


async def completed(conn: AsyncConnection, change: Change, now_ms: int, site: Site) -> Change:
    """The change, checked for what makes no sense by itself; one that answers an entry takes its scope from it."""
    rules.check(change, now_ms=now_ms, longest_ms=ms(site.settings.longest_change))
    if change.kind == "undo":
        answered = await _undone(conn, change)
    elif _answers_all(change):
        answered = await _paused(conn, change)
    else:
        return change
    return replace(
        change,
        reason=change.reason or answered.reason,
        scope=replace(change.scope, kind=cast("ScopeKind", answered.scope)),
    )


def _answers_all(change: Change) -> bool:
    """Whether the change is for everybody an entry was for: an undo, and a resume of one pause for the whole site."""
    return change.kind == "undo" or (change.kind == "resume" and change.entry is not None and not _names_some(change))


def by_place(change: Change) -> bool:
    """Whether it is for whoever sits in these rooms or buildings now; else for people, wherever they sit."""
    return change.scope.kind in ("building", "room") and not change.scope.among and not _answers_all(change)


def _names_some(change: Change) -> bool:
    named = change.scope
    return bool(named.buildings or named.rooms or named.tickets or named.attempt is not None)


async def _undone(conn: AsyncConnection, change: Change) -> clock.Entry:
    found = await _live_entry(conn, change)
    if found.kind not in rules.UNDOABLE or found.reason in rules.HELD:
        raise Refused("entry-not-undoable")
    return found


async def _paused(conn: AsyncConnection, change: Change) -> clock.Entry:
    found = await _live_entry(conn, change)
    if found.kind != "pause":
        raise Refused("entry-unknown", entry=change.entry)
    return found


async def _live_entry(conn: AsyncConnection, change: Change) -> clock.Entry:
    chain = await time_entries.chain(conn, change.scope.session)
    found = next((entry for entry in chain if entry.id == change.entry), None)
    if found is None:
        raise Refused("entry-unknown", entry=change.entry)
    if found not in clock.live(chain):
        # Taken back for some: it stands as long as it stands for anybody for whom something can be decided.
        still = await _still(conn, change.scope.session, found.id)
        if all(member.end_reason == "deferred" for member in still):
            raise Refused("entry-undone", entry=change.entry)
    return found


async def _still(conn: AsyncConnection, session_id: int, entry: int) -> list[Member]:
    """Whom of the session an entry was for and counts for, wherever they sit by now. A share of it may have been
    replaced, or taken back, by an entry for one of them alone."""
    meant = await adjustments.members(conn, entry)
    ledgers = await adjustments.load(conn, meant)
    distinct = {id(ledger): ledger for ledger in ledgers.values()}
    counts = {key for key, ledger in distinct.items() if any(one.id == entry for one in clock.live(ledger.entries))}
    found = await time_scope_rows.members(conn, session_id, attempts=meant)
    return [member for member in found if id(ledgers[member.attempt]) in counts]


async def reached(conn: AsyncConnection, session: Timed, change: Change) -> Reached:
    """Whom the change means. Refused: scope-unknown, scope-empty."""
    if not _answers_all(change) or change.entry is None:
        return await time_scope.reach(conn, session, change.scope)
    # Everybody for whom the entry counts: who was given another one in its place keeps that.
    row = await time_entries.find(conn, change.entry)
    found = await _still(conn, session.id, change.entry)
    if row is None or not found:
        raise Refused("scope-empty")
    return Reached(session, found, row["scope_names"], row["room_id"])


async def facts(
    site: Site, conn: AsyncConnection, login: Login, change: Change, reached: Reached, now_ms: int
) -> Facts:
    """What the plan is made from."""
    ids = [member.attempt for member in reached.members]
    elsewhere, taken, undecided = await of_others(site, conn, reached, now_ms)
    return Facts(
        ledgers=await adjustments.load(conn, ids),
        limits=await time_scope_rows.limits(conn, ids),
        elsewhere=elsewhere,
        taken=taken,
        undecided=undecided,
        cap_ms=ms(site.settings.time_cap),
        undone=await _undone(conn, change) if change.kind == "undo" else None,
        endable=None if _decides(login) else await _entered_on_the_spot(conn, ids),
    )


async def of_others(
    site: Site, conn: AsyncConnection, reached: Reached, now_ms: int
) -> tuple[frozenset[UUID], Mapping[UUID, Sitter], frozenset[UUID]]:
    """Of those whose time is up: whose candidate runs elsewhere, at whose seat somebody else sits, and whose own end
    may still move."""
    closed = [member for member in reached.members if member.stored != "open"]
    late = [one.attempt for one in reached.members if one.stored == "open" and (one.end_ms or now_ms + 1) <= now_ms]
    undecided = frozenset(await one_at_a_time.undecided(site, conn, late, now_ms))
    if not closed:
        return frozenset(), {}, undecided
    elsewhere = await one_at_a_time.running_elsewhere(site, conn, closed, now_ms)
    taken = await time_scope_rows.seats_taken(conn, [member.attempt for member in closed], now_ms)
    return elsewhere, taken, undecided


async def _entered_on_the_spot(conn: AsyncConnection, attempts: Collection[UUID]) -> frozenset[int]:
    """The pauses that were made by somebody who does not decide for everybody."""
    watching = [role for role in ROLES if scope(role, "time-decide") is None]
    return frozenset(await time_entries.pauses_by(conn, attempts, watching))


async def digest(conn: AsyncConnection, change: Change, reached: Reached) -> str:
    """What was seen: who is meant, when the session starts, and the newest decision on it. Moves and reconnections of
    single candidates go on all the time and are nobody's decision: they do not count."""
    seen = [
        change.kind,
        reached.session.start_ms,
        await time_entries.newest_decided(conn, reached.session.id),
        sorted(str(member.attempt) for member in reached.members),
    ]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:32]


async def check_decision(conn: AsyncConnection, plan: Plan) -> None:
    """A decision that is named stands behind this change: approved, and for everybody it takes."""
    if plan.change.decision is None:
        return
    found = await time_decisions.find(conn, plan.change.decision)
    if found is None:
        raise Refused("decision-unknown", decision=plan.change.decision)
    takes = [member.attempt for member in plan.takes]
    if found["state"] != "approved" or not await time_decisions.covers(conn, plan.change.decision, takes):
        raise Refused("decision-not-approved", decision=plan.change.decision)


def instant(wall: WallTime, given_ms: int | None, at: datetime | None) -> int | None:
    """A service-time instant, given as such or as wall time (aware). Refused wall-time-zone."""
    if given_ms is not None or at is None:
        return given_ms
    if at.tzinfo is None:
        raise Refused("wall-time-zone", at=str(at))
    return wall.service_ms(at)
