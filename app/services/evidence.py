"""Files as evidence: sent first, attached to a record afterwards, opened by whoever may read that record.

A file that is attached to nothing is seen by its sender only. Attaching is the record's own business (an incident's,
a discrepancy's, a misconduct record's): it calls ``attachable`` in its transaction. What a file is is told by its
bytes; the hash that is stored is the one of exactly these bytes, so that a copy can be compared with it later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.domain.evidence import kind_of, plain_name
from app.domain.roles import Action, allows, scope
from app.services.staff_requests import Done
from app.storage.postgres import evidence
from app.storage.postgres.evidence import Attached, Kept
from app.storage.postgres.staff import Login

log = structlog.get_logger(__name__)


def told(kept: Kept) -> dict[str, Any]:
    """What staff are told of a file: ``{id, name, content_type, size, sha256}``."""
    return {
        "id": kept.id, "name": kept.name, "content_type": kept.content_type, "size": kept.size, "sha256": kept.sha256,
    }  # fmt: skip


async def keep(
    conn: AsyncConnection, login: Login, *, session_id: int, name: str, body: bytes, sha256: str, now_ms: int
) -> Done:
    """Store the bytes as they came: ``{evidence}``. Refused: not-found, evidence-empty, evidence-type."""
    exam_id = await evidence.exam_of_session(conn, session_id)
    if exam_id is None:
        raise Refused("not-found")
    if not body:
        raise Refused("evidence-empty")
    kind = kind_of(body)
    if kind is None:
        raise Refused("evidence-type")
    kept = await evidence.insert(
        conn, body=body, exam_id=exam_id, sha256=sha256, content_type=kind, name=plain_name(name, kind),
        staff_id=login.staff_id, made_ms=now_ms,
    )  # fmt: skip
    subject = {"evidence": kept.id, "sha256": sha256, "size": kept.size, "name": kept.name, "session_id": session_id}
    return Done({"evidence": told(kept)}, "evidence.keep", subject)


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


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
    """A file with its bytes. Refused: not-found, not-permitted (logged)."""
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
    """Whether the login may read a record, and with it its files."""
    if record.staff_id == login.staff_id:
        return True
    if record.sealed:
        # Misconduct is sealed always (storage.postgres.evidence.attached).
        sealed: Action = "misconduct-view" if record.kind == "misconduct" else "incident-sealed"
        return scope(login.role, sealed) == "all"
    view: Action = "incident-view" if record.kind == "incident" else "discrepancy-view"
    return any(
        allows(login.role, view, room_id=room_id, own_room_ids=login.own_room_ids) for room_id in record.room_ids
    )
