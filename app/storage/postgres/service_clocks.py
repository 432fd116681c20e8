"""The service clock's row and its terms (DESIGN §5): one counter, advanced by compare-and-set, one leader's stretch
of service after another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import asyncpg

from app.storage.postgres import late_starts

# An arbitrary number that only the ticker uses; whoever holds it on a live connection is the ticker.
TICKER_LOCK = 7_301_188_002


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A value of the counter that a store has confirmed."""

    lineage_n: int
    lineage_uid: str
    term: int
    counter_ms: int


READ = """
SELECT c.lineage_n, l.uid, c.term, c.counter_ms FROM service_clock c JOIN lineage l ON l.n = c.lineage_n
"""


def _confirmed(row: Any) -> Confirmed:
    return Confirmed(row[0], row[1], row[2], row[3])


async def read(connection: asyncpg.Connection[Any]) -> Confirmed:
    return _confirmed(await connection.fetchrow(READ))


async def lead(connection: asyncpg.Connection[Any]) -> bool:
    """Become the ticker if nobody is; the lock lives as long as the connection."""
    return bool(await connection.fetchval("SELECT pg_try_advisory_lock($1)", TICKER_LOCK))


async def release(connection: asyncpg.Connection[Any]) -> None:
    """Give the ticker's lock back."""
    await connection.fetchval("SELECT pg_advisory_unlock($1)", TICKER_LOCK)


async def end_frozen(connection: asyncpg.Connection[Any], silent_s: float) -> bool:
    """End the connection that holds the ticker's lock, if its client has asked nothing for ``silent_s``; whether so.

    A ticker asks twice a second. One whose statement is still running is not frozen: there the server is slow, and
    another ticker would fare no better.
    """
    ended = await connection.fetchval(
        "SELECT bool_or(pg_terminate_backend(l.pid)) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
        " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.classid = $1 AND l.objid = $2"
        " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND l.pid <> pg_backend_pid() AND a.state LIKE 'idle%'"
        " AND a.state_change < clock_timestamp() - make_interval(secs => $3)",
        TICKER_LOCK >> 32,
        TICKER_LOCK & 0xFFFF_FFFF,
        silent_s,
    )
    return bool(ended)


async def unticked_ms(connection: asyncpg.Connection[Any]) -> int:
    """For how long, by the record's wall clock, nobody has ticked in PostgreSQL; negative when that was set back."""
    return int(
        await connection.fetchval(
            "SELECT (extract(epoch FROM clock_timestamp() - ticked_at) * 1000)::int8 FROM service_clock WHERE id = 1"
        )
    )


STAMPED = "SELECT coalesce(max(contact_ms), 0) FROM attempt"


async def standing(connection: asyncpg.Connection[Any], redis_ms: int) -> Confirmed:
    """Where the next term would begin, while nobody ticks: for whoever holds the ticker's lock and begins none."""
    found = await read(connection)
    stamped: int = await connection.fetchval(STAMPED)
    return replace(found, counter_ms=max(found.counter_ms, redis_ms, stamped))


async def begin_term(connection: asyncpg.Connection[Any], leader: str, redis_ms: int, handover_ms: int) -> Confirmed:
    """Start a new term at the greatest of the record's counter, Redis' counter and the newest stamp committed.

    The term's gap is the wall time that no counter counted: what the counter moved on in Redis meanwhile is no gap.
    A wall clock that was set back meanwhile cannot say; then it was an outage, of the least length that counts as one.
    Sessions whose start fell into the gap are held, and so are rooms and candidates whose own start did: none of them
    ever starts by itself late.
    """
    async with connection.transaction():
        row = await connection.fetchrow(
            "SELECT c.lineage_n, l.uid, c.term, c.counter_ms,"
            " (extract(epoch FROM clock_timestamp() - c.ticked_at) * 1000)::int8 AS away"
            " FROM service_clock c JOIN lineage l ON l.n = c.lineage_n WHERE c.id = 1 FOR UPDATE OF c"
        )
        if row is None:
            raise LookupError("the service clock's row is missing: the migrations make it")
        stamped = await connection.fetchval(STAMPED)
        start_ms = max(row["counter_ms"], redis_ms, stamped)
        first = row["term"] == 0
        gap_ms = 0 if first else max(0, row["away"] - (start_ms - row["counter_ms"]))
        if not first and row["away"] < 0:
            gap_ms = handover_ms
        await connection.execute(
            "UPDATE service_clock SET term = term + 1, counter_ms = $1, ticked_at = clock_timestamp()", start_ms
        )
        await connection.execute(
            "INSERT INTO term (n, lineage_n, start_ms, gap_ms, leader) VALUES ($1, $2, $3, $4, $5)",
            row["term"] + 1,
            row["lineage_n"],
            start_ms,
            gap_ms,
            leader,
        )
        if gap_ms < handover_ms:
            # Nobody's outage: a change of leader in the second of a start holds nobody up.
            return Confirmed(row["lineage_n"], row["uid"], row["term"] + 1, start_ms)
        await connection.execute(
            # By the anchored start, which a postponement moves: the planned one may lie an hour before it.
            "UPDATE session SET start_ms = NULL, held = 'service-away' WHERE start_ms > $1 AND start_ms <= $2",
            start_ms,
            start_ms + gap_ms,
        )
        await connection.execute(
            "UPDATE attempt SET end_ms = NULL, clock_rev = clock_rev + 1 WHERE id IN ("
            "  SELECT a.id FROM attempt a JOIN session s ON s.id = a.session_id"
            "  WHERE s.held IS NOT NULL AND s.start_ms IS NULL AND a.state = 'open' AND a.end_ms IS NOT NULL"
            "  ORDER BY a.id FOR NO KEY UPDATE OF a)"
        )
        await late_starts.hold(connection, term=row["term"] + 1, now_ms=start_ms, until_ms=start_ms + gap_ms)
    return await read(connection)


async def tick(connection: asyncpg.Connection[Any], at: Confirmed, step_ms: int) -> Confirmed | None:
    """Advance by ``step_ms`` if the counter still stands where ``at`` says; None when it does not."""
    moved = await connection.fetchval(
        "UPDATE service_clock SET counter_ms = counter_ms + $1, ticked_at = clock_timestamp()"
        " WHERE id = 1 AND term = $2 AND counter_ms = $3 RETURNING counter_ms",
        step_ms,
        at.term,
        at.counter_ms,
    )
    return None if moved is None else Confirmed(at.lineage_n, at.lineage_uid, at.term, moved)


@dataclass(frozen=True, slots=True)
class Term:
    """One leader's stretch of service: where the counter stood, and the wall time nobody counted before it."""

    n: int
    start_ms: int
    gap_ms: int


async def terms(connection: asyncpg.Connection[Any]) -> list[Term]:
    rows = await connection.fetch("SELECT n, start_ms, gap_ms FROM term ORDER BY n")
    return [Term(row["n"], row["start_ms"], row["gap_ms"]) for row in rows]
