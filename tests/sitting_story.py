"""A short sitting with a move in it, on real stores: what an audit has to tell afterwards."""

from __future__ import annotations

import asyncio

import pytest

from tests.candidates import Candidate, running
from tests.factories import World, open_relog


async def ready(client) -> None:
    for _ in range(600):
        reply = await client.get("http://test/readyz")
        if reply.status_code == 200 and reply.json()["postgres"]:
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"not ready: {reply.text}")


async def a_move_and_two_hand_ins(made: World, engine, postgres_url: str, redis_url: str) -> None:
    """Two candidates answer and hand in; the first moves to a spare seat and leaves something behind on the old PC.

    Their chains: link 1 holds items 1, 2 and 4; the first one's link 2 item 1, link 3 item 5, link 4 item 2, cleared.
    """
    single, multiple, _, blank, essay = made.items[:5]
    async with running(postgres_url, redis_url) as (_, client):
        await ready(client)
        one, two = (Candidate(client, person) for person in made.people)
        for who in (one, two):
            assert (await who.sign_in()).status_code == 200
            first = [who.response(single, "A"), who.response(multiple, ["C", "A"]), who.response(blank, ["7"])]
            assert (await who.send(*first)).json()["durability"] == "durable"
        await one.answer(single, "B")
        await one.answer(essay, "𠮷野家 👩‍🔬 e\u0301")
        await open_relog(engine, made, made.people[0], made.spares[0])
        new = Candidate(client, made.people[0])
        assert (await new.sign_in(fresh=True)).status_code == 200
        new.revs = dict(one.revs)
        assert (await new.answer(multiple, None)).status_code == 200
        left = await one.answer(single, "C")
        assert left.json()["code"] == "superseded"
        for who in (new, two):
            handed_in = await who.send(path="hand-in")
            assert handed_in.json()["receipt"] is not None, handed_in.text
