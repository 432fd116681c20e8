"""Reads what the database holds of a schedule's attempts, from one snapshot and past the server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from failover.record import Attempt, Grant, Revision


async def _rows(conn: AsyncConnection, sql: str, attempts: Sequence[UUID]) -> Sequence[Any]:
    return (await conn.execute(text(sql), {"a": list(attempts)})).all()


async def load(engine: AsyncEngine, attempts: Sequence[UUID]) -> dict[str, Attempt]:
    """The attempts by id, from one snapshot."""
    async with engine.connect() as conn:
        await conn.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        kept = (await conn.execute(text("SHOW track_commit_timestamp"))).scalar_one() == "on"
        committed = "extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8" if kept else "NULL::float8"
        found = {
            str(row.id): Attempt(
                str(row.id), row.state, row.epoch, row.count, bytes(row.chain).hex(), row.chain_links,
                receipt=row.receipt,
            )
            for row in await _rows(conn, "SELECT * FROM attempt WHERE id = ANY(:a)", attempts)
        }  # fmt: skip
        # A lease is updated when it ends, so its own xmin is the end's; the grants of the attempt hold the stamps, and
        # the end of one lease is committed together with the next grant.
        ended = {
            (str(row.attempt_id), row.epoch): row.committed
            for row in await _rows(
                conn,
                f"SELECT attempt_id, epoch, CASE WHEN revoked_ms IS NULL THEN NULL ELSE {committed} END AS committed"  # noqa: S608 -- constants of this function
                " FROM lease WHERE attempt_id = ANY(:a)",
                attempts,
            )
        }
        for row in await _rows(conn, "SELECT id, grants FROM attempt WHERE id = ANY(:a)", attempts):
            before: int | None = None
            for epoch, granted_ms in sorted(row.grants):
                known = ended.get((str(row.id), before)) if before is not None else None
                found[str(row.id)].grants.append(Grant(epoch, granted_ms, known))
                before = epoch
        columns = "attempt_id, item_id, epoch, rev, adopt_n, value_hash, value, at_ms, stamp_ms"
        for row in await _rows(conn, f"SELECT {columns} FROM response WHERE attempt_id = ANY(:a)", attempts):  # noqa: S608
            found[str(row.attempt_id)].responses.append(_revision(row))
        for row in await _rows(
            conn,
            f"SELECT {columns}, seq, link, late, chain_before, {committed} AS committed"  # noqa: S608
            " FROM response_history WHERE attempt_id = ANY(:a) ORDER BY link, item_id",
            attempts,
        ):
            found[str(row.attempt_id)].history.append(_held(row))
        for row in await _rows(
            conn,
            "SELECT attempt_id, item_id, epoch, rev, value_hash, reason FROM stranded WHERE attempt_id = ANY(:a)",
            attempts,
        ):
            key = (row.item_id, row.epoch, row.rev, bytes(row.value_hash).hex())
            found[str(row.attempt_id)].stranded[key] = row.reason
    return found


def _revision(row: Any) -> Revision:
    return Revision(
        row.item_id, row.epoch, row.rev, row.adopt_n, bytes(row.value_hash).hex(), row.value, row.at_ms, row.stamp_ms
    )


def _held(row: Any) -> Revision:
    before = None if row.chain_before is None else bytes(row.chain_before)
    return replace(_revision(row), seq=row.seq, link=row.link, late=row.late, before=before, committed=row.committed)
