"""holdfast photos: candidates' photos from a folder or .zip, and who has none."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.ext.asyncio import AsyncEngine

from app.commands.database import with_engine
from app.domain.photos import FAULTS, Person, Report
from app.importers.photos import Source, source_of
from app.services import photos
from app.settings import settings
from app.storage.postgres import audit, exams
from app.storage.postgres import photos as stored

app = typer.Typer(no_args_is_help=True, help="应考人员照片 · candidates' photos")
Exam = Annotated[str | None, typer.Option("--exam", help="考试代码；只有一场考试时可省略 · the exam's code")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON · print JSON")]

T = TypeVar("T")
FAULTY = 1
# The rest is in the JSON report.
LINES_SHOWN = 60
_SENTENCES = {
    "imported": ("已导入照片。", "The photos were imported."),
    "unchanged": ("照片与已导入的完全一致，无需导入。", "The photos are those there are already; nothing was done."),
    "would-import": ("检查完毕，没有导入。", "Checked only: nothing was imported."),
    "faulty": (
        "有 {n} 个文件不能使用，没有导入任何照片；请改正，或加 --skip-faulty 跳过这些文件。",
        "{n} files cannot be used, and no photo was imported. Mend them, or say --skip-faulty.",
    ),
}


@app.command("import")
def import_(
    path: Annotated[
        Path, typer.Argument(help="放有照片的文件夹或 .zip，文件以准考证号或证件号命名 · named by ticket or ID number")
    ],
    *,
    exam: Exam = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只检查，不导入 · say what would be done, import nothing")
    ] = False,
    skip_faulty: Annotated[
        bool, typer.Option("--skip-faulty", help="跳过不能使用的文件，导入其余 · import the others")
    ] = False,
    as_json: Json = False,
) -> None:
    """导入照片：全部导入，或者一张也不导入 · import photos: all of them or none."""
    source = source_of(path)

    async def work(engine: AsyncEngine) -> Report:
        async with engine.connect() as conn:
            found = await exams.resolve(conn, exam)
            people = await stored.people(conn, found.id)
        prepared = await _prepare(found, people, source, quiet=as_json)
        looked = photos.report(prepared, people, skip_faulty=skip_faulty, dry_run=dry_run)
        if dry_run or looked.state == "faulty":
            return looked
        async with engine.begin() as conn:
            told, done = await photos.store(conn, prepared, skip_faulty=skip_faulty)
            if done.subject is not None:
                await audit.append(conn, actor="holdfast photos", action=done.action, subject=done.subject)
        return told

    told = with_engine(settings(), work)
    if as_json:
        typer.echo(json.dumps(told.as_json(), ensure_ascii=False, indent=2))
    else:
        _print(told)
    if told.state == "faulty":
        zh, en = (one.format(n=len(told.faults)) for one in _SENTENCES["faulty"])
        print(f"{zh}\n{en}\n[photos-faulty]", file=sys.stderr)
        raise typer.Exit(FAULTY)


@app.command("missing")
def missing(*, exam: Exam = None, as_json: Json = False) -> None:
    """列出没有照片的应考人员 · list who has no photo."""

    async def work(engine: AsyncEngine) -> list[dict[str, str]]:
        async with engine.connect() as conn:
            found = await exams.resolve(conn, exam)
            people = await stored.people(conn, found.id)
        return [{"ticket": one.ticket, "name": one.name} for one in people if one.sha256 is None]

    without = with_engine(settings(), work)
    if as_json:
        typer.echo(json.dumps(without, ensure_ascii=False, indent=2))
        return
    for one in without:
        typer.echo(f"{one['ticket']} {one['name']}")
    typer.echo(f"无照片 {len(without)} 人 · {len(without)} without a photo")


async def _prepare(exam: exams.Exam, people: list[Person], source: Source, *, quiet: bool) -> photos.Prepared:
    """With a bar on standard error, where it is a screen."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task(f"读取照片 reading {source.name}", total=None)
        told = lambda done, total: bar.update(task, completed=done, total=total)  # noqa: E731 -- one expression
        return await asyncio.to_thread(photos.prepare, exam, people, source, told)


def _print(told: Report) -> None:
    for one in _few(told.faults):
        zh, en = FAULTS[one.fault]
        typer.echo(f"✗ {one.file}: {zh} · {en}")
    for file in _few(told.unmatched):
        typer.echo(f"? {file}: 名单中没有此人 · nobody on the roster")
    for ticket, name in _few(told.missing):
        typer.echo(f"– {ticket} {name}: 没有照片 · no photo")
    typer.echo(
        f"文件 {told.files}，对应 {told.matched}（新增 {told.added}、更换 {len(told.replaced)}、相同 {told.same}），"
        f"无人对应 {len(told.unmatched)}，不能使用 {len(told.faults)}，仍无照片 {len(told.missing)} 人\n"
        f"{told.files} files: {told.matched} matched ({told.added} new, {len(told.replaced)} replaced, {told.same} as"
        f" before), {len(told.unmatched)} of nobody, {len(told.faults)} faulty; {len(told.missing)} people without"
    )
    if told.state != "faulty":
        typer.echo("\n".join(_SENTENCES[told.state]))


def _few(lines: list[T]) -> list[T]:
    if len(lines) > LINES_SHOWN:
        n = len(lines)
        typer.echo(f"以下共 {n} 个，只列 {LINES_SHOWN} 个，全部见 --json · {LINES_SHOWN} of {n}, all with --json")
    return lines[:LINES_SHOWN]
