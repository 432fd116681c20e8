"""The invigilator's console: a room that is alive, and a relog that can be taken back.

The candidates are driven over HTTP by the protocol of the page: what the console shows of them is the point here.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.candidates import Candidate
from tests.e2e import record as in_record
from tests.e2e.conftest import Switchboard
from tests.e2e.desk import Desk
from tests.e2e.exam import Exam, make_exam, start
from tests.e2e.eyes import accessible, in_view, nothing_scrolls
from tests.e2e.server import Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


@asynccontextmanager
async def _hall(server: Server, exam: Exam) -> AsyncIterator[list[Candidate]]:
    """The exam's candidates, over HTTP."""
    async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", trust_env=False, timeout=60) as client:
        yield [Candidate(client, person) for person in exam.people]


@asynccontextmanager
async def _beating(*candidates: Candidate) -> AsyncIterator[None]:
    """Heartbeats, as an open page sends them."""

    async def beat() -> None:
        while True:
            for candidate in candidates:
                reply = await candidate.send()
                assert reply.status_code == 200, reply.text
            await asyncio.sleep(3)

    beats = asyncio.create_task(beat())
    try:
        yield
    finally:
        beats.cancel()
        [ended] = await asyncio.gather(beats, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError), ended


async def test_the_room_shows_what_its_candidates_do(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "ROOM", candidates=6, starts_in=timedelta(minutes=10))
    desk = Desk(pcs(server, "console"), exam.invigilator)
    page = await desk.pc.switch_on("/console")
    await accessible(page, "console sign-in")
    await desk.sign_in("not the password")
    await expect(page.get_by_text(re.compile("密码|用户名")).last).to_be_visible()
    await expect(page.locator("#sign-in-fault")).to_be_visible()
    await desk.sign_in()

    await desk.sees("1", "not_arrived")
    await expect(page.locator(".clock")).to_have_attribute("data-kind", "starts")
    await expect(desk.seat("备1")).to_have_attribute("data-kind", "free")
    await accessible(page, "room before the start")
    await nothing_scrolls(page)

    async with _hall(server, exam) as (works, hands_in, falls_silent, *_):
        for candidate in (works, hands_in, falls_silent):
            assert (await candidate.sign_in()).status_code == 200
        for seat in ("1", "2", "3"):
            await desk.sees(seat, "waiting")
        async with _beating(works, hands_in, falls_silent):
            # The session begins: nobody had to write anything for the map to know.
            await start(record, exam, timedelta(seconds=2))
            for seat in ("1", "2", "3"):
                await desk.sees(seat, "answering", within_s=30)
            await expect(page.locator(".clock")).to_have_attribute("data-kind", "remains")
        single = works.person.first("single")
        assert (await works.answer(single.item, "A")).status_code == 200
        await expect(desk.seat("1")).to_have_accessible_name(re.compile("已答 1/10 题"))
        assert (
            await hands_in.send(hands_in.response(hands_in.person.first("text").item, "交了"), path="hand-in")
        ).json()["receipt"]
        async with _beating(works):
            await desk.sees("2", "handed_in")
            await desk.sees("3", "silent", within_s=30)
            await expect(page.get_by_role("button", name=re.compile("无响应")).first).to_be_visible()
            await desk.sees("1", "answering")
            await desk.sees("4", "not_arrived")
            await accessible(page, "room with a silent seat")
            await falls_silent.send()
            await desk.sees("3", "answering")

            # In English, with high contrast, it is the same room.
            await desk.in_the_other_language()
            await desk.sees("2", "handed_in")
            await expect(desk.seat("1")).to_have_accessible_name(re.compile("1"))
            await page.get_by_role("button", name=desk.words["look.contrast"], exact=True).click()
            await accessible(page, "room in English with high contrast")
    assert desk.pc.server_faults() == []


