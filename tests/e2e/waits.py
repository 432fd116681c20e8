"""Waiting, the same way everywhere: look again and again, and on giving up say what was seen last."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def until(
    what: str,
    look: Callable[[], Awaitable[T] | T],
    *,
    within: float = 40.0,
    every: float = 0.1,
    good: Callable[[T], bool] = bool,
) -> T:
    """What ``look()`` says once ``good`` of it. AssertionError with the last sight after ``within`` seconds."""
    deadline = time.monotonic() + within
    while True:
        seen = look()
        if inspect.isawaitable(seen):
            seen = await seen
        if good(seen):
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {within:g} s; seen last: {seen!r}")
        await asyncio.sleep(every)
