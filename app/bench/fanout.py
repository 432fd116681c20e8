"""The barest push this machine can do: uvicorn, an ASGI function that holds streams open, and a trigger.

Each process of it fires when it reads from its pipe (``fanout.py LISTENER TRIGGER``, file descriptors): what it read
goes to every open stream as it is.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from typing import Any

import uvicorn

OPENED = b"event: snapshot\ndata: {}\n\n"
# A frame comes through the pipe in one piece: POSIX writes up to this many bytes at once.
MOST_BYTES = 4096
HEADERS = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]


class Fanout:
    """The ASGI application; ``fire`` is the trigger."""

    def __init__(self) -> None:
        self._streams: set[asyncio.Queue[bytes]] = set()

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._streams.add(queue)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            await send({"type": "http.response.body", "body": OPENED, "more_body": True})
            while True:
                await send({"type": "http.response.body", "body": await queue.get(), "more_body": True})
        finally:
            self._streams.discard(queue)

    def fire(self, frame: bytes) -> None:
        for queue in self._streams:
            queue.put_nowait(frame)


async def serve(listener: socket.socket, trigger: int) -> None:
    app = Fanout()
    config = uvicorn.Config(app, http="httptools", log_config=None, access_log=False, lifespan="off", ws="none")
    asyncio.get_running_loop().add_reader(trigger, lambda: app.fire(os.read(trigger, MOST_BYTES)))
    await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    import uvloop

    uvloop.run(serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])))
