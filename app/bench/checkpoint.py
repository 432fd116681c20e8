"""``holdfast bench checkpoint``: durable checkpoints per second, as a ratio.

Three calls in one run, by one client, in alternating pairs: a checkpoint with one response on real stores; the
application's own ``empty`` endpoint, which has the same route class, middleware, body and decoding and touches no
store; and a bare ASGI echo under the same uvicorn. Machines differ and are noisy: the ratio is what is kept.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import uvloop
from sqlalchemy import text

from app.bench import client
from app.bench.client import Build, Measured
from app.bench.hall import invent
from app.domain.blueprint import proportional
from app.domain.lease import next_epoch
from app.embedded.stores import Urls, stores
from app.secrets import site_secret
from app.services.drawing import draw_session
from app.services.tokens import Claims, Tokens
from app.settings import Settings
from app.storage.postgres import blueprints
from app.storage.postgres.engine import create_engine, migrate
from app.storage.postgres.exams import ensure_history_partition
from app.supervise import Supervisor, listen

BANK = {("水文", "single"): 60, ("机电", "single"): 60}
ITEMS = 40
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Seat:
    token: str
    items: list[int]


@dataclass(frozen=True, slots=True)
class Level:
    """One number of connections: medians over the pairs."""

    connections: int
    durable: float
    empty: float
    bare: float
    p50_ms: float
    p99_ms: float
    failures: int

    @property
    def ratio(self) -> float:
        return self.durable / self.empty

    @property
    def of_bare(self) -> float:
        return self.durable / self.bare


async def prepare(settings: Settings, urls: Urls, candidates: int) -> list[Seat]:
    """A running session of ``candidates`` who are signed in: their tokens and items."""
    engine = create_engine(urls.database_url, settings)
    tokens = Tokens(site_secret(settings))
    epoch = next_epoch(1, 0)
    try:
        async with engine.begin() as conn:
            exam = await invent(conn, code="bench", rooms=[40] * -(-candidates // 40), bank=BANK)
            session_id = exam.session_ids[0]
            strata = [stratum for stratum, size in BANK.items() for _ in range(size)]
            await blueprints.set_blueprint(conn, session_id, proportional(strata, ITEMS).spec())
            await ensure_history_partition(conn, session_id)
        await draw_session(engine, session_id, seed="bench")
        async with engine.begin() as conn:
            await conn.execute(text("UPDATE session SET start_ms = 0 WHERE id = :s"), {"s": session_id})
            rows = await conn.execute(
                text(
                    "UPDATE attempt SET epoch = CAST(:e AS int8),"
                    " grants = jsonb_build_array(jsonb_build_array(CAST(:e AS int8), 0)),"
                    " end_ms = 86400000, signed_in_ms = 0 WHERE session_id = :s RETURNING id"
                ),
                {"e": epoch, "s": session_id},
            )
            ids: list[UUID] = [row.id for row in rows][:candidates]
            drawn = await conn.execute(
                text(
                    "SELECT attempt_id, array_agg(item_version_id ORDER BY position) AS items FROM paper_item"
                    " GROUP BY attempt_id"
                )
            )
            items = {row.attempt_id: row.items for row in drawn}
            await conn.execute(text("ANALYZE"))
    finally:
        await engine.dispose()
    return [Seat(tokens.sign(Claims(1, one, epoch, "bench", 0)), items[one]) for one in ids]


def writes(path: str, seats: list[Seat], revs: list[int]) -> Build:
    """Requests that each change one response; ``revs`` goes on counting over all rounds."""

    def build(connection: int, _n: int) -> bytes:
        seat = seats[connection]
        revs[connection] += 1
        n = revs[connection]
        body = {
            "seq": n,
            "responses": [
                {"item": seat.items[n % len(seat.items)], "rev": n, "value": "ABCD"[n % 4], "at_ms": 1000 + n}
            ],
            "position": n % len(seat.items) + 1,
            "elapsed_ms": n * 1000,
        }
        return client.request(path, seat.token, json.dumps(body, separators=(",", ":")).encode())

    return build


@contextmanager
def _bare() -> Iterator[int]:
    """Two processes of the bare echo on one socket; the port."""
    listener = listen("127.0.0.1", 0)
    command = [sys.executable, "-m", "app.bench.bare", str(listener.fileno())]
    running = [subprocess.Popen(command, pass_fds=(listener.fileno(),)) for _ in range(2)]  # noqa: S603 -- our module
    try:
        yield int(listener.getsockname()[1])
    finally:
        for one in running:
            one.send_signal(signal.SIGKILL)
            one.wait()
        listener.close()


def _measure(port: int, connections: int, seconds: float, build: Build) -> Measured:
    return uvloop.run(client.load("127.0.0.1", port, connections, seconds, build))


def run(settings: Settings, *, levels: list[int], pairs: int, seconds: float, say: Say) -> list[Level]:
    """Measure each level of connections. Everything runs in a data directory of its own that is removed."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as place:
        own = settings.model_copy(update={"data_dir": Path(place), "port": 0, "host": "127.0.0.1"})
        with stores(own) as urls, _bare() as bare_port:
            migrate(urls.database_url)
            seats = asyncio.run(prepare(own, urls, max(levels)))
            supervisor = Supervisor(own, environment(own, urls))
            supervisor.start()
            try:
                _await_ready(supervisor.port)
                revs = [0] * len(seats)
                return [
                    _level(supervisor.port, bare_port, connections, pairs, seconds, seats, revs, say)
                    for connections in levels
                ]
            finally:
                supervisor.stop()


