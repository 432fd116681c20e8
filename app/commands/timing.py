"""holdfast time: pause, postpone, extend, credit, end, reopen, and why an end is what it is.

For the day the console cannot be reached: the same decisions with the same effect shown, confirmed once. Looking and
exporting need the record only; deciding needs the service, whose clock it is.
"""

from __future__ import annotations

import csv
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.commands import timing_work as work
from app.commands.database import with_engine
from app.commands.timing_work import Meant, Wanted
from app.domain.adjustments import ENTERED, Change, Kind, Scope, reason_words
from app.domain.clock import duration_text
from app.domain.errors import Refused
from app.services import time_decision_records, time_lookup, time_overview
from app.services.site import Site
from app.services.staff_requests import Done
from app.settings import settings
from app.storage.postgres import schedule
from app.storage.postgres import time_scope as rows
from app.storage.postgres.staff import Login

app = typer.Typer(no_args_is_help=True, help="考试时间：暂停、推迟、延长、补时 · time: pause, postpone, extend, credit")
NOBODY = Scope(0, "site")

Session = Annotated[int, typer.Argument(metavar="SESSION", help="场次号 · the session's number")]
Length = Annotated[str, typer.Argument(metavar="LENGTH", help="分钟，或 分:秒 · minutes, or minutes:seconds")]
By = Annotated[str, typer.Option(help="作出决定的考务人员用户名 · the username of who decides")]
Whole = Annotated[bool, typer.Option("--site", help="全场 · everybody of the session")]
Buildings = Annotated[str, typer.Option(help="楼宇，以逗号分隔 · buildings, separated by commas")]
Rooms = Annotated[str, typer.Option(help="考室，以逗号分隔 · rooms, separated by commas")]
Tickets = Annotated[str, typer.Option(help="准考证号，以逗号分隔 · tickets, separated by commas")]
Reason = Annotated[
    str, typer.Option(help="原因 · the reason: " + ", ".join(f"{code} {reason_words(code)[0]}" for code in ENTERED))
]
Note = Annotated[str, typer.Option(help="说明 · a note")]
Incident = Annotated[str, typer.Option(help="所属突发事件 · the incident it belongs to")]
Decision = Annotated[int | None, typer.Option(help="依据的决定编号 · the decision it rests on")]
Exam = Annotated[str | None, typer.Option(help="考试代码；只有一场考试时可省略 · the exam's code")]
Piped = Annotated[
    bool, typer.Option("--password-stdin", help="从标准输入读密码 · read the password from standard input")
]
Yes = Annotated[bool, typer.Option("--yes", help="不再询问 · do not ask")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON · print JSON")]


@app.command()
def pause(
    session: Session, *, by: By, reason: Reason, site: Whole = False, buildings: Buildings = "", rooms: Rooms = "",
    tickets: Tickets = "",
    since: Annotated[str, typer.Option(help="从何时起，如 09:12:40 · since when, like 09:12:40")] = "",
    note: Note = "", incident: Incident = "", exam: Exam = None, yes: Yes = False, as_json: Json = False,
) -> None:  # fmt: skip
    """暂停：不计时，页面停止作答 · pause: clocks stand and the questions are covered."""
    meant = Meant(exam, session, site, buildings, rooms, tickets)
    change = _change("pause", reason, note, incident)
    work.decide(Wanted(meant, change, begins=since), by, yes=yes, as_json=as_json)


@app.command()
def resume(
    session: Session, *, by: By, site: Whole = False, buildings: Buildings = "", rooms: Rooms = "",
    tickets: Tickets = "",
    entry: Annotated[int | None, typer.Option(help="只结束这一次暂停 · end this pause only")] = None,
    note: Note = "", decision: Decision = None, exam: Exam = None, yes: Yes = False, as_json: Json = False,
) -> None:  # fmt: skip
    """恢复：时钟继续 · resume: clocks go on."""
    meant = Meant(exam, session, site, buildings, rooms, tickets)
    change = _change("resume", "", note, "", entry=entry, decision=decision)
    work.decide(Wanted(meant, change), by, yes=yes, as_json=as_json)


@app.command()
def postpone(
    session: Session, length: Length, *, by: By, reason: Reason, site: Whole = False, buildings: Buildings = "",
    rooms: Rooms = "", tickets: Tickets = "", note: Note = "", incident: Incident = "", decision: Decision = None,
    exam: Exam = None, yes: Yes = False, as_json: Json = False,
) -> None:  # fmt: skip
    """推迟开考，结束同样顺延 · postpone the start; the end moves with it."""
    meant = Meant(exam, session, site, buildings, rooms, tickets)
    change = _change("postpone", reason, note, incident, ms=work.length_ms(length), decision=decision)
    work.decide(Wanted(meant, change), by, yes=yes, as_json=as_json)


@app.command()
def extend(
    session: Session, length: Length, *, by: By, reason: Reason, site: Whole = False, buildings: Buildings = "",
    rooms: Rooms = "", tickets: Tickets = "", note: Note = "", incident: Incident = "", decision: Decision = None,
    exam: Exam = None, yes: Yes = False, as_json: Json = False,
) -> None:  # fmt: skip
    """延长考试时间 · extend the time."""
    meant = Meant(exam, session, site, buildings, rooms, tickets)
    change = _change("extend", reason, note, incident, ms=work.length_ms(length), decision=decision)
    work.decide(Wanted(meant, change), by, yes=yes, as_json=as_json)


@app.command()
def credit(
    session: Session,
    begins: Annotated[str, typer.Argument(metavar="FROM", help="从，如 09:12:40 · from, like 09:12:40")],
    ends: Annotated[str, typer.Argument(metavar="TO", help="到，如 09:15:10 · to, like 09:15:10")],
    *, by: By, reason: Reason, site: Whole = False, buildings: Buildings = "", rooms: Rooms = "",
    tickets: Tickets = "", note: Note = "", incident: Incident = "", decision: Decision = None, exam: Exam = None,
    yes: Yes = False, as_json: Json = False,
) -> None:  # fmt: skip
    """补时：这段时间不计，重叠的只计一次 · credit an interval; what overlaps counts once."""
    meant = Meant(exam, session, site, buildings, rooms, tickets)
    change = _change("credit", reason, note, incident, decision=decision)
    work.decide(Wanted(meant, change, begins, ends), by, yes=yes, as_json=as_json)


@app.command()
def end(
    session: Session, *, by: By, reason: Reason, note: Note, site: Whole = False, buildings: Buildings = "",
    rooms: Rooms = "", tickets: Tickets = "", incident: Incident = "", exam: Exam = None, yes: Yes = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """立即结束考试 · end attempts now."""
    meant = Meant(exam, session, site, buildings, rooms, tickets)
    work.decide(Wanted(meant, _change("end", reason, note, incident)), by, yes=yes, as_json=as_json)


@app.command()
def reopen(
    session: Session, *, by: By, reason: Reason, note: Note, tickets: Tickets, incident: Incident = "",
    decision: Decision = None, exam: Exam = None, yes: Yes = False, as_json: Json = False,
) -> None:  # fmt: skip
    """恢复作答（误交卷），结束后的时间补回 · reopen attempts; the time since they ended is given back."""
    change = _change("reopen", reason, note, incident, decision=decision)
    work.decide(Wanted(Meant(exam, session, tickets=tickets), change), by, yes=yes, as_json=as_json)


@app.command()
def undo(
    session: Session, entry: Annotated[int, typer.Argument(help="调整编号 · the entry's number")], *, by: By,
    note: Note = "", exam: Exam = None, yes: Yes = False, as_json: Json = False,
) -> None:  # fmt: skip
    """撤销一条时间调整 · take back an entry."""
    change = _change("undo", "", note, "", entry=entry)
    work.decide(Wanted(Meant(exam, session), change), by, yes=yes, as_json=as_json)


def _change(kind: Kind, reason: str, note: str, incident: str, **more: Any) -> Change:
    return Change(kind, NOBODY, reason=reason, note=note, incident=incident, **more)


# --- decisions of two people ---


@app.command()
def lift(
    session: Session, limit: Annotated[str, typer.Argument(help="新的上限，分钟 · the new limit in minutes")], *,
    by: By, number: Annotated[str, typer.Option(help="决定文号 · the decision's number")],
    text: Annotated[str, typer.Option(help="决定内容 · what was decided")],
    site: Whole = False, buildings: Buildings = "", rooms: Rooms = "", tickets: Tickets = "", exam: Exam = None,
    password_stdin: Piped = False,
) -> None:  # fmt: skip
    """提出放宽 60 分钟上限的决定，由另一人批准；须输入密码 · propose to lift the cap; a second person approves."""
    meant, typed = Meant(exam, session, site, buildings, rooms, tickets), work.password(by, piped=password_stdin)

    async def run(site_: Site) -> dict[str, Any]:
        now_ms = site_.service_time.now_ms()
        async with site_.engine.connect() as conn:
            login = await work.proven(conn, by, typed)
            scope = await work.scope_of(conn, meant)

        async def act(conn: AsyncConnection) -> Done:
            return await time_decision_records.propose(
                site_, conn, login, scope, number=number, words=text, limit_ms=work.length_ms(limit), now_ms=now_ms,
                through=work.THROUGH,
            )  # fmt: skip

        return await work.once(site_, login, "lift", act, now_ms)

    decision = work.with_service(run)["decision"]
    typer.echo(f"已提出第 {decision['id']} 号决定，待另一人批准：holdfast time approve {decision['id']} --by …")
    typer.echo(f"Decision {decision['id']} waits for a second person.")


@app.command()
def approve(
    decision: Annotated[int, typer.Argument(help="决定编号 · the decision's number in the system")],
    *, by: By, password_stdin: Piped = False,
) -> None:  # fmt: skip
    """由另一人批准决定，须输入其密码 · the second person approves, with their password."""
    typed = work.password(by, piped=password_stdin)

    async def run(site: Site) -> dict[str, Any]:
        now_ms = site.service_time.now_ms()
        async with site.engine.connect() as conn:
            login = await work.proven(conn, by, typed)

        async def act(conn: AsyncConnection) -> Done:
            return await time_decision_records.approve(conn, login, decision, now_ms=now_ms, through=work.THROUGH)

        return await work.once(site, login, "approve", act, now_ms)

    work.with_service(run)
    typer.echo(f"第 {decision} 号决定已批准。\nDecision {decision} is approved.")


# --- looking ---

# Looks at everything and decides nothing.
READER = Login(0, "holdfast time", "", "auditor", datetime.max.replace(tzinfo=UTC), frozenset(), b"")


@app.command()
def show(
    session: Session, *, ticket: Annotated[str, typer.Option(help="一名应考人员 · one candidate")] = "",
    exam: Exam = None, as_json: Json = False,
) -> None:  # fmt: skip
    """本场时间一览；加 --ticket 说明一人的结束时间 · a session's time, or why one candidate's end is what it is."""

    async def run(engine: AsyncEngine) -> dict[str, Any]:
        async with engine.connect() as conn:
            session_id = await work.session_named(conn, exam, session)
            now_ms = (await schedule.moment(conn)).service_ms
            if not ticket:
                return await time_overview.session_view(settings(), conn, READER, session_id, now_ms=now_ms)
            found = await rows.members(conn, session_id, tickets=[ticket])
            if not found:
                raise Refused("scope-unknown", names=ticket)
            return await time_lookup.attempt_time(settings(), conn, READER, found[0].attempt, now_ms=now_ms)

    told = with_engine(settings(), run)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    elif ticket:
        typer.echo(f"{told['explain_zh']}\n{told['explain_en']}")
    else:
        _print(told)


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
        typer.echo(f"{entry['id']} {entry['made_at'][11:19]} {entry['kind']}{long} {where} {entry['reason_zh']}{gone}")
    for decision in view["decisions"]:
        typer.echo(f"决定 decision {decision['id']} {decision['state']} {decision['number']} {decision['text']}")


@app.command()
def export(
    session: Session, file: Annotated[Path | None, typer.Argument(help="CSV 文件；省略为标准输出 · the file")] = None,
    *, exam: Exam = None,
) -> None:  # fmt: skip
    """导出本场每名应考人员的时间说明（CSV）· everybody's end and why, as CSV."""

    async def run(engine: AsyncEngine) -> list[tuple[str, ...]]:
        async with engine.connect() as conn:
            session_id = await work.session_named(conn, exam, session)
            now_ms = (await schedule.moment(conn)).service_ms
            return list(await time_lookup.export(settings(), conn, session_id, now_ms=now_ms))

    lines = with_engine(settings(), run)
    if file is None:
        csv.writer(sys.stdout).writerows([time_lookup.COLUMNS, *lines])
        return
    # Spreadsheets take the mark at the beginning for UTF-8.
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        csv.writer(out).writerows([time_lookup.COLUMNS, *lines])
    typer.echo(f"已导出 {len(lines)} 人：{file}\nExported {len(lines)} candidates: {file}")
