"""What is said of a pause: from when it counts where it is entered afterwards, and whom its end lets go on."""

from __future__ import annotations

import pytest

from app.services.time_words import hour
from tests.candidates import Candidate
from tests.halls import opened
from tests.services.test_time_holds import paused
from tests.services.test_time_postpone import change, done, rows
from tests.staff import signed_in

MIN = 60_000
STILL = "仍在暂停中"


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 2), ("北楼", 1)]) as (_, client, made):
        made.client = client
        yield made


@pytest.fixture
async def office(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


async def test_a_pause_from_the_past_says_since_when_and_what_it_gives_back(hall, office):
    asked = change(hall, "pause", from_ms=hall.now_ms - 20 * MIN, reason="fire")
    told = await done(office, asked)
    (begun,) = await rows(hall, "SELECT from_ms, made_ms FROM adjustment")
    since = hour(told["entry"]["from_at"])
    effect = told["effect"]
    assert f"自 {since} 起暂停" in effect["zh"]
    assert f"paused since {since}" in effect["en"]
    # What it gives back is told to the second.
    seconds = (begun["made_ms"] - begun["from_ms"]) // 1000
    given = f"{seconds // 60} 分" + (f" {seconds % 60} 秒" if seconds % 60 else "")
    assert effect["zh"].endswith(f"至此补回 {given}")
    (notice,) = await rows(hall, "SELECT zh, en FROM notice")
    assert f"自 {since} 起不计时，已补回 {given}" in notice["zh"]
    assert f"not counted since {since}" in notice["en"]


async def test_a_pause_from_now_on_gives_nothing_back(hall, office):
    told = await done(office, change(hall, "pause", reason="fire"))
    assert told["effect"]["zh"].endswith("立即暂停")
    assert "补回" not in (await rows(hall, "SELECT zh FROM notice"))[0]["zh"]


async def test_who_had_a_part_of_it_already_is_told_to_look_at_the_page(hall, office):
    credit = change(
        hall, "credit", "candidate", attempt=str(hall.rooms[0][0]), from_ms=MIN, to_ms=31 * MIN, reason="pc"
    )
    await done(office, credit)
    told = await done(office, change(hall, "pause", from_ms=20 * MIN, reason="fire"))
    assert "至" in told["effect"]["zh"].partition("补回")[2]
    assert "请以页面上的剩余时间为准" in (await rows(hall, "SELECT zh FROM notice ORDER BY id DESC LIMIT 1"))[0]["zh"]


async def test_a_pause_from_the_past_is_a_decision_under_the_cap(hall, office):
    await done(office, change(hall, "extend", "room", rooms=[hall.room_ids[0]], ms=30 * MIN, reason="power"))
    asked = change(hall, "pause", from_ms=hall.now_ms - 40 * MIN, reason="fire")
    shown = (await office.post("/time/preview", asked)).json()["effect"]
    assert shown["refused"]["code"] == "cap-exceeded"
    assert len(shown["over_cap"]) == 2
    reply = await office.post("/time/actions", asked)
    assert (reply.status_code, reply.json()["code"], reply.json()["count"]) == (409, "cap-exceeded", 2)
    assert await paused(hall) == set()
    # From now on there is nothing that it gives: facts are not refused.
    await done(office, change(hall, "extend", "room", rooms=[hall.room_ids[0]], ms=30 * MIN, reason="power"))
    await done(office, change(hall, "pause", reason="fire"))
    assert await paused(hall) == set(hall.everybody)


async def test_only_whom_it_lets_go_on_reads_that_the_exam_goes_on(hall, office):
    first, second = hall.rooms[0]
    people = {person.attempt: Candidate(hall.client, person) for person in hall.made.people}
    await rows(hall, "UPDATE attempt SET signed_in_ms = NULL")
    await rows(hall, "UPDATE session SET last_admission_ms = 86400000")
    for one in people.values():
        assert (await one.sign_in()).status_code == 200
    await done(office, change(hall, "pause", "candidate", attempt=str(first), reason="medical"))
    await done(office, change(hall, "pause", reason="fire"))
    told = await done(office, change(hall, "resume", reason=""))
    assert await paused(hall) == {first}
    newest = {}
    for attempt, one in people.items():
        reply = (await one.send()).json()
        newest[attempt] = reply["notices"][-1]
        assert (reply["clock"]["state"] == "paused") == (attempt == first)
    assert STILL in newest[first]["zh"]
    assert "still paused" in newest[first]["en"]
    assert newest[first]["kind"] == "pause"
    for attempt in (second, *hall.rooms[1]):
        assert (newest[attempt]["kind"], newest[attempt]["id"]) == ("resume", told["notice"])
        assert newest[attempt]["zh"].startswith("考试继续")


async def test_where_it_lets_nobody_go_on_nobody_reads_so(hall, office):
    await done(office, change(hall, "pause", "room", rooms=[hall.room_ids[0]], reason="power"))
    await done(office, change(hall, "pause", reason="fire"))
    room = change(hall, "resume", "room", rooms=[hall.room_ids[0]], reason="")
    told = await done(office, room)
    (notice,) = await rows(hall, "SELECT kind, zh FROM notice WHERE id = :n", n=told["notice"])
    assert (notice["kind"], STILL in notice["zh"]) == ("pause", True)
    assert await paused(hall) == set(hall.everybody)
