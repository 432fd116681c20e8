"""The record and the candidate disagree (plan 3): admitted provisionally, and corrected once, afterwards."""

from __future__ import annotations

import asyncio
import csv
import io
import secrets
from datetime import datetime

import pytest
from sqlalchemy import text

from app.domain.identity import check_digit
from tests.api.test_evidence import JPEG
from tests.candidates import Candidate
from tests.doors import audit, hall, occupant
from tests.staff import signed_in

__all__ = ["hall"]
pytestmark = pytest.mark.asyncio(loop_scope="module")

HALF = 1_800_000
HOUR = 3_600_000


def number(first17: str) -> str:
    """A well-formed one; of a region that does not exist."""
    return first17 + check_digit(first17)


def opening(made, n: int = 0, *, files=(), told_by="", identified="公安机关证明", **claims) -> dict:
    return {
        "session_id": made.session_id, "room_id": made.room_id, "ticket": made.people[n].ticket,
        "fields": [{"field": field, "claimed": value} for field, value in claims.items()],
        "identified": identified, "files": list(files), "told_by": told_by,
    }  # fmt: skip


async def ok(reply) -> dict:
    reply = await reply
    assert reply.status_code == 200, reply.text
    return reply.json()


async def refused(reply, status: int, code: str) -> dict:
    reply = await reply
    assert (reply.status_code, reply.json().get("code")) == (status, code), reply.text
    told = reply.json()
    assert "{" not in told["detail_zh"] + told["detail_en"]
    return told


async def photo(member, made, body: bytes = JPEG) -> int:
    headers = {**member.headers, "Idempotency-Key": secrets.token_hex(8)}
    reply = await member.client.post(
        f"/staff/evidence?session={made.session_id}&name=p.jpg", content=body, headers=headers
    )
    assert reply.status_code == 200, reply.text
    return reply.json()["evidence"]["id"]


def decision(told: dict, field: str, approve: bool = True, **more) -> dict:
    now = next(each["now"] for each in told["fields"] if each["field"] == field)
    return {"discrepancy": told["id"], "field": field, "approve": approve, "seen": now, **more}


async def whole(office, told: dict) -> dict:
    """As the office sees it: nothing masked."""
    return (await ok(office.get(f"/discrepancies/{told['id']}")))["discrepancy"]


async def person(hall, made, n: int = 0):
    async with hall.engine.connect() as conn:
        rows = await conn.execute(
            text("SELECT name, gender, id_number FROM candidate WHERE id = :c"), {"c": made.people[n].candidate_id}
        )
        return rows.one()


async def test_one_request_admits_and_the_document_in_the_hand_signs_in(hall):
    # Begun a minute ago: the candidate loses no more by it.
    made, member, _ = await hall.at(-60_000)
    new = number("99000219900101101")
    sitter = Candidate(hall.client, made.people[0])
    sitter.person.tail = new[-6:]
    assert (await sitter.sign_in()).json()["code"] == "sign-in-failed"
    file = await photo(member, made)
    asked = opening(made, name="李 雷", id_number=new.lower(), files=[file], told_by="门口 王老师")
    told = await ok(member.post("/discrepancies", asked, key="once-d1"))
    assert await ok(member.post("/discrepancies", asked, key="once-d1")) == told
    assert (told["admitted"], told["checked_in"]) == (True, True)
    shown = {each["field"]: each for each in told["discrepancy"]["fields"]}
    assert (shown["name"]["recorded"], shown["name"]["claimed"]) == ("考生1", "李 雷")
    # At the door nobody sees a whole number, not even the one they typed.
    assert new not in str(told)
    assert shown["id_number"]["claimed"].endswith(new[-2:])
    assert [each["id"] for each in told["discrepancy"]["files"]] == [file]

    signed = await sitter.sign_in()
    assert signed.status_code == 200, signed.text
    notices = (await sitter.send()).json()["notices"]
    assert [note["kind"] for note in notices] == ["discrepancy"]
    assert "照常考试" in notices[0]["zh"]
    seen = occupant(await member.room(made.room_id, made.session_id), made.people[0].ticket)
    assert seen["checked_in"]["by"] == member.name

    (entered,) = await audit(hall, made, "discrepancy.open")
    assert entered["attempt"] == str(made.people[0].attempt)
    assert (entered["ticket"], entered["room_id"]) == (made.people[0].ticket, made.room_id)
    assert entered["told_by"] == "门口 王老师"
    assert entered["fields"] == ["name", "id_number"]
    assert new not in str(entered)
    kind = await hall.sql("SELECT kind FROM admission WHERE session_id = :s", s=made.session_id)
    assert kind == "provisional"
    # Nothing on record has moved.
    assert (await person(hall, made)).name == "考生1"


