"""Plan 11: one room loses its power. The office pauses that room alone, gives back what it lost, and the hour that no
room may pass is said before anything is done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect

from tests.e2e.eyes import accessible
from tests.e2e.hall import Hall

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def test_one_room_is_paused_goes_on_and_gets_its_time(make_hall: Callable[..., Awaitable[Hall]]) -> None:
    hall = await make_hall("ZK11-", candidates=4, rooms=2)
    dark, light = hall.sitting(0), hall.unseen(1)
    assert (await light.sign_in()).status_code == 200
    await dark.enter()
    office = await hall.office()
    page = office.page
    await office.open_incident("11", "配电箱跳闸，第01考室停电")
    await office.tick(1)

    await office.open_timing()
    await page.locator(".map-room").first.click()
    await office.field("reason").select_option("power")
    await office.field("note").fill("配电箱跳闸")
    await office.look()
    await accessible(page, "pausing one room")
    await hall.picture(office, "plan-11")
    await office.confirm()
    await expect(dark.heading("exam.paused")).to_be_visible()
    await expect(dark.page.locator("#question-title, .question")).to_have_count(0)
    await expect(dark.page.locator(".message")).to_contain_text("断电")
    assert (await light.state())["clock"]["state"] == "running"

    await office.resume_room()
    await dark.sees_question(1)
    before = await dark.left_s()
    await office.choose("action", "extend")
    await office.choose("scope", "room")
    await page.locator(".map-room").first.click()
    await office.field("length").fill("8")
    await office.field("reason").select_option("power")
    await office.look()
    await office.confirm()
    await expect(dark.page.locator(".message").filter(has_text="8")).to_be_visible()
    await hall.picture(dark, "plan-11-candidate")
    assert await dark.left_s() > before + 7 * 60
    # An hour in all: beyond it nothing is done without a decision.
    await office.choose("action", "extend")
    await office.choose("scope", "room")
    await page.locator(".map-room").first.click()
    await office.field("length").fill("55")
    await office.field("reason").select_option("power")
    effect = await office.look()
    await expect(effect.locator(".effect-over")).to_be_visible()
    await expect(effect.locator(".button-primary")).to_have_count(0)

    assert await hall.ledger() == ["pause", "resume", "extend"]
    actions = ["incident.open", "time.pause", "time.resume", "time.extend"]
    assert [one["action"] for one in await hall.audited(*actions)] == actions
    await page.keyboard.press("Escape")
    await office.back_to_incident()
    await office.says("个别考室停电", "第01考室", "配电箱跳闸", "延长 8 分")
