"""What a page lives through on its own: a PC that reboots, a second window, and the end of the time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import expect
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.e2e import record as in_record
from tests.e2e.conftest import Switchboard
from tests.e2e.exam import Exam, make_exam, start
from tests.e2e.eyes import accessible
from tests.e2e.server import Server
from tests.e2e.sitting import Sitting

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


async def test_a_pc_that_reboots_goes_on_by_itself_and_sends_what_its_disk_held(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "REBOOT", candidates=2)
    sitting = Sitting(pcs(server, "reboots", disk=True), exam.people[0])
    person = sitting.person
    await sitting.enter()
    await sitting.give(person.first("single"), "A")
    await sitting.saved()
    await sitting.pc.unplug()
    await sitting.give(person.first("single"), "D")
    await sitting.give(person.first("text"), "只在这台电脑的磁盘上")
    await sitting.give(person.first("blank"), ["8", ""])
    await sitting.on_disk()
    await sitting.pc.kill()

    # Nobody signs in again and nobody is called: the same browser finds its own lease and its own answers.
    await sitting.pc.switch_on()
    await sitting.sees_question(person.first("blank").position)
    await sitting.saved()
    assert await in_record.responses(record, person) == sitting.answers
    await sitting.sees_answers(sitting.answers)
    assert len(await in_record.leases(record, person)) == 1
    assert await in_record.credited(record, person) == [], "a candidate who goes silent alone is charged"

    # A second window of the same browser waits, takes over when it is told to, and the first one then waits.
    second = await sitting.page.context.new_page()
    await second.goto("/")
    here = second.get_by_role("button", name=sitting.words["elsewhere.take"])
    await expect(here).to_be_visible()
    await accessible(second, "open elsewhere")
    await sitting.give(person.first("single"), "B")
    await sitting.saved()
    await here.click()
    await expect(second.locator("#question-title")).to_be_visible()
    await expect(sitting.heading("elsewhere.title")).to_be_visible()
    await second.locator(f'aside button:text-is("{person.first("single").position}")').click()
    await expect(second.locator('.question [data-option="B"]')).to_have_attribute("aria-checked", "true")
    await second.locator('.question [data-option="C"]').click()
    await expect(second.locator("[data-save]")).to_have_attribute("data-save", "saved")
    assert (await in_record.responses(record, person))[person.first("single").item] == "C"


async def test_the_time_runs_out_for_one_who_writes_and_for_one_who_is_cut_off(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "ENDS", candidates=2, starts_in=timedelta(minutes=10))
    writes, cut_off = (
        Sitting(pcs(server, name), person) for name, person in zip(("writes", "cut-off"), exam.people, strict=True)
    )
    for sitting in (writes, cut_off):
        await sitting.pc.switch_on()
        await sitting.sign_in()
        await sitting.confirm()
    await _shorten(record, exam, seconds=20)
    await start(record, exam, timedelta(seconds=1))
    for sitting in (writes, cut_off):
        await sitting.sees_question(1, within_s=20)
        await sitting.give(sitting.person.first("single"), "A")
        await sitting.saved()
    await cut_off.pc.unplug()
    await cut_off.give(cut_off.person.first("single"), "C")
    await cut_off.give(cut_off.person.first("true_false"), "T")

    # One writes until there is nothing left to write in; what had been typed by then counts.
    await writes.go_to(writes.person.first("text"))
    await writes.page.get_by_role("textbox").focus()
    typed = 0
    while await writes.page.get_by_role("textbox").count():
        await writes.page.keyboard.insert_text("水")
        typed += 1
        await asyncio.sleep(0.2)  # the speed of a hand
    await expect(writes.heading("receipt.titleTime")).to_be_visible(timeout=60_000)
    await expect(writes.page.locator(".receipt")).to_contain_text(writes.words["receipt.timeOut"])
    await accessible(writes.page, "receipt after the time was up")
    stored = await in_record.responses(record, writes.person)
    written = stored.pop(writes.person.first("text").item)
    assert set(written) == {"水"}
    assert typed - 8 <= len(written) <= typed, "all but what was typed as the time was over"
    assert stored == {writes.person.first("single").item: "A"}

    # The other typed before the end and is heard after it, within the grace: it counts, and is flagged.
    await cut_off.pc.plug_in()
    await expect(cut_off.heading("receipt.titleTime")).to_be_visible(timeout=60_000)
    assert await in_record.responses(record, cut_off.person) == cut_off.answers
    late = await in_record.rows(
        record, "SELECT item_id FROM response WHERE attempt_id = :a AND late", a=cut_off.person.attempt
    )
    assert {row["item_id"] for row in late} == set(cut_off.answers)
    for sitting in (writes, cut_off):
        row = await in_record.attempt(record, sitting.person)
        assert (row["state"], row["end_reason"], row["ended_ms"]) == ("final", "time_out", row["end_ms"])
        aside = await in_record.rows(
            record, "SELECT at_ms FROM stranded WHERE attempt_id = :a", a=sitting.person.attempt
        )
        assert all(one["at_ms"] >= row["ended_ms"] for one in aside), "only what was typed after the end is set aside"
        assert sitting.pc.server_faults() == []


async def _shorten(record: AsyncEngine, exam: Exam, *, seconds: int) -> None:
    """A session no roster would hold, so that its end can be waited for."""
    async with record.begin() as conn:
        given = {"ms": seconds * 1000, "s": exam.session_id}
        await conn.execute(text("UPDATE session SET duration_ms = :ms WHERE id = :s"), given)
        await conn.execute(text("UPDATE attempt SET allotted_ms = :ms WHERE session_id = :s"), given)
