"""The console by hand: mouse, keyboard and finger, both languages, and roles that only look."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Self

import pytest
from playwright.async_api import expect
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import staff_accounts
from tests.e2e.conftest import Switchboard
from tests.e2e.desk import Desk
from tests.e2e.exam import PASSWORD, make_exam
from tests.e2e.eyes import accessible, in_view, nothing_scrolls
from tests.e2e.pc import TABLET
from tests.e2e.server import Server
from tests.e2e.sitting import Sitting

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


COUNT = "window.__clicks = 0; document.addEventListener('click', (e) => { if (e.detail) window.__clicks += 1; }, true)"


class Cable:
    """The PC's way to the server. Pulled, it goes silent: no reset tells either end, as with a real cable."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._whole = asyncio.Event()
        self._whole.set()
        self._ends: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listener.close()
        self._whole.set()
        for end in self._ends:
            end.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._ends += [writer, far_writer]
        await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while part := await reader.read(65536):
                await self._whole.wait()
                writer.write(part)
                await writer.drain()
        writer.close()

    def pull(self) -> None:
        self._whole.clear()

    def plug_in(self) -> None:
        self._whole.set()


async def test_a_move_takes_two_clicks_from_the_seats_panel_and_can_be_taken_back(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "CLICKS", candidates=3)
    desk, sitting = Desk(pcs(server, "desk"), exam.invigilator), Sitting(pcs(server, "pc"), exam.people[0])
    await desk.pc.switch_on("/console")
    await accessible(desk.page, "staff sign-in")
    await nothing_scrolls(desk.page)
    await desk.sign_in("wrong password")
    await expect(desk.page.get_by_text("4")).to_be_visible()
    await accessible(desk.page, "a refused staff sign-in")
    await desk.sign_in()
    await sitting.enter()
    await desk.sees("1", "answering")
    await desk.sees("2", "not_arrived")
    await accessible(desk.page, "the seat map")
    await nothing_scrolls(desk.page)

    await desk.open_seat("1")
    await accessible(desk.page, "a seat's panel")
    await desk.page.evaluate(COUNT)
    await desk.relog("备1")
    assert await desk.page.evaluate("window.__clicks") == 2
    await accessible(desk.page, "a pending move")
    await in_view(desk.button("relog.withdraw"))

    await desk.button("relog.withdraw").click()
    await expect(desk.button("relog.open")).to_be_visible()
    await expect(desk.seat("备1")).to_have_attribute("data-kind", "free")

    # The same seat again is one click; the candidate signs in there once more.
    await desk.page.evaluate("window.__clicks = 0")
    await desk.button("relog.same").click()
    await expect(desk.page.get_by_role("region", name=desk.words["relog.pending"])).to_be_visible()
    assert await desk.page.evaluate("window.__clicks") == 1
    again = Sitting(pcs(server, "wiped"), exam.people[0])
    await again.enter()
    notice = desk.words["notice.returned"].replace("{name}", exam.people[0].name).partition("{")[0]
    await expect(desk.page.get_by_role("status").filter(has_text=notice)).to_be_visible()
    await desk.sees("1", "answering")


async def test_everything_works_with_the_keyboard_in_english(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "KEYS", candidates=3)
    desk = Desk(pcs(server, "desk"), exam.invigilator)
    page = await desk.pc.switch_on("/console")
    desk.words = await desk.pc.words("console")
    await desk.in_the_other_language()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await page.locator("input[name=username]").focus()
    await page.keyboard.type(exam.invigilator)
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(desk.seat("1")).to_be_visible()

    await desk.seat("1").focus()
    await page.keyboard.press("ArrowRight")
    await expect(desk.seat("2")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(desk.seat("备1")).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Home")
    await expect(desk.seat("1")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name=exam.people[0].name)).to_be_focused()
    await accessible(page, "a seat's panel in English")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await expect(page.locator(".panel").get_by_role("button", name=desk.words["checkIn.open"])).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(desk.button("relog.open")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(desk.button("move.confirm", seat="备1")).to_be_focused()
    await accessible(page, "the move form")
    # Escape goes back one step at a time.
    await page.keyboard.press("Escape")
    await expect(desk.button("relog.open")).to_be_focused()
    # A key held down opens the form and confirms nothing; two presses, however quick, are a move.
    for _ in range(5):
        await page.keyboard.down("Enter")
    await page.keyboard.up("Enter")
    await expect(desk.button("move.confirm", seat="备1")).to_be_focused()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("region", name=desk.words["relog.pending"])).to_contain_text("备1")
    await page.keyboard.press("Escape")
    await expect(desk.seat("1")).to_be_focused()

    await page.keyboard.press("/")
    await expect(page.get_by_role("searchbox")).to_be_focused()
    await page.keyboard.type(exam.people[2].name[:2])
    await expect(desk.seat("3")).not_to_have_attribute("data-dim", "yes")
    await expect(desk.seat("2")).to_have_attribute("data-dim", "yes")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name=exam.people[2].name)).to_be_visible()


