"""holdfast lineage: say that the record was put back, and see how often it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from app.commands.database import with_engine
from app.services import lineage
from app.settings import settings

app = typer.Typer(no_args_is_help=True, help="数据谱系：恢复备份后声明 · lineages: say that the record was put back")


@app.command()
def new(
    why: Annotated[str, typer.Option(help="原因，记入审计日志 · the reason, for the audit log")],
) -> None:
    """恢复备份后运行一次：浏览器随即补交其保存的全部答案 · run once after a restore; browsers send all they keep."""
    if not why.strip():
        raise typer.BadParameter("请写明原因 · say why")

    async def work(engine: AsyncEngine) -> lineage.Lineage:
        return await lineage.begin_lineage(engine, why=why.strip(), actor="lineage")

    begun = with_engine(settings(), work)
    typer.echo(f"新谱系 {begun.n}（{begun.uid}）。\nLineage {begun.n} ({begun.uid}) has begun.")


@app.command("list")
def list_lineages() -> None:
    """列出全部谱系 · every lineage of this record, oldest first."""

    async def work(engine: AsyncEngine) -> Sequence[lineage.Lineage]:
        async with engine.connect() as conn:
            return await lineage.lineages(conn)

    for one in with_engine(settings(), work):
        typer.echo(f"{one.n}  {one.started_at.isoformat(timespec='seconds')}  {one.uid}  {one.reason}")
