"""The engine on both real stores, with a service clock that a test sets: schedules are told in exact stamps.

Everything but the clock is the real thing: the site's writer, follower, drain and services. ``Stage.at`` is the service
time; ``postgres_away`` and ``redis_away`` take a store from this process alone, so that the test can still look.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from app.checkpoint import drain
from app.domain import chain
from app.domain.errors import ClockUnconfirmed
from app.domain.responses import Response, Version, canonical
from app.services import ending, sign_in
from app.services.known import Known
from app.services.resuming import Resuming
from app.services.site import Site
from app.services.sitting import Answered, Sent, Sitting
from app.services.tokens import Claims
from app.storage.postgres.service_clocks import READ, Confirmed
from app.storage.redis.client import RedisAway
from tests.candidates import SECRET, test_settings
from tests.factories import Person, World, open_relog, world

START_MS = 1_000


class SetTime:
    """A service clock that stands where the test puts it."""

    def __init__(self, confirmed: Confirmed) -> None:
        self.known = self.confirmed = confirmed
        self.at = START_MS
        self.knows = True
        self.lineage_n, self.lineage_uid, self.term = confirmed.lineage_n, confirmed.lineage_uid, confirmed.term

    def now_ms(self) -> int:
        if not self.knows:
            raise ClockUnconfirmed
        return self.at

    def observe(self, confirmed: Confirmed) -> None: ...

    async def catch_up(self) -> None: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class Stage:
    """One process of a site, and a connection of the test's own to look with."""

    def __init__(self, site: Site, made: World, engine: AsyncEngine, look: asyncpg.Connection[Any]) -> None:
        self.site, self.made, self.engine, self.look = site, made, engine, look
        self.known = Known(site)
        self.sitting, self.resuming = Sitting(site, self.known), Resuming(site, self.known)

    @property
    def at(self) -> int:
        return self.site.service_time.now_ms()

    @at.setter
    def at(self, ms: int) -> None:
        self.site.service_time.at = ms

    @property
    def person(self) -> Person:
        return self.made.people[0]

    @property
    def items(self) -> list[int]:
        """Items that take any text."""
        return [item for item, kind in self.made.kinds.items() if kind == "text"]

    def device(self, person: Person | None = None) -> Device:
        return Device(self, person or self.person)

    async def move(self, person: Person | None = None, spare: int = 0) -> None:
        """The invigilator's click."""
        await open_relog(self.engine, self.made, person or self.person, self.made.spares[spare])

    async def end(self, at: int, reason: str = "forced") -> None:
        self.at = at
        await ending.end(self.site, self.person.attempt, reason)

    async def finalise(self, **more: Any) -> dict[str, Any] | None:
        return await ending.finalise(self.site, self.person.attempt, **more)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection[Any]]:
        connection = await self.site.connect_own("drain")
        try:
            yield connection
        finally:
            await connection.close()

    async def drain(self) -> int:
        """Drain to the end of the buffer; how many entries were read."""
        total = 0
        async with self.connection() as connection:
            while done := await drain.step(connection, self.site.hot(), self.site.service_time.lineage_n):
                total += done
        return total

    async def back(self) -> None:
        """Wait until the writer has a connection again."""
        assert await self.site.settled(60), "the writer never came back"

    @contextmanager
    def postgres_away(self) -> Iterator[None]:
        """The writer's connection is cut and it gets no other."""
        writer = self.site.writer
        connect = writer._connect

        async def refuse() -> None:
            raise ConnectionRefusedError("away")

        writer._connect = refuse
        writer._abandon()
        try:
            yield
        finally:
            writer._connect = connect

    @contextmanager
    def redis_away(self) -> Iterator[None]:
        """No call reaches Redis."""
        store = self.site.store

        async def away(answer: Any) -> None:
            with contextlib.suppress(AttributeError):
                answer.close()
            raise RedisAway("away")

        store.call = away
        try:
            yield
        finally:
            del store.call

    # --- what the stores hold ---

    async def answers(self, attempt: Any = None) -> dict[int, object]:
        rows = await self.look.fetch(
            "SELECT item_id, value #>> '{}' AS value FROM response WHERE attempt_id = $1 ORDER BY 1",
            attempt or self.person.attempt,
        )
        return {row["item_id"]: row["value"] for row in rows}

    async def stranded(self) -> dict[tuple[int, int, int], str]:
        """(item, epoch, rev) → reason."""
        rows = await self.look.fetch(
            "SELECT item_id, epoch, rev, reason FROM stranded WHERE attempt_id = $1", self.person.attempt
        )
        return {(row["item_id"], row["epoch"], row["rev"]): row["reason"] for row in rows}

    async def whole(self, attempt: Any = None) -> int:
        """The attempt's number of revisions, after nothing was found doubled, missing or out of its chain."""
        return await whole(self.look, attempt or self.person.attempt)


