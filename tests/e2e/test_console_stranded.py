"""The office decides on answers that were kept aside: real browsers at the old seat, the new one, and the desk.

A PC without a network collects answers and loses its power. Its candidate goes on at a spare seat. When the old PC
comes back it delivers what it held, too late to count; the office compares, adopts, dismisses; and what the candidate
writes afterwards counts again, on a page that was never loaded anew.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, expect
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import staff_accounts
from tests.e2e import record as in_record
from tests.e2e.conftest import Switchboard
from tests.e2e.desk import Desk
from tests.e2e.exam import PASSWORD, ROOM, Exam, Item, make_exam
from tests.e2e.eyes import accessible, in_view, nothing_scrolls
from tests.e2e.server import Server
from tests.e2e.sitting import LETTERS, Sitting
from tests.e2e.waits import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SPARE = "备1"
PATIENT_MS = 60_000


class Office(Desk):
    """The console with the page of what was kept aside."""

    def link(self) -> Locator:
        return self.button("aside.link")

    async def aside(self) -> int:
        """How many wait, as the link tells; without any there is no link."""
        if await self.link().count() == 0:
            return 0
        return int(await self.link().locator("strong").inner_text())

    def item(self, item: Item) -> Locator:
        named = self.words["aside.item"].replace("{n}", str(item.position))
        title = self.page.get_by_role("heading", level=3, name=re.compile(rf"^{re.escape(named)}(?!\d)"))
        return self.page.locator(".aside-item").filter(has=title)

    def kept(self, item: Item) -> Locator:
        return self.item(item).get_by_role("region", name=self.words["aside.kept"])

    def accepted(self, item: Item) -> Locator:
        return self.item(item).get_by_role("region", name=self.words["aside.accepted"])

    def click(self, item: Item, key: str) -> Locator:
        return self.item(item).get_by_role("button", name=self.words[key], exact=True)

    async def told(self, key: str, n: int) -> None:
        words: Any = self.words[key]
        words = words if isinstance(words, str) else words["one" if n == 1 else "other"]
        await expect(self.page.locator(".aside-told")).to_have_text(words.replace("{n}", str(n)), timeout=PATIENT_MS)


async def _office(server: Server, record: AsyncEngine, pcs: Switchboard, exam: Exam) -> Office:
    username = exam.invigilator.replace("invigilator", "office")
    async with record.begin() as conn:
        await staff_accounts.create(conn, username=username, name="苏望舒", role="office", password=PASSWORD)
    return Office(pcs(server, "console"), username)


def _letter(item: Item, option: str) -> str:
    return LETTERS[item.options.index(option)]


async def test_the_office_adopts_and_the_candidate_has_the_last_word(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "ASIDE", candidates=2)
    person = exam.people[0]
    old, new = Sitting(pcs(server, "old", disk=True), person), Sitting(pcs(server, "new"), person)
    office = await _office(server, record, pcs, exam)
    single, multiple, blank, text = (person.first(kind) for kind in ("single", "multiple", "blank", "text"))
    await old.enter()
    await office.enter(exam)
    # The office sees what every exam of a server has kept aside, and the exams of other tests are on this one.
    before = await office.aside()

    # --- a PC that cannot deliver, and a candidate who goes on elsewhere
    await old.give(single, "A")
    await old.give(multiple, ["A", "C"])
    await old.saved()
    await old.pc.unplug()
    late = {single.item: "C", multiple.item: ["B", "D"], blank.item: ["1000", "9.8"], text.item: "流土、管涌。"}
    for item in (single, multiple, blank, text):
        await old.give(item, late[item.item])
    await old.on_disk()
    await old.pc.kill()
    await office.open_seat("1")
    await office.relog(SPARE)
    await new.pc.switch_on(f"/?room={ROOM}&seat={SPARE}")
    await new.sign_in()
    await new.confirm()
    await new.sees_question(multiple.position)
    await old.pc.switch_on()
    await expect(old.heading("replaced.title")).to_be_visible(timeout=PATIENT_MS)
    await until(
        "what the old PC held is kept aside", lambda: in_record.stranded(record, person), within=60,
        good=lambda kept: kept == late,
    )  # fmt: skip

    # --- the office looks: both values, in words, with where they came from
    await until("all of it is counted", office.aside, within=60, good=lambda n: n == before + 4)
    await office.link().click()
    page = office.page
    await expect(page.get_by_role("heading", level=1, name=office.words["aside.title"])).to_be_focused()
    await expect(page.get_by_role("heading", name=person.name)).to_be_visible()
    now, kept = office.accepted(single), office.kept(single)
    for side, option, seat in ((now, "A", "1"), (kept, "C", "1")):
        await expect(side.locator(".aside-letter")).to_have_text(_letter(single, option))
        await expect(side).to_contain_text(office.words["seat.regular"].replace("{seat}", seat))
    await expect(office.item(single)).to_contain_text(single.stem)
    await expect(office.accepted(text)).to_contain_text(office.words["aside.empty"])
    await expect(office.kept(text)).to_contain_text("流土、管涌。")
    await expect(office.kept(blank)).to_contain_text("9.8")
    await accessible(page, "answers kept aside")
    await nothing_scrolls(page)

    # --- adopted by keyboard; the candidate's page follows without being loaded again
    await new.go_to(single)
    await expect(new.option(single, "A")).to_have_attribute("aria-checked", "true")
    await office.click(single, "aside.adopt").focus()
    await page.keyboard.press("Enter")
    confirm = office.click(single, "aside.confirm.adopt")
    await expect(confirm).to_be_focused()
    await in_view(confirm)
    await accessible(page, "confirmation")
    await page.keyboard.press("Escape")
    await expect(confirm).to_have_count(0)
    assert (await in_record.responses(record, person))[single.item] == "A"
    await office.click(single, "aside.adopt").click()
    await office.item(single).get_by_label(office.words["aside.note"]).fill("考生说明后改选")
    await page.keyboard.press("Enter")
    await office.told("aside.told.adopt", 1)
    await expect(page.get_by_role("heading", level=1, name=office.words["aside.title"])).to_be_focused()
    await expect(office.item(single)).to_have_count(0)
    await until("one is decided", office.aside, good=lambda n: n == before + 3)
    assert (await in_record.responses(record, person))[single.item] == "C"
    await expect(new.option(single, "C")).to_have_attribute("aria-checked", "true", timeout=PATIENT_MS)

    # --- the candidate's own change counts again; and what moved on is not decided over
    await new.give(single, "A")
    await new.give(multiple, ["A", "B"])
    await new.saved()
    assert (await in_record.responses(record, person))[single.item] == "A"
    await office.click(multiple, "aside.adopt").click()
    await office.click(multiple, "aside.confirm.adopt").click()
    refused = page.locator(".outcome .note-bad")
    await expect(refused).to_contain_text(person.name, timeout=PATIENT_MS)
    assert (await in_record.responses(record, person))[multiple.item] == ["A", "B"]
    letters = office.accepted(multiple).locator(".aside-letter")
    await expect(letters).to_have_text(sorted(_letter(multiple, option) for option in "AB"), timeout=PATIENT_MS)

    # --- in English: one is dismissed, the rest is adopted with one click
    await office.in_the_other_language()
    await accessible(page, "answers kept aside in English")
    await office.click(multiple, "aside.dismiss").click()
    await office.click(multiple, "aside.confirm.dismiss").click()
    await office.told("aside.told.dismiss", 1)
    await page.get_by_role("button", name=office.words["aside.all"].replace("{n}", "2"), exact=True).click()
    await accessible(page, "confirmation for a whole candidate")
    await page.get_by_role("button", name=office.words["aside.confirm.adopt"], exact=True).click()
    await office.told("aside.told.adopt", 2)
    await expect(page.locator(".aside-none")).to_be_visible()
    assert await in_record.responses(record, person) == {
        single.item: "A", multiple.item: ["A", "B"], blank.item: late[blank.item], text.item: late[text.item],
    }  # fmt: skip
    await page.get_by_role("button", name=office.words["aside.decided"], exact=True).click()
    await expect(office.kept(single)).to_contain_text("苏望舒")
    await expect(office.kept(single)).to_contain_text("考生说明后改选")
    await expect(office.kept(single)).to_contain_text(office.words["aside.overtaken"])
    await expect(office.kept(text)).not_to_contain_text(office.words["aside.overtaken"])
    await page.get_by_role("button", name=office.words["look.contrast"], exact=True).click()
    await accessible(page, "what was decided, with high contrast")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("region", name=office.words["map.label"])).to_be_visible()
    await until("nothing of it waits any more", office.aside, good=lambda n: n == before)

    # --- the record tells it
    actions = await in_record.rows(
        record, "SELECT action FROM audit_entry WHERE actor = :u AND action LIKE 'stranded.%' ORDER BY n",
        u=office.username,
    )  # fmt: skip
    assert [one["action"] for one in actions] == ["stranded.adopt", "stranded.dismiss", "stranded.adopt"]
    assert await in_record.broken_audit_entry(record) is None
    await new.hand_in()
    shown = await new.sees_receipt()
    assert (await in_record.receipt(record, person))["answers_hash"] == shown
    for pc in (old.pc, new.pc, office.pc):
        assert pc.server_faults() == [], pc.name


async def test_a_store_that_is_away_is_said_quietly_and_goes_by_itself(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "QUIET", candidates=2)
    desk = Desk(pcs(server, "console"), exam.invigilator)
    page = await desk.pc.switch_on("/console")
    # What the service says is played; that it says so is tested where its stores are taken away.
    said = {"ready": True, "postgres": True, "redis": False}
    await page.route("**/readyz", lambda route: route.fulfill(json=said))
    await desk.sign_in()
    await expect(page.get_by_role("region", name=desk.words["map.label"])).to_be_visible(timeout=PATIENT_MS)
    line = page.locator(".stores-line")
    for (postgres, redis), away in (((True, False), "redis"), ((False, True), "postgres"), ((False, False), "both")):
        said |= {"postgres": postgres, "redis": redis}
        # A page that is loaded asks at once; that it asks again by itself is seen in the end.
        await page.reload()
        await expect(line).to_have_attribute("data-away", away, timeout=PATIENT_MS)
        await expect(line).to_contain_text(desk.words[f"stores.{away}.more"])
        await accessible(page, f"{away} away")
        await nothing_scrolls(page)
    await page.unroute("**/readyz")
    await expect(line).to_have_count(0, timeout=PATIENT_MS)
    # An invigilator is not shown what was kept aside.
    assert [one.path for one in desk.pc.heard if "stranded" in one.path] == []
