"""Plan 12: somebody is taken ill in the heat. Their own clock stands, the doctor is told, and they come back to the
question they had left; nobody else notices.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect

from tests.e2e.eyes import accessible
from tests.e2e.hall import Hall

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def test_one_is_taken_ill_and_comes_back(make_hall: Callable[..., Awaitable[Hall]]) -> None:
    hall = await make_hall("ZK12-", candidates=4)
    ill = hall.sitting(0)
    neighbour = hall.unseen(1)
    assert (await neighbour.sign_in()).status_code == 200
    await ill.enter()
    item = ill.person.first("true_false")
    await ill.give(item, "T")
    await ill.saved()
    desk = await hall.invigilator()
    page = desk.page

    await desk.open_seat("1")
    await desk.open_incident("12", "脸色发白，出冷汗")
    await desk.tick(1)
    await desk.write("told")
    await page.locator(".incident-write [name=who]").fill("校医室陈医生")
    await desk.button("incident.add").click()
    await expect(desk.entry("校医室陈医生")).to_be_visible()
    # The panel is as it was left.
    await desk.tab_of("room").click()
    await desk.button("timing.one.pause").click()
    await desk.button("timing.look").click()
    await page.locator(".effect .button-primary").click()
    await desk.sees("1", "paused")
    await hall.picture(desk, "plan-12")
    await accessible(page, "one is ill")

    # The page says that the clock stands; the neighbour's runs.
    await expect(ill.heading("exam.paused")).to_be_visible()
    await expect(ill.page.get_by_text(ill.words["exam.paused.text"])).to_be_visible()
    await hall.picture(ill, "plan-12-candidate")
    stood = await ill.left_s()
    assert (await neighbour.state())["clock"]["state"] == "running"

    await desk.button("timing.one.resume").click()
    await desk.button("timing.look").click()
    await page.locator(".effect .button-primary").click()
    await desk.sees("1", "answering")
    await ill.sees_question(item.position)
    assert await ill.left_s() >= stood - 5, "nothing was charged"
    assert await ill.shown(item) == "T"

    assert await hall.ledger() == ["pause", "resume"]
    actions = ["incident.told", "time.pause", "time.resume"]
    assert [one["action"] for one in await hall.audited(*actions)] == actions
    await desk.back_to_incident()
    await desk.says("中暑", "脸色发白，出冷汗", "校医室陈医生", ill.person.name)
