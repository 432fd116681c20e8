"""Time-out, grace, late answers and the reconnect credit, on real stores and the real clock."""

from __future__ import annotations

import asyncio
import time

import pytest
from sqlalchemy import text

from app.domain.errors import Refused
from app.services import ending
from tests.candidates import SECRET, Candidate, running
from tests.checkpoint.stage import staged
from tests.factories import open_relog, world

# Short, and longer than a busy machine needs for a sign-in and an answer.
SHORT_MS = 5_000


async def ready(client) -> None:
    for _ in range(100):
        reply = await client.get("http://test/readyz")
        if reply.status_code == 200 and reply.json()["postgres"]:
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"not ready: {reply.text}")


async def sweep_until(site, engine, attempt, state: str) -> None:
    seen = None
    for _ in range(100):
        await ending.sweep(site)
        async with engine.connect() as conn:
            seen = await conn.scalar(text("SELECT state FROM attempt WHERE id = :a"), {"a": attempt})
        if seen == state:
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"never {state}, last seen {seen}")


async def test_the_sweeper_ends_an_attempt_whose_browser_is_gone_at_the_right_instant(
    fresh_url, redis_url, redis, fresh_db
):
    made = await world(fresh_db, SECRET.encode(), duration_ms=SHORT_MS)
    async with running(fresh_url, redis_url) as (app, client):
        await ready(client)
        one = Candidate(client, made.people[0])
        await one.sign_in()
        await one.answer(made.items[0], "A")
        site, attempt = app.state.deps.site, made.people[0].attempt
        await ending.sweep(site)
        assert (await one.state())["state"] == "running"
        await sweep_until(site, fresh_db, attempt, "ended")
        async with fresh_db.connect() as conn:
            row = (
                await conn.execute(text("SELECT ended_ms, end_reason FROM attempt WHERE id = :a"), {"a": attempt})
            ).one()
        assert tuple(row) == (SHORT_MS, "time_out")
        # The others, who never signed in, end as well, and stay ended until the office finalises.
        for person in made.people[1:]:
            await sweep_until(site, fresh_db, person.attempt, "ended")


async def test_a_late_answer_counts_if_it_was_typed_in_time_and_not_held_back(fresh_url, redis_url, redis, fresh_db):
    made = await world(fresh_db, SECRET.encode(), duration_ms=4000)
    async with running(fresh_url, redis_url) as (app, client):
        await ready(client)
        one = Candidate(client, made.people[0])
        await one.sign_in()
        contact = 0
        while contact < 2500:
            contact = (await one.answer(made.items[0], "A")).json()["clock"]["service_ms"]
            await asyncio.sleep(0.1)
        await sweep_until(app.state.deps.site, fresh_db, made.people[0].attempt, "ended")
        replies = [
            await one.send(one.response(made.items[2], "T", at_ms=contact + 100)),
            await one.send(one.response(made.items[7], "F", at_ms=4000)),
        ]
        assert replies[0].json()["items"][0]["status"] == "durable"
        assert replies[0].json()["clock"]["state"] == "ended"
        assert replies[1].json()["items"][0] == {
            "item": made.items[7], "rev": 1, "status": "stranded", "code": "ended",
        }  # fmt: skip
        # A device that had contact at the end cannot bring an older answer afterwards.
        held_back = await one.send(one.response(made.items[5], "B", at_ms=1))
        assert held_back.json()["items"][0]["code"] == "late"
        async with fresh_db.connect() as conn:
            late = (await conn.execute(text("SELECT item_id, late FROM response ORDER BY item_id"))).all()
        assert [tuple(row) for row in late] == [(made.items[0], False), (made.items[2], True)]


async def test_what_arrives_after_the_end_is_judged_even_before_the_sweeper_came(fresh_url, redis_url, redis, fresh_db):
    made = await world(fresh_db, SECRET.encode(), duration_ms=SHORT_MS)
    async with running(fresh_url, redis_url) as (_, client):
        await ready(client)
        one = Candidate(client, made.people[0])
        await one.sign_in()
        await one.answer(made.items[0], "A")
        reply = None
        for _ in range(100):
            reply = (await one.send()).json()
            if reply["clock"]["remaining_ms"] == 0:
                break
            await asyncio.sleep(0.1)
        late = await one.send(one.response(made.items[2], "T", at_ms=SHORT_MS + 100))
        assert late.json()["items"][0]["status"] == "stranded"
        assert late.json()["state"] == "ended"


