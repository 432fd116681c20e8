"""Wall time and service time, converted through the table of terms (DESIGN §5).

People type and read wall times; the ledger holds service time. Within one term both run alike; between two terms the
counter stood, so every wall instant of the gap is the one instant at which it stood. The present is the best known
point of the present term: a wall clock that was set since the term began is the one people read now. While the service
stands that point is where it stopped, and what is to come is told as if it came back now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Term:
    """One stretch of service: the counter at its start, and the wall clock then (aware)."""

    start_ms: int
    started_at: datetime


@dataclass(frozen=True, slots=True)
class WallTime:
    """``terms`` in order of ``start_ms``; ``now_at`` is when the counter came to ``now_ms``, and it has stood there for
    ``standing_ms`` since, by the wall."""

    terms: Sequence[Term]
    now_ms: int
    now_at: datetime
    standing_ms: int = 0

    def service_ms(self, at: datetime) -> int:
        """The service-time instant of a wall instant (aware); in a gap between terms the one at which it stood."""
        found = None
        for n, term in enumerate(self.terms):
            if term.started_at <= at:
                found = n
        if found is None:
            # Before the first term nothing was counted; with none at all the present is the only known point.
            return self.terms[0].start_ms if self.terms else self._counted(at)
        term = self.terms[found]
        if found + 1 < len(self.terms):
            return min(self.terms[found + 1].start_ms, term.start_ms + (at - term.started_at) // MS)
        return max(term.start_ms, self._counted(at))

    def _counted(self, at: datetime) -> int:
        passed = (at - self.now_at) // MS
        return self.now_ms + (max(0, passed - self.standing_ms) if passed > 0 else passed)

    def at(self, service_ms: int) -> datetime:
        """The wall instant at which the counter came to ``service_ms``, or will if nothing stops it from now on."""
        found = None
        for n, term in enumerate(self.terms):
            if term.start_ms <= service_ms:
                found = n
        if found is None or found + 1 == len(self.terms):
            stood_ms = self.standing_ms if service_ms > self.now_ms else 0
            return self.now_at + (service_ms - self.now_ms + stood_ms) * MS
        return self.terms[found].started_at + (service_ms - self.terms[found].start_ms) * MS
