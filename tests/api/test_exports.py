"""Lists that leave the house, beside what SQL says of the same record."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from datetime import UTC, datetime

import openpyxl
import pytest
import pytest_asyncio
from sqlalchemy import text

from app.domain.checkpoints import RecordAway
from app.domain.errors import ClockUnconfirmed
from app.services import export_rows, exporting
from app.services.export_columns import COLUMNS, KINDS
from app.storage.postgres.staff import Login
from tests.candidates import Candidate
from tests.doors import audit, body, hall
from tests.staff import signed_in

__all__ = ["hall"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
HOUR = 3_600_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(hall):
    """An exam ten minutes in: one has answered and handed in, one moves, one is absent; (made, office)."""
    made, member, chief = await hall.at(-600_000)
    first, second = (Candidate(hall.client, person) for person in made.people[:2])
    await first.sign_in()
    await first.answer(made.items[0], "A")
    await first.answer(made.items[1], ["A", "C"])
    await first.answer(made.items[3], ["=1+1"])
    await first.answer(made.items[0], "B")
    await second.sign_in()
    await member.relog(made.people[1].attempt, to_seat_id=made.spares[0])
    await second.sign_in(seat={"room": "第01考室", "seat": "备1"}, fresh=True)
    await second.answer(made.items[4], "文字\n第二行")
    await first.send(path="hand-in")
    extended = {
        "action": "extend", "ms": 120_000, "reason": "power", "note": "跳闸",
        "scope": {"kind": "room", "session": made.session_id, "rooms": [made.room_id]},
    }  # fmt: skip
    office = await signed_in(hall.client, hall.engine, "office")
    done = await office.post("/time/actions", extended)
    assert done.status_code == 200, done.text
    differs = {"fields": [{"field": "name", "claimed": "考生贰"}], "identified": "身份证", "room_id": made.room_id}
    assert (await chief.post("/discrepancies", body(made, 1, **differs))).status_code == 200
    await chief.post(
        "/incidents", {"session": made.session_id, "plan": "11", "scope": {"kind": "room", "rooms": [made.room_id]}}
    )
    await hall.sql("UPDATE candidate SET employer = '=cmd|calc' WHERE id = :c", c=made.people[2].candidate_id)
    return made, office


async def rows(office, kind, form="json", **asked):
    reply = await office.get(f"/exports/{kind}", format=form, **asked)
    assert reply.status_code == 200, reply.text
    assert int(reply.headers["content-length"]) == len(reply.content)
    match form:
        case "json":
            return json.loads(reply.content)[kind]
        case "csv":
            assert reply.content.startswith(b"\xef\xbb\xbf")
            return list(csv.reader(io.StringIO(reply.content.decode("utf-8-sig"))))
        case _:
            sheet = openpyxl.load_workbook(io.BytesIO(reply.content)).active
            return [[cell.value for cell in row] for row in sheet.iter_rows()]


async def test_answers_are_what_the_record_holds_of_every_item_drawn(hall, told):
    made, office = told
    found = await rows(office, "answers", session=made.session_id)
    async with hall.engine.connect() as conn:
        truth = await conn.execute(
            text(
                "SELECT c.ticket, p.position, r.value, r.rev, r.stamp_ms FROM attempt a"
                " JOIN candidate c ON c.id = a.candidate_id JOIN paper_item p ON p.attempt_id = a.id"
                " LEFT JOIN response r ON r.attempt_id = a.id AND r.item_id = p.item_version_id"
                " WHERE a.session_id = :s AND a.signed_in_ms IS NOT NULL"
            ),
            {"s": made.session_id},
        )
        known = {(row.ticket, row.position): row for row in truth}
    assert len(found) == len(known) == 10
    assert {(one["ticket"], one["position"]): one["answer"] for one in found} == {
        k: row.value for k, row in known.items()
    }
    twice = next(one for one in found if one["answer"] == "B")
    assert (twice["revisions"], twice["type"], twice["points"]) == (2, "单选题", 1.0)
    assert twice["first_at"] <= twice["saved_at"]
    assert {one["saved_at"] is None for one in found if one["answer"] is None} == {True}


async def test_a_persons_time_is_explained_as_on_the_page(told):
    made, office = told
    found = await rows(office, "times", session=made.session_id)
    assert len(found) == 3
    for person in made.people:
        page = (await office.get(f"/attempts/{person.attempt}/time")).json()
        line = next(one for one in found if one["ticket"] == person.ticket)
        if page["clock"]["state"] != "running":
            # What is to come moves with the reading of two clocks; what has been does not.
            assert (line["explain_zh"], line["explain_en"]) == (page["explain_zh"], page["explain_en"])
        assert line["lost_s"] == page["lost_ms"] // 1000
        assert line["explain_zh"].split(" = ")[1][8:] == page["explain_zh"].split(" = ")[1][8:]


@pytest.mark.parametrize("kind", KINDS)
async def test_every_list_says_the_same_in_every_form(told, kind):
    made, office = told
    plain = await rows(office, kind, session=made.session_id)
    sheet = await rows(office, kind, "xlsx", session=made.session_id)
    lines = await rows(office, kind, "csv", session=made.session_id)
    columns = COLUMNS[kind]
    instants = [one[key] for one in plain for key in ("at", "decided_at", "saved_at") if one.get(key)]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", at) for at in instants), instants
    assert sheet[0] == lines[0] == [one.zh for one in columns]
    assert len(plain) == len(sheet) - 1 == len(lines) - 1 > 0
    assert [[str(cell or "") for cell in row] for row in sheet[1:]] == [
        [cell.removeprefix("'") if cell != "0" else "" for cell in row] for row in lines[1:]
    ]
    english = await rows(office, kind, "csv", exam=made.exam_id, language="en")
    assert english[0] == [one.en for one in columns]
    assert [row[0] for row in english[1:]] == [row[0] for row in lines[1:]]


async def test_attendance_counts_who_came_and_no_cell_is_a_formula(hall, told):
    made, office = told
    found = {one["ticket"]: one for one in await rows(office, "attendance", session=made.session_id)}
    first, second, third = (found[person.ticket] for person in made.people)
    assert [one["attendance"] for one in (first, second, third)] == ["实考", "实考", "未登记"]
    assert (first["state"], first["answered"], first["items"]) == ("已交卷", 3, 5)
    assert (second["seat"], second["planned"], second["relogs"]) == ("备1", "第01考室 2", 1)
    assert second["id_number"].endswith("0002")
    lines = await rows(office, "attendance", "csv", session=made.session_id)
    assert [row[7] for row in lines[1:]] == ["", "'=cmd|calc", ""]
    # The time of whoever never came ends as well: that is nothing they did.
    ends = "UPDATE attempt SET state = :s, end_reason = :r, ended_ms = :m WHERE id = :a RETURNING 1"
    absent = made.people[2].attempt
    await hall.sql(ends, s="ended", r="time_out", m=1, a=absent)
    try:
        listed = await rows(office, "attendance", session=made.session_id)
        times = await rows(office, "times", session=made.session_id)
        report = (await office.get("/print/day-report", session=made.session_id)).text
    finally:
        await hall.sql(ends, s="open", r=None, m=None, a=absent)
    (third,) = (one for one in listed if one["ticket"] == made.people[2].ticket)
    assert (third["state"], third["ended_at"]) == ("", None)
    assert [one["state"] for one in times if one["ticket"] == made.people[2].ticket] == [""]
    assert ("交卷" in report, re.search(r"到时结束[^0-9]*1", report)) == (True, None)


async def test_progress_is_told_and_then_the_file_that_was_audited(hall, told):
    made, office = told
    reply = await office.get("/exports/answers", session=made.session_id, format="csv", progress="1")
    assert reply.headers["content-type"] == "application/x-holdfast-export"
    lines, rest = [], reply.content
    while not lines or "sha256" not in lines[-1]:
        line, _, rest = rest.partition(b"\n")
        lines.append(json.loads(line))
    assert [lines[0], lines[-2]] == [{"done": 0, "total": 10}, {"done": 10, "total": 10}]
    assert lines[-1] == {
        "name": lines[-1]["name"], "type": "text/csv; charset=utf-8", "rows": 10, "size": len(rest),
        "sha256": hashlib.sha256(rest).hexdigest(),
    }  # fmt: skip
    last = (await audit(hall, made, "export.made"))[-1]
    assert {key: last[key] for key in ("kind", "form", "rows", "sha256")} == {
        "kind": "answers", "form": "csv", "rows": 10, "sha256": lines[-1]["sha256"],
    }  # fmt: skip


async def test_a_fault_on_the_way_is_the_last_line_and_cuts_nothing(told, monkeypatch):
    made, office = told
    for fault, code in ((RecordAway("not on the standby"), "record-away"), (ClockUnconfirmed(), "unavailable")):

        async def fails(*_, fault=fault):
            raise fault

        # The audit entry's COMMIT comes when the status has long been sent.
        monkeypatch.setattr(exporting, "_enter", fails)
        reply = await office.get("/exports/attendance", session=made.session_id, progress="1")
        (last,) = (json.loads(line) for line in reply.content.splitlines()[-1:])
        assert last["refused"]["code"] == code
        assert all(last["refused"][f"detail_{language}"] for language in ("zh", "en"))


async def test_numbers_are_masked_for_who_does_not_correct_them(hall, told):
    made, _ = told
    auditor = await signed_in(hall.client, hall.engine, "auditor")
    found = await rows(auditor, "attendance", session=made.session_id)
    assert {one["id_number"] for one in found} == {f"9900{'*' * 12}0{n}" for n in (1, 2, 3)}
    nothing = await auditor.get("/exports/attendance")
    assert (nothing.status_code, nothing.json()["code"]) == (422, "export-of-what")
    unknown = await auditor.get("/exports/attendance", session=2**40)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not-found")


async def test_a_change_on_the_way_does_not_tear_it_and_a_second_one_waits(hall, told, monkeypatch):
    made, office = told
    monkeypatch.setattr(export_rows, "PAPERS", 1)
    async with hall.engine.connect() as conn:
        staff_id = await conn.scalar(text("SELECT id FROM staff WHERE username = :u"), {"u": office.username})
    login = Login(staff_id, office.username, "", "office", datetime.now(UTC), frozenset(), b"")
    before = await rows(office, "answers", session=made.session_id)
    settings, now_ms = hall.site.settings, hall.site.service_time.now_ms()
    order = exporting.Order("answers", "json", "zh", session_id=made.session_id)
    async with exporting.own_engine(settings, hall.site.database_url) as engine:
        with exporting.scratch() as out:
            work = exporting.export(settings, engine, login, order, out, now_ms=now_ms)
            assert [(await anext(work)).done for _ in range(2)] == [0, 5]
            second = await office.get("/exports/times", session=made.session_id)
            assert (second.status_code, second.json()["code"]) == (409, "export-under-way")
            paper = await office.get("/print/day-report", session=made.session_id)
            assert (paper.status_code, paper.json()["code"]) == (409, "export-under-way")
            # Everything that the rest will read: an answer, a name, a seat.
            await hall.sql(
                "UPDATE response r SET value = '\"X\"' FROM attempt a WHERE a.id = r.attempt_id AND a.session_id = :s",
                s=made.session_id,
            )
            await hall.sql("UPDATE candidate SET name = '改名' WHERE exam_id = :e", e=made.exam_id)
            parts = [part async for part in work]
            assert parts[-1].rows == 10
            out.seek(0)
            assert json.loads(out.read())["answers"] == before
    after = await rows(office, "answers", session=made.session_id)
    assert {one["answer"] for one in after} == {"X", None}
