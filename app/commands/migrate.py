"""``holdfast migrate``: the tables of this version, on whichever PostgreSQL the settings name."""

from __future__ import annotations

from contextlib import ExitStack

import typer

from app.embedded.postgres import EmbeddedPostgres
from app.settings import Settings
from app.storage.postgres.engine import migrate as bring_to_head

app = typer.Typer()


@app.command()
def migrate() -> None:
    """建立或升级数据库结构；可重复运行，不影响已有数据。

    Make or upgrade the tables. Running it again changes nothing.
    """
    settings = Settings()
    with ExitStack() as stack:
        if settings.database_url is not None:
            url = settings.database_url.get_secret_value()
        else:
            url = stack.enter_context(EmbeddedPostgres(settings.data_dir)).url
        bring_to_head(url)
    typer.echo("数据库结构已是最新。 The tables are up to date.")
