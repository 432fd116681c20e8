"""Schedules in which something overtakes the drain (DESIGN §4.6, §4.7), each on real PostgreSQL and Redis.

An answer is buffered at stamp *b* under epoch 1 and promised `buffered`. Then something comes before the drain does: a
grant at stamp *g*, an end at stamp *e*, a receipt, a second drain, a drain that was killed, another Redis. Whatever
the order: what was stamped before the grant and not after the end counts, what was not is kept as stranded, nothing is
there twice, and nothing is shown that the record does not hold.

| what overtakes | stamps | Redis meanwhile | the drain comes | the answer | test |
| --- | --- | --- | --- | --- | --- |
| nothing, then a grant | b < g | there | before | counts | `..._before_the_move` |
| a grant | b < g | there | after: the sign-in drained | counts, once | `..._move_drains_by_itself` |
| a grant | b < g, b = g, b > g | away in the sign-in | after | counts, stranded, stranded | `..._the_stamp_alone` |
| a grant, and the new seat answers | b < g | away in the sign-in | after | loses to the new one | `..._beats_what_is_drained` |
| a grant, and the resume at the new seat | b < g, b > g | away in the sign-in | after | shown only if it counts | `..._resume_at_the_new_seat` |
| two grants | g₂ < b < g₃ | stale | after | stranded by the first | `..._by_the_next_grant` |
| a grant | between seal and grant | there | – | not promised: 503 | `..._between_seal_and_grant_is_not` |
| a refused sign-in | after it | there | after | promised again, counts | `..._refused_sign_in_lifts` |
| a grant whose seal was lost | between drain and grant | emptied in the sign-in | after | counts, or not promised | `..._seal_was_lost` |
| a live write | between seal and grant | there | – | durable, counts | `..._live_write_between` |
| the same device's sign-in | b | there | after: the sign-in drained | counts, and buffers again | `..._same_device_signs_in` |
| an end | b < e | there | after: the end drained | counts, once | `..._end_drains_by_itself` |
| an end | b = e, b > e | away at the end | after | counts; typed in time: late; typed later: `ended` | `..._end_without_redis` |
| an end, answer held back | b > e | away at the end | after | stranded `late` | `..._held_back` |
| an end | between seal and end | there | – | not promised: 503 | `..._between_seal_and_end_is_not` |
| an end that was not due | after it | there | after | promised, counts | `..._not_due_lifts` |
| a hand-in | b < e | there, PostgreSQL back | after: the hand-in drained | in the receipt | `..._takes_what_was_buffered` |
| a hand-in of the new seat | b < g < e, old device's | there | after | in the receipt | `..._old_seat_left_behind` |
| the sweeper's receipt | b < e | away, then back | after | the receipt waits, then has it | `..._receipt_waits` |
| a receipt, an answer changed twice | b₁ < b₂ < e | there | after: the end drained | both revisions in it | `..._every_revision` |
| a hand-in's receipt | b < e | away throughout | after | stranded `final`, kept | `..._after_the_receipt_is_kept` |
| a receipt | after it | there | – | not promised: 503 | `..._nothing_is_buffered_after` |
| a second drain | b | there | both at once | counts, once | `..._two_drains_at_once` |
| a second drain, slow cursor | b₁ < b₂ | there | the slow one last | once each, none skipped | `..._slow_cursor` |
| a newer live write | b, then durable | there | after | the newer one stays | `..._newer_live_write` |
| a drain killed before its cursor, then a grant | b < g; b > g | there | again after the grant | once; stranded once | `..._killed_before_its_cursor` |
| a drain killed in the middle of an attempt | b₁ < b₂ < b₃ | there | again | once each, in order | `..._killed_in_the_middle` |
| the cursor is lost | b₁ … b₃ | there | again, from the start | once each | `..._cursor_that_is_lost` |
| a Redis that came back empty | b | emptied | after | not invented; the browser's repeat counts | `..._emptied_redis` |
| another Redis whose clock is behind | ids before and after the cursor | replaced | late | all count | `..._clock_is_behind` |
| a stream that is lost, hot copy there | b < g, b > g | truncated | never | repaired by the same rule | `..._hot_copy_alone` |
| forgetting | b drained and not drained | there | after | only what is drained goes | `..._forgetting` |
| an outage right after the sign-in | b | there | – | told the time that is left | `..._time_that_is_left` |
| the end while a credit is not yet known | b > end, new term | there | before the contact | counts | `..._credit_is_not_yet_known` |
"""  # noqa: E501 -- a table

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager

