"""``holdfast bench watch``: what the staff's open pages cost while the whole hall answers.

Real server processes and stores. Every candidate sends a heartbeat every ten seconds, one in five with an answer. In
alternating halves of each round the staff's pages are closed and open: one and a half per room, the rest of the 81 on
the office's page. The figure is the difference of the CPU time of the server's processes and both stores between the
halves, in hundredths of one core, and beside it what they used without any page. The halves change their order from
round to round.

Before anybody answers, the same once without heartbeats: all of the hall is silent then, every look works out every
state, and nothing else uses the cores that could hide what the pages cost.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import uvloop

from app.bench import client, cpu, streams
from app.bench.checkpoint import CHECKPOINTS, PATIENCE_S, environment, stored
from app.bench.push import Office, kept_quiet
from app.bench.seats import Seat, prepare
from app.settings import Settings
from app.storage.postgres.engine import asyncpg_arguments, migrate
from app.supervise import Supervisor

Say = Callable[[str], None]
BEAT_S = 10.0
ANSWERS = 5
CONNECTIONS = 188
# Until everybody has been heard once, and until pages that were opened have been drawn.
WARM_S, SETTLE_S = 2.5 * BEAT_S, 6.0
MEASURED = (cpu.API, cpu.POSTGRES, cpu.REDIS, cpu.WORKER)
ASKED = 10


@dataclass(frozen=True, slots=True)
class Round:
    """Hundredths of one core without and with the pages; events and kilobytes a second to all of them; how long the
    whole hall takes to be asked for (ms); heartbeats answered a second."""

    without: float
    with_pages: float
    events: float
    kilobytes: float
    asked_ms: float
    beats: float

    @property
    def cost(self) -> float:
        return self.with_pages - self.without


@dataclass(frozen=True, slots=True)
class Watched:
    candidates: int
    room_pages: int
    hall_pages: int
    # The same difference while nobody answers.
    silent: float
    rounds: list[Round]
    failures: int

    def median(self, name: str) -> float:
        return float(statistics.median(getattr(one, name) for one in self.rounds))


def run(settings: Settings, *, candidates: int, pages: int, rounds: int, seconds: float, say: Say) -> Watched:
    """Measure. Everything runs in a data directory of its own that is removed; needs stores of its own, whose CPU time
    can be told from others': ValueError where they are set from outside."""
    if settings.database_url is not None or settings.redis_url is not None:
        raise ValueError("the stores' CPU time is read: unset HOLDFAST_DATABASE_URL, HOLDFAST_REDIS_URL")
    with ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-bench-"))
        own = settings.model_copy(update={"data_dir": Path(place), "port": 0, "host": "127.0.0.1"})
        hall = stack.enter_context(stored(own))
        migrate(hall.database_url)
        seats = asyncio.run(prepare(own, hall.database_url, candidates))
        output = stack.enter_context(kept_quiet(Path(place) / "server.log"))
        supervisor = Supervisor(own, environment(own, hall) | {"HOLDFAST_LOG_FORMAT": "json"}, output=output)
        supervisor.start()
        stack.callback(supervisor.stop)
        return uvloop.run(_measure(own, hall.database_url, supervisor.port, seats, pages, rounds, seconds, say))


async def _measure(
    settings: Settings,
    database_url: str,
    port: int,
    seats: Sequence[Seat],
    pages: int,
    rounds: int,
    seconds: float,
    say: Say,
) -> Watched:
    async with AsyncExitStack() as stack:
        record = await asyncpg.connect(**asyncpg_arguments(database_url), timeout=PATIENCE_S)
        stack.push_async_callback(record.close)
        asking = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S, trust_env=False)
        office = Office(await stack.enter_async_context(asking), record)
        await office.sign_in(settings, database_url)
        rooms = [row["id"] for row in await record.fetch("SELECT id FROM room ORDER BY ordinal")]
        beats = Beats(port, seats)
        wanted = paths(rooms, office.session, pages)
        await asyncio.sleep(SETTLE_S)
        alone = await _round(office, port, beats, wanted, seconds, open_first=False)
        say(f"{len(seats)} candidates, {len(wanted)} pages; while nobody answers {alone.cost:.1f} % of a core for them")
        stack.enter_context(beats.going())
        await asyncio.sleep(WARM_S)
        # The first of everybody meet cold caches, and a server that may tell them to come again.
        beats.failures = 0
        measured = []
        for number in range(rounds):
            one = await _round(office, port, beats, wanted, seconds, open_first=bool(number % 2))
            say(
                f"round {number + 1}: {one.with_pages:.1f} % of a core with the pages, {one.without:.1f} without, so"
                f" {one.cost:.1f} for them; {one.events:.0f} events and {one.kilobytes:.0f} kB/s,"
                f" the hall in {one.asked_ms:.0f} ms, {one.beats:.0f} heartbeats/s"
            )
            measured.append(one)
        hall_pages = sum("/hall/" in path for path in wanted)
        return Watched(len(seats), len(wanted) - hall_pages, hall_pages, alone.cost, measured, beats.failures)


