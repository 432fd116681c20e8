"""When sessions start, as one process knows it: from the record once a second, and from Redis where the record is away.

What a sign-in left in Redis about its attempt is hours old when it is needed: the session may have been postponed
since, or be held. So every process also shows there what it has just read of all of them, and who decides something
does so at once; a process that begins while PostgreSQL is away goes by that.
"""

from __future__ import annotations

import time
from contextlib import suppress
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.domain.errors import ClockUnconfirmed
from app.services.site import Site
from app.storage.postgres import starts as record
from app.storage.redis.client import RedisAway
from app.storage.redis.starts import KeptStarts

log = structlog.get_logger(__name__)
AWAY = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
# A start that is not there is looked for again no more often than this.
LOOK_AGAIN_S = 0.1
# Redis may have come back empty: it is told again though nothing has changed.
TELL_AGAIN_S = 5.0


class Starts:
    """One per process. ``plans``: session → its start in service time, None while it has none."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._kept = KeptStarts(site.store)
        self.plans: dict[int, int | None] = {}
        self.postponed: dict[UUID, int] = {}
        self._look = -1
        self._read_at = 0.0
        self._told: tuple[dict[int, int | None], dict[UUID, int]] | None = None
        self._told_at = 0.0
        # What Redis said that it has, before the look that is told next.
        self._stood: int | None = None

    async def of(self, session_id: int, attempt: UUID) -> int | None:
        """The attempt's own start: its session's, and what its room, its list or itself was postponed by."""
        start_ms = await self._of_session(session_id)
        return None if start_ms is None else start_ms + self.postponed.get(attempt, 0)

    async def _of_session(self, session_id: int) -> int | None:
        """The session's start, None while the office has not given it one.

        Whoever has signed in sits a session that had a start when another process looked: before a page is told to
        wait for the office, this process looks again. A hall of pages that do wait share a look.
        """
        known = self.plans.get(session_id)
        if known is not None:
            return known
        unread = session_id not in self.plans
        stale = time.monotonic() - self._read_at > LOOK_AGAIN_S
        if unread or (stale and self._site.writer.postgres_up):
            await self.refresh()
        return self.plans.get(session_id)

    async def refresh(self) -> None:
        """Look at the record, and show Redis what is there. Raises one of AWAY; what Redis knows is taken then."""
        at = time.monotonic()
        try:
            async with self._site.reading() as conn:
                seen = await record.read(conn)
        except AWAY:
            with suppress(RedisAway, ClockUnconfirmed):
                await self._recall()
            raise
        # The record has the word, also where it was put back to before what was known.
        self._take(seen)
        self._read_at = at
        await self._show(seen, at)

    def _take(self, seen: record.Starts) -> None:
        self._look, self.plans, self.postponed = seen.look, dict(seen.plans), dict(seen.postponed)

    async def _show(self, seen: record.Starts, at: float) -> None:
        if (seen.plans, seen.postponed) == self._told and at - self._told_at < TELL_AGAIN_S:
            return
        try:
            stands = await self._kept.show(self._site.keys, seen, over=self._stood)
        except (RedisAway, ClockUnconfirmed) as fault:
            log.debug("starts not shown", fault=repr(fault))
            return
        self._stood = stands
        if stands == seen.look:
            self._told, self._told_at = (seen.plans, seen.postponed), at

    async def recall(self, session_id: int, start_ms: int | None, attempt: UUID, postponed_ms: int) -> None:
        """While the record is away: what Redis was last shown, and where it was shown nothing of this session, what the
        attempt's sign-in left there. Raises RedisAway."""
        if session_id not in self.plans:
            await self._recall()
        if session_id not in self.plans:
            self.plans[session_id] = start_ms
            if postponed_ms:
                self.postponed[attempt] = postponed_ms

    async def _recall(self) -> None:
        seen = await self._kept.read(self._site.keys)
        if seen is not None and seen.look > self._look:
            self._take(seen)

    def hear(self, session_id: int, attempt: UUID, start_ms: int | None) -> None:
        """An attempt's own start as a decision has just made it: it holds until the next look."""
        plan = self.plans.get(session_id)
        if plan is not None and start_ms is not None:
            self.postponed[attempt] = start_ms - plan


async def show(site: Site) -> None:
    """After the commit of a decision: Redis is shown the starts at once, lest PostgreSQL go before the next second.
    Nothing rests on it."""
    try:
        async with site.reading() as conn:
            seen = await record.read(conn)
        await KeptStarts(site.store).show(site.keys, seen)
    except (*AWAY, RedisAway) as fault:
        log.info("starts not shown", fault=repr(fault))
