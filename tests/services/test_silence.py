"""A hall that goes quiet, on real stores and the real clock: what is proposed, and what is not."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from app.domain.clock import NEVER_MS
from app.services import silence
from app.storage.postgres import silence as records
from tests.halls import S, opened
from tests.staff import signed_in


async def test_thirty_eight_of_forty_fall_silent_and_come_back(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 40), ("南楼", 40)]) as (_, _, hall):
        dark, alive = hall.rooms[0][:38], hall.rooms[0][38:] + hall.rooms[1]
        assert await hall.look(hall.everybody) == []
        first, last = await hall.silent_since(dark)
        (loss,) = await hall.look(alive)
        assert (loss["kind"], loss["scope"], loss["scope_names"], loss["state"]) == (
            "room-loss", "room", ["第1考室"], "open",
        )  # fmt: skip
        assert (loss["from_ms"], loss["evidence"]["since_ms"], loss["evidence"]["seats"]) == (first, last, 40)
        assert (set(loss["members"]), loss["evidence"]["going"]) == (set(dark), True)
        before = hall.now_ms
        (again,) = await hall.look(alive)
        assert again["id"] == loss["id"]
        assert again["to_ms"] >= before >= loss["to_ms"]
        back = await hall.heard(dark)
        (closed,) = await hall.look(alive)
        assert (closed["from_ms"], closed["to_ms"], closed["evidence"]["going"]) == (first, back, False)
        # They write on, and nothing more is said.
        (still,) = await hall.look(hall.everybody)
        assert still == closed
        async with fresh_db.connect() as conn:
            told = list(
                (
                    await conn.execute(text("SELECT action FROM audit_entry WHERE actor = 'silence' ORDER BY n"))
                ).scalars()
            )
            assert told == ["proposal.made", "proposal.closed"]
            # Nobody was given anything: that is the office's to decide.
            assert await conn.scalar(text("SELECT count(*) FROM adjustment")) == 0


async def test_a_cable_proposes_nothing(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 40)]) as (_, _, hall):
        await hall.heard(hall.everybody[:1], hall.now_ms - 600 * S)
        assert await hall.look(hall.everybody[1:]) == []
        # Nor do a few of a room, one after another.
        for n in range(30):
            await hall.heard(hall.everybody[n : n + 1], hall.now_ms - (60 + 40 * n) * S)
        assert await hall.look(hall.everybody[30:]) == []


async def test_a_building_and_everyone(fresh_url, redis_url, redis, fresh_db):
    rooms = [("南楼", 10), ("南楼", 10), ("北楼", 10), ("北楼", 10)]
    async with opened(fresh_url, redis_url, fresh_db, rooms=rooms) as (_, _, hall):
        await hall.silent_since(hall.rooms[0] + hall.rooms[1])
        (south,) = await hall.look(hall.rooms[2] + hall.rooms[3])
        assert (south["kind"], south["scope_names"], len(south["members"])) == ("building-loss", ["南楼"], 20)
        await hall.look(hall.everybody)
        await hall.silent_since(hall.everybody)
        _, site = await hall.look()
        assert (site["kind"], site["scope"], site["scope_names"], len(site["members"])) == ("site-loss", "site", [], 40)


async def test_contacts_that_only_redis_has_are_contacts(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 40)]) as (_, _, hall):
        await hall.silent_since(hall.everybody)
        for attempt in hall.everybody:
            await redis.hset(hall.site.keys.hot(attempt), "seen_ms", hall.now_ms)
        assert await hall.look() == []
        await redis.flushdb()
        (loss,) = await hall.look()
        assert len(loss["members"]) == 40


async def test_the_services_own_outage_is_no_rooms_silence(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 40)]) as (_, _, hall):
        await hall.silent_since(hall.everybody, 50)
        async with fresh_db.begin() as conn:
            await conn.execute(
                text(
                    "INSERT INTO term (n, lineage_n, start_ms, gap_ms, leader)"
                    " SELECT n - 1000, lineage_n, :at, 40000, 'earlier' FROM term ORDER BY n LIMIT 1"
                ),
                {"at": hall.now_ms - 40 * S},
            )
        assert await hall.look() == []


async def test_everyone_who_does_not_find_back_after_an_outage_is_an_outages_loss(
    fresh_url, redis_url, redis, fresh_db
):
    rooms = [("南楼", 10), ("南楼", 10), ("北楼", 10), ("北楼", 10)]
    async with opened(fresh_url, redis_url, fresh_db, rooms=rooms) as (_, _, hall):
        await hall.heard(hall.everybody, hall.now_ms - 150 * S)
        back = hall.now_ms - 130 * S
        async with fresh_db.begin() as conn:
            await conn.execute(
                text(
                    "INSERT INTO term (n, lineage_n, start_ms, gap_ms, leader)"
                    " SELECT n - 1000, lineage_n, :at, 40000, 'earlier' FROM term ORDER BY n LIMIT 1"
                ),
                {"at": back},
            )
        (loss,) = await hall.look()
        # The outage itself cost nobody anything: what is proposed begins when the service was there again.
        assert (loss["kind"], loss["from_ms"], len(loss["members"])) == ("outage-credit", back, 40)


async def test_who_is_paused_over_or_not_there_is_left_out(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 30)]) as (_, _, hall):
        await hall.silent_since(hall.everybody)
        paused, over, absent = hall.everybody[:10], hall.everybody[10:20], hall.everybody[20:]
        async with fresh_db.begin() as conn:
            await conn.execute(
                text("UPDATE attempt SET left_ms = 1000, end_ms = :n WHERE id = ANY(:a)"), {"n": NEVER_MS, "a": paused}
            )
            await conn.execute(
                text("UPDATE attempt SET state = 'ended', ended_ms = 1, end_reason = 'hand_in' WHERE id = ANY(:a)"),
                {"a": over},
            )
            await conn.execute(text("UPDATE attempt SET signed_in_ms = NULL WHERE id = ANY(:a)"), {"a": absent})
        assert await hall.look() == []


async def test_a_room_that_is_paused_closes_its_loss(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 30)]) as (_, _, hall):
        await hall.silent_since(hall.everybody)
        await hall.look()
        before = hall.now_ms
        async with fresh_db.begin() as conn:
            await conn.execute(text("UPDATE attempt SET left_ms = 1000, end_ms = :n"), {"n": NEVER_MS})
        (loss,) = await hall.look()
        assert (loss["evidence"]["going"], loss["state"]) == (False, "open")
        assert before <= loss["to_ms"] <= hall.now_ms


async def test_a_hall_that_is_opened_again_is_not_silent_from_before(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 12), ("南楼", 12)]) as (_, client, hall):
        ended = hall.now_ms - 300 * S
        await hall.heard(hall.everybody, ended)
        async with fresh_db.begin() as conn:
            await conn.execute(
                text(
                    "UPDATE attempt SET allotted_ms = :e, end_ms = :e, state = 'ended', ended_ms = :e,"
                    " end_reason = 'time_out'"
                ),
                {"e": ended},
            )
        office = await signed_in(client, fresh_db, "office")
        asked = {"scope": {"session": hall.made.session_id, "kind": "site"}, "reason": "power"}
        given = await office.post("/time/actions", {"action": "extend", "ms": 600 * S, **asked})
        assert given.json()["effect"]["reopened"] == 24
        # Nobody has said a word yet, and for five minutes nobody could.
        assert await hall.look() == []
        async with fresh_db.begin() as conn:
            again = await conn.scalar(text("SELECT max(made_ms) FROM adjustment WHERE kind = 'reopen'"))
            heard = await records.seats(conn, hall.now_ms)
            assert {seat.heard_ms for seat in heard[hall.made.session_id].values()} == {again}
            # Whoever was heard while it was over has been heard.
            await conn.execute(text("UPDATE attempt SET late_contact_ms = :at"), {"at": again + 1})
            heard = await records.seats(conn, hall.now_ms)
            assert {seat.heard_ms for seat in heard[hall.made.session_id].values()} == {again + 1}
        # More time for those who work does not hide how long they have been silent.
        assert (await office.post("/time/actions", {"action": "extend", "ms": 60 * S, **asked})).status_code == 200
        async with fresh_db.connect() as conn:
            heard = await records.seats(conn, hall.now_ms)
            assert {seat.heard_ms for seat in heard[hall.made.session_id].values()} == {again + 1}


async def test_what_was_dismissed_is_not_proposed_again_while_it_lasts(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 30)]) as (_, _, hall):
        await hall.silent_since(hall.everybody)
        (loss,) = await hall.look()
        async with fresh_db.begin() as conn:
            office = await conn.scalar(
                text(
                    "INSERT INTO staff (username, name, role, password_hash) VALUES ('o', 'o', 'office', '')"
                    " RETURNING id"
                )
            )
            await conn.execute(
                text("UPDATE proposal SET state = 'dismissed', decided_by = :o, decided_ms = 1"), {"o": office}
            )
        assert [one["id"] for one in await hall.look()] == [loss["id"]]
        await hall.heard(hall.everybody)
        (closed,) = await hall.look()
        # Decided on what it was; that it is over is known all the same.
        assert (closed["to_ms"], closed["evidence"]["going"]) == (loss["to_ms"], False)
        await hall.silent_since(hall.everybody)
        assert len(await hall.look()) == 2


async def test_a_loss_that_is_followed_is_not_found_a_second_time(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 40)]) as (_, _, hall):
        await hall.silent_since(hall.everybody)
        (loss,) = await hall.look()
        # The one who was heard first is back: those who are still out were last heard later than the loss began.
        await hall.heard(hall.everybody[::9])
        (still,) = await hall.look()
        assert (still["id"], still["from_ms"], len(still["evidence"]["back"])) == (loss["id"], loss["from_ms"], 5)


async def test_one_transaction_at_a_time_proposes(fresh_db):
    async with fresh_db.begin() as one, fresh_db.begin() as other:
        assert await records.alone(one)
        assert not await records.alone(other)
    async with fresh_db.begin() as one:
        assert await records.alone(one)


async def test_half_a_room_comes_back_and_the_other_half_does_not(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 40)], loss_settle=timedelta(0)) as (_, _, hall):
        await hall.silent_since(hall.everybody)
        await hall.look()
        back = await hall.heard(hall.everybody[:20])
        out, part = await hall.look()
        assert (set(part["members"]), part["to_ms"], part["evidence"]["going"]) == (
            set(hall.everybody[:20]), back, False,
        )  # fmt: skip
        assert (set(out["members"]), out["evidence"]["going"]) == (set(hall.everybody[20:]), True)
        assert out["from_ms"] == part["from_ms"]


async def test_several_sessions_at_once_have_their_own(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 40)]) as (_, _, hall):
        # Half of the room sits another session, which began at the same time.
        async with fresh_db.begin() as conn:
            other = await conn.scalar(
                text(
                    "INSERT INTO session (exam_id, number, name, planned_start, duration_ms, start_ms)"
                    " VALUES (:e, 2, '第二场', :p, 10800000, 0) RETURNING id"
                ),
                {"e": hall.made.exam_id, "p": datetime.now(UTC)},
            )
            await conn.execute(text("ALTER TABLE attempt DROP CONSTRAINT fk_attempt_session_id_candidate_id"))
            await conn.execute(
                text(
                    "UPDATE allocation SET session_id = :o WHERE candidate_id IN"
                    " (SELECT candidate_id FROM attempt WHERE id = ANY(:a))"
                ),
                {"o": other, "a": hall.everybody[20:]},
            )
            await conn.execute(
                text("UPDATE attempt SET session_id = :o WHERE id = ANY(:a)"), {"o": other, "a": hall.everybody[20:]}
            )
        await hall.silent_since(hall.everybody)
        found = await hall.look()
        assert {one["session_id"]: set(one["members"]) for one in found} == {
            hall.made.session_id: set(hall.everybody[:20]),
            other: set(hall.everybody[20:]),
        }


async def test_many_processes_that_look_at_once_make_one_proposal(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 30)]) as (_, _, hall):
        await hall.silent_since(hall.everybody)
        await asyncio.gather(*(silence.look(hall.site) for _ in range(4)))
        assert len(await hall.look()) == 1
