"""What was done for a room by telephone: the audit entries that say on whose word."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.audit_words import words
from app.storage.postgres import audit_search


async def done_for(conn: AsyncConnection, room_id: int, session_id: int) -> dict[str, Any]:
    """``{entries: [{at, at_ms, action, zh, en, by, told_by, ticket}]}``, the newest first.

    Not among them: misconduct and sealed incidents, which the staff of a room do not read.
    """
    rows = await audit_search.told_by_telephone(conn, room_id, session_id)
    entries = []
    for row in rows:
        zh, en = words(row["action"])
        subject = row["subject"]
        entries.append(
            {
                "at": row["at"].isoformat(timespec="seconds"), "at_ms": row["service_ms"], "action": row["action"],
                "zh": zh, "en": en, "by": row["name"] or row["actor"], "told_by": subject["told_by"],
                "ticket": subject.get("ticket"),
            }
        )  # fmt: skip
    return {"entries": entries}