def environment(settings: Settings, urls: Urls) -> dict[str, str]:
    """What the server's processes read their settings from."""
    return {
        "HOLDFAST_DATABASE_URL": urls.database_url,
        "HOLDFAST_REDIS_URL": urls.redis_url,
        "HOLDFAST_SECRET_KEY": site_secret(settings).decode(),
        "HOLDFAST_DATA_DIR": str(settings.data_dir),
    }


def _await_ready(port: int) -> None:
    with httpx.Client(transport=httpx.HTTPTransport(retries=20)) as http:
        for _ in range(200):
            if http.get(f"http://127.0.0.1:{port}/readyz").status_code == httpx.codes.OK:
                return
    raise TimeoutError("the server did not become ready")


def _level(
    port: int,
    bare_port: int,
    connections: int,
    pairs: int,
    seconds: float,
    seats: list[Seat],
    revs: list[int],
    say: Say,
) -> Level:
    durable_build = writes("/api/v1/attempt/checkpoints", seats, revs)
    empty_build = writes("/api/v1/attempt/empty", seats, [0] * len(seats))
    _measure(port, connections, min(1.0, seconds), durable_build)
    rounds: list[tuple[Measured, Measured, Measured]] = []
    for n in range(pairs):
        durable = _measure(port, connections, seconds, durable_build)
        empty = _measure(port, connections, seconds, empty_build)
        bare = _measure(bare_port, connections, seconds, empty_build)
        rounds.append((durable, empty, bare))
        say(
            f"{connections:>5} connections, pair {n + 1}: {durable.rate:7.0f} durable/s {empty.rate:7.0f} empty/s"
            f" {bare.rate:7.0f} bare/s ratio {durable.rate / empty.rate:.2f}"
        )
    return Level(
        connections=connections,
        durable=statistics.median(d.rate for d, _, _ in rounds),
        empty=statistics.median(e.rate for _, e, _ in rounds),
        bare=statistics.median(b.rate for _, _, b in rounds),
        p50_ms=statistics.median(d.quantile(0.5) for d, _, _ in rounds),
        p99_ms=statistics.median(d.quantile(0.99) for d, _, _ in rounds),
        failures=sum(m.failures for one in rounds for m in one),
    )


def machine() -> str:
    """One line on what was measured on."""
    cores = len(os.sched_getaffinity(0))
    return f"{platform.system()} {platform.machine()}, {cores} cores, Python {platform.python_version()}"
