"""The database a command works on, also while a server runs on the same data directory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from app.embedded.errors import EmbeddedError
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis
from app.settings import Settings
from app.storage.postgres.engine import create_engine, migrate

T = TypeVar("T")


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The URL of the record: the external one, the embedded one that is running, or one started for this command.

    One that is started here is brought to this version first: it may be the first command on an empty directory.
    Raises EmbeddedError when an embedded PostgreSQL cannot start.
    """
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    postgres = EmbeddedPostgres(settings.data_dir)
    try:
        postgres.start()
    except EmbeddedError as busy:
        if busy.code != "embedded-in-use":
            raise
        # The holder of the directory runs the server; we only connect to it.
        yield postgres.url
        return
    try:
        migrate(postgres.url)
        yield postgres.url
    finally:
        postgres.stop()


@contextmanager
def buffer(settings: Settings) -> Iterator[str]:
    """The URL of Redis: the external one, the embedded one that is running, or one started for this command.

    Raises EmbeddedError when an embedded Redis cannot start.
    """
    if settings.redis_url is not None:
        yield settings.redis_url.get_secret_value()
        return
    redis = EmbeddedRedis(settings.data_dir)
    try:
        redis.start()
    except EmbeddedError as busy:
        if busy.code != "embedded-in-use":
            raise
        yield redis.url
        return
    try:
        yield redis.url
    finally:
        redis.stop()


def with_engine(settings: Settings, work: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    """Run ``work`` on an engine that is disposed of afterwards."""

    async def run(url: str) -> T:
        engine = create_engine(url, settings, name="holdfast-cli", pool_size=1)
        try:
            return await work(engine)
        finally:
            await engine.dispose()

    with database(settings) as url:
        return asyncio.run(run(url))
