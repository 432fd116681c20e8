"""What the office sets up before the day: exams with their sessions, rooms and seats, as the console shows them.

Each picture is one statement over indexed keys. Changes of rooms and sessions that an import makes too are in
``exams``; here is what only a person at the console asks for.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.storage.postgres.tables import blueprint, building, exam, room, session

Row = dict[str, Any]


async def _rows(conn: AsyncConnection, sql: str, **values: object) -> list[Row]:
    return [dict(row) for row in (await conn.execute(text(sql), values)).mappings()]


async def listed(conn: AsyncConnection) -> list[Row]:
    """Every exam: id, code, name, timezone, is_demo, and how many sessions, rooms, candidates and items it has."""
    return await _rows(
        conn,
        """
        SELECT e.id, e.code, e.name, e.timezone, e.is_demo,
            (SELECT count(*) FROM session s WHERE s.exam_id = e.id) AS sessions,
            (SELECT count(*) FROM room r WHERE r.exam_id = e.id) AS rooms,
            (SELECT count(*) FROM candidate c WHERE c.exam_id = e.id) AS candidates,
            (SELECT count(*) FROM item i WHERE i.exam_id = e.id AND NOT i.retired) AS items
        FROM exam e ORDER BY e.code
        """,
    )


async def add_exam(conn: AsyncConnection, code: str, name: str, timezone: str) -> int:
    """Its id. IntegrityError when there is one with this code."""
    statement = sa.insert(exam).values(code=code, name=name, timezone=timezone).returning(exam.c.id)
    return int((await conn.execute(statement)).scalar_one())


_SESSION = """
SELECT s.id, s.exam_id, s.number, s.name, s.planned_start, s.duration_ms, s.start_ms, s.held, s.sign_in_opens_ms,
    s.last_admission_ms, s.earliest_hand_in_ms,
    (SELECT count(*) FROM allocation al WHERE al.session_id = s.id) AS people,
    (SELECT count(*) FROM attempt a WHERE a.session_id = s.id) AS attempts,
    (SELECT count(*) FROM paper p JOIN attempt a ON a.id = p.attempt_id WHERE a.session_id = s.id) AS papers,
    (SELECT count(*) FROM attempt a WHERE a.session_id = s.id AND a.signed_in_ms IS NOT NULL) AS signed_in,
    b.spec AS blueprint, d.id AS draw_id, d.digest, d.papers AS drawn, d.created_at AS drawn_at
FROM session s
LEFT JOIN blueprint b ON b.session_id = s.id
LEFT JOIN LATERAL (SELECT * FROM draw d WHERE d.session_id = s.id ORDER BY d.id DESC LIMIT 1) d ON true
"""


async def sessions(conn: AsyncConnection, exam_id: int) -> list[Row]:
    """The exam's sessions by number, with who is allocated, what is drawn (``digest`` None: nothing yet)."""
    return await _rows(conn, f"{_SESSION} WHERE s.exam_id = :exam ORDER BY s.number", exam=exam_id)


async def find_session(conn: AsyncConnection, session_id: int) -> Row | None:
    rows = await _rows(conn, f"{_SESSION} WHERE s.id = :id", id=session_id)
    return rows[0] if rows else None


async def exam_of_session(conn: AsyncConnection, session_id: int) -> int | None:
    found = await conn.scalar(sa.select(session.c.exam_id).where(session.c.id == session_id))
    return None if found is None else int(found)


async def add_session(conn: AsyncConnection, values: Row) -> int:
    """Its id; its history gets a partition when the day is opened, which no room that is writing has to wait for.
    IntegrityError when the exam has a session with this number."""
    return int((await conn.execute(sa.insert(session).values(**values).returning(session.c.id))).scalar_one())


async def drop_session(conn: AsyncConnection, session_id: int) -> None:
    """Delete a session and its blueprint. IntegrityError if anything else still refers to it."""
    await conn.execute(sa.delete(blueprint).where(blueprint.c.session_id == session_id))
    await conn.execute(sa.delete(session).where(session.c.id == session_id))


