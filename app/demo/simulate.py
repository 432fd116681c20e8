"""Simulated candidates: a child process of the demo that keeps its pages alive.

They are ordinary clients of the API on the loopback and know nothing the browser does not. The process ends with its
standard input, so however the demo ends, they end with it; their leases are kept in the data directory, and a demo
that is started again finds them going on where they were.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from random import Random

import httpx

from app.demo.people import SEED, Hall, Person, hall
from app.demo.sitter import Lease, Sitter

FILE = "simulated.json"
# So many sit in the first room, where the listed invigilator looks; one in ten waits for the second session.
FIRST_ROOM = 28
NEXT_SESSION_SHARE = 0.1
# Arrivals are spread: a hall fills in minutes, a demo should in seconds.
ARRIVALS_PER_S = 8.0
LAST_ARRIVAL_S = 20.0
REPORT_S = 10.0


def chosen(the_hall: Hall, count: int) -> tuple[Person, ...]:
    """Who is simulated: never a listed candidate, and the first ``k`` are always the same people.

    The first room fills up first and keeps some empty seats; then both sessions, one in ten in the next one.
    """
    listed = {person.ticket for person in the_hall.listed()}
    free = [person for person in the_hall.people if person.ticket not in listed]
    first = the_hall.rooms[0].name
    near = [person for person in free if person.room == first]
    random = Random(f"{SEED}/simulated")
    random.shuffle(near)
    rest = [person for person in free if person.room != first]
    far = {number: [person for person in rest if person.session == number] for number in (1, 2)}
    for group in far.values():
        random.shuffle(group)
    order = near[:FIRST_ROOM]
    while far[1] or far[2]:
        later = random.random() < NEXT_SESSION_SHARE
        order.append(far[2].pop() if (later and far[2]) or not far[1] else far[1].pop())
    return tuple((order + near[FIRST_ROOM:])[:count])


def most(the_hall: Hall) -> int:
    """How many can be simulated at all."""
    return len(the_hall.people) - len(the_hall.listed())


class Leases:
    """The leases of all simulated candidates, in one file that is replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: dict[str, Lease] = {}
        self._changed = False
        with contextlib.suppress(FileNotFoundError):
            found = json.loads(path.read_text(encoding="utf-8"))
            self._held = {ticket: Lease(**lease) for ticket, lease in found.items()}

    def of(self, ticket: str) -> Lease:
        return self._held.setdefault(ticket, Lease())

    def changed(self) -> None:
        self._changed = True

    def save(self) -> None:
        if self._changed:
            staged = self._path.with_suffix(".new")
            staged.touch(mode=0o600)
            staged.write_text(json.dumps({t: asdict(lease) for t, lease in self._held.items()}), encoding="utf-8")
            staged.replace(self._path)
            self._changed = False


async def simulate(url: str, people: Sequence[Person], leases: Leases, stop: asyncio.Event) -> None:
    """Everybody sits until done or ``stop``; says how it goes on standard error."""
    limits = httpx.Limits(max_connections=len(people) + 4, max_keepalive_connections=len(people) + 4)
    # No proxy of the environment stands between the demo and its own loopback.
    async with httpx.AsyncClient(base_url=url, timeout=10.0, limits=limits, trust_env=False) as client:
        sitters = [
            Sitter(client, person, leases.of(person.ticket), f"{SEED}/{person.ticket}", leases.changed)
            for person in people
        ]
        spread_s = min(LAST_ARRIVAL_S, len(people) / ARRIVALS_PER_S)
        tasks = [
            asyncio.create_task(_arrive(sitter, Random(n).uniform(0, spread_s))) for n, sitter in enumerate(sitters)
        ]
        try:
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), 1.0 if any(not task.done() for task in tasks) else REPORT_S)
                leases.save()
                _raise_bugs(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            leases.save()
            counts = Counter(sitter.state for sitter in sitters)
            print("simulated:", ", ".join(f"{n} {state}" for state, n in counts.most_common()), file=sys.stderr)


async def _arrive(sitter: Sitter, after_s: float) -> None:
    await asyncio.sleep(after_s)
    await sitter.run()


def _raise_bugs(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done() and not task.cancelled() and (fault := task.exception()) is not None:
            raise fault


async def _main(url: str, count: int, candidates: int, data_dir: Path) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # Ctrl-C reaches the whole foreground group; the parent decides when everybody goes.
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    # The parent holds the other end; when it is gone, whatever the reason, reading gives the end of the file.
    loop.add_reader(sys.stdin.fileno(), stop.set)
    leases = Leases(data_dir / FILE)
    await simulate(url, chosen(hall(candidates), count), leases, stop)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m app.demo.simulate", description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--candidates", type=int, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    given = parser.parse_args()
    asyncio.run(_main(given.url, given.count, given.candidates, given.data_dir))


if __name__ == "__main__":
    main()
