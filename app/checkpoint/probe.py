"""Whether a PostgreSQL that accepts connections takes writes as well, found out before any candidate's checkpoint does.

An accepted connection proves little: a server with a full disk, in recovery, read-only or with a stalled disk accepts
them all the same. So whoever lost it asks, on a connection of the asker's own and with nobody waiting:

1. Is it writable? A read-only server says no in words.
2. Is there room? Only after it said its disk was full: a sort that spills over. It writes no WAL and leaves nothing
   behind, for a full WAL directory ends the whole server.
3. Does it commit? A record that means nothing, written and flushed like any commit, with the wait for the synchronous
   standby where there is one.
"""

from __future__ import annotations

from typing import Any

import asyncpg

from app.storage.postgres.errors import ReadOnly

# Larger than a batch and its WAL by far: a server with less would be full again at once.
SPILL_BYTES = 8 * 1024 * 1024
ROW_BYTES = 1024


async def probe(connection: asyncpg.Connection[Any], was: str | None) -> None:
    """Return when it took a write; ``was`` is why it was away. Raises ReadOnly or what asyncpg raises."""
    if await connection.fetchval("SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool"):
        raise ReadOnly
    if was == "disk-full":
        async with connection.transaction():
            await connection.execute("SET LOCAL work_mem = '64kB'")
            await connection.fetchval(
                "SELECT count(*) FROM (SELECT g || repeat('x', $1) AS t FROM generate_series(1, $2) g"
                " ORDER BY 1 OFFSET 0) x",
                ROW_BYTES,
                SPILL_BYTES // ROW_BYTES,
            )
    await connection.execute("SELECT pg_logical_emit_message(true, 'holdfast', 'probe')")