async def test_the_second_to_write_it_down_is_told_who_was_first(hall):
    made, member, chief = await hall.at(HALF)
    replies = await asyncio.gather(
        member.post("/discrepancies", opening(made, name="王五")),
        chief.post("/discrepancies", opening(made, name="王五")),
    )
    assert sorted(reply.status_code for reply in replies) == [200, 409]
    told = next(reply.json() for reply in replies if reply.status_code == 409)
    assert told["code"] == "discrepancy-open"
    assert told["by"] in (member.name, chief.name)
    assert len(await audit(hall, made, "discrepancy.open")) == 1
    # Something else about the same person is another record, and admits nobody twice.
    more = await ok(chief.post("/discrepancies", opening(made, gender="女")))
    assert more["admitted"] is False


async def test_what_cannot_be_or_does_not_differ_is_refused_at_the_door(hall):
    made, member, _ = await hall.at(HALF)
    path = "/discrepancies"
    wrong = number("99000219900101101")[:-1] + "Y"
    assert (await refused(member.post(path, opening(made, id_number=wrong)), 422, "discrepancy-malformed"))[
        "field"
    ] == ("id_number")
    await refused(member.post(path, opening(made, gender="？")), 422, "discrepancy-malformed")
    await refused(member.post(path, opening(made, name=" 考生1 ")), 409, "discrepancy-same")
    await refused(member.post(path, opening(made, photo="1")), 422, "evidence-type")
    await refused(member.post(path, opening(made, name="甲", files=[999_999])), 404, "evidence-unknown")
    await refused(member.post(path, opening(made, name="甲\x00")), 422, "bad-body")
    # A passport has no check digit.
    told = await ok(member.post(path, opening(made, id_kind="passport", id_number="g 1234567")))
    assert {each["field"] for each in told["discrepancy"]["fields"]} == {"id_kind", "id_number"}

    elsewhere = await signed_in(hall.client, hall.engine, "invigilator")
    await refused(elsewhere.post(path, opening(made, 1, name="甲")), 403, "not-permitted")
    await refused(elsewhere.get(f"{path}/{told['discrepancy']['id']}"), 403, "not-permitted")
    assert (await ok(elsewhere.get(path, session=made.session_id)))["discrepancies"] == []
    assert len((await ok(member.get(path, session=made.session_id)))["discrepancies"]) == 1
    await refused(
        member.post(f"{path}/decide", {"decisions": [decision(told["discrepancy"], "id_kind")]}), 403, "not-permitted"
    )


async def test_a_closed_door_stays_closed(hall):
    made, member, chief = await hall.at(-HOUR)
    told = await ok(member.post("/discrepancies", opening(made, name="迟到人")))
    assert (told["admitted"], told["checked_in"]) == (True, False)
    assert (await Candidate(hall.client, made.people[0]).sign_in()).json()["code"] == "too-late"
    door = {"session_id": made.session_id, "ticket": made.people[0].ticket, "reason": "主考同意"}
    await ok(chief.post(f"/rooms/{made.room_id}/admissions", door))
    assert (await Candidate(hall.client, made.people[0]).sign_in()).status_code == 200


