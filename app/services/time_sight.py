"""Whom staff with rooms of their own are named in what is asked for and decided on time.

A list is made by the office and may reach into every building: of its people those who sit, or sat, in one's own rooms
are named, and how many there are in all is told beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.adjustments import NAMING
from app.services.hall_viewer import Viewer
from app.storage.postgres import hall
from app.storage.postgres.hall import Seated


async def limited(
    conn: AsyncConnection, exam_id: int, room_ids: Collection[int] | None, told: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Each of them as it is told to whoever has these rooms (None: all): ``within``."""
    each = list(told)
    if room_ids is None:
        return [dict(one) for one in each]
    tickets = {ticket for one in each for ticket in one.get("tickets", ())}
    tickets |= {name for one in each if one["scope"] in NAMING for name in one["scope_names"]}
    people = await hall.seated(await hall.driver(conn), exam_id, tickets)
    viewer = Viewer(rooms=frozenset(room_ids), sealed=False, misconduct=False, staff_id=None)
    return [within(one, viewer, people) for one in each]


def within(one: Mapping[str, Any], viewer: Viewer, people: Mapping[str, Seated]) -> dict[str, Any]:
    """``scope_names``, and where it has them ``names``, ``tickets`` and the rooms of its evidence, as far as they are
    the viewer's; numbers stay those of the whole."""
    names = viewer.names(one["scope"], one["scope_names"], (), people)
    told = {**one, "scope_names": names}
    if "names" in one:
        told["names"] = names
    if "tickets" in one:
        told["tickets"] = viewer.named(one["tickets"], (), people)
    if "rooms" in one.get("evidence", ()):
        rooms = [room_id for room_id in one["evidence"]["rooms"] if viewer.sees([room_id])]
        told["evidence"] = {**one["evidence"], "rooms": rooms}
    return told
