"""Swapping rounds, moving people to another one and deferring them, through the API, on real stores."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from app.checkpoint import recovery
from app.domain.attempt_proof import prove
from app.domain.roles import ROLES
from app.services.blueprint import set_blueprint
from app.services.drawing import draw_session
from app.services.paper_check import check_session
from app.storage.postgres import adjustments, attempt_history, audit
from app.storage.redis.events import Event, listen
from tests.candidates import SECRET, Candidate, running
from tests.rounds_exam import COUNT, HOUR_MS, SPEC, Rounds, exam_in_rounds, lasting
from tests.staff import Staff, signed_in

BEGUN, SOON = -60_000, 600_000


class Office:
    """The office at its desk: look first, then confirm what was seen."""

    def __init__(self, staff: Staff) -> None:
        self.staff = staff

    async def look(self, **body: Any):
        return await self.staff.post("/rounds/preview", body)

    async def refused(self, code: str, **body: Any) -> dict[str, Any]:
        reply = await self.look(**body)
        assert (reply.status_code // 100, reply.json().get("code")) == (4, code), reply.text
        return reply.json()

    async def confirm(self, seen: str, *, key: str | None = None, **body: Any):
        told = {"number": "考务〔2026〕7 号", "text": "停电，经研究决定", **body, "seen": seen}
        return await self.staff.post("/rounds/actions", told, key=key)

    async def decide(self, **body: Any) -> dict[str, Any]:
        seen = await self.look(**body)
        assert seen.status_code == 200, seen.text
        reply = await self.confirm(seen.json()["seen"], **body)
        assert reply.status_code == 200, reply.text
        assert lasting(reply.json()["effect"]) == lasting(seen.json()["effect"])
        return reply.json()


def room(exam: Rounds, number: int, *rooms: int) -> dict[str, Any]:
    return {"session": exam.sessions[number - 1], "kind": "room", "rooms": [exam.rooms[one - 1] for one in rooms]}


def people(exam: Rounds, number: int, *tickets: str) -> dict[str, Any]:
    return {"session": exam.sessions[number - 1], "kind": "list", "tickets": list(tickets)}


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    async with running(fresh_url, redis_url) as (app, client):
        yield app, client


@pytest.fixture
def site(hall):
    return hall[0].state.deps.site


@pytest.fixture
def client(hall):
    return hall[1]


@pytest.fixture
async def office(client, fresh_db) -> Office:
    return Office(await signed_in(client, fresh_db, "office"))


async def everything(exam: Rounds) -> dict[str, list[Any]]:
    """All that a decision on rounds may write."""
    tables = ("allocation", "attempt", "draw", "paper", "decision", "notice", "lease", "audit_entry")
    return {name: await exam.rows(f"SELECT * FROM {name} ORDER BY 1") for name in tables}


async def whole(exam: Rounds) -> None:
    """Every paper of every session keeps the rules, and every attempt and the log hold together."""
    for session_id in exam.sessions:
        if await exam.rows("SELECT 1 FROM attempt WHERE session_id = :s", s=session_id):
            report = await check_session(exam.engine, session_id)
            assert (report.faults, report.reproduced) == ([], "yes")
    async with exam.engine.connect() as conn:
        for row in await exam.rows("SELECT id FROM attempt"):
            assert prove(await attempt_history.snapshot(conn, row["id"])).findings == ()
        assert await audit.verify(conn) is None
    assert {len(items) for items in (await exam.papers()).values()} == {COUNT}


async def sign_in(client, person, *, ready: bool = True) -> Candidate:
    candidate = Candidate(client, person)
    reply = await candidate.sign_in()
    if ready:
        assert reply.status_code == 200, reply.text
    return candidate


async def pause(exam: Rounds, attempts: list[Any], session_id: int, now_ms: int) -> None:
    """The office's pause, without the office."""
    async with exam.engine.begin() as conn:
        await conn.execute(
            text("SELECT 1 FROM attempt WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE"), {"ids": attempts}
        )
        entry = await conn.scalar(
            text(
                "INSERT INTO adjustment (kind, session_id, scope, from_ms, reason, source, made_ms)"
                " VALUES ('pause', :s, 'room', :now, 'power', 'staff:test', :now) RETURNING id"
            ),
            {"s": session_id, "now": now_ms},
        )
        await conn.execute(
            text("INSERT INTO adjustment_attempt SELECT :e, unnest(CAST(:ids AS uuid[]))"),
            {"e": entry, "ids": attempts},
        )
        await adjustments.settle(conn, attempts, now_ms)


