"""A room loses its network and gets it back: browsers that stop and come again, the worker that notices, the office."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from app.worker import loops
from tests.candidates import SECRET, Candidate, running, test_settings
from tests.factories import world
from tests.staff import signed_in

# Long enough that a machine which stands still for some seconds silences nobody who is there.
QUICK = {"silent_after": 8, "loss_onset": 4, "loss_settle": 2, "loss_every": 0.2}
PATIENCE_S = 120


@asynccontextmanager
async def worker(fresh_url, redis_url):
    stop = asyncio.Event()
    task = asyncio.create_task(
        loops.run(test_settings(clock_lead=5, **QUICK), database_url=fresh_url, redis_url=redis_url, stop=stop)
    )
    try:
        yield
    finally:
        stop.set()
        await task


@asynccontextmanager
async def beating(candidates):
    """They send a heartbeat every quarter of a second until the block ends."""

    async def beat(candidate: Candidate) -> None:
        while True:
            assert (await candidate.send()).status_code == 200
            await asyncio.sleep(0.25)

    tasks = [asyncio.create_task(beat(candidate)) for candidate in candidates]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if not isinstance(ended, asyncio.CancelledError):
                raise ended


async def proposed(office, session: int, *, going: bool) -> dict:
    seen = None
    async with asyncio.timeout(PATIENCE_S):
        while True:
            seen = (await office.get("/time/proposals", session=session)).json()["proposals"]
            if seen and seen[0]["going"] is going:
                assert len(seen) == 1, seen
                return seen[0]
            await asyncio.sleep(0.2)
    pytest.fail(f"never going={going}: {seen}")


async def test_a_room_is_cut_off_and_comes_back(fresh_url, redis_url, redis, fresh_db):
    made = await world(fresh_db, SECRET.encode(), candidates=40, items=2)
    async with running(fresh_url, redis_url, **QUICK) as (app, client), worker(fresh_url, redis_url):
        assert await app.state.deps.site.settled(60)
        office = await signed_in(client, fresh_db, "office")
        hall = [Candidate(client, person) for person in made.people]
        for one in hall:
            assert (await one.sign_in()).status_code == 200
        dark, lit = hall[:38], hall[38:]
        async with beating(lit):
            last = {one.person.attempt: (await one.send()).json()["clock"]["service_ms"] for one in dark}
            loss = await proposed(office, made.session_id, going=True)
            assert (loss["kind"], loss["candidates"], loss["evidence"]["of"]) == ("room-loss", 38, 40)
            assert set(loss["tickets"]) == {one.person.ticket for one in dark}
            # From no later than when the first of them was heard for the last time.
            assert loss["from_ms"] <= min(last.values())
            back = [(await one.send()).json()["clock"]["service_ms"] for one in dark]
            async with beating(dark):
                closed = await proposed(office, made.session_id, going=False)
        assert closed["id"] == loss["id"]
        # Up to when the last of them was back.
        assert closed["to_ms"] >= max(back)
        assert "40 台中 38 台无响应，建议补时" in closed["zh"]
        async with fresh_db.connect() as conn:
            # Until somebody decides, all of them end at the same time.
            assert len((await conn.execute(text("SELECT DISTINCT end_ms FROM attempt"))).all()) == 1
        done = await office.post(f"/time/proposals/{closed['id']}/approve", {"reason": "network", "note": "交换机"})
        assert done.status_code == 200, done.text
        for one in hall:
            clock = (await one.send()).json()["clock"]
            told = {part["kind"]: part["ms"] for part in clock["because"]}
            expected = closed["amount_ms"] if one in dark else None
            assert told.get("credit") == expected, (one.person.ticket, clock)
