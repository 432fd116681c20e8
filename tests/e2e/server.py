"""The exam server as an office runs it: ``holdfast serve`` with its own PostgreSQL and Redis, as real processes.

A power cut is ``SIGKILL`` for every one of them, the supervisor included, so that nothing is left that could bring
anything back; starting again is the same command on the same directory.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
from sqlalchemy.ext.asyncio import AsyncEngine

from app.embedded.postgres import EmbeddedPostgres
from app.settings import Settings
from app.storage.postgres.engine import create_engine

START_S = 120.0
STOP_S = 40.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A server on a data directory of its own, with two API processes and a worker."""

    def __init__(self, place: Path, **settings: str) -> None:
        self.place = place
        self.data_dir = place / "data"
        self.log = place / "server.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> Settings:
        """What the commands of an office would read beside this server."""
        return Settings(data_dir=self.data_dir)

    @property
    def pid(self) -> int:
        """The supervisor's."""
        assert self._process is not None
        return self._process.pid

    def engine(self) -> AsyncEngine:
        """A connection of the test's own to the server's record."""
        return create_engine(EmbeddedPostgres(self.data_dir).url, self.settings, name="holdfast-e2e", pool_size=2)

    @property
    def environment(self) -> dict[str, str]:
        """What the server runs with, and a command of the office beside it."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
        return environment | {
            "HOLDFAST_DATA_DIR": str(self.data_dir),
            "HOLDFAST_PORT": str(self.port),
            "HOLDFAST_WORKERS": "2",
            **{f"HOLDFAST_{name.upper()}": value for name, value in self._settings.items()},
        }

    def start(self) -> None:
        """Return once ``/readyz`` says that candidates can be served."""
        self.place.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as out:
            # Not from the checkout: a developer's .env there must not steer a test.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "serve"], cwd=self.place, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self._wait_ready()

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + START_S
        seen = "no answer"
        with httpx.Client(trust_env=False, timeout=2.0) as client:
            while time.monotonic() < deadline:
                if self._process is not None and self._process.poll() is not None:
                    raise AssertionError(
                        f"the server ended with {self._process.returncode}: {self.log.read_text()[-2000:]}"
                    )
                try:
                    reply = client.get(f"{self.url}/readyz")
                    seen = f"{reply.status_code} {reply.text}"
                    if reply.status_code == 200 and reply.json()["postgres"] and reply.json()["redis"]:
                        return
                except httpx.TransportError as fault:
                    seen = repr(fault)
                time.sleep(0.1)
        raise AssertionError(f"the server was not ready within {START_S:g} s; seen last: {seen}")

    def power_cut(self) -> dict[str, int]:
        """Kill everything at once; what was killed, by name."""
        assert self._process is not None
        head = psutil.Process(self._process.pid)
        family = [head, *head.children(recursive=True)]
        killed: dict[str, int] = {}
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                name = member.name()
                member.kill()
                killed[name] = killed.get(name, 0) + 1
        self._process.wait(timeout=60)
        self._process = None
        # A backend forked between the look and the kill dies with its postmaster; until it has, the power is not off.
        _gone, alive = psutil.wait_procs(family, timeout=60)
        assert not alive, f"still running: {alive}"
        return killed

    def stop(self) -> None:
        """A clean stop: SIGTERM to the supervisor, which stops its processes and both stores."""
        if self._process is None:
            return
        family = psutil.Process(self._process.pid).children(recursive=True)
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=STOP_S)
        finally:
            for member in [*family, self._process]:
                with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                    member.kill()
            self._process.wait(timeout=60)
            self._process = None
