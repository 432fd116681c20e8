"""Which attempts somebody holds at this moment, asked without waiting for anybody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

HELD = """
WITH free AS MATERIALIZED (
    SELECT id FROM attempt WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
)
SELECT id FROM attempt WHERE id = ANY($1::uuid[]) AND id NOT IN (SELECT id FROM free)
"""


async def held(connection: asyncpg.Connection[Any], attempts: Sequence[UUID]) -> set[UUID]:
    """Those of ``attempts`` whose rows another transaction has locked, all of them when it has locked the table.
    Nothing is locked any more when this returns. Raises what asyncpg raises."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        records = await connection.fetch(HELD, list(attempts))
    except asyncpg.LockNotAvailableError:
        return set(attempts)
    finally:
        # Not committed: who has locked a row would wait for the standby, although nothing was written.
        await transaction.rollback()
    return {record["id"] for record in records}
