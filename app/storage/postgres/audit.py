"""The audit log: one hash chain over everything staff and the commands did.

Every entry's hash is ``sha256(previous hash ‖ canonical JSON of the entry)`` and the head (last number,
last hash) lies in a row of its own, so an entry that is edited, removed or slipped in behind the
application's back breaks the chain at its number, and a tail that is cut off disagrees with the head.
What a chain alone cannot show is a rewrite of everything from some entry on *and* of the head by someone
with full access to the database: for that the head is copied elsewhere (backups, the printed room
record).

Appending locks the head until the transaction ends. That row is therefore the last lock every transaction
takes: ``append`` is the last statement before COMMIT, after attempt, seat and relog rows, and nobody can
wait in a ring.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.storage.postgres.tables import audit_entry, audit_head


def _plain(value: object) -> Any:
    """``value`` as JSON that Postgres' JSONB gives back unchanged.

    Floats are refused: JSONB keeps ``1e3`` as ``1000``, and the chain would no longer verify.
    """
    match value:
        case None | bool() | int() | str():
            return value
        case UUID():
            return str(value)
        case datetime():
            return value.isoformat()
        case Mapping():
            return {str(key): _plain(inner) for key, inner in value.items()}
        case Sequence() if not isinstance(value, bytes | bytearray):
            return [_plain(inner) for inner in value]
        case _:
            raise TypeError(f"an audit entry holds plain JSON without floats, not {type(value).__name__}")


def entry_hash(previous: bytes, entry: Mapping[str, Any]) -> bytes:
    """The hash of ``entry`` (keys n, at, service_ms, staff_id, actor, action, subject) after ``previous``."""
    # One spelling of one instant, whatever zone the connection reads it in.
    at: datetime = entry["at"]
    spelled = {
        **entry,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "subject": _plain(entry["subject"]),
    }
    text = json.dumps(spelled, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(previous + text.encode()).digest()


async def append(
    conn: AsyncConnection,
    *,
    actor: str,
    action: str,
    subject: Mapping[str, object],
    staff_id: int | None = None,
    service_ms: int | None = None,
) -> int:
    """Write one entry in the caller's transaction and return its number; the last statement before COMMIT.

    ``actor`` is a username or the name of a command ("import", "sweeper"), ``action`` a dotted verb such as
    "relog.open", ``subject`` plain JSON (str, int, bool, None, UUID, datetime, dict, list). It never holds an
    answer or a full ID number. One entry per long job, not per row of it.
    """
    head = (
        await conn.execute(
            sa.select(audit_head.c.n, audit_head.c.hash, sa.func.clock_timestamp().label("at"))
            .where(audit_head.c.id == 1)
            .with_for_update()
        )
    ).one()
    entry: dict[str, Any] = {
        "n": head.n + 1,
        "at": head.at,
        "service_ms": service_ms,
        "staff_id": staff_id,
        "actor": actor,
        "action": action,
        "subject": _plain(subject),
    }
    digest = entry_hash(bytes(head.hash), entry)
    await conn.execute(sa.insert(audit_entry).values(**entry, hash=digest))
    await conn.execute(sa.update(audit_head).where(audit_head.c.id == 1).values(n=entry["n"], hash=digest))
    return int(entry["n"])


async def verify(conn: AsyncConnection) -> int | None:
    """The number of the first entry that does not fit the chain (missing, edited, added), or None if all fit.

    Reads one snapshot of the whole log in order; call it in a transaction of its own.
    """
    # The head is read together with the entries: read one after the other, an append in between would look
    # like an entry beyond the head.
    head = sa.select(audit_head.c.n.label("head_n"), audit_head.c.hash.label("head_hash")).subquery()
    rows = await conn.stream(
        sa.select(audit_entry, head).select_from(head).outerjoin(audit_entry, sa.true()).order_by(audit_entry.c.n)
    )
    previous, last, head_n, head_hash = b"", 0, 0, b""
    async for row in rows.mappings():
        head_n, head_hash = row["head_n"], bytes(row["head_hash"])
        if row["n"] is None:
            break
        if row["n"] != last + 1:
            await rows.close()
            return last + 1
        entry = {key: row[key] for key in ("n", "at", "service_ms", "staff_id", "actor", "action", "subject")}
        if entry_hash(previous, entry) != bytes(row["hash"]):
            await rows.close()
            return last + 1
        previous, last = bytes(row["hash"]), last + 1
    if head_n != last:
        return min(head_n, last) + 1
    return None if head_hash == previous else max(last, 1)


async def entries(conn: AsyncConnection, *, before: int | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """The newest ``limit`` entries numbered below ``before``, newest first."""
    query = sa.select(audit_entry).order_by(audit_entry.c.n.desc()).limit(limit)
    if before is not None:
        query = query.where(audit_entry.c.n < before)
    return [dict(row) for row in (await conn.execute(query)).mappings()]
