"""Misconduct (plan 1): facts with two staff, read by few; a candidate sits on or is removed with every answer kept."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from app.services import report_pictures
from tests.api.test_discrepancies import ok, opening, photo, refused
from tests.api.test_evidence import JPEG
from tests.api.test_hall import second_room
from tests.candidates import Candidate
from tests.doors import audit, hall, occupant
from tests.staff import signed_in

__all__ = ["hall"]
pytestmark = pytest.mark.asyncio(loop_scope="module")

MINUTE = 60_000
FACTS = "在试卷下发现写有公式的纸条，当场收缴。"


def record(made, n: int = 0, **more) -> dict:
    return {
        "session_id": made.session_id, "room_id": made.room_id, "ticket": made.people[n].ticket, "facts": FACTS,
        "second_staff": "赵老师", "told": True, "signature": "refused", **more,
    }  # fmt: skip


async def test_read_by_whoever_wrote_it_and_the_office_and_nobody_else(hall, monkeypatch):
    made, member, chief = await hall.at(-MINUTE)
    office, auditor = [await signed_in(hall.client, hall.engine, role) for role in ("office", "auditor")]
    inspector = await signed_in(hall.client, hall.engine, "inspector")
    file = await photo(member, made)
    asked = record(
        made, files=[file], witnesses=[{"name": "邻座 2 号", "text": "看见了"}], minutes_ago=1, told_by="王老师"
    )
    told = (await ok(member.post("/misconduct", asked, key="m-1")))["misconduct"]
    assert (await ok(member.post("/misconduct", asked, key="m-1")))["misconduct"] == told
    assert (told["measure"], told["second_staff"], told["signature_zh"]) == ("noted", "赵老师", "拒绝签字")
    assert told["may"] == {"write": True, "remove": False}
    assert [entry["kind"] for entry in told["entries"]] == ["measure", "witness", "evidence"]

    path = f"/misconduct/{told['id']}"
    for reader in (member, office, auditor):
        assert (await ok(reader.get(path)))["misconduct"]["facts"] == FACTS
        assert len((await ok(reader.get("/misconduct", session=made.session_id)))["misconduct"]) == 1
        assert (await reader.get(f"/evidence/{file}")).content == JPEG
    # Not even the chief of the room, who writes their own.
    assert await ok(chief.get("/misconduct", session=made.session_id)) == {"misconduct": [], "rooms": []}
    for reader in (chief, inspector):
        for asked_for in (path, f"{path}/report", f"/evidence/{file}"):
            await refused(reader.get(asked_for), 403, "not-permitted")
    await refused(
        chief.post(f"{path}/entries", {"kind": "note", "seen": told["newest"], "text": "x"}), 403, "not-permitted"
    )
    await refused(
        auditor.post(f"{path}/entries", {"kind": "note", "seen": told["newest"], "text": "x"}), 403, "not-permitted"
    )

    # What everybody may look at says nothing of it: the room, the candidate's page, the facts on the audit log.
    picture = await chief.room(made.room_id, made.session_id)
    assert "misconduct" not in str(picture)
    (entered,) = await audit(hall, made, "misconduct.open")
    assert (entered["ticket"], entered["told_by"]) == (made.people[0].ticket, "王老师")
    assert FACTS not in str(entered)
    for language, title in (("zh", "违纪情况登记表"), ("en", "Record of misconduct")):
        page = (await office.get(f"{path}/report", language=language)).text
        assert title in page
        assert FACTS in page
        assert '<img src="data:image/jpeg;base64,' in page
    for form in ("xlsx", "docx"):
        assert (await office.get(f"{path}/report", format=form)).content.startswith(b"PK")
    # What is too much for one document is named in it.
    monkeypatch.setattr(report_pictures, "MOST_BYTES", len(JPEG) - 1)
    page = (await office.get(f"{path}/report")).text
    assert ("<img" in page, "未随本表打印的照片（共 1 张" in page) == (False, True)


async def test_what_two_staff_did_not_see_or_somebody_else_watches_is_refused(hall):
    made, member, _ = await hall.at(-MINUTE)
    elsewhere = await signed_in(hall.client, hall.engine, "invigilator")
    await refused(elsewhere.post("/misconduct", record(made)), 403, "not-permitted")
    await refused(member.post("/misconduct", record(made, second_staff="")), 422, "bad-body")
    await refused(member.post("/misconduct", record(made, facts=" ")), 422, "bad-body")
    await refused(member.post("/misconduct", record(made, told=False)), 422, "bad-body")
    await refused(member.post("/misconduct", record(made, measure="removed")), 403, "not-permitted")
    await refused(member.post("/misconduct", record(made, incident=999_999)), 404, "not-found")
    await refused(member.post("/misconduct", {**record(made), "ticket": "X-404"}), 404, "ticket-unknown")
    assert await audit(hall, made, "misconduct.open") == []


async def test_who_is_removed_has_ended_with_every_answer_kept(hall):
    made, member, chief = await hall.at(-MINUTE)
    sitter = Candidate(hall.client, made.people[0])
    assert (await sitter.sign_in()).status_code == 200
    assert (await sitter.answer(made.items[0], "A")).status_code == 200
    office = await signed_in(hall.client, hall.engine, "office")
    replies = await asyncio.gather(
        chief.post("/misconduct", record(made, measure="removed")),
        office.post("/misconduct", record(made, measure="removed")),
    )
    assert sorted(reply.status_code for reply in replies) == [200, 409]
    late = next(reply.json() for reply in replies if reply.status_code == 409)
    assert (late["code"], late["by"] in (chief.name, office.name)) == ("misconduct-removed", True)

    state = await sitter.state()
    assert state["clock"]["state"] in ("ended", "final")
    assert state["responses"][str(made.items[0])]["value"] == "A"
    seen = occupant(await member.room(made.room_id, made.session_id), made.people[0].ticket)
    assert seen["state"] == "forced"
    async with hall.engine.connect() as conn:
        entry = (
            await conn.execute(
                text("SELECT kind, reason, note FROM adjustment WHERE session_id = :s"), {"s": made.session_id}
            )
        ).one()
        notice = await conn.scalar(text("SELECT zh FROM notice WHERE session_id = :s"), {"s": made.session_id})
    # The ledger and the page are read by others: they say that it ended, and not why.
    assert (entry.kind, entry.reason) == ("end", "other")
    assert "违纪" not in entry.note + notice
    assert "均已保留" in notice
    # The pages of time do not even say that somebody has decided it, but to who reads every record.
    for reader, told in ((office, 1), (member, 0), (await signed_in(hall.client, hall.engine, "inspector"), 0)):
        whole = await ok(reader.get(f"/time/sessions/{made.session_id}"))
        own = await ok(reader.get(f"/attempts/{made.people[0].attempt}/time"))
        assert [len(each) for each in (whole["entries"], whole["notices"], own["entries"])] == [told] * 3
        if told:
            reach = f"/time/notices/{whole['notices'][0]['id']}"
            assert (await ok(reader.get(reach)))["of"] == 1
        else:
            await refused(reader.get(reach), 404, "not-found")
    (counted,) = (await ok(office.get("/misconduct", session=made.session_id)))["rooms"]
    assert (counted["candidates"], counted["removed"], counted["marked"]) == (1, 1, 0)

    await refused(chief.post("/misconduct", record(made, measure="removed")), 409, "misconduct-removed")

    # Looked at again and let in: who goes on is no longer removed, and can be once more.
    one = {"session": made.session_id, "kind": "candidate", "attempt": str(made.people[0].attempt)}
    await ok(office.post("/time/actions", {"action": "reopen", "scope": one, "reason": "staff-error", "note": "复核"}))
    assert (await sitter.sign_in()).status_code == 200
    assert (await sitter.answer(made.items[1], ["A"])).status_code == 200
    again = (await ok(chief.post("/misconduct", record(made, measure="removed"))))["misconduct"]
    assert again["measure"] == "removed"
    assert (await sitter.state())["clock"]["state"] in ("ended", "final")


async def test_a_mark_becomes_a_removal_with_the_reason_and_as_it_was_seen(hall):
    made, member, _ = await hall.at(-MINUTE)
    assert (await Candidate(hall.client, made.people[1]).sign_in()).status_code == 200
    office = await signed_in(hall.client, hall.engine, "office")
    told = (await ok(member.post("/misconduct", record(made, 1, measure="marked", told=False, signature=""))))[
        "misconduct"
    ]
    path = f"/misconduct/{told['id']}/entries"
    noted = (await ok(member.post(path, {"kind": "note", "seen": told["newest"], "text": "再次发现"})))["misconduct"]
    stale = await refused(
        office.post(path, {"kind": "measure", "seen": told["newest"], "measure": "removed", "text": "两次"}),
        409, "misconduct-changed",
    )  # fmt: skip
    assert stale["by"] == member.name
    change = {"kind": "measure", "seen": noted["newest"], "measure": "removed", "text": "两次"}
    await refused(member.post(path, change), 403, "not-permitted")
    await refused(office.post(path, {**change, "text": ""}), 422, "entry-empty")
    removed = (await ok(office.post(path, change)))["misconduct"]
    assert (removed["measure"], removed["entries"][-1]["data"]["before"]) == ("removed", "marked")
    after = (await ok(member.post(path, {"kind": "told", "seen": removed["newest"], "signature": "signed"})))[
        "misconduct"
    ]
    assert (after["told"], after["signature"]) == (True, "signed")
    file = await photo(member, made)
    after = (await ok(member.post(path, {"kind": "evidence", "seen": after["newest"], "files": [file]})))["misconduct"]
    wit = {"kind": "witness", "seen": after["newest"], "name": "保卫 李某"}
    after = (await ok(member.post(path, wit)))["misconduct"]
    assert [entry["kind"] for entry in after["entries"]] == [
        "measure",
        "note",
        "measure",
        "told",
        "evidence",
        "witness",
    ]
    assert len(await audit(hall, made, "misconduct.measure")) == 1
    seen = occupant(await member.room(made.room_id, made.session_id), made.people[1].ticket)
    assert seen["state"] == "forced"


async def test_who_is_removed_while_out_of_the_room_is_not_out_of_it_when_the_office_reopens(hall):
    made, member, chief = await hall.at(-MINUTE)
    person = made.people[0]
    sitter = Candidate(hall.client, person)
    await sitter.sign_in()
    await ok(member.post(f"/attempts/{person.attempt}/leave", {"kind": "toilet"}))
    await ok(chief.post("/misconduct", record(made, measure="removed")))
    office = await signed_in(hall.client, hall.engine, "office")
    one = {"session": made.session_id, "kind": "candidate", "attempt": str(person.attempt)}
    again = {"action": "reopen", "scope": one, "reason": "staff-error", "note": "查无实据"}
    await ok(office.post("/time/actions", again))
    assert (await sitter.state())["on_leave"] is False


async def test_a_file_is_opened_by_whoever_may_read_one_of_its_records(hall):
    made, writer, chief = await hall.at(-MINUTE)
    here, there = made.room_id, await second_room(hall, made)
    office = await signed_in(hall.client, hall.engine, "office")
    sender = await signed_in(hall.client, hall.engine, "invigilator", room_ids=[here, there])
    await hall.sql(
        "INSERT INTO staff_room (staff_id, room_id) SELECT id, :r FROM staff WHERE username = :u",
        r=there, u=writer.username,
    )  # fmt: skip

    async def incident(*room_ids: int) -> tuple[int, int]:
        of = {"kind": "room", "rooms": room_ids}
        asked = {"session": made.session_id, "plan": "2", "scope": of}
        told = (await ok(writer.post("/incidents", asked)))["incident"]["id"]
        file = await photo(sender, made)
        await ok(sender.post(f"/incidents/{told}/entries", {"kind": "evidence", "files": [file]}))
        return told, file

    files = {"nothing": await photo(sender, made)}
    _, files["one room"] = await incident(here)
    _, files["two rooms"] = await incident(here, there)
    left, files["no room"] = await incident(here)
    await ok(office.post(f"/incidents/{left}/entries", {"kind": "people", "rooms": [here], "removed": True}))
    sealed, files["sealed"] = await incident(here)
    several, files["several"] = await incident(here)
    elsewhere, _ = await incident(there)
    await hall.sql("UPDATE incident SET sealed = true WHERE id IN (:a, :b)", a=sealed, b=several)
    await hall.sql(
        "INSERT INTO incident_entry (incident_id, kind, evidence_id, staff_id, made_ms)"
        " SELECT :i, 'evidence', :e, staff_id, made_ms FROM incident WHERE id = :i", i=elsewhere, e=files["several"],
    )  # fmt: skip
    for kind, path, asked in (
        ("misconduct", "/misconduct", record(made)),
        ("discrepancy", "/discrepancies", opening(made, name="考生壹")),
    ):
        files[kind] = await photo(writer, made)
        await ok(writer.post(path, {**asked, "files": [files[kind]]}))
    # Another day: neither has a room there any more.
    await hall.sql(
        "DELETE FROM staff_room USING staff s WHERE s.id = staff_id AND s.username IN (:a, :b)",
        a=writer.username, b=sender.username,
    )  # fmt: skip

    readers = {"writer": writer, "sender": sender, "chief": chief, "office": office}
    for name, role, room_ids in (
        ("member", "invigilator", [here]), ("other", "invigilator", [there]), ("other chief", "chief", [there]),
        ("admin", "admin", []), ("auditor", "auditor", []), ("inspector", "inspector", []),
    ):  # fmt: skip
        readers[name] = await signed_in(hall.client, hall.engine, role, room_ids=room_ids)
    few = {"writer", "office", "admin", "auditor"}
    everywhere, ours, others = {*few, "inspector"}, {"member", "chief"}, {"other", "other chief"}
    expected = {
        "nothing": {"sender"},
        "one room": everywhere | ours,
        "two rooms": everywhere | ours | others,
        "no room": everywhere,
        "sealed": few,
        "several": everywhere | others,
        "misconduct": few,
        "discrepancy": everywhere | ours,
    }
    with capture_logs() as lines:
        replies = {
            kind: {name: await reader.get(f"/evidence/{file}") for name, reader in readers.items()}
            for kind, file in files.items()
        }
    opened = {kind: {name for name, one in each.items() if one.content == JPEG} for kind, each in replies.items()}
    assert opened == expected
    assert {one.json()["code"] for each in replies.values() for one in each.values() if one.content != JPEG} == {
        "not-permitted"
    }
    logged = {(line["evidence"], line["staff"]) for line in lines if line["event"] == "evidence opened"}
    assert logged == {(files[kind], readers[name].username) for kind, names in expected.items() for name in names}
