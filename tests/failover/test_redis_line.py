"""What a broken line to Redis looks like in the server's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
import uvloop

from app.embedded.redis import EmbeddedRedis
from app.settings import Settings
from app.storage.redis.client import RedisAway, Store
from failover.proxy import Proxy


@pytest.fixture
def own_redis(tmp_path):
    with EmbeddedRedis(tmp_path) as redis:
        yield redis


def test_connections_that_were_reset_while_idle_mean_that_redis_is_away(own_redis):
    """uvloop reports such a connection as a RuntimeError; it must not go up as a bug of ours."""

    async def story():
        path = own_redis.url.removeprefix("unix://").partition("?")[0]
        async with Proxy(Path(path)) as line:
            store = Store(f"redis://127.0.0.1:{line.port}/0", Settings(breaker_cooldown=0.05, redis_timeout=10))
            try:
                for _ in range(20):
                    await asyncio.gather(*(store.call(store.client.ping()) for _ in range(8)))
                    line.cut()
                    while line.lines:
                        await asyncio.sleep(0)
                    await asyncio.sleep(0.01)
                    # Noticed in the pool it costs nothing, noticed in the call it means away: never anything else.
                    with contextlib.suppress(RedisAway):
                        await store.call(store.client.ping())
                    async with asyncio.timeout(60):
                        while not store.up:
                            await asyncio.sleep(0.02)
                    assert await store.call(store.client.ping())
            finally:
                await store.close()

    uvloop.run(story())
