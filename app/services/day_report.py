"""The report of a day 考试情况汇总: who came, room by room; what happened, was decided, credited; what is open.

Of the rooms in reach: the exam office's is the whole site's, a chief's that of their rooms. From the record as it
stands, so that the same report printed again tomorrow says what became of what was open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.documents.model import Block, Document, Heading, Language, Paragraph, Signatures, Table
from app.domain.errors import Refused
from app.domain.roles import scope
from app.services import discrepancies, incidents, misconduct_removal, time_lookup
from app.services.day_words import Teller
from app.settings import Settings
from app.storage.postgres import audit_search, day, exports, room_days, time_terms
from app.storage.postgres.exports import Sitting
from app.storage.postgres.staff import Login

COUNTS = ("expected", "present", "absent", "deferred", "late", "handed_in", "timed_out", "withdrew", "forced", "open")


async def document(
    settings: Settings,
    conn: AsyncConnection,
    login: Login,
    language: Language,
    *,
    exam_id: int | None,
    session_id: int | None,
    now_ms: int,
) -> Document:
    """Of all the exam's sessions, or of one. Refused not-found."""
    sittings = await exports.sessions(conn, exam_id=exam_id, session_id=session_id)
    if not sittings:
        raise Refused("not-found")
    only = None if scope(login.role, "hall-view") == "all" else login.own_room_ids
    ids = [one.id for one in sittings]
    tell = Teller(language, await time_terms.wall_time(conn, now_ms), sittings[0].timezone)
    rooms = await day.rooms(conn, ids, only)
    lost = await _lost(settings, conn, sittings, {row["room"] for row in rooms}, now_ms=now_ms)
    cases = await _cases(conn, login, sittings, only, now_ms=now_ms)
    open_ = await _open(conn, ids, only, rooms, cases, tell)
    blocks: list[Block] = [
        Heading(tell("numbers")),
        _totals(sittings, rooms, lost, tell),
        Heading(tell("pending")),
        _pending(open_, tell),
        *tell.incidents(cases["incidents"]),
        *_decisions(await day.decisions(conn, ids, only), tell),
        *tell.times(misconduct_removal.untold(login, await day.times(conn, ids, only))),
        *tell.by_itself(await day.by_itself(conn, ids, only)),
        *await _misconduct(conn, login, ids, only, rooms, tell),
        *await _during(conn, sittings, only, tell, now_ms=now_ms),
        *_rooms(rooms, lost, tell),
        Signatures([tell("sign_chief"), tell("sign_office")]),
    ]
    return Document(
        title=tell("report"),
        subtitle=f"{sittings[0].exam}　{'、'.join(one.name for one in sittings)}",
        language=language,
        blocks=blocks,
        foot=tell("printed", at=tell.today()),
        landscape=True,
    )


Lost = Mapping[tuple[int, str], Sequence[int]]


async def _lost(
    settings: Settings, conn: AsyncConnection, sittings: Sequence[Sitting], names: Collection[str], *, now_ms: int
) -> Lost:
    """What everybody's time was moved by, in ms, by session and room; who lost nothing is left out."""
    found: dict[tuple[int, str], list[int]] = {}
    for one in sittings:
        rows = await time_lookup.export(settings, conn, one.id, now_ms=now_ms)
        # Hundreds of ledgers are worked out on the way.
        for row in await asyncio.to_thread(list, rows):
            if row[3] in names and int(row[8]):
                found.setdefault((one.id, row[3]), []).append(int(row[8]))
    return found


async def _cases(
    conn: AsyncConnection, login: Login, sittings: Sequence[Sitting], only: Collection[int] | None, *, now_ms: int
) -> dict[str, list[dict[str, Any]]]:
    """Incidents by number, and discrepancies, that belong to the sessions and are in reach."""
    ids = {one.id for one in sittings}
    told = (await incidents.listing(conn, login, sittings[0].id, now_ms=now_ms))["incidents"]
    listed = (await discrepancies.listing(conn, login, sittings[0].id, now_ms=now_ms))["discrepancies"]
    return {
        "incidents": [one for one in reversed(told) if one["session_id"] is None or one["session_id"] in ids],
        "discrepancies": [
            one for one in listed if one["session_id"] in ids and (only is None or one["room_id"] in only)
        ],
    }


async def _open(
    conn: AsyncConnection,
    ids: Sequence[int],
    only: Collection[int] | None,
    rooms: Sequence[RowMapping],
    cases: Mapping[str, Sequence[Mapping[str, Any]]],
    tell: Teller,
) -> dict[str, int]:
    fields = [field for one in cases["discrepancies"] for field in one["fields"]]
    return {
        **await day.undone(conn, ids, only),
        "signed": sum(row["signed_ms"] is None for row in rooms),
        "changed": sum(any(_since(row, tell).values()) for row in rooms),
        "released": sum(row["released_ms"] is None for row in rooms),
        "incidents": sum(one["state"] == "open" for one in cases["incidents"]),
        "fields": sum(field["state"] == "open" for field in fields),
    }