# --- swap


async def test_two_rounds_change_places_with_their_papers_and_seats(fresh_db, office):
    exam = await exam_in_rounds(fresh_db, SECRET.encode(), anchor=(HOUR_MS, 4 * HOUR_MS, None))
    first, second, third = exam.sessions
    sat, papers = await exam.sits(), await exam.papers()

    reply = await office.decide(kind="swap", session=first, with_session=second)

    effect = reply["effect"]
    assert (effect["candidates"], effect["rooms"], effect["closed"]) == (16, 2, 0)
    assert effect["seats"] == {"kept": 16, "changed": 0}
    assert effect["papers"] == {"kept": 16, "new": 0, "later": 0}
    assert (reply["decision"]["kind"], reply["decision"]["number"]) == ("swap", "考务〔2026〕7 号")
    other = {first: second, second: first, third: third}
    assert await exam.sits() == {ticket: (other[session], seat) for ticket, (session, seat) in sat.items()}
    assert await exam.papers() == {(ticket, other[session]): items for (ticket, session), items in papers.items()}
    ends = await exam.rows("SELECT DISTINCT session_id, end_ms FROM attempt ORDER BY 1")
    assert [row["end_ms"] for row in ends] == [HOUR_MS + 5_400_000, 4 * HOUR_MS + 5_400_000, None]
    await whole(exam)
    (entry,) = await exam.rows("SELECT subject FROM audit_entry WHERE action = 'rounds.swap'")
    assert (entry["subject"]["sessions"], entry["subject"]["candidates"]) == ([1, 2], 16)


async def test_a_decision_is_made_once_however_often_it_is_sent(fresh_db, office):
    exam = await exam_in_rounds(fresh_db, SECRET.encode())
    body = {"kind": "swap", "session": exam.sessions[0], "with_session": exam.sessions[1]}
    seen = (await office.look(**body)).json()["seen"]
    replies = await asyncio.gather(*(office.confirm(seen, key="one click", **body) for _ in range(3)))
    assert [reply.status_code for reply in replies] == [200, 200, 200]
    assert len({reply.json()["decision"]["id"] for reply in replies}) == 1
    # Not the same click: what was seen is no longer so.
    again = await office.confirm(seen, **body)
    assert (again.status_code, again.json()["code"]) == (409, "round-changed")
    assert len(await exam.rows("SELECT 1 FROM decision")) == 1


async def test_rounds_that_were_not_drawn_change_places_too(fresh_db, office):
    exam = await exam_in_rounds(fresh_db, SECRET.encode(), draw=False)
    sat = await exam.sits()
    reply = await office.decide(kind="swap", session=exam.sessions[0], with_session=exam.sessions[2])
    assert reply["effect"]["papers"] == {"kept": 0, "new": 0, "later": 16}
    other = {exam.sessions[0]: exam.sessions[2], exam.sessions[2]: exam.sessions[0]}
    assert await exam.sits() == {t: (other.get(session, session), seat) for t, (session, seat) in sat.items()}


async def test_a_round_that_has_another_blueprint_gets_new_papers(fresh_db, office):
    exam = await exam_in_rounds(fresh_db, SECRET.encode(), draw=False)
    await set_blueprint(fresh_db, exam.sessions[1], {**SPEC, "shuffle_options": False})
    for session_id in exam.sessions:
        await draw_session(fresh_db, session_id)
    reply = await office.decide(kind="swap", session=exam.sessions[0], with_session=exam.sessions[1])
    assert reply["effect"]["papers"] == {"kept": 0, "new": 16, "later": 0}
    await whole(exam)


