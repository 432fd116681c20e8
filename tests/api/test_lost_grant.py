"""A record that was put back does not know the grants given since; the device that held one enters it again itself."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from tests.candidates import SECRET, Candidate, running
from tests.factories import open_relog, world

LEASE_SECRET = "the secret of this device, long enough for a lease"


@pytest.fixture
async def made(fresh_db):
    return await world(fresh_db, SECRET.encode())


@pytest.fixture
async def hall(fresh_url, redis_url, redis):
    async with running(fresh_url, redis_url) as (app, client):
        yield app, client


async def seated(client, person, device: str) -> Candidate:
    one = Candidate(client, person)
    one.device_id, one.lease_secret = device, LEASE_SECRET + device
    assert (await one.sign_in()).status_code == 200
    return one


async def put_back(engine, attempt, *, lease: tuple[int, int] | None, seat_id: int) -> None:
    """The attempt as it was before: ``lease`` is the epoch that held it then and its grant's stamp, or nobody."""
    epoch, stamp = lease or (0, 0)
    async with engine.begin() as conn:
        values = {"a": attempt, "e": epoch, "g": json.dumps([[epoch, stamp]] if lease else []), "s": seat_id}
        await conn.execute(text("DELETE FROM response WHERE attempt_id = :a"), values)
        await conn.execute(text("DELETE FROM lease WHERE attempt_id = :a AND epoch > :e"), values)
        await conn.execute(text("UPDATE lease SET revoked_ms = NULL WHERE attempt_id = :a"), values)
        await conn.execute(
            text(
                "UPDATE attempt SET epoch = CAST(:e AS int8), grants = CAST(:g AS jsonb), acked = '{}', count = 0,"
                " signed_in_ms = CASE WHEN CAST(:e AS int8) = 0 THEN NULL ELSE signed_in_ms END WHERE id = :a"
            ),
            values,
        )
        await conn.execute(
            text(
                "UPDATE allocation SET seat_id = :s WHERE (session_id, candidate_id) ="
                " (SELECT session_id, candidate_id FROM attempt WHERE id = :a)"
            ),
            values,
        )


async def show_lease(one: Candidate, **changes):
    body = {"device_id": one.device_id, "lease_secret": one.lease_secret} | changes
    return await one.client.post("/attempt/lease", json=body, headers=one.headers)


async def test_a_lost_first_sign_in_is_entered_again_without_asking_anybody(hall, made, fresh_db):
    _, client = hall
    person = made.people[0]
    one = await seated(client, person, "device-one")
    assert (await one.answer(made.items[0], "A")).status_code == 200
    # Admission is over by now: signing in anew would be refused.
    await put_back(fresh_db, person.attempt, lease=None, seat_id=person.seat_id)
    async with fresh_db.begin() as conn:
        await conn.execute(text("UPDATE session SET last_admission_ms = 0, start_ms = 0"))

    for reply in (
        await one.answer(made.items[2], "T"),
        await client.get("/attempt", headers=one.headers),
        await client.get("/attempt/paper", headers=one.headers),
        await client.post("/attempt/ready", json={}, headers=one.headers),
        await one.send(path="hand-in"),
    ):
        assert (reply.status_code, reply.json()["code"]) == (401, "grant-lost"), reply.text
        assert "items" not in reply.json(), "nothing is acknowledged, so the browser keeps it"

    told = await show_lease(one)
    assert told.status_code == 200, told.text
    assert (told.json()["epoch"], told.json()["state"]) == (one.epoch, "running")
    # The same token, the same epoch, the same revisions: everything is applied, nothing stays aside.
    reply = (await one.send(one.response(made.items[0], "A"), one.response(made.items[2], "T"))).json()
    assert [item["status"] for item in reply["items"]] == ["durable", "durable"]
    state = await one.state()
    assert {item: held["value"] for item, held in state["responses"].items()} == {
        str(made.items[0]): "A", str(made.items[2]): "T",
    }  # fmt: skip
    # And the lease is whole again: a wiped page resumes under it.
    assert (await one.sign_in()).json()["epoch"] == one.epoch