async def test_a_long_outbox_that_comes_in_two_requests_after_the_end_counts_whole(
    fresh_url, redis_url, redis, fresh_db
):
    """Also after a reboot: neither the sign-in nor the first request is a contact in between."""
    made = await world(fresh_db, SECRET.encode(), duration_ms=SHORT_MS)
    async with running(fresh_url, redis_url) as (app, client):
        await ready(client)
        one = Candidate(client, made.people[0])
        await one.sign_in()
        contact = (await one.answer(made.items[0], "A")).json()["clock"]["service_ms"]
        await sweep_until(app.state.deps.site, fresh_db, made.people[0].attempt, "ended")
        assert (await one.sign_in()).status_code == 200
        for item, value in ((made.items[2], "T"), (made.items[4], "长文"), (made.items[7], "F")):
            reply = await one.send(one.response(item, value, at_ms=contact + 50))
            assert reply.json()["items"][0]["status"] == "durable"
            await asyncio.sleep(2.1 if item == made.items[2] else 0)


async def test_a_process_that_never_saw_the_attempt_judges_its_end_too(fresh_url, redis_url, redis, fresh_db):
    made = await world(fresh_db, SECRET.encode(), duration_ms=SHORT_MS)
    async with running(fresh_url, redis_url) as (_, client):
        await ready(client)
        one = Candidate(client, made.people[0])
        clock = (await one.sign_in()).json()["clock"]
        while clock["remaining_ms"] > 0:
            await asyncio.sleep(0.1)
            clock = (await one.state())["clock"]
        late = await one.send(one.response(made.items[2], "T", at_ms=SHORT_MS + 100))
        assert late.json()["items"][0]["code"] == "ended"
        assert late.json()["state"] == "ended"


async def test_the_sweeper_waits_for_the_credit_of_an_outage(fresh_url, redis_url, redis, fresh_db):
    """A second and a half left when the service stops, three seconds to reconnect: still a second and a half left."""
    made = await world(fresh_db, SECRET.encode(), duration_ms=4000)
    async with running(fresh_url, redis_url) as (_, client):
        await ready(client)
        one = Candidate(client, made.people[0])
        await one.sign_in()
        left = 4000
        while left > 2000:
            left = (await one.answer(made.items[0], "A")).json()["clock"]["remaining_ms"]
            await asyncio.sleep(0.05)
    await asyncio.sleep(2.5)
    async with running(fresh_url, redis_url) as (app, client):
        await ready(client)
        one.client = client
        for _ in range(30):
            await ending.sweep(app.state.deps.site)
            await asyncio.sleep(0.1)
        asked = time.monotonic()
        reply = (await one.answer(made.items[2], "T")).json()
        # The credit reaches to when the answer came; what its reply takes is the candidate's own.
        took_ms = (time.monotonic() - asked) * 1000
        assert reply["items"][0]["status"] == "durable"
        assert reply["state"] == "running"
        assert left - took_ms - 1000 <= reply["clock"]["remaining_ms"] <= left + 1000


async def test_a_heartbeat_of_the_old_pc_does_not_end_an_open_move(fresh_url, redis_url, redis, fresh_db):
    made = await world(fresh_db, SECRET.encode(), duration_ms=SHORT_MS)
    async with running(fresh_url, redis_url) as (app, client):
        await ready(client)
        old, new = Candidate(client, made.people[0]), Candidate(client, made.people[0])
        await old.sign_in()
        await open_relog(fresh_db, made, made.people[0], made.spares[0])
        await sweep_until(app.state.deps.site, fresh_db, made.people[1].attempt, "ended")
        await old.send()
        assert (await new.sign_in()).status_code == 200
        assert (await new.answer(made.items[0], "A")).json()["items"][0]["status"] == "durable"


async def test_a_hand_in_that_was_overtaken_by_a_move_ends_nothing(fresh_url, redis_url, redis, fresh_db):
    made = await world(fresh_db, SECRET.encode())
    async with running(fresh_url, redis_url) as (app, client):
        await ready(client)
        old, new = Candidate(client, made.people[0]), Candidate(client, made.people[0])
        await old.sign_in()
        await open_relog(fresh_db, made, made.people[0], made.spares[0])
        await new.sign_in()
        site, attempt = app.state.deps.site, made.people[0].attempt
        for step in (
            lambda: ending.end(site, attempt, "hand_in", epoch=old.epoch),
            lambda: ending.finalise(site, attempt, epoch=old.epoch),
        ):
            with pytest.raises(Refused) as refused:
                await step()
            assert refused.value.code == "superseded"
        assert (await new.answer(made.items[0], "A")).json()["state"] == "running"


