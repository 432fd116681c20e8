"""Plan 2: somebody makes a disturbance because of how an invigilator behaved. The room is stopped at one press, another
invigilator takes over, and it goes on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect

from tests.e2e.eyes import accessible
from tests.e2e.hall import Hall

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def test_a_room_is_stopped_and_its_invigilator_replaced(make_hall: Callable[..., Awaitable[Hall]]) -> None:
    hall = await make_hall("ZK02-", candidates=4)
    sitting = hall.sitting(0)
    await sitting.enter()
    successor = await hall.account("invigilator", "程望")
    desk = await hall.chief()
    page = desk.page
    await desk.open_incident("2", "两人在过道争吵，推倒显示器")
    await desk.tick(1)

    # One press.
    await desk.tab_of("room").click()
    await desk.button("calls.open").click()
    await page.locator("#halt-why").select_option("disturbance")
    await desk.button("halt.room").click()
    await expect(sitting.heading("exam.paused")).to_be_visible()
    await expect(sitting.page.locator("#question-title, .question")).to_have_count(0)
    await expect(sitting.page.locator(".message")).to_contain_text("秩序")
    await hall.picture(sitting, "plan-02-candidate")
    await accessible(page, "a room is stopped")
    await hall.picture(desk, "plan-02")
    await page.locator(".panel-close").click()

    await desk.button("record.title").click()
    await page.locator("#duty-joined").select_option(successor)
    await page.locator("#duty-left").select_option(hall.exam.invigilator)
    await page.locator("#duty-reason").fill("言行失当引起争执")
    await desk.button("duty.confirm").click()
    await expect(page.locator(".duty-changes")).to_contain_text("程望")
    await page.keyboard.press("Escape")
    await desk.button("calls.open").click()
    await desk.button("goOn.room").click()
    await sitting.sees_question(1)

    actions = ["incident.open", "time.pause", "duty.change", "time.resume"]
    assert [one["action"] for one in await hall.audited(*actions)] == actions
    assert await hall.ledger() == ["pause", "resume"]
    await desk.back_to_incident()
    await desk.tick(3, 4, 7)
    await desk.says("闹事", "两人在过道争吵，推倒显示器", "暂停")
    for words in ("程望", "言行失当引起争执", "闹事"):
        assert words in await hall.room_record()
