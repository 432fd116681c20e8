"""What was taken back stays taken back: an attempt that the office reopened, and what was on its way from before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.commands.attempt_report import verdict
from app.domain.attempt_proof import prove
from app.storage.postgres import attempt_history
from tests.api.test_staff_time import MIN, attempts, body, done, everything, refused, rows, scope
from tests.candidates import SECRET, Candidate, running
from tests.factories import Person, open_relog
from tests.halls import opened
from tests.rounds_exam import exam_in_rounds
from tests.staff import signed_in


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 2)]) as (_, client, made):
        made.client = client
        yield made


@pytest.fixture
async def office(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


def by_mistake(hall, n: int = 0) -> dict:
    one = scope(hall, "candidate", attempt=str(hall.made.people[n].attempt))
    return body("reopen", one, reason="staff-error", note="误交卷")


async def handed_in(hall) -> tuple[Candidate, dict]:
    """The first candidate, with one answer, and the receipt."""
    one = Candidate(hall.client, hall.made.people[0])
    assert (await one.sign_in()).status_code == 200
    await one.answer(hall.made.items[0], "A")
    reply = await one.send(path="hand-in")
    assert reply.json()["state"] == "final"
    return one, reply.json()["receipt"]


async def test_a_repeat_of_the_hand_in_that_was_taken_back_ends_nothing(hall, office):
    one, _ = await handed_in(hall)
    await done(office, by_mistake(hall))
    one.seq -= 1
    repeated = await one.send(path="hand-in")
    assert repeated.status_code == 200
    said = repeated.json()
    assert (said["receipt"], said["hand_in_void"], said["state"]) == (None, True, "running")
    assert (await attempts(hall))[one.person.attempt]["state"] == "open"
    # What the candidate presses now has a number of its own.
    assert (await one.answer(hall.made.items[0], "B")).json()["durability"] == "durable"
    assert (await one.send(path="hand-in")).json()["state"] == "final"


async def test_numbers_begin_again_with_a_new_grant(hall, office):
    one, _ = await handed_in(hall)
    await done(office, by_mistake(hall))
    await open_relog(hall.engine, hall.made, one.person, hall.made.spares[0])
    other = Candidate(hall.client, one.person)
    assert (await other.sign_in()).status_code == 200
    assert other.seq == 1
    assert (await other.send(path="hand-in")).json()["state"] == "final"


async def test_who_was_timed_out_is_extended_and_not_reopened(hall, office):
    """The credit for the time since ends at this very moment: the sweeper would end the attempt again at once."""
    one = hall.made.people[0].attempt
    ended = hall.now_ms - 2 * MIN
    await rows(
        hall,
        "UPDATE attempt SET state = 'ended', ended_ms = :e, end_ms = :e, end_reason = 'time_out', allotted_ms = :e"
        " WHERE id = :a",
        e=ended,
        a=one,
    )
    before = await everything(hall)
    await refused(office, by_mistake(hall), "no-time-left")
    await refused(office, by_mistake(hall), "no-time-left", "/time/preview")
    assert await everything(hall) == before
    extended = body("extend", scope(hall, "candidate", attempt=str(one)), ms=10 * MIN, reason="staff-error")
    await done(office, extended)
    row = (await attempts(hall))[one]
    assert (row["state"], row["end_ms"] > hall.now_ms + 9 * MIN) == ("open", True)


async def test_of_a_list_those_with_no_time_left_are_left_out_and_counted(hall, office):
    one, _ = await handed_in(hall)
    out = hall.made.people[1]
    sql = "UPDATE attempt SET state = 'ended', ended_ms = 5, end_ms = 5, end_reason = 'time_out', allotted_ms = 5"
    await rows(hall, f"{sql} WHERE id = :a", a=out.attempt)
    both = scope(hall, "list", tickets=[one.person.ticket, out.ticket])
    told = await done(office, body("reopen", both, reason="staff-error", note="误交卷"))
    assert [(left["code"], left["count"]) for left in told["effect"]["left_out"]] == [("no-time-left", 1)]
    now = await attempts(hall)
    assert (now[one.person.attempt]["state"], now[out.attempt]["state"]) == ("open", "ended")


async def test_the_receipt_from_before_a_reopening_is_kept_and_still_proved(hall, office):
    one, first = await handed_in(hall)
    await done(office, by_mistake(hall))
    await one.answer(hall.made.items[0], "B")
    second = (await one.send(path="hand-in")).json()["receipt"]
    stored = (await attempts(hall))[one.person.attempt]
    kept = stored["receipts"][0]
    assert {name: kept[name] for name in first} == first
    assert first["service_ms"] <= kept["final_ms"] <= kept["reopened_ms"] <= stored["final_ms"]
    async with hall.engine.connect() as conn:
        snapshot = await attempt_history.snapshot(conn, one.person.attempt)
    told = prove(snapshot, first["chain"])
    assert told.findings == ()
    assert (told.printed_link, told.printed_reopened_ms) == (first["links"], kept["reopened_ms"])
    assert any("恢复了作答" in line for line in verdict(told))
    assert prove(snapshot, second["chain"]).printed_reopened_ms is None
    # Falsified afterwards, it shows as any receipt does.
    forged = replace(snapshot.standing, receipts=({**kept, "answers_hash": "0000 0000 0000"},))
    assert [found.code for found in prove(replace(snapshot, standing=forged)).findings] == ["receipt-answers"]


@pytest.mark.parametrize("late", ["ended", "final"])
async def test_a_word_of_the_end_that_comes_late_does_not_close_the_hot_copy_again(hall, office, late):
    """The process that ended the attempt was slow between its commit and Redis; the office was not."""
    told = []
    hot = hall.site.hot()

    async def noted(clocks) -> None:
        told.extend(clocks)

    hot.clocks, at_once = noted, hot.clocks
    try:
        one, _ = await handed_in(hall)
    finally:
        hot.clocks = at_once
    words = {state: (attempt, rev, state, end_ms) for attempt, rev, state, end_ms in told}
    assert words["ended"][1] < words["final"][1]
    await done(office, by_mistake(hall))
    await hot.clocks([words[late]])
    known = await hot.read(one.person.attempt)
    assert known.state == "open"
    assert (await one.answer(hall.made.items[0], "B")).json()["durability"] == "durable"
    # Told in time, it closes the copy.
    assert (await one.send(path="hand-in")).status_code == 200
    assert (await hot.read(one.person.attempt)).state == "final"


async def test_nobody_is_reopened_onto_a_seat_where_somebody_else_sits_by_now(fresh_url, redis_url, redis, fresh_db):
    async with running(fresh_url, redis_url) as (app, client):
        now = app.state.deps.site.service_time.now_ms()
        exam = await exam_in_rounds(fresh_db, SECRET.encode(), anchor=(now - MIN, now - 1000, None))
        await exam.run("UPDATE session SET earliest_hand_in_ms = 0")
        await exam.refresh()
        office = await signed_in(client, fresh_db, "office")
        first, gone, late = (exam.people[0][n] for n in range(3))
        after = next(person for person in exam.people[1] if person.seat_id == first.seat_id)
        for person in (first, gone):
            sits = Candidate(client, person)
            assert (await sits.sign_in()).status_code == 200
            assert (await sits.send(path="hand-in")).json()["state"] == "final"

        def who(*people: Person) -> dict:
            return {"session": exam.sessions[0], "kind": "list", "tickets": [one.ticket for one in people]}

        mistaken = {"reason": "staff-error", "note": "误交卷"}
        assert (await Candidate(client, after).sign_in()).status_code == 200
        for path in ("/time/preview", "/time/actions"):
            said = await refused(office, body("reopen", who(first), **mistaken), "reopen-seat-taken", path)
            assert after.ticket in said["detail_zh"]
        # A reopening is decided for each by name; not for the others of them either.
        await refused(office, body("reopen", who(first, gone), **mistaken), "reopen-seat-taken")
        await done(office, body("reopen", who(gone), **mistaken))
        # A late extension is for the rest of them, and says how many it leaves out.
        await exam.run(
            "UPDATE attempt SET state = 'ended', ended_ms = :at, end_ms = :at, allotted_ms = :at, final_ms = NULL,"
            " receipt = NULL, end_reason = 'time_out', signed_in_ms = 1 WHERE id = ANY(:a)",
            at=now - 1000,
            a=[first.attempt, late.attempt],
        )
        told = await done(office, body("extend", who(first, late), ms=10 * MIN))
        assert (told["effect"]["candidates"], [(one["code"], one["count"]) for one in told["effect"]["left_out"]]) == (
            1,
            [("reopen-seat-taken", 1)],
        )
        states = {row["id"]: row["state"] for row in await exam.rows("SELECT id, state FROM attempt")}
        assert (states[first.attempt], states[late.attempt]) == ("ended", "open")
