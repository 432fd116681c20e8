"""The way to Redis: one client, a circuit breaker, and keys that belong to a lineage.

Redis is never needed for correctness. A call that fails opens the breaker, and while it is open no call waits at all:
a dead Redis costs nobody a millisecond (I3).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, TypeVar, cast

import redis.asyncio as redis
import structlog
from prometheus_client import Gauge
from redis.exceptions import RedisError

from app.settings import Settings

log = structlog.get_logger(__name__)
T = TypeVar("T")
POOL_WAIT_S = 2.0

REDIS_UP = Gauge("holdfast_redis_up", "1 while Redis answers")
SCRIPTS = Path(__file__).parent


class RedisAway(Exception):  # noqa: N818 -- names the state
    """Redis did not answer, or the breaker is open; whether a write happened is unknown."""


class Breaker:
    """Closed: calls go through. Open: none does until the cooldown has passed. Then one tries (half-open).

    Time is monotonic and handed in by ``now`` so that tests need not wait.
    """

    def __init__(self, cooldown_s: float) -> None:
        self._cooldown = cooldown_s
        self._open_until = 0.0
        self.failures = 0

    def allows(self, now: float) -> bool:
        if now < self._open_until:
            return False
        if self.failures:
            # Half-open: this caller probes, the others stay out until its answer is known.
            self._open_until = now + self._cooldown
        return True

    def succeeded(self) -> None:
        self.failures = 0
        self._open_until = 0.0

    def failed(self, now: float) -> None:
        self.failures += 1
        self._open_until = now + self._cooldown

    @property
    def closed(self) -> bool:
        return self.failures == 0


class Store:
    """Redis behind a breaker. ``client`` is for pipelines and scripts, always inside ``call``."""

    def __init__(self, url: str, settings: Settings) -> None:
        timeout = settings.redis_timeout.total_seconds()
        # A burst waits for a connection instead of failing: a full pool says nothing about Redis.
        pool = redis.BlockingConnectionPool.from_url(
            url,
            decode_responses=False,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            client_name="holdfast",
            retry=None,
            retry_on_error=[],
            max_connections=64,
            timeout=POOL_WAIT_S,
        )
        self.client: redis.Redis = redis.Redis.from_pool(pool)
        self.breaker = Breaker(settings.breaker_cooldown.total_seconds())

    async def call(self, answer: Awaitable[T] | Any) -> T:
        """Await one Redis call. RedisAway when the breaker is open or the call failed; the fault is counted."""
        if not self.breaker.allows(time.monotonic()):
            close = getattr(answer, "close", None)
            if close is not None:
                close()
            raise RedisAway("the breaker is open")
        try:
            value = await cast("Awaitable[T]", answer)
        except (RedisError, OSError, TimeoutError) as fault:
            if self.breaker.closed:
                log.warning("redis away", fault=repr(fault))
            self.breaker.failed(time.monotonic())
            REDIS_UP.set(0)
            raise RedisAway(repr(fault)) from fault
        if not self.breaker.closed:
            log.info("redis back")
        self.breaker.succeeded()
        REDIS_UP.set(1)
        return value

    @property
    def up(self) -> bool:
        return self.breaker.closed

    async def close(self) -> None:
        await self.client.aclose()


class Keys:
    """Every key of one lineage; what another lineage left behind is never read."""

    def __init__(self, lineage_uid: str) -> None:
        self._prefix = f"hf:{lineage_uid}:"
        self.clock = self._prefix + "clock"
        self.ticker = self._prefix + "ticker"
        self.buffer = self._prefix + "buffer"
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
