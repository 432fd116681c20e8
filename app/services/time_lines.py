"""The lines that a change of time puts into the ledger, and for whom. Pure: ``time_plan`` gives it what was read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.domain import adjustments, clock
from app.domain.adjustments import Change
from app.services.time_judge import REOPENING, UNWRITTEN, Facts, Judge, ledger_key
from app.storage.postgres.time_scope import Member


@dataclass(frozen=True, slots=True)
class Line:
    """One entry to be written, for these attempts."""

    kind: clock.Kind
    attempts: tuple[UUID, ...]
    reason: str
    from_ms: int | None = None
    to_ms: int | None = None
    amount_ms: int | None = None
    refers_id: int | None = None
    supersedes_id: int | None = None

    def entry(self, n: int, scope: str, now_ms: int) -> clock.Entry:
        return clock.Entry(
            id=UNWRITTEN + n, kind=self.kind, from_ms=self.from_ms, to_ms=self.to_ms, amount_ms=self.amount_ms,
            refers_id=self.refers_id, reason=self.reason, made_ms=now_ms, scope=scope,
            supersedes_id=self.supersedes_id,
        )  # fmt: skip


def lines_for(
    change: Change, takes: Sequence[Member], over: Iterable[Member], facts: Facts, judged: Judge, now_ms: int
) -> Iterable[Line]:
    everybody = tuple(member.attempt for member in takes)
    if not everybody:
        return
    match change.kind:
        case "postpone" | "extend":
            yield Line(change.kind, everybody, change.reason, amount_ms=change.ms)
        case "pause":
            yield Line("pause", everybody, change.reason, from_ms=now_ms if change.from_ms is None else change.from_ms)
        case "credit":
            yield Line(
                "credit", everybody, change.reason, from_ms=change.from_ms, to_ms=change.to_ms,
                supersedes_id=change.supersedes,
            )  # fmt: skip
        case "end":
            yield Line("end", everybody, change.reason)
        case "undo":
            undone = facts.undone
            if undone is not None:
                line = Line("undo", everybody, change.reason or undone.reason, refers_id=undone.id)
                yield line
                again = list(_works_again(line, change, takes, facts, now_ms))
                yield from _reopened(line.reason, again, now_ms)
        case "resume":
            yield from _resumed(change, takes, over, judged, now_ms)
    if change.kind in REOPENING:
        yield from _reopened(change.reason, takes, now_ms)


def _works_again(line: Line, change: Change, takes: Iterable[Member], facts: Facts, now_ms: int) -> Iterable[Member]:
    """Who was timed out and has time again when what was taken back counts once more: like with an extension."""
    entry = line.entry(0, change.scope.kind, now_ms)
    known: dict[tuple[object, ...], bool] = {}
    for member in takes:
        over = member.stored != "open" or (
            member.left_ms is None and member.end_ms is not None and member.end_ms <= now_ms
        )
        if not over or member.end_reason in ("hand_in", "forced"):
            continue
        if member.attempt in facts.elsewhere or member.attempt in facts.taken:
            continue
        ledger = facts.ledgers[member.attempt]
        key = ledger_key(ledger)
        if key not in known:
            ends, was = (clock.end_ms(one, now_ms) for one in (adjustments.planned(ledger, entry), ledger))
            known[key] = (was is not None and was <= now_ms) and (ends is None or ends > now_ms)
        if known[key]:
            yield member


def _resumed(
    change: Change, takes: Iterable[Member], over: Iterable[Member], judged: Judge, now_ms: int
) -> Iterable[Line]:
    """The pauses end for whoever it is for; on record also for those who are over, whom nobody tells: opened again,
    they would stand in a pause that is gone."""
    ended: dict[int, tuple[clock.Entry, list[UUID]]] = {}
    for member in takes:
        for pause in judged.ended_by_resume(member):
            ended.setdefault(pause.id, (pause, []))[1].append(member.attempt)
    for member in over:
        for pause in judged.ended_by_resume(member):
            if pause.id in ended and pause.reason not in adjustments.HELD:
                ended[pause.id][1].append(member.attempt)
    for pause_id, (pause, attempts) in sorted(ended.items()):
        to_ms = max(now_ms, pause.from_ms or 0)
        yield Line("resume", tuple(attempts), change.reason or pause.reason, to_ms=to_ms, refers_id=pause_id)


def _reopened(reason: str, takes: Sequence[Member], now_ms: int) -> Iterable[Line]:
    """Whose attempt had ended works again, and the time from its end to now is credited."""
    since: dict[int, list[UUID]] = {}
    for member in takes:
        ended = member.ended_ms
        if ended is None and member.left_ms is None and member.end_ms is not None and member.end_ms < now_ms:
            ended = member.end_ms
        if ended is not None and ended < now_ms:
            since.setdefault(ended, []).append(member.attempt)
    stored = tuple(member.attempt for member in takes if member.stored != "open")
    if stored:
        yield Line("reopen", stored, reason)
    for ended, attempts in sorted(since.items()):
        yield Line("credit", tuple(attempts), "reopened", from_ms=ended, to_ms=now_ms)
