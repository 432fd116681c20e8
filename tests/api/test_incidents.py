"""Incidents over HTTP: opened by whom and for whom, what is linked by itself, two at once, the seal, and the end."""

from __future__ import annotations

import asyncio
import json
import secrets
import zipfile
from io import BytesIO

import pytest
from sqlalchemy import text

from app.storage.postgres import audit
from tests.api.test_evidence import JPEG, send
from tests.halls import HOUR, opened
from tests.staff import signed_in

MIN = 60_000


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    rooms = [("南楼", 2), ("南楼", 1), ("北楼", 2)]
    async with opened(fresh_url, redis_url, fresh_db, rooms=rooms) as (_, client, made):
        made.client = client
        yield made


@pytest.fixture
async def member(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "invigilator", room_ids=hall.room_ids[:1])


@pytest.fixture
async def office(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


def room(hall, *numbers: int) -> dict:
    return {"kind": "room", "rooms": [hall.room_ids[n - 1] for n in numbers]}


async def ok(reply) -> dict:
    reply = await reply
    assert reply.status_code == 200, reply.text
    return reply.json()


async def refused(reply, status: int, code: str) -> dict:
    reply = await reply
    assert (reply.status_code, reply.json().get("code")) == (status, code), reply.text
    body = reply.json()
    assert "{" not in body["detail_zh"] + body["detail_en"]
    return body


async def opens(staff, hall, plan: str, of: dict, **more) -> dict:
    body = {"session": hall.made.session_id, "plan": plan, "scope": of, **more}
    return (await ok(staff.post("/incidents", body)))["incident"]


async def writes(staff, incident: dict, kind: str, **more) -> dict:
    return (await ok(staff.post(f"/incidents/{incident['id']}/entries", {"kind": kind, **more})))["incident"]


def said(body: bytes, form: str) -> str:
    if form == "html":
        return body.decode()
    parts = zipfile.ZipFile(BytesIO(body))
    return "".join(parts.read(name).decode() for name in parts.namelist() if name.endswith(".xml"))


async def audited(engine, action: str) -> list[dict]:
    async with engine.connect() as conn:
        assert await audit.verify(conn) is None
        return list(
            (
                await conn.execute(text("SELECT subject FROM audit_entry WHERE action = :a ORDER BY n"), {"a": action})
            ).scalars()
        )


async def test_an_incident_is_opened_worked_through_closed_and_signed(hall, fresh_db, member, office):
    plans = (await ok(member.get("/plans", session=hall.made.session_id)))["plans"]
    assert [one["plan"] for one in plans][:5] == ["1", "2", "3", "4.1", "4.2"]
    body = {"session": hall.made.session_id, "plan": "11", "scope": room(hall, 1), "minutes_ago": 5, "note": "灯灭"}
    first = await ok(member.post("/incidents", body, key="k1"))
    assert (await ok(member.post("/incidents", body, key="k1"))) == first
    told = first["incident"]
    assert (told["number"], told["plan_zh"], told["names"], told["state"]) == (1, "个别考室停电", ["第1考室"], "open")
    # Five minutes ago the service did not run: the exam clock stood where it began.
    assert told["from_ms"] == HOUR
    assert [step["done"] for step in told["steps"]] == [None] * len(told["steps"])

    step = told["steps"][0]["id"]
    told = await writes(member, told, "step", step=step, text="电话")
    assert (told["steps"][0]["done"]["by"], told["steps"][0]["done"]["note"]) == (member.name, "电话")
    again = await refused(
        office.post(f"/incidents/{told['id']}/entries", {"kind": "step", "step": step}), 409, "step-decided"
    )
    assert again["by"] == member.name
    told = await writes(office, told, "step", step=step, done=False, told_by="张老师")
    assert told["steps"][0]["done"] is None
    told = await writes(office, told, "told", who="供电所", how="电话", text="二十分钟内到")
    told = await writes(member, told, "note", text="备用电源已启动")
    await refused(member.post(f"/incidents/{told['id']}/entries", {"kind": "note", "text": " "}), 422, "entry-empty")

    photo = (await send(member, hall.made.session_id, JPEG)).json()["evidence"]
    await refused(
        office.post(f"/incidents/{told['id']}/entries", {"kind": "evidence", "files": [photo["id"]]}),
        404, "evidence-unknown",
    )  # fmt: skip
    attach = {"kind": "evidence", "files": [photo["id"]], "text": "配电箱"}
    twice = await asyncio.gather(*(member.post(f"/incidents/{told['id']}/entries", attach) for _ in range(2)))
    assert sorted(one.status_code for one in twice) == [200, 409]
    told = (await ok(member.get(f"/incidents/{told['id']}")))["incident"]
    assert [one["evidence"] for one in told["entries"] if one["evidence"]] == [photo]
    assert (await office.get(f"/evidence/{photo['id']}")).content == JPEG
    await refused(
        member.post(f"/incidents/{told['id']}/entries", {"kind": "evidence", "files": [photo["id"]]}),
        409, "evidence-attached",
    )  # fmt: skip

    seen = told["newest"]
    await writes(office, told, "note", text="已派人")
    stale = await refused(member.post(f"/incidents/{told['id']}/close", {"seen": seen}), 409, "incident-changed")
    assert stale["by"] == office.name
    now = (await ok(member.get(f"/incidents/{told['id']}")))["incident"]
    await refused(office.post(f"/incidents/{told['id']}/sign", {"seen": now["newest"]}), 409, "incident-not-closed")
    both = await asyncio.gather(
        member.post(f"/incidents/{told['id']}/close", {"seen": now["newest"], "note": "来电"}),
        office.post(f"/incidents/{told['id']}/close", {"seen": now["newest"]}),
    )
    assert sorted(one.status_code for one in both) == [200, 409]
    now = next(one.json() for one in both if one.status_code == 200)["incident"]
    assert now["entries"][-1]["data"]["undone"] == [one["id"] for one in now["steps"]]
    over = {"kind": "step", "step": step}
    assert (await refused(office.post(f"/incidents/{told['id']}/entries", over), 409, "incident-over"))["by"]
    await refused(member.post(f"/incidents/{told['id']}/sign", {"seen": now["newest"]}), 403, "not-permitted")
    signed = (await ok(office.post(f"/incidents/{told['id']}/sign", {"seen": now["newest"]})))["incident"]
    assert (signed["state"], signed["signed_by"]) == ("signed", office.name)
    reopen = {"seen": signed["newest"], "note": "漏记一台"}
    await refused(member.post(f"/incidents/{told['id']}/reopen", reopen), 403, "not-permitted")
    assert (await ok(office.post(f"/incidents/{told['id']}/reopen", reopen)))["incident"]["state"] == "open"

    for language, words in (("zh", ["突发事件报告", "第1考室", "供电所", "二十分钟内到", "走廊.jpg", photo["sha256"]]),
                            ("en", ["Incident report", "One room loses power", "Told 供电所"])):  # fmt: skip
        for form in ("html", "xlsx", "docx"):
            reply = await member.get(f"/incidents/{told['id']}/report", format=form, language=language)
            assert reply.status_code == 200, reply.text
            text_ = said(reply.content, form)
            assert [one for one in words if one not in text_] == []
            assert f"incident-1.{form}" in reply.headers["content-disposition"]
    opened_ = (await audited(fresh_db, "incident.open"))[0]
    assert (opened_["number"], opened_["room_id"], opened_["session_id"]) == (1, hall.room_ids[0], hall.made.session_id)
    assert [one["told_by"] for one in await audited(fresh_db, "incident.step-undone")] == ["张老师"]
    assert len(await audited(fresh_db, "incident.close")) == 1


async def test_who_opens_reads_and_writes_which(hall, fresh_db, member, office):
    other = await signed_in(hall.client, fresh_db, "invigilator", room_ids=hall.room_ids[1:2])
    chief = await signed_in(hall.client, fresh_db, "chief", room_ids=[hall.made.room_id, *hall.room_ids[:2]])
    inspector = await signed_in(hall.client, fresh_db, "inspector")
    auditor = await signed_in(hall.client, fresh_db, "auditor")
    everybody = (member, other, chief, inspector, auditor, office)
    session = hall.made.session_id
    south = await _building(fresh_db, hall, "南楼")

    for staff, of in (
        (member, room(hall, 2)),
        (member, {"kind": "site"}),
        (other, {"kind": "building", "buildings": [south]}),
    ):
        body = {"session": session, "plan": "5", "scope": of}
        await refused(staff.post("/incidents", body), 403, "not-permitted")
    fire = await opens(chief, hall, "5", {"kind": "building", "buildings": [south]})
    sealed = await opens(member, hall, "1", {"kind": "list", "tickets": ["EXAM-1", "EXAM-2"]}, sealed=False)
    assert (fire["sealed"], sealed["sealed"], sealed["room_ids"]) == (False, True, hall.room_ids[:1])

    async def seen(staff) -> set[int]:
        told = (await ok(staff.get("/incidents", session=session)))["incidents"]
        for one in told:
            assert (await staff.get(f"/incidents/{one['id']}")).status_code == 200
        return {one["number"] for one in told}

    assert [await seen(staff) for staff in everybody] == [{1, 2}, {1}, {1}, {1}, {1, 2}, {1, 2}]
    await refused(chief.get(f"/incidents/{sealed['id']}"), 403, "not-permitted")
    note = {"kind": "note", "text": "x"}
    for staff in (inspector, auditor):
        await refused(staff.post(f"/incidents/{fire['id']}/entries", note), 403, "not-permitted")
    await refused(chief.post(f"/incidents/{sealed['id']}/entries", note), 403, "not-permitted")
    told = await writes(member, fire, "note", text="三人咳嗽")
    # Who watches one room of it writes down what they see, and does not say that it is over.
    await refused(member.post(f"/incidents/{fire['id']}/close", {"seen": told["newest"]}), 403, "not-permitted")
    await refused(
        member.post(f"/incidents/{sealed['id']}/entries", {"kind": "change", "sealed": False}), 403, "not-permitted"
    )
    await writes(office, sealed, "change", sealed=False)
    assert await seen(chief) == {1, 2}
    assert "title" not in (await audited(fresh_db, "incident.open"))[1]

    for of, status, code in (
        ({"kind": "room", "rooms": [2**60]}, 404, "scope-unknown"),
        ({"kind": "list", "tickets": ["EXAM-1", "NOBODY"]}, 404, "scope-unknown"),
        ({"kind": "candidate", "tickets": []}, 422, "scope-malformed"),
    ):
        await refused(office.post("/incidents", {"session": session, "plan": "5", "scope": of}), status, code)
    site = {"session": session, "plan": "5", "scope": {"kind": "site"}}
    await refused(office.post("/incidents", {**site, "plan": "13"}), 404, "plan-unknown")
    await refused(office.post("/incidents", {**site, "from_ms": 100 * HOUR}), 422, "interval-in-future")
    surrogate = json.dumps({**site, "note": "\ud800"})
    headers = {**office.headers, "Idempotency-Key": "s", "Content-Type": "application/json"}
    await refused(office.client.post("/staff/incidents", content=surrogate, headers=headers), 422, "bad-body")
    await refused(office.post("/incidents", {**site, "title": "\x00"}), 422, "bad-body")


async def _building(engine, hall, name: str) -> int:
    async with engine.connect() as conn:
        return await conn.scalar(
            text("SELECT id FROM building WHERE exam_id = :e AND name = :n"), {"e": hall.made.exam_id, "n": name}
        )


async def test_what_was_done_meanwhile_is_there_once_and_nothing_else(hall, fresh_db, member, office):
    def time(action: str, of: dict, **more) -> dict:
        return {"action": action, "scope": {"session": hall.made.session_id, **of}, "reason": "power", **more}

    first = hall.made.people[0]
    one = {"kind": "candidate", "tickets": [first.ticket]}
    # Before anybody has time to write it down, and in another room.
    await ok(office.post("/time/actions", time("pause", room(hall, 1))))
    await ok(office.post("/time/actions", time("extend", room(hall, 2), ms=MIN)))
    relog = (await ok(member.relog(first.attempt, same_seat=True)))["relog"]
    power = await opens(member, hall, "11", room(hall, 1), minutes_ago=3)
    pc = await opens(member, hall, "10", one, minutes_ago=3)
    assert _actions(power) == ["pause", "relog"]
    assert _actions(pc) == ["pause", "relog"]
    await ok(member.post(f"/relogs/{relog['id']}/withdraw"))
    await ok(member.post(f"/seats/{first.seat_id}/mark", {"out_of_order": "无法开机"}))
    # Named in words, it belongs there wherever and whenever it was done, and nowhere else.
    await ok(office.post("/time/actions", time("extend", room(hall, 3), ms=2 * MIN, incident=f"#{pc['number']}")))
    await ok(office.post("/time/actions", time("extend", room(hall, 1), ms=MIN, incident=str(pc["number"]))))
    power = (await ok(member.get(f"/incidents/{power['id']}")))["incident"]
    closed = (await ok(member.post(f"/incidents/{power['id']}/close", {"seen": power["newest"]})))["incident"]
    # Its own pause ends after it, which belongs to it; a new one does not.
    await ok(office.post("/time/actions", time("resume", room(hall, 1))))
    await ok(office.post("/time/actions", time("extend", room(hall, 1), ms=MIN)))
    closed = (await ok(member.get(f"/incidents/{power['id']}")))["incident"]
    assert _actions(closed) == ["pause", "relog", "seat.mark", "resume"]
    pc = (await ok(office.get(f"/incidents/{pc['id']}")))["incident"]
    assert sorted(_actions(pc)) == sorted(["pause", "relog", "seat.mark", "extend", "extend", "resume", "extend"])
    words = [one["zh"] for one in closed["actions"]]
    assert words[0] == "暂停 第1考室（2 人，断电）"
    assert "考生1 EXAM-1" in words[1]
    assert "已撤回" in words[1]

    # An incident that began earlier than first thought takes in what was done then.
    late = await opens(office, hall, "11", room(hall, 2))
    assert _actions(late) == []
    late = await writes(office, late, "change", minutes_ago=10)
    assert _actions(late) == ["extend"]
    # Somebody else comes to be affected.
    late = await writes(office, late, "people", tickets=["EXAM-4"], text="在走廊")
    assert ([one["ticket"] for one in late["people"]], len(late["rooms"])) == (["EXAM-4"], 2)
    late = await writes(office, late, "people", tickets=["EXAM-4"], removed=True)
    assert late["people"] == []


def _actions(incident: dict) -> list[str]:
    return [one["kind"] for one in incident["actions"]]


async def test_the_office_edits_a_plan_and_open_incidents_keep_theirs(hall, fresh_db, member, office):
    session = hall.made.session_id
    before = await opens(member, hall, "12", room(hall, 1))
    plan = next(one for one in (await ok(office.get("/plans", session=session)))["plans"] if one["plan"] == "12")
    steps = [{key: step[key] for key in ("id", "zh", "en")} for step in plan["steps"]]
    steps[0]["zh"] = "移到医务室"
    body = {
        "session": session, "title_zh": "中暑", "title_en": "Heat", "seen": plan["version"],
        "steps": [steps[1], steps[0], {"zh": "通知家属", "en": "Call the family"}],
    }  # fmt: skip
    await refused(member.post("/plans/12", body), 403, "not-permitted")
    both = await asyncio.gather(office.post("/plans/12", body), office.post("/plans/12", body))
    assert sorted(one.status_code for one in both) == [200, 409]
    new = next(one.json() for one in both if one.status_code == 200)["plan"]
    assert (new["version"], new["steps"][1]["zh"], new["steps"][1]["id"]) == (2, "移到医务室", plan["steps"][0]["id"])
    assert len(new["steps"][2]["id"]) == 8
    await refused(office.post("/plans/12", body), 409, "plan-changed")
    foreign = {**body, "seen": 2, "steps": [{"id": "made-up", "zh": "甲", "en": "a"}]}
    await refused(office.post("/plans/12", foreign), 422, "plan-malformed")
    after = await opens(member, hall, "12", room(hall, 1), title="两人中暑")
    assert (before["version"], after["version"], after["title"]) == (1, 2, "两人中暑")
    kept = (await ok(member.get(f"/incidents/{before['id']}")))["incident"]
    assert [step["zh"] for step in kept["steps"]] == [step["zh"] for step in before["steps"]]
    assert (await audited(fresh_db, "incident.plan"))[0]["version"] == 2


async def test_many_open_at_once_and_every_one_has_its_own_number(hall, member):
    body = {"session": hall.made.session_id, "plan": "9", "scope": room(hall, 1)}
    replies = await asyncio.gather(*(member.post("/incidents", body, key=secrets.token_hex(8)) for _ in range(6)))
    assert sorted(one.json()["incident"]["number"] for one in replies) == [1, 2, 3, 4, 5, 6]


async def test_many_rooms_and_lists_in_the_log_are_found_and_misconduct_is_told_to_those_who_may_read_it(
    hall, fresh_db, member, office
):
    chief = await signed_in(hall.client, fresh_db, "chief", room_ids=hall.room_ids[:1])
    about_room = await opens(chief, hall, "2", room(hall, 1))
    about_people = await opens(chief, hall, "2", {"kind": "list", "tickets": ["EXAM-1", "EXAM-2"]})
    room_id, other = hall.room_ids[0], hall.room_ids[2]
    async with fresh_db.begin() as conn:
        staff_id = await conn.scalar(text("SELECT id FROM staff WHERE username = :u"), {"u": member.username})
        for action, subject in (
            ("rounds.move", {"room_ids": [other, room_id]}),
            ("rounds.defer", {"tickets": ["EXAM-9", "EXAM-2"]}),
            ("rounds.swap", {"room_ids": [other], "tickets": ["EXAM-9"]}),
            ("misconduct.open", {"room_id": room_id, "ticket": "EXAM-1", "note": "纸条"}),
            ("attendance.check-in", {"room_id": room_id, "ticket": "EXAM-1"}),
        ):
            await audit.append(
                conn, actor=member.username, staff_id=staff_id, action=action, subject=subject, service_ms=hall.now_ms
            )

        await conn.execute(
            text(
                "INSERT INTO adjustment (kind, session_id, attempt_id, from_ms, to_ms, reason, source, made_ms)"
                " SELECT 'credit', session_id, id, :now - 42000, :now, r, r, :now FROM attempt,"
                " unnest(CAST(:r AS text[])) r WHERE r = 'reconnect' OR id = :a"
            ),
            {"now": hall.now_ms, "r": ["reconnect", "relog"], "a": hall.rooms[0][0]},
        )
    by_itself = [
        one["zh"] for one in (await ok(office.get(f"/incidents/{about_room['id']}")))["incident"]["actions"]
        if one["source"] == "time"
    ]  # fmt: skip
    assert sorted(by_itself) == ["自动补时 42 秒 考生1 EXAM-1（1 人，换机）", "自动补时（2 人，服务恢复后重连）"]

    async def kinds(staff, incident) -> list[str]:
        told = (await ok(staff.get(f"/incidents/{incident['id']}")))["incident"]["actions"]
        return [one["kind"] for one in told if one["source"] == "audit"]

    assert await kinds(office, about_room) == ["rounds.move", "misconduct.open"]
    assert await kinds(office, about_people) == ["rounds.defer", "misconduct.open"]
    # The chief sees that incident, and nothing of what somebody else wrote down about misconduct; its author does.
    assert await kinds(chief, about_room) == ["rounds.move"]
    assert await kinds(member, about_room) == ["rounds.move", "misconduct.open"]
    told = (await ok(office.get(f"/incidents/{about_room['id']}")))["incident"]["actions"]
    assert "纸条" not in json.dumps(told, ensure_ascii=False)
    assert (await audited(fresh_db, "incident.open"))[1]["tickets"] == ["EXAM-1", "EXAM-2"]


async def test_who_watches_one_room_of_it_is_told_of_that_room_and_without_a_room_writes_nothing(
    hall, fresh_db, member, office
):
    chief = await signed_in(hall.client, fresh_db, "chief", room_ids=hall.room_ids)
    both = await opens(chief, hall, "2", {"kind": "list", "tickets": ["EXAM-1", "EXAM-3"]})
    assert both["room_ids"] == hall.room_ids[:2]
    await writes(chief, both, "people", tickets=["EXAM-1", "EXAM-3"])
    pause = {"action": "pause", "reason": "disturbance", "note": "隔壁吵"}
    for n in (0, 1):
        of = {"session": hall.made.session_id, "kind": "candidate", "attempt": str(hall.rooms[n][0])}
        await ok(office.post("/time/actions", {**pause, "scope": of, "incident": str(both["number"])}))
    for staff, tickets in ((office, ["EXAM-1", "EXAM-3"]), (chief, ["EXAM-1", "EXAM-3"]), (member, ["EXAM-1"])):
        told = (await ok(staff.get(f"/incidents/{both['id']}")))["incident"]
        (listed,) = (await ok(staff.get("/incidents", session=hall.made.session_id)))["incidents"]
        assert [one["ticket"] for one in told["people"]] == told["names"] == listed["names"] == tickets
        paused = [one["zh"] for one in told["actions"] if one["kind"] == "pause"]
        assert len(paused) == len(tickets)
        assert ("EXAM-3" in str(told)) == ("EXAM-3" in tickets)

    # Whoever is moved to the room next door stays one of those this happened to under these eyes.
    async with fresh_db.begin() as conn:
        await conn.execute(
            text(
                "UPDATE allocation SET seat_id = :s FROM attempt a WHERE a.id = :a"
                " AND (allocation.session_id, allocation.candidate_id) = (a.session_id, a.candidate_id)"
            ),
            {"s": hall.made.spares[0], "a": hall.rooms[0][0]},
        )
    told = (await ok(member.get(f"/incidents/{both['id']}")))["incident"]
    assert [one["ticket"] for one in told["people"]] == ["EXAM-1"]

    # The chief looks after another building now.
    async with fresh_db.begin() as conn:
        await conn.execute(
            text("DELETE FROM staff_room WHERE staff_id = (SELECT id FROM staff WHERE username = :u)"),
            {"u": chief.username},
        )
    told = (await ok(chief.get(f"/incidents/{both['id']}")))["incident"]
    assert (told["people"], told["may"]["write"]) == ([], False)
    body = {"kind": "note", "text": "x"}
    await refused(chief.post(f"/incidents/{both['id']}/entries", body), 403, "not-permitted")
    await refused(chief.post(f"/incidents/{both['id']}/close", {"seen": told["newest"]}), 403, "not-permitted")
    # Nor does anybody seal what they could not read then.
    seal = {"kind": "change", "sealed": True}
    await refused(member.post(f"/incidents/{both['id']}/entries", seal), 403, "not-permitted")
    assert (await writes(office, both, "change", sealed=True))["sealed"] is True
