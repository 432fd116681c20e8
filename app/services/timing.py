"""An attempt's clock as the candidate sees it, and the credits the service enters by itself.

The office's own decisions (pause, extend, postpone) write to the same ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.domain import clock
from app.domain.lifecycle import derive
from app.services.site import Site
from app.storage.postgres import adjustments, attempts

# A gap at the new seat longer than this is no longer the move: the candidate has the page and is not looking.
READY_LIMIT_MS = 120_000
# An attempt heard of this shortly before a term began was being acknowledged when the service stopped.
WAS_HEARD_MS = 30_000

REASONS = {
    "relog": ("换机", "move to another seat"),
    "ready": ("换机后恢复", "restoring at the new seat"),
    "reconnect": ("服务恢复后重连", "reconnecting after an outage"),
    "outage": ("服务中断", "service outage"),
    "allotted": ("考试时长", "allotted time"),
}


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """A session as it stands now."""

    start_ms: int | None
    planned_start: datetime
    last_admission_ms: int
    earliest_hand_in_ms: int
    grace_ms: int
    held: str | None


@dataclass(slots=True)
class View:
    """What a clock is computed from; ``stored`` is the attempt's stored state."""

    stored: Any
    signed_in: bool
    start_ms: int | None
    end_ms: int | None
    ended_ms: int | None
    allotted_ms: int


def compose(view: View, now_ms: int, because: list[clock.Because]) -> dict[str, Any]:
    """The protocol's ``clock`` (DESIGN §6): every remaining time comes from the server and from here."""
    state = derive(view.stored, signed_in=view.signed_in, start_ms=view.start_ms, end_ms=view.end_ms, now_ms=now_ms)
    if state == "scheduled":
        state = "waiting"
    if state in ("ended", "final"):
        remaining = 0
    elif view.end_ms is None or view.start_ms is None:
        remaining = view.allotted_ms
    else:
        remaining = max(0, view.end_ms - max(now_ms, view.start_ms))
    starts_in = None
    ends_at = None
    if view.start_ms is not None and now_ms < view.start_ms:
        starts_in = view.start_ms - now_ms
    if view.end_ms is not None and state in ("waiting", "running"):
        ends_at = (datetime.now(UTC) + timedelta(milliseconds=view.end_ms - now_ms)).isoformat(timespec="seconds")
    return {
        "service_ms": now_ms,
        "remaining_ms": remaining,
        "state": state,
        "starts_in_ms": starts_in,
        "ends_at": ends_at,
        "because": [_told(part) for part in because],
    }


def _told(part: clock.Because) -> dict[str, Any]:
    zh, en = REASONS.get(part.reason, (part.reason, part.reason))
    length = clock.duration_text(part.ms)
    return {"kind": part.kind, "ms": part.ms, "text_zh": f"{zh} {length}", "text_en": f"{en} {length}"}


async def because_of(site: Site, attempt: UUID) -> list[clock.Because]:
    """The summands of the attempt's end, from the ledger and the service's own outages since its start."""
    async with site.reading() as conn:
        ledger = await adjustments.ledger(conn, attempt)
        told = clock.because(ledger)
        if ledger.start_ms is not None:
            gap = await conn.scalar(
                text("SELECT coalesce(sum(gap_ms), 0)::int8 FROM term WHERE start_ms >= :start AND gap_ms >= :least"),
                {"start": ledger.start_ms, "least": int(site.settings.handover_gap.total_seconds() * 1000)},
            )
            if gap:
                told.append(clock.Because("outage", gap, "outage"))
    return told


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
