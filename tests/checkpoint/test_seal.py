"""The races of the one seal that a move and an end share (app.checkpoint.recovery), on both real stores."""

from __future__ import annotations

import asyncio

import pytest

from app.checkpoint import recovery
from app.domain.checkpoints import StoreAway
from app.domain.errors import Refused
from app.services import ending
from app.storage.redis import hot
from tests.checkpoint.stage import Stage, staged


@pytest.fixture
async def stage(fresh_db, fresh_url, redis, redis_url):
    async with staged(fresh_db, fresh_url, redis_url) as made:
        yield made


class Repairs:
    """Stands between the repair and what follows it: counts, and lets a test act at just that moment."""

    def __init__(self, monkeypatch) -> None:
        self.n = 0
        self.after: list = []
        real = recovery.repair

        async def repair(*args):
            known = await real(*args)
            self.n += 1
            if self.after:
                await self.after.pop(0)()
            return known

        monkeypatch.setattr(recovery, "repair", repair)


@pytest.fixture
def repairs(monkeypatch) -> Repairs:
    return Repairs(monkeypatch)


async def until_buffered(device, answers: dict[int, str]) -> int:
    """Send until it is promised `buffered`; how many tries were refused before."""
    for tries in range(600):
        try:
            await device.buffer(answers)
        except StoreAway:
            await device.stage.back()
            await asyncio.sleep(0.1)
        else:
            return tries
    pytest.fail("never buffered")


async def expired(stage: Stage) -> None:
    """Wait until no seal lies on the attempt: a lift of nobody's seal clears the expired ones away."""
    for _ in range(600):
        await stage.site.hot().lift_seal(stage.person.attempt, "00")
        if not await stage.site.redis.hexists(stage.site.keys.hot(stage.person.attempt), "seals"):
            return
        await asyncio.sleep(0.05)
    pytest.fail("the seal never expired")


async def test_who_seals_and_dies_keeps_the_device_from_the_buffer_for_the_length_of_a_seal(stage, monkeypatch):
    device = stage.device()
    await device.sign_in()
    await device.send({stage.items[0]: "a"})
    with monkeypatch.context() as short:
        short.setattr(hot, "SEAL_MS", 2000)
        dead = recovery.Seal(stage.site.hot(), stage.person.attempt)
        async with stage.connection() as connection:
            await dead.take(connection, 1)
    assert dead.drained
    assert await until_buffered(device, {stage.items[1]: "b"}) > 0
    await stage.drain()
    assert (await stage.answers())[stage.items[1]] == "b"
    await stage.whole()


async def test_a_fault_before_the_decision_lifts_the_seal(stage, monkeypatch):
    device = stage.device()
    await device.sign_in()
    await device.send({stage.items[0]: "a"})

    async def cut(*_):
        raise ConnectionResetError("cut")

    with monkeypatch.context() as patched:
        patched.setattr(recovery, "repair", cut)
        with pytest.raises(ConnectionResetError):
            await device.sign_in()
    await device.buffer({stage.items[1]: "b"})


async def test_a_refusal_lifts_no_seal_but_its_own(stage, repairs):
    """Another PC tries while the candidate is being moved: what it is refused does not open the old seat's buffer."""
    old, new = stage.device(), stage.device()
    await old.sign_in()
    await old.send({stage.items[0]: "a"})

    async def meanwhile():
        with pytest.raises(Refused) as refusal:
            await stage.device().sign_in()
        assert refusal.value.code == "lease-held"
        with pytest.raises(StoreAway, match="sealed"):
            await old.buffer({stage.items[1]: "b"})
        await stage.back()
        await stage.move()

    repairs.after.append(meanwhile)
    await new.sign_in()
    assert new.epoch > old.epoch
    assert await new.shown() == {stage.items[0]: "a"}


async def test_of_two_sign_ins_at_once_one_is_granted(stage, repairs):
    first, second = stage.device(), stage.device()
    both = asyncio.Barrier(2)
    repairs.after += [both.wait, both.wait]
    old = stage.device()
    await old.sign_in()
    await stage.move()
    results = await asyncio.gather(first.sign_in(), second.sign_in(), return_exceptions=True)
    refused = [one for one in results if isinstance(one, BaseException)]
    assert [one.code for one in refused] == ["lease-held"]
    assert await stage.look.fetchval("SELECT count(*) FROM lease WHERE attempt_id = $1", stage.person.attempt) == 2
    winner = first if first.claims else second
    await winner.buffer({stage.items[0]: "w"})


async def test_grants_that_reach_redis_in_the_other_order_leave_the_greater_epoch(stage):
    device = stage.device()
    await device.sign_in()
    copy = stage.site.hot()
    await copy.grant(stage.person.attempt, device.epoch + 2, {"who": "later"})
    await copy.grant(stage.person.attempt, device.epoch + 1, {"who": "earlier"})
    assert (await copy.read(stage.person.attempt)).epoch == device.epoch + 2
    assert await copy.facts(stage.person.attempt) == {"who": "later"}
    with pytest.raises(StoreAway, match="old_epoch"):
        await device.buffer({stage.items[0]: "a"})