async def test_a_reload_keeps_login_and_room_and_signing_out_ends_both(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "RELOAD", candidates=2, starts_in=timedelta(minutes=10))
    desk = Desk(pcs(server, "desk"), exam.invigilator)
    await desk.enter()
    page = desk.page
    await expect(page.get_by_role("timer")).to_contain_text(desk.words["clock.starts"])
    await page.reload()
    await expect(desk.seat("1")).to_be_visible()
    assert "token" not in page.url
    await desk.button("top.signOut").click()
    await desk.button("top.signOut.sure").click()
    await expect(page.get_by_label(desk.words["signIn.username"])).to_be_visible()
    await page.reload()
    await expect(page.get_by_label(desk.words["signIn.username"])).to_be_visible()


async def test_a_cut_cable_is_said_and_the_clock_stops_on_the_page(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "CABLE", candidates=2)
    async with Cable(server.port) as cable:
        pc = pcs(server, "desk")
        pc.base_url = cable.url
        desk = Desk(pc, exam.invigilator)
        await desk.enter()
        cable.pull()
        cut = desk.page.get_by_role("status").filter(has_text=desk.words["link.down"])
        await expect(cut).to_be_visible(timeout=60_000)
        digits = desk.page.locator(".clock-digits")
        stood = await digits.inner_text()
        await desk.page.wait_for_timeout(2500)
        assert await digits.inner_text() == stood
        await accessible(desk.page, "a console that is cut off")
        cable.plug_in()
        await expect(cut).to_be_hidden(timeout=60_000)
        await expect(digits).not_to_have_text(stood)
        await desk.pc.switch_off()


async def test_who_only_reads_is_offered_nothing(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "READS", candidates=2)
    username = f"auditor-{secrets.token_hex(3)}"
    async with record.begin() as conn:
        await staff_accounts.create(conn, username=username, name="程望", role="auditor", password=PASSWORD)
    desk = Desk(pcs(server, "desk"), username)
    await desk.pc.switch_on(f"/console#room={exam.room_id}&session={exam.session_id}")
    await desk.sign_in()
    for label, offered in (("1", ["panel.close", "timing.one.explain"]), ("备1", ["panel.close"])):
        await desk.open_seat(label)
        panel = desk.page.locator("aside.panel")
        await expect(panel).to_be_visible()
        # Nothing but the way to close it, and why the candidate's time ends when it does.
        await expect(panel.get_by_role("button")).to_have_count(len(offered))
        for key in offered:
            await expect(panel.get_by_role("button", name=desk.words[key], exact=True)).to_be_visible()


async def test_a_move_by_touch_on_a_tablet(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "TOUCH", candidates=2)
    page = await pcs(server, "tablet", touch=True).switch_on("/console")
    # Held upright.
    await page.set_viewport_size({"width": TABLET["height"], "height": TABLET["width"]})
    await page.locator("input[name=username]").fill(exam.invigilator)
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("form button").tap()
    await page.locator(".seat").first.tap()
    await page.locator(".panel-actions .button-primary", has_text="换机登录").tap()
    await page.locator(".move-buttons .button-primary").tap()
    await expect(page.locator(".pending")).to_contain_text("备1")
    small = await page.locator("button:visible, select:visible, input:visible").evaluate_all(
        "(all) => all.map((one) => one.closest('label') ?? one).map((one) => one.getBoundingClientRect())"
        ".filter((box) => box.height < 36 || box.width < 36).length"
    )
    assert small == 0, "a target too small for a finger"
    await accessible(page, "the console on a tablet")


async def test_the_policy_of_the_page_forbids_inline_code_and_nothing_is_broken_by_it(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "POLICY", candidates=2)
    desk = Desk(pcs(server, "desk"), exam.invigilator)
    await desk.enter()
    await desk.open_seat("1")
    assert not [line for line in desk.pc.console if re.search(r"Content.Security|error:", line)]
