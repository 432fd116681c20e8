"""The plan of the day on a real record: moved, opened, and never late in silence."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.errors import Refused
from app.importers.roster import read_roster
from app.services import importing, scheduling, timetable
from app.services.importing import Source
from app.storage.postgres import audit, exams
from tests.importers import workbooks

MINUTE = 60_000
# 08:00 in the exam's zone on the day of the plan.
EARLY = datetime(2024, 7, 20, 0, 0, tzinfo=UTC)
NOW_MS = 1_000_000


async def rows(engine: AsyncEngine, sql: str, **values: object) -> list[Any]:
    async with engine.connect() as conn:
        return list(await conn.execute(text(sql), values))


async def run(engine: AsyncEngine, sql: str, **values: object) -> None:
    async with engine.begin() as conn:
        await conn.execute(text(sql), values)


@pytest.fixture
async def exam(fresh_db: AsyncEngine, tmp_path: Path) -> AsyncEngine:
    """Two sessions of 90 minutes at 08:30 and 10:30, four candidates in both, every one with an attempt."""
    await plan(fresh_db, tmp_path)
    return fresh_db


async def plan(engine: AsyncEngine, tmp_path: Path, table: list[list[Any]] | None = None, **kwargs: Any) -> None:
    roster, report, _ = read_roster(workbooks.roster(tmp_path / "r.xlsx", table, **kwargs))
    assert roster is not None, report.faults
    await importing.import_roster(engine, roster, key=b"k" * 40, source=Source("r.xlsx", ""))
    await run(
        engine,
        "INSERT INTO attempt (id, session_id, candidate_id, allotted_ms)"
        " SELECT gen_random_uuid(), al.session_id, c.id, s.duration_ms + c.extra_time_ms FROM allocation al"
        " JOIN session s ON s.id = al.session_id JOIN candidate c ON c.id = al.candidate_id",
    )


async def open_day(
    engine: AsyncEngine, *, now_wall: datetime = EARLY, now_ms: int = NOW_MS, **kwargs: Any
) -> scheduling.Opened:
    async with engine.begin() as conn:
        found = await exams.resolve(conn, None)
        return await scheduling.open_day(conn, found, now_wall=now_wall, service_now_ms=now_ms, **kwargs)


async def start_in(engine: AsyncEngine, number: int, minutes: int, **kwargs: Any) -> timetable.Scheduled:
    given = {"now_wall": EARLY, "service_now_ms": NOW_MS} | kwargs
    async with engine.begin() as conn:
        found = await exams.resolve(conn, None)
        return await scheduling.start_in(conn, found, number, delay=timedelta(minutes=minutes), **given)


async def starts(engine: AsyncEngine) -> list[int | None]:
    return [row.start_ms for row in await rows(engine, "SELECT start_ms FROM session ORDER BY number")]


async def walls(engine: AsyncEngine) -> list[str]:
    found = await rows(engine, "SELECT planned_start AT TIME ZONE 'Asia/Shanghai' AS wall FROM session ORDER BY number")
    return [f"{row.wall:%m-%d %H:%M}" for row in found]


async def ends(engine: AsyncEngine, number: int) -> set[int | None]:
    found = await rows(
        engine,
        "SELECT a.end_ms FROM attempt a JOIN session s ON s.id = a.session_id WHERE s.number = :number",
        number=number,
    )
    return {row.end_ms for row in found}


# --- opening the day


async def test_opening_anchors_every_session_in_service_time(exam: AsyncEngine) -> None:
    opened = await open_day(exam)
    assert [each.starts_in_ms for each in opened.anchored] == [30 * MINUTE, 150 * MINUTE]
    assert (opened.already, opened.late) == ((), ())
    assert await starts(exam) == [NOW_MS + 30 * MINUTE, NOW_MS + 150 * MINUTE]
    assert await ends(exam, 1) == {NOW_MS + 120 * MINUTE}
    assert await ends(exam, 2) == {NOW_MS + 240 * MINUTE}
    async with exam.connect() as conn:
        entry = (await audit.entries(conn, limit=1))[0]
    assert (entry["action"], entry["service_ms"]) == ("session.open-day", NOW_MS)


async def test_opening_twice_moves_nothing(exam: AsyncEngine) -> None:
    await open_day(exam)
    before = await starts(exam)
    again = await open_day(exam, now_wall=EARLY + timedelta(hours=1), now_ms=NOW_MS + 1)
    assert (again.anchored, again.already) == ((), (1, 2))
    assert await starts(exam) == before


async def test_ends_follow_extra_time_and_extensions_and_leave_the_finished_alone(
    fresh_db: AsyncEngine, tmp_path: Path
) -> None:
    table = [[*row, extra] for row, extra in zip(workbooks.people(), (10, 0, 0, 0), strict=True)]
    await plan(fresh_db, tmp_path, table, headers=[*workbooks.HEADERS, "加时"])
    await run(
        fresh_db,
        "INSERT INTO adjustment (kind, session_id, attempt_id, amount_ms, reason, source, made_ms)"
        " SELECT 'extend', a.session_id, a.id, 60000, 'office', 'x', 0 FROM attempt a"
        " JOIN candidate c ON c.id = a.candidate_id WHERE c.ticket = '20240002'",
    )
    await run(
        fresh_db,
        "UPDATE attempt a SET state = 'ended', ended_ms = 1, end_reason = 'forced' FROM candidate c"
        " WHERE c.id = a.candidate_id AND c.ticket = '20240004'",
    )
    await open_day(fresh_db)
    found = await rows(
        fresh_db,
        "SELECT a.end_ms, a.clock_rev FROM attempt a JOIN candidate c ON c.id = a.candidate_id"
        " JOIN session s ON s.id = a.session_id WHERE s.number = 1 ORDER BY c.ticket",
    )
    planned = NOW_MS + 120 * MINUTE
    assert [row.end_ms for row in found] == [planned + 10 * MINUTE, planned + MINUTE, planned, None]
    assert [row.clock_rev for row in found] == [1, 1, 1, 0]


async def test_another_day_is_not_opened_by_accident(exam: AsyncEngine) -> None:
    with pytest.raises(Refused) as caught:
        await open_day(exam, now_wall=EARLY + timedelta(days=1))
    assert caught.value.code == "no-session-that-day"
    assert "2024-07-20" in str(caught.value)
    assert await starts(exam) == [None, None]
    await open_day(exam, now_wall=EARLY - timedelta(days=1), day=date(2024, 7, 20))
    assert await starts(exam) == [NOW_MS + (24 * 60 + 30) * MINUTE, NOW_MS + (24 * 60 + 150) * MINUTE]


async def test_the_day_is_the_exams_own(exam: AsyncEngine) -> None:
    # 07:59 in Shanghai is still the day before in UTC.
    assert EARLY - timedelta(minutes=1) < datetime(2024, 7, 20, tzinfo=UTC)
    assert len((await open_day(exam, now_wall=EARLY - timedelta(minutes=1))).anchored) == 2


async def test_a_session_that_is_late_is_left_alone_and_named(exam: AsyncEngine) -> None:
    opened = await open_day(exam, now_wall=EARLY + timedelta(minutes=31))
    assert ([each.number for each in opened.anchored], opened.late) == ([2], (1,))
    assert await starts(exam) == [None, NOW_MS + 119 * MINUTE]


async def test_a_day_that_is_late_altogether_is_refused(exam: AsyncEngine) -> None:
    with pytest.raises(Refused) as caught:
        await open_day(exam, now_wall=EARLY + timedelta(hours=3))
    assert caught.value.code == "sessions-late"


async def test_starting_late_is_possible_when_asked_for(exam: AsyncEngine) -> None:
    opened = await open_day(exam, now_wall=EARLY + timedelta(minutes=45), start_late=True)
    assert [each.number for each in opened.anchored] == [1, 2]
    assert await starts(exam) == [NOW_MS, NOW_MS + 105 * MINUTE]
    assert await ends(exam, 1) == {NOW_MS + 90 * MINUTE}


async def test_nobody_is_made_to_sit_two_sessions_at_once(exam: AsyncEngine) -> None:
    with pytest.raises(Refused) as caught:
        await open_day(exam, now_wall=EARLY + timedelta(minutes=61), start_late=True)
    assert caught.value.code == "sessions-overlap"
    assert caught.value.params["count"] == 4
    assert caught.value.params["until"] == "10:31"
    assert await starts(exam) == [None, None]


async def test_rounds_do_not_share_seats_at_once(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    table = workbooks.people()
    for n, row in enumerate(table):
        row[8], row[9] = n // 2 + 1, n % 2 + 1
    await plan(fresh_db, tmp_path, table)
    with pytest.raises(Refused) as caught:
        await open_day(fresh_db, now_wall=EARLY + timedelta(minutes=61), start_late=True)
    assert caught.value.code == "sessions-share-seats"
    assert caught.value.params["count"] == 2


# --- a fresh countdown


async def test_a_held_session_gets_a_fresh_countdown(exam: AsyncEngine) -> None:
    await run(exam, "UPDATE session SET held = 'service-away' WHERE number = 1")
    told = await start_in(exam, 1, 10)
    assert (told.starts_in_ms, told.held) == (10 * MINUTE, None)
    assert await starts(exam) == [NOW_MS + 10 * MINUTE, None]
    assert await ends(exam, 1) == {NOW_MS + 100 * MINUTE}


async def test_a_session_that_has_begun_is_not_started_again(exam: AsyncEngine) -> None:
    await open_day(exam)
    for call in (
        start_in(exam, 1, 10, service_now_ms=NOW_MS + 30 * MINUTE),
        start_in(exam, 9, 10),
    ):
        with pytest.raises(Refused) as caught:
            await call
        assert caught.value.code in ("session-begun", "session-unknown")
    assert await starts(exam) == [NOW_MS + 30 * MINUTE, NOW_MS + 150 * MINUTE]


async def test_a_countdown_into_the_next_session_is_refused(exam: AsyncEngine) -> None:
    with pytest.raises(Refused) as caught:
        await start_in(exam, 1, 61)
    assert caught.value.code == "sessions-overlap"


# --- moving the plan


async def test_a_day_moves_as_a_whole(exam: AsyncEngine) -> None:
    moved = await scheduling.reschedule(exam, None, day=date(2026, 11, 24))
    assert await walls(exam) == ["11-24 08:30", "11-24 10:30"]
    assert [each.start.year for each in moved] == [2026, 2026]
    assert [each.duration_ms for each in moved] == [90 * MINUTE] * 2
    async with exam.connect() as conn:
        entry = (await audit.entries(conn, limit=1))[0]
    assert entry["action"] == "session.reschedule"
    assert len(entry["subject"]["sessions"]) == 2
    await scheduling.reschedule(exam, "default", day=date(2026, 11, 24))
    async with exam.connect() as conn:
        assert (await audit.entries(conn, limit=1))[0]["n"] == entry["n"]


async def test_a_day_moves_to_another_time(exam: AsyncEngine) -> None:
    await scheduling.reschedule(exam, None, start=datetime(2026, 11, 24, 9, 15))  # noqa: DTZ001
    assert await walls(exam) == ["11-24 09:15", "11-24 11:15"]
    await scheduling.reschedule(exam, None, start=time(14, 0))
    assert await walls(exam) == ["11-24 14:00", "11-24 16:00"]


async def test_one_session_moves_alone_and_not_into_another(exam: AsyncEngine) -> None:
    await scheduling.reschedule(exam, None, start=time(11, 0), session=2)
    assert await walls(exam) == ["07-20 08:30", "07-20 11:00"]
    with pytest.raises(Refused) as caught:
        await scheduling.reschedule(exam, None, start=time(9, 0), session=2)
    assert caught.value.code == "sessions-overlap"
    assert await walls(exam) == ["07-20 08:30", "07-20 11:00"]


async def test_an_open_session_moves_in_service_time_too(exam: AsyncEngine) -> None:
    await run(exam, "UPDATE service_clock SET counter_ms = :now", now=NOW_MS)
    await open_day(exam)
    await scheduling.reschedule(exam, None, start=time(8, 50))
    assert await starts(exam) == [NOW_MS + 50 * MINUTE, NOW_MS + 170 * MINUTE]
    assert await ends(exam, 1) == {NOW_MS + 140 * MINUTE}
    await scheduling.reschedule(exam, None, day=date(2024, 7, 21))
    assert await starts(exam) == [None, None]
    assert await ends(exam, 1) == {None}


async def test_a_session_that_has_begun_is_not_moved(exam: AsyncEngine) -> None:
    await open_day(exam)
    await run(exam, "UPDATE service_clock SET counter_ms = :now", now=NOW_MS + 30 * MINUTE)
    before = await walls(exam)
    for how in ({"day": date(2026, 11, 24)}, {"start": time(8, 40), "session": 1}):
        with pytest.raises(Refused) as caught:
            await scheduling.reschedule(exam, None, **how)
        assert caught.value.code == "session-begun"
    assert await walls(exam) == before
    await scheduling.reschedule(exam, None, start=time(10, 40), session=2)


async def test_what_is_not_there_is_named(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        await scheduling.reschedule(fresh_db, None, day=date(2026, 1, 1))
    assert caught.value.code == "exam-none"
    await plan(fresh_db, tmp_path)
    with pytest.raises(Refused) as caught:
        await scheduling.reschedule(fresh_db, "没有", day=date(2026, 1, 1))
    assert caught.value.code == "exam-unknown"
    with pytest.raises(ValueError, match="either"):
        await scheduling.reschedule(fresh_db, None)


# --- what time it is


async def test_the_moment_is_refused_while_the_counter_stands(fresh_db: AsyncEngine) -> None:
    await run(fresh_db, "UPDATE service_clock SET counter_ms = 5000, ticked_at = clock_timestamp()")
    async with fresh_db.connect() as conn:
        now = await timetable.moment(conn)
    assert 5000 <= now.service_ms <= 6000
    assert abs(now.wall - datetime.now(UTC)) < timedelta(seconds=5)
    await run(fresh_db, "UPDATE service_clock SET ticked_at = clock_timestamp() - interval '9 s'")
    async with fresh_db.connect() as conn:
        with pytest.raises(Refused) as caught:
            await timetable.moment(conn)
    assert caught.value.code == "clock-standing"
    assert caught.value.params["seconds"] == 9
