"""``make faults``: random fault schedules against the real server, checked one by one.

    python -m failover.run                                    the short form, for CI
    python -m failover.run --minutes 60 --seed 7              as many schedules as fit, from seed 7 on
    python -m failover.run --schedules 200 --append FILE      until FILE holds 200; what is there counts
    python -m failover.run --schedules 1 --seed 1234          one schedule again

Schedule k of a run has the seed ``--seed`` + k, so every line printed can be repeated by its seed alone: faults and
their moments are the same again; how processes interleave is not. Stores and server go on from one schedule to the
next, each schedule with a new small exam in the same database; they are replaced when they are beyond repair.

A planted bug: ``--server-module tests.faults.planted.serve`` (or ``Hall(place, launcher=[sys.executable, "-m", …])``)
starts the server by that module instead of ``app.cli serve``; the checkout is on its PYTHONPATH. The module is to put a
folder with a ``sitecustomize.py`` in front of ``os.environ["PYTHONPATH"]``, name the bug in a variable that this file
alone reads, and ``os.execv`` ``python -m app.cli serve``: the supervisor hands its environment to the processes it
starts, so the patch is in each of them, and production code has no flag for it.

Exit status 0 when every schedule held. After a failure the history, the faults and the logs stay in the folder printed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app import background
from failover import invariants
from failover.hall import SERVE, Hall
from failover.history import History
from failover.reading import load
from failover.schedules import LOAD_S, Fault, plan, strike, until
from failover.sitting import Seats, Sitter, sign_in_all
from tests.factories import World, world

CANDIDATES = 16
ITEMS = 10
# The short form: about two minutes with the start of the stores and the settling.
SHORT_SCHEDULES = 5
SETTLE_S = 60.0
LOOK_EVERY_S = 0.5


@dataclass(slots=True)
class Result:
    """One schedule: what was done, what was acknowledged, and whether everything held."""

    seed: int
    faults: list[str]
    verdict: invariants.Verdict
    load_s: float
    unsettled: list[str] = field(default_factory=list)
    ran: bool = True

    @property
    def ok(self) -> bool:
        return self.verdict.ok and not self.unsettled

    @property
    def line(self) -> str:
        verdict = "ok" if self.ok else "FAILED"
        acks = invariants.summary(self.verdict.acks)
        return f"seed {self.seed}  {' '.join(self.faults)}  |  {acks}  |  {self.verdict.line}  {verdict}"

    def json(self) -> dict[str, Any]:
        return {
            "seed": self.seed, "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "ok": self.ok, "load_s": round(self.load_s, 1), "faults": self.faults,
            "unsettled": self.unsettled, **invariants.as_json(self.verdict),
        }  # fmt: skip


async def schedule(
    hall: Hall, seed: int, history: History, *, load_s: float = LOAD_S, faults: Sequence[Fault] | None = None
) -> Result:
    """Run one schedule and judge it. ``faults`` replaces those of the seed, for a bug that needs particular ones.

    1. A new exam whose session has begun; everybody signs in.
    2. Everybody answers for ``load_s`` seconds while the faults come and go.
    3. Everything is whole again: outboxes empty, some hand in, the buffer is drained.
    4. The history is compared with the record.
    """
    await hall.ready()
    engine = hall.engine()
    try:
        made = await _exam(engine, hall.secret, seed)
        sitters = [
            Sitter(hall.url, person, made.kinds, history, seed * 1000 + n) for n, person in enumerate(made.people)
        ]
        try:
            planned = plan(seed, candidates=CANDIDATES, load_s=load_s) if faults is None else faults
            return await _run(hall, engine, seed, history, made, sitters, load_s, planned)
        finally:
            for one in sitters:
                await one.close()
    finally:
        await engine.dispose()


async def _exam(engine: AsyncEngine, secret: bytes, seed: int) -> World:
    async with engine.connect() as conn:
        now_ms = await conn.scalar(text("SELECT counter_ms FROM service_clock"))
    code = f"f{seed}{secrets.token_hex(3)}"
    return await world(engine, secret, candidates=CANDIDATES, items=ITEMS, start_ms=now_ms, code=code)


async def _run(
    hall: Hall, engine: AsyncEngine, seed: int, history: History, made: World, sitters: Sequence[Sitter],
    load_s: float, faults: Sequence[Fault],
) -> Result:  # fmt: skip
    rng = random.Random(seed)
    seats = Seats(list(made.spares), {str(one.attempt): one.seat_id for one in made.people})
    await sign_in_all(sitters)
    loop = asyncio.get_running_loop()
    stop, start = asyncio.Event(), loop.time()
    answering = [asyncio.create_task(one.answer(stop)) for one in sitters]
    breaking = [
        asyncio.create_task(
            _break(hall, engine, fault, random.Random(rng.random()), history, start, sitters, seats, stop)
        )
        for fault in faults
    ]
    try:
        await until(start, load_s)
        await asyncio.gather(*breaking)
        load_s = loop.time() - start
        stop.set()
        await asyncio.gather(*answering)
        await hall.ready()
        deadline = loop.time() + SETTLE_S
        unsettled = [one for one in await asyncio.gather(*(one.settle(deadline) for one in sitters)) if one]
    finally:
        stop.set()
        for task in (*breaking, *answering):
            await background.end(task)
    attempts = [one.attempt for one in made.people]
    deadline = loop.time() + SETTLE_S
    while True:
        verdict = invariants.check(history.events, await load(engine, attempts))
        # What was promised `buffered` may still be on its way out of the buffer.
        if not verdict.awaited or loop.time() > deadline:
            return Result(seed, [str(fault) for fault in faults], verdict, load_s, unsettled)
        await asyncio.sleep(LOOK_EVERY_S)


async def _break(
    hall: Hall, engine: AsyncEngine, fault: Fault, rng: random.Random, history: History, start: float,
    sitters: Sequence[Sitter], seats: Seats, stop: asyncio.Event,
) -> None:  # fmt: skip
    await until(start, fault.at_s)
    history.add("fault", fault=str(fault))
    if fault.kind == "takeovers":
        movers = rng.sample(list(sitters), int(fault.amount))
        await asyncio.gather(*(one.take_over(engine, seats, stop) for one in movers))
        return
    async with strike(hall, fault, rng):
        await asyncio.sleep(fault.for_s)
    history.add("fault", fault=str(fault), mended=True)


# --- runs ---


def recorded(path: Path | None) -> list[dict[str, Any]]:
    """The results of earlier runs in ``path``; a line that a power cut tore is left out."""
    if path is None or not path.exists():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return found


def append(path: Path, result: dict[str, Any]) -> None:
    """One line in one write: two runs may append to the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(fd).st_size
        torn = size > 0 and os.pread(fd, 1, size - 1) != b"\n"
        os.write(fd, (("\n" if torn else "") + json.dumps(result, ensure_ascii=False) + "\n").encode())
    finally:
        os.close(fd)


