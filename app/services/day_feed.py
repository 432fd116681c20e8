"""The feed of the day: what the audit log says that happened in the hall, for those who may know of it.

Each entry is told in words with what it is about, never with all of its subject: the audit page is for that. Records of
misconduct and sealed incidents are left out for whoever may not read them, as if they were not there.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, get_args

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.adjustments import NAMING, reason_words
from app.domain.audit_words import AREAS, words
from app.services.hall_viewer import Viewer
from app.storage.postgres import hall as rows_of_hall
from app.storage.postgres import hall_feed
from app.storage.postgres.hall import Seated
from app.storage.postgres.hall_feed import Exam

# Of the log's areas those that are the hall's day; logins, files and the bank are the audit page's.
Kind = Literal[
    "attendance", "leave", "relog", "seat", "spare", "rollcall", "room", "duty", "time", "proposal", "rounds",
    "stranded", "incident", "discrepancy", "misconduct", "item", "notice", "session", "site", "photos", "roster",
    "papers", "lineage",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
# Entries a process keeps for the pages that look now.
KEPT = 300
NAMES = 8
AT_ONCE = 100
# Of a subject's texts the first that there is says what an entry is about.
TEXTS = ("title", "text", "reason", "note", "remarks")


class Recent:
    """The newest entries this process has read, oldest first; pages take those newer than they have."""

    def __init__(self) -> None:
        self.last: int | None = None
        self._kept: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def add(self, entries: Iterable[dict[str, Any]]) -> None:
        self._kept.extend(entries)

    def newer(
        self, n: int, viewer: Viewer, exam: Exam, hidden: frozenset[int]
    ) -> tuple[list[dict[str, Any]], dict[str, str]]:
        """Newest first, and names by ticket; ``hidden`` as for ``visible``."""
        found = [entry for entry in self._kept if entry["n"] > n and visible(entry, viewer, exam, hidden)]
        return telling(list(reversed(found)), viewer)


def about(entry: Mapping[str, Any]) -> list[int]:
    """The rooms an entry concerns."""
    subject = entry["subject"]
    one = subject.get("room_id")
    return [*({one} if one is not None else ()), *(subject.get("room_ids") or ())]


def visible(entry: Mapping[str, Any], viewer: Viewer, exam: Exam, hidden: frozenset[int] = frozenset()) -> bool:
    """``hidden``: incidents that are sealed by now and that the viewer may not read."""
    area = entry["action"].partition(".")[0]
    if area not in KINDS:
        return False
    rooms, mine = about(entry), viewer.staff_id is not None and entry["staff_id"] == viewer.staff_id
    if not exam.has(area, entry["subject"], rooms):
        return False
    if area == "misconduct" and not (viewer.misconduct or mine):
        return False
    subject = entry["subject"]
    if (
        area == "incident"
        and not mine
        and (subject.get("incident") in hidden or (subject.get("sealed") and not viewer.sealed))
    ):
        return False
    return viewer.sees(rooms)


def tickets_of(entry: Mapping[str, Any]) -> set[str]:
    """Everybody an entry names."""
    return {*_tickets(entry["subject"]), *(_names(entry["subject"]) if entry["subject"].get("scope") in NAMING else ())}


def _tickets(subject: Mapping[str, Any]) -> list[str]:
    return [str(one) for one in ([subject["ticket"]] if subject.get("ticket") else subject.get("tickets") or ())]


def _names(subject: Mapping[str, Any]) -> list[str]:
    found = subject.get("names")
    return [str(one) for one in found] if isinstance(found, list) else []


def telling(entries: Sequence[Mapping[str, Any]], viewer: Viewer) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Entries as ``read`` and ``with_people`` made them, each as ``told``; and names by ticket."""
    shown = [told(entry, viewer) for entry in entries]
    people = {
        ticket: entry["people"][ticket].name
        for entry, one in zip(entries, shown, strict=True)
        for ticket in one["tickets"]
        if ticket in entry["people"]
    }
    return shown, people


