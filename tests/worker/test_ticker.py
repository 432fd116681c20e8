"""The service counter (I6): confirmed steps only, one ticker, nobody past the lead."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest

from app.domain.errors import ClockUnconfirmed
from app.services.service_time import Reading, ServiceTime
from app.services.site import Site
from app.storage.postgres import service_clocks
from app.storage.postgres.service_clocks import Confirmed
from app.worker.ticker import Ticker
from tests.candidates import SECRET, test_settings
from tests.factories import world


class Mono:
    """A monotonic clock in the test's hand, beside the real one."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        return asyncio.get_running_loop().time() + self.offset


@asynccontextmanager
async def ticking(fresh_url: str, redis_url: str, monotonic=None, **changes):
    config = test_settings(**changes)
    async with Site.open(config, fresh_url, redis_url) as site:
        options = {} if monotonic is None else {"monotonic": monotonic}
        ticker = Ticker(lambda: site.connect_own("ticker"), site.redis_clock, site.service_time, config, **options)
        await ticker.start()
        try:
            yield site, ticker
        finally:
            await ticker.stop()


async def counter(url: str) -> Confirmed:
    connection = await asyncpg.connect(url)
    try:
        return await service_clocks.read(connection)
    finally:
        await connection.close()


async def until(condition, what: str):
    for _ in range(200):
        if condition():
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"never: {what}")


async def test_the_counter_moves_with_real_time(fresh_url, redis_url, redis):
    async with ticking(fresh_url, redis_url) as (site, ticker):
        await until(lambda: ticker.leading, "leading")
        loop = asyncio.get_running_loop()
        before, at = (await counter(fresh_url)).counter_ms, loop.time()
        await asyncio.sleep(2.2)
        moved, passed = (await counter(fresh_url)).counter_ms - before, (loop.time() - at) * 1000
        assert passed - 1100 <= moved <= passed + 600
        assert abs(site.service_time.now_ms() - (await counter(fresh_url)).counter_ms) <= 1100


async def test_a_frozen_process_adds_one_step_at_most(fresh_url, redis_url, redis):
    """SIGSTOP for 40 s seen from inside: the monotonic clock has run on, the counter takes one second of it."""
    mono = Mono()
    async with ticking(fresh_url, redis_url, mono) as (_, ticker):
        await until(lambda: ticker.leading, "leading")
        before = (await counter(fresh_url)).counter_ms
        mono.offset += 40
        await asyncio.sleep(1.2)
        assert (await counter(fresh_url)).counter_ms - before <= 1000 + 1700


async def test_only_one_of_three_ticks_and_another_takes_over(fresh_url, redis_url, redis):
    async with (
        ticking(fresh_url, redis_url) as (_, first),
        ticking(fresh_url, redis_url) as (_, second),
        ticking(fresh_url, redis_url) as (_, third),
    ):
        tickers = [first, second, third]
        await until(lambda: any(t.leading for t in tickers), "a leader")
        await asyncio.sleep(0.6)
        assert sum(t.leading for t in tickers) == 1
        leader = next(t for t in tickers if t.leading)
        term = (await counter(fresh_url)).term
        await leader.stop()
        await until(lambda: any(t.leading for t in tickers if t is not leader), "a successor")
        assert (await counter(fresh_url)).term == term + 1
        before = (await counter(fresh_url)).counter_ms
        await asyncio.sleep(1.5)
        assert 400 <= (await counter(fresh_url)).counter_ms - before <= 2300


async def test_a_stopped_service_costs_no_second_and_says_how_long_it_was_away(fresh_url, redis_url, redis):
    async with ticking(fresh_url, redis_url) as (_, ticker):
        await until(lambda: ticker.leading, "leading")
        await asyncio.sleep(1)
    stood = (await counter(fresh_url)).counter_ms
    await asyncio.sleep(3)
    async with ticking(fresh_url, redis_url) as (_, ticker):
        await until(lambda: ticker.leading, "leading again")
        assert (await counter(fresh_url)).counter_ms - stood <= 700
        connection = await asyncpg.connect(fresh_url)
        terms = await service_clocks.terms(connection)
        await connection.close()
    assert 2500 <= terms[-1].gap_ms <= 6000


