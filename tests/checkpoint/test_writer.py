"""The writer against the model, and under the faults it is made for."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from contextlib import asynccontextmanager
from types import SimpleNamespace

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.checkpoint.statement import write
from app.checkpoint.writer import Writer
from app.domain.checkpoints import Checkpoint, Outcome, Overloaded, Row, StoreAway
from app.domain.responses import Standing, Version, Write, canonical, strand
from tests.candidates import SECRET, test_settings
from tests.factories import world

EPOCH = 1_000_001


def row(item: int, rev: int, value: object = "A", at_ms: int = 1000) -> Row:
    body = canonical(value)
    return Row(item, rev, body.decode(), hashlib.sha256(body).digest(), at_ms)


@pytest.fixture
async def made(fresh_db):
    made = await world(fresh_db, SECRET.encode(), candidates=6)
    async with fresh_db.begin() as conn:
        await conn.exec_driver_sql(f"UPDATE attempt SET epoch = {EPOCH}, grants = '[[{EPOCH}, 0]]'")
    return made


@pytest.fixture
async def plain(fresh_url):
    connection = await asyncpg.connect(fresh_url)
    yield connection
    await connection.close()


class NoBuffer:
    """Redis away as well."""

    async def append(self, checkpoints):
        raise StoreAway("no buffer")


class Kept:
    """Remembers what the writer hands over while PostgreSQL is away."""

    def __init__(self) -> None:
        self.checkpoints: list[Checkpoint] = []

    async def append(self, checkpoints):
        self.checkpoints += checkpoints
        return [Outcome("buffered", c.epoch, "open", 0, None, None, -1, None, 0) for c in checkpoints]


@asynccontextmanager
async def writing(url: str, buffer=None, **changes):
    told: list = []
    config = test_settings(**changes)

    async def connect():
        return await asyncpg.connect(url, server_settings={"lock_timeout": "300"})

    writer = Writer(connect, buffer or NoBuffer(), config, told.extend)
    await writer.start()
    for _ in range(100):
        if writer.postgres_up:
            break
        await asyncio.sleep(0.02)
    try:
        yield SimpleNamespace(writer=writer, told=told)
    finally:
        await writer.stop()


async def test_what_arrives_while_a_batch_is_in_flight_becomes_the_next_batch(fresh_url, made):
    async with writing(fresh_url) as w:
        outcomes = await asyncio.gather(
            *[w.writer.submit(Checkpoint(p.attempt, EPOCH, 1, 5, [row(made.items[0], 1)])) for p in made.people]
        )
    assert {outcome.durability for outcome in outcomes} == {"durable"}
    assert len(w.told) == 6


async def test_two_requests_of_one_attempt_are_both_written_in_order(fresh_url, made, plain):
    attempt, item = made.people[0].attempt, made.items[0]
    async with writing(fresh_url) as w:
        outcomes = await asyncio.gather(
            *[w.writer.submit(Checkpoint(attempt, EPOCH, n, n, [row(item, n, f"v{n}")])) for n in range(1, 9)]
        )
    assert [outcome.acked_seq for outcome in outcomes] == list(range(1, 9))
    assert await plain.fetchval("SELECT value FROM response WHERE attempt_id = $1", attempt) == '"v8"'
    assert await plain.fetchval("SELECT count(*) FROM response_history WHERE attempt_id = $1", attempt) == 8


async def test_one_response_that_the_database_refuses_fails_alone(fresh_url, made, plain):
    bad = Row(made.items[0], 1, '"a\\u0000b"', b"x" * 32, 1)
    async with writing(fresh_url) as w:
        outcomes = await asyncio.gather(
            *[
                w.writer.submit(
                    Checkpoint(
                        p.attempt, EPOCH, 1, 5, [bad, row(made.items[1], 1)] if n == 3 else [row(made.items[1], 1)]
                    )
                )
                for n, p in enumerate(made.people)
            ]
        )
    assert [outcome.refused for outcome in outcomes] == [
        {} if n != 3 else {(made.items[0], 1): "bad-value"} for n in range(6)
    ]
    assert await plain.fetchval("SELECT count(*) FROM response") == 6


async def test_an_unknown_attempt_is_refused_and_its_neighbour_is_not(fresh_url, made):
    async with writing(fresh_url) as w:
        good, lost = await asyncio.gather(
            w.writer.submit(Checkpoint(made.people[0].attempt, EPOCH, 1, 5, [])),
            w.writer.submit(Checkpoint(uuid.uuid4(), EPOCH, 1, 5, [])),
            return_exceptions=True,
        )
    assert good.durability == "durable"
    assert isinstance(lost, LookupError)


async def test_a_batch_of_the_old_epoch_that_waits_while_a_relog_commits_is_not_applied(fresh_url, made, plain):
    """The race of the fence: real commits, two connections, the batch waiting on the row lock (DESIGN §4.3)."""
    attempt, item = made.people[0].attempt, made.items[0]
    batch = await asyncpg.connect(fresh_url)
    moving = plain.transaction()
    await moving.start()
    await plain.execute("SELECT id FROM attempt WHERE id = $1 FOR NO KEY UPDATE", attempt)
    waiting = asyncio.create_task(write(batch, [Checkpoint(attempt, EPOCH, 1, 5, [row(item, 9, "late")], position=7)]))
    await _until_waiting(fresh_url, batch.get_server_pid())
    await plain.execute(
        "UPDATE attempt SET epoch = $2, grants = grants || $3::jsonb WHERE id = $1",
        attempt, EPOCH + 1, f"[[{EPOCH + 1}, 6]]",
    )  # fmt: skip
    await moving.commit()
    outcome = (await waiting)[attempt]
    await batch.close()
    assert outcome.fenced
    assert outcome.stranded == {(item, 9): "old_epoch"}
    assert await plain.fetchval("SELECT count(*) FROM response") == 0
    assert await plain.fetchval("SELECT count(*) FROM response_history") == 0
    state = await plain.fetchrow("SELECT position, count, acked::text FROM attempt WHERE id = $1", attempt)
    assert tuple(state) == (1, 0, "{}")
    kept = await plain.fetchrow("SELECT epoch, rev, value, reason FROM stranded")
    assert tuple(kept) == (EPOCH, 9, '"late"', "old_epoch")


async def _until_waiting(url: str, pid: int) -> None:
    watcher = await asyncpg.connect(url)
    try:
        for _ in range(200):
            if await watcher.fetchval("SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1", pid):
                return
            await asyncio.sleep(0.02)
        pytest.fail("the batch never waited for the row lock")
    finally:
        await watcher.close()


async def test_a_buffered_batch_that_waits_while_a_relog_commits_is_judged_by_its_stamp(fresh_url, made, plain):
    """The same race for the drain: stamped before the grant it merges, after it it is stranded."""
    attempt, item = made.people[0].attempt, made.items[0]
    for stamp, applied in ((50, 1), (60, 1), (61, 1)):
        batch = await asyncpg.connect(fresh_url)
        moving = plain.transaction()
        await moving.start()
        await plain.execute("SELECT id FROM attempt WHERE id = $1 FOR NO KEY UPDATE", attempt)
        held = Checkpoint(attempt, EPOCH, stamp, stamp, [row(item, stamp, "x")], buffered=True)
        waiting = asyncio.create_task(write(batch, [held]))
        await _until_waiting(fresh_url, batch.get_server_pid())
        await plain.execute(
            "UPDATE attempt SET epoch = $2, grants = $3::jsonb WHERE id = $1",
            attempt, EPOCH + 1, f"[[{EPOCH}, 0], [{EPOCH + 1}, 60]]",
        )  # fmt: skip
        await moving.commit()
        outcome = (await waiting)[attempt]
        await batch.close()
        assert outcome.fenced is (stamp >= 60)
        assert await plain.fetchval("SELECT count(*) FROM response") == applied
        assert await plain.fetchval("SELECT rev FROM response") == 50


async def test_postgres_frozen_past_the_deadline_means_the_buffer_takes_over(fresh_url, made, plain):
    """A COMMIT that does not come: the connection is cut, the answer is buffered, and a later repeat settles it."""
    attempt, item = made.people[0].attempt, made.items[0]
    kept = Kept()
    async with writing(fresh_url, kept, commit_deadline=0.3) as w:
        blocking = plain.transaction()
        await blocking.start()
        await plain.execute("LOCK TABLE stranded IN ACCESS EXCLUSIVE MODE")
        outcome = await w.writer.submit(Checkpoint(attempt, EPOCH, 1, 5, [row(item, 1)]))
        assert outcome.durability == "buffered"
        assert [c.attempt for c in kept.checkpoints] == [attempt]
        await blocking.rollback()
        for _ in range(100):
            if w.writer.postgres_up:
                break
            await asyncio.sleep(0.02)
        again = await w.writer.submit(Checkpoint(attempt, EPOCH, 1, 5, [row(item, 1)]))
    assert again.durability == "durable"
    assert again.count == 1


async def test_one_locked_attempt_holds_nobody_else_up(fresh_url, made, plain):
    """Its neighbours of the same batch are durable while it is still locked; it alone is told to come again."""
    async with writing(fresh_url) as w:
        blocking = plain.transaction()
        await blocking.start()
        await plain.execute("SELECT id FROM attempt WHERE id = $1 FOR NO KEY UPDATE", made.people[0].attempt)
        tasks = [w.writer.submit(Checkpoint(p.attempt, EPOCH, 1, 5, [row(made.items[0], 1)])) for p in made.people]
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        await blocking.rollback()
    assert isinstance(outcomes[0], StoreAway)
    assert {outcome.durability for outcome in outcomes[1:]} == {"durable"}


async def test_one_attempt_cannot_fill_the_queue(fresh_url, made, plain):
    async with writing(fresh_url) as w:
        mine = [w.writer.submit(Checkpoint(made.people[0].attempt, EPOCH, n, 5, [])) for n in range(1, 200)]
        outcomes = await asyncio.gather(
            *mine, w.writer.submit(Checkpoint(made.people[1].attempt, EPOCH, 1, 5, [])), return_exceptions=True
        )
    assert sum(isinstance(outcome, Overloaded) for outcome in outcomes[:-1]) > 100
    assert outcomes[-1].durability == "durable"


async def test_a_seq_far_ahead_does_not_make_the_row_grow(fresh_url, made, plain):
    attempt = made.people[0].attempt
    async with writing(fresh_url) as w:
        for seq in (1, 2, 10_000, 20_000, 2**53, 3):
            outcome = await w.writer.submit(Checkpoint(attempt, EPOCH, seq, 5, []))
    assert outcome.acked_seq == 3
    assert await plain.fetchval("SELECT acked::text FROM attempt WHERE id = $1", attempt) == "{[1,4)}"


async def test_both_stores_away_is_said_and_not_waited_for(made):
    async with writing("postgresql://nobody@127.0.0.1:1/none") as w:
        with pytest.raises(StoreAway):
            await asyncio.wait_for(w.writer.submit(Checkpoint(made.people[0].attempt, EPOCH, 1, 5, [])), 2)


async def test_a_full_queue_refuses_at_once(fresh_url, made, plain):
    async with writing(fresh_url, queue_limit=2) as w:
        blocking = plain.transaction()
        await blocking.start()
        await plain.execute("SELECT id FROM attempt FOR NO KEY UPDATE")
        tasks = [asyncio.create_task(w.writer.submit(Checkpoint(p.attempt, EPOCH, 1, 5, []))) for p in made.people]
        await asyncio.sleep(0.05)
        refused = [task for task in tasks if task.done() and isinstance(task.exception(), Overloaded)]
        assert refused
        await blocking.rollback()
        await asyncio.gather(*tasks, return_exceptions=True)


small = st.integers(0, 6)


@st.composite
def cases(draw):
    """A standing and a write, with instants close together so that every boundary is met."""
    epoch = EPOCH + draw(st.integers(0, 2))
    grants = [[EPOCH + n, draw(st.integers(0, 5)) * 1000] for n in range(epoch - EPOCH + 1)]
    grants = [[e, max(g for _, g in grants[: i + 1])] for i, (e, _) in enumerate(grants)]
    state = draw(st.sampled_from(["open", "ended", "final"]))
    ended = draw(small) * 1000 if state != "open" else None
    contact = draw(st.none() | small.map(lambda n: n * 1000))
    mine = EPOCH + draw(st.integers(0, 2))
    stamp = draw(small) * 1000
    return epoch, grants, state, ended, contact, mine, stamp, draw(st.booleans()), draw(st.integers(0, 6000))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases())
async def test_the_statement_judges_as_the_model_does(case, plain, made):
    epoch, grants, state, ended, contact, mine, stamp, buffered, at_ms = case
    attempt, item = made.people[0].attempt, made.items[0]
    outer = plain.transaction()
    await outer.start()
    try:
        await plain.execute(
            "UPDATE attempt SET epoch = $2, grants = $3::text::jsonb, state = $4, ended_ms = $5, contact_ms = $6,"
            " final_ms = CASE WHEN $4 = 'final' THEN 9000 END WHERE id = $1",
            attempt, epoch, str(grants), state, ended, contact,
        )  # fmt: skip
        write_ = Checkpoint(attempt, mine, 1, stamp, [row(item, 1, at_ms=at_ms)], buffered=buffered)
        outcome = (await write(plain, [write_]))[attempt]
        following = [granted for e, granted in grants if e > mine]
        standing = Standing(epoch, state, ended, contact, min(following) if following else None)
        expected = strand(standing, Write(mine, stamp, buffered), at_ms)
        assert outcome.stranded == ({} if expected is None else {(item, 1): expected})
        assert await plain.fetchval("SELECT count(*) FROM response") == (expected is None)
        assert await plain.fetchval("SELECT count(*) FROM stranded") == (expected is not None)
    finally:
        await outer.rollback()


versions = st.tuples(st.integers(1, 3), st.integers(1, 3), st.sampled_from(["A", "B", None, ["A"]]))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes=st.lists(versions, min_size=1, max_size=12), data=st.data())
async def test_any_order_and_repetition_ends_in_the_models_state(writes, data, plain, made):
    """I4 through the real statement: shuffled, repeated, folded into batches, it is the greatest version."""
    attempt = made.people[0].attempt
    order = data.draw(st.permutations(writes + writes[: len(writes) // 2]))
    outer = plain.transaction()
    await outer.start()
    try:
        for n, (item, rev, value) in enumerate(order):
            pair = [row(made.items[item], rev, value), row(made.items[item], rev, value)]
            await write(plain, [Checkpoint(attempt, EPOCH, n + 1, 5, pair)])
        best: dict[int, Version] = {}
        for item, rev, value in writes:
            version = Version(EPOCH, rev, 0, hashlib.sha256(canonical(value)).digest())
            best[made.items[item]] = max(best.get(made.items[item], version), version)
        stored = await plain.fetch("SELECT item_id, epoch, rev, adopt_n, value_hash FROM response")
        assert {r[0]: Version(r[1], r[2], r[3], r[4]) for r in stored} == best
        distinct = {(item, rev, canonical(value)) for item, rev, value in writes}
        assert await plain.fetchval("SELECT count FROM attempt WHERE id = $1", attempt) == len(distinct)
    finally:
        await outer.rollback()
