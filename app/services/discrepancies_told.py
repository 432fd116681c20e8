"""A discrepancy as staff read it: both values of every field, what the record holds now, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import discrepancies as rules
from app.domain.discrepancies import FIELD_WORDS
from app.domain.roles import scope
from app.domain.wall_time import WallTime
from app.services.time_words import iso
from app.storage.postgres import discrepancies as rows
from app.storage.postgres import time_terms
from app.storage.postgres.staff import Login


async def told(
    conn: AsyncConnection, login: Login, heads: Sequence[RowMapping], *, now_ms: int
) -> list[dict[str, Any]]:
    """Each with its fields (``now``: what the record holds at present, to be sent back as ``seen``) and files."""
    ids = [head["id"] for head in heads]
    fields, files = await rows.fields(conn, ids), await rows.files(conn, ids)
    records = await rows.recorded(conn, [head["candidate_id"] for head in heads])
    wall = await time_terms.wall_time(conn, now_ms)
    # Whoever compares it with the document must see all of it; nobody else does.
    whole = scope(login.role, "discrepancy-decide") == "all"
    return [
        {
            "id": head["id"],
            "session_id": head["session_id"],
            "session": head["session_name"],
            "ticket": head["ticket"],
            "name": head["candidate"],
            "room_id": head["room_id"],
            "room": head["room"],
            "seat": head["seat"],
            "identified": head["identified"],
            "note": head["note"],
            "told_by": head["told_by"],
            "by": head["by"],
            # Nobody approves what they wrote down themselves.
            "own": head["staff_id"] == login.staff_id,
            "at": iso(wall, head["made_ms"], head["timezone"]),
            "at_ms": head["made_ms"],
            "open": any(row["state"] == "open" for row in fields.get(head["id"], ())),
            "fields": [
                _told_field(row, records[head["candidate_id"]], wall, head["timezone"], whole=whole)
                for row in sorted(fields.get(head["id"], ()), key=_in_order)
            ],
            "files": [
                {key: row[key] for key in ("id", "name", "content_type", "size", "sha256")}
                for row in files.get(head["id"], ())
            ],
        }
        for head in heads
    ]


def _in_order(row: RowMapping) -> int:
    return rules.FIELDS.index(row["field"])


def _told_field(row: RowMapping, record: RowMapping, wall: WallTime, zone: str, *, whole: bool) -> dict[str, Any]:
    field = row["field"]
    zh, en = FIELD_WORDS[field]
    state_zh, state_en = rules.STATE_WORDS[row["state"]]
    spoken: dict[str, str] = {}
    for key, value in (("recorded", row["recorded"]), ("claimed", row["claimed"]), ("now", record[field])):
        in_zh, in_en = rules.words(field, value, whole=whole)
        spoken |= {key: rules.shown(field, value, whole=whole), f"{key}_zh": in_zh, f"{key}_en": in_en}
    return {
        "field": field,
        "zh": zh,
        "en": en,
        **spoken,
        "state": row["state"],
        "state_zh": state_zh,
        "state_en": state_en,
        "by": row["by"],
        "at": None if row["decided_ms"] is None else iso(wall, row["decided_ms"], zone),
        "note": row["note"],
    }


def subject_of(head: RowMapping) -> dict[str, object]:
    return {
        "discrepancy": head["id"],
        "session_id": head["session_id"],
        "ticket": head["ticket"],
        "name": head["candidate"],
        "room": head["room"],
        "room_id": head["room_id"],
        "seat": head["seat"],
        "attempt": None if head["attempt_id"] is None else str(head["attempt_id"]),
    }
