"""A record that was put back by ten minutes under load is brought up to date by the browsers alone.

One server, one copy of its PostgreSQL directory, and three chapters in which that copy is put back: Redis kept and
nobody says a word, Redis emptied and nobody says a word, and the announced one (``holdfast lineage new``). Between the
copy and the power cut everybody answered, the service clock went on by ten minutes, one candidate moved to another
seat and one handed in.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from app.domain.responses import value_hash
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis
from app.secrets import site_secret
from app.storage.redis.client import Keys, Store
from app.storage.redis.hot import Hot
from failover import invariants, reading, record
from failover.client import Device, Kept
from failover.history import History
from failover.sitting import open_relog
from tests.checkpoint.stage import whole
from tests.e2e.server import Server
from tests.factories import world

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]
TEN_MINUTES_MS = 600_000
SETTLE_S = 120.0


class Browser(Device):
    """Keeps what it was shown as well, as the page does: answers of another PC may be nowhere else one day."""

    def _resumed(self, reply) -> bool:
        if not super()._resumed(reply):
            return False
        for name, one in reply.json()["responses"].items():
            item, value = int(name), one["value"]
            if item not in self.outbox.kept:
                self.outbox.kept[item] = Kept(item, one["rev"], value, value_hash(value).hex(), self.service_ms)
        return True


class Hall:
    """The server, its candidates' browsers, and what was told to them."""

    def __init__(self, server: Server, history: History, made, rng: random.Random) -> None:
        self.server, self.history, self.made, self.random = server, history, made, rng
        self.texts = [item for item, kind in made.kinds.items() if kind == "text"]
        self.devices = [self.device(person, "1") for person in made.people]
        self.left: list[Device] = []
        # How long the move took: it was credited in the record that is lost, and is for the office to decide again.
        self.gap_s = 0.0
        # When the server was started the last time, monotonic seconds.
        self.started = time.monotonic()

    def device(self, person, name: str) -> Device:
        return Browser(self.server.url, person, self.history, self.random, f"{person.ticket}/{name}")

    async def answer(self, rounds: int) -> None:
        async def one(device: Device) -> None:
            for _ in range(rounds):
                device.outbox.put(self.random.choice(self.texts), f"{self.random.random():.9f}", device.service_ms)
                await device.flush()

        await asyncio.gather(*(one(device) for device in self.devices if device.receipt is None))

    async def settle(self, devices: list[Device]) -> None:
        """Until every browser that still holds something was told that all of it is durable."""

        async def one(device: Device) -> None:
            await device.flush()
            while device.outbox.queue:
                await device.flush()

        async with asyncio.timeout(SETTLE_S):
            await asyncio.gather(*(one(device) for device in devices))

    def remaining(self) -> dict[str, int]:
        """What each browser was last told, in ms."""
        sends = {event["n"]: event for event in self.history.events if event["kind"] == "send"}
        told = {}
        for event in self.history.events:
            if event["kind"] == "reply" and event["state"] == "running":
                told[sends[event["n"]]["device"]] = event["remaining_ms"]
        return told

    def promised(self) -> dict[tuple[str, int], tuple[int, int, str]]:
        """(attempt, item) → the newest (epoch, rev, hash) that any of its browsers was told is durable."""
        sends = {event["n"]: event for event in self.history.events if event["kind"] == "send"}
        newest: dict[tuple[str, int], tuple[int, int, str]] = {}
        for event in self.history.events:
            if event["kind"] != "reply":
                continue
            send = sends[event["n"]]
            hashes = {(item, rev): digest for item, rev, digest in send["items"]}
            for item, rev, status, _ in event["items"]:
                key = (send["candidate"], item)
                if status == "durable":
                    version = (send["epoch"], rev, hashes[item, rev])
                    newest[key] = max(newest.get(key, version), version)
        return newest

    def named(self, attempt: str) -> str:
        return next(device.name for device in self.devices if device.candidate == attempt)

    async def close(self) -> None:
        for device in [*self.devices, *self.left]:
            await device.close()


@asynccontextmanager
async def looking(server: Server):
    connection = await asyncpg.connect(EmbeddedPostgres(server.data_dir).url)
    try:
        yield connection
    finally:
        await connection.close()


async def begin(server: Server, history: History) -> Hall:
    engine = server.engine()
    try:
        async with engine.connect() as conn:
            now = await conn.scalar(text("SELECT counter_ms FROM service_clock"))
        made = await world(engine, site_secret(server.settings), candidates=5, items=25, start_ms=now)
    finally:
        await engine.dispose()
    hall = Hall(server, history, made, random.Random(20))
    for device in hall.devices:
        assert await device.sign_in()
    return hall


