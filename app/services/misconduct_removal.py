"""A candidate removed from the exam for misconduct: ended by force, answers kept.

It goes through the ledger of time like every other end, so that whoever carries it out may die and the attempt is ended
all the same, and the office can open it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.domain.roles import scope
from app.services import time_decisions, timing
from app.services.site import Site
from app.storage.postgres import adjustments, notices
from app.storage.postgres import misconduct as rows
from app.storage.postgres.adjustments import Moved
from app.storage.postgres.attendance import Placed
from app.storage.postgres.staff import Login

# What the page of whoever is removed says; the reason is told by people.
ENDED = (
    "您的本场考试已结束，已作答的内容均已保留，请听从监考人员安排。",
    "Your exam has ended. Your answers are kept. Please follow the staff.",
)
# The ledger is read by everybody in the room.
LEDGER = "考务决定 · decided by staff"


@dataclass(frozen=True, slots=True)
class Removal:
    """What the pages hear after the commit."""

    session_id: int
    attempt: UUID
    moved: tuple[Moved, ...]
    notice: dict[str, Any]


async def remove(conn: AsyncConnection, login: Login, place: Placed, now_ms: int, *, mine: int) -> Removal:
    """End the attempt in the ledger; the row is locked by the caller. Refused candidate-ended, misconduct-removed."""
    if place.attempt_id is None:
        raise Refused("not-found")
    by = await rows.removed_by(conn, place.attempt_id, but=mine)
    if by is not None:
        raise Refused("misconduct-removed", name=place.name, by=by)
    if place.state != "open" or (place.end_ms is not None and now_ms >= place.end_ms):
        raise Refused("candidate-ended", name=place.name)
    entry = await adjustments.insert_entry(
        conn, "end", session_id=place.session_id, members=[place.attempt_id], reason="other",
        source=f"staff:{uuid4()}", now_ms=now_ms, scope="candidate", scope_names=[place.ticket],
        room_id=place.room_id, note=LEDGER, staff_id=login.staff_id,
    )  # fmt: skip
    moved = await adjustments.settle(conn, [place.attempt_id], now_ms)
    zh, en = ENDED
    notice = await notices.create(conn, place.session_id, "end", entry, zh, en, [place.attempt_id], now_ms)
    told = {"id": notice, "kind": "end", "zh": zh, "en": en}
    return Removal(place.session_id, place.attempt_id, tuple(moved), told)


async def after(site: Site, removed: Sequence[Removal]) -> None:
    """After the commit. Nothing is lost when this process dies before it: the ledger is followed up by the worker."""
    for one in removed:
        await timing.announce(site, one.session_id, one.moved, one.notice)
        await time_decisions.end_all(site, [one.attempt])


def untold(login: Login, rows: Iterable[RowMapping]) -> list[RowMapping]:
    """Entries of the ledger as they are told: without removals, and what answers them, that the login may not know of.
    Those are told to whoever reads every record of misconduct, and to whoever carried them out. ``rows``: ``id, kind,
    note, staff_id, refers_id``."""
    listed = list(rows)
    if scope(login.role, "misconduct-view") == "all":
        return listed
    hidden = {
        row["id"]
        for row in listed
        if row["kind"] == "end" and row["note"] == LEDGER and row["staff_id"] != login.staff_id
    }
    return [row for row in listed if row["id"] not in hidden and row["refers_id"] not in hidden]
