"""The look for silence: the evidence becomes proposals to the office, and nothing more (DESIGN §5).

1. Read who is running and when each was last heard of: one statement. Who seems silent is looked for in Redis as well,
   where the contacts are while PostgreSQL takes no writes.
2. Nothing is silent and nothing is followed: that was all.
3. Otherwise, in one transaction and in one process at a time: follow the losses that still go on, then classify what
   is silent beside them (``domain.silence``). Each new loss is a proposal; it is brought up to date with every look
   until its seats are heard again, and then waits for the office as it is.

Nobody's clock is touched here. A loss that the office has dismissed is followed all the same, so that it is not
proposed again while it lasts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.silence import GROUPS, Seat, Silence, Stretch, Thresholds, classify, follow
from app.services.site import Site
from app.settings import Settings
from app.storage.postgres import audit, proposals, silence
from app.storage.redis import presence
from app.storage.redis.client import RedisAway

log = structlog.get_logger(__name__)
Hall = dict[int, dict[UUID, Seat]]


def thresholds(settings: Settings) -> Thresholds:
    return Thresholds(
        silence_ms=int(settings.silent_after.total_seconds() * 1000),
        onset_ms=int(settings.loss_onset.total_seconds() * 1000),
        settle_ms=int(settings.loss_settle.total_seconds() * 1000),
        reconnect_ms=int(settings.reconnect_credit.total_seconds() * 1000),
        share=settings.loss_share,
        least=settings.loss_least,
    )


async def look(site: Site) -> int:
    """One look; how many proposals were made or changed."""
    now_ms = site.service_time.now_ms()
    limits = thresholds(site.settings)
    async with site.engine.connect() as conn:
        hall = await silence.seats(conn, now_ms)
        followed = bool(await proposals.going(conn))
    hall = await _heard_in_redis(site, hall, now_ms - limits.silence_ms)
    silent = sum(now_ms - seat.heard_ms >= limits.silence_ms for seats in hall.values() for seat in seats.values())
    if not followed and silent < limits.least:
        return 0
    async with site.engine.begin() as conn:
        if not await silence.alone(conn):
            return 0
        handover_ms = int(site.settings.handover_gap.total_seconds() * 1000)
        served_ms = await silence.served_ms(conn, handover_ms)
        return await _propose(conn, hall, now_ms, limits, served_ms)


async def _heard_in_redis(site: Site, hall: Hall, before_ms: int) -> Hall:
    """``hall`` with the contacts that only Redis knows of, looked up for those not heard since ``before_ms``."""
    silent = [seat.attempt for seats in hall.values() for seat in seats.values() if seat.heard_ms <= before_ms]
    if not silent:
        return hall
    try:
        seen = await presence.seen_ms(site.store, site.keys, silent)
    except RedisAway as fault:
        # Then every contact of now is in the record, or nobody is served at all.
        log.info("presence not read", fault=str(fault))
        return hall
    return {
        session: {
            attempt: replace(seat, heard_ms=max(seat.heard_ms, seen.get(attempt, 0)))
            for attempt, seat in seats.items()
        }
        for session, seats in hall.items()
    }  # fmt: skip


async def _propose(conn: AsyncConnection, hall: Hall, now_ms: int, limits: Thresholds, served_ms: int | None) -> int:
    """Step 3. Proposals first by the row, the audit head last."""
    told: list[dict[str, Any]] = []
    known: set[UUID] = set()
    changed = 0
    for row in await proposals.going(conn, locked=True):
        known.update(row["attempts"])
        told += await _follow(conn, row, hall.get(row["session_id"], {}), now_ms, limits)
        changed += 1
    for session, seats in sorted(hall.items()):
        unfollowed = [seat for attempt, seat in seats.items() if attempt not in known]
        for found in classify(unfollowed, now_ms, limits, served_ms):
            if found.kind in GROUPS:
                told += await _make(conn, session, found, now_ms)
    for one in told:
        log.warning("a hall goes quiet" if one["going"] else "a hall is back", **one)
        await audit.append(
            conn, actor="silence", action="proposal.made" if one["going"] else "proposal.closed", subject=one,
            service_ms=now_ms,
        )  # fmt: skip
    return changed + len(told)


async def _make(conn: AsyncConnection, session_id: int, found: Silence, now_ms: int) -> list[dict[str, Any]]:
    rooms, buildings, _ = await silence.place_names(conn, found.rooms)
    names = {"room": rooms, "building": buildings}.get(found.kind, {})
    where = {"room": found.rooms[0], "building": found.building}.get(found.kind, 0)
    new = proposals.New(
        session_id=session_id,
        kind="outage-credit" if found.kind == "site" and found.after_outage else f"{found.kind}-loss",
        source=f"{found.kind}:{where}:{found.from_ms}",
        scope=found.kind,
        scope_names=list(names.values()),
        from_ms=found.from_ms,
        to_ms=now_ms,
        attempts=found.lost,
        made_ms=now_ms,
        evidence=_evidence(Stretch(found, now_ms), going=True),
    )
    made = await proposals.make(conn, new)
    return [] if made is None else [_subject(made, new, going=True)]


async def _follow(
    conn: AsyncConnection, row: RowMapping, seats: Mapping[UUID, Seat], now_ms: int, limits: Thresholds
) -> list[dict[str, Any]]:
    """Bring one loss up to date; what is to be told of it."""
    stretch = _stretch(row)
    followed = follow(stretch, seats, now_ms, limits)
    if followed.going is not None:
        gone = stretch.silence.lost - followed.going.silence.lost
        evidence = _evidence(followed.going, going=True)
        await proposals.update(conn, row["id"], to_ms=followed.going.to_ms, evidence=evidence, without=gone)
        if followed.closed is None or row["state"] != "open":
            return []
        part = _part(row, followed.closed, now_ms)
        made = await proposals.make(conn, part)
        return [] if made is None else [_subject(made, part, going=False)]
    if followed.closed is None:
        raise ValueError("a loss neither goes on nor has ended")
    evidence = _evidence(followed.closed, going=False)
    await proposals.update(conn, row["id"], to_ms=followed.closed.to_ms, evidence=evidence)
    if row["state"] != "open":
        return []
    if followed.closed.to_ms <= row["from_ms"]:
        # What was decided while it lasted reached to its very end.
        await proposals.lapse(conn, row["id"])
    return [_subject(row["id"], _part(row, followed.closed, now_ms), going=False)]


def _part(row: RowMapping, part: Stretch, now_ms: int) -> proposals.New:
    """Those of a loss who are back, as a proposal of their own."""
    return proposals.New(
        session_id=row["session_id"],
        kind=row["kind"],
        source=f"{row['source']}/{part.to_ms}",
        scope=row["scope"],
        scope_names=row["scope_names"],
        from_ms=row["from_ms"],
        to_ms=part.to_ms,
        attempts=part.silence.lost,
        made_ms=now_ms,
        evidence=_evidence(part, going=False),
    )


def _stretch(row: RowMapping) -> Stretch:
    """A followed loss as its proposal keeps it."""
    kept = row["evidence"]
    found = Silence(
        kind=kept["level"],
        rooms=tuple(kept["rooms"]),
        building=kept["building"],
        from_ms=row["from_ms"],
        since_ms=kept["since_ms"],
        seats=kept["seats"],
        lost=frozenset(row["attempts"]),
        after_outage=kept["after_outage"],
    )
    return Stretch(found, row["to_ms"], {UUID(attempt): ms for attempt, ms in kept.get("back", {}).items()})


def _evidence(stretch: Stretch, *, going: bool) -> dict[str, Any]:
    """What the office is shown of a loss, and what the next look needs of it."""
    found = stretch.silence
    kept: dict[str, Any] = {
        "level": found.kind,
        "rooms": list(found.rooms),
        "building": found.building,
        "since_ms": found.since_ms,
        "seats": found.seats,
        "silent": len(found.lost),
        "after_outage": found.after_outage,
        "going": going,
    }
    if going:
        kept["back"] = {str(attempt): ms for attempt, ms in stretch.back.items()}
    return kept


def _subject(proposal: int, new: proposals.New, *, going: bool) -> dict[str, Any]:
    return {
        "proposal": proposal,
        "session_id": new.session_id,
        "kind": new.kind,
        "names": list(new.scope_names),
        "from_ms": new.from_ms,
        "to_ms": new.to_ms,
        "seats": new.evidence["seats"],
        "silent": new.evidence["silent"],
        "going": going,
    }
