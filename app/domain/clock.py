"""The exam clock (I6, I7): remaining time as a pure function of the ledger, and why it is what it is.

All instants are service time in milliseconds: a counter that stands while the service is away, so an outage needs no
entry at all. Intervals are half-open, ``[from_ms, to_ms)``.

An attempt's ledger is a *set* of entries: in which order they were made, or came to this server, changes nothing. An
entry that is taken back (``undo``, or another that ``supersedes`` it) counts as if it had never been made, and counts
again when what took it back is itself taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

Kind = Literal["postpone", "pause", "resume", "extend", "credit", "end", "reopen", "undo"]
Summand = Literal["planned", "postpone", "extend", "pause", "credit", "outage"]

# The end that is stored of a paused attempt: later than any exam, so that nothing ever judges it as over, and an
# integer that every language on the way keeps exactly.
NEVER_MS = 4_000_000_000_000_000


def packed(end_ms: int | None, left_ms: int | None) -> int | None:
    """End and what is left as the one number a hot copy has; ``unpacked`` takes them apart."""
    return end_ms if left_ms is None else NEVER_MS + left_ms


def unpacked(one_ms: int | None) -> tuple[int | None, int | None]:
    """``(end_ms, left_ms)``."""
    if one_ms is None or one_ms < NEVER_MS:
        return one_ms, None
    return NEVER_MS, one_ms - NEVER_MS


@dataclass(frozen=True, slots=True)
class Interval:
    from_ms: int
    to_ms: int
    reason: str = ""
    kind: Literal["pause", "credit"] = "credit"
    scope: str = "candidate"

    def __post_init__(self) -> None:
        if self.to_ms < self.from_ms:
            raise ValueError("an interval cannot end before it begins")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it concerns one attempt. ``id`` grows: what takes an entry back has the greater one.

    credit: ``[from_ms, to_ms)``; pause: ``from_ms``; resume: ``to_ms`` and the pause it ``refers_id`` to; postpone and
    extend: ``amount_ms``; undo: the entry it ``refers_id`` to.
    """

    id: int
    kind: Kind
    from_ms: int | None = None
    to_ms: int | None = None
    amount_ms: int | None = None
    refers_id: int | None = None
    reason: str = ""
    note: str = ""
    made_ms: int = 0
    supersedes_id: int | None = None
    scope: str = "candidate"


@dataclass(frozen=True, slots=True)
class Outage:
    """The counter stood at ``at_ms`` for ``gap_ms`` of wall time."""

    at_ms: int
    gap_ms: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """Everything that decides one attempt's time. ``start_ms`` is the anchored start without any postponement, None
    until the office opens the day."""

    start_ms: int | None
    allotted_ms: int
    entries: tuple[Entry, ...] = ()
    outages: tuple[Outage, ...] = ()


@dataclass(frozen=True, slots=True)
class Because:
    """One summand of the explanation: ``end = planned + …``."""

    kind: Summand
    ms: int
    reason: str
    scope: str = "candidate"


# --- what the entries say ---


