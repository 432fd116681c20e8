"""What candidates' pages are told of a change of time: what happened and why, never how long something may take.

One change may be two pieces of news: a pause that ends lets some go on and leaves others in another pause.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import clock
from app.domain.adjustments import reason_words
from app.domain.wall_time import WallTime
from app.services.time_plan import Plan, gained
from app.services.time_words import length_words, since_at
from app.storage.postgres import notices
from app.storage.postgres.adjustments import Moved

STILL_PAUSED = (
    "一项暂停已解除，您的考试仍在暂停中，请继续等候，听从监考人员安排。",
    "One pause has ended. Your exam is still paused by another one: keep waiting and follow the staff.",
)


@dataclass(frozen=True, slots=True)
class Told:
    """``notice``: ``{id, kind, zh, en}``, written for these attempts."""

    notice: dict[str, Any]
    attempts: frozenset[UUID]


async def create(conn: AsyncConnection, plan: Plan, entry: int, wall: WallTime) -> list[Told]:
    """Write the notices of a change that was entered as ``entry``; the first is for those whom it is about most."""
    made = []
    for kind, attempts, (zh, en) in _news(plan, wall):
        told = await notices.create(conn, plan.reached.session.id, kind, entry, zh, en, attempts, plan.now_ms)
        made.append(Told({"id": told, "kind": kind, "zh": zh, "en": en}, frozenset(attempts)))
    return made


def shares(made: Sequence[Told], moved: Iterable[Moved]) -> Iterable[tuple[dict[str, Any], list[Moved]]]:
    """Each notice with the clocks that go out with it; whom a change moved by the way hears of it with the first."""
    of = {attempt: n for n, told in enumerate(made) for attempt in told.attempts}
    each: dict[int, list[Moved]] = {n: [] for n in range(len(made))}
    for one in moved:
        each[of.get(one.attempt, 0)].append(one)
    return [(made[n].notice, some) for n, some in each.items()]


def _news(plan: Plan, wall: WallTime) -> Iterable[tuple[str, list[UUID], tuple[str, str]]]:
    takes = [member.attempt for member in plan.takes]
    words = notice(plan, plan.lines[0].reason, wall)
    if plan.change.kind != "resume":
        yield plan.change.kind, takes, words
        return
    known: dict[int, bool] = {}
    for attempt in takes:
        after = plan.after[attempt]
        if id(after) not in known:
            known[id(after)] = clock.paused_since(after, plan.now_ms) is not None
    held = [attempt for attempt in takes if known[id(plan.after[attempt])]]
    if len(held) < len(takes):
        yield "resume", [attempt for attempt in takes if not known[id(plan.after[attempt])]], words
    if held:
        # Like any news of a pause it is none once the clock runs.
        yield "pause", held, STILL_PAUSED


def notice(plan: Plan, reason: str, wall: WallTime) -> tuple[str, str]:
    """``(zh, en)`` for whom the change does what it says."""
    change = plan.change
    why_zh, why_en = reason_words(reason)
    by_zh, by_en = length_words(change.ms or 0)
    match change.kind:
        case "postpone":
            return (
                f"开考推迟 {by_zh}（{why_zh}），结束时间同样顺延。",
                f"The start is postponed by {by_en} ({why_en}). The end moves with it.",
            )
        case "pause" if (since := since_at(plan, wall)) is not None:
            return _paused_since(plan, since, why_zh, why_en)
        case "pause":
            return (
                f"考试已暂停（{why_zh}）。暂停期间不计时，您的答案已保留，请听从监考人员安排。",
                f"The exam is paused ({why_en}). Your time stands still and your answers are kept. Follow the staff.",
            )
        case "resume":
            return "考试继续，暂停的时间不计入。", "The exam goes on. The pause was not counted."
        case "extend":
            return f"考试延长 {by_zh}（{why_zh}）。", f"Your time is extended by {by_en} ({why_en})."
        case "credit" if plan.credits:
            least_ms, most_ms = gained(plan)
            by_zh, by_en = length_words(most_ms)
            if least_ms != most_ms:
                # One text for all of them: what overlaps is not the same for each.
                by_zh, by_en = length_words((change.to_ms or 0) - (change.from_ms or 0))
                zh = f"为您计入一段 {by_zh} 的补时（{why_zh}），已经计入的部分不重复计算，请以页面上的剩余时间为准。"
                en = (
                    f"An interval of {by_en} is credited to you ({why_en}). What was credited already does not count"
                    " twice: the time left on this page is right."
                )
                return zh, en
            return f"已为您补时 {by_zh}（{why_zh}）。", f"{by_en} are credited to you ({why_en})."
        case "end":
            return f"考务办公室已结束您的考试（{why_zh}）。", f"The exam office has ended your exam ({why_en})."
        case "reopen":
            return "您的考试已恢复，可以继续作答。", "Your exam is open again. You can go on."
        case "undo" | "credit":
            return (
                f"一项时间安排已更正（{why_zh}），请以页面上的剩余时间为准。",
                f"A change of time was corrected ({why_en}). The time left on this page is right.",
            )


def _paused_since(plan: Plan, since: str, why_zh: str, why_en: str) -> tuple[str, str]:
    """A pause that is entered afterwards gives back what has passed since it began."""
    least_ms, most_ms = gained(plan)
    by_zh, by_en = length_words(most_ms)
    back_zh, back_en = f"，已补回 {by_zh}", f", {by_en} are given back to you"
    if least_ms != most_ms:
        # One text for all of them: what has passed is not the same for each.
        back_zh, back_en = "，请以页面上的剩余时间为准", ": the time left on this page is right"
    return (
        f"考试已暂停（{why_zh}），自 {since} 起不计时{back_zh}。您的答案已保留，请听从监考人员安排。",
        f"The exam is paused ({why_en}), not counted since {since}{back_en}. Your answers are kept. Follow the staff.",
    )