_ROOM = """
SELECT r.id, r.exam_id, r.name, r.number, b.id AS building_id, b.name AS building, r.ordinal,
    r.seat_count AS seats, r.spare_count AS spares,
    (SELECT count(*) FROM seat WHERE seat.room_id = r.id AND seat.out_of_order IS NOT NULL) AS out_of_order,
    (SELECT count(*) FROM allocation al JOIN seat ON seat.id = al.seat_id WHERE seat.room_id = r.id) AS people,
    (SELECT count(*) FROM staff_room sr WHERE sr.room_id = r.id) AS staff
FROM room r JOIN building b ON b.id = r.building_id
"""


async def rooms(conn: AsyncConnection, exam_id: int) -> list[Row]:
    """The exam's rooms in order; ``people`` counts allocations of all sessions, ``staff`` who is assigned."""
    return await _rows(conn, f"{_ROOM} WHERE r.exam_id = :exam ORDER BY r.ordinal, r.id", exam=exam_id)


async def find_room(conn: AsyncConnection, room_id: int) -> Row | None:
    rows = await _rows(conn, f"{_ROOM} WHERE r.id = :id", id=room_id)
    return rows[0] if rows else None


async def exam_of_room(conn: AsyncConnection, room_id: int) -> int | None:
    found = await conn.scalar(sa.select(room.c.exam_id).where(room.c.id == room_id))
    return None if found is None else int(found)


async def next_ordinal(conn: AsyncConnection, exam_id: int) -> int:
    last = await conn.scalar(sa.select(sa.func.max(room.c.ordinal)).where(room.c.exam_id == exam_id))
    return int(last or 0) + 1


async def going_on(conn: AsyncConnection, room_id: int, now_ms: int) -> Row | None:
    """A session that has begun and in which somebody of this room has yet to be final: id, number; or None."""
    rows = await _rows(
        conn,
        """
        SELECT s.id, s.number FROM allocation al JOIN seat ON seat.id = al.seat_id
        JOIN session s ON s.id = al.session_id
        JOIN attempt a ON a.session_id = al.session_id AND a.candidate_id = al.candidate_id
        WHERE seat.room_id = :room AND s.start_ms <= :now AND a.state <> 'final'
        ORDER BY s.number LIMIT 1
        """,
        room=room_id,
        now=now_ms,
    )
    return rows[0] if rows else None


async def seats(conn: AsyncConnection, room_id: int) -> list[Row]:
    """The room's seats in order: id, label, is_spare, out_of_order, and how many allocations it has."""
    return await _rows(
        conn,
        """
        SELECT seat.id, seat.label, seat.is_spare, seat.out_of_order,
            (SELECT count(*) FROM allocation al WHERE al.seat_id = seat.id) AS people
        FROM seat WHERE seat.room_id = :room ORDER BY seat.ordinal
        """,
        room=room_id,
    )


async def find_building(conn: AsyncConnection, building_id: int) -> Row | None:
    """id, exam_id, name and the ids of its rooms; the row is locked."""
    rows = await _rows(
        conn,
        "SELECT b.id, b.exam_id, b.name, ARRAY(SELECT r.id FROM room r WHERE r.building_id = b.id ORDER BY r.id)"
        " AS room_ids FROM building b WHERE b.id = :id FOR NO KEY UPDATE OF b",
        id=building_id,
    )
    return rows[0] if rows else None


async def rename_building(conn: AsyncConnection, building_id: int, name: str) -> None:
    """IntegrityError when the exam has another building of this name."""
    await conn.execute(sa.update(building).where(building.c.id == building_id).values(name=name))


async def last_change(conn: AsyncConnection, key: str, value: int) -> Row | None:
    """Who wrote last about this room or session (``key`` is room_id or session_id), and when: by, at."""
    rows = await _rows(
        conn,
        "SELECT coalesce(s.name, a.actor) AS by, a.at FROM audit_entry a LEFT JOIN staff s ON s.id = a.staff_id"
        " WHERE a.subject @> jsonb_build_object(CAST(:key AS text), CAST(:value AS int8))"
        " AND a.action LIKE 'site.%' ORDER BY a.n DESC LIMIT 1",
        key=key,
        value=value,
    )
    return rows[0] if rows else None
