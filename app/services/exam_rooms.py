"""Rooms, buildings and seats as the office sets them up at the console.

Regular seats are '1'…'N', spare seats '备1'…'备k', as a roster makes them. While a session is going on in a room its
spare seats may become more, and nothing else about it changes: people sit by what its door says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.importers.model import RoomPlan
from app.services.exam_setup import already, changed, exam_of, still_used
from app.services.staff_requests import Done
from app.storage.postgres import exam_setup, exams


@dataclass(frozen=True, slots=True)
class RoomForm:
    """A room as people set it up; ``number`` is what stands on its door, if that differs from its name."""

    name: str
    building: str
    number: str
    seats: int
    spares: int

    @property
    def plan(self) -> RoomPlan:
        return RoomPlan(self.name, self.building, self.number, self.seats, self.spares)


async def add_room(conn: AsyncConnection, exam_id: int, form: RoomForm) -> Done:
    """``{id, name}``: one more room, after the last. Refused not-found, room-exists."""
    exam = await exam_of(conn, exam_id, lock=True)
    buildings = await exams.ensure_buildings(conn, exam.id, [form.building])
    row = {
        "exam_id": exam.id, "building_id": buildings[form.building], "name": form.name, "number": form.number,
        "ordinal": await exam_setup.next_ordinal(conn, exam.id), "seat_count": form.seats, "spare_count": form.spares,
    }  # fmt: skip
    try:
        room_id = (await exams.add_rooms(conn, [row]))[form.name]
    except IntegrityError as fault:
        raise already(fault, "room-exists", room=form.name) from fault
    seats = [
        {"room_id": room_id, "label": label, "ordinal": n, "is_spare": is_spare}
        for n, (label, is_spare) in enumerate(form.plan.labels, start=1)
    ]
    await exams.add_seats(conn, seats)
    subject = {"exam": exam.code, "room_id": room_id, "room": form.name, **asdict(form)}
    return Done({"id": room_id, "name": form.name}, "site.room-add", subject)


async def change_room(conn: AsyncConnection, room_id: int, form: RoomForm, seen: RoomForm, *, now_ms: int) -> Done:
    """``{id, changed: [field]}``; nothing is written where nothing changes.

    Refused: not-found, site-changed, room-in-session, room-exists, site-still-used (a seat that would go).
    """
    there = await _room(conn, room_id, seen)
    before, after = asdict(_form(there)), asdict(form)
    wanted = [(name, before[name], after[name]) for name in before if before[name] != after[name]]
    if not wanted:
        return Done({"id": room_id, "changed": []})
    running = await exam_setup.going_on(conn, room_id, now_ms)
    more_spares = [name for name, _, _ in wanted] == ["spares"] and form.spares > there["spares"]
    if running is not None and not more_spares:
        raise Refused("room-in-session", room=there["name"], session=running["number"])
    buildings = await exams.ensure_buildings(conn, there["exam_id"], [form.building])
    values = {
        "name": form.name, "building_id": buildings[form.building], "number": form.number, "seat_count": form.seats,
        "spare_count": form.spares,
    }  # fmt: skip
    try:
        await exams.change_room(conn, room_id, values)
    except IntegrityError as fault:
        raise already(fault, "room-exists", room=form.name) from fault
    if (form.seats, form.spares) != (there["seats"], there["spares"]):
        try:
            await exams.set_seats(conn, room_id, form.plan.labels)
        except IntegrityError as fault:
            raise still_used(fault) from fault
    await exams.drop_empty_buildings(conn, there["exam_id"])
    subject = {
        "room_id": room_id, "room": form.name,
        "changes": [{"field": name, "before": was, "after": becomes} for name, was, becomes in wanted],
    }  # fmt: skip
    return Done({"id": room_id, "changed": sorted(name for name, _, _ in wanted)}, "site.room-change", subject)


async def remove_room(conn: AsyncConnection, room_id: int, seen: RoomForm) -> Done:
    """``{id}``. Refused: not-found, site-changed, room-has-people, site-still-used."""
    there = await _room(conn, room_id, seen)
    if there["people"]:
        raise Refused("room-has-people", room=there["name"], people=there["people"])
    try:
        await exams.drop_rooms(conn, [room_id])
    except IntegrityError as fault:
        raise still_used(fault) from fault
    await exams.drop_empty_buildings(conn, there["exam_id"])
    return Done({"id": room_id}, "site.room-remove", {"room_id": room_id, "room": there["name"]})


async def rename_building(conn: AsyncConnection, building_id: int, *, name: str, seen: str) -> Done:
    """``{id, name}``. Refused: not-found, site-changed, building-exists."""
    there = await exam_setup.find_building(conn, building_id)
    if there is None:
        raise Refused("not-found")
    if there["name"] != seen:
        raise changed([("name", seen, there["name"])], None)
    try:
        await exam_setup.rename_building(conn, building_id, name)
    except IntegrityError as fault:
        raise already(fault, "building-exists", building=name) from fault
    subject = {"building": name, "before": seen, "room_ids": there["room_ids"]}
    return Done({"id": building_id, "name": name}, "site.building-rename", subject)


async def _room(conn: AsyncConnection, room_id: int, seen: RoomForm) -> dict[str, Any]:
    """The room, its exam locked, as long as it is what the page showed."""
    exam_id = await exam_setup.exam_of_room(conn, room_id)
    if exam_id is None:
        raise Refused("not-found")
    await exams.lock(conn, exam_id)
    there = await exam_setup.find_room(conn, room_id)
    if there is None:
        raise Refused("not-found")
    was, now = asdict(seen), asdict(_form(there))
    differs = [(name, was[name], now[name]) for name in was if was[name] != now[name]]
    if differs:
        raise changed(differs, await exam_setup.last_change(conn, "room_id", room_id))
    return there


def _form(there: Mapping[str, Any]) -> RoomForm:
    return RoomForm(there["name"], there["building"], there["number"], there["seats"], there["spares"])
