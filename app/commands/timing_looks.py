"""holdfast time show, find, notice, export: looking at a session's time, which takes the record only."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncEngine

from app.commands import timing_work as work
from app.commands.database import with_engine
from app.commands.near import refuse_unknown
from app.commands.timing_options import Exam, Json, Session
from app.domain.clock import duration_text
from app.services import time_lookup, time_overview
from app.settings import settings
from app.storage.postgres import schedule, time_terms
from app.storage.postgres import time_scope as rows
from app.storage.postgres.staff import Login

# Looks at everything and decides nothing.
READER = Login(0, "holdfast time", "", "auditor", datetime.max.replace(tzinfo=UTC), frozenset(), b"")


def show(
    session: Session, *, ticket: Annotated[str, typer.Option(help="一名应考人员 · one candidate")] = "",
    at: Annotated[str, typer.Option(help="与 --ticket 同用：09:40 时所知 · with --ticket: as known at 09:40")] = "",
    exam: Exam = None, as_json: Json = False,
) -> None:  # fmt: skip
    """本场时间一览；加 --ticket 说明一人的结束时间 · a session's time, or why one candidate's end is what it is."""
    if at and not ticket:
        raise typer.BadParameter("--at 须与 --ticket 同用 · --at goes with --ticket")

    async def run(engine: AsyncEngine) -> dict[str, Any]:
        async with engine.connect() as conn:
            session_id = await work.session_named(conn, exam, session)
            now = await schedule.moment(conn)
            now_ms, stands = now.service_ms, {"standing_ms": work.standing_ms(now)}
            if not ticket:
                return stands | await time_overview.session_view(settings(), conn, READER, session_id, now_ms=now_ms)
            known = {member.ticket: member.attempt for member in await rows.members(conn, session_id)}
            refuse_unknown([ticket], known)
            timed = await rows.find_session(conn, session_id)
            zone = ZoneInfo(timed.timezone if timed is not None else "UTC")
            at_ms = work.instant(await time_terms.wall_time(conn, now_ms), zone, at)
            return stands | await time_lookup.attempt_time(
                settings(), conn, READER, known[ticket], now_ms=now_ms, at_ms=None if at_ms is None else max(0, at_ms)
            )

    told = with_engine(settings(), run)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    elif ticket:
        typer.echo(f"{told['explain_zh']}\n{told['explain_en']}")
    else:
        _print(told)
    work.tell_stands(told["standing_ms"])


def _print(view: dict[str, Any]) -> None:
    table = Table()
    for heading in ("考室\nroom", "人数\ncandidates", "暂停\npaused", "结束\nends", "合计\nlost"):
        table.add_column(heading, overflow="fold")
    for room in view["rooms"]:
        ends = room["end_at"][11:19] if room["end_at"] else "—"
        table.add_row(room["name"], str(room["candidates"]), str(room["paused"]), ends, duration_text(room["lost_ms"]))
    Console().print(table)
    for entry in view["entries"]:
        where = "、".join(entry["scope_names"]) or entry["scope"]
        long = f" {duration_text(entry['amount_ms'])}" if entry["amount_ms"] else ""
        gone = "" if entry["live"] else "（已撤销 undone）"
        gone = "（部分人员已另作更正 replaced for some）" if entry["partly"] else gone
        typer.echo(f"{entry['id']} {entry['made_at'][11:19]} {entry['kind']}{long} {where} {entry['reason_zh']}{gone}")
    for stood in view["outages"]:
        typer.echo(f"服务中断 outage {stood['from_at'][11:19]}–{stood['to_at'][11:19]}")
    for held in view["held"]:
        where = "、".join(held["scope_names"]) or held["scope"]
        lost = duration_text(held["lost_ms"])
        typer.echo(f"封顶待处置 held {held['entry']} {where}，{held['candidates']} 人 candidates，{lost}")
    for proposal in view["proposals"]:
        if proposal["state"] == "open":
            typer.echo(f"提议 proposal {proposal['id']} {proposal['zh']}\n  {proposal['en']}")
    for decision in view["decisions"]:
        limit = duration_text(decision["limit_ms"]) if decision["limit_ms"] else ""
        typer.echo(
            f"决定 decision {decision['id']} {decision['state']} {decision['number']} {decision['text']} {limit}"
        )
    for notice in view["notices"]:
        typer.echo(f"通知 notice {notice['id']} 已显示 shown {notice['shown']}/{notice['of']} {notice['zh']}")


def find(
    session: Session, query: Annotated[str, typer.Argument(metavar="NAME", help="姓名或准考证号的一部分 · part of it")],
    *, exam: Exam = None, as_json: Json = False,
) -> None:  # fmt: skip
    """按姓名或准考证号查找应考人员 · find candidates by name or ticket."""

    async def run(engine: AsyncEngine) -> dict[str, Any]:
        async with engine.connect() as conn:
            return await time_lookup.candidates(conn, READER, await work.session_named(conn, exam, session), query)

    told = with_engine(settings(), run)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for one in told["candidates"]:
        typer.echo(f"{one['ticket']} {one['name']} {one['room']} {one['seat']}")
    if not told["candidates"]:
        typer.echo("没有找到。\nNobody was found.")
        raise typer.Exit(1)


def notice(
    number: Annotated[int, typer.Argument(metavar="NOTICE", help="通知编号，见 show · the notice's number, see show")],
    *, as_json: Json = False,
) -> None:  # fmt: skip
    """哪些页面还没有显示一条通知 · whose page has not shown a notice yet."""

    async def run(engine: AsyncEngine) -> dict[str, Any]:
        async with engine.connect() as conn:
            return await time_lookup.notice_reach(conn, READER, number)

    told = with_engine(settings(), run)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    shown, of, absent = told["shown"], told["of"], told["absent"]
    typer.echo(
        f"{of} 人中 {shown} 人的页面已显示，另有 {absent} 人缺考。\nShown by {shown} of {of}; {absent} are absent."
    )
    for one in told["missing"]:
        typer.echo(f"{one['room']} {one['seat']} {one['ticket']} {one['name']}")


def export(
    session: Session, file: Annotated[Path | None, typer.Argument(help="CSV 文件；省略为标准输出 · the file")] = None,
    *, exam: Exam = None,
) -> None:  # fmt: skip
    """导出本场每名应考人员的时间说明（CSV）· everybody's end and why, as CSV."""

    async def run(engine: AsyncEngine) -> tuple[list[tuple[str, ...]], int]:
        async with engine.connect() as conn:
            session_id = await work.session_named(conn, exam, session)
            now = await schedule.moment(conn)
            told = await time_lookup.export(settings(), conn, session_id, now_ms=now.service_ms)
            return list(told), work.standing_ms(now)

    lines, stood_ms = with_engine(settings(), run)
    work.tell_stands(stood_ms)
    if file is None:
        csv.writer(sys.stdout).writerows([time_lookup.COLUMNS, *lines])
        return
    # Spreadsheets take the mark at the beginning for UTF-8.
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        csv.writer(out).writerows([time_lookup.COLUMNS, *lines])
    typer.echo(f"已导出 {len(lines)} 人：{file}\nExported {len(lines)} candidates: {file}")


COMMANDS: dict[str, Callable[..., None]] = {"show": show, "find": find, "notice": notice, "export": export}
