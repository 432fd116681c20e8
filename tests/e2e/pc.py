"""One exam PC: a browser of its own, which knows nothing of any other's.

Most are a fresh profile in a Chromium that a whole run shares, because starting one takes longer than many a test.
One with a ``disk`` is a process of its own on a profile of its own: it can be killed like a PC that loses its power,
and opened again on what is left on its disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Request, Response
from playwright.async_api import Error as PlaywrightError

CHROMIUM = os.environ.get("HOLDFAST_CHROMIUM") or "/usr/bin/chromium"
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
# The screens of the reference hall.
SCREEN = {"width": 1366, "height": 768}
TABLET = {"width": 1280, "height": 800}
# What the page has shown, with the page's own monotonic clock: a banner that came and went is found afterwards.
WITNESS = """
(() => {
  const seen = (window.__seen = []);
  let last = '';
  const text = (selector) => document.querySelector(selector)?.innerText.trim() ?? null;
  const look = () => {
    const now = {
      title: text('h1'),
      connection: document.querySelector('[data-connection]')?.dataset.connection ?? null,
      banner: text('.connection-line'),
      message: text('.message'),
      save: document.querySelector('[data-save]')?.dataset.save ?? null,
      digits: text('.exam-timer-digits'),
    };
    const key = JSON.stringify(now);
    if (key === last) return;
    last = key;
    seen.push({ at: performance.now(), ...now });
  };
  const all = { subtree: true, childList: true, attributes: true, characterData: true };
  new MutationObserver(look).observe(document, all);
})();
"""


@dataclass(slots=True)
class Sight:
    """What a page showed from ``at_s`` on, seconds of its own monotonic clock; ``left_s`` is the timer in seconds."""

    at_s: float
    title: str | None
    connection: str | None
    banner: str | None
    message: str | None
    save: str | None
    left_s: int | None


@dataclass(slots=True)
class Heard:
    """A reply that reached the page. ``path`` is without the query."""

    method: str
    path: str
    status: int


def seconds(digits: str) -> int:
    """``1:29:59`` or ``29:59`` as seconds."""
    total = 0
    for part in digits.split(":"):
        total = total * 60 + int(part)
    return total


@dataclass  # playwright keeps a note on the object whose methods listen: no slots
class Pc:
    """``name`` is for artifacts; ``place`` keeps the profile of a PC with a ``disk``, the only one that can be killed.

    ``touch``: a tablet, by finger.
    """

    playwright: Playwright
    browser: Browser
    name: str
    place: Path
    base_url: str
    disk: bool = False
    touch: bool = False
    locale: str = "zh-CN"
    heard: list[Heard] = field(default_factory=list)
    # Uncaught errors of the page's own script.
    broken: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    _context: BrowserContext | None = None
    _page: Page | None = None
    _pid: int | None = None

    @property
    def profile(self) -> Path:
        return self.place / "profile"

    @property
    def page(self) -> Page:
        assert self._page is not None, f"{self.name} is switched off"
        return self._page

    @property
    def is_on(self) -> bool:
        return self._page is not None

    async def switch_on(self, path: str = "/") -> Page:
        """Start the browser on whatever the disk holds, at ``path`` of the server."""
        assert self._context is None, f"{self.name} is on already"
        look: dict[str, Any] = {
            "viewport": TABLET if self.touch else SCREEN, "has_touch": self.touch, "locale": self.locale,
            "timezone_id": "Asia/Shanghai", "base_url": self.base_url,
        }  # fmt: skip
        if self.disk:
            context = await self.playwright.chromium.launch_persistent_context(
                self.profile, executable_path=CHROMIUM, args=ARGUMENTS, timeout=60_000, **look
            )
            self._pid = self._find_browser()
        else:
            context = await self.browser.new_context(**look)
        context.set_default_timeout(30_000)
        await context.add_init_script(WITNESS)
        self._context = context
        self._page = page = context.pages[0] if context.pages else await context.new_page()
        page.on("pageerror", lambda error: self.broken.append(f"{error.message}\n{error.stack}"))
        page.on("console", self._on_console)
        page.on("response", self._on_response)
        page.on("requestfailed", self._on_failure)
        await page.goto(path)
        return page

    def _on_console(self, message: ConsoleMessage) -> None:
        self.console.append(f"{time.strftime('%H:%M:%S')} {message.type}: {message.text}")

    def _on_response(self, response: Response) -> None:
        self.heard.append(Heard(response.request.method, _path(response.url), response.status))

    def _on_failure(self, request: Request) -> None:
        self.console.append(f"{time.strftime('%H:%M:%S')} failed: {request.method} {request.url} {request.failure}")

    def _find_browser(self) -> int:
        """The pid of our browser's main process; its helpers carry ``--type``."""
        mine = f"--user-data-dir={self.profile}"
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                line = process.cmdline()
                if mine in line and not any(part.startswith("--type=") for part in line):
                    return process.pid
        raise AssertionError(f"no browser runs on {self.profile}")

    async def kill(self) -> None:
        """The PC loses its power: SIGKILL for the browser and all its helpers, whatever they were doing."""
        assert self._context is not None
        assert self._pid is not None, f"{self.name} has no disk: it shares its browser with others"
        closed = asyncio.get_running_loop().create_future()
        self._context.on("close", lambda _: closed.done() or closed.set_result(None))
        head = psutil.Process(self._pid)
        family = [head, *head.children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        _, alive = await asyncio.to_thread(psutil.wait_procs, family, 10)
        assert not alive, f"still running: {alive}"
        await asyncio.wait_for(closed, 40)
        self._context = self._page = self._pid = None

    async def switch_off(self) -> None:
        """Close the browser in an orderly way."""
        if self._context is not None:
            context, self._context, self._page, self._pid = self._context, None, None, None
            await context.close()

    async def unplug(self) -> None:
        """Pull this PC's network cable."""
        assert self._context is not None
        await self._context.set_offline(True)

    async def plug_in(self) -> None:
        assert self._context is not None
        await self._context.set_offline(False)

    async def sights(self) -> list[Sight]:
        """Everything the page has shown since it was loaded, in order."""
        return [
            Sight(
                one["at"] / 1000, one["title"], one["connection"], one["banner"], one["message"], one["save"],
                None if one["digits"] is None else seconds(one["digits"]),
            )
            for one in await self.page.evaluate("window.__seen")
        ]  # fmt: skip

    async def words(self, area: str = "candidate") -> dict[str, str]:
        """The page's own texts in the language it is in."""
        language = await self.page.evaluate("document.documentElement.lang")
        address = f"/web/locales/{area}.{language}.js"
        return dict(await self.page.evaluate("(from) => import(from).then((words) => words.default)", address))

    def server_faults(self) -> list[Heard]:
        return [one for one in self.heard if one.status >= 500]

    async def keep(self, folder: Path) -> None:
        """What a person would want to see of this PC after a failure."""
        (folder / f"{self.name}.console.txt").write_text("\n".join([*self.broken, *self.console]), encoding="utf-8")
        replies = "\n".join(f"{one.status} {one.method} {one.path}" for one in self.heard)
        (folder / f"{self.name}.replies.txt").write_text(replies, encoding="utf-8")
        if self.is_on:
            with contextlib.suppress(PlaywrightError):
                await self.page.screenshot(path=folder / f"{self.name}.png")
                told = json.dumps(await self.page.evaluate("window.__seen"), ensure_ascii=False, indent=1)
                (folder / f"{self.name}.sights.json").write_text(told, encoding="utf-8")


def _path(url: str) -> str:
    return "/" + url.partition("://")[2].partition("/")[2].partition("?")[0]
