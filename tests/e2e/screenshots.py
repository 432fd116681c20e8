"""Takes the pictures of the documents, of the demo as `make demo` shows it: ``pytest tests/e2e/screenshots.py``.

Not a test of anything but that a picture stays small, and its name keeps it out of every ordinary run. The pictures of
the contingency plans are taken by their stories: ``pytest --pictures -k test_plan tests/e2e``.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Playwright, expect

from app.demo.accounts import ACCOUNTS
from tests.e2e.desk import Desk
from tests.e2e.exam import Item, Person, paper_of
from tests.e2e.pc import Pc
from tests.e2e.pictures import PICTURES, both
from tests.e2e.server import free_port
from tests.e2e.sitting import Sitting, replied
from tests.e2e.time_desk import TimeDesk

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

INVIGILATOR, OFFICE = (next(one for one in ACCOUNTS if one.role == role) for role in ("invigilator", "office"))
PCS = ("first", "dying", "spare", "console", "office", "paused")
# Enough that an answer card looks like an exam, few enough to be quick.
ANSWERED = 23


@dataclass(frozen=True, slots=True)
class Demo:
    url: str
    candidates: list[dict[str, Any]]


@pytest.fixture
def demo() -> Iterator[Demo]:
    place = Path(tempfile.mkdtemp(prefix="holdfast-e2e-"))
    command = [
        sys.executable, "-m", "app.cli", "demo", "--json", "--port", str(free_port()),
        "--data-dir", str(place / "data"), "--simulate", "40", "--candidates", "160",
    ]  # fmt: skip
    with (place / "demo.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=log, start_new_session=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (place / "demo.log").read_text()
        told = json.loads(line)
        yield Demo(told["url"], told["candidates"])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
        process.stdout.close()
        shutil.rmtree(place)


async def test_take_the_pictures(demo: Demo, playwright: Playwright, browser: Browser, tmp_path: Path) -> None:
    pcs = {name: Pc(playwright, browser, name, tmp_path / name, demo.url) for name in PCS}
    try:
        await _candidate(pcs["first"], _person(demo, 0))
        await _move(pcs, _person(demo, 1))
        await _decide(TimeDesk(pcs["office"], OFFICE.username), Sitting(pcs["paused"], _person(demo, 2)))
    finally:
        for pc in pcs.values():
            await pc.switch_off()
    assert not [error for pc in pcs.values() for error in pc.broken]


def _person(demo: Demo, n: int) -> Person:
    one = demo.candidates[n]
    return Person(one["ticket"], one["id_tail"], "", one["seat"], None, ())


async def _candidate(pc: Pc, person: Person) -> None:
    """Sign-in, a question, the hand-in, the server away, the receipt."""
    sitting = Sitting(pc, person)
    await pc.switch_on()
    await pc.page.get_by_label("准考证号", exact=True).fill(person.ticket)
    await both(sitting, PICTURES, "sign-in")
    paper = await _enter(sitting)
    for item in paper[:ANSWERED]:
        await sitting.sees_question(item.position)
        for key in "ab" if item.type == "multiple" else "a":
            await pc.page.keyboard.press(key)
        if item.position in (7, 15):
            await pc.page.keyboard.press("m")
        await pc.page.keyboard.press("PageDown")
    shown = next((item for item in paper if item.pictured), paper[4])
    await sitting.go_to(shown)
    await pc.page.locator(".question [data-option]").nth(1).click()
    await sitting.saved()
    await both(sitting, PICTURES, "question")

    await pc.page.context.route("**/api/**", lambda route: route.abort("connectionrefused"))
    await pc.page.context.route("**/livez", lambda route: route.abort("connectionrefused"))
    await pc.page.locator(".question [data-option]").nth(2).click()
    await expect(pc.page.locator("[data-connection=server-away]")).to_be_visible(timeout=60_000)
    await both(sitting, PICTURES, "server-away")
    await pc.page.context.unroute_all()
    await sitting.saved(within_s=30)
    await expect(pc.page.locator(".connection-line")).to_have_count(0, timeout=40_000)

    await both(sitting, PICTURES, "hand-in", before=lambda: sitting.button("exam.handIn").click())
    await sitting.button("handIn.confirm").click()
    await sitting.sees_receipt(within_s=30)
    await both(sitting, PICTURES, "receipt")


async def _move(pcs: dict[str, Pc], person: Person) -> None:
    """The room, the relog, and the PC that was replaced."""
    old, desk = Sitting(pcs["dying"], person), Desk(pcs["console"], INVIGILATOR.username)
    await desk.pc.switch_on("/console")
    await desk.sign_in(INVIGILATOR.password)
    await old.pc.switch_on()
    paper = await _enter(old)
    for item in paper[:12]:
        await old.sees_question(item.position)
        await old.page.keyboard.press("b")
        await old.page.keyboard.press("PageDown")
    await old.saved()
    await old.pc.unplug()
    await old.go_to(paper[2])
    await old.page.locator(".question [data-option]").first.click()
    await desk.sees(person.seat, "silent", within_s=60)
    await both(desk, PICTURES, "room")
    await desk.open_seat(person.seat)
    spare = await desk.page.locator('.seat[data-kind="free"] .seat-label').first.inner_text()
    await desk.button("relog.open").click()
    await both(desk, PICTURES, "relog")
    await desk.button("move.confirm", seat=spare).click()
    await expect(desk.seat(spare)).to_have_attribute("data-kind", "kept")

    new = Sitting(pcs["spare"], person)
    await new.pc.switch_on()
    await _enter(new)
    await old.pc.plug_in()
    await expect(old.heading("replaced.title")).to_be_visible(timeout=60_000)
    await expect(old.page.get_by_role("status").filter(has_text="1")).to_be_visible()
    await both(old, PICTURES, "replaced")


async def _decide(desk: TimeDesk, sitting: Sitting) -> None:
    """The office's desk for the exam's time, what a decision will do, and what the candidate sees of it."""
    await sitting.pc.switch_on()
    paper = await _enter(sitting)
    for item in paper[:9]:
        await sitting.sees_question(item.position)
        await sitting.page.keyboard.press("a")
        await sitting.page.keyboard.press("PageDown")
    await sitting.saved()
    await desk.pc.switch_on("/console")
    await desk.sign_in(OFFICE.password)
    await desk.button("timing.link").click()
    await expect(desk.page.locator(".timeline")).to_be_visible()
    await desk.choose("action", "extend")
    await desk.choose("scope", "site")
    await desk.field("length").fill("5")
    await desk.field("reason").select_option("network")
    await desk.look()
    await desk.confirm()
    await desk.choose("scope", "room")
    for n in (0, 1):
        await desk.page.locator(".map-room").nth(n).click()
    await desk.choose("action", "pause")
    await desk.field("reason").select_option("power")
    await desk.field("note").fill("配电箱跳闸，电工已到场")
    await desk.look()
    await both(desk, PICTURES, "time-effect")
    await desk.confirm()
    await expect(sitting.page.get_by_text(sitting.words["exam.paused"], exact=True).first).to_be_visible()
    await both(sitting, PICTURES, "paused")
    await expect(desk.page.locator(".standing")).to_be_visible()
    await both(desk, PICTURES, "time")


async def _enter(sitting: Sitting) -> tuple[Item, ...]:
    """To the first question; the paper as the page got it."""
    await sitting.sign_in()
    async with sitting.page.expect_response(replied("paper")) as heard:
        await sitting.button("identity.confirm").click()
        paper = paper_of(await (await heard.value).json())
    await sitting.page.locator("#question-title").wait_for()
    return paper