def live(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries that are not taken back, by id."""
    taken_back: set[int] = set()
    standing: list[Entry] = []
    # Newest first: whether an undo counts is known before what it refers to is looked at.
    for entry in sorted(entries, key=lambda one: one.id, reverse=True):
        if entry.id in taken_back:
            continue
        standing.append(entry)
        if entry.kind == "undo" and entry.refers_id is not None:
            taken_back.add(entry.refers_id)
        if entry.supersedes_id is not None:
            taken_back.add(entry.supersedes_id)
    return tuple(reversed(standing))


def as_of(ledger: Ledger, at_ms: int) -> Ledger:
    """The ledger as it was known at ``at_ms``."""
    return replace(
        ledger,
        entries=tuple(entry for entry in ledger.entries if entry.made_ms <= at_ms),
        outages=tuple(outage for outage in ledger.outages if outage.at_ms <= at_ms),
    )


def until(ledger: Ledger, ended_ms: int) -> Ledger:
    """The ledger as it concerns an attempt that ended at ``ended_ms``: it says the same whenever it is asked since.

    Whoever has ended is held by nothing and loses nothing more. A pause that stood then went with the attempt, whenever
    the others were let go on; of a credit only what lies before the end is theirs, and no outage after it. What was
    entered since and takes something back, or takes that back, counts. Where nothing of it applies, ``ledger`` itself.
    """
    known = tuple(_until(entry, ended_ms) for entry in ledger.entries)
    # Nobody entered these: no entry has an id like theirs, so that nothing takes them back.
    let_go = tuple(
        Entry(-pause.id, "resume", to_ms=ended_ms, refers_id=pause.id, reason=pause.reason, made_ms=ended_ms)
        for pause in open_pauses(known)
    )
    outages = tuple(outage for outage in ledger.outages if outage.at_ms < ended_ms)
    if not let_go and known == ledger.entries and outages == ledger.outages:
        return ledger
    return replace(ledger, entries=(*known, *let_go), outages=outages)


def _until(entry: Entry, ended_ms: int) -> Entry:
    if entry.kind not in ("credit", "resume") or entry.to_ms is None or entry.to_ms <= ended_ms:
        return entry
    return replace(entry, to_ms=max(ended_ms, entry.from_ms or ended_ms))


def open_pauses(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The pauses that hold the attempt: live, and not resumed."""
    standing = live(entries)
    resumed = {entry.refers_id for entry in standing if entry.kind == "resume"}
    return tuple(entry for entry in standing if entry.kind == "pause" and entry.id not in resumed)


def _amount(ledger: Ledger, kind: Kind) -> int:
    return sum(entry.amount_ms or 0 for entry in live(ledger.entries) if entry.kind == kind)


def start_ms(ledger: Ledger) -> int | None:
    """When the attempt's own time begins, postponements counted; None while the session is not anchored."""
    return None if ledger.start_ms is None else ledger.start_ms + _amount(ledger, "postpone")


def intervals(ledger: Ledger, now_ms: int) -> list[Interval]:
    """Every uncharged interval, overlapping or not: credits, and pauses up to their resume or to ``now_ms``."""
    standing = live(ledger.entries)
    resumes: dict[int, int] = {}
    for entry in standing:
        if entry.kind == "resume" and entry.refers_id is not None and entry.to_ms is not None:
            # Resumed twice, it ran from the first time on.
            resumes[entry.refers_id] = min(entry.to_ms, resumes.get(entry.refers_id, entry.to_ms))
    found = []
    for entry in standing:
        if entry.from_ms is None or entry.kind not in ("pause", "credit"):
            continue
        if entry.kind == "credit":
            to_ms = entry.from_ms if entry.to_ms is None else entry.to_ms
            found.append(Interval(entry.from_ms, max(entry.from_ms, to_ms), entry.reason, "credit", entry.scope))
        else:
            to_ms = resumes.get(entry.id, now_ms)
            found.append(Interval(entry.from_ms, max(entry.from_ms, to_ms), entry.reason, "pause", entry.scope))
    return found


def union(parts: Iterable[Interval]) -> list[Interval]:
    """Disjoint intervals that cover the same instants, in order (I7: credited once), each under whose it is.

    An instant that several of ``parts`` cover belongs to the one that began first; of those that began together to the
    one that is given first. So each keeps what it has while it lasts, and the next adds what it has beyond that. Pieces
    that touch become one only where they are of the same kind, reason and scope: an end is explained by what brought
    it, however short that was.
    """
    found: list[Interval] = []
    covered_ms: int | None = None
    # In order of their begins, each can add only behind what is covered by then: one look at each is the whole sweep.
    for part in sorted(parts, key=lambda one: one.from_ms):
        begins_ms = part.from_ms if covered_ms is None else max(part.from_ms, covered_ms)
        if part.to_ms <= begins_ms:
            continue
        piece = replace(part, from_ms=begins_ms)
        covered_ms = part.to_ms
        last = found[-1] if found else None
        if last is not None and last == replace(piece, from_ms=last.from_ms, to_ms=begins_ms):
            found[-1] = replace(last, to_ms=piece.to_ms)
        else:
            found.append(piece)
    return found


def uncharged_ms(parts: Sequence[Interval], start_ms: int, until_ms: int) -> int:
    """Milliseconds of ``[start_ms, until_ms)`` that the union of ``parts`` covers."""
    return sum(max(0, min(part.to_ms, until_ms) - max(part.from_ms, start_ms)) for part in union(parts))


# --- the end ---


@dataclass(frozen=True, slots=True)
class _Walk:
    """``stretches`` are the disjoint uncharged intervals that count, from the start on; ``end_ms`` None: paused."""

    end_ms: int | None
    stretches: tuple[Interval, ...]


def _walk(ledger: Ledger, start: int, now_ms: int) -> _Walk:
    """Walk the disjoint uncharged intervals in order: one that begins before the end found so far moves the end by its
    length, one that begins at or after it no longer counts. An open pause that is reached has no end yet.

    Where two of them touch, the first has moved the end beyond the place: the second counts as if they were one.
    """
    end = start + max(0, ledger.allotted_ms + _amount(ledger, "extend"))
    opens = [pause.from_ms for pause in open_pauses(ledger.entries) if pause.from_ms is not None]
    held_from = min((max(start, begins) for begins in opens if begins <= now_ms), default=None)
    counted = []
    for part in union(intervals(ledger, now_ms)):
        begins = max(part.from_ms, start)
        if begins >= end or part.to_ms <= begins:
            if begins >= end:
                break
            continue
        counted.append(replace(part, from_ms=begins))
        end += part.to_ms - begins
    if held_from is not None and held_from < end:
        return _Walk(None, tuple(counted))
    return _Walk(end, tuple(counted))


def end_ms(ledger: Ledger, now_ms: int) -> int | None:
    """The instant at which the time runs out; None while the session is not anchored or the attempt is paused."""
    start = start_ms(ledger)
    return None if start is None else _walk(ledger, start, now_ms).end_ms


def paused_since(ledger: Ledger, now_ms: int) -> int | None:
    """Since when the attempt is held by a pause (it may be before the start), None when its clock may run.

    A pause that began when the time was over already holds nothing.
    """
    opens = [one.from_ms for one in open_pauses(ledger.entries) if one.from_ms is not None and one.from_ms <= now_ms]
    start = start_ms(ledger)
    if not opens or (start is not None and _walk(ledger, start, now_ms).end_ms is not None):
        return None
    return min(opens)


def has_run(ledger: Ledger, now_ms: int) -> bool:
    """Whether the attempt's own clock has run at all: for some of the time since its start no pause held it. Time that
    was credited afterwards has run all the same, and its questions were seen."""
    start = start_ms(ledger)
    if start is None or now_ms <= start:
        return False
    pauses = [part for part in intervals(ledger, now_ms) if part.kind == "pause"]
    return uncharged_ms(pauses, start, now_ms) < now_ms - start


def remaining_ms(ledger: Ledger, now_ms: int) -> int:
    """Time left at ``now_ms``, never below 0; the whole allowance before the start.

    remaining = allotted + extensions − (now − start) + |union of uncharged intervals within [start, now)|
    """
    total = ledger.allotted_ms + _amount(ledger, "extend")
    start = start_ms(ledger)
    if start is None or now_ms <= start:
        return max(0, total)
    charged = now_ms - start - uncharged_ms(intervals(ledger, now_ms), start, now_ms)
    return max(0, total - charged)


def _outages(ledger: Ledger, now_ms: int) -> int:
    """Wall-clock milliseconds for which the service stood within the attempt's own time."""
    start = start_ms(ledger)
    if start is None:
        return 0
    end = _walk(ledger, start, now_ms).end_ms
    over = now_ms if end is None else end
    return sum(outage.gap_ms for outage in ledger.outages if start <= outage.at_ms < over)


def lost_ms(ledger: Ledger, now_ms: int) -> int:
    """What counts to the 60 minutes (I8): postponements, extensions, the union of pauses and credits, and the
    wall-clock length of the service's own outages."""
    return sum(part.ms for part in because(ledger, now_ms) if part.kind != "planned")


# --- why ---


def because(ledger: Ledger, now_ms: int) -> list[Because]:
    """The summands of the end time in the order they are told: allowance, postponements, extensions, then each
    uncharged stretch, then the service's own outages (wall time, of which service time knows nothing).

    Where intervals overlap, each is told with what it adds (``union``), so that the sum is the truth.
    """
    standing = live(ledger.entries)
    told = [Because("planned", ledger.allotted_ms, "allotted")]
    told += [Because("postpone", e.amount_ms or 0, e.reason, e.scope) for e in standing if e.kind == "postpone"]
    told += [Because("extend", e.amount_ms or 0, e.reason, e.scope) for e in standing if e.kind == "extend"]
    start = start_ms(ledger)
    if start is None:
        return told
    for part in _walk(ledger, start, now_ms).stretches:
        told.append(Because(part.kind, part.to_ms - part.from_ms, part.reason, part.scope))
    stood = _outages(ledger, now_ms)
    if stood:
        told.append(Because("outage", stood, "outage"))
    return told


ReasonWords = Callable[[str], tuple[str, str]]
SCOPES = {"site": ("全场", "whole site"), "building": ("楼宇", "building"), "room": ("考室", "room")}


def words(part: Because, reason_words: ReasonWords) -> tuple[str, str]:
    """One summand without its length, in Chinese and English. ``reason_words`` names a reason in both."""
    if part.kind == "planned":
        return "考试时长", "allotted time"
    zh, en = reason_words(part.reason)
    if part.kind == "postpone":
        return f"推迟开考（{zh}）", f"start postponed ({en})"
    if part.kind == "extend":
        return f"延长（{zh}）", f"extended ({en})"
    where = SCOPES.get(part.scope)
    return (f"{where[0]}{zh}", f"{where[1]}: {en}") if where else (zh, en)


def explain(
    told: Sequence[Because], reason_words: ReasonWords, *, ends_at: datetime | None, left_ms: int
) -> tuple[str, str]:
    """The line of DESIGN §5 in Chinese and English: 结束时间 10:03:12 = 10:00:00 + 考室断电 2:30 + 换机 0:42.

    ``ends_at`` is the end on the wall, in the exam's zone; None while there is none (paused, or not anchored), when
    what is ``left_ms`` is told instead. Lengths are told so that what is shown adds up to the second.
    """
    parts = [part for part in told if part.kind != "planned" and part.ms]
    begins_ms = 0
    if ends_at is not None:
        begins_at = ends_at - timedelta(milliseconds=sum(part.ms for part in parts))
        begins_ms = begins_at.microsecond // 1000
    zh, en = [], []
    for part in parts:
        seconds = (begins_ms + part.ms) // 1000 - begins_ms // 1000
        begins_ms += part.ms
        name_zh, name_en = words(part, reason_words)
        zh.append(f"{name_zh} {duration_text(seconds * 1000)}")
        en.append(f"{name_en} {duration_text(seconds * 1000)}")
    if ends_at is None:
        left = duration_text(left_ms)
        return (
            "，".join([f"剩余 {left}", *([f"已计 {' + '.join(zh)}"] if zh else [])]),
            ", ".join([f"{left} left", *([f"counted: {' + '.join(en)}"] if en else [])]),
        )
    planned = f"{begins_at:%H:%M:%S}"
    return (
        f"结束时间 {ends_at:%H:%M:%S} = {' + '.join([planned, *zh])}",
        f"ends at {ends_at:%H:%M:%S} = {' + '.join([planned, *en])}",
    )


def duration_text(ms: int) -> str:
    """``2:30`` or ``1:02:30``: minutes and seconds, rounded down."""
    seconds = ms // 1000
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        return f"{hours}:{minutes:02d}:{seconds % 60:02d}"
    return f"{minutes}:{seconds % 60:02d}"
