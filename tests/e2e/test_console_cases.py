"""A discrepancy from the door to the corrected record, and misconduct that few may read, in a real browser."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from playwright.async_api import Locator, expect
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import staff_accounts
from tests.e2e.conftest import Switchboard
from tests.e2e.desk import Desk
from tests.e2e.exam import PASSWORD, Exam, make_exam
from tests.e2e.eyes import accessible, nothing_scrolls
from tests.e2e.png import write
from tests.e2e.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

PHOTO = write(struct.pack(">IIBBBBB", 64, 48, 8, 2, 0, 0, 0), iter([b"\x20\x40\xc0" * 64] * 48))
FACTS = "在试卷下发现写有公式的纸条，当场收缴。"


class Cases(Desk):
    """The console with its two pages of cases."""

    def tab(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=self.words[f"views.{name}"], exact=True)


async def _office(record: AsyncEngine, exam: Exam) -> str:
    username = exam.invigilator.replace("invigilator", "office")
    async with record.begin() as conn:
        await staff_accounts.create(conn, username=username, name="苏望舒", role="office", password=PASSWORD)
    return username


async def test_a_discrepancy_from_the_door_to_the_record(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "DISCREPANCY", candidates=4)
    person = exam.people[1]
    async with record.begin() as conn:
        await conn.execute(text("UPDATE candidate SET gender = '男' WHERE ticket = :t"), {"t": person.ticket})
    desk = Cases(pcs(server, "tablet"), exam.invigilator)
    await desk.enter(exam)
    await desk.open_seat(person.seat)
    await desk.button("discrepancy.here").click()
    form = desk.page.locator(".case-draft")
    await form.locator("[data-field=name]").click()
    await form.locator("input[name=name]").fill("艾力·吐尔逊")
    await form.locator("[data-field=gender]").click()
    await form.get_by_role("button", name=desk.words["discrepancy.submit"], exact=True).click()
    await expect(form.get_by_text(desk.words["discrepancy.lacks.claimed"])).to_be_visible()
    await form.locator("select[name=gender]").select_option("女")
    await form.get_by_role("button", name=desk.words["discrepancy.identified.card"], exact=True).click()
    await form.locator("input[name=photo]").set_input_files({"name": "p.png", "mimeType": "image/png", "buffer": PHOTO})
    await accessible(desk.page, "a discrepancy at the door")
    await nothing_scrolls(desk.page)
    await form.get_by_role("button", name=desk.words["discrepancy.submit"], exact=True).click()
    await expect(desk.page.get_by_role("status").filter(has_text="照常考试")).to_be_visible()
    await expect(desk.page.locator(".case img")).to_be_visible()
    async with record.connect() as conn:
        kind = await conn.scalar(text("SELECT kind FROM admission WHERE session_id = :s"), {"s": exam.session_id})
    assert kind == "provisional"

    office = Cases(pcs(server, "office"), await _office(record, exam))
    await office.enter(exam)
    await office.tab("discrepancies").click()
    item = office.page.locator(".case").filter(has_text=person.ticket)
    rows = item.locator("tbody tr")
    await rows.nth(0).get_by_role("button").nth(0).click()
    await rows.nth(1).get_by_role("button").nth(1).click()
    await accessible(office.page, "the correction list")
    await office.page.get_by_role("button", name=office.words["discrepancy.decide"].replace("{n}", "2")).click()
    await expect(item).to_have_count(0)
    await office.page.get_by_role("button", name=office.words["case.all"]).click()
    await expect(item.get_by_text("已更正")).to_be_visible()
    await nothing_scrolls(office.page)
    async with record.connect() as conn:
        row = (
            await conn.execute(text("SELECT name, gender FROM candidate WHERE ticket = :t"), {"t": person.ticket})
        ).one()
    assert (row.name, row.gender) == ("艾力·吐尔逊", "男")


async def test_misconduct_is_written_by_one_and_read_by_the_office_only(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "MISCONDUCT", candidates=4)
    person = exam.people[2]
    desk = Cases(pcs(server, "tablet"), exam.invigilator)
    await desk.enter(exam)
    await desk.open_seat(person.seat)
    await desk.button("misconduct.here").click()
    form = desk.page.locator(".case-draft")
    await form.locator("[name=facts]").fill(FACTS)
    await form.get_by_role("button", name=desk.words["misconduct.submit"], exact=True).click()
    await expect(form.get_by_text(desk.words["misconduct.lacks.second"])).to_be_visible()
    await form.locator("[name=second]").fill("赵老师")
    await form.locator("input[name=told][value=refused]").check()
    await form.locator("input[name=measure][value=marked]").check()
    assert await form.locator("input[name=measure][value=removed]").count() == 0
    await accessible(desk.page, "misconduct written down")
    await nothing_scrolls(desk.page)
    await form.get_by_role("button", name=desk.words["misconduct.submit"], exact=True).click()
    await expect(desk.page.locator(".case-text")).to_have_text(FACTS)

    office = Cases(pcs(server, "office"), await _office(record, exam))
    await office.enter(exam)
    await office.tab("misconduct").click()
    await office.page.locator(".case-row").filter(has_text=person.ticket).click()
    await office.page.locator("input[name=add][value=measure]").check()
    await office.page.locator("input[name=change][value=removed]").check()
    await office.page.locator(".case-write textarea").fill("第二次发现")
    await accessible(office.page, "a record of misconduct")
    await nothing_scrolls(office.page)
    await office.page.locator(".case-write .button-danger").click()
    await expect(office.page.locator(".case-entries li").first).to_contain_text("第二次发现")
    async with record.connect() as conn:
        ended = await conn.scalar(
            text("SELECT a.end_reason FROM attempt a JOIN candidate c ON c.id = a.candidate_id WHERE c.ticket = :t"),
            {"t": person.ticket},
        )
    assert ended == "forced"
