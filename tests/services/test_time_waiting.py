"""A decision that waits for somebody's locks is made when it has them: nobody pays for its wait."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from tests.halls import HOUR, opened
from tests.services.test_time_postpone import change, done, rows, start_at
from tests.staff import signed_in

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
WAIT_MS = 2000


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 8), ("北楼", 8)]) as (_, client, made):
        made.client = client
        yield made


@pytest.fixture
async def office(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


async def until(condition, what: str) -> None:
    for _ in range(2400):
        if await condition():
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"never: {what}")


@asynccontextmanager
async def kept_waiting(hall, request, until_ms: int):
    """``request`` runs into the lock of another decision and stays there until service time is past ``until_ms``;
    yields its reply and the instant at which the lock was given up."""
    async with hall.engine.begin() as conn:
        await conn.execute(text("SELECT 1 FROM exam FOR UPDATE"))
        asked = asyncio.create_task(request)

        async def waits() -> bool:
            async with hall.engine.connect() as look:
                return bool(await look.scalar(text(WAITING)))

        async def passed() -> bool:
            return hall.now_ms > until_ms

        await until(waits, "the decision waits")
        await until(passed, "time passes")
        given_up = hall.now_ms
    yield await asked, given_up


async def test_a_resume_that_waits_for_locks_takes_no_time_from_anybody(hall, office):
    await done(office, change(hall, "pause", reason="fire"))
    left = {row["id"]: row["left_ms"] for row in await rows(hall, "SELECT id, left_ms FROM attempt")}
    request = office.post("/time/actions", change(hall, "resume", reason=""))
    async with kept_waiting(hall, request, hall.now_ms + WAIT_MS) as (reply, given_up):
        assert reply.status_code == 200, reply.text
    for row in await rows(hall, "SELECT id, end_ms FROM attempt"):
        assert row["end_ms"] - given_up >= left[row["id"]]


async def test_a_start_that_passes_while_its_postponement_waits_is_not_moved(hall, office):
    start_ms = hall.now_ms + WAIT_MS
    await start_at(hall, hall.made.session_id, start_ms)
    request = office.post("/time/actions", change(hall, "postpone", ms=HOUR // 2, reason="late-start"))
    async with kept_waiting(hall, request, start_ms) as (reply, _):
        assert (reply.status_code, reply.json()["code"]) == (409, "start-passed")
    assert [row["start_ms"] for row in await rows(hall, "SELECT start_ms FROM session")] == [start_ms]


async def test_a_proposal_is_decided_when_it_is_and_not_when_it_was_asked(hall, office):
    await hall.silent_since(hall.rooms[0])
    (loss,) = await hall.look(hall.rooms[1])
    request = office.post(f"/time/proposals/{loss['id']}/approve", {"note": "交换机断电", "reason": "network"})
    async with kept_waiting(hall, request, hall.now_ms + WAIT_MS) as (reply, given_up):
        assert reply.status_code == 200, reply.text
    entry = reply.json()["entry"]["id"]
    (made,) = await rows(hall, "SELECT made_ms FROM adjustment WHERE id = :e", e=entry)
    (decided,) = await rows(hall, "SELECT decided_ms FROM proposal WHERE adjustment_id = :e", e=entry)
    assert made["made_ms"] >= given_up
    assert decided["decided_ms"] == made["made_ms"]
