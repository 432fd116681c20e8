"""What the record holds of one attempt, read at one instant: the facts that its history is told from.

Instants are service time in milliseconds, unless a name ends in ``_at``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from app.domain.chain import Head, Revision
from app.domain.responses import Response


@dataclass(frozen=True, slots=True)
class Lease:
    """``seat`` is the room and the label; ``revoked_ms`` is None while it is live."""

    epoch: int
    device: str
    seat: str
    address: str
    granted_ms: int
    revoked_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Relog:
    opened_ms: int
    closed_ms: int | None
    state: str
    reason: str
    by: str
    from_seat: str
    to_seat: str


@dataclass(frozen=True, slots=True)
class Aside:
    """A response that was kept as stranded; ``state`` is kept, adopted or dismissed, by whom and when."""

    response: Response
    stamp_ms: int
    reason: str
    state: str
    by: str | None = None
    decided_ms: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One entry of the ledger of time. ``of_kind`` is the kind of the entry it answers or replaces."""

    kind: str
    from_ms: int | None
    to_ms: int | None
    amount_ms: int | None
    reason: str
    note: str
    by: str | None
    made_ms: int
    scope: str = "candidate"
    of_kind: str | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """``gap_ms`` is the wall time before it that no counter counted."""

    n: int
    start_ms: int
    gap_ms: int
    started_at: datetime


@dataclass(frozen=True, slots=True)
class PaperItem:
    """``order`` holds the option ids as this candidate saw them, e.g. ``CADB``."""

    position: int
    type: str
    order: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What the attempt's row says."""

    state: str
    epoch: int
    grants: tuple[tuple[int, int], ...]
    head: Head
    ended_ms: int | None = None
    end_reason: str | None = None
    final_ms: int | None = None
    receipt: Mapping[str, Any] | None = None
    # Those from before a reopening, with ``final_ms`` and ``reopened_ms`` beside what a receipt says.
    receipts: Sequence[Mapping[str, Any]] = ()
    # Numbers of checkpoints acknowledged under the live epoch, as half-open ranges.
    acked: tuple[tuple[int, int], ...] = ()
    contact_ms: int | None = None

    @property
    def acked_seq(self) -> int:
        """The prefix acknowledged without a hole."""
        return next((end - 1 for begin, end in self.acked if begin <= 1), 0)

    @property
    def holes(self) -> list[tuple[int, int]]:
        """The numbers between those acknowledged that were not, as half-open ranges."""
        edges = [(1, 1), *self.acked]
        return [(end, begin) for (_, end), (begin, _) in pairwise(edges) if begin > end]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything the record holds of one attempt, read at one instant."""

    attempt: UUID
    ticket: str
    name: str
    exam: str
    timezone: str
    session_number: int
    session_name: str
    start_ms: int | None
    standing: Standing
    revisions: Sequence[Revision] = ()
    # The answer that counts, per item, with its stamp and whether it was late.
    responses: Mapping[int, tuple[Response, int, bool]] = field(default_factory=dict)
    leases: Sequence[Lease] = ()
    relogs: Sequence[Relog] = ()
    stranded: Sequence[Aside] = ()
    adjustments: Sequence[Adjustment] = ()
    terms: Sequence[Term] = ()
    paper: Mapping[int, PaperItem] = field(default_factory=dict)
