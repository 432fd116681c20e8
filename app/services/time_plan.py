"""What a change of time would do, worked out before anything is written (STYLE 4: snapshot, decide, act).

``make`` is pure: it takes what was read and gives the lines for the ledger, whom they leave out and why, whom the cap
refuses, and every ledger before and after. A preview shows it; an action works it out again under the locks and writes
it. Attempts with the same ledger are judged once: of 1,880 nearly all have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from app.domain import adjustments, clock
from app.domain.adjustments import Change
from app.domain.errors import Refused
from app.services.time_judge import SEAT_TAKEN, Facts, Judge, ledger_key
from app.services.time_lines import Line, lines_for
from app.services.time_scope import Reached
from app.storage.postgres.time_scope import Member

LISTED = 10
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Plan:
    """``takes``: whom it is for; ``left_out``: the others by code; ``reopened``: stored as ended, open again with it;
    ``over_cap``: with what each would have lost in all. ``refusal`` is what doing it would be refused with."""

    change: Change
    reached: Reached
    now_ms: int
    takes: tuple[Member, ...]
    left_out: Mapping[str, tuple[Member, ...]]
    lines: tuple[Line, ...]
    reopened: tuple[UUID, ...]
    before: Mapping[UUID, clock.Ledger]
    after: Mapping[UUID, clock.Ledger]
    over_cap: tuple[tuple[Member, int], ...] = ()
    refusal: Refused | None = field(default=None)

    @property
    def credits(self) -> bool:
        """Whether it credits an interval, not one in place of another."""
        return self.change.kind == "credit" and self.change.supersedes is None


def make(change: Change, reached: Reached, facts: Facts, now_ms: int) -> Plan:
    """The plan; never raises, for a preview shows what is refused too."""
    judged = Judge(change, reached.members, facts, now_ms)
    takes, left_out = judged.sorted_out(reached.members)
    change, reached = _narrowed(change, reached, takes, left_out, now_ms)
    over = (*left_out.get("attempt-ended", ()), *left_out.get("attempt-deferred", ()))
    lines = tuple(lines_for(change, takes, over, facts, judged, now_ms))
    scope = change.scope.kind
    of_attempt: dict[UUID, list[clock.Entry]] = {}
    for n, line in enumerate(lines):
        entry = line.entry(n, scope, now_ms)
        for attempt in line.attempts:
            of_attempt.setdefault(attempt, []).append(entry)
    after: dict[UUID, clock.Ledger] = {}
    made: dict[tuple[object, ...], clock.Ledger] = {}
    for member in takes:
        ledger, entries = facts.ledgers[member.attempt], of_attempt.get(member.attempt, [])
        key = (ledger_key(ledger), tuple(entry.id for entry in entries))
        if key not in made:
            made[key] = adjustments.planned(ledger, *entries)
        after[member.attempt] = made[key]
    plan = Plan(
        change=change,
        reached=reached,
        now_ms=now_ms,
        takes=tuple(takes),
        left_out={code: tuple(some) for code, some in left_out.items()},
        lines=lines,
        reopened=tuple(sorted(attempt for line in lines if line.kind == "reopen" for attempt in line.attempts)),
        before=facts.ledgers,
        after=after,
    )
    plan = replace(plan, over_cap=tuple(_over(plan, facts)))
    return replace(plan, refusal=_refusal(plan, facts))


def _narrowed(
    change: Change, reached: Reached, takes: Sequence[Member], left_out: Mapping[str, Sequence[Member]], now_ms: int
) -> tuple[Change, Reached]:
    """A postponement of the site moves the session's own start, and with it the start of everybody in it. Where some
    of them have begun it is one of the others, each by themselves."""
    if change.kind != "postpone" or change.scope.kind != "site":
        return change, reached
    if not any(has_begun(member, now_ms) for some in left_out.values() for member in some):
        return change, reached
    tickets = [member.ticket for member in takes]
    return replace(change, scope=replace(change.scope, kind="list")), replace(reached, names=tickets)


def has_begun(member: Member, now_ms: int) -> bool:
    return member.start_ms is not None and member.start_ms <= now_ms


# --- what is refused ---


def _over(plan: Plan, facts: Facts) -> Iterable[tuple[Member, int]]:
    if plan.change.kind not in adjustments.GIVING:
        return
    known: dict[tuple[object, ...], int | None] = {}
    for member in plan.takes:
        before, after = plan.before[member.attempt], plan.after[member.attempt]
        key = (id(after), facts.limit(member.attempt))
        if key not in known:
            known[key] = adjustments.over(before, after, now_ms=plan.now_ms, limit_ms=facts.limit(member.attempt))
        lost = known[key]
        if lost is not None:
            yield member, lost


def _refusal(plan: Plan, facts: Facts) -> Refused | None:
    taken = plan.left_out.get(SEAT_TAKEN, ())
    if taken and plan.change.kind == "reopen":
        # Decided for these people by name: not for some of them.
        return Refused(SEAT_TAKEN, **_whom(SEAT_TAKEN, taken, facts))
    if not plan.takes:
        # Of as many the same one each time, in whatever order they were looked at.
        code, some = max(plan.left_out.items(), key=lambda item: (len(item[1]), item[0]))
        return Refused(code, **_whom(code, some, facts))
    if plan.over_cap:
        held = [member for member, _ in plan.over_cap]
        idle_zh, idle_en = _idle_words(plan)
        return Refused(
            "cap-exceeded", count=len(held), who=names(held), over_cap=told_over(plan), idle_zh=idle_zh,
            idle_en=idle_en,
        )  # fmt: skip
    if plan.credits and gained(plan)[1] <= 0:
        return Refused("nothing-gained", count=len(plan.takes))
    if plan.change.kind == "undo" or plan.change.supersedes is not None:
        begun = [member for member in plan.takes if _starts_again(plan, member)]
        if begun:
            return Refused("start-passed", count=len(begun))
        begins = [member.ticket for member in plan.takes if _starts_in_the_past(plan, member)]
        if begins:
            return Refused("undo-start-passed", count=len(begins), tickets=begins)
        ends = {member.ticket: _would_have_ended(plan, member) for member in plan.takes}
        late = {ticket: ended for ticket, ended in ends.items() if ended is not None}
        if late:
            ago_min = max(1, -(-(plan.now_ms - min(late.values())) // MINUTE_MS))
            return Refused("undo-too-late", count=len(late), ago_min=ago_min, tickets=list(late))
    return None


def idle(plan: Plan) -> Mapping[UUID, int]:
    """Of whom it reopens: how much of what counts to the cap lies between their end and now, in ms."""
    known: dict[int, int] = {}
    for member in plan.takes:
        after = plan.after[member.attempt]
        if id(after) not in known:
            known[id(after)] = adjustments.idle_ms(plan.before[member.attempt], after, now_ms=plan.now_ms)
    found = {member.attempt: known[id(plan.after[member.attempt])] for member in plan.takes}
    return {attempt: ms for attempt, ms in found.items() if ms}


def _idle_words(plan: Plan) -> tuple[str, str]:
    """What a refusal adds where somebody is taken over the cap by the time since they ended: of the one it takes
    furthest."""
    gaps = idle(plan)
    lost_ms, gap_ms = max(
        ((lost, gaps[member.attempt]) for member, lost in plan.over_cap if member.attempt in gaps), default=(0, 0)
    )
    if not gap_ms:
        return "", ""
    total, gap = clock.duration_text(lost_ms), clock.duration_text(gap_ms)
    most_zh, most_en = ("最多者", "at most ") if len(plan.over_cap) > 1 else ("", "")
    return (
        f"；{most_zh}合计 {total}，其中 {gap} 为结束后至重开之间的空档",
        f"; {most_en}{total} in all, of these {gap} between the end and the reopening",
    )


def told_over(plan: Plan) -> list[dict[str, object]]:
    """Whom the cap refuses: what each would have lost in all, and how much of it lies between end and reopening."""
    gaps = idle(plan)
    return [
        told_member(member, lost_ms=lost, idle_ms=gaps.get(member.attempt, 0)) for member, lost in plan.over_cap
    ]  # fmt: skip


def gained(plan: Plan) -> tuple[int, int]:
    """The least and the most that the change adds to what anybody has left: less than the length of a credit where it
    overlaps what counts already."""
    known: dict[int, int] = {}
    for member in plan.takes:
        before, after = plan.before[member.attempt], plan.after[member.attempt]
        if id(after) not in known:
            known[id(after)] = clock.remaining_ms(after, plan.now_ms) - clock.remaining_ms(before, plan.now_ms)
    return min(known.values(), default=0), max(known.values(), default=0)


def _whom(code: str, some: Sequence[Member], facts: Facts) -> dict[str, object]:
    told: dict[str, object] = {"count": len(some)}
    if code == SEAT_TAKEN:
        sit = [facts.taken[member.attempt] for member in some]
        listed = "、".join(f"{one.name}（{one.ticket}，{one.room} {one.seat}）" for one in sit[:LISTED])
        told |= {"who": f"{listed}…" if len(sit) > LISTED else listed}
    if code == "cap-held":
        told |= {"who": names(some), "held": [told_member(member) for member in some]}
    return told


def _starts_again(plan: Plan, member: Member) -> bool:
    """Whether a postponement that counts again would take somebody back before the start they began at."""
    started, starts = clock.start_ms(plan.before[member.attempt]), clock.start_ms(plan.after[member.attempt])
    return started is not None and starts is not None and started <= plan.now_ms and started < starts


def _starts_in_the_past(plan: Plan, member: Member) -> bool:
    """Whether a postponement is taken back too late: an earlier start would take from what they have left."""
    started, starts = clock.start_ms(plan.before[member.attempt]), clock.start_ms(plan.after[member.attempt])
    if member.stored != "open" or started is None or starts is None:
        return False
    return starts < started and starts <= plan.now_ms


def _would_have_ended(plan: Plan, member: Member) -> int | None:
    """The end that would lie in the past, of somebody who has time now: what they wrote since would be judged late."""
    before, after, now = plan.before[member.attempt], plan.after[member.attempt], plan.now_ms
    if member.stored != "open":
        return None
    ended, ends = clock.end_ms(before, now), clock.end_ms(after, now)
    return ends if ends is not None and ends <= now and (ended is None or ended > now) else None


def names(some: Sequence[Member]) -> str:
    """The first few as a sentence names them."""
    listed = "、".join(f"{member.name}（{member.ticket}）" for member in some[:LISTED])
    return f"{listed}…" if len(some) > LISTED else listed


def told_member(member: Member, **more: object) -> dict[str, object]:
    return {
        "attempt": str(member.attempt), "ticket": member.ticket, "name": member.name, "room": member.room,
        "seat": member.seat, **more,
    }  # fmt: skip


def extremes(plan: Plan, of: Callable[[clock.Ledger], int | None]) -> tuple[int, int] | None:
    """The least and the greatest of what ``of`` says of the ledgers after the change; None where nobody has any."""
    known: dict[int, int | None] = {}
    open_now = set(plan.reopened)
    for member in plan.takes:
        ledger = plan.after[member.attempt]
        # The end of who is over and stays so is history, not an effect.
        if id(ledger) not in known and (member.stored == "open" or member.attempt in open_now):
            known[id(ledger)] = of(ledger)
    found = [value for value in known.values() if value is not None]
    return (min(found), max(found)) if found else None
