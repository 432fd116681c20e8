"""What goes into the writer and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

Status = Literal["durable", "buffered", "stranded", "refused"]
# From the strongest promise to the weakest: the durability of a reply is that of its weakest response.
STRENGTH: dict[Status, int] = {"durable": 0, "buffered": 1, "stranded": 2, "refused": 3}


@dataclass(slots=True)
class Row:
    """One response on its way in. ``value`` is its canonical JSON text, ``hash`` the SHA-256 of that."""

    item: int
    rev: int
    value: str
    hash: bytes
    at_ms: int
    adopt_n: int = 0


@dataclass(slots=True)
class Checkpoint:
    """One request's writes for one attempt under one epoch; without rows it is a heartbeat."""

    attempt: UUID
    epoch: int
    seq: int
    stamp_ms: int
    rows: list[Row] = field(default_factory=list)
    position: int | None = None
    # JSON text of the list of marked items.
    marked: str | None = None
    elapsed_ms: int = 0
    # The term it arrived in; a contact in a new term may bring a credit before the attempt is judged as over.
    term: int = 0
    # True when it was acknowledged `buffered` before and now comes out of the buffer.
    buffered: bool = False


@dataclass(slots=True)
class Outcome:
    """What became of one checkpoint.

    ``fenced`` is True when the epoch is not the live one: its rows are stranded. ``previous_*`` is what the row said
    before this write, from which a reconnect after an outage is recognised.
    """

    durability: Literal["durable", "buffered"]
    epoch: int
    state: Literal["open", "ended", "final"]
    session_id: int
    end_ms: int | None
    ended_ms: int | None
    clock_rev: int
    count: int | None
    acked_seq: int
    fenced: bool = False
    # (item, rev) → why, for the rows that were not applied.
    stranded: dict[tuple[int, int], str] = field(default_factory=dict)
    refused: dict[tuple[int, int], str] = field(default_factory=dict)
    # What is left of a paused attempt, None of one that is not.
    left_ms: int | None = None
    # Buffered: the revision of the clock that the hot copy's end belongs to, -1 when it does not know.
    hot_rev: int = -1
    previous_contact_ms: int | None = None
    previous_term: int | None = None

    def status(self, row: Row) -> tuple[Status, str | None]:
        """The row's own answer: its status and, when it is not applied, the reason or refusal code."""
        key = (row.item, row.rev)
        if key in self.refused:
            return "refused", self.refused[key]
        if key in self.stranded:
            return "stranded", self.stranded[key]
        return self.durability, None


class StoreAway(Exception):  # noqa: N818 -- names the state
    """The store cannot answer now; whether the last write happened is unknown."""


class RecordAway(StoreAway):
    """What was asked for needs PostgreSQL, which takes no writes now; nothing was done."""


class Overloaded(Exception):  # noqa: N818 -- names the state
    """More is waiting than the process will hold; nothing of this request was written."""
