"""Pictures for the documents, each in Chinese and in English. Only a run that was asked for them takes any."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.e2e.desk import Desk
from tests.e2e.png import smaller
from tests.e2e.sitting import Sitting

PICTURES = Path(__file__).parents[2] / "docs" / "screenshots"
MOST_BYTES = 150_000


async def both(
    who: Sitting | Desk, folder: Path, name: str, before: Callable[[], Awaitable[Any]] | None = None
) -> None:
    """``name.zh.png`` and ``name.en.png`` of the page as it stands; then it is in Chinese again.

    ``before`` opens what a change of language would close; it is opened for each picture, and afterwards.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for language in ("zh", "en"):
        if before is not None:
            await before()
        page = who.page
        await page.evaluate("document.activeElement?.blur()")
        await page.mouse.move(5, 400)
        taken = await asyncio.to_thread(smaller, await page.screenshot(animations="disabled"))
        assert len(taken) <= MOST_BYTES, f"{name}: {len(taken)} bytes"
        await asyncio.to_thread((folder / f"{name}.{language}.png").write_bytes, taken)
        if before is not None:
            await page.keyboard.press("Escape")
        await page.locator(".look-language, .look button:last-child").last.click()
        who.words = await who.pc.words("console" if isinstance(who, Desk) else "candidate")
    if before is not None:
        await before()
