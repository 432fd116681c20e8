"""The HTTP server of one process: how many it serves."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from app.server import Protocol


async def hello(_request) -> PlainTextResponse:
    return PlainTextResponse("hello")


@asynccontextmanager
async def serving(most: int):
    """The URL of a server for ``most`` connections."""
    config = uvicorn.Config(
        Starlette(routes=[Route("/", hello)]), http=Protocol, limit_concurrency=most, lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


def browser(url: str) -> httpx.AsyncClient:
    """One connection, kept open."""
    return httpx.AsyncClient(base_url=url, limits=httpx.Limits(max_connections=1), timeout=60, trust_env=False)


async def test_who_comes_when_it_is_full_is_told_when_to_come_again_and_who_is_there_stays():
    async with serving(2) as url, browser(url) as one, browser(url) as two, browser(url) as late:
        assert [(await who.get("/")).text for who in (one, two)] == ["hello", "hello"]
        refused = await late.get("/")
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        assert 2 <= int(refused.headers["retry-after"]) <= 6
        assert refused.headers["connection"] == "close"
        assert [(await who.get("/")).status_code for who in (one, two, one)] == [200, 200, 200]
        await two.aclose()
        for _ in range(1200):
            if (reply := await late.get("/")).status_code == 200:
                break
            await asyncio.sleep(0.05)
        assert reply.text == "hello"
