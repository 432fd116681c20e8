"""The office's desk for the exam's time: seen before it is confirmed, taken back, limited, and decided by two people.

The candidates are driven over HTTP by the protocol of the page, but for one who has a page: what the desk shows and
does is the point here. How pages take a pause is told in the stories.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Locator, expect
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import staff_accounts
from tests.candidates import Candidate
from tests.e2e import record as in_record
from tests.e2e.conftest import Switchboard, a_server
from tests.e2e.desk import Desk
from tests.e2e.exam import BUILDINGS, PASSWORD, Exam, make_exam, room_name
from tests.e2e.eyes import accessible, in_view, nothing_scrolls
from tests.e2e.server import Server
from tests.e2e.sitting import Sitting
from tests.e2e.time_desk import PATIENT_MS, TimeDesk
from tests.e2e.waits import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

CAP_S = 45
ROOMS = 47


@pytest.fixture
def strict_server() -> Iterator[Server]:
    """One whose hour is three quarters of a minute, and for which two silent seats are a room."""
    with a_server(silent_after="6", time_cap=str(CAP_S), loss_least="2", loss_settle="2", workers="1") as server:
        server.start()
        yield server


async def _office(
    server: Server, record: AsyncEngine, pcs: Switchboard, exam: Exam, name: str = "苏望舒", n: int = 1
) -> TimeDesk:
    username = exam.invigilator.replace("invigilator", f"office{n}")
    async with record.begin() as conn:
        await staff_accounts.create(conn, username=username, name=name, role="office", password=PASSWORD)
    desk = TimeDesk(pcs(server, f"office-{n}"), username)
    await desk.open_time(exam.room_id, exam.session_id)
    return desk


@asynccontextmanager
async def _hall(server: Server, exam: Exam, *, beating: bool = True) -> AsyncIterator[list[Candidate]]:
    """The exam's candidates over HTTP; who has signed in is heard of again and again, as an open page would be."""
    async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", trust_env=False, timeout=60) as client:
        candidates = [Candidate(client, person) for person in exam.people]

        async def beat() -> None:
            while beating:
                for candidate in [one for one in candidates if one.token]:
                    await candidate.send()
                await asyncio.sleep(3)

        beats = asyncio.create_task(beat())
        try:
            yield candidates
        finally:
            beats.cancel()
            [ended] = await asyncio.gather(beats, return_exceptions=True)
        assert ended is None or isinstance(ended, asyncio.CancelledError), ended


async def _entries(record: AsyncEngine, exam: Exam) -> list[str]:
    """The kinds of what was entered by staff, in order."""
    found = await in_record.rows(
        record, "SELECT kind FROM adjustment WHERE session_id = :s AND staff_id IS NOT NULL ORDER BY id",
        s=exam.session_id,
    )  # fmt: skip
    return [row["kind"] for row in found]


async def _state(candidate: Candidate) -> str:
    return str((await candidate.state())["clock"]["state"])


