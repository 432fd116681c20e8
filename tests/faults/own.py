"""Stores of a test's own, to be filled, frozen, killed and brought back, and waits that say what they saw last."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis
from app.settings import Settings
from app.storage.postgres.engine import create_engine, migrate
from app.worker.loops import Drain
from tests.candidates import SECRET, Candidate, running
from tests.factories import world

# A machine four times slower than a slow one.
PATIENCE_S = 90.0


@contextmanager
def place() -> Iterator[Path]:
    """A short directory: a socket's path may have 107 bytes."""
    made = Path(tempfile.mkdtemp(prefix="hf-own-"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        shutil.rmtree(made)


@contextmanager
def own_postgres(at: Path, **settings: str) -> Iterator[EmbeddedPostgres]:
    """A migrated PostgreSQL under ``at``; stopped at the end, frozen or not."""
    with EmbeddedPostgres(at, settings=settings) as store:
        with ThreadPoolExecutor(1) as apart:  # a thread has no event loop, and the migrations bring their own
            apart.submit(migrate, store.url).result()
        yield store


@contextmanager
def own_redis(at: Path) -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis(at) as store:
        yield store


def family(pid: int) -> list[psutil.Process]:
    head = psutil.Process(pid)
    return [head, *head.children(recursive=True)]


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """SIGSTOP to a process and all its children, as a disk that hangs looks from outside."""
    stopped: list[psutil.Process] = []
    try:
        # The head first: it would start new children.
        for one in family(pid):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGSTOP)
                stopped.append(one)
        yield
    finally:
        for one in stopped:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGCONT)


def kill(pid: int) -> None:
    """SIGKILL to a process and all its children; they are gone when this returns."""
    victims = family(pid)
    for one in victims:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    _, alive = psutil.wait_procs(victims, PATIENCE_S)
    assert not alive, alive


async def until(look: Callable[[], Awaitable[Any]], good: Callable[[Any], bool], what: str) -> Any:
    """The first thing ``look`` sees that is ``good``; fails with the last one."""
    end = time.monotonic() + PATIENCE_S
    while True:
        seen = await look()
        if good(seen):
            return seen
        assert time.monotonic() < end, f"never {what}; last seen: {seen}"
        await asyncio.sleep(0.05)


async def readyz(client: httpx.AsyncClient) -> dict[str, Any]:
    reply = await client.get("http://test/readyz")
    return {"status": reply.status_code, **reply.json()}


async def until_ready(client: httpx.AsyncClient, **wanted: object) -> dict[str, Any]:
    """Until /readyz says all of ``wanted``."""
    seen: dict[str, Any] = await until(
        lambda: readyz(client), lambda seen: all(seen.get(name) == value for name, value in wanted.items()), str(wanted)
    )
    return seen


@asynccontextmanager
async def draining(app: Any):
    """The worker's drain beside the application."""
    drain = Drain(app.state.deps.site)
    try:
        yield drain
    finally:
        await drain.close()


async def drained(app: Any) -> None:
    """Run the worker's drain until nothing of the buffer waits."""
    site = app.state.deps.site
    async with draining(app) as drain:

        async def left() -> int:
            await drain.run()
            return await site.backlog.count(site.keys)

        await until(left, lambda n: n == 0, "an empty backlog")


@asynccontextmanager
async def hall(url: str, redis_url: str, *, candidates: int = 3, **changes):
    """(app, client, engine, made): an exam of its own on the server at ``url``, and the application."""
    engine = create_engine(url, Settings(), name="holdfast-test")
    try:
        code = f"exam{secrets.token_hex(3)}"
        made = await world(engine, SECRET.encode(), candidates=candidates, code=code, last_admission_ms=10**9)
        async with running(url, redis_url, **changes) as (app, client):
            await until_ready(client, postgres=True, redis=True)
            yield app, client, engine, made
    finally:
        await engine.dispose()


async def seat(client: httpx.AsyncClient, person) -> Candidate:
    one = Candidate(client, person)
    reply = await one.sign_in()
    assert reply.status_code == 200, reply.text
    return one


async def answered(one: Candidate, item: int, value) -> str:
    """One answer, sent again and again as a browser does; how it was acknowledged."""
    response = one.response(item, value)

    async def send() -> httpx.Response:
        return await one.send(response)

    reply = await until(send, lambda reply: reply.status_code == 200, "an acknowledgement")
    return reply.json()["durability"]


async def until_answered(one: Candidate, item: int, value, durability: str) -> None:
    """Answer until it is acknowledged as ``durability``; the last value stands."""

    async def again() -> str:
        return await answered(one, item, value)

    await until(again, lambda seen: seen == durability, f"an answer that is {durability}")


async def refused(reply: httpx.Response) -> str:
    """A refusal that says in how long to come again, in words; its code."""
    body = reply.json()
    assert (reply.status_code, body["status"]) == (503, 503), reply.text
    assert 1 <= int(reply.headers["retry-after"]) <= 6
    assert body["retry_after"] == int(reply.headers["retry-after"])
    assert str(body["retry_after"]) in body["detail_zh"]
    assert str(body["retry_after"]) in body["detail_en"]
    return body["code"]


async def says_what_cannot_work(one: Candidate, stranger: Candidate) -> None:
    """While PostgreSQL is away: a reload, the paper and a sign-in say in how long to come again."""
    client, headers = one.client, one.headers
    assert await refused(await client.get("/attempt", headers=headers)) == "record-away"
    assert await refused(await client.get("/attempt/paper", headers=headers)) == "record-away"
    assert await refused(await stranger.sign_in()) == "record-away"


async def caught_up(app, one: Candidate, values: dict[int, object]) -> None:
    """Everything is in the record, and nothing waits."""
    await drained(app)
    state = await one.state()
    assert {int(item): kept["value"] for item, kept in state["responses"].items()} == values
    assert {kept["status"] for kept in state["responses"].values()} == {"durable"}
