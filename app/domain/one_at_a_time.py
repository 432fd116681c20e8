"""No candidate ever has two running attempts (DESIGN §5): which of their attempts has them, and which must wait.

Asked of what is so now, never of when somebody last looked: an attempt that should have waited and was missed waits
from the moment it is seen. Everything here is pure; ``services.one_at_a_time`` reads the attempts and writes the pause.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Sitting:
    """One attempt of a candidate. ``start_ms``: its own start, None while the session is not anchored; ``end_ms``: None
    before that; ``sat``: somebody has signed in; ``waits``: held by the service until the one before is over;
    ``undecided``: its end may still move although it has passed (a move over the end); ``ended_ms``: None while open.
    """

    attempt: UUID
    candidate: int
    number: int
    start_ms: int | None
    end_ms: int | None
    paused: bool = False
    sat: bool = True
    waits: bool = False
    undecided: bool = False
    ended_ms: int | None = None
    session: int = 0
    exam: int = 0


def is_before(one: Sitting, other: Sitting) -> bool:
    """Whether ``one`` goes first: by start, of equal ones by number and then by id, so that one of two always does."""
    if one.start_ms is None or other.start_ms is None:
        return False
    return (one.start_ms, one.number, one.attempt) < (other.start_ms, other.number, other.attempt)


def goes_on(one: Sitting, at_ms: int) -> bool:
    """Whether it has begun by ``at_ms`` and is not over: it runs, is paused, or its end is not known yet."""
    if one.ended_ms is not None or one.start_ms is None or one.start_ms > at_ms:
        return False
    return one.paused or one.undecided or (one.end_ms is not None and one.end_ms > at_ms)


def runs(one: Sitting, now_ms: int) -> bool:
    """Whether its clock runs now."""
    return goes_on(one, now_ms) and not one.paused and one.end_ms is not None and one.end_ms > now_ms


def has_candidate(one: Sitting, at_ms: int) -> bool:
    """Whether it keeps its candidate from any later attempt. One to which nobody came keeps nobody, but one that waits
    for its candidate does: it is theirs next."""
    return goes_on(one, at_ms) and (one.sat or one.waits)


def must_wait(mine: Sequence[Sitting], now_ms: int, *, ahead_ms: int = 0) -> list[Sitting]:
    """Of one candidate's attempts those to be held: begun, or beginning within ``ahead_ms``, although an earlier one
    has the candidate then. A paused one too, for a resume would let it run."""
    found = []
    for later in mine:
        if later.waits or later.start_ms is None or later.start_ms > now_ms + ahead_ms:
            continue
        at_ms = max(now_ms, later.start_ms)
        if not goes_on(later, at_ms):
            continue
        if any(is_before(one, later) and has_candidate(one, at_ms) for one in mine):
            found.append(later)
    return found


def may_begin(waiting: Sitting, mine: Iterable[Sitting], now_ms: int, *, changeover_ms: int) -> bool:
    """Whether one that waits is let go: every earlier one to which the candidate came is over, and was
    ``changeover_ms`` ago. One whose time is up counts as over only once it is ended on record."""
    for one in mine:
        if one.attempt == waiting.attempt or not is_before(one, waiting) or not (one.sat or one.waits):
            continue
        if one.ended_ms is None or one.ended_ms + changeover_ms > now_ms:
            return False
    return True


def runs_elsewhere(own: UUID, mine: Iterable[Sitting], now_ms: int) -> bool:
    """Whether another one than ``own`` goes on, so that ``own`` cannot be opened again. One that waits for it does
    not."""
    return any(one.attempt != own and not one.waits and goes_on(one, now_ms) for one in mine)


def seated_in(mine: Iterable[Sitting], now_ms: int) -> Sitting | None:
    """The attempt that a candidate who signs in is in the middle of; None when there is none."""
    found: Sitting | None = None
    for one in mine:
        if one.sat and not one.waits and goes_on(one, now_ms) and (found is None or is_before(one, found)):
            found = one
    return found


def clashes(mine: Sequence[Sitting], now_ms: int) -> bool:
    """Whether the invariant is broken: one runs beside an earlier one that runs and to which the candidate came."""
    running = [one for one in mine if runs(one, now_ms)]
    return any(one.sat and is_before(one, other) for one in running for other in running)
