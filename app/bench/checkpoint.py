"""``holdfast bench checkpoint``: durable checkpoints per second, as a ratio.

Three calls in one run, by one client, in alternating pairs: a checkpoint with one response on real stores; the
application's own ``empty`` endpoint, which has the same route class, middleware, body and decoding and touches no
store; and a bare ASGI echo under the same uvicorn. With both stores on also the batch statement alone
(``app.bench.alone``). Machines differ and are noisy: the ratios are what is kept.

Then the same with a store that is gone: its server is stopped, as a crash would leave it.
"""

from __future__ import annotations

import asyncio
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import httpx
import uvloop

from app.bench import alone, client, cpu
from app.bench.client import Build, Measured
from app.bench.seats import Seat, prepare, writes
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis
from app.embedded.stores import stores
from app.secrets import site_secret
from app.settings import Settings
from app.storage.postgres.engine import migrate
from app.supervise import Supervisor, listen

Say = Callable[[str], None]
Stores = Literal["both", "redis-away", "postgres-away"]
CONDITIONS: tuple[Stores, ...] = get_args(Stores)
CHECKPOINTS, EMPTY = "/api/v1/attempt/checkpoints", "/api/v1/attempt/empty"
# Until a server has started, or has noticed that a store is gone, on a machine that does other things as well.
PATIENCE_S = 120.0
# Requests in a row, each on a connection of its own, after which every API process has noticed.
NOTICED = 20


@dataclass(frozen=True, slots=True)
class Level:
    """One number of connections under one condition of the stores: medians over the pairs.

    Rates are per second. ``alone`` is the batch statement's, None where PostgreSQL or Redis is away. ``cpu`` and
    ``cpu_empty`` are microseconds per request by role (``app.bench.cpu``).
    """

    stores: Stores
    connections: int
    written: float
    empty: float
    bare: float
    alone: float | None
    p50_ms: float
    p99_ms: float
    failures: int
    cpu: dict[str, float]
    cpu_empty: dict[str, float]

    @property
    def ratio(self) -> float:
        return self.written / self.empty if self.empty else 0.0

    @property
    def of_bare(self) -> float:
        return self.written / self.bare if self.bare else 0.0

    @property
    def cpu_ratio(self) -> float:
        """The CPU time of an empty request to that of a checkpoint: what ``ratio`` is where nothing else is short."""
        return sum(self.cpu_empty.values()) / sum(self.cpu.values())


@dataclass(frozen=True, slots=True)
class Hall:
    """Where the stores are, and those of them that the bench may stop."""

    database_url: str
    redis_url: str
    postgres: EmbeddedPostgres | None = None
    redis: EmbeddedRedis | None = None


@contextmanager
def _stores(settings: Settings, conditions: Sequence[Stores]) -> Iterator[Hall]:
    """Stores in ``settings.data_dir``. Those that are set from outside can be measured, not stopped: ValueError."""
    outside = settings.database_url is not None or settings.redis_url is not None
    if outside and set(conditions) != {"both"}:
        raise ValueError("to stop a store it must be the bench's own: unset HOLDFAST_DATABASE_URL, HOLDFAST_REDIS_URL")
    with ExitStack() as stack:
        if outside:
            urls = stack.enter_context(stores(settings))
            yield Hall(urls.database_url, urls.redis_url)
        else:
            yield stack.enter_context(stored(settings))


@contextmanager
def stored(settings: Settings, **more: str) -> Iterator[Hall]:
    """Embedded stores in ``settings.data_dir``, ``more`` being settings of PostgreSQL. They are not kept alive, as a
    server's are: one that is stopped here has to stay away."""
    with ExitStack() as stack:
        postgres = stack.enter_context(EmbeddedPostgres(settings.data_dir, settings=more))
        redis = stack.enter_context(EmbeddedRedis(settings.data_dir))
        yield Hall(postgres.url, redis.url, postgres, redis)


@contextmanager
def _bare() -> Iterator[int]:
    """Two processes of the bare echo on one socket; the port."""
    listener = listen("127.0.0.1", 0)
    command = [sys.executable, "-m", "app.bench.bare", str(listener.fileno())]
    running = [subprocess.Popen(command, pass_fds=(listener.fileno(),)) for _ in range(2)]  # noqa: S603 -- our module
    try:
        yield int(listener.getsockname()[1])
    finally:
        for one in running:
            one.send_signal(signal.SIGKILL)
            one.wait()
        listener.close()


def run(
    settings: Settings,
    *,
    levels: Sequence[int],
    pairs: int,
    seconds: float,
    say: Say,
    conditions: Sequence[Stores] = CONDITIONS,
) -> list[Level]:
    """Measure each level of connections under each condition, PostgreSQL away last. Everything runs in a data directory
    of its own that is removed. Raises ValueError for stores from outside that were to be stopped."""
    with ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-bench-"))
        own = settings.model_copy(update={"data_dir": Path(place), "port": 0, "host": "127.0.0.1"})
        hall = stack.enter_context(_stores(own, conditions))
        bare_port = stack.enter_context(_bare())
        migrate(hall.database_url)
        seats = asyncio.run(prepare(own, hall.database_url, max(levels)))
        supervisor = Supervisor(own, environment(own, hall))
        supervisor.start()
        stack.callback(supervisor.stop)
        bench = Bench(own, hall, seats, supervisor.port, bare_port, pairs, seconds, say)
        bench.settle("durable")
        # Also where PostgreSQL is away from the start: what is remembered of a candidate was read from it once.
        bench.warm_up(max(levels))
        measured = []
        for condition in (one for one in CONDITIONS if one in conditions):
            with bench.under(condition):
                measured += [bench.level(condition, connections) for connections in levels]
        return measured


