"""Lists taken away from the office's page, and paper printed from the room's."""

from __future__ import annotations

import csv
import io
import secrets
from pathlib import Path

import pytest
from playwright.async_api import expect
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import staff_accounts
from tests.e2e.conftest import Switchboard
from tests.e2e.desk import Desk
from tests.e2e.exam import PASSWORD, make_exam
from tests.e2e.eyes import accessible
from tests.e2e.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


async def test_a_list_is_taken_away_and_a_rooms_sheets_are_printed(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "LISTS", candidates=3)
    office = f"office-{secrets.token_hex(3)}"
    async with record.begin() as conn:
        await staff_accounts.create(conn, username=office, name="顾清远", role="office", password=PASSWORD)
    desk = Desk(pcs(server, "office", touch=True), office)
    await desk.enter(exam)
    page = desk.page

    # From the room, by keyboard: the menu opens, a sheet is printed, the focus is back where it was.
    menu = page.locator(".print-menu summary")
    await menu.focus()
    await page.keyboard.press("Enter")
    await accessible(page, "the menu of what is printed")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    sheet = page.frame_locator(".print-frame")
    await expect(sheet.get_by_role("heading", level=1)).to_have_text("应考人员名单")
    await expect(sheet.locator("tbody tr")).to_have_count(3)
    await expect(menu).to_be_focused()

    await desk.button("views.records").click()
    await expect(page.get_by_role("heading", name=desk.words["records.title"])).to_be_focused()
    await page.locator("select.input").last.select_option(str(exam.session_id))
    await accessible(page, "the page of exports")
    forms = page.get_by_role("group", name=desk.words["records.attendance"])
    async with page.expect_download() as taken:
        await forms.get_by_role("button", name=".csv").click()
    download = await taken.value
    body = Path(await download.path()).read_bytes()
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    assert rows[0][1] == "准考证号"
    assert sorted(row[1] for row in rows[1:]) == sorted(one.ticket for one in exam.people)
    await expect(page.locator(".exports-made")).to_contain_text(download.suggested_filename)
    await accessible(page, "a list that was made")