import pytest

from app.checkpoint import drain
from app.domain.checkpoints import StoreAway
from app.domain.errors import Refused
from app.storage.postgres import buffer_cursors
from tests.checkpoint.stage import Stage, staged


@pytest.fixture
async def stage(fresh_db, fresh_url, redis, redis_url):
    async with staged(fresh_db, fresh_url, redis_url) as stage:
        yield stage


@contextmanager
def refused(code: str):
    with pytest.raises(Refused) as fault:
        yield
    assert fault.value.code == code


async def seated(stage: Stage):
    """A device that holds epoch 1, signed in at 1 000."""
    device = stage.device()
    await device.sign_in()
    return device


async def moved(stage: Stage, at: int, spare: int = 0):
    """Another device signs in after the invigilator's click: a grant at ``at``."""
    await stage.move(spare=spare)
    device = stage.device()
    stage.at = at
    await device.sign_in()
    return device


# --- a grant ----------------------------------------------------------------------------------------------------


async def test_what_was_drained_before_the_move_is_at_the_new_seat(stage):
    old, item = await seated(stage), stage.items[0]
    await old.buffer({item: "x"}, at=2000)
    assert await stage.drain() == 1
    new = await moved(stage, 3000)
    assert await new.shown() == {item: "x"}
    assert await stage.whole() == 1


async def test_a_move_drains_by_itself_and_the_drain_adds_nothing(stage):
    old, item = await seated(stage), stage.items[0]
    await old.buffer({item: "x"}, at=2000)
    new = await moved(stage, 3000)
    assert await stage.answers() == {item: "x"}
    assert await stage.drain() == 1
    assert await stage.whole() == 1
    assert await new.shown() == {item: "x"}
    assert await stage.stranded() == {}


@pytest.mark.parametrize(("stamp", "counts"), [(2999, True), (3000, False), (3001, False)])
async def test_a_move_without_redis_leaves_the_judgement_to_the_stamp_alone(stage, stamp, counts):
    """The sign-in could drain nothing and tell Redis nothing: the old device may even be promised more."""
    old, item = await seated(stage), stage.items[0]
    if stamp < 3000:
        await old.buffer({item: "x"}, at=stamp)
    with stage.redis_away():
        await moved(stage, 3000)
    if stamp >= 3000:
        await old.buffer({item: "x"}, at=stamp)
    assert await stage.drain() == 1
    assert await stage.answers() == ({item: "x"} if counts else {})
    assert await stage.stranded() == ({} if counts else {(item, old.epoch, 1): "old_epoch"})
    assert await stage.whole() == int(counts)


async def test_what_the_new_seat_wrote_beats_what_is_drained_from_the_old_one(stage):
    old, (first, second) = await seated(stage), stage.items[:2]
    for n in range(5):
        await old.buffer({first: f"old {n}"}, at=2000 + n)
    await old.buffer({second: "only here"}, at=2100)
    with stage.redis_away():
        new = await moved(stage, 3000)
        await new.send({first: "new"})
    assert await stage.drain() == 6
    assert await stage.answers() == {first: "new", second: "only here"}
    assert await stage.stranded() == {}
    assert await stage.whole() == 7


async def test_a_resume_at_the_new_seat_overtakes_the_drain_and_shows_only_what_counts(stage):
    old, (first, second) = await seated(stage), stage.items[:2]
    await old.buffer({first: "before"}, at=2000)
    with stage.redis_away():
        new = await moved(stage, 3000)
    await old.buffer({second: "after"}, at=3500)
    assert await new.shown() == {first: "before"}
    assert await stage.answers() == {first: "before"}
    assert await stage.stranded() == {(second, old.epoch, 1): "old_epoch"}
    assert await stage.drain() == 2
    assert await new.shown() == {first: "before"}
    assert await stage.whole() == 1


