"""The three rounds of the real roster that may stand beside the checkout: swapped, moved, deferred; 1,880 people."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.identity import id_tail
from app.importers.bank import read_bank
from app.importers.roster import read_roster
from app.services import blueprint, importing, rounds
from app.services.drawing import draw_session
from app.services.importing import Source
from app.services.paper_check import check_session
from app.services.round_snapshot import Ask
from app.services.rounds import Confirmed
from app.services.site import Site
from app.storage.postgres import audit, staff
from app.storage.postgres.staff import Login
from tests.candidates import SECRET, Candidate, running
from tests.factories import Person
from tests.rounds_exam import lasting
from tests.staff import account

SOURCE = Source("花名册.xlsx", "0" * 64)
COUNT = 100


async def rows(engine: AsyncEngine, sql: str, **values: object) -> list[dict[str, Any]]:
    async with engine.connect() as conn:
        return [dict(row) for row in (await conn.execute(text(sql), values)).mappings()]


async def decide(site: Site, login: Login, ask: Ask) -> dict[str, Any]:
    shown = await rounds.preview(site, ask)
    confirmed = Confirmed(shown["seen"], "考务〔2024〕12 号", "停电")
    done = await rounds.act(site, login, secrets.token_hex(8), ask, confirmed)
    assert lasting(done["effect"]) == lasting(shown["effect"])
    return done["effect"]


async def sits(engine: AsyncEngine) -> dict[str, tuple[int, int]]:
    """ticket → (session number, seat) of everybody who has not been deferred from it."""
    found = await rows(
        engine,
        "SELECT c.ticket, s.number, al.seat_id FROM allocation al JOIN candidate c ON c.id = al.candidate_id"
        " JOIN session s ON s.id = al.session_id JOIN attempt a ON a.session_id = s.id AND a.candidate_id = c.id"
        " WHERE coalesce(a.end_reason, '') <> 'deferred'",
    )
    assert len(found) == len({row["ticket"] for row in found}) == 1880
    return {row["ticket"]: (row["number"], row["seat_id"]) for row in found}


async def whole(engine: AsyncEngine, sessions: dict[int, int]) -> None:
    """Every candidate has a complete paper that keeps the rules, neighbours included, and no item twice."""
    for session_id in sessions.values():
        report = await check_session(engine, session_id)
        assert report.faults == []
        assert report.reproduced == "yes"
    papers = await rows(engine, "SELECT attempt_id, count(*) AS n FROM paper_item GROUP BY 1")
    assert {row["n"] for row in papers} == {COUNT}
    assert (
        await rows(engine, "SELECT 1 FROM attempt a WHERE NOT EXISTS (SELECT 1 FROM paper p WHERE p.attempt_id = a.id)")
        == []
    )
    twice = await rows(
        engine,
        "SELECT a.candidate_id, p.item_version_id FROM attempt a JOIN paper_item p ON p.attempt_id = a.id"
        " GROUP BY 1, 2 HAVING count(*) > 1",
    )
    assert twice == []
    async with engine.connect() as conn:
        assert await audit.verify(conn) is None


async def items_of(engine: AsyncEngine, session_id: int, ticket: str) -> set[int]:
    found = await rows(
        engine,
        "SELECT p.item_version_id AS item FROM attempt a JOIN candidate c ON c.id = a.candidate_id"
        " JOIN paper_item p ON p.attempt_id = a.id WHERE a.session_id = :s AND c.ticket = :t",
        s=session_id,
        t=ticket,
    )
    return {row["item"] for row in found}


async def begins(engine: AsyncEngine, client: Any, site: Site, session_id: int, ticket: str, tail: str) -> set[int]:
    """The session begins, and this candidate gives an answer; the items they have seen."""
    start_ms = site.service_time.now_ms()
    async with engine.begin() as conn:
        for change in (
            "UPDATE session SET start_ms = CAST(:ms AS bigint) WHERE id = :s",
            "UPDATE attempt SET end_ms = CAST(:ms AS bigint) + allotted_ms WHERE session_id = :s AND state = 'open'",
        ):
            await conn.execute(text(change), {"ms": start_ms, "s": session_id})
    items = await items_of(engine, session_id, ticket)
    kinds = await rows(engine, "SELECT id FROM item_version WHERE type = 'single' ORDER BY id")
    (row,) = await rows(engine, "SELECT id FROM candidate WHERE ticket = :t", t=ticket)
    candidate = Candidate(client, Person(row["id"], ticket, tail, UUID(int=0), 0, ""))
    assert (await candidate.sign_in()).status_code == 200
    answered = next(kind["id"] for kind in kinds if kind["id"] in items)
    assert (await candidate.answer(answered, "A")).json()["durability"] == "durable"
    return items


@pytest.mark.timeout(600)
async def test_the_real_rounds_are_swapped_moved_and_deferred(
    fresh_db: AsyncEngine, fresh_url: str, redis_url: str, redis: Any, shared_data: Path
) -> None:
    roster, _, _ = read_roster(shared_data / "roster-rounds.xlsx")
    bank, _, _ = read_bank(shared_data / "bank.xlsx")
    assert roster is not None
    assert bank is not None
    await importing.import_roster(fresh_db, roster, key=SECRET.encode(), source=SOURCE)
    await importing.import_bank(fresh_db, bank, source=SOURCE)
    sessions = {row["number"]: row["id"] for row in await rows(fresh_db, "SELECT number, id FROM session")}
    for number, session_id in sessions.items():
        await blueprint.set_proportional(fresh_db, session_id, COUNT)
        await draw_session(fresh_db, session_id, seed=f"round {number}", columns=8)
    username = await account(fresh_db, "office")
    async with fresh_db.connect() as conn:
        found = await staff.find(conn, username)
    assert found is not None
    login = Login(found.id, username, found.name, found.role, datetime.now(UTC) + timedelta(1), frozenset(), b"")
    before = await sits(fresh_db)
    tails = {each.ticket: id_tail(each.id_number) for each in roster.candidates}

    async with running(fresh_url, redis_url) as (app, client):
        site: Site = app.state.deps.site
        assert await site.settled(60)

        effect = await decide(site, login, Ask("swap", sessions[1], sessions[2]))
        assert (effect["candidates"], effect["seats"]) == (1254, {"kept": 1254, "changed": 0})
        assert effect["papers"] == {"kept": 1254, "new": 0, "later": 0}
        other = {1: 2, 2: 1, 3: 3}
        swapped = await sits(fresh_db)
        assert swapped == {ticket: (other[number], seat) for ticket, (number, seat) in before.items()}
        await whole(fresh_db, sessions)

        (room,) = await rows(
            fresh_db,
            "SELECT seat.room_id, count(*) AS n FROM allocation al JOIN seat ON seat.id = al.seat_id"
            " WHERE al.session_id = :s GROUP BY 1 ORDER BY n DESC, 1 LIMIT 1",
            s=sessions[1],
        )
        effect = await decide(site, login, Ask("move", sessions[1], sessions[3], rooms=(room["room_id"],)))
        assert (effect["rooms"], effect["candidates"], effect["closed"]) == (1, room["n"], 0)
        moved = await sits(fresh_db)
        assert sum(moved[ticket][0] != swapped[ticket][0] for ticket in moved) == room["n"]
        await whole(fresh_db, sessions)

        ticket = next(ticket for ticket, (number, _) in sorted(moved.items()) if number == 1)
        seen = await begins(fresh_db, client, site, sessions[1], ticket, tails[ticket])
        assert (await decide(site, login, Ask("defer", sessions[1], tickets=(ticket,))))["closed"] == 1
        effect = await decide(site, login, Ask("allocate", sessions[1], sessions[3], tickets=(ticket,)))
        assert effect["papers"] == {"kept": 0, "new": 1, "later": 0}
        assert (await sits(fresh_db))[ticket][0] == 3
        assert not seen & await items_of(fresh_db, sessions[3], ticket)
        await whole(fresh_db, sessions)
