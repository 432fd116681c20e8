"""Plain factories: a small exam in the database, as the import and the draw would leave it."""

from __future__ import annotations

import gzip
import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.identity import id_tail, id_tail_hmac

KINDS = ["single", "multiple", "true_false", "blank", "text"]
RIGHT = {"single": "A", "multiple": ["A", "C"], "true_false": "T", "blank": ["42"], "text": "因为……"}


@dataclass
class Person:
    candidate_id: int
    ticket: str
    tail: str
    attempt: uuid.UUID
    seat_id: int
    seat: str


@dataclass
class World:
    """One exam, one room with two spare seats, one session."""

    exam_id: int
    session_id: int
    room_id: int
    people: list[Person] = field(default_factory=list)
    spares: list[int] = field(default_factory=list)
    # Item version ids in paper order, and their types.
    items: list[int] = field(default_factory=list)
    kinds: dict[int, str] = field(default_factory=dict)


async def _one(conn, sql: str, **values):
    return (await conn.execute(text(sql), values)).scalar_one()


async def world(
    engine: AsyncEngine,
    secret: bytes,
    *,
    candidates: int = 4,
    items: int = 10,
    start_ms: int | None = 0,
    duration_ms: int = 5_400_000,
    code: str = "exam",
    earliest_hand_in_ms: int = 0,
    last_admission_ms: int = 900_000,
) -> World:
    """An exam whose session starts at service time ``start_ms`` (None: not anchored)."""
    async with engine.begin() as conn:
        exam_id = await _one(conn, "INSERT INTO exam (code, name) VALUES (:c, '考试') RETURNING id", c=code)
        building = await _one(conn, "INSERT INTO building (exam_id, name) VALUES (:e, '南楼') RETURNING id", e=exam_id)
        room_id = await _one(
            conn,
            "INSERT INTO room (exam_id, building_id, name, number, ordinal, seat_count, spare_count)"
            " VALUES (:e, :b, '第01考室', '101', 1, :n, 2) RETURNING id",
            e=exam_id, b=building, n=candidates,
        )  # fmt: skip
        session_id = await _one(
            conn,
            "INSERT INTO session (exam_id, number, name, planned_start, duration_ms, start_ms, earliest_hand_in_ms,"
            " last_admission_ms) VALUES (:e, 1, '第一场', :p, :d, :s, :h, :l) RETURNING id",
            e=exam_id, p=datetime.now(UTC) - timedelta(minutes=1), d=duration_ms, s=start_ms, h=earliest_hand_in_ms,
            l=last_admission_ms,
        )  # fmt: skip
        await conn.execute(
            text(
                f"CREATE TABLE response_history_s{session_id} PARTITION OF response_history"
                f" FOR VALUES IN ({session_id})"
            )
        )
        made = World(exam_id, session_id, room_id)
        for n in range(1, items + 1):
            kind = KINDS[(n - 1) % len(KINDS)]
            item_id = await _one(
                conn, "INSERT INTO item (exam_id, number) VALUES (:e, :n) RETURNING id", e=exam_id, n=str(n)
            )
            version = await _one(
                conn,
                "INSERT INTO item_version (item_id, version, type, topic, stem, key, points_milli, content_hash)"
                " VALUES (:i, 1, :k, '水文', :s, CAST(:key AS jsonb), 1000, '') RETURNING id",
                i=item_id, k=kind, s=f"题 {n}", key=json.dumps(RIGHT[kind], ensure_ascii=False),
            )  # fmt: skip
            made.items.append(version)
            made.kinds[version] = kind
        draw = await _one(
            conn,
            "INSERT INTO draw (session_id, seed, spec, papers, digest) VALUES (:s, 'x', '{}', :n, '') RETURNING id",
            s=session_id, n=candidates,
        )  # fmt: skip
        body = gzip.compress(json.dumps({"paper": "p", "sections": []}).encode(), mtime=0)
        for n in range(1, candidates + 3):
            spare = n > candidates
            label = f"备{n - candidates}" if spare else str(n)
            seat_id = await _one(
                conn,
                "INSERT INTO seat (room_id, label, ordinal, is_spare) VALUES (:r, :l, :o, :s) RETURNING id",
                r=room_id, l=label, o=n, s=spare,
            )  # fmt: skip
            if spare:
                made.spares.append(seat_id)
                continue
            number = f"99000119800101{n:04d}"
            candidate_id = await _one(
                conn,
                "INSERT INTO candidate (exam_id, ticket, name, id_number, id_tail_hmac)"
                " VALUES (:e, :t, :name, :i, :h) RETURNING id",
                e=exam_id, t=f"{code.upper()}-{n}", name=f"考生{n}", i=number, h=id_tail_hmac(secret, id_tail(number)),
            )  # fmt: skip
            await conn.execute(
                text(
                    "INSERT INTO allocation (session_id, candidate_id, seat_id, planned_seat_id)"
                    " VALUES (:s, :c, :t, :t)"
                ),
                {"s": session_id, "c": candidate_id, "t": seat_id},
            )
            attempt = uuid.uuid4()
            await conn.execute(
                text(
                    "INSERT INTO attempt (id, session_id, candidate_id, allotted_ms, end_ms)"
                    " VALUES (:a, :s, :c, :d, :e)"
                ),
                {
                    "a": attempt, "s": session_id, "c": candidate_id, "d": duration_ms,
                    "e": None if start_ms is None else start_ms + duration_ms,
                },
            )  # fmt: skip
            await conn.execute(
                text("INSERT INTO paper (attempt_id, draw_id, item_count, body, etag) VALUES (:a, :d, :n, :b, 'p')"),
                {"a": attempt, "d": draw, "n": items, "b": body},
            )
            await conn.execute(
                text(
                    "INSERT INTO paper_item (attempt_id, position, item_version_id, points_milli)"
                    " VALUES (:a, :p, :i, 1000)"
                ),
                [{"a": attempt, "p": p, "i": item} for p, item in enumerate(made.items, 1)],
            )
            made.people.append(Person(candidate_id, f"{code.upper()}-{n}", id_tail(number), attempt, seat_id, label))
    return made


async def open_relog(
    engine: AsyncEngine, made: World, person: Person, to_seat: int, staff_id: int | None = None
) -> int:
    """The invigilator's click, without the invigilator."""
    async with engine.begin() as conn:
        if staff_id is None:
            staff_id = await _one(
                conn,
                "INSERT INTO staff (username, name, role, password_hash) VALUES (:u, '监考', 'invigilator', '')"
                " RETURNING id",
                u=uuid.uuid4().hex,
            )
        return await _one(
            conn,
            "INSERT INTO relog (attempt_id, session_id, from_seat_id, to_seat_id, reason, staff_id, opened_ms)"
            " VALUES (:a, :s, :f, :t, 'pc-dead', :st, 0) RETURNING id",
            a=person.attempt, s=made.session_id, f=person.seat_id, t=to_seat, st=staff_id,
        )  # fmt: skip
