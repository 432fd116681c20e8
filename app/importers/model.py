"""What an imported file says once it is free of faults: plain values, no database, no file.

Wall times are naive and in the exam's time zone, as people write them; lengths end in ``_ms``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

SPARE = "备"


def spare_label(number: int) -> str:
    """'备1' for the first spare seat, as rosters write it."""
    return f"{SPARE}{number}"


@dataclass(frozen=True, slots=True)
class RoomPlan:
    """Regular seats are '1'…'N', spare seats '备1'…'备k'."""

    name: str
    building: str
    number: str
    seats: int
    spares: int

    @property
    def labels(self) -> list[tuple[str, bool]]:
        """(label, is spare) in seat order; a seat's ordinal is its place in this list, from 1."""
        regular = [(str(n), False) for n in range(1, self.seats + 1)]
        return regular + [(spare_label(n), True) for n in range(1, self.spares + 1)]


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """One row of the sheet 场次. The last three are None where the file leaves them to the server's defaults."""

    number: int
    name: str
    start: datetime
    duration_ms: int
    sign_in_opens_ms: int | None = None
    last_admission_ms: int | None = None
    earliest_hand_in_ms: int | None = None

    @property
    def end(self) -> datetime:
        return self.start + timedelta(milliseconds=self.duration_ms)

    def overlaps(self, other: SessionPlan) -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Placement:
    session: int
    room: str
    seat: str


@dataclass(frozen=True, slots=True)
class CandidatePlan:
    ticket: str
    name: str
    gender: str
    id_kind: str
    id_number: str
    specialty: str = ""
    employer: str = ""
    extra_time_ms: int = 0
    placements: tuple[Placement, ...] = ()

    def __repr__(self) -> str:
        # A candidate may end up in a log line; the document's number never does.
        return f"<candidate {self.ticket}>"


@dataclass(frozen=True, slots=True)
class Roster:
    """``title`` is the line above the headers; rooms, sessions and candidates are in the file's order."""

    title: str
    rooms: tuple[RoomPlan, ...]
    sessions: tuple[SessionPlan, ...]
    candidates: tuple[CandidatePlan, ...]


@dataclass(frozen=True, slots=True)
class MediaFile:
    sha256: str
    content_type: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OptionPlan:
    id: str
    text: str
    media: str | None = None

    def as_json(self) -> dict[str, str]:
        option = {"id": self.id, "text": self.text}
        return option if self.media is None else {**option, "media": self.media}


# single, true_false: "A"; multiple: ["A", "C"]; blank: [[accepted forms of blank 1], …]; text: the reference answer.
Key = str | list[str] | list[list[str]] | None


@dataclass(frozen=True, slots=True)
class ItemPlan:
    """One item as the bank has it. ``media``: SHA-256 of the stem's pictures, keys of ``Bank.media``."""

    number: str
    type: str
    topic: str
    stem: str
    options: tuple[OptionPlan, ...]
    key: Key
    points_milli: int
    media: tuple[str, ...] = ()

    def __repr__(self) -> str:
        # An item may end up in a log line; its stem and answer never do (I12).
        return f"<item {self.number} {self.type}>"


@dataclass(frozen=True, slots=True)
class Bank:
    title: str
    items: tuple[ItemPlan, ...]
    media: Mapping[str, MediaFile] = field(default_factory=dict)
