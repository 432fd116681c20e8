"""What the database holds of a schedule's attempts, as plain values for the checker; failover/reading.py reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Revision:
    """A row of response_history, or of response (then ``link`` and ``seq`` are 0 and ``committed`` None).

    ``committed`` is PostgreSQL's own commit time in seconds since 1970, where it keeps one (track_commit_timestamp).
    """

    item: int
    epoch: int
    rev: int
    adopt_n: int
    hash: str
    value: Any
    at_ms: int
    stamp_ms: int
    seq: int = 0
    link: int = 0
    late: bool = False
    # The head of the chain it was written after.
    before: bytes | None = None
    committed: float | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """An epoch: when it was granted in service time, and when that was committed."""

    epoch: int
    granted_ms: int
    committed: float | None = None


@dataclass(slots=True)
class Attempt:
    id: str
    state: str
    epoch: int
    count: int
    chain: str
    chain_links: int
    grants: list[Grant] = field(default_factory=list)
    responses: list[Revision] = field(default_factory=list)
    history: list[Revision] = field(default_factory=list)
    # (item, epoch, rev, hash) → reason
    stranded: dict[tuple[int, int, int, str], str] = field(default_factory=dict)
    receipt: dict[str, Any] | None = None

    def next_grant(self, epoch: int) -> Grant | None:
        """The first grant after ``epoch``."""
        later = [grant for grant in self.grants if grant.epoch > epoch]
        return min(later, key=lambda grant: grant.epoch) if later else None