async def test_nothing_happens_before_its_effect_is_seen_and_everything_can_be_taken_back(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "TIME", candidates=ROOMS, rooms=ROOMS)
    async with _hall(server, exam) as (first, second, *_):
        assert (await first.sign_in()).status_code == 200
        assert (await second.sign_in()).status_code == 200
        desk = await _office(server, record, pcs, exam)
        page = desk.page

        # 47 rooms that are alike are a line for each building; all of it is on the screen.
        await nothing_scrolls(page)
        lines = page.locator(".timeline-line")
        await expect(lines).to_have_count(len(BUILDINGS))
        await in_view(lines.last, page.locator(".timeline-what"), desk.tab("ledger"), desk.button("timing.look"))
        # Above the map, which goes on below the screen: what must be filled in.
        await in_view(desk.field("reason"), page.locator(".map-room").first)
        await accessible(page, "timing desk")

        # By keyboard on the map of rooms: the second room. The service is asked, and nothing is done.
        tiles = page.locator(".map-room")
        await expect(tiles).to_have_count(ROOMS)
        await tiles.first.focus()
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("Enter")
        await expect(tiles.nth(1)).to_have_attribute("aria-pressed", "true")
        await desk.button("timing.look").click()
        await expect(page.locator(".decide .note-warn")).to_have_text(desk.words["timing.lacks.reason"])
        await desk.field("reason").select_option("power")
        effect = await desk.look()
        await expect(effect).to_contain_text("1 个考室、1 人")
        await expect(effect).to_contain_text(room_name(1))
        await expect(page.locator("#effect-title")).to_be_focused()
        await in_view(page.locator(".effect .button-primary"))
        await accessible(page, "effect of a pause")
        assert await _entries(record, exam) == []
        await page.keyboard.press("Escape")
        await expect(effect).to_have_count(0)
        assert await _entries(record, exam) == []

        # Confirmed with the keyboard alone.
        await desk.look()
        await expect(page.locator("#effect-title")).to_be_focused()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.locator(".timing-told p")).to_contain_text("1 个考室、1 人")
        assert await _entries(record, exam) == ["pause"]
        assert (await _state(first), await _state(second)) == ("running", "paused")
        await expect(desk.line(room_name(1)).locator(".mark[data-kind=pause]")).to_have_count(1, timeout=PATIENT_MS)
        await expect(desk.line(room_name(1))).to_contain_text(desk.words["timing.stands"])
        await expect(page.locator(".standing")).to_contain_text(room_name(1))
        await accessible(page, "a room is paused")

        # The picture is read with the arrows.
        await page.locator(".mark[tabindex='0']").focus()
        await page.keyboard.press("End")
        focused = page.locator(".mark[data-kind=actual]:focus")
        await expect(focused).to_have_accessible_name(re.compile(r"\d\d:\d\d:\d\d"))
        told = await focused.get_attribute("aria-label")
        await expect(page.locator(".timeline-what")).to_contain_text(str(told))

        await desk.resume_room()
        assert await _state(second) == "running"
        assert await _entries(record, exam) == ["pause", "resume"]

        # A building, and that it was the wrong one.
        await desk.choose("action", "extend")
        await desk.choose("scope", "building")
        await page.get_by_role("button", name=re.compile(rf"^{BUILDINGS[0]}")).click()
        await desk.field("length").fill("12:30")
        await desk.field("reason").select_option("network")
        effect = await desk.look()
        await expect(effect).to_contain_text("16 个考室、16 人")
        # Read back on the telephone before it is confirmed.
        await expect(effect.locator(".effect-facts")).to_contain_text("12:30")
        await expect(effect.locator(".effect-facts")).to_contain_text("网络故障")
        before = (await first.state())["clock"]["remaining_ms"]
        await desk.confirm()
        assert (await first.state())["clock"]["remaining_ms"] > before + 11 * 60_000
        await desk.tab("ledger").click()
        newest = page.locator(".ledger-entry").first
        await expect(newest).to_contain_text(BUILDINGS[0])
        await expect(newest).to_contain_text("12:30")
        await newest.get_by_role("button", name=desk.words["timing.do.undo"], exact=True).click()
        await expect(page.locator(".effect")).to_be_visible(timeout=PATIENT_MS)
        await desk.confirm()
        await expect(page.locator(".ledger-entry[data-taken]")).to_have_count(1)
        assert (await first.state())["clock"]["remaining_ms"] < before

        # The same in English and with high contrast, each room for itself.
        await desk.in_the_other_language()
        await page.get_by_role("button", name=desk.words["timing.apart"], exact=True).click()
        await expect(lines).to_have_count(ROOMS)
        await nothing_scrolls(page)
        await page.get_by_role("button", name=desk.words["look.contrast"], exact=True).click()
        await accessible(page, "timing desk in English with high contrast")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("region", name=desk.words["map.label"])).to_be_visible()
    assert await _entries(record, exam) == ["pause", "resume", "extend", "undo"]
    assert await in_record.broken_audit_entry(record) is None
    assert desk.pc.server_faults() == []


async def test_of_two_who_decide_at_once_the_second_sees_what_the_first_did(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "TWO", candidates=2, rooms=2)
    one = await _office(server, record, pcs, exam)
    two = await _office(server, record, pcs, exam, "顾明渠", 2)
    for desk, minutes in ((one, "5"), (two, "7")):
        await desk.choose("action", "extend")
        await desk.choose("scope", "site")
        await desk.field("length").fill(minutes)
        await desk.field("reason").select_option("network")
        await desk.look()
    seen = await two.page.locator(".effect-sentence").inner_text()
    await one.confirm()
    await two.page.locator(".effect .button-primary").click()
    await expect(two.page.locator(".effect [role=alert]")).to_have_text(two.words["timing.effect.changed"])
    await expect(two.page.locator(".effect-sentence")).not_to_have_text(seen)
    await accessible(two.page, "an effect that has changed")
    assert await _entries(record, exam) == ["extend"]
    await two.confirm()
    assert await _entries(record, exam) == ["extend", "extend"]
    # And the first sees it without asking.
    await one.tab("ledger").click()
    await expect(one.page.locator(".ledger-entry")).to_have_count(2, timeout=PATIENT_MS)
    await expect(one.page.locator(".ledger-entry").first).to_contain_text("顾明渠")


