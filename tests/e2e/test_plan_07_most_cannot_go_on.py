"""Plan 7: most of a room goes quiet. The service notices by itself and says so; the office gives back what was lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect
from sqlalchemy import text

from tests.e2e.exam import ROOM
from tests.e2e.eyes import accessible
from tests.e2e.hall import Hall

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

QUIET = 6


async def test_a_room_that_goes_quiet_is_noticed_and_credited(make_hall: Callable[..., Awaitable[Hall]]) -> None:
    hall = await make_hall("ZK07-", candidates=QUIET)
    quiet = [hall.unseen(n) for n in range(1, QUIET)]
    for one in quiet:
        assert (await one.sign_in()).status_code == 200
    sitting = hall.sitting(0)
    await sitting.enter()
    await sitting.pc.unplug()
    office = await hall.office()
    page = office.page
    await office.open_incident("7", "第01考室多数人反映无法作答")
    await office.open_timing()
    await office.tab("proposals").click()
    # Nobody waits for the silence: to everybody it is a quarter of a minute later.
    async with hall.record.begin() as conn:
        await conn.execute(text("UPDATE service_clock SET counter_ms = counter_ms + 14000"))
    proposal = page.locator(".proposal").filter(has_text=f"{QUIET} 台中 {QUIET} 台无响应")
    await expect(proposal).to_contain_text(ROOM)
    await expect(sitting.page.get_by_role("alert")).to_contain_text(sitting.words["connection.offline"])
    await sitting.pc.plug_in()
    async with hall.beating(*quiet):
        await expect(proposal).to_contain_text("建议补时")
        await accessible(page, "a room went quiet")
        await hall.picture(office, "plan-07")
        await proposal.get_by_role("button", name=office.words["timing.proposal.approve"]).click()
        await page.locator(".proposal-form .button-primary").click()
        await expect(page.locator(".effect")).to_contain_text(f"1 个考室、{QUIET} 人")
        await office.confirm()
        await expect(sitting.page.locator(".message").filter(has_text="补")).to_be_visible()
        await hall.picture(sitting, "plan-07-candidate")

    assert await hall.ledger() == ["credit"]
    await expect(sitting.page.locator(".message").filter(has_text="补")).to_be_visible()
    await hall.picture(sitting, "plan-07-candidate")
    await office.back_to_incident()
    await office.tick(1, 2)
    actions = ["incident.open", "proposal.approve"]
    assert [one["action"] for one in await hall.audited(*actions)] == actions
    await office.says("大部分应考人员无法考试", "第01考室多数人反映无法作答", "补时")
