"""One look per session and second, shared by every staff page that is open in this process.

1. The first watcher of a session starts a loop; when the last one leaves, the loop ends.
2. The loop looks at everything its pages show (``services.hall_look``), never more than four times a second, and puts
   what has changed on the boards: one per watched room, one for the whole hall.
3. A page takes the newest of its board only: whoever reads slowly skips pictures and never holds up the others. So a
   page that comes back has caught up with the first thing it is sent.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.domain.errors import ClockUnconfirmed, Refused
from app.services.hall import Overview
from app.services.hall_look import HALL, Look
from app.services.site import Site

log = structlog.get_logger(__name__)
LOOK_EVERY_S = 1.0
# Never more than four pictures a second, also when several relogs ask for one at once.
CLOSEST_S = 0.25

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """What watchers are sent: a room as JSON text, the hall's overview; None while the stores cannot be asked."""

    n: int
    text: T | None


@dataclass(slots=True, eq=False)
class Board(Generic[T]):
    """The newest of one thing, and whoever waits for it."""

    watchers: int = 0
    seen: Seen[T] | None = None
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    task: asyncio.Task[None] | None = None

    async def put(self, text: T | None) -> None:
        async with self.changed:
            self.seen = Seen(self.seen.n + 1 if self.seen is not None else 1, text)
            self.changed.notify_all()

    async def newer_than(self, n: int, wait_s: float) -> Seen[T] | None:
        """The newest once it is newer than ``n``; None when nothing came within ``wait_s``."""
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


# What a loop does each time: look, and put what is new. True: whoever asked is answered whatever has changed.
# A store that is away; and a session that somebody has just removed.
FAULTS = (
    ClockUnconfirmed, Refused, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError,
)  # fmt: skip
Looking = Callable[[bool], Awaitable[None]]


@dataclass(slots=True, eq=False)
class Watch:
    """The loop of one session and its boards, by room id or ``HALL``."""

    look: Looking
    forget: Callable[[], None] = lambda: None
    boards: dict[Any, Board[Any]] = field(default_factory=dict)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    @property
    def watchers(self) -> int:
        return sum(board.watchers for board in self.boards.values())

    async def run(self) -> None:
        while True:
            asked = self.hurry.is_set()
            self.hurry.clear()
            try:
                await self.look(asked)
            except FAULTS as fault:
                await self._away(fault)
            await asyncio.sleep(CLOSEST_S)
            with contextlib.suppress(TimeoutError):
                # Not wait_for: on Python 3.11 it can swallow a cancellation that comes as the wait ends.
                async with asyncio.timeout(LOOK_EVERY_S - CLOSEST_S):
                    await self.hurry.wait()

    async def _away(self, fault: Exception) -> None:
        """Said once; what was shown before is looked at anew when it can be."""
        known = [board for board in self.boards.values() if board.seen is None or board.seen.text is not None]
        if known:
            log.warning("hall not readable", fault=repr(fault))
        for board in known:
            await board.put(None)
        self.forget()


class RoomFeeds:
    """The watches of one process by session; they live as long as somebody looks."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.feeds: dict[int, Watch] = {}

    def watch(self, room_id: int, session_id: int) -> contextlib.AbstractAsyncContextManager[Board[str]]:
        """A board to ask ``newer_than``. The caller has checked that the room may be seen."""
        return self._watch(room_id, session_id)

    def watch_hall(self, session_id: int) -> contextlib.AbstractAsyncContextManager[Board[Overview]]:
        """The same for the whole hall."""
        return self._watch(HALL, session_id)

    @contextlib.asynccontextmanager
    async def _watch(self, key: Any, session_id: int) -> AsyncIterator[Board[Any]]:
        watch = self.feeds.get(session_id)
        if watch is None:
            watch = self.feeds[session_id] = self._begin(session_id)
        board = watch.boards.get(key)
        if board is None:
            board = watch.boards[key] = Board(task=watch.task)
            watch.hurry.set()
        board.watchers += 1
        try:
            yield board
        finally:
            board.watchers -= 1
            if board.watchers == 0 and watch.boards.get(key) is board:
                del watch.boards[key]
            if not watch.boards:
                # Only this watch: a new one may already stand under the session.
                if self.feeds.get(session_id) is watch:
                    del self.feeds[session_id]
                if watch.task is not None:
                    watch.task.cancel()
                    await asyncio.gather(watch.task, return_exceptions=True)

    def _begin(self, session_id: int) -> Watch:
        boards: dict[Any, Board[Any]] = {}
        look = Look(self._site, session_id, boards)
        watch = Watch(look, look.forget, boards)
        watch.task = asyncio.create_task(watch.run(), name=f"hall of session {session_id}")
        return watch

    def hurry(self, session_id: int | None = None) -> None:
        """Something changed by a hand of staff, in one session or anywhere: look now rather than at the next look."""
        for session, watch in self.feeds.items():
            if session_id in (None, session):
                watch.hurry.set()
