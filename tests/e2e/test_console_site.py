"""The office sets an exam up at the console: by hand, from a faulty file, from the mended one, up to its papers."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from playwright.async_api import expect
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import staff_accounts
from tests.e2e.conftest import Switchboard
from tests.e2e.desk import Desk
from tests.e2e.exam import PASSWORD
from tests.e2e.eyes import accessible
from tests.e2e.server import Server
from tests.e2e.waits import until
from tests.importers import workbooks

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
WAIT_MS = 60_000


async def test_an_exam_is_set_up_from_the_browser_up_to_its_papers(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    code = f"SITE{secrets.token_hex(2)}"
    name, room = f"office-{code.lower()}", f"{code}考室"
    async with record.begin() as conn:
        await staff_accounts.create(conn, username=name, name="苏望舒", role="office", password=PASSWORD)
    rooms = [[room, f"{code}楼", "101", 6, 2]]
    people = workbooks.people(4, room=room)
    spoiled = [[*people[0]], [*people[1]], *people[2:]]
    spoiled[1][8] = 99
    bad = workbooks.roster(tmp_path / "有错.xlsx", spoiled, rooms=rooms)
    good = workbooks.roster(tmp_path / "名单.xlsx", people, rooms=rooms)
    bank = workbooks.bank(
        tmp_path / "题库.xlsx",
        [[n, "单选题", "水文", f"第 {n} 题？", "甲", "乙", "丙", "丁", "A", 1, None] for n in range(1, 41)],
    )
    desk = Desk(pcs(server, "office", touch=True), name)
    await desk.pc.switch_on("/console")
    await desk.sign_in()
    page = desk.page
    await desk.button("views.site").click()
    # By keyboard: the form takes the focus, Enter saves.
    await desk.button("site.exam.new").press("Enter")
    await page.get_by_label(desk.words["site.exam.name"], exact=True).fill("管理页考试")
    await page.locator("input[name=code]").fill(code)
    await page.keyboard.press("Enter")
    await expect(page.get_by_text(desk.words["site.told.exam"])).to_be_visible()
    await desk.button("site.tab.import").click()
    row, file = page.locator(".site-faults-table tbody tr"), page.locator("input[type=file]")

    async def asked() -> bool:
        """The form is drawn anew when the page has read the new exam, and a file chosen before is not in it."""
        if await row.count() or not await file.count():
            return True
        await file.set_input_files(bad)
        await desk.button("site.import.check").click()
        return False

    await until("the file is sent", asked, every=1.0)
    await expect(row.first).to_contain_text("99", timeout=WAIT_MS)
    await accessible(page, "the faults of a file")
    await page.locator("input[type=file]").set_input_files(good)
    await desk.button("site.import.check").click()
    await expect(page.locator(".site-plan")).to_contain_text(
        f"4 {desk.words['site.count.candidates']}", timeout=WAIT_MS
    )
    async with record.connect() as conn:
        people_there = "SELECT count(*) FROM candidate c JOIN exam e ON e.id = c.exam_id WHERE e.code = :c"
        assert await conn.scalar(text(people_there), {"c": code}) == 0
    # Whoever reloads the page finds the file where it was.
    await page.reload()
    await desk.button("views.site").click()
    await desk.button("site.job.look").click()
    await accessible(page, "what a file would do")
    await page.locator(".site-plan .button-primary").click()
    await expect(page.locator(".site-plan h2")).to_contain_text("管理页考试", timeout=WAIT_MS)
    await expect(page.locator("input[type=file]")).to_be_visible(timeout=WAIT_MS)
    await page.get_by_label(desk.words["site.import.bank"], exact=True).check()
    await page.locator("input[type=file]").set_input_files(bank)
    await desk.button("site.import.check").click()
    await page.locator(".site-plan .button-primary").click(timeout=WAIT_MS)
    await expect(page.locator("input[type=file]")).to_be_visible(timeout=WAIT_MS)
    await desk.button("site.tab.draw").click()
    first = page.locator(".site-draw").first
    await first.locator("input[name=items]").fill("5")
    await first.get_by_role("button", name=desk.words["site.draw.set"]).click()
    await first.get_by_role("button", name=desk.words["site.draw.do"], exact=True).click()
    done = page.locator(".site-code").first
    await expect(done).to_be_visible(timeout=WAIT_MS)
    await accessible(page, "papers that were drawn")
    await desk.in_the_other_language()
    await desk.button("site.tab.rooms").click()
    await desk.button("site.seats").first.click()
    await expect(page.locator(".site-seats")).to_contain_text("备2")
    await accessible(page, "the seats of a room")
    await page.keyboard.press("Escape")
    await expect(page.locator(".site-seat")).to_have_count(0)
    async with record.connect() as conn:
        papers = (
            "SELECT count(*) FROM paper p JOIN attempt a ON a.id = p.attempt_id JOIN session s ON s.id = a.session_id"
        )
        papers += " JOIN exam e ON e.id = s.exam_id WHERE e.code = :c"
        assert await conn.scalar(text(papers), {"c": code}) == 4
        rows = await conn.scalars(
            text("SELECT action FROM audit_entry WHERE subject->>'exam' = :c AND actor = :n ORDER BY n"),
            {"c": code, "n": name},
        )
        assert [one for one in rows if not one.startswith("site.")] == [
            "roster.imported", "bank.imported", "blueprint.set", "papers.draw",
        ]  # fmt: skip
