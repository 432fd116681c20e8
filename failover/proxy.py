"""A TCP proxy between the server and one store, in which the line can break in every way a line breaks.

    async with Proxy(unix_socket) as line:
        line.port                     # where the server is told the store is
        async with line.broken("stall"): ...

The ways:

* ``reset``: every open connection ends with RST (``SO_LINGER`` 0); new ones work.
* ``refuse``: open connections end with RST, and so does every new one.
* ``drop``: connections are accepted and stay open, every byte vanishes; whoever was on them afterwards meets RST.
* ``stall``: the same, but nothing vanishes: what was sent arrives when the line is back, also from a sender that has
  long given up. TCP does that with a cable that was pulled for some seconds.
* ``delay``: every piece of data takes ``delay_s`` longer.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from app import background

Way = Literal["reset", "refuse", "drop", "stall", "delay"]
CHUNK = 65_536
RESET = struct.pack("ii", 1, 0)


class _Line:
    """One connection of a client, and the one to the store that belongs to it."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.near = writer
        self.far: asyncio.StreamWriter | None = None
        # Bytes of it have vanished: nothing sensible can follow on it.
        self.spoilt = False

    def reset(self) -> None:
        """End both halves; the client's with RST."""
        raw: socket.socket | None = self.near.get_extra_info("socket")
        with contextlib.suppress(OSError):
            if raw is not None:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.near.transport.abort()
        if self.far is not None:
            self.far.transport.abort()


class Proxy:
    """Listens on a port of its own at 127.0.0.1 and passes everything on to the store's unix socket."""

    def __init__(self, store: Path) -> None:
        self.port = 0
        self._store = store
        self._server: asyncio.Server | None = None
        self._lines: set[_Line] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._way: Way | None = None
        self._delay_s = 0.0
        self._whole = asyncio.Event()
        self._whole.set()

    @property
    def lines(self) -> int:
        """Connections that are open now."""
        return len(self._lines)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        self._whole.set()
        # They end by themselves: a cancelled connection handler is reported as a fault by asyncio's own streams.
        while self._tasks:
            self.cut()
            await asyncio.wait(self._tasks, timeout=0.1)

    def cut(self) -> None:
        """RST for every open connection."""
        for line in list(self._lines):
            line.reset()

    @asynccontextmanager
    async def broken(self, way: Way, *, delay_s: float = 0.2) -> AsyncIterator[None]:
        """The line is broken in this way while the block runs; ``reset`` breaks it once, at the beginning.

        Breaks of one line do not nest: the later one waits for nobody and takes over.
        """
        if way in ("reset", "refuse"):
            self.cut()
        if way == "reset":
            yield
            return
        self._way, self._delay_s = way, delay_s
        if way == "stall":
            self._whole.clear()
        try:
            yield
        finally:
            if self._way == way:
                self._way = None
            self._whole.set()
            for line in list(self._lines):
                if line.spoilt:
                    line.reset()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = _Line(writer)
        if self._way == "refuse":
            line.reset()
            return
        self._lines.add(line)
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        try:
            await self._whole.wait()
            try:
                far_reader, line.far = await asyncio.open_unix_connection(str(self._store))
            except OSError:
                # The store is gone: the client learns it as it would learn it from the store's own machine.
                line.reset()
                return
            there = asyncio.create_task(self._pump(line, reader, line.far))
            back = asyncio.create_task(self._pump(line, far_reader, writer))
            try:
                await asyncio.wait({there, back}, return_when=asyncio.ALL_COMPLETED)
            finally:
                await background.end(there)
                await background.end(back)
        finally:
            self._lines.discard(line)
            if task is not None:
                self._tasks.discard(task)
            for half in (line.near, line.far):
                if half is not None:
                    half.transport.abort() if line.spoilt else half.close()

    async def _pump(self, line: _Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on until one side ends; then the other learns of it."""
        try:
            while data := await reader.read(CHUNK):
                await self._whole.wait()
                if self._way == "drop":
                    line.spoilt = True
                    continue
                if self._way == "delay":
                    await asyncio.sleep(self._delay_s)
                writer.write(data)
                await writer.drain()
        except OSError:
            line.reset()
            return
        # A half-open connection is nothing the stores use: the end of one direction is the end of both.
        await self._whole.wait()
        writer.close()