# --- move


async def test_a_room_goes_to_a_round_where_its_seats_are_taken(fresh_db, office):
    exam = await exam_in_rounds(fresh_db, SECRET.encode(), seats=9, filled=4)
    reply = await office.decide(kind="move", scope=room(exam, 1, 1), to_session=exam.sessions[2])
    effect = reply["effect"]
    assert (effect["candidates"], effect["rooms"], effect["seats"]) == (4, 1, {"kept": 0, "changed": 4})
    assert effect["papers"]["kept"] + effect["papers"]["new"] == 4
    moved = {person.ticket for person in exam.of_room(1, 1)}
    seats = await exam.rows(
        "SELECT c.ticket, seat.room_id, seat.is_spare FROM allocation al JOIN candidate c ON c.id = al.candidate_id"
        " JOIN seat ON seat.id = al.seat_id WHERE al.session_id = :s",
        s=exam.sessions[2],
    )
    assert len(seats) == 12
    assert {(row["room_id"], row["is_spare"]) for row in seats if row["ticket"] in moved} == {(exam.rooms[0], False)}
    await whole(exam)


async def test_too_few_seats_are_said_in_numbers_and_change_nothing(fresh_db, office):
    exam = await exam_in_rounds(fresh_db, SECRET.encode(), seats=6, filled=4)
    before = await everything(exam)
    told = await office.refused("round-no-seats", kind="move", scope=room(exam, 1, 1, 2), to_session=exam.sessions[1])
    assert "8" in told["detail_zh"]
    assert "4" in told["detail_zh"]
    assert await everything(exam) == before


async def test_somebody_who_waits_signs_in_again_to_their_new_round(fresh_db, client, office, site):
    exam = await exam_in_rounds(fresh_db, SECRET.encode(), seats=9, anchor=(SOON, SOON + 4 * HOUR_MS, None))
    person = exam.people[0][0]
    waits = await sign_in(client, person)
    reply = await office.decide(kind="move", scope=people(exam, 1, person.ticket), to_session=exam.sessions[1])
    assert (reply["effect"]["closed"], reply["effect"]["papers"]["new"] + reply["effect"]["papers"]["kept"]) == (0, 1)
    assert reply["effect"]["en"].startswith("1 candidate in 1 room goes from session 1 to 2 (")
    assert reply["notice"] is not None
    beat = await waits.send()
    assert (beat.status_code, beat.json()["code"]) == (409, "superseded")
    # The new round is far away: sign-in opens in its own time.
    later = await Candidate(client, person).sign_in()
    assert (later.status_code, later.json()["code"]) == (403, "not-open")
    await exam.run("UPDATE session SET start_ms = :ms WHERE id = :id", ms=SOON, id=exam.sessions[1])
    again = Candidate(client, person)
    assert (await again.sign_in()).status_code == 200
    assert again.epoch > waits.epoch
    await whole(exam)


async def test_what_the_ledger_of_the_old_round_says_stays_behind(fresh_db, office, site):
    exam = await exam_in_rounds(fresh_db, SECRET.encode(), seats=9, anchor=(SOON, SOON + 4 * HOUR_MS, None))
    members = [person.attempt for person in exam.of_room(1, 1)]
    await pause(exam, members, exam.sessions[0], site.service_time.now_ms())
    # Held from before the start: nobody's end is known.
    paused = await exam.rows("SELECT end_ms FROM attempt WHERE id = ANY(:ids)", ids=members)
    assert {row["end_ms"] for row in paused} != {SOON + 5_400_000}
    await office.decide(kind="move", scope=room(exam, 1, 1), to_session=exam.sessions[1])
    now = await exam.rows("SELECT session_id, end_ms, left_ms FROM attempt WHERE id = ANY(:ids)", ids=members)
    assert {tuple(row.values()) for row in now} == {(exam.sessions[1], SOON + 4 * HOUR_MS + 5_400_000, None)}


