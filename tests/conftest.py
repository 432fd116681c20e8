"""Real stores for every test: PostgreSQL built by the migrations, and Redis.

Unset, ``HOLDFAST_DATABASE_URL`` and ``HOLDFAST_REDIS_URL`` mean embedded stores in a temporary directory. Set, they
point at servers on which the tests make their own databases (``holdfast_test_<random>_…``), drop them afterwards, and
touch nothing else: of Redis, one logical database that was found empty.

``db`` is fast (a transaction that is rolled back); ``fresh_db`` has real commits for races, workers and faults.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import asyncpg
import hypothesis
import pytest
import redis as redis_sync
import redis.asyncio as redis_async
from argon2 import PasswordHasher
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.embedded.errors import EmbeddedError
from app.embedded.lock import DirectoryLock
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis
from app.services import passwords
from app.settings import Settings
from app.storage.postgres.engine import asyncpg_arguments, create_engine, migrate

# What the developer's shell or .env says about a server must not reach a test, except where the two stores are.
EXTERNAL = {name: os.environ.get(f"HOLDFAST_{name}") for name in ("DATABASE_URL", "REDIS_URL")}
for _name in [name for name in os.environ if name.startswith("HOLDFAST_") and name != "HOLDFAST_CHROMIUM"]:
    del os.environ[_name]
Settings.model_config["env_file"] = None

# These machines are shared: how long an example takes says nothing about it.
hypothesis.settings.register_profile("holdfast", deadline=None)
# HYPOTHESIS_PROFILE=long: for a night, not for a commit.
hypothesis.settings.register_profile("long", deadline=None, max_examples=2000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "holdfast"))

# These stores are thrown away: nothing here outlives a power cut. What a killed process has written stays all the same,
# and tests that kill the store itself start their own, as it is in production.
FAST = {"fsync": "off", "full_page_writes": "off"}
# A hash that takes 64 MiB and a tenth of a second is the point of it, and was a third of the suite's time. It is argon2
# all the same.
passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
# Real input that may stand beside the checkout; its tests are deselected (and counted) where it does not.
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
WAITING = {"faults", "failover", "demo", "embedded", "test_stateful.py", "test_bench.py", "test_ending.py"}
# A unix socket's path may have 107 bytes, which pytest's own temporary directories can exceed.
# In memory where there is plenty of it: a database has a thousand files, and every test has a database.
_MEMORY, _PLENTY = Path("/dev/shm"), 8 * 1024**3  # noqa: S108 -- a directory of one's own is made in it
_IN_MEMORY = os.access(_MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(_MEMORY).free >= _PLENTY
_PLACE = _MEMORY if _IN_MEMORY else Path(tempfile.gettempdir())
_PREFIX = "holdfast-test-"


def pytest_configure() -> None:
    # Ended from outside (a time limit of CI), the run still takes its stores down.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("SIGTERM", returncode=143))


def pytest_report_header() -> list[str]:
    stores = ", ".join(
        f"{name.removesuffix('_URL').lower()} {'external' if url else 'embedded'}" for name, url in EXTERNAL.items()
    )
    shared = "used" if SHARED.is_dir() else "not there, the tests on it are deselected"
    return [f"stores: {stores}", f"shared data beside the checkout: {shared}"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    without = [item for item in items if "shared_data" in getattr(item, "fixturenames", ())]
    if without and not SHARED.is_dir():
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if item not in without]
    items.sort(key=_late)


def _late(item: pytest.Item) -> bool:
    """Files that mostly wait (a process sleeps for 40 s) begin first: at the end of a run they would wait alone."""
    place = item.path.relative_to(Path(__file__).parent)
    return place.parts[0] not in WAITING and place.name not in WAITING


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real input beside the checkout; a test that asks for it is not collected where it is missing."""
    return SHARED


# --- the servers ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def stores_dir() -> Iterator[Path]:
    """A short directory for this run's embedded stores; those that a killed run left behind go first."""
    for left in _PLACE.glob(f"{_PREFIX}*"):
        _clear(left)
    path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_PLACE))
    alive = DirectoryLock(path / "run.lock")
    alive.acquire()
    yield path
    alive.release()
    shutil.rmtree(path)


def _clear(left: Path) -> None:
    # A run that lives holds its lock; one that began a moment ago may not have it yet.
    found = left.stat()
    if found.st_uid != os.geteuid() or time.time() - found.st_mtime < 60:
        return
    alive = DirectoryLock(left / "run.lock")
    try:
        alive.acquire()
        for store in (EmbeddedPostgres(left), EmbeddedRedis(left)):
            store.take_over()
            store.stop()
    except EmbeddedError:
        return
    finally:
        alive.release()
    shutil.rmtree(left)


