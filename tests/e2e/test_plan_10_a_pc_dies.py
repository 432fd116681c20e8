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
from tests.e2e.waits import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

SPARE = SPARES[0]


async def test_a_pc_dies_and_everything_is_done_by_keyboard(make_hall: Callable[..., Awaitable[Hall]]) -> None:
    hall = await make_hall("ZK10-", candidates=4)
    old = hall.sitting(0)
    person = old.person
    await old.enter()
    await old.give(person.first("single"), "B")
    await old.saved()
    desk = await hall.invigilator(touch=False)
    page, keys = desk.page, desk.page.keyboard

    async def confirm() -> None:
        """The effect has been read: its button is the next stop."""
        await expect(page.locator("#effect-title")).to_be_focused()
        await expect(page.locator(".effect")).to_contain_text("1 人")
        await keys.press("Tab")
        await expect(page.locator(".effect .button-large").first).to_be_focused()
        await keys.press("Enter")
        # What was under the keyboard is gone; it goes on in the panel.
        await expect(page.locator("#panel-title")).to_be_focused()

    # Found by typing, opened, and the clock stands.
    await desk.find(person.ticket)
    await expect(page.get_by_role("heading", name=person.name)).to_be_focused()
    await desk.tab_to(desk.button("timing.one.pause"))
    await keys.press("Enter")
    await desk.tab_to(desk.button("timing.look"))
    await keys.press("Enter")
    await confirm()
    await desk.sees("1", "paused")
    await expect(old.heading("exam.paused")).to_be_visible()
    stood = await old.left_s()
    await old.pc.switch_off()

    # Moved: two presses.
    await hall.picture(desk, "plan-10")
    await desk.find(person.ticket)
    await desk.tab_to(desk.button("relog.open"))
    await keys.press("Enter")
    await expect(desk.button("move.confirm", seat=SPARE)).to_be_focused()
    await keys.press("Enter")
    await expect(page.get_by_role("region", name=desk.words["relog.pending"])).to_contain_text(SPARE)
    await expect(page.locator("#panel-title")).to_be_focused()
    await desk.tab_to(desk.button("incident.here"))
    await keys.press("Enter")
    form = page.locator(".incident-draft")
    await expect(form.get_by_role("heading", name=desk.words["incident.new"])).to_be_focused()
    await expect(form.locator("[name=tickets]")).to_have_value(person.ticket)
    plans = form.locator("input[name=plan]")
    await desk.tab_to(plans.first)
    for _ in range(await plans.count()):
        if await form.locator("input[name=plan][value='10']").is_checked():
            break
        await keys.press("ArrowDown")
    await expect(form.locator("input[name=plan][value='10']")).to_be_checked()
    await desk.tab_to(form.locator("[name=minutes]"))
    await keys.type("2")
    await desk.tab_to(form.locator("[name=note]"))
    await keys.type("屏幕黑了，主机没有声音")
    await desk.tab_to(form.get_by_role("button", name=desk.words["incident.submit"], exact=True))
    await keys.press("Enter")
    await expect(desk.entry("屏幕黑了")).to_be_visible()

    # At the spare seat: the answers, the time.
    new = hall.sitting(0, "spare")
    await new.pc.switch_on(f"/?room={ROOM}&seat={SPARE}")
    await new.sign_in()
    await new.confirm()
    await expect(new.heading("exam.paused")).to_be_visible()
    # The time stood, and what had passed since the last that was heard of the old PC is given back: nothing else.
    [pause] = await in_record.rows(
        hall.record, "SELECT from_ms FROM adjustment WHERE kind = 'pause' AND session_id = :s", s=hall.exam.session_id
    )

    async def beyond_s() -> float:
        found = await in_record.credited(hall.record, person)
        given = sum(max(0, min(one["to_ms"], pause["from_ms"]) - one["from_ms"]) for one in found)
        return await new.left_s() - stood - given / 1000

    await until("the time at the spare seat", beyond_s, good=lambda beyond: abs(beyond) <= 2)
    await desk.tab_to(desk.tab_of("room"), back=True)
    await keys.press("Enter")
    await desk.sees(SPARE, "paused")
    await desk.find(person.ticket)
    await desk.tab_to(desk.button("timing.one.resume"))
    await keys.press("Enter")
    await desk.tab_to(desk.button("timing.look"))
    await keys.press("Enter")
    await confirm()
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