async def test_a_buffered_answer_is_judged_by_the_next_grant_not_by_the_newest(stage):
    first, (item, other) = await seated(stage), stage.items[:2]
    with stage.redis_away():
        second = await moved(stage, 3000)
    await first.buffer({item: "first's"}, at=3500)
    await second.buffer({other: "second's"}, at=3600)
    with stage.redis_away():
        await moved(stage, 4000, spare=1)
    assert await stage.drain() == 2
    assert await stage.answers() == {other: "second's"}
    assert await stage.stranded() == {(item, first.epoch, 1): "old_epoch"}
    assert await stage.whole() == 1


@asynccontextmanager
async def paused_before_the_lock(stage: Stage, work):
    """``work`` runs until it waits for the attempt's row, which is held here; then the block runs, then it goes on."""
    holder = await stage.site.connect_own("holder")
    held = holder.transaction()
    await held.start()
    await holder.execute("SELECT id FROM attempt WHERE id = $1 FOR NO KEY UPDATE", stage.person.attempt)
    task = asyncio.create_task(work)
    try:
        for _ in range(3000):
            waiting = await stage.look.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND datname = current_database() AND query LIKE '%FOR NO KEY UPDATE%'"
            )
            if waiting:
                break
            assert not task.done(), task.result()
            await asyncio.sleep(0.02)
        else:
            pytest.fail("nobody ever waited for the row")
        yield task
    finally:
        await held.rollback()
        await holder.close()
    await task


async def test_what_arrives_between_seal_and_grant_is_not_promised(stage):
    old, item = await seated(stage), stage.items[0]
    await stage.known.seated(old.claims)
    await stage.move()
    new = stage.device()
    stage.at = 3000
    async with paused_before_the_lock(stage, new.sign_in()):
        with stage.postgres_away(), pytest.raises(StoreAway):
            await old.send({item: "x"})
    await stage.back()
    assert await stage.drain() == 0
    assert await new.shown() == {}
    # The browser still has it and repeats it; now it is stranded, not lost.
    with refused("superseded"):
        await old.send({item: "x"})
    assert len(await stage.stranded()) == 1


async def test_a_refused_sign_in_lifts_its_seal(stage):
    old, item = await seated(stage), stage.items[0]
    with refused("lease-held"):
        await stage.device().sign_in()
    await old.buffer({item: "x"}, at=2000)
    assert await stage.drain() == 1
    assert await stage.answers() == {item: "x"}


async def test_a_promise_made_because_the_seal_was_lost_is_kept(stage, redis):
    """Redis is emptied while the sign-in waits for the row, the old device is promised one more, the grant follows."""
    old, item = await seated(stage), stage.items[0]
    await stage.known.seated(old.claims)
    await stage.move()
    new = stage.device()
    stage.at = 2500
    promised = False
    async with paused_before_the_lock(stage, new.sign_in()):
        await redis.flushdb()
        with stage.postgres_away():
            reply = await old.send({item: "x"})
            promised = reply["durability"] == "buffered"
        stage.at = 3000
    await stage.back()
    assert promised
    assert await new.shown() == {item: "x"}
    await stage.drain()
    assert await stage.answers() == {item: "x"}
    assert await stage.whole() == 1


async def test_a_live_write_between_seal_and_grant_is_durable_and_at_the_new_seat(stage):
    """The seal is on the buffer only: what PostgreSQL takes before the grant's lock is simply before the grant."""
    old, item = await seated(stage), stage.items[0]
    hot = stage.site.hot()
    await stage.move()
    new = stage.device()
    seen = []
    seal = hot.seal

    async def slow(*args, **more):
        await seal(*args, **more)
        seen.append((await old.send({item: "x"}))["durability"])

    hot.seal = slow
    stage.at = 3000
    await new.sign_in()
    assert seen == ["durable"]
    assert await new.shown() == {item: "x"}
    assert await stage.whole() == 1