def _pending(found: Mapping[str, int], tell: Teller) -> Block:
    lines = [[tell(f"p_{key}"), str(n)] for key, n in found.items() if n]
    return Table([tell("item"), tell("n")], lines, (6, 1)) if lines else Paragraph(tell("nothing_pending"))


def _counts(rows: Sequence[RowMapping]) -> list[str]:
    return [str(sum(row[key] for row in rows)) for key in COUNTS]


def _since(row: RowMapping, tell: Teller) -> dict[str, str]:
    return {key: tell.since_signed(row[key], row[f"signed_{key}"]) for key in ("expected", "present", "absent")}


def _times(each: Sequence[int], tell: Teller) -> list[str]:
    return [str(len(each)), tell.length(max(each)) if each else ""]


def _totals(sittings: Sequence[Sitting], rooms: Sequence[RowMapping], lost: Lost, tell: Teller) -> Table:
    lines = []
    for one in sittings:
        mine = [row for row in rooms if row["session_id"] == one.id]
        each = [ms for (session, _), some in lost.items() if session == one.id for ms in some]
        lines.append([one.name, str(len(mine)), *_counts(mine), *_times(each, tell)])
    if len(sittings) > 1:
        each = [ms for some in lost.values() for ms in some]
        lines.append([tell("all"), "", *_counts(rooms), *_times(each, tell)])
    head = [tell(key) for key in ("session", "room_count", *COUNTS, "with_time", "credited")]
    return Table(head, lines, (6, 3, *[3] * len(COUNTS), 4, 5))


def _rooms(rooms: Sequence[RowMapping], lost: Lost, tell: Teller) -> list[Block]:
    lines = []
    for row in rooms:
        each = lost.get((row["session_id"], row["room"]), ())
        steps = [
            f"{row[f'{step}_by']} {tell.hour(row[f'{step}_ms'])}" if row[f"{step}_ms"] is not None else tell("nobody")
            for step in ("signed", "released")
        ]
        since = _since(row, tell)
        counts = [n + since.get(key, "") for key, n in zip(COUNTS, _counts([row]), strict=True)]
        lines.append([row["session"], row["building"], row["room"], *counts, *_times(each, tell), *steps])
    head = ("session", "building", "room", *COUNTS, "with_time", "credited", "signed", "released")
    return tell.table("rooms", head, lines, (4, 4, 5, *[3] * len(COUNTS), 4, 5, 5, 5))


def _decisions(rows: Sequence[RowMapping], tell: Teller) -> list[Block]:
    lines = [
        [
            row["number"], tell(row["kind"]), row["text"], str(row["people"]),
            f"{row['proposed_by']} {tell.hour(row['proposed_ms'])}",
            "" if row["approved_by"] is None else f"{row['approved_by']} {tell.hour(row['approved_ms'])}",
            tell(f"d_{row['state']}"),
        ]
        for row in rows
    ]  # fmt: skip
    head = ("number", "kind", "text", "count", "proposed", "approved", "state")
    return tell.table("decisions", head, lines, (3, 3, 9, 2, 5, 5, 3))


async def _misconduct(
    conn: AsyncConnection,
    login: Login,
    ids: Sequence[int],
    only: Collection[int] | None,
    rooms: Sequence[RowMapping],
    tell: Teller,
) -> list[Block]:
    """Head-counts alone, and for whom the records are only their own, those."""
    reach = scope(login.role, "misconduct-view")
    if reach is None:
        return []
    found = await day.misconduct(conn, ids, only, staff_id=None if reach == "all" else login.staff_id)
    names = {row["room_id"]: f"{row['building']} {row['room']}" for row in rooms}
    lines = [[names.get(room, ""), str(n)] for room, n in sorted(found.items())]
    if not lines:
        return []
    lines.append([tell("all"), str(sum(found.values()))])
    heading = tell("misconduct" if reach == "all" else "misconduct_own")
    return [Heading(heading), Table([tell("room"), tell("count")], lines, (6, 1))]


async def _during(
    conn: AsyncConnection, sittings: Sequence[Sitting], only: Collection[int] | None, tell: Teller, *, now_ms: int
) -> list[Block]:
    """What was done by telephone, and which seats were out of order, while the sessions were held."""
    names = {one.id: one.name for one in sittings}
    during = await room_days.spans(conn, list(names), only, now_ms=now_ms)
    told = await audit_search.told_during(
        conn, list(names), {room for _, room in during}, whole=only is None,
        from_ms=min((one.from_ms for one in during.values()), default=now_ms),
        to_ms=max((one.to_ms for one in during.values()), default=now_ms),
    )  # fmt: skip
    lines = [
        ["、".join(names[one] for one in sessions), room, seat, reason + (tell("repaired") if repaired else "")]
        for sessions, room, seat, reason, repaired in await room_days.all_broken(conn, during, now_ms=now_ms)
    ]
    return [*tell.telephone(told), *tell.table("broken", ("session", "room", "seat", "reason"), lines, (4, 3, 1, 8))]
