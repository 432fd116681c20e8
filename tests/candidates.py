"""A candidate as a test drives one, over HTTP, by the protocol of the browser."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager

import httpx

from app.main import create_app
from app.settings import Settings
from tests.factories import Person

SECRET = "a test secret of at least 32 characters"


def test_settings(**changes) -> Settings:
    return Settings(secret_key=SECRET, **changes)


test_settings.__test__ = False


@asynccontextmanager
async def running(fresh_url: str, redis_url: str, **changes):
    """The whole application in this process; yields (app, client).

    Test, client and server share one event loop: one that is starved for a second must not send a candidate away.
    """
    app = create_app(
        test_settings(**({"clock_lead": 5, "queue_patience": 5} | changes)),
        database_url=fresh_url,
        redis_url=redis_url,
        standby_s=0,
    )
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as client:
            yield app, client


class Candidate:
    def __init__(self, client: httpx.AsyncClient, person: Person) -> None:
        self.client, self.person = client, person
        self.token = self.device_id = self.lease_secret = None
        self.seq = 1
        self.revs: dict[int, int] = {}
        self.service_ms = 0

    async def sign_in(self, *, seat: dict | None = None, fresh: bool = False) -> httpx.Response:
        body = {"ticket": self.person.ticket, "id_tail": self.person.tail, "seat": seat}
        if not fresh and self.device_id:
            body |= {"device_id": self.device_id, "lease_secret": self.lease_secret}
        reply = await self.client.post("/candidate/sign-in", json=body)
        if reply.status_code == 200:
            data = reply.json()
            self.token, self.device_id, self.lease_secret = data["token"], data["device_id"], data["lease_secret"]
            self.seq = data["next_seq"]
            self.epoch = data["epoch"]
            self.service_ms = data["clock"]["service_ms"]
        return reply

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def response(self, item: int, value, at_ms: int | None = None) -> dict:
        self.revs[item] = self.revs.get(item, 0) + 1
        return {"item": item, "rev": self.revs[item], "value": value, "at_ms": at_ms or self.service_ms}

    async def send(self, *responses: dict, path: str = "checkpoints", **more) -> httpx.Response:
        body = {"seq": self.seq, "responses": list(responses), **more}
        # ASCII JSON, as browsers escape a lone surrogate.
        reply = await self.client.post(f"/attempt/{path}", content=json.dumps(body), headers=self.headers)
        if reply.status_code == 200:
            self.seq += 1
            self.service_ms = reply.json()["clock"]["service_ms"]
        return reply

    async def answer(self, item: int, value) -> httpx.Response:
        return await self.send(self.response(item, value))

    async def state(self) -> dict:
        reply = await self.client.get("/attempt", headers=self.headers)
        reply.raise_for_status()
        return reply.json()
