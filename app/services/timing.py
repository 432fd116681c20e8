"""An attempt's clock as the candidate sees it, how a decision about it reaches their page, and the credits the service
enters by itself.

Whoever decides something (``services.time_decisions``, a relog, a reopening) does it in this order: lock the attempts'
rows ordered by id, ``adjustments.insert_entry``, ``settle``, commit, ``announce``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import text

from app.domain import clock
from app.domain.adjustments import reason_words
from app.domain.lifecycle import derive
from app.services import starts
from app.services.site import Site
from app.storage.postgres import adjustments, attempts
from app.storage.postgres.adjustments import Moved, load, settle
from app.storage.redis.client import RedisAway
from app.storage.redis.events import Event

__all__ = ["Moved", "View", "announce", "because_of", "compose", "credit_reconnect", "heard", "load", "settle"]

log = structlog.get_logger(__name__)
# A gap at the new seat longer than this is no longer the move: the candidate has the page and is not looking.
READY_LIMIT_MS = 120_000
# An attempt heard of this shortly before a term began was being acknowledged when the service stopped.
WAS_HEARD_MS = 30_000


@dataclass(slots=True)
class View:
    """What a clock is computed from; ``stored`` is the attempt's stored state, ``start_ms`` its own start, ``left_ms``
    what is left while it is paused (None: it is not)."""

    stored: Any
    signed_in: bool
    start_ms: int | None
    end_ms: int | None
    ended_ms: int | None
    allotted_ms: int
    left_ms: int | None = None


def compose(view: View, now_ms: int, because: Sequence[clock.Because]) -> dict[str, Any]:
    """The protocol's ``clock`` (DESIGN §6): every remaining time comes from the server and from here."""
    state = derive(
        view.stored,
        signed_in=view.signed_in,
        start_ms=view.start_ms,
        end_ms=view.end_ms,
        now_ms=now_ms,
        paused=view.left_ms is not None,
    )
    if state == "scheduled":
        state = "waiting"
    if state in ("ended", "final"):
        remaining = 0
    elif view.left_ms is not None:
        remaining = view.left_ms
    elif view.start_ms is None:
        remaining = view.allotted_ms
    else:
        # Whoever has begun is never shown a clock that stands, whatever the stores have forgotten.
        end_ms = view.start_ms + view.allotted_ms if view.end_ms is None else view.end_ms
        remaining = max(0, end_ms - max(now_ms, view.start_ms))
    starts_in = None
    ends_at = None
    if view.start_ms is not None and now_ms < view.start_ms:
        starts_in = view.start_ms - now_ms
    if view.end_ms is not None and view.left_ms is None and state in ("waiting", "running"):
        ends_at = (datetime.now(UTC) + timedelta(milliseconds=view.end_ms - now_ms)).isoformat(timespec="seconds")
    return {
        "service_ms": now_ms,
        "remaining_ms": remaining,
        "state": state,
        "starts_in_ms": starts_in,
        "ends_at": ends_at,
        "because": [told(part) for part in because],
    }


def told(part: clock.Because) -> dict[str, Any]:
    """One summand as the protocol has it: ``{kind, ms, text_zh, text_en}``."""
    zh, en = clock.words(part, reason_words)
    length = clock.duration_text(part.ms)
    return {"kind": part.kind, "ms": part.ms, "text_zh": f"{zh} {length}", "text_en": f"{en} {length}"}


async def because_of(site: Site, attempt: UUID) -> list[clock.Because]:
    """The summands of the attempt's end, from the ledger and the service's own outages since its start."""
    outage_ms = int(site.settings.handover_gap.total_seconds() * 1000)
    now_ms = site.service_time.now_ms()
    async with site.reading() as conn:
        ledger = (await load(conn, [attempt], outage_ms=outage_ms))[attempt]
        ended_ms = await conn.scalar(text("SELECT ended_ms FROM attempt WHERE id = :a"), {"a": attempt})
    # What came after an end is about those who had not ended.
    return clock.because(ledger if ended_ms is None else clock.until(ledger, ended_ms), now_ms)


