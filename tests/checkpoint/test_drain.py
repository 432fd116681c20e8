"""The drain says what became of everything that was promised `buffered`, after the commit and not before."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count

import asyncpg
import pytest

from app.checkpoint import drain
from app.domain.checkpoints import Checkpoint, Outcome, Row, StoreAway
from app.services.site import Site
from app.storage.postgres import buffer_cursors
from app.storage.redis.events import Event, listen, settled
from app.worker.loops import Drain
from app.worker.ticker import Ticker
from tests.candidates import SECRET, test_settings
from tests.checkpoint.stage import whole
from tests.checkpoint.test_writer import writing
from tests.factories import world

EPOCH = 1_000_001
WAIT_S = 60


@pytest.fixture
async def made(fresh_db):
    return await world(fresh_db, SECRET.encode())


@asynccontextmanager
async def serving(fresh_url: str, redis_url: str):
    """A site with its time running, as the worker has it."""
    config = test_settings()
    async with Site.open(config, fresh_url, redis_url) as site:
        ticker = Ticker(lambda: site.connect_own("ticker"), site.redis_clock, site.service_time, config)
        await ticker.start()
        try:
            assert await site.settled(WAIT_S)
            yield site
        finally:
            await ticker.stop()


@asynccontextmanager
async def connected(url: str):
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def grant(connection, attempt: uuid.UUID, *grants: tuple[int, int]) -> None:
    """The attempt's epochs with their service-time stamps; the last one is live."""
    await connection.execute(
        "UPDATE attempt SET epoch = $2, grants = $3::jsonb, signed_in_ms = 0 WHERE id = $1",
        attempt, grants[-1][0], json.dumps(grants),
    )  # fmt: skip


def row(item: int, rev: int, value: object, at_ms: int = 5) -> Row:
    text = json.dumps(value, ensure_ascii=False)
    return Row(item, rev, text, hashlib.sha256(text.encode()).digest(), at_ms)


def entry(attempt: uuid.UUID, *rows: Row, epoch: int = EPOCH, seq: int = 1, stamp_ms: int = 10) -> Checkpoint:
    return Checkpoint(attempt, epoch, seq, stamp_ms, list(rows))


@dataclass
class Buffered:
    """Entries as they come out of the buffer, without a Redis."""

    list_of: list[Checkpoint]

    async def holds(self, entry: str) -> bool:
        return 1 <= int(entry.partition("-")[0]) <= len(self.list_of)

    async def entries(self, after: str, limit: int) -> list[tuple[str, Checkpoint]]:
        first = int(after.partition("-")[0])
        return [(f"{n}-0", one) for n, one in enumerate(self.list_of, 1) if n > first][:limit]


async def test_each_entry_gets_its_outcome_durable_or_stranded_by_its_stamp(fresh_url, made):
    one, two = made.people[0].attempt, made.people[1].attempt
    async with connected(fresh_url) as connection:
        await grant(connection, one, (EPOCH, 0), (EPOCH + 1, 100))
        await grant(connection, two, (EPOCH, 0))
        done = await drain.commit(
            connection,
            [
                entry(one, row(made.items[0], 1, "A"), stamp_ms=99),
                entry(one, row(made.items[1], 1, ["A"]), stamp_ms=100, seq=2),
                entry(two, row(made.items[0], 1, "B")),
            ],
        )
    words = [(c.attempt, r.item, *outcome.status(r)) for c, outcome in done for r in c.rows]
    assert sorted(words) == sorted(
        [
            (one, made.items[0], "durable", None),
            (one, made.items[1], "stranded", "old_epoch"),
            (two, made.items[0], "durable", None),
        ]
    )


