"""What of a session's ledgers stands, and for whom: an entry may be taken back for some and stand for the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from app.domain import clock
from app.domain.wall_time import WallTime
from app.storage.postgres.time_scope import Member


@dataclass(frozen=True, slots=True)
class Standing:
    """``ledgers``: as far as each is about them (``clock.until``). ``counts``: entries that count for somebody;
    ``gone``: those that are taken back for somebody. ``let_go``: (pause, room) → when the last of the room was let go
    on, or ended, of those it was for. ``holding``: pauses by entry, with the rooms in which they still hold somebody.
    """

    ledgers: Mapping[UUID, clock.Ledger]
    counts: frozenset[int]
    gone: frozenset[int]
    let_go: Mapping[tuple[int, int], int]
    holding: Mapping[int, frozenset[int]]


def work_out(found: Sequence[Member], loaded: Mapping[UUID, clock.Ledger]) -> Standing:
    """Pure. Whoever has the same ledger shares it, before and after."""
    ledgers = _theirs(found, loaded)
    live = {id(ledger): clock.live(ledger.entries) for ledger in ledgers.values()}
    counts, gone = _counting(found, ledgers, live)
    return Standing(ledgers, counts, gone, _let_go(found, ledgers, live), _holding(found, ledgers))


def back_now(ledgers: Mapping[UUID, clock.Ledger], wall: WallTime, least_ms: int) -> Mapping[UUID, clock.Ledger]:
    """The ledgers as they would be if the service, which stands, came back now: with the outage that goes on, when it
    has come to ``least_ms``. So an end that is told for then is explained by it."""
    if wall.standing_ms < max(1, least_ms):
        return ledgers
    outage = clock.Outage(wall.now_ms, wall.standing_ms)
    distinct = {id(ledger): ledger for ledger in ledgers.values()}
    made = {key: replace(ledger, outages=(*ledger.outages, outage)) for key, ledger in distinct.items()}
    return {attempt: made[id(ledger)] for attempt, ledger in ledgers.items()}


def _theirs(found: Sequence[Member], loaded: Mapping[UUID, clock.Ledger]) -> dict[UUID, clock.Ledger]:
    """The ledgers as far as they are about each; who has the same one still shares it with the others."""
    made: dict[tuple[int, int], clock.Ledger] = {}
    ledgers = {}
    for member in found:
        ledger = loaded[member.attempt]
        if member.ended_ms is not None:
            ledger = made.setdefault((id(ledger), member.ended_ms), clock.until(ledger, member.ended_ms))
        ledgers[member.attempt] = ledger
    return ledgers


_Live = Mapping[int, Sequence[clock.Entry]]


def _counting(
    found: Sequence[Member], ledgers: Mapping[UUID, clock.Ledger], live: _Live
) -> tuple[frozenset[int], frozenset[int]]:
    """Entries that count for somebody, and those that are taken back for somebody. Nothing is decided for the deferred
    any more: what counted for them is left as it was, also where it was taken back for everybody else."""
    every = {id(ledgers[one.attempt]): ledgers[one.attempt] for one in found if one.end_reason != "deferred"}
    counts = {key: {entry.id for entry in live[key]} for key in every}
    gone = {entry.id for key, ledger in every.items() for entry in ledger.entries if entry.id not in counts[key]}
    return frozenset().union(*counts.values()), frozenset(gone)


def _let_go(found: Sequence[Member], ledgers: Mapping[UUID, clock.Ledger], live: _Live) -> dict[tuple[int, int], int]:
    last: dict[tuple[int, int], int] = {}
    for room_id, key in {(member.room_id, id(ledgers[member.attempt])) for member in found}:
        first: dict[int, int] = {}
        for entry in live[key]:
            if entry.kind == "resume" and entry.refers_id is not None and entry.to_ms is not None:
                first[entry.refers_id] = min(entry.to_ms, first.get(entry.refers_id, entry.to_ms))
        for pause, to_ms in first.items():
            last[pause, room_id] = max(to_ms, last.get((pause, room_id), to_ms))
    return last


def _holding(found: Sequence[Member], ledgers: Mapping[UUID, clock.Ledger]) -> dict[int, frozenset[int]]:
    """A pause may be resumed for some of those it was for: it lasts while it holds anybody."""
    rooms: dict[int, set[int]] = {}
    for member in found:
        if member.stored == "open" and member.left_ms is not None:
            for pause in clock.open_pauses(ledgers[member.attempt].entries):
                rooms.setdefault(pause.id, set()).add(member.room_id)
    return {entry: frozenset(some) for entry, some in rooms.items()}
