"""Ending background tasks."""

from __future__ import annotations

import asyncio

ASK_AGAIN_S = 0.2


async def end(task: asyncio.Task[None] | None) -> None:
    """Cancel ``task`` and wait until it has ended; a fault it ended with is raised.

    Asked again and again, because a library may swallow one cancellation that meets its own clean-up (a Redis
    pipeline that is being read does), and a shutdown must not wait for it forever.
    """
    if task is None:
        return
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=ASK_AGAIN_S)
    if not task.cancelled():
        fault = task.exception()
        if fault is not None:
            raise fault
