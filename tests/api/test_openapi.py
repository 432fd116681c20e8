"""The OpenAPI document against the application: its routes, its own references, and replies that are really given."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from app.api import openapi
from app.api.schemas import replies
from app.domain.errors import MESSAGES
from app.main import create_app
from tests.candidates import Candidate, running, test_settings
from tests.docs import flat
from tests.factories import open_relog, world

METHODS = {"get", "post", "put", "patch", "delete", "options", "head", "trace"}


@pytest.fixture(scope="module")
def app():
    return create_app(test_settings(), database_url="postgresql:///-", redis_url="redis://-/0")


@pytest.fixture(scope="module")
def document(app) -> dict[str, Any]:
    return app.openapi()


def operations(document) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def inside(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of the document."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from inside(each)
    elif isinstance(value, list):
        for each in value:
            yield from inside(each)


def test_no_number_in_an_address_is_greater_than_the_record_can_hold(document):
    unbounded = [
        (path, parameter["name"])
        for path, _, operation in operations(document)
        for parameter in operation.get("parameters", [])
        for each in inside(parameter["schema"])
        if each.get("type") == "integer" and not each.get("maximum", 2**64) <= 2**63
    ]
    assert unbounded == []


def test_every_route_is_documented_and_nothing_else_is(app, document):
    served = {
        (route.path, method.lower())
        for route in flat(app.routes)
        if route.path != "/openapi.json"
        for method in (route.methods or {"GET"}) - {"HEAD"}
    }
    assert {(path, method) for path, method, _ in operations(document)} == served


def test_the_document_is_well_formed(document):
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"]
    seen = set()
    for path, method, operation in operations(document):
        assert path.startswith("/")
        assert method in METHODS
        assert operation["responses"]
        assert operation["summary"], path
        assert operation["operationId"] not in seen
        seen.add(operation["operationId"])
        for response in operation["responses"].values():
            assert response["description"], (path, response)
        named = set(re.findall(r"{(\w+)}", path))
        assert {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"} == named
        for requirement in operation["security"]:
            assert set(requirement) <= set(document["components"]["securitySchemes"])


def test_every_reference_leads_somewhere(document):
    references = [each["$ref"] for each in inside(document) if "$ref" in each]
    assert references
    for reference in references:
        found = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        assert isinstance(found, dict)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for kind in document["components"].values() for name in kind)


def test_every_refusal_is_one_of_the_table_under_its_own_status(document):
    for path, _, operation in operations(document):
        for status, response in operation["responses"].items():
            if "application/problem+json" in response.get("content", {}):
                codes = re.findall(r"`([a-z-]+)`", response["description"])
                assert codes, path
                assert {str(MESSAGES[code].status) for code in codes} == {status}


def exactly(kind: type, reply) -> None:
    """The reply has every field of ``kind``, of its type, and no other one at any depth."""
    data = reply.json()
    told = msgspec.to_builtins(msgspec.convert(data, kind))
    assert told == data


def refused(reply, code: str, path: str) -> None:
    """A problem of this code, which the document lists for the path."""
    problem = msgspec.convert(reply.json(), replies.Problem)
    assert (problem.code, problem.status) == (code, reply.status_code)
    assert code in openapi.CALLS[f"/api/v1{path}"].codes


async def until_ready(client) -> None:
    for _ in range(100):
        reply = await client.get("http://test/readyz")
        if reply.status_code == 200 and reply.json()["postgres"]:
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"not ready: {reply.text}")


async def test_real_replies_have_the_documented_shapes(fresh_url, redis_url, redis, fresh_db):
    async with running(fresh_url, redis_url) as (app, client):
        await until_ready(client)
        made = await world(fresh_db, app.state.deps.site.secret, candidates=2)
        person = made.people[0]
        old = Candidate(client, person)
        exactly(replies.SignedIn, await old.sign_in())
        refused(await Candidate(client, person).sign_in(), "lease-held", "/candidate/sign-in")
        exactly(replies.ReadyTold, await client.post("/attempt/ready", headers=old.headers))
        exactly(replies.PaperTold, await client.get("/attempt/paper", headers=old.headers))
        refused(await client.get("/attempt/media/00", headers=old.headers), "not-found", "/attempt/media/{sha}")
        sent = await old.send(old.response(made.items[0], "A"), old.response(made.items[1], "not a list"))
        exactly(replies.CheckpointTold, sent)
        exactly(replies.EmptyTold, await client.post("/attempt/empty", json={"seq": 1}, headers=old.headers))
        exactly(replies.AttemptTold, await client.get("/attempt", headers=old.headers))
        exactly(replies.TimeTold, await client.get("/attempt/time", headers=old.headers))
        shown = await client.post("/attempt/event-receipts", json={"notices": [1]}, headers=old.headers)
        exactly(replies.EventReceiptsTold, shown)

        await open_relog(fresh_db, made, person, made.spares[0])
        new = Candidate(client, person)
        await new.sign_in()
        refused(await old.answer(made.items[2], "T"), "superseded", "/attempt/checkpoints")
        exactly(replies.AttemptTold, await client.get("/attempt", headers=new.headers))
        exactly(replies.HandInTold, await new.send(path="hand-in"))
        exactly(replies.HandInTold, await new.send(path="hand-in"))
        refused(await new.answer(made.items[2], "T"), "closed", "/attempt/checkpoints")
        exactly(replies.AttemptTold, await client.get("/attempt", headers=new.headers))
        refused(await client.get("/attempt", headers={"Authorization": "Bearer x"}), "bad-token", "/attempt")

        exactly(replies.ReadyzTold, await client.get("http://test/readyz"))
        exactly(replies.RoleTold, await client.get("http://test/role"))
        assert (await client.get("http://test/openapi.json")).json() == app.openapi()
