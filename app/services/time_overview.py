"""A session's time as the office's desk shows it: planned and actual, room by room, and everything decided on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import clock
from app.domain.adjustments import AUTOMATIC, REASONS
from app.domain.errors import Refused
from app.domain.roles import scope
from app.domain.wall_time import WallTime
from app.services import (
    misconduct_removal,
    proposals,
    time_decision_records,
    time_facts,
    time_scope,
    time_sight,
    time_standing,
    time_words,
)
from app.services.time_plan import told_member
from app.settings import Settings
from app.storage.postgres import adjustments, notices, time_decisions, time_entries, time_terms
from app.storage.postgres import time_scope as rows
from app.storage.postgres.engine import outage_ms_of
from app.storage.postgres.staff import Login
from app.storage.postgres.time_scope import Member, Timed


@dataclass(frozen=True, slots=True)
class _Looked:
    """What was read, for those the login may see."""

    session: Timed
    members: Sequence[Member]
    ledgers: Mapping[UUID, clock.Ledger]
    entries: Sequence[RowMapping]
    # Entries that count for somebody; and of these the ones that no longer do for some of those they were for.
    standing: frozenset[int]
    partly: frozenset[int]
    reached: Mapping[int, Sequence[int]]
    # (pause, room) → when the last of the room was let go on, or ended, of those it was for.
    let_go: Mapping[tuple[int, int], int]
    # Pauses by entry, with the rooms in which they still hold somebody.
    holding: Mapping[int, frozenset[int]]
    wall: WallTime
    now_ms: int

    def iso(self, ms: int | None) -> str | None:
        return None if ms is None else time_words.iso(self.wall, ms, self.session.timezone)


async def session_view(
    settings: Settings, conn: AsyncConnection, login: Login, session_id: int, *, now_ms: int
) -> dict[str, Any]:
    """``{session, planned, actual, rooms, entries, outages, held, proposals, decisions, notices, now_ms, now_at,
    cap_ms, reasons}``. An account with rooms of its own sees those, and is named nobody else. Refused: not-permitted,
    not-found."""
    reach = scope(login.role, "time-view")
    if reach is None:
        raise Refused("not-permitted")
    session = await time_scope.session_of(conn, session_id)
    found = await rows.members(conn, session_id, rooms=None if reach == "all" else login.own_room_ids)
    looked = await _look(conn, session, found, now_ms)
    shown = {member.room_id for member in found}
    mine = None if reach == "all" else [member.attempt for member in found]
    named = partial(time_sight.limited, conn, session.exam_id, None if reach == "all" else login.own_room_ids)
    entries = misconduct_removal.untold(login, looked.entries)
    untold = {row["id"] for row in looked.entries} - {row["id"] for row in entries}
    return {
        "session": {
            "id": session.id, "number": session.number, "name": session.name, "timezone": session.timezone,
            "exam": session.exam, "held": session.held,
        },
        "planned": _planned(session),
        "actual": _actual(looked),
        "rooms": _rooms(looked),
        "entries": await named(
            _entry(looked, row) for row in entries if reach == "all" or shown & set(looked.reached[row["id"]])
        ),
        "outages": await _outages(settings, conn, looked),
        "held": await named(_held(looked, shown)),
        "proposals": await proposals.listed(conn, login, session_id, now_ms=now_ms),
        "decisions": await named(
            time_decision_records.told(row) for row in await time_decisions.of_session(conn, session_id, mine)
        ),
        "notices": [
            _notice(row) for row in await notices.counted(conn, session_id, mine) if row["adjustment_id"] not in untold
        ],
        "now_ms": now_ms,
        "now_at": looked.iso(now_ms),
        "cap_ms": time_facts.ms(settings.time_cap),
        "reasons": [
            {"code": code, "zh": zh, "en": en, "automatic": code in AUTOMATIC} for code, (zh, en) in REASONS.items()
        ],
    }  # fmt: skip


async def _look(conn: AsyncConnection, session: Timed, found: Sequence[Member], now_ms: int) -> _Looked:
    entries = await time_entries.of_session(conn, session.id)
    loaded = await adjustments.load(conn, [member.attempt for member in found])
    wall = await time_terms.wall_time(conn, now_ms)
    stands = time_standing.work_out(found, time_standing.back_now(loaded, wall, outage_ms_of(conn)))
    chain = frozenset(entry.id for entry in clock.live(await time_entries.chain(conn, session.id)))
    return _Looked(
        session=session,
        members=found,
        ledgers=stands.ledgers,
        entries=entries,
        # Of those whom an entry was for, some may have gone to another session.
        standing=chain | stands.counts,
        partly=stands.counts & stands.gone,
        holding=stands.holding,
        reached={**{row["id"]: [] for row in entries}, **await time_entries.rooms_reached(conn, session.id)},
        let_go=stands.let_go,
        wall=wall,
        now_ms=now_ms,
    )


def _planned(session: Timed) -> dict[str, str]:
    start = session.planned_start.astimezone(ZoneInfo(session.timezone))
    end = start + timedelta(milliseconds=session.duration_ms)
    return {"start_at": start.isoformat(timespec="seconds"), "end_at": end.isoformat(timespec="seconds")}


def _actual(looked: _Looked) -> dict[str, Any]:
    ends = [_end(member) for member in looked.members]
    last = None if not ends or None in ends else max(end for end in ends if end is not None)
    start = looked.session.start_ms
    return {"start_ms": start, "start_at": looked.iso(start), "end_ms": last, "end_at": looked.iso(last)}


def _end(member: Member) -> int | None:
    """When the attempt ends or has ended; None while it is paused or not anchored."""
    if member.ended_ms is not None:
        return member.ended_ms
    return None if member.left_ms is not None else member.end_ms


def _rooms(looked: _Looked) -> list[dict[str, Any]]:
    by_room: dict[int, list[Member]] = {}
    for member in looked.members:
        by_room.setdefault(member.room_id, []).append(member)
    lost = _Lost(looked)
    told = []
    for room_id, some in by_room.items():
        ends = [_end(member) for member in some if member.stored == "open"] or [_end(member) for member in some]
        typical = _typical(looked, some)
        start = clock.start_ms(typical)
        last = None if None in ends else max((end for end in ends if end is not None), default=None)
        told.append(
            {
                "id": room_id,
                "name": some[0].room,
                "building": some[0].building,
                "building_id": some[0].building_id,
                "candidates": len(some),
                "open": sum(member.stored == "open" for member in some),
                "paused": sum(member.left_ms is not None for member in some),
                "start_at": looked.iso(start),
                "end_at": looked.iso(last),
                "lost_ms": max(lost.of(member) for member in some),
                "spans": _spans(looked, room_id, typical),
            }
        )
    return sorted(told, key=lambda one: one["id"])


class _Lost:
    def __init__(self, looked: _Looked) -> None:
        self._looked = looked
        self._known: dict[int, int] = {}

    def of(self, member: Member) -> int:
        ledger = self._looked.ledgers[member.attempt]
        if id(ledger) not in self._known:
            self._known[id(ledger)] = clock.lost_ms(ledger, self._looked.now_ms)
        return self._known[id(ledger)]


def _typical(looked: _Looked, some: Sequence[Member]) -> clock.Ledger:
    """The ledger that most of a room have: what one person has beside it is on that person's own page."""
    ledgers = [looked.ledgers[member.attempt] for member in some]
    keys = Counter((one.allotted_ms, tuple(entry.id for entry in one.entries)) for one in ledgers)
    most = keys.most_common(1)[0][0]
    return next(one for one in ledgers if (one.allotted_ms, tuple(entry.id for entry in one.entries)) == most)


