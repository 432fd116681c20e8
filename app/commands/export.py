"""holdfast export: a list of the exam as a file. It takes the record only: no service need be running."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.ext.asyncio import AsyncEngine

from app.commands.database import with_engine
from app.documents.rows import TYPES, Form
from app.domain.errors import Refused
from app.domain.roles import Role
from app.services import exporting, timetable
from app.services.export_columns import KIND_WORDS, Kind
from app.services.exporting import Made, Order
from app.settings import settings
from app.storage.postgres import exams, exports, schedule
from app.storage.postgres.staff import Login

app = typer.Typer()


def _reader(*, whole: bool) -> Login:
    """Sees every list; a document's number in full only where it was asked for."""
    role: Role = "office" if whole else "auditor"
    return Login(0, "holdfast export", "", role, datetime.max.replace(tzinfo=UTC), frozenset(), b"")


@app.command()
def export(
    kind: Annotated[
        Kind,
        typer.Argument(
            metavar="KIND",
            help="导出什么 · what: " + ", ".join(f"{kind} {zh}" for kind, (zh, _) in KIND_WORDS.items()),
        ),
    ],
    *,
    exam: Annotated[str | None, typer.Option("--exam", help="考试代码；只有一场考试时可省略 · the exam's code")] = None,
    session: Annotated[
        int | None, typer.Option("--session", min=1, help="只导出这一场（场次号） · this session only, by its number")
    ] = None,
    form: Annotated[
        Form | None,
        typer.Option("--format", help="xlsx、csv 或 json；省略时看文件名 · else what the file's name ends with"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="写入的文件；省略时在当前目录按内容命名 · the file to write")
    ] = None,
    english: Annotated[
        bool, typer.Option("--english", help="表头与用词为英文 · headings and words in English")
    ] = False,
    whole_ids: Annotated[
        bool, typer.Option("--whole-ids", help="证件号码不作遮盖 · document numbers unmasked")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="覆盖已有的文件 · write over a file that is there")
    ] = False,
) -> None:
    """导出考勤、作答记录、考试时间、突发事件或信息更正 · export a list of the exam.

    文件写完整之后才出现；导出记入审计日志。 The file appears when it is whole; the export is on the audit log.
    """
    chosen = _form(form, out)

    async def work(engine: AsyncEngine) -> tuple[Made, Path]:
        async with engine.connect() as conn:
            found = await exams.resolve(conn, exam)
            one = None if session is None else timetable.named(await exams.sessions(conn, found.id), session).id
            order = Order(kind, chosen, "en" if english else "zh", found.id if one is None else None, one)
            sittings = await exports.sessions(conn, exam_id=order.exam_id, session_id=order.session_id)
            now_ms = (await schedule.moment(conn)).service_ms
        place = out or Path(exporting.file_name(order, sittings) if sittings else f"{kind}.{chosen}")
        with _beside(place, replace=replace) as file:
            return await _write(engine, order, file, now_ms, whole=whole_ids), place

    made, place = with_engine(settings(), work)
    typer.echo(f"已导出 {made.rows} 行：{place}\nExported {made.rows} rows: {place}\nSHA-256 {made.sha256}")


def _form(given: Form | None, out: Path | None) -> Form:
    ending = "" if out is None else out.suffix.removeprefix(".").lower()
    if given is not None:
        return given
    return ending if ending in TYPES else "xlsx"


@contextmanager
def _beside(place: Path, *, replace: bool) -> Iterator[IO[bytes]]:
    """A file that becomes ``place`` when it is whole, and nothing when it is not. Refused export-file-exists."""
    if place.exists() and not replace:
        raise Refused("export-file-exists", file=str(place))
    partial = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        with partial.open("wb+") as file:
            yield file
        if replace:
            partial.replace(place)
        else:
            # Refused also when somebody has put one there meanwhile.
            place.hardlink_to(partial)
    except FileExistsError as there:
        raise Refused("export-file-exists", file=str(place)) from there
    finally:
        partial.unlink(missing_ok=True)


async def _write(engine: AsyncEngine, order: Order, file: IO[bytes], now_ms: int, *, whole: bool) -> Made:
    """With a bar on standard error, where it is a screen."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(" ".join(KIND_WORDS[order.kind]), total=None)
        parts = exporting.export(settings(), engine, _reader(whole=whole), order, file, now_ms=now_ms)
        async with aclosing(parts) as working:
            async for part in working:
                if isinstance(part, Made):
                    return part
                bar.update(task, completed=part.done, total=part.total)
    raise RuntimeError("an export ends with what was made")
