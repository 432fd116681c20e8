"""Decisions on time while the hall works: nobody waits in a ring, and what is stored follows from the ledger."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from app.domain import clock
from app.services.time_holds import Holds
from app.storage.postgres import adjustments
from tests.candidates import Candidate
from tests.halls import opened
from tests.services.test_time_postpone import change
from tests.staff import signed_in

MIN = 60_000


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    rooms = [("南楼", 3), ("北楼", 3)]
    async with opened(fresh_url, redis_url, fresh_db, rooms=rooms) as (_, client, made):
        made.client = client
        # Nobody has sat down yet.
        async with fresh_db.begin() as conn:
            await conn.execute(text("UPDATE attempt SET signed_in_ms = NULL"))
            await conn.execute(text("UPDATE session SET last_admission_ms = 86400000"))
        yield made


async def follows_from_the_ledger(hall) -> None:
    async with hall.engine.connect() as conn:
        stored = {row.id: row for row in await conn.execute(text("SELECT id, end_ms, left_ms FROM attempt"))}
        for attempt, ledger in (await adjustments.load(conn, list(stored))).items():
            end = clock.end_ms(ledger, hall.now_ms)
            assert stored[attempt].end_ms == (clock.NEVER_MS if end is None else end)
            assert (stored[attempt].left_ms is None) == (end is not None)
        # Whatever is entered about an attempt moves the revision that a decision compares.
        unmoved = await conn.execute(
            text(
                "SELECT a.id FROM attempt a JOIN adjustment_attempt m ON m.attempt_id = a.id GROUP BY a.id"
                " HAVING a.clock_rev < count(DISTINCT CAST(CAST(m.xmin AS text) AS int8))"
            )
        )
        assert unmoved.all() == []


async def test_the_office_decides_while_everybody_works_and_moves(hall, fresh_db):
    office = await signed_in(hall.client, fresh_db, "office")
    second = await signed_in(hall.client, fresh_db, "office")
    people = [Candidate(hall.client, person) for person in hall.made.people]
    for person in people:
        assert (await person.sign_in()).status_code == 200
    over = asyncio.Event()
    served: list[int] = []

    async def works(person: Candidate) -> None:
        n = 0
        while not over.is_set():
            n += 1
            reply = await person.answer(hall.made.items[0], "AB"[n % 2])
            served.append(reply.status_code)
            await asyncio.sleep(0.01)

    async def decides(member, asked: list[dict]) -> list[int]:
        codes = []
        for one in asked:
            reply = await member.post("/time/actions", one)
            while reply.json().get("code") == "time-changed":
                reply = await member.post("/time/actions", one)
            codes.append(reply.status_code)
        return codes

    async def holds() -> None:
        while not over.is_set():
            await Holds(hall.site).run()
            await asyncio.sleep(0.05)

    async def moves() -> None:
        one = hall.made.people[0]
        for seat in (hall.made.spares[0], one.seat_id):
            assert (await office.relog(one.attempt, to_seat_id=seat)).status_code == 200
            again = Candidate(hall.client, one)
            reply = await again.sign_in()
            assert reply.status_code == 200, reply.text

    room = {"rooms": [hall.room_ids[0]]}
    ring = [
        change(hall, "pause", "room", **room, reason="power"),
        change(hall, "extend", "room", **room, ms=MIN, reason="power"),
        change(hall, "resume", "room", **room, reason=""),
    ]
    whole = [
        one
        for n in range(3)
        for one in (
            change(hall, "pause", reason="fire"), change(hall, "resume", reason=""),
            change(hall, "extend", ms=MIN, reason="fire"),
            change(hall, "credit", from_ms=n * MIN, to_ms=(n + 1) * MIN, reason="fire"),
        )
    ]  # fmt: skip
    working = [asyncio.create_task(works(person)) for person in people]
    holding = asyncio.create_task(holds())
    done = await asyncio.gather(decides(office, ring * 3), decides(second, whole), moves())
    over.set()
    await asyncio.gather(*working, holding)
    # A resume of the site may find that nothing of it is paused as such, and a room that it let go is not paused: both
    # are answers. Nothing failed.
    assert {code for codes in done[:2] for code in codes} <= {200, 409}
    assert done[1].count(200) >= 6
    assert 500 not in served
    assert 200 in served
    await follows_from_the_ledger(hall)


async def test_of_two_pauses_at_once_one_is_made(hall, fresh_db):
    members = [await signed_in(hall.client, fresh_db, "office") for _ in range(4)]
    replies = await asyncio.gather(
        *(member.post("/time/actions", change(hall, "pause", reason="fire")) for member in members)
    )
    assert sorted(reply.status_code for reply in replies) == [200, 409, 409, 409]
    assert {reply.json().get("code") for reply in replies} - {"already-paused", "time-changed"} == {None}
    await follows_from_the_ledger(hall)


async def test_two_extensions_that_together_are_over_the_cap_are_one(hall, fresh_db):
    members = [await signed_in(hall.client, fresh_db, "office") for _ in range(2)]
    replies = await asyncio.gather(
        *(member.post("/time/actions", change(hall, "extend", ms=40 * MIN, reason="fire")) for member in members)
    )
    assert sorted(reply.status_code for reply in replies) == [200, 409]
    # The second is told that there was a first, or sees it already.
    assert {reply.json().get("code") for reply in replies} - {"time-changed", "cap-exceeded"} == {None}
    reply = await members[0].post("/time/actions", change(hall, "extend", ms=40 * MIN, reason="fire"))
    assert reply.json()["code"] == "cap-exceeded"
    await follows_from_the_ledger(hall)
