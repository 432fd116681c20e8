"""Exams and what they are held in: buildings, rooms with their seats, sessions.

An exam's row is the lock of everything that plans it: ``lock`` takes it FOR NO KEY UPDATE, so that two imports, or an
import and a draw, of one exam follow each other, while foreign keys to the exam stay free.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.storage.postgres.tables import attempt, building, candidate, exam, item, room, seat, session


@dataclass(frozen=True, slots=True)
class Exam:
    id: int
    code: str
    name: str
    timezone: str
    is_demo: bool


@dataclass(frozen=True, slots=True)
class Room:
    """``ordinal`` is the room's place in the roster, from 1."""

    id: int
    name: str
    building: str
    number: str
    ordinal: int
    seat_count: int
    spare_count: int


@dataclass(frozen=True, slots=True)
class Session:
    """``attempts`` counts those that a draw has made; ``start_ms`` is None until the day is opened."""

    id: int
    number: int
    name: str
    planned_start: datetime
    imported_start: datetime | None
    duration_ms: int
    start_ms: int | None
    held: str | None
    sign_in_opens_ms: int
    last_admission_ms: int
    earliest_hand_in_ms: int
    attempts: int


_EXAM = (exam.c.id, exam.c.code, exam.c.name, exam.c.timezone, exam.c.is_demo)

# --- exams ---


async def every(conn: AsyncConnection) -> list[Exam]:
    """All exams by code."""
    return [Exam(*row) for row in await conn.execute(sa.select(*_EXAM).order_by(exam.c.code))]


async def find(conn: AsyncConnection, code: str) -> Exam | None:
    row = (await conn.execute(sa.select(*_EXAM).where(exam.c.code == code))).one_or_none()
    return None if row is None else Exam(*row)


async def resolve(conn: AsyncConnection, code: str | None) -> Exam:
    """The exam with this code, or the only one there is. Refused: exam-unknown, exam-none, exam-unclear."""
    known = await every(conn)
    if code is None and len(known) == 1:
        return known[0]
    codes = "、".join(each.code for each in known)
    if not known:
        raise Refused("exam-none")
    if code is None:
        raise Refused("exam-unclear", known=codes)
    found = next((each for each in known if each.code == code), None)
    if found is None:
        raise Refused("exam-unknown", exam=code, known=codes)
    return found


async def lock(conn: AsyncConnection, exam_id: int) -> None:
    """Hold everything that plans this exam until the transaction ends."""
    await conn.execute(sa.select(exam.c.id).where(exam.c.id == exam_id).with_for_update(key_share=True))


async def lock_or_create(conn: AsyncConnection, code: str, *, name: str, timezone: str) -> tuple[Exam, bool]:
    """The exam with this code, locked, and whether it was created just now.

    Of two that create it at once the second waits on the unique code and then finds it.
    """
    created = await conn.execute(
        pg_insert(exam)
        .values(code=code, name=name, timezone=timezone)
        .on_conflict_do_nothing(index_elements=[exam.c.code])
    )
    row = (await conn.execute(sa.select(*_EXAM).where(exam.c.code == code).with_for_update(key_share=True))).one()
    return Exam(*row), created.rowcount == 1


async def rename(conn: AsyncConnection, exam_id: int, name: str) -> None:
    await conn.execute(sa.update(exam).where(exam.c.id == exam_id).values(name=name))


async def has_roster(conn: AsyncConnection, exam_id: int) -> bool:
    return bool(await conn.scalar(sa.select(sa.exists().where(session.c.exam_id == exam_id))))


async def has_bank(conn: AsyncConnection, exam_id: int) -> bool:
    return bool(await conn.scalar(sa.select(sa.exists().where(item.c.exam_id == exam_id))))


# --- buildings, rooms and seats ---


async def rooms(conn: AsyncConnection, exam_id: int) -> list[Room]:
    query = (
        sa.select(
            room.c.id,
            room.c.name,
            building.c.name,
            room.c.number,
            room.c.ordinal,
            room.c.seat_count,
            room.c.spare_count,
        )
        .join(building, building.c.id == room.c.building_id)
        .where(room.c.exam_id == exam_id)
        .order_by(room.c.ordinal, room.c.id)
    )
    return [Room(*row) for row in await conn.execute(query)]


async def tickets(conn: AsyncConnection, exam_id: int) -> set[str]:
    """Everybody's admission ticket."""
    return set(await conn.scalars(sa.select(candidate.c.ticket).where(candidate.c.exam_id == exam_id)))


async def seat_ids(conn: AsyncConnection, exam_id: int) -> dict[tuple[str, str], int]:
    """(room, seat label) to the seat's id."""
    query = (
        sa.select(room.c.name, seat.c.label, seat.c.id)
        .join(room, room.c.id == seat.c.room_id)
        .where(room.c.exam_id == exam_id)
    )
    return {(name, label): seat_id for name, label, seat_id in await conn.execute(query)}