async def test_who_has_seen_a_paper_leaves_it_behind_and_gets_another(fresh_db, client, office, site):
    exam = await exam_in_rounds(fresh_db, SECRET.encode(), seats=9, anchor=(BEGUN, None, None))
    members = exam.of_room(1, 1)
    worked = await sign_in(client, members[0])
    items = (await exam.papers())[members[0].ticket, exam.sessions[0]]
    kinds = {row["id"]: row["type"] for row in await exam.rows("SELECT id, type FROM item_version")}
    answered = next(item for item in items if kinds[item] == "single")
    assert (await worked.answer(answered, "A")).json()["durability"] == "durable"
    body = {"kind": "move", "scope": room(exam, 1, 1), "to_session": exam.sessions[2]}
    before = await everything(exam)
    told = await office.refused("round-runs", **body)
    assert members[0].ticket in told["detail_zh"]
    assert await everything(exam) == before

    await pause(exam, [person.attempt for person in members], exam.sessions[0], site.service_time.now_ms())
    reply = await office.decide(**body)

    assert (reply["effect"]["candidates"], reply["effect"]["closed"]) == (4, 1)
    papers = await exam.papers()
    old, new = papers[members[0].ticket, exam.sessions[0]], papers[members[0].ticket, exam.sessions[2]]
    assert old == items
    assert not set(old) & set(new)
    (closed,) = await exam.rows("SELECT state, end_reason, receipt FROM attempt WHERE id = :a", a=members[0].attempt)
    assert (closed["state"], closed["end_reason"], closed["receipt"]["answered"]) == ("final", "deferred", 1)
    beat = await worked.send()
    assert (beat.status_code, beat.json()["code"]) == (409, "closed")
    # The three who had not come went along with what nobody had seen.
    moved = await exam.rows("SELECT id FROM attempt WHERE session_id = :s AND state = 'open'", s=exam.sessions[2])
    assert {person.attempt for person in members[1:]} <= {row["id"] for row in moved}
    await whole(exam)


async def test_a_bank_too_small_for_an_unseen_paper_is_said_in_numbers(fresh_db, client, office, site):
    small = {("水文", "single"): 13, ("水文", "true_false"): 20}
    exam = await exam_in_rounds(fresh_db, SECRET.encode(), seats=9, filled=2, anchor=(BEGUN, None, None), bank=small)
    person = exam.people[0][0]
    await sign_in(client, person)
    await pause(exam, [person.attempt], exam.sessions[0], site.service_time.now_ms())
    before = await everything(exam)
    told = await office.refused(
        "bank-too-small", kind="move", scope=people(exam, 1, person.ticket), to_session=exam.sessions[1]
    )
    assert "8" in told["detail_zh"]
    assert "13" in told["detail_zh"]
    assert await everything(exam) == before


# --- defer and allocate


