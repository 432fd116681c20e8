"""No candidate ever has two running attempts, whatever is decided, and in what order."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from app.services import ending
from app.services.service_time import ServiceTime
from app.services.time_holds import Holds
from tests.candidates import Candidate
from tests.halls import opened
from tests.services.test_time_postpone import change, done, next_session, rows, start_at
from tests.staff import signed_in

MIN = 60_000
LATE_MS = 130_000


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db, monkeypatch):
    rooms = [("南楼", 2), ("北楼", 1)]
    async with opened(fresh_url, redis_url, fresh_db, rooms=rooms, changeover=0) as (_, client, made):
        made.client, made.skipped = client, 0
        # Time is let pass by as much as a story needs: every stamp of this process comes from here.
        counted = ServiceTime.now_ms
        monkeypatch.setattr(ServiceTime, "now_ms", lambda self: counted(self) + made.skipped)
        yield made


@pytest.fixture
async def office(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


async def running(hall) -> dict[int, list]:
    """By candidate, in the order they began, what runs now: (number, whether anybody came)."""
    now_ms = hall.now_ms
    found: dict[int, list] = {}
    for row in await rows(
        hall,
        "SELECT a.candidate_id, s.number, a.signed_in_ms IS NOT NULL AS sat FROM attempt a"
        " JOIN session s ON s.id = a.session_id WHERE a.state = 'open' AND a.left_ms IS NULL"
        " AND s.start_ms + a.postponed_ms <= :now AND a.end_ms > :now"
        " ORDER BY s.start_ms + a.postponed_ms, s.number",
        now=now_ms,
    ):
        found.setdefault(row["candidate_id"], []).append((row["number"], row["sat"]))
    return found


async def in_two(hall) -> dict[int, list]:
    """Whoever has come to one that runs, and has a later one running beside it."""
    return {who: mine for who, mine in (await running(hall)).items() if any(sat for _, sat in mine[:-1])}


async def waiting(hall) -> int:
    return (await rows(
        hall, "SELECT count(*) AS n FROM adjustment x WHERE x.reason = 'follows' AND x.kind = 'pause'"
        " AND NOT EXISTS (SELECT 1 FROM adjustment r WHERE r.refers_id = x.id)",
    ))[0]["n"]  # fmt: skip


async def spare(hall) -> int | None:
    found = await rows(
        hall,
        "SELECT s.id FROM seat s WHERE s.is_spare AND NOT EXISTS (SELECT 1 FROM allocation al WHERE al.seat_id = s.id)"
        " AND NOT EXISTS (SELECT 1 FROM relog r WHERE r.to_seat_id = s.id AND r.state = 'open') ORDER BY s.id LIMIT 1",
    )
    return found[0]["id"] if found else None


async def test_who_was_paused_over_their_start_still_waits_for_the_session_before(hall, office):
    second = await next_session(hall, hall.now_ms + LATE_MS)
    await done(office, change(hall, "pause", session=second, reason="fire"))
    hall.skipped += 2 * LATE_MS
    # No look has come by since: the resume asks by itself.
    asked = change(hall, "resume", session=second, reason="")
    told = (await office.post("/time/preview", asked)).json()["effect"]
    assert told["waiting"] == 3
    assert "上一场尚未结束" in told["zh"]
    reply = await done(office, asked)
    assert reply["effect"]["waiting"] == 3
    assert await in_two(hall) == {}
    assert await waiting(hall) == 3
    await Holds(hall.site).run()
    assert (await waiting(hall), await in_two(hall)) == (3, {})


async def test_a_start_that_was_missed_long_ago_is_held_when_it_is_seen(hall, office):
    await next_session(hall, hall.now_ms + LATE_MS)
    hall.skipped += 2 * LATE_MS
    assert len(await in_two(hall)) == 3
    await Holds(hall.site).run()
    assert await in_two(hall) == {}
    # From now on: somebody may have been at work there.
    entered = await rows(hall, "SELECT from_ms, made_ms FROM adjustment WHERE reason = 'follows'")
    assert [row["from_ms"] for row in entered] == [row["made_ms"] for row in entered]


async def test_of_two_that_start_at_once_the_first_goes_first(hall, office):
    start = hall.now_ms + 10 * MIN
    await start_at(hall, hall.made.session_id, start - 5 * MIN)
    second = await next_session(hall, start)
    await done(office, change(hall, "postpone", ms=5 * MIN))
    hall.skipped += 10 * MIN - 5_000
    holds = Holds(hall.site)
    await holds.run()
    hall.skipped += 10_000
    assert list((await running(hall)).values()) == [[(1, True)]] * 3
    held = await rows(hall, "SELECT session_id FROM attempt WHERE left_ms IS NOT NULL")
    assert {row["session_id"] for row in held} == {second}


@pytest.fixture
async def mover(hall, office):
    """Somebody whose move is open when their time is up; yields (candidate, attempt)."""
    person = hall.made.people[0]
    await start_at(hall, hall.made.session_id, hall.now_ms - 60 * MIN, 60 * MIN + 20_000)
    await rows(hall, "UPDATE attempt SET signed_in_ms = NULL WHERE id = :a", a=person.attempt)
    await rows(hall, "UPDATE session SET last_admission_ms = 100000000")
    one = Candidate(hall.client, person)
    assert (await one.sign_in()).status_code == 200
    assert (await office.relog(person.attempt, to_seat_id=await spare(hall))).status_code == 200
    return one, person.attempt


async def test_a_move_over_the_end_keeps_the_next_session_from_beginning(hall, office, mover):
    one, attempt = mover
    await next_session(hall, hall.now_ms + 60_000)
    hall.skipped += 55_000
    holds = Holds(hall.site)
    await ending.sweep(hall.site)
    await holds.run()
    assert await waiting(hall) == 1
    hall.skipped += 3 * LATE_MS
    there = Candidate(hall.client, one.person)
    reply = await there.sign_in()
    assert (reply.status_code, reply.json()["session"]["number"]) == (200, 1)
    assert await in_two(hall) == {}
    await holds.run()
    assert (await waiting(hall), await in_two(hall)) == (1, {})
    assert (await rows(hall, "SELECT left_ms FROM attempt WHERE id = :a", a=attempt))[0]["left_ms"] is None


async def test_a_sign_in_holds_what_nobody_has_looked_at(hall, office, mover):
    one, _ = mover
    await next_session(hall, hall.now_ms + 60_000)
    hall.skipped += 3 * LATE_MS
    there = Candidate(hall.client, one.person)
    reply = await there.sign_in()
    assert (reply.status_code, reply.json()["session"]["number"]) == (200, 1)
    assert (await waiting(hall), await in_two(hall)) == (1, {})
    audited = await rows(hall, "SELECT subject FROM audit_entry WHERE action = 'time.follows'")
    assert [row["subject"]["candidates"] for row in audited] == [1]


async def test_what_is_over_is_not_reopened_beside_a_move_in_the_next_one(hall, office, mover):
    one, _ = mover
    await rows(
        hall, "UPDATE session SET start_ms = start_ms - :h WHERE id = :s", h=60 * MIN, s=hall.made.session_id
    )  # fmt: skip
    # What the mover sits is the second one now: the first was handed in before.
    first = await next_session(hall, hall.now_ms - 170 * MIN)
    await rows(
        hall, "UPDATE attempt SET state = 'ended', ended_ms = :e, end_reason = 'hand_in', signed_in_ms = 0"
        " WHERE session_id = :s", e=hall.now_ms - 100 * MIN, s=first,
    )  # fmt: skip
    hall.skipped += LATE_MS
    asked = change(hall, "reopen", "candidate", tickets=[one.person.ticket], session=first, note="误交卷")
    asked["reason"] = "staff-error"
    reply = await office.post("/time/preview", asked)
    assert reply.json()["code"] == "runs-elsewhere"


# --- a move over the end is not an end ---


async def test_a_pause_takes_whoever_is_on_the_move_over_their_end(hall, office, mover):
    one, attempt = mover
    others = [person.ticket for person in hall.made.people if person.attempt != attempt]
    await done(office, change(hall, "extend", "list", tickets=others, ms=20 * MIN))
    hall.skipped += 30_000
    await ending.sweep(hall.site)
    assert (await done(office, change(hall, "pause", reason="fire")))["effect"]["candidates"] == 3
    hall.skipped += LATE_MS
    there = Candidate(hall.client, one.person)
    clock = (await there.sign_in()).json()["clock"]
    assert clock["state"] == "paused"
    # What was left at the last sign of life, and not a second of the move or the pause is missing.
    assert 10_000 < clock["remaining_ms"] <= 20_000
    hall.skipped += LATE_MS
    await ending.sweep(hall.site)
    await done(office, change(hall, "resume", reason=""))
    left = await rows(hall, "SELECT end_ms, left_ms, state FROM attempt WHERE id = :a", a=attempt)
    assert (left[0]["state"], left[0]["left_ms"]) == ("open", None)
    assert 10_000 < left[0]["end_ms"] - hall.now_ms <= 20_000


async def test_the_office_ends_whoever_is_on_the_move_over_their_end(hall, office, mover):
    _, attempt = mover
    hall.skipped += 30_000
    await ending.sweep(hall.site)
    mine = "SELECT state, end_ms, ended_ms, end_reason FROM attempt WHERE id = :a"
    assert (await rows(hall, mine, a=attempt))[0]["state"] == "open"
    left = await ending.moves_over_the_end(hall.site, hall.made.session_id)
    assert [one.ticket for one in left] == [hall.made.people[0].ticket]
    await done(office, change(hall, "end", "candidate", attempt=str(attempt), reason="power", note="未到新机位"))
    ended = (await rows(hall, mine, a=attempt))[0]
    assert (ended["state"], ended["end_reason"], ended["ended_ms"]) == ("ended", "forced", ended["end_ms"])
    assert await ending.moves_over_the_end(hall.site, hall.made.session_id) == []


# --- a pause that is resumed where somebody has left ---


async def test_a_resume_says_who_is_still_held_by_the_pause_elsewhere(hall, office):
    room, other = ({"rooms": [one]} for one in hall.room_ids)
    await done(office, change(hall, "pause", "room", **room, reason="power"))
    moved = hall.rooms[0][0]
    await rows(
        hall, "WITH made AS (INSERT INTO seat (room_id, label, ordinal, is_spare) VALUES (:r, '备9', 990, true)"
        " RETURNING id) UPDATE allocation SET seat_id = (SELECT id FROM made)"
        " WHERE candidate_id = (SELECT candidate_id FROM attempt WHERE id = :a)", r=hall.room_ids[1], a=moved,
    )  # fmt: skip
    asked = change(hall, "resume", "room", **room, reason="")
    told = (await office.post("/time/preview", asked)).json()["effect"]
    assert [(one["attempt"], one["seat"]) for one in told["elsewhere"]] == [(str(moved), "备9")]
    assert "仍被这一暂停保持 1 人" in told["zh"]
    assert "still held by this pause elsewhere: 1" in told["en"]
    assert told["candidates"] == 1
    assert [one["attempt"] for one in (await done(office, asked))["effect"]["elsewhere"]] == [str(moved)]
    paused = await rows(hall, "SELECT id FROM attempt WHERE left_ms IS NOT NULL")
    assert [row["id"] for row in paused] == [moved]
    # By the room they sit in now they go on, and nobody is left.
    told = (await done(office, change(hall, "resume", "room", **other, reason="")))["effect"]
    assert (told["candidates"], told["elsewhere"]) == (1, [])


# --- whatever is decided ---


@pytest.mark.parametrize("seed", range(6))
async def test_no_order_of_decisions_gives_anybody_two_running_attempts(hall, office, seed):
    dice = random.Random(seed)
    now = hall.now_ms
    first = hall.made.session_id
    await start_at(hall, first, now + dice.choice([-60, -20, 3]) * MIN, 65 * MIN)
    second = await next_session(hall, now + dice.choice([6, 10, 30]) * MIN)
    await rows(hall, "UPDATE session SET last_admission_ms = 100000000, sign_in_opens_ms = 100000000")
    people = [Candidate(hall.client, person) for person in hall.made.people]
    holds = Holds(hall.site)
    story: list[str] = []
    met: Counter[str] = Counter()

    def anybody() -> str:
        return dice.choice(people).person.ticket

    def scope(session: int, kind: str) -> dict:
        more = {"room": {"rooms": [dice.choice(hall.room_ids)]}, "candidate": {"tickets": [anybody()]}}
        return {"kind": kind, "session": session, **more.get(kind, {})}

    async def act(name: str) -> str:
        session = dice.choice([first, second])
        if name == "sign-in":
            who = dice.choice(people)
            at = await rows(
                hall, "SELECT room.name AS room, seat.label AS seat FROM relog r JOIN attempt a ON a.id = r.attempt_id"
                " JOIN seat ON seat.id = r.to_seat_id JOIN room ON room.id = seat.room_id"
                " WHERE r.state = 'open' AND a.candidate_id = :c", c=who.person.candidate_id,
            )  # fmt: skip
            reply = await who.sign_in(seat=dict(at[0]) if at else None, fresh=bool(at))
        elif name == "relog":
            to = await spare(hall)
            mine = await rows(hall, "SELECT id FROM attempt ORDER BY id")
            reply = await office.relog(dice.choice(mine)["id"], to_seat_id=to)
        elif name == "sweep":
            await ending.sweep(hall.site)
            return "done"
        else:
            more = {"ms": dice.choice([1, 5, 20]) * MIN} if name in ("postpone", "extend") else {}
            kind = "candidate" if name in ("end", "reopen") else dice.choice(["site", "room", "candidate"])
            asked = change(hall, name, **scope(session, kind), **more)
            asked |= {"reason": "" if name == "resume" else "power", "note": "x"}
            reply = await office.post("/time/preview", asked)
            if reply.status_code == 200:
                reply = await office.post("/time/actions", asked | {"seen": reply.json()["seen"]})
        code = "done" if reply.status_code == 200 else str(reply.json()["code"])
        assert reply.status_code < 500, (story, name, reply.text)
        return code

    names = ["postpone", "pause", "resume", "resume", "extend", "end", "reopen", "relog", "sign-in", "sign-in", "sweep"]
    for _ in range(35):
        skip = dice.choice([0, 0, 1, 2, 4, 9]) * MIN
        hall.skipped += skip
        await holds.run()
        assert await in_two(hall) == {}, story
        name = dice.choice(names)
        story.append(f"+{skip // MIN} min {name}")
        code = await act(name)
        story[-1] += f" {code}"
        met[f"{name} {code}"] += 1
        # What was decided has asked by itself, before anybody looks.
        assert await in_two(hall) == {}, story
        await holds.run()
        assert await in_two(hall) == {}, story
    # The story was one: something was decided in it.
    assert sum(n for one, n in met.items() if one.endswith(" done")) > 5, met
