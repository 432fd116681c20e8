"""One running service for a module's tests of the door and the room, and exams of their own for each test."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import httpx
import pytest_asyncio
import redis.asyncio as redis_async
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.site import Site
from app.settings import Settings
from app.storage.postgres.engine import create_engine
from tests.candidates import SECRET, running
from tests.factories import World, world
from tests.staff import Staff, signed_in


@dataclass
class Hall:
    client: httpx.AsyncClient
    engine: AsyncEngine
    site: Site

    async def at(self, start_in_ms: int, **more: Any) -> tuple[World, Staff, Staff]:
        """An exam of three that starts in so many ms, with an invigilator and a chief of its room."""
        made = await world(
            self.engine,
            SECRET.encode(),
            start_ms=self.site.service_time.now_ms() + start_in_ms,
            **{"code": f"e{secrets.token_hex(3)}", "candidates": 3, "items": 5, **more},
        )
        one, two = [
            await signed_in(self.client, self.engine, role, room_ids=[made.room_id])
            for role in ("invigilator", "chief")
        ]
        return made, one, two

    async def sql(self, statement: str, **values: Any):
        async with self.engine.begin() as conn:
            found = await conn.execute(text(statement), values)
            return found.scalar_one_or_none() if found.returns_rows else None


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hall(databases, redis_url):
    made, template = databases
    name = await made.create(template)
    redis = redis_async.Redis.from_url(redis_url)
    await redis.flushdb()
    engine = create_engine(made.url(name), Settings(), name="holdfast-test")
    async with running(made.url(name), redis_url) as (app, client):
        yield Hall(client, engine, app.state.deps.site)
    await engine.dispose()
    await redis.flushdb()
    await redis.aclose()
    await made.drop(name)


async def audit(hall: Hall, made: World, action: str) -> list[dict[str, Any]]:
    """The subjects of the entries about this exam's session or room, oldest first."""
    async with hall.engine.connect() as conn:
        rows = await conn.execute(text("SELECT subject FROM audit_entry WHERE action = :a ORDER BY n"), {"a": action})
        return [
            row.subject
            for row in rows
            if row.subject.get("session_id") == made.session_id or row.subject.get("room_id") == made.room_id
        ]


def body(made: World, n: int = 0, **more: Any) -> dict[str, Any]:
    """A request about the n-th candidate."""
    return {"session_id": made.session_id, "ticket": made.people[n].ticket, **more}


def occupant(picture: dict[str, Any], ticket: str) -> dict[str, Any]:
    return next(s["occupant"] for s in picture["seats"] if s["occupant"] and s["occupant"]["ticket"] == ticket)
