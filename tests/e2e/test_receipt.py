"""The receipt on the screen and on paper, in both languages, and the record held against what is printed."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import attempt_history
from tests.e2e import record as in_record
from tests.e2e.conftest import Switchboard
from tests.e2e.exam import make_exam
from tests.e2e.eyes import accessible, in_view, nothing_scrolls
from tests.e2e.server import Server
from tests.e2e.sitting import Sitting

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

# Everything that is shown, with its colours; transparent grounds show the paper.
INKS = """
() => [...document.querySelectorAll('body, body *')]
  .filter((one) => one.checkVisibility() && one.getClientRects().length)
  .map((one) => { const style = getComputedStyle(one); return [one.className, style.color, style.backgroundColor]; })
"""
WHITE = ("rgba(0, 0, 0, 0)", "rgb(255, 255, 255)")


async def on_paper(page: Page) -> tuple[str, dict[str, int]]:
    """What is printed, as text, and how many sheets of A4 and of A5 it takes; checked to be black on white."""
    await page.emulate_media(media="print")
    try:
        odd = [one for one in await page.evaluate(INKS) if one[1] != "rgb(0, 0, 0)" or one[2] not in WHITE]
        assert not odd, odd
        sheets = {}
        for paper in ("A4", "A5"):
            document = await page.pdf(format=paper, prefer_css_page_size=False)
            sheets[paper] = len(re.findall(rb"/Type\s*/Page\b(?!s)", document))
        return await page.locator("body").inner_text(), sheets
    finally:
        await page.emulate_media(media="screen")


async def test_the_receipt_is_read_printed_and_held_against_the_record(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "PAPER", candidates=1)
    sitting = Sitting(pcs(server, "receipt"), exam.people[0])
    person = sitting.person
    await sitting.enter()
    single = person.first("single")
    for option in single.options[:3]:
        await sitting.give(single, option)
        await sitting.saved()
    await sitting.type_text(person.first("text"), "水跃消能，𠮷")
    await sitting.saved()
    await sitting.hand_in()
    await sitting.sees_receipt()
    page = sitting.page
    receipt = await in_record.receipt(record, person)
    digits = " ".join(re.findall("....", receipt["chain"]))
    assert receipt["count"] >= 4
    assert 0 < receipt["links"] <= receipt["count"]

    for language in ("zh", "en"):
        await expect(sitting.heading("receipt.title")).to_be_visible()
        await expect(page.locator(".receipt-chain strong")).to_have_text(digits[:19])
        for key, value in (("count", receipt["count"]), ("links", receipt["links"])):
            fact = page.locator(".fact").filter(has=page.get_by_text(sitting.words[f"receipt.{key}"], exact=True))
            await expect(fact.locator("dd")).to_have_text(str(value))
        await expect(page.get_by_text(digits, exact=True)).to_be_hidden()
        await accessible(page, f"receipt {language}")
        await in_view(page.locator(".receipt-chain strong"), sitting.button("receipt.done"))
        await nothing_scrolls(page)

        text, sheets = await on_paper(page)
        assert sheets == {"A4": 1, "A5": 1}
        for told in (
            person.name, person.ticket, "水利专业技术资格考试", receipt["answers_hash"], digits, receipt["seat"],
            sitting.words["receipt.keep"], sitting.words["receipt.paper"],
        ):  # fmt: skip
            assert told in text, f"{told} is not on the {language} sheet:\n{text}"
        for untold in (person.tail, sitting.words["receipt.done"], sitting.words["receipt.stay"]):
            assert untold not in text, f"{untold} is on the {language} sheet:\n{text}"

        # White paper also from a screen that is black.
        await page.get_by_role("button", name=sitting.words["look.contrast"], exact=True).click()
        assert await on_paper(page) == (text, sheets)
        await page.get_by_role("button", name=sitting.words["look.contrast"], exact=True).click()

        await page.evaluate("void (window.print = () => { window.__printed = (window.__printed ?? 0) + 1; })")
        await sitting.button("receipt.print").click()
        assert await page.evaluate("window.__printed") == (1 if language == "zh" else 2)
        if language == "zh":
            await page.get_by_role("button", name="Switch to English").click()
            await expect(page.locator("html")).to_have_attribute("lang", "en")
            sitting.words = await sitting.pc.words()

    # The office types what the candidate reads out.
    read_out = await page.locator(".receipt-chain strong").inner_text()
    told = await attempt_history.report(
        record, person.ticket, exam=exam.code, printed=read_out, quiet=timedelta(minutes=5), outage=timedelta(seconds=2)
    )
    assert told.proof.findings == ()
    assert told.proof.printed_link == receipt["links"]
    answers = [one.facts for one in told.events if one.kind == "revision" and one.facts["item"] == single.item]
    assert [one["shown"] for one in answers] == ["A", "B", "C"]