def environment(settings: Settings, hall: Hall) -> dict[str, str]:
    """What the server's processes read their settings from."""
    return {
        "HOLDFAST_DATABASE_URL": hall.database_url,
        "HOLDFAST_REDIS_URL": hall.redis_url,
        "HOLDFAST_SECRET_KEY": site_secret(settings).decode(),
        "HOLDFAST_DATA_DIR": str(settings.data_dir),
    }


class Bench:
    """A server that runs, and what is measured on it."""

    def __init__(
        self,
        settings: Settings,
        hall: Hall,
        seats: list[Seat],
        port: int,
        bare_port: int,
        pairs: int,
        seconds: float,
        say: Say,
    ) -> None:
        self._settings = settings
        self._hall = hall
        self._seats = seats
        self._port = port
        self._bare_port = bare_port
        self._pairs = pairs
        self._seconds = seconds
        self._say = say
        # Greatest revision and seq each candidate has used.
        self._revs = [0] * len(seats)
        self._write = writes(CHECKPOINTS, seats, self._revs)
        self._empty = writes(EMPTY, seats, [0] * len(seats))

    def _load(self, port: int, connections: int, seconds: float, build: Build) -> Measured:
        return uvloop.run(client.load("127.0.0.1", port, connections, seconds, build))

    @contextmanager
    def under(self, condition: Stores) -> Iterator[None]:
        """A store that is stopped. PostgreSQL does not come back: its drain would be measured with what follows."""
        if condition == "redis-away" and self._hall.redis is not None:
            self._hall.redis.stop()
            self.settle("durable")
            yield
            self._hall.redis.start()
            self.settle("durable")
        elif condition == "postgres-away" and self._hall.postgres is not None:
            # The copies of the last commits must be there first (``checkpoint.ack.Follower``).
            self.settle("durable")
            self._hall.postgres.stop()
            self.settle("buffered")
            yield
        else:
            yield

    def settle(self, durability: str) -> None:
        """Wait until every process answers with ``durability``. TimeoutError after PATIENCE_S."""
        ends = time.monotonic() + PATIENCE_S
        agreed, said = 0, "nothing"
        while agreed < NOTICED:
            if time.monotonic() > ends:
                raise TimeoutError(f"the server does not say {durability}, it said last: {said}")
            try:
                reply = self._one()
            except httpx.TransportError as fault:
                agreed, said = 0, repr(fault)
            else:
                told = reply.json().get("durability") if reply.status_code == httpx.codes.OK else None
                agreed, said = (agreed + 1 if told == durability else 0), f"{reply.status_code} {reply.text[:200]}"
            if not agreed:
                time.sleep(0.1)

    def _one(self) -> httpx.Response:
        request = self._write(0, 0)
        return httpx.post(
            f"http://127.0.0.1:{self._port}{CHECKPOINTS}",
            content=request.partition(b"\r\n\r\n")[2],
            headers={"Authorization": f"Bearer {self._seats[0].token}", "Content-Type": "application/json"},
            timeout=30,
        )

    def warm_up(self, connections: int) -> None:
        """Let every process meet every candidate, once: new connections go to any of them."""
        for _ in range(4):
            self._load(self._port, connections, min(1.0, self._seconds), self._write)

    def level(self, condition: Stores, connections: int) -> Level:
        self.warm_up(connections)
        rounds: list[tuple[Measured, Measured, Measured]] = []
        rates: list[float] = []
        spent: list[tuple[dict[str, float], dict[str, float]]] = []
        for n in range(self._pairs):
            start = cpu.used()
            written = self._load(self._port, connections, self._seconds, self._write)
            middle = cpu.used()
            empty = self._load(self._port, connections, self._seconds, self._empty)
            end = cpu.used()
            bare = self._load(self._bare_port, connections, self._seconds, self._empty)
            rounds.append((written, empty, bare))
            spent.append((cpu.each(start, middle, len(written.latencies)), cpu.each(middle, end, len(empty.latencies))))
            if condition == "both":
                rates.append(self._alone(connections))
            self._say(
                f"{condition:>13}, {connections:>4} connections, pair {n + 1}: {written.rate:7.0f} checkpoints/s"
                f" {empty.rate:7.0f} empty/s {bare.rate:7.0f} bare/s ratio {written.rate / max(empty.rate, 1):.2f}"
            )
        return Level(
            stores=condition,
            connections=connections,
            written=statistics.median(w.rate for w, _, _ in rounds),
            empty=statistics.median(e.rate for _, e, _ in rounds),
            bare=statistics.median(b.rate for _, _, b in rounds),
            alone=statistics.median(rates) if rates else None,
            p50_ms=statistics.median(w.quantile(0.5) for w, _, _ in rounds),
            p99_ms=statistics.median(w.quantile(0.99) for w, _, _ in rounds),
            failures=sum(m.failures for one in rounds for m in one),
            cpu={role: statistics.median(one[role] for one, _ in spent) for role in cpu.ROLES},
            cpu_empty={role: statistics.median(one[role] for _, one in spent) for role in cpu.ROLES},
        )

    def _alone(self, connections: int) -> float:
        return uvloop.run(
            alone.rate(
                self._hall.database_url, self._settings, self._seats, self._revs,
                connections=connections, seconds=self._seconds,
            )
        )  # fmt: skip


def machine() -> str:
    """One line on what was measured on."""
    cores = len(os.sched_getaffinity(0))
    return f"{platform.system()} {platform.machine()}, {cores} cores, Python {platform.python_version()}"