async def test_a_new_term_starts_past_every_stamp_and_every_counter_of_its_lineage(
    fresh_url, redis_url, redis, fresh_db
):
    made = await world(fresh_db, SECRET.encode(), candidates=1)
    async with fresh_db.begin() as conn:
        await conn.exec_driver_sql(f"UPDATE attempt SET contact_ms = 50000 WHERE id = '{made.people[0].attempt}'")
    async with ticking(fresh_url, redis_url) as (site, ticker):
        await until(lambda: ticker.leading, "leading")
        assert (await counter(fresh_url)).counter_ms >= 50_000
        uid = site.service_time.lineage_uid
    # Redis counted on for twenty seconds while PostgreSQL was away.
    await redis.set(f"hf:{uid}:clock", "70000:1")
    await redis.set("hf:someone-else:clock", "900000:1")
    async with fresh_db.begin() as conn:
        await conn.exec_driver_sql("UPDATE service_clock SET ticked_at = ticked_at - interval '25 seconds'")
    async with ticking(fresh_url, redis_url) as (_, ticker):
        await until(lambda: ticker.leading, "leading")
        assert 70_000 <= (await counter(fresh_url)).counter_ms < 80_000


async def test_a_session_whose_start_fell_into_the_outage_waits_for_the_office(fresh_url, redis_url, redis, fresh_db):
    made = await world(fresh_db, SECRET.encode(), candidates=1, start_ms=60_000)
    async with fresh_db.begin() as conn:
        await conn.exec_driver_sql("UPDATE service_clock SET term = 1, ticked_at = now() - interval '10 minutes'")
        await conn.exec_driver_sql("UPDATE session SET planned_start = now() - interval '9 minutes'")
    async with ticking(fresh_url, redis_url) as (_, ticker):
        await until(lambda: ticker.leading, "leading")
        async with fresh_db.connect() as conn:
            row = (await conn.exec_driver_sql("SELECT start_ms, held FROM session")).one()
            assert tuple(row) == (None, "service-away")
            end = (
                await conn.exec_driver_sql(f"SELECT end_ms FROM attempt WHERE id = '{made.people[0].attempt}'")
            ).scalar()
            assert end is None


async def test_a_session_that_was_postponed_beyond_the_outage_waits_for_nobody(fresh_url, redis_url, redis, fresh_db):
    await world(fresh_db, SECRET.encode(), candidates=1, start_ms=20 * 60_000)
    async with fresh_db.begin() as conn:
        await conn.exec_driver_sql("UPDATE service_clock SET term = 1, ticked_at = now() - interval '10 minutes'")
        # It was to begin in the middle of the outage, and was postponed before that.
        await conn.exec_driver_sql("UPDATE session SET planned_start = now() - interval '5 minutes'")
    async with ticking(fresh_url, redis_url) as (_, ticker):
        await until(lambda: ticker.leading, "leading")
        async with fresh_db.connect() as conn:
            assert (await conn.exec_driver_sql("SELECT start_ms, held FROM session")).one() == (1_200_000, None)


async def test_a_change_of_leader_in_the_second_of_a_start_holds_nobody_up(fresh_url, redis_url, redis, fresh_db):
    await world(fresh_db, SECRET.encode(), candidates=1, start_ms=1000)
    async with fresh_db.begin() as conn:
        await conn.exec_driver_sql("UPDATE service_clock SET term = 1, ticked_at = now() - interval '0.4 seconds'")
        await conn.exec_driver_sql("UPDATE session SET planned_start = now() - interval '0.2 seconds'")
    async with ticking(fresh_url, redis_url) as (_, ticker):
        await until(lambda: ticker.leading, "leading")
        async with fresh_db.connect() as conn:
            assert (await conn.exec_driver_sql("SELECT start_ms, held FROM session")).one() == (1000, None)


async def test_a_frozen_ticker_is_an_outage_with_a_term_of_its_own(fresh_url, redis_url, redis):
    mono = Mono()
    async with ticking(fresh_url, redis_url, mono) as (_, ticker):
        await until(lambda: ticker.leading, "leading")
        before = await counter(fresh_url)
        mono.offset += 40
        for _ in range(100):
            if (await counter(fresh_url)).term > before.term:
                break
            await asyncio.sleep(0.05)
        else:
            pytest.fail("no new term after the freeze")


