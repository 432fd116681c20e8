"""Random fault schedules: a seed gives the same faults at the same moments. Pure but for ``strike``, which applies one.

Faults overlap: a store may be frozen while the line to the other one swallows everything and a process is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal, cast

import psutil

from failover.hall import Hall, Target
from failover.proxy import Proxy, Way

LOAD_S = 15.0
FEWEST, MOST = 3, 6
Kind = Literal["kill", "freeze", "reset", "refuse", "drop", "stall", "delay", "clock", "takeovers"]
KILLED: tuple[Target, ...] = ("api", "worker", "server", "postgres", "backend", "redis", "everything")
FROZEN: tuple[Target, ...] = ("api", "worker", "postgres", "redis", "everything")
CLOCKS: tuple[Target, ...] = ("server", "redis", "everything")
# Seconds: a leap, an hour of summer time, days of a BIOS battery.
JUMPS = (-172_800, -3_600, -30, -2, 0.4, 30, 3_600, 172_800)
LINES: tuple[Target, ...] = ("postgres", "redis")
# How often each kind is drawn; takeovers come with every schedule besides.
WEIGHTS: dict[Kind, int] = {
    "kill": 6, "freeze": 5, "reset": 2, "refuse": 2, "drop": 2, "stall": 2, "delay": 2, "clock": 2
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: from ``at_s`` after the beginning of the load, for ``for_s`` (0: an instant)."""

    kind: Kind
    target: Target | None
    at_s: float
    for_s: float = 0.0
    # Seconds of a delay or of a jump, or candidates of a storm.
    amount: float = 0.0

    def __str__(self) -> str:
        words = self.kind if self.target is None else f"{self.kind}:{self.target}"
        if self.kind in ("takeovers", "clock"):
            words += f":{self.amount:g}"
        return f"{words}@{self.at_s:.1f}" + (f"+{self.for_s:.1f}" if self.for_s else "")


def plan(seed: int, *, candidates: int, load_s: float = LOAD_S) -> list[Fault]:
    """The faults of ``seed`` in order: FEWEST to MOST of them, and a storm of takeovers."""
    rng = random.Random(seed)
    kinds = rng.choices(list(WEIGHTS), weights=list(WEIGHTS.values()), k=rng.randint(FEWEST, MOST))
    # Room at the beginning for load, and at the end for what is mended to be seen working under load.
    faults = [_one(rng, kind, rng.uniform(0.5, load_s - 3), candidates) for kind in kinds]
    faults.append(_one(rng, "takeovers", rng.uniform(1, load_s - 2), candidates))
    return sorted(faults, key=lambda fault: fault.at_s)


def _one(rng: random.Random, kind: Kind, at_s: float, candidates: int) -> Fault:
    if kind == "takeovers":
        return Fault(kind, None, at_s, 0, rng.randint(2, max(2, candidates // 2)))
    if kind == "kill":
        # What a service manager starts again is away for a moment: ``for_s`` is how long nobody starts the server.
        target = rng.choice(KILLED)
        return Fault(kind, target, at_s, rng.uniform(0, 2) if target in ("server", "everything") else 0)
    if kind == "freeze":
        return Fault(kind, rng.choice(FROZEN), at_s, rng.uniform(0.5, 6))
    if kind == "reset":
        return Fault(kind, rng.choice(LINES), at_s)
    if kind == "clock":
        return Fault(kind, rng.choice(CLOCKS), at_s, rng.uniform(1, 6), rng.choice(JUMPS))
    if kind == "delay":
        return Fault(kind, rng.choice(LINES), at_s, rng.uniform(1, 5), rng.choice([0.02, 0.1, 0.3, 1.2]))
    return Fault(kind, rng.choice(LINES), at_s, rng.uniform(0.5, 6))


@asynccontextmanager
async def strike(hall: Hall, fault: Fault, rng: random.Random) -> AsyncIterator[None]:
    """The fault while the block runs, mended after it. Not for ``takeovers``, which candidates do."""
    if fault.target is None:
        raise ValueError(fault.kind)
    if fault.kind == "kill":
        victims = hall.family(fault.target)
        if fault.target in ("api", "backend") and victims:
            victims = rng.sample(victims, rng.randint(1, len(victims)))
        _signal(victims, signal.SIGKILL)
        yield
        # Stores come back by themselves, and so do the supervisor's children; the server does when somebody starts it.
        await hall.ready()
    elif fault.kind == "freeze":
        victims = hall.family(fault.target)
        if fault.target == "api" and victims:
            victims = rng.sample(victims, rng.randint(1, len(victims)))
        try:
            _signal(victims, signal.SIGSTOP)
            yield
        finally:
            _signal(victims, signal.SIGCONT)
    elif fault.kind == "clock":
        clocks = [clock for name, clock in hall.clocks.items() if fault.target in (name, "everything")]
        try:
            for clock in clocks:
                clock.set(fault.amount)
            yield
        finally:
            for clock in clocks:
                clock.set(0)
    else:
        line: Proxy = hall.postgres_line if fault.target == "postgres" else hall.redis_line
        async with line.broken(cast("Way", fault.kind), delay_s=fault.amount):
            yield


def _signal(victims: list[psutil.Process], number: signal.Signals) -> None:
    for one in victims:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.send_signal(number)


async def until(start: float, at_s: float) -> None:
    """Sleep until ``at_s`` after ``start`` on the loop's clock."""
    await asyncio.sleep(max(0.0, start + at_s - asyncio.get_running_loop().time()))
