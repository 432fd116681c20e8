"""What staff may decide about time (DESIGN I8, §5): the kinds of change, their reasons, and what makes no sense.

Everything here is pure. ``check`` judges the request alone; ``fits`` judges it for one attempt and says in one code
why that attempt is left out. The cap refuses decisions, never facts: ``over`` and ``must_hold`` are its two halves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args
from uuid import UUID

from app.domain import clock
from app.domain.errors import Refused

Kind = Literal["postpone", "pause", "resume", "extend", "credit", "end", "reopen", "undo"]
ScopeKind = Literal["site", "building", "room", "list", "candidate"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SCOPES: tuple[ScopeKind, ...] = get_args(ScopeKind)

REASONS: Mapping[str, tuple[str, str]] = {
    "power": ("断电", "power cut"),
    "network": ("网络故障", "network failure"),
    "server": ("服务器故障", "server failure"),
    "pc": ("单机故障", "PC failure"),
    "fire": ("火警/危险品", "fire or dangerous goods"),
    "lightning": ("雷击", "lightning"),
    "disturbance": ("秩序混乱", "disturbance"),
    "medical": ("突发疾病", "sudden illness"),
    "item-fault": ("试题错误", "faulty item"),
    "late-start": ("开考延误", "late start"),
    "staff-error": ("工作人员操作", "staff action"),
    "other": ("其他", "other"),
    "relog": ("换机", "move to another seat"),
    "ready": ("换机后恢复", "restoring at the new seat"),
    "reconnect": ("服务恢复后重连", "reconnecting after an outage"),
    "outage": ("服务中断", "service outage"),
    "hold": ("封顶待处置", "held at the cap"),
    "follows": ("等待上一场结束", "waiting for the previous session to end"),
    "reopened": ("恢复作答", "attempt reopened"),
}
# Entered by the service itself, never by a person.
AUTOMATIC = frozenset({"relog", "ready", "reconnect", "outage", "hold", "follows", "reopened"})
ENTERED: tuple[str, ...] = tuple(code for code in REASONS if code not in AUTOMATIC)
# Scopes that name people one by one, whatever places they sit in.
NAMING: frozenset[ScopeKind] = frozenset({"list", "candidate"})
# By what each of them says whom it means.
_NAMED_BY: Mapping[ScopeKind, tuple[str, ...]] = {
    "site": ("",), "building": ("buildings",), "room": ("rooms",), "list": ("tickets",),
    "candidate": ("attempt", "tickets"),
}  # fmt: skip
LEAST_MS = 1000  # A smaller number was meant as seconds or minutes.
# A pause of these reasons ends by the rule that made it, not because somebody resumes a room.
HELD = frozenset({"hold", "follows"})
# These take their reason from the entry they answer, when none is given.
ANSWERING = frozenset({"resume", "undo"})
STOPPING = frozenset({"pause", "end"})
# What moves an end later and so may be refused by the cap; a pause does from a moment that has passed.
GIVING = frozenset({"postpone", "extend", "credit", "reopen", "undo", "pause"})
UNDOABLE = frozenset({"postpone", "pause", "resume", "extend", "credit", "undo"})


def reason_words(code: str) -> tuple[str, str]:
    """``(zh, en)``; a code of another version of the programme stands for itself."""
    return REASONS.get(code, (code, code))


@dataclass(frozen=True, slots=True)
class Scope:
    """Who is meant, as somebody asked for it; the members are looked up by ``services.time_scope``.

    ``among``: exactly these, under ``names``, wherever they sit by now; for what follows from evidence about them.
    """

    session: int
    kind: ScopeKind
    buildings: tuple[int, ...] = ()
    rooms: tuple[int, ...] = ()
    tickets: tuple[str, ...] = ()
    attempt: UUID | None = None
    among: tuple[UUID, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One request. Instants are service time; wall times were converted before."""

    kind: Kind
    scope: Scope
    reason: str = ""
    note: str = ""
    incident: str = ""
    ms: int | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    entry: int | None = None
    decision: int | None = None
    seen: str | None = None
    # A credit in place of this entry, with its reason.
    supersedes: int | None = None

    @property
    def weighty(self) -> bool:
        """Whether whoever does it must have looked at its effect; a clock is stopped, and let go on, at once."""
        return self.kind not in ("pause", "resume") or (self.kind == "pause" and self.from_ms is not None)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is stored of an attempt that decides whether a change fits it. ``start_ms`` is its own start, None while the
    session is not anchored; ``end_ms`` None also while it is paused."""

    stored: Literal["open", "ended", "final"]
    end_reason: str | None
    start_ms: int | None
    end_ms: int | None
    # Kinds of scope whose open pauses hold it; what the service itself holds is not among them.
    paused_by: frozenset[str] = frozenset()
    # Another attempt of the same candidate runs now.
    runs_elsewhere: bool = False
    signed_in: bool = True
    # Its end has passed and may still move: a move is under way, and its gap is not known yet.
    undecided: bool = False

    def over(self, now_ms: int) -> bool:
        """Whether the attempt has ended, be it that the sweeper has not come by yet."""
        if self.stored != "open":
            return True
        if self.undecided:
            return False
        return None not in (self.start_ms, self.end_ms) and max(self.start_ms or 0, self.end_ms or 0) <= now_ms


# --- the request alone ---


def check(change: Change, *, now_ms: int, longest_ms: int) -> None:
    """Refuse what makes no sense whoever it is for.

    scope-malformed, reason-unknown, note-missing, reopen-by-name, duration-missing, duration-not-positive,
    duration-too-short, duration-absurd, interval-missing, interval-backwards, interval-in-future, entry-missing.
    """
    _check_scope(change.scope)
    _check_reason(change)
    if change.kind == "reopen" and change.scope.kind not in NAMING:
        raise Refused("reopen-by-name")
    # What evidence amounts to was measured, however short it is, and so was what is left of a credit.
    least_ms = 1 if change.scope.among or change.supersedes is not None else LEAST_MS
    if change.kind in ("postpone", "extend"):
        if change.ms is None:
            raise Refused("duration-missing")
        _check_length(change.ms, longest_ms, least_ms)
    elif change.kind == "credit":
        if change.from_ms is None or change.to_ms is None:
            raise Refused("interval-missing")
        if change.to_ms <= change.from_ms:
            raise Refused("interval-backwards")
        if change.to_ms > now_ms:
            raise Refused("interval-in-future")
        _check_length(change.to_ms - change.from_ms, longest_ms, least_ms)
    elif change.kind == "pause" and change.from_ms is not None:
        if change.from_ms > now_ms:
            raise Refused("interval-in-future")
        _check_length(now_ms - change.from_ms + 1, longest_ms)
    elif change.kind == "undo" and change.entry is None:
        raise Refused("entry-missing")


def _check_scope(scope: Scope) -> None:
    if scope.among:
        return
    # A site with a room beside it may have been meant for the room.
    named = [name for name in ("attempt", "buildings", "rooms", "tickets") if getattr(scope, name)]
    if "+".join(named) not in _NAMED_BY[scope.kind] or (scope.kind == "candidate" and len(scope.tickets) > 1):
        raise Refused("scope-malformed", scope=scope.kind)


def _check_reason(change: Change) -> None:
    if change.supersedes is not None or (not change.reason and change.kind in ANSWERING):
        return
    if change.reason not in ENTERED:
        raise Refused("reason-unknown", reason=change.reason, known="、".join(ENTERED))
    if not change.note and (change.reason == "other" or change.kind in ("end", "reopen")):
        raise Refused("note-missing")


def _check_length(ms: int, longest_ms: int, least_ms: int = 1) -> None:
    if ms <= 0:
        raise Refused("duration-not-positive")
    if ms < least_ms:
        raise Refused("duration-too-short")
    if ms > longest_ms:
        raise Refused("duration-absurd", most_min=longest_ms // 60_000)


# --- the request for one attempt ---


def fits(change: Change, standing: Standing, now_ms: int) -> str | None:
    """Why the change leaves this attempt out, as a code of ``domain.errors``; None when it applies."""
    if standing.end_reason == "deferred":
        return "attempt-deferred"
    start = standing.start_ms
    if start is None and change.kind not in ("extend", "undo"):
        return "day-not-opened"
    over = standing.over(now_ms)
    if change.kind == "undo":
        return None
    if change.kind == "reopen":
        if not over or (standing.stored == "open"):
            return "attempt-open"
        return "runs-elsewhere" if standing.runs_elsewhere else None
    if over:
        # A shorter credit takes time back, and there is none left to take.
        if change.kind not in ("extend", "credit") or change.supersedes is not None:
            return "attempt-ended"
        if standing.end_reason in ("hand_in", "forced"):
            return "handed-in" if standing.end_reason == "hand_in" else "ended-by-staff"
        # Who never came has no work to go on with; named one by one, they are meant.
        if not standing.signed_in and change.scope.kind not in NAMING:
            return "absent"
        if standing.runs_elsewhere:
            return "runs-elsewhere"
    if start is None:
        return None
    if change.kind == "postpone" and start <= now_ms:
        return "start-passed"
    if change.kind == "end" and start > now_ms:
        return "not-begun"
    if change.kind == "credit" and change.to_ms is not None and change.to_ms <= start:
        return "credit-before-start"
    if change.kind == "pause" and change.scope.kind in standing.paused_by:
        return "already-paused"
    return None


def planned(ledger: clock.Ledger, *entries: clock.Entry) -> clock.Ledger:
    """The ledger as it would be with these entries too."""
    return replace(ledger, entries=(*ledger.entries, *entries))


# --- the cap ---


def over(before: clock.Ledger, after: clock.Ledger, *, now_ms: int, limit_ms: int | None) -> int | None:
    """What the attempt would have lost in all when that is more than its limit and more than now; None when it fits.

    ``limit_ms`` None: the office has lifted the cap altogether. A change that takes nothing away is never refused
    here, however far facts have gone beyond the limit already.
    """
    if limit_ms is None:
        return None
    lost = clock.lost_ms(after, now_ms)
    return lost if lost > limit_ms and lost > clock.lost_ms(before, now_ms) else None


def idle_ms(before: clock.Ledger, after: clock.Ledger, *, now_ms: int) -> int:
    """How much of what ``after`` counts to the cap is the time between an end and the reopening that ``after`` adds.

    It is nobody's decision how long that was, and it is what makes a short extension of somebody who ended long ago a
    long one; so whoever decides is told the number. What overlaps time that counted already is not in it.
    """
    known = {entry.id for entry in before.entries}
    gaps = [entry for entry in after.entries if entry.id not in known and entry.reason == "reopened"]
    if not gaps:
        return 0
    without = replace(after, entries=tuple(entry for entry in after.entries if entry not in gaps))
    longest = sum((gap.to_ms or 0) - (gap.from_ms or 0) for gap in gaps)
    return max(0, min(longest, clock.lost_ms(after, now_ms) - clock.lost_ms(without, now_ms)))


def must_hold(ledger: clock.Ledger, *, now_ms: int, limit_ms: int | None) -> bool:
    """Whether *facts* have brought the attempt to its limit: a pause that is still open, or an outage that ended there.

    Whoever was brought there by decisions alone goes on (I8: it refuses decisions and holds facts) until an outage
    comes on top, and so does whoever a relog's gap took beyond it: that surplus becomes a proposal.
    """
    if limit_ms is None or clock.start_ms(ledger) is None:
        return False
    if clock.paused_since(ledger, now_ms) is not None:
        return clock.lost_ms(ledger, now_ms) >= limit_ms
    for outage in ledger.outages:
        known = clock.as_of(ledger, outage.at_ms)
        lost = clock.lost_ms(known, outage.at_ms)
        # An outage before the attempt's own start takes nothing from it.
        without = replace(known, outages=tuple(one for one in known.outages if one is not outage))
        if limit_ms <= lost and clock.lost_ms(without, outage.at_ms) < lost:
            return True
    return False


def reaches_at(ledger: clock.Ledger, *, now_ms: int, limit_ms: int | None) -> int | None:
    """The service-time instant at which a paused attempt reaches its limit if it stays paused; None when never."""
    start = clock.start_ms(ledger)
    if limit_ms is None or start is None or clock.paused_since(ledger, now_ms) is None:
        return None
    # Before the start a pause costs nothing: it begins to count there.
    return max(now_ms, start) + max(0, limit_ms - clock.lost_ms(ledger, now_ms))
