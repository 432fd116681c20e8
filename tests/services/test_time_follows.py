"""What a delay asks of the next session, as long as it asks it: proposed, taken back, and worked out anew."""

from __future__ import annotations

import pytest

from app.storage.postgres import adjustments
from tests.halls import opened
from tests.services.test_time_postpone import LONG, MIN, change, done, next_session, rows, start_at, start_of
from tests.staff import signed_in

# What the settings leave between two sessions.
CHANGEOVER = 15 * MIN


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 2), ("北楼", 1)]) as (_, client, made):
        made.client = client
        yield made


@pytest.fixture
async def office(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


async def paused_for(hall, ms: int) -> None:
    """The site has been paused for so long."""
    since = hall.now_ms - ms
    async with hall.engine.begin() as conn:
        await adjustments.insert_entry(
            conn, "pause", session_id=hall.made.session_id, members=hall.everybody, reason="fire", source="staff:test",
            now_ms=since, scope="site", from_ms=since,
        )  # fmt: skip
        await adjustments.settle(conn, hall.everybody, since)


async def asked(hall) -> list[tuple[str, int]]:
    return [
        (row["state"], row["ms"])
        for row in await rows(hall, "SELECT state, (evidence->>'ms')::int8 AS ms FROM proposal ORDER BY id")
    ]


async def test_a_resume_says_what_the_pause_cost_the_next_session(hall, office):
    start = hall.now_ms - 60 * MIN
    await start_at(hall, hall.made.session_id, start)
    second = await next_session(hall, start + LONG + CHANGEOVER + 20 * MIN)
    await paused_for(hall, 30 * MIN)
    told = await done(office, change(hall, "resume", reason=""))
    follows = told["effect"]["follows"]
    # The thirty minutes of the pause, and the moment until the resume, rounded up.
    assert (follows["session"]["id"], follows["candidates"]) == (second, 3)
    assert 10 * MIN < follows["ms"] <= 12 * MIN
    assert await asked(hall) == [("open", follows["ms"])]


async def test_who_takes_the_delay_back_takes_back_what_it_asked_for(hall, office):
    start = hall.now_ms - 60 * MIN
    await start_at(hall, hall.made.session_id, start)
    # The plan leaves less than a changeover: that is nobody's delay.
    second_start = start + LONG + CHANGEOVER - 5 * MIN
    second = await next_session(hall, second_start)
    first = await done(office, change(hall, "extend", ms=10 * MIN))
    assert await asked(hall) == [("open", 15 * MIN)]
    more = await done(office, change(hall, "extend", "room", rooms=[hall.room_ids[0]], ms=4 * MIN))
    assert await asked(hall) == [("dismissed", 15 * MIN), ("open", 19 * MIN)]
    await done(office, change(hall, "undo", entry=more["entry"]["id"], reason=""))
    # Everybody is still ten minutes late; no more is given than is needed by now.
    (waiting,) = await rows(hall, "SELECT id FROM proposal WHERE state = 'open'")
    preview = (await office.post(f"/time/proposals/{waiting['id']}/preview", {})).json()
    assert preview["effect"]["candidates"] == 3
    reply = await office.post(f"/time/proposals/{waiting['id']}/approve", {"seen": preview["seen"]})
    assert reply.status_code == 200, reply.text
    assert reply.json()["entry"]["amount_ms"] == 15 * MIN
    await done(office, change(hall, "undo", entry=reply.json()["entry"]["id"], reason="", session=second))
    again = await done(office, change(hall, "extend", ms=1 * MIN))
    assert (await asked(hall))[-1] == ("open", 16 * MIN)
    for entry in (again, first):
        await done(office, change(hall, "undo", entry=entry["entry"]["id"], reason=""))
    assert (await asked(hall))[-1] == ("dismissed", 16 * MIN)
    assert await start_of(hall, second) == second_start


async def test_a_proposal_that_nobody_needs_any_more_postpones_nothing(hall, office):
    start = hall.now_ms - 60 * MIN
    await start_at(hall, hall.made.session_id, start)
    second = await next_session(hall, start + LONG + CHANGEOVER)
    told = await done(office, change(hall, "extend", ms=10 * MIN))
    # All of them hand in before it ever mattered.
    await rows(
        hall, "UPDATE attempt SET state = 'ended', end_reason = 'hand_in', ended_ms = :now WHERE session_id = :s",
        now=hall.now_ms, s=hall.made.session_id,
    )  # fmt: skip
    reply = await office.post(f"/time/proposals/{told['effect']['follows']['proposal']}/approve", {})
    assert (reply.status_code, reply.json()["code"]) == (409, "proposal-unneeded")
    assert await start_of(hall, second) == start + LONG + CHANGEOVER
    # The office postpones the next session by itself: nothing is left to ask.
    await done(office, change(hall, "postpone", ms=30 * MIN, session=second))
    assert await asked(hall) == [("dismissed", 10 * MIN)]


async def test_what_follows_is_decided_as_it_was_seen_and_under_the_decision_it_names(hall, office):
    start = hall.now_ms - 60 * MIN
    await start_at(hall, hall.made.session_id, start)
    second = await next_session(hall, start + LONG + CHANGEOVER)
    told = await done(office, change(hall, "extend", ms=10 * MIN))
    proposal = f"/time/proposals/{told['effect']['follows']['proposal']}"
    seen = (await office.post(f"{proposal}/preview", {})).json()["seen"]
    # Somebody else decides on the next session in between.
    await done(office, change(hall, "postpone", ms=2 * MIN, session=second))
    reply = await office.post(f"{proposal}/approve", {"seen": seen})
    assert (reply.status_code, reply.json()["code"]) == (409, "time-changed")
    reply = await office.post(f"{proposal}/approve", {"decision": 4711})
    assert reply.json()["code"] == "decision-unknown"
    assert await start_of(hall, second) == start + LONG + CHANGEOVER + 2 * MIN
    reply = await office.post(f"{proposal}/approve", {})
    assert (reply.status_code, reply.json()["entry"]["amount_ms"]) == (200, 8 * MIN)


async def test_a_second_delay_dismisses_what_the_first_one_asked_and_says_so(hall, office):
    start = hall.now_ms - 60 * MIN
    await start_at(hall, hall.made.session_id, start)
    await next_session(hall, start + LONG + CHANGEOVER)
    south, north = hall.room_ids
    first = await done(office, change(hall, "extend", "room", rooms=[south], ms=10 * MIN))
    earlier = first["effect"]["follows"]["proposal"]
    assert first["effect"]["follows"]["supersedes"] == []
    asked_for = change(hall, "extend", "room", rooms=[north], ms=5 * MIN)
    # Seen before it is confirmed: what it would stand in place of, and all who would be told to come later.
    shown = (await office.post("/time/preview", asked_for)).json()["effect"]["follows"]
    assert (shown["supersedes"], shown["candidates"], shown["ms"]) == ([earlier], 3, 10 * MIN)
    assert f"取代建议 {earlier}" in shown["zh"]
    told = await done(office, asked_for)
    follows = told["effect"]["follows"]
    assert {**follows, "proposal": None} == shown
    # Those behind the first room are in it too: their ten minutes have not gone away.
    listed = {one["id"]: one for one in (await office.get("/time/proposals", session=follows["session"]["id"])).json()
              ["proposals"]}  # fmt: skip
    now, old = listed[follows["proposal"]], listed[earlier]
    assert (now["state"], now["candidates"], now["amount_ms"]) == ("open", 3, 10 * MIN)
    # The old one is what it was, with who put what in its place, when and why.
    assert (old["state"], old["candidates"], old["amount_ms"]) == ("dismissed", 2, 10 * MIN)
    assert (old["decided_by"], old["decided_ms"]) == (told["entry"]["by"], told["entry"]["made_ms"])
    assert f"由建议 {now['id']} 取代" in old["note"]
    assert f"proposal {now['id']}" in old["note"]
    (entry,) = await rows(hall, "SELECT subject FROM audit_entry WHERE action = 'time.extend' ORDER BY n DESC LIMIT 1")
    assert entry["subject"]["follows"] == {"proposal": now["id"], "supersedes": [earlier]}


async def test_what_is_taken_up_is_what_is_still_needed(hall, office):
    start = hall.now_ms - 60 * MIN
    await start_at(hall, hall.made.session_id, start)
    await next_session(hall, start + LONG + CHANGEOVER)
    south, north = hall.room_ids
    await done(office, change(hall, "extend", "room", rooms=[south], ms=10 * MIN))
    # Who sat in the first room hands in: nobody waits for them any more.
    await rows(
        hall, "UPDATE attempt SET state = 'ended', end_reason = 'hand_in', ended_ms = :now WHERE id = ANY(:a)",
        now=hall.now_ms, a=hall.rooms[0],
    )  # fmt: skip
    told = await done(office, change(hall, "extend", "room", rooms=[north], ms=5 * MIN))
    assert (told["effect"]["follows"]["candidates"], told["effect"]["follows"]["ms"]) == (1, 5 * MIN)


async def test_a_proposal_that_lapses_says_why(hall, office):
    start = hall.now_ms - 60 * MIN
    await start_at(hall, hall.made.session_id, start)
    await next_session(hall, start + LONG + CHANGEOVER)
    told = await done(office, change(hall, "extend", ms=10 * MIN))
    await done(office, change(hall, "undo", entry=told["entry"]["id"], reason=""))
    (lapsed,) = await rows(hall, "SELECT state, note FROM proposal")
    assert lapsed["state"] == "dismissed"
    assert "推迟已不需要" in lapsed["note"]
