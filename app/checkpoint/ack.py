"""Acknowledgements while PostgreSQL is away, and the hot copy that follows every commit.

``RedisBuffer`` turns the buffer script's verdicts into outcomes; ``Follower`` writes the hot copies behind the
commits, without letting anyone wait for Redis.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from app import background
from app.domain.checkpoints import Checkpoint, Outcome, StoreAway
from app.storage.redis.client import RedisAway
from app.storage.redis.hot import Hot

log = structlog.get_logger(__name__)

# Batches kept for a slow Redis before the oldest is dropped; the hot copy is then behind, which a resume repairs.
BACKLOG = 64
# Longest wait for Redis to take the last batches at a shutdown.
STOP_S = 2.0


class RedisBuffer:
    """The buffer the writer falls back to. ``hot`` is asked for late: the lineage is known only after start."""

    def __init__(self, hot: Callable[[], Hot | None]) -> None:
        self._hot = hot

    async def append(self, checkpoints: Sequence[Checkpoint]) -> list[Outcome | Exception]:
        """`buffered` outcomes, each with what the hot copy knows; StoreAway when Redis is away as well.

        A checkpoint that is fenced or sealed is not buffered: whether it counts is PostgreSQL's to say, later.
        """
        hot = self._hot()
        if hot is None:
            raise StoreAway("neither store has answered since this process started")
        try:
            replies = await hot.append(checkpoints)
        except RedisAway as fault:
            raise StoreAway("both stores are away") from fault
        return [_outcome(checkpoint, reply) for checkpoint, reply in zip(checkpoints, replies, strict=True)]


def _outcome(checkpoint: Checkpoint, reply: Sequence[bytes]) -> Outcome | Exception:
    verdict, state, end_ms, count, acked = (part.decode() for part in reply)
    if verdict != "ok":
        return StoreAway(f"not buffered: {verdict}")
    return Outcome(
        durability="buffered",
        epoch=checkpoint.epoch,
        state="ended" if state == "ended" else "open",
        session_id=0,
        end_ms=int(end_ms) if end_ms else None,
        ended_ms=None,
        clock_rev=-1,
        count=int(count) if count else None,
        acked_seq=int(acked),
    )


class Follower:
    """Writes hot copies behind the commits. Losing one costs nothing but a repair at the next resume."""

    def __init__(self, hot: Callable[[], Hot | None]) -> None:
        self._hot = hot
        self._batches: deque[Sequence[tuple[Checkpoint, Outcome]]] = deque(maxlen=BACKLOG)
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    def __call__(self, done: Sequence[tuple[Checkpoint, Outcome]]) -> None:
        self._batches.append(done)
        self._arrived.set()

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Write what is left, if Redis takes it, and end. Not cancelled: a pipeline cut in two leaks its connection."""
        self._stopping = True
        self._arrived.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=STOP_S)
        await background.end(self._task)

    async def _run(self) -> None:
        while not self._stopping:
            await self._arrived.wait()
            self._arrived.clear()
            while self._batches:
                await self._write(self._batches.popleft())

    async def _write(self, done: Sequence[tuple[Checkpoint, Outcome]]) -> None:
        hot = self._hot()
        if hot is None:
            return
        try:
            await hot.follow(done)
        except RedisAway as fault:
            log.debug("hot copy not written", fault=str(fault))
        except Exception:
            # One batch that cannot be written must not end the copies of all that follow.
            log.exception("hot copy not written")
