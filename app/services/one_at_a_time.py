"""No candidate ever has two running attempts: who would is held, and goes on once the one before is over (DESIGN §5).

The rule is ``domain.one_at_a_time``. It is asked by whoever can make an attempt run: the look that comes by every
second, a decision on time inside its transaction, a sign-in inside its own. Whoever is held has the row locked; what
the others do meanwhile is seen by the next look, for what is asked is how things stand and not when they came about.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import one_at_a_time as rule
from app.domain.one_at_a_time import Sitting
from app.services import ending, timing
from app.services.site import Site
from app.storage.postgres import adjustments, audit, exams, notices, schedule, time_scope
from app.storage.postgres import one_at_a_time as rows
from app.storage.postgres.adjustments import Moved
from app.storage.postgres.time_scope import Member

ACTOR = "holds"
# A session that begins this soon is looked at; the loop comes by every second.
AHEAD_MS = 10_000
# A begin that was missed by no more is held from the start on; later somebody may have been at work there.
MISSED_MS = 60_000
FOLLOWS = (
    "您上一场考试尚未结束，本场在其结束并留出换场时间后开始，您的时间不会减少。",
    "Your previous session has not ended. This one begins after it, with time to change over; you lose none.",
)
GOES_ON = ("本场考试现在开始。", "This session begins now.")


@dataclass(frozen=True, slots=True)
class Told:
    """What the pages of a session are to hear once it is committed."""

    session_id: int
    moved: tuple[Moved, ...]
    notice: Mapping[str, Any]

    @property
    def subject(self) -> dict[str, object]:
        return {"session_id": self.session_id, "kind": self.notice["kind"], "candidates": len(self.moved)}


async def announce(site: Site, told: Sequence[Told]) -> None:
    for each in told:
        await timing.announce(site, each.session_id, each.moved, dict(each.notice))


# --- asked by a decision and by a sign-in ---


async def must_wait(
    site: Site, conn: AsyncConnection, attempts: Collection[UUID] | None, now_ms: int, *, ahead_ms: int = AHEAD_MS
) -> list[Sitting]:
    """Whoever is to be held, of the candidates of these attempts (None: of all), by id."""
    candidates = await rows.with_several(conn, now_ms + ahead_ms, attempts)
    found = await rows.sittings(conn, candidates, now_ms, ending.patience(site))
    late = [one for mine in found.values() for one in rule.must_wait(mine, now_ms, ahead_ms=ahead_ms)]
    return sorted(late, key=lambda one: one.attempt)


async def held(site: Site, conn: AsyncConnection, attempts: Collection[UUID], now_ms: int) -> set[UUID]:
    """Of these whoever waits for the one before, or has to."""
    candidates = await rows.with_several(conn, now_ms + AHEAD_MS, attempts)
    found = await rows.sittings(conn, candidates, now_ms, ending.patience(site))
    mine = [one for some in found.values() for one in some if one.waits and one.ended_ms is None]
    late = [one for some in found.values() for one in rule.must_wait(some, now_ms, ahead_ms=AHEAD_MS)]
    return {one.attempt for one in (*mine, *late)}.intersection(attempts)


async def lock_beside(site: Site, conn: AsyncConnection, attempts: Collection[UUID]) -> None:
    """Lock these together with what else their candidates have begun, in one go and by id. Where nobody has anything
    else, which is nearly always, nothing is locked here."""
    now_ms = site.service_time.now_ms()
    candidates = await rows.with_several(conn, now_ms + AHEAD_MS, attempts)
    found = await rows.sittings(conn, candidates, now_ms, ending.patience(site))
    others = {one.attempt for mine in found.values() for one in mine if one.ended_ms is None}.difference(attempts)
    if others:
        await time_scope.lock_attempts(conn, others.union(attempts))


async def hold_after(site: Site, conn: AsyncConnection, attempts: Collection[UUID], now_ms: int) -> list[Told]:
    """After ``lock_beside`` and a decision on these: hold whoever of their candidates would run in two by it. The
    caller announces it after the commit, and puts it on the audit log."""
    # Only what has begun by now was sure to be locked; what begins in a moment the next look holds.
    return await _enter(conn, await must_wait(site, conn, attempts, now_ms, ahead_ms=0), now_ms)


async def _enter(conn: AsyncConnection, late: Sequence[Sitting], now_ms: int) -> list[Told]:
    told = []
    for session_id in sorted({one.session for one in late}):
        held = []
        for one in late:
            start_ms = one.start_ms
            if one.session != session_id or start_ms is None:
                continue
            missed = now_ms - MISSED_MS <= start_ms
            # It may have waited before, for another attempt: each time is an entry of its own.
            entered = await adjustments.insert_entry(
                conn, "pause", session_id=session_id, members=[one.attempt], attempt_id=one.attempt, reason="follows",
                source=f"follows:{start_ms}:{now_ms}", now_ms=now_ms,
                from_ms=min(now_ms, start_ms) if missed else now_ms,
            )  # fmt: skip
            if entered is not None:
                held.append(one.attempt)
        if held:
            told.append(await _tell(conn, session_id, held, "pause", FOLLOWS, now_ms))
    return told


async def _tell(
    conn: AsyncConnection, session_id: int, attempts: Sequence[UUID], kind: str, words: tuple[str, str], now_ms: int
) -> Told:  # fmt: skip
    moved = await adjustments.settle(conn, attempts, now_ms)
    zh, en = words
    notice = await notices.create(conn, session_id, kind, None, zh, en, attempts, now_ms)
    return Told(session_id, tuple(moved), {"id": notice, "kind": kind, "zh": zh, "en": en})


async def record(conn: AsyncConnection, told: Sequence[Told], now_ms: int) -> None:
    """The audit entries, last in the transaction."""
    for each in told:
        await audit.append(conn, actor=ACTOR, action="time.follows", subject=each.subject, service_ms=now_ms)


async def lock_all(conn: AsyncConnection, attempt: UUID) -> None:
    await rows.lock_all(conn, attempt)


async def seated(site: Site, conn: AsyncConnection, candidates: Collection[int], now_ms: int) -> set[UUID]:
    """The attempt that each of these candidates is in the middle of, if any."""
    found = await rows.sittings(conn, candidates, now_ms, ending.patience(site))
    ones = [rule.seated_in(mine, now_ms) for mine in found.values()]
    return {one.attempt for one in ones if one is not None}


async def running_elsewhere(
    site: Site, conn: AsyncConnection, some: Sequence[Member], now_ms: int
) -> frozenset[UUID]:  # fmt: skip
    """Those whose candidate has another attempt that has begun and is not over, and does not wait for theirs."""
    found = await rows.sittings(conn, {one.candidate_id for one in some}, now_ms, ending.patience(site))
    return frozenset(
        one.attempt for one in some if rule.runs_elsewhere(one.attempt, found.get(one.candidate_id, ()), now_ms)
    )


async def undecided(site: Site, conn: AsyncConnection, attempts: Collection[UUID], now_ms: int) -> set[UUID]:
    """Of these the open ones whose time is up and whose end may still move: a move is under way."""
    return await rows.undecided(conn, attempts, now_ms, ending.patience(site))


async def hold_beside(site: Site, conn: AsyncConnection, attempt: UUID) -> list[Told]:
    """After ``lock_all``: hold what this attempt, or another one, must not run beside."""
    now_ms = site.service_time.now_ms()
    late = await must_wait(site, conn, [attempt], now_ms)
    told = await _enter(conn, late, now_ms)
    await record(conn, told, now_ms)
    return told


# --- the look that comes by ---


async def hold_late(site: Site) -> int:
    """Hold everybody who would run in two; how many."""
    async with site.engine.connect() as conn:
        late = await must_wait(site, conn, None, site.service_time.now_ms())
    held = 0
    for session_id, some in _by_session(late):
        ids = {one.attempt for one in some}
        async with site.engine.begin() as conn:
            await _lock(conn, some[0].exam, session_id, ids)
            now_ms = site.service_time.now_ms()
            # Asked again under the locks: the earlier attempt may have ended in between.
            still = [one for one in await must_wait(site, conn, ids, now_ms) if one.attempt in ids]
            told = await _enter(conn, still, now_ms)
            await record(conn, told, now_ms)
        await announce(site, told)
        held += sum(len(each.moved) for each in told)
    return held


async def let_go(site: Site, *, changeover_ms: int) -> int:
    """Let everybody go on whose earlier attempts are over, and were ``changeover_ms`` ago; how many."""
    async with site.engine.connect() as conn:
        free = await _free(site, conn, changeover_ms)
    gone = 0
    for session_id, some in _by_session([one for one, _ in free]):
        ids = {one.attempt for one in some}
        started: list[UUID] = []
        told: list[Told] = []
        async with site.engine.begin() as conn:
            await _lock(conn, some[0].exam, session_id, ids)
            now_ms = site.service_time.now_ms()
            # Asked again under the locks: the earlier attempt may have been reopened in between.
            for one, pause in await _free(site, conn, changeover_ms):
                if one.attempt not in ids:
                    continue
                entered = await adjustments.insert_entry(
                    conn, "resume", session_id=session_id, members=[one.attempt], attempt_id=one.attempt,
                    reason="follows", source=f"follows-end:{pause}", now_ms=now_ms, to_ms=now_ms, refers_id=pause,
                )  # fmt: skip
                if entered is not None:
                    started.append(one.attempt)
            if started:
                told.append(await _tell(conn, session_id, started, "resume", GOES_ON, now_ms))
            await record(conn, told, now_ms)
        await announce(site, told)
        gone += len(started)
    return gone


async def _free(site: Site, conn: AsyncConnection, changeover_ms: int) -> list[tuple[Sitting, int]]:
    waiting = await rows.waiting(conn)
    now_ms = site.service_time.now_ms()
    found = await rows.sittings(conn, {candidate for _, candidate in waiting.values()}, now_ms, ending.patience(site))
    return [
        (one, waiting[one.attempt][0])
        for mine in found.values()
        for one in mine
        if one.attempt in waiting and rule.may_begin(one, mine, now_ms, changeover_ms=changeover_ms)
    ]


def _by_session(some: Sequence[Sitting]) -> list[tuple[int, list[Sitting]]]:
    grouped: dict[int, list[Sitting]] = {}
    for one in some:
        grouped.setdefault(one.session, []).append(one)
    return sorted(grouped.items())


async def _lock(conn: AsyncConnection, exam_id: int, session_id: int, attempts: Collection[UUID]) -> None:
    await exams.lock(conn, exam_id)
    await schedule.lock_session(conn, session_id)
    await time_scope.lock_attempts(conn, attempts)