async def test_beyond_an_hour_it_takes_a_decision_and_a_second_person(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "CAP", candidates=2, rooms=2)
    one = await _office(server, record, pcs, exam)
    page = one.page

    async def extend() -> Locator:
        await one.choose("action", "extend")
        await one.choose("scope", "list")
        await one.field("length").fill("70")
        await one.field("reason").select_option("power")
        return await one.look()

    await one.choose("scope", "list")
    await page.locator(".scope-list textarea").fill("\n".join(person.ticket for person in exam.people))
    effect = await extend()
    for person in exam.people:
        await expect(effect.locator(".effect-over")).to_contain_text(person.ticket)
    await expect(effect.locator(".button-primary")).to_have_count(0)
    await accessible(page, "over the cap")
    assert await _entries(record, exam) == []

    await one.button("timing.lift.open").click()
    await one.field("number").fill("考务〔2026〕7 号")
    await one.field("text").fill("断电超过一小时，准予延长。")
    await one.field("limit").fill("100")
    await accessible(page, "a decision to lift the cap")
    await one.button("timing.lift.submit").click()
    await expect(page.locator(".timing-told p")).to_be_visible(timeout=PATIENT_MS)
    await one.tab("decisions").click()
    await expect(page.locator(".proposal")).to_contain_text(one.words["timing.decision.other"])
    await expect(page.locator(".proposal")).to_contain_text("考务〔2026〕7 号")

    two = await _office(server, record, pcs, exam, "顾明渠", 2)
    await two.tab("decisions").click()
    await two.button("timing.decision.approve").click()
    await two.page.locator(".proposal .button-primary").click()
    approved = two.words["timing.decision.state.approved"]
    await expect(two.page.locator(".proposal .aside-tag")).to_have_text(approved, timeout=PATIENT_MS)

    await expect(page.locator(".proposal .aside-tag")).to_have_text(approved, timeout=PATIENT_MS)
    await one.field("decision").select_option(label="考务〔2026〕7 号")
    effect = await extend()
    await expect(effect.locator(".effect-over")).to_have_count(0)
    await one.confirm()
    assert await _entries(record, exam) == ["extend"]


async def test_an_invigilator_pauses_one_and_asks_the_office_for_the_rest(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "ONE", candidates=4, rooms=2)
    async with _hall(server, exam) as (ill, *_):
        assert (await ill.sign_in()).status_code == 200
        desk = Desk(pcs(server, "invigilator"), exam.invigilator)
        await desk.enter()
        page = desk.page
        await desk.sees("1", "answering")
        await desk.open_seat("1")
        await desk.button("timing.one.pause").click()
        await desk.button("timing.look").click()
        await expect(page.locator(".effect")).to_contain_text("1 人", timeout=PATIENT_MS)
        await accessible(page, "the effect of pausing one")
        await page.locator(".effect .button-primary").click()
        await desk.sees("1", "paused")
        assert await _state(ill) == "paused"
        await accessible(page, "one is paused")
        await desk.button("timing.one.resume").click()
        await desk.button("timing.look").click()
        await page.locator(".effect .button-primary").click()
        await desk.sees("1", "answering")
        assert await _entries(record, exam) == ["pause", "resume"]

        # Time they lost before anybody saw it: asked for, and decided by the office, which gives less.
        start_ms = (await in_record.rows(record, "SELECT start_ms FROM session WHERE id = :s", s=exam.session_id))[0]
        await until(
            "some time of the session has gone",
            lambda: _later_than(record, start_ms["start_ms"] + 9000),
        )
        await desk.button("timing.one.explain").click()
        explained = page.locator(".explain p")
        await expect(explained).to_contain_text("结束时间", timeout=PATIENT_MS)
        office = await _office(server, record, pcs, exam)
        began, now = await _moments(office)
        await desk.button("timing.one.propose").click()
        await page.locator(".panel-time input[name=from]").fill(began)
        await page.locator(".panel-time input[name=to]").fill(now)
        await desk.button("timing.one.propose.submit").click()
        await expect(page.locator(".panel-time .note-warn")).to_have_text(desk.words["timing.lacks.note"])
        await page.locator(".panel-time .move input").last.fill("键盘失灵")
        await accessible(page, "asking for a credit")
        await desk.button("timing.one.propose.submit").click()
        await expect(page.locator(".panel-time .note-good")).to_be_visible(timeout=PATIENT_MS)
        assert await _entries(record, exam) == ["pause", "resume"]

    await office.tab("proposals").click()
    proposal = office.page.locator(".proposal")
    await expect(proposal).to_contain_text("键盘失灵", timeout=PATIENT_MS)
    await office.button("timing.proposal.change").click()
    await accessible(office.page, "a proposal is changed")
    shorter = f"{began[:-2]}{int(began[-2:]) + 1:02}" if int(began[-2:]) < 59 else now
    await office.page.locator(".proposal-form input[name=to]").fill(shorter)
    await office.page.locator(".proposal-form .button-primary").click()
    await expect(office.page.locator(".effect")).to_contain_text("1 人", timeout=PATIENT_MS)
    await office.confirm()
    assert await _entries(record, exam) == ["pause", "resume", "credit"]
    [made] = await in_record.rows(record, "SELECT state, note FROM proposal WHERE session_id = :s", s=exam.session_id)
    assert made["state"] == ("changed" if shorter != now else "approved")
    # An invigilator has no desk for decisions, only the picture of their own rooms.
    await page.get_by_role("button", name=desk.words["timing.link"], exact=True).click()
    await expect(page.locator(".timeline-line")).to_have_count(1, timeout=PATIENT_MS)
    await expect(page.locator(".decide")).to_have_count(0)
    await accessible(page, "an invigilator looks at the time")


