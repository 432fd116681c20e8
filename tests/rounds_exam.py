"""An exam in rounds, as the import would leave it: the same seats in every round, other people on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.bench import hall
from app.domain.identity import id_tail, id_tail_hmac
from app.services.drawing import draw_session
from app.storage.postgres import blueprints, exams
from tests.factories import Person

BANK = {("水文", "single"): 40, ("水文", "true_false"): 20}
SPEC: dict[str, Any] = {
    "sections": [
        {
            "title": "选择题",
            "strata": [{"topic": None, "type": "single", "count": 8, "points_milli": None}],
        },
        {
            "title": "判断题",
            "strata": [{"topic": None, "type": "true_false", "count": 4, "points_milli": None}],
        },
    ],
    "shuffle_options": True,
}
COUNT = 12
HOUR_MS = 3_600_000


@dataclass
class Rounds:
    """``sessions`` and ``rooms`` by number − 1; ``people[n]`` are those of round n + 1, in seat order."""

    engine: AsyncEngine
    exam_id: int
    sessions: list[int] = field(default_factory=list)
    rooms: list[int] = field(default_factory=list)
    people: list[list[Person]] = field(default_factory=list)

    def of_room(self, round_number: int, room: int) -> list[Person]:
        each = len(self.people[round_number - 1]) // len(self.rooms)
        return self.people[round_number - 1][(room - 1) * each : room * each]

    async def rows(self, sql: str, **values: object) -> list[dict[str, Any]]:
        async with self.engine.connect() as conn:
            return [dict(row) for row in (await conn.execute(text(sql), values)).mappings()]

    async def run(self, sql: str, **values: object) -> None:
        async with self.engine.begin() as conn:
            await conn.execute(text(sql), values)

    async def refresh(self) -> None:
        """The attempts people have now, in the session they sit."""
        found = await self.rows("SELECT candidate_id, id FROM attempt WHERE state = 'open'")
        by_candidate: dict[int, UUID] = {row["candidate_id"]: row["id"] for row in found}
        for people in self.people:
            for person in people:
                person.attempt = by_candidate.get(person.candidate_id, person.attempt)

    async def sits(self) -> dict[str, tuple[int, int]]:
        """ticket → (session, seat) of everybody who has not been closed out of it."""
        rows = await self.rows(
            "SELECT c.ticket, al.session_id, al.seat_id FROM allocation al JOIN candidate c ON c.id = al.candidate_id"
            " LEFT JOIN attempt a ON a.session_id = al.session_id AND a.candidate_id = al.candidate_id"
            " WHERE coalesce(a.end_reason, '') <> 'deferred'"
        )
        return {row["ticket"]: (row["session_id"], row["seat_id"]) for row in rows}

    async def papers(self) -> dict[tuple[str, int], list[int]]:
        """(ticket, session) → the item versions of the paper, by position."""
        rows = await self.rows(
            "SELECT c.ticket, a.session_id, array_agg(p.item_version_id ORDER BY p.position) AS items FROM attempt a"
            " JOIN candidate c ON c.id = a.candidate_id JOIN paper_item p ON p.attempt_id = a.id GROUP BY 1, 2"
        )
        return {(row["ticket"], row["session_id"]): row["items"] for row in rows}


async def exam_in_rounds(
    engine: AsyncEngine,
    secret: bytes,
    *,
    rounds: int = 3,
    rooms: int = 2,
    seats: int = 6,
    filled: int = 4,
    draw: bool = True,
    anchor: tuple[int | None, ...] = (),
    bank: dict[tuple[str, str], int] = BANK,
) -> Rounds:
    """``anchor``: service time of each round's start, by round; None: not anchored. All rooms in one building."""
    async with engine.begin() as conn:
        # Its people all sit everything: only the place and the bank are wanted.
        made = await hall.invent(conn, code="R", rooms=[seats] * rooms, bank=bank, sessions=rounds)
        await conn.execute(text("DELETE FROM allocation WHERE session_id = ANY(:s)"), {"s": made.session_ids})
        await conn.execute(text("DELETE FROM candidate WHERE exam_id = :e"), {"e": made.exam_id})
        exam = Rounds(engine, made.exam_id, made.session_ids)
        place = (
            await conn.execute(
                text(
                    "SELECT r.id AS room_id, seat.id, seat.label, seat.ordinal FROM seat JOIN room r"
                    " ON r.id = seat.room_id WHERE r.exam_id = :e ORDER BY r.ordinal, seat.ordinal"
                ),
                {"e": made.exam_id},
            )
        ).all()
        exam.rooms = list(dict.fromkeys(row.room_id for row in place))
        for number, session_id in enumerate(exam.sessions, start=1):
            await exams.ensure_history_partition(conn, session_id)
            await blueprints.set_blueprint(conn, session_id, SPEC)
            await conn.execute(
                text("UPDATE session SET planned_start = :at, start_ms = :ms WHERE id = :id"),
                {
                    "at": datetime.now(UTC) + timedelta(hours=3 * (number - 1), minutes=-5),
                    "ms": anchor[number - 1] if number <= len(anchor) else None,
                    "id": session_id,
                },
            )
            people: list[Person] = []
            for row in place:
                if row.ordinal > filled:
                    continue
                ticket, document = f"R{number}{len(people) + 1:03}", f"9900011980{number:02}{len(people) + 1:06}"
                candidate_id = await conn.scalar(
                    text(
                        "INSERT INTO candidate (exam_id, ticket, name, id_number, id_tail_hmac)"
                        " VALUES (:e, :t, :n, :i, :h) RETURNING id"
                    ),
                    {
                        "e": exam.exam_id, "t": ticket, "n": f"考生{ticket}", "i": document,
                        "h": id_tail_hmac(secret, id_tail(document)),
                    },
                )  # fmt: skip
                await conn.execute(
                    text(
                        "INSERT INTO allocation (session_id, candidate_id, seat_id, planned_seat_id)"
                        " VALUES (:s, :c, :t, :t)"
                    ),
                    {"s": session_id, "c": candidate_id, "t": row.id},
                )
                people.append(Person(candidate_id, ticket, id_tail(document), UUID(int=0), row.id, row.label))
            exam.people.append(people)
    if draw:
        for number, session_id in enumerate(exam.sessions, start=1):
            # A session that has begun is not drawn any more: it is begun afterwards.
            start_ms = anchor[number - 1] if number <= len(anchor) else None
            await exam.run("UPDATE session SET start_ms = NULL WHERE id = :id", id=session_id)
            await draw_session(engine, session_id, seed=f"round {number}")
            await exam.run("UPDATE session SET start_ms = :ms WHERE id = :id", ms=start_ms, id=session_id)
            await exam.run(
                "UPDATE attempt SET end_ms = CAST(:ms AS bigint) + allotted_ms WHERE session_id = :id",
                ms=start_ms,
                id=session_id,
            )
        await exam.refresh()
    return exam


def lasting(effect: dict[str, Any]) -> dict[str, Any]:
    """An effect without when sessions start: that is told to the second of the wall, which may be another one now."""
    return {key: value for key, value in effect.items() if key not in ("sessions", "zh", "en")}