async def test_the_office_decides_once_and_the_record_follows(hall):
    made, member, _ = await hall.at(HALF)
    office = await signed_in(hall.client, hall.engine, "office")
    new = number("99000219900101103")
    first = (await ok(member.post("/discrepancies", opening(made, name="张三丰", gender="男", id_number=new))))[
        "discrepancy"
    ]
    seen = await whole(office, first)
    assert next(each["claimed"] for each in seen["fields"] if each["field"] == "id_number") == new
    asked = {
        "decisions": [decision(seen, "name"), decision(seen, "id_number"), decision(seen, "gender", False, note="有误")]
    }
    one, other = await asyncio.gather(
        office.post("/discrepancies/decide", asked), office.post("/discrepancies/decide", asked)
    )
    assert sorted((one.status_code, other.status_code)) == [200, 409]
    late = next(reply.json() for reply in (one, other) if reply.status_code == 409)
    assert (late["code"], late["by"]) == ("discrepancy-decided", office.name)

    row = await person(hall, made)
    assert (row.name, row.gender, row.id_number) == ("张三丰", "", new)
    told = await whole(office, first)
    states = {each["field"]: (each["state"], each["recorded"], each["by"]) for each in told["fields"]}
    assert states["name"] == ("approved", "考生1", office.name)
    assert states["gender"][0] == "rejected"
    assert told["open"] is False

    old = made.people[0].tail
    sitter = Candidate(hall.client, made.people[0])
    assert (await sitter.sign_in()).json()["code"] == "sign-in-failed", old
    sitter.person.tail = new[-6:]
    assert (await sitter.sign_in()).status_code == 200

    (entered,) = await audit(hall, made, "discrepancy.decide")
    said = {each["field"]: each for each in entered["decisions"]}
    assert (said["name"]["before"], said["name"]["after"]) == ("考生1", "张三丰")
    assert new not in str(entered)
    counts = (await ok(office.get("/discrepancies", session=made.session_id)))["counts"]
    assert counts == {"open": 0, "approved": 2, "rejected": 1}


async def test_a_record_that_moved_since_is_not_written_over(hall):
    made, member, _ = await hall.at(HALF)
    office = await signed_in(hall.client, hall.engine, "office")
    first = (await ok(member.post("/discrepancies", opening(made, name="赵六"))))["discrepancy"]
    seen = await whole(office, first)
    await hall.sql("UPDATE candidate SET name = '钱七' WHERE id = :c", c=made.people[0].candidate_id)
    asked = {"decisions": [decision(seen, "name")]}
    told = await refused(office.post("/discrepancies/decide", asked), 409, "discrepancy-moved")
    assert told["now_zh"] == "钱七"
    assert (await person(hall, made)).name == "钱七"
    await ok(office.post("/discrepancies/decide", {"decisions": [decision(await whole(office, first), "name")]}))
    assert (await person(hall, made)).name == "赵六"


async def test_nobody_approves_what_they_wrote_down_themselves(hall):
    made, _, _ = await hall.at(HALF)
    # By telephone, for the room: who writes it down for somebody is who wrote it down.
    office, other = [await signed_in(hall.client, hall.engine, role) for role in ("office", "admin")]
    first = (await ok(office.post("/discrepancies", opening(made, name="赵六", told_by="门口"))))["discrepancy"]
    seen = await whole(office, first)
    asked = {"decisions": [decision(seen, "name")]}
    # The page does not offer it either.
    assert [(await whole(reader, first))["own"] for reader in (office, other)] == [True, False]
    await refused(office.post("/discrepancies/decide", asked), 403, "discrepancy-same-person")
    assert (await person(hall, made)).name == "考生1"
    await ok(other.post("/discrepancies/decide", asked))
    assert (await person(hall, made)).name == "赵六"


async def test_two_numbers_that_were_exchanged_are_corrected_together(hall):
    made, member, _ = await hall.at(HALF)
    office = await signed_in(hall.client, hall.engine, "office")
    mine, theirs = number("99000219900101105"), number("99000219900101106")
    for n, value in ((0, theirs), (1, mine)):
        await hall.sql("UPDATE candidate SET id_number = :i WHERE id = :c", i=value, c=made.people[n].candidate_id)
    told = [
        (await ok(member.post("/discrepancies", opening(made, n, id_number=value))))["discrepancy"]
        for n, value in ((0, mine), (1, theirs))
    ]
    seen = [await whole(office, each) for each in told]
    alone = {"decisions": [decision(seen[0], "id_number")]}
    taken = await refused(office.post("/discrepancies/decide", alone), 409, "discrepancy-id-taken")
    assert taken["tickets"] == made.people[1].ticket
    assert (await person(hall, made)).id_number == theirs
    await ok(office.post("/discrepancies/decide", {"decisions": [decision(each, "id_number") for each in seen]}))
    assert [(await person(hall, made, n)).id_number for n in (0, 1)] == [mine, theirs]


