"""The attempts of candidates as the rule of one running attempt sees them (``domain.one_at_a_time``)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.one_at_a_time import Sitting
from app.storage.postgres.attempts import UNDECIDED, Patience

# The pause by which an attempt waits for the one before, while nothing has ended it. Entries of a session that the
# attempt has left are no longer about it.
_WAITS = """
    x.attempt_id = a.id AND x.session_id = a.session_id AND x.kind = 'pause' AND x.reason = 'follows'
    AND NOT EXISTS (SELECT 1 FROM adjustment r WHERE r.refers_id = x.id)
"""


async def sittings(
    conn: AsyncConnection, candidates: Collection[int], now_ms: int, patience: Patience
) -> dict[int, list[Sitting]]:
    """Every attempt of each of these candidates."""
    mine: dict[int, list[Sitting]] = {}
    if not candidates:
        return mine
    rows = await conn.execute(
        text(
            "SELECT a.id AS attempt, a.candidate_id AS candidate, s.number, s.start_ms + a.postponed_ms AS start_ms,"  # noqa: S608
            " a.end_ms, a.left_ms IS NOT NULL AS paused, a.signed_in_ms IS NOT NULL AS sat,"
            f" EXISTS (SELECT 1 FROM adjustment x WHERE {_WAITS}) AS waits,"
            f" a.state = 'open' AND coalesce(a.end_ms <= :now, false) AND ({UNDECIDED}) AS undecided,"
            " CASE WHEN a.state <> 'open' THEN coalesce(a.ended_ms, 0) END AS ended_ms,"
            " a.session_id AS session, s.exam_id AS exam"
            " FROM attempt a JOIN session s ON s.id = a.session_id"
            " WHERE a.candidate_id = ANY(CAST(:c AS int8[])) ORDER BY a.id"
        ),
        {"c": sorted(candidates), "now": now_ms, **asdict(patience)},
    )
    for row in rows.mappings():
        mine.setdefault(row["candidate"], []).append(Sitting(**row))
    return mine


async def with_several(conn: AsyncConnection, to_ms: int, among: Collection[UUID] | None = None) -> set[int]:
    """The candidates of whom more than one open attempt has begun by ``to_ms``; ``among``: of those to whom one of
    these belongs."""
    rows = await conn.scalars(
        text(
            "SELECT a.candidate_id FROM attempt a JOIN session s ON s.id = a.session_id"
            " WHERE a.state = 'open' AND s.start_ms + a.postponed_ms <= :to AND (CAST(:all AS boolean) OR"
            " a.candidate_id IN (SELECT candidate_id FROM attempt WHERE id = ANY(CAST(:among AS uuid[]))))"
            " GROUP BY a.candidate_id HAVING count(*) > 1"
        ),
        {"to": to_ms, "all": among is None, "among": sorted(among or ())},
    )
    return set(rows)


async def waiting(conn: AsyncConnection) -> dict[UUID, tuple[int, int]]:
    """Attempts that wait for the one before: the pause by which they do, and whose they are."""
    rows = await conn.execute(
        text(
            "SELECT a.id, x.id AS pause, a.candidate_id FROM attempt a"  # noqa: S608 -- a constant
            f" JOIN adjustment x ON {_WAITS} WHERE a.state = 'open' ORDER BY a.id, x.id"
        )
    )
    return {row.id: (row.pause, row.candidate_id) for row in rows}


async def lock_all(conn: AsyncConnection, attempt: UUID) -> None:
    """Take the row locks of all attempts of the candidate whose this is, by id."""
    await conn.execute(
        text(
            "SELECT id FROM attempt WHERE candidate_id = (SELECT candidate_id FROM attempt WHERE id = :a)"
            " ORDER BY id FOR NO KEY UPDATE"
        ),
        {"a": attempt},
    )


async def undecided(conn: AsyncConnection, attempts: Collection[UUID], now_ms: int, patience: Patience) -> set[UUID]:
    """Of these the open ones whose time is up and whose end may still move."""
    if not attempts:
        return set()
    rows = await conn.scalars(
        text(
            "SELECT a.id FROM attempt a WHERE a.id = ANY(CAST(:a AS uuid[])) AND a.state = 'open'"  # noqa: S608
            f" AND a.end_ms <= :now AND ({UNDECIDED})"
        ),
        {"a": sorted(attempts), "now": now_ms, **asdict(patience)},
    )
    return set(rows)
