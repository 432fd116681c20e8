"""An emergency at the console: the room is stopped at one press, its roll is called, and who can goes on; a room that
has run out of spare seats asks the next one; somebody leaves for good."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import staff_accounts
from tests.e2e.conftest import Switchboard
from tests.e2e.desk import Desk
from tests.e2e.exam import PASSWORD, make_exam
from tests.e2e.eyes import accessible, nothing_scrolls
from tests.e2e.server import Server
from tests.e2e.sitting import Sitting

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


async def test_a_room_asks_for_a_seat_is_stopped_and_goes_on_without_one(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "CALLS", candidates=8, rooms=2)
    here = exam.people[0::2]
    async with record.begin() as conn:
        other_room = await conn.scalar(
            text("SELECT id FROM room WHERE exam_id = :e AND id <> :r"), {"e": exam.id, "r": exam.room_id}
        )
        # No spare seat works here.
        await conn.execute(
            text("UPDATE seat SET out_of_order = '无法开机' WHERE room_id = :r AND is_spare"), {"r": exam.room_id}
        )
        await staff_accounts.create(
            conn, username=f"{exam.code}other".lower(), name="沈清", role="chief", password=PASSWORD,
            room_ids=[other_room],
        )  # fmt: skip
    sitting = Sitting(pcs(server, "pc"), here[0])
    await sitting.enter()
    async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", trust_env=False, timeout=60) as client:
        for person in here[1:]:
            reply = await client.post("/candidate/sign-in", json={"ticket": person.ticket, "id_tail": person.tail})
            assert reply.status_code == 200, reply.text
    desk = Desk(pcs(server, "console"), exam.invigilator)
    other = Desk(pcs(server, "other"), f"{exam.code}other".lower())
    await desk.enter()
    await other.enter()
    page = desk.page

    # The nearest room is asked with one press, and answers with one.
    await desk.open_seat("2")
    await desk.button("spare.ask", room="第02考室").click()
    await expect(page.locator(".panel")).to_contain_text(desk.words["spare.waits"])
    asked = other.page.locator(".asked-one")
    await expect(asked).to_contain_text(here[1].ticket)
    await accessible(other.page, "a seat is asked for")
    await nothing_scrolls(other.page)
    await other.button("spare.yes").click()
    await expect(page.get_by_role("region", name=desk.words["relog.pending"])).to_contain_text("备1")
    await expect(asked).to_have_count(0)
    await desk.button("relog.withdraw").click()
    await page.keyboard.press("Escape")

    # One press stops the room; the question is gone, and on the candidate's page it says why. Escape closes the panel.
    await desk.button("calls.open").click()
    # It listens when it has been drawn, as the focus shows.
    await expect(page.locator("#calls-title")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator(".calls")).to_have_count(0)
    await expect(desk.button("calls.open")).to_be_focused()
    await page.keyboard.press("Enter")
    await desk.button("halt.room").click()
    await desk.sees("1", "paused")
    await expect(sitting.page.locator("#question-title")).to_have_count(0)
    panel = page.locator(".panel")
    await expect(panel).to_contain_text(desk.words["halt.told.pause"])
    await desk.button("roll.begin").click()
    await (
        panel.get_by_role("group", name=f"3 {here[2].name}")
        .get_by_role("button", name=desk.words["roll.missing"], exact=True)
        .click()
    )
    await desk.button("roll.rest", n="3").click()
    counts = desk.words["roll.counts"].format(people=4, found=3, missing=1, open=0)
    await expect(panel).to_contain_text(counts)
    await accessible(page, "roll call")
    await nothing_scrolls(page)
    # On paper there is the list and nothing else.
    await page.emulate_media(media="print")
    await expect(page.locator(".roll-paper")).to_be_visible()
    await expect(page.locator(".roll-paper tbody tr")).to_have_count(4)
    await expect(page.locator(".seat-map")).to_be_hidden()
    await page.emulate_media(media="screen")
    await desk.button("roll.end").click()

    # Who can goes on; who cannot stays stopped.
    await page.get_by_text(desk.words["goOn.but"]).click()
    await panel.get_by_role("checkbox", name=re.compile(here[3].name)).check()
    await desk.button("goOn.room.but", n="1").click()
    await desk.sees("1", "answering")
    await desk.sees("4", "paused")
    await sitting.sees_question(1)

    # Somebody leaves for good: said once more, and every answer is kept.
    await desk.open_seat("1")
    await desk.button("withdraw.open").click()
    await panel.get_by_label(desk.words["withdraw.reason"]).fill("家中急事")
    await accessible(page, "leaves for good")
    await desk.button("withdraw.confirm").click()
    await desk.sees("1", "withdrew")
    await expect(panel).to_contain_text("家中急事")
    async with record.connect() as conn:
        actions = (
            await conn.execute(
                text("SELECT action FROM audit_entry WHERE subject @> jsonb_build_object('room_id', CAST(:r AS int8))"),
                {"r": exam.room_id},
            )
        ).scalars()
    wanted = ("spare.ask", "spare.yes", "rollcall.begin", "rollcall.mark", "rollcall.close", "attendance.withdraw")
    assert set(wanted) <= set(actions)
