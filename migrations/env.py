"""Alembic's environment: one database, its URL handed in by the caller, two migrators never at once."""

from __future__ import annotations

import asyncio

import sqlalchemy as sa
from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.settings import settings
from app.storage.postgres.engine import sqlalchemy_url
from app.storage.postgres.hall_tables import metadata

# An arbitrary number that only migrations use; the advisory lock makes a second migrator wait for the first.
MIGRATION_LOCK = 7_301_188_001


def _include(name: str | None, kind: str, _parents: object) -> bool:
    # Partitions of the history are made when a session is imported, not by a migration.
    return not (kind == "table" and name is not None and name.startswith("response_history_"))


def _run(connection: sa.Connection) -> None:
    connection.execute(sa.text("SET lock_timeout = '5s'"))
    connection.execute(sa.text("SET statement_timeout = '5min'"))
    connection.execute(sa.text("SELECT pg_advisory_lock(:n)"), {"n": MIGRATION_LOCK})
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_name=_include,
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()


async def _main() -> None:
    url = context.config.attributes.get("url")
    if url is None:
        configured = settings().database_url
        if configured is None:
            raise SystemExit("Set HOLDFAST_DATABASE_URL, or use `holdfast migrate`, which starts the embedded store.")
        url = configured.get_secret_value()
    engine = create_async_engine(sqlalchemy_url(url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_run)
    finally:
        await engine.dispose()


asyncio.run(_main())
