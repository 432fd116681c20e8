"""A real server, real browsers, and what is kept of both when a test fails.

All tests but the power cut share one server; each makes an exam of its own in it. Everything that is started here is
stopped here, by pid.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Playwright, async_playwright, expect
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.e2e.pc import CHROMIUM, Pc
from tests.e2e.server import Server

ARTIFACTS = Path(__file__).parent / "artifacts"
# Longer than a page's heartbeat, shorter than a test: a seat is seen to fall silent.
SILENT_AFTER = "12"
# A page has as long as a candidate would wait before raising a hand; how fast it is belongs to no test.
expect.set_options(timeout=20_000)
_failed = pytest.StashKey[bool]()

Switchboard = Callable[..., Pc]


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


@pytest.fixture(scope="session")
def make_server() -> Iterator[Callable[[], Server]]:
    """Servers under short paths (a socket's may have 107 bytes), stopped and removed at the end of the run."""
    made: list[Server] = []

    def make() -> Server:
        server = Server(Path(tempfile.mkdtemp(prefix="holdfast-e2e-")), silent_after=SILENT_AFTER)
        made.append(server)
        return server

    yield make
    for server in made:
        server.stop()
        shutil.rmtree(server.place)


@pytest.fixture(scope="session")
def server(make_server: Callable[[], Server]) -> Server:
    """The server that tests share: none of them stops it."""
    server = make_server()
    server.start()
    return server


@pytest.fixture
async def record(server: Server) -> AsyncIterator[AsyncEngine]:
    """The shared server's record, for making an exam in it and for looking afterwards."""
    engine = server.engine()
    yield engine
    await engine.dispose()


@pytest.fixture
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as playwright:
        yield playwright


@pytest.fixture
async def pcs(request: pytest.FixtureRequest, playwright: Playwright, tmp_path: Path) -> AsyncIterator[Switchboard]:
    """``pcs(server, name, …)`` is a PC of that server's hall, still off. No page may have broken in the end."""
    made: list[tuple[Server, Pc]] = []

    def make(server: Server, name: str, **more: str) -> Pc:
        pc = Pc(playwright, name, tmp_path / name, server.url, **more)
        made.append((server, pc))
        return pc

    yield make
    broken = [f"{pc.name}: {error}" for _, pc in made for error in pc.broken]
    if broken or request.node.stash.get(_failed, False):
        await _keep(request.node.name, made)
    for _, pc in made:
        await pc.switch_off()
    assert not broken, "\n".join(broken)


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
