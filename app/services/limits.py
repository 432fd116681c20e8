"""Limits on failed sign-ins: strict per ticket, loose per address (a hall may sit behind one).

Fail-open by design: while Redis is away each process counts for itself, because 1,880 people who cannot sign in are a
greater harm than a guesser who has to guess past several processes.
"""

from __future__ import annotations

import contextlib
import time

from app.domain.errors import Refused
from app.services.site import Site
from app.storage.redis.client import RedisAway

LOCAL_LIMIT = 10_000


def _count_locally(site: Site, name: str, window_s: float) -> int:
    now = time.monotonic()
    count, until = site.local_failures.get(name, (0, now + window_s))
    if until < now:
        count, until = 0, now + window_s
    if len(site.local_failures) > LOCAL_LIMIT:
        site.local_failures.clear()
    site.local_failures[name] = (count + 1, until)
    return count + 1


def _peek_locally(site: Site, name: str) -> int:
    count, until = site.local_failures.get(name, (0, 0.0))
    return count if until >= time.monotonic() else 0


async def failures(site: Site, kind: str, name: str) -> int:
    """Failed tries of this name within the window."""
    key = site.keys.failures(kind, name)
    try:
        value: bytes | None = await site.store.call(site.store.client.get(key))
    except RedisAway:
        return _peek_locally(site, key)
    return max(int(value or 0), _peek_locally(site, key))


async def failed(site: Site, kind: str, name: str) -> int:
    """Count one failure; how many there are now."""
    key = site.keys.failures(kind, name)
    window_s = site.settings.failure_window.total_seconds()
    pipeline = site.store.client.pipeline(transaction=True)
    pipeline.incr(key)
    pipeline.expire(key, int(window_s), nx=False)
    try:
        replies: list[int] = await site.store.call(pipeline.execute())
    except RedisAway:
        return _count_locally(site, key, window_s)
    return int(replies[0])


async def forget(site: Site, kind: str, name: str) -> None:
    """Forget this name's failures: it has shown what it had to."""
    key = site.keys.failures(kind, name)
    site.local_failures.pop(key, None)
    with contextlib.suppress(RedisAway):
        await site.store.call(site.store.client.delete(key))


async def check(site: Site, kind: str, name: str, limit: int) -> None:
    """Refuse when this name has failed too often."""
    if await failures(site, kind, name) >= limit:
        raise too_many(site)


def too_many(site: Site) -> Refused:
    return Refused("too-many-tries", retry_after=int(site.settings.failure_window.total_seconds()))


async def give_back(site: Site, kind: str, name: str) -> None:
    """Uncount one try that turned out right; failures before it stay counted."""
    key = site.keys.failures(kind, name)
    if key in site.local_failures:
        count, until = site.local_failures[key]
        site.local_failures[key] = (max(0, count - 1), until)
    with contextlib.suppress(RedisAway):
        await site.store.call(site.store.client.decr(key))
