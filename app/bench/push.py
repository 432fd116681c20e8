"""``holdfast bench push``: how long a pause of the whole site takes to reach the last open page, as a ratio.

Real server processes, real stores, one open event stream per candidate. The office pauses everybody through its own
call and lets everybody go on; what is measured is the time from the COMMIT of the pause (PostgreSQL's own commit
timestamp) to its receipt by the last stream. Beside it, alternating, a bare fan-out: uvicorn with as many processes,
as many streams, the same bytes, and a trigger that costs nothing. The client shares the cores with both.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import asyncpg
import httpx
import uvloop

from app.bench import fanout, streams
from app.bench.checkpoint import NOTICED, PATIENCE_S, environment, stored
from app.bench.seats import Seat, prepare
from app.services import staff_accounts
from app.settings import Settings
from app.storage.postgres.engine import asyncpg_arguments, create_engine, migrate
from app.supervise import Supervisor, listen

Say = Callable[[str], None]
EVENTS, ACTIONS = "/api/v1/attempt/events", "/api/v1/staff/time/actions"
# A request in the log of a server that writes JSON.
REQUEST = b'"event": "request"'
PAUSED, RESUMED = b"event: paused", b"event: resumed"


@dataclass(frozen=True, slots=True)
class Round:
    """One pause. Milliseconds from its commit to the first, the middle and the last stream's receipt; from the click
    to the commit; and the bare fan-out's time from its trigger to its last stream."""

    first: float
    middle: float
    last: float
    decided: float
    bare: float


@dataclass(frozen=True, slots=True)
class Push:
    """Medians over the rounds, and the slowest round; ``lost``: streams that ended by themselves."""

    streams: int
    rounds: list[Round]
    lost: int

    def median(self, name: str) -> float:
        return float(statistics.median(getattr(one, name) for one in self.rounds))

    @property
    def worst(self) -> float:
        return max(one.last for one in self.rounds)

    @property
    def ratio(self) -> float:
        """The median of the rounds' own ratios, of the last receipts."""
        return statistics.median(one.last / one.bare for one in self.rounds)


def run(settings: Settings, *, count: int, rounds: int, say: Say) -> Push:
    """Measure. Everything runs in a data directory of its own that is removed; needs stores of its own, for it reads
    PostgreSQL's commit timestamps: ValueError where they are set from outside."""
    if settings.database_url is not None or settings.redis_url is not None:
        raise ValueError("commit times are read: unset HOLDFAST_DATABASE_URL, HOLDFAST_REDIS_URL")
    with ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-bench-"))
        own = settings.model_copy(update={"data_dir": Path(place), "port": 0, "host": "127.0.0.1"})
        hall = stack.enter_context(stored(own, track_commit_timestamp="on"))
        migrate(hall.database_url)
        seats = asyncio.run(prepare(own, hall.database_url, count))
        output = stack.enter_context(kept_quiet(Path(place) / "server.log"))
        supervisor = Supervisor(own, environment(own, hall) | {"HOLDFAST_LOG_FORMAT": "json"}, output=output)
        supervisor.start()
        stack.callback(supervisor.stop)
        bare = stack.enter_context(_bare(own.workers))
        return uvloop.run(_measure(own, hall.database_url, supervisor.port, bare, seats, rounds, say))


@contextmanager
def kept_quiet(log: Path) -> Iterator[IO[bytes]]:
    """Where the server's processes write. Each stream that ends is a line there, thousands that nobody asked for; when
    the bench fails, what they said besides goes to stderr."""
    with log.open("wb") as output:
        try:
            yield output
        except BaseException:
            for line in log.read_bytes().splitlines(keepends=True):
                if REQUEST not in line:
                    sys.stderr.buffer.write(line)
            sys.stderr.flush()
            raise


@dataclass(frozen=True, slots=True)
class Bare:
    """Where the bare fan-out listens, and the pipes that trigger its processes."""

    port: int
    triggers: list[int]

    def fire(self, frame: bytes) -> None:
        for trigger in self.triggers:
            os.write(trigger, frame[: fanout.MOST_BYTES])


@contextmanager
def _bare(processes: int) -> Iterator[Bare]:
    with ExitStack() as stack:
        listener = listen("127.0.0.1", 0)
        stack.callback(listener.close)
        triggers = []
        for _ in range(processes):
            reads, writes = os.pipe()
            stack.callback(os.close, writes)
            triggers.append(writes)
            command = [sys.executable, "-m", "app.bench.fanout", str(listener.fileno()), str(reads)]
            process = subprocess.Popen(command, pass_fds=(listener.fileno(), reads))  # noqa: S603 -- our module
            os.close(reads)
            stack.callback(process.wait)
            stack.callback(process.send_signal, signal.SIGKILL)
        yield Bare(int(listener.getsockname()[1]), triggers)