async def test_a_rejected_number_lets_nobody_in_but_where_they_sit(hall):
    made, member, _ = await hall.at(HALF)
    office = await signed_in(hall.client, hall.engine, "office")
    new = number("99000219900101107")
    first = (await ok(member.post("/discrepancies", opening(made, id_number=new))))["discrepancy"]
    await ok(
        office.post("/discrepancies/decide", {"decisions": [decision(await whole(office, first), "id_number", False)]})
    )
    sitter = Candidate(hall.client, made.people[0])
    sitter.person.tail = new[-6:]
    assert (await sitter.sign_in()).status_code == 200
    # As if it had been written down in another session of the exam.
    await hall.sql(
        "WITH s AS (INSERT INTO session (exam_id, number, name, planned_start, duration_ms) VALUES (:e, 2, '第二场',"
        " now(), 60000) RETURNING id) UPDATE discrepancy SET session_id = s.id FROM s WHERE discrepancy.id = :d",
        e=made.exam_id, d=first["id"],
    )  # fmt: skip
    assert (await sitter.sign_in()).json()["code"] == "sign-in-failed"


async def test_the_photo_taken_on_site_becomes_the_candidates(hall):
    made, member, _ = await hall.at(HALF)
    office = await signed_in(hall.client, hall.engine, "office")
    file = await photo(member, made)
    first = (await ok(member.post("/discrepancies", opening(made, photo=str(file), files=[file]))))["discrepancy"]
    # Readable by whoever may read the record, and by nobody else.
    elsewhere = await signed_in(hall.client, hall.engine, "invigilator")
    assert (await office.get(f"/evidence/{file}")).content == JPEG
    assert (await elsewhere.get(f"/evidence/{file}")).status_code == 403
    more = await photo(member, made, JPEG + b"2")
    told = await ok(member.post(f"/discrepancies/{first['id']}/evidence", {"files": [more]}))
    assert [each["id"] for each in told["discrepancy"]["files"]] == [file, more]
    await ok(office.post("/discrepancies/decide", {"decisions": [decision(await whole(office, first), "photo")]}))
    body = await hall.sql("SELECT body FROM candidate_photo WHERE candidate_id = :c", c=made.people[0].candidate_id)
    assert bytes(body) == JPEG


async def test_the_form_is_told_what_is_on_record_and_the_list_is_exported(hall):
    made, member, _ = await hall.at(HALF)
    office = await signed_in(hall.client, hall.engine, "office")
    where = {"session": made.session_id, "room": made.room_id, "ticket": made.people[0].ticket.lower()}
    told = await ok(member.get("/discrepancies/about", **where))
    shown = {each["field"]: each for each in told["fields"]}
    assert (shown["name"]["recorded"], shown["id_kind"]["recorded_zh"]) == ("考生1", "居民身份证")
    assert "*" in shown["id_number"]["recorded"]
    await ok(member.post("/discrepancies", opening(made, name="=1+1", specialty="水文")))
    assert (await ok(member.get("/discrepancies/about", **where)))["fields"][0]["open_by"] == member.name

    path, about = "/discrepancies/report", {"session": made.session_id}
    sheet = (await office.get(path, format="csv", **about)).content
    assert sheet.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(sheet.decode("utf-8-sig"))))
    assert lines[0][:2] == ["准考证号", "姓名"]
    assert {line[5]: line[7] for line in lines[1:]} == {"姓名": "'=1+1", "专业": "水文"}
    plain = (await office.get(path, format="json", **about)).json()
    assert [(each["state"], each["decided_at"]) for each in plain] == [("待核对", ""), ("待核对", "")]
    assert datetime.fromisoformat(plain[0]["at"]).tzinfo, "a program is told the instant, and people the minute"
    assert {line[-2] for line in lines[1:]} == {plain[0]["at"][:16].replace("T", " ")}
    assert "信息更正表" in (await office.get(path, **about)).text
    assert "Corrections" in (await office.get(path, language="en", **about)).text
    for form in ("xlsx", "docx"):
        assert (await office.get(path, format=form, **about)).content.startswith(b"PK")
