"""A site as real processes: both stores, a breakable line to each, and the server behind those lines.

The stores belong to the hall and not to the server, so that the lines can be broken; whatever dies is brought back, as
an office's service manager would. ``launcher`` is how the server is started, ``holdfast serve`` unless a test plants a
bug (see failover/run.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import httpx
import psutil
from sqlalchemy.ext.asyncio import AsyncEngine

from app.embedded.keeper import Keeper
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis
from app.secrets import site_secret
from app.settings import Settings
from app.storage.postgres.engine import create_engine
from failover.proxy import Proxy
from failover.wall_clock import WallClock

ROOT = Path(__file__).resolve().parents[1]
SERVE = (sys.executable, "-m", "app.cli", "serve")
READY_S = 120.0
STOP_S = 40.0
Target = Literal["api", "worker", "server", "postgres", "backend", "redis", "everything"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Redis(EmbeddedRedis):
    """Redis under a wall clock that can be moved. PostgreSQL's is left alone: commit times are read from it."""

    def __init__(self, data_dir: Path, clock: WallClock) -> None:
        super().__init__(data_dir)
        self._clock = clock

    def start(self) -> None:
        # It inherits our environment; the keeper starts one store at a time.
        os.environ.update(self._clock.environment)
        try:
            super().start()
        finally:
            for name in self._clock.environment:
                os.environ.pop(name, None)


class Hall:
    """Everything of one run under ``place`` (a short path: it holds unix sockets). An async context manager."""

    def __init__(self, place: Path, *, launcher: Sequence[str] = SERVE) -> None:
        place.mkdir(parents=True, exist_ok=True)
        self.place = place
        self.data_dir = place / "data"
        self.log = place / "server.log"
        self.url = ""
        self._launcher = list(launcher)
        self.clocks = {"server": WallClock(place / "server.clock"), "redis": WallClock(place / "redis.clock")}
        # Commit times are kept, so that the checker can tell what was promised before it was committed.
        self._postgres = EmbeddedPostgres(self.data_dir, settings={"track_commit_timestamp": "on"})
        self._redis = _Redis(self.data_dir, self.clocks["redis"])
        self._keeper = Keeper([self._postgres, self._redis])
        self._process: subprocess.Popen[bytes] | None = None
        self._stack = contextlib.AsyncExitStack()
        self.postgres_line: Proxy
        self.redis_line: Proxy
        self.restarts = 0

    async def __aenter__(self) -> Self:
        try:
            await asyncio.to_thread(self._copy)
            for store in (self._postgres, self._redis):
                await asyncio.to_thread(store.start)
                self._stack.push_async_callback(asyncio.to_thread, store.stop)
            self._stack.enter_context(self._keeper)
            run = self._postgres.url.partition("host=")[2].partition("&")[0]
            self.postgres_line = await self._stack.enter_async_context(Proxy(Path(run) / ".s.PGSQL.5432"))
            self.redis_line = await self._stack.enter_async_context(Proxy(Path(run) / "redis.sock"))
            self._stack.push_async_callback(asyncio.to_thread, self._stop)
            self.url = f"http://127.0.0.1:{free_port()}"
            await self.ready()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def settings(self) -> Settings:
        return Settings(data_dir=self.data_dir)

    @property
    def secret(self) -> bytes:
        return site_secret(self.settings)

    def engine(self) -> AsyncEngine:
        """A connection of the checker's own, past the lines."""
        return create_engine(self._postgres.url, self.settings, name="holdfast-checker", pool_size=2)

    def _copy(self) -> None:
        """The server's code as it is now: what is edited during a long run must not be in half of its processes."""
        for name in ("app", "migrations"):
            shutil.copytree(ROOT / name, self.place / "code" / name, ignore=shutil.ignore_patterns("__pycache__"))

    def _start(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
        environment |= {
            "HOLDFAST_DATA_DIR": str(self.data_dir),
            "HOLDFAST_PORT": self.url.rpartition(":")[2],
            "HOLDFAST_WORKERS": "2",
            "HOLDFAST_DATABASE_URL": f"postgresql://holdfast@127.0.0.1:{self.postgres_line.port}/holdfast",
            "HOLDFAST_REDIS_URL": f"redis://127.0.0.1:{self.redis_line.port}/0",
            **self.clocks["server"].environment,
        }
        # A test's launcher lives in the checkout.
        paths = [str(self.place / "code"), str(ROOT), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        with self.log.open("ab") as out:
            # Not from the checkout: a developer's .env there must not steer a run.
            self._process = subprocess.Popen(
                self._launcher, cwd=self.place, env=environment, stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    async def ready(self) -> None:
        """Return once the server can serve with both stores; one that ended is started again, as often as it takes."""
        deadline = time.monotonic() + READY_S
        seen = "no answer"
        async with httpx.AsyncClient(trust_env=False, timeout=2.0) as client:
            while time.monotonic() < deadline:
                if self._process is None or self._process.poll() is not None:
                    self.restarts += 1
                    await asyncio.to_thread(self._start)
                try:
                    reply = await client.get(f"{self.url}/readyz")
                    seen = f"{reply.status_code} {reply.text[:300]}"
                    if reply.status_code == 200 and reply.json()["postgres"] and reply.json()["redis"]:
                        return
                except httpx.TransportError as fault:
                    seen = repr(fault)
                await asyncio.sleep(0.2)
        raise TimeoutError(f"the server was not ready within {READY_S:g} s; seen last: {seen}")

    def _stop(self) -> None:
        if self._process is None:
            return
        family = self.family("server")
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=10)
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(family, timeout=10)

    def family(self, target: Target) -> list[psutil.Process]:
        """The processes of one kind that live now; ``api`` and ``backend`` are all of them."""
        if target == "everything":
            return [*self.family("server"), *self.family("postgres"), *self.family("redis")]
        if target in ("postgres", "backend", "redis"):
            store = self._redis if target == "redis" else self._postgres
            head = _alive(store.pid) if store.running else None
            if head is None:
                return []
            children = _children(head)
            if target == "backend":
                return [one for one in children if _is_backend(one)]
            return [head, *children]
        head = _alive(self._process.pid) if self._process is not None else None
        if head is None:
            return []
        everyone = [head, *_children(head)]
        return everyone if target == "server" else [one for one in everyone if _role(one) == target]


def _alive(pid: int) -> psutil.Process | None:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid)
    return None


def _children(head: psutil.Process) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return head.children(recursive=True)
    return []


def _is_backend(one: psutil.Process) -> bool:
    """Whether it serves a client; the postmaster's other children keep the store itself."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return "holdfast-" in " ".join(one.cmdline()) or " holdfast holdfast" in " ".join(one.cmdline())
    return False


def _role(one: psutil.Process) -> str | None:
    """``api`` or ``worker`` for a child of the supervisor."""
    with contextlib.suppress(psutil.NoSuchProcess):
        line = one.cmdline()
        if "app.processes" in line:
            return line[line.index("app.processes") + 1]
    return None
