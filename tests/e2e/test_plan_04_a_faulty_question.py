"""Plan 4: a question is wrong. If the exam can go on, the candidate works on, and it is kept who drew it; if it cannot,
everybody is held, and who cannot be helped today is deferred by a decision with its number.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect

from tests.e2e import record as in_record
from tests.e2e.eyes import accessible
from tests.e2e.hall import Hall

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

SAID = "选项 A 与 C 完全相同"
NEWS = "个别试题正在核实，请先作答其他题目，考后统一处理。"


async def test_one_question_is_wrong_and_the_exam_goes_on(make_hall: Callable[..., Awaitable[Hall]]) -> None:
    hall = await make_hall("ZK04-", candidates=4)
    sitting = hall.sitting(0)
    person = sitting.person
    item = person.first("single")
    await sitting.enter()
    desk = await hall.invigilator()
    page = desk.page

    # The candidate says which; the invigilator writes it down.
    await desk.open_seat("1")
    await desk.button("item.here").click()
    await page.locator("#item-position").fill(str(item.position))
    await page.locator("#item-text").fill(SAID)
    await accessible(page, "a question is said to be wrong")
    await hall.picture(desk, "plan-04")
    await page.locator(".item-report").get_by_role("button", name=desk.words["item.confirm"], exact=True).click()
    await expect(page.get_by_text(desk.words["item.done"].replace("{n}", str(item.position)))).to_be_visible()
    await desk.open_incident("4.1", f"第 {item.position} 题：{SAID}")
    await desk.tick(1, 2, 3)

    # The office sees which item it is and who drew it, and tells the candidates.
    office = await hall.office()
    await office.tab_of("itemReports").click()
    row = office.page.locator("tbody tr").filter(has_text=person.ticket)
    await expect(row).to_contain_text(SAID)
    await accessible(office.page, "what was said of questions")
    [drew] = await in_record.rows(
        hall.record,
        "SELECT count(*) AS n FROM paper_item p JOIN attempt a ON a.id = p.attempt_id"
        " JOIN item_version v ON v.id = p.item_version_id"
        " WHERE a.session_id = :s AND v.item_id = :i",
        s=hall.exam.session_id, i=item.item,
    )  # fmt: skip
    await expect(row.locator("td.number").nth(-2)).to_have_text(str(drew["n"]))
    await office.announce(NEWS)
    await accessible(office.page, "the whole hall, and who has an announcement")
    await expect(sitting.page.locator(".message").filter(has_text=NEWS)).to_be_visible()
    await hall.picture(sitting, "plan-04-candidate")
    other = person.first("true_false")
    await sitting.give(other, "T")
    await sitting.saved()

    actions = ["item.report", "incident.open", "notice.announce"]
    assert [one["action"] for one in await hall.audited(*actions)] == actions
    await desk.says("试题错误（不影响全体）", SAID, person.ticket)


async def test_questions_are_wrong_for_everybody_and_it_is_decided(make_hall: Callable[..., Awaitable[Hall]]) -> None:
    hall = await make_hall("ZK42-", candidates=4, rooms=2)
    sitting = hall.sitting(0)
    await sitting.enter()
    await sitting.give(sitting.person.first("single"), "C")
    await sitting.saved()
    office = await hall.office()
    page = office.page
    await office.open_incident("4.2", "整套试卷缺一页插图", scope="site")
    await office.tick(1)
    await office.open_timing()
    await office.choose("scope", "site")
    await office.field("reason").select_option("other")
    await office.field("note").fill("试卷核实中")
    await office.look()
    await office.confirm()
    await expect(sitting.heading("exam.paused")).to_be_visible()

    # It cannot be mended today.
    await office.choose("mode", "rounds")
    await office.choose("round", "defer")
    await office.choose("scope", "list")
    await page.locator(".scope-list textarea").fill("\n".join(person.ticket for person in hall.exam.people))
    await office.field("number").fill("考务〔2026〕4 号")
    await office.field("text").fill("试卷缺页，本场缓考。")
    effect = await office.look()
    await expect(effect).to_contain_text("4 人")
    await accessible(page, "deferring everybody")
    await hall.picture(office, "plan-04-2")
    await office.confirm()
    await expect(sitting.heading("receipt.titleDeferred")).to_be_visible()
    await hall.picture(sitting, "plan-04-2-candidate")

    for person in hall.exam.people:
        assert (await in_record.attempt(hall.record, person))["end_reason"] == "deferred"
    assert await in_record.responses(hall.record, sitting.person) == sitting.answers, "and nothing is lost"
    actions = ["incident.open", "time.pause", "rounds.defer"]
    assert [one["action"] for one in await hall.audited(*actions)] == actions
    await office.back_to_incident()
    await office.tick(2, 3)
    await office.says("试题错误（影响全体）", "整套试卷缺一页插图", "缓考")
