"""holdfast audit: read the audit log and prove that nobody changed it."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from app.commands.database import with_engine
from app.settings import settings
from app.storage.postgres import audit

app = typer.Typer(no_args_is_help=True, help="审计日志 · the audit log")


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
