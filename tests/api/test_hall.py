"""The office's page: all rooms at once, what may be seen of the day, anybody by name, and what one look costs."""

from __future__ import annotations

import asyncio
import json

import pytest
from sqlalchemy import text

from app.services.hall_viewer import Viewer
from app.services.room_feed import LOOK_EVERY_S
from app.storage.postgres import hall as rows
from tests.candidates import Candidate
from tests.doors import body, hall
from tests.staff import signed_in

__all__ = ["hall"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
MIN = 60_000


async def told(member, made, **more):
    reply = await member.get("/hall", session=made.session_id, **more)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def second_room(hall, made):
    """Another room of the exam, with the last candidate of the first one in it."""
    room = await hall.sql(
        "INSERT INTO room (exam_id, building_id, name, ordinal, seat_count, spare_count)"
        " SELECT exam_id, building_id, '第02考室', 2, 1, 0 FROM room WHERE id = :r RETURNING id",
        r=made.room_id,
    )
    seat = await hall.sql("INSERT INTO seat (room_id, label, ordinal) VALUES (:r, '1', 1) RETURNING id", r=room)
    await hall.sql(
        "UPDATE allocation SET seat_id = :s, planned_seat_id = :s WHERE candidate_id = :c",
        s=seat, c=made.people[-1].candidate_id,
    )  # fmt: skip
    return room


async def test_every_room_is_counted_and_tells_why_it_needs_attention(hall):
    made, _, chief = await hall.at(-MIN)
    other = await second_room(hall, made)
    office = await signed_in(hall.client, hall.engine, "office")
    one = Candidate(hall.client, made.people[0])
    assert (await one.sign_in()).status_code == 200
    await hall.sql("UPDATE seat SET out_of_order = '键盘失灵' WHERE id = :s", s=made.spares[0])
    await hall.sql("UPDATE seat SET out_of_order = '主机故障' WHERE id = :s", s=made.spares[1])
    seen = await told(office, made)
    first, second = seen["rooms"]
    assert (first["id"], second["id"]) == (made.room_id, other)
    assert [first[key] for key in ("expected", "present", "unaccounted", "spare_left", "broken")] == [2, 1, 1, 0, 2]
    assert first["states"] == {"answering": 1, "not_arrived": 1}
    assert (first["level"], first["why"]) == ("look", ["no-spare"])
    # The door is still open: nobody is missing yet, and a room without spares has none to run out of.
    assert (second["level"], second["why"]) == ("calm", [])
    assert (seen["totals"]["expected"], seen["totals"]["states"]["answering"]) == (3, 1)
    assert seen["session"]["state"] == "running"
    # Whoever looks from elsewhere reads the exam's clocks.
    assert seen["session"]["timezone"] == "Asia/Shanghai"
    # A chief sees their own rooms, and adds up no others.
    mine = await told(chief, made)
    assert [room["id"] for room in mine["rooms"]] == [made.room_id]
    assert mine["totals"]["expected"] == 2


async def test_a_sealed_incident_and_misconduct_are_seen_by_those_who_may(hall):
    made, member, chief = await hall.at(-MIN)
    office, inspector = [await signed_in(hall.client, hall.engine, role) for role in ("office", "inspector")]
    scope = {"kind": "room", "rooms": [made.room_id]}
    for sealed in (True, False):
        opened = {
            "session": made.session_id,
            "plan": "2",
            "scope": scope,
            "title": "甲" if sealed else "乙",
            "sealed": sealed,
        }
        assert (await office.post("/incidents", opened)).status_code == 200
    await hall.sql(
        "INSERT INTO audit_entry (n, at, actor, action, subject, hash) SELECT n + 1, now(), 'x', 'misconduct.open',"
        " jsonb_build_object('room_id', CAST(:r AS int8)), hash FROM audit_head",
        r=made.room_id,
    )
    await hall.sql("UPDATE audit_head SET n = n + 1")
    for one, titles, misconduct in ((office, ["乙", "甲"], True), (inspector, ["乙"], False), (chief, ["乙"], False)):
        seen = await told(one, made)
        assert [each["title"] for each in seen["incidents"]] == titles
        assert seen["rooms"][0]["incidents"] == len(titles)
        assert (seen["rooms"][0]["level"], seen["rooms"][0]["why"]) == ("alarm", ["incident"])
        feed = (await one.get("/hall/feed", session=made.session_id, room=made.room_id)).json()
        actions = [each["action"] for each in feed["entries"]]
        assert actions.count("incident.open") == len(titles)
        assert ("misconduct.open" in actions) is misconduct
        assert ("甲" in json.dumps(feed, ensure_ascii=False)) is False, "not even its title"
    assert (await member.get("/hall", session=made.session_id)).json()["code"] == "not-permitted"


async def test_of_what_reaches_into_other_rooms_a_chief_is_told_who_is_theirs(hall):
    made, _, chief = await hall.at(-MIN)
    await second_room(hall, made)
    office = await signed_in(hall.client, hall.engine, "office")
    mine, other = made.people[0].ticket, made.people[2].ticket
    scope = {"session": made.session_id, "kind": "list", "tickets": [mine, other]}
    for path, asked in (
        ("/incidents", {"session": made.session_id, "plan": "2", "scope": {"kind": "list", "tickets": [mine, other]}}),
        ("/announcements", {"scope": scope, "to": "both", "zh": "请到主考室。"}),
        ("/time/proposals", {"scope": scope, "ms": MIN, "reason": "power", "note": "晚发"}),
    ):
        assert (await office.post(path, asked)).status_code == 200, path
    for one, both in ((office, True), (chief, False)):
        said = await one.get("/announcements", session=made.session_id)
        feed = await one.get("/hall/feed", session=made.session_id)
        for seen in (await told(one, made), said.json(), feed.json()):
            text = json.dumps(seen, ensure_ascii=False)
            assert mine in text
            assert (other in text) is both
        assert sorted(feed.json()["people"]) == ([mine, other] if both else [mine])
    [proposal] = (await told(chief, made))["proposals"]
    assert (proposal["names"], proposal["scope_names"]) == ([mine], [mine])


async def test_a_feed_tells_one_exam_and_a_room_that_is_empty_now_stays(hall):
    made, _, _ = await hall.at(60 * MIN)
    another, _, _ = await hall.at(60 * MIN)
    office = await signed_in(hall.client, hall.engine, "office")
    there = await second_room(hall, made)
    for exam in (made, another):
        # An incident in no room is told by its session, what is done to an exam by its code.
        await hall.sql(
            "INSERT INTO audit_entry (n, at, actor, action, subject, hash) SELECT n + 1, now(), 'x', 'incident.open',"
            " jsonb_build_object('session_id', CAST(:s AS int8), 'title', CAST(:t AS text)), hash FROM audit_head",
            s=exam.session_id, t=f"考试{exam.exam_id}",
        )  # fmt: skip
        await hall.sql("UPDATE audit_head SET n = n + 1")
        seen = (await office.get(f"/site/exams/{exam.exam_id}")).json()["exam"]["name"]
        name = {"name": f"改名{exam.exam_id}", "seen": seen}
        assert (await office.post(f"/site/exams/{exam.exam_id}", name)).status_code == 200
    feed = (await office.get("/hall/feed", session=made.session_id)).json()["entries"]
    actions = [each["action"] for each in feed]
    assert (actions.count("incident.open"), actions.count("site.exam-rename")) == (1, 1)
    assert f"考试{made.exam_id}" in json.dumps(feed, ensure_ascii=False)
    # Everybody was moved out of the second room, and one room has spare seats only.
    await hall.sql("UPDATE allocation SET seat_id = :s WHERE candidate_id = :c", s=made.spares[0],
                   c=made.people[2].candidate_id)  # fmt: skip
    reserve = await hall.sql(
        "INSERT INTO room (exam_id, building_id, name, ordinal, seat_count, spare_count)"
        " SELECT exam_id, building_id, '备用考室', 3, 0, 1 FROM room WHERE id = :r RETURNING id", r=made.room_id,
    )  # fmt: skip
    await hall.sql("INSERT INTO seat (room_id, label, ordinal, is_spare) VALUES (:r, '备1', 1, true)", r=reserve)
    seen = await told(office, made)
    assert [(room["id"], room["expected"], room["reserve"]) for room in seen["rooms"]] == [
        (made.room_id, 3, False), (there, 0, False), (reserve, 0, True),
    ]  # fmt: skip
    assert seen["totals"]["rooms"] == 2


async def test_the_feed_is_paged_and_narrowed_by_room_and_kind(hall):
    made, member, chief = await hall.at(60 * MIN)
    for n in range(3):
        assert (await member.post(f"/rooms/{made.room_id}/check-in", body(made, n))).status_code == 200
    assert (await member.post(f"/seats/{made.spares[0]}/mark", {"out_of_order": "键盘失灵"})).status_code == 200
    first = (await chief.get("/hall/feed", session=made.session_id, kind="attendance", limit=2)).json()
    assert [each["tickets"] for each in first["entries"]] == [[made.people[2].ticket], [made.people[1].ticket]]
    assert first["people"][made.people[2].ticket] == "考生3"
    assert first["entries"][0]["by"] == member.name
    rest = await chief.get("/hall/feed", session=made.session_id, kind="attendance", before=first["next"])
    assert [each["tickets"] for each in rest.json()["entries"]] == [[made.people[0].ticket]]
    assert rest.json()["next"] is None
    everything = (await chief.get("/hall/feed", session=made.session_id)).json()["entries"]
    assert [each["action"] for each in everything][:2] == ["seat.mark", "attendance.check-in"]
    assert (await chief.get("/hall/feed", session=made.session_id, kind="staff")).status_code == 422


async def test_anybody_is_found_by_name_ticket_seat_and_state_across_rooms(hall):
    made, _, chief = await hall.at(-MIN)
    other = await second_room(hall, made)
    office = await signed_in(hall.client, hall.engine, "office")
    assert (await Candidate(hall.client, made.people[1]).sign_in()).status_code == 200

    async def found(member, **asked):
        reply = await member.get("/hall/candidates", session=made.session_id, **asked)
        assert reply.status_code == 200, reply.text
        return [(each["ticket"], each["room_id"], each["state"]) for each in reply.json()["candidates"]]

    one, two, three = (person.ticket for person in made.people)
    assert await found(office, query="考生3") == [(three, other, "not_arrived")]
    assert await found(office, query=two.lower()) == [(two, made.room_id, "answering")]
    assert [each[0] for each in await found(office, query="第01考室 2")] == [two]
    assert [each[0] for each in await found(office, state="not_arrived")] == [one, three]
    assert [each[0] for each in await found(office, state="not_arrived", room=other)] == [three]
    assert await found(chief, query="考生3") == []
    assert (await office.get("/hall/candidates", session=2**40)).json()["code"] == "not-found"


async def test_the_stream_tells_changes_once_and_a_heartbeat_is_none(hall):
    made, member, _ = await hall.at(-MIN)
    office = await signed_in(hall.client, hall.engine, "office")
    one = Candidate(hall.client, made.people[0])
    assert (await one.sign_in()).status_code == 200
    app = hall.client._transport.app
    feeds = app.state.room_feeds
    async with (
        feeds.watch_hall(made.session_id) as board,
        feeds.watch(made.room_id, made.session_id) as room,
        asyncio.timeout(60),
    ):
        [watch] = [each for key, each in feeds.feeds.items() if key == made.session_id]
        assert watch.watchers == 2
        first = await board.newer_than(0, 30)
        await room.newer_than(0, 30)
        await asyncio.sleep(LOOK_EVERY_S * 1.2)
        before = (board.seen.n, room.seen.n)
        await one.send()
        await asyncio.sleep(LOOK_EVERY_S * 1.5)
        assert (board.seen.n, room.seen.n) == before, "a heartbeat moves nothing that is shown"
        entry = first.text.recent.last
        assert (await member.post(f"/attempts/{one.person.attempt}/leave", {"kind": "toilet"})).status_code == 200
        while (seen := await board.newer_than(before[0], 30)).text.counted[made.room_id].states.get("on_leave") != 1:
            before = (seen.n, before[1])
        news, people = seen.text.recent.newer(entry, Viewer(None, True, True, None), seen.text.slow.exam, frozenset())
        assert people == {made.people[0].ticket: "考生1"}
        assert [each["action"] for each in news] == ["leave.open"]
        while json.loads((at := await room.newer_than(before[1], 30)).text)["counts"]["on_leave"] != 1:
            before = (before[0], at.n)
        # Sealed after it was opened, it is no more told live than when it is asked for.
        scope = {"kind": "room", "rooms": [made.room_id]}
        opened = {"session": made.session_id, "plan": "2", "scope": scope, "title": "丙"}
        incident = (await office.post("/incidents", opened)).json()["incident"]
        seal = {"kind": "change", "sealed": True}
        assert (await office.post(f"/incidents/{incident['id']}/entries", seal)).status_code == 200
        while incident["id"] not in (seen := await board.newer_than(before[0], 30)).text.slow.sealed:
            before = (seen.n, before[1])
        for viewer, told_of in ((Viewer(None, True, True, None), True), (Viewer(None, False, False, 0), False)):
            live = seen.text.recent.newer(entry, viewer, seen.text.slow.exam, seen.text.hidden(viewer))
            assert ("丙" in json.dumps(live, ensure_ascii=False)) is told_of
    assert (await told(office, made))["totals"]["states"]["on_leave"] == 1


async def test_a_look_scans_no_responses_and_finds_its_rows_by_index(hall):
    made, _, _ = await hall.at(-MIN)
    async with hall.engine.begin() as conn:
        await conn.execute(text("SET LOCAL enable_seqscan = off"))
        for statement in (rows._MOVING, rows._ENTERED, rows._ROOMS, rows._PEOPLE):
            asked = statement.replace("$1", str(made.session_id)).replace("$2::int8[]", "NULL::int8[]")
            asked = asked.replace("$2", "5")
            plan = "\n".join((await conn.exec_driver_sql(f"EXPLAIN {asked}")).scalars())
            assert "response" not in plan
            assert "Seq Scan" not in plan, plan
