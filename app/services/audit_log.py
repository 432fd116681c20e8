"""The audit log as people look through it: entries with the names of whom and what they are about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.audit_words import ACTIONS, AREAS, words
from app.storage.postgres import audit_search
from app.storage.postgres.audit_search import Sought


async def search(conn: AsyncConnection, sought: Sought, *, before: int | None, limit: int) -> dict[str, Any]:
    """``{entries: [{n, at, service_ms, actor, name, role, action, zh, en, subject, hash}], next, people, rooms,
    timezone}``: the newest first; ``next`` is the ``before`` of the following page, null on the last one; ``people``
    are names by ticket, ``rooms`` by id."""
    rows = await audit_search.search(conn, sought, before=before, limit=limit + 1)
    shown = rows[:limit]
    subjects = [row["subject"] for row in shown]
    return {
        "entries": [_told(row) for row in shown],
        "timezone": await audit_search.timezone(conn),
        "next": shown[-1]["n"] if len(rows) > limit else None,
        "people": await audit_search.people(conn, sorted(set(_values(subjects, "ticket", "tickets", "closed")))),
        "rooms": await audit_search.rooms(conn, sorted(set(_values(subjects, "room_id", "room_ids")))),
    }


def actions() -> list[dict[str, Any]]:
    """What can be looked for: ``[{area, zh, en, actions: [{action, zh, en}]}]``."""
    return [
        {
            "area": area,
            "zh": zh,
            "en": en,
            "actions": [
                {"action": action, "zh": named[0], "en": named[1]}
                for action, named in ACTIONS.items()
                if action.startswith(f"{area}.")
            ],
        }
        for area, (zh, en) in AREAS.items()
    ]


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    zh, en = words(row["action"])
    told = {key: row[key] for key in ("n", "at", "service_ms", "actor", "name", "role", "action", "subject")}
    return {**told, "zh": zh, "en": en, "hash": bytes(row["hash"]).hex()}


def _values(subjects: list[Mapping[str, Any]], one: str, *lists: str) -> Iterator[Any]:
    """Of every subject, and of the items one level down, what lies under these keys."""
    for subject in subjects:
        if subject.get(one) is not None:
            yield subject[one]
        for key in lists:
            yield from subject.get(key) or ()
        for item in subject.get("items") or ():
            if isinstance(item, Mapping) and item.get(one) is not None:
                yield item[one]