def _spans(looked: _Looked, room_id: int, typical: clock.Ledger) -> list[dict[str, Any]]:
    """What the picture draws for the room: pauses and credits where they lie, a postponement before the start, an
    extension at the end."""
    start = clock.start_ms(typical)
    end = clock.end_ms(typical, looked.now_ms)
    before, after = typical.start_ms, end
    told = []
    for row in looked.entries:
        if row["id"] not in looked.standing or room_id not in looked.reached[row["id"]]:
            continue
        from_ms, to_ms = row["from_ms"], row["to_ms"]
        if row["kind"] == "pause":
            held = room_id in looked.holding.get(row["id"], ())
            to_ms = None if held else looked.let_go.get((row["id"], room_id))
        elif row["kind"] == "postpone" and before is not None:
            from_ms, to_ms = before, before + row["amount_ms"]
            before = to_ms
        elif row["kind"] == "extend" and after is not None and start is not None:
            from_ms, to_ms = after - row["amount_ms"], after
            after = from_ms
        elif row["kind"] != "credit":
            continue
        told.append(
            {
                "kind": row["kind"], "scope": row["scope"], "entry": row["id"], "reason": row["reason"],
                "from_ms": from_ms, "to_ms": to_ms, "from_at": looked.iso(from_ms), "to_at": looked.iso(to_ms),
            }
        )  # fmt: skip
    return told


