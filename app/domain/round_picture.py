"""What a decision on rounds looks at (``Picture``) and what it comes to (``Plan``)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

Kind = Literal["swap", "move", "defer", "allocate"]


@dataclass(frozen=True, slots=True)
class Session:
    """``begun``: its start in service time has passed."""

    id: int
    number: int
    name: str
    begins_ms: int
    duration_ms: int
    begun: bool

    def ends_ms(self, extra_ms: int = 0) -> int:
        return self.begins_ms + self.duration_ms + extra_ms


@dataclass(frozen=True, slots=True)
class Seat:
    id: int
    room_id: int
    room: str
    room_ordinal: int
    building_id: int
    building: str
    label: str
    ordinal: int
    spare: bool = False
    out_of_order: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """``state``: open; over (ended in any other way); deferred. ``seen``: the paper has been before its candidate.
    ``runs``: its clock runs and somebody sits at it. ``held``: it is paused, or starts later than its session."""

    id: UUID
    state: Literal["open", "over", "deferred"]
    seen: bool = False
    runs: bool = False
    held: bool = False


@dataclass(frozen=True, slots=True)
class Sitter:
    """One candidate in one session; ``attempt`` None: the session has not been drawn. ``gone_on``: they left a closed
    attempt here and have been given another session for it."""

    candidate_id: int
    ticket: str
    name: str
    extra_ms: int
    session_id: int
    seat: Seat
    attempt: Attempt | None
    gone_on: bool = False

    @property
    def deferred(self) -> bool:
        return self.attempt is not None and self.attempt.state == "deferred"

    @property
    def stays_closed(self) -> bool:
        """Whether the attempt stays in its session when its candidate goes."""
        return self.attempt is not None and (self.attempt.seen or self.attempt.state != "open")


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything a plan looks at, of one exam. ``held``: rooms (ids) that a session's ledger holds as a place, paused
    or postponed by themselves; whoever came to sit there would not be held with them."""

    sessions: Mapping[int, Session]
    seats: Sequence[Seat]
    sitters: Sequence[Sitter]
    held: Mapping[int, frozenset[int]] = field(default_factory=dict)

    def of(self, session_id: int) -> list[Sitter]:
        return [each for each in self.sitters if each.session_id == session_id]


@dataclass(frozen=True, slots=True)
class Move:
    """``sitter`` goes to session ``to`` and sits at ``seat``."""

    sitter: Sitter
    to: int
    seat: Seat

    @property
    def kept_seat(self) -> bool:
        return self.seat.id == self.sitter.seat.id


@dataclass(frozen=True, slots=True)
class Plan:
    """``closes``: whose attempt ends now, as deferred."""

    kind: Kind
    session: int
    other: int | None
    moves: tuple[Move, ...]
    closes: tuple[Sitter, ...]

    @property
    def sitters(self) -> list[Sitter]:
        """Everybody it is about."""
        return [move.sitter for move in self.moves] or list(self.closes)

    @property
    def sessions(self) -> list[int]:
        return [self.session] if self.other is None else [self.session, self.other]

    def digest(self, picture: Picture) -> str:
        """What was looked at before it was confirmed: equal digests mean the same people, seats and times."""
        sessions = [picture.sessions[each] for each in self.sessions]
        told = [
            self.kind,
            *(f"{each.id} {each.begun} {each.duration_ms}" for each in sessions),
            *sorted(f"{m.sitter.ticket} {m.to} {m.seat.id} {m.sitter.attempt}" for m in self.moves),
            *sorted(f"{each.ticket} {each.attempt}" for each in self.closes),
        ]
        return hashlib.sha256("\n".join(told).encode()).hexdigest()[:32]