async def test_the_same_device_signs_in_again_and_finds_what_was_buffered(stage):
    device, (first, second) = await seated(stage), stage.items[:2]
    await device.buffer({first: "x"}, at=2000)
    stage.at = 3000
    before = device.epoch
    await device.sign_in()
    assert device.epoch == before
    assert await stage.answers() == {first: "x"}
    await device.buffer({second: "y"}, at=3500)
    assert await stage.drain() == 2
    assert await stage.answers() == {first: "x", second: "y"}
    assert await stage.whole() == 2


# --- an end -----------------------------------------------------------------------------------------------------


async def test_an_end_drains_by_itself_and_the_drain_adds_nothing(stage):
    device, item = await seated(stage), stage.items[0]
    await device.buffer({item: "x"}, at=2000)
    await stage.end(3000)
    assert await stage.answers() == {item: "x"}
    assert await stage.look.fetchval("SELECT late FROM response") is False
    assert await stage.drain() == 1
    assert await stage.whole() == 1
    assert (await stage.finalise())["count"] == 1


@pytest.mark.parametrize(("stamp", "typed", "reason"), [(3000, 2900, None), (3001, 2900, None), (3001, 3000, "ended")])
async def test_an_end_without_redis_leaves_the_judgement_to_the_stamp_and_the_typing(stage, stamp, typed, reason):
    device, item = await seated(stage), stage.items[0]
    if stamp <= 3000:
        await device.buffer({item: "x"}, at=stamp, at_ms=typed)
    with stage.redis_away():
        await stage.end(3000)
    if stamp > 3000:
        await device.buffer({item: "x"}, at=stamp, at_ms=typed)
    assert await stage.drain() == 1
    assert await stage.answers() == ({} if reason else {item: "x"})
    assert await stage.stranded() == ({(item, device.epoch, 1): reason} if reason else {})
    assert await stage.whole() == (reason is None)


async def test_what_was_held_back_over_a_contact_and_buffered_after_the_end_is_late(stage):
    device, item = await seated(stage), stage.items[0]
    stage.at = 20_000
    await device.send({})
    with stage.redis_away():
        await stage.end(30_000)
    await device.buffer({item: "x"}, at=31_000, at_ms=10_000)
    assert await stage.drain() == 1
    assert await stage.stranded() == {(item, device.epoch, 1): "late"}


async def test_what_arrives_between_seal_and_end_is_not_promised(stage):
    device, item = await seated(stage), stage.items[0]
    await stage.known.seated(device.claims)
    async with paused_before_the_lock(stage, stage.end(3000)):
        with stage.postgres_away(), pytest.raises(StoreAway):
            await device.send({item: "x"}, at_ms=2900)
    await stage.back()
    assert await stage.drain() == 0
    # Repeated after the end it counts as what it is: typed in time, brought late.
    reply = await device.send({item: "x"}, at_ms=2900)
    assert reply["items"][0]["status"] == "durable"
    assert await stage.look.fetchval("SELECT late FROM response") is True


async def test_an_end_that_was_not_due_lifts_its_seal(stage):
    device, item = await seated(stage), stage.items[0]
    await stage.end(3000, "time_out")
    await device.buffer({item: "x"}, at=3500)
    assert await stage.drain() == 1
    assert await stage.answers() == {item: "x"}


async def test_a_hand_in_takes_what_was_buffered_into_its_receipt(stage):
    """Handed in while PostgreSQL was away: no receipt yet; the repeat drains, ends and gives it."""
    device, (first, second) = await seated(stage), stage.items[:2]
    await device.buffer({first: "x"}, at=2000)
    await stage.known.seated(device.claims)
    stage.at = 3000
    with stage.postgres_away():
        reply = await device.hand_in({second: "y"})
        assert (reply["durability"], reply["receipt"]) == ("buffered", None)
    await stage.back()
    receipt = (await device.hand_in())["receipt"]
    assert (receipt["count"], receipt["answered"]) == (2, 2)
    assert await stage.drain() == 2
    assert await stage.whole() == 2
    assert await stage.stranded() == {}


