"""What one process remembers of the attempts it serves.

Everything that never changes while a candidate sits (session, seat, the items of the paper) is asked once per process
and attempt, so that the checkpoint path has only the writer's one statement to wait for. What does change is asked
again when the row that was just locked says that it has.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.domain.checkpoints import Outcome, StoreAway
from app.domain.clock import Because
from app.domain.errors import Refused
from app.services import timing
from app.services.site import Site
from app.services.starts import Starts
from app.services.tokens import Claims
from app.storage.postgres import attempts
from app.storage.postgres.adjustments import Moved
from app.storage.postgres.attempts import Seated
from app.storage.redis.client import RedisAway
from app.storage.redis.hot import Hot

# Attempts one process keeps the unchanging facts of; beyond it the least recently used are asked for again.
REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class _End:
    """When an attempt ends, or what is left of it while it is paused, as of revision ``rev`` of its clock."""

    rev: int
    end_ms: int | None
    left_ms: int | None


class Known:
    """One per process of a site; shared by its services."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._seated: OrderedDict[tuple[UUID, int], Seated] = OrderedDict()
        self._because: OrderedDict[UUID, tuple[int, list[Because]]] = OrderedDict()
        self._ends: OrderedDict[UUID, _End] = OrderedDict()
        self._starts = Starts(site)
        site.follower.remind = self._remind

    async def seated(self, claims: Claims) -> Seated:
        """The unchanging facts of an attempt under this epoch. Refused `bad-token` when there is no such attempt."""
        key = (claims.attempt, claims.epoch)
        known = self._seated.get(key)
        if known is None:
            if self._site.writer.postgres_up:
                async with self._site.reading() as conn:
                    known = await attempts.seated(conn, claims.attempt)
            else:
                known = await self._from_hot(claims)
            if known is None:
                raise Refused("bad-token")
            self._seated[key] = known
            self._keep_end(claims.attempt, _End(known.clock_rev, known.end_ms, known.left_ms))
            if len(self._seated) > REMEMBERED:
                self._seated.popitem(last=False)
        return known

    def forget_seat(self, attempt: UUID, epoch: int) -> None:
        """The attempt sits somewhere else under the same epoch: two seats were exchanged before the start."""
        self._seated.pop((attempt, epoch), None)

    async def seat_now(self, attempt: UUID) -> str:
        """Where the attempt sits now, by the record: room and seat, as a refused page shows them."""
        async with self._site.reading() as conn:
            seated = await attempts.seated(conn, attempt)
        return f"{seated.seat['room']} {seated.seat['seat']}" if seated else ""

    async def _from_hot(self, claims: Claims) -> Seated:
        """The same facts while PostgreSQL is away, from where the sign-in left them."""
        try:
            known = await self._site.hot().facts(claims.attempt)
            if not known:
                raise StoreAway("the attempt was never seated here")
            seated = Seated.of_facts(known)
            await self._starts.recall(seated.session_id, seated.start_ms, seated.attempt, seated.postponed_ms)
        except RedisAway as fault:
            raise StoreAway("neither store knows the attempt") from fault
        return seated

    async def _remind(self, hot: Hot, without: Sequence[tuple[UUID, int]]) -> None:
        """Tell a Redis that has forgotten whom it serves: the next outage of PostgreSQL needs it to know.

        From memory and behind a commit, for whoever is heard; everybody is heard every few seconds.
        """
        facts = []
        for attempt, epoch in without:
            known = self._seated.get((attempt, epoch))
            if known is not None:
                start_ms = self._starts.plans.get(known.session_id, known.start_ms)
                postponed_ms = self._starts.postponed.get(attempt, 0)
                facts.append((attempt, known.facts() | {"start_ms": start_ms, "postponed_ms": postponed_ms}))
        if facts:
            await hot.remind(facts)

    def end_ms(self, attempt: UUID, outcome: Outcome) -> tuple[int | None, int | None]:
        """The end to count down to, and what is left of a paused attempt. While PostgreSQL is away a hot copy may have
        forgotten both, or not been told of a credit; this process knows, and nobody is shown their whole time again or
        less than a moment ago."""
        if outcome.durability == "durable":
            # The row itself, whatever was known: a record that was put back begins with smaller revisions.
            self._ends.pop(attempt, None)
            self._keep_end(attempt, _End(outcome.clock_rev, outcome.end_ms, outcome.left_ms))
            return outcome.end_ms, outcome.left_ms
        kept = self._ends.get(attempt)
        if kept is not None and (outcome.end_ms is None or kept.rev > outcome.hot_rev):
            return kept.end_ms, kept.left_ms
        return outcome.end_ms, outcome.left_ms

    def _keep_end(self, attempt: UUID, end: _End) -> None:
        known = self._ends.get(attempt)
        if end.end_ms is None or (known is not None and known.rev > end.rev):
            return
        self._ends[attempt] = end
        if len(self._ends) > REMEMBERED:
            self._ends.popitem(last=False)

    async def because(self, attempt: UUID, clock_rev: int) -> list[Because]:
        """The explanation, asked again only when the ledger has moved. While PostgreSQL is away: what is known."""
        known = self._because.get(attempt)
        if known is not None and (clock_rev in (known[0], -1)):
            return known[1]
        if clock_rev == -1:
            return []
        told = await timing.because_of(self._site, attempt)
        self._keep_because(attempt, clock_rev, told)
        return told

    def _keep_because(self, attempt: UUID, clock_rev: int, told: list[Because]) -> None:
        self._because[attempt] = (clock_rev, told)
        if len(self._because) > REMEMBERED:
            self._because.popitem(last=False)

    def hear(self, session_id: int, moved: Moved) -> None:
        """What a decision has just made of an attempt's clock, as the process that stored it tells."""
        attempt = moved.attempt
        if moved.end_ms is not None:
            self._keep_end(attempt, _End(moved.rev, moved.end_ms, moved.left_ms))
        known = self._because.get(attempt)
        if known is None or known[0] < moved.rev:
            self._keep_because(attempt, moved.rev, list(moved.because))
        self._starts.hear(session_id, attempt, moved.start_ms)

    async def start_ms(self, session_id: int, attempt: UUID) -> int | None:
        """The attempt's own start: its session's, and what its room, its list or itself was postponed by."""
        return await self._starts.of(session_id, attempt)

    @property
    def plans(self) -> Mapping[int, int | None]:
        """Every session's start as last read."""
        return self._starts.plans

    async def refresh_plans(self) -> None:
        """Read every session's start, and whose own is another: one small query, run once a second by the process."""
        await self._starts.refresh()