async def test_a_relog_is_two_clicks_and_can_be_taken_back(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "MOVE", candidates=4)
    desk = Desk(pcs(server, "console"), exam.invigilator)
    async with _hall(server, exam) as (candidate, *_):
        assert (await candidate.sign_in()).status_code == 200
        person = candidate.person
        item = person.first("single").item
        await desk.enter()
        page = desk.page

        # By mouse: open, move, take back. The PC in use was never disturbed.
        await desk.open_seat("1")
        await accessible(page, "panel")
        await desk.button("relog.open").click()
        confirm = desk.button("move.confirm", seat="备1")
        await expect(confirm).to_be_focused()
        await in_view(confirm)
        await accessible(page, "relog form")
        await confirm.click()
        await desk.sees("备1", "kept")
        await expect(desk.seat("1")).to_have_attribute("data-moving", "yes")
        await accessible(page, "relog pending")
        assert (await candidate.answer(item, "A")).json()["durability"] == "durable"
        await desk.button("relog.withdraw").click()
        await desk.sees("备1", "free")
        await expect(desk.seat("1")).not_to_have_attribute("data-moving", "yes")
        assert (await candidate.answer(item, "B")).json()["durability"] == "durable"
        stranger = Candidate(candidate.client, person)
        assert (await stranger.sign_in()).json()["code"] == "lease-held"

        # By keyboard, in English, to the other spare seat.
        await desk.in_the_other_language()
        await desk.find(person.ticket.lower())
        await expect(page.get_by_role("heading", name=person.name)).to_be_focused()
        await page.keyboard.press("Tab")
        await expect(page.locator(".panel-close")).to_be_focused()
        await page.keyboard.press("Tab")
        await expect(desk.button("relog.open")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(desk.button("move.confirm", seat="备1")).to_be_focused()
        await page.get_by_role("radio", name="备2").check()
        await desk.button("move.confirm", seat="备2").focus()
        await accessible(page, "relog form in English")
        await page.keyboard.press("Enter")
        await desk.sees("备2", "kept")

        # The wrong spare seat is told the right one, and the right one takes over.
        newcomer = Candidate(candidate.client, person)
        wrong = await newcomer.sign_in(seat={"room": "第01考室", "seat": "备1"})
        assert wrong.json()["code"] == "wrong-seat"
        assert (await newcomer.sign_in(seat={"room": "第01考室", "seat": "备2"})).status_code == 200
        await desk.sees("备2", "answering")
        await expect(page.get_by_role("status").filter(has_text=person.name)).to_be_visible()
        assert (await newcomer.state())["responses"][str(item)]["value"] == "B"
        assert (await candidate.answer(item, "C")).json()["code"] == "superseded"

        # The panel went along with the candidate; the same seat again is one click there.
        await expect(desk.seat("备2")).to_have_attribute("aria-pressed", "true")
        await desk.button("relog.same").click()
        await expect(desk.seat("备2")).to_have_attribute("data-moving", "yes")
        rebooted = Candidate(candidate.client, person)
        assert (await rebooted.sign_in()).status_code == 200
        await expect(desk.seat("备2")).not_to_have_attribute("data-moving", "yes")
        assert (await rebooted.state())["responses"][str(item)]["value"] == "B"
        assert len(await in_record.leases(record, person)) == 3

    # A spare seat whose PC does not work is no longer offered.
    await desk.open_seat("备1")
    await desk.button("spare.broken").click()
    await desk.button("spare.fault.boot").click()
    await desk.sees("备1", "broken")
    actions = await in_record.rows(
        record, "SELECT action FROM audit_entry WHERE actor = :u ORDER BY n", u=exam.invigilator
    )
    assert [entry["action"] for entry in actions if entry["action"].startswith(("relog", "seat"))] == [
        "relog.open", "relog.withdraw", "relog.open", "relog.open", "seat.mark",
    ]  # fmt: skip
    assert await in_record.broken_audit_entry(record) is None
    assert desk.pc.server_faults() == []
