"""The exam clock (I6, I7): remaining time as a pure function of the ledger, and why it is what it is.

All instants are service time in milliseconds: a counter that stands while the service is away, so an outage needs no
entry at all. Intervals are half-open, ``[from_ms, to_ms)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["planned", "extend", "credit", "outage"]


@dataclass(frozen=True, slots=True)
class Interval:
    from_ms: int
    to_ms: int
    reason: str = ""

    def __post_init__(self) -> None:
        if self.to_ms < self.from_ms:
            raise ValueError("an interval cannot end before it begins")


@dataclass(frozen=True, slots=True)
class Ledger:
    """Everything that decides one attempt's time. ``start_ms`` is None until the office opens the day."""

    start_ms: int | None
    allotted_ms: int
    extensions: tuple[tuple[int, str], ...] = ()
    uncharged: tuple[Interval, ...] = ()


@dataclass(frozen=True, slots=True)
class Because:
    """One summand of the explanation: ``end = planned + …``."""

    kind: Kind
    ms: int
    reason: str


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """Disjoint intervals that cover the same instants, in order; touching ones become one (I7: credited once)."""
    merged: list[Interval] = []
    for interval in sorted(intervals, key=lambda i: (i.from_ms, i.to_ms)):
        if interval.from_ms == interval.to_ms:
            continue
        if merged and interval.from_ms <= merged[-1].to_ms:
            last = merged[-1]
            merged[-1] = Interval(last.from_ms, max(last.to_ms, interval.to_ms), last.reason)
        else:
            merged.append(interval)
    return merged


def uncharged_ms(intervals: Sequence[Interval], start_ms: int, until_ms: int) -> int:
    """Milliseconds of ``[start_ms, until_ms)`` that the union of ``intervals`` covers."""
    return sum(max(0, min(interval.to_ms, until_ms) - max(interval.from_ms, start_ms)) for interval in union(intervals))


def remaining_ms(ledger: Ledger, now_ms: int) -> int:
    """Time left at ``now_ms``, never below 0; the whole allowance before the start.

    remaining = allotted + extensions − (now − start) + |union of uncharged intervals within [start, now)|
    """
    total = ledger.allotted_ms + sum(ms for ms, _ in ledger.extensions)
    if ledger.start_ms is None or now_ms <= ledger.start_ms:
        return max(0, total)
    charged = now_ms - ledger.start_ms - uncharged_ms(ledger.uncharged, ledger.start_ms, now_ms)
    return max(0, total - charged)


def end_ms(ledger: Ledger) -> int | None:
    """The service-time instant at which the time runs out; None while the session is not anchored.

    Walks the disjoint uncharged intervals in order: one that begins before the end found so far moves the end by its
    length, one that begins at or after it no longer counts.
    """
    if ledger.start_ms is None:
        return None
    end = ledger.start_ms + max(0, ledger.allotted_ms + sum(ms for ms, _ in ledger.extensions))
    for interval in union(ledger.uncharged):
        begins = max(interval.from_ms, ledger.start_ms)
        if begins >= end:
            break
        end += max(0, interval.to_ms - begins)
    return end


def because(ledger: Ledger) -> list[Because]:
    """The summands of the end time, in the order they are told: allowance, extensions, then each credited stretch.

    Overlapping credits are told as one stretch under the reason of the earliest, so that the sum is the truth.
    """
    told = [Because("planned", ledger.allotted_ms, "allotted")]
    told += [Because("extend", ms, reason) for ms, reason in ledger.extensions]
    end = end_ms(ledger)
    if ledger.start_ms is None or end is None:
        return told
    for interval in union(ledger.uncharged):
        ms = max(0, interval.to_ms - max(interval.from_ms, ledger.start_ms))
        if ms and max(interval.from_ms, ledger.start_ms) < end:
            told.append(Because("credit", ms, interval.reason))
    return told


def duration_text(ms: int) -> str:
    """``2:30`` or ``1:02:30``: minutes and seconds, rounded down."""
    seconds = ms // 1000
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        return f"{hours}:{minutes:02d}:{seconds % 60:02d}"
    return f"{minutes}:{seconds % 60:02d}"
