"""Story: a room is cut off, a PC dies while its room is paused, everybody gets more time, each a minute more than the
one before; and each of three candidates in two rooms is let write to the second that the model says.

The model is the simplest there is: it walks through the session millisecond by millisecond and charges those of which
nobody said that they are free. Whoever was told of a change was told by the page: what changed, why, and the line that
adds up. The neighbour in the other room notices nothing but what everybody gets.

So that nobody waits for an hour, the service's counter is set on to shortly before each end: to everybody it is later.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import expect
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain import clock
from app.services import staff_accounts
from app.storage.postgres.adjustments import load
from tests.e2e import record as in_record
from tests.e2e.conftest import Switchboard, a_server
from tests.e2e.exam import PASSWORD, ROOM, Exam, make_exam
from tests.e2e.server import Server
from tests.e2e.sitting import Sitting, replied
from tests.e2e.waits import until
from tests.staff import Staff

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

SPARE = "备1"
# Two heartbeats: a busy machine makes no seat silent.
SILENT_AFTER = "20"
ACTIONS = "/time/actions"
MORE_MS = 30_000
# Between one end and the next: the next page is still to be written on when the one before has shown its receipt.
APART_MS = 60_000
# What the page may show beside what the record says at that moment: digits, a reply's way, a tick.
SHOWN_MS = 3_000
# An answer brings the open page a reply with the time as it is now.
BEFORE_THE_END_MS = 20_000
PATIENT_S = 90.0


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One of its own, in which two seats that fall silent are a room."""
    with a_server(silent_after=SILENT_AFTER, loss_least="2", workers="1") as made:
        made.start()
        yield made


@dataclass
class Free:
    """The stretches of service time that somebody said are not charged, and what was given on top."""

    stretches: list[tuple[int, int]] = field(default_factory=list)
    more_ms: int = 0

    def end(self, start_ms: int, allotted_ms: int) -> int:
        """Millisecond by millisecond."""
        now, left = start_ms, allotted_ms + self.more_ms
        while left > 0:
            free = any(begins <= now < ends for begins, ends in self.stretches)
            left -= 0 if free else 1
            now += 1
        return now


