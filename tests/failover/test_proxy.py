"""Every way in which the line breaks, seen from a client and from the store behind it."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from failover.proxy import Proxy

PATIENCE_S = 60


@asynccontextmanager
async def echo():
    """A store that says everything back in capitals; yields (proxy, what it was told)."""
    told: list[bytes] = []

    async def serve(reader, writer):
        while data := await reader.read(1000):
            told.append(data)
            writer.write(data.upper())
            await writer.drain()
        writer.close()

    with tempfile.TemporaryDirectory(prefix="hf-") as place:
        path = Path(place) / "store"
        server = await asyncio.start_unix_server(serve, path)
        try:
            async with Proxy(path) as line:
                yield line, told
        finally:
            server.close()


class Client:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def ask(self, text: bytes) -> bytes:
        self.writer.write(text)
        await self.writer.drain()
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.read(1000)


@asynccontextmanager
async def connected(line):
    client = Client(*await asyncio.open_connection("127.0.0.1", line.port))
    try:
        yield client
    finally:
        client.writer.close()


async def refused(client) -> bool:
    """Whether the line ends at once, with or without an error."""
    try:
        return await client.ask(b"a") == b""
    except ConnectionError:
        return True


async def hears_nothing(client) -> None:
    """Nothing comes: looked at for as long as a reply over the loopback needs many times over."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await client.reader.read(1)


async def test_a_whole_line_passes_everything_on_both_ways():
    async with echo() as (line, _), connected(line) as one, connected(line) as other:
        assert await one.ask(b"a") == b"A"
        assert await other.ask(b"b") == b"B"
        assert line.lines == 2


async def test_a_reset_ends_what_is_open_with_an_error_and_new_connections_work():
    async with echo() as (line, _), connected(line) as one:
        await one.ask(b"a")
        async with line.broken("reset"):
            with pytest.raises(ConnectionResetError):
                await one.ask(b"b")
            async with connected(line) as other:
                assert await other.ask(b"c") == b"C"


async def test_a_refusing_line_takes_nobody_and_afterwards_everybody():
    async with echo() as (line, told):
        async with line.broken("refuse"), connected(line) as one:
            assert await refused(one)
        async with connected(line) as other:
            assert await other.ask(b"b") == b"B"
        assert told == [b"b"]


async def test_a_dropping_line_stays_open_and_nothing_arrives():
    async with echo() as (line, told), connected(line) as one:
        await one.ask(b"a")
        async with line.broken("drop"):
            one.writer.write(b"b")
            await hears_nothing(one)
        # What has lost bytes is of no use any more, and says so.
        with pytest.raises(ConnectionResetError):
            await one.ask(b"c")
        assert told == [b"a"]


async def test_a_stalled_line_delivers_late_even_from_a_sender_that_has_gone():
    async with echo() as (line, told), connected(line) as one:
        await one.ask(b"a")
        async with line.broken("stall"):
            async with connected(line) as gone:
                gone.writer.write(b"from one who has gone")
                await gone.writer.drain()
            one.writer.write(b"b")
            await hears_nothing(one)
            assert told == [b"a"]
        async with asyncio.timeout(PATIENCE_S):
            assert await one.reader.read(1000) == b"B"
            while b"from one who has gone" not in told:
                await asyncio.sleep(0.01)


async def test_a_slow_line_takes_its_time_each_way():
    loop = asyncio.get_running_loop()
    async with echo() as (line, _), connected(line) as one, line.broken("delay", delay_s=0.2):
        start = loop.time()
        assert await one.ask(b"a") == b"A"
        assert loop.time() - start >= 0.4


async def test_a_store_that_is_not_there_is_a_reset():
    with tempfile.TemporaryDirectory(prefix="hf-") as place:
        async with Proxy(Path(place) / "nothing") as line, connected(line) as one:
            assert await refused(one)
