"""Plan 3: what a candidate shows and what the roster holds disagree. They sit first; what differs is written down with
a photo; the office corrects it afterwards, field by field and once.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect
from sqlalchemy import text

from tests.e2e import record as in_record
from tests.e2e.eyes import accessible, nothing_scrolls
from tests.e2e.hall import Hall
from tests.e2e.png import write

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

PHOTO = write(struct.pack(">IIBBBBB", 64, 48, 8, 2, 0, 0, 0), iter([b"\x20\x40\xc0" * 64] * 48))
NAME = "艾力·吐尔逊"


async def test_whoever_disagrees_with_the_roster_sits_first(make_hall: Callable[..., Awaitable[Hall]]) -> None:
    hall = await make_hall("ZK03-", candidates=4)
    sitting = hall.sitting(1)
    person = sitting.person
    async with hall.record.begin() as conn:
        await conn.execute(text("UPDATE candidate SET gender = '男' WHERE ticket = :t"), {"t": person.ticket})
    desk = await hall.invigilator()
    await desk.open_seat(person.seat)
    await desk.button("discrepancy.here").click()
    form = desk.page.locator(".case-draft")
    await form.locator("[data-field=name]").click()
    await form.locator("input[name=name]").fill(NAME)
    await form.locator("[data-field=gender]").click()
    await form.get_by_role("button", name=desk.words["discrepancy.submit"], exact=True).click()
    await expect(form.get_by_text(desk.words["discrepancy.lacks.claimed"])).to_be_visible()
    await form.locator("select[name=gender]").select_option("女")
    await form.get_by_role("button", name=desk.words["discrepancy.identified.card"], exact=True).click()
    await form.locator("input[name=photo]").set_input_files({"name": "p.png", "mimeType": "image/png", "buffer": PHOTO})
    await accessible(desk.page, "a discrepancy at the door")
    await nothing_scrolls(desk.page)
    await hall.picture(desk, "plan-03")
    await form.get_by_role("button", name=desk.words["discrepancy.submit"], exact=True).click()
    await expect(desk.page.get_by_role("status").filter(has_text="照常考试")).to_be_visible()
    await expect(desk.page.locator(".case img")).to_be_visible()
    [admitted] = await in_record.rows(
        hall.record, "SELECT kind FROM admission WHERE session_id = :s", s=hall.exam.session_id
    )
    assert admitted["kind"] == "provisional"

    # The candidate sits: the page names them as the roster does until the office has decided.
    await sitting.enter()
    await sitting.give(person.first("single"), "A")
    await sitting.saved()
    await expect(sitting.page.get_by_text(person.name).first).to_be_visible()
    await expect(sitting.page.get_by_text(NAME)).to_have_count(0)
    await hall.picture(sitting, "plan-03-candidate")

    office = await hall.office()
    await office.tab_of("discrepancies").click()
    item = office.page.locator(".case").filter(has_text=person.ticket)
    rows = item.locator("tbody tr")
    await rows.nth(0).get_by_role("button").nth(0).click()
    await rows.nth(1).get_by_role("button").nth(1).click()
    await accessible(office.page, "the correction list")
    await office.page.get_by_role("button", name=office.words["discrepancy.decide"].replace("{n}", "2")).click()
    await expect(item).to_have_count(0)
    await office.page.get_by_role("button", name=office.words["case.all"]).click()
    await expect(item.get_by_text("已更正")).to_be_visible()
    await nothing_scrolls(office.page)
    await hall.picture(office, "plan-03-office")

    [now] = await in_record.rows(hall.record, "SELECT name, gender FROM candidate WHERE ticket = :t", t=person.ticket)
    assert (now["name"], now["gender"]) == (NAME, "男")
    actions = await hall.audited("discrepancy.open", "discrepancy.decide")
    assert [one["action"] for one in actions] == ["discrepancy.open", "discrepancy.decide"]
    staff = await hall.by_telephone()
    paper = await staff.get("/discrepancies/report", session=hall.exam.session_id, format="html", language="zh")
    assert paper.status_code == 200, paper.text
    for words in (person.ticket, NAME, "已更正"):
        assert words in paper.text
