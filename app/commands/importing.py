"""holdfast import: rosters and banks from an exam office's spreadsheets, and empty ones to fill in."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy.ext.asyncio import AsyncEngine

from app.commands.database import with_engine
from app.commands.import_outcome import print_outcome
from app.importers import render
from app.importers.bank import read_bank
from app.importers.faults import Report, Unreadable
from app.importers.roster import read_roster
from app.importers.template import write_template
from app.secrets import site_secret
from app.services import importing
from app.services.changes import Outcome
from app.services.import_target import DEFAULT_TIMEZONE, Target
from app.services.importing import Mode, Source
from app.services.roster_writing import Progress as Written
from app.settings import settings

app = typer.Typer(no_args_is_help=True, help="导入花名册与题库 · import rosters and banks")

File = Annotated[
    Path, typer.Argument(help=".xlsx、.csv，或放有 .csv 的文件夹、.zip · or a folder or .zip of .csv files")
]
Exam = Annotated[str | None, typer.Option("--exam", help="考试代码；省略时自动判断 · the exam's code")]
Name = Annotated[str | None, typer.Option("--name", help="考试名称；省略时取自标题 · the exam's name")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="只检查文件，不用数据库 · check the file only, without any database")
]
Diff = Annotated[
    bool, typer.Option("--diff", help="显示与数据库的差异，不修改 · show what would change, change nothing")
]
ApplyChanges = Annotated[
    bool, typer.Option("--apply-changes", help="已导入过的内容按文件修改 · apply what differs from the record")
]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON · print JSON")]

# Brings what was read into the record: (engine, mode, expected digest, progress) to the outcome.
Bring = Callable[[AsyncEngine, Mode, str | None, Written], Any]

FAULTY, REFUSED = 1, 2


class TemplateKind(StrEnum):
    roster = "roster"
    bank = "bank"


@app.command()
def roster(
    file: File,
    *,
    rooms: Annotated[Path | None, typer.Option(help="考室 .csv · the rooms, where FILE is a .csv")] = None,
    sessions: Annotated[Path | None, typer.Option(help="场次 .csv · the sessions, where FILE is a .csv")] = None,
    exam: Exam = None,
    name: Name = None,
    timezone: Annotated[str, typer.Option(help="考场所在时区 · the exam's time zone")] = DEFAULT_TIMEZONE,
    dry_run: DryRun = False,
    diff: Diff = False,
    apply_changes: ApplyChanges = False,
    as_json: Json = False,
) -> None:
    """导入花名册（应考人员、考室、场次）· import a roster: candidates, rooms, sessions."""
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise typer.BadParameter(f"不认得的时区 · unknown time zone: {timezone}", param_hint="--timezone") from None
    with _reading(file, as_json) as told:
        plan, report, book = read_roster(file, rooms=rooms, sessions=sessions, progress=told)

    async def bring(engine: AsyncEngine, mode: Mode, expect: str | None, progress: Written) -> Outcome:
        if plan is None:
            raise AssertionError("a faulty file is never brought in")
        return await importing.import_roster(
            engine,
            plan,
            key=site_secret(settings()),
            source=Source(book.file, book.sha256),
            target=Target(exam, name, timezone),
            mode=mode,
            expect=expect,
            progress=progress,
        )

    _finish(report, bring, dry_run=dry_run, diff=diff, apply_changes=apply_changes, as_json=as_json)


@app.command()
def bank(
    file: Annotated[Path, typer.Argument(help=".xlsx 或 .csv；图片放在同一文件夹 · pictures lie beside it")],
    *,
    exam: Exam = None,
    name: Name = None,
    add: Annotated[
        bool, typer.Option("--add", help="文件只是题库的一部分：保留其余试题 · keep items the file does not hold")
    ] = False,
    dry_run: DryRun = False,
    diff: Diff = False,
    apply_changes: ApplyChanges = False,
    as_json: Json = False,
) -> None:
    """导入题库 · import a bank of items."""
    with _reading(file, as_json) as told:
        items, report, book = read_bank(file, progress=told)

    async def bring(engine: AsyncEngine, mode: Mode, expect: str | None, progress: Written) -> Outcome:
        if items is None:
            raise AssertionError("a faulty file is never brought in")
        return await importing.import_bank(
            engine,
            items,
            source=Source(book.file, book.sha256),
            target=Target(exam, name),
            mode=mode,
            expect=expect,
            keep_others=add,
            progress=progress,
        )

    _finish(report, bring, dry_run=dry_run, diff=diff, apply_changes=apply_changes, as_json=as_json)


@app.command()
def template(
    kind: Annotated[TemplateKind, typer.Argument(help="roster 花名册，bank 题库")],
    out: Annotated[Path | None, typer.Argument(help="写到哪里 · where to write it")] = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="覆盖已有文件 · replace an existing file")] = False,
) -> None:
    """写出带说明的空白模板 · write an empty, explained workbook."""
    path = out or Path(f"{kind.value}-template.xlsx")
    if path.exists() and not force:
        print(
            f"“{path}”已存在，加 --force 可覆盖。\n“{path}” exists already; add --force to replace it.\n[file-exists]",
            file=sys.stderr,
        )
        raise typer.Exit(REFUSED)
    write_template(kind.value, path)
    typer.echo(f"已写出模板：{path}\nTemplate written: {path}")


# --- what both imports do


@contextmanager
def _bar(description: str, *, quiet: bool) -> Iterator[Written]:
    """A progress bar on stderr while something long runs; nothing where nobody watches."""
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task(description, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)


@contextmanager
def _reading(file: Path, as_json: bool) -> Iterator[Callable[[int], None]]:
    """The bar of reading; a file that cannot be read at all is told as JSON too where that was asked for."""
    try:
        with _bar(f"读取 reading {file.name}", quiet=as_json) as told:
            yield lambda rows: told(rows, 0)
    except Unreadable as fault:
        if as_json:
            words = fault.sentence
            _print_json({"file": file.name, "ok": False, "error": {"code": fault.code, "zh": words.zh, "en": words.en}})
        raise


def _finish(report: Report, bring: Bring, *, dry_run: bool, diff: bool, apply_changes: bool, as_json: bool) -> None:
    """Show the report; bring the file in unless it is faulty or only looked at; exit 1 or 2 where it was not."""
    zh, en = render.headline(report)
    if not as_json:
        _print_report(report)
    if not report.ok:
        if as_json:
            _print_json(report.as_json())
        print(f"{zh}\n{en}\n[import-faults]", file=sys.stderr)
        raise typer.Exit(FAULTY)
    if not as_json:
        typer.echo(f"{zh}\n{en}")
    if dry_run and not diff:
        if as_json:
            _print_json(report.as_json())
        return
    outcome = _bring(report, bring, "show" if diff or dry_run else "apply" if apply_changes else "import", as_json)
    if outcome.state == "would-change" and not (diff or dry_run or as_json):
        outcome = _ask(report, bring, outcome)
    if as_json:
        _print_json({**report.as_json(), "outcome": outcome.as_json()})
    else:
        print_outcome(outcome)
    if outcome.state == "blocked":
        raise typer.Exit(REFUSED)
    if outcome.state == "would-change" and not (diff or dry_run):
        raise typer.Exit(FAULTY)


def _bring(report: Report, bring: Bring, mode: Mode, quiet: bool, expect: str | None = None) -> Outcome:
    with _bar(f"导入 importing {report.file}", quiet=quiet) as told:
        outcome: Outcome = with_engine(settings(), lambda engine: bring(engine, mode, expect, told))
    return outcome


def _ask(report: Report, bring: Bring, outcome: Outcome) -> Outcome:
    """Apply the differences if somebody at a terminal says so after seeing them."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return outcome
    print_outcome(outcome)
    if not typer.confirm("按文件修改已导入的内容？ Apply these changes?"):
        return outcome
    return _bring(report, bring, "apply", quiet=False, expect=outcome.digest)


def _print_report(report: Report) -> None:
    console = Console()
    if console.is_terminal:
        console.print(render.table(report))
    elif said := render.text(report):
        typer.echo(said)


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
