"""One look per room and second, shared by everybody in this process who watches that room.

1. The first watcher of a (room, session) starts a loop; when the last one leaves, the loop ends.
2. The loop looks, draws the picture and compares it with the last one sent, leaving out what only counts seconds.
3. It sends when something changed or somebody hurried, and every few seconds anyway, so that counted seconds never
   drift far.

Watchers take the newest picture only: whoever reads slowly skips pictures and never holds up the others.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.domain.errors import ClockUnconfirmed
from app.services import room
from app.services.site import Site

log = structlog.get_logger(__name__)
LOOK_EVERY_S = 0.75
# Never more than four pictures a second, also when several relogs ask for one at once.
CLOSEST_S = 0.25
ANYWAY_S = 5.0

Picture = dict[str, Any]
COUNTING = {
    "service_ms", "remaining_ms", "longest_ms", "starts_in_ms", "silent_s", "last_seen_s", "opened_s",
    "opens_in_ms", "last_admission_in_ms", "hand_in_in_ms", "away_s",
}  # fmt: skip


def standing(value: Any) -> Any:
    """The part of a picture that does not change merely because time passes."""
    if isinstance(value, dict):
        return {key: standing(inner) for key, inner in value.items() if key not in COUNTING}
    if isinstance(value, list):
        return [standing(inner) for inner in value]
    return value


@dataclass(frozen=True, slots=True)
class Seen:
    """What watchers are sent: the picture as JSON text, or None while the stores cannot be asked."""

    n: int
    text: str | None


@dataclass(slots=True)
class Feed:
    look: Callable[[], Awaitable[Picture]]
    watchers: int = 0
    seen: Seen | None = None
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        last: Any = None
        sent_at = 0.0
        while True:
            # An extension moves nothing but what counts: who hurried is answered whatever has changed.
            asked = self.hurry.is_set()
            self.hurry.clear()
            try:
                picture = await self.look()
            except (ClockUnconfirmed, SQLAlchemyError, asyncpg.InterfaceError, OSError) as fault:
                if last is not None or self.seen is None:
                    log.warning("room not readable", fault=repr(fault))
                    await self._send(None)
                last = None
            else:
                now, held = time.monotonic(), standing(picture)
                if asked or held != last or now - sent_at >= ANYWAY_S:
                    last, sent_at = held, now
                    await self._send(json.dumps(picture, ensure_ascii=False, separators=(",", ":")))
            await asyncio.sleep(CLOSEST_S)
            with contextlib.suppress(TimeoutError):
                # Not wait_for: on Python 3.11 it can swallow a cancellation that comes as the wait ends.
                async with asyncio.timeout(LOOK_EVERY_S - CLOSEST_S):
                    await self.hurry.wait()

    async def _send(self, text: str | None) -> None:
        async with self.changed:
            self.seen = Seen(self.seen.n + 1 if self.seen is not None else 1, text)
            self.changed.notify_all()

    async def newer_than(self, n: int, wait_s: float) -> Seen | None:
        """The newest picture once it is newer than ``n``; None when nothing came within ``wait_s``."""
        async with self.changed:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self.changed.wait_for(
                        lambda: (
                            (self.seen is not None and self.seen.n > n) or (self.task is not None and self.task.done())
                        )
                    )
            seen = self.seen
        if self.task is not None and self.task.done():
            # The loop ends by itself only through a fault of ours, and that must be seen.
            await self.task
        return seen if seen is not None and seen.n > n else None


class RoomFeeds:
    """The feeds of one process; they live as long as somebody watches."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.feeds: dict[tuple[int, int], Feed] = {}

    @contextlib.asynccontextmanager
    async def watch(self, room_id: int, session_id: int) -> AsyncIterator[Feed]:
        """A feed to ask ``newer_than``. The caller has checked that the room may be seen."""
        key = (room_id, session_id)
        feed = self.feeds.get(key)
        if feed is None:
            feed = self.feeds[key] = Feed(self._look(room_id, session_id))
            feed.task = asyncio.create_task(feed.run(), name=f"room {room_id} session {session_id}")
        feed.watchers += 1
        try:
            yield feed
        finally:
            feed.watchers -= 1
            if feed.watchers == 0:
                # Only this feed: a new one may already stand under the key.
                if self.feeds.get(key) is feed:
                    del self.feeds[key]
                if feed.task is not None:
                    feed.task.cancel()
                    await asyncio.gather(feed.task, return_exceptions=True)

    def hurry(self, session_id: int | None = None) -> None:
        """Something changed by a hand of staff, in one session or anywhere: look now rather than at the next look."""
        for (_, session), feed in self.feeds.items():
            if session_id in (None, session):
                feed.hurry.set()

    def _look(self, room_id: int, session_id: int) -> Callable[[], Awaitable[Picture]]:
        known: room.Answered = {}

        async def look() -> Picture:
            now_ms = self._site.service_time.now_ms()
            async with self._site.engine.connect() as conn:
                loaded = await room.load(conn, room_id, session_id, known)
            settings = self._site.settings
            return room.picture(loaded, now_ms, int(settings.silent_after.total_seconds() * 1000), settings.spare_low)

        return look
