"""The office's decisions on time over HTTP: every action and its effect, every refusal, and two who decide at once."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app.services import time_lookup
from app.storage.postgres import notices
from tests.candidates import Candidate
from tests.halls import HOUR, opened
from tests.staff import signed_in

MIN = 60_000
S = 1000


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    rooms = [("南楼", 2), ("南楼", 1), ("北楼", 2)]
    async with opened(fresh_url, redis_url, fresh_db, rooms=rooms) as (_, client, made):
        made.client = client
        yield made


@pytest.fixture
async def office(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


@pytest.fixture
async def second(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


def scope(hall, kind="site", **more) -> dict:
    return {"session": hall.made.session_id, "kind": kind, **more}


def room(hall, *numbers: int) -> dict:
    return scope(hall, "room", rooms=[hall.room_ids[n - 1] for n in numbers])


def body(action: str, of: dict, **more) -> dict:
    return {"action": action, "scope": of, "reason": "power", **more}


async def done(member, asked: dict, **more) -> dict:
    reply = await member.post("/time/actions", asked, **more)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def refused(member, asked: dict, code: str, path: str = "/time/actions") -> dict:
    reply = await member.post(path, asked)
    assert reply.json().get("code") == code, reply.text
    assert reply.json()["detail_zh"]
    assert reply.json()["detail_en"]
    assert "{" not in reply.json()["detail_zh"] + reply.json()["detail_en"]
    return reply.json()


async def rows(hall, sql: str, **values) -> list:
    async with hall.engine.begin() as conn:
        result = await conn.execute(text(sql), values)
        return list(result.mappings()) if result.returns_rows else []


async def attempts(hall) -> dict:
    return {row["id"]: row for row in await rows(hall, "SELECT * FROM attempt")}


async def everything(hall) -> list:
    """All that a refusal must leave as it was."""
    tables = ("adjustment", "adjustment_attempt", "notice", "proposal", "decision", "audit_entry", "session")
    stored = [await rows(hall, f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]
    return [
        [[tuple(row.values()) for row in one] for one in stored],
        await rows(hall, "SELECT id, state, end_ms, left_ms, postponed_ms, clock_rev FROM attempt ORDER BY id"),
    ]


async def test_a_room_is_paused_and_goes_on_without_having_lost_anything(hall, office):
    before = await attempts(hall)
    preview = (await office.post("/time/preview", body("pause", room(hall, 1)))).json()
    effect = preview["effect"]
    assert (effect["rooms"], effect["candidates"], effect["ends"]) == (1, 2, None)
    assert effect["zh"] == "1 个考室、2 人，立即暂停"
    told = await done(office, body("pause", room(hall, 1), note="跳闸", seen=preview["seen"]))
    assert (told["entry"]["kind"], told["entry"]["scope_names"], told["entry"]["note"]) == (
        "pause",
        ["第1考室"],
        "跳闸",
    )
    now = await attempts(hall)
    for attempt in hall.everybody:
        assert (now[attempt]["left_ms"] is not None) == (attempt in hall.rooms[0])
    left = {attempt: now[attempt]["left_ms"] for attempt in hall.rooms[0]}
    assert all(3 * HOUR - (hall.now_ms - 0) <= ms <= before[a]["end_ms"] for a, ms in left.items())

    await done(office, body("resume", room(hall, 1), reason=""))
    after = await attempts(hall)
    resume = (await rows(hall, "SELECT to_ms FROM adjustment WHERE kind = 'resume'"))[0]["to_ms"]
    for attempt in hall.rooms[0]:
        assert after[attempt]["end_ms"] == resume + left[attempt]
        assert after[attempt]["left_ms"] is None
    for attempt in hall.rooms[1] + hall.rooms[2]:
        assert after[attempt]["end_ms"] == before[attempt]["end_ms"]
    kinds = [row["action"] for row in await rows(hall, "SELECT action FROM audit_entry ORDER BY n")]
    assert kinds[-2:] == ["time.pause", "time.resume"]
    shown = await rows(hall, "SELECT kind, zh FROM notice ORDER BY id")
    assert [row["kind"] for row in shown] == ["pause", "resume"]
    assert "断电" in shown[0]["zh"]


async def test_a_room_within_a_paused_site_goes_on_when_none_holds_it(hall, office):
    await done(office, body("pause", room(hall, 2)))
    await done(office, body("pause", scope(hall), reason="fire"))
    await done(office, body("resume", scope(hall), reason=""))
    now = await attempts(hall)
    assert {a for a, row in now.items() if row["left_ms"] is not None} == set(hall.rooms[1])
    await done(office, body("resume", room(hall, 2), reason=""))
    assert all(row["left_ms"] is None for row in (await attempts(hall)).values())


async def test_one_room_of_a_paused_site_may_go_on_before_the_others(hall, office):
    told = await done(office, body("pause", scope(hall), reason="fire"))
    await done(office, body("resume", room(hall, 3), reason=""))
    now = await attempts(hall)
    assert {a for a, row in now.items() if row["left_ms"] is None} == set(hall.rooms[2])
    # The console resumes what stands: this pause, for whom it still holds.
    reply = await done(office, body("resume", scope(hall), reason="", entry=told["entry"]["id"]))
    assert reply["effect"]["candidates"] == 3
    assert reply["effect"]["left_out"] == [
        {"code": "not-paused", "count": 2, "zh": "不含未被暂停 2 人", "en": "without 2 not paused"}
    ]


async def test_an_extension_moves_the_end_and_says_to_when(hall, office):
    before = await attempts(hall)
    asked = body(
        "extend", scope(hall, "building", buildings=[await building_of(hall, 3)]), ms=10 * MIN, incident="7 号"
    )
    told = await done(office, asked)
    after = await attempts(hall)
    for attempt in hall.everybody:
        assert after[attempt]["end_ms"] - before[attempt]["end_ms"] == (10 * MIN if attempt in hall.rooms[2] else 0)
    ends = datetime.fromisoformat(told["effect"]["ends"]["from"])
    expected = datetime.now(UTC) + timedelta(milliseconds=after[hall.rooms[2][0]]["end_ms"] - hall.now_ms)
    assert abs(ends - expected) < timedelta(seconds=5)
    assert f"{ends:%H:%M:%S}" in told["effect"]["zh"]
    assert told["entry"]["incident"] == "7 号"


async def building_of(hall, number: int) -> int:
    found = await rows(hall, "SELECT building_id FROM room WHERE id = :r", r=hall.room_ids[number - 1])
    return found[0]["building_id"]


async def test_a_credit_inside_a_pause_counts_once(hall, office):
    await done(office, body("pause", room(hall, 1)))
    pause = (await rows(hall, "SELECT from_ms FROM adjustment"))[0]["from_ms"]
    await done(office, body("resume", room(hall, 1), reason=""))
    before = (await attempts(hall))[hall.rooms[0][0]]["end_ms"]
    resume = (await rows(hall, "SELECT to_ms FROM adjustment WHERE kind = 'resume'"))[0]["to_ms"]
    ticket = hall.made.people[0].ticket
    asked = body("credit", scope(hall, "candidate", tickets=[ticket]), from_ms=pause - 5 * MIN, to_ms=resume)
    await done(office, asked)
    assert (await attempts(hall))[hall.rooms[0][0]]["end_ms"] == before + 5 * MIN


async def test_wall_times_are_converted(hall, office):
    now = datetime.now(UTC)
    asked = body(
        "credit", room(hall, 1), from_at=(now - timedelta(minutes=10)).isoformat(),
        to_at=(now - timedelta(minutes=8)).isoformat(),
    )  # fmt: skip
    before = (await attempts(hall))[hall.rooms[0][0]]["end_ms"]
    reply = await office.post("/time/actions", asked)
    # No term is known to have run ten minutes ago: the counter stood then, and the interval has no length.
    assert reply.json().get("code") == "interval-backwards", reply.text
    await rows(
        hall,
        "INSERT INTO term (n, lineage_n, start_ms, gap_ms, leader, started_at)"
        " SELECT 0, lineage_n, 0, 0, '', started_at - interval '1 hour' FROM term",
    )
    await done(office, asked)
    assert (await attempts(hall))[hall.rooms[0][0]]["end_ms"] == before + 2 * MIN
    await refused(office, {**asked, "from_at": "2026-07-20T09:00:00"}, "wall-time-zone")


async def test_undo_takes_back_and_undoing_that_gives_again(hall, office):
    before = (await attempts(hall))[hall.everybody[0]]["end_ms"]
    told = await done(office, body("extend", scope(hall), ms=5 * MIN))
    undo = await done(office, body("undo", scope(hall), reason="", entry=told["entry"]["id"]))
    assert (await attempts(hall))[hall.everybody[0]]["end_ms"] == before
    await refused(office, body("undo", scope(hall), entry=told["entry"]["id"]), "entry-undone")
    await done(office, body("undo", scope(hall), reason="", entry=undo["entry"]["id"]))
    assert (await attempts(hall))[hall.everybody[0]]["end_ms"] == before + 5 * MIN
    view = (await office.get(f"/time/sessions/{hall.made.session_id}")).json()
    assert [(one["kind"], one["live"]) for one in view["entries"]] == [
        ("extend", True), ("undo", False), ("undo", True),
    ]  # fmt: skip


async def test_what_would_end_somebody_is_not_undone(hall, office):
    told = await done(office, body("extend", scope(hall), ms=50 * MIN))
    # Their own time was over nearly four minutes ago, they work in the extension.
    await rows(hall, "UPDATE attempt SET allotted_ms = :ms", ms=hall.now_ms - 4 * MIN + 20_000)
    before = await everything(hall)
    asked = body("undo", scope(hall), entry=told["entry"]["id"])
    said = await refused(office, asked, "undo-too-late")
    assert said["count"] == 5
    assert said["ago_min"] >= 4
    assert "立即结束" in said["detail"]
    # Seen before it is confirmed, in the same words.
    preview = (await office.post("/time/preview", asked)).json()["effect"]["refused"]
    assert preview["code"] == "undo-too-late"
    assert "立即结束" in preview["zh"]
    assert "end them now" in preview["en"]
    assert await everything(hall) == before
    # What it says to do instead.
    ended = await done(office, body("end", scope(hall), note="时间已用完"))
    assert ended["effect"]["candidates"] == 5


async def test_the_cap_refuses_a_decision_and_says_whom(hall, office):
    await done(office, body("extend", room(hall, 1), ms=45 * MIN))
    preview = (await office.post("/time/preview", body("extend", scope(hall), ms=20 * MIN))).json()
    assert [one["ticket"] for one in preview["effect"]["over_cap"]] == await tickets(hall, 1)
    assert preview["effect"]["refused"]["code"] == "cap-exceeded"
    before = await everything(hall)
    said = await refused(office, body("extend", scope(hall), ms=20 * MIN), "cap-exceeded")
    assert sorted(one["ticket"] for one in said["over_cap"]) == sorted(await tickets(hall, 1))
    assert {one["lost_ms"] for one in said["over_cap"]} == {65 * MIN}
    assert await everything(hall) == before
    # Exactly sixty minutes is not over it.
    await done(office, body("extend", room(hall, 1), ms=15 * MIN))


async def test_the_cap_counts_what_this_site_calls_an_outage(fresh_url, redis_url, redis, fresh_db):
    slow = {"handover_gap": timedelta(seconds=60)}
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 2)], **slow) as (_, client, made):
        made.client = client
        member = await signed_in(client, fresh_db, "office")
        await rows(
            made,
            "INSERT INTO term (n, lineage_n, start_ms, gap_ms, leader)"
            " SELECT n - 1000, lineage_n, :at, 40000, 'earlier' FROM term ORDER BY n LIMIT 1", at=HOUR // 2,
        )  # fmt: skip
        # Forty seconds are a change of leader here, and the whole hour is still to give.
        told = await done(member, body("extend", scope(made), ms=HOUR))
        assert told["effect"]["candidates"] == 2
        shown = (await member.get(f"/attempts/{made.everybody[0]}/time")).json()
        assert (shown["lost_ms"], [line["kind"] for line in shown["lines"]]) == (HOUR, ["planned", "extend"])


async def tickets(hall, number: int) -> list[str]:
    chosen = set(hall.rooms[number - 1])
    return [
        person.ticket for person in sorted(hall.made.people, key=lambda one: one.attempt) if person.attempt in chosen
    ]


async def test_a_decision_of_two_people_lifts_the_cap_for_its_scope(hall, office, second):
    proposed = {
        "kind": "lift-cap", "scope": room(hall, 1), "number": "考务 7 号", "text": "准予延长", "limit_ms": 90 * MIN,
    }  # fmt: skip
    reply = await office.post("/time/decisions", proposed)
    assert reply.status_code == 200, reply.text
    decision = reply.json()["decision"]
    assert (decision["state"], decision["candidates"], decision["scope_names"]) == ("proposed", 2, ["第1考室"])
    asked = body("extend", room(hall, 1), ms=80 * MIN, decision=decision["id"])
    await refused(office, asked, "cap-exceeded")
    await refused(office, {}, "decision-same-person", f"/time/decisions/{decision['id']}/approve")
    approved = (await second.post(f"/time/decisions/{decision['id']}/approve")).json()["decision"]
    assert (approved["state"], approved["approved_by"]) == ("approved", second.name)
    await refused(second, {}, "decision-closed", f"/time/decisions/{decision['id']}/withdraw")
    # Nobody else is lifted with it.
    await refused(office, body("extend", room(hall, 2), ms=80 * MIN), "cap-exceeded")
    await refused(office, body("extend", room(hall, 2), ms=5 * MIN, decision=decision["id"]), "decision-not-approved")
    told = await done(office, asked)
    assert told["entry"]["decision"] == decision["id"]
    await refused(office, body("extend", room(hall, 1), ms=20 * MIN), "cap-exceeded")
    log = [row["action"] for row in await rows(hall, "SELECT action FROM audit_entry ORDER BY n")]
    assert log[-3:] == ["time.decision.propose", "time.decision.approve", "time.extend"]


async def test_two_accounts_of_one_name_are_one_person(hall, office, second, fresh_db):
    """Whoever has an account as the office and one as the administrator would approve their own decision."""
    admin = await signed_in(hall.client, fresh_db, "admin")
    proposed = {"kind": "lift-cap", "scope": scope(hall), "number": "1", "text": "t", "limit_ms": 90 * MIN}
    decision = (await office.post("/time/decisions", proposed)).json()["decision"]["id"]
    approve = f"/time/decisions/{decision}/approve"
    for name, of in (("王五", office), (" 王 五", admin)):
        await rows(hall, "UPDATE staff SET name = :n WHERE username = :u", n=name, u=of.username)
    await refused(admin, {}, "decision-same-person", approve)
    assert (await second.post(approve)).json()["decision"]["state"] == "approved"


async def test_a_withdrawn_decision_lifts_nothing(hall, office, second):
    proposed = {"kind": "lift-cap", "scope": scope(hall), "number": "1", "text": "t", "limit_ms": 90 * MIN}
    decision = (await office.post("/time/decisions", proposed)).json()["decision"]["id"]
    assert (await office.post(f"/time/decisions/{decision}/withdraw")).json()["decision"]["state"] == "withdrawn"
    await refused(second, {}, "decision-closed", f"/time/decisions/{decision}/approve")
    for bad, code in (
        ({"number": ""}, "decision-incomplete"),
        ({"limit_ms": 60 * MIN}, "decision-limit"),
        ({"limit_ms": 100 * HOUR}, "decision-limit"),
        ({"scope": scope(hall, "list", tickets=["NOBODY"])}, "scope-unknown"),
    ):
        await refused(office, {**proposed, **bad}, code, "/time/decisions")
    await refused(office, {}, "decision-unknown", "/time/decisions/999/approve")


BAD = [
    (lambda h: body("extend", scope(h), ms=0), "duration-not-positive"),
    (lambda h: body("extend", scope(h), ms=-5 * MIN), "duration-not-positive"),
    (lambda h: body("postpone", scope(h), ms=400 * HOUR), "duration-absurd"),
    (lambda h: body("extend", scope(h)), "duration-missing"),
    (lambda h: body("credit", scope(h), from_ms=5, to_ms=None), "interval-missing"),
    (lambda h: body("credit", scope(h), from_ms=9 * S, to_ms=9 * S), "interval-backwards"),
    (lambda h: body("credit", scope(h), from_ms=9 * S, to_ms=9 * HOUR), "interval-in-future"),
    (lambda h: body("pause", scope(h), from_ms=9 * HOUR), "interval-in-future"),
    (lambda h: body("resume", scope(h), reason=""), "not-paused"),
    (lambda h: body("postpone", scope(h), ms=5 * MIN), "start-passed"),
    (lambda h: body("reopen", scope(h, "list", tickets=[h.made.people[0].ticket]), note="误"), "attempt-open"),
    (lambda h: body("end", scope(h)), "note-missing"),
    (lambda h: body("pause", scope(h), reason="other"), "note-missing"),
    (lambda h: body("pause", scope(h), reason="relog"), "reason-unknown"),
    (lambda h: body("pause", scope(h), reason=""), "reason-unknown"),
    (lambda h: body("pause", scope(h, "room")), "scope-malformed"),
    (lambda h: body("pause", scope(h, "candidate")), "scope-malformed"),
    (lambda h: body("pause", scope(h, "room", rooms=[987654])), "scope-unknown"),
    (lambda h: body("pause", scope(h, "building", buildings=[987654])), "scope-unknown"),
    (lambda h: body("pause", scope(h, "list", tickets=["NOBODY"])), "scope-unknown"),
    (lambda h: body("pause", scope(h, "room", rooms=[h.made.room_id])), "scope-empty"),
    (lambda h: body("pause", scope(h, "candidate", attempt=str(uuid.uuid4()))), "scope-empty"),
    (lambda h: body("undo", scope(h)), "entry-missing"),
    (lambda h: body("undo", scope(h), entry=987654), "entry-unknown"),
    (lambda h: body("resume", scope(h), reason="", entry=987654), "entry-unknown"),
    (lambda h: body("extend", scope(h), ms=MIN, decision=987654), "decision-unknown"),
    (lambda h: body("extend", {**scope(h), "session": 987654}, ms=MIN), "not-found"),
]


async def test_bad_input_is_refused_in_words_and_changes_nothing(hall, office):
    before = await everything(hall)
    for make, code in BAD:
        await refused(office, make(hall), code)
        assert await everything(hall) == before, code


async def test_a_pause_over_a_pause_is_refused(hall, office):
    await done(office, body("pause", room(hall, 1)))
    before = await everything(hall)
    said = await refused(office, body("pause", room(hall, 1)), "already-paused")
    assert said["count"] == 2
    assert await everything(hall) == before
    told = await done(office, body("pause", room(hall, 1, 2)))
    assert (told["effect"]["candidates"], told["effect"]["left_out"][0]["code"]) == (1, "already-paused")


async def test_a_deferred_attempt_is_not_extended(hall, office):
    one = hall.made.people[0]
    await rows(
        hall, "UPDATE attempt SET state = 'ended', ended_ms = 5, end_reason = 'deferred' WHERE id = :a", a=one.attempt
    )
    asked = scope(hall, "candidate", attempt=str(one.attempt))
    for action in ("extend", "reopen", "pause"):
        await refused(office, body(action, asked, ms=MIN, note="n"), "attempt-deferred")


async def test_two_of_the_office_at_once(hall, office, second):
    asked = body("extend", scope(hall), ms=5 * MIN)
    seen = [(await member.post("/time/preview", asked)).json()["seen"] for member in (office, second)]
    assert seen[0] == seen[1]
    both = await asyncio.gather(
        office.post("/time/actions", {**asked, "seen": seen[0]}),
        second.post("/time/actions", {**asked, "seen": seen[1]}),
    )
    assert sorted(reply.status_code for reply in both) == [200, 409]
    assert {reply.json().get("code") for reply in both} == {None, "time-changed"}
    assert len(await rows(hall, "SELECT 1 FROM adjustment")) == 1


async def test_a_move_of_somebody_else_does_not_disturb_a_decision(hall, office):
    asked = body("extend", room(hall, 1), ms=5 * MIN)
    seen = (await office.post("/time/preview", asked)).json()["seen"]
    ticket = hall.made.people[4].ticket
    person = next(one for one in hall.made.people if one.ticket == ticket)
    await rows(
        hall,
        "INSERT INTO adjustment (kind, session_id, attempt_id, from_ms, to_ms, reason, source, made_ms)"
        " VALUES ('credit', :s, :a, 5, 9, 'relog', 'relog:9', 9)",
        s=hall.made.session_id, a=person.attempt,
    )  # fmt: skip
    await done(office, {**asked, "seen": seen})


async def test_the_same_click_twice_is_one_decision(hall, office):
    asked = body("extend", scope(hall), ms=5 * MIN)
    asked["seen"] = await office.seen(asked)
    first = await done(office, asked, key="one-click")
    assert await done(office, asked, key="one-click") == first
    assert len(await rows(hall, "SELECT 1 FROM adjustment")) == 1
    reply = await office.post("/time/actions", {**asked, "ms": 6 * MIN}, key="one-click")
    assert reply.json()["code"] == "idempotency-mismatch"


async def test_ending_and_reopening_one_candidate(hall, office):
    person = hall.made.people[0]
    asked = scope(hall, "candidate", attempt=str(person.attempt))
    told = await done(office, body("end", asked, reason="disturbance", note="替考"))
    ended = (await attempts(hall))[person.attempt]
    assert (ended["state"], ended["end_reason"]) == ("ended", "forced")
    left_ms = ended["end_ms"] - ended["ended_ms"]
    await refused(office, body("extend", asked, ms=MIN), "ended-by-staff")
    await refused(office, body("undo", scope(hall), entry=told["entry"]["id"]), "entry-not-undoable")
    await done(office, body("reopen", asked, reason="staff-error", note="认错人"))
    again = (await attempts(hall))[person.attempt]
    assert (again["state"], again["end_reason"], again["ended_ms"]) == ("open", None, None)
    made = (await rows(hall, "SELECT made_ms FROM adjustment WHERE kind = 'reopen'"))[0]["made_ms"]
    assert again["end_ms"] == made + left_ms


async def test_a_paper_handed_in_by_mistake_is_opened_again_on_the_same_device(hall, office):
    person = hall.made.people[0]
    candidate = Candidate(hall.client, person)
    assert (await candidate.sign_in()).status_code == 200
    reply = await candidate.send(path="hand-in")
    assert reply.status_code == 200, reply.text
    assert (await attempts(hall))[person.attempt]["state"] == "final"
    asked = scope(hall, "candidate", attempt=str(person.attempt))
    await refused(office, body("extend", asked, ms=MIN), "handed-in")
    await done(office, body("reopen", asked, reason="staff-error", note="误交卷"))
    state = await candidate.state()
    assert state["state"] == "running"
    assert (await candidate.answer(hall.made.items[0], "A")).json()["items"][0]["status"] == "durable"


async def test_whoever_ended_early_is_told_so_beside_the_sum(hall, office):
    """To staff, to the candidate, and in the export."""
    by_staff, by_hand = hall.made.people[:2]
    candidate = Candidate(hall.client, by_staff)
    assert (await candidate.sign_in()).status_code == 200
    other = Candidate(hall.client, by_hand)
    assert (await other.sign_in()).status_code == 200
    assert (await other.send(path="hand-in")).status_code == 200
    asked = scope(hall, "candidate", attempt=str(by_staff.attempt))
    await done(office, body("end", asked, reason="disturbance", note="替考"))
    async with hall.engine.connect() as conn:
        exported = await time_lookup.export(hall.site.settings, conn, hall.made.session_id, now_ms=hall.now_ms)
        told = {row[0]: row for row in exported}
    for person, zh, en in ((by_staff, "由工作人员结束", "ended by staff"), (by_hand, "交卷", "handed in")):
        why = (await office.get(f"/attempts/{person.attempt}/time")).json()
        at = datetime.fromisoformat(why["clock"]["ended_at"])
        assert why["explain_zh"].endswith(f"，{at:%H:%M:%S} {zh}"), why["explain_zh"]
        assert why["explain_en"].endswith(f", {en} at {at:%H:%M:%S}"), why["explain_en"]
        assert told[person.ticket][-2:] == (why["explain_zh"], why["explain_en"])
    own = (await hall.client.get("/attempt/time", headers=candidate.headers)).json()
    assert "由工作人员结束" in own["explain_zh"], own
    assert all("结束考" not in row[-2] and "交卷" not in row[-2] for row in told.values() if row[5] == "running")


async def test_an_ending_that_was_taken_back_is_known_of_its_time(hall, office):
    by_staff, by_hand = hall.made.people[:2]
    other = Candidate(hall.client, by_hand)
    assert (await other.sign_in()).status_code == 200
    assert (await other.send(path="hand-in")).status_code == 200
    asked = scope(hall, "candidate", attempt=str(by_staff.attempt))
    await done(office, body("end", asked, reason="disturbance", note="替考"))
    ended = {attempt: row["ended_ms"] for attempt, row in (await attempts(hall)).items()}
    then = max(ended[one.attempt] for one in (by_staff, by_hand))
    while hall.now_ms <= then + S:
        await asyncio.sleep(0.05)
    both = scope(hall, "list", tickets=[by_staff.ticket, by_hand.ticket])
    await done(office, body("reopen", both, reason="staff-error", note="认错人"))
    for person, state, words in ((by_staff, "ended", "由工作人员结束"), (by_hand, "final", "交卷")):
        path = f"/attempts/{person.attempt}/time"
        past = (await office.get(path, at_ms=then)).json()
        assert (past["clock"]["state"], past["clock"]["ended_ms"]) == (state, ended[person.attempt])
        assert past["clock"]["remaining_ms"] == 0
        assert past["explain_zh"].endswith(words)
        for told in ((await office.get(path)).json(), (await office.get(path, at_ms=ended[person.attempt] - 1)).json()):
            assert (told["clock"]["state"], told["clock"]["ended_ms"]) == ("running", None)
            assert not told["explain_zh"].endswith(words)


async def test_an_extension_opens_whoever_timed_out(hall, office):
    person = hall.made.people[0]
    now = hall.now_ms
    await rows(
        hall,
        "UPDATE attempt SET state = 'ended', ended_ms = :e, end_ms = :e, end_reason = 'time_out', allotted_ms = :e"
        " WHERE id = :a", e=now - 2 * MIN, a=person.attempt,
    )  # fmt: skip
    told = await done(office, body("extend", room(hall, 1), ms=10 * MIN))
    assert told["effect"]["reopened"] == 1
    again = (await attempts(hall))[person.attempt]
    made = (await rows(hall, "SELECT made_ms FROM adjustment WHERE kind = 'extend'"))[0]["made_ms"]
    assert (again["state"], again["end_ms"]) == ("open", made + 10 * MIN)


async def test_a_late_extension_of_a_place_leaves_out_who_never_came(hall, office):
    came, absent = hall.rooms[0]
    now = hall.now_ms
    await rows(
        hall,
        "UPDATE attempt SET state = 'ended', ended_ms = :e, end_ms = :e, end_reason = 'time_out', allotted_ms = :e",
        e=now - 2 * MIN,
    )
    await rows(hall, "UPDATE attempt SET signed_in_ms = NULL WHERE id <> :a", a=came)
    # The sweeper has not come by yet for one of them.
    await rows(
        hall, "UPDATE attempt SET state = 'open', ended_ms = NULL, end_reason = NULL WHERE id = :a", a=hall.rooms[1][0]
    )
    asked = body("extend", scope(hall), ms=10 * MIN)
    effect = (await office.post("/time/preview", asked)).json()["effect"]
    assert (effect["candidates"], effect["reopened"]) == (1, 1)
    assert effect["left_out"] == [{"code": "absent", "count": 4, "zh": "不含缺考 4 人", "en": "without 4 absent"}]
    await done(office, asked)
    now_open = {row["id"]: row["end_ms"] > hall.now_ms for row in (await attempts(hall)).values()}
    assert [each for each, goes_on in now_open.items() if goes_on] == [came]
    # Nobody came: nobody gets anything. Who is named is meant.
    told = await refused(office, body("extend", room(hall, 3), ms=10 * MIN), "absent")
    assert told["count"] == 2
    one = await done(office, body("extend", scope(hall, "candidate", attempt=str(absent)), ms=10 * MIN))
    assert one["effect"]["reopened"] == 1


async def test_a_notice_has_come_to_everybody_when_those_who_never_signed_in_are_all_that_is_left(hall, office):
    away, *there = hall.everybody
    async with hall.engine.begin() as conn:
        await conn.execute(text("UPDATE attempt SET signed_in_ms = NULL WHERE id = :a"), {"a": away})
    notice = (await done(office, body("extend", scope(hall), ms=MIN)))["notice"]
    reach = (await office.get(f"/time/notices/{notice}")).json()
    assert (reach["shown"], reach["of"], reach["absent"]) == (0, 4, 1)
    assert {one["attempt"] for one in reach["missing"]} == {str(one) for one in there}
    async with hall.engine.begin() as conn:
        await notices.mark_shown(conn, [(notice, one, hall.now_ms) for one in there])
    reach = (await office.get(f"/time/notices/{notice}")).json()
    assert (reach["shown"], reach["of"], reach["absent"], reach["missing"]) == (4, 4, 1, [])
    (told,) = (await office.get(f"/time/sessions/{hall.made.session_id}")).json()["notices"]
    assert (told["shown"], told["of"], told["absent"]) == (4, 4, 1)


async def test_an_invigilator_stops_and_starts_the_clocks_of_the_own_room_and_nothing_else(hall, office, fresh_db):
    member = await signed_in(hall.client, fresh_db, "invigilator", room_ids=[hall.room_ids[0]])
    mine = scope(hall, "candidate", attempt=str(hall.rooms[0][0]))
    others = scope(hall, "candidate", attempt=str(hall.rooms[1][0]))
    await done(member, body("pause", mine, reason="medical"))
    await refused(member, body("pause", others, reason="medical"), "not-permitted")
    for beyond in (room(hall, 2), room(hall, 1, 2), scope(hall)):
        await refused(member, body("pause", beyond), "not-permitted")
    await refused(member, body("extend", mine, ms=MIN), "not-permitted")
    await refused(member, body("extend", mine, ms=MIN), "not-permitted", "/time/preview")
    await refused(
        member, body("pause", scope(hall, "candidate", attempt=str(hall.rooms[0][1])), from_ms=5), "not-permitted"
    )
    await done(member, body("resume", mine, reason=""))
    # Whoever has to get forty people out of a room asks nobody first.
    await done(member, body("pause", room(hall, 1), reason="fire"))
    await done(member, body("resume", room(hall, 1), reason=""))
    # Who is held by the office's pause of the site is not let go from a room.
    await done(office, body("pause", scope(hall), reason="fire"))
    await refused(member, body("resume", mine, reason=""), "held-otherwise")
    view = (await member.get(f"/time/sessions/{hall.made.session_id}")).json()
    assert [one["id"] for one in view["rooms"]] == [hall.room_ids[0]]
    auditor = await signed_in(hall.client, fresh_db, "auditor")
    assert (await auditor.get(f"/time/sessions/{hall.made.session_id}")).status_code == 200
    await refused(auditor, body("pause", scope(hall)), "not-permitted")


async def test_the_desk_shows_the_session_room_by_room(hall, office):
    await done(office, body("extend", room(hall, 1), ms=5 * MIN))
    told = await done(office, body("pause", room(hall, 2)))
    view = (await office.get(f"/time/sessions/{hall.made.session_id}")).json()
    assert set(view) >= {
        "session", "planned", "actual", "rooms", "entries", "outages", "held", "proposals", "decisions", "notices",
        "now_ms", "now_at", "cap_ms", "reasons",
    }  # fmt: skip
    by_id = {one["id"]: one for one in view["rooms"]}
    first, paused, third = (by_id[room_id] for room_id in hall.room_ids)
    assert (first["candidates"], first["paused"], first["lost_ms"]) == (2, 0, 5 * MIN)
    assert [one["kind"] for one in first["spans"]] == ["extend"]
    assert (paused["paused"], paused["end_at"]) == (1, None)
    assert [(one["kind"], one["to_ms"]) for one in paused["spans"]] == [("pause", None)]
    assert third["spans"] == []
    assert [(one["kind"], one["open"]) for one in view["entries"]] == [("extend", False), ("pause", True)]
    assert view["actual"]["end_at"] is None
    assert (view["notices"][0]["shown"], view["notices"][0]["of"]) == (0, 1)
    reach = (await office.get(f"/time/notices/{told['notice']}")).json()
    assert (reach["shown"], reach["of"], len(reach["missing"])) == (0, 1, 1)
    person = hall.made.people[2]
    found = (await office.get("/time/candidates", session=hall.made.session_id, query=person.ticket.lower())).json()
    assert [one["attempt_id"] for one in found["candidates"]] == [str(person.attempt)]


async def test_a_room_in_which_somebody_has_ended_is_paused_when_all_the_others_are(hall, office):
    over = {"kind": "candidate", "session": hall.made.session_id, "attempt": str(hall.rooms[0][0])}
    await done(office, body("end", over, note="本人要求"))
    await done(office, body("pause", room(hall, 1)))
    view = (await office.get(f"/time/sessions/{hall.made.session_id}")).json()
    told = next(one for one in view["rooms"] if one["id"] == hall.room_ids[0])
    assert (told["candidates"], told["open"], told["paused"]) == (2, 1, 1)


async def test_a_pause_that_is_resumed_for_some_is_open_while_it_holds_anybody(hall, office):
    async def desk() -> tuple[bool, dict[int, bool]]:
        view = (await office.get(f"/time/sessions/{hall.made.session_id}")).json()
        (entry,) = (one["open"] for one in view["entries"] if one["kind"] == "pause")
        return entry, {one["id"]: [span["to_ms"] is None for span in one["spans"]] == [True] for one in view["rooms"]}

    first, second, third = hall.room_ids
    await done(office, body("pause", scope(hall)))
    assert await desk() == (True, {first: True, second: True, third: True})
    # One of the two in the first room, and everybody in the third.
    await done(office, body("resume", scope(hall, "candidate", attempt=str(hall.rooms[0][0])), reason=""))
    await done(office, body("resume", room(hall, 3), reason=""))
    assert await desk() == (True, {first: True, second: True, third: False})
    await done(office, body("resume", room(hall, 1), reason=""))
    assert await desk() == (True, {first: False, second: True, third: False})
    await done(office, body("resume", scope(hall), reason=""))
    assert await desk() == (False, {first: False, second: False, third: False})


async def test_an_end_is_explained_now_and_as_it_was_known_then(hall, office):
    person = hall.made.people[0]
    asked = scope(hall, "candidate", attempt=str(person.attempt))
    await done(office, body("extend", room(hall, 1), ms=5 * MIN))
    then = hall.now_ms
    while hall.now_ms == then:
        await asyncio.sleep(0.05)
    await done(office, body("extend", asked, ms=2 * MIN, reason="pc"))
    told = (await office.get(f"/attempts/{person.attempt}/time")).json()
    assert [(line["kind"], line["ms"]) for line in told["lines"]] == [
        ("planned", 3 * HOUR), ("extend", 5 * MIN), ("extend", 2 * MIN),
    ]  # fmt: skip
    assert told["explain_zh"].endswith("+ 延长（断电） 5:00 + 延长（单机故障） 2:00")
    assert told["lost_ms"] == 7 * MIN
    assert told["clock"]["end_ms"] == (await attempts(hall))[person.attempt]["end_ms"]
    past = (await office.get(f"/attempts/{person.attempt}/time", at_ms=then)).json()
    assert (past["lost_ms"], past["clock"]["end_ms"]) == (5 * MIN, told["clock"]["end_ms"] - 2 * MIN)
    assert len(past["entries"]) == 1
    reply = await office.get(f"/attempts/{uuid.uuid4()}/time")
    assert reply.json()["code"] == "not-found"
