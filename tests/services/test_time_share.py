"""One person's share of what a room was given is replaced: the rest of the room keeps it, and it can be taken back."""

from __future__ import annotations

import pytest

from app.storage.postgres import proposals
from tests.halls import HOUR, opened
from tests.services.test_time_postpone import MIN, change, done, rows
from tests.staff import signed_in


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 2), ("北楼", 1)]) as (_, client, made):
        made.client = client
        yield made


@pytest.fixture
async def office(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


async def shortened(hall, office, entry: int, attempt, from_ms: int, to_ms: int) -> int:
    """What adopting an answer of this one proposes, approved; the entry that replaces their share."""
    ticket = next(one.ticket for one in hall.made.people if one.attempt == attempt)
    async with hall.engine.begin() as conn:
        proposal = await proposals.make(
            conn,
            proposals.New(
                session_id=hall.made.session_id, kind="shorten", source=f"{entry}:{attempt}", scope="candidate",
                scope_names=[ticket], from_ms=from_ms, to_ms=to_ms, attempts=[attempt], made_ms=hall.now_ms,
                evidence={"entry": entry, "typed_ms": from_ms, "credited_ms": 10 * MIN, "reason": "power"},
            ),
        )  # fmt: skip
    given = {"note": "补时内有作答"}
    seen = (await office.post(f"/time/proposals/{proposal}/preview", given)).json()["seen"]
    reply = await office.post(f"/time/proposals/{proposal}/approve", {**given, "seen": seen})
    assert reply.status_code == 200, reply.text
    return reply.json()["entry"]["id"]


async def gained(hall) -> dict:
    """Minutes that each has more than the three hours."""
    return {row["id"]: (row["end_ms"] - 3 * HOUR) // MIN for row in await rows(hall, "SELECT id, end_ms FROM attempt")}


async def entries(hall, office) -> dict:
    """By id: whether it counts, and whether not for all it was for."""
    view = (await office.get(f"/time/sessions/{hall.made.session_id}")).json()
    return {one["id"]: (one["live"], one["partly"]) for one in view["entries"]}


async def counting(office, attempt) -> list[int]:
    told = (await office.get(f"/attempts/{attempt}/time")).json()["entries"]
    return [one["id"] for one in told if one["live"]]


async def test_a_rooms_credit_of_which_one_share_was_replaced_stands_and_is_undone_for_the_rest(hall, office):
    (one, other), (elsewhere,) = hall.rooms
    room = change(hall, "credit", "room", rooms=[hall.room_ids[0]], from_ms=10 * MIN, to_ms=20 * MIN, reason="power")
    credit = (await done(office, room))["entry"]["id"]
    assert await entries(hall, office) == {credit: (True, False)}
    shorter = await shortened(hall, office, credit, one, 15 * MIN, 20 * MIN)
    assert await gained(hall) == {one: 5, other: 10, elsewhere: 0}
    assert await entries(hall, office) == {credit: (True, True), shorter: (True, False)}
    assert (await counting(office, one), await counting(office, other)) == ([shorter], [credit])

    # Taken back for whom it counts, and only for them.
    undo = change(hall, "undo", entry=credit, reason="")
    effect = (await office.post("/time/preview", undo)).json()["effect"]
    assert effect["candidates"] == 1
    undone = (await done(office, undo))["entry"]["id"]
    assert await gained(hall) == {one: 5, other: 0, elsewhere: 0}
    found = await entries(hall, office)
    assert (found[credit], found[shorter], found[undone]) == ((False, False), (True, False), (True, False))
    reply = await office.post("/time/preview", undo)
    assert (reply.status_code, reply.json()["code"]) == (409, "entry-undone")

    # Without the shorter one the whole share counts again, and can be taken back like any other.
    await done(office, change(hall, "undo", entry=shorter, reason=""))
    assert await gained(hall) == {one: 10, other: 0, elsewhere: 0}
    assert (await entries(hall, office))[credit] == (True, True)
    await done(office, undo)
    assert await gained(hall) == {one: 0, other: 0, elsewhere: 0}
    assert (await entries(hall, office))[credit] == (False, False)


async def test_what_is_left_of_an_entry_with_the_deferred_does_not_make_it_stand(hall, office):
    """For them nothing is decided any more, and what they had stays on their record."""
    deferred = hall.rooms[0][0]
    given = (await done(office, change(hall, "extend", ms=10 * MIN, reason="power")))["entry"]["id"]
    await rows(
        hall, "UPDATE attempt SET state = 'ended', end_reason = 'deferred', ended_ms = :e WHERE id = :a",
        e=hall.now_ms, a=deferred,
    )  # fmt: skip
    undo = change(hall, "undo", entry=given, reason="")
    await done(office, undo)
    assert (await entries(hall, office))[given] == (False, False)
    assert await counting(office, deferred) == [given]
    reply = await office.post("/time/preview", undo)
    assert (reply.status_code, reply.json()["code"]) == (409, "entry-undone")