async def test_a_moved_candidate_with_a_later_session_is_let_in_after_the_nominal_end(
    fresh_url, redis_url, redis, fresh_db
):
    made = await world(fresh_db, SECRET.encode(), duration_ms=SHORT_MS)
    async with fresh_db.begin() as conn:
        later = await conn.scalar(
            text(
                "INSERT INTO session (exam_id, number, name, planned_start, duration_ms, start_ms)"
                " SELECT exam_id, 2, '第二场', now() + interval '1 hour', 1000000, 3600000 FROM session RETURNING id"
            )
        )
        person = made.people[0]
        await conn.execute(
            text("INSERT INTO allocation (session_id, candidate_id, seat_id, planned_seat_id) VALUES (:s, :c, :t, :t)"),
            {"s": later, "c": person.candidate_id, "t": person.seat_id},
        )
        await conn.execute(
            text(
                "INSERT INTO attempt (id, session_id, candidate_id, allotted_ms) VALUES (gen_random_uuid(), :s, :c, 1)"
            ),
            {"s": later, "c": person.candidate_id},
        )
    async with running(fresh_url, redis_url) as (app, client):
        await ready(client)
        old, new = Candidate(client, person), Candidate(client, person)
        await old.sign_in()
        left = (await old.answer(made.items[0], "A")).json()["clock"]["remaining_ms"]
        await open_relog(fresh_db, made, person, made.spares[0])
        await sweep_until(app.state.deps.site, fresh_db, made.people[1].attempt, "ended")
        arrived = await new.sign_in()
        assert arrived.status_code == 200, arrived.text
        assert arrived.json()["session"]["number"] == 1
        assert abs(arrived.json()["clock"]["remaining_ms"] - left) <= 1000


async def test_finalising_gives_everyone_a_receipt_after_the_grace(fresh_url, redis_url, redis, fresh_db):
    made = await world(fresh_db, SECRET.encode(), duration_ms=SHORT_MS)
    async with fresh_db.begin() as conn:
        await conn.execute(text("UPDATE session SET grace_ms = 1000"))
    async with running(fresh_url, redis_url) as (app, client):
        await ready(client)
        one = Candidate(client, made.people[0])
        await one.sign_in()
        await one.answer(made.items[0], "A")
        site = app.state.deps.site
        for person in made.people:
            await sweep_until(site, fresh_db, person.attempt, "ended")
        for _ in range(50):
            if await ending.finalise_session(site, made.session_id, actor="test"):
                break
            await asyncio.sleep(0.1)
        async with fresh_db.connect() as conn:
            rows = (await conn.execute(text("SELECT state, receipt ->> 'count' FROM attempt ORDER BY 2 DESC"))).all()
        assert [tuple(row) for row in rows] == [("final", "1"), *[("final", "0")] * 3]
        assert (await one.answer(made.items[1], ["A"])).json()["code"] == "closed"


async def test_an_open_move_is_not_timed_out_and_comes_back_with_its_gap(fresh_url, redis_url, redis, fresh_db):
    made = await world(fresh_db, SECRET.encode(), duration_ms=SHORT_MS)
    async with running(fresh_url, redis_url) as (app, client):
        await ready(client)
        old, new = Candidate(client, made.people[0]), Candidate(client, made.people[0])
        await old.sign_in()
        left = (await old.answer(made.items[0], "A")).json()["clock"]["remaining_ms"]
        await open_relog(fresh_db, made, made.people[0], made.spares[0])
        await sweep_until(app.state.deps.site, fresh_db, made.people[1].attempt, "ended")
        arrived = await new.sign_in()
        assert arrived.status_code == 200, arrived.text
        assert abs(arrived.json()["clock"]["remaining_ms"] - left) <= 1000


