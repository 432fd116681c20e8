"""Plan 6: lightning before the start. Start and end move alike, everybody who waits is told, and an hour is the most.
How a whole site comes back from a power cut is told in ``test_story_power_cut``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from playwright.async_api import expect

from tests.e2e.eyes import accessible
from tests.e2e.hall import Hall
from tests.e2e.pc import seconds

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def test_the_start_is_put_off_by_less_than_an_hour(make_hall: Callable[..., Awaitable[Hall]]) -> None:
    hall = await make_hall("ZK06-", candidates=4, rooms=2, starts_in=timedelta(minutes=10))
    sitting = hall.sitting(0)
    await sitting.pc.switch_on()
    await sitting.sign_in()
    await sitting.confirm()
    countdown = sitting.page.get_by_role("timer")
    await expect(countdown).to_be_visible()
    office = await hall.office()
    page = office.page
    await office.open_incident("6", "雷击，市电中断", scope="site")
    await office.tick(1, 2)
    await office.open_timing()
    await office.choose("action", "postpone")
    await office.choose("scope", "site")
    await office.field("length").fill("25")
    await office.field("reason").select_option("lightning")
    effect = await office.look()
    await expect(effect).to_contain_text("4 人")
    await accessible(page, "the start is put off")
    await hall.picture(office, "plan-06")
    await office.confirm()
    await expect(sitting.page.locator(".message").filter(has_text="25")).to_be_visible()
    left_s = seconds((await sitting.page.locator("[role=timer]").inner_text()).split()[-1])
    assert 30 * 60 < left_s <= 35 * 60
    await hall.picture(sitting, "plan-06-candidate")

    # 60 minutes in all.
    await office.choose("action", "postpone")
    await office.choose("scope", "site")
    await office.field("length").fill("40")
    await office.field("reason").select_option("lightning")
    effect = await office.look()
    await expect(effect.locator(".effect-over")).to_be_visible()
    await expect(effect.locator(".button-primary")).to_have_count(0)
    await page.keyboard.press("Escape")

    assert await hall.ledger() == ["postpone"]
    actions = ["incident.open", "time.postpone"]
    assert [one["action"] for one in await hall.audited(*actions)] == actions
    await office.back_to_incident()
    await office.tick(5)
    await office.says("雷击、停电", "雷击，市电中断", "25 分")
