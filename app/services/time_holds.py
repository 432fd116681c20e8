"""What the service itself stops and starts (I8, §5): a scope that facts have brought to the cap, and whoever would
otherwise run in two sessions at once.

Facts are never refused: a pause or an outage counts whatever it comes to. But at the limit the attempt is *held*, a
pause of its own that no resume of a room ends, until the office has decided. Every step asks again under the locks, so
two processes that look at once, or one that looks again after a crash, hold nobody twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import adjustments as rules
from app.domain import clock
from app.services import late_starts, one_at_a_time, time_decisions, time_facts, time_scope, timing
from app.services.site import Site
from app.storage.postgres import adjustments, audit, exams, notices, schedule, time_holds
from app.storage.postgres import time_scope as rows
from app.storage.postgres.time_scope import Member

log = structlog.get_logger(__name__)
ACTOR = "holds"
HELD = (
    "本场中断合计已到上限，考试保持暂停，由考务办公室决定。您的答案和剩余时间都已保留。",
    "Interruptions have reached the limit of this session. The exam stays paused until the office decides.",
)


class Holds:
    """One per worker process; ``run`` looks once."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._changeover_ms = time_facts.ms(site.settings.changeover)
        # Attempt → (revision of its clock, when it reaches its limit): asked again only when its clock has moved.
        self._due: dict[UUID, tuple[int, int | None]] = {}
        self._term = -1

    async def run(self) -> int:
        """How many were held, let go or ended. Each step is taken whatever became of the others: a cap that cannot be
        reckoned must not keep a session from starting. The first fault is raised after the last step."""
        now_ms = self._site.service_time.now_ms()
        done, faults = 0, []
        for step in (self._late_starts, self._at_the_cap, self._overlapping, self._let_go, self._finish_ends):
            try:
                done += await step(now_ms)
            except Exception as fault:  # noqa: BLE001 -- raised when all had their turn
                log.warning("step failed", step=step.__name__, fault=repr(fault))
                faults.append(fault)
        if faults:
            raise faults[0]
        return done

    async def _late_starts(self, _now_ms: int) -> int:
        return await late_starts.tell(self._site)

    async def _at_the_cap(self, now_ms: int) -> int:
        site, term = self._site, self._site.service_time.term
        async with site.engine.connect() as conn:
            found = await time_holds.paused(conn)
            suspects = await time_holds.running(conn, now_ms) if term != self._term else []
            if term != self._term:
                # The outage before it counts for those who are paused too, and moves no revision of a clock.
                self._due.clear()
            await self._reckon(conn, found, now_ms)
            reached = [row for row in found if self._is_due(row["id"], now_ms)]
            reached += await self._over(conn, suspects, now_ms)
        by_session: dict[int, list[UUID]] = {}
        for row in reached:
            by_session.setdefault(row["session_id"], []).append(row["id"])
        held = 0
        for session_id, attempts in sorted(by_session.items()):
            held += await self._hold(session_id, attempts)
        # Only now: an outage that could not be looked at is looked at again.
        self._term = term
        return held

    def _is_due(self, attempt: UUID, now_ms: int) -> bool:
        due_ms = self._due[attempt][1]
        return due_ms is not None and due_ms <= now_ms

    async def _reckon(self, conn: AsyncConnection, found: Sequence[RowMapping], now_ms: int) -> None:
        known = {row["id"]: row["clock_rev"] for row in found}
        self._due = {attempt: due for attempt, due in self._due.items() if known.get(attempt) == due[0]}
        new = [attempt for attempt in known if attempt not in self._due]
        if not new:
            return
        limits = await self._limits(conn, new)
        for attempt, ledger in (await self._ledgers(conn, new)).items():
            due_ms = None
            if not _is_held(ledger):
                due_ms = rules.reaches_at(ledger, now_ms=now_ms, limit_ms=limits[attempt])
            self._due[attempt] = (known[attempt], due_ms)

    async def _over(self, conn: AsyncConnection, suspects: Sequence[RowMapping], now_ms: int) -> list[RowMapping]:
        ids = [row["id"] for row in suspects]
        if not ids:
            return []
        ledgers, limits = await self._ledgers(conn, ids), await self._limits(conn, ids)
        return [
            row for row in suspects
            if rules.must_hold(ledgers[row["id"]], now_ms=now_ms, limit_ms=limits[row["id"]])
        ]  # fmt: skip

    async def _ledgers(self, conn: AsyncConnection, ids: Collection[UUID]) -> Mapping[UUID, clock.Ledger]:
        return await adjustments.load(conn, ids, outage_ms=time_facts.ms(self._site.settings.handover_gap))

    async def _limits(self, conn: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, int]:
        cap_ms, lifted = time_facts.ms(self._site.settings.time_cap), await rows.limits(conn, ids)
        return {attempt: max(cap_ms, lifted.get(attempt, 0)) for attempt in ids}

    async def _hold(self, session_id: int, attempts: Sequence[UUID]) -> int:
        site = self._site
        async with site.engine.begin() as conn:
            session = await time_scope.session_of(conn, session_id)
            await _lock(conn, session.exam_id, session_id, attempts)
            now_ms = site.service_time.now_ms()
            everybody = [one for one in await rows.members(conn, session_id) if one.stored == "open"]
            ledgers, limits = await self._ledgers(conn, attempts), await self._limits(conn, attempts)
            some = [
                one for one in everybody
                if one.attempt in ledgers and not _is_held(ledgers[one.attempt])
                and rules.must_hold(ledgers[one.attempt], now_ms=now_ms, limit_ms=limits[one.attempt])
            ]  # fmt: skip
            if not some:
                # Its limit was lifted, or another process was first: reckoned anew at the next look.
                for attempt in attempts:
                    self._due.pop(attempt, None)
                return 0
            kind, names = _scope_of(some, everybody)
            held = [one.attempt for one in some]
            entry = await adjustments.insert_entry(
                conn, "pause", session_id=session_id, members=held, reason="hold",
                source=f"hold:{now_ms}:{min(held)}", now_ms=now_ms, scope=kind, scope_names=names, from_ms=now_ms,
            )  # fmt: skip
            moved = await adjustments.settle(conn, held, now_ms)
            notice = await _notify(conn, session_id, entry, "pause", HELD, held, now_ms)
            subject = {"session_id": session_id, "entry": entry, "scope": kind, "names": names, "candidates": len(held)}
            await audit.append(conn, actor=ACTOR, action="time.hold", subject=subject, service_ms=now_ms)
        log.warning("held at the cap", session=session_id, entry=entry, candidates=len(held))
        await timing.announce(site, session_id, moved, notice)
        return len(held)

    # --- nobody in two sessions at once ---

    async def _overlapping(self, _now_ms: int) -> int:
        return await one_at_a_time.hold_late(self._site)

    async def _let_go(self, _now_ms: int) -> int:
        return await one_at_a_time.let_go(self._site, changeover_ms=self._changeover_ms)

    # --- an end that was decided and not carried out ---

    async def _finish_ends(self, _now_ms: int) -> int:
        async with self._site.engine.connect() as conn:
            left = [row["id"] for row in await time_holds.unfinished_ends(conn)]
        await time_decisions.end_all(self._site, left)
        return len(left)