async def test_the_deferred_keep_everything_and_sit_a_later_round_with_an_unseen_paper(fresh_db, client, office):
    exam = await exam_in_rounds(fresh_db, SECRET.encode(), seats=9, anchor=(BEGUN, None, None))
    person = exam.people[0][0]
    ill = await sign_in(client, person)
    items = (await exam.papers())[person.ticket, exam.sessions[0]]
    assert (await ill.send()).status_code == 200
    await exam.run(
        "INSERT INTO leave (attempt_id, kind, left_by, left_ms) SELECT :a, 'medical', min(id), 0 FROM staff",
        a=person.attempt,
    )

    reply = await office.decide(kind="defer", scope=people(exam, 1, person.ticket))
    # Whoever went to the doctor is not waited for any more.
    assert await exam.rows("SELECT 1 FROM leave WHERE returned_ms IS NULL") == []
    assert (reply["effect"]["candidates"], reply["effect"]["closed"], reply["decision"]["kind"]) == (1, 1, "defer")
    assert reply["effect"]["en"] == (
        "1 candidate in 1 room of session 1 is deferred; 1 has begun, and all they answered is kept."
    )
    assert (await ill.send()).json()["code"] == "closed"
    again = await Candidate(client, person).sign_in()
    assert (again.status_code, again.json()["code"]) == (409, "closed")
    await office.refused("round-already-deferred", kind="defer", scope=people(exam, 1, person.ticket))
    await office.refused(
        "round-already-deferred", kind="move", scope=people(exam, 1, person.ticket), to_session=exam.sessions[1]
    )
    await office.refused(
        "round-not-deferred",
        kind="allocate",
        scope=people(exam, 1, exam.people[0][1].ticket),
        to_session=exam.sessions[2],
    )

    body = {"kind": "allocate", "scope": people(exam, 1, person.ticket)}
    told = await office.decide(**body, to_session=exam.sessions[2])
    assert told["effect"]["papers"]["new"] == 1
    papers = await exam.papers()
    assert papers[person.ticket, exam.sessions[0]] == items
    assert not set(items) & set(papers[person.ticket, exam.sessions[2]])
    await office.refused("round-gone-on", **body, to_session=exam.sessions[1])
    await exam.run("UPDATE session SET start_ms = :ms WHERE id = :id", ms=SOON, id=exam.sessions[2])
    assert (await Candidate(client, person).sign_in()).status_code == 200
    await whole(exam)


# --- at the same time


async def test_of_two_who_decide_at_once_one_is_told_to_look_again(fresh_db, client, office):
    exam = await exam_in_rounds(fresh_db, SECRET.encode())
    other = Office(await signed_in(client, fresh_db, "admin"))
    body = {"kind": "swap", "session": exam.sessions[0], "with_session": exam.sessions[1]}
    seen = [(await each.look(**body)).json()["seen"] for each in (office, other)]
    replies = await asyncio.gather(
        *(each.confirm(one, **body) for each, one in zip((office, other), seen, strict=True))
    )
    assert sorted(reply.status_code for reply in replies) == [200, 409]
    assert {reply.json().get("code") for reply in replies} == {None, "round-changed"}
    assert len(await exam.rows("SELECT 1 FROM decision")) == 1
    await whole(exam)


async def test_people_who_sign_in_while_their_room_goes_are_all_moved(fresh_db, client, office):
    exam = await exam_in_rounds(fresh_db, SECRET.encode(), seats=9, anchor=(SOON, SOON + 4 * HOUR_MS, None))
    members = exam.of_room(1, 1)
    body = {"kind": "move", "scope": room(exam, 1, 1), "to_session": exam.sessions[1]}
    seen = (await office.look(**body)).json()["seen"]
    arrived = [Candidate(client, person) for person in members]
    replies = await asyncio.gather(office.confirm(seen, **body), *(each.sign_in() for each in arrived))
    assert replies[0].status_code == 200, replies[0].text
    assert {reply.status_code for reply in replies[1:]} <= {200, 403}
    for candidate in arrived:
        if candidate.token is not None:
            assert (await candidate.send()).json()["code"] == "superseded"
    sat = await exam.sits()
    assert {sat[person.ticket][0] for person in members} == {exam.sessions[1]}
    await whole(exam)


async def test_who_is_moved_while_their_sign_in_waits_is_not_let_in(fresh_db, client, office, monkeypatch):
    exam = await exam_in_rounds(fresh_db, SECRET.encode(), seats=9, anchor=(SOON, SOON + 4 * HOUR_MS, None))
    person = exam.people[0][0]
    real = recovery.under_seal

    async def after_the_move(*args):
        monkeypatch.setattr(recovery, "under_seal", real)
        await office.decide(kind="move", scope=people(exam, 1, person.ticket), to_session=exam.sessions[1])
        return await real(*args)

    monkeypatch.setattr(recovery, "under_seal", after_the_move)
    reply = await Candidate(client, person).sign_in()
    assert (reply.status_code, reply.json()["code"]) == (403, "not-open")
    assert await exam.rows("SELECT 1 FROM lease") == []


