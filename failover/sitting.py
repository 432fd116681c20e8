"""A hall of candidates under one schedule: what they do besides answering, and a small exam for them.

Each answers at a fast pace; now and then one sends an old request again beside the new one, changes marks and position,
clears an answer. A takeover opens a relog in the record, signs the candidate in on another device, and lets the first
device go on under its old epoch: what it types then must never be applied.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app import background
from failover.client import Device, Person
from failover.history import History

PACE_S = 0.2
AGAIN = 0.06
GHOST_S = (1.0, 4.0)
HANDS_IN = 0.3
TRY_AGAIN_S = 0.3


def value(rng: random.Random, kind: str) -> Any:
    """A response of the shape of its item's type; now and then a cleared one."""
    if rng.random() < 0.05:
        return None
    if kind == "single":
        return rng.choice("ABCD")
    if kind == "true_false":
        return rng.choice("TF")
    if kind == "multiple":
        return sorted(rng.sample("ABCDE", rng.randint(1, 4)))
    if kind == "blank":
        return [f"{rng.random():.4f}"]
    return f"因为 {rng.random():.8f}"


@dataclass(slots=True)
class Seats:
    """Which seats are free, and each attempt's own: no two candidates are ever moved to one."""

    free: list[int]
    of: dict[str, int]

    def take(self, attempt: str, rng: random.Random) -> int:
        """A free seat, or the candidate's own: a PC that came back without memory."""
        if self.free and rng.random() < 0.7:
            return self.free.pop(rng.randrange(len(self.free)))
        return self.of[attempt]

    def moved(self, attempt: str, seat: int) -> None:
        """The seat that was left is free once the candidate has signed in at the new one."""
        left, self.of[attempt] = self.of[attempt], seat
        if left != seat:
            self.free.append(left)


async def open_relog(engine: AsyncEngine, attempt: Any, seat: int) -> None:
    """An invigilator's click, as a row; tried until PostgreSQL takes it. A click that is still open is used again."""
    while True:
        try:
            async with engine.begin() as conn:
                await conn.execute(
                    text(
                        "WITH s AS (INSERT INTO staff (username, name, role, password_hash)"
                        " VALUES (:u, '监考', 'invigilator', '') RETURNING id)"
                        " INSERT INTO relog (attempt_id, session_id, from_seat_id, to_seat_id, reason, staff_id,"
                        " opened_ms) SELECT a.id, a.session_id, al.seat_id, :seat, 'pc_failed', s.id, c.counter_ms"
                        " FROM s, service_clock c, attempt a JOIN allocation al"
                        " ON al.session_id = a.session_id AND al.candidate_id = a.candidate_id WHERE a.id = :a"
                        " AND NOT EXISTS (SELECT FROM relog r WHERE r.attempt_id = a.id AND r.state = 'open')"
                    ),
                    {"u": secrets.token_hex(8), "seat": seat, "a": attempt},
                )
        except (SQLAlchemyError, OSError, TimeoutError):
            await asyncio.sleep(TRY_AGAIN_S)
        else:
            return


class Sitter:
    """One candidate and the devices they sit at."""

    def __init__(self, url: str, person: Person, items: dict[int, str], history: History, seed: int) -> None:
        self.person, self.items = person, items
        self.random = random.Random(seed)
        self.device = self._new_device(url, history, 1)
        self.moving = False
        self.moves = 1
        self.hands_in = self.random.random() < HANDS_IN
        self._url, self._history = url, history
        self._old: list[Device] = []
        self._aside: set[asyncio.Task[None]] = set()

    def _new_device(self, url: str, history: History, n: int) -> Device:
        name = f"{self.person.ticket}/{n}"
        return Device(url, self.person, history, random.Random(self.random.random()), name)

    async def answer(self, stop: asyncio.Event) -> None:
        """Answer until told to stop, at whatever device is theirs now."""
        while not stop.is_set():
            device = self.device
            self._type(device)
            await device.flush(stop, more=self._more())
            if self.random.random() < AGAIN:
                self._beside(device.again())
            await asyncio.sleep(PACE_S * self.random.uniform(0.3, 1.7))

    def _type(self, device: Device) -> None:
        for _ in range(self.random.choice([0, 1, 1, 1, 2])):
            item = self.random.choice(list(self.items))
            device.type(item, value(self.random, self.items[item]))

    def _more(self) -> dict[str, Any]:
        more: dict[str, Any] = {}
        if self.random.random() < 0.2:
            more["position"] = self.random.randint(1, len(self.items))
        if self.random.random() < 0.1:
            more["marked"] = self.random.sample(list(self.items), 2)
        return more

    def _beside(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)

    async def take_over(self, engine: AsyncEngine, seats: Seats, stop: asyncio.Event) -> None:
        """Move to another device; the first one goes on for a while and knows of nothing."""
        if self.moving:
            return
        self.moving = True
        try:
            attempt = str(self.person.attempt)
            seat = seats.take(attempt, self.random)
            await open_relog(engine, self.person.attempt, seat)
            self.moves += 1
            new = self._new_device(self._url, self._history, self.moves)
            # Not cut short by the end of the load: a click that is open has to be used.
            if not await new.sign_in():
                await new.close()
                return
            seats.moved(attempt, seat)
            old, self.device = self.device, new
            self._old.append(old)
            self._beside(self._ghost(old, stop))
        finally:
            self.moving = False

    async def _ghost(self, device: Device, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + self.random.uniform(*GHOST_S)
        while loop.time() < end and not stop.is_set():
            self._type(device)
            await device.flush(stop)
            if self.random.random() < AGAIN * 3:
                await device.again()
            await asyncio.sleep(PACE_S * self.random.uniform(0.3, 1.7))

    async def settle(self, deadline: float) -> str | None:
        """Send what is left, then hand in (some do). What is still missing at the loop's time ``deadline``."""
        loop = asyncio.get_running_loop()
        over = asyncio.Event()
        timer = loop.call_at(deadline, over.set)
        try:
            while self._aside and not over.is_set():
                await asyncio.wait(set(self._aside), timeout=0.5)
            while self.device.outbox.queue and not over.is_set():
                await self.device.flush(over)
                await asyncio.sleep(PACE_S / 2)
            while self.hands_in and self.device.receipt is None and not over.is_set():
                await self.device.hand_in(over)
                await asyncio.sleep(PACE_S / 2)
        finally:
            timer.cancel()
        if self.device.outbox.queue:
            return f"{self.device.name} still holds {dict(self.device.outbox.queue)}"
        if self.hands_in and self.device.receipt is None:
            return f"{self.device.name} has no receipt"
        return None

    async def close(self) -> None:
        for task in list(self._aside):
            await background.end(task)
        for device in (self.device, *self._old):
            await device.close()


async def sign_in_all(sitters: Sequence[Sitter]) -> None:
    """Everybody at once, as at the start of a session."""
    done = await asyncio.gather(*(one.device.sign_in() for one in sitters))
    if not all(done):
        raise RuntimeError(f"{done.count(False)} candidates could not sign in before any fault")
