"""The door and the room's record at the console: forty people come in, somebody leaves, the room is signed off."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import expect
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.e2e.conftest import Switchboard
from tests.e2e.desk import Desk
from tests.e2e.exam import make_exam, start
from tests.e2e.eyes import accessible, in_view, nothing_scrolls
from tests.e2e.server import Server
from tests.e2e.sitting import Sitting

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


async def test_a_room_comes_in_and_is_signed_off(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "DOOR", candidates=6, starts_in=timedelta(minutes=10))
    desk = Desk(pcs(server, "console"), exam.invigilator)
    await desk.enter()
    page = desk.page
    one, two, three, four, *_ = exam.people

    # By scan and by keys: what was typed is gone at once, and the field waits for the next one.
    await desk.button("door.title").first.click()
    field = page.get_by_label(desk.words["door.field"], exact=True)
    await expect(field).to_be_focused()
    for keys in (one.ticket, two.seat):
        await field.fill(keys)
        await field.press("Enter")
        await expect(field).to_have_value("")
    await desk.sees("1", "checked_in")
    await desk.sees("2", "checked_in")
    # By touch, and taken back.
    await desk.seat("3").click()
    await desk.sees("3", "checked_in")
    last = page.locator(".door-last")
    await expect(last).to_contain_text(three.name)
    await accessible(page, "check-in")
    await nothing_scrolls(page)
    await in_view(field, desk.seat("备2"))
    await last.get_by_role("button").click()
    await desk.sees("3", "not_arrived")
    await field.fill("没有这个人")
    await field.press("Enter")
    await expect(last).to_contain_text(desk.words["door.told.nobody"])
    await expect(field).to_have_value("没有这个人")
    await desk.button("door.close").click()

    # Two in each other's seats: one action names both.
    await desk.open_seat("1")
    await desk.button("swap.open").click()
    await page.get_by_label(desk.words["swap.with"]).select_option(label=f"2 号机位 {two.name}")
    await expect(page.locator(".panel")).to_contain_text(one.name)
    await desk.button("swap.confirm").click()
    await expect(desk.seat("2")).to_contain_text(one.name)
    await expect(desk.seat("1")).to_contain_text(two.name)
    await page.keyboard.press("Escape")

    await start(record, exam, timedelta(0))
    sitting = Sitting(pcs(server, "pc"), four)
    await sitting.enter()
    await sitting.give(four.first("single"), "A")
    await desk.sees("4", "answering")
    await desk.open_seat("4")
    await desk.button("leave.open").click()
    await desk.button("leave.toilet").click()
    await desk.sees("4", "on_leave")
    # Nothing of the paper is left on the page; the time goes on, also for a page that is loaded anew.
    await expect(sitting.heading("exam.out")).to_be_visible()
    await expect(sitting.page.locator("#question-title")).to_have_count(0)
    await accessible(sitting.page, "out of the room")
    before = await sitting.left_s()
    await sitting.page.reload()
    await expect(sitting.heading("exam.out")).to_be_visible()
    await expect(sitting.page.locator("#question-title")).to_have_count(0)
    assert await sitting.left_s() <= before
    await accessible(page, "somebody is out")
    await desk.button("leave.back").click()
    await sitting.sees_question(1)
    await desk.sees("4", "answering")

    # After last admission who has not come is proposed, confirmed, and the numbers are signed.
    async with record.begin() as conn:
        await conn.execute(text("UPDATE session SET last_admission_ms = 0 WHERE id = :s"), {"s": exam.session_id})
    await desk.button("record.title").click()
    panel = page.locator(".panel")
    await expect(panel).to_contain_text(exam.people[2].name)
    await desk.button("record.absent.confirm", n="3").click()
    await desk.sees("6", "absent")
    await accessible(page, "room record")
    await panel.get_by_label(desk.words["record.remarks"]).fill("考场秩序良好。")
    await desk.button("record.sign", expected="6", present="3", absent="3").click()
    await expect(panel).to_contain_text("考场秩序良好。")
    await expect(page.locator(".summary-modes")).to_contain_text(desk.words["record.stands.signed"])
    await nothing_scrolls(page)
    async with record.connect() as conn:
        signed = await conn.scalar(
            text("SELECT subject FROM audit_entry WHERE action = 'room.sign-off' ORDER BY n DESC LIMIT 1")
        )
    assert (signed["expected"], signed["present"], signed["absent"]) == (6, 3, 3)
    await desk.in_the_other_language()
    await expect(panel.get_by_role("heading", name=re.compile("Room record"))).to_be_visible()
    await accessible(page, "room record in English")
    await nothing_scrolls(page)
