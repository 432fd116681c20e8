"""Notices on their way to the pages: which ones a reply carries, and who has shown which.

Nothing waits for either. A notice that a page has not shown comes again with a later reply; a receipt that is lost
comes again with the page's next try.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import structlog
from prometheus_client import Counter
from sqlalchemy.exc import SQLAlchemyError

from app import background
from app.domain.checkpoints import Outcome, StoreAway
from app.services.site import Site
from app.storage.postgres import notices

log = structlog.get_logger(__name__)
RECEIPTS = Counter("holdfast_notice_receipts", "Notices that a page has shown, as written to the record")

# A hall shows a notice within a second: what comes in this long is one statement.
GATHER_S = 0.2
# Between two tries while PostgreSQL is away.
RETRY_S = 1.0
# Receipts one process holds while it cannot write them; further ones are refused and come again.
MOST_HELD = 50_000
# Attempts one process remembers as having nothing to be shown.
REMEMBERED = 20_000
AWAY = (SQLAlchemyError, StoreAway, OSError, TimeoutError)


class Unseen:
    """What an attempt's page has not shown yet, for its replies.

    Every notice moves its attempts' ``clock_rev`` in the same transaction. So the record is asked when the row that
    was just locked shows another one, and again until there is nothing left to show: never on the ordinary path.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._empty_at: OrderedDict[UUID, int] = OrderedDict()

    async def of(self, attempt: UUID, outcome: Outcome) -> list[dict[str, Any]]:
        """``[{id, kind, zh, en}]``, oldest first. While the record is away: none, a later reply has them."""
        if outcome.durability != "durable" or outcome.clock_rev == self._empty_at.get(attempt, 0):
            return []
        try:
            async with self._site.reading() as conn:
                found = await notices.unseen(conn, attempt)
        except AWAY as fault:
            # The answers of this request are committed: nobody is told otherwise because of a notice.
            log.info("notices not looked up", attempt=str(attempt), fault=repr(fault))
            return []
        if not found:
            self._empty_at[attempt] = outcome.clock_rev
            self._empty_at.move_to_end(attempt)
            if len(self._empty_at) > REMEMBERED:
                self._empty_at.popitem(last=False)
        return found


class Receipts:
    """Pages say what they have shown; one process writes what it heard in one statement every ``GATHER_S``.

    The reply does not wait for the commit: a receipt is no answer. One that is lost with this process is missing in the
    office's count, and the notice comes with the page's next reply, is not shown twice, and is confirmed once more.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._held: dict[tuple[int, UUID], int] = {}
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        await background.end(self._task)
        if self._held:
            await self._write()

    def note(self, attempt: UUID, shown: Iterable[int]) -> bool:
        """An attempt's page has shown these; False when there is no room for more now."""
        if len(self._held) >= MOST_HELD:
            return False
        now_ms = self._site.service_time.now_ms()
        for notice in shown:
            self._held.setdefault((notice, attempt), now_ms)
        self._arrived.set()
        return True

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            await asyncio.sleep(GATHER_S)
            self._arrived.clear()
            try:
                written = await self._write()
            except Exception:
                # Kept and tried again; one receipt that cannot be written would show here every second.
                log.exception("receipts of notices not written", held=len(self._held))
                written = False
            if not written:
                await asyncio.sleep(RETRY_S)
                self._arrived.set()

    async def _write(self) -> bool:
        """Whether what was held is in the record."""
        batch = list(self._held.items())
        if not batch:
            return True
        try:
            async with self._site.engine.begin() as conn:
                shown = await notices.mark_shown(conn, [(notice, attempt, at) for (notice, attempt), at in batch])
        except AWAY as fault:
            log.info("receipts of notices wait", held=len(batch), fault=repr(fault))
            return False
        for key, _ in batch:
            del self._held[key]
        RECEIPTS.inc(shown)
        return True