async def test_a_grant_that_reaches_redis_after_a_decision_leaves_its_clock(stage):
    device = stage.device()
    await device.sign_in()
    copy, attempt = stage.site.hot(), stage.person.attempt
    # Read by a sign-in before a decision was stored, told after it.
    await copy.clocks([(attempt, 7, "ended", 5_000)])
    for epoch in (device.epoch, device.epoch + 1):
        await copy.grant(attempt, epoch, {"who": "late"}, 9_000, rev=6)
        known = await copy.read(attempt)
        assert (known.epoch, known.state, known.end_ms) == (epoch, "ended", 5_000)
    await copy.clocks([(attempt, 6, "open", 9_000)])
    assert (await copy.read(attempt)).end_ms == 5_000
    # As new as the decision, or newer, it is what is known.
    await copy.grant(attempt, device.epoch + 2, {"who": "next"}, 8_000, rev=8)
    known = await copy.read(attempt)
    assert (known.state, known.end_ms) == (None, 8_000)
    await copy.clocks([(attempt, 7, "ended", 5_000)])
    assert (await copy.read(attempt)).end_ms == 8_000


async def test_a_seal_that_expires_in_a_slow_drain_is_taken_again(stage, repairs, monkeypatch):
    """What the old seat could buffer after it expired is shown at the new one all the same."""
    old, new = stage.device(), stage.device()
    await old.sign_in()
    await old.send({stage.items[0]: "a"})
    await stage.move()

    async def slow():
        await expired(stage)
        monkeypatch.setattr(hot, "SEAL_MS", 30_000)
        await old.buffer({stage.items[1]: "slipped in"})

    repairs.after.append(slow)
    monkeypatch.setattr(hot, "SEAL_MS", 500)
    await new.sign_in()
    assert repairs.n >= 2
    assert await new.shown() == {stage.items[0]: "a", stage.items[1]: "slipped in"}
    assert await stage.stranded() == {}
    await stage.whole()


async def test_a_receipt_waits_for_what_slipped_in_behind_an_expired_seal(stage, repairs, monkeypatch):
    """Stamped before the end, appended after the drain: as `final` it would be stranded, so it must be seen before."""
    device = stage.device()
    await device.sign_in()
    await device.send({stage.items[0]: "a"})
    await stage.end(at=20_000)

    async def slow():
        await expired(stage)
        monkeypatch.setattr(hot, "SEAL_MS", 30_000)
        await device.buffer({stage.items[1]: "slipped in"}, at=19_000, at_ms=19_000)
        stage.at = 20_000

    repairs.n = 0
    repairs.after.append(slow)
    monkeypatch.setattr(hot, "SEAL_MS", 500)
    receipt = await stage.finalise()
    assert repairs.n >= 2
    assert receipt["count"] == 2
    assert await stage.stranded() == {}


async def test_a_move_that_overtakes_an_end_is_ended_with_what_the_new_seat_was_promised(stage, repairs):
    """The end has sealed and drained the old epoch when the candidate signs in elsewhere and answers there."""
    old, new = stage.device(), stage.device()
    await old.sign_in()
    await old.send({stage.items[0]: "a"})
    await stage.move()

    async def move():
        await new.sign_in()
        await new.buffer({stage.items[1]: "new seat"})

    repairs.after.append(move)
    await ending.end(stage.site, stage.person.attempt, "forced")
    receipt = await stage.finalise(needs_redis=True)
    assert receipt["count"] == 2
    assert await stage.answers() == {stage.items[0]: "a", stage.items[1]: "new seat"}
    assert await stage.stranded() == {}


async def test_an_end_that_overtakes_a_move_refuses_it(stage, repairs):
    old, new = stage.device(), stage.device()
    await old.sign_in()
    await stage.move()

    async def end():
        await ending.end(stage.site, stage.person.attempt, "forced")

    repairs.after.append(end)
    with pytest.raises(Refused) as refusal:
        await new.sign_in()
    assert refusal.value.code == "closed"
    assert await stage.look.fetchval("SELECT epoch FROM attempt WHERE id = $1", stage.person.attempt) == old.epoch


async def test_a_seal_that_never_lasts_is_unknown_and_changes_nothing(stage, monkeypatch):
    old, new = stage.device(), stage.device()
    await old.sign_in()
    await stage.move()
    monkeypatch.setattr(hot, "SEAL_MS", 0)
    with pytest.raises(StoreAway, match="again and again"):
        await new.sign_in()
    assert await stage.look.fetchval("SELECT epoch FROM attempt WHERE id = $1", stage.person.attempt) == old.epoch


async def test_a_repeated_end_leaves_no_seal_behind(stage):
    device = stage.device()
    await device.sign_in()
    await device.send({stage.items[0]: "a"})
    for _ in range(2):
        await stage.end(at=20_000)
        assert not await stage.site.redis.hexists(stage.site.keys.hot(stage.person.attempt), "seals")