async def test_a_move_to_another_seat_that_is_open_ends_with_the_round(fresh_db, client, office, site):
    exam = await exam_in_rounds(fresh_db, SECRET.encode(), seats=9)
    person = exam.people[0][0]
    staff = await signed_in(client, fresh_db, "office")
    (spare,) = await exam.rows("SELECT min(id) AS id FROM seat WHERE is_spare AND room_id = :r", r=exam.rooms[0])
    assert (await staff.relog(person.attempt, to_seat_id=spare["id"])).status_code == 200
    await office.decide(kind="move", scope=people(exam, 1, person.ticket), to_session=exam.sessions[1])
    assert [row["state"] for row in await exam.rows("SELECT state FROM relog")] == ["withdrawn"]


async def test_the_pages_hear_of_it(fresh_db, client, office, site):
    exam = await exam_in_rounds(fresh_db, SECRET.encode(), seats=9, anchor=(BEGUN, None, None))
    person = exam.people[0][0]
    await sign_in(client, person)
    heard: list[Event] = []
    listening = asyncio.Event()

    async def hear() -> None:
        events = listen(site.store, site.keys)
        async for event in events:
            listening.set()
            if event.attempt == str(person.attempt):
                heard.append(event)
                if event.name == "closed":
                    return

    task = asyncio.create_task(hear())
    while not listening.is_set():
        await site.tell(Event("adopted", attempt="nobody"))
        await asyncio.sleep(0.02)
    reply = await office.decide(kind="defer", scope=people(exam, 1, person.ticket))
    await asyncio.wait_for(task, 60)
    assert [event.name for event in heard] == ["notice", "closed"]
    assert (heard[0].data["id"], heard[1].data) == (reply["notice"], {"reason": "deferred"})
    assert "缓考" in heard[0].data["zh"]
    assert await exam.rows("SELECT attempt_id FROM notice_attempt") == [{"attempt_id": person.attempt}]


# --- what still stands in the ledger of a round that people go to


async def paused(office: Office, scope: dict[str, Any], action: str = "pause", **more: Any) -> int:
    reply = await office.staff.post("/time/actions", {"action": action, "scope": scope, "reason": "power", **more})
    assert reply.status_code == 200, reply.text
    return reply.json()["entry"]["id"]


async def test_a_round_that_is_paused_exchanges_nobody_until_it_is_resumed(fresh_db, office, site):
    now = site.service_time.now_ms()
    exam = await exam_in_rounds(fresh_db, SECRET.encode(), anchor=(now + HOUR_MS, now + 4 * HOUR_MS, None))
    first, second, third = exam.sessions
    body = {"kind": "swap", "session": first, "with_session": second}
    seen = (await office.look(**body)).json()["seen"]
    everybody = {"session": second, "kind": "site"}
    await paused(office, everybody)

    for one, other in ((first, second), (second, first), (third, second)):
        told = await office.refused("round-paused", kind="swap", session=one, with_session=other)
        assert "第 2 场" in told["detail_zh"]
    # Who had looked before the pause is refused too, and nothing has changed.
    before = await everything(exam)
    late = await office.confirm(seen, **body)
    assert (late.status_code, late.json()["code"]) == (409, "round-paused")
    assert await everything(exam) == before
    person = exam.people[0][0].ticket
    await office.refused("round-paused", kind="move", scope=people(exam, 1, person), to_session=second)
    # One room of two goes on: the other one is still held.
    await paused(office, room(exam, 2, 1), "resume")
    told = await office.refused("round-paused", **body)
    assert "第1考室" not in told["detail_zh"]

    await paused(office, everybody, "resume")
    await office.decide(**body)
    left = await exam.rows("SELECT DISTINCT session_id, left_ms FROM attempt WHERE end_ms IS NOT NULL ORDER BY 1")
    assert [(row["session_id"], row["left_ms"]) for row in left] == [(first, None), (second, None)]