async def _later_than(record: AsyncEngine, ms: int) -> bool:
    return await in_record.service_ms(record) > ms


async def _moments(office: TimeDesk) -> tuple[str, str]:
    """When the session began, as the desk tells it, and a moment that lies in the past: as staff read and type them."""
    name = await office.page.locator(".timeline-plot .mark[data-kind=actual]").first.get_attribute("aria-label")
    began = re.findall(r"\d\d:\d\d:\d\d", str(name))[0]
    now = re.findall(r"\d\d:\d\d:\d\d", await office.page.locator(".timeline-now-word").inner_text())[0]
    return began, now


async def test_a_room_that_goes_quiet_is_proposed_and_one_that_is_held_is_red(
    strict_server: Server, engine_of: Callable[[Server], AsyncEngine], pcs: Switchboard, tmp_path: Path
) -> None:
    server, record = strict_server, engine_of(strict_server)
    exam = await make_exam(server, record, tmp_path, "LOSS", candidates=6, rooms=2)
    async with _hall(server, exam) as candidates:
        for candidate in candidates:
            assert (await candidate.sign_in()).status_code == 200
        one = await _office(server, record, pcs, exam)
        page = one.page
        # The second room is not heard for a while, and comes back.
        quiet = {candidate: candidate.token for candidate in candidates[1::2]}
        for candidate in quiet:
            candidate.token = None
        await one.tab("proposals").click()
        proposal = page.locator(".proposal").first
        await expect(proposal).to_contain_text(room_name(1), timeout=PATIENT_MS)
        for candidate, token in quiet.items():
            candidate.token = token
        await expect(proposal).to_contain_text("3 台中 3 台无响应，建议补时", timeout=PATIENT_MS)
        await accessible(page, "a room that was quiet is proposed")
        await proposal.get_by_role("button", name=one.words["timing.proposal.approve"]).click()
        await page.locator(".proposal-form .button-primary").click()
        effect = page.locator(".effect")
        await expect(effect).to_contain_text("1 个考室、3 人", timeout=PATIENT_MS)
        assert await _entries(record, exam) == []
        await one.confirm()
        assert await _entries(record, exam) == ["credit"]
        await expect(one.line(room_name(1)).locator(".mark[data-kind=credit]")).to_have_count(1)

        # The first room is paused until its time is used up: it stays so, in red, until two people have decided.
        await page.locator(".map-room").first.click()
        await one.field("reason").select_option("power")
        await one.look()
        await one.confirm()
        # To everybody it is later: nobody waits for the whole of it.
        async with record.begin() as conn:
            await conn.execute(
                text("UPDATE service_clock SET counter_ms = counter_ms + :ms"), {"ms": (CAP_S - 15) * 1000}
            )
        held = page.locator(".standing .note-bad")
        await expect(held).to_contain_text(one.words["timing.held"], timeout=2 * CAP_S * 1000)
        await expect(page.locator(".timeline-line[data-held]")).to_contain_text(room_name(0))
        await nothing_scrolls(page)
        await accessible(page, "a room is held at the cap")
        await held.get_by_role("button").click()
        await one.button("timing.lift.open").click()
        await one.field("number").fill("9 号")
        await one.field("text").fill("准予继续作答")
        await one.field("limit").fill("30")
        await one.button("timing.lift.submit").click()
        await expect(page.locator(".timing-told p")).to_be_visible(timeout=PATIENT_MS)
        two = await _office(server, record, pcs, exam, "顾明渠", 2)
        await two.tab("decisions").click()
        await two.button("timing.decision.approve").click()
        await two.page.locator(".proposal .button-primary").click()
        await expect(two.page.locator(".timing-told p")).to_be_visible(timeout=PATIENT_MS)
        assert await _state(candidates[0]) == "paused"
        await two.page.locator(".standing .note-bad").get_by_role("button").click()
        await expect(two.page.locator(".effect")).to_contain_text("3 人", timeout=PATIENT_MS)
        await two.confirm()
        await expect(page.locator(".standing")).to_have_count(0, timeout=PATIENT_MS)
        assert await _state(candidates[0]) == "running"


