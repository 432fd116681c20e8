"""Who may write (I5): the lease epoch, and what a sign-in is given.

An epoch is granted by PostgreSQL only, under the attempt's row lock. Numbers of different lineages never meet: each
lineage has a range of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EPOCHS_PER_LINEAGE = 1_000_000


def next_epoch(lineage_n: int, current: int) -> int:
    """The epoch after ``current`` in lineage ``lineage_n`` (1, 2, …)."""
    return max(current, lineage_n * EPOCHS_PER_LINEAGE) + 1


@dataclass(frozen=True, slots=True)
class Held:
    """The live lease of an attempt."""

    epoch: int
    device_id: str
    seat_id: int


@dataclass(frozen=True, slots=True)
class Move:
    """An open relog: the invigilator has clicked, the candidate has not yet signed in."""

    relog_id: int
    to_seat_id: int


@dataclass(frozen=True, slots=True)
class Ask:
    """A sign-in that has proved who the candidate is."""

    device_id: str | None
    # True when the device showed the secret of the live lease.
    proved: bool
    # Seat named by the PC's start address, when it names one.
    seat_id: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    kind: Literal["grant", "resume", "held", "wrong_seat"]
    why: str
    seat_id: int
    relog_id: int | None = None


def decide(ask: Ask, held: Held | None, move: Move | None, allocated_seat_id: int) -> Answer:
    """What a sign-in is given, and the sentence that says why.

    The device that shows the lease's secret resumes under its own epoch: a lost reply or a reload costs nothing, and
    an invigilator's click alone fences nobody (it can still be withdrawn). Any other device needs the click.
    """
    if held is not None and ask.proved and ask.device_id == held.device_id:
        return Answer("resume", "the same device proved its lease", held.seat_id)
    if move is not None:
        if ask.seat_id is not None and ask.seat_id != move.to_seat_id:
            return Answer("wrong_seat", "moved, but to another seat than this one", move.to_seat_id)
        return Answer("grant", "moved by an invigilator", move.to_seat_id, move.relog_id)
    if held is None:
        if ask.seat_id is not None and ask.seat_id != allocated_seat_id:
            return Answer("wrong_seat", "allocated to another seat than this one", allocated_seat_id)
        return Answer("grant", "first sign-in", allocated_seat_id)
    return Answer("held", "another device holds the lease and nobody has moved the candidate", held.seat_id)
