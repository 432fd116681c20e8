"""What a delay asks of the next session, approved: the office decides on it like on any other proposal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from sqlalchemy import text

from tests.halls import S, opened
from tests.staff import signed_in

MINUTE = 60 * S


async def second_session(engine, hall, start_ms: int) -> int:
    """The same people sit another session at the same seats."""
    async with engine.begin() as conn:
        session = await conn.scalar(
            text(
                "INSERT INTO session (exam_id, number, name, planned_start, duration_ms, start_ms)"
                " VALUES (:e, 2, '第二场', :p, 3600000, :s) RETURNING id"
            ),
            {"e": hall.made.exam_id, "p": datetime.now(UTC) + timedelta(hours=3), "s": start_ms},
        )
        for person in hall.made.people:
            await conn.execute(
                text(
                    "INSERT INTO allocation (session_id, candidate_id, seat_id, planned_seat_id)"
                    " VALUES (:s, :c, :t, :t)"
                ),
                {"s": session, "c": person.candidate_id, "t": person.seat_id},
            )
            await conn.execute(
                text(
                    "INSERT INTO attempt (id, session_id, candidate_id, allotted_ms, end_ms)"
                    " VALUES (:a, :s, :c, 3600000, :e)"
                ),
                {"a": uuid4(), "s": session, "c": person.candidate_id, "e": start_ms + 3_600_000},
            )
    return session


async def starts(engine, session: int) -> tuple[int, set[int]]:
    async with engine.connect() as conn:
        start = await conn.scalar(text("SELECT start_ms FROM session WHERE id = :s"), {"s": session})
        rows = await conn.execute(
            text("SELECT end_ms - allotted_ms FROM attempt WHERE session_id = :s"), {"s": session}
        )
        return start, set(rows.scalars())


async def test_what_follows_from_a_delay_is_approved_as_a_postponement(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 6)]) as (_, client, hall):
        office = await signed_in(client, fresh_db, "office")
        async with fresh_db.connect() as conn:
            first_end = await conn.scalar(text("SELECT max(end_ms) FROM attempt"))
        second = await second_session(fresh_db, hall, first_end + 20 * MINUTE)
        extend = {
            "action": "extend", "scope": {"session": hall.made.session_id, "kind": "site"}, "ms": 10 * MINUTE,
            "reason": "power",
        }  # fmt: skip
        reply = await office.post("/time/actions", extend)
        assert reply.status_code == 200, reply.text
        (asked,) = (await office.get("/time/proposals", session=second)).json()["proposals"]
        assert (asked["kind"], asked["amount_ms"], asked["id"]) == (
            "follows", 5 * MINUTE, reply.json()["effect"]["follows"]["proposal"],
        )  # fmt: skip
        assert asked["zh"] == "因第 1 场延后，建议本场推迟 5:00 开考"
        assert await starts(fresh_db, second) == (first_end + 20 * MINUTE, {first_end + 20 * MINUTE})
        done = await office.post(f"/time/proposals/{asked['id']}/approve", {"note": "顺延"})
        assert done.status_code == 200, done.text
        assert (done.json()["proposal"]["state"], done.json()["entry"]["kind"]) == ("approved", "postpone")
        assert await starts(fresh_db, second) == (first_end + 25 * MINUTE, {first_end + 25 * MINUTE})
