"""The sessions of an exam with their times, and the rule that nobody sits two at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.storage.postgres import exams, schedule
from app.storage.postgres.exams import Exam, Session
from app.storage.postgres.schedule import Moment
from app.storage.postgres.time_terms import STANDING_MS


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A session with its times. ``start`` is wall time in the exam's zone; ``starts_in_ms`` None: not anchored."""

    session_id: int
    number: int
    name: str
    start: datetime
    duration_ms: int
    starts_in_ms: int | None
    held: str | None
    attempts: int
    without_paper: int

    @property
    def end(self) -> datetime:
        return self.start + timedelta(milliseconds=self.duration_ms)


async def moment(conn: AsyncConnection) -> Moment:
    """Wall and service time now. Refused with clock-standing while no service advances the counter."""
    now = await schedule.moment(conn)
    if now.standing_ms > STANDING_MS:
        raise Refused("clock-standing", seconds=now.standing_ms // 1000)
    return replace(now, service_ms=now.service_ms + min(now.standing_ms, 1_000))


async def listed(conn: AsyncConnection, exam: Exam) -> list[Scheduled]:
    """The exam's sessions by number."""
    now_ms = (await schedule.moment(conn)).service_ms
    return [await scheduled(conn, exam, each, now_ms) for each in await exams.sessions(conn, exam.id)]


async def scheduled(conn: AsyncConnection, exam: Exam, session: Session, now_ms: int) -> Scheduled:
    return Scheduled(
        session.id,
        session.number,
        session.name,
        session.planned_start.astimezone(ZoneInfo(exam.timezone)),
        session.duration_ms,
        None if session.start_ms is None else session.start_ms - now_ms,
        session.held,
        session.attempts,
        await schedule.without_paper(conn, session.id),
    )


def named(sessions: Sequence[Session], number: int) -> Session:
    found = next((each for each in sessions if each.number == number), None)
    if found is None:
        raise Refused("session-unknown", session=number, known="、".join(str(each.number) for each in sessions))
    return found


async def refuse_overlap(
    conn: AsyncConnection,
    exam: Exam,
    sessions: Sequence[Session],
    begins: Callable[[Session], datetime],
    moved: Collection[int],
) -> None:
    """Refuse if one of ``moved`` (ids) would run at the same time as another session with which it shares candidates
    (sessions-overlap; extra time counts) or gives the same seats to others (sessions-share-seats)."""
    zone = ZoneInfo(exam.timezone)
    in_order = sorted(sessions, key=begins)
    for n, first in enumerate(in_order):
        for second in in_order[n + 1 :]:
            if first.id not in moved and second.id not in moved:
                continue
            people, extra_ms = await schedule.shared_candidates(conn, first.id, second.id)
            until = begins(first) + timedelta(milliseconds=first.duration_ms + extra_ms)
            if begins(second) >= until:
                continue
            seats = await schedule.shared_seats(conn, first.id, second.id)
            if people or seats:
                raise Refused(
                    "sessions-overlap" if people else "sessions-share-seats",
                    first=first.number,
                    second=second.number,
                    until=until.astimezone(zone).strftime("%H:%M"),
                    start=begins(second).astimezone(zone).strftime("%H:%M"),
                    count=people or seats,
                )
