"""Story 2: the power goes in the middle of an exam, and comes back.

``kill -9`` of every process of the server at once: supervisor, API workers, worker, PostgreSQL, Redis. The pages stay
open. One candidate is in the middle of a sentence, another hands in while nothing is there to take it. Twenty seconds
later the same command starts everything again on what is on the disk. Then nobody may have lost an answer or a second.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import pytest
from playwright.async_api import expect
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.e2e import record as in_record
from tests.e2e.conftest import Switchboard
from tests.e2e.exam import make_exam
from tests.e2e.server import Server
from tests.e2e.sitting import Sitting, replied
from tests.e2e.waits import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

AWAY_S = 20.0
# DESIGN §5: the counter may stand one step behind what a page counted, and digits are rounded up.
STEP_MS, ROUNDING_MS = 1_000, 1_000
MOST_CREDIT_MS = 60_000


async def test_power_goes_and_comes_back_and_nobody_lost_an_answer_or_a_second(
    own_server: Server, engine_of: Callable[[Server], AsyncEngine], pcs: Switchboard, tmp_path: Path
) -> None:
    server = own_server
    await asyncio.to_thread(server.start)
    engine = engine_of(server)
    exam = await make_exam(server, engine, tmp_path, "POWER", candidates=3)
    lin, ou = Sitting(pcs(server, "lin"), exam.people[0]), Sitting(pcs(server, "ou"), exam.people[1])
    await asyncio.gather(lin.enter(), ou.enter())
    for sitting in (lin, ou):
        for kind, value in (("single", "B"), ("multiple", ["A", "D"]), ("true_false", "T"), ("blank", ["1000", ""])):
            await sitting.give(sitting.person.first(kind), value)
        await sitting.saved()
    ends = {sitting: (await in_record.attempt(engine, sitting.person))["end_ms"] for sitting in (lin, ou)}
    await engine.dispose()

    # --- the power goes while somebody writes
    writing = asyncio.create_task(
        lin.type_text(lin.person.first("text"), "渗流破坏的主要型式：管涌、流土、接触冲刷。" * 4)
    )
    await until("the text is being written", lambda: lin.page.locator(".question textarea").input_value())
    looked_at = time.monotonic()
    shown_ms = {sitting: 1000 * await sitting.left_s() for sitting in (lin, ou)}
    killed = await asyncio.to_thread(server.power_cut)
    cut_at = time.monotonic()
    # The service counts until its last process is dead; the digits were read before the first one was.
    dying_ms = 1000 * (cut_at - looked_at)
    assert killed["redis-server"] == 1
    assert killed["postgres"] > 5
    assert killed["python"] >= 4, "the supervisor, two API processes and the worker"
    assert not writing.done(), "the power went in the middle of a sentence"
    await writing

    # --- the pages go on, and say the right one of the two things
    for sitting in (lin, ou):
        banner = sitting.page.locator(".connection-line")
        await expect(banner).to_contain_text(sitting.words["connection.away"], timeout=40_000)
        await expect(sitting.page.get_by_role("alert")).to_have_count(0)
    await ou.give(ou.person.first("text"), "写在没有服务器的时候。")
    await ou.give(ou.person.first("single"), "C")
    await ou.hand_in()
    await expect(ou.page.get_by_role("status").filter(has_text=ou.words["handIn.busy.away"])).to_be_visible()
    await lin.give(lin.person.first("multiple"), ["B", "C"])
    singles = [item for item in lin.person.paper if item.type == "single"]
    for item, option in cycle(zip(singles, "ABCD", strict=True)):
        await lin.give(item, option)
        if time.monotonic() - cut_at >= AWAY_S:
            break
    await lin.give(singles[0], "D")
    assert (await lin.pc.sights())[-1].save == "local", "on this PC's disk, and nothing more is claimed"

    # --- everything is started again on what is on the disk
    async with lin.page.expect_response(replied("checkpoints"), timeout=90_000) as first:
        await asyncio.to_thread(server.start)
    reply = await (await first.value).json()
    await lin.saved(within_s=30)
    await ou.sees_receipt(within_s=45)
    await expect(lin.page.locator("[data-connection]")).to_have_attribute("data-connection", "online")

    engine = engine_of(server)
    terms = await in_record.rows(engine, "SELECT n, lineage_n, start_ms, gap_ms FROM term ORDER BY n")
    assert {term["lineage_n"] for term in terms} == {terms[0]["lineage_n"]}, "a power cut begins no new lineage"
    assert terms[-1]["gap_ms"] >= AWAY_S * 1000

    # Nobody lost an answer: the record holds what was given last, before and during, and nothing was put aside.
    for sitting in (lin, ou):
        assert await in_record.responses(engine, sitting.person) == sitting.answers
        assert await in_record.stranded(engine, sitting.person) == {}

    # Nobody lost a second: the counter stood at what the pages showed when the power went, and the time up to the
    # first acknowledgement is credited to each of them. From there on it counts, also while a reply is on its way.
    clock = reply["clock"]
    acknowledged_ms = (await in_record.credited(engine, lin.person))[0]["to_ms"]
    left_ms = clock["remaining_ms"] + clock["service_ms"] - acknowledged_ms
    assert left_ms >= shown_ms[lin] - dying_ms - ROUNDING_MS - STEP_MS, (
        f"{left_ms} ms left, {shown_ms[lin]} shown {dying_ms:.0f} ms before the end"
    )
    assert clock["remaining_ms"] <= shown_ms[lin] + MOST_CREDIT_MS
    for sitting in (lin, ou):
        stood_ms = ends[sitting] - terms[-1]["start_ms"]
        assert -dying_ms - ROUNDING_MS - STEP_MS <= stood_ms - shown_ms[sitting] <= STEP_MS
        credited = await in_record.credited(engine, sitting.person)
        assert [one["reason"] for one in credited] == ["reconnect"]
        assert credited[0]["from_ms"] == terms[-1]["start_ms"]
        assert 0 <= credited[0]["to_ms"] - credited[0]["from_ms"] <= MOST_CREDIT_MS
        moved_ms = (await in_record.attempt(engine, sitting.person))["end_ms"] - ends[sitting]
        assert moved_ms == credited[0]["to_ms"] - credited[0]["from_ms"]
    told = [part for part in clock["because"] if part["kind"] == "outage"]
    assert told, "the page can say why the end is later"
    now_ms = await in_record.service_ms(engine)
    truth_ms = (await in_record.attempt(engine, lin.person))["end_ms"] - now_ms
    assert abs(1000 * await lin.left_s() - truth_ms) <= ROUNDING_MS + STEP_MS

    # --- and the exam goes on
    await lin.give(lin.person.first("true_false"), "F")
    await lin.saved()
    await lin.hand_in()
    shown = await lin.sees_receipt()
    assert await in_record.responses(engine, lin.person) == lin.answers
    assert (await in_record.receipt(engine, lin.person))["answers_hash"] == shown
    for sitting in (lin, ou):
        seen = {sight.connection for sight in await sitting.pc.sights()}
        assert "server-away" in seen
        assert "pc-offline" not in seen, "a hall of raised hands for a server that was away"
    assert await in_record.broken_audit_entry(engine) is None
