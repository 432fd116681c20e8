"""Candidates that never stop answering, and a record of what they were promised.

Each keeps an outbox as the browser does: the latest value per item, sent until it is acknowledged `durable`. What the
server said is written down, and compared with its database afterwards.
"""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import asynccontextmanager

import httpx
from sqlalchemy import text

from tests.candidates import Candidate
from tests.factories import Person, World

PACE_S = 0.15


class Recorder(Candidate):
    """One candidate, answering at random until told to stop."""

    def __init__(self, client: httpx.AsyncClient, person: Person, items: list[int], seed: int) -> None:
        super().__init__(client, person)
        self.items = items
        self.random = random.Random(seed)
        self.outbox: dict[int, dict] = {}
        # The greatest revision of each item that was promised durable, and its value.
        self.durable: dict[int, tuple[int, object]] = {}
        self.kinds: dict[str, int] = {}
        self.clocks: list[tuple[float, int]] = []
        self.failures: list[str] = []

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            item = self.random.choice(self.items)
            self.outbox[item] = self.response(item, f"{self.random.random():.6f}")
            await self.flush()
            await asyncio.sleep(PACE_S * self.random.uniform(0.5, 1.5))

    async def flush(self) -> None:
        """Send the whole outbox once; anything but a parsed reply leaves it as it is."""
        try:
            reply = await self.send(*self.outbox.values())
        except httpx.TransportError as fault:
            self._count(type(fault).__name__)
            return
        if reply.status_code == 503:
            self._count("503")
            assert "retry-after" in reply.headers
            return
        if reply.status_code != 200:
            self.failures.append(f"{reply.status_code} {reply.text[:300]}")
            return
        data = reply.json()
        self._count(data["durability"])
        self.clocks.append((time.monotonic(), data["clock"]["remaining_ms"]))
        for one in data["items"]:
            sent = self.outbox.get(one["item"])
            if one["status"] != "durable" or sent is None or sent["rev"] != one["rev"]:
                continue
            del self.outbox[one["item"]]
            self.durable[one["item"]] = (one["rev"], sent["value"])

    def _count(self, kind: str) -> None:
        self.kinds[kind] = self.kinds.get(kind, 0) + 1


@asynccontextmanager
async def answering(url: str, made: World, kind: type[Recorder] = Recorder):
    """Everybody of the world signed in and answering while the block runs, and drained after it."""
    texts = [item for item, kind in made.kinds.items() if kind == "text"]
    stop = asyncio.Event()
    async with httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=4.0, trust_env=False) as client:
        people = [kind(client, person, texts, seed) for seed, person in enumerate(made.people)]
        for one in people:
            reply = await one.sign_in()
            assert reply.status_code == 200, reply.text
        tasks = [asyncio.create_task(one.run(stop)) for one in people]
        try:
            yield people
        finally:
            stop.set()
            await asyncio.gather(*tasks)
        deadline = time.monotonic() + 90
        while any(one.outbox for one in people):
            if time.monotonic() > deadline:
                raise AssertionError(f"outboxes did not drain: {[(o.kinds, o.outbox) for o in people]}")
            for one in people:
                await one.flush()
            await asyncio.sleep(0.1)


async def check(engine, people: list[Recorder]) -> dict[str, int]:
    """Every durable answer is there, no older one won, nothing is doubled, nobody was refused."""
    assert [one.failures for one in people if one.failures] == []
    promised = 0
    async with engine.connect() as conn:
        for one in people:
            rows = await conn.execute(
                text("SELECT item_id, rev, value FROM response WHERE attempt_id = :a"), {"a": one.person.attempt}
            )
            stored = {row.item_id: (row.rev, row.value) for row in rows}
            for item, said in one.durable.items():
                assert stored.get(item) == said, f"promised {said}, stored {stored.get(item)}"
                promised += 1
            counted = await conn.execute(
                text(
                    "SELECT a.count, (SELECT count(*) FROM response_history h WHERE h.attempt_id = a.id) AS kept"
                    " FROM attempt a WHERE a.id = :a"
                ),
                {"a": one.person.attempt},
            )
            count, kept = counted.one()
            assert count == kept
        attempts = [one.person.attempt for one in people]
        kept = await conn.scalar(text("SELECT count(*) FROM stranded WHERE attempt_id = ANY(:a)"), {"a": attempts})
        assert kept == 0
    totals: dict[str, int] = {"promised": promised}
    for one in people:
        for kind, n in one.kinds.items():
            totals[kind] = totals.get(kind, 0) + n
    return totals
