"""How far the buffer of each lineage has been drained."""

from __future__ import annotations

from typing import Any

import asyncpg

START = "0-0"


async def read(connection: asyncpg.Connection[Any], lineage_n: int) -> str:
    """The last drained stream id, ``0-0`` when nothing was."""
    entry = await connection.fetchval("SELECT entry FROM buffer_cursor WHERE lineage_n = $1", lineage_n)
    return START if entry is None else str(entry)


async def advance(connection: asyncpg.Connection[Any], lineage_n: int, entry: str) -> None:
    """Everything up to ``entry`` is committed."""
    await connection.execute(
        "INSERT INTO buffer_cursor (lineage_n, entry) VALUES ($1, $2)"
        " ON CONFLICT (lineage_n) DO UPDATE SET entry = excluded.entry, moved_at = now()",
        lineage_n,
        entry,
    )
