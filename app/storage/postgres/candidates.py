"""Candidates and their allocations, read as one picture and written in bulk.

``seat_id`` is where somebody sits now, ``planned_seat_id`` where the roster put them: an import compares with the
plan, and moves both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.storage.postgres.tables import allocation, attempt, candidate, room, seat, session

# Rows a statement; progress is told in between.
CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """``drawn``: a paper has been drawn; ``signed_in``: for at least one session they have signed in."""

    id: int
    ticket: str
    name: str
    gender: str
    id_kind: str
    id_number: str
    specialty: str
    employer: str
    extra_time_ms: int
    drawn: bool
    signed_in: bool

    def __repr__(self) -> str:
        return f"<candidate {self.ticket}>"


@dataclass(frozen=True, slots=True)
class Allocation:
    id: int
    ticket: str
    session: int
    planned: tuple[str, str]
    planned_seat_id: int
    seat_id: int


async def lock_allocations(conn: AsyncConnection, exam_id: int) -> None:
    """Hold the exam's allocations: whoever would make an attempt or a move of one of them waits until this commits."""
    query = (
        sa.select(allocation.c.id)
        .join(session, session.c.id == allocation.c.session_id)
        .where(session.c.exam_id == exam_id)
        .order_by(allocation.c.id)
        .with_for_update(of=allocation)
    )
    await conn.execute(query)


async def every(conn: AsyncConnection, exam_id: int) -> list[Candidate]:
    """The exam's candidates in the order they were imported."""
    made = sa.exists().where(attempt.c.candidate_id == candidate.c.id)
    query = (
        sa.select(
            candidate.c.id,
            candidate.c.ticket,
            candidate.c.name,
            candidate.c.gender,
            candidate.c.id_kind,
            candidate.c.id_number,
            candidate.c.specialty,
            candidate.c.employer,
            candidate.c.extra_time_ms,
            made.label("drawn"),
            made.where(attempt.c.signed_in_ms.is_not(None)).label("signed_in"),
        )
        .where(candidate.c.exam_id == exam_id)
        .order_by(candidate.c.id)
    )
    return [Candidate(**row) for row in (await conn.execute(query)).mappings()]


async def allocations(conn: AsyncConnection, exam_id: int) -> list[Allocation]:
    query = (
        sa.select(
            allocation.c.id,
            candidate.c.ticket,
            session.c.number,
            room.c.name,
            seat.c.label,
            allocation.c.planned_seat_id,
            allocation.c.seat_id,
        )
        .join(session, session.c.id == allocation.c.session_id)
        .join(candidate, candidate.c.id == allocation.c.candidate_id)
        .join(seat, seat.c.id == allocation.c.planned_seat_id)
        .join(room, room.c.id == seat.c.room_id)
        .where(session.c.exam_id == exam_id)
    )
    return [
        Allocation(id_, ticket, number, (name, label), planned, now)
        for id_, ticket, number, name, label, planned, now in await conn.execute(query)
    ]


async def add(
    conn: AsyncConnection, rows: Sequence[Mapping[str, Any]], told: Callable[[int], None] = lambda _: None
) -> dict[str, int]:
    """Insert candidates; ticket to id. ``told`` is called with the number of rows of each statement."""
    ids: dict[str, int] = {}
    for chunk in _chunks(rows):
        inserted = await conn.execute(
            sa.insert(candidate).returning(candidate.c.ticket, candidate.c.id), [dict(row) for row in chunk]
        )
        ids.update((ticket, candidate_id) for ticket, candidate_id in inserted)
        told(len(chunk))
    return ids


async def change(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Update candidates; each row holds its id and the new values.

    Document numbers are unique at every moment, and two rows may be swapping theirs: those that change are first set
    to something nobody has.
    """
    ids = [row["id"] for row in rows if "id_number" in row]
    if ids:
        parked = "~" + sa.cast(candidate.c.id, sa.Text)
        await conn.execute(sa.update(candidate).where(_among(candidate.c.id, ids)).values(id_number=parked))
    for row in rows:
        values = {key: value for key, value in row.items() if key != "id"}
        await conn.execute(sa.update(candidate).where(candidate.c.id == row["id"]).values(**values))


async def drop(conn: AsyncConnection, candidate_ids: Sequence[int]) -> None:
    await conn.execute(sa.delete(candidate).where(_among(candidate.c.id, candidate_ids)))


async def add_allocations(
    conn: AsyncConnection, rows: Sequence[Mapping[str, Any]], told: Callable[[int], None] = lambda _: None
) -> None:
    """Insert allocations: session_id, candidate_id, seat_id, planned_seat_id."""
    for chunk in _chunks(rows):
        await conn.execute(sa.insert(allocation), [dict(row) for row in chunk])
        told(len(chunk))


async def drop_allocations(conn: AsyncConnection, allocation_ids: Sequence[int]) -> None:
    await conn.execute(sa.delete(allocation).where(_among(allocation.c.id, allocation_ids)))


def _among(column: sa.Column[int], ids: Sequence[int]) -> sa.ColumnElement[bool]:
    """One array parameter, however many ids: a list of them would run out of parameters at 32,767."""
    return column == sa.any_(sa.cast(list(ids), sa.ARRAY(sa.BigInteger)))


def _chunks(rows: Sequence[Mapping[str, Any]]) -> Iterable[Sequence[Mapping[str, Any]]]:
    return (rows[at : at + CHUNK] for at in range(0, len(rows), CHUNK))