def _entry(looked: _Looked, row: RowMapping) -> dict[str, Any]:
    told = time_words.told_entry(row, looked.wall, looked.session.timezone, looked.standing)
    return {
        **told,
        "rooms": list(looked.reached[row["id"]]),
        "partly": row["id"] in looked.partly,
        "open": row["kind"] == "pause" and row["id"] in looked.holding,
    }


def _held(looked: _Looked, shown: set[int]) -> list[dict[str, Any]]:
    """Scopes that facts have brought to the cap, with those who are still held."""
    lost = _Lost(looked)
    holding: dict[int, list[Member]] = {}
    for member in looked.members:
        if member.stored != "open" or member.left_ms is None:
            continue
        for pause in clock.open_pauses(looked.ledgers[member.attempt].entries):
            if pause.reason == "hold":
                holding.setdefault(pause.id, []).append(member)
    told = []
    for row in looked.entries:
        some = holding.get(row["id"])
        if some:
            rooms = sorted({member.room_id for member in some} & shown)
            told.append(
                {
                    "entry": row["id"],
                    "scope": row["scope"],
                    "scope_names": row["scope_names"],
                    "rooms": rooms,
                    "candidates": len(some),
                    "lost_ms": max(lost.of(member) for member in some),
                    "since_at": looked.iso(row["from_ms"]),
                    "members": [told_member(member, lost_ms=lost.of(member)) for member in some],
                }
            )
    return told


async def _outages(settings: Settings, conn: AsyncConnection, looked: _Looked) -> list[dict[str, Any]]:
    start = looked.session.start_ms
    if start is None:
        return []
    ends = [end for end in map(_end, looked.members) if end is not None]
    last = looked.now_ms if not ends else min(looked.now_ms, max(ends))
    least_ms = time_facts.ms(settings.handover_gap)
    zone = ZoneInfo(looked.session.timezone)
    return [
        {
            "at_ms": at_ms,
            "gap_ms": gap_ms,
            "from_at": (ended_at - timedelta(milliseconds=gap_ms)).astimezone(zone).isoformat(timespec="seconds"),
            "to_at": ended_at.astimezone(zone).isoformat(timespec="seconds"),
        }
        for at_ms, gap_ms, ended_at in await time_terms.outages(conn, from_ms=start, to_ms=last, least_ms=least_ms)
    ]


def _notice(row: RowMapping) -> dict[str, Any]:
    return {
        "id": row["id"], "kind": row["kind"], "entry": row["adjustment_id"], "zh": row["zh"], "en": row["en"],
        "shown": row["shown"], "of": row["of"], "absent": row["absent"], "made_ms": row["made_ms"],
        "made_at": row["made_at"].isoformat(timespec="seconds"),
    }  # fmt: skip
