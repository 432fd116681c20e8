"""The way to Redis: one client, a circuit breaker, and keys that belong to a lineage.

Redis is never needed for correctness. A call that fails opens the breaker, and while it is open every call fails at
once: a dead Redis costs nobody a millisecond (I3). Whether it is back is found out by a task of the breaker's own
(half-open), so no request ever pays for a probe.

A Redis that answers but refuses writes (its memory is full, it is a replica, its disk fails) is not away: what it holds
is still read, drained and trimmed, which is how it gets its memory back. It is asked for a write in the background as
well, and says so on `/readyz` until it takes one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, TypeVar, cast

import redis.asyncio as redis
import structlog
from prometheus_client import Counter, Gauge
from redis.exceptions import RedisError, ResponseError

from app import background
from app.settings import Settings

log = structlog.get_logger(__name__)
T = TypeVar("T")
CONNECTIONS = 64
# Beside the calls: a subscription, the probe, and what a cancelled call has not given back yet.
SPARE_CONNECTIONS = 8
POOL_WAIT_S = 2.0
PROBE_KEY = "hf:probe"
PROBE_LIFE_S = 60

REDIS_UP = Gauge("holdfast_redis_up", "1 while Redis answers and takes writes")
FAULTS = Counter("holdfast_redis_faults", "Times Redis went away or stopped taking writes", ["why"])
SCRIPTS = Path(__file__).parent

# How a Redis that answers says that it takes no writes. Matched anywhere in its words: before Redis 7 a script's fault
# is wrapped into another one.
REFUSALS = {
    "OOM command": "memory-full",
    "READONLY": "read-only",
    "MISCONF": "disk-fault",
    "NOREPLICAS": "no-replicas",
    "MASTERDOWN": "no-master",
}


class RedisAway(Exception):  # noqa: N818 -- names the state
    """Redis did not answer, refused the write, or the breaker is open; whether a write happened is unknown."""


def why(fault: BaseException) -> str:
    """One word for a fault, for people; never the fault's own text, which may quote the command and its answers."""
    if isinstance(fault, ResponseError):
        return next((word for said, word in REFUSALS.items() if said in str(fault)), "refused")
    return "no-answer" if "imeout" in type(fault).__name__ else "unreachable"


class Breaker:
    """Open while Redis does not answer. ``away`` says why and since when (monotonic seconds).

    ``refuses`` is the same for a Redis that answers and takes no writes, which opens nothing.
    """

    def __init__(self) -> None:
        self.away: tuple[str, float] | None = None
        self.refuses: tuple[str, float] | None = None

    @property
    def open(self) -> bool:
        return self.away is not None

    @property
    def trouble(self) -> tuple[str, float] | None:
        return self.away or self.refuses

    def failed(self, word: str, now: float) -> None:
        """No answer."""
        self.away = (word, self.away[1] if self.away else now)

    def refused(self, word: str, now: float) -> None:
        """An answer, and it was no."""
        self.away = None
        self.refuses = (word, self.refuses[1] if self.refuses else now)

    def wrote(self) -> None:
        """It took a write."""
        self.away = self.refuses = None


# uvloop says RuntimeError, and redis-py passes it on, when a pooled connection met a reset while nobody used it.
FAULTY = (RedisError, OSError, RuntimeError)