async def whole(look: asyncpg.Connection[Any], attempt: Any) -> int:
    """Count, history, chain and responses of an attempt agree; the count."""
    head = await look.fetchrow("SELECT chain, chain_links, count FROM attempt WHERE id = $1", attempt)
    rows = await look.fetch(
        "SELECT link, item_id, epoch, rev, adopt_n, value_hash, value::text AS value, at_ms, stamp_ms, seq, late,"
        " chain_before FROM response_history WHERE attempt_id = $1",
        attempt,
    )
    revisions = [
        chain.Revision(
            row["link"],
            Response(
                row["item_id"],
                Version(row["epoch"], row["rev"], row["adopt_n"], bytes(row["value_hash"])),
                json.loads(row["value"]),
                row["at_ms"],
            ),
            row["stamp_ms"], row["seq"], row["late"], row["chain_before"],
        )
        for row in rows
    ]  # fmt: skip
    fault = chain.verify(attempt, revisions, chain.Head(bytes(head["chain"]), head["chain_links"], head["count"]))
    assert fault is None, fault
    assert head["count"] == len(rows), f"counted {head['count']}, kept {len(rows)}"
    best: dict[int, Version] = {}
    for revision in revisions:
        response = revision.response
        best[response.item] = max(best.get(response.item, response.version), response.version)
    stored = await look.fetch(
        "SELECT item_id, epoch, rev, adopt_n, value_hash FROM response WHERE attempt_id = $1", attempt
    )
    kept = {
        row["item_id"]: Version(row["epoch"], row["rev"], row["adopt_n"], bytes(row["value_hash"])) for row in stored
    }
    assert kept == best, "what counts is not the greatest of what was kept"
    return int(head["count"])


class Device:
    """One browser of a candidate: its own pair, its own revisions, an outbox only as far as a schedule needs one."""

    _pairs = count(1)

    def __init__(self, stage: Stage, person: Person) -> None:
        self.stage, self.person = stage, person
        self.device_id = f"device-{next(self._pairs)}"
        self.lease_secret = secrets.token_hex(20)
        self.claims: Claims | None = None
        self.seq = 1
        self.revs: dict[int, int] = {}

    @property
    def epoch(self) -> int:
        assert self.claims is not None
        return self.claims.epoch

    async def sign_in(self) -> Claims:
        """Sign in at whatever seat the record says."""
        done = await sign_in.sign_in(
            self.stage.site,
            sign_in.Request(
                self.person.ticket, self.person.tail, self.device_id, self.lease_secret, None, None, "10.0.0.1"
            ),
        )
        if self.claims is None or self.claims.epoch != done.claims.epoch:
            self.seq = 1
        self.claims = done.claims
        return done.claims

    def body(self, answers: dict[int, str], at_ms: int | None = None) -> Sent:
        """The next request, with a new revision of each answer."""
        responses = []
        for item, value in answers.items():
            self.revs[item] = self.revs.get(item, 0) + 1
            stamp = self.stage.site.service_time.at if at_ms is None else at_ms
            responses.append(Answered(item, self.revs[item], value, stamp, canonical(value)))
        sent = Sent(self.seq, responses, None, None, 0)
        self.seq += 1
        return sent

    async def send(self, answers: dict[int, str], at_ms: int | None = None) -> dict[str, Any]:
        """POST /attempt/checkpoints; raises what it is refused with."""
        return await self.stage.sitting.checkpoint(self.claims, self.body(answers, at_ms))

    async def buffer(self, answers: dict[int, str], *, at: int | None = None, at_ms: int | None = None) -> None:
        """Send at service time ``at`` while PostgreSQL is away; it must be promised `buffered`."""
        if at is not None:
            self.stage.at = at
        await self.stage.known.seated(self.claims)
        with self.stage.postgres_away():
            reply = await self.send(answers, at_ms)
        assert {item["status"] for item in reply["items"]} == {"buffered"}, reply
        await self.stage.back()

    async def hand_in(self, answers: dict[int, str] | None = None) -> dict[str, Any]:
        return await self.stage.sitting.hand_in(self.claims, self.body(answers or {}))

    async def shown(self) -> dict[int, object]:
        """What GET /attempt shows, by item."""
        state = await self.stage.resuming.resume(self.claims)
        assert {one["status"] for one in state["responses"].values()} <= {"durable"}
        return {int(item): one["value"] for item, one in state["responses"].items()}


@asynccontextmanager
async def staged(engine: AsyncEngine, url: str, redis_url: str, **settings: Any) -> AsyncIterator[Stage]:
    """A world of two candidates, and a process that serves it. Redis must be empty."""
    # What is away is said by the schedule; a slow machine must not say it.
    settings = dict.fromkeys(("commit_deadline", "lock_timeout", "redis_timeout", "connect_timeout"), 30) | settings
    made = await world(engine, SECRET.encode(), candidates=2, items=25, duration_ms=100_000)
    look = await asyncpg.connect(url)
    site = Site(test_settings(**settings), url, redis_url, "holdfast-stage")
    site.service_time = SetTime(Confirmed(*await look.fetchrow(READ)))
    await site.follower.start()
    await site.writer.start()
    try:
        stage = Stage(site, made, engine, look)
        await stage.back()
        yield stage
    finally:
        await site.writer.stop()
        await site.follower.stop()
        await site.store.close()
        await site.engine.dispose()
        await look.close()
