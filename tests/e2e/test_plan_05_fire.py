"""Plan 5: fire. Everything stops at one press and no question can be read; the roll is called where people stand, and
nobody has lost a second when they are back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect

from tests.e2e.eyes import accessible
from tests.e2e.hall import Hall

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def test_everything_stops_the_roll_is_called_and_it_goes_on(make_hall: Callable[..., Awaitable[Hall]]) -> None:
    hall = await make_hall("ZK05-", candidates=4, rooms=2)
    sitting = hall.sitting(0)
    beside, away = hall.unseen(2), hall.unseen(1)
    for one in (beside, away):
        assert (await one.sign_in()).status_code == 200
    await sitting.enter()
    office = await hall.office(touch=True)
    page = office.page
    await office.button("calls.open").click()
    await page.locator("#halt-why").select_option("fire")
    await page.locator("#halt-note").fill("二楼配电间冒烟")
    await office.button("halt.site").click()

    # The screens are blank everywhere, at once.
    await expect(sitting.heading("exam.paused")).to_be_visible()
    stood = await sitting.left_s()
    there = await sitting.page.content()
    assert not [item for item in sitting.person.paper if item.stem[:12] in there]
    await expect(sitting.page.locator(".message")).to_contain_text("火警")
    await hall.picture(sitting, "plan-05-candidate")
    for one in (beside, away):
        assert (await one.state())["clock"]["state"] == "paused"

    # At the meeting point: two are here, one is looked for and found.
    panel = page.locator(".panel")
    await office.button("roll.begin").click()
    group = panel.get_by_role("group", name=f"2 {beside.person.name}")
    await group.get_by_role("button", name=office.words["roll.missing"], exact=True).click()
    await office.button("roll.rest", n="1").click()
    await expect(panel).to_contain_text(office.words["roll.counts"].format(people=2, found=1, missing=1, open=0))
    await accessible(page, "the roll is called")
    await hall.picture(office, "plan-05")
    await group.get_by_role("button", name=office.words["roll.found"], exact=True).click()
    await expect(panel).to_contain_text(office.words["roll.counts"].format(people=2, found=2, missing=0, open=0))
    await office.button("roll.end").click()
    await page.locator(".panel-close").click()
    await office.open_incident("5", "二楼配电间冒烟", scope="site")
    await office.tick(1, 2, 3, 4)
    await office.tab_of("room").click()
    await office.button("calls.open").click()
    await office.button("goOn.site").click()
    await sitting.sees_question(1)
    assert await sitting.left_s() >= stood - 5, "nobody lost a second"

    assert await hall.ledger() == ["pause", "resume"]
    actions = ["time.pause", "rollcall.begin", "rollcall.close", "incident.open", "time.resume"]
    assert [one["action"] for one in await hall.audited(*actions)] == actions
    await office.back_to_incident()
    await office.says("火警", "二楼配电间冒烟", "恢复")
    record = await hall.room_record()
    for words in ("暂停", "火警", "二楼配电间冒烟"):
        assert words in record