async def test_a_room_that_starts_later_by_itself_takes_nobody_until_that_is_undone(fresh_db, office, site):
    now = site.service_time.now_ms()
    exam = await exam_in_rounds(fresh_db, SECRET.encode(), seats=9, anchor=(now + HOUR_MS, now + 4 * HOUR_MS, None))
    first, second, _ = exam.sessions
    later = await paused(office, room(exam, 2, 1), "postpone", ms=600_000)
    swap = {"kind": "swap", "session": first, "with_session": second}
    await office.refused("round-paused", **swap)
    mine, beside = exam.of_room(1, 1)[0].ticket, exam.of_room(1, 2)[0].ticket
    await office.refused("round-paused", kind="move", scope=people(exam, 1, mine), to_session=second)
    # Whoever goes to a room that starts in time may go.
    seen = await office.look(kind="move", scope=people(exam, 1, beside), to_session=second)
    assert seen.status_code == 200, seen.text

    await paused(office, {"session": second, "kind": "site"}, "undo", entry=later)
    # A postponement of everybody is the session's own start: it goes with the session.
    await paused(office, {"session": second, "kind": "site"}, "postpone", ms=600_000)
    await office.decide(**swap)
    ends = await exam.rows("SELECT DISTINCT session_id, end_ms FROM attempt WHERE end_ms IS NOT NULL ORDER BY 1")
    assert [row["end_ms"] - now for row in ends] == [HOUR_MS + 5_400_000, 4 * HOUR_MS + 5_400_000 + 600_000]


# --- what is refused


async def test_what_cannot_be_is_refused_each_with_its_own_code(fresh_db, office):
    exam = await exam_in_rounds(fresh_db, SECRET.encode(), anchor=(BEGUN, None, None))
    first, second, _ = exam.sessions
    person = exam.people[1][0].ticket
    before = await everything(exam)
    await office.refused("round-same-session", kind="swap", session=second, with_session=second)
    await office.refused("round-begun", kind="swap", session=second, with_session=first)
    await office.refused("round-begun", kind="move", scope=people(exam, 2, person), to_session=first)
    await office.refused("round-not-there", kind="defer", scope=people(exam, 1, person))
    await office.refused("round-other-exam", kind="swap", session=first, with_session=99_999)
    await office.refused("not-found", kind="swap", session=99_999, with_session=first)
    scope = {"session": second, "kind": "room", "rooms": [99_999]}
    await office.refused("round-other-exam", kind="move", scope=scope, to_session=exam.sessions[2])
    # Rounds two and three at the same time, and the candidate in both.
    await exam.run(
        "INSERT INTO allocation (session_id, candidate_id, seat_id, planned_seat_id) SELECT :s, c.id, seat.id, seat.id"
        " FROM candidate c, seat WHERE c.ticket = :t AND seat.label = '6' AND seat.room_id = :r",
        s=exam.sessions[2], t=person, r=exam.rooms[0],
    )  # fmt: skip
    await office.refused("round-both", kind="move", scope=people(exam, 2, person), to_session=exam.sessions[2])
    await exam.run("DELETE FROM allocation WHERE id = (SELECT max(id) FROM allocation)")
    assert await everything(exam) == before


