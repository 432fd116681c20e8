"""Plan 10: one PC dies in the middle of the exam. By keyboard alone: the clock of its candidate stands while somebody
looks at it, a spare seat takes over, and what was answered is there again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect

from tests.e2e import record as in_record
from tests.e2e.exam import ROOM, SPARES
from tests.e2e.eyes import accessible
from tests.e2e.hall import Hall

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

SPARE = SPARES[0]
HEARTBEAT_S = 15


async def test_a_pc_dies_and_everything_is_done_by_keyboard(make_hall: Callable[..., Awaitable[Hall]]) -> None:
    hall = await make_hall("ZK10-", candidates=4)
    old = hall.sitting(0)
    person = old.person
    await old.enter()
    await old.give(person.first("single"), "B")
    await old.saved()
    desk = await hall.invigilator(touch=False)
    page, keys = desk.page, desk.page.keyboard

    async def tab_to(key: str) -> None:
        """On through the panel, to the button of these words."""
        for _ in range(30):
            await keys.press("Tab")
            if (await page.evaluate("document.activeElement.textContent")).strip().startswith(desk.words[key]):
                return
        raise AssertionError(f"Tab does not reach {desk.words[key]}")

    async def find() -> None:
        """The candidate's panel, from anywhere on the room's page."""
        await keys.press("Escape")
        await expect(page.locator("#panel-title")).to_have_count(0)
        await keys.press("/")
        await keys.press("Control+a")
        await keys.type(person.ticket)
        await keys.press("Enter")
        await expect(page.get_by_role("heading", name=person.name)).to_be_focused()

    # Found by typing, opened, and the clock stands.
    await find()
    await tab_to("timing.one.pause")
    await keys.press("Enter")
    await tab_to("timing.look")
    await keys.press("Enter")
    effect = page.locator(".effect")
    await expect(effect).to_contain_text("1 人")
    await keys.press("Tab")
    await keys.press("Enter")
    await desk.sees("1", "paused")
    await expect(old.heading("exam.paused")).to_be_visible()
    stood = await old.left_s()
    await old.pc.switch_off()

    # Moved: two presses.
    await hall.picture(desk, "plan-10")
    await find()
    await tab_to("relog.open")
    await keys.press("Enter")
    await expect(desk.button("move.confirm", seat=SPARE)).to_be_focused()
    await keys.press("Enter")
    await expect(page.get_by_role("region", name=desk.words["relog.pending"])).to_contain_text(SPARE)
    await find()
    await tab_to("incident.here")
    await keys.press("Enter")
    form = page.locator(".incident-draft")
    await expect(form.locator("[name=tickets]")).to_have_value(person.ticket)
    await form.locator("input[name=plan]").first.focus()
    while not await form.locator("input[name=plan][value='10']").is_checked():
        await keys.press("ArrowDown")
    await form.locator("[name=minutes]").focus()
    await keys.type("2")
    await form.locator("[name=note]").focus()
    await keys.type("屏幕黑了，主机没有声音")
    await tab_to("incident.submit")
    await keys.press("Enter")
    await expect(desk.entry("屏幕黑了")).to_be_visible()

    # At the spare seat: the answers, the time.
    new = hall.sitting(0, "spare")
    await new.pc.switch_on(f"/?room={ROOM}&seat={SPARE}")
    await new.sign_in()
    await new.confirm()
    await expect(new.heading("exam.paused")).to_be_visible()
    # The time stood, and what had passed since the last that was heard of the old PC is given back.
    assert stood - 1 <= await new.left_s() <= stood + HEARTBEAT_S
    await desk.tab_of("room").focus()
    await keys.press("Enter")
    await desk.sees(SPARE, "paused")
    await find()
    await tab_to("timing.one.resume")
    await keys.press("Enter")
    await tab_to("timing.look")
    await keys.press("Enter")
    await expect(effect).to_be_visible()
    await keys.press("Tab")
    await keys.press("Enter")
    await desk.sees(SPARE, "answering")
    await new.sees_question(person.first("single").position)
    assert await new.shown(person.first("single")) == "B"
    await expect(new.page.get_by_role("status").filter(has_text=new.words["exam.gap"][:6])).to_be_visible()
    await hall.picture(new, "plan-10-candidate")

    # What is on record, and on paper.
    assert [kind for kind in await hall.ledger() if kind != "credit"] == ["pause", "resume"]
    actions = ["time.pause", "relog.open", "incident.open", "time.resume"]
    assert [one["action"] for one in await hall.audited(*actions)] == actions
    assert [lease["seat"] for lease in await in_record.leases(hall.record, person)] == [person.seat, SPARE]
    await desk.back_to_incident()
    await desk.tick(1, 2, 3)
    await accessible(page, "the incident of one PC")
    await desk.says("突发事件报告 #1", person.ticket, SPARE, "屏幕黑了，主机没有声音")
