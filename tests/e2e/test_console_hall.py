"""The office's overview: every room on one page and alive, from there to a room and to a candidate, and something said
to everybody, of which the office sees who has it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect

from tests.e2e.exam import room_name
from tests.e2e.eyes import accessible, nothing_scrolls
from tests.e2e.hall import Hall

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

ROOMS = 3
NEWS = "食堂午餐供应到 13:00。"


async def test_the_office_sees_every_room_and_says_something_to_all(make_hall: Callable[..., Awaitable[Hall]]) -> None:
    hall = await make_hall("HALL-", candidates=6, rooms=ROOMS)
    here, there = hall.exam.people[:2]
    sitting = hall.sitting(0)
    await sitting.enter()
    office = await hall.office()
    page, keys = office.page, office.page.keyboard
    await office.tab_of("hall").click()
    await expect(page.get_by_role("heading", level=1, name=office.words["hall.title"], exact=True)).to_be_focused()
    tiles = page.locator(".hall-tile")
    await expect(tiles).to_have_count(ROOMS)
    present = page.locator(".hall-total").first
    await expect(present).to_contain_text("1/6")
    await accessible(page, "the overview")
    await nothing_scrolls(page)

    # Alive: somebody signs in two rooms on, and the page says so by itself.
    await page.get_by_role("button", name=office.words["hall.byNeed"], exact=True).click()
    second = tiles.nth(1)
    await expect(second).to_contain_text("0/2")
    assert (await hall.unseen(1).sign_in()).status_code == 200
    await expect(present).to_contain_text("2/6")
    await expect(second).to_contain_text("1/2")
    await hall.picture(office, "hall")

    # One stop of the keyboard, the arrows walk, Enter opens the room.
    await office.tab_to(tiles.first)
    await keys.press("End")
    await expect(tiles.last).to_be_focused()
    await keys.press("ArrowLeft")
    await expect(second).to_be_focused()
    await keys.press("Enter")
    await expect(office.seat(there.seat)).to_contain_text(there.name)
    await expect(page.locator(".top-bar")).to_contain_text(room_name(1))

    # Said to everybody: on the candidate's page, in the room, and the office sees who has it.
    desk = await hall.invigilator()
    await office.tab_of("hall").click()
    await page.get_by_role("button", name=office.words["hall.tab.said"]).click()
    form = page.locator(".hall-write")
    await form.locator("textarea").first.fill(NEWS)
    await form.get_by_role("button", name=office.words["hall.say.to.both"], exact=True).click()
    await accessible(page, "an announcement")
    await form.get_by_role("button", name=office.words["hall.say.submit"], exact=True).click()
    said = page.locator(".hall-said li").first
    await expect(said).to_contain_text(NEWS)
    message = sitting.page.locator(".message").filter(has_text=NEWS)
    await expect(message).to_be_visible()
    # Of the two who are there one has no page.
    await expect(said).to_contain_text(_count(office.words["hall.said.shown"], shown=1, of=2))
    await expect(said).to_contain_text(_count(office.words["hall.said.known"], known=0, of=ROOMS))
    await message.get_by_role("button", name=sitting.words["messages.dismiss"], exact=True).click()
    await expect(message).to_have_count(0)
    await desk.page.locator(".announced").filter(has_text=NEWS).get_by_role("button").click()
    await expect(desk.page.locator(".announced-line")).to_have_count(0)
    await expect(said).to_contain_text(_count(office.words["hall.said.known"], known=1, of=ROOMS))
    await said.get_by_role("button", name=office.words["hall.said.who"], exact=True).click()
    await expect(page.locator(".hall-missing").first).to_contain_text(there.ticket)
    await expect(page.locator(".hall-missing").first).not_to_contain_text(here.ticket)
    await accessible(page, "who has an announcement")

    # Anybody by name, to their seat.
    await page.get_by_role("button", name=office.words["hall.tab.people"]).click()
    search = page.get_by_role("searchbox", name=office.words["hall.search"])
    await search.fill(here.ticket)
    await search.press("Enter")
    await page.locator(".hall-people button").click()
    await expect(page.get_by_role("heading", name=here.name)).to_be_visible()
    await expect(office.seat(here.seat)).to_have_attribute("aria-pressed", "true")
    assert [one["action"] for one in await hall.audited("notice.announce", "notice.acknowledge")] == [
        "notice.announce", "notice.acknowledge",
    ]  # fmt: skip


def _count(words: str, **numbers: int) -> str:
    for name, n in numbers.items():
        words = words.replace(f"{{{name}}}", str(n))
    return words
