"""What the evidence, or an invigilator, asks the office to decide: what of it is more than the cap, and its words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from app.domain import adjustments, clock
from app.domain.clock import duration_text

Kind = Literal[
    "room-loss", "building-loss", "site-loss", "outage-credit", "relog-surplus", "asked", "shorten", "follows"
]
State = Literal["open", "approved", "changed", "dismissed"]

LOSSES: Mapping[str, tuple[str, str]] = {
    "room-loss": ("考室断联", "Room lost"),
    "building-loss": ("楼宇断联", "Building lost"),
    "site-loss": ("全场断联", "Everyone lost"),
    "outage-credit": ("服务恢复后未能重连", "Not reconnected after the outage"),
}


def surplus_from(ledger: clock.Ledger, from_ms: int, to_ms: int, *, now_ms: int, limit_ms: int) -> int:
    """Up to where a measured gap ``[from_ms, to_ms)`` can be credited within the limit; ``to_ms`` when all of it can.

    The rest is for the office: a move is never refused for the cap, and never goes beyond it by itself (I8). What is
    credited or paused already costs nothing a second time.
    """
    most = max(limit_ms, clock.lost_ms(ledger, now_ms))

    def fits(end_ms: int) -> bool:
        gap = clock.Entry(_NEWEST, "credit", from_ms, end_ms, reason="relog", made_ms=now_ms)
        return clock.lost_ms(adjustments.planned(ledger, gap), now_ms) <= most

    if to_ms <= from_ms or fits(to_ms):
        return to_ms
    least, beyond = from_ms, to_ms
    while beyond - least > 1:
        middle = (least + beyond) // 2
        if fits(middle):
            least = middle
        else:
            beyond = middle
    return least


# Greater than the id of any entry that is written.
_NEWEST = 1 << 62


def words(
    kind: str, evidence: Mapping[str, Any], *, from_at: datetime | None, to_at: datetime | None, ms: int, by: str = ""
) -> tuple[str, str]:
    """``(zh, en)``. ``from_at`` and ``to_at`` are wall times in the exam's zone, ``ms`` what would be credited, ``by``
    the name of whoever asked."""
    length = duration_text(ms)
    span = f"{_clock(from_at)}–{_clock(to_at)}"
    if kind in LOSSES:
        zh, en = LOSSES[kind]
        seats, silent = evidence.get("seats", 0), evidence.get("silent", 0)
        if evidence.get("going"):
            return (
                f"{zh} {_clock(from_at)} 起仍未恢复，{seats} 台中 {silent} 台无响应，至今 {length}",
                f"{en} since {_clock(from_at)} and still out, {silent} of {seats} seats silent, {length} so far",
            )
        return (
            f"{zh} {span}，{seats} 台中 {silent} 台无响应，建议补时 {length}",
            f"{en} {span}, {silent} of {seats} seats silent, proposed credit {length}",
        )
    if kind == "relog-surplus":
        return (
            f"换机用时 {span} 中有 {length} 超出本场上限，未自动补时，请决定",
            f"Of the move {span} a further {length} would go over the cap and was not credited: please decide",
        )
    if kind == "shorten":
        typed = _clock(evidence["typed_at"])
        before = duration_text(evidence.get("credited_ms", 0))
        return (
            f"采用的答案是在补时时段内的 {typed} 作答的，建议将补时 {before} 缩短为 {length}",
            f"The adopted answer was typed at {typed}, inside the credited gap: shorten {before} to {length}?",
        )
    if kind == "follows":
        number = evidence.get("after", {}).get("number", "")
        return (
            f"因第 {number} 场延后，建议本场推迟 {length} 开考",
            f"Session {number} runs later: postpone the start of this one by {length}",
        )
    if from_at is None:
        return f"{by} 申请延长 {length}", f"{by} asks for {length} more"
    return f"{by} 申请补时 {span}，{length}", f"{by} asks for a credit {span}, {length}"


def _clock(at: datetime | None) -> str:
    return "—" if at is None else at.strftime("%H:%M:%S")
