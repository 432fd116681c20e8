"""``holdfast migrate``: the tables of this version, on whichever PostgreSQL the settings name."""

from __future__ import annotations

import typer

from app.commands.database import database
from app.settings import Settings
from app.storage.postgres.engine import migrate as bring_to_head

app = typer.Typer()


@app.command()
def migrate() -> None:
    """建立或升级数据库结构；可重复运行，不影响已有数据。

    Make or upgrade the tables. Running it again changes nothing.
    """
    with database(Settings()) as url:
        bring_to_head(url)
    typer.echo("数据库结构已是最新。 The tables are up to date.")