async def test_a_hand_in_takes_what_the_old_seat_left_behind(stage):
    """The old device's promise lay in Redis all through the move; the new browser never had it."""
    old, (first, second) = await seated(stage), stage.items[:2]
    await old.buffer({first: "x"}, at=2000)
    with stage.redis_away():
        new = await moved(stage, 3000)
    stage.at = 4000
    receipt = (await new.hand_in({second: "y"}))["receipt"]
    assert (receipt["count"], receipt["answered"]) == (2, 2)
    assert await stage.drain() == 1
    assert await stage.answers() == {first: "x", second: "y"}


async def test_the_sweepers_receipt_waits_for_redis_and_what_it_holds(stage):
    device, item = await seated(stage), stage.items[0]
    await device.buffer({item: "x"}, at=2000)
    with stage.redis_away():
        await stage.end(3000)
        assert await stage.finalise(needs_redis=True) is None
    assert (await stage.finalise(needs_redis=True))["count"] == 1
    assert await stage.answers() == {item: "x"}
    assert await stage.drain() == 1
    assert await stage.stranded() == {}


async def test_a_receipt_has_every_revision_that_was_buffered(stage):
    """The hot copy holds the last one of an answer: the others are in the buffer alone, and were promised as well."""
    device, item = await seated(stage), stage.items[0]
    for n, value in enumerate(("x", "y", "z")):
        await device.buffer({item: value}, at=2000 + n)
    await stage.end(3000)
    assert (await stage.finalise(needs_redis=True))["count"] == 3
    assert await stage.drain() == 3
    assert await stage.answers() == {item: "z"}
    assert await stage.stranded() == {}
    assert await stage.whole() == 3


async def test_what_is_drained_after_the_receipt_is_kept_and_does_not_change_it(stage):
    """Redis is away for the whole of a hand-in: its receipt cannot wait for it. The old seat's promise is kept aside,
    where the office sees it; the receipt stays what was handed out."""
    old, (first, second) = await seated(stage), stage.items[:2]
    await old.buffer({first: "x"}, at=2000)
    with stage.redis_away():
        new = await moved(stage, 3000)
        receipt = (await new.hand_in({second: "y"}))["receipt"]
    assert receipt["count"] == 1
    assert await stage.drain() == 1
    assert await stage.stranded() == {(first, old.epoch, 1): "final"}
    assert await stage.answers() == {second: "y"}
    assert await stage.whole() == receipt["count"]
    assert (await new.hand_in())["receipt"] == receipt


async def test_nothing_is_buffered_after_the_receipt(stage):
    device, item = await seated(stage), stage.items[0]
    stage.at = 3000
    await device.hand_in({item: "x"})
    with stage.postgres_away(), pytest.raises(StoreAway):
        await device.send({item: "y"})
    await stage.back()
    assert await stage.drain() == 0
    assert await stage.answers() == {item: "x"}


# --- a second worker, a killed one ------------------------------------------------------------------------------


async def test_two_drains_at_once_write_each_answer_once(stage):
    """Without the lock that keeps them apart: the statement alone must do."""
    device, items = await seated(stage), stage.items
    for n in range(12):
        await device.buffer({items[n % 3]: f"{n}"}, at=2000 + n)
    await asyncio.gather(stage.drain(), stage.drain(), stage.drain())
    assert await stage.answers() == {items[0]: "9", items[1]: "10", items[2]: "11"}
    assert await stage.whole() == 12
    assert await stage.drain() == 0


async def test_a_slow_cursor_of_another_drain_skips_nothing(stage):
    device, (first, second) = await seated(stage), stage.items[:2]
    await device.buffer({first: "x"}, at=2000)
    async with stage.connection() as slow:
        entries = await stage.site.hot().entries("0-0", 100)
        await drain.commit(slow, [checkpoint for _, checkpoint in entries])
        # It stands still here. Another drain takes over, and goes on with what came meanwhile.
        await device.buffer({second: "y"}, at=2100)
        assert await stage.drain() == 2
        await buffer_cursors.advance(slow, 1, entries[-1][0])
    assert await stage.drain() == 1
    assert await stage.answers() == {first: "x", second: "y"}
    assert await stage.whole() == 2


