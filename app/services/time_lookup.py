"""Single questions about a session's time: whose page has a notice, whom a name means, why an end is what it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import clock, endings, lifecycle
from app.domain.adjustments import reason_words
from app.domain.endings import Ending
from app.domain.errors import Refused
from app.domain.roles import allows, scope
from app.domain.wall_time import WallTime
from app.services import misconduct_removal, time_facts, time_scope, time_sight, time_standing, time_words, timing
from app.services.time_plan import told_member
from app.settings import Settings
from app.storage.postgres import adjustments, notices, time_entries, time_terms
from app.storage.postgres import time_scope as rows
from app.storage.postgres.staff import Login
from app.storage.postgres.time_scope import Member, Timed

CANDIDATES_FOUND = 20
# The columns of the export, in Chinese and English.
COLUMNS = (
    "准考证号 ticket", "姓名 name", "楼宇 building", "考室 room", "机位 seat", "状态 state", "开考 start", "结束 end",
    "合计毫秒 lost_ms", "说明", "explanation",
)  # fmt: skip


async def notice_reach(conn: AsyncConnection, login: Login, notice_id: int) -> dict[str, Any]:
    """``{shown, of, absent, missing: [{attempt, room, seat, ticket, name}]}``; ``absent`` never signed in, and are
    not in ``of``. An account with rooms of its own counts those of its rooms. Refused: not-permitted, not-found."""
    reach = scope(login.role, "time-view")
    if reach is None:
        raise Refused("not-permitted")
    count = await notices.count_of(conn, notice_id, None if reach == "all" else login.own_room_ids)
    entry = await notices.entry_of(conn, notice_id)
    told = None if entry is None else await time_entries.find(conn, entry)
    # With what it answers: an answer to what may not be told says that there is something.
    meant = None if told is None or told["refers_id"] is None else await time_entries.find(conn, told["refers_id"])
    shown = {row["id"] for row in misconduct_removal.untold(login, [row for row in (told, meant) if row is not None])}
    hidden = told is not None and told["id"] not in shown
    if hidden or not count["of"] + count["absent"]:
        raise Refused("not-found")
    lacking = await notices.missing(conn, notice_id)
    mine = [row for row in lacking if reach == "all" or row["room_id"] in login.own_room_ids]
    return {
        "shown": count["shown"],
        "of": count["of"],
        "absent": count["absent"],
        "missing": [
            {"attempt": str(row["attempt_id"]), "room": row["room"], "seat": row["seat"], "ticket": row["ticket"],
             "name": row["name"]}
            for row in mine
        ],
    }  # fmt: skip


async def candidates(conn: AsyncConnection, login: Login, session_id: int, query: str) -> dict[str, Any]:
    """``{candidates: [{attempt_id, attempt, ticket, name, room, seat}]}`` of whoever's ticket or name holds ``query``.

    Refused: not-permitted, not-found.
    """
    reach = scope(login.role, "time-view")
    if reach is None:
        raise Refused("not-permitted")
    session = await time_scope.session_of(conn, session_id)
    mine = await rows.members(conn, session.id, rooms=None if reach == "all" else login.own_room_ids)
    wanted = query.casefold()
    found = [one for one in mine if wanted in one.ticket.casefold() or wanted in one.name.casefold()]
    found.sort(key=lambda one: one.ticket)
    return {"candidates": [{"attempt_id": str(one.attempt), **told_member(one)} for one in found[:CANDIDATES_FOUND]]}


# --- why ---


async def attempt_time(
    settings: Settings, conn: AsyncConnection, login: Login, attempt: UUID, *, now_ms: int, at_ms: int | None = None
) -> dict[str, Any]:
    """``{attempt, candidate, session, clock, lines, explain_zh, explain_en, lost_ms, cap_ms, limit_ms, entries}``, now
    or as it was known at the service-time instant ``at_ms``. Refused: not-found, not-permitted."""
    session_id = await rows.session_of_attempt(conn, attempt)
    if session_id is None:
        raise Refused("not-found")
    session = await time_scope.session_of(conn, session_id)
    member = (await rows.members(conn, session_id, attempts=[attempt]))[0]
    if not allows(login.role, "time-view", room_id=member.room_id, own_room_ids=login.own_room_ids):
        raise Refused("not-permitted")
    least_ms = time_facts.ms(settings.handover_gap)
    wall = await time_terms.wall_time(conn, now_ms)
    loaded = await adjustments.load(conn, [attempt], outage_ms=least_ms)
    ledger = time_standing.back_now(loaded, wall, least_ms)[attempt]
    # What is to come is told as it stands now; a past instant as it was known then.
    at = now_ms if at_ms is None else min(at_ms, now_ms)
    past = at < now_ms
    ended = ending_of(member.ended_ms, member.end_reason, at) or endings.taken_back(ledger, at)
    ledger = theirs(clock.as_of(ledger, at) if past else ledger, ended)
    zh, en = explained(ledger, wall, at, session.timezone, ended)
    # Asked of their own ledger: what was replaced for somebody else stands for them.
    standing = {one.id for one in clock.live(ledger.entries)}
    cap_ms = time_facts.ms(settings.time_cap)
    limits = await rows.limits(conn, [attempt])
    entries = [
        time_words.told_entry(row, wall, session.timezone, standing)
        for row in misconduct_removal.untold(login, await time_entries.of_attempt(conn, attempt))
        if row["made_ms"] <= at
    ]
    own = None if scope(login.role, "time-view") == "all" else login.own_room_ids
    return {
        "attempt": str(attempt),
        "candidate": told_member(member),
        "session": {"id": session.id, "number": session.number, "name": session.name, "timezone": session.timezone},
        "at_ms": at,
        "at": time_words.iso(wall, at, session.timezone),
        "clock": _clock(member, ledger, wall, session, at, ended, past=past),
        "lines": [
            {**timing.told(part), "reason": part.reason, "scope": part.scope} for part in clock.because(ledger, at)
        ],
        "explain_zh": zh,
        "explain_en": en,
        "lost_ms": clock.lost_ms(ledger, at),
        "cap_ms": cap_ms,
        "limit_ms": max(cap_ms, limits.get(attempt, 0)),
        "entries": await time_sight.limited(conn, session.exam_id, own, entries),
    }


def ending_of(ended_ms: int | None, reason: str | None, at_ms: int) -> Ending | None:
    """The ending that is stored, when it had come by ``at_ms``."""
    return None if ended_ms is None or ended_ms > at_ms else Ending(ended_ms, reason or "time_out")


def theirs(ledger: clock.Ledger, ended: Ending | None) -> clock.Ledger:
    """The ledger as far as it is about them: what came after they had ended is about those who had not."""
    return ledger if ended is None else clock.until(ledger, ended.at_ms)


def explained(ledger: clock.Ledger, wall: WallTime, now_ms: int, zone: str, ended: Ending | None) -> tuple[str, str]:
    """The line of DESIGN §5 in Chinese and English, and how the attempt ended when that was before its time was up."""
    end = clock.end_ms(ledger, now_ms)
    ends_at = None if end is None else _foreseen(wall, end, now_ms, ended).astimezone(ZoneInfo(zone))
    left_ms = clock.remaining_ms(ledger, now_ms)
    zh, en = clock.explain(clock.because(ledger, now_ms), reason_words, ends_at=ends_at, left_ms=left_ms)
    early = endings.words(ended, None if ended is None else wall.at(ended.at_ms).astimezone(ZoneInfo(zone)))
    return zh + early[0], en + early[1]


def _foreseen(wall: WallTime, ms: int, at_ms: int, ended: Ending | None) -> datetime:
    """The wall time of ``ms`` as it was to be expected at ``at_ms``, or when the attempt had ended: no outage that came
    later is in what explains it."""
    if ended is None and at_ms >= wall.now_ms:
        return wall.at(ms)
    known_ms = at_ms if ended is None else min(at_ms, ended.at_ms)
    return wall.at(ms) if ms <= known_ms else wall.at(known_ms) + timedelta(milliseconds=ms - known_ms)


def _clock(
    member: Member,
    ledger: clock.Ledger,
    wall: WallTime,
    session: Timed,
    at_ms: int,
    ended: Ending | None,
    *,
    past: bool,
) -> dict[str, Any]:
    start, end = clock.start_ms(ledger), clock.end_ms(ledger, at_ms)
    over = ended is not None
    state = lifecycle.derive(
        _stored(member, ended, past=past),
        signed_in=member.signed_in_ms is not None and member.signed_in_ms <= at_ms,
        start_ms=start,
        end_ms=end,
        now_ms=at_ms,
        paused=clock.paused_since(ledger, at_ms) is not None,
    )
    zone = session.timezone

    def iso(ms: int | None) -> str | None:
        if ms is None:
            return None
        return _foreseen(wall, ms, at_ms, ended).astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")

    return {
        "service_ms": at_ms,
        "state": state,
        "start_ms": start,
        "end_ms": end,
        "start_at": iso(start),
        "end_at": iso(end),
        "ended_ms": None if ended is None else ended.at_ms,
        "ended_at": None if ended is None else time_words.iso(wall, ended.at_ms, zone),
        "remaining_ms": 0 if over else clock.remaining_ms(ledger, at_ms),
        "paused_since_ms": clock.paused_since(ledger, at_ms),
    }


def _stored(member: Member, ended: Ending | None, *, past: bool) -> lifecycle.Stored:
    """What was stored: of the past only the ending is known."""
    if not past or (ended is not None and ended.at_ms == member.ended_ms):
        return member.stored
    if ended is None:
        return "open"
    return "final" if ended.reason == "hand_in" else "ended"


async def export(
    settings: Settings, conn: AsyncConnection, session_id: int, *, now_ms: int
) -> Iterator[tuple[str, ...]]:
    """One row per attempt of the session under ``COLUMNS``, by room and seat: why everybody's end is what it is.

    Refused not-found.
    """
    session = await time_scope.session_of(conn, session_id)
    members = await rows.members(conn, session_id)
    least_ms = time_facts.ms(settings.handover_gap)
    loaded = await adjustments.load(conn, [member.attempt for member in members], outage_ms=least_ms)
    wall = await time_terms.wall_time(conn, now_ms)
    ledgers = time_standing.back_now(loaded, wall, least_ms)
    members.sort(key=lambda one: (one.room_id, one.seat_id))

    def row(member: Member) -> tuple[str, ...]:
        ended = ending_of(member.ended_ms, member.end_reason, now_ms)
        ledger = theirs(ledgers[member.attempt], ended)
        told = _clock(member, ledger, wall, session, now_ms, ended, past=False)
        zh, en = explained(ledger, wall, now_ms, session.timezone, ended)
        state = member.end_reason or told["state"]
        if member.signed_in_ms is None and member.end_reason not in (None, "deferred"):
            # Time that nobody sat runs out as well: that is nothing a candidate did.
            state = ""
        return (
            member.ticket, member.name, member.building, member.room, member.seat, str(state),
            told["start_at"] or "", told["ended_at"] or told["end_at"] or "",
            str(clock.lost_ms(ledger, now_ms)), zh, en,
        )  # fmt: skip

    return map(row, members)
