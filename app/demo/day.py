"""The demo's day: session 1 runs from the moment the server starts, session 2 begins ten minutes later.

On a later start nothing is moved: the service counter stood while the demo was down. Only a session whose start fell
into that time is held by the service (it never starts by itself late), and is given a fresh countdown here, which is
what the office of a real exam would decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.services import scheduling
from app.storage.postgres import exams, schedule

COUNTDOWN = timedelta(minutes=10)
EXAM_CODE = "DEMO"
ACTOR = "demo"


@dataclass(frozen=True, slots=True)
class SessionClock:
    """A session as people ask about it. ``starts_in_ms`` None: not anchored; 0 or less: it has begun."""

    number: int
    name: str
    starts_in_ms: int | None
    remaining_ms: int


async def open_day(engine: AsyncEngine) -> None:
    """Anchor every session while no server runs: the counter stands, and moves on with the first process that ticks."""
    async with engine.connect() as conn:
        service_ms = (await schedule.moment(conn)).service_ms
        numbers = [each.number for each in await _sessions(conn)]
    for number in numbers:
        await _start_in(engine, number, (number - 1) * COUNTDOWN, service_ms)


async def term(engine: AsyncEngine) -> int:
    """The number of the clock's last term. A server that starts begins a new one, and holds what missed its start."""
    async with engine.connect() as conn:
        return int(await conn.scalar(text("SELECT term FROM service_clock")) or 0)


async def release_held(engine: AsyncEngine) -> list[int]:
    """A fresh countdown for sessions that missed their start; their numbers."""
    async with engine.connect() as conn:
        now_ms = (await schedule.moment(conn)).service_ms
        missed = [each.number for each in await _sessions(conn) if each.held is not None and each.start_ms is None]
    for number in missed:
        await _start_in(engine, number, COUNTDOWN, now_ms)
    return missed


async def _start_in(engine: AsyncEngine, number: int, delay: timedelta, now_ms: int) -> None:
    async with engine.begin() as conn:
        exam = await exams.resolve(conn, EXAM_CODE)
        await exams.lock(conn, exam.id)
        wall = (await schedule.moment(conn)).wall
        session_id = next(each.id for each in await exams.sessions(conn, exam.id) if each.number == number)
        # The plan in wall time says whether a later stop of the demo has swallowed the start.
        await schedule.set_plan(conn, session_id, wall + delay)
        await scheduling.start_in(conn, exam, number, delay=delay, now_wall=wall, service_now_ms=now_ms, actor=ACTOR)


async def clocks(engine: AsyncEngine) -> list[SessionClock]:
    """Every session as it stands now, by number."""
    async with engine.connect() as conn:
        now_ms = (await schedule.moment(conn)).service_ms
        return [_clock(each, now_ms) for each in await _sessions(conn)]


async def _sessions(conn: AsyncConnection) -> list[exams.Session]:
    exam = await exams.resolve(conn, EXAM_CODE)
    return sorted(await exams.sessions(conn, exam.id), key=lambda each: each.number)


def _clock(session: exams.Session, now_ms: int) -> SessionClock:
    if session.start_ms is None:
        return SessionClock(session.number, session.name, None, session.duration_ms)
    left_ms = session.start_ms + session.duration_ms - now_ms
    return SessionClock(
        session.number, session.name, session.start_ms - now_ms, min(session.duration_ms, max(0, left_ms))
    )
