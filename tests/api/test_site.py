"""The administration through the API: exams, sessions, rooms, imports and draws, as the office does them."""

from __future__ import annotations

import asyncio
import io
import os
import secrets
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest
import pytest_asyncio
from sqlalchemy import text

from app.importers.roster import read_roster
from app.services.import_target import Target
from app.services.importing import Source, import_roster
from app.storage.postgres import audit
from tests.doors import Hall, hall
from tests.importers import workbooks
from tests.staff import Staff, signed_in

__all__ = ["hall"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
SESSION = {
    "name": "第一场", "start": "2031-05-10T08:30", "minutes": 90, "sign_in_opens": 40, "last_admission": 20,
    "earliest_hand_in": 30,
}  # fmt: skip
ROOM = {"name": "第01考室", "building": "东楼", "number": "东101", "seats": 6, "spares": 2}


def single(n: int) -> list[Any]:
    return [n, "单选题", "水文", f"第 {n} 题？", "甲", "乙", "丙", "丁", "A", 1, None]


FINAL = {"checked", "done", "faulty", "refused", "failed", "lost", "discarded"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(hall) -> Staff:
    return await signed_in(hall.client, hall.engine, "office")


async def exam(office: Staff) -> int:
    reply = await office.post("/site/exams", {"code": f"s-{secrets.token_hex(3)}", "name": "业务考试"})
    assert reply.status_code == 200, reply.text
    return reply.json()["id"]


async def picture(office: Staff, exam_id: int) -> dict[str, Any]:
    return (await office.get(f"/site/exams/{exam_id}")).json()


async def logged(hall: Hall, exam_id: int) -> list[str]:
    """The actions about an exam (and its rooms and sessions), in order; the chain holds."""
    async with hall.engine.connect() as conn:
        assert await audit.verify(conn) is None
        rows = await conn.execute(
            text(
                "SELECT action FROM audit_entry WHERE subject->>'exam' = (SELECT code FROM exam WHERE id = :e)"
                " OR (subject->>'room_id')::int8 IN (SELECT id FROM room WHERE exam_id = :e) ORDER BY n"
            ),
            {"e": exam_id},
        )
        return list(rows.scalars())


def code(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json().get("code", "")


async def send(office: Staff, exam_id: int, kind: str, path: Path, *, key: str | None = None) -> httpx.Response:
    return await office.client.post(
        "/staff/site/imports", params={"exam": exam_id, "kind": kind, "name": path.name}, content=path.read_bytes(),
        headers={**office.headers, "Idempotency-Key": key or secrets.token_hex(8)},
    )  # fmt: skip


async def settled(office: Staff, reply: httpx.Response) -> dict[str, Any]:
    """The job once nobody works on it. Each begins with a new process, for which a busy machine takes its time."""
    assert reply.status_code == 200, reply.text
    async with asyncio.timeout(180):
        while True:
            job = (await office.get(f"/site/jobs/{reply.json()['job']}")).json()["job"]
            if job["state"] in FINAL:
                return job
            await asyncio.sleep(0.05)


async def test_an_exam_is_set_up_by_hand_and_every_step_is_on_the_log(hall, office):
    exam_id = await exam(office)
    for _ in range(2):
        reply = await office.post(f"/site/exams/{exam_id}/sessions", SESSION, key=f"one-{exam_id}")
        assert reply.json()["number"] == 1
    session_id = reply.json()["id"]
    room_id = (await office.post(f"/site/exams/{exam_id}/rooms", ROOM)).json()["id"]
    assert code(await office.post(f"/site/exams/{exam_id}/rooms", ROOM)) == (409, "room-exists")
    told = await picture(office, exam_id)
    twice = {"code": told["exam"]["code"], "name": "另一场"}
    assert code(await office.post("/site/exams", twice)) == (409, "exam-exists")
    # A folder of time zones is none.
    assert code(await office.post("/site/exams", {**twice, "code": "x", "timezone": "Asia"})) == (
        422,
        "timezone-unknown",
    )
    assert [{key: each[key] for key in SESSION} for each in told["sessions"]] == [SESSION]
    assert told["sessions"][0]["state"] == "planned"
    assert [{key: each[key] for key in ROOM} for each in told["rooms"]] == [ROOM]
    later = {**SESSION, "start": "2031-05-10T09:00", "minutes": 60}
    longer = {**later, "last_admission": 61, "seen": SESSION}
    assert code(await office.post(f"/site/sessions/{session_id}", longer)) == (422, "session-door-late")
    reply = await office.post(f"/site/sessions/{session_id}", {**later, "seen": SESSION})
    assert reply.json() == {"id": session_id, "changed": ["minutes", "start"]}
    # A page that still shows the old times is told what they are now, and who did it.
    stale = await office.post(f"/site/sessions/{session_id}", {**SESSION, "minutes": 120, "seen": SESSION})
    assert code(stale) == (409, "site-changed")
    assert "2031-05-10T09:00" in stale.json()["detail_zh"]
    assert office.name in stale.json()["detail_zh"]
    fewer = {**ROOM, "seats": 5, "spares": 3}
    assert (await office.post(f"/site/rooms/{room_id}", {**fewer, "seen": ROOM})).json()["changed"] == [
        "seats", "spares",
    ]  # fmt: skip
    seats = (await office.get(f"/site/rooms/{room_id}/seats")).json()["seats"]
    assert [each["label"] for each in seats] == ["1", "2", "3", "4", "5", "备1", "备2", "备3"]
    building = (await picture(office, exam_id))["rooms"][0]["building_id"]
    assert (await office.post(f"/site/buildings/{building}", {"name": "南楼", "seen": "东楼"})).status_code == 200
    assert code(await office.post(f"/site/rooms/{room_id}/remove", {"seen": fewer})) == (409, "site-changed")
    assert await logged(hall, exam_id) == [
        "site.exam-add", "site.session-add", "site.room-add", "site.session-change", "site.room-change",
    ]  # fmt: skip
    assert (await office.post(f"/site/rooms/{room_id}/remove", {"seen": {**fewer, "building": "南楼"}})).json() == {
        "id": room_id
    }
    assert (await office.post(f"/site/sessions/{session_id}/remove", {"seen": later})).json() == {"id": session_id}
    told = await picture(office, exam_id)
    assert (told["sessions"], told["rooms"]) == ([], [])


async def test_what_has_begun_stays_as_it_is_but_for_more_spare_seats(hall, office):
    made, _, _ = await hall.at(-60_000)
    told = await picture(office, made.exam_id)
    there, room = told["sessions"][0], told["rooms"][0]
    assert (there["state"], there["people"], there["papers"]) == ("begun", 3, 3)
    seen = {key: there[key] for key in SESSION}
    for path in (f"/site/sessions/{made.session_id}", f"/site/sessions/{made.session_id}/remove"):
        body = {"seen": seen} if path.endswith("remove") else {**seen, "minutes": 80, "seen": seen}
        assert code(await office.post(path, body)) == (409, "session-begun")
    was = {key: room[key] for key in ROOM}
    path = f"/site/rooms/{made.room_id}"
    assert code(await office.post(path, {**was, "name": "别的", "seen": was})) == (409, "room-in-session")
    assert (await office.post(path, {**was, "spares": 3, "seen": was})).json()["changed"] == ["spares"]
    assert code(await office.post(f"{path}/remove", {"seen": {**was, "spares": 3}})) == (409, "room-has-people")


async def test_papers_that_are_drawn_keep_the_length_and_seats_in_use_stay(hall, office):
    made, _, _ = await hall.at(3_600_000)
    told = await picture(office, made.exam_id)
    seen = {key: told["sessions"][0][key] for key in SESSION}
    path = f"/site/sessions/{made.session_id}"
    assert code(await office.post(path, {**seen, "minutes": 80, "seen": seen})) == (409, "session-drawn")
    door = {**seen, "last_admission": 10, "earliest_hand_in": 45}
    assert (await office.post(path, {**door, "seen": seen})).json()["changed"] == [
        "earliest_hand_in", "last_admission",
    ]  # fmt: skip
    assert code(await office.post(f"{path}/remove", {"seen": door})) == (409, "session-has-people")
    was = {key: told["rooms"][0][key] for key in ROOM}
    reply = await office.post(f"/site/rooms/{made.room_id}", {**was, "seats": 2, "seen": was})
    assert code(reply) == (409, "site-still-used")


async def test_a_roster_is_shown_then_brought_in_and_the_papers_drawn(hall, office, tmp_path):
    exam_id = await exam(office)
    roster = workbooks.roster(tmp_path / "花名册.xlsx")
    first = await send(office, exam_id, "roster", roster, key=f"roster-{exam_id}")
    # The reply was lost: the same file under the same key is the same job, done once.
    assert (await send(office, exam_id, "roster", roster, key=f"roster-{exam_id}")).json() == first.json()
    job = await settled(office, first)
    assert (job["state"], job["result"]["outcome"]) == ("checked", "would-import")
    assert {key: job["result"]["counts"][key] for key in ("candidates", "rooms", "sessions")} == {
        "candidates": 4, "rooms": 2, "sessions": 2,
    }  # fmt: skip
    assert (await picture(office, exam_id))["exam"]["candidates"] == 0
    # A second person is told who is at it; a page that is opened anew finds it.
    other = await signed_in(hall.client, hall.engine, "office")
    busy = await send(other, exam_id, "roster", roster)
    assert code(busy) == (409, "site-job-open")
    assert office.name in busy.json()["detail_zh"]
    assert (await picture(other, exam_id))["job"]["id"] == job["id"]
    assert code(await office.post(f"/site/jobs/{job['id']}/confirm", {"seen": "0" * 64})) == (409, "import-outdated")
    done = await settled(office, await other.post(f"/site/jobs/{job['id']}/confirm", {"seen": job["result"]["digest"]}))
    assert (done["state"], done["result"]["outcome"]) == ("done", "imported")
    assert code(await office.post(f"/site/jobs/{job['id']}/discard")) == (409, "site-job-over")
    bank = workbooks.bank(tmp_path / "题库.xlsx", [single(n) for n in range(1, 41)])
    job = await settled(office, await send(office, exam_id, "bank", bank))
    sure = {"seen": job["result"]["digest"]}
    assert (await settled(office, await office.post(f"/site/jobs/{job['id']}/confirm", sure)))["state"] == "done"
    told = await picture(office, exam_id)
    one = told["sessions"][0]
    assert (told["exam"]["candidates"], told["exam"]["items"], one["people"]) == (4, 40, 4)
    path = f"/site/sessions/{one['id']}"
    asked = {"seed": "abc", "seen": None}
    assert code(await office.post(f"{path}/draw", asked)) == (409, "blueprint-missing")
    assert (await office.post(f"{path}/blueprint", {"items": 5, "seen": None})).json() == {"items": 5}
    assert code(await office.post(f"{path}/blueprint", {"items": 3, "seen": None})) == (409, "blueprint-changed")
    strata = (await office.get(f"{path}/blueprint")).json()["strata"]
    assert [(each["count"], each["needed"], each["available"]) for each in strata] == [(5, 5, 40)]
    drawn = await settled(office, await office.post(f"{path}/draw", asked))
    assert (drawn["state"], drawn["result"]["papers"], drawn["result"]["seed"], drawn["percent"]) == (
        "done", 4, "abc", 100,
    )  # fmt: skip
    one = (await picture(office, exam_id))["sessions"][0]
    assert (one["papers"], one["digest"]) == (4, drawn["result"]["digest"])
    assert code(await office.post(f"{path}/draw", asked)) == (409, "draw-changed")
    assert code(await office.post(f"{path}/draw", {**asked, "seen": one["digest"]})) == (409, "already-drawn")
    async with hall.engine.connect() as other_draw:
        # Another draw gets on between what the page was told and this one's turn.
        await other_draw.execute(text("SELECT 1 FROM session WHERE id = :s FOR NO KEY UPDATE"), {"s": one["id"]})
        late = await office.post(f"{path}/draw", {**asked, "redraw": True, "seen": one["digest"]})
        await other_draw.execute(text("UPDATE draw SET digest = '\\x00' WHERE session_id = :s"), {"s": one["id"]})
        await other_draw.commit()
    job = await settled(office, late)
    assert (job["state"], job["result"]["code"]) == ("refused", "draw-changed")
    assert await logged(hall, exam_id) == [
        "site.exam-add", "site.upload", "site.confirm", "roster.imported", "site.upload", "site.confirm",
        "bank.imported", "blueprint.set", "site.draw", "papers.draw", "site.draw",
    ]  # fmt: skip
    by = await hall.sql(
        "SELECT s.name FROM audit_entry a JOIN staff s ON s.id = a.staff_id WHERE a.action = 'roster.imported'"
        " AND a.subject->>'exam' = :c",
        c=told["exam"]["code"],
    )
    assert by == other.name
    assert await hall.sql("SELECT count(*) FROM site_job WHERE body IS NOT NULL AND ended_at IS NOT NULL") == 0


async def test_a_record_that_moved_since_it_was_shown_is_not_overwritten(hall, office, tmp_path):
    exam_id = await exam(office)
    roster, _, _ = read_roster(workbooks.roster(tmp_path / "a.xlsx"))
    target = Target((await picture(office, exam_id))["exam"]["code"])
    await import_roster(hall.engine, roster, key=hall.site.secret, source=Source("a.xlsx", ""), target=target)
    longer = [[1, "第一场", "2024-07-20 08:30", "2024-07-20 10:10", 100], workbooks.SESSIONS[1]]
    changed = workbooks.roster(tmp_path / "b.xlsx", sessions=longer)
    job = await settled(office, await send(office, exam_id, "roster", changed))
    assert (job["result"]["outcome"], job["result"]["summary"]) == ("would-change", {"change session": 1})
    there = (await picture(office, exam_id))["sessions"][0]
    seen = {key: there[key] for key in SESSION}
    await office.post(f"/site/sessions/{there['id']}", {**seen, "minutes": 80, "seen": seen})
    after = await settled(
        office, await office.post(f"/site/jobs/{job['id']}/confirm", {"seen": job["result"]["digest"]})
    )
    assert (after["state"], after["result"]["code"]) == ("refused", "import-outdated")
    assert (await picture(office, exam_id))["sessions"][0]["minutes"] == 80


async def test_a_faulty_file_brings_nothing_in_and_says_what_to_mend(hall, office, tmp_path):
    exam_id = await exam(office)
    rows = workbooks.people(3)
    rows[1][4] = rows[1][4][:-1] + "0"
    rows[2][8] = 99
    job = await settled(office, await send(office, exam_id, "roster", workbooks.roster(tmp_path / "错.xlsx", rows)))
    assert job["state"] == "faulty"
    found = (await office.get(f"/site/jobs/{job['id']}/faults", limit=1, offset=1)).json()
    assert (found["total"], len(found["faults"])) == (job["faults"], 1)
    assert set(found["faults"][0]) >= {"row", "column", "value", "what", "mend"}
    saved = await office.get(f"/site/jobs/{job['id']}/report", format="xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(saved.content)).worksheets[0]
    assert sheet.max_row == job["faults"] + 1
    assert (await picture(office, exam_id))["exam"]["candidates"] == 0
    # It bars nobody: the mended file is the next.
    mended = await settled(office, await send(office, exam_id, "roster", workbooks.roster(tmp_path / "对.xlsx")))
    assert mended["state"] == "checked"
    assert (await office.post(f"/site/jobs/{mended['id']}/discard")).status_code == 200
    picture_of_nothing = tmp_path / "照片.xlsx"
    picture_of_nothing.write_bytes(b"\x89PNG\r\n\x1a\n....")
    refused = await settled(office, await send(office, exam_id, "roster", picture_of_nothing))
    assert (refused["state"], refused["result"]["code"]) == ("refused", "not-a-workbook")


def importing() -> list[int]:
    """The processes that import for this one."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"app.services.site_import" in (path.parent / "cmdline").read_bytes():
                found.append(int(path.parent.name))
    return found


async def test_an_import_that_is_killed_in_the_middle_leaves_nothing_and_says_so(hall, office, tmp_path):
    exam_id = await exam(office)
    roster = workbooks.roster(tmp_path / "r.xlsx")
    checked = await settled(office, await send(office, exam_id, "roster", roster))
    async with hall.engine.connect() as holder:
        # Rooms, sessions and candidates are written when it comes to this table.
        await holder.execute(text("LOCK TABLE allocation IN SHARE MODE"))
        begun = await office.post(f"/site/jobs/{checked['id']}/confirm", {"seen": checked["result"]["digest"]})
        assert begun.status_code == 200, begun.text
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            " AND application_name = 'holdfast-site-import'"
        )
        async with asyncio.timeout(180):
            # What it tells of its way is on the page while it is at work.
            while (job := (await office.get(f"/site/jobs/{checked['id']}")).json()["job"])["done"] < 4:
                assert job["state"] in ("waiting", "working"), job
                await asyncio.sleep(0.05)
            while not await hall.sql(waiting):
                await asyncio.sleep(0.05)
        assert (job["stage"], job["done"], job["total"]) == ("write", 4, 12)
        # It holds the exam now: who comes second is told so, and does not wait for it.
        assert code(await send(office, exam_id, "roster", roster)) == (409, "site-job-open")
        (child,) = importing()
        os.kill(child, signal.SIGKILL)
        job = await settled(office, begun)
        assert (job["state"], job["result"]["code"]) == ("failed", "site-job-killed")
        assert job["result"]["zh"] != job["result"]["en"]
        await holder.rollback()
    # Nobody is in the way of the next, which finds nothing there.
    again = await settled(office, await send(office, exam_id, "roster", roster))
    assert (again["state"], again["result"]["outcome"]) == ("checked", "would-import")
    told = await picture(office, exam_id)
    assert (told["exam"]["candidates"], told["rooms"], told["sessions"]) == (0, [], [])
    assert "roster.imported" not in await logged(hall, exam_id)


async def test_a_job_whose_process_is_gone_is_told_as_lost_and_bars_nobody(hall, office, tmp_path):
    exam_id = await exam(office)
    job = await hall.sql(
        "INSERT INTO site_job (exam_id, kind, state, name, staff_id, made_ms, beat_at) SELECT :e, 'roster', 'working',"
        " '名单.xlsx', id, 0, now() - interval '1 minute' FROM staff LIMIT 1 RETURNING id",
        e=exam_id,
    )
    assert (await picture(office, exam_id))["job"]["state"] == "lost"
    checked = await settled(office, await send(office, exam_id, "roster", workbooks.roster(tmp_path / "r.xlsx")))
    assert checked["state"] == "checked"
    assert await hall.sql("SELECT state FROM site_job WHERE id = :j", j=job) == "lost"
    assert (await office.post(f"/site/jobs/{checked['id']}/discard")).status_code == 200
    assert (await picture(office, exam_id))["job"]["state"] == "discarded"


async def test_the_planted_faults_of_a_real_roster_are_all_told(hall, office, shared_data):
    exam_id = await exam(office)
    job = await settled(office, await send(office, exam_id, "roster", shared_data / "roster-with-errors.xlsx"))
    assert job["state"] == "faulty"
    assert job["result"]["count"] == job["faults"] == sum(job["result"]["codes"].values())
