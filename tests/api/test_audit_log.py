"""The audit log through the API: found by candidate, person, room, action and time, a page at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ClauseElement, Executable

from app.storage.postgres import audit, audit_search
from app.storage.postgres.audit_search import Sought
from tests.candidates import SECRET, Candidate, running
from tests.factories import world
from tests.staff import account, signed_in


class Explain(Executable, ClauseElement):
    """How PostgreSQL would answer a query, as lines of text."""

    inherit_cache = False

    def __init__(self, query) -> None:
        self.query = query


@compiles(Explain)
def _explain(element, compiler, **how):
    return f"EXPLAIN {compiler.process(element.query, **how)}"


@pytest.fixture
async def made(fresh_db):
    return await world(fresh_db, SECRET.encode())


@pytest.fixture
async def client(fresh_url, redis_url, redis):
    async with running(fresh_url, redis_url) as (_, client):
        yield client


async def found(member, **sought) -> list[str]:
    """What is found, the oldest first."""
    reply = await member.get("/audit", **sought)
    assert reply.status_code == 200, reply.text
    return [entry["action"] for entry in reversed(reply.json()["entries"])]


async def test_what_was_done_is_found_by_whom_it_was_about_by_whom_and_where(client, fresh_db, made):
    one, other = made.people[:2]
    await Candidate(client, one).sign_in()
    await Candidate(client, other).sign_in()
    member = await signed_in(client, fresh_db, "invigilator", room_ids=[made.room_id])
    office = await signed_in(client, fresh_db, "office")
    auditor = await signed_in(client, fresh_db, "auditor")
    assert (await member.relog(one.attempt, to_seat_id=made.spares[0])).status_code == 200
    pause = {"action": "pause", "reason": "medical", "note": "头晕"}
    candidate = {"kind": "candidate", "session": made.session_id, "attempt": str(other.attempt)}
    assert (await member.post("/time/actions", {**pause, "scope": candidate})).status_code == 200
    room = {"kind": "room", "session": made.session_id, "rooms": [made.room_id]}
    extend = {"action": "extend", "reason": "power", "note": "", "ms": 60_000, "scope": room}
    reply = await office.post("/time/actions", extend)
    assert reply.status_code == 200, reply.text
    assert (await member.post(f"/seats/{made.spares[1]}/mark", {"out_of_order": "键盘失灵"})).status_code == 200

    assert await found(auditor, ticket=one.ticket) == ["relog.open"]
    assert await found(auditor, ticket=other.ticket) == ["time.pause"]
    assert await found(auditor, room=made.room_id, action="time") == ["time.pause", "time.extend"]
    assert await found(auditor, room=made.room_id, staff=member.username) == [
        "staff.add", "relog.open", "time.pause", "seat.mark",
    ]  # fmt: skip
    assert await found(auditor, staff=office.username) == ["staff.add", "staff.sign-in", "time.extend"]
    assert await found(auditor, action="time.pause") == ["time.pause"]
    assert await found(auditor, action="time_pause") == []
    assert await found(auditor, ticket="nobody") == await found(auditor, room=made.room_id + 1) == []
    told = (await auditor.get("/audit", ticket=one.ticket)).json()
    (entry,) = told["entries"]
    assert (entry["actor"], entry["name"], entry["role"]) == (member.username, member.name, "invigilator")
    assert (entry["zh"], entry["en"]) == ("发起换机登录", "relog opened")
    assert set(told["people"]) == {one.ticket}
    assert told["rooms"] == {str(made.room_id): "第01考室"}


async def test_a_command_is_found_under_its_own_name(client, fresh_db):
    office = await signed_in(client, fresh_db, "office")
    assert await found(office, staff="cli") == ["staff.add"]
    (entry,) = (await office.get("/audit", staff="cli")).json()["entries"]
    assert (entry["name"], entry["role"]) == (None, None)


async def test_found_by_time_with_the_end_left_out(client, fresh_db):
    office = await signed_in(client, fresh_db, "office")
    for _ in range(2):
        await account(fresh_db, "office")
    async with fresh_db.connect() as conn:
        at = list((await conn.execute(text("SELECT at FROM audit_entry ORDER BY n"))).scalars())
    assert len(at) == 4
    assert len(await found(office, **{"from": at[1].isoformat()})) == 3
    assert len(await found(office, to=at[1].isoformat())) == 1
    assert len(await found(office, **{"from": at[1].isoformat(), "to": at[3].isoformat()})) == 2
    later = (at[3] + timedelta(seconds=1)).isoformat()
    assert await found(office, **{"from": later}) == []


async def test_a_page_at_a_time_nothing_twice_and_nothing_left_out(client, fresh_db):
    office = await signed_in(client, fresh_db, "office")
    async with fresh_db.begin() as conn:
        for n in range(9):
            await audit.append(conn, actor="import", action="roster.changed", subject={"n": n})
    seen, before = [], None
    while True:
        page = (await office.get("/audit", limit=4, **({"before": before} if before else {}))).json()
        seen += [entry["n"] for entry in page["entries"]]
        before = page["next"]
        if before is None:
            break
    assert seen == list(range(11, 0, -1))


@pytest.mark.parametrize(
    "sought",
    [
        {"from": "2026-11-24T09:00:00"},
        {"from": "yesterday"},
        {"room": "第01考室"},
        {"limit": 501},
        {"ticket": "x" * 101},
        {"staff": "a\x00b"},
    ],
)
async def test_what_cannot_be_looked_for_is_refused(client, fresh_db, sought):
    office = await signed_in(client, fresh_db, "office")
    reply = await office.get("/audit", **sought)
    assert (reply.status_code, reply.json()["code"]) == (422, "bad-body")


async def test_a_search_of_a_long_log_reads_no_more_than_it_finds(fresh_db):
    """By candidate, person, room and time an index is used: the log of a day has tens of thousands of entries."""
    made = await world(fresh_db, SECRET.encode())
    await account(fresh_db, "office", username="su")
    async with fresh_db.begin() as conn:
        await conn.execute(
            text(
                "INSERT INTO audit_entry (n, at, actor, action, subject, hash)"
                " SELECT n, now() + n * interval '1 second', 'x', 'relog.open', jsonb_build_object('ticket', 'T' || n,"
                " 'room_id', n + 1000, 'attempt', 'A' || n), '' FROM generate_series(2, 20000) n"
            )
        )
    async with fresh_db.connect() as conn:
        # As the server does it by itself in the minutes over which such a log grows.
        await (await conn.execution_options(isolation_level="AUTOCOMMIT")).execute(text("VACUUM ANALYZE audit_entry"))
        first = (await conn.execute(text("SELECT min(at) FROM audit_entry"))).scalar_one()
        for sought, index in (
            (Sought(ticket=made.people[0].ticket), "ix_audit_entry_subject"),
            (Sought(room_id=made.room_id), "ix_audit_entry_subject"),
            (Sought(username="su"), "ix_audit_entry_staff_id"),
            (Sought(username="su"), "ix_audit_entry_subject"),
            (Sought(until_at=first + timedelta(minutes=1)), "ix_audit_entry_at"),
        ):
            query = (await audit_search.statement(conn, sought)).limit(100)
            plan = "\n".join((await conn.execute(Explain(query))).scalars())
            assert index in plan, (sought, plan)
            assert "Seq Scan on audit_entry" not in plan, (sought, plan)
