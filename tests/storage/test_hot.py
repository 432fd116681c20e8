"""The hot copies on a real Redis: many commits in one call, joined per attempt, end in the state of each in turn."""

from __future__ import annotations

import hashlib
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.checkpoints import Checkpoint, Outcome, Row
from app.settings import Settings
from app.storage.redis.client import Keys, Store
from app.storage.redis.hot import AT_ONCE, LIFE_S, Hot

EPOCH = 1_000_001


@pytest.fixture
async def hot(redis_url, redis):
    store = Store(redis_url, Settings(redis_timeout=30))
    yield Hot(store, Keys("test"))
    await store.close()


def row(item: int, rev: int, value: str = '"A"') -> Row:
    return Row(item, rev, value, hashlib.sha256(value.encode()).digest(), at_ms=rev)


def durable(epoch: int = EPOCH, **known) -> Outcome:
    told = {"state": "open", "end_ms": 5_400_000, "count": 1, "acked_seq": 1, **known}
    return Outcome("durable", epoch, session_id=1, ended_ms=None, clock_rev=0, **told)


small = st.integers(0, 4)
rows = st.lists(
    st.builds(row, st.integers(1, 3), st.integers(1, 3), st.sampled_from(['"A"', '"B"', "null"])), max_size=4
)
commits = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.fixed_dictionaries(
            {
                "seq": small,
                "stamp_ms": small,
                "rows": rows,
                "position": st.none() | st.integers(1, 4),
                "marked": st.none() | st.sampled_from(["[]", "[1]"]),
                "elapsed_ms": small,
            }
        ),
        st.fixed_dictionaries(
            {
                "state": st.sampled_from(["open", "ended"]),
                "end_ms": st.none() | small,
                "count": small,
                "acked_seq": small,
            }
        ),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commits=commits)
async def test_commits_told_together_end_as_if_told_one_after_the_other(commits, hot, redis):
    """As one process commits: epoch, count, state and prefix only go on; seqs and stamps come in any order."""
    one, other = uuid4(), uuid4()
    done = []
    told = {"epoch": 0, "count": 0, "acked_seq": 0, "state": "open"}
    for epoch, sent, outcome in sorted(commits, key=lambda commit: commit[0]):
        same = told["epoch"] == epoch
        told = {
            "epoch": epoch,
            "count": max(told["count"], outcome["count"]),
            "acked_seq": max(told["acked_seq"] * same, outcome["acked_seq"]),
            "state": "ended" if same and told["state"] == "ended" else outcome["state"],
        }
        kept = {name: value for name, value in told.items() if name != "epoch"}
        done.append((EPOCH + epoch, sent, durable(EPOCH + epoch, **outcome | kept)))
    for epoch, sent, outcome in done:
        await hot.follow([(Checkpoint(one, epoch, **sent), outcome)])
    await hot.follow([(Checkpoint(other, epoch, **sent), outcome) for epoch, sent, outcome in done])
    keys = Keys("test")
    assert await redis.hgetall(keys.hot(one)) == await redis.hgetall(keys.hot(other))


async def test_a_process_that_tells_late_takes_nothing_back(hot):
    attempt = uuid4()
    newer = Checkpoint(attempt, EPOCH, 2, 2000, [row(1, 2, '"B"')], position=7, elapsed_ms=2000)
    older = Checkpoint(attempt, EPOCH, 1, 1000, [row(1, 1, '"A"'), row(2, 1)], position=3, elapsed_ms=1000)
    await hot.follow([(newer, durable(state="ended", count=5, acked_seq=2))])
    await hot.follow([(older, durable(state="open", count=3, acked_seq=1))])
    known = await hot.read(attempt)
    assert (known.state, known.count, known.seen_ms, known.position, known.elapsed_ms) == ("ended", 5, 2000, 7, 2000)
    assert {item: response.value for item, response in known.responses.items()} == {1: "B", 2: "A"}


async def test_a_count_of_none_yet_is_a_count(hot):
    attempt = uuid4()
    await hot.follow([(Checkpoint(attempt, EPOCH, 1, 1000), durable(count=0, acked_seq=0))])
    replies = await hot.append([Checkpoint(attempt, EPOCH, 2, 2000)])
    assert replies == [[b"ok", b"open", b"5400000", b"0", b"0", b"0"]]


async def test_an_older_epoch_changes_nothing_and_a_newer_one_moves_the_copy_forward(hot):
    attempt = uuid4()
    for epoch, value in ((EPOCH + 1, '"B"'), (EPOCH, '"A"'), (EPOCH + 2, '"C"')):
        await hot.follow([(Checkpoint(attempt, epoch, 1, 1000, [row(1, 1, value)]), durable(epoch))])
        known = await hot.read(attempt)
        assert (known.epoch, known.responses[1].value) == ((EPOCH + 1, "B") if epoch <= EPOCH + 1 else (epoch, "C"))


async def test_each_checkpoint_of_a_batch_gets_its_own_verdict(hot, redis):
    fresh, fenced, final, sealed = (uuid4() for _ in range(4))
    await hot.follow([(Checkpoint(fenced, EPOCH + 1, 1, 1000), durable(EPOCH + 1))])
    await hot.follow([(Checkpoint(final, EPOCH, 1, 1000), durable(state="final", count=9, acked_seq=4))])
    await hot.seal(sealed, EPOCH, "ab")
    replies = await hot.append([Checkpoint(one, EPOCH, 5, 2000, [row(1, 1)]) for one in (fresh, fenced, final, sealed)])
    assert [reply[0] for reply in replies] == [b"ok", b"old_epoch", b"final", b"sealed"]
    assert replies[2][1:] == [b"final", b"5400000", b"9", b"4", b"0"]
    keys = Keys("test")
    assert await redis.xlen(keys.buffer) == 1
    assert [one.attempt for _, one in await hot.pending(fresh, "0-0")] == [fresh]
    assert 0 < await redis.ttl(keys.hot(fresh)) <= LIFE_S


async def test_a_batch_of_thousands_of_responses_goes_through_whole(hot, redis):
    """More than one call of the script, and more fields than Lua hands over at once."""
    attempts = [uuid4() for _ in range(300)]
    big = Checkpoint(attempts[0], EPOCH, 1, 1000, [row(n, 1) for n in range(1, 2 * AT_ONCE)])
    batch = [big, *[Checkpoint(one, EPOCH, 1, 1000, [row(1, 1), row(2, 1)]) for one in attempts[1:]]]
    assert await hot.follow([(one, durable()) for one in batch]) == [(one, EPOCH) for one in attempts]
    assert len((await hot.read(attempts[0])).responses) == 2 * AT_ONCE - 1
    assert [reply[0] for reply in await hot.append(batch)] == [b"ok"] * 300
    assert await redis.xlen(Keys("test").buffer) == 300


async def test_what_redis_never_knew_is_asked_for_until_it_is_told(hot):
    attempt = uuid4()
    done = [(Checkpoint(attempt, EPOCH, 1, 1000), durable())]
    assert await hot.follow(done) == [(attempt, EPOCH)]
    await hot.remind([(attempt, {"name": "沈知夏"})])
    assert await hot.follow(done) == []
    assert await hot.facts(attempt) == {"name": "沈知夏"}


async def test_a_redis_that_was_restarted_gets_the_script_again(hot, redis):
    attempt = uuid4()
    await hot.follow([(Checkpoint(attempt, EPOCH, 1, 1000), durable())])
    await redis.script_flush()
    await hot.follow([(Checkpoint(attempt, EPOCH, 2, 2000), durable(acked_seq=2))])
    assert (await hot.read(attempt)).seen_ms == 2000
