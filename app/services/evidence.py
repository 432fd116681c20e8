"""Files as evidence: sent first, attached to a record afterwards, opened by whoever may read it (decision 0017).

A file that is attached to nothing is seen by its sender only. Attaching is the record's own business (an incident's,
a discrepancy's, a misconduct record's): it calls ``attachable`` in its transaction. What a file is is told by its
bytes; the hash that is stored is the one of exactly these bytes, so that a copy can be compared with it later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.domain.evidence import kind_of, plain_name
from app.domain.roles import Action, allows, scope
from app.services import incident_scope
from app.services.staff_requests import Done
from app.storage.postgres import evidence
from app.storage.postgres.evidence import Attached, Kept
from app.storage.postgres.staff import Login

log = structlog.get_logger(__name__)
# Whoever may write one of these records sends files for it.
SENDING: tuple[Action, ...] = ("incident-open", "discrepancy-open", "misconduct-open")


def told(kept: Kept) -> dict[str, Any]:
    """What staff are told of a file: ``{id, name, content_type, size, sha256}``."""
    return {
        "id": kept.id, "name": kept.name, "content_type": kept.content_type, "size": kept.size, "sha256": kept.sha256,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sent:
    """A file as it came; ``kind`` is None for what is no evidence."""

    name: str
    body: bytes
    sha256: str
    kind: str | None


def looked_at(name: str, body: bytes) -> Sent:
    """Some megabytes are read through: not for the loop that everybody's answers wait for."""
    return Sent(name, body, hashlib.sha256(body).hexdigest(), kind_of(body))


async def keep(conn: AsyncConnection, login: Login, sent: Sent, *, session_id: int, most: int, now_ms: int) -> Done:
    """Store the bytes as they came, while all files of the exam are not more than ``most`` bytes: ``{evidence}``.
    Refused: not-found, not-permitted (no room of that exam is theirs), evidence-empty, evidence-type, evidence-full."""
    exam_id = await evidence.exam_of_session(conn, session_id)
    if exam_id is None:
        raise Refused("not-found")
    if not _reaches(login) and not await evidence.has_room(conn, exam_id, login.own_room_ids):
        raise Refused("not-permitted")
    if not sent.body:
        raise Refused("evidence-empty")
    if sent.kind is None:
        raise Refused("evidence-type")
    if await evidence.total(conn, exam_id) + len(sent.body) > most:
        raise Refused("evidence-full", most=most)
    kept = await evidence.insert(
        conn, body=sent.body, exam_id=exam_id, sha256=sent.sha256, content_type=sent.kind,
        name=plain_name(sent.name, sent.kind), staff_id=login.staff_id, made_ms=now_ms,
    )  # fmt: skip
    subject = {
        "evidence": kept.id, "sha256": kept.sha256, "size": kept.size, "name": kept.name, "session_id": session_id,
    }  # fmt: skip
    return Done({"evidence": told(kept)}, "evidence.keep", subject)


def _reaches(login: Login) -> bool:
    return any(scope(login.role, action) == "all" for action in SENDING)


async def attachable(conn: AsyncConnection, login: Login, evidence_ids: Sequence[int], *, exam_id: int) -> list[Kept]:
    """The files, for a record of this exam: its own sender attaches a file, and once. Refused: evidence-unknown,
    evidence-attached."""
    ids = list(dict.fromkeys(evidence_ids))
    await evidence.lock(conn, ids)
    found = await evidence.find(conn, ids)
    mine = [one for one in found if one.staff_id == login.staff_id and one.exam_id == exam_id]
    if len(mine) < len(ids):
        raise Refused("evidence-unknown")
    if await evidence.attached(conn, ids):
        raise Refused("evidence-attached")
    return mine


async def opened(conn: AsyncConnection, login: Login, evidence_id: int) -> tuple[Kept, bytes]:
    """A file with its bytes, for whoever may read one of its records; that it was opened, and by whom, is on the log of
    the service. Refused: not-found, not-permitted (logged)."""
    found = await evidence.find(conn, [evidence_id])
    if not found:
        raise Refused("not-found")
    kept = found[0]
    records = await evidence.attached(conn, [evidence_id])
    mine = not records and kept.staff_id == login.staff_id
    if not mine and not any(may_read(login, record) for record in records):
        log.warning("evidence not opened", staff=login.username, evidence=evidence_id)
        raise Refused("not-permitted")
    log.info("evidence opened", staff=login.username, evidence=evidence_id, sha256=kept.sha256)
    return kept, await evidence.body(conn, evidence_id)


def may_read(login: Login, record: Attached) -> bool:
    """Whether the login may read a record, and with it its files; who wrote a record reads it always."""
    if record.kind == "incident":
        # In no room it is the office's: asked by rooms, nobody but its writer could open its files.
        head = {"staff_id": record.staff_id, "sealed": record.sealed, "room_ids": record.room_ids}
        return incident_scope.may_read(login, head)
    if record.staff_id == login.staff_id:
        return True
    if record.kind == "misconduct":
        return scope(login.role, "misconduct-view") == "all"
    return any(
        allows(login.role, "discrepancy-view", room_id=room_id, own_room_ids=login.own_room_ids)
        for room_id in record.room_ids
    )
