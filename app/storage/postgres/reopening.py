"""An attempt that had ended is open again (I9): both steps are taken back.

The same device goes on under the epoch it has: its lease comes back to life where finalising had fenced it, so nothing
it still holds is a stranger's, and nobody signs in for it. What came in between is kept aside, as it was judged then.
A hand-in that was on its way before is fenced by its number instead (decision 0016).
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def reopen(conn: AsyncConnection, attempts: Collection[UUID], *, now_ms: int) -> None:
    """Rows locked by the caller, who settles their ends afterwards. Those that are open already stay as they are.

    A receipt that was given out is kept: the candidate may come with it, and it was true when it was made.
    """
    ids = sorted(attempts)
    await conn.execute(
        text(
            "UPDATE lease l SET revoked_ms = NULL FROM attempt a WHERE a.id = ANY(CAST(:a AS uuid[]))"
            " AND a.state = 'final' AND l.attempt_id = a.id AND l.epoch = a.epoch"
        ),
        {"a": ids},
    )
    await conn.execute(
        text(
            "UPDATE attempt SET state = 'open', ended_ms = NULL, end_reason = NULL, final_ms = NULL, receipt = NULL,"
            " reopened_seq = coalesce(upper(acked) - 1, 0), receipts = CASE WHEN receipt IS NULL THEN receipts"
            " ELSE receipts || (receipt || jsonb_build_object('final_ms', final_ms, 'reopened_ms', CAST(:now AS int8)))"
            " END"
            " WHERE id = ANY(CAST(:a AS uuid[])) AND state <> 'open'"
        ),
        {"a": ids, "now": now_ms},
    )