async def test_a_newer_live_write_stays_when_the_drain_comes(stage):
    device, item = await seated(stage), stage.items[0]
    await device.buffer({item: "old"}, at=2000)
    stage.at = 2500
    assert (await device.send({item: "new"}))["durability"] == "durable"
    assert await stage.drain() == 1
    assert await stage.answers() == {item: "new"}
    assert await stage.whole() == 2


async def test_a_drain_killed_before_its_cursor_and_a_grant_before_the_next_one(stage):
    old, (first, second) = await seated(stage), stage.items[:2]
    await old.buffer({first: "before"}, at=2000)
    with stage.redis_away():
        await moved(stage, 3000)
    await old.buffer({second: "after"}, at=3500)
    for _ in range(2):
        async with stage.connection() as killed:
            entries = await stage.site.hot().entries("0-0", 100)
            await drain.commit(killed, [checkpoint for _, checkpoint in entries])
    assert await stage.drain() == 2
    assert await stage.answers() == {first: "before"}
    assert await stage.stranded() == {(second, old.epoch, 1): "old_epoch"}
    assert await stage.whole() == 1


async def test_a_drain_killed_in_the_middle_of_an_attempt(stage):
    """Its first round is committed, the next ones are not: the next drain writes all of it, in order."""
    device, item = await seated(stage), stage.items[0]
    for n in range(3):
        await device.buffer({item: f"{n}"}, at=2000 + n)
    async with stage.connection() as killed:
        entries = await stage.site.hot().entries("0-0", 100)
        await drain.commit(killed, [entries[0][1]])
    assert await stage.drain() == 3
    assert await stage.answers() == {item: "2"}
    assert await stage.whole() == 3


async def test_a_cursor_that_is_lost_costs_a_replay_and_nothing_else(stage):
    old, items = await seated(stage), stage.items
    for n in range(3):
        await old.buffer({items[n]: f"{n}"}, at=2000 + n)
    assert await stage.drain() == 3
    before = await stage.look.fetchrow("SELECT count, chain, position FROM attempt WHERE count > 0")
    new = await moved(stage, 4000)
    await stage.look.execute("DELETE FROM buffer_cursor")
    assert await stage.drain() == 3
    after = await stage.look.fetchrow("SELECT count, chain, position FROM attempt WHERE count > 0")
    assert tuple(before) == tuple(after)
    assert await stage.stranded() == {}
    assert await new.shown() == {items[n]: f"{n}" for n in range(3)}


# --- Redis ------------------------------------------------------------------------------------------------------


async def test_an_emptied_redis_invents_nothing_and_the_browsers_repeat_counts(stage, redis):
    device, (first, second) = await seated(stage), stage.items[:2]
    stage.at = 2000
    await device.send({first: "x"})
    await device.buffer({second: "y"}, at=2500)
    await redis.flushdb()
    assert await stage.drain() == 0
    assert await device.shown() == {first: "x"}
    # `buffered` never takes an answer off the browser's queue: it comes again, under the same revision.
    device.revs[second] -= 1
    assert (await device.send({second: "y"}))["durability"] == "durable"
    assert await device.shown() == {first: "x", second: "y"}
    assert await stage.whole() == 2


async def test_another_redis_whose_clock_is_behind_is_drained_whole_however_late(stage, redis):
    """The cursor is of the old one. By the time the drain comes, the new one's ids have passed it: those before it
    must not be passed over."""
    device, (first, second, third) = await seated(stage), stage.items[:3]
    await device.buffer({first: "x"}, at=2000)
    assert await stage.drain() == 1
    cursor = await buffer_cursors.read(stage.look, 1)
    # What the new one would hold: an entry given while its clock was behind, and one after it had caught up.
    await redis.flushdb()
    buffer = stage.site.keys.buffer
    await device.buffer({second: "y"}, at=2500)
    ((_, behind),) = await redis.xrange(buffer)
    await redis.delete(buffer)
    await redis.xadd(buffer, behind, id="1000-0")
    await device.buffer({third: "z"}, at=2600)
    ids = [one.decode() for one, _ in await redis.xrange(buffer)]
    assert ids[0] == "1000-0"
    assert int(ids[1].partition("-")[0]) >= int(cursor.partition("-")[0])
    assert await stage.drain() == 2
    assert await stage.answers() == {first: "x", second: "y", third: "z"}
    assert await stage.whole() == 3


