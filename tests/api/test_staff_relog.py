"""Relog: every rule, and two members of staff at once on one spare seat."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from sqlalchemy import text

from app.storage.postgres import audit
from tests.candidates import SECRET, Candidate, running
from tests.factories import world
from tests.staff import Staff, signed_in


@pytest.fixture
async def made(fresh_db):
    return await world(fresh_db, SECRET.encode())


@pytest.fixture
async def hall(fresh_url, redis_url, redis, made):
    async with running(fresh_url, redis_url) as (app, client):
        yield app, client


@pytest.fixture
def client(hall):
    return hall[1]


@pytest.fixture
async def invigilator(client, fresh_db, made) -> Staff:
    return await signed_in(client, fresh_db, "invigilator", room_ids=[made.room_id])


async def _sql(engine, statement: str, **values):
    async with engine.begin() as conn:
        result = await conn.execute(text(statement), values)
        return result.scalar_one_or_none() if result.returns_rows else None


async def _second_room(engine, made) -> tuple[int, int]:
    """A room beside the first, with one spare seat: (room, seat)."""
    room_id = await _sql(
        engine,
        "INSERT INTO room (exam_id, building_id, name, ordinal, seat_count, spare_count)"
        " SELECT exam_id, building_id, '第02考室', 2, 4, 1 FROM room WHERE id = :r RETURNING id",
        r=made.room_id,
    )
    seat_id = await _sql(
        engine,
        "INSERT INTO seat (room_id, label, ordinal, is_spare) VALUES (:r, '备9', 9, true) RETURNING id",
        r=room_id,
    )
    return room_id, seat_id


async def _relogs(engine) -> list[tuple[str, str]]:
    async with engine.connect() as conn:
        rows = await conn.execute(
            text("SELECT r.state, s.label FROM relog r JOIN seat s ON s.id = r.to_seat_id ORDER BY r.id")
        )
        return [tuple(row) for row in rows]


async def _audited(engine) -> list[str]:
    async with engine.connect() as conn:
        assert await audit.verify(conn) is None
        rows = await conn.execute(
            text("SELECT action FROM audit_entry WHERE action LIKE ANY ('{relog.%,seat.%}') ORDER BY n")
        )
        return list(rows.scalars())


def _refused(reply, status: int, code: str) -> dict:
    assert (reply.status_code, reply.json().get("code")) == (status, code), reply.text
    body = reply.json()
    assert body["detail_zh"]
    assert "{" not in body["detail_zh"] + body["detail_en"]
    return body


async def test_a_relog_takes_the_candidate_to_the_spare_seat_and_is_audited(client, fresh_db, made, invigilator):
    person = made.people[0]
    candidate = Candidate(client, person)
    await candidate.sign_in()
    await candidate.answer(made.items[0], "A")

    reply = await invigilator.relog(person.attempt, to_seat_id=made.spares[0], note="屏幕不亮")
    assert reply.status_code == 200, reply.text
    told = reply.json()["relog"]
    assert (told["from_seat"], told["to_seat"], told["name"], told["state"]) == ("1", "备1", "考生1", "open")
    room = await invigilator.room(made.room_id, made.session_id)
    by_label = {seat["label"]: seat for seat in room["seats"]}
    assert by_label["1"]["occupant"]["relog"]["to_seat"] == "备1"
    assert by_label["备1"]["arriving"]["name"] == "考生1"
    # The click alone fences nobody.
    assert (await candidate.answer(made.items[1], ["A"])).status_code == 200

    moved = Candidate(client, person)
    reply = await moved.sign_in()
    assert reply.status_code == 200, reply.text
    room = await invigilator.room(made.room_id, made.session_id)
    by_label = {seat["label"]: seat for seat in room["seats"]}
    assert by_label["1"]["occupant"] is None
    sitting = by_label["备1"]["occupant"]
    assert (sitting["name"], sitting["state"], sitting["answered"], sitting["planned_label"], sitting["relog"]) == (
        "考生1", "answering", 2, "1", None,
    )  # fmt: skip
    assert await _audited(fresh_db) == ["relog.open"]
    subject = await _sql(fresh_db, "SELECT subject FROM audit_entry WHERE action = 'relog.open'")
    assert (subject["from"], subject["to"], subject["note"]) == ("第01考室 1", "第01考室 备1", "屏幕不亮")


async def test_the_same_seat_again(client, fresh_db, made, invigilator):
    person = made.people[0]
    await Candidate(client, person).sign_in()
    told = (await invigilator.relog(person.attempt, same_seat=True)).json()["relog"]
    assert (told["same_seat"], told["to_seat"]) == (True, "1")
    assert (await Candidate(client, person).sign_in()).status_code == 200
    assert await _relogs(fresh_db) == [("used", "1")]


async def test_a_candidate_who_has_not_signed_in_yet_may_be_moved(client, fresh_db, made, invigilator):
    person = made.people[0]
    assert (await invigilator.relog(person.attempt, to_seat_id=made.spares[1])).status_code == 200
    reply = await Candidate(client, person).sign_in()
    assert reply.status_code == 200, reply.text
    assert reply.json()["seat"]["seat"] == "备2"
    room = await invigilator.room(made.room_id, made.session_id)
    assert [seat["label"] for seat in room["seats"] if seat["occupant"]] == ["2", "3", "4", "备2"]


async def test_the_target_is_said_in_exactly_one_way(made, invigilator):
    person = made.people[0]
    for body in (
        {},
        {"same_seat": True, "to_seat_id": made.spares[0]},
        {"to_seat_id": -1},
        {"same_seat": True, "reason": "x"},
    ):
        _refused(await invigilator.relog(person.attempt, **body), 422, "bad-body")


async def test_an_occupied_seat_is_refused_with_the_name_of_who_has_it(fresh_db, made, invigilator):
    reply = await invigilator.relog(made.people[0].attempt, to_seat_id=made.people[1].seat_id)
    assert _refused(reply, 409, "seat-occupied")["name"] == "考生2"
    assert await _relogs(fresh_db) == []
    assert await _audited(fresh_db) == []


async def test_a_promised_seat_is_refused_with_the_name_it_is_kept_for(fresh_db, made, invigilator):
    await invigilator.relog(made.people[0].attempt, to_seat_id=made.spares[0])
    reply = await invigilator.relog(made.people[1].attempt, to_seat_id=made.spares[0])
    assert _refused(reply, 409, "seat-promised")["name"] == "考生1"
    assert len(await _relogs(fresh_db)) == 1


async def test_a_seat_left_behind_by_a_move_is_free_again(client, made, invigilator):
    first, second = made.people[:2]
    await Candidate(client, first).sign_in()
    await invigilator.relog(first.attempt, to_seat_id=made.spares[0])
    await Candidate(client, first).sign_in()
    assert (await invigilator.relog(second.attempt, to_seat_id=first.seat_id)).status_code == 200


async def test_a_seat_out_of_order_is_refused_with_the_reason(fresh_db, made, invigilator):
    reply = await invigilator.post(f"/seats/{made.spares[0]}/mark", {"out_of_order": "无法开机"})
    assert reply.json()["seat"]["out_of_order"] == "无法开机"
    reply = await invigilator.relog(made.people[0].attempt, to_seat_id=made.spares[0])
    assert _refused(reply, 409, "seat-out-of-order")["why"] == "无法开机"
    room = await invigilator.room(made.room_id, made.session_id)
    assert (room["suggested_seat_id"], room["spare_left"]) == (made.spares[1], 1)
    await invigilator.post(f"/seats/{made.spares[0]}/mark", {"out_of_order": None})
    assert (await invigilator.relog(made.people[0].attempt, to_seat_id=made.spares[0])).status_code == 200
    _refused(await invigilator.post(f"/seats/{made.spares[0]}/mark", {"out_of_order": "x"}), 409, "seat-promised")
    assert await _audited(fresh_db) == ["seat.mark", "seat.mark", "relog.open"]


async def test_a_seat_in_a_foreign_room_is_out_of_an_invigilators_reach_and_within_the_offices(
    client, fresh_db, made, invigilator
):
    _, seat_id = await _second_room(fresh_db, made)
    body = _refused(await invigilator.relog(made.people[0].attempt, to_seat_id=seat_id), 403, "seat-out-of-reach")
    assert body["room"] == "第02考室"
    office = await signed_in(client, fresh_db, "office")
    told = (await office.relog(made.people[0].attempt, to_seat_id=seat_id)).json()["relog"]
    assert (told["to_room"], told["to_seat"]) == ("第02考室", "备9")
    # Both sides of a move between rooms see it.
    room = await invigilator.room(made.room_id, made.session_id)
    assert room["seats"][0]["occupant"]["relog"]["to_room"] == "第02考室"


async def test_a_seat_of_another_exam_is_out_of_everybodys_reach(client, fresh_db, made):
    other = await world(fresh_db, SECRET.encode(), code="other")
    office = await signed_in(client, fresh_db, "office")
    reply = await office.relog(made.people[0].attempt, to_seat_id=other.spares[0])
    _refused(reply, 403, "seat-out-of-reach")


async def test_nothing_to_relog_once_the_attempt_is_over(client, fresh_db, made, invigilator):
    candidate = Candidate(client, made.people[0])
    await candidate.sign_in()
    assert (await candidate.send(path="hand-in")).status_code == 200
    _refused(await invigilator.relog(made.people[0].attempt, same_seat=True), 409, "attempt-over")
    await _sql(fresh_db, "UPDATE attempt SET end_ms = 1 WHERE id = :a", a=made.people[1].attempt)
    _refused(await invigilator.relog(made.people[1].attempt, same_seat=True), 409, "attempt-over")


async def test_a_second_move_is_refused_until_the_first_is_withdrawn(fresh_db, made, invigilator):
    attempt = made.people[0].attempt
    first = (await invigilator.relog(attempt, to_seat_id=made.spares[0])).json()["relog"]
    again = await invigilator.relog(attempt, to_seat_id=made.spares[0])
    assert again.json()["relog"]["id"] == first["id"]
    body = _refused(await invigilator.relog(attempt, to_seat_id=made.spares[1]), 409, "relog-open")
    assert (body["seat"], body["by"]) == ("备1", invigilator.name)
    reply = await invigilator.post(f"/relogs/{first['id']}/withdraw")
    assert reply.json()["relog"]["state"] == "withdrawn"
    assert (await invigilator.relog(attempt, to_seat_id=made.spares[1])).status_code == 200
    assert await _relogs(fresh_db) == [("withdrawn", "备1"), ("open", "备2")]
    assert await _audited(fresh_db) == ["relog.open", "relog.withdraw", "relog.open"]


async def test_withdrawing_twice_is_the_same_as_once(fresh_db, made, invigilator):
    told = (await invigilator.relog(made.people[0].attempt, to_seat_id=made.spares[0])).json()["relog"]
    for _ in range(2):
        assert (await invigilator.post(f"/relogs/{told['id']}/withdraw")).status_code == 200
    assert await _audited(fresh_db) == ["relog.open", "relog.withdraw"]


async def test_a_withdrawn_move_leaves_the_candidate_where_they_were(client, made, invigilator):
    person = made.people[0]
    candidate = Candidate(client, person)
    await candidate.sign_in()
    told = (await invigilator.relog(person.attempt, to_seat_id=made.spares[0])).json()["relog"]
    await invigilator.post(f"/relogs/{told['id']}/withdraw")
    assert (await Candidate(client, person).sign_in()).json()["code"] == "lease-held"
    assert (await candidate.answer(made.items[0], "A")).status_code == 200


async def test_a_used_relog_cannot_be_withdrawn(client, made, invigilator):
    person = made.people[0]
    await Candidate(client, person).sign_in()
    told = (await invigilator.relog(person.attempt, to_seat_id=made.spares[0])).json()["relog"]
    await Candidate(client, person).sign_in()
    _refused(await invigilator.post(f"/relogs/{told['id']}/withdraw"), 409, "relog-used")


async def test_what_does_not_exist_is_not_found(invigilator, made):
    _refused(await invigilator.relog(uuid.uuid4(), same_seat=True), 404, "not-found")
    _refused(await invigilator.relog(made.people[0].attempt, to_seat_id=2**60), 404, "not-found")
    _refused(await invigilator.post(f"/relogs/{2**60}/withdraw"), 404, "not-found")
    _refused(await invigilator.post(f"/seats/{2**60}/mark", {"out_of_order": None}), 404, "not-found")


# --- who may ---


@pytest.mark.parametrize("role", ["invigilator", "chief", "office", "admin", "auditor", "inspector"])
@pytest.mark.parametrize("own", [True, False])
async def test_every_cell_of_the_table_through_the_endpoints(client, fresh_db, made, role, own):
    member = await signed_in(client, fresh_db, role, room_ids=[made.room_id] if own else [])
    everywhere = role in ("office", "admin")
    changes = everywhere or (own and role in ("invigilator", "chief"))
    sees = everywhere or role in ("auditor", "inspector") or own
    reads_audit = role in ("office", "admin", "auditor")
    # Somebody else's open move, so that withdrawing is about permission alone.
    chief = await signed_in(client, fresh_db, "chief", room_ids=[made.room_id])
    open_id = (await chief.relog(made.people[1].attempt, to_seat_id=made.spares[1])).json()["relog"]["id"]

    got = {
        "room": await member.get(f"/rooms/{made.room_id}", session=made.session_id),
        "relog": await member.relog(made.people[0].attempt, to_seat_id=made.spares[0]),
        "withdraw": await member.post(f"/relogs/{open_id}/withdraw"),
        "mark": await member.post(f"/seats/{made.people[3].seat_id}/mark", {"out_of_order": "坏"}),
        "audit": await member.get("/audit"),
    }
    allowed = {"room": sees, "relog": changes, "withdraw": changes, "mark": changes, "audit": reads_audit}
    assert {name: reply.status_code for name, reply in got.items()} == {
        name: 200 if yes else 403 for name, yes in allowed.items()
    }
    assert {reply.json()["code"] for reply in got.values() if reply.status_code == 403} <= {"not-permitted"}
    assert await _audited(fresh_db) == ["relog.open"] + (
        ["relog.open", "relog.withdraw", "seat.mark"] if changes else []
    )


# --- the same request again ---


async def test_the_same_key_gives_the_same_reply_and_changes_nothing_more(fresh_db, made, invigilator):
    attempt = made.people[0].attempt
    first = await invigilator.relog(attempt, to_seat_id=made.spares[0], key="k1")
    await invigilator.post(f"/relogs/{first.json()['relog']['id']}/withdraw", key="k2")
    again = await invigilator.relog(attempt, to_seat_id=made.spares[0], key="k1")
    assert again.json() == first.json()
    assert await _relogs(fresh_db) == [("withdrawn", "备1")]
    assert await _audited(fresh_db) == ["relog.open", "relog.withdraw"]


async def test_the_same_key_for_something_else_is_refused(fresh_db, made, invigilator):
    await invigilator.relog(made.people[0].attempt, to_seat_id=made.spares[0], key="k1")
    for reply in (
        await invigilator.relog(made.people[0].attempt, to_seat_id=made.spares[1], key="k1"),
        await invigilator.relog(made.people[1].attempt, to_seat_id=made.spares[0], key="k1"),
        await invigilator.post("/relogs/1/withdraw", key="k1"),
    ):
        _refused(reply, 409, "idempotency-mismatch")
    assert len(await _relogs(fresh_db)) == 1


async def test_a_key_belongs_to_one_member_of_staff(client, fresh_db, made, invigilator):
    other = await signed_in(client, fresh_db, "office")
    await invigilator.relog(made.people[0].attempt, to_seat_id=made.spares[0], key="k1")
    assert (await other.relog(made.people[1].attempt, to_seat_id=made.spares[1], key="k1")).status_code == 200
    assert len(await _relogs(fresh_db)) == 2


async def test_a_refusal_is_decided_anew(fresh_db, made, invigilator):
    first = (await invigilator.relog(made.people[0].attempt, to_seat_id=made.spares[0])).json()["relog"]
    asked = {"to_seat_id": made.spares[0], "key": "k1"}
    _refused(await invigilator.relog(made.people[1].attempt, **asked), 409, "seat-promised")
    await invigilator.post(f"/relogs/{first['id']}/withdraw")
    assert (await invigilator.relog(made.people[1].attempt, **asked)).status_code == 200


@pytest.mark.parametrize("key", [None, "", "x" * 101])
async def test_a_change_needs_a_key(client, made, invigilator, key):
    headers = {**invigilator.headers, **({} if key is None else {"Idempotency-Key": key})}
    for path, body in (
        (f"attempts/{made.people[0].attempt}/relog", {"same_seat": True}),
        ("relogs/1/withdraw", {}),
        (f"seats/{made.spares[0]}/mark", {"out_of_order": None}),
    ):
        reply = await client.post(f"/staff/{path}", json=body, headers=headers)
        _refused(reply, 422, "idempotency-key-needed")


# --- at once ---


async def test_two_members_of_staff_on_one_spare_seat_and_exactly_one_wins(client, fresh_db, made, invigilator):
    office = await signed_in(client, fresh_db, "office")
    for _ in range(5):
        replies = await asyncio.gather(
            invigilator.relog(made.people[0].attempt, to_seat_id=made.spares[0]),
            office.relog(made.people[1].attempt, to_seat_id=made.spares[0]),
            invigilator.relog(made.people[2].attempt, to_seat_id=made.spares[0]),
        )
        assert sorted(reply.status_code for reply in replies) == [200, 409, 409]
        lost = {reply.json()["code"] for reply in replies if reply.status_code == 409}
        assert lost == {"seat-promised"}
        won = next(reply.json()["relog"]["id"] for reply in replies if reply.status_code == 200)
        await office.post(f"/relogs/{won}/withdraw")
    assert len(await _relogs(fresh_db)) == 5
    assert await _audited(fresh_db) == ["relog.open", "relog.withdraw"] * 5


async def test_one_key_sent_twice_at_once_acts_once(fresh_db, made, invigilator):
    replies = await asyncio.gather(
        *(invigilator.relog(made.people[0].attempt, to_seat_id=made.spares[0], key="k1") for _ in range(4))
    )
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.json()["relog"]["id"] for reply in replies}) == 1
    assert len(await _relogs(fresh_db)) == 1
    assert await _audited(fresh_db) == ["relog.open"]


async def test_a_sign_in_and_a_withdrawal_at_once_agree_on_one_outcome(client, fresh_db, made, invigilator):
    for n, person in enumerate(made.people):
        await Candidate(client, person).sign_in()
        told = (await invigilator.relog(person.attempt, to_seat_id=made.spares[0])).json()["relog"]
        arriving = Candidate(client, person)
        signed, withdrawn = await asyncio.gather(arriving.sign_in(), invigilator.post(f"/relogs/{told['id']}/withdraw"))
        outcome = (signed.status_code, withdrawn.status_code)
        assert outcome in {(200, 409), (409, 200)}, (n, signed.text, withdrawn.text)
        if outcome == (200, 409):  # free the spare for the next round
            await invigilator.relog(person.attempt, to_seat_id=person.seat_id)
            await Candidate(client, person).sign_in()


async def test_a_relog_waits_for_the_move_that_is_taking_the_seat(client, fresh_db, made, invigilator):
    """The race the order of statements in ``open_relog`` is for: the spare is being moved into as it is asked for."""
    person = made.people[0]
    await invigilator.relog(person.attempt, to_seat_id=made.spares[0])
    async with fresh_db.connect() as conn:  # a sign-in that uses the relog, about to commit
        await conn.execute(text("SELECT 1 FROM attempt WHERE id = :a FOR NO KEY UPDATE"), {"a": person.attempt})
        await conn.execute(text("UPDATE relog SET state = 'used', closed_ms = 1"))
        await conn.execute(
            text("UPDATE allocation SET seat_id = :s WHERE candidate_id = :c"),
            {"s": made.spares[0], "c": person.candidate_id},
        )
        waiting = asyncio.create_task(invigilator.relog(made.people[1].attempt, to_seat_id=made.spares[0]))
        async with asyncio.timeout(40):
            while not await _sql(fresh_db, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
                assert not waiting.done()
                await asyncio.sleep(0.01)
        await conn.commit()
    assert _refused(await waiting, 409, "seat-occupied")["name"] == "考生1"


async def test_an_audit_entry_that_cannot_be_written_takes_the_change_with_it(client, fresh_db, made, invigilator):
    await _sql(fresh_db, "ALTER TABLE audit_entry ADD CONSTRAINT full_disk CHECK (action <> 'relog.open') NOT VALID")
    reply = await invigilator.relog(made.people[0].attempt, to_seat_id=made.spares[0])
    assert reply.status_code == 500
    assert await _relogs(fresh_db) == []
