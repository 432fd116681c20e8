"""When every session starts, and who starts later than theirs: one look at the record, with its place among others."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Starts:
    """``plans``: session → its start (None: not anchored, or held); ``postponed``: attempt → by how many milliseconds
    it starts later than its session. Of two looks at one record that differ, the later one has the greater ``look``.
    """

    look: int
    plans: dict[int, int | None]
    postponed: dict[UUID, int]


async def read(conn: AsyncConnection) -> Starts:
    """In one statement, so that a start and what it is postponed by are one look."""
    row = (
        await conn.execute(
            text(
                # How many transactions had ended: one that starts a session otherwise is among those that a later
                # look counts and an earlier one does not, whatever the clocks of two processes say.
                "SELECT pg_snapshot_xmax(at)::text::int8 - (SELECT count(*) FROM pg_snapshot_xip(at)) AS look,"
                " (SELECT coalesce(jsonb_object_agg(id, start_ms), '{}') FROM session) AS plans,"
                " (SELECT coalesce(jsonb_object_agg(id, postponed_ms), '{}') FROM attempt WHERE postponed_ms <> 0)"
                " AS postponed FROM (SELECT pg_current_snapshot() AS at) s"
            )
        )
    ).one()
    return Starts(
        look=row.look,
        plans={int(session): start_ms for session, start_ms in row.plans.items()},
        postponed={UUID(attempt): ms for attempt, ms in row.postponed.items()},
    )