async def test_nobody_sits_two_sessions_at_once(fresh_db, office):
    exam = await exam_in_rounds(fresh_db, SECRET.encode())
    person = exam.people[0][0]
    # They sit round one and round three; round two is put at the time of round three.
    await exam.run(
        "INSERT INTO allocation (session_id, candidate_id, seat_id, planned_seat_id) SELECT :s, :c, id, id FROM seat"
        " WHERE label = '6' AND room_id = :r",
        s=exam.sessions[2], c=person.candidate_id, r=exam.rooms[0],
    )  # fmt: skip
    await exam.run(
        "UPDATE session SET planned_start = (SELECT planned_start FROM session WHERE id = :three) WHERE id = :two",
        two=exam.sessions[1], three=exam.sessions[2],
    )  # fmt: skip
    told = await office.refused(
        "round-overlaps", kind="move", scope=people(exam, 1, person.ticket), to_session=exam.sessions[1]
    )
    assert person.ticket in told["detail_zh"]


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "swap", "session": 1},
        {"kind": "swap", "session": 1, "with_session": 2, "to_session": 3},
        {"kind": "move", "session": 1, "to_session": 2},
        {"kind": "move", "scope": {"session": 1, "kind": "room"}, "to_session": 2},
        {"kind": "move", "scope": {"session": 1, "kind": "room", "rooms": [1], "tickets": ["A"]}, "to_session": 2},
        {"kind": "defer", "scope": {"session": 1, "kind": "site"}, "to_session": 2},
        {"kind": "cancel", "session": 1, "with_session": 2},
        {"kind": "swap", "session": -1, "with_session": 2},
        {"kind": "defer", "scope": {"session": 1, "kind": "list", "tickets": ["\x00"]}},
        {"kind": "swap", "session": 1, "with_session": 2, "surely": True},
    ],
)
async def test_a_body_that_makes_no_sense_is_refused(office, body):
    await office.refused("bad-body", **body)


async def test_a_decision_needs_its_number_and_its_text(fresh_db, office):
    exam = await exam_in_rounds(fresh_db, SECRET.encode())
    body = {"kind": "swap", "session": exam.sessions[0], "with_session": exam.sessions[1]}
    seen = (await office.look(**body)).json()["seen"]
    for words in ({"number": " "}, {"text": ""}):
        reply = await office.confirm(seen, **body, **words)
        assert (reply.status_code, reply.json()["code"]) == (422, "decision-incomplete")
    assert await exam.rows("SELECT 1 FROM decision") == []


@pytest.mark.parametrize("role", [role for role in ROLES if role not in ("office", "admin")])
async def test_only_the_office_decides_on_rounds(fresh_db, client, role):
    staff = await signed_in(client, fresh_db, role)
    for path, more in (("preview", {}), ("actions", {"seen": "x", "number": "1", "text": "x"})):
        reply = await staff.post(f"/rounds/{path}", {"kind": "swap", "session": 1, "with_session": 2, **more})
        assert (reply.status_code, reply.json()["code"]) == (403, "not-permitted")


async def test_a_decision_is_made_when_its_locks_are_held_not_when_they_were_asked_for(fresh_db, office, site):
    """A candidate who waits is closed as of the decision; a start that passes while it waits has passed."""
    now = site.service_time.now_ms()
    exam = await exam_in_rounds(fresh_db, SECRET.encode(), anchor=(now + BEGUN,))
    defer = {"kind": "defer", "scope": room(exam, 1, 1)}
    seen = (await office.look(**defer)).json()["seen"]
    async with fresh_db.connect() as held:
        await held.execute(text("SELECT 1 FROM exam WHERE id = :e FOR NO KEY UPDATE"), {"e": exam.exam_id})
        reply = asyncio.create_task(office.confirm(seen, **defer))
        async with asyncio.timeout(60):
            while not await exam.rows(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                " AND query LIKE 'SELECT 1 FROM exam%'"
            ):
                await asyncio.sleep(0.02)
            waited = site.service_time.now_ms()
            while site.service_time.now_ms() <= waited:
                await asyncio.sleep(0.02)
        released = site.service_time.now_ms()
        await held.rollback()
    assert (await reply).status_code == 200, reply.result().text
    (decision,) = await exam.rows("SELECT proposed_ms, approved_ms FROM decision")
    (entry,) = await exam.rows("SELECT service_ms FROM audit_entry WHERE action = 'rounds.defer'")
    ended = await exam.rows("SELECT ended_ms FROM attempt WHERE end_reason = 'deferred'")
    assert len(ended) == 4
    assert {row["ended_ms"] for row in ended} == {entry["service_ms"]} == {decision["proposed_ms"]}
    assert entry["service_ms"] >= released
