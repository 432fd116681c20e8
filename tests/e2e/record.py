"""What the exam record holds, asked of PostgreSQL itself when the story is over."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.storage.postgres import audit
from tests.e2e.exam import Person


async def rows(record: AsyncEngine, sql: str, **values: Any) -> list[dict[str, Any]]:
    async with record.connect() as conn:
        return [dict(row) for row in (await conn.execute(text(sql), values)).mappings()]


async def attempt(record: AsyncEngine, person: Person) -> dict[str, Any]:
    return (await rows(record, "SELECT * FROM attempt WHERE id = :a", a=person.attempt))[0]


async def responses(record: AsyncEngine, person: Person) -> dict[int, Any]:
    """Item → value."""
    found = await rows(record, "SELECT item_id, value FROM response WHERE attempt_id = :a", a=person.attempt)
    return {row["item_id"]: row["value"] for row in found}


async def stranded(record: AsyncEngine, person: Person) -> dict[int, Any]:
    """Item → value, of what was kept aside."""
    found = await rows(record, "SELECT item_id, value FROM stranded WHERE attempt_id = :a", a=person.attempt)
    return {row["item_id"]: row["value"] for row in found}


async def receipt(record: AsyncEngine, person: Person) -> dict[str, Any]:
    return dict((await attempt(record, person))["receipt"])


async def marked(record: AsyncEngine, person: Person) -> list[int]:
    return list((await attempt(record, person))["marked"])


async def credited(record: AsyncEngine, person: Person) -> list[dict[str, Any]]:
    """The attempt's credited stretches in the order they were entered: from_ms, to_ms, reason, source, staff_id."""
    return await rows(
        record,
        "SELECT from_ms, to_ms, reason, source, staff_id FROM adjustment"
        " WHERE attempt_id = :a AND kind = 'credit' ORDER BY id",
        a=person.attempt,
    )


async def leases(record: AsyncEngine, person: Person) -> list[dict[str, Any]]:
    """Every lease there ever was, in order: epoch, seat, granted_ms, revoked_ms."""
    return await rows(
        record,
        "SELECT l.epoch, s.label AS seat, l.granted_ms, l.revoked_ms FROM lease l JOIN seat s ON s.id = l.seat_id"
        " WHERE l.attempt_id = :a ORDER BY l.epoch",
        a=person.attempt,
    )


async def service_ms(record: AsyncEngine) -> int:
    """The service counter as it was last confirmed."""
    return int((await rows(record, "SELECT counter_ms FROM service_clock"))[0]["counter_ms"])


async def broken_audit_entry(record: AsyncEngine) -> int | None:
    """None: the audit log's chain holds."""
    async with record.connect() as conn:
        return await audit.verify(conn)
