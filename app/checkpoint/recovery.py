"""Repair before it is shown (DESIGN §4.6, §4.7).

Before an attempt is read for a resume, moved, or ended, what Redis holds beyond the record is committed under the
stamp rule: applied, or kept as stranded. So nothing is ever shown that the record does not hold.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg
import structlog

from app.checkpoint import drain
from app.domain.checkpoints import Checkpoint, Row
from app.domain.responses import Version, canonical
from app.storage.redis.client import RedisAway
from app.storage.redis.hot import Hot, HotAttempt

log = structlog.get_logger(__name__)


async def drain_attempt(connection: asyncpg.Connection[Any], hot: Hot, lineage_n: int, attempt: UUID) -> int:
    """Commit the attempt's own buffered entries; how many there were. The cursor stays where it is.

    Raises RedisAway when Redis does not answer; what it holds is then judged by its stamp when it is back.
    """
    cursor = await drain.place(connection, hot, lineage_n)
    entries = await hot.pending(attempt, cursor)
    await drain.commit(connection, [checkpoint for _, checkpoint in entries])
    return len(entries)


async def recorded(connection: asyncpg.Connection[Any], attempt: UUID) -> dict[int, Version]:
    """The version of each response in the record."""
    rows = await connection.fetch(
        "SELECT item_id, epoch, rev, adopt_n, value_hash FROM response WHERE attempt_id = $1", attempt
    )
    return {row["item_id"]: Version(row["epoch"], row["rev"], row["adopt_n"], row["value_hash"]) for row in rows}


def beyond(hot: HotAttempt, record: dict[int, Version], attempt: UUID) -> list[Checkpoint]:
    """What the hot copy has and the record has not, one checkpoint per (epoch, stamp), oldest first."""
    groups: dict[tuple[int, int], list[Row]] = {}
    for item, response in hot.responses.items():
        version = Version(response.epoch, response.rev, response.adopt_n, response.hash)
        if item in record and record[item] >= version:
            continue
        text = canonical(response.value).decode()
        row = Row(item, response.rev, text, response.hash, response.at_ms, response.adopt_n)
        groups.setdefault((response.epoch, response.stamp_ms), []).append(row)
    return [
        Checkpoint(attempt, epoch, seq=0, stamp_ms=stamp, rows=rows, buffered=True)
        for (epoch, stamp), rows in sorted(groups.items())
    ]


async def repair(
    connection: asyncpg.Connection[Any], hot: Hot | None, lineage_n: int, attempt: UUID
) -> HotAttempt | None:
    """Bring the record up to everything Redis holds of the attempt; what Redis knew, or None without Redis."""
    if hot is None:
        return None
    try:
        await drain_attempt(connection, hot, lineage_n, attempt)
        known = await hot.read(attempt)
    except RedisAway as fault:
        log.info("resume from the record alone", attempt=str(attempt), fault=str(fault))
        return None
    if known is None:
        return None
    missing = beyond(known, await recorded(connection, attempt), attempt)
    if missing:
        log.warning("record was behind the hot copy", attempt=str(attempt), groups=len(missing))
        await drain.commit(connection, missing)
    return known
