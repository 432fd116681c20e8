"""PostgreSQL stands still in the middle of an exam, then the server is replaced: what two candidates see of it.

Nothing but the word for where their answers are: 已缓存 while only the buffer has them, and 已保存 by itself as soon as
the record has them too. No banner, no question, in either language.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from playwright.async_api import expect
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.e2e import record as in_record
from tests.e2e.conftest import Switchboard
from tests.e2e.desk import Desk
from tests.e2e.exam import make_exam
from tests.e2e.eyes import in_view
from tests.e2e.pc import Heard
from tests.e2e.server import Server
from tests.e2e.sitting import Sitting
from tests.e2e.waits import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


def processes(server: Server, word: str) -> list[psutil.Process]:
    """The server's processes with that word on their command line, parents first."""
    found = []
    for one in psutil.Process(server.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if one.name() == word or word in one.cmdline():
                found.append(one)
    return found


def events(sitting: Sitting) -> list[Heard]:
    """The event streams that were opened by the page."""
    return [one for one in sitting.pc.heard if one.path.endswith("/attempt/events") and one.status == 200]


@contextmanager
def frozen(server: Server, name: str) -> Iterator[None]:
    """All of them stopped as by a disk that does not answer."""
    stopped = processes(server, name)
    assert stopped, f"no {name}"
    for one in stopped:
        one.suspend()
    try:
        yield
    finally:
        for one in stopped:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.resume()


async def test_buffered_is_shown_as_such_and_becomes_saved_by_itself(
    own_server: Server, engine_of: Callable[[Server], AsyncEngine], pcs: Switchboard, tmp_path: Path
) -> None:
    server = own_server
    await asyncio.to_thread(server.start)
    engine = engine_of(server)
    exam = await make_exam(server, engine, tmp_path, "BUFFER", candidates=2)
    lin, ou = Sitting(pcs(server, "lin"), exam.people[0]), Sitting(pcs(server, "ou"), exam.people[1])
    await asyncio.gather(lin.enter(), ou.enter())
    await ou.button("look.languageLabel").click()
    await until("the page is in English", ou.pc.words, good=lambda words: words["save.saved"] == "Saved")
    ou.words = await ou.pc.words()
    for sitting in (lin, ou):
        await sitting.give(sitting.person.first("single"), "A")
        await sitting.saved()
    words = {lin: ("已缓存", "已保存"), ou: ("Buffered", "Saved")}
    desk = Desk(pcs(server, "desk"), exam.invigilator)
    await desk.enter()

    with frozen(server, "postgres"):
        for sitting in (lin, ou):
            await sitting.give(sitting.person.first("true_false"), "F")
            state = sitting.page.locator("[data-save]")
            await expect(state).to_have_attribute("data-save", "buffered", timeout=60_000)
            await expect(state).to_contain_text(words[sitting][0])
            await expect(sitting.page.locator(".connection-line")).to_have_count(0)
        # The room cannot be drawn, and nobody is told that the clock stands: it does not.
        line = desk.page.locator(".stores-line")
        await expect(line).to_have_attribute("data-away", "postgres", timeout=60_000)
        await expect(desk.page.locator(".page-link")).to_contain_text(desk.words["link.stale"], timeout=60_000)
        await in_view(line)
    await expect(desk.page.locator(".page-link, .stores-line")).to_have_count(0, timeout=60_000)
    for sitting in (lin, ou):
        await sitting.saved(within_s=60)
        await expect(sitting.page.locator("[data-save]")).to_contain_text(words[sitting][1])
        assert await in_record.responses(engine, sitting.person) == sitting.answers

    # --- a new version is put in place: each process says that it goes, and the pages come back to whoever is there
    streams = {sitting: len(events(sitting)) for sitting in (lin, ou)}
    before = {one.pid for one in processes(server, "api")}
    os.kill(server.pid, signal.SIGHUP)
    await until(
        "every API process is another one",
        lambda: [one.pid for one in processes(server, "api")],
        within=90,
        good=lambda now: len(now) == len(before) and not before & set(now),
    )
    for sitting in (lin, ou):
        await until(f"{sitting.pc.name} listens again", lambda sitting=sitting: len(events(sitting)) - streams[sitting])
    for sitting in (lin, ou):
        await sitting.give(sitting.person.first("multiple"), ["B", "C"])
        await sitting.saved(within_s=60)
        assert await in_record.responses(engine, sitting.person) == sitting.answers
        assert await in_record.stranded(engine, sitting.person) == {}
        sights = await sitting.pc.sights()
        assert {sight.connection for sight in sights} <= {None, "online", "trouble"}, "nobody was told of any of it"
        assert not [sight.banner for sight in sights if sight.banner]
        assert not [sight.message for sight in sights if sight.message]
