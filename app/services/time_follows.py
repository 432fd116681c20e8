"""What a delay means for those who come next: the same people in a later session, or others at the same seats.

Nobody is moved by it. What is needed is worked out and *proposed*; a person decides. Until then the later start holds,
and ``services.time_holds`` keeps whoever is still sitting from running in two sessions at once. Of one session's delays
one proposal stands: a later delay's takes up what an earlier one's still needs, and that one is dismissed, saying why.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import clock
from app.services.time_plan import Plan
from app.storage.postgres import adjustments, proposals, time_follows, time_scope
from app.storage.postgres.time_follows import Pair
from app.storage.postgres.time_scope import Follower, Member, Timed

MINUTE_MS = 60_000
NEEDED_NO_MORE = "推迟已不需要。 Nobody needs the delay any more."


@dataclass(frozen=True, slots=True)
class Follows:
    """The next session would need ``ms`` more (whole minutes) for ``attempts``; ``overlaps``: how many of them would
    start while who is before them still sits."""

    session: Timed
    attempts: tuple[UUID, ...]
    ms: int
    overlaps: int
    changeover_ms: int
    starts_ms: int
    # The open proposals that this one takes up, and stands in place of.
    supersedes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """What was read of those who come next. ``followers``: whom the plan could reach; ``asked``: the open proposals
    because of the same session, by the session they ask for, with whom their members wait for; ``ledgers`` of these."""

    followers: Sequence[Follower] = ()
    asked: Mapping[int, Mapping[int, Sequence[Pair]]] = field(default_factory=dict)
    ledgers: Mapping[UUID, clock.Ledger] = field(default_factory=dict)


async def waiting(conn: AsyncConnection, plan: Plan, *, changeover_ms: int) -> Waiting:
    """Read what ``work_out`` needs. A plan of the same change for the same people, a moment later, may be worked out
    from it too."""
    if plan.change.kind == "end":
        return Waiting()
    # The record is asked only for those that could be reached at all: on most days nobody.
    free_at = {member.attempt: _at_the_latest(plan, member, changeover_ms) for member in plan.takes}
    found = await time_scope.followers(conn, plan.reached.session, free_at, now_ms=plan.now_ms)
    asked: dict[int, dict[int, Sequence[Pair]]] = {}
    behind: set[UUID] = set()
    after = plan.reached.session.id
    for row in await time_follows.open_about(conn, after) if found else ():
        if row["evidence"]["after"]["session"] == str(after):
            pairs = await time_follows.pairs(conn, row["id"], after=after, now_ms=plan.now_ms)
            asked.setdefault(row["session_id"], {})[row["id"]] = pairs
            behind |= {one.after for one in pairs}
    return Waiting(found, asked, await adjustments.load(conn, behind) if behind else {})


async def work_out(conn: AsyncConnection, plan: Plan, waiting: Waiting, *, changeover_ms: int) -> Follows | None:
    """What the plan asks of the session that comes next; None when the time between is enough, or no tighter."""
    found = waiting.followers
    ends = _later_ends(plan, {one.after for one in found})
    needs: dict[int, dict[UUID, tuple[int, bool]]] = {}
    starts: dict[int, int] = {}

    def add(session_id: int, attempt: UUID, start_ms: int, free_ms: int) -> None:
        need = free_ms + changeover_ms - start_ms
        if need <= 0:
            return
        mine = needs.setdefault(session_id, {})
        before = mine.get(attempt, (0, False))
        mine[attempt] = (max(need, before[0]), before[1] or free_ms > start_ms)
        starts[session_id] = min(start_ms, starts.get(session_id, start_ms))

    for one in found:
        if one.after in ends:
            add(one.session_id, one.attempt, one.start_ms, ends[one.after])
    if not needs:
        return None
    next_id = min(needs, key=lambda session_id: (starts[session_id], session_id))
    session = await time_scope.find_session(conn, next_id)
    if session is None:
        return None
    earlier = waiting.asked.get(next_id, {})
    for pair in (each for pairs in earlier.values() for each in pairs):
        # With this change, where it is for them too.
        ledger = plan.after.get(pair.after) or waiting.ledgers[pair.after]
        free_ms = _free_at(ledger, pair.ended_ms, plan.now_ms)
        if free_ms is not None:
            add(next_id, pair.attempt, pair.start_ms, free_ms)
    mine = needs[next_id]
    most = max(need for need, _ in mine.values())
    return Follows(
        session=session,
        attempts=tuple(sorted(mine)),
        ms=-(-most // MINUTE_MS) * MINUTE_MS,
        overlaps=sum(overlap for _, overlap in mine.values()),
        changeover_ms=changeover_ms,
        starts_ms=starts[next_id],
        supersedes=tuple(sorted(earlier)),
    )


def _at_the_latest(plan: Plan, member: Member, changeover_ms: int) -> int | None:
    """An instant before which the attempt and the changeover after it are over, also when the plan is carried out a
    minute later; None when that is not easily said."""
    change, now = plan.change, plan.now_ms
    if member.stored != "open" or change.kind in ("undo", "reopen") or member.end_ms is None:
        return None
    end = member.end_ms if member.left_ms is None else max(now, member.start_ms or 0) + member.left_ms
    given = change.ms or 0
    if change.from_ms is not None:
        given += max(0, (now if change.to_ms is None else change.to_ms) - change.from_ms)
    return max(end, now) + given + changeover_ms + MINUTE_MS


def _later_ends(plan: Plan, wanted: Collection[UUID]) -> dict[UUID, int]:
    """The earliest new end of those whose end moves later; a paused attempt ends when it has had what is left."""
    ends: dict[UUID, int] = {}
    for attempt in wanted:
        before, after = plan.before[attempt], plan.after[attempt]
        was, end = _earliest(before, plan.now_ms), _earliest(after, plan.now_ms)
        # A pause moves the end from now on, however short it turns out to be; only its resume tells by how much.
        if end is not None and (plan.change.kind in ("pause", "resume") or was is None or end > was):
            ends[attempt] = end
    return ends


def _earliest(ledger: clock.Ledger, now_ms: int) -> int | None:
    start = clock.start_ms(ledger)
    if start is None:
        return None
    end = clock.end_ms(ledger, now_ms)
    return max(now_ms, start) + clock.remaining_ms(ledger, now_ms) if end is None else end


async def propose(
    conn: AsyncConnection, follows: Follows, *, after: Timed, entry: int, staff_id: int, now_ms: int
) -> int | None:
    """Put it before the office. The proposal's id. What an earlier change of the same session asked for is dismissed
    by whoever made this one, and says what stands in its place."""
    everybody = [each for each in await time_scope.members(conn, follows.session.id) if each.stored == "open"]
    chosen = set(follows.attempts)
    some: list[Member] = [each for each in everybody if each.attempt in chosen]
    site = len(some) == len(everybody)
    evidence: Mapping[str, Any] = {
        "ms": follows.ms,
        "changeover_ms": follows.changeover_ms,
        "overlaps": follows.overlaps,
        "after": {"session": str(after.id), "number": after.number, "entry": entry},
    }
    proposal = await proposals.make(
        conn,
        proposals.New(
            session_id=follows.session.id,
            kind="follows",
            source=f"entry:{entry}",
            scope="site" if site else "list",
            scope_names=[] if site else [each.ticket for each in some],
            from_ms=None,
            to_ms=None,
            attempts=follows.attempts,
            made_ms=now_ms,
            evidence=evidence,
        ),
    )
    for earlier in follows.supersedes:
        await proposals.decide(
            conn, earlier, state="dismissed", staff_id=staff_id, now_ms=now_ms,
            note=f"第 {after.number} 场的时间再次变动（调整 {entry}），由建议 {proposal} 取代。"
            f" Session {after.number} was changed again (entry {entry}): proposal {proposal} stands in place of this.",
        )  # fmt: skip
    return proposal


async def needed_ms(conn: AsyncConnection, proposal: int, evidence: Mapping[str, Any], *, now_ms: int) -> int:
    """What the next session needs of an open proposal by now, in whole minutes; 0 when the delay it was made for was
    taken back, was made good, or can no longer be followed."""
    pairs = await time_follows.pairs(conn, proposal, after=int(evidence["after"]["session"]), now_ms=now_ms)
    ledgers = await adjustments.load(conn, {one.after for one in pairs})
    most = 0
    for one in pairs:
        free_ms = _free_at(ledgers[one.after], one.ended_ms, now_ms)
        if free_ms is not None:
            most = max(most, free_ms + evidence["changeover_ms"] - one.start_ms)
    return -(-most // MINUTE_MS) * MINUTE_MS


def _free_at(ledger: clock.Ledger, ended_ms: int | None, now_ms: int) -> int | None:
    """From when on the seat is free, when that is later than was planned: how tight the plan was is nobody's delay."""
    if ledger.start_ms is None:
        return None
    ends = [entry for entry in clock.live(ledger.entries) if entry.kind in ("end", "reopen")]
    if ended_ms is None and ends and ends[-1].kind == "end":
        # Decided, and carried out after the commit.
        ended_ms = ends[-1].made_ms
    free_ms = _earliest(ledger, now_ms) if ended_ms is None else ended_ms
    paused = ended_ms is None and clock.paused_since(ledger, now_ms) is not None
    late = free_ms is not None and (paused or free_ms > ledger.start_ms + ledger.allotted_ms)
    return free_ms if late else None


async def lapse(conn: AsyncConnection, session_id: int, *, now_ms: int) -> None:
    """Close what was proposed after this session, or for it, and is needed no more; nobody decided."""
    for row in await time_follows.open_about(conn, session_id):
        if await needed_ms(conn, row["id"], row["evidence"], now_ms=now_ms) == 0:
            await proposals.lapse(conn, row["id"], NEEDED_NO_MORE)
