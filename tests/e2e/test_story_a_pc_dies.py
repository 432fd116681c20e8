"""Story 1: a PC dies in the middle of an exam, and its candidate goes on at a spare seat.

The PC loses its network, answers pile up on its disk, and it is killed. The invigilator moves the candidate with two
clicks. At the spare seat everything that was acknowledged is there, and the time is what it was at the last activity.
The neighbour works on all the while and notices nothing. When the old PC comes back it says that it was replaced; what
it still held is kept for the office, and not one answer of it is applied.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path

import pytest
from playwright.async_api import expect
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.e2e import record as in_record
from tests.e2e.conftest import Switchboard
from tests.e2e.desk import Desk
from tests.e2e.exam import ROOM, make_exam
from tests.e2e.server import Server
from tests.e2e.sitting import Sitting, replied
from tests.e2e.waits import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

SPARE = "备1"
EXACT_MS = 1_000
WALK_S = 10


async def test_a_pc_dies_and_the_candidate_goes_on_at_a_spare_seat(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "DIES", candidates=3)
    old, neighbour = (
        Sitting(pcs(server, "old", disk=True), exam.people[0]),
        Sitting(pcs(server, "neighbour"), exam.people[1]),
    )
    person = old.person
    desk = Desk(pcs(server, "console"), exam.invigilator)
    await asyncio.gather(old.enter(), neighbour.enter(), desk.enter())
    await desk.sees("1", "answering")
    await desk.sees("3", "not_arrived")
    async with _at_work(neighbour):
        # --- the PC dies with answers in its outbox
        multiple, text = person.first("multiple"), person.first("text")
        await old.give(person.first("single"), "B")
        await old.give(multiple, ["A", "C"])
        await old.give(person.first("blank"), ["1000", "9.8"])
        await old.give(text, "流土、管涌。")
        await old.go_to(multiple)
        await old.button("exam.mark").click()
        await old.saved()
        # 已保存 speaks of answers; a mark goes with the next request.
        await until("the mark is in the record", lambda: in_record.marked(record, person))
        acknowledged = dict(old.answers)
        assert await in_record.responses(record, person) == acknowledged
        places = await old.places()
        await old.pc.unplug()
        cut_at = time.monotonic()
        unsent = {multiple.item: ["B", "D"], text.item: "流土、管涌、接触冲刷。", person.first("true_false").item: "T"}
        for item in person.paper:
            if item.item in unsent:
                await old.give(item, unsent[item.item])
        await expect(old.page.get_by_role("alert")).to_contain_text(old.words["connection.offline"])
        await old.go_to(multiple)
        assert await old.places() == places, "a message never moves an option away under a hand"
        assert (await old.pc.sights())[-1].save == "local"
        await old.pc.kill()
        before = await in_record.attempt(record, person)
        left_ms = before["end_ms"] - before["contact_ms"]

        # --- the invigilator sees it, and moves the candidate
        await desk.sees("1", "silent", within_s=30)
        await desk.open_seat("1")
        await expect(desk.page.get_by_role("heading", name=person.name)).to_be_visible()
        await desk.relog(SPARE)
        await expect(desk.seat(SPARE)).to_have_attribute("data-kind", "kept")
        leases = await in_record.leases(record, person)
        assert [lease["revoked_ms"] for lease in leases] == [None], "the click alone fences nobody"

        # --- the candidate walks there and signs in
        new = Sitting(pcs(server, "new"), person)
        await new.pc.switch_on(f"/?room={ROOM}&seat={SPARE}")
        walked_s = time.monotonic() - cut_at
        assert walked_s >= WALK_S, "a walk worth crediting"
        await new.sign_in()
        async with new.page.expect_response(replied("ready")) as heard:
            await new.confirm()
        ready = await (await heard.value).json()
        seen_at = time.monotonic()
        await new.sees_question(multiple.position)

        assert abs(ready["clock"]["remaining_ms"] - left_ms) <= EXACT_MS, "the time is what it was at the last activity"
        shown_ms = 1000 * await new.left_s() + 1000 * (time.monotonic() - seen_at)
        assert abs(shown_ms - left_ms) <= 2 * EXACT_MS, "and that is what the screen says"
        await expect(new.page.get_by_role("status").filter(has_text=new.words["exam.gap"][:6])).to_be_visible()
        await expect(new.button("exam.marked")).to_have_attribute("aria-pressed", "true")
        await new.sees_answers(acknowledged)

        await desk.sees(SPARE, "answering")
        await desk.sees("1", "empty")
        await expect(desk.page.get_by_role("status").filter(has_text=person.name)).to_be_visible()

        # --- the old PC comes back
        moved = await in_record.attempt(record, person)
        await old.pc.switch_on()
        await expect(old.heading("replaced.title")).to_be_visible()
        await expect(old.page.get_by_text(SPARE)).to_be_visible()
        kept = old.words["replaced.kept"].replace("{n}", str(len(unsent)))
        await expect(old.page.get_by_role("status").filter(has_text=kept)).to_be_visible()
        assert await in_record.stranded(record, person) == unsent, "kept for the office"
        assert await in_record.responses(record, person) == acknowledged, "and not applied"
        after = await in_record.attempt(record, person)
        for column in ("epoch", "chain", "count", "marked", "end_ms"):
            assert after[column] == moved[column], column
        await old.page.reload()
        await expect(old.heading("replaced.title")).to_be_visible()
        await old.button("replaced.done").click()
        await old.sign_in()
        await expect(old.page.get_by_role("alert")).to_contain_text(SPARE)
        assert len(await in_record.leases(record, person)) == 2, "the old PC is refused"

        # --- and the exam goes on, for both
        new.answers = dict(acknowledged)
        await new.give(multiple, ["A", "B"])
        await new.give(text, "流土、管涌、接触流土。")
        await new.saved()

    await neighbour.saved()
    assert await in_record.responses(record, neighbour.person) == neighbour.answers
    await _noticed_nothing(neighbour)
    await _the_record_tells_it(record, exam.invigilator, new, walked_s)
    await new.hand_in()
    shown = await new.sees_receipt()
    await desk.sees(SPARE, "handed_in")
    assert (await in_record.receipt(record, person))["answers_hash"] == shown
    assert await in_record.broken_audit_entry(record) is None
    for pc in (old.pc, new.pc, neighbour.pc, desk.pc):
        assert pc.server_faults() == [], pc.name


@asynccontextmanager
async def _at_work(sitting: Sitting) -> AsyncIterator[None]:
    """The candidate answers for as long as the context lasts."""
    stop = asyncio.Event()
    working = asyncio.create_task(_work(sitting, stop))
    try:
        yield
        stop.set()
        await working
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def _work(sitting: Sitting, stop: asyncio.Event) -> None:
    """Answer question after question until told to stop, then once more, so that the last word is new."""
    items = [item for item in sitting.person.paper if item.options]
    for n, item in enumerate(cycle(items)):
        option = item.options[n // len(items) % 2]
        await sitting.give(item, [option] if item.type == "multiple" else option)
        if stop.is_set():
            return


async def _noticed_nothing(sitting: Sitting) -> None:
    """No banner, no message, no other save state than the usual two, and a clock that ran like any clock."""
    seen = [sight for sight in await sitting.pc.sights() if sight.left_s is not None]
    assert len(seen) > 50
    assert {sight.connection for sight in seen} == {"online"}
    assert {sight.banner for sight in seen} == {None}
    assert {sight.message for sight in seen} == {None}
    assert {sight.save for sight in seen} <= {"empty", "local", "sending", "saved"}
    # Where the zero of the timer lies on the page's own clock: it moves by no more than digits and a tick.
    zeros = [sight.at_s + sight.left_s for sight in seen if sight.left_s is not None]
    assert max(zeros) - min(zeros) <= 2.0, f"the clock jumped: {min(zeros)} to {max(zeros)}"


async def _the_record_tells_it(record: AsyncEngine, invigilator: str, new: Sitting, walked_s: float) -> None:
    """Seat, leases, credits, relog and the audit log, as the office would read them afterwards."""
    person = new.person
    assert await in_record.responses(record, person) == new.answers
    seats = await in_record.rows(
        record,
        "SELECT now.label AS now, planned.label AS planned FROM allocation al"
        " JOIN attempt a ON a.session_id = al.session_id AND a.candidate_id = al.candidate_id"
        " JOIN seat now ON now.id = al.seat_id JOIN seat planned ON planned.id = al.planned_seat_id WHERE a.id = :a",
        a=person.attempt,
    )
    assert seats == [{"now": SPARE, "planned": person.seat}]

    first, second = await in_record.leases(record, person)
    assert (first["seat"], second["seat"]) == (person.seat, SPARE)
    assert first["revoked_ms"] == second["granted_ms"], "fenced by the sign-in, in the same moment"
    assert second["revoked_ms"] is None
    assert second["epoch"] == first["epoch"] + 1

    credited = await in_record.credited(record, person)
    assert [one["reason"] for one in credited] == ["relog", "ready"]
    assert credited[0]["to_ms"] == credited[1]["from_ms"] == second["granted_ms"], "one stretch, counted once"
    gap_ms = credited[1]["to_ms"] - credited[0]["from_ms"]
    assert gap_ms >= walked_s * 1000 - EXACT_MS

    relogs = await in_record.rows(
        record,
        "SELECT r.state, f.label AS came_from, t.label AS went_to, s.username FROM relog r JOIN seat f"
        " ON f.id = r.from_seat_id JOIN seat t ON t.id = r.to_seat_id JOIN staff s ON s.id = r.staff_id"
        " WHERE attempt_id = :a",
        a=person.attempt,
    )
    assert relogs == [{"state": "used", "came_from": person.seat, "went_to": SPARE, "username": invigilator}]
    logged = await in_record.rows(record, "SELECT action FROM audit_entry WHERE actor = :u ORDER BY n", u=invigilator)
    assert "relog.open" in [entry["action"] for entry in logged]
