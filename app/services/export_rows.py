"""The rows of an export, a chunk at a time, all of one snapshot (``services.exporting`` keeps it).

Instants are wall times in the exam's zone. Of what a role may not see in full (the document's number) it gets the mask.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.documents.rows import Form, Letters, Value
from app.domain.attendance import standing
from app.domain.identity import ID_KINDS, mask_id
from app.domain.roles import scope
from app.domain.wall_time import WallTime
from app.services import corrections_report, discrepancies, incidents, time_lookup
from app.services.export_columns import ITEM_TYPES, STANDINGS, STATES, YES_NO, Kind
from app.services.incident_words import SCOPES
from app.services.incident_words import STATES as INCIDENT_STATES
from app.settings import Settings
from app.storage.postgres import exports, time_terms
from app.storage.postgres.exports import Answer, Listed, Sitting
from app.storage.postgres.staff import Login

Row = Sequence[Value]
Chunks = AsyncIterator[list[Row]]
# Candidates whose rows are read and written together; of answers there are as many times more as there are items.
PEOPLE, PAPERS = 400, 100


@dataclass(frozen=True, slots=True)
class Asked:
    """Which list, of which sessions (all of one exam), for whom and in which language."""

    kind: Kind
    sittings: Sequence[Sitting]
    login: Login
    form: Form
    language: str
    now_ms: int

    def word(self, words: Mapping[Any, tuple[str, str]], key: Any) -> str:
        return words[key][0 if self.language == "zh" else 1] if key in words else str(key or "")


@dataclass(frozen=True, slots=True)
class Source:
    """``total`` rows, in ``chunks``."""

    total: int
    chunks: Chunks


async def source(settings: Settings, conn: AsyncConnection, asked: Asked) -> Source:
    match asked.kind:
        case "attendance":
            people = await _people(conn, asked)
            return Source(len(people), _attendance(conn, asked, people))
        case "answers":
            seen = [one for one in await _people(conn, asked) if one.seen]
            return Source(sum(one.items for one in seen), _answers(conn, asked, seen))
        case "times":
            people = await _people(conn, asked)
            return Source(sum(one.attempt_id is not None for one in people), _times(settings, conn, asked))
        case "incidents":
            heads = await _incidents(conn, asked)
            return Source(len(heads), _incident_rows(conn, asked, heads))
        case "corrections":
            rows = await _corrections(conn, asked)
            return Source(len(rows), _at_once(rows))


async def _people(conn: AsyncConnection, asked: Asked) -> list[Listed]:
    return await exports.listed(conn, [one.id for one in asked.sittings], now_ms=asked.now_ms)


class _Clock:
    """Service time as the exam's wall time, worked out once for a minute: a list has two hundred thousand instants.

    In JSON with the offset, else as people read it.
    """

    def __init__(self, wall: WallTime, zone: str, *, iso: bool) -> None:
        self._wall, self._zone, self._iso = wall, ZoneInfo(zone), iso
        self._minutes: dict[int, str] = {}
        # Where one stretch of the conversion begins, and what is to be added to service time from there on.
        marks = sorted({0, *(term.start_ms for term in wall.terms), wall.now_ms + 1})
        self._marks = marks
        self._ahead = [round(wall.at(mark).timestamp() * 1000) - mark for mark in marks]

    def __call__(self, ms: int | None) -> str | None:
        if ms is None:
            return None
        epoch_s = (ms + self._ahead[max(0, bisect_right(self._marks, ms) - 1)]) // 1000
        minute, second = divmod(epoch_s, 60)
        told = self._minutes.get(minute)
        if told is None:
            at = datetime.fromtimestamp(minute * 60, self._zone)
            told = f"{at:%Y-%m-%dT%H:%M}:%02d{at.isoformat()[-6:]}" if self._iso else f"{at:%Y-%m-%d %H:%M}:%02d"
            self._minutes[minute] = told
        return told % second


async def _clock(conn: AsyncConnection, asked: Asked) -> _Clock:
    wall = await time_terms.wall_time(conn, asked.now_ms)
    return _Clock(wall, asked.sittings[0].timezone, iso=asked.form == "json")


async def _attendance(conn: AsyncConnection, asked: Asked, people: Sequence[Listed]) -> Chunks:
    at = await _clock(conn, asked)
    whole = scope(asked.login.role, "discrepancy-decide") == "all"
    for begin in range(0, len(people), PEOPLE):
        some = people[begin : begin + PEOPLE]
        found = await exports.attendance(conn, [one.allocation_id for one in some])
        yield [_attendance_row(row, asked, at, whole=whole) for row in found]


def _attendance_row(row: RowMapping, asked: Asked, at: _Clock, *, whole: bool) -> Row:
    came = standing(
        checked_in=row["checked_in_ms"] is not None,
        signed_in=row["signed_in_ms"] is not None,
        absent=row["absent_ms"] is not None,
        end_reason=row["end_reason"],
    )
    planned = f"{row['planned_room']} {row['planned_seat']}" if row["moved"] else ""
    # Confirmed as absent and let in after all: they are there.
    missed = (None, "") if came == "present" else (at(row["absent_ms"]), row["absent_by"])
    return (
        row["session"], row["ticket"], row["name"], row["gender"], asked.word(ID_KINDS, row["id_kind"]),
        row["id_number"] if whole else mask_id(row["id_number"]), row["specialty"], row["employer"], row["building"],
        row["room"], row["seat"], planned,
        asked.word(STANDINGS, came),
        at(row["checked_in_ms"]), row["checked_in_by"], at(row["signed_in_ms"]), *missed,
        at(row["late_ms"]), row["late_by"], row["late_reason"],
        asked.word(YES_NO, row["provisional"]), row["relogs"], row["leaves"], _state(row, asked),
        None if row["signed_in_ms"] is None else at(row["ended_ms"]), at(row["withdrew_ms"]), row["withdrew_reason"],
        row["withdrew_by"], row["answered"], row["items"],
    )  # fmt: skip


def _state(row: RowMapping, asked: Asked) -> str:
    """An attempt that nobody sat ends with its time as well: that is nothing a candidate did."""
    if row["signed_in_ms"] is None and row["end_reason"] not in (None, "deferred"):
        return ""
    if row["end_reason"] == "forced" and row["withdrew_ms"] is not None:
        return asked.word(STATES, "withdrew")
    return asked.word(STATES, row["end_reason"] or row["state"])


async def _answers(conn: AsyncConnection, asked: Asked, people: Sequence[Listed]) -> Chunks:
    at = await _clock(conn, asked)
    sessions = [one.id for one in asked.sittings]
    for begin in range(0, len(people), PAPERS):
        ids = [one.attempt_id for one in people[begin : begin + PAPERS] if one.attempt_id is not None]
        heads, found = await exports.heads(conn, ids), await exports.answers(conn, ids, sessions)
        # In a thread: thousands of rows are worked out, and candidates wait for this loop.
        yield await asyncio.to_thread(_answer_rows, ids, heads, found, asked, at)


def _answer_rows(
    ids: Sequence[UUID], heads: Mapping[UUID, RowMapping], found: Mapping[UUID, list[Answer]], asked: Asked, at: _Clock
) -> list[Row]:
    types = {kind: asked.word(ITEM_TYPES, kind) for kind in ITEM_TYPES}
    yes = asked.word(YES_NO, True)
    rows: list[Row] = []
    for one in ids:
        head = heads[one]
        who = (head["session"], head["ticket"], head["name"], head["room"], head["seat"], _state(head, asked))
        for position, number, version, kind, points, value, at_ms, stamp_ms, late, first_ms, revisions in found[one]:
            times = (at(first_ms), at(at_ms), at(stamp_ms))
            rows.append(
                (
                    *who, position, number, version, types[kind], points / 1000,
                    Letters(value) if kind == "multiple" and isinstance(value, list) else value,
                    *times, revisions or 0, yes if late else "",
                )
            )  # fmt: skip
    return rows


async def _times(settings: Settings, conn: AsyncConnection, asked: Asked) -> Chunks:
    """As ``GET /staff/attempts/{id}/time`` explains them, line by line the same."""
    for sitting in asked.sittings:
        told = await time_lookup.export(settings, conn, sitting.id, now_ms=asked.now_ms)
        while some := await asyncio.to_thread(lambda rows=told: list(islice(rows, PEOPLE))):  # type: ignore[misc]
            yield [_time_row(sitting.name, row, asked) for row in some]


def _time_row(session: str, row: tuple[str, ...], asked: Asked) -> Row:
    ticket, name, building, room, seat, state, start, end, lost_ms, zh, en = row
    return (
        session, ticket, name, building, room, seat, asked.word(STATES, state), _read(start), _read(end),
        int(lost_ms) // 1000, zh, en,
    )  # fmt: skip


def _read(iso: str | None) -> datetime | None:
    return datetime.fromisoformat(iso) if iso else None


async def _incidents(conn: AsyncConnection, asked: Asked) -> list[dict[str, Any]]:
    """What the person may read; of one session those that were opened in it."""
    told = await incidents.listing(conn, asked.login, asked.sittings[0].id, now_ms=asked.now_ms)
    ids = {one.id for one in asked.sittings}
    heads = [one for one in told["incidents"] if one["session_id"] in ids or one["session_id"] is None]
    return sorted(heads, key=lambda head: head["number"])


async def _incident_rows(conn: AsyncConnection, asked: Asked, heads: Sequence[dict[str, Any]]) -> Chunks:
    for head in heads:
        told = (await incidents.view(conn, asked.login, head["id"], now_ms=asked.now_ms))["incident"]
        yield [_incident_row(told, asked)]


def _incident_row(told: Mapping[str, Any], asked: Asked) -> Row:
    language = asked.language
    scope_words = f"{asked.word(SCOPES, told['scope'])} {'、'.join(told['names'])}".strip()
    files = [one["evidence"] for one in told["entries"] if one["evidence"] is not None]
    steps = [f"{'✓' if one['done'] else '✗'} {one[language]}" for one in told["steps"]]
    return (
        told["number"], f"{told['plan']} {told[f'plan_{language}']}", told["title"], told["session"], scope_words,
        "、".join(room["name"] for room in told["rooms"]), len(told["people"]),
        "、".join(one["ticket"] for one in told["people"]), asked.word(INCIDENT_STATES, told["state"]),
        _read(told["from"]), _read(told["to"]), told["by"], _read(told["at"]), told["told_by"], "\n".join(steps),
        "\n".join(f"{one['at'][11:19]} {one[language]}（{one['by']}）" for one in told["entries"]),
        "\n".join(f"{one['at'][11:19]} {one[language]}" for one in told["actions"]),
        "\n".join(f"{one['name']} {one['sha256']}" for one in files), told["signed_by"], _read(told["signed_at"]),
        asked.word(YES_NO, told["sealed"]),
    )  # fmt: skip


async def _corrections(conn: AsyncConnection, asked: Asked) -> list[Row]:
    told = await discrepancies.listing(conn, asked.login, asked.sittings[0].id, now_ms=asked.now_ms)
    ids = {one.id for one in asked.sittings}
    mine = [one for one in told["discrepancies"] if one["session_id"] in ids]
    keys = (
        "session", "ticket", "name", "room", "seat", "field", "recorded", "claimed", "state", "decided_by",
        "decided_at", "note", "identified", "by", "at", "files",
    )  # fmt: skip
    found = corrections_report.rows_of(mine, "zh" if asked.language == "zh" else "en")
    return [[_read(row[key]) if key in ("at", "decided_at") else row[key] for key in keys] for row in found]


async def _at_once(rows: list[Row]) -> Chunks:
    if rows:
        yield rows
