"""What a change of time is planned from, read while the hall works on, and what of it has moved under the locks.

To read the ledgers of 1,880 attempts takes longer than to write one entry for all of them, and whoever holds their rows
keeps every answer of the hall waiting. So everything is read first. Then the rows are locked and compared with what was
read (``time_scope.lock_moved``), and only what differs is read again: somebody has handed in, was timed out, has signed
in at another seat, has been credited a gap. What is written under the locks follows from what is so under the locks.

The exam and the session are locked before anything is read: of two decisions the second one reads what the first wrote,
and nobody comes into the session or leaves it. What is about other attempts than these (who sits elsewhere, who has
taken a seat) no lock holds still, and is asked again under the locks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.adjustments import STOPPING, Change
from app.domain.errors import Refused
from app.services import one_at_a_time, time_facts
from app.services.site import Site
from app.services.time_judge import Facts
from app.services.time_scope import Reached
from app.storage.postgres import time_entries
from app.storage.postgres import time_scope as rows
from app.storage.postgres.staff import Login
from app.storage.postgres.time_scope import Member, Timed


@dataclass(frozen=True, slots=True)
class Looked:
    """``everybody``: the whole session, where the change moves the session's own start; else None."""

    change: Change
    reached: Reached
    facts: Facts
    everybody: Sequence[Member] | None


async def look(site: Site, conn: AsyncConnection, login: Login, change: Change, session: Timed) -> Looked:
    """Read what the plan is made from. Refused scope-unknown, scope-empty, not-permitted, and as ``Facts`` are read."""
    reached = await time_facts.reached(conn, session, change)
    time_facts.permit(login, change, reached)
    everybody = await rows.members(conn, session.id) if await _moves_everybody(conn, change) else None
    # The members before their ledgers: what is entered between the two moves a revision that was read before it.
    facts = await time_facts.facts(site, conn, login, change, reached, site.service_time.now_ms())
    return Looked(change, reached, facts, everybody)


async def lock(site: Site, conn: AsyncConnection, login: Login, looked: Looked) -> tuple[Looked, bool]:
    """Lock the attempts; what is so under the locks, and whether any of them had moved. Refused time-changed when
    somebody is not where they were meant to be, or has come there; not-permitted when they sit out of reach by now."""
    session, change = looked.reached.session, looked.change
    meant = {member.attempt: member for member in looked.reached.members}
    whole = meant | {member.attempt: member for member in looked.everybody or ()}
    if change.kind not in STOPPING:
        # Whoever would run in two is held with it: what else they have begun is locked in the same breath.
        await one_at_a_time.lock_beside(site, conn, whole)
    moved = await rows.lock_moved(conn, session.id, [whole[attempt] for attempt in sorted(whole)])
    if time_facts.by_place(change):
        scope = change.scope
        if meant.keys() != await rows.sitting(conn, session.id, buildings=scope.buildings, rooms=scope.rooms):
            raise Refused("time-changed")
    reached, facts, everybody = looked.reached, looked.facts, looked.everybody
    if moved:
        now = {member.attempt: member for member in await rows.members(conn, session.id, attempts=moved)}
        if now.keys() != moved:
            raise Refused("time-changed")
        if change.scope.kind == "candidate":
            reached = await time_facts.reached(conn, session, change)
        reached = replace(reached, members=_with(reached.members, now))
        time_facts.permit(login, change, reached)
        everybody = None if everybody is None else _with(everybody, now)
        again = [member for attempt, member in now.items() if attempt in meant]
        if again:
            facts = _merged(facts, await time_facts.facts(
                site, conn, login, change, replace(reached, members=again), site.service_time.now_ms()
            ))  # fmt: skip
    elsewhere, taken, undecided = await time_facts.of_others(site, conn, reached, site.service_time.now_ms())
    facts = replace(facts, elsewhere=elsewhere, taken=taken, undecided=undecided)
    return Looked(change, reached, facts, everybody), bool(moved)


def _with(members: Sequence[Member], now: Mapping[UUID, Member]) -> list[Member]:
    return [now.get(member.attempt, member) for member in members]


def _merged(before: Facts, again: Facts) -> Facts:
    """What was read before, with what was read again in place of it."""
    return replace(
        before,
        ledgers={**before.ledgers, **again.ledgers},
        limits={**before.limits, **again.limits},
        endable=None if before.endable is None or again.endable is None else before.endable | again.endable,
    )


async def _moves_everybody(conn: AsyncConnection, change: Change) -> bool:
    """Whether the session's own start moves: a postponement of the whole site, or the undoing of one."""
    if change.kind == "postpone":
        return change.scope.kind == "site"
    if change.kind != "undo":
        return False
    chain = {entry.id: entry for entry in await time_entries.chain(conn, change.scope.session)}
    root = chain.get(change.entry or 0)
    while root is not None and root.kind == "undo":
        root = chain.get(root.refers_id or 0)
    return root is not None and root.kind == "postpone" and root.scope == "site"
