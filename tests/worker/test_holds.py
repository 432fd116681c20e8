"""The worker process holds a scope at the cap by itself, and its pages are told."""

from __future__ import annotations

import asyncio

from app.worker import loops
from tests.candidates import Candidate, test_settings
from tests.halls import opened
from tests.services.test_time_holds import held


async def test_the_worker_holds_who_has_reached_the_cap(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 2)]) as (_, client, hall):
        await hall.paused_since(0)
        stop = asyncio.Event()
        worker = asyncio.create_task(
            loops.run(test_settings(clock_lead=5), database_url=fresh_url, redis_url=redis_url, stop=stop)
        )
        try:
            async with asyncio.timeout(60):
                while await held(hall) != set(hall.everybody):
                    assert not worker.done(), worker.exception()
                    await asyncio.sleep(0.1)
        finally:
            stop.set()
            await worker
        candidate = Candidate(client, hall.made.people[0])
        assert (await candidate.sign_in()).status_code == 200
        reply = await candidate.send()
        told = [notice["zh"] for notice in reply.json()["notices"]]
        assert reply.json()["clock"]["state"] == "paused"
        assert any("上限" in words for words in told)