async def test_whoever_holds_it_in_the_record_was_overtaken_and_is_fenced_again(hall, made, fresh_db):
    _, client = hall
    person = made.people[0]
    old = await seated(client, person, "device-old")
    await open_relog(fresh_db, made, person, made.spares[0])
    new = await seated(client, person, "device-new")
    await new.answer(made.items[0], "B")
    await put_back(fresh_db, person.attempt, lease=(old.epoch, 0), seat_id=person.seat_id)
    async with fresh_db.begin() as conn:
        await conn.execute(text("UPDATE relog SET state = 'open', closed_ms = NULL"))

    assert (await old.answer(made.items[0], "A")).json()["items"][0]["status"] == "durable", (
        "the record knows no better"
    )
    assert (await new.answer(made.items[2], "T")).json()["code"] == "grant-lost"
    assert (await show_lease(new)).status_code == 200
    assert (await new.send(new.response(made.items[0], "B"))).json()["items"][0]["status"] == "durable"
    assert (await old.answer(made.items[0], "C")).json()["code"] == "superseded"
    state = await new.state()
    assert state["responses"][str(made.items[0])]["value"] == "B", "the later grant's answer stands"
    async with fresh_db.connect() as conn:
        row = (
            await conn.execute(
                text(
                    "SELECT a.seat_id, l.seat_id, r.state FROM attempt t"
                    " JOIN allocation a ON (a.session_id, a.candidate_id) = (t.session_id, t.candidate_id)"
                    " JOIN lease l ON l.attempt_id = t.id AND l.revoked_ms IS NULL"
                    " JOIN relog r ON r.attempt_id = t.id WHERE t.id = :a"
                ),
                {"a": person.attempt},
            )
        ).one()
    assert tuple(row) == (made.spares[0], made.spares[0], "used")


async def test_a_repeat_changes_nothing_and_only_that_device_can(hall, made, fresh_db):
    _, client = hall
    person = made.people[0]
    one = await seated(client, person, "device-one")
    await put_back(fresh_db, person.attempt, lease=None, seat_id=person.seat_id)
    assert (await show_lease(one, device_id="another")).json()["code"] == "bad-token"
    assert (await show_lease(one, lease_secret="short")).json()["code"] == "bad-token"
    assert (await client.post("/attempt/lease", json={"device_id": 1}, headers=one.headers)).status_code == 422
    first, second = await show_lease(one), await show_lease(one)
    assert (first.status_code, second.status_code) == (200, 200)
    async with fresh_db.connect() as conn:
        assert await conn.scalar(text("SELECT count(*) FROM lease")) == 1
        assert await conn.scalar(text("SELECT jsonb_array_length(grants) FROM attempt WHERE epoch > 0")) == 1
    assert (await show_lease(one, lease_secret="x" * 40)).json()["code"] == "superseded"


async def test_a_grant_that_was_overtaken_is_not_entered_again(hall, made, fresh_db):
    _, client = hall
    person = made.people[0]
    old = await seated(client, person, "device-old")
    await open_relog(fresh_db, made, person, made.spares[0])
    await seated(client, person, "device-new")
    assert (await show_lease(old)).json()["code"] == "superseded"


async def test_a_seat_that_somebody_else_has_taken_meanwhile_is_a_matter_for_people(hall, made, fresh_db):
    _, client = hall
    mine, theirs = made.people[0], made.people[1]
    one = await seated(client, mine, "device-one")
    await put_back(fresh_db, mine.attempt, lease=None, seat_id=made.spares[1])
    async with fresh_db.begin() as conn:
        await conn.execute(
            text("UPDATE allocation SET seat_id = :s WHERE candidate_id = :c"),
            {"s": mine.seat_id, "c": theirs.candidate_id},
        )
    reply = await show_lease(one)
    assert (reply.status_code, reply.json()["code"], reply.json()["seat"]) == (409, "seat-taken", mine.seat)


async def test_what_was_typed_in_the_lost_minutes_lies_ahead_of_the_clock_and_counts(hall, made, fresh_db):
    """The counter went back by ten minutes: what the browser kept is stamped in its future, and before the end."""
    _, client = hall
    one = await seated(client, made.people[0], "device-one")
    now_ms = one.service_ms
    reply = (await one.send(one.response(made.items[0], "A", at_ms=now_ms + 600_000))).json()
    assert reply["items"][0]["status"] == "durable"
    # Typed after it by the candidate, and before it by the clock: the revision decides.
    assert (await one.answer(made.items[0], "B")).json()["items"][0]["status"] == "durable"
    assert (await one.state())["responses"][str(made.items[0])]["value"] == "B"
    async with fresh_db.connect() as conn:
        assert await conn.scalar(text("SELECT bool_or(late) FROM response_history")) is False
        assert await conn.scalar(text("SELECT count(*) FROM response_history")) == 2
        assert await conn.scalar(text("SELECT count(*) FROM stranded")) == 0


async def test_no_receipt_for_less_than_was_promised(hall, made, fresh_db):
    """The hand-in says what the record must hold; one that was put back says so instead of closing the attempt."""
    _, client = hall
    one = await seated(client, made.people[0], "device-one")
    first = (await one.answer(made.items[0], "A")).json()
    lineage = first["lineage"]
    behind = (await one.send(path="hand-in", lineage=lineage, count=first["count"] + 1)).json()
    assert (behind["receipt"], behind["count"], behind["clock"]["state"]) == (None, 1, "running")
    other = (await one.send(path="hand-in", lineage="another", count=1)).json()
    assert other["receipt"] is None
    done = (await one.send(path="hand-in", lineage=lineage, count=first["count"])).json()
    assert done["receipt"]["count"] == 1
    again = (await one.send(path="hand-in", lineage=lineage, count=99)).json()
    assert again["receipt"]["count"] == 1, "a repeat brings the receipt there is"
