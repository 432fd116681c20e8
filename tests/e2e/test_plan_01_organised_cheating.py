"""Plan 1: organised cheating. Written down by two members of staff, sealed, counted by room, and read by few; who is
removed keeps every answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect

from tests.e2e import record as in_record
from tests.e2e.eyes import accessible, nothing_scrolls
from tests.e2e.hall import Hall

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

FACTS = "在试卷下发现写有公式的纸条，当场收缴。"


async def test_cheating_is_written_by_two_sealed_and_on_paper(make_hall: Callable[..., Awaitable[Hall]]) -> None:
    hall = await make_hall("ZK01-", candidates=4)
    sitting = hall.sitting(2)
    person = sitting.person
    await sitting.enter()
    await sitting.give(person.first("single"), "A")
    await sitting.saved()
    desk = await hall.invigilator()
    page = desk.page
    await desk.open_seat(person.seat)
    await desk.button("misconduct.here").click()
    form = page.locator(".case-draft")
    await form.locator("[name=facts]").fill(FACTS)
    await form.get_by_role("button", name=desk.words["misconduct.submit"], exact=True).click()
    await expect(form.get_by_text(desk.words["misconduct.lacks.second"])).to_be_visible()
    await form.locator("[name=second]").fill("赵老师")
    await form.locator("input[name=told][value=refused]").check()
    await form.locator("input[name=measure][value=marked]").check()
    assert await form.locator("input[name=measure][value=removed]").count() == 0
    await accessible(page, "misconduct written down")
    await nothing_scrolls(page)
    await form.get_by_role("button", name=desk.words["misconduct.submit"], exact=True).click()
    await expect(page.locator(".case-text")).to_have_text(FACTS)

    # The office opens the sealed incident, and has the candidate leave.
    office = await hall.office()
    await office.open_incident("1", "两个考室发现同样的纸条")
    await expect(office.page.locator(".incident-head .incident-sealed")).to_be_visible()
    await office.tick(1, 2)
    await hall.picture(office, "plan-01")
    await office.tab_of("misconduct").click()
    await office.page.locator(".case-row").filter(has_text=person.ticket).click()
    await office.page.locator("input[name=add][value=measure]").check()
    await office.page.locator("input[name=change][value=removed]").check()
    await office.page.locator(".case-write textarea").fill("第二次发现")
    await accessible(office.page, "a record of misconduct")
    await nothing_scrolls(office.page)
    await office.page.locator(".case-write .button-danger").click()
    await expect(office.page.locator(".case-entries li").first).to_contain_text("第二次发现")

    # The candidate's page says so, and what was answered is kept.
    await expect(sitting.heading("receipt.titleForced")).to_be_visible()
    await hall.picture(sitting, "plan-01-candidate")
    ended = await in_record.attempt(hall.record, person)
    assert ended["end_reason"] == "forced"
    assert await in_record.responses(hall.record, person) == sitting.answers

    # On the log; sealed from whoever only watches the room; on paper for the office.
    actions = await hall.audited("misconduct.open", "misconduct.measure", "incident.open")
    assert [one["action"] for one in actions] == ["misconduct.open", "incident.open", "misconduct.measure"]
    await desk.incidents().click()
    await expect(page.get_by_text(desk.words["incident.none"])).to_be_visible()
    await office.back_to_incident()
    await office.says("集体舞弊", "两个考室发现同样的纸条", "苏望舒")
