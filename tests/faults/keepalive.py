"""Clients that keep their connection and never ask twice: whatever goes wrong on the line is counted.

A browser repeats a request by itself when a kept connection turns out to be closed, and httpx looks before it sends.
These do neither, so what they count is what the server did.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

REQUEST = b"GET /livez HTTP/1.1\r\nHost: hall\r\n\r\n"


class Kept:
    """One connection after another; the next one only when the server said that this one ends."""

    def __init__(self, port: int, pause_s: float) -> None:
        self.port = port
        self.pause_s = pause_s
        self.answers = 0
        self.told_to_go = 0
        self.errors: list[str] = []

    async def run(self, stop: asyncio.Event) -> None:
        reader = writer = None
        while not stop.is_set():
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(REQUEST)
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
            except (OSError, EOFError) as fault:
                self.errors.append(repr(fault))
                if writer is not None:
                    writer.close()
                writer = None
                await asyncio.sleep(0.1)
                continue
            self.answers += 1
            if not head.startswith(b"http/1.1 200 "):
                self.errors.append(head.decode())
            if b"connection: close" in head:
                self.told_to_go += 1
                writer.close()
                writer = None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(random.uniform(0, 2 * self.pause_s)):
                    await stop.wait()
        if writer is not None:
            writer.close()


@asynccontextmanager
async def keeping(port: int) -> AsyncIterator[list[Kept]]:
    """Sixty clients, from one that hardly pauses to one that is idle most of the time."""
    stop = asyncio.Event()
    clients = [Kept(port, pause) for pause in [0.005] * 5 + [0.1] * 25 + [1.0] * 30]
    tasks = [asyncio.create_task(one.run(stop)) for one in clients]
    try:
        yield clients
    finally:
        stop.set()
        await asyncio.gather(*tasks)
