"""The plan of the day: moving it, opening it, and giving a session that was held a fresh countdown.

Until the office opens the day a session has only a planned start, in wall time. Opening anchors it in service time:
``start_ms = service now + (planned start − wall now)``; from then on no wall clock matters (DESIGN §5). A session
whose planned start has passed is never anchored in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.domain.errors import Refused
from app.services import timetable
from app.services.timetable import Scheduled
from app.storage.postgres import audit, exams, schedule
from app.storage.postgres.exams import Exam, Session


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening the day did. ``late``: numbers of sessions that were left alone because their start has passed."""

    anchored: tuple[Scheduled, ...]
    already: tuple[int, ...]
    late: tuple[int, ...]


# --- moving the plan ---


async def reschedule(
    engine: AsyncEngine,
    exam_code: str | None,
    *,
    day: date | None = None,
    start: datetime | time | None = None,
    session: int | None = None,
    actor: str = "session",
) -> list[Scheduled]:
    """Move the plan: every session to another ``day``, or so that the first one starts at ``start``; with ``session``
    that one alone. Lengths and the distances between sessions stay.

    ``start`` is naive wall time in the exam's zone; a mere time of day keeps the day. A session that is anchored and
    stays on its day is moved in service time too; one that leaves its day is no longer anchored. Refused:
    session-unknown, session-begun, sessions-overlap, exam-unclear, exam-unknown, exam-none. ValueError unless exactly
    one of ``day`` and ``start`` is given.
    """
    if (day is None) == (start is None):
        raise ValueError("either a day or a start")
    async with engine.begin() as conn:
        exam = await exams.resolve(conn, exam_code)
        await exams.lock(conn, exam.id)
        now = await schedule.moment(conn)
        sessions = await exams.sessions(conn, exam.id)
        chosen = sessions if session is None else [timetable.named(sessions, session)]
        if not chosen:
            raise Refused("exam-none")
        moves = _mover(exam, chosen, day, start)
        moved = [each for each in chosen if moves(each.planned_start) != each.planned_start]
        planned = {each.id: moves(each.planned_start) for each in moved}
        after = [_planned(each, planned) for each in sessions]
        await timetable.refuse_overlap(conn, exam, after, lambda each: each.planned_start, planned)
        for each in moved:
            await move(conn, exam, each, planned[each.id], now.service_ms)
        if moved:
            subject = {
                "exam": exam.code,
                "sessions": [
                    {"number": each.number, "before": each.planned_start, "after": planned[each.id]} for each in moved
                ],
            }
            await audit.append(conn, actor=actor, action="session.reschedule", subject=subject)
        return await timetable.listed(conn, exam)


def _mover(
    exam: Exam, chosen: Sequence[Session], day: date | None, start: datetime | time | None
) -> Callable[[datetime], datetime]:
    """How the chosen sessions move: by whole days of the wall, or by a stretch of wall time."""
    zone = ZoneInfo(exam.timezone)
    first = min(each.planned_start for each in chosen).astimezone(zone).replace(tzinfo=None)
    if isinstance(start, time):
        start = datetime.combine(first.date(), start)
    shift = start - first if start is not None else (day or first.date()) - first.date()

    def move(at: datetime) -> datetime:
        wall = at.astimezone(zone).replace(tzinfo=None) + shift
        return wall.replace(tzinfo=zone).astimezone(UTC)

    return move


def _planned(session: Session, planned: dict[int, datetime]) -> Session:
    return replace(session, planned_start=planned.get(session.id, session.planned_start))


async def move(conn: AsyncConnection, exam: Exam, session: Session, to: datetime, now_ms: int) -> None:
    """Give one session another planned start, and with it its start in service time. The exam is locked; that nobody
    sits two at once is asked before. Refused session-begun."""
    await schedule.lock_session(conn, session.id)
    if session.start_ms is not None:
        zone = ZoneInfo(exam.timezone)
        same_day = to.astimezone(zone).date() == session.planned_start.astimezone(zone).date()
        shift_ms = (to - session.planned_start) // timedelta(milliseconds=1)
        if now_ms >= session.start_ms or (same_day and session.start_ms + shift_ms <= now_ms):
            raise Refused("session-begun", session=session.number)
        await schedule.anchor(conn, session.id, session.start_ms + shift_ms if same_day else None)
    await schedule.set_plan(conn, session.id, to)


# --- opening the day ---


