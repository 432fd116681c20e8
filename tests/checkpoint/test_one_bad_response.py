"""One bad response in a batch of 200 candidates harms nobody else, whichever way it is bad and however far it gets."""

from __future__ import annotations

import asyncio
import hashlib

import asyncpg
import pytest

from app.domain.checkpoints import Checkpoint, Row
from app.domain.responses import canonical
from app.services.tokens import Claims
from tests.candidates import SECRET, Candidate, running
from tests.checkpoint.test_writer import EPOCH, row, writing
from tests.factories import world

HALL = 200
BAD = 117


@pytest.fixture
async def made(fresh_db):
    made = await world(fresh_db, SECRET.encode(), candidates=HALL, items=5)
    async with fresh_db.begin() as conn:
        await conn.exec_driver_sql(f"UPDATE attempt SET epoch = {EPOCH}, grants = '[[{EPOCH}, 0]]'")
    return made


def forged(item: int, body: str, rev: int = 1) -> Row:
    """A row as no browser's request could make one: past everything that the API would have refused."""
    return Row(item, rev, body, hashlib.sha256(body.encode()).digest(), 1)


# What is bad, from the item and the round, and what the bad one is told.
ROWS = {
    "a NUL": (lambda item, rev: [forged(item, '"a\\u0000b"', rev)], "refused"),
    "half a pair": (lambda item, rev: [forged(item, '"\\ud800"', rev)], "refused"),
    "no JSON": (lambda item, rev: [forged(item, '"open', rev)], "refused"),
    "a number no column holds": (lambda _, rev: [forged(2**80, '"A"', rev)], "refused"),
    "the same item twice": (lambda item, rev: [forged(item, '"A"', rev), forged(item, '"B"', rev + 1)], "durable"),
    "the same revision twice": (lambda item, rev: [forged(item, '"A"', rev), forged(item, '"A"', rev)], "durable"),
}


async def test_of_200_in_one_batch_199_are_durable_and_the_bad_one_is_told(fresh_url, made):
    """Round after round another one is bad, in another way."""
    first, second = made.items[0], made.items[1]
    sizes: list[int] = []
    plain = await asyncpg.connect(fresh_url)
    async with writing(fresh_url, commit_deadline=60, queue_patience=60) as w:
        commit = w.writer._commit

        async def counted(checkpoints):
            sizes.append(len(checkpoints))
            return await commit(checkpoints)

        w.writer._commit = counted
        for turn, (kind, (bad, told)) in enumerate(ROWS.items(), 1):
            rev, who = 10 * turn, BAD - turn
            sizes.clear()
            outcomes = await asyncio.gather(
                *[
                    w.writer.submit(
                        Checkpoint(
                            person.attempt, EPOCH, turn, turn,
                            [*(bad(first, rev) if n == who else [row(first, rev)]), row(second, rev)],
                        )
                    )
                    for n, person in enumerate(made.people)
                ],
                return_exceptions=True,
            )  # fmt: skip
            assert sizes[0] == HALL, kind
            assert [one for one in outcomes if isinstance(one, BaseException)] == [], kind
            assert {one.durability for one in outcomes} == {"durable"}, kind
            assert [n for n, one in enumerate(outcomes) if one.refused] == ([who] if told == "refused" else []), kind
            kept = {
                (one["attempt_id"], one["item_id"])
                for one in await plain.fetch("SELECT attempt_id, item_id FROM response WHERE rev >= $1", rev)
            }
            wanted = {(person.attempt, item) for person in made.people for item in (first, second)}
            assert wanted - kept == ({(made.people[who].attempt, first)} if told == "refused" else set()), kind
    await plain.close()


async def insist(one: Candidate, *responses: dict):
    """Send as a browser does: a 503 on a busy machine is sent again."""
    for _ in range(300):
        reply = await one.send(*responses)
        if reply.status_code != 503:
            return reply
        await asyncio.sleep(0.2)
    return reply


async def test_of_200_over_http_each_response_gets_its_own_answer(fresh_url, redis_url, redis, made):
    """The three bad ones beside a good one, in one request among 200 at once."""
    async with running(fresh_url, redis_url, commit_deadline=60, queue_patience=60) as (app, client):
        for _ in range(1200):
            if (await client.get("http://test/readyz")).json()["ready"]:
                break
            await asyncio.sleep(0.05)
        deps = app.state.deps
        people = [Candidate(client, person) for person in made.people]
        for one in people:
            claims = Claims(deps.service_time.lineage_n, one.person.attempt, EPOCH, "device", one.person.seat_id)
            one.token = deps.tokens.sign(claims)
        choice, blank, essay = made.items[0], made.items[3], made.items[4]
        sends = [insist(one, one.response(choice, "A")) for one in people]
        bad = people[BAD]
        sends[BAD].close()
        sends[BAD] = insist(
            bad,
            bad.response(choice, "A"),
            bad.response(choice, "B"),
            bad.response(blank, ["a\x00b"]),
            bad.response(essay, "\ud800"),
        )
        replies = await asyncio.gather(*sends)
        assert [reply.status_code for reply in replies] == [200] * HALL
        for n, reply in enumerate(replies):
            items = [(one["status"], one.get("code")) for one in reply.json()["items"]]
            good = ("durable", None)
            refused = ("refused", "bad-characters")
            assert items == ([good] if n != BAD else [good, good, refused, refused])
    plain = await asyncpg.connect(fresh_url)
    values = await plain.fetch("SELECT attempt_id, item_id, value FROM response")
    await plain.close()
    assert {(one["attempt_id"], one["item_id"]): one["value"] for one in values} == {
        (one.person.attempt, choice): canonical("B" if one is bad else "A").decode() for one in people
    }
