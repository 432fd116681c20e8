"""The stores a process works on: external ones where their URLs are set, otherwise embedded ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from app.embedded.keeper import Keeper
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Urls:
    """Where both stores are; ``pids`` holds ``postgres`` and ``redis``, as started, for those embedded."""

    database_url: str
    redis_url: str
    pids: dict[str, int] = field(default_factory=dict)


@contextmanager
def stores(settings: Settings) -> Iterator[Urls]:
    """Both stores for as long as the context lasts; what was started here is kept alive and stopped here, Redis first.

    PostgreSQL goes last because it is the record: whatever still runs while the stores go down can write to it.
    Raises EmbeddedError when an embedded store cannot start; external ones are not tried here.
    """
    with ExitStack() as stack:
        pids: dict[str, int] = {}
        started: list[EmbeddedPostgres | EmbeddedRedis] = []
        if settings.database_url is not None:
            database_url = settings.database_url.get_secret_value()
        else:
            postgres = stack.enter_context(EmbeddedPostgres(settings.data_dir))
            database_url, pids["postgres"] = postgres.url, postgres.pid
            started.append(postgres)
        if settings.redis_url is not None:
            redis_url = settings.redis_url.get_secret_value()
        else:
            redis = stack.enter_context(EmbeddedRedis(settings.data_dir))
            redis_url, pids["redis"] = redis.url, redis.pid
            started.append(redis)
        stack.enter_context(Keeper(started))
        yield Urls(database_url, redis_url, pids)
