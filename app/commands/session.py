"""holdfast session: the plan of the day, moving it, opening it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated

import structlog
import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncEngine

from app.commands.database import database, with_engine
from app.domain.clock import duration_text
from app.domain.errors import Refused
from app.embedded.redis import EmbeddedRedis
from app.services import ending, scheduling, timetable
from app.services.site import Site
from app.services.timetable import Scheduled
from app.settings import settings
from app.storage.postgres import exams
from app.storage.postgres.relogs import Relog

app = typer.Typer(no_args_is_help=True, help="场次：改期、开考日 · sessions: reschedule, open the day")

Exam = Annotated[str | None, typer.Option("--exam", help="考试代码；只有一场考试时可省略 · the exam's code")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON · print JSON")]
Day = Annotated[
    datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="日期，如 2026-11-24 · the day, 2026-11-24")
]
# What strptime makes of a time without a date.
_NO_DATE = date(1900, 1, 1)


@app.command("list")
def list_sessions(exam: Exam = None, *, as_json: Json = False) -> None:
    """列出各场时间与状态 · the sessions with their times and state."""

    async def work(engine: AsyncEngine) -> list[Scheduled]:
        async with engine.connect() as conn:
            return await timetable.listed(conn, await exams.resolve(conn, exam))

    _print(with_engine(settings(), work), as_json)


@app.command()
def reschedule(
    exam: Exam = None,
    *,
    day: Day = None,
    start: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%H:%M"],
            help="新的开始时间（考场时区）；不加 --session 时其余各场一起顺移 · the new start; later sessions follow",
        ),
    ] = None,
    session: Annotated[int | None, typer.Option(help="只改这一场 · this session only")] = None,
    as_json: Json = False,
) -> None:
    """改期：整个考试日移到另一天或另一时间，或只改一场 · move the whole day, or one session."""
    if (day is None) == (start is None):
        raise typer.BadParameter("请给出 --date 或 --start 之一 · give either --date or --start")
    begins: datetime | time | None = start
    if start is not None and start.date() == _NO_DATE:
        begins = start.time()

    async def work(engine: AsyncEngine) -> list[Scheduled]:
        return await scheduling.reschedule(
            engine, exam, day=None if day is None else day.date(), start=begins, session=session
        )

    sessions = with_engine(settings(), work)
    if not as_json:
        typer.echo("已改期。\nRescheduled.")
    _print(sessions, as_json)


@app.command("open-day")
def open_day(
    exam: Exam = None,
    *,
    day: Day = None,
    start_late: Annotated[
        bool, typer.Option("--start-late", help="计划时间已过的场次立即开始 · start overdue sessions at once")
    ] = False,
    as_json: Json = False,
) -> None:
    """开考日：按计划给当天各场定时 · open the day: anchor its sessions in service time."""

    async def work(engine: AsyncEngine) -> tuple[scheduling.Opened, list[Scheduled]]:
        async with engine.begin() as conn:
            found = await exams.resolve(conn, exam)
            now = await timetable.moment(conn)
            opened = await scheduling.open_day(
                conn,
                found,
                now_wall=now.wall,
                service_now_ms=now.service_ms,
                day=None if day is None else day.date(),
                start_late=start_late,
            )
            return opened, await timetable.listed(conn, found)

    opened, sessions = with_engine(settings(), work)
    if not as_json:
        _say_opened(opened)
    _print(sessions, as_json)


def _say_opened(opened: scheduling.Opened) -> None:
    numbers = "、".join(str(each.number) for each in opened.anchored)
    if numbers:
        typer.echo(f"已定时：第 {numbers} 场。\nAnchored: session {numbers}.")
    if opened.already:
        known = "、".join(map(str, opened.already))
        typer.echo(f"此前已定时，未改动：第 {known} 场。\nAnchored before, left as it is: session {known}.")
    if opened.late:
        late = "、".join(map(str, opened.late))
        typer.echo(
            f"计划时间已过，没有开始：第 {late} 场；请用 holdfast session start-in，或加 --start-late。\n"
            f"Overdue and not started: session {late}; use holdfast session start-in, or add --start-late.",
            err=True,
        )
    for each in opened.anchored:
        if each.without_paper:
            typer.echo(
                f"注意：第 {each.number} 场有 {each.without_paper} 人没有试卷，无法登录；请先抽题。\n"
                f"Note: {each.without_paper} candidates of session {each.number} have no paper and cannot sign in.",
                err=True,
            )


@app.command("start-in")
def start_in(
    number: Annotated[int, typer.Argument(help="场次 · the session's number")],
    minutes: Annotated[float, typer.Argument(min=0, max=24 * 60, help="几分钟后开始 · minutes from now")],
    exam: Exam = None,
    *,
    as_json: Json = False,
) -> None:
    """给一场尚未开始的考试新的倒计时 · give a session that has not begun a fresh countdown."""

    async def work(engine: AsyncEngine) -> Scheduled:
        async with engine.begin() as conn:
            found = await exams.resolve(conn, exam)
            now = await timetable.moment(conn)
            return await scheduling.start_in(
                conn, found, number, delay=timedelta(minutes=minutes), now_wall=now.wall, service_now_ms=now.service_ms
            )

    started = with_engine(settings(), work)
    if not as_json:
        typer.echo(f"第 {number} 场将在 {minutes:g} 分钟后开始。\nSession {number} starts in {minutes:g} min.")
    _print([started], as_json)


@app.command()
def finalise(number: Annotated[int, typer.Argument(help="场次 · the session's number")], exam: Exam = None) -> None:
    """使本场全部作答终结（含结束时失联的机位），需服务器在运行 · make a session's ended attempts final, also those that
    were silent at their end; the server must be running."""
    # The service's own log lines are for the server, not for whoever typed a command.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    own = settings()
    redis_url = own.redis_url.get_secret_value() if own.redis_url else EmbeddedRedis(own.data_dir).url

    async def work(database_url: str) -> tuple[int, list[Relog]]:
        async with Site.open(own, database_url, redis_url, name="holdfast-cli") as site:
            await _known_time(site)
            async with site.engine.connect() as conn:
                found = await exams.resolve(conn, exam)
                planned = {each.number: each.id for each in await exams.sessions(conn, found.id)}
            if number not in planned:
                raise Refused("session-unknown", session=number, known=", ".join(str(one) for one in planned))
            done = await ending.finalise_session(site, planned[number], actor="holdfast session finalise")
            return done, await ending.moves_over_the_end(site, planned[number])

    with database(own) as url:
        done, moves = asyncio.run(work(url))
    typer.echo(f"第 {number} 场：{done} 份作答已终结。\nSession {number}: {done} attempts are final now.")
    for move in moves:
        who = f"{move.name}（{move.ticket}，{move.from_room} {move.from_seat} → {move.to_room} {move.to_seat}）"
        typer.echo(
            f"未终结：{who} 换机登录未完成；请待其登录、撤回换机，或结束其考试。\n"
            f"Not final: {who} is on the move; wait for the sign-in, withdraw the move, or end the attempt.",
            err=True,
        )


async def _known_time(site: Site) -> None:
    if not await site.settled(3.0):
        raise Refused("no-service")


def _state(each: Scheduled) -> str:
    if each.starts_in_ms is None:
        return "待处理 held" if each.held else "未定时 planned"
    if each.starts_in_ms > 0:
        return f"{duration_text(each.starts_in_ms)} 后开始 to go"
    return "进行中 running" if -each.starts_in_ms < each.duration_ms else "已过时 over"


def _print(sessions: Sequence[Scheduled], as_json: bool) -> None:
    if as_json:
        told = [
            {
                "number": each.number,
                "name": each.name,
                "start": each.start.isoformat(),
                "end": each.end.isoformat(),
                "duration_ms": each.duration_ms,
                "starts_in_ms": each.starts_in_ms,
                "held": each.held,
                "attempts": each.attempts,
                "without_paper": each.without_paper,
            }
            for each in sessions
        ]
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    table = Table()
    for heading in ("场次\nsession", "名称\nname", "时间\ntime", "分钟\nmin", "状态\nstate", "试卷\npapers"):
        table.add_column(heading, overflow="fold")
    for each in sessions:
        missing = f"\n缺 {each.without_paper} missing" if each.without_paper else ""
        until = f"{each.end:%H:%M}" if each.end.date() == each.start.date() else f"{each.end:%Y-%m-%d %H:%M}"
        table.add_row(
            str(each.number),
            each.name,
            f"{each.start:%Y-%m-%d %H:%M}–{until}",
            f"{each.duration_ms / 60_000:g}",
            _state(each),
            f"{each.attempts}{missing}",
        )
    Console().print(table)