def paths(rooms: Sequence[int], session: int, pages: int) -> list[str]:
    """One page per room, a second one in every other room, and the office's page for the rest."""
    watched = [*rooms, *rooms[::2]][:pages]
    in_rooms = [f"/api/v1/staff/rooms/{room}/events?session={session}" for room in watched]
    return in_rooms + [f"/api/v1/staff/hall/events?session={session}"] * (pages - len(in_rooms))


async def _round(
    office: Office, port: int, beats: Beats, wanted: Sequence[str], seconds: float, *, open_first: bool
) -> Round:
    without = 0.0 if open_first else (await _used(beats, seconds))[0]
    async with streams.opened(
        port, [streams.request(path, office.token) for path in wanted], patience_s=PATIENCE_S, begins=b"event: "
    ) as pages:
        await asyncio.sleep(SETTLE_S)
        events, sent = pages.events, pages.bytes
        with_pages, per_second = await _used(beats, seconds)
        events, sent = pages.events - events, pages.bytes - sent
        if pages.lost:
            raise ConnectionError(f"{pages.lost} pages lost their stream")
        took = []
        for _ in range(ASKED):
            began = time.perf_counter()
            await office.get(f"/api/v1/staff/hall?session={office.session}")
            took.append((time.perf_counter() - began) * 1000)
    # A closed page is noticed when it is next written to.
    await asyncio.sleep(SETTLE_S)
    if open_first:
        without, _ = await _used(beats, seconds)
    return Round(
        without, with_pages, events / seconds, sent / 1000 / seconds, statistics.median(took), per_second
    )  # fmt: skip


async def _used(beats: Beats, seconds: float) -> tuple[float, float]:
    """Hundredths of one core that the server and its stores use, and heartbeats answered a second."""
    before, answered, began = cpu.used(), beats.answered, time.perf_counter()
    await asyncio.sleep(seconds)
    after, took = cpu.used(), time.perf_counter() - began
    return sum(after[role] - before[role] for role in MEASURED) / took * 100, (beats.answered - answered) / took


class Beats:
    """Everybody's heartbeats at their real pace, spread evenly over ``BEAT_S``."""

    def __init__(self, port: int, seats: Sequence[Seat]) -> None:
        self._port, self._seats = port, seats
        self.answered = self.failures = 0

    @contextlib.contextmanager
    def going(self) -> Iterator[None]:
        tasks = [asyncio.get_running_loop().create_task(self._some(number)) for number in range(CONNECTIONS)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()

    async def _some(self, number: int) -> None:
        """A share of the candidates, over one connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        mine, began, n = self._seats[number::CONNECTIONS], time.perf_counter(), 0
        while True:
            n += 1
            for at, seat in enumerate(mine):
                due = began + BEAT_S * (n - 1 + (at + number / CONNECTIONS) / len(mine))
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                answers = (n + at) % ANSWERS == 0
                item = {"item": seat.items[n % len(seat.items)], "rev": n, "value": "ABCD"[n % 4], "at_ms": n * 1000}
                body = {
                    "seq": n, "responses": [item] if answers else [], "position": n % len(seat.items) + 1,
                    "elapsed_ms": n * 1000,
                }  # fmt: skip
                writer.write(client.request(CHECKPOINTS, seat.token, json.dumps(body).encode()))
                if await client.answered(reader):
                    self.answered += 1
                else:
                    self.failures += 1
