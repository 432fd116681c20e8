"""The office decides about time while a candidate sits: what the open page does, on the real service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import staff_accounts
from tests.e2e import record as in_record
from tests.e2e.conftest import Switchboard
from tests.e2e.exam import PASSWORD, Exam, make_exam
from tests.e2e.eyes import accessible
from tests.e2e.server import Server
from tests.e2e.sitting import Sitting
from tests.e2e.waits import until
from tests.staff import Staff

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

PATIENT_MS = 60_000


class Office(Staff):
    """The exam office by its own calls; what its desk looks like is told in ``test_console_time``."""

    async def decide(self, exam: Exam, action: str, *, reason: str = "power", kind: str = "room", **more) -> int:
        """The id of the notice that tells it."""
        scope = {"session": exam.session_id, "kind": kind, **({"rooms": [exam.room_id]} if kind == "room" else {})}
        scope |= more.pop("scope", {})
        body = {"action": action, "scope": scope, "reason": reason, "note": "浏览器测试", **more}
        reply = await self.post("/time/actions", body)
        assert reply.status_code == 200, reply.text
        return int(reply.json()["notice"])

    async def shown(self, notice: int) -> tuple[int, int]:
        reply = await self.get(f"/time/notices/{notice}")
        assert reply.status_code == 200, reply.text
        return reply.json()["shown"], reply.json()["of"]


@asynccontextmanager
async def office_of(server: Server, record: AsyncEngine, exam: Exam) -> AsyncIterator[Office]:
    username = exam.invigilator.replace("invigilator", "office")
    async with record.begin() as conn:
        await staff_accounts.create(conn, username=username, name="苏望舒", role="office", password=PASSWORD)
    async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", trust_env=False, timeout=60) as client:
        office = Office(client, username, PASSWORD)
        reply = await office.sign_in()
        assert reply.status_code == 200, reply.text
        yield office


async def markup(page: Page) -> str:
    """Everything that is in the document, shown or not, with what stands in its fields."""
    return str(
        await page.evaluate(
            """document.documentElement.outerHTML
            + [...document.querySelectorAll('input, textarea')].map((one) => one.value).join()"""
        )
    )


async def test_a_pause_takes_the_paper_off_the_page_and_a_resume_brings_the_candidate_back(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "PAUSE", candidates=2)
    sitting = Sitting(pcs(server, "paused"), exam.people[0])
    await sitting.enter()
    essay = sitting.person.first("text")
    await sitting.type_text(essay, "先撤离再抢险")
    for _ in range(3):
        await sitting.page.keyboard.press("ArrowLeft")
    await sitting.saved()
    async with office_of(server, record, exam) as office:
        notice = await office.decide(exam, "pause")
        await expect(sitting.heading("exam.paused")).to_be_visible(timeout=PATIENT_MS)
        there = await markup(sitting.page)
        for item in sitting.person.paper:
            assert item.stem[:12] not in there, f"question {item.position} can still be read"
        assert "先撤离" not in there
        assert await sitting.page.locator(".cell, [data-option], .question, .exam-hand-in").count() == 0
        await expect(sitting.heading("exam.paused")).to_be_focused()
        await expect(sitting.page.locator(".message")).to_contain_text(sitting.words["messages.office"])
        await accessible(sitting.page, "paused")
        left_s = await sitting.left_s()
        await sitting.page.keyboard.type("不能写A1")
        await sitting.page.keyboard.press("PageUp")
        # The other has never signed in, and has no page.
        await until("the page's receipt", lambda: office.shown(notice), good=lambda seen: seen == (1, 1))
        await sitting.page.wait_for_timeout(2500)
        assert await sitting.left_s() == left_s, "the clock stands"

        resumed = await office.decide(exam, "resume")
        await sitting.sees_question(essay.position)
        caret = await sitting.page.evaluate(
            "({ tag: document.activeElement.tagName, text: document.activeElement.value,"
            " at: document.activeElement.selectionStart })"
        )
        assert caret == {"tag": "TEXTAREA", "text": "先撤离再抢险", "at": 3}
        await sitting.page.keyboard.insert_text("人员，")
        sitting.answers[essay.item] = "先撤离人员，再抢险"
        await sitting.saved()
        assert await in_record.responses(record, sitting.person) == sitting.answers
        await until("the second receipt", lambda: office.shown(resumed), good=lambda seen: seen == (1, 1))

        await sitting.page.locator(".exam-timer summary").click()
        why = sitting.page.locator(".time-why-line")
        await expect(why).to_contain_text("考室断电")
        await expect(why).to_contain_text("结束时间")
        await accessible(sitting.page, "why this end time")
    assert sitting.pc.server_faults() == []
    assert sitting.pc.broken == []


async def test_a_paper_handed_in_by_mistake_comes_back_to_the_same_page(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "REOPEN", candidates=2)
    sitting = Sitting(pcs(server, "reopened"), exam.people[0])
    await sitting.enter()
    first, last = sitting.person.first("single"), sitting.person.first("true_false")
    await sitting.give(first, "A")
    await sitting.saved()
    await sitting.hand_in()
    await sitting.sees_receipt()
    async with office_of(server, record, exam) as office:
        whom = {"tickets": [sitting.person.ticket]}
        await office.decide(exam, "reopen", reason="other", kind="candidate", scope=whom)
        await sitting.sees_question(first.position, within_s=90)
        await expect(sitting.page.locator(".message").first).to_be_visible()
        await sitting.give(last, "T")
        await sitting.saved()
        assert await in_record.responses(record, sitting.person) == sitting.answers
        assert len(await in_record.leases(record, sitting.person)) == 1, "nobody signed in again"
        await sitting.hand_in()
        await sitting.sees_receipt()
    row = await in_record.attempt(record, sitting.person)
    assert (row["state"], row["end_reason"], row["receipt"]["answered"]) == ("final", "hand_in", 2)
    assert sitting.pc.broken == []
