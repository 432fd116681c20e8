"""Notices reach the pages they are for, and the office's count of who has shown one can be trusted."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from app.storage.postgres import notices
from tests.candidates import SECRET, Candidate, running
from tests.checkpoint.test_stores_away import Away
from tests.factories import world

WAIT_S = 60


@pytest.fixture
async def made(fresh_db):
    return await world(fresh_db, SECRET.encode())


async def seated(client, person) -> Candidate:
    one = Candidate(client, person)
    assert (await one.sign_in()).status_code == 200
    return one


async def told(engine, made, people, *, zh="延长 5 分钟。", en="Everybody has 5 minutes more.", kind="extend") -> int:
    """A notice for these people, as a decision writes it: their clocks' revisions move in the same transaction."""
    async with engine.begin() as conn:
        ids = [person.attempt for person in people]
        notice = await notices.create(conn, made.session_id, kind, None, zh, en, ids, 1000)
        await conn.execute(text("UPDATE attempt SET clock_rev = clock_rev + 1 WHERE id = ANY(:ids)"), {"ids": ids})
    return notice


async def shown_by(engine, notice: int) -> dict:
    async with engine.connect() as conn:
        rows = await conn.execute(
            text("SELECT attempt_id, shown_ms FROM notice_attempt WHERE notice_id = :n"), {"n": notice}
        )
        return {row.attempt_id: row.shown_ms for row in rows}


async def until(engine, notice: int, *people) -> dict:
    """Wait until these have shown it, and nobody else."""
    wanted = {person.attempt for person in people}
    for _ in range(WAIT_S * 20):
        found = await shown_by(engine, notice)
        if {attempt for attempt, at in found.items() if at is not None} == wanted:
            return found
        await asyncio.sleep(0.05)
    pytest.fail(f"shown by {found}, not by {wanted}")


async def receipts(one: Candidate, *ids) -> int:
    reply = await one.client.post("/attempt/event-receipts", json={"notices": list(ids)}, headers=one.headers)
    return reply.status_code


async def test_a_reply_carries_what_was_not_shown_until_it_was(fresh_url, redis_url, redis, fresh_db, made):
    lin, ou = made.people[:2]
    async with running(fresh_url, redis_url) as (_, client):
        one, other = await seated(client, lin), await seated(client, ou)
        assert (await one.send()).json()["notices"] == []
        notice = await told(fresh_db, made, [lin])
        expected = {"id": notice, "kind": "extend", "zh": "延长 5 分钟。", "en": "Everybody has 5 minutes more."}
        assert (await one.send()).json()["notices"] == [expected]
        assert (await one.send()).json()["notices"] == [expected], "a reply that is lost takes no notice with it"
        assert (await other.send()).json()["notices"] == [], "it is not theirs"
        assert await receipts(one, notice) == 200
        at = (await until(fresh_db, notice, lin))[lin.attempt]
        assert (await one.send()).json()["notices"] == []
        later = await told(fresh_db, made, [lin, ou], zh="考试暂停。", en="Paused.", kind="pause")
        assert [each["id"] for each in (await one.send()).json()["notices"]] == [later]
        assert [each["id"] for each in (await other.send()).json()["notices"]] == [later]
    assert at >= 0


async def test_the_ordinary_checkpoint_asks_nothing(fresh_url, redis_url, redis, fresh_db, made, monkeypatch):
    asked = []
    real = notices.unseen

    async def counting(conn, attempt):
        asked.append(attempt)
        return await real(conn, attempt)

    monkeypatch.setattr(notices, "unseen", counting)
    async with running(fresh_url, redis_url) as (_, client):
        one = await seated(client, made.people[0])
        for _ in range(5):
            await one.answer(made.items[0], "A")
        assert asked == []
        notice = await told(fresh_db, made, [made.people[0]])
        await one.send()
        assert len(asked) == 1
        await receipts(one, notice)
        await until(fresh_db, notice, made.people[0])
        await one.send()
        assert len(asked) == 2
        for _ in range(5):
            await one.answer(made.items[0], "B")
        assert len(asked) == 2


async def test_a_page_that_was_away_is_told_the_newest_oldest_first(fresh_url, redis_url, redis, fresh_db, made):
    person = made.people[0]
    ids = [await told(fresh_db, made, [person], zh=f"第 {n} 条", en=f"no. {n}") for n in range(notices.MOST + 2)]
    async with running(fresh_url, redis_url) as (_, client):
        one = await seated(client, person)
        assert [each["id"] for each in (await one.send()).json()["notices"]] == ids[2:]


async def test_a_hall_confirms_in_few_statements_and_each_page_once(fresh_url, redis_url, redis, fresh_db, made):
    async with running(fresh_url, redis_url) as (app, client):
        hall = [await seated(client, person) for person in made.people]
        notice = await told(fresh_db, made, made.people)
        written = []
        real = app.state.deps.receipts._write

        async def counting():
            written.append(1)
            return await real()

        app.state.deps.receipts._write = counting
        assert set(await asyncio.gather(*(receipts(one, notice) for one in hall * 5))) == {200}
        first = await until(fresh_db, notice, *made.people)
        before = len(written)
        assert before < len(hall) * 5
        await asyncio.gather(*(receipts(one, notice) for one in hall))
        async with asyncio.timeout(WAIT_S):
            while len(written) == before or app.state.deps.receipts._held:
                await asyncio.sleep(0.05)
        assert await shown_by(fresh_db, notice) == first, "the first time is the one that counts"