async def test_who_cannot_be_helped_today_is_deferred(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "DEFER", candidates=3, rooms=2)
    deferred, *others = exam.people
    desk = await _office(server, record, pcs, exam)
    page = desk.page
    await desk.choose("mode", "rounds")
    await desk.choose("round", "defer")
    await desk.choose("scope", "candidate")
    await page.locator(".scope-search input").fill(deferred.ticket)
    await expect(page.locator(".scope-found-one")).to_have_count(1, timeout=PATIENT_MS)
    await page.keyboard.press("Enter")
    await expect(page.locator(".scope-person")).to_contain_text(deferred.name)
    await desk.button("timing.look").click()
    await expect(page.locator(".decide .note-warn")).to_have_text(desk.words["timing.lacks.number"])
    await desk.field("number").fill("考务〔2026〕8 号")
    await desk.field("text").fill("因病缓考。")
    await accessible(page, "deferring somebody")
    effect = await desk.look()
    await expect(effect).to_contain_text(deferred.ticket)
    await accessible(page, "the effect of deferring somebody")
    assert (await in_record.attempt(record, deferred))["state"] == "open"
    await desk.confirm()
    closed = await in_record.attempt(record, deferred)
    assert (closed["state"], closed["end_reason"]) == ("final", "deferred")
    assert [(await in_record.attempt(record, one))["state"] for one in others] == ["open", "open"]
    await desk.tab("decisions").click()
    await expect(page.locator(".proposal")).to_contain_text("考务〔2026〕8 号", timeout=PATIENT_MS)


async def test_the_desk_tells_whose_page_has_a_notice(
    server: Server, record: AsyncEngine, pcs: Switchboard, tmp_path: Path
) -> None:
    exam = await make_exam(server, record, tmp_path, "REACH", candidates=3, rooms=2)
    here, absent = exam.people[0], exam.people[2]
    sitting = Sitting(pcs(server, "seat 1"), here)
    await sitting.enter()
    async with _hall(server, exam, beating=False) as hall:
        late = hall[1]
        assert (await late.sign_in()).status_code == 200
        desk = await _office(server, record, pcs, exam)
        await desk.choose("action", "extend")
        await desk.choose("scope", "site")
        await desk.field("length").fill("5")
        await desk.field("reason").select_option("network")
        await desk.look()
        await desk.confirm()
        await desk.tab("reach").click()
        figure = desk.page.locator(".reach-figure")
        # Who never signed in has no page that could have it.
        await expect(figure).to_have_text(re.compile(r"^1 / 2"), timeout=PATIENT_MS)
        await expect(desk.page.locator(".reach-absent")).to_contain_text("1", timeout=PATIENT_MS)
        await desk.button("timing.reach.missing", n="1").click()
        missing = desk.page.locator(".reach-missing")
        await expect(missing).to_contain_text(exam.people[1].ticket, timeout=PATIENT_MS)
        for other in (here, absent):
            await expect(missing).not_to_contain_text(other.ticket)
        await accessible(desk.page, "who lacks a notice")
        reply = await _notices(late)
        receipts = {"notices": [one["id"] for one in reply]}
        done = await late.client.post("/attempt/event-receipts", json=receipts, headers=late.headers)
        assert done.status_code == 200, done.text
        await expect(figure).to_have_text(re.compile(r"^2 / 2"), timeout=PATIENT_MS)


async def _notices(candidate: Candidate) -> list[dict[str, object]]:
    """What a page that comes later is told with its replies."""
    found: list[dict[str, object]] = []

    async def told() -> bool:
        reply = await candidate.send()
        found.extend(reply.json().get("notices", []) if reply.status_code == 200 else [])
        return bool(found)

    await until("a reply carries the notice", told)
    return found
