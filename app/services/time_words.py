"""A change of time in words and plain JSON, for staff: its effect before it is confirmed, and its entry."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping

from app.domain import clock
from app.domain.adjustments import reason_words
from app.domain.errors import Refused
from app.domain.wall_time import WallTime
from app.services.time_follows import Follows
from app.services.time_plan import Plan, extremes, gained, idle, told_over

SECOND_MS = 1000
# Why some of a scope are left out, beside their number.
LEFT_OUT: Mapping[str, tuple[str, str]] = {
    "attempt-deferred": ("已缓考", "deferred"),
    "day-not-opened": ("未定时", "without a start"),
    "attempt-open": ("仍在作答", "still open"),
    "no-time-left": ("已无剩余时间", "with no time left"),
    "reopen-seat-taken": ("机位已由他人使用", "whose seat somebody else sits at"),
    "runs-elsewhere": ("正参加另一场", "sitting another session"),
    "attempt-ended": ("已结束", "already ended"),
    "handed-in": ("已交卷", "handed in"),
    "absent": ("缺考", "absent"),
    "ended-by-staff": ("已被结束", "ended by staff"),
    "start-passed": ("已开考", "begun already"),
    "not-begun": ("未开考", "not begun"),
    "credit-before-start": ("当时未开考", "not begun then"),
    "already-paused": ("已暂停", "paused already"),
    "not-paused": ("未被暂停", "not paused"),
    "held-otherwise": ("由其他暂停保持", "held by another pause"),
    "paused-by-office": ("由办公室暂停", "paused by the office"),
    "cap-held": ("到上限待决定", "held at the cap"),
}


def iso(wall: WallTime, ms: int, zone: str) -> str:
    """A service-time instant as wall time in the exam's zone, to the second."""
    return wall.at(ms).astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")


def hour(at: str) -> str:
    """``10:12:30`` of an ISO time."""
    return f"{datetime.fromisoformat(at):%H:%M:%S}"