async def test_nobody_is_told_before_the_commit_and_a_repeat_is_told_the_same(fresh_url, made):
    attempt = made.people[0].attempt
    told: list[list[tuple[Checkpoint, Outcome]]] = []
    async with connected(fresh_url) as connection, connected(fresh_url) as onlooker:
        await grant(connection, attempt, (EPOCH, 0))
        buffer = Buffered([entry(attempt, row(item, 1, "A"), seq=n) for n, item in enumerate(made.items[:3], 1)])
        held = await onlooker.fetch("SELECT count(*) FROM response")
        assert held[0][0] == 0

        assert await drain.step(connection, buffer, 1, lambda done: told.append(list(done))) == 3
        assert await onlooker.fetchval("SELECT count(*) FROM response") == 3
        # Killed before the cursor moved: all of it is drained once more.
        await buffer_cursors.advance(connection, 1, "0-0")
        assert await drain.step(connection, buffer, 1, lambda done: told.append(list(done))) == 3
        assert await drain.step(connection, buffer, 1, lambda done: told.append(list(done))) == 0
    first, again = ([(c.rows[0].item, o.status(c.rows[0])[0], o.count) for c, o in batch] for batch in told)
    assert [word[:2] for word in first] == [(item, "durable") for item in made.items[:3]]
    assert [word[:2] for word in again] == [word[:2] for word in first]
    assert first[-1][2] == again[-1][2] == 3


async def test_one_bad_response_harms_no_neighbour_and_is_told_as_refused(fresh_url, made):
    attempt, neighbour = made.people[0].attempt, made.people[1].attempt
    bad = Row(made.items[1], 1, '"\\u0000"', hashlib.sha256(b"x").digest(), 5)
    async with connected(fresh_url) as connection:
        for one in (attempt, neighbour):
            await grant(connection, one, (EPOCH, 0))
        done = await drain.commit(
            connection, [entry(attempt, row(made.items[0], 1, "A"), bad), entry(neighbour, row(made.items[0], 1, "B"))]
        )
        held = await connection.fetch("SELECT attempt_id, item_id FROM response")
    words = {(c.attempt, r.item): outcome.status(r) for c, outcome in done for r in c.rows}
    assert words == {
        (attempt, made.items[0]): ("durable", None),
        (attempt, made.items[1]): ("refused", "bad-value"),
        (neighbour, made.items[0]): ("durable", None),
    }
    assert {tuple(one) for one in held} == {(attempt, made.items[0]), (neighbour, made.items[0])}


async def test_a_sync_wait_warning_is_no_commit(fresh_url, made):
    """The record is asked to raise the very warning of a synchronous commit that did not reach the standby."""
    attempt = made.people[0].attempt
    told: list[object] = []
    async with connected(fresh_url) as connection:
        await grant(connection, attempt, (EPOCH, 0))
        await connection.execute(
            "CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " RAISE WARNING 'not replicated' USING ERRCODE = '01000'; RETURN NULL; END $$;"
            " CREATE TRIGGER warns AFTER INSERT ON response FOR EACH STATEMENT EXECUTE FUNCTION warn()"
        )
        buffer = Buffered([entry(attempt, row(made.items[0], 1, "A"))])
        with pytest.raises(StoreAway):
            await drain.step(connection, buffer, 1, told.append)
        assert await buffer_cursors.read(connection, 1) == buffer_cursors.START, "what is not known is not passed"
        assert told == []
        await connection.execute("DROP TRIGGER warns ON response")
        assert await drain.step(connection, buffer, 1, told.append) == 1
        assert len(told) == 1


class Killed(Exception):  # noqa: N818 -- names what happened
    """The process is gone."""


