"""Who came and who did not, as a room accounts for it: expected = present + absent, or it is not signed off.

Presence is a fact, seen at the door or by a sign-in; absence is confirmed by somebody. Where both are on record the
person is there: nobody who sits at a PC is absent. Whoever the office has deferred (缓考) is neither, wherever they
are: they will sit another day, so nobody expects them in this session, and they are counted by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Standing = Literal["present", "absent", "deferred", "unaccounted"]


def standing(*, checked_in: bool, signed_in: bool, absent: bool, end_reason: str | None = None) -> Standing:
    if end_reason == "deferred":
        return "deferred"
    if checked_in or signed_in:
        return "present"
    return "absent" if absent else "unaccounted"


@dataclass(frozen=True, slots=True)
class Balance:
    """Head-counts of one room in one session; the deferred are not among the expected."""

    expected: int
    present: int
    absent: int
    deferred: int = 0

    @property
    def unaccounted(self) -> int:
        return self.expected - self.present - self.absent

    @property
    def balances(self) -> bool:
        return self.unaccounted == 0

    def numbers(self) -> dict[str, int]:
        return {
            "expected": self.expected,
            "present": self.present,
            "absent": self.absent,
            "deferred": self.deferred,
            "unaccounted": self.unaccounted,
        }


def balance(standings: Iterable[Standing]) -> Balance:
    """What the standings of everybody allocated add up to."""
    each = list(standings)
    deferred = each.count("deferred")
    return Balance(len(each) - deferred, each.count("present"), each.count("absent"), deferred)


@dataclass(frozen=True, slots=True)
class Door:
    """When a candidate may do what, in service time; None while the session has no start."""

    opens_ms: int | None
    last_admission_ms: int | None
    hand_in_ms: int | None

    def open_at(self, now_ms: int) -> bool:
        """Whether a candidate may still be let in without anybody's leave; the last instant counts."""
        return self.last_admission_ms is None or now_ms <= self.last_admission_ms


def door(start_ms: int | None, *, opens_ms: int, last_admission_ms: int, hand_in_ms: int) -> Door:
    """``start_ms`` is the candidate's own start (a postponed one has a later door), the others are lengths."""
    if start_ms is None:
        return Door(None, None, None)
    return Door(start_ms - opens_ms, start_ms + last_admission_ms, start_ms + hand_in_ms)
