"""A hall in which who is heard, and when, is a fact of the record: what the look for silence sees."""

from __future__ import annotations

from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from sqlalchemy import text

from app.services import silence
from app.storage.postgres import adjustments
from tests.candidates import SECRET, running
from tests.factories import World, world

# The service has run for an hour, so that there is a past to be silent in.
HOUR = 3_600_000
S = 1000


@asynccontextmanager
async def opened(fresh_url, redis_url, engine, *, rooms: list[tuple[str, int]], **changes):
    """An hour into a session with these rooms (building, people); yields (app, client, hall)."""
    made = await world(engine, SECRET.encode(), candidates=sum(n for _, n in rooms), items=2, duration_ms=3 * HOUR)
    hall = Hall(engine, made)
    await hall.divide(rooms)
    async with engine.begin() as conn:
        await conn.execute(text("UPDATE service_clock SET counter_ms = :h"), {"h": HOUR})
        await conn.execute(text("UPDATE attempt SET signed_in_ms = 0, contact_ms = 0"))
    async with running(fresh_url, redis_url, **changes) as (app, client):
        hall.site = app.state.deps.site
        if not await hall.site.settled(60):
            pytest.fail("the service never knew the time")
        await hall.heard(hall.everybody)
        yield app, client, hall


class Hall:
    def __init__(self, engine, made: World) -> None:
        self.engine, self.made = engine, made
        self.site = None
        self.rooms: list[list] = []
        self.room_ids: list[int] = []

    @property
    def everybody(self) -> list:
        return [person.attempt for person in self.made.people]

    @property
    def now_ms(self) -> int:
        return self.site.service_time.now_ms()

    async def divide(self, rooms: list[tuple[str, int]]) -> None:
        """Spread the people of the one room that the factory made over several."""
        async with self.engine.begin() as conn:
            people = list(self.made.people)
            for number, (building, n) in enumerate(rooms, 1):
                here, people = people[:n], people[n:]
                building_id = await conn.scalar(
                    text(
                        "INSERT INTO building (exam_id, name) VALUES (:e, :b)"
                        " ON CONFLICT (exam_id, name) DO UPDATE SET name = :b RETURNING id"
                    ),
                    {"e": self.made.exam_id, "b": building},
                )
                room_id = await conn.scalar(
                    text(
                        "INSERT INTO room (exam_id, building_id, name, number, ordinal, seat_count, spare_count)"
                        " VALUES (:e, :b, :n, :n, :o, :c, 2) RETURNING id"
                    ),
                    {"e": self.made.exam_id, "b": building_id, "n": f"第{number}考室", "o": 100 + number, "c": n},
                )
                await conn.execute(
                    text("UPDATE seat SET room_id = :r WHERE id = ANY(:s)"),
                    {"r": room_id, "s": [person.seat_id for person in here]},
                )
                self.rooms.append([person.attempt for person in here])
                self.room_ids.append(room_id)

    async def heard(self, attempts, at_ms: int | None = None) -> int:
        """These are heard of at ``at_ms`` (now): no more and no less than a heartbeat leaves behind. The instant."""
        at_ms = self.now_ms if at_ms is None else at_ms
        async with self.engine.begin() as conn:
            await conn.execute(
                text("UPDATE attempt SET contact_ms = :at WHERE id = ANY(:a)"), {"at": at_ms, "a": list(attempts)}
            )
        return at_ms

    async def silent_since(self, attempts, age_s: int = 60) -> tuple[int, int]:
        """These were last heard ``age_s`` ago, spread over eight seconds of heartbeats; the first and the last."""
        now = self.now_ms
        for n in range(9):
            await self.heard(list(attempts)[n::9], now - age_s * S + n * S)
        return now - age_s * S, now - age_s * S + 8 * S

    async def look(self, alive=()) -> list[dict]:
        """One look, with ``alive`` heard of just before; every proposal there is."""
        await self.heard(alive)
        await silence.look(self.site)
        return await self.proposals()

    async def proposals(self) -> list[dict]:
        async with self.engine.connect() as conn:
            rows = await conn.execute(
                text(
                    "SELECT p.*, ARRAY(SELECT m.attempt_id FROM proposal_attempt m WHERE m.proposal_id = p.id)"
                    " AS members FROM proposal p ORDER BY p.id"
                )
            )
            return [dict(row) for row in rows.mappings()]

    async def paused_since(self, from_ms: int, attempts=None, *, scope: str = "site", reason: str = "fire") -> int:
        """A pause that was entered as it began, as nobody may enter one an hour later; the entry's id."""
        members = sorted(self.everybody if attempts is None else attempts)
        async with self.engine.begin() as conn:
            entry = await adjustments.insert_entry(
                conn, "pause", session_id=self.made.session_id, members=members, reason=reason,
                source=f"test:{uuid4()}", now_ms=from_ms, scope=scope, from_ms=from_ms,
            )  # fmt: skip
            await adjustments.settle(conn, members, self.now_ms)
        assert entry is not None
        return entry
