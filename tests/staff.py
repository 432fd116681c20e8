"""A member of staff as a test drives one, over HTTP."""

from __future__ import annotations

import secrets

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import staff_accounts

PASSWORD = "测试用密码-correct-1"


def name_of(username: str) -> str:
    """Everybody has a name of their own: two accounts of one name are one person to a decision that takes two."""
    return f"{username}老师"


class Staff:
    def __init__(self, client: httpx.AsyncClient, username: str, password: str = PASSWORD) -> None:
        self.client, self.username, self.password = client, username, password
        self.token: str | None = None

    async def sign_in(self, **headers: str) -> httpx.Response:
        body = {"username": self.username, "password": self.password}
        reply = await self.client.post("/staff/sign-in", json=body, headers=headers)
        if reply.status_code == 200:
            self.token = reply.json()["token"]
        return reply

    @property
    def name(self) -> str:
        return name_of(self.username)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def get(self, path: str, **params) -> httpx.Response:
        return await self.client.get(f"/staff{path}", params=params, headers=self.headers)

    async def post(self, path: str, body: dict | None = None, *, key: str | None = None) -> httpx.Response:
        """A change of time is looked at first, as by a person, unless the body says what of it was ``seen``."""
        if path == "/time/actions" and body is not None and "seen" not in body:
            body = {**body, "seen": await self.seen(body)}
        headers = {**self.headers, "Idempotency-Key": key or secrets.token_hex(8)}
        return await self.client.post(f"/staff{path}", json=body or {}, headers=headers)

    async def seen(self, action: dict) -> str | None:
        """What the preview of a change of time is known by; None where it is refused already."""
        reply = await self.client.post("/staff/time/preview", json=action, headers=self.headers)
        return reply.json().get("seen")

    async def relog(self, attempt, *, key: str | None = None, **body) -> httpx.Response:
        return await self.post(f"/attempts/{attempt}/relog", {"reason": "pc_failed", **body}, key=key)

    async def room(self, room_id: int, session_id: int) -> dict:
        reply = await self.get(f"/rooms/{room_id}", session=session_id)
        assert reply.status_code == 200, reply.text
        return reply.json()


async def account(engine: AsyncEngine, role: str, *, room_ids=(), username: str | None = None, **more) -> str:
    """A new account with the password of all tests; its username."""
    username = username or f"{role}-{secrets.token_hex(3)}"
    async with engine.begin() as conn:
        await staff_accounts.create(
            conn, username=username, name=name_of(username), role=role, password=PASSWORD, room_ids=room_ids, **more
        )
    return username


async def signed_in(client: httpx.AsyncClient, engine: AsyncEngine, role: str, *, room_ids=()) -> Staff:
    member = Staff(client, await account(engine, role, room_ids=room_ids))
    reply = await member.sign_in()
    assert reply.status_code == 200, reply.text
    return member
