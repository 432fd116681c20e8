"""What runs in the processes that a supervisor starts: an API process, the worker, or a migration.

Each imports what its own role needs, when it knows its role: with everything in all of them a server would start in
half as much time again, and so would each process that replaces one that died.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import os
import signal
import socket
import sys
from collections.abc import Iterator

from app.children import CAN_ANSWER
from app.handover import Handover
from app.logs import configure
from app.settings import Settings

PR_SET_PDEATHSIG = 1


def _die_with_parent(parent: int) -> None:
    """SIGTERM to this process when the supervisor is gone, however it went."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit("the supervisor is gone")


def _urls(settings: Settings) -> tuple[str, str]:
    if settings.database_url is None or settings.redis_url is None:
        raise SystemExit("the supervisor hands both store addresses to its processes")
    return settings.database_url.get_secret_value(), settings.redis_url.get_secret_value()


def _api(settings: Settings, listener: int, give: int, take: int, ready: int) -> None:
    database_url, redis_url = _urls(settings)
    with _importing():
        from app.main import create_app  # noqa: PLC0415
        from app.server import Server  # noqa: PLC0415

    app = create_app(settings, database_url=database_url, redis_url=redis_url)
    passing = Handover(socket.socket(fileno=give), socket.socket(fileno=take))
    Server(app, settings, passing, ready).run(sockets=[socket.socket(fileno=listener)])


def _worker(settings: Settings, ready: int) -> None:
    database_url, redis_url = _urls(settings)
    with _importing():
        from app.worker import loops  # noqa: PLC0415

    # It advances everybody's clock and works little: it may go first, where the system allows it.
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -10)

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await loops.run(settings, database_url=database_url, redis_url=redis_url, stop=stop, ready=lambda: _say(ready))

    asyncio.run(main())


def _migrate(settings: Settings) -> None:
    with _importing():
        from app.storage.postgres.engine import migrate  # noqa: PLC0415

    migrate(_urls(settings)[0])


@contextlib.contextmanager
def _importing() -> Iterator[None]:
    """What is imported stays for good: to look through it for garbage again and again takes a fifth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _say(ready: int) -> None:
    os.write(ready, CAN_ANSWER)
    os.close(ready)


def child(arguments: list[str]) -> None:
    """The entry of a child process: ``api LISTENER GIVE TAKE READY PARENT``, ``worker READY PARENT`` or ``migrate
    PARENT``; all but PARENT (a pid) are inherited descriptors."""
    settings = Settings()
    configure(settings)
    role, *descriptors, parent = arguments
    _die_with_parent(int(parent))
    # A terminal that closes, or an eager `killall -HUP`, is no reason for a child to end.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with contextlib.suppress(KeyboardInterrupt):
        if role == "api":
            _api(settings, *map(int, descriptors))
        elif role == "worker":
            _worker(settings, int(descriptors[0]))
        else:
            _migrate(settings)


if __name__ == "__main__":
    child(sys.argv[1:])
