"""What a move leaves for the office to decide: a gap beyond the cap, and an answer from inside a credited gap."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from tests.candidates import Candidate
from tests.factories import open_relog
from tests.halls import S, opened
from tests.staff import signed_in


async def of(engine, attempt) -> dict:
    async with engine.connect() as conn:
        row = await conn.execute(text("SELECT end_ms, state FROM attempt WHERE id = :a"), {"a": attempt})
        return dict(row.mappings().one())


async def given(engine) -> list[tuple[str, int, int]]:
    async with engine.connect() as conn:
        rows = await conn.execute(text("SELECT reason, from_ms, to_ms FROM adjustment ORDER BY id"))
        return [tuple(row) for row in rows]


async def left_behind(hall, client, engine, *, gap_s: int) -> tuple[Candidate, Candidate]:
    """A candidate whose PC died ``gap_s`` ago signs in at a spare seat; the old PC and the new one."""
    person = hall.made.people[0]
    old = Candidate(client, person)
    assert (await old.sign_in()).status_code == 200
    await hall.heard([person.attempt], hall.now_ms - gap_s * S)
    relog = await open_relog(engine, hall.made, person, hall.made.spares[0])
    async with engine.begin() as conn:
        await conn.execute(text("UPDATE relog SET opened_ms = :now WHERE id = :r"), {"now": hall.now_ms, "r": relog})
    new = Candidate(client, person)
    reply = await new.sign_in()
    assert reply.status_code == 200, reply.text
    return old, new


async def test_a_move_beyond_the_cap_is_not_refused_and_its_surplus_is_proposed(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 4)], time_cap=40) as (_, client, hall):
        office = await signed_in(client, fresh_db, "office")
        attempt = hall.everybody[0]
        before = await of(fresh_db, attempt)
        await left_behind(hall, client, fresh_db, gap_s=60)
        ((reason, first, last),) = await given(fresh_db)
        assert (reason, last - first) == ("relog", 40 * S)
        assert (await of(fresh_db, attempt))["end_ms"] == before["end_ms"] + 40 * S
        (surplus,) = (await office.get("/time/proposals", session=hall.made.session_id)).json()["proposals"]
        assert (surplus["kind"], surplus["from_ms"], surplus["tickets"]) == (
            "relog-surplus", last, [hall.made.people[0].ticket],
        )  # fmt: skip
        assert surplus["amount_ms"] >= 20 * S
        assert "超出本场上限" in surplus["zh"]
        # It is beyond the cap, so approving it as well needs a decision of two people.
        path = f"/time/proposals/{surplus['id']}/approve"
        assert (await office.post(path, {})).json()["code"] == "cap-exceeded"
        scope = {"session": hall.made.session_id, "kind": "candidate", "attempt": str(attempt)}
        lifted = await office.post(
            "/time/decisions",
            {"kind": "lift-cap", "scope": scope, "number": "考务〔2026〕1号", "text": "同意", "limit_ms": 3_600_000},
        )
        assert lifted.status_code == 200, lifted.text
        second = await signed_in(client, fresh_db, "admin")
        decision = lifted.json()["decision"]["id"]
        assert (await second.post(f"/time/decisions/{decision}/approve")).status_code == 200
        done = await office.post(path, {"decision": decision})
        assert done.status_code == 200, done.text
        assert (await of(fresh_db, attempt))["end_ms"] == before["end_ms"] + 40 * S + surplus["amount_ms"]


async def test_a_move_within_the_cap_proposes_nothing(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 4)]) as (_, client, hall):
        await left_behind(hall, client, fresh_db, gap_s=60)
        assert await hall.proposals() == []
        ((reason, first, last),) = await given(fresh_db)
        assert reason == "relog"
        assert last - first >= 60 * S


@pytest.fixture
async def adopted(fresh_url, redis_url, redis, fresh_db):
    """An answer typed 20 s into a gap of 60 s reaches the office and is adopted; (hall, office, new, gap)."""
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 4)]) as (_, client, hall):
        office = await signed_in(client, fresh_db, "office")
        old, new = await left_behind(hall, client, fresh_db, gap_s=60)
        ((_, first, last),) = await given(fresh_db)
        late = await old.send(old.response(hall.made.items[0], "B", first + 20 * S))
        assert late.json()["items"][0]["status"] == "stranded"
        assert await hall.proposals() == []
        waiting = (await office.get("/stranded", session=hall.made.session_id)).json()
        item = waiting["attempts"][0]["items"][0]
        assert item["kept"][0]["in_credit"] is True
        body = {"items": [{"stranded": item["kept"][0]["stranded"], "seen": item["seen"]}], "note": "属实"}
        reply = await office.post("/stranded/adopt", body)
        assert reply.status_code == 200, reply.text
        yield hall, office, new, (first, last)


async def test_an_adopted_answer_from_inside_a_credit_proposes_to_shorten_it(fresh_db, adopted):
    hall, office, new, (first, last) = adopted
    before = await of(fresh_db, new.person.attempt)
    (shorter,) = (await office.get("/time/proposals", session=hall.made.session_id)).json()["proposals"]
    assert (shorter["kind"], shorter["from_ms"], shorter["to_ms"]) == ("shorten", first + 20 * S, last)
    assert (shorter["by"], shorter["reason"]) == (office.name, "relog")
    assert "建议将补时 1:0" in shorter["zh"]
    # Adopting alone takes nothing away.
    assert (await of(fresh_db, new.person.attempt)) == before
    # Whoever adopted the answer asks for it; somebody else agrees.
    own = await office.post(f"/time/proposals/{shorter['id']}/approve", {})
    assert (own.status_code, own.json()["code"]) == (403, "proposal-same-person")
    other = await signed_in(office.client, fresh_db, "office")
    done = await other.post(f"/time/proposals/{shorter['id']}/approve", {})
    assert done.status_code == 200, done.text
    entry = done.json()["entry"]
    assert (entry["reason"], entry["candidates"], entry["from_ms"]) == ("relog", 1, first + 20 * S)
    after = await of(fresh_db, new.person.attempt)
    assert (after["end_ms"], after["state"]) == (before["end_ms"] - 20 * S, "open")
    async with fresh_db.connect() as conn:
        told = await conn.scalar(text("SELECT zh FROM notice WHERE id = :n"), {"n": done.json()["notice"]})
    assert told.startswith("一项时间安排已更正")
    clock = (await new.state())["clock"]
    assert {part["kind"] for part in clock["because"]} >= {"planned", "credit"}


async def test_a_credit_that_was_undone_meanwhile_is_not_given_again_by_shortening_it(fresh_db, adopted):
    hall, office, new, _ = adopted
    (shorter,) = (await office.get("/time/proposals", session=hall.made.session_id)).json()["proposals"]
    scope = {"session": hall.made.session_id, "kind": "candidate", "attempt": str(new.person.attempt)}
    undo = {"action": "undo", "scope": scope, "entry": shorter["evidence"]["entry"], "note": "误记"}
    undone = await office.post("/time/actions", undo)
    assert undone.status_code == 200, undone.text
    before = await of(fresh_db, new.person.attempt)
    other = await signed_in(office.client, fresh_db, "office")
    refused = await other.post(f"/time/proposals/{shorter['id']}/approve", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "entry-undone")
    assert await of(fresh_db, new.person.attempt) == before


async def test_dismissed_the_credit_stays(fresh_db, adopted):
    hall, office, new, _ = adopted
    before = await of(fresh_db, new.person.attempt)
    (shorter,) = (await office.get("/time/proposals", session=hall.made.session_id)).json()["proposals"]
    reply = await office.post(f"/time/proposals/{shorter['id']}/dismiss", {"note": "考生利益优先"})
    assert reply.json()["proposal"]["state"] == "dismissed"
    assert await of(fresh_db, new.person.attempt) == before