async def test_while_postgres_is_away_redis_carries_the_counter_and_hands_it_back(fresh_url, redis_url, redis):
    async with ticking(fresh_url, redis_url) as (site, ticker):
        await until(lambda: ticker.leading, "leading")
        await until(lambda: site.service_time.knows, "the time")
        before = site.service_time.now_ms()
        real = ticker._connect

        async def refuse():
            raise ConnectionRefusedError("away")

        ticker._connect = refuse
        admin = await asyncpg.connect(fresh_url)
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%-ticker'"
            " AND datname = current_database()"
        )
        await until(lambda: not ticker.leading, "not leading")
        await asyncio.sleep(3)
        stood = (await counter(fresh_url)).counter_ms
        now = site.service_time.now_ms()
        assert now - before >= 2000
        assert now - stood >= 1500
        ticker._connect = real
        await until(lambda: ticker.leading, "leading again")
        assert (await counter(fresh_url)).counter_ms >= now - 500
        terms = await service_clocks.terms(admin)
        await admin.close()
        # Redis counted meanwhile: nobody was away, and nobody is credited for it.
        assert terms[-1].gap_ms < 2000


class Line:
    """A connection to a PostgreSQL that accepts it and then answers after ``answers``."""

    def __init__(self, answers: asyncio.Event) -> None:
        self.answers, self.asked, self.open = answers, asyncio.Event(), True

    async def fetchval(self, _statement: str) -> int:
        self.asked.set()
        await self.answers.wait()
        return 1

    def terminate(self) -> None:
        self.open = False


@pytest.mark.parametrize("answered", [False, True])
async def test_a_ticker_that_is_ended_while_it_reaches_for_postgres_leaves_no_connection_behind(
    fresh_url, redis_url, redis, answered
):
    line = Line(asyncio.Event())
    tries = 0

    async def connect():
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ConnectionRefusedError("away")
        return line

    async def counting(*_args):
        await asyncio.Event().wait()

    async with ticking(fresh_url, redis_url) as (site, first):
        await until(lambda: first.leading, "leading")
        ticker = Ticker(connect, site.redis_clock, site.service_time, test_settings())
        site.redis_clock.tick = counting
        await ticker.start()
        await asyncio.wait_for(line.asked.wait(), 60)
        if answered:
            line.answers.set()
            await asyncio.sleep(0.1)
        await ticker.stop()
        await until(lambda: not line.open, "closed")


async def test_a_frozen_holder_of_the_lock_loses_it_while_the_clock_stands(fresh_url, redis_url, redis):
    frozen = await asyncpg.connect(fresh_url)
    assert await service_clocks.lead(frozen)
    async with ticking(fresh_url, redis_url) as (_, ticker):
        await until(lambda: ticker.leading, "leading")
        await until(frozen.is_closed, "closed")
        before = (await counter(fresh_url)).counter_ms
        for _ in range(200):
            if (await counter(fresh_url)).counter_ms > before:
                break
            await asyncio.sleep(0.05)
        else:
            pytest.fail("the clock does not move")


async def test_a_holder_that_ticks_keeps_the_lock(fresh_url, redis_url, redis):
    async with ticking(fresh_url, redis_url) as (_, first), ticking(fresh_url, redis_url) as (_, second):
        await until(lambda: first.leading or second.leading, "a leader")
        leader, other = (first, second) if first.leading else (second, first)
        connection = await asyncpg.connect(fresh_url)
        # As one that believes the clock to stand would ask.
        assert not await service_clocks.end_frozen(connection, 2.0)
        await connection.close()
        await asyncio.sleep(1)
        assert leader.leading
        assert not other.leading


async def test_the_lock_is_given_back_with_a_fresh_step(fresh_url, redis_url, redis):
    async with ticking(fresh_url, redis_url) as (_, first):
        await until(lambda: first.leading, "leading")
        async with ticking(fresh_url, redis_url) as (_, second):
            await until(second.asked.is_set, "standing by")
            await first.stop()
            await until(lambda: second.leading, "a successor")
            connection = await asyncpg.connect(fresh_url)
            terms = await service_clocks.terms(connection)
            await connection.close()
    assert len(terms) == 2
    assert terms[-1].gap_ms < 2000


async def test_a_counter_of_this_lineage_that_cannot_be_is_nobodys(fresh_url, redis_url, redis):
    """The record was put back to before a rehearsal, Redis was not."""
    async with ticking(fresh_url, redis_url) as (site, ticker):
        await until(lambda: ticker.leading, "leading")
        uid = site.service_time.lineage_uid
        await until(lambda: site.service_time.knows, "the time")
        for left in ("9000000:1", "9000000:99"):
            await redis.set(f"hf:{uid}:clock", left)
            await asyncio.sleep(0.3)
            assert site.service_time.now_ms() < 60_000
            for _ in range(200):
                if int((await redis.get(f"hf:{uid}:clock")).partition(b":")[0]) < 60_000:
                    break
                await asyncio.sleep(0.05)
            else:
                pytest.fail("the leftover stands")
    await redis.set(f"hf:{uid}:clock", "9000000:1")
    async with ticking(fresh_url, redis_url) as (_, ticker):
        await until(lambda: ticker.leading, "leading")
        assert (await counter(fresh_url)).counter_ms < 60_000


