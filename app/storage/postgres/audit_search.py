"""The audit log, looked through: by candidate, person, room, action and time.

What an entry concerns is in its ``subject``, under the keys below; an entry that names a whole room or a list says so
in a list. Each is asked for as containment, which the GIN index on ``subject`` answers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.storage.postgres.hall_tables import incident
from app.storage.postgres.tables import attempt, audit_entry, candidate, exam, room, staff


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for; None: anything. ``action``: one ("relog.open") or all of an area ("relog").

    ``until_at`` is not included.
    """

    ticket: str | None = None
    username: str | None = None
    room_id: int | None = None
    action: str | None = None
    from_at: datetime | None = None
    until_at: datetime | None = None


async def search(conn: AsyncConnection, sought: Sought, *, before: int | None, limit: int) -> list[dict[str, Any]]:
    """The newest ``limit`` entries numbered below ``before`` that fit, newest first: ``[{n, at, service_ms, staff_id,
    actor, name, role, action, subject, hash}]``; no name and role where a command or the service acted."""
    query = (await statement(conn, sought)).limit(limit)
    if before is not None:
        query = query.where(audit_entry.c.n < before)
    return [dict(row) for row in (await conn.execute(query)).mappings()]


async def statement(conn: AsyncConnection, sought: Sought) -> sa.Select[Any]:
    """The query of ``search`` without its page."""
    query = (
        sa.select(audit_entry, staff.c.name, staff.c.role)
        .outerjoin(staff, staff.c.id == audit_entry.c.staff_id)
        .order_by(audit_entry.c.n.desc())
    )
    if sought.ticket is not None:
        query = query.where(_any(await _of_candidate(conn, sought.ticket)))
    if sought.room_id is not None:
        query = query.where(_any([{"room_id": sought.room_id}, {"room_ids": [sought.room_id]}]))
    if sought.username is not None:
        query = query.where(await _of_person(conn, sought.username))
    if sought.action is not None:
        area = audit_entry.c.action.startswith(f"{sought.action}.", autoescape=True)
        query = query.where(sa.or_(audit_entry.c.action == sought.action, area))
    if sought.from_at is not None:
        query = query.where(audit_entry.c.at >= sought.from_at)
    if sought.until_at is not None:
        query = query.where(audit_entry.c.at < sought.until_at)
    return query


async def told_by_telephone(
    conn: AsyncConnection, room_id: int, session_id: int, limit: int = 200
) -> list[dict[str, Any]]:
    """The newest entries about the room that say who asked for it, as ``search`` tells them; of what is sealed none."""
    session = audit_entry.c.subject["session_id"].astext
    query = _telephoned(await statement(conn, Sought(room_id=room_id)))
    query = query.where(sa.func.coalesce(session, str(session_id)) == str(session_id)).limit(limit)
    return [dict(row) for row in (await conn.execute(query)).mappings()]


async def told_during(
    conn: AsyncConnection, sessions: Sequence[int], rooms: Collection[int], *, whole: bool, from_ms: int, to_ms: int
) -> list[dict[str, Any]]:
    """The same of these sessions in these rooms, the oldest first; ``whole``: also what names no room. What names no
    session (a seat that was marked, a change of duty) was done between ``from_ms`` and ``to_ms``."""
    subject, ms = audit_entry.c.subject, audit_entry.c.service_ms
    somewhere = sa.or_(subject["room_id"].astext.is_not(None), subject["room_ids"].astext.is_not(None))
    meanwhile = sa.and_(subject["session_id"].astext.is_(None), somewhere, ms.between(from_ms, to_ms))
    mine = sa.or_(_any({"session_id": one} for one in sessions), meanwhile)
    query = _telephoned(await statement(conn, Sought())).where(mine).order_by(None).order_by(audit_entry.c.n)
    found = [dict(row) for row in (await conn.execute(query)).mappings()]
    about = [(row, _rooms_of(row["subject"])) for row in found]
    return [row for row, mine in about if (not mine.isdisjoint(rooms) if mine else whole)]


def _telephoned(query: sa.Select[Any]) -> sa.Select[Any]:
    """Of these those that say on whose word, without what the staff of a room do not read."""
    subject = audit_entry.c.subject
    sealed = sa.select(sa.cast(incident.c.id, sa.Text)).where(incident.c.sealed)
    return query.where(
        subject["told_by"].astext != "",
        audit_entry.c.action.not_like("misconduct.%"),
        sa.not_(subject.contains({"sealed": True})),
        # The subject says what was so when it was written; by now it may be sealed.
        sa.not_(sa.and_(audit_entry.c.action.like("incident.%"), subject["incident"].astext.in_(sealed))),
    )


def _rooms_of(subject: Mapping[str, Any]) -> set[int]:
    return {subject.get("room_id"), *(subject.get("room_ids") or ())} - {None}


async def people(conn: AsyncConnection, tickets: Sequence[str]) -> dict[str, str]:
    """Names by ticket."""
    query = sa.select(candidate.c.ticket, candidate.c.name).where(candidate.c.ticket.in_(tickets))
    return {row.ticket: row.name for row in await conn.execute(query)}


async def rooms(conn: AsyncConnection, ids: Sequence[int]) -> dict[int, str]:
    """Names of rooms by id."""
    query = sa.select(room.c.id, room.c.name).where(room.c.id.in_(ids))
    return {row.id: row.name for row in await conn.execute(query)}


async def timezone(conn: AsyncConnection) -> str:
    """Where people read their clocks: the newest exam's zone; a site without an exam has that of its first one."""
    query = sa.select(exam.c.timezone).order_by(exam.c.id.desc()).limit(1)
    return (await conn.execute(query)).scalar_one_or_none() or "Asia/Shanghai"


def _any(subjects: Iterable[dict[str, Any]]) -> sa.ColumnElement[bool]:
    return sa.or_(*(audit_entry.c.subject.contains(one) for one in subjects))


async def _of_candidate(conn: AsyncConnection, ticket: str) -> list[dict[str, Any]]:
    """What a subject holds when it concerns the candidate: by ticket, alone or in a list, or by attempt."""
    query = (
        sa.select(attempt.c.id)
        .join(candidate, candidate.c.id == attempt.c.candidate_id)
        .where(candidate.c.ticket == ticket)
    )
    attempts = [str(one) for one in (await conn.execute(query)).scalars()]
    alone: dict[str, Any] = {"ticket": ticket}
    return [
        alone,
        {"tickets": [ticket]},
        {"closed": [ticket]},
        {"items": [alone]},
        *({key: one} for one in attempts for key in ("attempt", "attempt_id")),
    ]


async def _of_person(conn: AsyncConnection, username: str) -> sa.ColumnElement[bool]:
    """What they did, and what was done to their account or their duty."""
    about = _any({key: username} for key in ("username", "joined", "left"))
    staff_id = (await conn.execute(sa.select(staff.c.id).where(staff.c.username == username))).scalar_one_or_none()
    # A command acts under its own name and has no account.
    by = audit_entry.c.actor == username if staff_id is None else audit_entry.c.staff_id == staff_id
    return sa.or_(by, about)
