"""One way to finish, in two steps (I9): `ended`, then `final`.

Hand-in, time-out and force-end go the same way: the epoch is sealed in Redis and the attempt's buffer drained; then,
under the row lock, the attempt ends; and it becomes final only after everything promised before the end is in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy import RowMapping, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.checkpoint import recovery
from app.checkpoint.recovery import Seal
from app.domain.errors import ClockUnconfirmed, Refused
from app.domain.receipt import answers_hash, is_answered
from app.services import relog, timing
from app.services.site import Site
from app.storage.postgres import attempts, audit, relogs
from app.storage.postgres.relogs import Relog
from app.storage.redis.client import RedisAway
from app.storage.redis.events import Event

log = structlog.get_logger(__name__)
T = TypeVar("T")
Reason = Literal["hand_in", "time_out", "forced"]
SWEEP = 50
# Who is on the audit log for what an end takes with it.
ACTOR = "end"


def patience(site: Site) -> attempts.Patience:
    settings = site.settings
    return attempts.Patience(
        term=site.service_time.term,
        handover_ms=int(settings.handover_gap.total_seconds() * 1000),
        credit_ms=int(settings.reconnect_credit.total_seconds() * 1000),
        heard_ms=timing.WAS_HEARD_MS,
        ready_ms=timing.READY_LIMIT_MS,
    )


async def end(site: Site, attempt: UUID, reason: Reason, *, epoch: int | None = None, seq: int | None = None) -> None:
    """Step one. Ends at the time the clock says for a time-out, now otherwise; ending twice changes nothing.

    With ``epoch``, only for the device that holds it: refused `superseded` when another has signed in since. A hand-in
    is refused `attempt-paused` while the clock stands: nobody decides that in a corridor. ``seq``: the number of the
    device's request that asks for it; one from before a reopening ends nothing.
    """
    await _sealed(site, attempt, lambda seal: _end(site, attempt, reason, epoch, seq, seal))


async def _end(site: Site, attempt: UUID, reason: Reason, epoch: int | None, seq: int | None, seal: Seal) -> None:
    async with site.engine.begin() as conn:
        row = await attempts.lock(conn, attempt)
        _refuse_old(row, epoch)
        if row is None or row["state"] != "open":
            return
        if seq is not None and seq <= row["reopened_seq"]:
            # A repeat of what the reopening took back: whoever reopened it has seen the end that this asks for.
            return
        if reason == "hand_in" and row["left_ms"] is not None:
            raise Refused("attempt-paused")
        now_ms = site.service_time.now_ms()
        ended_ms = min(now_ms, row["end_ms"]) if row["end_ms"] is not None else now_ms
        if reason == "time_out" and (
            row["end_ms"] is None
            or row["end_ms"] > now_ms
            or await attempts.undecided(conn, attempt, now_ms, patience(site))
        ):
            # The clock was moved between the look and the lock, or its end is not yet known: not due.
            return
        await seal.hold(row["epoch"])
        await attempts.end(conn, attempt, ended_ms=ended_ms, reason=reason)
        await _no_longer_moved(conn, attempt, now_ms)
    await _show(site, row, "ended")
    # What is buffered from here on is judged by the end that is now in the record.
    await seal.lift()


async def _no_longer_moved(conn: AsyncConnection, attempt: UUID, now_ms: int) -> None:
    """Nobody is on their way to a seat when it is over: the seat would stay promised, and the attempt, opened again,
    would wait for them beyond its end."""
    left = await relogs.let_go(conn, attempt, now_ms=now_ms)
    if left is not None:
        subject = {**relog.subject_of(left), "why": "ended"}
        await audit.append(conn, actor=ACTOR, action="relog.withdraw", subject=subject, service_ms=now_ms)


def _refuse_old(row: RowMapping | None, epoch: int | None) -> None:
    if row is not None and epoch is not None and row["epoch"] != epoch:
        raise Refused("superseded", seat="", items=[])


async def finalise(
    site: Site, attempt: UUID, *, epoch: int | None = None, needs_redis: bool = False
) -> dict[str, Any] | None:
    """Step two: the receipt. The one it already has when it is final; None when it has not ended.

    ``needs_redis``: wait while Redis is away, for it may hold what was buffered before the end. A hand-in does not:
    it brought everything its browser still held.
    """
    return await _sealed(site, attempt, lambda seal: _finalise(site, attempt, epoch, needs_redis, seal))


async def _finalise(
    site: Site, attempt: UUID, epoch: int | None, needs_redis: bool, seal: Seal
) -> dict[str, Any] | None:
    async with site.engine.begin() as conn:
        row = await attempts.lock(conn, attempt)
        _refuse_old(row, epoch)
        if row is None or row["state"] == "open":
            return None
        if row["state"] == "final":
            stored: dict[str, Any] = row["receipt"]
            return stored
        await seal.hold(row["epoch"])
        if needs_redis and not seal.drained:
            return None
        receipt = await _receipt(conn, attempt, row["ended_ms"], site.service_time.now_ms())
        await attempts.finalise(conn, attempt, now_ms=site.service_time.now_ms(), receipt=receipt)
    await _show(site, row, "final")
    await site.tell(Event("closed", attempt=str(attempt), data={"reason": row["end_reason"]}))
    return receipt


async def sweep(site: Site) -> int:
    """End what is due and finalise what is out of grace, a small batch of each; how many."""
    now_ms = site.service_time.now_ms()
    silent_ms = int(site.settings.silent_after.total_seconds() * 1000)
    async with site.engine.begin() as conn:
        due = [row["id"] for row in await attempts.due(conn, now_ms, SWEEP, patience(site))]
    for attempt in due:
        await _apart(attempt, end(site, attempt, "time_out"))
    async with site.engine.begin() as conn:
        over = [row["id"] for row in await attempts.out_of_grace(conn, now_ms, silent_ms=silent_ms, limit=SWEEP)]
    done = [await _apart(attempt, finalise(site, attempt, needs_redis=True)) for attempt in over]
    return len(due) + sum(receipt is not None for receipt in done)


async def _apart(attempt: UUID, step: Awaitable[T]) -> T | None:
    """What ``step`` returns, None when it failed: one attempt that cannot be ended must not keep the others open. A
    store or a clock that is away is raised, for it is away for all of them."""
    try:
        return await step
    except (ClockUnconfirmed, SQLAlchemyError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError):
        raise
    except Exception:
        log.exception("attempt left as it is", attempt=str(attempt))
        return None


async def finalise_session(site: Site, session_id: int, *, actor: str, staff_id: int | None = None) -> int:
    """The office finalises a session: every ended attempt past its grace, silent at its end or not. How many.

    The audit entry comes first: a job that is cut short was still somebody's decision, and is simply given again.
    """
    async with site.engine.begin() as conn:
        await audit.append(
            conn, actor=actor, action="session.finalise", subject={"session": session_id}, staff_id=staff_id,
            service_ms=site.service_time.now_ms(),
        )  # fmt: skip
    done = 0
    while True:
        async with site.engine.begin() as conn:
            rows = await attempts.out_of_grace(
                conn, site.service_time.now_ms(), silent_ms=0, limit=SWEEP, session_id=session_id
            )
        if not rows:
            return done
        for row in rows:
            await finalise(site, row["id"])
        done += len(rows)


async def moves_over_the_end(site: Site, session_id: int) -> list[Relog]:
    """The moves that keep an attempt of the session open beyond its end, until the candidate arrives, or the move is
    withdrawn, or the office ends the attempt."""
    async with site.engine.connect() as conn:
        return await relogs.over_the_end(conn, session_id, now_ms=site.service_time.now_ms())


async def _sealed(site: Site, attempt: UUID, decide: Callable[[Seal], Awaitable[T]]) -> T:
    return await recovery.under_seal(site.plain, site.hot_or_none(), site.service_time.lineage_n, attempt, decide)


async def _show(site: Site, row: RowMapping, state: str) -> None:
    """Tell the hot copy of the step that was taken from ``row``, by the revision that this step gave the clock: a word
    that comes after a reopening is old, and must not fence what the record has opened again."""
    attempt = row["id"]
    try:
        await site.hot().clocks([(attempt, row["clock_rev"] + 1, state, row["end_ms"])])
    except RedisAway as fault:
        log.info("state not mirrored", attempt=str(attempt), fault=str(fault))


async def _receipt(conn: AsyncConnection, attempt: UUID, ended_ms: int, now_ms: int) -> dict[str, Any]:
    seated = await attempts.seated(conn, attempt)
    if seated is None:
        raise LookupError(attempt)
    answers = {row["item_id"]: row["value"] for row in await attempts.responses(conn, attempt)}
    row = (
        (
            await conn.execute(
                text("SELECT count, chain, chain_links, end_reason FROM attempt WHERE id = :a"), {"a": attempt}
            )
        )
        .mappings()
        .one()
    )
    return {
        "count": row["count"],
        "answered": sum(map(is_answered, answers.values())),
        "total": len(seated.items),
        "handed_in_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "service_ms": now_ms,
        "ended_ms": ended_ms,
        "reason": row["end_reason"],
        "answers_hash": answers_hash(answers),
        "chain": row["chain"].hex(),
        "links": row["chain_links"],
        "ticket": seated.candidate["ticket"],
        "name": seated.candidate["name"],
        "session": seated.session["name"],
        "seat": f"{seated.seat['room']} {seated.seat['seat']}",
    }
