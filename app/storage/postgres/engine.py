"""Connections to PostgreSQL: one engine for ordinary work, plain asyncpg for the checkpoint path.

Both speak to the same URL, carry an application name and bound every wait (STYLE 10).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.settings import Settings

MIGRATIONS = Path(__file__).resolve().parents[3] / "migrations"
if not MIGRATIONS.is_dir():  # an installed wheel carries them inside the package
    MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def _milliseconds(value: float) -> str:
    return str(int(value * 1000))


def sqlalchemy_url(url: str) -> URL:
    """The SQLAlchemy form of a plain ``postgresql://`` URL (``?host=/socket/dir`` is kept)."""
    return make_url(url).set(drivername="postgresql+asyncpg")


def asyncpg_arguments(url: str) -> dict[str, Any]:
    """Keyword arguments of ``asyncpg.connect`` for a plain URL, sockets and several hosts included.

    asyncpg reads libpq's multi-host and ``target_session_attrs`` forms itself, so the URL goes through unchanged.
    """
    return {"dsn": url.replace("postgresql+asyncpg://", "postgresql://")}


def create_engine(url: str, settings: Settings, *, name: str = "holdfast", pool_size: int = 10) -> AsyncEngine:
    """An engine whose every connection has a name and every statement a limit. Dispose of it after use."""
    return create_async_engine(
        sqlalchemy_url(url),
        # A fault's text must never carry an answer or an ID number into a log.
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=settings.connect_timeout.total_seconds(),
        pool_pre_ping=True,
        pool_recycle=1800,
        json_serializer=lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")),
        connect_args={
            "timeout": settings.connect_timeout.total_seconds(),
            "server_settings": {
                "application_name": name,
                "statement_timeout": _milliseconds(settings.statement_timeout.total_seconds()),
                "idle_in_transaction_session_timeout": "60000",
                "timezone": "UTC",
            },
        },
    )


async def connect(url: str, settings: Settings, *, name: str, **server_settings: str) -> asyncpg.Connection[Any]:
    """One plain asyncpg connection, for the writer, the ticker and the drain, which own theirs."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(
        **asyncpg_arguments(url),
        timeout=settings.connect_timeout.total_seconds(),
        server_settings={"application_name": name, "timezone": "UTC", **server_settings},
    )
    return connection


def alembic_config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    return config


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database at ``url`` to ``revision``. Safe to run twice and by two at once (advisory lock)."""
    command.upgrade(alembic_config(url), revision)
