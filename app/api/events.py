"""GET /attempt/events: the push to a candidate's page, as server-sent events.

A stream begins with a snapshot and then tells what happens. It is fetched, not an EventSource, because the token goes
into a header and never into a URL. Each stream ends by itself after ``stream_life``; the page opens the next one. A
process that is asked to end says so first (``reconnect``), so that its pages come back spread over a few seconds and
know that nothing is wrong.

A decision about time is announced once for everybody it is about; here it becomes ``paused``, ``resumed`` or ``clock``
for each page: ``{clock, notice?}``. The pages of rooms watched in this process look again at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import orjson
import structlog
from prometheus_client import Gauge
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from app import background
from app.api.deps import claims_of, get_deps
from app.domain.errors import ClockUnconfirmed
from app.services import timing
from app.services.known import Known
from app.services.room_feed import RoomFeeds
from app.services.site import Site
from app.storage.redis.client import RedisAway
from app.storage.redis.events import MANY, Event, listen

log = structlog.get_logger(__name__)
STREAMS = Gauge("holdfast_streams", "Open event streams of candidates")

KEEP_ALIVE_S = 15.0
# Events a slow page may fall behind before its stream is closed; it reopens with a snapshot.
BACKLOG = 64
RETRY_S = 0.5
# Events kept for a stream that is just opening: what happened between its snapshot and its first look at the queue.
RECENT_S = 5.0
# Streams of one attempt: a page, the one it is being replaced by, and a tab or two. Beyond it the oldest ends.
MOST_STREAMS = 4
# Opening a stream costs a resume. All pages of a process in one second would be the load of a whole sign-in; in five
# they disappear among the heartbeats.
RECONNECT_WITHIN_MS = 5000
SNAPSHOT = ("attempt_id", "epoch", "clock", "state", "count", "lineage")


class Hub:
    """Hears every event of the site once and hands it to this process's open streams."""

    def __init__(self, site: Site, known: Known, rooms: RoomFeeds) -> None:
        self._site = site
        self._known = known
        self._rooms = rooms
        self._streams: dict[str, list[asyncio.Queue[Event | None]]] = {}
        self._task: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._plans: dict[int, int | None] | None = None
        self._recent: deque[tuple[float, Event]] = deque()
        # Attempts whose page was last told that it is paused: the next clock without a pause is its `resumed`.
        self._paused: set[str] = set()
        # Own starts that were announced last, by session: a plan that moved to one of them is no news.
        self._announced: dict[int, set[int | None]] = {}

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())
        self._closing = asyncio.create_task(self._end_streams())

    async def _end_streams(self) -> None:
        await self._site.closing.wait()
        for queues in self._streams.values():
            for queue in queues:
                _say_goodbye(queue)

    async def stop(self) -> None:
        await background.end(self._task)
        await background.end(self._closing)

    async def _run(self) -> None:
        while True:
            try:
                async for event in listen(self._site.store, self._site.keys):
                    self.hand_out(event)
            except (RedisAway, ClockUnconfirmed) as fault:
                log.debug("events not heard", fault=repr(fault))
                await asyncio.sleep(RETRY_S)
            except Exception:
                log.exception("event not understood")
                await asyncio.sleep(RETRY_S)

    def hand_out(self, event: Event) -> None:
        """Offer an event to the open streams it concerns, and to the rooms of its session."""
        if event.session is not None:
            self._rooms.hurry(event.session)
        if event.attempt == MANY:
            for attempt in event.data["attempts"]:
                self._offer(Event(event.name, attempt=attempt, session=event.session, data=event.data["notice"]))
            return
        if not event.data.get("clocks"):
            self._offer(event)
            return
        try:
            now_ms = self._site.service_time.now_ms()
        except ClockUnconfirmed:
            # No remaining time is told from a clock that is not known: each page asks when it is.
            self._offer(Event("clock"))
            return
        for one in self._composed(event, now_ms):
            self._offer(one)

    def _offer(self, event: Event) -> None:
        at = time.monotonic()
        self._recent.append((at, event))
        while self._recent[0][0] < at - RECENT_S:
            self._recent.popleft()
        if event.attempt is not None:
            for queue in self._streams.get(event.attempt, ()):
                _offer(queue, event)
        else:
            for queues in self._streams.values():
                for queue in queues:
                    _offer(queue, event)

    def _composed(self, event: Event, now_ms: int) -> Iterator[Event]:
        """An announced decision as each attempt's own event, and what this process remembers brought up to it."""
        told = timing.heard(event.data, now_ms)
        notice = event.data.get("notice")
        if event.session is not None:
            self._announced[event.session] = {one.moved.start_ms for one in told}
        for one in told:
            attempt = str(one.moved.attempt)
            if event.session is not None:
                self._known.hear(event.session, one.moved)
            if one.clock["state"] == "paused":
                name = "paused"
                self._paused.add(attempt)
            else:
                name = "resumed" if attempt in self._paused and one.clock["state"] == "running" else "clock"
                self._paused.discard(attempt)
            data = {"clock": one.clock} if notice is None else {"clock": one.clock, "notice": notice}
            yield Event(name, attempt=attempt, session=event.session, data=data)

    def planned(self, starts: Mapping[int, int | None]) -> None:
        """Every session's start as this process has just read it. A change that nobody announced is told to all pages
        here, for a start that was moved is nobody's reply: each asks for its own clock."""
        before, self._plans = self._plans, dict(starts)
        if before is None:
            return
        changed = [session for session in before.keys() | starts.keys() if before.get(session) != starts.get(session)]
        if any(starts.get(session) not in self._announced.get(session, ()) for session in changed):
            self.hand_out(Event("clock"))

    @contextlib.contextmanager
    def stream(self, attempt: str, *, since: float, paused: bool) -> Iterator[asyncio.Queue[Event | None]]:
        """The queue of a stream that begins with a snapshot taken after ``since`` (monotonic seconds), which said
        whether the attempt is ``paused``."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue(BACKLOG)
        if paused:
            self._paused.add(attempt)
        for at, event in self._recent:
            if at >= since and event.attempt in (attempt, None):
                _offer(queue, event)
        mine = self._streams.setdefault(attempt, [])
        mine.append(queue)
        for oldest in mine[:-MOST_STREAMS]:
            _offer(oldest, None)
        if self._site.closing.is_set():
            _say_goodbye(queue)
        STREAMS.inc()
        try:
            yield queue
        finally:
            STREAMS.dec()
            mine.remove(queue)
            if not mine:
                del self._streams[attempt]
                self._paused.discard(attempt)


def _offer(queue: asyncio.Queue[Event | None], event: Event | None) -> None:
    try:
        queue.put_nowait(event)
    except asyncio.QueueFull:
        # Too far behind: the end of the stream is the news, a new one begins with a snapshot.
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)


def _say_goodbye(queue: asyncio.Queue[Event | None]) -> None:
    _offer(queue, Event("reconnect", data={"within_ms": RECONNECT_WITHIN_MS}))
    _offer(queue, None)


def frame(name: str, data: Any) -> bytes:
    """One server-sent event."""
    return b"event: " + name.encode() + b"\ndata: " + orjson.dumps(data, default=str) + b"\n\n"


async def events(request: Request) -> Response:
    """Server-sent events of one attempt, a full snapshot first."""
    deps, claims = get_deps(request), claims_of(request)
    since = time.monotonic()
    # Refuses before the stream begins: a page that was replaced is told by the status.
    snapshot = await deps.resuming.resume(claims)
    hub: Hub = request.app.state.hub

    async def produce() -> AsyncIterator[bytes]:
        until = time.monotonic() + deps.settings.stream_life.total_seconds()
        with hub.stream(str(claims.attempt), since=since, paused=snapshot["state"] == "paused") as queue:
            yield frame("snapshot", {key: snapshot[key] for key in SNAPSHOT})
            while (left := until - time.monotonic()) > 0:
                try:
                    async with asyncio.timeout(min(KEEP_ALIVE_S, left)):
                        event = await queue.get()
                except TimeoutError:
                    yield b": keep-alive\n\n"
                    continue
                if event is None:
                    return
                if event.name == "superseded" and event.data.get("epoch", claims.epoch + 1) <= claims.epoch:
                    continue
                yield frame(event.name, event.data)
                if event.name == "superseded":
                    return
                # Not after `closed`: the office may open the attempt again, and its page comes back by itself.

    return StreamingResponse(
        produce(),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


ROUTES = [Route("/api/v1/attempt/events", events, methods=["GET"])]
