"""The office's decisions on time, previewed and carried out (DESIGN §5, I8).

A preview works the plan out from what is read; an action works it out again under the locks, refuses when the digest
of what was seen no longer fits, and writes it with its notice in one transaction. What must reach the pages goes out
after the commit. Locks: exam, session, attempts by id, audit head; while the attempts' are held no answer of theirs is
written, so everything that can be read or refused before is (``time_looked``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import clock
from app.domain.adjustments import STOPPING, Change
from app.domain.errors import Refused
from app.services import (
    ending,
    one_at_a_time,
    staff_requests,
    time_beside,
    time_facts,
    time_follows,
    time_looked,
    time_notices,
    time_plan,
    time_scope,
    time_words,
    timing,
)
from app.services.site import Site
from app.services.staff_requests import Done
from app.services.time_lines import Line
from app.services.time_looked import Looked
from app.services.time_plan import Plan
from app.storage.postgres import (
    adjustments,
    exams,
    reopening,
    schedule,
    time_entries,
    time_terms,
)
from app.storage.postgres.adjustments import Moved
from app.storage.postgres.staff import Login

log = structlog.get_logger(__name__)
# Tickets an audit entry names; beyond it the entry in the ledger says who was meant.
NAMED = 50
# What is about certain people, and not about whoever sits somewhere.
NAMING = ("candidate", "list")
ENDS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Decided:
    """What an action did inside its transaction: the reply, the audit entry, and what is to happen after the commit."""

    entry: int
    reply: dict[str, Any]
    subject: Mapping[str, object]
    session_id: int
    moved: tuple[Moved, ...]
    told: tuple[time_notices.Told, ...]
    # When it was decided, in service time: not when it was asked, for it may have waited for locks.
    made_ms: int
    ended: tuple[UUID, ...] = ()
    held: tuple[one_at_a_time.Told, ...] = ()


async def preview(site: Site, conn: AsyncConnection, login: Login, change: Change, *, now_ms: int) -> dict[str, Any]:
    """``{effect, seen}``; nothing is changed. Refuses what makes no sense, or would reach nobody; what the cap or a
    moment that has passed refuses is told in ``effect.refused``."""
    session = await time_scope.session_of(conn, change.scope.session)
    change = await time_facts.completed(conn, change, now_ms, site)
    reached = await time_facts.reached(conn, session, change)
    time_facts.permit(login, change, reached)
    facts = await time_facts.facts(site, conn, login, change, reached, now_ms)
    plan = time_plan.make(change, reached, facts, now_ms)
    if not plan.takes and plan.refusal is not None:
        raise plan.refusal
    await time_facts.check_decision(conn, plan)
    changeover_ms = time_facts.ms(site.settings.changeover)
    waiting = await time_follows.waiting(conn, plan, changeover_ms=changeover_ms)
    follows = await time_follows.work_out(conn, plan, waiting, changeover_ms=changeover_ms)
    wall = await time_terms.wall_time(conn, now_ms)
    effect = await time_beside.told(site, conn, plan, time_words.effect(plan, follows, wall))
    return {"effect": effect, "seen": await time_facts.digest(conn, change, reached)}


async def carry_out(
    site: Site, login: Login, request: staff_requests.Request, change: Change, *, now_ms: int, through: str = "console"
) -> dict[str, Any]:
    """``{entry, entries, effect, notice}``, once for the request's key; the pages hear of it at once. ``through``: by
    what way it came, for the audit log: a command line asks nobody for a password."""
    decided: list[Decided] = []

    async def act(conn: AsyncConnection) -> Done:
        decided.append(await decide(site, conn, login, change, now_ms=now_ms, look_first=change.weighty))
        await time_follows.lapse(conn, decided[-1].session_id, now_ms=site.service_time.now_ms())
        done = decided[-1]
        return Done(done.reply, f"time.{change.kind}", {**done.subject, "through": through}, done.made_ms)

    reply = await staff_requests.once(site.engine, login, request, act, now_ms=now_ms)
    for each in decided:
        await after(site, each)
    return reply


async def decide(
    site: Site, conn: AsyncConnection, login: Login, change: Change, *, now_ms: int, look_first: bool = False
) -> Decided:
    """Carry the change out in the caller's transaction, which ends with the audit entry and is followed by ``after``.
    ``now_ms``: when it was asked. ``look_first``: not without the digest of a preview, so that of two people who enter
    the same at once the second is told; a proposal is decided once without it.

    Refused: everything of ``domain.adjustments.check`` and ``fits``, scope-unknown, scope-empty, entry-unknown,
    entry-undone, entry-not-undoable, undo-too-late, undo-start-passed, preview-needed, time-changed, cap-exceeded,
    cap-held, decision-not-approved.
    """
    session = await time_scope.session_of(conn, change.scope.session)
    await exams.lock(conn, session.exam_id)
    await schedule.lock_session(conn, session.id)
    session = await time_scope.session_of(conn, session.id)
    change = await time_facts.completed(conn, change, now_ms, site)
    looked = await time_looked.look(site, conn, login, change, session)
    if change.seen is not None and change.seen != await time_facts.digest(conn, change, looked.reached):
        raise Refused("time-changed")
    draft = await _planned(conn, looked, site.service_time.now_ms())
    if look_first and change.seen is None:
        raise Refused("preview-needed")
    changeover_ms = time_facts.ms(site.settings.changeover)
    waiting = await time_follows.waiting(conn, draft, changeover_ms=changeover_ms)
    wall = await time_terms.wall_time(conn, draft.now_ms)
    looked, moved = await time_looked.lock(site, conn, login, looked)
    # The instant of the decision, as late as may be: whoever is let go on would pay for what it waited for the locks,
    # and a start that passed meanwhile is no longer postponed.
    now_ms = site.service_time.now_ms()
    plan = time_plan.make(change, looked.reached, looked.facts, now_ms)
    if plan.refusal is not None:
        raise plan.refusal
    if moved or plan.takes != draft.takes:
        await time_facts.check_decision(conn, plan)
        waiting = await time_follows.waiting(conn, plan, changeover_ms=changeover_ms)
    follows = await time_follows.work_out(conn, plan, waiting, changeover_ms=changeover_ms)
    entries = await _write(conn, plan, login)
    settled = await _settle(conn, plan, looked)
    held = await one_at_a_time.hold_after(site, conn, () if change.kind in STOPPING else tuple(plan.after), now_ms)
    proposal = None
    if follows is not None:
        proposal = await time_follows.propose(
            conn, follows, after=session, entry=entries[0], staff_id=login.staff_id, now_ms=now_ms
        )
    told = await time_notices.create(conn, plan, entries[0], wall)
    effect = await time_beside.told(site, conn, plan, time_words.effect(plan, follows, wall, proposal))
    row = await time_entries.find(conn, entries[0])
    if row is None:
        raise LookupError(f"entry {entries[0]} vanished inside its own transaction")
    entry = time_words.told_entry(row, wall, session.timezone, set(entries))
    return Decided(
        entry=entries[0],
        reply={"entry": entry, "entries": entries, "effect": effect, "notice": told[0].notice["id"]},
        subject=_subject(plan, entries, effect) | {"waiting": sum(len(each.moved) for each in held)},
        session_id=session.id,
        moved=tuple(_told(plan, settled)),
        told=tuple(told),
        made_ms=now_ms,
        ended=tuple(member.attempt for member in plan.takes) if change.kind == "end" else (),
        held=tuple(held),
    )


async def _planned(conn: AsyncConnection, looked: Looked, now_ms: int) -> Plan:
    """The plan as things stand, or its refusal: what is refused stops nobody's answers."""
    plan = time_plan.make(looked.change, looked.reached, looked.facts, now_ms)
    if plan.refusal is not None:
        raise plan.refusal
    await time_facts.check_decision(conn, plan)
    return plan


