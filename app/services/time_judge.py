"""Whom a change of time is for, and which pauses a resume ends: one attempt at a time, without writing anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

from app.domain import adjustments, clock
from app.domain.adjustments import HELD, SCOPES, Change, ScopeKind, Standing
from app.storage.postgres.time_scope import Member, Sitter

# Scopes that name people one by one, whatever places they sit in.
_PEOPLE = ("list", "candidate")

# Ids of entries that are not written yet: greater than any that is, so that they may take those back.
UNWRITTEN = 1 << 62
# What opens an attempt again that was over.
REOPENING = ("extend", "credit", "reopen")
SEAT_TAKEN = "reopen-seat-taken"


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read for the members: their ledgers, limits (absent: the cap), and who sits elsewhere now."""

    ledgers: Mapping[UUID, clock.Ledger]
    limits: Mapping[UUID, int]
    elsewhere: frozenset[UUID]
    cap_ms: int
    # Of those who are over: at whose seat somebody else sits by now.
    taken: Mapping[UUID, Sitter] = field(default_factory=dict)
    # Open ones whose time is up and whose end may still move.
    undecided: frozenset[UUID] = frozenset()
    # undo: the entry that is taken back.
    undone: clock.Entry | None = None
    # Who may stop one candidate's clock ends only pauses of these ids, of that kind: neither the site's, nor what the
    # office has decided for that candidate. None: whoever decides for everybody.
    endable: frozenset[int] | None = None

    def limit(self, attempt: UUID) -> int:
        return max(self.cap_ms, self.limits.get(attempt, 0))


def ledger_key(ledger: clock.Ledger) -> tuple[object, ...]:
    """What tells two ledgers apart while both are kept: ``adjustments.load`` has one object for those that are equal,
    and to compare all their entries for everybody takes longer than to judge them."""
    return (id(ledger),)


def _wider(one: str, other: str) -> bool:
    return SCOPES.index(cast("ScopeKind", one)) < SCOPES.index(cast("ScopeKind", other))


def _held_over(holds: Iterable[clock.Entry], free: Sequence[clock.Entry]) -> list[clock.Entry]:
    """The pauses that these holds were made over: those as wide as the hold, and only where there are none of these the
    narrower ones. One candidate's own pause inside a held room is not what held the room."""
    found: dict[int, clock.Entry] = {}
    for hold in holds:
        earlier = [pause for pause in free if pause.id < hold.id]
        as_wide = [pause for pause in earlier if not _wider(hold.scope, pause.scope)]
        found |= {pause.id: pause for pause in as_wide or earlier}
    return list(found.values())


class Judge:
    """Who the change is for; the same question about the same ledger is answered once."""

    def __init__(self, change: Change, members: Iterable[Member], facts: Facts, now_ms: int) -> None:
        self._change, self._facts, self._now = change, facts, now_ms
        self._known: dict[tuple[object, ...], str | None] = {}
        self._pauses: dict[tuple[object, ...], tuple[clock.Entry, ...]] = {}
        # A resume of the site ends what paused the site and leaves a room's own pause; of a scope that nothing paused
        # as such it ends whatever wider pause holds it, and never a narrower one: that is somebody else's.
        self._same = facts.endable is not None or (
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
        free = [pause for pause in self.pauses(member) if pause.reason not in HELD]
        scope = self._change.scope.kind
        if self._facts.endable is not None:
            named = self._change.entry
            mine = [pause for pause in free if pause.scope == scope and pause.id in self._facts.endable]
            return [pause for pause in mine if named in (None, pause.id)]
        if self._change.entry is not None:
            named_holds = [hold for hold in holds if hold.id == self._change.entry]
            if named_holds:
                return [*_held_over(named_holds, free), *named_holds]
            free = [pause for pause in free if pause.id == self._change.entry]
            return free + holds if free else []
        if self._same:
            return [pause for pause in free if pause.scope == scope] + holds
        reached = [hold for hold in holds if scope in _PEOPLE or not _wider(scope, hold.scope)]
        over = _held_over(reached, free)
        wider = [pause for pause in free if pause in over or _wider(pause.scope, scope)]
        return wider + holds if wider else reached

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
            signed_in=member.signed_in_ms is not None,
            undecided=member.attempt in self._facts.undecided,
        )
        code = adjustments.fits(self._change, standing, self._now)
        if code is None and self._change.kind in REOPENING and member.attempt in self._facts.taken:
            return SEAT_TAKEN
        if code is None and self._change.kind == "reopen":
            return None if self._has_time_left(member, ledger) else "no-time-left"
        if code is not None or self._change.kind != "resume":
            return code
        key = (ledger_key(ledger), limit)
        if key not in self._known:
            self._known[key] = self._held(member, ledger, limit)
        return self._known[key]

    def _has_time_left(self, member: Member, ledger: clock.Ledger) -> bool:
        """Whether a reopening gives the member anything: who was timed out is given back what has passed since, ends at
        this very moment, and would be ended again before their page has moved."""
        if member.ended_ms is None or member.ended_ms >= self._now:
            return True
        since = clock.Entry(
            id=UNWRITTEN, kind="credit", from_ms=member.ended_ms, to_ms=self._now, reason="reopened", made_ms=self._now
        )
        end_ms = clock.end_ms(adjustments.planned(ledger, since), self._now)
        return end_ms is None or end_ms > self._now

    def _paused_by(self, member: Member) -> frozenset[str]:
        return frozenset(pause.scope for pause in self.pauses(member) if pause.reason not in HELD)

    def _held(self, member: Member, ledger: clock.Ledger, limit: int) -> str | None:
        if not self.ended_by_resume(member):
            decided = self._facts.endable is not None and self._change.scope.kind in self._paused_by(member)
            if decided:
                return "paused-by-office"
            return "held-otherwise" if self._paused_by(member) else "not-paused"
        return "cap-held" if clock.lost_ms(ledger, self._now) >= limit else None
