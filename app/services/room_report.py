"""The record of a room in a session 考场情况记录单: who was expected and who came, and everything that happened there.

For paper, from the record as it stands; what the reader may not read (sealed incidents, records of misconduct other
than by their number) is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.documents.model import Block, Document, Facts, Heading, Language, Paragraph, Signatures
from app.domain.attendance import balance
from app.domain.errors import Refused
from app.domain.roles import allows, scope
from app.services import discrepancies, incidents, misconduct_removal
from app.services.day_words import Teller
from app.storage.postgres import (
    attendance,
    audit_search,
    day,
    printables,
    roll_calls,
    room_days,
    room_records,
    time_terms,
)
from app.storage.postgres.attendance import Placed
from app.storage.postgres.roll_calls import RollCall
from app.storage.postgres.room_records import RoomRecord
from app.storage.postgres.staff import Login


async def rooms_of(conn: AsyncConnection, login: Login, session_id: int, room_id: int | None) -> Sequence[RowMapping]:
    """The room, or every room in reach in which somebody sits. Refused: not-permitted, not-found."""
    if room_id is not None and not allows(login.role, "view-room", room_id=room_id, own_room_ids=login.own_room_ids):
        raise Refused("not-permitted")
    everywhere = scope(login.role, "view-room") == "all"
    only = {room_id} if room_id is not None else None if everywhere else login.own_room_ids
    found = await printables.rooms(conn, session_id, only=only, named=room_id is not None)
    if not found:
        raise Refused("not-found")
    return found


async def document(
    conn: AsyncConnection, login: Login, room: RowMapping, language: Language, *, now_ms: int
) -> Document:
    """The record of one of ``rooms_of``."""
    wall = await time_terms.wall_time(conn, now_ms)
    tell = Teller(language, wall, room["timezone"])
    everybody = await attendance.of_room(conn, room["session_id"], room["id"])
    record = await room_records.find(conn, room["session_id"], room["id"])
    during = await room_days.span(conn, room["session_id"], room["id"], now_ms=now_ms)
    on_duty, changed = await room_days.duty(conn, room["id"], during)
    seats = await printables.seats(conn, room["session_id"], room["id"])
    broken = await room_days.broken(conn, seats, room["id"], during)
    remarks: list[Block] = [Heading(tell("remarks")), Paragraph(record.remarks)] if record.remarks else []
    blocks: list[Block] = [
        Facts(await _head(conn, login, room, everybody, record, on_duty, tell)),
        *await _people(conn, room, everybody, tell),
        *await _happened(conn, login, room, tell, now_ms),
        *_roll_calls(await roll_calls.of_room(conn, room["session_id"], room["id"]), tell),
        *tell.telephone(
            await audit_search.told_during(
                conn, [room["session_id"]], {room["id"]}, whole=False, from_ms=during.from_ms, to_ms=during.to_ms
            )
        ),
        *_room(broken, changed, tell),
        Heading(tell("signing")),
        Facts(_signed(record, tell)),
        *remarks,
        Signatures([tell("sign_room"), tell("sign_chief")]),
    ]
    return Document(
        title=tell("record"),
        subtitle=f"{room['exam']}　{room['building']} {room['name']}　{room['session']}",
        language=language,
        blocks=blocks,
        foot=tell("printed", at=tell.today()),
    )


async def _head(
    conn: AsyncConnection,
    login: Login,
    room: RowMapping,
    everybody: Sequence[Placed],
    record: RoomRecord,
    on_duty: Sequence[str],
    tell: Teller,
) -> list[tuple[str, str]]:
    numbers = balance(one.standing for one in everybody)
    late = await day.admissions(conn, [room["session_id"]], {room["id"]})
    own = scope(login.role, "misconduct-view") != "all"

    def now(n: int, signed: int | None) -> str:
        return tell("people", n=n) + tell.since_signed(n, signed)

    pairs = [
        (tell("room"), f"{room['building']} {room['name']}"),
        (tell("session"), room["session"]),
        (tell("began"), tell.moment(room["start_ms"]) or "—"),
        (tell("duty"), "、".join(on_duty) or "—"),
        (tell("expected"), now(numbers.expected, record.signed_expected)),
        (tell("present"), now(numbers.present, record.signed_present)),
        (tell("absent"), now(numbers.absent, record.signed_absent)),
        (tell("deferred"), tell("people", n=numbers.deferred)),
        (tell("late"), tell("people", n=len(late))),
    ]
    if scope(login.role, "misconduct-view") is not None:
        staff_id = login.staff_id if own else None
        counted = await day.misconduct(conn, [room["session_id"]], {room["id"]}, staff_id=staff_id)
        label = tell("misconduct_own" if own else "misconduct")
        pairs.append((label, tell("people", n=counted.get(room["id"], 0))))
    return pairs


async def _people(conn: AsyncConnection, room: RowMapping, everybody: Sequence[Placed], tell: Teller) -> list[Block]:
    sessions, only = [room["session_id"]], {room["id"]}
    absent = [[one.seat, one.name, one.ticket, one.absent_by or ""] for one in everybody if one.standing == "absent"]
    deferred = [[one.seat, one.name, one.ticket] for one in everybody if one.standing == "deferred"]
    late = [
        [tell.hour(row["made_ms"]), row["seat"], row["name"], row["ticket"], row["reason"], row["by"]]
        for row in await day.admissions(conn, sessions, only)
    ]
    moved = [
        [row["name"], row["ticket"], f"{row['from_room']} {row['from_seat']}", f"{row['to_room']} {row['to_seat']}"]
        for row in await day.moved(conn, sessions, only)
    ]
    gone = [
        [tell.hour(row["withdrew_ms"]), row["seat"], row["name"], row["ticket"], row["withdrew_reason"], row["by"]]
        for row in await day.withdrawn(conn, sessions, only)
    ]
    return [
        *tell.table("absentees", ("seat", "name", "ticket", "by"), absent, (2, 4, 6, 4)),
        *tell.table("put_off", ("seat", "name", "ticket"), deferred, (2, 4, 6)),
        *tell.table("admitted", ("at", "seat", "name", "ticket", "reason", "by"), late, (3, 2, 4, 5, 6, 4)),
        *tell.table("withdrawn", ("at", "seat", "name", "ticket", "reason", "by"), gone, (3, 2, 4, 5, 6, 4)),
        *tell.table("moved", ("name", "ticket", "from", "to"), moved, (4, 6, 5, 5)),
    ]


async def _happened(conn: AsyncConnection, login: Login, room: RowMapping, tell: Teller, now_ms: int) -> list[Block]:
    sessions, only = [room["session_id"]], {room["id"]}
    told = (await incidents.listing(conn, login, room["session_id"], now_ms=now_ms))["incidents"]
    here = [
        one
        for one in reversed(told)
        if one["session_id"] in (None, room["session_id"]) and (room["id"] in one["room_ids"] or one["scope"] == "site")
    ]
    listed = (await discrepancies.listing(conn, login, room["session_id"], now_ms=now_ms))["discrepancies"]
    language = tell.language
    differ = [
        [
            one["seat"] or "", one["name"], one["ticket"], field[language], field[f"recorded_{language}"],
            field[f"claimed_{language}"], field[f"state_{language}"], one["by"],
        ]
        for one in listed
        if one["session_id"] == room["session_id"] and one["room_id"] == room["id"]
        for field in one["fields"]
    ]  # fmt: skip
    leaves = [
        [
            row["seat"], row["name"], row["ticket"], tell(row["kind"]) + (f" {row['note']}" if row["note"] else ""),
            tell.hour(row["left_ms"]), tell.hour(row["returned_ms"]) if row["came_back"] else tell("not_back"),
            row["left_by"],
        ]
        for row in await day.leaves(conn, sessions, only)
    ]  # fmt: skip
    claimed = (("编排数据", "Recorded"), ("证件所示", "On the document"))
    return [
        *tell.incidents(here),
        *tell.relogs(await day.relogs(conn, sessions, only)),
        *tell.times(misconduct_removal.untold(login, await day.times(conn, sessions, only))),
        *tell.by_itself(await day.by_itself(conn, sessions, only)),
        *tell.table(
            "leaves", ("seat", "name", "ticket", "reason", "left", "back", "by"), leaves, (2, 4, 5, 4, 3, 3, 4)
        ),
        *tell.titled(
            "discrepancies",
            [
                *(tell(key) for key in ("seat", "name", "ticket", "field")), *map(tell.one, claimed),
                tell("decision"), tell("by"),
            ],
            differ,
            (2, 4, 5, 3, 5, 5, 3, 4),
        ),
    ]  # fmt: skip


def _roll_calls(calls: Sequence[RollCall], tell: Teller) -> list[Block]:
    lines = []
    for one in reversed(calls):
        people, counts = one.told()["people"], one.counts
        gone = "、".join(f"{each['seat']} {each['name']} {each['ticket']}" for each in people if each["found"] is False)
        lines.append(
            [
                tell.hour(one.made_ms), one.by, str(counts["people"]), str(counts["found"]),
                f"{counts['missing']} {gone}".strip(), str(counts["open"]), tell.hour(one.closed_ms),
            ]
        )  # fmt: skip
    head = ("at", "by", "called", "found", "lacking", "uncalled", "closed")
    return tell.table("roll_calls", head, lines, (3, 4, 2, 2, 9, 2, 3))


def _room(broken: Sequence[tuple[str, str, bool]], changed: Sequence[Mapping[str, Any]], tell: Teller) -> list[Block]:
    """What became of its seats and of who watches it while the session was held."""
    seats = [[seat, reason + (tell("repaired") if repaired else "")] for seat, reason, repaired in broken]
    duty = [
        [tell.moment(row["ms"]), row["joined"] or "", row["left"] or "", row["reason"], row["by"]] for row in changed
    ]
    return [
        *tell.table("broken", ("seat", "reason"), seats, (2, 8)),
        *tell.table("duty_changes", ("at", "joined", "went", "reason", "by"), duty, (5, 4, 4, 6, 4)),
    ]


def _signed(record: RoomRecord, tell: Teller) -> list[tuple[str, str]]:
    def step(ms: int | None, by: str | None) -> str:
        return tell("nobody") if ms is None else f"{by} {tell.moment(ms)}"

    pairs = [
        (tell("absent_confirmed"), step(record.absent_ms, record.absent_by)),
        (tell("signed"), step(record.signed_ms, record.signed_by)),
        (tell("released"), step(record.released_ms, record.released_by)),
    ]
    if record.numbers is not None:
        told = " ".join(f"{tell(key)} {record.numbers[key]}" for key in ("expected", "present", "absent"))
        pairs.insert(2, (tell("signed_numbers"), told))
    return pairs
