"""holdfast audit: read the audit log, replay an attempt, and prove that nobody changed either."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncEngine

from app.commands import attempt_report
from app.commands.database import with_engine
from app.services import attempt_history
from app.settings import settings
from app.storage.postgres import audit

app = typer.Typer(no_args_is_help=True, help="审计：日志与作答历史 · the audit log, and the history of an attempt")


@app.command("list")
def list_entries(
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="最近多少条 · how many, newest last")] = 50,
) -> None:
    """列出最近的记录 · the latest entries, one JSON object a line."""

    async def work(engine: AsyncEngine) -> list[dict[str, Any]]:
        async with engine.connect() as conn:
            return await audit.entries(conn, limit=limit)

    for entry in reversed(with_engine(settings(), work)):
        told = {**entry, "at": entry["at"].isoformat(), "hash": bytes(entry["hash"]).hex()}
        typer.echo(json.dumps(told, ensure_ascii=False))


@app.command()
def verify() -> None:
    """核验整条日志 · check the whole chain; exit code 1 when an entry does not fit."""

    async def work(engine: AsyncEngine) -> int | None:
        async with engine.connect() as conn:
            return await audit.verify(conn)

    bad = with_engine(settings(), work)
    if bad is not None:
        typer.echo(
            f"审计日志自第 {bad} 条起与哈希链不符：有记录被改动、删除或添加。\n"
            f"The audit log does not fit its chain from entry {bad} on: something was changed, removed or added.",
            err=True,
        )
        raise typer.Exit(1)
    typer.echo("审计日志完整。\nThe audit log is whole.")


@app.command()
def attempt(
    ticket: Annotated[str, typer.Argument(help="准考证号 · the admission ticket")],
    *,
    session: Annotated[int | None, typer.Option(help="场次号（参加多场时） · the session's number")] = None,
    exam: Annotated[str | None, typer.Option(help="考试代码（多场考试有此准考证号时） · the exam's code")] = None,
    receipt: Annotated[
        str | None,
        typer.Option(help="应考人员所持回执上的链条码 · the chain code on the candidate's receipt, to be compared"),
    ] = None,
    quiet: Annotated[
        int, typer.Option(min=1, help="多少秒没有新答案算一段空白 · seconds without an answer to tell")
    ] = 300,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON · print JSON")] = False,
) -> None:
    """重放一名应考人员的全部作答历史，并核验其链条 · replay an attempt and check its chain.

    不符时退出码为 1。 Everything the record holds of one attempt: every revision, device, acknowledgement, gap. Exit
    code 1 when something does not hold.
    """
    known = settings()

    async def work(engine: AsyncEngine) -> attempt_history.Report:
        return await attempt_history.report(
            engine, ticket, session=session, exam=exam, printed=receipt, quiet=timedelta(seconds=quiet),
            outage=known.handover_gap,
        )  # fmt: skip

    report = with_engine(known, work)
    if as_json:
        typer.echo(json.dumps(attempt_report.as_json(report), ensure_ascii=False, indent=2))
    else:
        attempt_report.show(report, Console())
    if not report.proof.whole:
        raise typer.Exit(1)
