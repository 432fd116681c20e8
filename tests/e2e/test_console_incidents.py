"""The incident desk: an invigilator opens one from a seat, writes it down, the office signs it, and it is on paper."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from playwright.async_api import expect
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import staff_accounts
from tests.e2e.conftest import Switchboard
from tests.e2e.exam import PASSWORD, SPARES, make_exam
from tests.e2e.eyes import accessible, nothing_scrolls
from tests.e2e.incident_desk import IncidentDesk
from tests.e2e.png import write
from tests.e2e.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SPARE = SPARES[0]
PHOTO = write(struct.pack(">IIBBBBB", 64, 48, 8, 2, 0, 0, 0), iter([b"\xc0\x40\x20" * 64] * 48))


async def test_an_incident_from_a_seat_to_the_signed_report(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "INCIDENT", candidates=4)
    person = exam.people[1]
    username = exam.invigilator.replace("invigilator", "office")
    async with record.begin() as conn:
        await staff_accounts.create(conn, username=username, name="苏望舒", role="office", password=PASSWORD)
    desk = IncidentDesk(pcs(server, "tablet"), exam.invigilator)
    await desk.enter(exam)

    await desk.open_seat(person.seat)
    await desk.relog(SPARE)
    await desk.button("incident.here").click()
    form = desk.page.locator(".incident-draft")
    await expect(form.locator("[name=tickets]")).to_have_value(person.ticket)
    await form.get_by_role("button", name=desk.words["incident.submit"], exact=True).click()
    await expect(form.get_by_text(desk.words["incident.lacks.plan"])).to_be_visible()
    await form.locator("input[name=plan][value='10']").check()
    await form.locator("[name=minutes]").fill("3")
    await form.locator("[name=note]").fill("突然黑屏")
    await accessible(desk.page, "a new incident")
    await nothing_scrolls(desk.page)
    await form.get_by_role("button", name=desk.words["incident.submit"], exact=True).click()

    await expect(desk.page.locator(".incident h2")).to_contain_text("#1")
    await expect(desk.entry("突然黑屏")).to_be_visible()
    # By keyboard: the step takes the focus and the space bar.
    await desk.step(1).focus()
    await desk.page.keyboard.press("Space")
    await expect(desk.step(1)).to_have_attribute("aria-checked", "true")
    await desk.write("told")
    await desk.page.locator(".incident-write [name=who]").fill("技术员小李")
    await desk.button("incident.add").click()
    await expect(desk.entry("技术员小李")).to_be_visible()
    await desk.write("file")
    chooser = desk.page.locator(".incident-files input[type=file]").first
    await chooser.set_input_files({"name": "黑屏.png", "mimeType": "image/png", "buffer": PHOTO})
    await desk.button("incident.add").click()
    await expect(desk.page.locator(".incident-file img")).to_have_js_property("naturalWidth", 64)
    await chooser.set_input_files({"name": "假.png", "mimeType": "image/png", "buffer": b"MZ\x90\x00\x03\x00"})
    await desk.button("incident.add").click()
    await expect(desk.page.get_by_text("此文件不是")).to_be_visible()
    await expect(desk.entry(SPARE)).to_contain_text(person.name)
    await accessible(desk.page, "an incident")
    await nothing_scrolls(desk.page)
    await desk.turn("close", "已换机")
    await expect(desk.page.locator(".incident-head .incident-state")).to_have_attribute("data-state", "closed")

    office = IncidentDesk(pcs(server, "office", locale="en-GB"), username)
    await office.enter(exam)
    await office.in_the_other_language()
    await office.incidents().click()
    await office.page.locator(".incident-filter .chip").last.click()
    await office.page.locator(".incident-row").filter(has_text="#1").click()
    await office.turn("sign")
    await expect(office.page.locator(".incident-head .incident-state")).to_have_attribute("data-state", "signed")
    await office.button("incident.print").click()
    paper = office.page.frame_locator(".print-frame")
    await expect(paper.locator("h1")).to_have_text("Incident report #1")
    await expect(paper.locator("body")).to_contain_text("技术员小李")
    await expect(paper.locator("img")).to_have_js_property("naturalWidth", 64)
    # Its own stylesheet, not the console's: what is printed is black on white.
    await expect(paper.locator("th").first).to_have_css("border-left-style", "solid")
    await accessible(office.page, "a signed incident")
    assert not [line for line in office.pc.console if "Content Security Policy" in line]
    async with record.connect() as conn:
        actions = (
            await conn.execute(
                text(
                    "SELECT action FROM audit_entry WHERE subject->>'session_id' = :s"
                    " AND action LIKE 'incident%' ORDER BY n"
                ),
                {"s": str(exam.session_id)},
            )
        ).scalars()
        assert list(actions) == [
            "incident.open", "incident.step", "incident.told", "incident.evidence", "incident.close", "incident.sign",
        ]  # fmt: skip
