"""Whom a change of time is for, and which pauses a resume ends: one attempt at a time, without writing anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from app.domain import adjustments, clock
from app.domain.adjustments import HELD, Change, Standing
from app.storage.postgres.time_scope import Member


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read for the members: their ledgers, limits (absent: the cap), and who sits elsewhere now."""

    ledgers: Mapping[UUID, clock.Ledger]
    limits: Mapping[UUID, int]
    elsewhere: frozenset[UUID]
    cap_ms: int
    # undo: the entry that is taken back.
    undone: clock.Entry | None = None
    # A resume ends pauses of its own kind of scope only: who may pause one candidate may not start the site.
    own_scope_only: bool = False

    def limit(self, attempt: UUID) -> int:
        return max(self.cap_ms, self.limits.get(attempt, 0))


def ledger_key(ledger: clock.Ledger) -> tuple[object, ...]:
    """What tells two ledgers apart."""
    return (ledger.start_ms, ledger.allotted_ms, tuple(entry.id for entry in ledger.entries))


class Judge:
    """Who the change is for; the same question about the same ledger is answered once."""

    def __init__(self, change: Change, members: Iterable[Member], facts: Facts, now_ms: int) -> None:
        self._change, self._facts, self._now = change, facts, now_ms
        self._known: dict[tuple[object, ...], str | None] = {}
        self._pauses: dict[tuple[object, ...], tuple[clock.Entry, ...]] = {}
        # A resume of the site ends what paused the site and leaves a room's own pause; of a scope that nothing paused
        # as such it ends whatever wider pause holds it.
        self._same = facts.own_scope_only or (
            change.kind == "resume"
            and change.entry is None
            and any(
                pause.scope == change.scope.kind and pause.reason not in HELD
                for member in members
                for pause in self.pauses(member)
            )
        )

    def pauses(self, member: Member) -> tuple[clock.Entry, ...]:
        ledger = self._facts.ledgers[member.attempt]
        key = ledger_key(ledger)
        if key not in self._pauses:
            self._pauses[key] = clock.open_pauses(ledger.entries)
        return self._pauses[key]

    def ended_by_resume(self, member: Member) -> list[clock.Entry]:
        """The pauses that this resume ends for the member; a hold among them, for whose limit has been lifted."""
        holds = [pause for pause in self.pauses(member) if pause.reason == "hold"]
        if self._facts.own_scope_only:
            holds = []
        free = [pause for pause in self.pauses(member) if pause.reason not in HELD]
        if self._change.entry is not None:
            free = [pause for pause in free if pause.id == self._change.entry]
            if not free and self._change.entry not in {pause.id for pause in holds}:
                return []
        if self._same:
            free = [pause for pause in free if pause.scope == self._change.scope.kind]
        return free + holds

    def sorted_out(self, members: Iterable[Member]) -> tuple[list[Member], dict[str, list[Member]]]:
        takes: list[Member] = []
        left_out: dict[str, list[Member]] = {}
        for member in members:
            code = self._code(member)
            if code is None:
                takes.append(member)
            else:
                left_out.setdefault(code, []).append(member)
        return takes, left_out

    def _code(self, member: Member) -> str | None:
        ledger = self._facts.ledgers[member.attempt]
        elsewhere = member.attempt in self._facts.elsewhere
        limit = self._facts.limit(member.attempt)
        # What is stored was settled from the ledger in the transaction that wrote it, and costs nothing to read.
        paused = member.left_ms is not None
        standing = Standing(
            stored=member.stored,
            end_reason=member.end_reason,
            start_ms=member.start_ms,
            end_ms=None if paused else member.end_ms,
            paused_by=self._paused_by(member) if paused and self._change.kind == "pause" else frozenset(),
            runs_elsewhere=elsewhere,
        )
        code = adjustments.fits(self._change, standing, self._now)
        if code is not None or self._change.kind != "resume":
            return code
        key = (ledger_key(ledger), limit)
        if key not in self._known:
            self._known[key] = self._held(member, ledger, limit)
        return self._known[key]

    def _paused_by(self, member: Member) -> frozenset[str]:
        return frozenset(pause.scope for pause in self.pauses(member) if pause.reason not in HELD)

    def _held(self, member: Member, ledger: clock.Ledger, limit: int) -> str | None:
        if not self.ended_by_resume(member):
            return "not-paused"
        return "cap-held" if clock.lost_ms(ledger, self._now) >= limit else None