async def ensure_buildings(conn: AsyncConnection, exam_id: int, names: Sequence[str]) -> dict[str, int]:
    """The ids of these buildings by name; those that are not there yet are added."""
    if names:
        rows = [{"exam_id": exam_id, "name": name} for name in dict.fromkeys(names)]
        await conn.execute(pg_insert(building).values(rows).on_conflict_do_nothing())
    query = sa.select(building.c.name, building.c.id).where(building.c.exam_id == exam_id)
    return dict((await conn.execute(query)).all())


async def drop_empty_buildings(conn: AsyncConnection, exam_id: int) -> None:
    used = sa.exists().where(room.c.building_id == building.c.id)
    await conn.execute(sa.delete(building).where(building.c.exam_id == exam_id, ~used))


async def add_rooms(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Insert rooms (exam_id, building_id, name, number, ordinal, seat_count, spare_count); name to id."""
    inserted = await conn.execute(sa.insert(room).returning(room.c.name, room.c.id), [dict(row) for row in rows])
    return dict(inserted.all())


async def change_room(conn: AsyncConnection, room_id: int, values: Mapping[str, Any]) -> None:
    await conn.execute(sa.update(room).where(room.c.id == room_id).values(**values))


async def drop_rooms(conn: AsyncConnection, room_ids: Sequence[int]) -> None:
    """Delete rooms with their seats. IntegrityError if anything still refers to one."""
    await conn.execute(sa.delete(seat).where(seat.c.room_id.in_(room_ids)))
    await conn.execute(sa.delete(room).where(room.c.id.in_(room_ids)))


async def add_seats(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert seats: room_id, label, ordinal, is_spare."""
    await conn.execute(sa.insert(seat), [dict(row) for row in rows])


async def set_seats(conn: AsyncConnection, room_id: int, labels: Sequence[tuple[str, bool]]) -> None:
    """Make the room's seats exactly these (label, is spare), in this order; the others are deleted.

    IntegrityError if a seat that goes is still referred to. Ordinals go through negative numbers, because they are
    unique in the room at every moment and a longer row of seats shifts all spare ones.
    """
    await conn.execute(
        sa.delete(seat).where(seat.c.room_id == room_id, seat.c.label.not_in([label for label, _ in labels]))
    )
    await conn.execute(sa.update(seat).where(seat.c.room_id == room_id).values(ordinal=-seat.c.ordinal))
    rows = [
        {"room_id": room_id, "label": label, "ordinal": ordinal, "is_spare": is_spare}
        for ordinal, (label, is_spare) in enumerate(labels, start=1)
    ]
    statement = pg_insert(seat).values(rows)
    await conn.execute(
        statement.on_conflict_do_update(
            index_elements=[seat.c.room_id, seat.c.label],
            set_={"ordinal": statement.excluded.ordinal, "is_spare": statement.excluded.is_spare},
        )
    )


# --- sessions ---


async def sessions(conn: AsyncConnection, exam_id: int) -> list[Session]:
    """The exam's sessions by number."""
    made = (
        sa.select(sa.func.count())
        .select_from(attempt)
        .where(attempt.c.session_id == session.c.id)
        .correlate(session)
        .scalar_subquery()
    )
    query = (
        sa.select(
            session.c.id,
            session.c.number,
            session.c.name,
            session.c.planned_start,
            session.c.imported_start,
            session.c.duration_ms,
            session.c.start_ms,
            session.c.held,
            session.c.sign_in_opens_ms,
            session.c.last_admission_ms,
            session.c.earliest_hand_in_ms,
            made.label("attempts"),
        )
        .where(session.c.exam_id == exam_id)
        .order_by(session.c.number)
    )
    return [Session(**row) for row in (await conn.execute(query)).mappings()]


async def add_session(conn: AsyncConnection, values: Mapping[str, Any]) -> int:
    """Insert a session with the partition of its history; its id."""
    session_id = int((await conn.execute(sa.insert(session).values(**values).returning(session.c.id))).scalar_one())
    await ensure_history_partition(conn, session_id)
    return session_id


async def change_session(conn: AsyncConnection, session_id: int, values: Mapping[str, Any]) -> None:
    await conn.execute(sa.update(session).where(session.c.id == session_id).values(**values))


async def drop_session(conn: AsyncConnection, session_id: int) -> None:
    """Delete a session nobody has sat. IntegrityError if anything still refers to it."""
    await conn.execute(sa.delete(session).where(session.c.id == session_id))
    await conn.execute(sa.text(f"DROP TABLE IF EXISTS response_history_s{int(session_id)}"))


async def ensure_history_partition(conn: AsyncConnection, session_id: int) -> None:
    """The partition of ``response_history`` that this session's rows go to. Safe to call again, the exam being locked.

    Made apart and then attached: ``PARTITION OF`` would lock the whole history against every room that is writing,
    until the end of the transaction, and an import from the console may come in the middle of another exam's session.
    """
    name = f"response_history_s{int(session_id)}"
    if await conn.scalar(sa.text("SELECT to_regclass(:name) IS NOT NULL"), {"name": name}):
        return
    await conn.execute(sa.text(f"CREATE TABLE {name} (LIKE response_history INCLUDING ALL)"))
    await conn.execute(
        sa.text(f"ALTER TABLE response_history ATTACH PARTITION {name} FOR VALUES IN ({int(session_id)})")
    )
