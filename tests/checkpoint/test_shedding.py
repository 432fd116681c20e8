"""Storms: a full queue refuses heartbeats before answers, early rather than late, and says when to come again."""

from __future__ import annotations

import asyncio
import uuid

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.problems import RETRY_AFTER, refusal_of
from app.checkpoint.queue import LETTERS, PER_ATTEMPT, Queue
from app.domain.checkpoints import Checkpoint, Outcome, Overloaded, RecordAway, StoreAway
from tests.candidates import SECRET, Candidate, running
from tests.checkpoint.test_writer import EPOCH, row, writing
from tests.factories import world


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def made(fresh_db):
    made = await world(fresh_db, SECRET.encode(), candidates=30)
    async with fresh_db.begin() as conn:
        await conn.exec_driver_sql(f"UPDATE attempt SET epoch = {EPOCH}, grants = '[[{EPOCH}, 0]]'")
    return made


def answer(attempt: uuid.UUID | None = None) -> Checkpoint:
    return Checkpoint(attempt or uuid.uuid4(), EPOCH, 1, 5, [row(1, 1)])


def heartbeat(attempt: uuid.UUID | None = None) -> Checkpoint:
    return Checkpoint(attempt or uuid.uuid4(), EPOCH, 1, 5, [])


def outcome(checkpoint: Checkpoint) -> Outcome:
    return Outcome("durable", checkpoint.epoch, "open", 0, None, None, 0, 1, 1)


async def sent(queue: Queue, *checkpoints: Checkpoint) -> list[asyncio.Task[Outcome]]:
    """Each in a task of its own that has reached the queue, or was refused by it."""
    tasks = [asyncio.create_task(queue.submit(one)) for one in checkpoints]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def why(task: asyncio.Task[Outcome]) -> str:
    """Why it was refused, `waiting` or `answered`."""
    await asyncio.sleep(0)
    if not task.done():
        return "waiting"
    fault = task.exception()
    if fault is None:
        return "answered"
    assert isinstance(fault, Overloaded), fault
    return str(fault)


async def end(tasks) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_oldest_heartbeat_makes_room_for_an_answer_and_none_for_a_heartbeat(clock):
    queue = Queue(batch=10, limit=4, patience_s=2, monotonic=clock)
    tasks = await sent(queue, heartbeat(), answer(), heartbeat(), answer())
    tasks += await sent(queue, heartbeat(), answer(), answer(), answer())
    assert [await why(one) for one in tasks] == [
        "heartbeat", "waiting", "heartbeat", "waiting", "full", "waiting", "waiting", "full",
    ]  # fmt: skip
    assert len(queue) == 4
    assert queue.shedding
    batch = queue.take()
    assert [len(entry.checkpoint.rows) for entry in batch] == [1, 1, 1, 1]
    assert len(queue) == 0
    for entry in batch:
        entry.answer(outcome(entry.checkpoint))
    assert [await why(one) for one in tasks].count("answered") == 4
    clock.now += 60
    assert not queue.shedding


async def test_what_waited_past_its_deadline_is_refused_and_not_written_late(clock):
    queue = Queue(batch=10, limit=100, patience_s=2, monotonic=clock)
    early = await sent(queue, answer(), heartbeat())
    clock.now += 1.5
    late = await sent(queue, answer())
    clock.now += 1.0
    batch = queue.take()
    assert [await why(one) for one in early + late] == ["late", "late", "waiting"]
    assert len(batch) == 1
    await end(late)


async def test_slow_batches_leave_room_for_fewer_and_quick_ones_for_more_again(clock):
    queue = Queue(batch=4, limit=1000, patience_s=2, monotonic=clock)
    assert queue.room == 1000
    for _ in range(20):
        queue.took(0.5)
    # Four batches of four within two seconds: nobody is taken in only to be refused when it is too late.
    assert 12 <= queue.room <= 16
    for _ in range(20):
        queue.took(30)
    assert queue.room == 8
    for _ in range(40):
        queue.took(0.001)
    assert queue.room == 1000


async def test_a_batch_of_whole_papers_is_no_longer_than_can_be_committed_in_time(clock):
    """All of them in one statement would be past the commit deadline, and PostgreSQL would count as away."""
    queue = Queue(batch=256, limit=1000, patience_s=2, monotonic=clock)
    paper = [row(item, 1, "水" * 10_000) for item in range(4)]
    tasks = await sent(queue, *[Checkpoint(uuid.uuid4(), EPOCH, 1, 5, paper) for _ in range(40)])
    sizes = []
    while batch := queue.take():
        sizes.append(len(batch))
        for entry in batch:
            entry.answer(outcome(entry.checkpoint))
    assert sum(sizes) == 40
    assert max(sizes) * 40_000 < LETTERS + 50_000
    assert [await why(task) for task in tasks] == ["answered"] * 40


async def test_one_attempt_has_its_share_and_no_more(clock):
    queue = Queue(batch=4, limit=1000, patience_s=2, monotonic=clock)
    mine = uuid.uuid4()
    tasks = await sent(queue, *[answer(mine) for _ in range(PER_ATTEMPT + 3)], answer())
    assert [await why(one) for one in tasks].count("attempt") == 3
    # One of an attempt in a batch: the second one waits for the next.
    assert [entry.checkpoint.attempt == mine for entry in queue.take()] == [True, False]
    assert len(queue) == PER_ATTEMPT - 1
    await end(tasks)


