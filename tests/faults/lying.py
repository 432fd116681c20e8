"""Servers whose clocks can be made to lie, and candidates who hold them to the truth."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self

import httpx
from sqlalchemy import text

from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis
from app.settings import Settings
from app.storage.postgres.engine import create_engine
from failover.wall_clock import WallClock
from tests.candidates import SECRET
from tests.e2e.server import Server
from tests.factories import world
from tests.faults.own import PATIENCE_S
from tests.faults.recording import Recorder, answering, check

# What the counter may be ahead of the last confirmed step, and a reply behind its question.
TOLERANCE_MS = 1000
# libfaketime looks for a new offset once a second.
NOTICED_S = 1.2


@dataclass(frozen=True, slots=True)
class Told:
    """One reply: when it was asked for and heard (monotonic seconds), and what it said."""

    asked: float
    heard: float
    remaining_ms: int
    buffered: bool


class Watcher(Recorder):
    """Answers as everybody does, and keeps what it was told; ``lines`` are the servers it asks, at random."""

    def __init__(self, *args, **more) -> None:
        super().__init__(*args, **more)
        self.told: list[Told] = []
        self.lines: Sequence[httpx.AsyncClient] = ()

    async def send(self, *responses: dict, **more) -> httpx.Response:
        if self.lines:
            self.client = self.random.choice(self.lines)
        asked = time.monotonic()
        reply = await super().send(*responses, **more)
        if reply.status_code == 200:
            said = reply.json()
            buffered = said["durability"] == "buffered"
            self.told.append(Told(asked, time.monotonic(), said["clock"]["remaining_ms"], buffered))
        return reply

    def silence(self, since: float) -> float:
        """Seconds from ``since`` (monotonic) to the first thing that was heard of what was asked after it."""
        return min(one.heard for one in self.told if one.asked > since) - since

    def paid(self, *, away_s: float = 0.0) -> None:
        """The law: no more is gone than passed, less what nobody served, and nothing is given.

        What nobody served may be told late: an acknowledgement that is buffered knows no credit yet, so the reply after
        it may say more than it did, up to ``away_s``.
        """
        first, last = self.told[0], self.told[-1]
        gone = first.remaining_ms - last.remaining_ms
        may = (last.heard - first.asked - away_s) * 1000
        assert gone <= may + TOLERANCE_MS, f"{self.person.ticket} paid {gone} ms of {may:.0f} ms"
        for before, after in pairwise(self.told):
            lost = before.remaining_ms - after.remaining_ms
            given = TOLERANCE_MS + (away_s * 1000 if before.buffered else 0)
            assert -given <= lost <= (after.heard - before.asked) * 1000 + TOLERANCE_MS, (before, after)


@asynccontextmanager
async def watching(engine, secret: bytes, urls: Sequence[str], *, candidates: int = 4) -> AsyncIterator[list[Watcher]]:
    """An exam of its own that has just begun, everybody answering through all of ``urls`` while the block runs; then
    nobody may have lost an answer."""
    async with engine.connect() as conn:
        now = await conn.scalar(text("SELECT counter_ms FROM service_clock"))
    code = f"exam{secrets.token_hex(3)}"
    made = await world(engine, secret, candidates=candidates, start_ms=now, code=code, last_admission_ms=10**9)
    async with AsyncExitStack() as stack:
        lines = [
            await stack.enter_async_context(httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=4.0, trust_env=False))
            for url in urls
        ]
        async with answering(urls[0], made, Watcher) as people:
            for one in people:
                one.lines = lines
            await heard(people, 5)
            yield people
            await heard(people, 8)
        await check(engine, people)


async def heard(people: Sequence[Watcher], times: int) -> None:
    """Until everybody was told the time ``times`` more, durably: both stores are there and followed."""
    had = [(len(one.told), one.kinds.get("durable", 0)) for one in people]
    deadline = time.monotonic() + PATIENCE_S
    while not all(
        len(one.told) >= told + times and one.kinds.get("durable", 0) >= durable + times
        for one, (told, durable) in zip(people, had, strict=True)
    ):
        assert time.monotonic() < deadline, [(len(one.told), one.kinds) for one in people]
        await asyncio.sleep(0.05)


class Clocked(Server):
    """A server whose processes read a wall clock that can be moved."""

    def __init__(self, place: Path, **settings: str) -> None:
        super().__init__(place, **settings)
        place.mkdir(parents=True, exist_ok=True)
        self.clock = WallClock(place / "clock")

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | self.clock.environment


class Site:
    """A server and its stores, and a second server for those who start it. Every wall clock can be moved by itself."""

    def __init__(self, at: Path) -> None:
        self._at = at
        self.stores = WallClock(at / "stores.clock")
        self.postgres = EmbeddedPostgres(at)
        self.redis = EmbeddedRedis(at)
        urls = {"database_url": self.postgres.url, "redis_url": self.redis.url, "secret_key": SECRET}
        self.server, self.second = (Clocked(at / name, **urls) for name in ("one", "two"))

    async def move(self, seconds: float) -> None:
        """All wall clocks are so far from the truth; returns once everybody has noticed."""
        for clock in (self.stores, self.server.clock, self.second.clock):
            clock.set(seconds)
        await asyncio.sleep(NOTICED_S)
        # A process that gets no core reads its clock file later than that.
        async with asyncio.timeout(60):
            while abs(await self.wrong_by_s() - seconds) > NOTICED_S:
                await asyncio.sleep(NOTICED_S / 4)

    async def wrong_by_s(self) -> float:
        """How far the record's wall clock is from this machine's, in seconds."""
        async with self.engine() as engine, engine.connect() as conn:
            told = await conn.scalar(text("SELECT extract(epoch FROM clock_timestamp())"))
        return float(told) - time.time()

    def start_store(self, store: EmbeddedPostgres | EmbeddedRedis) -> None:
        with inherited(self.stores.environment):
            store.start()

    @asynccontextmanager
    async def engine(self):
        made = create_engine(self.postgres.url, Settings(), name="holdfast-test", pool_size=2)
        try:
            yield made
        finally:
            await made.dispose()

    @asynccontextmanager
    async def sitting(self, *servers: Server):
        """Everybody answers, through all of ``servers`` (the one)."""
        urls = [one.url for one in servers or (self.server,)]
        async with self.engine() as engine, watching(engine, SECRET.encode(), urls) as people:
            yield people

    def __enter__(self) -> Self:
        self._stack = contextlib.ExitStack()
        with contextlib.ExitStack() as stack:
            for store in (self.postgres, self.redis):
                self.start_store(store)
                stack.callback(store.stop)
            self.server.start()
            for one in (self.server, self.second):
                stack.callback(one.stop)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_) -> None:
        self._stack.close()


@contextmanager
def inherited(values: dict[str, str]) -> Iterator[None]:
    """Our own environment, for what is started meanwhile."""
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            del os.environ[name]
