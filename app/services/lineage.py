"""A new lineage: what begins when the record is not the continuation of what candidates were told (DESIGN I1, §7).

After a restore from a backup the record may lack hours that browsers and Redis remember. Taken for the same history,
it would meet its own lost future: stamps of a clock that is ahead, epochs that it gives to a second device. So whoever
puts a record back says so, once, before or after the server is started on it:

1. The lineage gets a number that no history has used: the wall clock's seconds, and always more than the last one. Two
   restores of the same backup cannot count, for neither knows of the other; epochs are numbered by it
   (``lease.next_epoch``), so no device of one ever meets an epoch of the other.
2. The term moves on in the same transaction. A ticker that runs has lost its compare-and-set, looks again, and begins a
   term of the new lineage with its gap.
3. Redis' keys carry the lineage's name: what it holds of the other history is never read again.
4. Browsers see another lineage in the next reply, and send everything they keep.

Grants that the record still has stay good; those it has lost are entered again by their devices
(``services.lost_grant``). The service counter goes on from where the record left it: nobody is charged for what was
lost.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.storage.postgres import audit


@dataclass(frozen=True, slots=True)
class Lineage:
    n: int
    uid: str
    reason: str
    started_at: datetime


async def begin_lineage(engine: AsyncEngine, *, why: str, actor: str) -> Lineage:
    """Begin a new lineage, in one transaction with its audit entry. Safe while a server runs on the record."""
    async with engine.begin() as conn:
        clock = await _row(conn, "SELECT lineage_n, counter_ms FROM service_clock WHERE id = 1 FOR UPDATE")
        row = await _row(
            conn,
            "INSERT INTO lineage (n, uid, reason)"
            " SELECT greatest(max(n) + 1, extract(epoch FROM clock_timestamp())::int8), :uid, :why FROM lineage"
            " RETURNING n, uid, reason, started_at",
            uid=str(uuid.uuid4()),
            why=why,
        )
        begun = Lineage(**row)
        await conn.execute(
            text("UPDATE service_clock SET lineage_n = :n, term = term + 1 WHERE id = 1"), {"n": begun.n}
        )
        await audit.append(
            conn, actor=actor, action="lineage.begin", service_ms=clock["counter_ms"],
            subject={"before": clock["lineage_n"], "lineage": begun.n, "uid": begun.uid, "why": why},
        )  # fmt: skip
    return begun


async def lineages(conn: AsyncConnection) -> Sequence[Lineage]:
    """Every lineage of the record, oldest first."""
    rows = (await conn.execute(text("SELECT n, uid, reason, started_at FROM lineage ORDER BY n"))).mappings()
    return [Lineage(**row) for row in rows]


async def _row(conn: AsyncConnection, sql: str, **values: object) -> dict[str, Any]:
    return dict((await conn.execute(text(sql), values)).mappings().one())