def _is_held(ledger: clock.Ledger) -> bool:
    return any(pause.reason == "hold" for pause in clock.open_pauses(ledger.entries))


def _scope_of(some: Sequence[Member], everybody: Sequence[Member]) -> tuple[str, list[str]]:
    """The widest scope that means exactly these, as people say it."""
    chosen = {one.attempt for one in some}
    if len(chosen) == len(everybody):
        return "site", []
    rooms = {one.room_id: one.room for one in some}
    if all(one.attempt in chosen for one in everybody if one.room_id in rooms):
        return "room", list(rooms.values())
    return "candidate" if len(some) == 1 else "list", [one.ticket for one in some]


async def _lock(conn: AsyncConnection, exam_id: int, session_id: int, attempts: Collection[UUID]) -> None:
    await exams.lock(conn, exam_id)
    await schedule.lock_session(conn, session_id)
    await rows.lock_attempts(conn, attempts)


async def _notify(
    conn: AsyncConnection, session_id: int, entry: int | None, kind: str, words: tuple[str, str],
    attempts: Collection[UUID], now_ms: int,
) -> dict[str, Any]:  # fmt: skip
    zh, en = words
    notice = await notices.create(conn, session_id, kind, entry, zh, en, attempts, now_ms)
    return {"id": notice, "kind": kind, "zh": zh, "en": en}
