"""How an attempt ended before its time was up, and how it had ended before it was opened again.

An attempt's row knows its latest ending only. Reopening credits the time from the ending on, and that entry stays: what
was so at a past instant follows from the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.domain.clock import Ledger, as_of, end_ms

# What an explanation of the end says beside the sum. Whose time ran out ended when the sum says.
EARLY = {
    "hand_in": ("交卷", "handed in"),
    "forced": ("由工作人员结束", "ended by staff"),
    "deferred": ("缓考", "deferred"),
}


@dataclass(frozen=True, slots=True)
class Ending:
    """``reason``: hand_in, time_out, forced or deferred, as an attempt has it."""

    at_ms: int
    reason: str


def taken_back(ledger: Ledger, at_ms: int) -> Ending | None:
    """The ending that stood at ``at_ms`` and was taken back later; None when the attempt was open then, or when its
    ending still stands. ``ledger``: all of it, not as it was known then."""
    for entry in ledger.entries:
        since = entry.from_ms
        if (
            entry.kind == "credit"
            and entry.reason == "reopened"
            and since is not None
            and since <= at_ms < entry.made_ms
        ):
            return Ending(since, _why(as_of(ledger, since), since))
    return None


def _why(known: Ledger, ended_ms: int) -> str:
    last = max(
        (entry for entry in known.entries if entry.kind in ("end", "reopen")), key=lambda one: one.id, default=None
    )
    if last is not None and last.kind == "end":
        return "forced"
    end = end_ms(known, ended_ms)
    return "time_out" if end is not None and end <= ended_ms else "hand_in"


def words(ending: Ending | None, ended_at: datetime | None) -> tuple[str, str]:
    """What follows the explanation of an end, in Chinese and English; empty unless the attempt ended early.
    ``ended_at`` is the ending on the wall, in the exam's zone."""
    if ending is None or ended_at is None or ending.reason not in EARLY:
        return "", ""
    zh, en = EARLY[ending.reason]
    return f"，{ended_at:%H:%M:%S} {zh}", f", {en} at {ended_at:%H:%M:%S}"
