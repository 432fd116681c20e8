"""The office acts for a room by telephone, items are said to be wrong, and open actions pass over with the duty."""

from __future__ import annotations

import io
import re
import secrets
import zipfile
from urllib.parse import quote

import openpyxl
import pytest

from app.domain import audit_words
from tests.candidates import Candidate
from tests.doors import audit, body, hall, occupant
from tests.staff import signed_in

__all__ = ["hall"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
HOUR = 3_600_000


async def post(staff, path: str, asked: dict | None = None, *, told_by: str):
    headers = {**staff.headers, "Idempotency-Key": secrets.token_hex(8), "Told-By": quote(told_by, safe="")}
    return await staff.client.post(f"/staff{path}", json=asked or {}, headers=headers)


async def test_whatever_is_done_by_telephone_says_on_whose_word_and_the_room_reads_it(hall):
    made, member, _ = await hall.at(-60_000)
    office = await signed_in(hall.client, hall.engine, "office")
    candidate = Candidate(hall.client, made.people[0])
    assert (await candidate.sign_in()).status_code == 200
    attempt = made.people[0].attempt
    opened = await post(office, f"/attempts/{attempt}/relog", {"same_seat": True}, told_by="101室 王老师")
    assert opened.status_code == 200, opened.text
    # This one has no field for it in its body.
    relog = opened.json()["relog"]["id"]
    assert (await post(office, f"/relogs/{relog}/withdraw", told_by="101室 王老师")).status_code == 200
    # What the body says goes first.
    checked = await post(office, f"/rooms/{made.room_id}/check-in", body(made, 1, told_by="张老师"), told_by="王老师")
    assert checked.status_code == 200, checked.text
    assert (await member.post(f"/rooms/{made.room_id}/check-in", body(made, 2))).status_code == 200
    told = [await audit(hall, made, action) for action in ("relog.open", "relog.withdraw", "attendance.check-in")]
    assert [[entry.get("told_by", "") for entry in one] for one in told] == [
        ["101室 王老师"], ["101室 王老师"], ["张老师", ""]
    ]  # fmt: skip

    # Misconduct is not for the room to read, whoever telephoned.
    seen = {"facts": "夹带", "second_staff": "李老师", "told": False, "measure": "noted"}
    facts = body(made, 1, room_id=made.room_id, **seen)
    assert (await post(office, "/misconduct", facts, told_by="王老师")).status_code == 200
    shown = (await member.get(f"/rooms/{made.room_id}/told-by", session=made.session_id)).json()["entries"]
    assert [(one["action"], one["told_by"], one["by"]) for one in shown] == [
        ("attendance.check-in", "张老师", office.name),
        ("relog.withdraw", "101室 王老师", office.name),
        ("relog.open", "101室 王老师", office.name),
    ]
    # What the office seals afterwards is not for the room to read either.
    one = {"session": made.session_id, "plan": "11", "scope": {"kind": "room", "rooms": [made.room_id]}}
    assert (await post(office, "/incidents", one, told_by="王老师")).status_code == 200
    path = f"/rooms/{made.room_id}/told-by"
    before = (await member.get(path, session=made.session_id)).json()["entries"]
    await hall.sql("UPDATE incident SET sealed = true WHERE session_id = :s", s=made.session_id)
    after = (await member.get(path, session=made.session_id)).json()["entries"]
    assert ([one["action"] for one in before if one not in after], len(after)) == (["incident.open"], 3)

    # On paper: the room's record and the day's report say who telephoned, when, what, and who entered it.
    marked = await post(office, f"/seats/{made.spares[0]}/mark", {"out_of_order": "无法开机"}, told_by="王老师")
    assert marked.status_code == 200, marked.text
    for who, what, more in ((member, "room-record", {"room": made.room_id}), (office, "day-report", {})):
        asked = {"session": made.session_id, **more}
        book = await who.get(f"/print/{what}", **asked, format="xlsx")
        sheet = openpyxl.load_workbook(io.BytesIO(book.content)).active
        rows = [[cell for cell in row if cell] for row in sheet.iter_rows(values_only=True)]
        at = rows.index(["电话代办 (4)"])
        done = ("relog.open", "relog.withdraw", "attendance.check-in", "seat.mark")
        whose = ("101室 王老师", "101室 王老师", "张老师", "王老师")
        assert [(row[1], row[2].split()[0], row[-1]) for row in rows[at + 2 : at + 6]] == [
            (by, audit_words.words(action)[0], office.name) for by, action in zip(whose, done, strict=True)
        ]
        assert rows[at + 5][2].endswith(" 备1")
        assert all(re.fullmatch(r"\d\d:\d\d:\d\d", row[0]) for row in rows[at + 2 : at + 6])
        page = (await who.get(f"/print/{what}", **asked, language="en")).text
        assert "Done by telephone (4)" in page
        word = await who.get(f"/print/{what}", **asked, format="docx")
        with zipfile.ZipFile(io.BytesIO(word.content)) as package:
            assert "电话代办" in package.read("word/document.xml").decode()

    elsewhere = await signed_in(hall.client, hall.engine, "chief")
    refused = await elsewhere.get(f"/rooms/{made.room_id}/told-by", session=made.session_id)
    assert (refused.status_code, refused.json()["code"]) == (403, "not-permitted")


@pytest.mark.parametrize("name", ["王" * 101, "a\0b", "%ED%A0%80", "a\nb"])
async def test_a_name_that_cannot_be_one_is_refused_and_nothing_is_done(hall, name):
    made, _, _ = await hall.at(HOUR)
    office = await signed_in(hall.client, hall.engine, "office")
    headers = {
        **office.headers, "Idempotency-Key": "k",
        "Told-By": name if name.startswith("%") else quote(name, safe=""),
    }  # fmt: skip
    reply = await hall.client.post(f"/staff/rooms/{made.room_id}/check-in", json=body(made), headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (422, "bad-body")
    assert await audit(hall, made, "attendance.check-in") == []


async def test_an_item_said_to_be_wrong_is_kept_as_the_version_that_was_drawn(hall):
    made, member, _ = await hall.at(-60_000)
    office = await signed_in(hall.client, hall.engine, "office")
    attempt = made.people[0].attempt
    path = f"/attempts/{attempt}/item-reports"
    asked = {"position": 2, "text": "第二题选项A与C相同", "told_by": "王老师"}
    reply = await member.post(path, asked, key="once")
    assert reply.status_code == 200, reply.text
    report = reply.json()["report"]
    assert (report["position"], report["ticket"], report["item"]) == (2, made.people[0].ticket, None)
    assert (await member.post(path, asked, key="once")).json() == reply.json()
    version = await hall.sql("SELECT item_version_id FROM paper_item WHERE attempt_id = :a AND position = 2", a=attempt)
    kept = await hall.sql("SELECT array_agg(item_version_id) FROM item_report WHERE session_id = :s", s=made.session_id)
    assert kept == [version]
    (entry,) = await audit(hall, made, "item.report")
    assert (entry["position"], entry["told_by"], "选项" in str(entry)) == (2, "王老师", False)

    (listed,) = (await office.get("/item-reports", session=made.session_id)).json()["reports"]
    assert (listed["text"], listed["by"], listed["reported"]) == (asked["text"], member.name, 1)
    assert listed["drawn"] == await hall.sql(
        "SELECT count(*) FROM paper_item p JOIN attempt a ON a.id = p.attempt_id WHERE a.session_id = :s"
        " AND p.item_version_id = :v", s=made.session_id, v=version,
    )  # fmt: skip
    assert listed["item"] is not None
    (own,) = (await member.get("/item-reports", session=made.session_id)).json()["reports"]
    assert (own["text"], own["item"], own["drawn"]) == (asked["text"], None, None)
    elsewhere = await signed_in(hall.client, hall.engine, "chief")
    assert (await elsewhere.get("/item-reports", session=made.session_id)).json() == {"reports": []}
    assert (await elsewhere.post(path, asked)).json()["code"] == "not-permitted"
    inspector = await signed_in(hall.client, hall.engine, "inspector")
    assert (await inspector.post(path, asked)).json()["code"] == "not-permitted"
    unknown = await member.post(path, {**asked, "position": 99})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "item-position-unknown")


async def test_nobody_has_seen_a_question_before_the_start(hall):
    made, member, _ = await hall.at(HOUR)
    reply = await member.post(f"/attempts/{made.people[0].attempt}/item-reports", {"position": 1, "text": "印错了"})
    assert (reply.status_code, reply.json()["code"]) == (409, "item-report-early")


async def test_who_relieves_somebody_finds_and_ends_what_the_other_had_begun(hall):
    made, member, chief = await hall.at(-60_000)
    relief = await signed_in(hall.client, hall.engine, "invigilator")
    candidate = Candidate(hall.client, made.people[0])
    assert (await candidate.sign_in()).status_code == 200
    attempt = made.people[0].attempt
    relog = (await member.relog(attempt, same_seat=True)).json()["relog"]["id"]
    assert (await member.post(f"/attempts/{made.people[1].attempt}/leave", {"kind": "toilet"})).json()["code"] == (
        "not-signed-in"
    )
    change = {"joined": relief.username, "left": member.username, "reason": "身体不适"}
    done = await chief.post(f"/rooms/{made.room_id}/duty", change)
    assert done.status_code == 200, done.text
    # The login that was open before the change has the room now, and the other one has it no more.
    picture = await relief.room(made.room_id, made.session_id)
    assert occupant(picture, made.people[0].ticket)["relog"]["id"] == relog
    assert (await member.post(f"/relogs/{relog}/withdraw")).json()["code"] == "not-permitted"
    assert (await relief.post(f"/relogs/{relog}/withdraw")).status_code == 200
    (entry,) = await audit(hall, made, "duty.change")
    assert (entry["joined"], entry["left"]) == (relief.username, member.username)