async def test_nobody_confirms_for_somebody_else_or_what_does_not_exist(fresh_url, redis_url, redis, fresh_db, made):
    lin, ou = made.people[:2]
    async with running(fresh_url, redis_url) as (_, client):
        one, other = await seated(client, lin), await seated(client, ou)
        notice = await told(fresh_db, made, [lin])
        assert await receipts(other, notice, notice + 1000) == 200
        own = await told(fresh_db, made, [ou])
        assert await receipts(other, own) == 200
        await until(fresh_db, own, ou)
        assert await shown_by(fresh_db, notice) == {lin.attempt: None}
        assert await receipts(one, notice) == 200
        await until(fresh_db, notice, lin)


async def test_receipts_wait_for_the_record(fresh_url, redis_url, redis, fresh_db, made):
    """A page is told that it was heard, and it was: what cannot be written is kept and written later."""
    person = made.people[0]
    async with running(fresh_url, redis_url) as (app, client):
        one = await seated(client, person)
        notice = await told(fresh_db, made, [person])
        with Away(app):
            assert await receipts(one, notice) == 200
        await until(fresh_db, notice, person)


async def test_what_is_held_at_the_end_of_a_process_is_written(fresh_url, redis_url, redis, fresh_db, made):
    person = made.people[0]
    async with running(fresh_url, redis_url) as (_, client):
        one = await seated(client, person)
        notice = await told(fresh_db, made, [person])
        assert await receipts(one, notice) == 200
    assert (await shown_by(fresh_db, notice))[person.attempt] is not None


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"notices": 3}', '{"notices": [0]}', '{"notices": ["1"]}', '{"notices": [1.5]}',
             '{"notices": [-4]}', '{"notices": [' + ",".join(["7"] * 51) + "]}"],
)  # fmt: skip
async def test_what_is_no_receipt_is_refused(fresh_url, redis_url, redis, made, body):
    async with running(fresh_url, redis_url) as (app, client):
        one = await seated(client, made.people[0])
        reply = await client.post("/attempt/event-receipts", content=body, headers=one.headers)
        assert (reply.status_code, reply.json()["code"]) == (422, "bad-body")
        assert not app.state.deps.receipts._held
        assert (await client.post("/attempt/event-receipts", json={"notices": [1]})).status_code == 401


async def test_who_has_not_shown_it_is_known_by_seat(fresh_db, made):
    async with fresh_db.begin() as conn:
        ids = [person.attempt for person in made.people]
        await conn.execute(text("UPDATE attempt SET signed_in_ms = 1"))
        notice = await notices.create(conn, made.session_id, "pause", None, "暂停", "paused", [*ids, ids[0]], 5)
        assert await notices.mark_shown(conn, [(notice, ids[1], 70), (notice, ids[1], 60), (notice, ids[3], 80)]) == 2
        assert await notices.mark_shown(conn, [(notice, ids[1], 10)]) == 0
        [row] = await notices.counted(conn, made.session_id)
        lacking = await notices.missing(conn, notice)
    assert (row["shown"], row["of"]) == (2, len(made.people))
    assert [each["seat"] for each in lacking] == ["1", "3"]
    assert (await shown_by(fresh_db, notice))[ids[1]] == 60


# --- why is this my end time


async def test_the_candidate_is_told_where_the_end_comes_from(fresh_url, redis_url, redis, made):
    async with running(fresh_url, redis_url) as (_, client):
        one = await seated(client, made.people[0])
        reply = await client.get("/attempt/time", headers=one.headers)
    assert reply.status_code == 200, reply.text
    why = reply.json()
    assert set(why) == {"lines", "explain_zh", "explain_en"}
    assert [line["kind"] for line in why["lines"]] == ["planned"]
    assert why["lines"][0]["ms"] == 5_400_000
    assert why["explain_zh"].startswith("结束时间 ")
    assert why["explain_en"].startswith("ends at ")


async def test_nobody_else_is_told(fresh_url, redis_url, redis, fresh_db, made):
    async with running(fresh_url, redis_url) as (_, client):
        assert (await client.get("/attempt/time")).status_code == 401
        one = await seated(client, made.people[0])
        async with fresh_db.begin() as conn:
            await conn.execute(
                text("UPDATE attempt SET epoch = epoch + 1 WHERE id = :a"), {"a": made.people[0].attempt}
            )
        reply = await client.get("/attempt/time", headers=one.headers)
        assert (reply.status_code, reply.json()["code"]) == (409, "superseded")


# --- a page whose time was up hands in, and the time has been extended


async def test_a_hand_in_for_the_time_being_up_is_void_when_it_is_not(fresh_url, redis_url, redis, fresh_db, made):
    item = made.items[0]
    async with running(fresh_url, redis_url) as (_, client):
        one = await seated(client, made.people[0])
        reply = (await one.send(one.response(item, "A"), path="hand-in", time_up=True)).json()
        assert (reply["receipt"], reply["state"], reply["clock"]["state"]) == (None, "running", "running")
        assert reply["items"][0]["status"] == "durable", "what it brought is kept"
        assert (await one.answer(item, "B")).json()["items"][0]["status"] == "durable"
        async with fresh_db.begin() as conn:
            await conn.execute(text("UPDATE attempt SET end_ms = 1 WHERE id = :a"), {"a": made.people[0].attempt})
        reply = (await one.send(path="hand-in", time_up=True)).json()
        assert reply["state"] == "final"
        assert (reply["receipt"]["answered"], reply["receipt"]["reason"]) == (1, "time_out")
    async with fresh_db.connect() as conn:
        row = await conn.execute(text("SELECT end_reason FROM attempt WHERE id = :a"), {"a": made.people[0].attempt})
        assert row.scalar_one() == "time_out"


async def test_what_the_candidate_presses_ends_it(fresh_url, redis_url, redis, made):
    async with running(fresh_url, redis_url) as (_, client):
        one = await seated(client, made.people[0])
        assert (await one.send(path="hand-in")).json()["state"] == "final"
