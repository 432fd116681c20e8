"""Many open event streams in one process, and the instant at which each of them hears something."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import cast

SNAPSHOT = b"event: snapshot"
# Opening one costs the server a resume: so many at a time.
OPENING = 32
AGAIN_S = 1.0
# A first byte of one frame may come with the last of another.
_REST = 32


class Hall:
    """All streams of one server. ``expect`` what is to be heard, cause it, wait for ``all_heard``."""

    def __init__(self) -> None:
        self._streams: list[_Stream] = []
        self._mark = b""
        self._heard: dict[_Stream, float] = {}
        self._done = asyncio.Event()
        # The whole frame as the first stream that heard it had it.
        self.frame = b""
        self.lost = 0
        # Bytes and events of all streams since they were opened.
        self.bytes = self.events = 0

    def __len__(self) -> int:
        return len(self._streams)

    def expect(self, mark: bytes) -> None:
        self._mark, self._heard, self.frame = mark, {}, b""
        self._done = asyncio.Event()

    async def all_heard(self, patience_s: float) -> list[float]:
        """When each stream heard it (``time.perf_counter``), in order. TimeoutError says how many did not."""
        try:
            async with asyncio.timeout(patience_s):
                await self._done.wait()
        except TimeoutError as fault:
            missing = len(self._streams) - len(self._heard)
            raise TimeoutError(
                f"{missing} of {len(self._streams)} streams never heard {self._mark.decode()}"
            ) from fault
        return sorted(self._heard.values())

    def opened(self, stream: _Stream) -> None:
        self._streams.append(stream)

    def took(self, stream: _Stream, data: bytes) -> None:
        """``data`` came on ``stream``: what it had not looked at yet, after the end of what it had."""
        if not self._mark or (at := data.find(self._mark)) < 0 or stream in self._heard:
            return
        self._heard[stream] = time.perf_counter()
        if not self.frame:
            self.frame = data[at:].partition(b"\n\n")[0] + b"\n\n"
        if len(self._heard) == len(self._streams):
            self._done.set()


class _Stream(asyncio.Protocol):
    def __init__(self, hall: Hall, request: bytes, begins: bytes) -> None:
        self._hall, self._request, self._begins, self._rest = hall, request, begins, b""
        self._open = False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.WriteTransport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        self._hall.bytes += len(data)
        self._hall.events += data.count(b"event: ")
        data = self._rest + data
        self._rest = data[-_REST:]
        if not self._open:
            if self._begins in data:
                self._open = True
                self._hall.opened(self)
                self.ready.set_result(None)
            elif not data.startswith(b"HTTP/1.1 200") and not self.ready.done():
                self.ready.set_exception(ConnectionError(data[:300].decode(errors="replace")))
            return
        self._hall.took(self, data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(f"closed before it began: {exc}"))
        self._hall.lost += 1


def request(path: str, token: str) -> bytes:
    """The bytes with which a page opens its stream."""
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


@asynccontextmanager
async def opened(
    port: int, requests: Sequence[bytes], *, patience_s: float, begins: bytes = SNAPSHOT
) -> AsyncIterator[Hall]:
    """One open stream per request, until the block is left; it is open once it has sent ``begins``.

    One that is refused is asked for again after a second, as a page would; ConnectionError with the last refusal after
    ``patience_s``.
    """
    hall, loop = Hall(), asyncio.get_running_loop()
    gate = asyncio.Semaphore(OPENING)
    ends = loop.time() + patience_s
    transports: list[asyncio.BaseTransport] = []

    async def one(number: int, wanted: bytes) -> None:
        # Of an address pair there are some 28,000 ports; what was closed a moment ago still holds its own.
        local = (f"127.0.0.{1 + number % 8}", 0)
        while True:
            async with gate:
                transport, stream = await loop.create_connection(
                    lambda: _Stream(hall, wanted, begins), "127.0.0.1", port, local_addr=local
                )
                try:
                    await stream.ready
                except ConnectionError:
                    transport.close()
                    if loop.time() > ends:
                        raise
                else:
                    transports.append(transport)
                    return
            await asyncio.sleep(AGAIN_S)

    try:
        await asyncio.gather(*[one(number, wanted) for number, wanted in enumerate(requests)])
        hall.lost = 0
        yield hall
    finally:
        for transport in transports:
            with contextlib.suppress(OSError):
                transport.close()
