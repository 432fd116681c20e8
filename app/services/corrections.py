"""The correction list (plan 3): the office decides on every field that was written down, once, and the record follows.

Several may be decided together, which two swapped document numbers need. Each decision carries the value of the record
that was seen beside the claim; both values stay where they were written. Lock order: the exam, the candidates by id,
the fields, the audit head.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import discrepancies as rules
from app.domain.discrepancies import FIELD_WORDS
from app.domain.errors import Refused
from app.domain.identity import id_tail, id_tail_hmac
from app.services import discrepancies_told
from app.services.staff_requests import Done
from app.services.time_words import iso
from app.storage.postgres import candidates, exams, time_terms
from app.storage.postgres import discrepancies as rows
from app.storage.postgres.staff import Login


@dataclass(frozen=True, slots=True)
class Decision:
    """``seen``: what the record held, as the page showed it."""

    discrepancy_id: int
    field: str
    approve: bool
    seen: str
    note: str = ""


async def decide(
    conn: AsyncConnection, login: Login, decisions: Sequence[Decision], *, secret: bytes, clock: Callable[[], int]
) -> Done:
    """``{discrepancies}``, those that were decided on. The caller has asked whether the login may.

    Refused: not-found, discrepancy-decided (by whom and when), discrepancy-same-person (nobody approves what they wrote
    down themselves), discrepancy-moved (the record is not what was seen), discrepancy-id-taken.
    """
    ids = sorted({each.discrepancy_id for each in decisions})
    heads = {head["id"]: head for head in await rows.some(conn, ids)}
    if len(heads) < len(ids):
        raise Refused("not-found")
    for exam_id in sorted({head["exam_id"] for head in heads.values()}):
        await exams.lock(conn, exam_id)
    records = await rows.lock_recorded(conn, [head["candidate_id"] for head in heads.values()])
    fields = {
        (owner, row["field"]): row for owner, each in (await rows.fields(conn, ids, lock=True)).items() for row in each
    }
    now_ms = clock()
    done: list[dict[str, object]] = []
    changes: dict[int, dict[str, Any]] = {}
    for each in decisions:
        head = heads[each.discrepancy_id]
        row = fields.get((each.discrepancy_id, each.field))
        if row is None:
            raise Refused("not-found")
        record = records[head["candidate_id"]]
        await _still_as_seen(conn, head, row, record, each, now_ms)
        if each.approve and head["staff_id"] == login.staff_id:
            raise Refused("discrepancy-same-person", name=head["candidate"])
        state = "approved" if each.approve else "rejected"
        if not await rows.decide(
            conn, each.discrepancy_id, each.field, state=state, note=each.note, staff_id=login.staff_id, now_ms=now_ms
        ):
            # The same field twice in one request.
            raise Refused("not-found")
        if each.approve:
            await _take(conn, head, row, changes)
        done.append(_said(head, row, record, each))
    await _apply(conn, records, changes, secret)
    told = await discrepancies_told.told(conn, login, list(heads.values()), now_ms=now_ms)
    return Done({"discrepancies": told}, "discrepancy.decide", _subject(list(heads.values()), done), now_ms)


async def _still_as_seen(
    conn: AsyncConnection, head: RowMapping, row: RowMapping, record: RowMapping, asked: Decision, now_ms: int
) -> None:
    zh, en = FIELD_WORDS[row["field"]]
    about = {"name": head["candidate"], "field_zh": zh, "field_en": en}
    if row["state"] != "open":
        wall = await time_terms.wall_time(conn, now_ms)
        state_zh, state_en = rules.STATE_WORDS[row["state"]]
        at = iso(wall, row["decided_ms"], head["timezone"])
        raise Refused("discrepancy-decided", by=row["by"], at=at, state_zh=state_zh, state_en=state_en, **about)
    if asked.seen != record[row["field"]]:
        now_zh, now_en = rules.words(row["field"], record[row["field"]], whole=True)
        raise Refused("discrepancy-moved", now_zh=now_zh, now_en=now_en, **about)


async def _take(conn: AsyncConnection, head: RowMapping, row: RowMapping, changes: dict[int, dict[str, Any]]) -> None:
    if row["field"] != "photo":
        changes.setdefault(head["candidate_id"], {})[row["field"]] = row["claimed"]
    elif not await rows.take_photo(conn, head["candidate_id"], head["id"], row["claimed"]):
        raise LookupError(f"the photo {row['claimed']} of discrepancy {head['id']} is not attached to it")


async def _apply(
    conn: AsyncConnection, records: Mapping[int, RowMapping], changes: Mapping[int, dict[str, Any]], secret: bytes
) -> None:
    """Together, so that two numbers may change places; the last six sign in from the commit on."""
    if not changes:
        return
    changed = []
    for candidate_id, values in sorted(changes.items()):
        tail = {}
        if "id_number" in values:
            tail = {"id_tail_hmac": id_tail_hmac(secret, id_tail(values["id_number"]))}
        changed.append({"id": candidate_id, **values, **tail})
    try:
        async with conn.begin_nested():
            await candidates.change(conn, changed)
    except IntegrityError as fault:
        wanted = [
            (values.get("id_kind", records[one]["id_kind"]), values.get("id_number", records[one]["id_number"]))
            for one, values in changes.items()
        ]
        exam_id = records[next(iter(changes))]["exam_id"]
        holders = await rows.holders(conn, exam_id, wanted, list(changes))
        raise Refused("discrepancy-id-taken", tickets="、".join(holders) or "—") from fault


def _said(head: RowMapping, row: RowMapping, record: RowMapping, asked: Decision) -> dict[str, object]:
    """One decision as the audit log holds it: before and after, a document's number masked."""
    field = row["field"]
    return {
        "discrepancy": head["id"],
        "ticket": head["ticket"],
        "field": field,
        "approved": asked.approve,
        "before": rules.shown(field, record[field], whole=False),
        "after": rules.shown(field, row["claimed"] if asked.approve else record[field], whole=False),
        "note": asked.note,
    }


def _subject(heads: Sequence[RowMapping], done: Sequence[dict[str, object]]) -> dict[str, object]:
    common: dict[str, object] = {"decisions": list(done), "tickets": sorted({head["ticket"] for head in heads})}
    if len(heads) == 1:
        return {**discrepancies_told.subject_of(heads[0]), **common}
    return {**common, "room_ids": sorted({head["room_id"] for head in heads})}