async def _measure(
    settings: Settings, database_url: str, port: int, bare: Bare, seats: Sequence[Seat], rounds: int, say: Say
) -> Push:
    async with AsyncExitStack() as stack:
        record = await asyncpg.connect(**asyncpg_arguments(database_url), timeout=PATIENCE_S)
        stack.push_async_callback(record.close)
        client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S, trust_env=False)
        office = Office(await stack.enter_async_context(client), record)
        await office.sign_in(settings, database_url)
        wanted = [streams.request(EVENTS, seat.token) for seat in seats]
        # A server that is stopped with open streams would cut them off and say so, once for each.
        stack.push_async_callback(_all_closed, port)
        pages = await stack.enter_async_context(streams.opened(port, wanted, patience_s=PATIENCE_S))
        plainly = [streams.request("/", "")] * len(seats)
        plain = await stack.enter_async_context(streams.opened(bare.port, plainly, patience_s=PATIENCE_S))
        say(f"{len(pages)} + {len(plain)} streams are open")
        measured = []
        # The first round meets cold caches and untouched pages of memory, in both.
        for number in range(rounds + 1):
            one = await _round(office, pages, plain, bare)
            say(
                f"{'warm-up' if number == 0 else f'round {number}':>8}: commit to last {one.last:6.1f} ms"
                f" (half {one.middle:.1f}, first {one.first:.1f}), bare {one.bare:6.1f} ms,"
                f" ratio {one.last / one.bare:.2f}; click to commit {one.decided:.1f} ms"
            )
            measured.append(one)
        return Push(len(pages), measured[1:], pages.lost + plain.lost)


async def _all_closed(port: int) -> None:
    """Until every process has noticed that its streams are closed; each look is a connection of its own."""
    agreed = 0
    async with asyncio.timeout(PATIENCE_S):
        while agreed < NOTICED:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                metrics = (await client.get("/metrics", timeout=PATIENCE_S)).text
            agreed = agreed + 1 if "\nholdfast_streams 0.0" in metrics else 0
            await asyncio.sleep(0.05)


async def _round(office: Office, pages: streams.Hall, plain: streams.Hall, bare: Bare) -> Round:
    pages.expect(PAUSED)
    clicked = time.perf_counter()
    committed = await office.change("pause")
    heard = await pages.all_heard(PATIENCE_S)
    frame = pages.frame
    pages.expect(RESUMED)
    await office.change("resume")
    await pages.all_heard(PATIENCE_S)
    plain.expect(PAUSED)
    fired = time.perf_counter()
    bare.fire(frame)
    plainly = await plain.all_heard(PATIENCE_S)
    return Round(
        first=(heard[0] - committed) * 1000,
        middle=(heard[len(heard) // 2] - committed) * 1000,
        last=(heard[-1] - committed) * 1000,
        decided=(committed - clicked) * 1000,
        bare=(plainly[-1] - fired) * 1000,
    )


class Office:
    """The office as its console is: signed in, and one call for a change of time."""

    def __init__(self, client: httpx.AsyncClient, record: asyncpg.Connection[Any]) -> None:
        self._client, self._record = client, record
        self._headers: dict[str, str] = {}
        self._session = 0

    async def sign_in(self, settings: Settings, database_url: str) -> None:
        """An account of its own, as soon as the server serves. TimeoutError after PATIENCE_S."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                if (await self._client.get("/readyz")).is_success:
                    break
                await asyncio.sleep(0.2)
        password = secrets.token_urlsafe(16)
        engine = create_engine(database_url, settings, pool_size=1)
        try:
            async with engine.begin() as conn:
                await staff_accounts.create(conn, username="bench", name="bench", role="office", password=password)
        finally:
            await engine.dispose()
        reply = await self._posted("/api/v1/staff/sign-in", {"username": "bench", "password": password})
        self._headers = {"Authorization": f"Bearer {reply['token']}"}
        self._session = await self._record.fetchval("SELECT min(id) FROM session")

    async def change(self, action: str) -> float:
        """Pause everybody, or let them go on; when that was committed (``time.perf_counter``)."""
        body = {"action": action, "scope": {"session": self._session, "kind": "site"}, "reason": "power"}
        entry = (await self._posted(ACTIONS, body, **{"Idempotency-Key": secrets.token_hex(8)}))["entry"]["id"]
        now_wall, now = time.time(), time.perf_counter()
        committed: float = await self._record.fetchval(
            "SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 FROM adjustment WHERE id = $1", entry
        )
        return now - (now_wall - committed)

    @property
    def session(self) -> int:
        return self._session

    @property
    def token(self) -> str:
        return self._headers["Authorization"].removeprefix("Bearer ")

    async def get(self, path: str) -> dict[str, Any]:
        reply = await self._client.get(path, headers=self._headers)
        reply.raise_for_status()
        answer: dict[str, Any] = reply.json()
        return answer

    async def _posted(self, path: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
        """The reply. RuntimeError with what it said where that is no success."""
        reply = await self._client.post(path, json=body, headers=self._headers | headers)
        if reply.is_error:
            raise RuntimeError(f"{path}: {reply.status_code} {reply.text[:500]}")
        answer: dict[str, Any] = reply.json()
        return answer