def told(entry: Mapping[str, Any], viewer: Viewer) -> dict[str, Any]:
    """``{n, at, by, role, action, kind, zh, en, room_ids, room, tickets, more, names, scope, about_zh, about_en}``; of
    what reaches into other rooms than the viewer's only who is theirs."""
    subject, rooms, people = entry["subject"], about(entry), entry["people"]
    zh, en = words(entry["action"])
    tickets = viewer.named(_tickets(subject), rooms, people)
    scope = subject.get("scope") if isinstance(subject.get("scope"), str) else None
    return {
        "n": entry["n"],
        "at": entry["at"].isoformat(timespec="seconds"),
        # The service and its commands have no account.
        "by": entry["name"],
        **_about(subject),
        "role": entry["role"],
        "action": entry["action"],
        "kind": entry["action"].partition(".")[0],
        "zh": zh,
        "en": en,
        "room_ids": sorted(set(rooms)),
        "room": subject.get("room"),
        "tickets": tickets[:NAMES],
        "more": max(0, len(tickets) - NAMES),
        "names": viewer.names(scope, _names(subject), rooms, people)[:NAMES],
        "scope": scope,
    }


def _about(subject: Mapping[str, Any]) -> dict[str, str]:
    """A reason of the ledger of time is a code, and has words."""
    texts = (subject.get(key) for key in TEXTS)
    first = next((one for one in texts if isinstance(one, str) and one), "")
    zh, en = reason_words(first)
    return {"about_zh": zh, "about_en": en}


def read(record: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the log; a pooled connection gives its subject as text."""
    subject = record["subject"]
    return {**dict(record), "subject": json.loads(subject) if isinstance(subject, str) else subject}


def with_people(entries: Iterable[Mapping[str, Any]], people: Mapping[str, Seated]) -> list[dict[str, Any]]:
    """Each with those it names, by ticket."""
    return [{**entry, "people": {one: people[one] for one in tickets_of(entry) if one in people}} for entry in entries]


async def page(
    conn: AsyncConnection,
    viewer: Viewer,
    exam_id: int,
    *,
    room_id: int | None,
    kind: Kind | None,
    before: int | None,
    after: int | None,
    limit: int,
) -> dict[str, Any]:
    """``{entries, next, people, rooms, kinds}``: newest first; ``next`` is the ``before`` of the following page, null
    on the last one; ``people`` are names by ticket, ``rooms`` by id."""
    exam, exam_rooms = await hall_feed.exam(conn, exam_id), await hall_feed.rooms(conn, exam_id)
    reach = exam_rooms.keys() if viewer.rooms is None else exam_rooms.keys() & viewer.rooms
    if room_id is not None:
        reach = reach & {room_id}
    areas = [kind] if kind is not None else list(KINDS)
    hidden = frozenset() if viewer.sealed else frozenset(await hall_feed.sealed(conn, exam_id, viewer.staff_id))
    found: list[dict[str, Any]] = []
    cursor, more = before, True
    # What is left out for this viewer is made up for by few further statements.
    at_once = max(limit + 1, AT_ONCE)
    everywhere = viewer.rooms is None and room_id is None
    while more and len(found) <= limit:
        rows = await hall_feed.entries(
            conn, areas, exam, None if everywhere else sorted(reach), before=cursor, after=after, limit=at_once
        )
        more = len(rows) == at_once
        cursor = rows[-1]["n"] if rows else cursor
        found += [row for row in rows if visible(row, viewer, exam, hidden)]
    tickets = {ticket for row in found[:limit] for ticket in tickets_of(row)}
    seated = await rows_of_hall.seated(await rows_of_hall.driver(conn), exam_id, tickets)
    shown, people = telling(with_people(found[:limit], seated), viewer)
    return {
        "entries": shown,
        "next": shown[-1]["n"] if len(found) > limit else None,
        "people": people,
        "rooms": {str(one): name for one, name in exam_rooms.items()},
        "kinds": [{"kind": one, "zh": AREAS[one][0], "en": AREAS[one][1]} for one in KINDS if _may(one, viewer)],
    }


def _may(kind: Kind, viewer: Viewer) -> bool:
    return kind != "misconduct" or viewer.misconduct or viewer.staff_id is not None


def rooms_of(entries: Sequence[Mapping[str, Any]], quiet: frozenset[str]) -> set[int] | None:
    """The rooms that something was entered about, but for the areas in ``quiet``; None: it may be any of them."""
    found: set[int] = set()
    for entry in entries:
        if entry["action"].partition(".")[0] in quiet:
            continue
        rooms = about(entry)
        if not rooms:
            return None
        found.update(rooms)
    return found
