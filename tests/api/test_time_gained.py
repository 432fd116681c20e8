"""What a credit adds where some of it counts already: the preview, the notice and the refusal say what is so."""

from __future__ import annotations

import pytest

from tests.api.test_staff_time import attempts, body, done, everything, refused, room, rows, scope
from tests.halls import opened
from tests.staff import signed_in

MIN = 60_000


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 2), ("北楼", 1)]) as (_, client, made):
        made.client = client
        yield made


@pytest.fixture
async def office(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


async def last_notice(hall) -> str:
    return (await rows(hall, "SELECT zh, en FROM notice ORDER BY id DESC LIMIT 1"))[0]["zh"]


async def test_a_credit_inside_another_is_refused_for_it_adds_nothing(hall, office):
    await done(office, body("credit", room(hall, 1), from_ms=10 * MIN, to_ms=15 * MIN))
    assert "已为您补时 5 分（断电）" in await last_notice(hall)
    before = await everything(hall)
    again = body("credit", room(hall, 1), from_ms=11 * MIN, to_ms=14 * MIN, reason="pc")
    effect = (await office.post("/time/preview", again)).json()["effect"]
    assert effect["refused"]["code"] == "nothing-gained"
    assert effect["zh"].endswith("实际增加 0 秒")
    await refused(office, again, "nothing-gained")
    assert await everything(hall) == before


async def test_a_credit_that_overlaps_promises_what_it_adds(hall, office):
    await done(office, body("credit", room(hall, 1), from_ms=10 * MIN, to_ms=15 * MIN))
    before = await attempts(hall)
    asked = body("credit", room(hall, 1), from_ms=12 * MIN, to_ms=17 * MIN, reason="pc")
    told = await done(office, asked)
    after = await attempts(hall)
    assert {after[one]["end_ms"] - before[one]["end_ms"] for one in hall.rooms[0]} == {2 * MIN}
    assert told["effect"]["zh"].endswith("实际增加 2 分")
    assert told["effect"]["en"].endswith("adds 2 min")
    assert "已为您补时 2 分（单机故障）" in await last_notice(hall)


async def test_where_it_adds_more_to_some_nobody_is_promised_a_length(hall, office):
    await done(office, body("credit", room(hall, 1), from_ms=10 * MIN, to_ms=15 * MIN))
    told = await done(office, body("credit", scope(hall), from_ms=12 * MIN, to_ms=15 * MIN, reason="network"))
    assert told["effect"]["zh"].endswith("实际增加 0 秒至 3 分")
    notice = await last_notice(hall)
    assert "已为您补时" not in notice
    assert "已经计入的部分不重复计算" in notice