async def go_on(hall: Hall) -> None:
    """What the copy does not know: ten minutes, answers, a move and a hand-in."""
    await hall.answer(4)
    async with looking(hall.server) as conn:
        before = await conn.fetchval("SELECT counter_ms FROM service_clock")
        await conn.execute("UPDATE service_clock SET counter_ms = counter_ms + $1", TEN_MINUTES_MS)
    async with asyncio.timeout(SETTLE_S):
        while min(device.service_ms for device in hall.devices) < before + TEN_MINUTES_MS:
            await hall.answer(1)
    # Once more: a request that was under way as the clock went on was stamped before, and a move credits all the time
    # since the last contact.
    await hall.answer(1)
    mover = hall.made.people[0]
    clicked = time.monotonic()
    engine = hall.server.engine()
    try:
        await open_relog(engine, mover.attempt, hall.made.spares[0])
    finally:
        await engine.dispose()
    moved = hall.device(mover, "2")
    assert await moved.sign_in()
    hall.gap_s = time.monotonic() - clicked
    hall.left.append(hall.devices[0])
    hall.devices[0] = moved
    await hall.answer(4)
    leaver = hall.devices[1]
    await hall.settle(hall.devices)
    await leaver.hand_in()
    assert leaver.receipt is not None
    # With the receipt in hand, and only then, a browser lets go of its answers.
    leaver.outbox.kept.clear()
    leaver.outbox.queue.clear()


async def put_back(server: Server, copy: Path, hall: Hall, *, keep_redis: bool) -> None:
    """The power fails; the copy takes the place of the record."""

    def swap() -> None:
        server.power_cut()
        shutil.rmtree(server.data_dir / "postgres")
        subprocess.run(["cp", "-a", str(copy), str(server.data_dir / "postgres")], check=True)
        if not keep_redis:
            shutil.rmtree(server.data_dir / "redis")
        hall.started = time.monotonic()
        server.start()

    await asyncio.to_thread(swap)


async def followed(server: Server, hall: Hall, device: Device) -> None:
    """Until Redis has all that this device was promised. The hot copy follows a commit by a moment; what a put-back
    takes within it, only a browser that still holds it could give back."""
    wanted = {item: rev for (attempt, item), (_, rev, _) in hall.promised().items() if attempt == device.candidate}
    store = Store(EmbeddedRedis(server.data_dir).url, server.settings)
    try:
        hot = Hot(store, Keys(device.outbox.lineage or ""))
        async with asyncio.timeout(SETTLE_S):
            while True:
                known = await hot.read(device.person.attempt)
                has = {item: one.rev for item, one in known.responses.items()} if known else {}
                if all(has.get(item, 0) >= rev for item, rev in wanted.items()):
                    return
                await asyncio.sleep(0.05)
    finally:
        await store.close()


async def held(server: Server, hall: Hall) -> dict[str, record.Attempt]:
    engine = server.engine()
    try:
        return await reading.load(engine, [person.attempt for person in hall.made.people])
    finally:
        await engine.dispose()


async def check(server: Server, hall: Hall, mark: int, without: set[str]) -> dict[str, record.Attempt]:
    """Everything that was ever promised durable is there (but of ``without``), nothing doubled, every chain whole; and
    what happened since event ``mark`` holds by itself."""
    attempts = await held(server, hall)
    for (attempt, item), (epoch, rev, digest) in hall.promised().items():
        if attempt in without:
            continue
        (kept,) = [one for one in attempts[attempt].responses if one.item == item]
        assert (kept.epoch, kept.rev, kept.hash) >= (epoch, rev, digest), f"{hall.named(attempt)} lost item {item}"
    for device in hall.devices:
        if device.receipt is not None:
            continue
        kept = {one.item: (one.rev, one.hash) for one in attempts[device.candidate].responses}
        assert {item: kept.get(item) for item in device.outbox.kept} == {
            item: (one.rev, one.hash) for item, one in device.outbox.kept.items()
        }
    async with looking(server) as conn:
        for person in hall.made.people:
            await whole(conn, person.attempt)
    verdict = invariants.check(hall.history.events[mark:], attempts)
    # What a browser that comes back to a record without its grant is told, and what it mends by itself.
    found = [one for one in verdict.violations if "401 grant-lost" not in one]
    assert found == []
    assert verdict.counts["refused"] == len(verdict.violations)
    return attempts