async def after(site: Site, decided: Decided) -> None:
    """What follows the commit: the pages hear of it, and whoever was ended is sealed and drained.

    Nothing is lost when this process dies before it: replies carry the clock and the notice, and the sweeper ends who
    has a live ``end`` in the ledger.
    """
    for notice, moved in time_notices.shares(decided.told, decided.moved):
        await timing.announce(site, decided.session_id, moved, notice)
    await one_at_a_time.announce(site, decided.held)
    await end_all(site, decided.ended)


async def end_all(site: Site, attempts: Sequence[UUID]) -> None:
    """End whoever the office has ended, a few at a time: each is sealed and drained by itself. One that cannot be ended
    now keeps nobody else open and fails no request: the decision is in the ledger, and ``time_holds`` comes by."""
    at_once = asyncio.Semaphore(ENDS_AT_ONCE)

    async def one(attempt: UUID) -> None:
        async with at_once:
            await ending.end(site, attempt, "forced")

    ended = await asyncio.gather(*(one(attempt) for attempt in attempts), return_exceptions=True)
    for attempt, fault in zip(attempts, ended, strict=True):
        if fault is not None:
            log.warning("attempt not ended yet", attempt=str(attempt), fault=repr(fault))


# --- writing ---


async def _write(conn: AsyncConnection, plan: Plan, login: Login) -> list[int]:
    source = f"staff:{uuid4()}"
    written: list[int] = []
    for n, line in enumerate(plan.lines):
        entry = await _enter(conn, plan, line, login, f"{source}:{n}" if n else source)
        written.append(entry)
    if plan.reopened:
        await reopening.reopen(conn, plan.reopened, now_ms=plan.now_ms)
    return written


