"""Approving a proposal: it becomes a decision on time like any other, for exactly those whom the evidence names.

So the cap, the union with what they were given already, the notice, the push and the audit are the same as for a
decision that somebody typed (``services.time_decisions``). The proposal and the entry are one transaction; of two who
decide at once the second is told who was first.

Locks: exam, session, the proposal, attempts by id, audit head.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import clock
from app.domain.adjustments import AUTOMATIC, Change, Scope
from app.domain.errors import Refused
from app.services import staff_requests, time_decisions, time_follows, time_scope
from app.services.proposals import open_one, permit, subject, told_one
from app.services.site import Site
from app.services.staff_requests import Done
from app.services.staff_requests import Request as StaffRequest
from app.services.time_decisions import Decided
from app.storage.postgres import adjustments, exams, proposals, schedule
from app.storage.postgres.staff import Login

# What is entered as the reason when nobody gives another.
REASONS = {"outage-credit": "server", "relog-surplus": "pc", "follows": "late-start"}
USUAL = "network"


@dataclass(frozen=True, slots=True)
class Given:
    """What the office wrote into the proposal; None: as proposed. ``ms`` is a length from the proposal's own begin."""

    note: str = ""
    reason: str = ""
    ms: int | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    decision: int | None = None
    seen: str | None = None

    @property
    def body(self) -> dict[str, Any]:
        # Instants that were converted from wall time may differ by a tick when the request is repeated.
        return {"note": self.note, "reason": self.reason, "ms": self.ms, "decision": self.decision, "seen": self.seen}


async def preview(site: Site, login: Login, proposal: int, given: Given) -> dict[str, Any]:
    """``{effect, seen}`` of approving it so; nothing is changed."""
    permit(login, "time-decide")
    now_ms = site.service_time.now_ms()
    async with site.engine.connect() as conn:
        row = await proposals.find(conn, proposal)
        if row is None:
            raise Refused("not-found")
        return await time_decisions.preview(site, conn, login, await _change(conn, row, given, now_ms), now_ms=now_ms)


async def approve(
    site: Site, login: Login, key: str, proposal: int, given: Given, *, through: str = "console"
) -> dict[str, Any]:
    """``{proposal, entry, effect, notice}``; the pages hear of it at once.

    Refuses not-found, proposal-decided, proposal-same-person, proposal-unneeded, and whatever refuses the decision it
    amounts to: cap-exceeded above all.
    """
    permit(login, "time-decide")
    now_ms = site.service_time.now_ms()
    decided: list[Decided] = []

    async def act(conn: AsyncConnection) -> Done:
        known = await proposals.find(conn, proposal)
        if known is None:
            raise Refused("not-found")
        session = await time_scope.session_of(conn, known["session_id"])
        await exams.lock(conn, session.exam_id)
        await schedule.lock_session(conn, session.id)
        row = await open_one(conn, proposal)
        if row["proposed_by"] == login.staff_id:
            raise Refused("proposal-same-person")
        change = await _change(conn, row, given, now_ms)
        done = await time_decisions.decide(site, conn, login, change, now_ms=now_ms)
        decided.append(done)
        await _close(conn, row, change, login, done.entry, given.note, done.made_ms)
        await time_follows.lapse(conn, session.id, now_ms=done.made_ms)
        told = await told_one(conn, proposal, done.made_ms)
        about = {**done.subject, "proposal": subject(told), "through": through}
        return Done({"proposal": told, **done.reply}, "proposal.approve", about, done.made_ms)

    request = StaffRequest(key, f"proposal.approve {proposal}", given.body)
    reply = await staff_requests.once(site.engine, login, request, act, now_ms=now_ms)
    for each in decided:
        await time_decisions.after(site, each)
    return reply


async def _change(conn: AsyncConnection, row: RowMapping, given: Given, now_ms: int) -> Change:
    """The decision that the proposal amounts to, with what the office wrote into it."""
    evidence = row["evidence"]
    reason = given.reason or evidence.get("reason", "")
    if not reason or (reason in AUTOMATIC and row["kind"] != "shorten"):
        reason = REASONS.get(row["kind"], USUAL)
    scope = Scope(
        session=row["session_id"],
        kind=row["scope"],
        among=tuple(await proposals.members(conn, row["id"])),
        names=tuple(row["scope_names"]),
    )
    words = given.note or evidence.get("note", "")
    about: dict[str, Any] = {"scope": scope, "reason": reason, "note": words, "incident": evidence.get("incident", "")}
    if row["kind"] == "follows":
        needed = await time_follows.needed_ms(conn, row["id"], evidence, now_ms=now_ms)
        if not needed:
            raise Refused("proposal-unneeded")
        # What was asked for, or as much of it as is still needed.
        ms = min(evidence["ms"], needed) if given.ms is None else given.ms
        return Change("postpone", ms=ms, decision=given.decision, seen=given.seen, **about)
    if row["from_ms"] is None and given.from_ms is None:
        ms = evidence["ms"] if given.ms is None else given.ms
        return Change("extend", ms=ms, decision=given.decision, seen=given.seen, **about)
    from_ms = row["from_ms"] if given.from_ms is None else given.from_ms
    to_ms = row["to_ms"] if given.to_ms is None else given.to_ms
    if given.ms is not None:
        if given.ms <= 0:
            raise Refused("duration-not-positive")
        to_ms = from_ms + given.ms
    supersedes = evidence["entry"] if row["kind"] == "shorten" else None
    if supersedes is not None:
        await _refuse_undone(conn, scope.among, supersedes)
    return Change(
        "credit", from_ms=from_ms, to_ms=to_ms, supersedes=supersedes, decision=given.decision, seen=given.seen, **about
    )


async def _refuse_undone(conn: AsyncConnection, attempts: Collection[UUID], entry: int) -> None:
    """A credit that does not stand any more cannot be made shorter: the shorter one would give the time again."""
    for ledger in (await adjustments.load(conn, attempts)).values():
        if entry not in {one.id for one in clock.live(ledger.entries)}:
            raise Refused("entry-undone", entry=entry)


async def _close(
    conn: AsyncConnection, row: RowMapping, change: Change, login: Login, entry: int, note: str, now_ms: int
) -> None:
    as_proposed = (change.from_ms, change.to_ms) == (row["from_ms"], row["to_ms"])
    if row["from_ms"] is None:
        as_proposed = change.kind != "credit" and change.ms == row["evidence"]["ms"]
    await proposals.decide(
        conn,
        row["id"],
        state="approved" if as_proposed else "changed",
        staff_id=login.staff_id,
        now_ms=now_ms,
        note=note,
        adjustment_id=entry,
    )
    if row["evidence"].get("going"):
        await _continue(conn, row, change.to_ms or now_ms, now_ms)


async def _continue(conn: AsyncConnection, row: RowMapping, from_ms: int, now_ms: int) -> None:
    """A loss that was decided on while it lasts is followed on from there, so that the rest is proposed as well."""
    from_ms = min(from_ms, now_ms)
    attempts = await proposals.members(conn, row["id"])
    await proposals.make(
        conn,
        proposals.New(
            session_id=row["session_id"],
            kind=row["kind"],
            source=f"{row['source']}>{from_ms}",
            scope=row["scope"],
            scope_names=row["scope_names"],
            from_ms=from_ms,
            to_ms=max(from_ms, now_ms),
            attempts=attempts,
            made_ms=now_ms,
            evidence=row["evidence"],
        ),
    )
    ended = {key: value for key, value in row["evidence"].items() if key != "back"} | {"going": False}
    await proposals.update(conn, row["id"], to_ms=row["to_ms"], evidence=ended)
