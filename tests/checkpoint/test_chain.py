"""The chain that the statement writes is the one that ``app.domain.chain`` describes, whatever is written."""

from __future__ import annotations

import json

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.checkpoint.statement import write
from app.domain import chain
from app.domain.checkpoints import Checkpoint, Row
from app.domain.responses import Response, Version, canonical, value_hash
from tests.candidates import SECRET
from tests.factories import world

EPOCH = 1_000_001


def row(item: int, rev: int, value: object, at_ms: int = 1000, adopt_n: int = 0) -> Row:
    return Row(item, rev, canonical(value).decode(), value_hash(value), at_ms, adopt_n)


@pytest.fixture
async def made(fresh_db):
    made = await world(fresh_db, SECRET.encode(), candidates=3)
    async with fresh_db.begin() as conn:
        await conn.exec_driver_sql(f"UPDATE attempt SET epoch = {EPOCH}, grants = '[[{EPOCH}, 0]]'")
    return made


@pytest.fixture
async def plain(fresh_url):
    connection = await asyncpg.connect(fresh_url)
    yield connection
    await connection.close()


async def recorded(connection, attempt) -> tuple[list[chain.Revision], chain.Head]:
    rows = await connection.fetch("SELECT * FROM response_history WHERE attempt_id = $1", attempt)
    revisions = [
        chain.Revision(
            one["link"],
            Response(
                one["item_id"],
                Version(one["epoch"], one["rev"], one["adopt_n"], one["value_hash"]),
                json.loads(one["value"]),
                one["at_ms"],
            ),
            one["stamp_ms"],
            one["seq"],
            one["late"],
            one["chain_before"],
        )
        for one in rows
    ]
    head = await connection.fetchrow("SELECT chain, chain_links, count FROM attempt WHERE id = $1", attempt)
    return revisions, chain.Head(head["chain"], head["chain_links"], head["count"])


async def test_the_chain_covers_every_revision_and_can_be_recomputed(made, plain):
    attempt = made.people[0].attempt
    for n in range(1, 5):
        await write(plain, [Checkpoint(attempt, EPOCH, n, n, [row(item, n, f"{n}") for item in made.items[:n]])])
    await write(plain, [Checkpoint(attempt, EPOCH, 5, 5)])  # a heartbeat is no link
    revisions, head = await recorded(plain, attempt)
    assert (head.links, head.count, len(revisions)) == (4, 10, 10)
    assert head.digest == chain.heads(attempt, revisions)[4]
    assert chain.verify(attempt, revisions, head) is None


# PostgreSQL's text holds every character but NUL and lone surrogates; both are refused before they come here.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=6)
values = st.none() | texts | st.lists(texts, max_size=3)
big = st.integers(0, 2**53)
sent = st.tuples(
    st.integers(0, 2),  # which attempt
    # One request does not bring the same revision with two times: which of them were kept would be nobody's promise.
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4), values, big), max_size=4, unique_by=lambda r: repr(r[:3])),
    big,  # stamp
    st.integers(1, 2**53),  # seq
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(sent, min_size=1, max_size=12), ended_after=st.integers(0, 12))
async def test_the_statement_makes_the_chain_of_the_reference(batches, ended_after, made, plain):
    """Against a model that never looks into the database: repeats, several attempts, late answers, every value."""
    expected: dict = {person.attempt: ([], b"", set()) for person in made.people}
    outer = plain.transaction()
    await outer.start()
    try:
        for n, (who, rows, stamp, seq) in enumerate(batches):
            late = n >= ended_after
            if n == ended_after:
                await plain.execute(
                    "UPDATE attempt SET state = 'ended', end_ms = $1, ended_ms = $1, end_reason = 'time_out',"
                    " contact_ms = NULL",
                    2**54,
                )
            if not late:
                await plain.execute("UPDATE attempt SET end_ms = $1, contact_ms = NULL", 2**54)
            attempt = made.people[who].attempt
            revisions, head, seen = expected[attempt]
            body, added = [], []
            for item, rev, value, at_ms in rows:
                body.append(row(made.items[item], rev, value, at_ms))
                response = Response(made.items[item], Version(EPOCH, rev, 0, value_hash(value)), value, at_ms)
                if (response.item, response.version) not in seen:
                    seen.add((response.item, response.version))
                    added.append(response)
            await write(plain, [Checkpoint(attempt, EPOCH, seq, stamp, body)])
            if added:
                link = 1 + max((one.link for one in revisions), default=0)
                fresh = [chain.Revision(link, one, stamp, seq, late, head) for one in added]
                expected[attempt] = ([*revisions, *fresh], chain.extend(head, attempt, link, fresh), seen)
        for attempt, (revisions, head, _) in expected.items():
            found, stored = await recorded(plain, attempt)
            assert stored == chain.Head(head, max((one.link for one in revisions), default=0), len(revisions))
            assert sorted(map(repr, found)) == sorted(map(repr, revisions))
            assert chain.verify(attempt, found, stored) is None
    finally:
        await outer.rollback()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=values)
@example(value='\u2028\u2029\x7f\x1f\b\f\n\r\t"\\/')
@example(value=["𠮷田", "👩‍🔬", "\U0010ffff", "é", "e\u0301", ""])
@example(value="\\u0041 \\ud83d is text")
async def test_a_stored_value_comes_back_with_the_same_hash(value, plain):
    """JSONB keeps no spelling of its own for strings, lists of them and null: the hash can be looked at again."""
    told = msgspec.json.encode(value)  # as the API writes it down
    assert told == canonical(value)
    back = await plain.fetchval("SELECT $1::text::jsonb", told.decode())
    assert canonical(json.loads(back)) == told
    assert value_hash(json.loads(back)) == value_hash(value)