async def run(
    place: Path, *, seed: int, schedules: int | None, minutes: float | None, results: Path | None,
    launcher: Sequence[str] = SERVE, load_s: float = LOAD_S,
) -> list[Result]:  # fmt: skip
    """Schedules from ``seed`` on, until so many are in ``results`` or the minutes are over; printed as they come."""
    # What the stores' keeper says belongs beside the server's log, not between the results.
    with (place / "keeper.log").open("a", encoding="utf-8") as said:
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(said))
        try:
            return await _schedules(place, seed, schedules, minutes, results, launcher, load_s)
        finally:
            structlog.reset_defaults()


async def _schedules(
    place: Path, seed: int, schedules: int | None, minutes: float | None, results: Path | None,
    launcher: Sequence[str], load_s: float,
) -> list[Result]:  # fmt: skip
    done: list[Result] = []
    end = None if minutes is None else time.monotonic() + minutes * 60

    def left() -> list[int]:
        """The seed to go on with; none when enough is done. Another run may have appended meanwhile."""
        others = {one["seed"] for one in recorded(results)} - {one.seed for one in done}
        over = end is not None and time.monotonic() >= end
        if over or (schedules is not None and len(done) + len(others) >= schedules):
            return []
        return [next(n for n in range(seed, sys.maxsize) if n not in others and n not in {one.seed for one in done})]

    halls = 0
    while left():
        halls += 1
        async with Hall(place / str(halls), launcher=launcher) as hall:
            while number := next(iter(left()), None):
                with History(place / f"history-{number}.jsonl") as history:
                    result = await _tried(hall, number, history, load_s)
                done.append(result)
                if results is not None:
                    append(results, result.json())
                _tell(len(done), result)
                if result.ok:
                    history.path.unlink()
                if not result.ran:
                    break
    return done


async def _tried(hall: Hall, seed: int, history: History, load_s: float) -> Result:
    """A schedule's result, also when it could not be run to its end: it has failed then, and needs another hall."""
    try:
        return await schedule(hall, seed, history, load_s=load_s)
    except Exception as fault:  # noqa: BLE001 -- whatever it was, a long run goes on and the schedule counts as failed
        faults = [str(one) for one in plan(seed, candidates=CANDIDATES, load_s=load_s)]
        return Result(seed, faults, invariants.Verdict(), 0.0, [f"not run to its end: {fault!r}"], ran=False)


def _tell(number: int, result: Result) -> None:
    print(f"[{number}] {result.line}", flush=True)
    for words in [*result.verdict.violations[:10], *result.unsettled[:5]]:
        print(f"    {words}", flush=True)


async def _until_asked_to_end(work: Coroutine[Any, Any, list[Result]]) -> list[Result]:
    """Ended from outside, a run takes its server and its stores with it."""
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make faults", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1, help="of the first schedule; the next one's is one more")
    parser.add_argument("--schedules", type=int, help=f"how many (default {SHORT_SCHEDULES}, with --minutes no limit)")
    parser.add_argument("--minutes", type=float, help="begin no schedule after so many minutes")
    parser.add_argument("--append", type=Path, metavar="FILE", help="results as JSON lines; those there count")
    parser.add_argument("--server-module", help="module that starts the server, for planted bugs")
    given = parser.parse_args(arguments)
    schedules = given.schedules
    if schedules is None and given.minutes is None:
        schedules = SHORT_SCHEDULES
    launcher = [sys.executable, "-m", given.server_module] if given.server_module else SERVE
    place = Path(tempfile.mkdtemp(prefix="hf-faults-"))
    kept = True
    try:
        work = run(
            place, seed=given.seed, schedules=schedules, minutes=given.minutes, results=given.append, launcher=launcher
        )
        done = asyncio.run(_until_asked_to_end(work))
        kept = not all(one.ok for one in done)
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM
    finally:
        if kept:
            print(f"histories and logs are kept in {place}", flush=True)
        else:
            shutil.rmtree(place)
    total: Counter[str] = Counter()
    for one in done:
        total.update(one.verdict.acks)
    failed = [one.seed for one in done if not one.ok]
    counts = " ".join(f"{kind}={sum(one.verdict.counts[kind] for one in done)}" for kind in invariants.KINDS[:3])
    print(f"{len(done)} schedules, failed {failed or 'none'}: {invariants.summary(total)}; {counts}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
