"""Short data directories, and supervisors that can be killed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.embedded.errors import EmbeddedError
from app.embedded.postgres import EmbeddedPostgres, binaries
from app.embedded.redis import EmbeddedRedis

CHECKOUT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("supervisor.py")


class Supervisor:
    """A process of ours that holds the stores of ``data_dir``; ``said`` is its one line."""

    def __init__(self, data_dir: Path, command: Sequence[str] = (sys.executable,), **popen: Any) -> None:
        env = {"PATH": os.defpath, "PYTHONPATH": f"{CHECKOUT}:{site_packages()}"}
        self.process = subprocess.Popen(
            [*command, str(SCRIPT), str(data_dir)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, cwd="/", **popen,
        )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the supervisor said nothing; stderr: {self.process.communicate()[1]}")
        self.said: dict[str, Any] = json.loads(line)

    def stop(self) -> int:
        self.process.communicate(timeout=60)
        return self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def kill_everything(self) -> None:
        """The power cut: the supervisor, both stores and every child of theirs, each by SIGKILL."""
        family = [self.process.pid, *(child.pid for child in psutil.Process(self.process.pid).children(recursive=True))]
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.communicate()


def site_packages() -> Path:
    return Path(psutil.__file__).parents[1]


def query(url: str, statement: str) -> str:
    """What psql prints for ``statement``."""
    done = subprocess.run(
        [binaries() / "psql", url, "-XAtqc", statement], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def wait_until(true: Callable[[], bool], what: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"still not so after {seconds} s: {what}"
        time.sleep(0.02)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data directory that others may pass through (a server that is not ours may have to)."""
    path = Path(tempfile.mkdtemp(prefix="hfe-"))
    path.chmod(0o755)
    yield path / "data"
    for store in (EmbeddedPostgres(path / "data"), EmbeddedRedis(path / "data")):
        # A test may have left a directory that no store can be taken over in: then there is none to stop.
        with contextlib.suppress(EmbeddedError):
            store.take_over()
            store.stop()
    shutil.rmtree(path)


@pytest.fixture
def supervise(data_dir: Path) -> Iterator[Callable[..., Supervisor]]:
    """Starts supervisors on ``data_dir``; none outlives the test."""
    started: list[Supervisor] = []

    def start(**options: Any) -> Supervisor:
        started.append(Supervisor(data_dir, **options))
        return started[-1]

    yield start
    for supervisor in started:
        if supervisor.process.poll() is None:
            supervisor.stop()
