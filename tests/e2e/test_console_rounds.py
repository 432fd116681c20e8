"""The office's desk for what an hour does not mend: defer, allocate, swap and move, each seen before it is confirmed.

An exam in three rounds, the first of which runs; of those whom a decision is about one has the page open.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import expect
from sqlalchemy.ext.asyncio import AsyncEngine

from app.secrets import site_secret
from app.services import staff_accounts
from tests import factories
from tests.e2e import record as in_record
from tests.e2e.conftest import Switchboard
from tests.e2e.exam import PASSWORD, Person
from tests.e2e.eyes import accessible, in_view, nothing_scrolls
from tests.e2e.server import Server
from tests.e2e.sitting import Sitting
from tests.e2e.time_desk import PATIENT_MS, TimeDesk
from tests.rounds_exam import Rounds, exam_in_rounds

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

NUMBER, TEXT = "考务〔2026〕12 号", "机房停电，当日无法恢复，经研究决定。"
MINUTE_MS = 60_000


class RoundsDesk(TimeDesk):
    """The timing desk with swapping, moving and deferring open."""

    async def put(self, kind: str, **fields: str) -> None:
        """Choose what, to where, and by which decision."""
        await self.choose("mode", "rounds")
        await self.choose("round", kind)
        for name, value in {"number": NUMBER, "text": TEXT, **fields}.items():
            if name == "other":
                await self.field(name).select_option(value)
            else:
                await self.field(name).fill(value)

    async def about(self, *people: Person) -> None:
        await self.choose("scope", "list")
        await self.page.locator(".scope-list textarea").fill("\n".join(person.ticket for person in people))

    async def settle(self, *says: str) -> None:
        """See the effect, which ``says`` this in words and numbers; confirm once; it is told again as done."""
        effect = await self.look()
        sentence = effect.locator(".effect-sentence")
        for words in says:
            await expect(sentence).to_contain_text(words)
        await nothing_scrolls(self.page)
        await in_view(effect.locator(".button-large").first)
        seen = await sentence.inner_text()
        await self.confirm()
        await expect(self.page.locator(".timing-told p")).to_contain_text(seen)


async def test_defer_allocate_swap_and_move_are_seen_confirmed_once_and_told(
    server: Server, record: AsyncEngine, pcs: Switchboard
) -> None:
    now = await in_record.service_ms(record)
    starts = (now, now + 20 * MINUTE_MS, now + 25 * MINUTE_MS)
    secret = site_secret(server.settings)
    exam = await exam_in_rounds(record, secret, rooms=2, seats=6, filled=2, anchor=starts)
    deferred, moved = (_person(exam.people[0][n]) for n in (0, 2))
    waiting = _person(exam.people[1][0])
    async with record.begin() as conn:
        await staff_accounts.create(conn, username="rounds-office", name="苏望舒", role="office", password=PASSWORD)
    desk = RoundsDesk(pcs(server, "office"), "rounds-office")
    ill, early, dark = (
        Sitting(pcs(server, name), who) for name, who in (("ill", deferred), ("early", waiting), ("dark", moved))
    )
    second, third = (str(session) for session in exam.sessions[1:])
    await asyncio.gather(desk.open_time(exam.rooms[0], exam.sessions[0]), ill.enter(), dark.enter(), _wait(early))

    # Deferred: looked at, thought over, and still there as it was typed; then done.
    await desk.put("defer")
    await desk.about(deferred)
    await desk.look()
    await desk.page.keyboard.press("Escape")
    await expect(desk.page.locator(".effect")).to_have_count(0)
    await expect(desk.field("number")).to_have_value(NUMBER)
    assert await _decisions(record, exam) == []
    await desk.settle("第 1 场 1 个考室、1 人作缓考处理", "其中 1 人已开始作答")
    await _told(ill, "您的本场考试已由考务办公室作缓考处理，已作答的内容全部保留")
    assert (await in_record.attempt(record, deferred))["end_reason"] == "deferred"

    await desk.put("allocate", other=third)
    await desk.about(deferred)
    await desk.settle("1 人由第 1 场改到第 3 场", "1 份新试卷")
    # Their page was closed with the attempt. Who comes back to it finds the session they are in now.
    await ill.button("receipt.done").click()
    await ill.sign_in()
    await expect(ill.heading("identity.title")).to_be_visible()
    await expect(ill.page.get_by_text("第3场", exact=True)).to_be_visible()

    # A room without light goes to the next round. While somebody answers there it does not: it is paused first.
    await desk.put("move", other=second)
    await desk.choose("scope", "room")
    await desk.page.locator(".map-room").nth(1).click()
    await desk.button("timing.look").click()
    await expect(desk.page.locator(".decide .note-bad")).to_contain_text(moved.ticket, timeout=PATIENT_MS)
    await desk.choose("mode", "time")
    await desk.field("reason").select_option("power")
    await desk.settle("1 个考室、2 人")
    await desk.put("move", other=second)
    await desk.choose("scope", "room")
    await desk.page.locator(".map-room").nth(1).click()
    await desk.settle("1 个考室、2 人由第 1 场改到第 2 场")
    await _told(dark, "您的考试已由考务办公室调整到第 2 场")

    # Two rounds change places; who waits for the one waits for the other.
    await desk.page.locator(".timing-head select").select_option(second)
    await expect(desk.page.locator(".timeline")).to_be_visible(timeout=PATIENT_MS)
    await desk.put("swap", other=third)
    await desk.settle("第 2 场与第 3 场对调", "人改到第 3 场", "人改到第 2 场")
    await _told(early, "您的考试已由考务办公室调整到第 3 场")
    await desk.tab("decisions").click()
    await expect(desk.page.locator(".proposal").first).to_contain_text(NUMBER, timeout=PATIENT_MS)
    await accessible(desk.page, "decisions on rounds")

    assert [one["kind"] for one in await _decisions(record, exam)] == ["defer", "move", "move", "swap"]
    assert {(one["number"], one["text"]) for one in await _decisions(record, exam)} == {(NUMBER, TEXT)}
    audited = await in_record.rows(
        record, "SELECT action FROM audit_entry WHERE action LIKE 'rounds.%' AND actor = 'rounds-office' ORDER BY n"
    )
    assert [one["action"] for one in audited] == ["rounds.defer", "rounds.allocate", "rounds.move", "rounds.swap"]
    assert await in_record.broken_audit_entry(record) is None
    assert desk.pc.server_faults() == []


def _person(one: factories.Person) -> Person:
    return Person(one.ticket, one.tail, f"考生{one.ticket}", "", one.attempt, ())


async def _wait(sitting: Sitting) -> None:
    """At the PC before the session begins."""
    await sitting.pc.switch_on()
    await sitting.sign_in()
    await sitting.confirm()


async def _told(sitting: Sitting, words: str) -> None:
    await expect(sitting.page.locator(".message", has_text=re.compile(re.escape(words)))).to_be_visible(
        timeout=PATIENT_MS
    )


async def _decisions(record: AsyncEngine, exam: Rounds) -> list[dict[str, Any]]:
    return await in_record.rows(
        record, "SELECT kind, number, text FROM decision WHERE exam_id = :e ORDER BY id", e=exam.exam_id
    )