async def test_a_wall_clock_that_was_set_back_while_nobody_ticked_is_still_an_outage(
    fresh_url, redis_url, redis, fresh_db
):
    async with ticking(fresh_url, redis_url) as (_, ticker):
        await until(lambda: ticker.leading, "leading")
    async with fresh_db.begin() as conn:
        await conn.exec_driver_sql("UPDATE service_clock SET ticked_at = now() + interval '5 minutes'")
    async with ticking(fresh_url, redis_url) as (site, ticker):
        await until(lambda: ticker.leading, "leading")
        connection = await asyncpg.connect(fresh_url)
        terms = await service_clocks.terms(connection)
        await connection.close()
        assert terms[-1].gap_ms == site.settings.handover_gap.total_seconds() * 1000


def test_a_counter_moves_no_faster_than_time():
    reading = Reading(1000)
    assert reading.possible(confirmed(9_000_000), 0.0)
    reading.observe(confirmed(5000), 10.0)
    assert reading.possible(confirmed(7000), 10.0)
    assert not reading.possible(confirmed(7001), 10.0)
    assert reading.possible(confirmed(47_000), 50.0)
    assert not reading.possible(confirmed(47_001), 50.0)
    assert reading.possible(confirmed(9_000_000, lineage=2), 10.0)


def confirmed(ms: int, term: int = 1, lineage: int = 1) -> Confirmed:
    return Confirmed(lineage, f"l{lineage}", term, ms)


def test_nobody_counts_more_than_the_lead_past_the_confirmed_value():
    reading = Reading(1000)
    with pytest.raises(ClockUnconfirmed):
        reading.now_ms(0.0)
    reading.observe(confirmed(4500), 9.5)
    # Seen once: it may belong to a service that has stopped.
    with pytest.raises(ClockUnconfirmed):
        reading.now_ms(9.6)
    reading.observe(confirmed(5000), 10.0)
    assert reading.now_ms(10.9) == 5900
    # Seeing the same value again is no confirmation: a frozen ticker cannot look alive.
    reading.observe(confirmed(5000), 10.9)
    with pytest.raises(ClockUnconfirmed):
        reading.now_ms(11.1)
    reading.observe(confirmed(5500), 11.2)
    assert reading.now_ms(11.2) == 5900  # never backwards
    reading.observe(confirmed(5400), 11.3)
    assert reading.now_ms(11.7) == 6000


async def test_a_starved_process_looks_again_before_it_says_that_it_does_not_know(fresh_url, redis_url, redis):
    async with ticking(fresh_url, redis_url) as (site, ticker):
        # Its own poll never comes round: what a process without CPU looks like from inside.
        seldom = test_settings(clock_poll=timedelta(hours=1))
        starved = ServiceTime(site.engine, site.redis_clock, seldom)
        await starved.start()
        try:
            await until(lambda: site.service_time.knows, "the counter moves")
            while not starved.knows:
                await starved.catch_up()
            await asyncio.sleep(seldom.clock_lead.total_seconds() + 0.2)
            assert not starved.knows
            await asyncio.gather(*(starved.catch_up() for _ in range(50)))
            assert starved.knows
            assert abs(starved.now_ms() - site.service_time.now_ms()) <= 1000

            # A counter that stands is still not known, and nobody waits longer than a tick to hear it.
            await ticker.stop()
            await starved._look()
            await asyncio.sleep(seldom.clock_lead.total_seconds() + 0.7)
            began = asyncio.get_running_loop().time()
            await asyncio.gather(*(starved.catch_up() for _ in range(50)))
            assert asyncio.get_running_loop().time() - began < seldom.tick.total_seconds() + 0.4
            with pytest.raises(ClockUnconfirmed):
                starved.now_ms()
        finally:
            await starved.stop()


def test_a_new_lineage_replaces_the_counter_even_when_it_is_lower():
    reading = Reading(1000)
    reading.observe(confirmed(50_000), 1.0)
    reading.observe(confirmed(2_500, lineage=2), 1.0)
    reading.observe(confirmed(3_000, lineage=2), 1.5)
    assert reading.now_ms(1.5) == 3_000
    reading.observe(confirmed(60_000), 1.75)
    assert reading.now_ms(1.75) == 3_250