async def announce(site: Site, session_id: int, moved: Sequence[Moved], notice: dict[str, Any] | None = None) -> None:
    """After the commit: every open page of these attempts, then their hot copies. ``notice`` is ``{id, kind, zh, en}``.

    Nothing rests on it: a page that does not hear it has the clock, and what it has not shown, in its next reply; a
    hot copy that does not follows the next checkpoint.
    """
    reasons: dict[tuple[clock.Because, ...], int] = {}
    clocks = {
        str(one.attempt): [
            one.start_ms, one.end_ms, one.left_ms, one.state, one.rev, reasons.setdefault(one.because, len(reasons)),
        ]
        for one in moved
    }  # fmt: skip
    why = [[[part.kind, part.ms, part.reason, part.scope] for part in parts] for parts in reasons]
    await site.tell(Event("clock", session=session_id, data={"notice": notice, "clocks": clocks, "because": why}))
    try:
        await site.hot().clocks(
            [(one.attempt, one.rev, one.state, clock.packed(one.end_ms, one.left_ms)) for one in moved]
        )
    except RedisAway as fault:
        log.info("clocks not mirrored", session=session_id, fault=str(fault))
    await starts.show(site)


@dataclass(frozen=True, slots=True)
class Heard:
    """One attempt of an announced decision: its clock as it was stored, and as its page is told it now."""

    moved: Moved
    clock: dict[str, Any]


def heard(data: dict[str, Any], now_ms: int) -> list[Heard]:
    """What ``announce`` said, for each of its attempts; empty for an event that says no clocks."""
    whys = [tuple(clock.Because(*part) for part in parts) for parts in data.get("because", ())]
    words = [[told(part) for part in why] for why in whys]
    found = []
    for attempt, (start_ms, end_ms, left_ms, state, rev, why) in data.get("clocks", {}).items():
        moved = Moved(UUID(attempt), start_ms, end_ms, left_ms, state, rev, whys[why])
        allotted_ms = sum(part.ms for part in moved.because if part.kind in ("planned", "extend"))
        view = View(state, True, start_ms, end_ms, None, allotted_ms, left_ms)
        found.append(Heard(moved, {**compose(view, now_ms, ()), "because": words[why]}))
    return found


async def credit_reconnect(site: Site, attempt: UUID, *, stamp_ms: int, previous_term: int, contact_ms: int) -> bool:
    """After an outage: credit the attempt from the new term's start to its own first acknowledgement (DESIGN §5).

    Only an attempt that was being acknowledged before, at most ``reconnect_credit``, once per term; a change of
    leader that nobody noticed (a gap under ``handover_gap``) credits nothing. True when a credit was entered.
    """
    settings = site.settings
    async with site.engine.begin() as conn:
        row = await attempts.lock(conn, attempt)
        if row is None or row["contact_term"] >= site.service_time.term:
            return False
        terms = (
            (
                await conn.execute(
                    text("SELECT n, start_ms, gap_ms FROM term WHERE n > :before ORDER BY n"), {"before": previous_term}
                )
            )
            .mappings()
            .all()
        )
        await conn.execute(
            text("UPDATE attempt SET contact_term = :term WHERE id = :a"),
            {"term": site.service_time.term, "a": attempt},
        )
        outages = [one for one in terms if one["gap_ms"] >= settings.handover_gap.total_seconds() * 1000]
        if not outages or row["state"] != "open" or contact_ms < outages[0]["start_ms"] - WAS_HEARD_MS:
            return False
        begins = outages[0]["start_ms"]
        ends = min(stamp_ms, begins + int(settings.reconnect_credit.total_seconds() * 1000))
        return await adjustments.credit(
            conn,
            attempt,
            session_id=row["session_id"],
            from_ms=begins,
            to_ms=max(begins, ends),
            reason="reconnect",
            source=f"term:{outages[-1]['n']}",
            now_ms=stamp_ms,
        )