def length_words(ms: int) -> tuple[str, str]:
    """``2 分 30 秒`` and ``2 min 30 s``; parts that are zero are left out."""
    seconds = ms // SECOND_MS
    parts = [(seconds // 3600, "小时", "h"), (seconds // 60 % 60, "分", "min"), (seconds % 60, "秒", "s")]
    told = [(f"{n} {zh}", f"{n} {en}") for n, zh, en in parts if n] or [("0 秒", "0 s")]
    return " ".join(zh for zh, _ in told), " ".join(en for _, en in told)


def span(pair: tuple[int, int] | None, wall: WallTime, zone: str) -> dict[str, str] | None:
    return None if pair is None else {"from": iso(wall, pair[0], zone), "to": iso(wall, pair[1], zone)}


def effect(plan: Plan, follows: Follows | None, wall: WallTime, proposal: int | None = None) -> dict[str, Any]:
    """The effect as the contract of POST /staff/time/preview tells it; everything a person needs before confirming."""
    zone = plan.reached.session.timezone
    now = plan.now_ms
    kind = plan.change.kind
    ends = span(None if kind in ("end", "pause") else extremes(plan, lambda x: clock.end_ms(x, now)), wall, zone)
    starts = span(extremes(plan, clock.start_ms), wall, zone) if kind in ("postpone", "undo") else None
    left_out = [_left_out(code, len(some)) for code, some in plan.left_out.items()]
    zh, en = _sentence(plan, ends, starts, wall)
    gap_zh, gap_en = _since_the_end(plan)
    refusal = plan.refusal
    return {
        "rooms": len({member.room_id for member in plan.takes}),
        "candidates": len(plan.takes),
        "left_out": left_out,
        "ends": ends,
        "starts": starts,
        "reopened": len(plan.reopened),
        "idle_ms": max(idle(plan).values(), default=0),
        "over_cap": told_over(plan),
        "follows": None if follows is None else told_follows(follows, wall, proposal),
        "refused": None if refusal is None else told_refusal(refusal),
        "zh": zh + gap_zh + "".join(f"；{one['zh']}" for one in left_out),
        "en": en + gap_en + "".join(f"; {one['en']}" for one in left_out),
    }


def told_refusal(refusal: Refused) -> dict[str, Any]:
    return {"code": refusal.code, "zh": refusal.text("zh"), "en": refusal.text("en")}


def _left_out(code: str, count: int) -> dict[str, Any]:
    zh, en = LEFT_OUT[code]
    return {"code": code, "count": count, "zh": f"不含{zh} {count} 人", "en": f"without {count} {en}"}


def _sentence(
    plan: Plan, ends: Mapping[str, str] | None, starts: Mapping[str, str] | None, wall: WallTime
) -> tuple[str, str]:
    rooms, people = len({member.room_id for member in plan.takes}), len(plan.takes)
    who_zh, who_en = f"{rooms} 个考室、{people} 人", f"{counted(rooms, 'room')}, {counted(people, 'candidate')}"
    end_zh = end_en = ""
    if ends is not None:
        end_zh, end_en = f"新的结束时间 {_range(ends)}", f"new end {_range(ends)}"
    since = since_at(plan, wall)
    match plan.change.kind:
        case "pause" if since is not None:
            back_zh, back_en = _gained_words(plan)
            return (
                f"{who_zh}，自 {since} 起暂停，至此补回 {back_zh}",
                f"{who_en}, paused since {since}, which gives {back_en} back",
            )
        case "pause":
            return f"{who_zh}，立即暂停", f"{who_en}, paused at once"
        case "end":
            return f"{who_zh}，立即结束考试", f"{who_en}, ended at once"
        case "postpone" if starts is not None:
            return (
                f"{who_zh}，新的开考时间 {_range(starts)}，{end_zh}",
                f"{who_en}, new start {_range(starts)}, {end_en}",
            )
        case "resume" if ends is None:
            return f"{who_zh}，解除这一暂停，仍被其他暂停保持", f"{who_en}, this pause ends, others still hold them"
        case "extend" | "undo" if plan.reached.session.start_ms is None:
            end_zh, end_en = "本场还没有开考时间，定时后才有结束时间", "the session has no start yet and so no end"
        case "undo" if ends is None:
            return f"{who_zh}，撤销后仍为暂停", f"{who_en}, paused when it is undone"
        case _ if ends is None:
            end_zh, end_en = "暂停中，恢复后才有结束时间", "paused: the end follows the resume"
    more_zh, more_en = _gain(plan)
    return f"{who_zh}，{end_zh}{more_zh}", f"{who_en}, {end_en}{more_en}"


def _gain(plan: Plan) -> tuple[str, str]:
    """What a credit adds where that is less than its length."""
    change, (least_ms, _) = plan.change, gained(plan)
    if not plan.credits or least_ms == (change.to_ms or 0) - (change.from_ms or 0):
        return "", ""
    zh, en = _gained_words(plan)
    return f"，与已计入的时间重叠，实际增加 {zh}", f", overlaps what is counted already and adds {en}"


def _gained_words(plan: Plan) -> tuple[str, str]:
    told = [length_words(ms) for ms in sorted(set(gained(plan)))]
    return "至 ".join(zh for zh, _ in told), " to ".join(en for _, en in told)


def since_at(plan: Plan, wall: WallTime) -> str | None:
    """``09:12:40``: from when a pause counts that is entered afterwards; None of every other change."""
    change = plan.change
    if change.kind != "pause" or change.from_ms is None or change.from_ms >= plan.now_ms:
        return None
    return hour(iso(wall, change.from_ms, plan.reached.session.timezone))


def _since_the_end(plan: Plan) -> tuple[str, str]:
    """Of whom it opens again: how long ago they ended, which is given back and counts to the cap."""
    gaps = idle(plan)
    if not gaps:
        return "", ""
    lost = [clock.lost_ms(plan.after[attempt], plan.now_ms) for attempt in gaps]
    gap = [clock.duration_text(ms) for ms in (min(gaps.values()), max(gaps.values()))]
    total = [clock.duration_text(ms) for ms in (min(lost), max(lost))]
    gap_zh, gap_en = _span_words(gap)
    total_zh, total_en = _span_words(total)
    zh = f"；重开 {len(gaps)} 人，计入上限合计 {total_zh}，其中 {gap_zh} 为结束后至重开之间的空档"
    en = f"; {counted(len(gaps), 'attempt')} reopened, {total_en} counts to the cap in all, of these {gap_en}"
    return zh, f"{en} between the end and the reopening"


def _span_words(pair: list[str]) -> tuple[str, str]:
    first, last = pair
    return (first, first) if first == last else (f"{first} 至 {last}", f"{first} to {last}")


def counted(n: int, noun: str) -> str:
    """``1 room``, ``2 rooms``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _range(pair: Mapping[str, str]) -> str:
    first, last = hour(pair["from"]), hour(pair["to"])
    return first if first == last else f"{first}–{last}"


def told_follows(follows: Follows, wall: WallTime, proposal: int | None) -> dict[str, Any]:
    zone = follows.session.timezone
    before, after = iso(wall, follows.starts_ms, zone), iso(wall, follows.starts_ms + follows.ms, zone)
    number, people, minutes = follows.session.number, len(follows.attempts), follows.ms // 60_000
    wait = follows.changeover_ms // 60_000
    earlier = ", ".join(str(one) for one in follows.supersedes)
    more_zh, more_en = (f"，取代建议 {earlier}", f", in place of proposal {earlier}") if earlier else ("", "")
    return {
        "session": {"id": follows.session.id, "number": number, "name": follows.session.name},
        "candidates": people,
        "overlaps": follows.overlaps,
        "ms": follows.ms,
        "changeover_ms": follows.changeover_ms,
        "starts": {"from": before, "to": after},
        "proposal": proposal,
        "supersedes": list(follows.supersedes),
        "zh": f"第 {number} 场 {people} 人距开考不足 {wait} 分钟，建议推迟 {minutes} 分钟至 {hour(after)}{more_zh}",
        "en": f"session {number}: {counted(people, 'candidate')} would have less than {wait} min to change over;"
        f" postpone it by {minutes} min to {hour(after)}{more_en}",
    }


def told_entry(row: RowMapping, wall: WallTime, zone: str, standing: Collection[int]) -> dict[str, Any]:
    """A ledger entry as staff read it. ``standing``: ids of the entries that are not taken back."""
    zh, en = reason_words(row["reason"])
    return {
        "id": row["id"],
        "kind": row["kind"],
        "scope": row["scope"],
        "scope_names": row["scope_names"],
        "room": row["room_id"],
        "candidates": row["candidates"],
        "from_ms": row["from_ms"],
        "to_ms": row["to_ms"],
        "from_at": None if row["from_ms"] is None else iso(wall, row["from_ms"], zone),
        "to_at": None if row["to_ms"] is None else iso(wall, row["to_ms"], zone),
        "amount_ms": row["amount_ms"],
        "refers_id": row["refers_id"],
        "supersedes_id": row["supersedes_id"],
        "reason": row["reason"],
        "reason_zh": zh,
        "reason_en": en,
        "note": row["note"],
        "incident": row["incident"],
        "by": row["by"],
        "decision": row["decision_id"],
        "made_ms": row["made_ms"],
        "made_at": row["made_at"].astimezone(ZoneInfo(zone)).isoformat(timespec="seconds"),
        "live": row["id"] in standing,
    }
