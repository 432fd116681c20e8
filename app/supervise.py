"""``holdfast serve``: API processes and one worker process, kept alive.

The listening socket is opened once, here, and inherited: a killed API process takes no waiting connection with it.
Children end with their parent, so a killed supervisor leaves no port taken.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from types import FrameType
from typing import IO

import structlog
import uvicorn
from fastapi import FastAPI

from app.domain.errors import Refused
from app.embedded.stores import stores
from app.logs import configure
from app.main import create_app
from app.services.site import Site
from app.settings import Settings
from app.storage.postgres.engine import migrate
from app.storage.postgres.staff import demo_accounts_present
from app.worker import loops

log = structlog.get_logger(__name__)
PR_SET_PDEATHSIG = 1
RESTART_PAUSE_S = 0.5
STOP_WAIT_S = 12.0


def listen(host: str, port: int) -> socket.socket:
    """The listening socket. Refused `port-taken` with the way out."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as fault:
        listener.close()
        raise Refused("port-taken", host=host, port=port, fault=fault.strerror or str(fault)) from fault
    listener.listen(4096)
    listener.set_inheritable(True)
    return listener


class Supervisor:
    """Starts the processes of a site's server and starts again what dies.

    ``env`` holds the HOLDFAST_* variables the children read their settings from; ``output`` takes what they print,
    instead of our own standard output and error.
    """

    def __init__(self, settings: Settings, env: dict[str, str], *, output: IO[bytes] | None = None) -> None:
        self._settings = settings
        self._output = output
        self._env = {**os.environ, **env}
        self._listener: socket.socket | None = None
        self._children: list[tuple[list[str], subprocess.Popen[bytes]]] = []
        self._stopping = threading.Event()
        self._keeper: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port listened on, also when 0 was asked for."""
        if self._listener is None:
            raise RuntimeError("not started")
        return int(self._listener.getsockname()[1])

    @property
    def pids(self) -> list[int]:
        """API processes first, the worker last."""
        return [child.pid for _, child in self._children]

    def start(self) -> None:
        self._listener = listen(self._settings.host, self._settings.port)
        descriptor = str(self._listener.fileno())
        for arguments in [["api", descriptor]] * self._settings.workers + [["worker"]]:
            self._children.append((arguments, self._spawn(arguments)))
        self._keeper = threading.Thread(target=self._keep, name="supervisor", daemon=True)
        self._keeper.start()

    def _spawn(self, arguments: list[str]) -> subprocess.Popen[bytes]:
        passed = (self._listener.fileno(),) if self._listener is not None and arguments[0] == "api" else ()
        return subprocess.Popen(  # noqa: S603 -- our own interpreter and module
            [sys.executable, "-m", "app.supervise", *arguments, str(os.getpid())],
            env=self._env, pass_fds=passed, start_new_session=True, stdout=self._output, stderr=self._output,
        )  # fmt: skip

    def _keep(self) -> None:
        while not self._stopping.wait(0.1):
            for index, (arguments, child) in enumerate(self._children):
                if child.poll() is not None and not self._stopping.is_set():
                    log.warning("process died", role=arguments[0], pid=child.pid, status=child.returncode)
                    self._stopping.wait(RESTART_PAUSE_S)
                    if not self._stopping.is_set():
                        self._children[index] = (arguments, self._spawn(arguments))

    def wait(self) -> None:
        """Until ``stop`` is called, from a signal handler or another thread."""
        while not self._stopping.wait(0.5):
            pass

    def stop(self) -> None:
        """Ask every child to end, wait, then insist. Safe to call twice."""
        self._stopping.set()
        if self._keeper is not None and self._keeper is not threading.current_thread():
            self._keeper.join()
        for _, child in self._children:
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + STOP_WAIT_S
        for _, child in self._children:
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if self._listener is not None:
            self._listener.close()
            self._listener = None


def serve(settings: Settings) -> None:
    """Run a server until SIGINT or SIGTERM. Refuses to start while the demo's accounts exist."""
    configure(settings)
    with stores(settings) as urls:
        migrate(urls.database_url)
        asyncio.run(_refuse_demo_accounts(settings, urls.database_url, urls.redis_url))
        supervisor = Supervisor(
            settings, {"HOLDFAST_DATABASE_URL": urls.database_url, "HOLDFAST_REDIS_URL": urls.redis_url}
        )
        supervisor.start()
        asked = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: asked.set())
        log.info("serving", host=settings.host, port=supervisor.port, pids=supervisor.pids)
        try:
            while not asked.wait(0.5):
                pass
        finally:
            supervisor.stop()


async def _refuse_demo_accounts(settings: Settings, database_url: str, redis_url: str) -> None:
    if settings.demo:
        return
    site = Site(settings, database_url, redis_url, "holdfast-serve")
    try:
        async with site.engine.connect() as conn:
            if await demo_accounts_present(conn):
                raise Refused("demo-accounts")
    finally:
        await site.engine.dispose()
        await site.store.close()


# --- the child processes ---


def _die_with_parent(parent: int) -> None:
    """SIGTERM to this process when the supervisor is gone, however it went."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit("the supervisor is gone")


def _urls(settings: Settings) -> tuple[str, str]:
    if settings.database_url is None or settings.redis_url is None:
        raise SystemExit("the supervisor hands both store addresses to its processes")
    return settings.database_url.get_secret_value(), settings.redis_url.get_secret_value()


class _Server(uvicorn.Server):
    """Tells the open streams to end at the signal; uvicorn alone would wait for them until its grace is over."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        app = self.config.app
        loop = getattr(app.state, "loop", None) if isinstance(app, FastAPI) else None
        if loop is not None and isinstance(app, FastAPI):
            loop.call_soon_threadsafe(app.state.deps.site.closing.set)
        super().handle_exit(sig, frame)


def _api(settings: Settings, descriptor: int) -> None:
    database_url, redis_url = _urls(settings)
    app = create_app(settings, database_url=database_url, redis_url=redis_url)
    config = uvicorn.Config(
        app, loop="uvloop", http="httptools", log_config=None, access_log=False, lifespan="on", ws="none",
        server_header=False, date_header=True, proxy_headers=False, timeout_keep_alive=75, backlog=4096,
        timeout_graceful_shutdown=int(settings.shutdown_grace.total_seconds()),
    )  # fmt: skip
    _Server(config).run(sockets=[socket.socket(fileno=descriptor)])


def _worker(settings: Settings) -> None:
    database_url, redis_url = _urls(settings)
    # It advances everybody's clock and works little: it may go first, where the system allows it.
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -10)

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await loops.run(settings, database_url=database_url, redis_url=redis_url, stop=stop)

    asyncio.run(main())


def child(arguments: list[str]) -> None:
    """The entry of a child process: ``api FD PARENT`` or ``worker PARENT``."""
    settings = Settings()
    configure(settings)
    _die_with_parent(int(arguments[-1]))
    with contextlib.suppress(KeyboardInterrupt):
        if arguments[0] == "api":
            _api(settings, int(arguments[1]))
        else:
            _worker(settings)


if __name__ == "__main__":
    child(sys.argv[1:])
