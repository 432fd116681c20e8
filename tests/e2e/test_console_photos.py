"""Photos from the office's page to the door and the candidate's own page, in a room that has only a telephone."""

from __future__ import annotations

import secrets
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import expect
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import staff_accounts
from tests.e2e.conftest import Switchboard
from tests.e2e.desk import Desk
from tests.e2e.exam import PASSWORD, make_exam, start
from tests.e2e.eyes import accessible, nothing_scrolls
from tests.e2e.server import Server
from tests.e2e.sitting import Sitting
from tests.importers.test_photos import drawn, packed

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


async def test_a_room_without_its_tablet_telephones_and_every_face_is_there(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "PHOTO", candidates=3, starts_in=timedelta(minutes=10))
    one, two, three = exam.people
    office = f"office-{secrets.token_hex(3)}"
    async with record.begin() as conn:
        await staff_accounts.create(conn, username=office, name="苏望舒", role="office", password=PASSWORD)
        rows = await conn.execute(text("SELECT ticket, id_number FROM candidate"))
        ids = {row.ticket: row.id_number for row in rows}
    desk = Desk(pcs(server, "office"), office)
    await desk.enter(exam)
    page = desk.page

    await desk.button("views.photos").click()
    await expect(page.get_by_text(desk.words["photos.missing"].format(n=3, all=3))).to_be_visible()
    broken = {f"{one.ticket}.jpg": drawn(), f"{two.ticket}.jpg": drawn()[:900]}
    whole = {f"照片/{one.ticket}.jpg": drawn(), f"照片/{ids[two.ticket]}.png": drawn("PNG", (300, 400))}
    told = page.locator(".photos-told")
    for files, state in ((broken, "faulty"), (whole, "imported")):
        archive = {"name": "照片.zip", "mimeType": "application/zip", "buffer": packed(files).getvalue()}
        await page.set_input_files("input[name=archive]", archive)
        await page.get_by_role("button", name=desk.words["photos.import"], exact=True).click()
        await expect(told).to_contain_text(desk.words[f"photos.state.{state}"].format(n=1))
        await accessible(page, f"photos {state}")
    await expect(told).to_contain_text(three.ticket)
    await expect(told).not_to_contain_text(ids[two.ticket])

    # A call: said once, seen on every page, and part of everything that is done until it ends.
    await desk.button("views.room").click()
    await desk.button("phone.open").click()
    caller = page.get_by_label(desk.words["phone.who"].split("}")[1])
    await expect(caller).to_be_focused()
    await caller.fill("王老师")
    await caller.press("Enter")
    line = page.locator(".telephone")
    await expect(line).to_contain_text("王老师")
    await desk.open_seat("2")
    await expect(page.locator(".panel img.photo")).to_be_visible()
    await page.locator(".panel .button-primary", has_text=desk.words["checkIn.open"]).first.click()
    await desk.sees("2", "checked_in")
    await desk.open_seat("3")
    await expect(page.locator(".panel .photo-none")).to_contain_text(desk.words["photo.none"])
    await accessible(page, "a call about a seat")
    await nothing_scrolls(page)

    await start(record, exam, timedelta(0))
    for person, face in ((one, "img.identity-face"), (three, ".identity-faceless")):
        sitting = Sitting(pcs(server, f"pc-{person.seat}"), person)
        await sitting.pc.switch_on("/")
        await sitting.sign_in()
        await expect(sitting.page.locator(face)).to_be_visible()
        await accessible(sitting.page, f"identity of {person.ticket}")
        if person is one:
            await sitting.confirm()
    await desk.sees("1", "answering")
    await desk.open_seat("1")
    await desk.button("item.here").click()
    await page.get_by_label(desk.words["item.position"]).fill("1")
    await page.get_by_label(desk.words["item.text"]).fill("选项 A 与 C 相同")
    await accessible(page, "a question said to be wrong")
    await page.locator(".item-report .button-primary").click()
    await expect(page.locator(".item-report")).to_contain_text(desk.words["item.done"].format(n=1))
    await desk.button("phone.end").click()
    await expect(line).to_have_count(0)
    await desk.button("views.itemReports").click()
    row = page.locator("tbody tr")
    await expect(row).to_contain_text("选项 A 与 C 相同")
    await expect(row).to_contain_text("王老师")
    await accessible(page, "questions said to be wrong")
    await desk.button("views.room").click()
    await page.keyboard.press("Escape")
    await desk.button("record.title").click()
    await expect(page.locator(".telephone-done li")).to_have_count(2)

    async with record.connect() as conn:
        rows = await conn.execute(
            text("SELECT action, subject FROM audit_entry WHERE subject->>'told_by' = '王老师' ORDER BY n")
        )
        asked = {row.action: row.subject["ticket"] for row in rows}
    assert asked == {"attendance.check-in": two.ticket, "item.report": one.ticket}