async def open_day(
    conn: AsyncConnection,
    exam: Exam,
    *,
    now_wall: datetime,
    service_now_ms: int,
    day: date | None = None,
    start_late: bool = False,
    actor: str = "session",
) -> Opened:
    """Anchor every session of the day (today in the exam's zone unless ``day`` says otherwise), in one transaction.

    ``now_wall`` is aware. Sessions that are anchored already stay as they are. One whose planned start has passed is
    left alone and reported, unless ``start_late``: then it starts now, with its full length. Refused:
    no-session-that-day, sessions-late (nothing else to open), sessions-overlap.
    """
    zone = ZoneInfo(exam.timezone)
    day = day or now_wall.astimezone(zone).date()
    await exams.lock(conn, exam.id)
    sessions = await exams.sessions(conn, exam.id)
    todays = [each for each in sessions if each.planned_start.astimezone(zone).date() == day]
    if not todays:
        known = sorted({each.planned_start.astimezone(zone).date().isoformat() for each in sessions})
        raise Refused("no-session-that-day", day=day.isoformat(), known="、".join(known) or "—")
    starts: dict[int, int] = {}
    late: list[int] = []
    for each in todays:
        if each.start_ms is not None:
            continue
        ahead_ms = (each.planned_start - now_wall) // timedelta(milliseconds=1)
        if ahead_ms >= 0:
            starts[each.id] = service_now_ms + ahead_ms
        elif start_late:
            starts[each.id] = service_now_ms
        else:
            late.append(each.number)
    already = tuple(each.number for each in todays if each.start_ms is not None)
    if late and not starts and not already:
        raise Refused("sessions-late", sessions="、".join(map(str, late)))
    await _anchor(conn, exam, sessions, starts, now_wall=now_wall, now_ms=service_now_ms)
    anchored = await _told(conn, exam, starts, service_now_ms)
    if starts:
        await _append(conn, exam, "session.open-day", anchored, now_ms=service_now_ms, actor=actor)
    return Opened(anchored, already, tuple(late))


async def start_in(
    conn: AsyncConnection,
    exam: Exam,
    number: int,
    *,
    delay: timedelta,
    now_wall: datetime,
    service_now_ms: int,
    actor: str = "session",
) -> Scheduled:
    """Give a session that has not begun a fresh countdown: it starts ``delay`` of service time from now.

    Refused: session-unknown, session-begun, sessions-overlap.
    """
    await exams.lock(conn, exam.id)
    sessions = await exams.sessions(conn, exam.id)
    session = timetable.named(sessions, number)
    if session.start_ms is not None and service_now_ms >= session.start_ms:
        raise Refused("session-begun", session=number)
    starts = {session.id: service_now_ms + delay // timedelta(milliseconds=1)}
    await _anchor(conn, exam, sessions, starts, now_wall=now_wall, now_ms=service_now_ms)
    told = await _told(conn, exam, starts, service_now_ms)
    await _append(conn, exam, "session.start-in", told, now_ms=service_now_ms, actor=actor)
    return told[0]


async def _anchor(
    conn: AsyncConnection,
    exam: Exam,
    sessions: Sequence[Session],
    starts: dict[int, int],
    *,
    now_wall: datetime,
    now_ms: int,
) -> None:
    """Anchor these sessions after making sure that nobody would have to sit two at once."""

    def begins(each: Session) -> datetime:
        start_ms = starts.get(each.id, each.start_ms)
        return each.planned_start if start_ms is None else now_wall + timedelta(milliseconds=start_ms - now_ms)

    await timetable.refuse_overlap(conn, exam, sessions, begins, starts)
    for session_id, start_ms in sorted(starts.items()):
        await exams.ensure_history_partition(conn, session_id)
        await schedule.lock_session(conn, session_id)
        await schedule.anchor(conn, session_id, start_ms)


async def _told(conn: AsyncConnection, exam: Exam, starts: dict[int, int], now_ms: int) -> tuple[Scheduled, ...]:
    return tuple(
        [
            await timetable.scheduled(conn, exam, each, now_ms)
            for each in await exams.sessions(conn, exam.id)
            if each.id in starts
        ]
    )


async def _append(
    conn: AsyncConnection, exam: Exam, action: str, told: Sequence[Scheduled], *, now_ms: int, actor: str
) -> None:
    subject = {
        "exam": exam.code,
        "sessions": [
            {"number": each.number, "planned_start": each.start, "start_ms": now_ms + (each.starts_in_ms or 0)}
            for each in told
        ],
    }
    await audit.append(conn, actor=actor, action=action, subject=subject, service_ms=now_ms)