async def test_the_hot_copy_alone_is_judged_by_the_same_rule(stage, redis):
    """A truncated append-only file: the stream is gone, the hot copy is there."""
    old, (first, second) = await seated(stage), stage.items[:2]
    await old.buffer({first: "before"}, at=2000)
    with stage.redis_away():
        new = await moved(stage, 3000)
    await old.buffer({second: "after"}, at=3500)
    await redis.delete(stage.site.keys.buffer, stage.site.keys.pending(stage.person.attempt))
    assert await new.shown() == {first: "before"}
    assert await stage.stranded() == {(second, old.epoch, 1): "old_epoch"}
    assert await stage.drain() == 0
    assert await stage.whole() == 1


async def test_forgetting_takes_only_what_is_drained(stage, redis):
    device, (first, second) = await seated(stage), stage.items[:2]
    buffer = stage.site.keys.buffer
    far = 2**48
    await device.buffer({first: "x"}, at=2000)
    async with stage.connection() as connection:
        assert await drain.forget(connection, stage.site.hot(), 1, far) == 0
        await stage.drain()
        await device.buffer({second: "y"}, at=2500)
        assert await drain.forget(connection, stage.site.hot(), 1, far) == 0
        assert await redis.xlen(buffer) == 2
        # Another Redis, behind the cursor: nothing of it is drained, so nothing of it may go.
        await redis.flushdb()
        await device.buffer({second: "z"}, at=2600)
        ((_, entry),) = await redis.xrange(buffer)
        await redis.delete(buffer)
        await redis.xadd(buffer, entry, id="1000-0")
        await redis.xadd(buffer, entry, id="2000-0")
        assert await drain.forget(connection, stage.site.hot(), 1, far) == 0
    assert await stage.drain() == 2
    assert await stage.answers() == {first: "x", second: "z"}


async def test_a_buffered_answer_is_not_cut_off_while_its_credit_is_not_yet_known(stage):
    """After an outage the end moves with the first contact. PostgreSQL is away again before there was one: what is
    buffered past the old end under the new term waits for that judgement, as a live write would."""
    device, item = await seated(stage), stage.items[0]
    stage.at = 99_000
    await device.send({})
    await stage.look.execute(
        "INSERT INTO term (n, lineage_n, start_ms, gap_ms, leader) VALUES (5, 1, 99500, 60000, 'test')"
    )
    stage.site.service_time.term = 5
    await device.buffer({item: "x"}, at=102_000)
    assert await stage.drain() == 1
    assert await stage.stranded() == {}
    assert await stage.answers() == {item: "x"}


async def test_a_first_answer_that_is_buffered_is_told_the_time_that_is_left(stage):
    """Nothing was committed since the sign-in: the end is known from the grant alone."""
    device = await seated(stage)
    await stage.known.seated(device.claims)
    stage.at = 60_000
    with stage.postgres_away():
        reply = await device.send({stage.items[0]: "x"})
    assert reply["durability"] == "buffered"
    assert reply["clock"]["remaining_ms"] == 40_000
    await stage.back()


def test_the_table_names_every_test_and_every_test_is_in_it():
    rows = [line.split("`")[-2].removeprefix("...").lstrip("_") for line in __doc__.splitlines() if "` |" in line]
    tests = [name for name in globals() if name.startswith("test_") and "table_names" not in name]
    assert [row for row in rows if sum(row in name for name in tests) != 1] == []
    assert [name for name in tests if not any(row in name for row in rows)] == []
