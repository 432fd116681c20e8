"""Acknowledgements while PostgreSQL is away, and the hot copy that follows every commit.

``RedisBuffer`` turns the buffer script's verdicts into outcomes; ``Follower`` writes the hot copies behind the
commits, without letting anyone wait for Redis.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import structlog

from app import background
from app.domain import clock
from app.domain.checkpoints import Checkpoint, Outcome, StoreAway
from app.storage.redis.client import RedisAway
from app.storage.redis.hot import Hot

log = structlog.get_logger(__name__)

# Checkpoints kept for a slow Redis before the oldest is dropped; the hot copy is then behind, which harms nobody.
BACKLOG = 16_384
# Pause between two calls: what is committed meanwhile goes together. No longer than a candidate needs to change a seat.
PAUSE_S = 0.1
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
    verdict, state, end_ms, count, acked, rev = (part.decode() for part in reply)
    if verdict != "ok":
        return StoreAway(f"not buffered: {verdict}")
    ends, left = clock.unpacked(int(end_ms) if end_ms else None)
    return Outcome(
        durability="buffered",
        epoch=checkpoint.epoch,
        state="ended" if state == "ended" else "open",
        session_id=0,
        end_ms=ends,
        left_ms=left,
        ended_ms=None,
        clock_rev=-1,
        hot_rev=int(rev),
        count=int(count) if count else None,
        acked_seq=int(acked),
    )


class Follower:
    """Writes hot copies behind the commits: one call at a time, with everything that was committed during the last one.

    Several checkpoints of an attempt become one write (``Hot.follow``). That is safe, and so is losing one:

    1. Only durable checkpoints come here, so the record has all of it. A resume merges both stores by version and
       repairs the record from the copy, never the copy's word against the record: a copy that is behind adds nothing.
    2. Joined or not, the copy ends in the same state: rows and registers are joins on a lattice (I4), and count, end
       and prefix are those of the last commit, as they would be if each had been written in turn.
    3. What is read from a copy while PostgreSQL is away may be behind in any case, as nobody waits for Redis. A page
       that is told a lower count than before sends everything again, which the merge makes harmless.
    """

    def __init__(self, hot: Callable[[], Hot | None]) -> None:
        self._hot = hot
        self._behind: list[tuple[Checkpoint, Outcome]] = []
        self._arrived = asyncio.Event()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        # Who knows the facts of the attempts that this process serves; told whose hot copy has none.
        self.remind: Callable[[Hot, Sequence[tuple[UUID, int]]], Awaitable[None]] | None = None

    def __call__(self, done: Sequence[tuple[Checkpoint, Outcome]]) -> None:
        self._behind += done
        if len(self._behind) > BACKLOG:
            del self._behind[:-BACKLOG]
        self._arrived.set()

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Write what is left, if Redis takes it, and end. Not cancelled: a call cut in two leaks its connection."""
        self._stopping.set()
        self._arrived.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=STOP_S)
        await background.end(self._task)

    async def _run(self) -> None:
        while self._behind or not self._stopping.is_set():
            await self._arrived.wait()
            self._arrived.clear()
            done, self._behind = self._behind, []
            if done:
                await self._write(done)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PAUSE_S):
                    await self._stopping.wait()

    async def _write(self, done: Sequence[tuple[Checkpoint, Outcome]]) -> None:
        hot = self._hot()
        if hot is None:
            return
        try:
            without = await hot.follow(done)
            if without and self.remind is not None:
                await self.remind(hot, without)
        except RedisAway as fault:
            log.debug("hot copy not written", fault=str(fault))
        except Exception:
            # What cannot be written once must not end the copies of all that follow.
            log.exception("hot copy not written")