class Dies:
    """Passes calls on to ``real`` until one process's calls have counted down; then it is gone, before the call reaches
    the store or after the store has done it."""

    def __init__(self, real: object, left: list[int], *, after: bool) -> None:
        self._real, self._left, self._after = real, left, after

    def __getattr__(self, name: str):
        real = getattr(self._real, name)
        if not inspect.iscoroutinefunction(real):
            return real

        async def call(*arguments, **named):
            self._left[0] -= 1
            if self._left[0] == 0 and not self._after:
                raise Killed
            done = await real(*arguments, **named)
            if self._left[0] == 0:
                raise Killed
            return done

        return call


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_drain_may_be_killed_at_any_call_and_the_next_one_ends_in_the_same_state(fresh_url, made, after):
    """Each call to a store in turn is the last one of its process; the next drain goes on from what it left."""
    one, two = made.people[0].attempt, made.people[1].attempt
    async with connected(fresh_url) as connection:
        await grant(connection, one, (EPOCH, 0), (EPOCH + 1, 100))
        await grant(connection, two, (EPOCH, 0))
        buffer = Buffered(
            [
                entry(one, row(made.items[0], 1, "A"), stamp_ms=97),
                entry(two, row(made.items[0], 1, "B"), stamp_ms=98),
                entry(one, row(made.items[0], 2, "C"), stamp_ms=99, seq=2),
                entry(one, row(made.items[0], 3, "D"), stamp_ms=100, seq=3),
                entry(two, row(made.items[0], 2, "E"), stamp_ms=101, seq=2),
            ]
        )
        kills = 0
        for last in count(1):
            # As on the first day: whatever the one before left is undone, so that each kill meets the whole of it.
            await connection.execute(
                "TRUNCATE buffer_cursor, response, response_history, stranded;"
                " UPDATE attempt SET count = 0, chain = '', chain_links = 0, acked = '{}'"
            )
            left = [last]
            try:
                await drain.step(Dies(connection, left, after=after), Dies(buffer, left, after=after), 1)
            except Killed:
                kills += 1
            assert await drain.step(connection, buffer, 1) in (0, len(buffer.list_of))
            assert await drain.step(connection, buffer, 1) == 0
            held = await connection.fetch("SELECT attempt_id, value #>> '{}' AS value FROM response")
            assert {(row["attempt_id"], row["value"]) for row in held} == {(one, "C"), (two, "E")}
            aside = await connection.fetch("SELECT rev, reason FROM stranded")
            assert [tuple(one) for one in aside] == [(3, "old_epoch")]
            assert [await whole(connection, attempt) for attempt in (one, two)] == [2, 2]
            if left[0] > 0:
                break
    # Where the buffer goes on from, its entries, two rounds or more of commits, the cursor.
    assert kills >= 6