@dataclass(frozen=True, slots=True)
class Servers:
    """``admin_url`` may create databases; ``redis_url`` names the logical database that is the tests' own."""

    admin_url: str
    redis_url: str


@pytest.fixture(scope="session")
def servers(stores_dir: Path) -> Iterator[Servers]:
    with ExitStack() as stack:
        admin_url = EXTERNAL["DATABASE_URL"] or stack.enter_context(EmbeddedPostgres(stores_dir, settings=FAST)).url
        redis_url = EXTERNAL["REDIS_URL"] or stack.enter_context(EmbeddedRedis(stores_dir)).url
        yield Servers(admin_url, _own_redis(redis_url))


def _own_redis(url: str) -> str:
    """The last logical database of the server that is empty: nobody's data is ever flushed.

    Test processes that run side by side choose among different ones, so that no two find the same one empty.
    """
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    for index in range(15 - process, -1, -processes):
        candidate = _with_redis_db(url, index)
        client = redis_sync.Redis.from_url(candidate)
        try:
            if client.dbsize() == 0:
                return candidate
        finally:
            client.close()
    raise RuntimeError("No logical database of the Redis at HOLDFAST_REDIS_URL is empty: the tests need one.")


def _with_redis_db(url: str, index: int) -> str:
    parsed = make_url(url) if not url.startswith("unix:") else None
    if parsed is None:
        return f"{url.partition('?')[0]}?db={index}"
    return parsed.set(database=str(index)).render_as_string(hide_password=False)


class Databases:
    """Databases of this run, on the server at ``admin_url``."""

    def __init__(self, admin_url: str) -> None:
        self._admin = admin_url
        self._prefix = f"holdfast_test_{secrets.token_hex(4)}"
        self._made: list[str] = []
        self._numbers = count(1)

    def url(self, name: str) -> str:
        return make_url(self._admin).set(database=name).render_as_string(hide_password=False)

    async def create(self, template: str | None = None) -> str:
        """A new database, empty or a copy; its name."""
        name = f"{self._prefix}_{next(self._numbers)}"
        await self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template or "template0"}" STRATEGY file_copy')
        self._made.append(name)
        return name

    async def drop(self, name: str) -> None:
        await self._run(f'DROP DATABASE "{name}" WITH (FORCE)')
        self._made.remove(name)

    async def drop_all(self) -> None:
        for name in list(self._made):
            await self.drop(name)

    async def _run(self, statement: str) -> None:
        connection = await asyncpg.connect(**asyncpg_arguments(self._admin), timeout=60)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@pytest.fixture(scope="session")
def databases(servers: Servers) -> Iterator[tuple[Databases, str]]:
    """The run's databases, and the name of the one the migrations made (the template: nobody connects to it)."""
    made = Databases(servers.admin_url)
    # Session fixtures may be set up from inside a test's loop; a thread has none.
    with ThreadPoolExecutor(1) as apart:
        try:
            template = apart.submit(lambda: asyncio.run(made.create())).result()
            apart.submit(migrate, made.url(template)).result()
            yield made, template
        finally:
            apart.submit(lambda: asyncio.run(made.drop_all())).result()


@pytest.fixture(scope="session")
def database_url(databases: tuple[Databases, str]) -> str:
    """A database made by the migrations, shared by all tests: change it only through ``db``."""
    made, template = databases
    with ThreadPoolExecutor(1) as apart:
        return made.url(apart.submit(lambda: asyncio.run(made.create(template))).result())


@pytest.fixture(scope="session")
def redis_url(servers: Servers) -> str:
    """The tests' own logical database; ``redis`` empties it."""
    return servers.redis_url


# --- what a test asks for ---------------------------------------------------------------------------------------


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[AsyncConnection]:
    """A connection inside a transaction that is rolled back; ``conn.begin_nested()`` works within."""
    engine = create_engine(database_url, Settings(), name="holdfast-test", pool_size=1)
    try:
        async with engine.connect() as connection:
            outer = await connection.begin()
            yield connection
            if outer.is_active:
                await outer.rollback()
    finally:
        await engine.dispose()


@pytest.fixture
async def fresh_url(databases: tuple[Databases, str]) -> AsyncIterator[str]:
    """The plain ``postgresql://`` URL of a database of the test's own, dropped afterwards."""
    made, template = databases
    name = await made.create(template)
    yield made.url(name)
    await made.drop(name)


@pytest.fixture
async def fresh_db(fresh_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a database of the test's own, with real commits."""
    engine = create_engine(fresh_url, Settings(), name="holdfast-test")
    yield engine
    await engine.dispose()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[redis_async.Redis]:
    """A client on the tests' logical database, empty before and after. Replies are bytes."""
    client = redis_async.Redis.from_url(redis_url)
    await client.flushdb()
    yield client
    await client.flushdb()
    await client.aclose()
