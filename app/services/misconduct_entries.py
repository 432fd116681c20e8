"""What is added to a record of misconduct: notes, witnesses, files, that the candidate was told, another measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.services import evidence, misconduct, misconduct_removal, staff_requests
from app.services.misconduct import Measure, Signature
from app.services.misconduct_removal import Removal
from app.services.site import Site
from app.services.staff_requests import Done
from app.services.time_words import hour, iso
from app.storage.postgres import attendance, time_terms
from app.storage.postgres import misconduct as rows
from app.storage.postgres.staff import Login

Kind = Literal["note", "witness", "told", "evidence", "measure"]


@dataclass(frozen=True, slots=True)
class Entry:
    """By kind: note (``text``), witness (``name``, ``text``), told (``signature``, ``text``), evidence (``files``,
    ``text``), measure (``measure``, ``text``: why). ``seen``: the newest entry on the page."""

    kind: Kind
    seen: int
    text: str = ""
    name: str = ""
    signature: Signature = ""
    measure: Measure | None = None
    files: tuple[int, ...] = ()
    told_by: str = ""


async def write(
    site: Site, login: Login, request: staff_requests.Request, misconduct_id: int, entry: Entry
) -> dict[str, Any]:
    """``{misconduct}`` as it is then. Refused: not-found, not-permitted, misconduct-changed, misconduct-removed,
    candidate-ended, entry-empty, evidence-unknown, evidence-attached."""
    removed: list[Removal] = []

    async def act(conn: AsyncConnection) -> Done:
        return await _write(site, conn, login, misconduct_id, entry, removed)

    reply = await staff_requests.once(site.engine, login, request, act, now_ms=site.service_time.now_ms())
    await misconduct_removal.after(site, removed)
    return reply


async def _write(
    site: Site, conn: AsyncConnection, login: Login, misconduct_id: int, entry: Entry, removed: list[Removal]
) -> Done:
    head = await misconduct.held(conn, misconduct_id)
    # The attempt first, as everywhere; then the record, and what it says by now.
    places = await attendance.lock(conn, head["session_id"], [head["ticket"]])
    await rows.lock(conn, misconduct_id)
    head = await misconduct.held(conn, misconduct_id)
    if not misconduct.may_write(login, head):
        raise Refused("not-permitted")
    now_ms = site.service_time.now_ms()
    if head["newest"] != entry.seen:
        await _changed(conn, head, now_ms)
    data: dict[str, Any] = {"text": entry.text} | ({"told_by": entry.told_by} if entry.told_by else {})
    by = {"staff_id": login.staff_id, "made_ms": now_ms}
    match entry.kind:
        case "note":
            _needed(entry.text)
            await rows.enter(conn, head["id"], "note", data, **by)
        case "witness":
            _needed(entry.name)
            await rows.enter(conn, head["id"], "witness", {**data, "name": entry.name}, **by)
        case "told":
            await rows.change(conn, head["id"], {"told": True, "signature": entry.signature})
            await rows.enter(conn, head["id"], "told", {**data, "signature": entry.signature}, **by)
        case "evidence":
            for kept in await evidence.attachable(conn, login, entry.files, exam_id=head["exam_id"]):
                await rows.enter(conn, head["id"], "evidence", data, evidence_id=kept.id, **by)
        case "measure":
            _needed(entry.text)
            if entry.measure is None or entry.measure == head["measure"]:
                raise Refused("entry-empty")
            misconduct.permit(login, entry.measure, head["room_id"], head["measure"])
            await rows.change(conn, head["id"], {"measure": entry.measure})
            change = {**data, "measure": entry.measure, "before": head["measure"]}
            await rows.enter(conn, head["id"], "measure", change, **by)
            if entry.measure == "removed":
                if not places:
                    raise Refused("not-found")
                removed.append(await misconduct_removal.remove(conn, login, places[0], now_ms, mine=head["id"]))
    told = await misconduct.view(conn, login, head["id"], now_ms=now_ms)
    after = await misconduct.held(conn, head["id"])
    subject = {**misconduct.subject(after), "entry": after["newest"], "told_by": entry.told_by}
    return Done(told, f"misconduct.{entry.kind}", subject)


def _needed(text: str) -> None:
    if not text:
        raise Refused("entry-empty")


async def _changed(conn: AsyncConnection, head: RowMapping, now_ms: int) -> None:
    newest = (await rows.entries(conn, head["id"]))[-1]
    wall = await time_terms.wall_time(conn, now_ms)
    raise Refused("misconduct-changed", by=newest["by"], at=hour(iso(wall, newest["made_ms"], head["timezone"])))
