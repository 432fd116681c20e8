"""A real server, real browsers, and what is kept of both when a test fails.

The tests of one process share a server and a browser: each makes an exam of its own in the one and PCs of its own in
the other. Only a test that takes a store away or needs other settings has a server of its own, stopped with the test.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Playwright, async_playwright, expect
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.e2e.exam import make_exam
from tests.e2e.hall import Hall, hall_of
from tests.e2e.pc import ARGUMENTS, CHROMIUM, Pc
from tests.e2e.pictures import PICTURES
from tests.e2e.server import Server

ARTIFACTS = Path(__file__).parent / "artifacts"
# Longer than a page's heartbeat, shorter than a test: a seat is seen to fall silent.
SILENT_AFTER = "12"
# A page has as long as a candidate would wait before raising a hand; how fast it is belongs to no test.
expect.set_options(timeout=40_000)
_failed = pytest.StashKey[bool]()

Switchboard = Callable[..., Pc]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", action="store_true", help="take the pictures of docs/plans.md again")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ours = [item for item in items if item.path.is_relative_to(ARTIFACTS.parent)]
    for item in ours:
        # A browser belongs to the loop it was started in.
        item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
    # What takes longest begins first: at the end nobody waits for one long test.
    ours.sort(key=lambda item: not (item.path.stem.startswith("test_story") or "strict_server" in item.fixturenames))
    mine = set(ours)
    items[:] = [*ours, *(item for item in items if item not in mine)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when in ("setup", "call") and report.failed:
        item.stash[_failed] = True
    return report


@pytest.fixture(scope="session", autouse=True)
def chromium() -> str:
    if not Path(CHROMIUM).is_file():
        pytest.fail(f"The browser tests need Chromium: {CHROMIUM} is not there. `make e2e` says how to install it.")
    return CHROMIUM


@contextmanager
def a_server(**settings: str) -> Iterator[Server]:
    """A server under a short path (a socket's may have 107 bytes), still off; stopped and removed at the end."""
    server = Server(Path(tempfile.mkdtemp(prefix="holdfast-e2e-")), **{"silent_after": SILENT_AFTER, **settings})
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.place)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The server that tests share: none of them stops it. Seats that come back together need not be waited for."""
    with a_server(loss_settle="2") as server:
        server.start()
        yield server


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server for one test alone, which may do with it what it likes; still off."""
    with a_server(workers="2") as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def engine_of() -> AsyncIterator[Callable[[Server], AsyncEngine]]:
    """``engine_of(server)`` is a way to that server's record, let go whatever becomes of the test."""
    made: list[AsyncEngine] = []

    def make(server: Server) -> AsyncEngine:
        made.append(server.engine())
        return made[-1]

    yield make
    for engine in made:
        await engine.dispose()


@pytest.fixture
def record(server: Server, engine_of: Callable[[Server], AsyncEngine]) -> AsyncEngine:
    """The shared server's record, for making an exam in it and for looking afterwards."""
    return engine_of(server)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as playwright:
        yield playwright


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(playwright: Playwright, chromium: str) -> AsyncIterator[Browser]:
    """The Chromium that all PCs without a disk of their own share, as profiles that know nothing of each other."""
    browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS, timeout=60_000)
    yield browser
    await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def pcs(
    request: pytest.FixtureRequest, playwright: Playwright, browser: Browser, tmp_path: Path
) -> AsyncIterator[Switchboard]:
    """``pcs(server, name, …)`` is a PC of that server's hall, still off. No page may have broken in the end."""
    made: list[tuple[Server, Pc]] = []

    def make(server: Server, name: str, **more: Any) -> Pc:
        pc = Pc(playwright, browser, name, tmp_path / name, server.url, **more)
        made.append((server, pc))
        return pc

    yield make
    broken = [f"{pc.name}: {error}" for _, pc in made for error in pc.broken]
    if broken or request.node.stash.get(_failed, False):
        await _keep(request.node.name, made)
    for _, pc in made:
        await pc.switch_off()
    assert not broken, "\n".join(broken)


@pytest_asyncio.fixture(loop_scope="session")
async def make_hall(
    request: pytest.FixtureRequest, server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> AsyncIterator[Callable[..., Awaitable[Hall]]]:
    """``await make_hall(code, …)`` is an exam of that code with its staff and PCs; the rest is for ``make_exam``."""
    folder = PICTURES if request.config.getoption("--pictures", default=False) else None
    async with AsyncExitStack() as stack:

        async def make(code: str, **more: Any) -> Hall:
            exam = await make_exam(server, record, tmp_path, code, **more)
            return await stack.enter_async_context(hall_of(server, record, exam, pcs, folder))

        yield make


async def _keep(test: str, made: list[tuple[Server, Pc]]) -> None:
    folder = ARTIFACTS / test.partition("[")[0]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for _, pc in made:
        await pc.keep(folder)
    for server in {server for server, _ in made}:
        logs = [server.log, *(server.data_dir / "logs").glob("*.log")]
        for log in logs:
            if log.exists():
                shutil.copyfile(log, folder / f"server-{log.name}")