class Store:
    """Redis behind a breaker. ``client`` is for pipelines and scripts, always inside ``call``."""

    def __init__(self, url: str, settings: Settings) -> None:
        timeout = settings.redis_timeout.total_seconds()
        pool = redis.BlockingConnectionPool.from_url(
            url,
            decode_responses=False,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            client_name="holdfast",
            retry=None,
            retry_on_error=[],
            max_connections=CONNECTIONS + SPARE_CONNECTIONS,
            timeout=POOL_WAIT_S,
        )
        self.client: redis.Redis = redis.Redis.from_pool(pool)
        self.breaker = Breaker()
        # A burst waits here and not in the pool: those who wait leave at once when the breaker opens.
        self._slots = asyncio.Semaphore(CONNECTIONS)
        self._pause_s = settings.breaker_cooldown.total_seconds()
        self._probing: asyncio.Task[None] | None = None

    async def call(self, answer: Awaitable[T] | Any) -> T:
        """Await one Redis call. RedisAway when the breaker is open or the call failed; the fault is counted."""
        try:
            if not self.breaker.open:
                async with self._slots:
                    if not self.breaker.open:
                        return await cast("Awaitable[T]", answer)
        except FAULTY as fault:
            self._failed(fault)
            raise RedisAway(why(fault)) from fault
        finally:
            # A coroutine that was never begun says so loudly otherwise; one that has ended does not mind.
            close = getattr(answer, "close", None)
            if close is not None:
                close()
        raise RedisAway("the breaker is open")

    def _failed(self, fault: Exception) -> None:
        word, before = why(fault), self.breaker.trouble
        if not isinstance(fault, ResponseError):
            self.breaker.failed(word, time.monotonic())
        elif word in REFUSALS.values():
            self.breaker.refused(word, time.monotonic())
        else:
            # One command that Redis will not have says nothing about the next one.
            # Redis' own words: what redis-py puts before them quotes the command, and with it answers.
            said = str(fault).rpartition("caused error: ")[2][:200]
            log.error("redis refused a command", fault=type(fault).__name__, said=said)
            return
        if before is None or before[0] != word:
            log.error("redis away" if self.breaker.open else "redis takes no writes", why=word)
            FAULTS.labels(word).inc()
        REDIS_UP.set(0)
        if self._probing is None or self._probing.done():
            self._probing = asyncio.create_task(self._probe())

    async def _probe(self) -> None:
        """Ask for a write after each pause, until one is taken."""
        while self.breaker.trouble is not None:
            await asyncio.sleep(self._pause_s)
            try:
                # What sat idle in the pool met the same fault: one by one each would open the breaker again.
                await self.client.connection_pool.disconnect(inuse_connections=False)
                await self.client.set(PROBE_KEY, 1, ex=PROBE_LIFE_S)
            except FAULTY as fault:
                self._failed(fault)
                if why(fault) != "refused":
                    continue
            self.breaker.wrote()
            REDIS_UP.set(1)
            log.info("redis back")

    @property
    def up(self) -> bool:
        """Whether Redis answers, as far as is known."""
        return not self.breaker.open

    @property
    def trouble(self) -> tuple[str, float] | None:
        """Why Redis is away or takes no writes, and for how many seconds; None while all is well."""
        known = self.breaker.trouble
        return None if known is None else (known[0], time.monotonic() - known[1])

    async def close(self) -> None:
        await background.end(self._probing)
        await self.client.aclose()


class Keys:
    """Every key of one lineage; what another lineage left behind is never read."""

    def __init__(self, lineage_uid: str) -> None:
        self._prefix = f"hf:{lineage_uid}:"
        self.clock = self._prefix + "clock"
        self.ticker = self._prefix + "ticker"
        self.buffer = self._prefix + "buffer"
        # Entries of the buffer that could not be decoded, by stream id.
        self.unreadable = self._prefix + "unreadable"
        self.drained = self._prefix + "drained"
        self.starts = self._prefix + "starts"
        self.events = self._prefix + "events"

    def hot(self, attempt: object) -> str:
        return f"{self._prefix}a:{attempt}"

    def pending(self, attempt: object) -> str:
        """Stream ids of this attempt's buffered entries."""
        return f"{self._prefix}p:{attempt}"

    def failures(self, kind: str, name: str) -> str:
        return f"{self._prefix}f:{kind}:{name}"


# Which lineage this Redis serves: lets a process that starts while PostgreSQL is away know its keys.
LINEAGE_KEY = "hf:lineage"


def script(name: str) -> str:
    """The text of ``<name>.lua`` beside this module."""
    return (SCRIPTS / f"{name}.lua").read_text(encoding="utf-8")