async def test_three_candidates_in_two_rooms_end_at_the_second_the_model_says(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "TIME3", candidates=3, rooms=2, minutes=10)
    stays, neighbour, moves = (
        Sitting(pcs(server, name, disk=name == "moves"), person)
        for name, person in zip(("stays", "neighbour", "moves"), exam.people, strict=True)
    )
    free = {sitting.person.ticket: Free() for sitting in (stays, neighbour, moves)}
    await asyncio.gather(stays.enter(), neighbour.enter(), moves.enter())
    async with _office(server, record, exam) as office:
        # --- the room is cut off, and the office approves what was measured
        cut = (stays, moves)
        for sitting in cut:
            await sitting.give(sitting.person.first("single"), "A")
            await sitting.saved()
            await sitting.pc.unplug()
        lost = await office.proposed(going=True)
        for sitting in cut:
            await expect(sitting.page.get_by_role("alert")).to_contain_text(sitting.words["connection.offline"])
            await sitting.pc.plug_in()
        lost = await office.proposed(going=False)
        assert lost["candidates"] == len(cut)
        done = await office.did(f"/time/proposals/{lost['id']}/approve", {"reason": "power", "note": "跳闸"})
        assert done["proposal"]["state"] == "approved"
        for sitting in cut:
            free[sitting.person.ticket].stretches.append((done["entry"]["from_ms"], done["entry"]["to_ms"]))
            await _is_told(sitting, "断电")

        # --- a PC dies; while its candidate walks, the room is paused and goes on
        await stays.give(stays.person.first("text"), "流土")
        await stays.saved()
        await moves.pc.kill()
        heard = await in_record.attempt(record, moves.person)
        paused = (await office.did(ACTIONS, office.action("pause", exam.room_id, reason="disturbance")))["entry"]
        await expect(stays.page.get_by_role("heading", name=stays.words["exam.paused"])).to_be_visible()
        await expect(stays.page.locator("#question-title, .question, textarea")).to_have_count(0)
        stood = await stays.left_s()
        spare = await in_record.rows(
            record, "SELECT id FROM seat WHERE room_id = :r AND label = :l", r=exam.room_id, l=SPARE
        )
        reply = await office.staff.relog(moves.person.attempt, to_seat_id=spare[0]["id"])
        assert reply.status_code == 200, reply.text
        await asyncio.sleep(3)  # a pause that lasts
        assert await stays.left_s() == stood, "a paused clock stands"
        resumed = (await office.did(ACTIONS, office.action("resume", exam.room_id, reason="")))["entry"]
        free[stays.person.ticket].stretches.append((paused["from_ms"], resumed["to_ms"]))
        free[moves.person.ticket].stretches.append((paused["from_ms"], resumed["to_ms"]))
        field_ = stays.page.get_by_role("textbox", name=stays.words["exam.text"], exact=True)
        await expect(field_).to_be_focused()
        await expect(field_).to_have_value("流土")
        moved = Sitting(pcs(server, "spare"), moves.person)
        await moved.pc.switch_on(f"/?room={ROOM}&seat={SPARE}")
        await moved.sign_in()
        async with moved.page.expect_response(replied("ready")) as answer:
            await moved.confirm()
        ready = await (await answer.value).json()
        await moved.sees_question(moves.person.first("single").position)
        gap = await in_record.credited(record, moves.person)
        walked = [one for one in gap if one["reason"] in ("relog", "ready")]
        assert walked[0]["from_ms"] <= paused["from_ms"] < resumed["to_ms"] <= walked[-1]["to_ms"], "inside the gap"
        assert walked[0]["from_ms"] >= heard["contact_ms"] - 1
        assert ready["clock"]["state"] == "running"
        free[moves.person.ticket].stretches += [(one["from_ms"], one["to_ms"]) for one in walked]

        # --- everybody gets half a minute more, the paused room a minute on top, and who had to walk another
        sittings = (neighbour, stays, moved)
        await office.did(ACTIONS, office.action("extend", None, reason="disturbance", ms=MORE_MS))
        await office.did(ACTIONS, office.action("extend", exam.room_id, reason="disturbance", ms=APART_MS))
        alone = {"session": exam.session_id, "kind": "candidate", "attempt": str(moved.person.attempt)}
        await office.did(ACTIONS, office.action("extend", None, reason="disturbance", ms=APART_MS) | {"scope": alone})
        for more, sitting in enumerate(sittings):
            free[sitting.person.ticket].more_ms = MORE_MS + more * APART_MS
            await _is_told(sitting, "延长")

        # --- what the model says, the ledger, the record and the page say too
        ends = {}
        for sitting in sittings:
            ends[sitting.person.ticket] = await _all_say_the_same(record, office, sitting, free[sitting.person.ticket])
        assert len(set(ends.values())) == 3, "three different ends"

        # --- and there they end
        for sitting in sorted(sittings, key=lambda one: ends[one.person.ticket]):
            await _shortly_before(record, ends[sitting.person.ticket])
            await sitting.give(sitting.person.first("true_false"), "T")
            await expect(sitting.heading("receipt.titleTime")).to_be_visible(timeout=PATIENT_S * 1000)
            await _ended_there(record, sitting, ends[sitting.person.ticket])
    for sitting in (neighbour, stays, moved, moves):
        assert sitting.pc.server_faults() == [], sitting.pc.name
    assert {sight.connection for sight in await neighbour.pc.sights() if sight.left_s is not None} == {"online"}
    assert await in_record.broken_audit_entry(record) is None


# --- the office


