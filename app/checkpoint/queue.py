"""What waits for the writer, and what is refused before it would drown (load shedding).

A storm is answered early: whoever cannot be written soon is told so at once and comes again after a pause of their own,
which costs them nothing, because everything is still in their browser. Four bounds, each of them a refusal with
``Overloaded``, never a silence:

1. **Length.** At most ``limit`` wait, and fewer while batches are slow: never more than can be written within
   ``patience``. One batch and the one behind it always fit.
2. **Heartbeats first.** When it is full, the heartbeat that has waited longest makes room for an answer. A heartbeat
   never makes room for anything: it is the one that is refused.
3. **Age.** What has waited longer than ``patience`` is refused when its turn comes, not written late: its browser is
   about to give up on the reply and to send it again, and those behind it would be late as well.
4. **One attempt.** A browser has one request in flight; a script could have thousands.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from prometheus_client import Counter, Gauge

from app.domain.checkpoints import Checkpoint, Outcome, Overloaded

QUEUE = Gauge("holdfast_queue", "Checkpoints waiting for a batch")
SHED = Counter("holdfast_shed", "Checkpoints refused because too much was waiting", ["why"])

# Requests of one attempt that may wait.
PER_ATTEMPT = 8
# Letters of answers after which a batch is full: whole papers, sent again by everybody, must not make a commit so long
# that the record counts as away.
LETTERS = 1 << 19
# How much one batch weighs in the estimate of how long a batch takes.
WEIGHT = 0.3
# How long a process calls itself overloaded after it last refused something.
RECENT_S = 5.0


@dataclass(slots=True, eq=False)
class Waiting:
    """One checkpoint in the queue, and whoever waits for its answer. ``since`` is monotonic seconds."""

    checkpoint: Checkpoint
    future: asyncio.Future[Outcome]
    since: float
    # False once it was taken into a batch or dropped.
    waits: bool = True

    def fail(self, fault: Exception) -> None:
        """Answer with ``fault``, unless it is answered or its request has gone."""
        if not self.future.done():
            self.future.set_exception(fault)

    def answer(self, outcome: Outcome) -> None:
        """Answer with ``outcome``, unless its request has gone."""
        if not self.future.done():
            self.future.set_result(outcome)


class Queue:
    """Bounded; of one event loop. ``monotonic`` is seconds, handed in so that tests need not wait."""

    def __init__(
        self, *, batch: int, limit: int, patience_s: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._batch = batch
        self._limit = limit
        self._patience_s = patience_s
        self._monotonic = monotonic
        self._waiting: deque[Waiting] = deque()
        # The heartbeats among them once more, oldest first.
        self._beats: deque[Waiting] = deque()
        self._dropped = 0
        self._of_attempt: dict[UUID, int] = {}
        self._batch_s = 0.0
        self._shed_at = -RECENT_S
        self._arrived = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting) - self._dropped

    @property
    def room(self) -> int:
        """How many may wait in all, at the pace of the last batches."""
        if self._batch_s <= 0.0:
            return self._limit
        batches = int(self._patience_s / self._batch_s)
        return min(self._limit, max(2, batches) * self._batch)

    @property
    def shedding(self) -> bool:
        """Whether something was refused within the last seconds."""
        return self._monotonic() - self._shed_at < RECENT_S

    def took(self, seconds: float) -> None:
        """One batch took this long: what the estimate of the pace is made of."""
        self._batch_s += WEIGHT * (seconds - self._batch_s)

    async def submit(self, checkpoint: Checkpoint) -> Outcome:
        """The answer to ``checkpoint``. Overloaded when there is no room, or when its turn came too late."""
        attempt = checkpoint.attempt
        mine = self._of_attempt.get(attempt, 0)
        if mine >= PER_ATTEMPT:
            raise self._shed("attempt")
        if len(self) >= self.room and (not checkpoint.rows or not self._drop_a_beat()):
            raise self._shed("full")
        entry = Waiting(checkpoint, asyncio.get_running_loop().create_future(), self._monotonic())
        self._of_attempt[attempt] = mine + 1
        self._waiting.append(entry)
        if not checkpoint.rows:
            self._beats.append(entry)
        self._arrived.set()
        try:
            return await entry.future
        finally:
            if entry.waits:
                # Its request has gone before its turn: nobody is refused for the room it took.
                entry.waits = False
                self._dropped += 1
            left = self._of_attempt[attempt] - 1
            if left:
                self._of_attempt[attempt] = left
            else:
                del self._of_attempt[attempt]

    def wake(self) -> None:
        """Let ``something`` return even though nothing came."""
        self._arrived.set()

    async def something(self) -> None:
        """Return when something may be waiting."""
        self._arrived.clear()
        if not self._waiting:
            await self._arrived.wait()

    def take(self) -> list[Waiting]:
        """The next batch: oldest first, one checkpoint per attempt (a second one waits for the next batch), and no more
        than can be committed in time."""
        batch: list[Waiting] = []
        taken: set[UUID] = set()
        later: list[Waiting] = []
        letters = 0
        too_old = self._monotonic() - self._patience_s
        while self._waiting and len(batch) < self._batch and letters < LETTERS:
            entry = self._waiting.popleft()
            if not entry.waits:
                self._dropped -= 1
            elif entry.checkpoint.attempt in taken:
                later.append(entry)
            else:
                entry.waits = False
                if entry.since < too_old:
                    entry.fail(self._shed("late"))
                elif not entry.future.done():
                    taken.add(entry.checkpoint.attempt)
                    batch.append(entry)
                    letters += sum(len(row.value) for row in entry.checkpoint.rows)
        self._waiting.extendleft(reversed(later))
        while self._beats and not self._beats[0].waits:
            self._beats.popleft()
        QUEUE.set(len(self))
        return batch

    def _drop_a_beat(self) -> bool:
        while self._beats:
            entry = self._beats.popleft()
            if entry.waits:
                entry.waits = False
                self._dropped += 1
                entry.fail(self._shed("heartbeat"))
                return True
        return False

    def _shed(self, why: str) -> Overloaded:
        self._shed_at = self._monotonic()
        SHED.labels(why).inc()
        return Overloaded(why)