async def test_after_an_outage_each_is_credited_to_its_own_first_acknowledgement(fresh_url, redis_url, redis, fresh_db):
    made = await world(fresh_db, SECRET.encode())
    async with running(fresh_url, redis_url) as (_, client):
        await ready(client)
        people = [Candidate(client, person) for person in made.people[:2]]
        for one in people:
            await one.sign_in()
            before = (await one.answer(made.items[0], "A")).json()["clock"]["remaining_ms"]
    await asyncio.sleep(3)
    async with running(fresh_url, redis_url) as (_, client):
        await ready(client)
        first, last = people
        first.client = last.client = client
        asked = time.monotonic()
        now = (await first.answer(made.items[2], "T")).json()["clock"]
        took_ms = (time.monotonic() - asked) * 1000
        assert before - took_ms - 1000 <= now["remaining_ms"] <= before + 1000
        await asyncio.sleep(3)
        asked = time.monotonic()
        late = (await last.answer(made.items[2], "T")).json()["clock"]
        took_ms = (time.monotonic() - asked) * 1000
        assert before - took_ms - 1000 <= late["remaining_ms"] <= before + 1000
        assert {part["kind"] for part in late["because"]} >= {"planned", "credit"}
        again = (await last.send()).json()["clock"]
        assert again["remaining_ms"] <= late["remaining_ms"]
    async with fresh_db.connect() as conn:
        credited = (await conn.execute(text("SELECT to_ms - from_ms FROM adjustment ORDER BY 1"))).scalars().all()
    assert len(credited) == 2
    assert credited[0] < 2500 <= credited[1]


async def test_nothing_of_the_paper_leaves_before_the_start(fresh_url, redis_url, redis, fresh_db):
    made = await world(fresh_db, SECRET.encode(), start_ms=4000)
    async with running(fresh_url, redis_url) as (_, client):
        await ready(client)
        one = Candidate(client, made.people[0])
        signed = (await one.sign_in()).json()
        assert signed["clock"]["state"] == "waiting"
        assert 0 < signed["clock"]["starts_in_ms"] <= 4000
        assert signed["clock"]["remaining_ms"] == 5_400_000
        for path in ("/attempt/paper", "/attempt/media/" + "0" * 64):
            reply = await client.get(path, headers=one.headers)
            assert (reply.status_code, reply.json()["code"]) == (403, "not-started")
        assert (await one.send()).json()["state"] == "waiting"
        assert (await one.answer(made.items[0], "A")).json()["code"] == "not-started"
        assert (await one.send(path="hand-in")).json()["code"] == "not-started"
        for _ in range(100):
            if (await client.get("/attempt/paper", headers=one.headers)).status_code == 200:
                break
            await asyncio.sleep(0.1)
        assert (await one.answer(made.items[0], "A")).json()["clock"]["state"] == "running"


async def test_handing_in_too_early_and_admission_too_late(fresh_url, redis_url, redis, fresh_db):
    made = await world(fresh_db, SECRET.encode(), earliest_hand_in_ms=60_000, last_admission_ms=1500)
    async with running(fresh_url, redis_url) as (_, client):
        await ready(client)
        one, late = Candidate(client, made.people[0]), Candidate(client, made.people[1])
        await one.sign_in()
        early = await one.send(path="hand-in")
        assert (early.status_code, early.json()["code"]) == (403, "too-early-to-hand-in")
        await asyncio.sleep(2.2)
        refused = await late.sign_in()
        assert (refused.status_code, refused.json()["code"]) == (403, "too-late")
        assert (await one.sign_in()).status_code == 200


async def test_sign_in_before_it_opens_and_without_a_day(fresh_url, redis_url, redis, fresh_db):
    made = await world(fresh_db, SECRET.encode(), start_ms=3_600_000)
    none = await world(fresh_db, SECRET.encode(), start_ms=None, code="other")
    async with running(fresh_url, redis_url) as (_, client):
        await ready(client)
        early = await Candidate(client, made.people[0]).sign_in()
        assert early.json()["code"] == "not-open"
        assert 0 < early.json()["opens_in_ms"] <= 1_800_000
        assert (await Candidate(client, none.people[0]).sign_in()).json()["code"] == "not-open"


async def test_an_attempt_that_cannot_be_made_final_keeps_no_other_from_it(
    fresh_db, fresh_url, redis, redis_url, monkeypatch
):
    async with staged(fresh_db, fresh_url, redis_url) as stage:
        people = sorted(stage.made.people, key=lambda person: person.attempt)[:2]
        for person in people:
            await stage.device(person).sign_in()
        for person in people:
            await ending.end(stage.site, person.attempt, "forced")
        stage.at += 3_600_000
        receipt = ending._receipt

        async def broken(conn, attempt, *more):
            if attempt == people[0].attempt:
                raise LookupError(attempt)
            return await receipt(conn, attempt, *more)

        monkeypatch.setattr(ending, "_receipt", broken)
        await ending.sweep(stage.site)
        async with fresh_db.connect() as conn:
            rows = await conn.execute(text("SELECT id, state FROM attempt"))
            states = {row.id: row.state for row in rows}
        assert [states[person.attempt] for person in people] == ["ended", "final"]
