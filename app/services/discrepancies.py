"""The record and the candidate disagree (信息不符, plan 3): written down at the door, and the candidate sits first.

One request says who, what differs, and how it was made sure that this is the person; it admits them provisionally and
checks them in. Where the document's number differs, its last six let the candidate sign in from then on
(``storage.postgres.attempts.of_ticket``). What becomes of the record is the office's, afterwards
(``services.corrections``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import discrepancies as rules
from app.domain import identity
from app.domain.discrepancies import FIELD_WORDS, Field
from app.domain.errors import Refused
from app.domain.evidence import is_picture
from app.domain.roles import allows, scope
from app.services import discrepancies_told, evidence
from app.services.staff_requests import Done
from app.storage.postgres import attendance, leaves, notices, room_records
from app.storage.postgres import discrepancies as rows
from app.storage.postgres import evidence as stored_files
from app.storage.postgres.attendance import Placed
from app.storage.postgres.evidence import Kept
from app.storage.postgres.staff import Login

MINUTE_MS = 60_000
# What the candidate's page says.
TOLD = (
    "您的信息与编排数据不一致，已如实登记。请照常考试，考后由考务办公室核对更正。",
    "Your data differ from the roster; this is written down. Sit the exam as usual: the office corrects it afterwards.",
)


@dataclass(frozen=True, slots=True)
class Opening:
    """``claims``: what the document says, by field; of a photo the id of one of ``files``."""

    session_id: int
    room_id: int
    ticket: str
    claims: Mapping[Field, str]
    identified: str
    note: str = ""
    told_by: str = ""
    files: tuple[int, ...] = ()


async def open_discrepancy(conn: AsyncConnection, login: Login, asked: Opening, *, clock: Callable[[], int]) -> Done:
    """``{discrepancy, admitted, checked_in}``; ``checked_in`` False when the door is closed to them or it was done.

    Refused: not-permitted, ticket-unknown, other-session, other-room, discrepancy-malformed, discrepancy-same,
    discrepancy-open (who wrote the same field down before), evidence-unknown, evidence-attached, evidence-type.
    """
    place = await placed(conn, login, asked.session_id, asked.room_id, asked.ticket)
    record = (await rows.lock_recorded(conn, [place.candidate_id]))[place.candidate_id]
    now_ms = clock()
    before = {row["field"]: row for row in await rows.open_fields(conn, place.candidate_id)}
    again = [before[field] for field in asked.claims if field in before]
    if again:
        names = [FIELD_WORDS[row["field"]] for row in again]
        raise Refused(
            "discrepancy-open", name=place.name, by=again[0]["by"], fields_zh="、".join(zh for zh, _ in names),
            fields_en=", ".join(en for _, en in names), minutes=(now_ms - again[0]["made_ms"]) // MINUTE_MS,
        )  # fmt: skip
    kept = await evidence.attachable(conn, login, asked.files, exam_id=place.exam_id)
    fields = _differing(record, asked.claims, kept)
    new = await rows.enter(
        conn,
        {
            "session_id": place.session_id, "candidate_id": place.candidate_id, "room_id": place.room_id,
            "identified": asked.identified, "note": asked.note, "told_by": asked.told_by, "staff_id": login.staff_id,
            "made_ms": now_ms,
        },
        fields,
        [one.id for one in kept],
    )  # fmt: skip
    admitted = await rows.admit(
        conn,
        {
            "session_id": place.session_id, "candidate_id": place.candidate_id, "reason": asked.identified,
            "told_by": asked.told_by, "staff_id": login.staff_id, "made_ms": now_ms,
        },
    )  # fmt: skip
    checked_in = await _check_in(conn, login, place, now_ms)
    await _tell_candidate(conn, place, now_ms)
    told = await one(conn, login, new, now_ms=now_ms)
    subject = {
        **place.subject(),
        "discrepancy": new,
        "name": place.name,
        "fields": list(fields),
        "before": {field: rules.shown(field, old, whole=False) for field, (old, _) in fields.items()},
        "claimed": {field: rules.shown(field, new_, whole=False) for field, (_, new_) in fields.items()},
        "identified": asked.identified,
        "evidence": [each.id for each in kept],
        "checked_in": checked_in,
        "told_by": asked.told_by,
    }
    return Done({**told, "admitted": admitted, "checked_in": checked_in}, "discrepancy.open", subject, now_ms)


async def attach(
    conn: AsyncConnection,
    login: Login,
    discrepancy_id: int,
    files: Sequence[int],
    *,
    told_by: str,
    clock: Callable[[], int],
) -> Done:
    """More photos or scans: ``{discrepancy}``. Refused: not-found, not-permitted, evidence-unknown,
    evidence-attached."""
    head = await rows.find(conn, discrepancy_id)
    if head is None:
        raise Refused("not-found")
    if not allows(login.role, "discrepancy-open", room_id=head["room_id"], own_room_ids=login.own_room_ids):
        raise Refused("not-permitted")
    kept = await evidence.attachable(conn, login, files, exam_id=head["exam_id"])
    await rows.attach(conn, discrepancy_id, [each.id for each in kept])
    subject = {**discrepancies_told.subject_of(head), "evidence": [each.id for each in kept], "told_by": told_by}
    now_ms = clock()
    return Done(await one(conn, login, discrepancy_id, now_ms=now_ms), "discrepancy.evidence", subject, now_ms)


async def placed(conn: AsyncConnection, login: Login, session_id: int, room_id: int, ticket: str) -> Placed:
    """The candidate, locked, in the room that was named. Refused as ``open_discrepancy``."""
    if not allows(login.role, "discrepancy-open", room_id=room_id, own_room_ids=login.own_room_ids):
        raise Refused("not-permitted")
    key = identity.ticket_key(ticket)
    found = await attendance.lock(conn, session_id, [key])
    if not found:
        others = await attendance.elsewhere(conn, session_id, key)
        if others is None:
            raise Refused("ticket-unknown", ticket=key)
        raise Refused("other-session", ticket=key, sessions=others or "—")
    place = found[0]
    if place.room_id != room_id:
        raise Refused("other-room", name=place.name, room=place.room, seat=place.seat)
    return place


def _differing(record: RowMapping, claims: Mapping[Field, str], kept: Sequence[Kept]) -> dict[str, tuple[str, str]]:
    """Each field with what is recorded and what is claimed."""
    kind = claims.get("id_kind", record["id_kind"])
    pictures = {str(each.id): each.sha256 for each in kept if is_picture(each.content_type)}
    fields: dict[str, tuple[str, str]] = {}
    for field, typed in claims.items():
        if field == "photo":
            if typed not in pictures:
                raise Refused("evidence-type")
            value = pictures[typed]
        else:
            value = rules.claim(field, typed, id_kind=kind)
        if value == record[field]:
            zh, en = FIELD_WORDS[field]
            raise Refused("discrepancy-same", field=field, field_zh=zh, field_en=en)
        fields[field] = (record[field], value)
    return fields


async def _check_in(conn: AsyncConnection, login: Login, place: Placed, now_ms: int) -> bool:
    """Whoever is admitted provisionally is there; but this opens no door that is closed, and no signed record."""
    if place.checked_in_ms is not None or place.state in ("ended", "final"):
        return False
    if place.signed_in_ms is None and not place.admitted and not place.door.open_at(now_ms):
        return False
    if (await room_records.find(conn, place.session_id, place.room_id)).signed_ms is not None:
        return False
    await attendance.check_in(conn, place.allocation_id, staff_id=login.staff_id, now_ms=now_ms)
    return True


async def _tell_candidate(conn: AsyncConnection, place: Placed, now_ms: int) -> None:
    """Their page says so with its next reply, or with the first one after they have signed in."""
    if place.attempt_id is None or place.state != "open":
        return
    zh, en = TOLD
    await notices.create(conn, place.session_id, "discrepancy", None, zh, en, [place.attempt_id], now_ms)
    # Also before they have signed in: by the revision alone a reply knows that there is something to show.
    await leaves.move_page(conn, place.attempt_id)


# --- reading ---


async def about(conn: AsyncConnection, login: Login, session_id: int, room_id: int, ticket: str) -> dict[str, Any]:
    """For the form: ``{candidate: {ticket, name, room, seat}, fields: [{field, zh, en, recorded, …, open_by}], kinds,
    genders}``.
    Refused: not-permitted, ticket-unknown."""
    if not allows(login.role, "discrepancy-open", room_id=room_id, own_room_ids=login.own_room_ids):
        raise Refused("not-permitted")
    key = identity.ticket_key(ticket)
    place = next((each for each in await attendance.of_room(conn, session_id, room_id) if each.ticket == key), None)
    if place is None:
        raise Refused("ticket-unknown", ticket=key)
    record = (await rows.recorded(conn, [place.candidate_id]))[place.candidate_id]
    waiting = {row["field"]: row["by"] for row in await rows.open_fields(conn, place.candidate_id)}
    who = {
        "ticket": place.ticket, "name": place.name, "room_id": place.room_id, "room": place.room, "seat": place.seat,
    }  # fmt: skip
    fields = []
    for field in rules.FIELDS:
        zh, en = FIELD_WORDS[field]
        old_zh, old_en = rules.words(field, record[field], whole=False)
        fields.append(
            {
                "field": field, "zh": zh, "en": en, "recorded": rules.shown(field, record[field], whole=False),
                "recorded_zh": old_zh, "recorded_en": old_en, "open_by": waiting.get(field),
            }
        )  # fmt: skip
    kinds = [{"id": kind, "zh": zh, "en": en} for kind, (zh, en) in identity.ID_KINDS.items()]
    return {"candidate": who, "fields": fields, "kinds": kinds, "genders": list(rules.GENDERS)}


async def one(conn: AsyncConnection, login: Login, discrepancy_id: int, *, now_ms: int) -> dict[str, Any]:
    """``{discrepancy}``. Refused: not-found, not-permitted."""
    head = await rows.find(conn, discrepancy_id)
    if head is None:
        raise Refused("not-found")
    mine = head["staff_id"] == login.staff_id
    if not mine and not allows(
        login.role, "discrepancy-view", room_id=head["room_id"], own_room_ids=login.own_room_ids
    ):
        raise Refused("not-permitted")
    return {"discrepancy": (await discrepancies_told.told(conn, login, [head], now_ms=now_ms))[0]}


async def listing(conn: AsyncConnection, login: Login, session_id: int, *, now_ms: int) -> dict[str, Any]:
    """``{discrepancies, counts: {open, approved, rejected}}`` of the session's exam, newest first: of one's rooms."""
    exam_id = await stored_files.exam_of_session(conn, session_id)
    if exam_id is None:
        raise Refused("not-found")
    reach = None if scope(login.role, "discrepancy-view") == "all" else login.own_room_ids
    each = await discrepancies_told.told(conn, login, await rows.of_exam(conn, exam_id, reach), now_ms=now_ms)
    states = [field["state"] for head in each for field in head["fields"]]
    return {"discrepancies": each, "counts": {state: states.count(state) for state in rules.STATE_WORDS}}