async def test_whoever_has_gone_takes_nobodys_room(clock):
    queue = Queue(batch=2, limit=5, patience_s=2, monotonic=clock)
    tasks = await sent(queue, *[answer() for _ in range(5)])
    tasks[1].cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(queue) == 4
    tasks += await sent(queue, answer(), answer())
    assert [await why(task) for task in tasks[5:]] == ["waiting", "full"]
    await end(tasks)
    assert queue.take() == []
    assert (queue._of_attempt, len(queue)) == ({}, 0)


@given(st.lists(st.sampled_from(["answer", "beat", "take", "cut", "age"]), max_size=60))
async def test_whatever_happens_everybody_is_answered_once_and_nothing_is_kept(steps):
    """No more wait than may, an answer is refused only when no heartbeat waits, and the books balance."""
    clock = Clock()
    queue = Queue(batch=3, limit=5, patience_s=2, monotonic=clock)
    attempts = [uuid.uuid4() for _ in range(4)]
    tasks: list[tuple[bool, asyncio.Task[Outcome]]] = []
    for n, step in enumerate(steps):
        before = sum(not beat and not task.done() for beat, task in tasks)
        waiting = len(queue)
        if step in ("answer", "beat"):
            beat = step == "beat"
            (task,) = await sent(queue, (heartbeat if beat else answer)(attempts[n % 4]))
            tasks.append((beat, task))
            if not beat and task.done() and await why(task) == "full":
                assert before == waiting == 5
        elif step == "take":
            for entry in queue.take():
                assert clock.now - entry.since <= 2
                entry.answer(outcome(entry.checkpoint))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        elif step == "cut" and tasks:
            tasks[n % len(tasks)][1].cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        else:
            clock.now += 0.7
        assert len(queue) <= 5
    clock.now += 10
    while len(queue):
        assert queue.take() == []
    queue.take()
    await asyncio.gather(*[task for _, task in tasks], return_exceptions=True)
    assert all(task.done() for _, task in tasks)
    assert (queue._of_attempt, list(queue._waiting), queue._dropped) == ({}, [], 0)


async def test_a_storm_on_a_server_that_stands_loses_heartbeats_and_no_answer(fresh_url, made):
    """Over a real PostgreSQL: what was taken in is durable, what was not was told so at once."""
    plain = await asyncpg.connect(fresh_url)
    goes_on = asyncio.Event()
    async with writing(fresh_url, queue_limit=20, batch_limit=20, commit_deadline=60, queue_patience=60) as w:
        commit = w.writer._commit

        async def held(checkpoints):
            await goes_on.wait()
            return await commit(checkpoints)

        w.writer._commit = held

        def written(person):
            return asyncio.create_task(
                w.writer.submit(Checkpoint(person.attempt, EPOCH, 1, 5, [row(made.items[0], 1)]))
            )

        in_flight = written(made.people[0])
        while not (w.writer.queue._of_attempt and len(w.writer.queue) == 0):
            await asyncio.sleep(0)
        beats = [asyncio.create_task(w.writer.submit(heartbeat(person.attempt))) for person in made.people[1:11]]
        answers = [written(person) for person in made.people[1:26]]
        # Whoever is refused is refused at once: no clock has to move, and none of the others can be answered.
        for _ in range(10):
            await asyncio.sleep(0)
        refused = {task for task in (*beats, *answers) if task.done()}
        assert len(refused) == 15
        assert set(beats) < refused
        goes_on.set()
        outcomes = await asyncio.gather(in_flight, *answers, return_exceptions=True)
    kinds = ["overloaded" if isinstance(one, Overloaded) else one.durability for one in outcomes]
    assert kinds == ["durable"] * 21 + ["overloaded"] * 5
    assert all(isinstance(task.exception(), Overloaded) for task in refused)
    assert await plain.fetchval("SELECT count(*) FROM response") == 21
    await plain.close()


def test_who_is_refused_together_does_not_come_back_together():
    for fault, code in ((Overloaded(), "overloaded"), (RecordAway(), "record-away"), (StoreAway(), "unavailable")):
        drawn = {refusal_of(fault).params["retry_after"] for _ in range(400)}
        least, most = RETRY_AFTER[code]
        assert drawn == set(range(least, most + 1))
        assert len(drawn) >= 3


async def test_more_requests_than_may_be_in_work_are_told_to_come_again(fresh_url, redis_url, redis, made, fresh_db):
    """Whatever they wait for: here for a table that somebody has locked."""
    async with running(fresh_url, redis_url, max_requests=3) as (_, client):
        for _ in range(1200):
            if (await client.get("http://test/readyz")).json()["postgres"]:
                break
            await asyncio.sleep(0.05)
        async with fresh_db.begin() as conn:
            await conn.exec_driver_sql("LOCK TABLE allocation IN ACCESS EXCLUSIVE MODE")
            tries = [asyncio.create_task(Candidate(client, person).sign_in()) for person in made.people[:8]]
            done: set[asyncio.Task] = set()
            for _ in range(1200):
                done = {task for task in tries if task.done()}
                if len(done) == 5:
                    break
                await asyncio.sleep(0.05)
            replies = [task.result() for task in done]
            assert {(reply.status_code, reply.json()["code"]) for reply in replies} == {(503, "overloaded")}
            assert len(replies) == 5
            assert all(2 <= int(reply.headers["retry-after"]) <= 6 for reply in replies)
            assert all("x-request-id" in reply.headers for reply in replies)
            # Who looks after it is let through.
            assert (await client.get("http://test/readyz")).status_code == 200
            assert (await client.get("/staff/me")).status_code == 401
        assert {(await task).status_code for task in tries if task not in done} == {200}
        assert (await Candidate(client, made.people[9]).sign_in()).status_code == 200
