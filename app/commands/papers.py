"""holdfast papers: blueprints, the draw, who drew an item, and checking what is stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncEngine

from app.commands.database import with_engine
from app.domain.blueprint import TITLES
from app.domain.errors import Refused
from app.services import blueprint as blueprints
from app.services.drawing import Drawn, draw_session
from app.services.paper_check import Report, check_session
from app.settings import settings
from app.storage.postgres import exams
from app.storage.postgres import papers as store

app = typer.Typer(no_args_is_help=True, help="抽题组卷 · draw the papers")
blueprint_app = typer.Typer(no_args_is_help=True, help="组卷方案 · the blueprint of a session")
app.add_typer(blueprint_app, name="blueprint")

STAGES = {
    "read": "读取 reading",
    "select": "选题 choosing",
    "place": "排序 ordering",
    "check": "核对 checking",
    "build": "成卷 building",
    "store": "入库 storing",
}
RULES = {
    "blueprint": "与组卷方案不符 · not as the blueprint says",
    "twice": "同卷重复 · twice on one paper",
    "repeated": "与其他场次重复 · had in another session",
    "exposure": "抽中次数不均 · uneven exposure",
    "neighbours": "邻座同位置同题 · the same as a neighbour's",
    "options": "选项顺序 · order of the options",
    "points": "分值 · points",
    "papers": "试卷 · the papers",
    "body": "发给浏览器的内容 · what browsers get",
}
REPRODUCED = {
    "yes": "用记录的种子重抽，结果相同。\nDrawn again from its seed, the papers are the same.",
    "no": "用记录的种子重抽，结果不同！\nDrawn again from its seed, other papers come out!",
    "inputs-changed": (
        "编排或其他场次在抽题后有变动，无法用种子重现；规则已逐项核对。\n"
        "Allocations or other sessions changed after the draw, so its seed cannot make it again; "
        "the rules were checked one by one."
    ),
}
MOST_SHOWN = 20

Exam = Annotated[str | None, typer.Option(help="考试代码（有多场考试时） · the exam's code, where there are several")]
Number = Annotated[int, typer.Argument(help="场次号 · the session's number")]


@app.command()
def draw(
    *,
    session: Annotated[str, typer.Option(help="场次号或 all · a session's number, or all")] = "all",
    seed: Annotated[str | None, typer.Option(help="种子：相同种子抽出相同试卷 · same seed, same papers")] = None,
    redraw: Annotated[
        bool, typer.Option("--redraw", help="替换已抽的试卷（无人登录时） · replace papers nobody has seen")
    ] = False,
    columns: Annotated[
        int | None,
        typer.Option(min=1, max=100, help="每排机位数，前后排也不同题 · seats in a row: front and back differ too"),
    ] = None,
    exam: Exam = None,
) -> None:
    """为每位应考人员抽题并存入试卷。

    Draw and store everybody's paper. Each session is one transaction: all of its papers or none.
    """
    wanted = None if session == "all" else _number(session)

    async def work(engine: AsyncEngine) -> list[Drawn]:
        async with engine.connect() as conn:
            rows = await blueprints.session_rows(conn, wanted, exam)
        return [await _draw_one(engine, row, seed=seed, redraw=redraw, columns=columns) for row in rows]

    drawn = with_engine(settings(), work)
    for each in drawn:
        spent = f"{sum(each.seconds.values()):.1f}"
        size = f"{each.bytes / 1e6:.1f} MB"
        typer.echo(f"第 {each.session} 场：{each.papers} 份 × {each.items} 题，{size}，用时 {spent} 秒。")
        typer.echo(f"Session {each.session}: {each.papers} papers of {each.items} items, {size}, {spent} s.")
        typer.echo(f"  种子 seed   {each.seed}\n  摘要 digest {each.digest}")


async def _draw_one(engine: AsyncEngine, row: Any, *, seed: str | None, redraw: bool, columns: int | None) -> Drawn:
    with Progress(
        TextColumn("[bold]{task.fields[session]}"),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    ) as bar:
        tasks: dict[str, TaskID] = {}

        def progress(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(STAGES[stage], total=total, session=row["name"])
            bar.update(tasks[stage], completed=done, total=total)

        timeout = settings().job_timeout
        return await draw_session(
            engine, row["id"], seed=seed, redraw=redraw, columns=columns, job_timeout=timeout, progress=progress
        )


@app.command("who-drew")
def who_drew(
    item: Annotated[str, typer.Argument(help="题号 · the item's number in the bank")],
    *,
    exam: Exam = None,
    as_json: Annotated[bool, typer.Option("--json", help="每行一个 JSON · one JSON object a line")] = False,
) -> None:
    """列出抽中某题的所有应考人员。

    Everybody on whose paper the item stands, in the order of sessions and seats.
    """

    async def work(engine: AsyncEngine) -> list[dict[str, Any]]:
        async with engine.connect() as conn:
            code = (await exams.resolve(conn, exam)).code
            versions = await store.item_versions(conn, code, item)
            if not versions:
                raise Refused("item-unknown", item=item)
            return [dict(row) for row in await store.who_drew(conn, versions)]

    found = with_engine(settings(), work)
    if as_json:
        for row in found:
            typer.echo(json.dumps({**row, "attempt_id": str(row["attempt_id"])}, ensure_ascii=False))
        return
    table = Table(title=f"抽中第 {item} 题 · drew item {item}")
    for heading in ("场次 session", "准考证号 ticket", "姓名 name", "考室 room", "机位 seat", "题序 position"):
        table.add_column(heading)
    for row in found:
        table.add_row(*(str(row[key]) for key in ("session", "ticket", "name", "room", "seat", "position")))
    Console().print(table)
    typer.echo(f"共 {len(found)} 人次。\n{len(found)} in all.")


@app.command()
def verify(session: Number, *, exam: Exam = None) -> None:
    """核对已存试卷：规则、发给浏览器的内容、种子重现。

    Check the stored papers: the rules, the bytes browsers get, and whether the seed makes them again. Exit code 1 when
    something does not fit.
    """

    async def work(engine: AsyncEngine) -> Report:
        async with engine.connect() as conn:
            row = await blueprints.session_row(conn, session, exam)
        return await check_session(engine, row["id"])

    report = with_engine(settings(), work)
    for fault in report.faults[:MOST_SHOWN]:
        typer.echo(f"✗ {RULES[fault.rule]}: {fault.ticket} {fault.detail}", err=True)
    if len(report.faults) > MOST_SHOWN:
        more = len(report.faults) - MOST_SHOWN
        typer.echo(f"……另有 {more} 处 · and {more} more", err=True)
    typer.echo(REPRODUCED[report.reproduced], err=report.reproduced == "no")
    if not report.ok:
        raise typer.Exit(1)
    typer.echo(
        f"第 {report.session} 场 {report.papers} 份试卷全部符合规则。\n"
        f"All {report.papers} papers of session {report.session} keep the rules."
    )


@blueprint_app.command("set")
def set_blueprint(
    session: Annotated[str, typer.Argument(help="场次号或 all · a session's number, or all")],
    *,
    file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="方案文件 · a JSON file: {sections: [...]}")
    ] = None,
    items: Annotated[
        int | None, typer.Option(min=1, help="每卷题数，按题库比例分配 · items a paper, in the bank's proportions")
    ] = None,
    exam: Exam = None,
) -> None:
    """设定组卷方案：来自文件，或按题库比例。

    Set the blueprint, from a file or in the bank's own proportions.
    """
    if (file is None) == (items is None):
        raise Refused("blueprint-one-source")
    wanted = None if session == "all" else _number(session)
    spec = _read(file) if file is not None else None

    async def work(engine: AsyncEngine) -> None:
        async with engine.connect() as conn:
            rows = await blueprints.session_rows(conn, wanted, exam)
        for row in rows:
            if items is not None:
                await blueprints.set_proportional(engine, row["id"], items)
            else:
                await blueprints.set_blueprint(engine, row["id"], spec)
        for row in rows:
            _show(row["number"], await blueprints.standing(engine, row["id"]))

    with_engine(settings(), work)


@blueprint_app.command("show")
def show_blueprint(
    session: Number,
    *,
    exam: Exam = None,
    as_json: Annotated[bool, typer.Option("--json", help="可供 --file 使用 · as --file takes it")] = False,
) -> None:
    """显示组卷方案与题库余量。

    The blueprint, and what the bank has for it.
    """

    async def work(engine: AsyncEngine) -> tuple[Any, list[blueprints.Standing]]:
        async with engine.connect() as conn:
            row = await blueprints.session_row(conn, session, exam)
        return row["blueprint"], await blueprints.standing(engine, row["id"])

    spec, rows = with_engine(settings(), work)
    if as_json:
        typer.echo(json.dumps(spec, ensure_ascii=False, indent=2))
    else:
        _show(session, rows)


def _show(number: int, rows: list[blueprints.Standing]) -> None:
    table = Table(title=f"第 {number} 场组卷方案 · blueprint of session {number}")
    for heading in ("题型\ntype", "知识点\ntopic"):
        table.add_column(heading)
    for heading in ("每卷\npaper", "各场共需\nsessions", "题库\nbank", "分值\npoints"):
        table.add_column(heading, justify="right")
    for row in rows:
        stratum = row.stratum
        short = row.needed > row.available
        points = "—" if stratum.points_milli is None else f"{stratum.points_milli / 1000:g}"
        table.add_row(
            TITLES[stratum.type],
            stratum.topic or "*",
            str(stratum.count),
            str(row.needed),
            f"[red]{row.available} ✗[/]" if short else str(row.available),
            points,
        )
    Console().print(table)


def _number(text: str) -> int:
    if not text.isdecimal():
        raise Refused("session-unknown", session=text, known="1, 2, …, all")
    return int(text)


def _read(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as fault:
        raise Refused("blueprint-not-json", file=path.name, fault=str(fault)) from fault
