"""How much a room of the hall needs somebody's attention, and why: the order of the office's page.

Pure: the numbers of a room go in, a level and its reasons come out, the weightiest first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Level = Literal["alarm", "look", "calm", "done"]
LEVELS: tuple[Level, ...] = get_args(Level)
Reason = Literal[
    "incident", "mostly-silent", "proposal", "silent", "paused", "no-spare", "unaccounted", "discrepancy", "unsigned",
]  # fmt: skip
REASONS: tuple[Reason, ...] = get_args(Reason)
# Of those at their PCs. One cable is one seat; this many at once are the room's.
MOSTLY = 0.3
LEAST = 3
ALARMS: frozenset[Reason] = frozenset({"incident", "mostly-silent"})


@dataclass(frozen=True, slots=True)
class Numbers:
    """``sitting``: signed in and not over, whatever state they are in. ``door_open``: somebody may still come by
    themselves. ``over``: nobody of the room sits any more, and somebody did."""

    sitting: int
    silent: int
    paused: int
    unaccounted: int
    spare_left: int
    has_spares: bool
    door_open: bool
    over: bool
    incidents: int = 0
    proposals: int = 0
    discrepancies: int = 0
    signed: bool = False
    released: bool = False


def reasons(room: Numbers) -> list[Reason]:
    """Why somebody should look, in the order of ``REASONS``."""
    mostly = room.silent >= max(LEAST, MOSTLY * room.sitting)
    holds: dict[Reason, bool] = {
        "incident": room.incidents > 0,
        "mostly-silent": mostly,
        "proposal": room.proposals > 0,
        "silent": room.silent > 0 and not mostly,
        "paused": room.paused > 0,
        "no-spare": room.has_spares and room.spare_left == 0 and not room.over,
        "unaccounted": room.unaccounted > 0 and not room.door_open,
        "discrepancy": room.discrepancies > 0,
        "unsigned": room.over and not room.signed,
    }
    return [reason for reason in REASONS if holds[reason]]


def level(room: Numbers, why: list[Reason]) -> Level:
    """A released room is done unless something is open there; an alarm is never only looked at."""
    if ALARMS.intersection(why):
        return "alarm"
    if why:
        return "look"
    return "done" if room.released else "calm"