async def test_a_record_put_back_by_ten_minutes_is_brought_up_to_date_by_the_browsers_alone():
    with tempfile.TemporaryDirectory(prefix="hf-back-") as name:
        place = Path(name)
        place.chmod(0o755)
        server = Server(place)
        await asyncio.to_thread(server.start)
        with History(place / "history.jsonl") as history:
            try:
                await _story(server, place / "copy", history)
            finally:
                await asyncio.to_thread(server.stop)


async def _story(server: Server, copy: Path, history: History) -> None:
    hall = await begin(server, history)
    try:
        await hall.answer(4)
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(subprocess.run, ["cp", "-a", str(server.data_dir / "postgres"), str(copy)], check=True)
        await asyncio.to_thread(server.start)
        await go_on(hall)
        await _with_redis_and_without_a_word(server, copy, hall)
        await _without_redis_and_without_a_word(server, copy, hall)
        await _announced(server, copy, hall)
    finally:
        await hall.close()


async def _come_back(server: Server, hall: Hall, before: dict[str, int]) -> None:
    """Everybody goes on; whoever still sits resends, and has lost no second."""
    sitting = [device for device in hall.devices if device.receipt is None]
    resent = [device.resent for device in sitting]
    await hall.answer(1)
    await hall.settle(sitting)
    assert all(device.resent > was for device, was in zip(sitting, resent, strict=True)), "nobody noticed"
    after = hall.remaining()
    for device in sitting:
        # What was served since the start is gone, and a second past the last confirmed tick; not the ten minutes, and
        # not the time in which nobody served. The record that was put back has not heard of anybody for ten minutes,
        # so the moments until a browser's first reply are not credited as after other outages.
        spent = time.monotonic() - hall.started + 2 + (hall.gap_s if device is hall.devices[0] else 0)
        told = (device.name, before[device.name], after[device.name], spent)
        assert after[device.name] >= before[device.name] - spent * 1000, told


async def _with_redis_and_without_a_word(server: Server, copy: Path, hall: Hall) -> None:
    before, mark = hall.remaining(), len(hall.history.events)
    leaver = hall.devices[1]
    await followed(server, hall, leaver)
    await put_back(server, copy, hall, keep_redis=True)
    await _come_back(server, hall, before)
    # Redis has the hot copy of the one who is gone; whoever looks at the attempt first repairs it.
    assert (await held(server, hall))[leaver.candidate].state == "open"
    assert await leaver.resume()
    attempts = await check(server, hall, mark, without=set())
    promised = {item for attempt, item in hall.promised() if attempt == leaver.candidate}
    assert {one.item for one in attempts[leaver.candidate].responses} >= promised


async def _without_redis_and_without_a_word(server: Server, copy: Path, hall: Hall) -> None:
    before, mark = hall.remaining(), len(hall.history.events)
    leaver = hall.devices[1]
    await put_back(server, copy, hall, keep_redis=False)
    await _come_back(server, hall, before)
    # Nobody holds the answers of the one who is gone any more, but the receipt shows that they are missing.
    attempts = await check(server, hall, mark, without={leaver.candidate})
    missing = attempts[leaver.candidate]
    assert missing.state == "open"
    assert missing.count < leaver.receipt["count"]
    assert missing.chain != leaver.receipt["chain"]


async def _announced(server: Server, copy: Path, hall: Hall) -> None:
    before, mark = hall.remaining(), len(hall.history.events)
    lineages = {device.outbox.lineage for device in hall.devices}
    await put_back(server, copy, hall, keep_redis=True)
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "app.cli", "lineage", "new", "--why", "put back to the copy"],
        cwd=server.place, env=server.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    await _come_back(server, hall, before)
    async with looking(server) as conn:
        # The processes that were running have heard of it by now, and every browser with them.
        uid = await conn.fetchval("SELECT uid FROM lineage ORDER BY n DESC LIMIT 1")
        assert await conn.fetchval("SELECT count(*) FROM audit_entry WHERE action = 'lineage.begin'") == 1
    async with asyncio.timeout(SETTLE_S):
        while {device.outbox.lineage for device in hall.devices if device.receipt is None} != {uid}:
            await hall.settle([device for device in hall.devices if device.receipt is None])
            await asyncio.sleep(0.2)
    assert uid not in lineages
    await hall.settle([device for device in hall.devices if device.receipt is None])
    await check(server, hall, mark, without={hall.devices[1].candidate})
