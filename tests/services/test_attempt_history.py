"""An attempt from the sign-in to the receipt, replayed from the record; and every way to falsify it found out."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from string import Template

import asyncpg
import pytest
from sqlalchemy import text

from app.checkpoint import adoption
from app.checkpoint.statement import write
from app.domain import chain
from app.domain.adoption import tag
from app.domain.attempt_proof import CODES, prove
from app.domain.checkpoints import Checkpoint, Row
from app.domain.errors import Refused
from app.domain.receipt import answers_hash
from app.domain.responses import canonical, value_hash
from app.services import attempt_history, ending
from app.storage.postgres import attempt_history as store
from tests.candidates import SECRET, Candidate, running
from tests.factories import world
from tests.services.falsifications import ATTACKS
from tests.sitting_story import a_move_and_two_hand_ins, ready

TIMES = {"quiet": timedelta(minutes=5), "outage": timedelta(seconds=2)}


@pytest.fixture
async def made(fresh_db):
    return await world(fresh_db, SECRET.encode(), candidates=2)


@pytest.fixture
async def sat(made, fresh_db, fresh_url, redis_url, redis):
    await a_move_and_two_hand_ins(made, fresh_db, fresh_url, redis_url)
    return made


async def replay(engine, ticket="EXAM-1", **more):
    return await attempt_history.report(engine, ticket, **{**TIMES, **more})


async def test_the_whole_history_is_told_and_verifies(sat, fresh_db):
    told = await replay(fresh_db)
    assert told.proof.findings == ()
    assert (told.proof.links, told.proof.count) == (4, 6)
    assert told.proof.receipt_link == 4
    kinds = [one.kind for one in told.events]
    assert kinds[0] == "start"
    assert kinds[-1] == "final"
    assert [kind for kind in kinds if kind not in ("start", "relog", "adjustment")] == [
        "sign_in", "revision", "revision", "revision", "revision", "revision", "sign_in", "revision", "stranded", "end",
        "final",
    ]  # fmt: skip
    assert [one.at_ms for one in told.events] == sorted(one.at_ms for one in told.events)
    first, second = (one.facts for one in told.events if one.kind == "sign_in")
    assert (first["seat"], second["seat"]) == ("第01考室 1", "第01考室 备1")
    assert first["device"] != second["device"]
    answers = [one.facts for one in told.events if one.kind == "revision"]
    assert [(one["link"], one["position"], one["value"], one["rev"]) for one in answers] == [
        (1, 1, "A", 1), (1, 2, ["C", "A"], 1), (1, 4, ["7"], 1), (2, 1, "B", 2), (3, 5, "𠮷野家 👩‍🔬 e\u0301", 1),
        (4, 2, None, 2),
    ]  # fmt: skip
    # Every revision is there, and it is said which of them count.
    assert [one["counts"] for one in answers] == [False, False, True, True, True, True]
    assert {one["seat"] for one in answers[:5]} == {"第01考室 1"}
    assert answers[5]["seat"] == "第01考室 备1"
    aside = next(one.facts for one in told.events if one.kind == "stranded")
    assert (aside["value"], aside["reason"], aside["seat"]) == ("C", "old_epoch", "第01考室 1")
    assert told.snapshot.standing.acked_seq == 2
    assert not told.snapshot.standing.holes


async def test_the_receipt_in_the_candidates_hand_is_looked_up_in_the_chain(sat, fresh_db):
    receipt = (await replay(fresh_db)).snapshot.standing.receipt
    assert (receipt["count"], receipt["links"]) == (6, 4)
    for typed in (receipt["chain"], chain.short(receipt["chain"]), chain.short(receipt["chain"]).upper()):
        told = await replay(fresh_db, printed=typed)
        assert (told.proof.findings, told.proof.printed_link) == ((), 4)
    other = (await replay(fresh_db, ticket="EXAM-2")).snapshot.standing.receipt["chain"]
    assert [one.code for one in (await replay(fresh_db, printed=other)).proof.findings] == ["printed-unknown"]
    for unreadable in ("ab12", "not hexadecimal at all", "0" * 65):
        with pytest.raises(Refused) as refused:
            await replay(fresh_db, printed=unreadable)
        assert refused.value.code == "head-unreadable"


async def test_an_attempt_nobody_has_begun_has_an_empty_chain(made, fresh_db):
    told = await replay(fresh_db)
    assert (told.proof.findings, told.proof.links, told.proof.head) == ((), 0, "")


async def test_the_database_itself_refuses_to_change_a_history(sat, fresh_url):
    connection = await asyncpg.connect(fresh_url)
    try:
        for change in ("UPDATE response_history SET rev = 9", "DELETE FROM response_history"):
            with pytest.raises(asyncpg.PostgresError, match="immutable"):
                await connection.execute(change)
    finally:
        await connection.close()


async def test_whoever_falsifies_the_record_is_found_out(sat, fresh_db):
    """By somebody who may switch off the triggers and write anything, one falsification after the other."""
    a, b = (person.attempt for person in sat.people)
    names = {"a": a, "b": b, **{f"i{n}": item for n, item in enumerate(sat.items, 1)}}
    found = {}
    for name, (statements, _) in ATTACKS.items():
        async with fresh_db.connect() as conn:
            await conn.execute(text(f"ALTER TABLE response_history_s{sat.session_id} DISABLE TRIGGER USER"))
            for statement in statements:
                changed = await conn.exec_driver_sql(Template(statement).substitute(names))
                assert changed.rowcount, name
            proof = prove(await store.snapshot(conn, a))
            await conn.rollback()
        first = proof.findings[0] if proof.findings else None
        link = f" {first.facts['link']}" if first and "link" in first.facts else ""
        found[name] = "nothing" if first is None else f"{first.code}{link}"
    assert found == {name: expected for name, (_, expected) in ATTACKS.items()}
    # And nothing of it stayed.
    assert (await replay(fresh_db)).proof.whole


async def test_a_record_rewritten_as_a_whole_is_contradicted_by_the_paper_alone(sat, fresh_db):
    """Somebody who knows how the chain is made takes the last answer away and makes everything fit again."""
    attempt = sat.people[0].attempt
    async with fresh_db.connect() as conn:
        before = await store.snapshot(conn, attempt)
    printed = before.standing.receipt["chain"]
    left = [one for one in before.revisions if one.link < 4]
    head = chain.heads(attempt, left)[3]
    merged = {one.response.item: one.response.value for one in sorted(left, key=lambda one: one.link)}
    forged = {
        "chain": head.hex(),
        "links": 3,
        "count": 5,
        "answers_hash": answers_hash(merged),
        "answered": len(merged),
    }
    async with fresh_db.connect() as conn:
        await conn.execute(text(f"ALTER TABLE response_history_s{sat.session_id} DISABLE TRIGGER USER"))
        await conn.execute(text("DELETE FROM response_history WHERE attempt_id = :a AND link = 4"), {"a": attempt})
        await conn.execute(
            text(
                "UPDATE response x SET (epoch, rev, value, value_hash, stamp_ms) = (SELECT epoch, rev, value,"
                " value_hash, stamp_ms FROM response_history h WHERE h.attempt_id = x.attempt_id"
                " AND h.item_id = x.item_id AND link = 1) WHERE attempt_id = :a AND item_id = :i"
            ),
            {"a": attempt, "i": sat.items[1]},
        )
        await conn.execute(
            text(
                "UPDATE attempt SET chain = :head, chain_links = 3, count = 5,"
                " receipt = receipt || CAST(:forged AS jsonb) WHERE id = :a"
            ),
            {"head": head, "forged": json.dumps(forged), "a": attempt},
        )
        after = await store.snapshot(conn, attempt)
        await conn.rollback()
    assert prove(after).whole
    assert [one.code for one in prove(after, printed).findings] == ["printed-unknown"]


async def test_a_link_added_properly_after_the_receipt_is_noticed(sat, fresh_db):
    attempt = sat.people[0].attempt
    async with fresh_db.connect() as conn:
        before = await store.snapshot(conn, attempt)
        head = before.standing.head
        last = before.revisions[-1]
        row = {"a": attempt, "i": sat.items[2], "e": last.response.version.epoch, "s": sat.session_id}
        await conn.execute(
            text(
                "INSERT INTO response_history (session_id, attempt_id, item_id, epoch, rev, adopt_n, value_hash, value,"
                " at_ms, stamp_ms, seq, link, chain_before) VALUES (:s, :a, :i, :e, 1, 0, :h, '\"T\"', 1, 1, 9, 5, :b)"
            ),
            {**row, "h": value_hash("T"), "b": head.digest},
        )
        await conn.execute(
            text(
                "INSERT INTO response (attempt_id, item_id, epoch, rev, adopt_n, value_hash, value, at_ms, stamp_ms)"
                " VALUES (:a, :i, :e, 1, 0, :h, '\"T\"', 1, 1)"
            ),
            {key: value for key, value in {**row, "h": value_hash("T")}.items() if key != "s"},
        )
        added = (await store.snapshot(conn, attempt)).revisions[-1]
        digest = chain.extend(head.digest, attempt, 5, [added])
        await conn.execute(
            text("UPDATE attempt SET chain = :d, chain_links = 5, count = 7 WHERE id = :a"), {"d": digest, "a": attempt}
        )
        after = await store.snapshot(conn, attempt)
        await conn.rollback()
    assert [one.code for one in prove(after).findings] == ["receipt-outdated"]
    printed = prove(after, before.standing.receipt["chain"])
    assert [one.code for one in printed.findings] == ["receipt-outdated", "printed-outdated"]


async def test_what_the_office_adopts_after_the_receipt_is_told_and_held_against_its_decision(sat, fresh_db):
    attempt = sat.people[0].attempt
    before = (await replay(fresh_db)).snapshot
    async with fresh_db.begin() as conn:
        office = await conn.scalar(
            text(
                "INSERT INTO staff (username, name, role, password_hash) VALUES ('office', '沈知夏', 'office', '')"
                " RETURNING id"
            )
        )
        aside = await conn.scalar(text("SELECT id FROM stranded WHERE attempt_id = :a"), {"a": attempt})
        seen = tag(before.responses[sat.items[0]][0].version)
        now_ms = before.standing.final_ms + 60_000
        await adoption.decide(
            conn, [adoption.Choice(aside, seen)], "adopted", staff_id=office, note="已核实", now_ms=now_ms
        )
    told = await replay(fresh_db, printed=before.standing.receipt["chain"])
    assert told.proof.findings == ()
    assert (told.proof.links, told.proof.receipt_link, told.proof.printed_link, told.proof.adopted_since) == (
        5,
        4,
        4,
        1,
    )
    assert [(one.kind, one.at_ms) for one in told.events[-2:]] == [("decision", now_ms), ("revision", now_ms)]
    decision, answer = (one.facts for one in told.events[-2:])
    assert (decision["by"], decision["note"], decision["decision"]) == ("沈知夏", "已核实", "adopted")
    assert (answer["value"], answer["adopted"], answer["counts"], answer["seat"]) == ("C", 1, True, None)
    async with fresh_db.connect() as conn:
        await conn.execute(text("DELETE FROM stranded WHERE id = :s"), {"s": aside})
        forged = prove(await store.snapshot(conn, attempt))
        await conn.rollback()
    assert [one.code for one in forged.findings] == ["adoption-unfounded"]


async def test_a_candidate_who_is_answering_is_read_at_one_instant(made, fresh_db, fresh_url):
    """While checkpoints are committed, no report ever sees a history that is newer than its head."""
    epoch, attempt, item = 1_000_001, made.people[0].attempt, made.items[4]
    async with fresh_db.begin() as conn:
        await conn.execute(
            text("UPDATE attempt SET epoch = :e, grants = '[[1000001, 0]]' WHERE id = :a"), {"e": epoch, "a": attempt}
        )
        await conn.execute(
            text(
                "INSERT INTO lease (attempt_id, epoch, device_id, secret_hash, seat_id, granted_ms)"
                " VALUES (:a, :e, 'pc', '', :s, 0)"
            ),
            {"a": attempt, "e": epoch, "s": made.people[0].seat_id},
        )
    connection = await asyncpg.connect(fresh_url)
    stop = asyncio.Event()

    async def answers() -> int:
        n = 0
        while not stop.is_set():
            n += 1
            body = canonical(f"{n}")
            rows = [Row(item, n, body.decode(), value_hash(f"{n}"), n)]
            await write(connection, [Checkpoint(attempt, epoch, n, n, rows)])
        return n

    busy = asyncio.create_task(answers())
    seen = []
    try:
        while len(set(seen)) < 10:
            told = await replay(fresh_db)
            assert told.proof.findings == ()
            seen.append(told.proof.links)
    finally:
        stop.set()
        written = await busy
        await connection.close()
    assert (await replay(fresh_db)).proof.links == written


async def test_the_sweepers_ending_and_an_outage_are_told(made, fresh_db, fresh_url, redis_url, redis):
    async with running(fresh_url, redis_url) as (app, client):
        await ready(client)
        one = Candidate(client, made.people[0])
        await one.sign_in()
        await one.answer(made.items[0], "A")
        at_ms = one.service_ms
        async with fresh_db.begin() as conn:
            await conn.execute(
                text(
                    "INSERT INTO term (n, lineage_n, start_ms, gap_ms, leader)"
                    " SELECT max(n) + 100, 1, :at, 90000, 'the next one' FROM term"
                ),
                {"at": at_ms + 1},
            )
            await conn.execute(
                text("UPDATE attempt SET state = 'ended', ended_ms = :e, end_reason = 'time_out' WHERE id = :a"),
                {"e": at_ms + 900_000, "a": made.people[0].attempt},
            )
        assert await ending.finalise(app.state.deps.site, made.people[0].attempt) is not None
    told = await replay(fresh_db)
    assert told.proof.whole
    facts = {one.kind: one.facts for one in told.events}
    assert facts["outage"]["gap_ms"] == 90_000
    assert facts["end"]["reason"] == "time_out"
    assert facts["silent"]["ms"] >= 890_000


async def test_what_cannot_be_found_is_refused_in_words(made, fresh_db):
    async def code(ticket, **more) -> tuple[str, dict]:
        with pytest.raises(Refused) as refused:
            await replay(fresh_db, ticket, **more)
        assert refused.value.text("zh")
        return refused.value.code, refused.value.params

    assert await code("nobody") == ("ticket-unknown", {"ticket": "NOBODY"})
    assert (await code("EXAM-1", session=7)) == ("session-unknown", {"session": 7, "known": "1"})
    assert (await code("EXAM-1", exam="other"))[0] == "exam-unknown"
    # A second session of the same exam, and the same ticket in another exam.
    async with fresh_db.begin() as conn:
        await conn.execute(
            text(
                "INSERT INTO session (exam_id, number, name, planned_start, duration_ms)"
                " SELECT exam_id, 2, '第二场', now(), duration_ms FROM session"
            )
        )
        await conn.execute(
            text(
                "INSERT INTO allocation (session_id, candidate_id, seat_id, planned_seat_id)"
                " SELECT s.id, a.candidate_id, a.seat_id, a.seat_id FROM allocation a, session s WHERE s.number = 2"
            )
        )
    assert await code("exam-1") == ("session-unclear", {"ticket": "EXAM-1", "known": "1、2"})
    assert (await code("EXAM-1", session=2))[0] == "not-drawn"
    assert (await replay(fresh_db, " exam-1 ", session=1)).proof.whole
    other = await world(fresh_db, SECRET.encode(), candidates=1, code="other")
    async with fresh_db.begin() as conn:
        await conn.execute(
            text("UPDATE candidate SET ticket = 'EXAM-1' WHERE id = :c"), {"c": other.people[0].candidate_id}
        )
    assert await code("EXAM-1") == ("exam-unclear", {"known": "exam、other"})
    assert (await replay(fresh_db, "EXAM-1", exam="other")).proof.whole


def test_every_finding_is_met_by_a_falsification():
    met = {expected.split()[0] for _, expected in ATTACKS.values()}
    elsewhere = {"receipt-outdated", "printed-unknown", "printed-outdated", "adoption-unfounded"}
    assert met | elsewhere == set(CODES)