@dataclass
class Office:
    staff: Staff
    exam: Exam

    def action(self, kind: str, room: int | None, **more: Any) -> dict[str, Any]:
        scope: dict[str, Any] = {"session": self.exam.session_id, "kind": "site"}
        if room is not None:
            scope |= {"kind": "room", "rooms": [room]}
        return {"action": kind, "scope": scope, **more}

    async def did(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        reply = await self.staff.post(path, body)
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    async def proposed(self, *, going: bool) -> dict[str, Any]:
        """The loss that is proposed, once it still goes on, or no longer does."""

        async def look() -> list[dict[str, Any]]:
            reply = await self.staff.get("/time/proposals", session=self.exam.session_id)
            assert reply.status_code == 200, reply.text
            listed = reply.json()["proposals"]
            return [one for one in listed if one["kind"].endswith("-loss") and one["state"] == "open"]

        found = await until(
            f"a loss, going on: {going}", look, within=PATIENT_S,
            good=lambda seen: len(seen) == 1 and seen[0]["going"] == going,
        )  # fmt: skip
        return found[0]


@asynccontextmanager
async def _office(server: Server, record: AsyncEngine, exam: Exam) -> AsyncIterator[Office]:
    username = exam.invigilator.replace("invigilator", "office")
    async with record.begin() as conn:
        await staff_accounts.create(conn, username=username, name="苏望舒", role="office", password=PASSWORD)
    async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", trust_env=False, timeout=30) as client:
        staff = Staff(client, username, PASSWORD)
        assert (await staff.sign_in()).status_code == 200
        yield Office(staff, exam)


# --- what is said of the time


async def _is_told(sitting: Sitting, word: str) -> None:
    """The page shows what the office did, and why."""
    await expect(sitting.page.locator(".message").filter(has_text=word).first).to_be_visible(timeout=PATIENT_S * 1000)


async def _all_say_the_same(record: AsyncEngine, office: Office, sitting: Sitting, free: Free) -> int:
    """The end, in service time: by the model, the pure rules, the record, the explanation and the page."""
    person = sitting.person
    row = await in_record.attempt(record, person)
    async with record.connect() as conn:
        ledger = (await load(conn, [person.attempt]))[person.attempt]
    assert ledger.start_ms is not None
    expected = free.end(ledger.start_ms, ledger.allotted_ms)
    now = await in_record.service_ms(record)
    assert clock.end_ms(ledger, now) == row["end_ms"] == expected, person.ticket

    reply = await office.staff.get(f"/attempts/{person.attempt}/time")
    assert reply.status_code == 200, reply.text
    told = [part["ms"] for part in reply.json()["lines"] if part["kind"] != "outage"]
    assert sum(told) == expected - ledger.start_ms
    ends_at, summands = reply.json()["explain_zh"].removeprefix("结束时间 ").split(" = ")
    first, *rest = summands.split(" + ")
    assert _clock_s(ends_at) == (_clock_s(first) + sum(_length_s(one) for one in rest)) % 86_400, "the line adds up"
    assert any("延长" in one for one in rest)

    before = await in_record.service_ms(record)
    shown = await sitting.left_s() * 1000
    after = await in_record.service_ms(record)
    assert expected - after - SHOWN_MS <= shown <= expected - before + SHOWN_MS
    return expected


def _clock_s(wall: str) -> int:
    at = datetime.strptime(wall, "%H:%M:%S")  # noqa: DTZ007 -- a time of day
    return at.hour * 3600 + at.minute * 60 + at.second


def _length_s(summand: str) -> int:
    total = 0
    for part in summand.rpartition(" ")[2].split(":"):
        total = total * 60 + int(part)
    return total


async def _shortly_before(record: AsyncEngine, end_ms: int) -> None:
    """The counter is set on, as far as is left."""
    async with record.begin() as conn:
        await conn.execute(
            text("UPDATE service_clock SET counter_ms = greatest(counter_ms, :at)"), {"at": end_ms - BEFORE_THE_END_MS}
        )


async def _ended_there(record: AsyncEngine, sitting: Sitting, end_ms: int) -> None:
    row = await in_record.attempt(record, sitting.person)
    assert (row["end_reason"], row["ended_ms"], row["end_ms"]) == ("time_out", end_ms, end_ms)
    # Where the page's own clock saw zero: from one place, for as long as the last words were heard.
    seen = [one for one in await sitting.pc.sights() if one.left_s is not None and one.left_s <= 10]
    zeros = [one.at_s + (one.left_s or 0) for one in seen]
    assert zeros, "the last seconds were seen"
    assert max(zeros) - min(zeros) <= SHOWN_MS / 1000, f"{sitting.person.ticket}: {zeros}"
