"""The HTTP server of one API process, and how it goes without anybody noticing.

Told to end (SIGTERM), a process

1. stops accepting; the listening socket is shared, so the other processes take what comes;
2. ends its event streams, which tell their pages to open the next one;
3. answers what is under way, with ``Connection: close`` where the answer has not begun;
4. passes every connection on which nothing is under way to another process (``app.handover``); when the whole server
   stops and there is none, such a connection is answered for a second more, with ``Connection: close``, and then
   closed;
5. ends the application, which lets the writer answer and commit all it holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
import time
from types import FrameType
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.api.problems import language, problem, refusal_of
from app.checkpoint.queue import SHED
from app.domain.checkpoints import Overloaded
from app.handover import Handover
from app.services.site import Site
from app.settings import Settings

log = structlog.get_logger(__name__)
LOOK_S = 0.02
# How long idle connections are answered when there is nobody to pass them on to.
LINGER_S = 1.0
# Objects made and not yet freed before the collector looks for cycles, and looks before it looks at older ones as well.
# Requests that wait for a commit are alive: at Python's own 700 it went through all of them again and again, which took
# a fifth of the time of a busy process.
COLLECT = (20_000, 20, 50)
CAN_ANSWER, CANNOT_YET = b"+", b"-"
# How long a process that takes connections may need until it can answer. One that gets little processor time on a busy
# machine is no reason to give a restart up.
SAYS_S = 20.0


async def too_many(scope: Scope, receive: Receive, send: Send) -> None:
    """The application of a connection beyond the most: it is told when to come again, and closed."""
    SHED.labels("connections").inc()
    refusal = problem(refusal_of(Overloaded("connections")), language(Request(scope)))
    refusal.headers["Connection"] = "close"
    await refusal(scope, receive, send)


class Protocol(HttpToolsProtocol):
    """uvicorn's, knowing whether anything is under way on its connection.

    ``limit_concurrency`` of the configuration bounds the connections here and not uvicorn's way, which refuses whoever
    sends next, says nothing of when to come again, and writes a line of log each time. Who is connected stays so.
    """

    # Between the first byte of a request and its last.
    _arriving = False
    leaving = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        most, self.limit_concurrency = self.limit_concurrency, None
        if most is not None and len(self.connections) > most:
            self.app = too_many

    def on_message_begin(self) -> None:
        self._arriving = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if self.leaving:
            self.last_answer()

    def on_message_complete(self) -> None:
        self._arriving = False
        super().on_message_complete()

    @property
    def idle(self) -> bool:
        """Every request that has come was answered, and every byte of the answers is with the kernel."""
        answered = self.cycle is None or self.cycle.response_complete
        return answered and not self._arriving and not self.pipeline and self.transport.get_write_buffer_size() == 0

    def last_answer(self) -> None:
        """Say ``Connection: close`` with the answer under way, if it has not begun: the client then opens another
        connection by itself. One that has begun keeps its word, and the connection is passed on after it."""
        self.leaving = True
        if self.cycle is not None and not self.cycle.response_started:
            self.cycle.keep_alive = False

    def pass_on(self, handover: Handover) -> bool:
        """Let another process go on with the connection; here it is gone."""
        raw = self.transport.get_extra_info("socket")
        self.transport.pause_reading()
        if raw is None or not handover.pass_on(raw.fileno()):
            self.transport.resume_reading()
            return False
        self._unset_keepalive_if_required()
        # Closes this process's descriptor only; nothing is sent.
        self.transport.abort()
        return True


class Server(uvicorn.Server):
    """``ready`` is written one byte once connections are taken: CAN_ANSWER, or CANNOT_YET after ``SAYS_S``."""

    def __init__(self, app: FastAPI, settings: Settings, handover: Handover, ready: int) -> None:
        grace = settings.shutdown_grace.total_seconds()
        super().__init__(
            uvicorn.Config(
                app, loop="uvloop", http=Protocol, log_config=None, access_log=False, lifespan="on", ws="none",
                server_header=False, date_header=True, proxy_headers=False, timeout_keep_alive=75, backlog=4096,
                timeout_graceful_shutdown=int(grace), limit_concurrency=settings.max_connections,
            )
        )  # fmt: skip
        self._app = app
        self._grace_s = grace
        self._handover = handover
        self._ready = ready
        self._adopting: set[asyncio.Task[Any]] = set()
        self._leaving_since: float | None = None
        self._saying: asyncio.Task[None] | None = None

    @property
    def _site(self) -> Site:
        site: Site = self._app.state.deps.site
        return site

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        # What is there now stays for good: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT)
        self._handover.listen(self._adopt)
        self._saying = asyncio.create_task(self._say())

    async def _say(self) -> None:
        try:
            can = await self._site.settled(SAYS_S)
            with contextlib.suppress(BrokenPipeError):  # it was given up meanwhile
                os.write(self._ready, CAN_ANSWER if can else CANNOT_YET)
        finally:
            os.close(self._ready)

    def _adopt(self, taken: socket.socket) -> None:
        def protocol() -> asyncio.Protocol:
            return Protocol(self.config, self.server_state, self.lifespan.state)

        task = asyncio.ensure_future(asyncio.get_running_loop().connect_accepted_socket(protocol, taken))
        self._adopting.add(task)
        task.add_done_callback(self._adopted)

    def _adopted(self, task: asyncio.Task[Any]) -> None:
        self._adopting.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            # Its client went while it was on its way.
            log.info("connection not adopted", fault=repr(fault))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.started and self._leaving_since is None:
            self._leaving_since = time.monotonic()
            # A signal handler runs in the middle of anything: the loop does the work, and wakes up for it.
            self._loop.call_soon_threadsafe(self._go)
        super().handle_exit(sig, frame)

    def _go(self) -> None:
        """Steps 1 and 2, without waiting for uvicorn to look whether it shall end."""
        self._handover.deafen()
        for server in self.servers:
            server.close()
        self._site.closing.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._leaving_since is None:
            self._leaving_since = time.monotonic()
        self._go()
        for one in sockets or []:
            one.close()
        await self._let_go(self._leaving_since + self._grace_s, self._leaving_since + LINGER_S)
        for task in [*self.server_state.tasks, *self._adopting, *([self._saying] if self._saying else [])]:
            task.cancel()
        if self.server_state.tasks:
            log.warning("requests cut off", n=len(self.server_state.tasks))
            await asyncio.wait(self.server_state.tasks, timeout=LINGER_S)
        await self.lifespan.shutdown()

    async def _let_go(self, ends: float, close_idle: float) -> None:
        """Steps 3 and 4, until no connection is left or the time is up."""
        passed = 0
        while (left := list(self.server_state.connections)) and time.monotonic() < ends:
            for one in left:
                if not isinstance(one, Protocol):
                    raise TypeError(one)
                one.last_answer()
                if not one.idle:
                    continue
                if one.pass_on(self._handover):
                    passed += 1
                elif not self._handover.open and time.monotonic() >= close_idle:
                    one.transport.close()
            await asyncio.sleep(LOOK_S)
        log.info("connections let go", passed_on=passed, left=len(self.server_state.connections))