async def _enter(conn: AsyncConnection, plan: Plan, line: Line, login: Login, source: str) -> int:
    change, reached = plan.change, plan.reached
    entry = await adjustments.insert_entry(
        conn,
        line.kind,
        session_id=reached.session.id,
        members=line.attempts,
        reason=line.reason,
        source=source,
        now_ms=plan.now_ms,
        scope=change.scope.kind,
        scope_names=reached.names,
        room_id=reached.room_id,
        from_ms=line.from_ms,
        to_ms=line.to_ms,
        amount_ms=line.amount_ms,
        refers_id=line.refers_id,
        supersedes_id=line.supersedes_id,
        note=change.note,
        incident=change.incident,
        staff_id=login.staff_id,
        decision_id=change.decision,
    )
    if entry is None:
        raise LookupError(f"{source} was entered before: a random id came up twice")
    return entry


async def _settle(conn: AsyncConnection, plan: Plan, looked: Looked) -> list[Moved]:
    session = plan.reached.session
    takes = [member.attempt for member in plan.takes]
    # Where some have begun it has become a change for the others, each by themselves.
    if session.start_ms is not None and looked.everybody and plan.change.scope.kind == looked.change.scope.kind:
        meant = set(takes)
        for one in looked.everybody:
            if one.attempt not in meant and time_plan.has_begun(one, plan.now_ms):
                raise RuntimeError(f"session {session.id} would start anew for {one.attempt}, who has begun")
        before, later = clock.start_ms(plan.before[takes[0]]), clock.start_ms(plan.after[takes[0]])
        if before is not None and later is not None:
            await time_entries.set_start(conn, session.id, session.start_ms + later - before)
        # Whoever came into the session since starts when it does.
        takes = [one.attempt for one in looked.everybody if one.stored == "open"]
    await adjustments.touch(conn, {attempt for line in plan.lines for attempt in line.attempts}.difference(takes))
    return await adjustments.settle(conn, takes, plan.now_ms, ledgers=plan.after)


def _told(plan: Plan, moved: Sequence[Moved]) -> Sequence[Moved]:
    if plan.change.kind != "end":
        return moved
    # Who is ended has no time left on the page either: it asks, and is told.
    return [replace(one, end_ms=plan.now_ms, left_ms=None) for one in moved]


def _subject(plan: Plan, entries: Sequence[int], effect: Mapping[str, Any]) -> dict[str, object]:
    change, follows = plan.change, effect["follows"]
    return {
        "session_id": plan.reached.session.id,
        "session": plan.reached.session.number,
        "entries": list(entries),
        "scope": change.scope.kind,
        "names": list(plan.reached.names)[:NAMED],
        "candidates": len(plan.takes),
        # By these the log finds it for a room and for a candidate; whom a whole room holds is found by the room.
        "room_ids": sorted({member.room_id for member in plan.takes}),
        "tickets": sorted(member.ticket for member in plan.takes) if change.scope.kind in NAMING else [],
        "ms": change.ms,
        "from_ms": change.from_ms,
        "to_ms": change.to_ms,
        "undone": change.entry if change.kind == "undo" else None,
        "reason": plan.lines[0].reason,
        "note": change.note,
        "incident": change.incident,
        "decision": change.decision,
        "ends": effect["ends"],
        "follows": None if follows is None else {name: follows[name] for name in ("proposal", "supersedes")},
    }