async def test_a_drain_lets_live_writes_of_the_same_candidates_through(fresh_url, made, monkeypatch):
    """A live write meets the drain on its own attempt's row, again and again, and waits for one transaction of it at a
    time, not for the backlog."""
    attempts, rounds_of_each, live = [person.attempt for person in made.people[:2]], 250, 12
    buffer = Buffered(
        [
            entry(attempt, row(made.items[0], n, "A"), seq=n)
            for n in range(1, rounds_of_each + 1)
            for attempt in attempts
        ]
    )
    written, waits = 0, []
    write = drain._write

    async def counted(connection, batch):
        nonlocal written
        done = await write(connection, batch)
        written += len(batch)
        return done

    monkeypatch.setattr(drain, "_write", counted)
    async with connected(fresh_url) as connection, writing(fresh_url, commit_deadline=60, queue_patience=60) as w:
        for attempt in attempts:
            await grant(connection, attempt, (EPOCH, 0))

        async def drained() -> None:
            while await drain.step(connection, buffer, 1):
                pass

        draining = asyncio.create_task(drained())
        for n in range(1, live + 1):
            before = written
            outcome = await w.writer.submit(entry(attempts[n % 2], row(made.items[1], n, ["B"]), seq=1000 + n))
            assert outcome.durability == "durable"
            waits.append(written - before)
        await draining
        assert [await whole(connection, attempt) for attempt in attempts] == [rounds_of_each + live // 2] * 2
    assert written == len(buffer.list_of)
    # All but one, from which the machine may look away.
    assert sorted(waits)[-2] < drain.STEP / 2, f"entries drained while one live write waited: {waits}"


async def test_a_line_that_swallows_everything_is_cut(fresh_url, made, monkeypatch):
    monkeypatch.setattr(drain, "DEADLINE_S", 0.2)
    attempt = made.people[0].attempt
    async with connected(fresh_url) as connection, connected(fresh_url) as other:
        await grant(other, attempt, (EPOCH, 0))
        async with other.transaction():
            await other.execute("SELECT 1 FROM attempt WHERE id = $1 FOR UPDATE", attempt)
            with pytest.raises((asyncpg.InterfaceError, asyncpg.PostgresError, OSError)):
                async with asyncio.timeout(WAIT_S):
                    await drain.commit(connection, [entry(attempt, row(made.items[0], 1, "A"))])
        assert connection.is_closed()


def outcome(count: int | None = 3, **more) -> Outcome:
    return Outcome("durable", EPOCH, "open", 1, None, None, 0, count, 1, **more)


def test_one_event_per_attempt_names_every_revision_once():
    one, two = uuid.uuid4(), uuid.uuid4()
    done = [
        (entry(one, row(1, 1, "A"), row(2, 1, "B")), outcome(1, stranded={(2, 1): "old_epoch"})),
        (entry(two), outcome(9)),
        (entry(one, row(1, 1, "A"), row(1, 2, "C"), epoch=EPOCH + 1), outcome(4)),
        (entry(one, row(1, 1, "A")), outcome(5)),
    ]
    assert settled(done, "l") == [
        Event(
            "settled",
            attempt=str(one),
            data={
                "items": [
                    {"item": 1, "rev": 1, "epoch": EPOCH, "status": "durable"},
                    {"item": 2, "rev": 1, "epoch": EPOCH, "status": "stranded", "code": "old_epoch"},
                    {"item": 1, "rev": 1, "epoch": EPOCH + 1, "status": "durable"},
                    {"item": 1, "rev": 2, "epoch": EPOCH + 1, "status": "durable"},
                ],
                "count": 5,
                "lineage": "l",
            },
        )
    ]


async def test_the_worker_pushes_it_when_the_record_has_it(fresh_url, redis_url, redis, made):
    attempt = made.people[0].attempt
    heard: asyncio.Queue[Event] = asyncio.Queue()

    async with serving(fresh_url, redis_url) as site, connected(fresh_url) as connection:
        await grant(connection, attempt, (EPOCH, 0))

        async def hear() -> None:
            async for event in listen(site.store, site.keys):
                await heard.put(event)

        listening = asyncio.create_task(hear())
        async with asyncio.timeout(WAIT_S):
            while (await redis.pubsub_numsub(site.keys.events))[0][1] < 1:
                await asyncio.sleep(0.02)
        await site.hot().append([entry(attempt, row(made.items[0], 1, "A"), stamp_ms=site.service_time.now_ms())])
        draining = Drain(site)
        try:
            assert await draining.run() == 1
            async with asyncio.timeout(WAIT_S):
                event = await heard.get()
        finally:
            await draining.close()
            listening.cancel()
            await asyncio.wait({listening})
        assert await connection.fetchval("SELECT count FROM attempt WHERE id = $1", attempt) == 1
        assert (event.name, event.attempt) == ("settled", str(attempt))
        assert event.data == {
            "items": [{"item": made.items[0], "rev": 1, "epoch": EPOCH, "status": "durable"}],
            "count": 1,
            "lineage": site.service_time.lineage_uid,
        }


async def test_a_disk_that_is_nearly_full_is_not_filled_by_the_drain(fresh_url, redis_url, redis, made, tmp_path):
    """What the writer keeps away from such a disk must not come to it by the other door a moment later."""
    attempt = made.people[0].attempt
    async with serving(fresh_url, redis_url) as site, connected(fresh_url) as connection:
        await grant(connection, attempt, (EPOCH, 0))
        site.disk._folder, site.disk._reserve_mb = tmp_path, 1 << 40
        async with asyncio.timeout(WAIT_S):
            while site.writer.postgres_up:
                await asyncio.sleep(0.02)
        outcome = await site.writer.submit(
            entry(attempt, row(made.items[0], 1, "A"), stamp_ms=site.service_time.now_ms())
        )
        assert outcome.durability == "buffered"
        draining = Drain(site)
        try:
            assert await draining.run() == 0
            assert await connection.fetchval("SELECT count(*) FROM response") == 0
            site.disk._reserve_mb = 0
            assert await site.settled(WAIT_S), "there is room again"
            assert await draining.run() == 1
        finally:
            await draining.close()
        assert await connection.fetchval("SELECT count(*) FROM response") == 1


async def test_without_redis_the_drain_costs_postgres_no_connections(fresh_url, made, monkeypatch):
    async with serving(fresh_url, "redis://127.0.0.1:1/0") as site:
        async with asyncio.timeout(WAIT_S):
            while site.store.up:
                await asyncio.sleep(0.02)
        opened = []
        connect = site.connect_own

        async def counted(purpose: str):
            opened.append(purpose)
            return await connect(purpose)

        monkeypatch.setattr(site, "connect_own", counted)
        draining = Drain(site)
        try:
            assert [await draining.run() for _ in range(5)] == [0] * 5
        finally:
            await draining.close()
    assert opened == []


async def test_however_large_the_answers_are_no_reply_of_redis_holds_many(
    fresh_url, redis_url, redis, made, monkeypatch
):
    """One reply with a hundred whole papers in it takes longer than a call may: it would never be drained."""
    attempt, items = made.people[0].attempt, made.items[:4]
    async with serving(fresh_url, redis_url) as site, connected(fresh_url) as connection:
        await grant(connection, attempt, (EPOCH, 0))
        hot = site.hot()
        for n in range(1, 61):
            rows = [row(item, n, f"{n}" + "水" * 20_000) for item in items]
            await hot.append([entry(attempt, *rows, seq=n, stamp_ms=site.service_time.now_ms())])
        sizes = []
        call = site.store.call

        async def weighed(answer):
            reply = await call(answer)
            sizes.append(len(repr(reply)))
            return reply

        monkeypatch.setattr(site.store, "call", weighed)
        assert len(await hot.pending(attempt, "0-0")) == 60
        steps = []
        draining = Drain(site)
        try:
            while done := await draining.run():
                steps.append(done)
        finally:
            await draining.close()
        assert sum(steps) == 60
        assert max(steps) < 60, "a step ends early when its entries are large"
        # Ten times the largest request, as Python spells its bytes: four letters for one.
        assert max(sizes) < 10 * 4 * site.settings.max_body_bytes
        assert await connection.fetchval("SELECT count FROM attempt WHERE id = $1", attempt) == 60 * len(items)


async def test_a_batch_of_whole_papers_is_buffered_in_more_than_one_call(fresh_url, redis_url, redis, made):
    """Everybody sends everything again while PostgreSQL is away: one call with all of it would open the breaker."""
    async with serving(fresh_url, redis_url) as site:
        sizes = []
        call = site.store.call

        async def counted(answer):
            sizes.append(1)
            return await call(answer)

        site.store.call = counted
        batch = [
            entry(uuid.uuid4(), *[row(item, n, f"{n}" + "水" * 20_000) for item in made.items[:4]], seq=n)
            for n in range(1, 65)
        ]
        replies = await site.hot().append(batch)
        assert [reply[0] for reply in replies] == [b"ok"] * len(batch)
        assert len(sizes) >= 8


async def test_an_entry_that_cannot_be_read_is_set_aside_and_holds_nobody_up(fresh_url, redis_url, redis, made):
    one, other = (person.attempt for person in made.people[:2])
    async with serving(fresh_url, redis_url) as site, connected(fresh_url) as connection:
        hot = site.hot()
        for attempt in (one, other):
            await grant(connection, attempt, (EPOCH, 0))
        await hot.append([entry(one, row(made.items[0], 1, "A"), stamp_ms=site.service_time.now_ms())])
        damaged = b'{"t":"half an ent'
        at = await redis.xadd(site.keys.buffer, {"b": damaged})
        await redis.rpush(site.keys.pending(other), at)
        await hot.append([entry(other, row(made.items[0], 1, "B"), stamp_ms=site.service_time.now_ms())])
        assert len(await hot.pending(other, "0-0")) == 1
        draining = Drain(site)
        try:
            assert await draining.run() == 2
            assert await draining.run() == 0
        finally:
            await draining.close()
        for attempt in (one, other):
            assert await connection.fetchval("SELECT count FROM attempt WHERE id = $1", attempt) == 1
        assert await redis.hgetall(site.keys.unreadable) == {at: damaged}
