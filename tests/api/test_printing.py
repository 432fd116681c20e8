"""What is printed for a room, beside what its record says."""

from __future__ import annotations

import io
import re
import zipfile

import openpyxl
import pytest

from tests.candidates import Candidate
from tests.doors import body, hall
from tests.staff import signed_in

__all__ = ["hall"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
HOUR = 3_600_000


async def second_room(hall, made) -> int:
    """Another room of the exam, to which the third candidate goes."""
    room_id = await hall.sql(
        "INSERT INTO room (exam_id, building_id, name, ordinal, seat_count, spare_count)"
        " SELECT exam_id, building_id, '第02考室', 2, 1, 0 FROM room WHERE id = :r RETURNING id",
        r=made.room_id,
    )
    seat = await hall.sql("INSERT INTO seat (room_id, label, ordinal) VALUES (:r, '1', 1) RETURNING id", r=room_id)
    await hall.sql("UPDATE allocation SET seat_id = :s WHERE candidate_id = :c", s=seat, c=made.people[2].candidate_id)
    return room_id


async def test_sheets_of_ones_rooms_and_of_no_other(hall):
    made, member, _ = await hall.at(HOUR)
    other = await second_room(hall, made)
    await hall.sql("UPDATE candidate SET name = '<b>王·五</b>' WHERE id = :c", c=made.people[0].candidate_id)
    await hall.sql(
        "INSERT INTO candidate_photo (candidate_id, sha256, content_type, body) VALUES (:c, 'x', 'image/png', 'face')",
        c=made.people[1].candidate_id,
    )

    async def sheet(who, what, **asked):
        reply = await who.get(f"/print/{what}", session=made.session_id, **asked)
        assert reply.status_code == 200, reply.text
        assert reply.headers["cache-control"] == "no-store"
        return reply.text

    door = await sheet(member, "door-list", room=made.room_id)
    assert "&lt;b&gt;王·五&lt;/b&gt;" in door
    assert (door.count('<section class="sheet'), "考生2" in door, "考生3" in door) == (1, True, False)
    # A door says neither the whole ticket nor anything of a document.
    assert made.people[1].ticket not in door
    assert "9900" not in door
    signing = await sheet(member, "sign-in-sheet", room=made.room_id, language="en")
    assert ("Signature" in signing, "data:image/png;base64,ZmFjZQ==" in signing) == (True, True)
    assert "9900****02" in signing
    inspector = await signed_in(hall.client, hall.engine, "inspector")
    looked_at = await sheet(inspector, "sign-in-sheet", room=made.room_id)
    assert ("考生2" in looked_at, "data:image" in looked_at) == (True, False), "who inspects sees no faces"
    # Every room in reach: for the invigilator this one, for the office both, one after the other.
    assert (await sheet(member, "roll")).count('<section class="sheet') == 1
    office = await signed_in(hall.client, hall.engine, "office")
    everywhere = await sheet(office, "roll")
    assert everywhere.count('<section class="sheet') == 2
    assert everywhere.index("第01考室") < everywhere.index("第02考室") < everywhere.index("考生3")
    await hall.sql("UPDATE seat SET out_of_order = '无法开机' WHERE id = :s", s=made.spares[1])
    seats = await sheet(office, "seat-map", room=made.room_id)
    assert (seats.count("sheet-taken"), seats.count("sheet-spare"), seats.count("sheet-broken")) == (2, 1, 1)
    records = await sheet(office, "room-record")
    assert (records.count('<section class="sheet'), records.count("考场情况记录单</h1>")) == (2, 2)
    bound = await office.get("/print/room-record", session=made.session_id, format="xlsx")
    rows = list(openpyxl.load_workbook(io.BytesIO(bound.content)).active.iter_rows(values_only=True))
    assert [row[0] for row in rows if row[0] and "考室　" in row[0]] == [
        "考试　南楼 第01考室　第一场",
        "考试　南楼 第02考室　第一场",
    ]
    denied = await member.get("/print/roll", session=made.session_id, room=other)
    assert (denied.status_code, denied.json()["code"]) == (403, "not-permitted")
    nobody = await office.get("/print/roll", session=2**40)
    assert (nobody.status_code, nobody.json()["code"]) == (404, "not-found")


async def a_day(hall):
    """Ten minutes in: one handed in, one moved to a spare seat and was extended, one is absent; (made, people)."""
    made, member, chief = await hall.at(-1_200_000, last_admission_ms=60_000)
    room = f"/rooms/{made.room_id}"
    first, second = (Candidate(hall.client, person) for person in made.people[:2])
    for n in range(2):
        assert (await chief.post(f"{room}/admissions", body(made, n, reason="堵车"))).status_code == 200
    await first.sign_in()
    await second.sign_in()
    await member.relog(made.people[1].attempt, to_seat_id=made.spares[0])
    await second.sign_in(seat={"room": "第01考室", "seat": "备1"}, fresh=True)
    await member.post(f"/attempts/{made.people[1].attempt}/leave", {"kind": "toilet", "note": "女监考陪同"})
    await member.post(f"/seats/{made.people[1].seat_id}/mark", {"out_of_order": "<键盘>失灵"})
    await member.post(f"{room}/absent", {"session_id": made.session_id, "tickets": [made.people[2].ticket]})
    office = await signed_in(hall.client, hall.engine, "office")
    extended = {
        "action": "extend", "ms": 150_000, "reason": "power", "note": "跳闸一次", "incident": "1",
        "scope": {"kind": "room", "session": made.session_id, "rooms": [made.room_id]},
    }  # fmt: skip
    assert (await office.post("/time/actions", extended)).status_code == 200
    await chief.post(
        "/incidents", {"session": made.session_id, "plan": "11", "scope": {"kind": "room", "rooms": [made.room_id]}}
    )
    await first.send(path="hand-in")
    differs = {"fields": [{"field": "name", "claimed": "考生贰"}], "identified": "身份证", "room_id": made.room_id}
    assert (await chief.post("/discrepancies", body(made, 1, **differs))).status_code == 200
    seen = {"facts": "夹带", "second_staff": "王老师", "told": True, "room_id": made.room_id}
    assert (await chief.post("/misconduct", body(made, 0, **seen))).status_code == 200
    signed = {"session_id": made.session_id, "expected": 3, "present": 2, "absent": 1, "remarks": "秩序良好"}
    assert (await member.post(f"{room}/sign-off", signed)).status_code == 200
    return made, member, chief, office


async def test_the_rooms_record_and_the_days_report_say_what_happened(hall):
    made, member, chief, office = await a_day(hall)
    asked = {"session": made.session_id, "room": made.room_id}
    page = (await member.get("/print/room-record", **asked)).text
    facts = dict(re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", page))
    told = {key: facts[key] for key in ("应考", "实考", "缺考", "缓考", "迟到")}
    assert told == {"应考": "3 人", "实考": "2 人", "缺考": "1 人", "缓考": "0 人", "迟到": "2 人"}
    assert facts["考室签署"].startswith(f"{member.name} ")
    assert (facts["签署时人数"], facts["考室放行"]) == ("应考 3 实考 2 缺考 1", "未办理")
    for line in (
        "堵车",
        "女监考陪同",
        "&lt;键盘&gt;失灵",
        "跳闸一次",
        "2 分 30 秒",
        "断电 #1",
        "考生贰",
        "秩序良好",
        "备1",
        "#1",
    ):
        assert line in page, line
    # An invigilator counts what they wrote themselves; the office counts all.
    assert facts["违纪登记人数（本人登记）"] == "0 人"
    whole = (await office.get("/print/room-record", **asked, language="en")).text
    assert "Candidates with a record of misconduct</dt><dd>1<" in whole
    word = await office.get("/print/room-record", session=made.session_id, format="docx")
    with zipfile.ZipFile(io.BytesIO(word.content)) as package:
        assert "考场情况记录单" in package.read("word/document.xml").decode()

    book = await office.get("/print/day-report", exam=made.exam_id, format="xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(book.content)).active
    cells = [[cell.value for cell in row if cell.value is not None] for row in sheet.iter_rows()]
    totals = next(row for row in cells if row[:1] == ["第一场"])
    assert totals == ["第一场", "1", "3", "2", "1", "0", "2", "1", "0", "0", "0", "1", "3", totals[-1]]
    pending = {row[0]: row[1] for row in cells if len(row) == 2}
    assert (
        pending["离场未返回"]
        == pending["待核对的信息更正"]
        == pending["未关闭的突发事件"]
        == pending["未放行的考室"]
        == "1"
    )
    assert "未签署的考室" not in pending
    assert (await member.get("/print/day-report", exam=made.exam_id)).json()["code"] == "not-permitted"
    own = (await chief.get("/print/day-report", session=made.session_id, language="en")).text
    assert "Report of the day" in own
    assert "第01考室" in own


async def test_a_rooms_record_is_that_of_its_session_and_says_no_more_than_the_room_may_know(hall):
    made, member, chief = await hall.at(-1_200_000, last_admission_ms=HOUR)
    await second_room(hall, made)
    office, inspector = [await signed_in(hall.client, hall.engine, role) for role in ("office", "inspector")]
    for person in made.people:
        there = {"seat": {"room": "第02考室", "seat": "1"}} if person is made.people[2] else {}
        reply = await Candidate(hall.client, person).sign_in(**there)
        assert reply.status_code == 200, reply.text
    several = {"kind": "list", "session": made.session_id, "tickets": [one.ticket for one in made.people[1:]]}
    extended = {"action": "extend", "ms": 90_000, "reason": "power", "note": "两室各一人", "scope": several}
    assert (await office.post("/time/actions", extended)).status_code == 200
    seen = {"facts": "夹带", "second_staff": "王老师", "told": True, "room_id": made.room_id, "measure": "removed"}
    assert (await office.post("/misconduct", body(made, 0, **seen))).status_code == 200
    gone = await member.post(f"/attempts/{made.people[1].attempt}/withdraw", {"reason": "胃痛难忍"})
    assert gone.status_code == 200, gone.text
    await member.post(f"/seats/{made.spares[0]}/mark", {"out_of_order": "无法开机"})
    room = f"/rooms/{made.room_id}"
    called = await member.post(f"{room}/roll-call", {"session_id": made.session_id})
    assert called.status_code == 200, called.text
    call = (await member.get(f"{room}/roll-calls", session=made.session_id)).json()["roll_calls"][0]["id"]
    marks = {"session_id": made.session_id, "tickets": [made.people[1].ticket], "found": False}
    assert (await member.post(f"{room}/roll-call/{call}/marks", marks)).status_code == 200
    await hall.sql(
        "INSERT INTO room_record (session_id, room_id, signed_by, signed_ms, signed_expected, signed_present,"
        " signed_absent, absent_by, absent_ms, released_by, released_ms)"
        " SELECT :s, :r, id, :ms, 3, 2, 1, id, :ms, id, :ms FROM staff WHERE username = :u",
        s=made.session_id, r=made.room_id, ms=hall.site.service_time.now_ms(), u=chief.username,
    )  # fmt: skip
    # The afternoon: somebody else watches, one PC works again and another does not.
    relief = await signed_in(hall.client, hall.engine, "invigilator")
    change = {"joined": relief.username, "left": member.username, "reason": "换班"}
    assert (await chief.post(f"/rooms/{made.room_id}/duty", change)).status_code == 200
    await chief.post(f"/seats/{made.spares[0]}/mark", {"out_of_order": None})
    await chief.post(f"/seats/{made.spares[1]}/mark", {"out_of_order": "鼠标失灵"})

    asked = {"session": made.session_id, "room": made.room_id}
    pages = [(await who.get("/print/room-record", **asked)).text for who in (relief, inspector, office)]
    # Signed as three of whom one was absent; there are two since.
    facts = dict(re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", pages[0]))
    assert [facts[key] for key in ("应考", "实考", "缺考")] == ["2 人（签署时 3）", "2 人", "0 人（签署时 1）"]
    (called,) = re.findall("点名 \\(1\\)</h2>.*?<tbody>(.*?)</tbody>", pages[0], re.DOTALL)
    cells = re.findall("<td[^>]*>(.*?)</td>", called, re.DOTALL)
    assert cells[1:6] == [member.name, "2", "0", f"1 2 考生2 {made.people[1].ticket}", "1"]
    # Misconduct is told to whoever reads it.
    assert ["考务决定" in page for page in pages] == [False, False, True]
    for page in pages:
        assert (member.name in page, relief.name in page, "换班" in page) == (True, False, False)
        assert ("无法开机" in page, "鼠标失灵" in page) == (True, False)
        # Of a list over two rooms those of this one. (The other's ticket stands where it tells of seats changed.)
        (line,) = [one for one in re.findall("<tr.*?</tr>", page, re.DOTALL) if "两室各一人" in one]
        assert [one.ticket in line for one in made.people[1:]] == [True, False]
        assert ("本人退出人员" in page, "胃痛难忍" in page) == (True, True)
    report = await office.get("/print/day-report", session=made.session_id, format="xlsx")
    rows = list(openpyxl.load_workbook(io.BytesIO(report.content)).active.iter_rows(values_only=True))
    head = next(row for row in rows if "本人退出" in row)
    totals = dict(zip(head, next(row for row in rows if row[0] == "第一场"), strict=True))
    assert (totals["本人退出"], totals["被结束"]) == ("1", "1")
    assert any(row[3] == "2（签署时 3）" for row in rows)
    # Seats as they were while the session was held: one works again since, and another one has failed since.
    cells = [[cell for cell in row if cell] for row in rows]
    assert [row for row in cells if "备1" in row] == [["第一场", "第01考室", "备1", "无法开机"]]
    assert not any("鼠标失灵" in row for row in rows)
    told = (await office.get("/exports/attendance", session=made.session_id, format="json")).json()["attendance"]
    (left,) = [one for one in told if one["ticket"] == made.people[1].ticket]
    assert (left["state"], left["withdrew_reason"], left["withdrew_by"]) == ("本人退出", "胃痛难忍", member.name)
