"""``holdfast serve``: API processes and one worker process, kept alive and replaced without a gap.

The listening socket is opened once, here, and inherited: a killed API process takes no waiting connection with it.
Children end with their parent, so a killed supervisor leaves no port taken.

A rolling restart (SIGHUP) brings the tables up to the code that is now installed, then replaces one API process after
the other and the worker last, each only when its successor can answer (``app.children``). What cannot be replaced
stays, and so does everything after it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from typing import IO

import structlog

from app import handover
from app.children import Place
from app.domain.errors import Refused
from app.embedded.stores import Urls, stores
from app.logs import configure
from app.services.site import Site
from app.settings import Settings
from app.storage.postgres.engine import migrate
from app.storage.postgres.staff import demo_accounts_present

log = structlog.get_logger(__name__)
WATCH_S = 0.05
# Beyond the grace for requests: the writer's last batch, the clock's hand-over, the interpreter.
API_ENDS_S = 2.0
WORKER_ENDS_S = 5.0
# From the request to the last process but the stores; the worker has what the API processes leave of it.
ALL_END_S = 9.0
LEAST_S = 2.0


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
    """Starts the processes of a site's server, starts again what dies, and replaces all of them when asked to.

    ``env`` holds the HOLDFAST_* variables the children read their settings from; ``output`` takes what they print,
    instead of our own standard output and error.

    One thread does everything from ``start`` to ``stop``: children end with the thread that started them.
    """

    def __init__(self, settings: Settings, env: dict[str, str], *, output: IO[bytes] | None = None) -> None:
        self._settings = settings
        self._output = output
        self._env = {**os.environ, **env}
        self._listener: socket.socket | None = None
        self._ends: tuple[socket.socket, socket.socket] | None = None
        self._apis: list[Place] = []
        self._workers: list[Place] = []
        self._stopping = threading.Event()
        self._restarting = threading.Event()
        self._to_replace: deque[Place] = deque()
        self._replacing: Place | None = None
        self._migration: subprocess.Popen[bytes] | None = None
        self._migration_ends = 0.0
        self._started = threading.Event()
        self._fault: Exception | None = None
        self._keeper: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port listened on, also when 0 was asked for."""
        if self._listener is None:
            raise RuntimeError("not started")
        return int(self._listener.getsockname()[1])

    @property
    def pids(self) -> list[int]:
        """API processes first, the worker last; those that serve."""
        return [place.pid for place in [*self._apis, *self._workers] if place.pid is not None]

    def start(self) -> None:
        self._listener = listen(self._settings.host, self._settings.port)
        self._ends = handover.pair()
        inherited = [self._listener.fileno(), *(end.fileno() for end in self._ends)]
        grace_s = self._settings.shutdown_grace.total_seconds()
        api = ["api", *map(str, inherited)]
        self._apis = [
            Place("api", lambda ready: self._spawn(api, ready, inherited), grace_s + API_ENDS_S)
            for _ in range(self._settings.workers)
        ]
        self._workers = [Place("worker", lambda ready: self._spawn(["worker"], ready, []), WORKER_ENDS_S)]
        self._keeper = threading.Thread(target=self._keep, name="supervisor", daemon=True)
        self._keeper.start()
        self._started.wait()
        if self._fault is not None:
            self.stop()
            raise self._fault

    def _spawn(self, arguments: list[str], ready: int, inherited: list[int]) -> subprocess.Popen[bytes]:
        return self._run([*arguments, str(ready)], (*inherited, ready))

    def _run(self, arguments: list[str], inherited: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 -- our own interpreter and module
            [sys.executable, "-m", "app.processes", *arguments, str(os.getpid())],
            env=self._env, pass_fds=inherited, start_new_session=True, stdout=self._output, stderr=self._output,
        )  # fmt: skip

    def _keep(self) -> None:
        try:
            for place in [*self._apis, *self._workers]:
                place.start()
        except OSError as fault:
            self._fault = fault
        self._started.set()
        while not self._stopping.wait(WATCH_S):
            try:
                for place in [*self._apis, *self._workers]:
                    place.watch()
                self._roll()
            except Exception:
                # A process that cannot be started now (no memory, no descriptors) is tried again.
                log.exception("supervision failed")
                self._stopping.wait(1)
        self._end()

    # --- a rolling restart ---

    def restart(self) -> None:
        """Replace every process, one after the other. Returns at once; asked again meanwhile it is done once more."""
        self._restarting.set()

    def _roll(self) -> None:
        if self._replacing is not None:
            if self._replacing.replacing:
                return
            if self._replacing.refused is not None:
                self._give_up(self._replacing.role, self._replacing.refused)
            elif not self._to_replace:
                log.info("restarted", pids=self.pids)
            self._replacing = None
        if self._migration is not None:
            status = self._migration.poll()
            if status is None:
                if time.monotonic() > self._migration_ends:
                    self._migration.kill()
                return
            self._migration = None
            if status == 0:
                self._to_replace.extend([*self._apis, *self._workers])
            else:
                self._give_up("migrate", f"ended with {status}")
        if self._to_replace:
            self._replacing = self._to_replace.popleft()
            self._replacing.replace()
        elif self._restarting.is_set():
            self._restarting.clear()
            log.info("restarting", pids=self.pids)
            self._migration = self._run(["migrate"])
            self._migration_ends = time.monotonic() + self._settings.job_timeout.total_seconds()

    def _give_up(self, role: str, why: str) -> None:
        log.critical("restart given up: what serves stays", role=role, why=why)
        self._to_replace.clear()

    # --- the end ---

    def wait(self) -> None:
        """Until ``stop`` is called, from a signal handler or another thread."""
        while not self._stopping.wait(0.5):
            pass

    def stop(self) -> None:
        """End every child: API processes first, while the clock still runs; then the worker. Safe to call twice."""
        self._stopping.set()
        if self._keeper is not None and self._keeper is not threading.current_thread():
            self._keeper.join()

    def _end(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for end in self._ends or ():
            # Nobody is left to pass a connection on to.
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        if self._migration is not None and self._migration.poll() is None:
            self._migration.terminate()
        began = time.monotonic()
        self._empty(self._apis)
        self._empty(self._workers, max(LEAST_S, ALL_END_S - (time.monotonic() - began)))
        if self._migration is not None:
            self._migration.wait()
        for end in self._ends or ():
            end.close()
        self._ends = None

    @staticmethod
    def _empty(places: list[Place], patience_s: float | None = None) -> None:
        for place in places:
            place.leave(patience_s)
        while not all(place.empty() for place in places):
            time.sleep(WATCH_S)


def serve(settings: Settings) -> None:
    """Run a server until SIGINT or SIGTERM; SIGHUP is a rolling restart. Refuses to start while the demo's accounts
    exist."""
    configure(settings)
    # Until the processes run, SIGTERM is what Ctrl-C is: the stores that were started are stopped on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with stores(settings) as urls:
        migrate(urls.database_url)
        asyncio.run(_refuse_demo_accounts(settings, urls.database_url, urls.redis_url))
        supervisor = Supervisor(settings, environment(settings, urls))
        asked = threading.Event()
        try:
            supervisor.start()
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: asked.set())
            signal.signal(signal.SIGHUP, lambda *_: supervisor.restart())
            log.info("serving", host=settings.host, port=supervisor.port, pids=supervisor.pids)
            while not asked.wait(0.5):
                pass
        finally:
            supervisor.stop()


def environment(settings: Settings, urls: Urls) -> dict[str, str]:
    """What the children must see as the supervisor does, whether it came from a variable or from an option."""
    return {
        "HOLDFAST_DATA_DIR": str(settings.data_dir.absolute()),
        "HOLDFAST_DATABASE_URL": urls.database_url,
        "HOLDFAST_REDIS_URL": urls.redis_url,
    }


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


if __name__ == "__main__":
    # A supervisor that runs since the release before this one starts and replaces its processes by this name.
    from app.processes import child

    child(sys.argv[1:])
