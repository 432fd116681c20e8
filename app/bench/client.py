"""A lean HTTP client for measuring: keep-alive connections, prebuilt requests, no parsing beyond what counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

# (connection, n-th request) → the request's bytes.
Build = Callable[[int, int], bytes]


@dataclass(slots=True)
class Measured:
    """Requests answered 200 within the time, and how long each took (seconds)."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    failures: int = 0

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def quantile(self, q: float) -> float:
        """The q-quantile of the latencies in ms; nan without any."""
        if not self.latencies:
            return float("nan")
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(q * len(ordered)))] * 1000


def request(path: str, token: str, body: bytes) -> bytes:
    """The bytes of a POST as a browser would send it."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def load(host: str, port: int, connections: int, seconds: float, build: Build) -> Measured:
    """Each connection sends its next request as soon as the last is answered, for ``seconds``."""
    measured = Measured(seconds)
    opened = await asyncio.gather(*[asyncio.open_connection(host, port) for _ in range(connections)])
    until = time.perf_counter() + seconds
    try:
        await asyncio.gather(*[_drive(number, *pair, until, build, measured) for number, pair in enumerate(opened)])
    finally:
        for _, writer in opened:
            writer.close()
    return measured


async def _drive(
    number: int,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    until: float,
    build: Build,
    measured: Measured,
) -> None:
    n = 0
    while (started := time.perf_counter()) < until:
        n += 1
        writer.write(build(number, n))
        if await answered(reader):
            measured.latencies.append(time.perf_counter() - started)
        else:
            measured.failures += 1


async def answered(reader: asyncio.StreamReader) -> bool:
    """Read one reply; whether it is a 200."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = _content_length(head)
    if length:
        await reader.readexactly(length)
    return head.startswith(b"HTTP/1.1 200")


def _content_length(head: bytes) -> int:
    at = head.lower().find(b"content-length:")
    return 0 if at < 0 else int(head[at + 15 : head.index(b"\r\n", at)])
