"""Swapping rounds, moving people to another one, deferring them: preview, and one confirmation.

A decision is planned twice, by the same pure function: to be shown, and under the locks before it is written. Only what
was seen is done (``seen``); whatever has changed meanwhile refuses it. Whoever has a page open is sealed and drained
first, as for a move or an end (``checkpoint.recovery``), so nothing that was promised is behind the decision.

Lock order: the request's idempotency key, the exam, its sessions, attempts by id, the audit head.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.checkpoint.recovery import Seal, SealLost
from app.domain.checkpoints import StoreAway
from app.domain.errors import Refused
from app.domain.round_picture import Sitter
from app.services import ending, round_papers, round_snapshot, round_words, round_writing, staff_requests
from app.services.round_snapshot import Ask, Known
from app.services.round_writing import Decision, Written
from app.services.site import Site
from app.services.staff_requests import Done
from app.services.staff_requests import Request as StaffRequest
from app.storage.postgres import attempts, draw_inputs, rounds
from app.storage.postgres.staff import Login
from app.storage.redis.events import Event

log = structlog.get_logger(__name__)
LIMIT = timedelta(minutes=2)
TRIES = 4
# A building that is deferred is finalised within a breath, and leaves connections for everybody else.
FINALISED_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Confirmed:
    """``seen``: the digest the preview told; ``number`` and ``words`` of the office's decision."""

    seen: str
    number: str
    words: str


async def preview(site: Site, ask: Ask) -> dict[str, Any]:
    """``{effect, seen}`` (``round_words.effect``). Writes nothing; refuses whatever the confirmation would refuse."""
    site.require_postgres()
    async with site.engine.connect() as conn:
        await _allow_long(conn)
        known = await round_snapshot.look(conn, ask, site.service_time.now_ms())
        papers = await round_papers.settle(conn, known, secrets.token_hex(16))
    return {"effect": round_words.effect(known, papers), "seen": known.seen}


async def act(
    site: Site, login: Login, key: str, ask: Ask, confirmed: Confirmed, *, through: str = "console"
) -> dict[str, Any]:
    """``{decision: {id, kind, number, text}, effect, notice}``. Refused round-changed, decision-incomplete, or as the
    preview; then nothing has changed."""
    site.require_postgres()
    if not (confirmed.number.strip() and confirmed.words.strip()):
        raise Refused("decision-incomplete")
    for _ in range(TRIES):
        try:
            reply, written = await _sealed(site, login, key, ask, confirmed, through)
        except SealLost as lost:
            log.info("rounds: sealing again", why=str(lost))
            continue
        await _afterwards(site, reply["decision"]["id"], written)
        return reply
    raise StoreAway("an attempt's seal was lost again and again")


async def _allow_long(conn: AsyncConnection) -> None:
    await draw_inputs.allow_long(conn, int(LIMIT.total_seconds() * 1000))


async def _sealed(
    site: Site, login: Login, key: str, ask: Ask, confirmed: Confirmed, through: str
) -> tuple[dict[str, Any], Written | None]:
    """One try; ``written`` None when the reply is that of an earlier request under this key."""
    seals = {attempt: Seal(site.hot_or_none(), attempt) for attempt in await _pages(site, ask)}
    written: list[Written] = []

    async def change(conn: AsyncConnection) -> Done:
        await _allow_long(conn)
        known, now_ms = await _locked(site, conn, ask)
        if known.seen != confirmed.seen:
            raise Refused("round-changed")
        seed = secrets.token_hex(16)
        papers = await round_papers.settle(conn, known, seed)
        epochs = await _held(conn, known, seals)
        decision = Decision(confirmed.number.strip(), confirmed.words.strip(), login.staff_id)
        made = await round_writing.write(
            conn, known, papers, decision, seed=seed, epochs=epochs, lineage_n=site.service_time.lineage_n,
            now_ms=now_ms,
        )  # fmt: skip
        written.append(made)
        effect = round_words.effect(known, papers)
        told = {"id": made.decision_id, "kind": ask.kind, "number": decision.number, "text": decision.words}
        reply = {
            "decision": told,
            "effect": effect,
            "notice": max((one["id"] for one in made.told.values()), default=None),
        }
        about = {**_subject(known), "number": decision.number, "text": decision.words, "through": through}
        return Done(reply, f"rounds.{ask.kind}", about, now_ms)

    asked = StaffRequest(key, f"rounds {ask.kind}", _body(ask, confirmed))
    async with AsyncExitStack() as stack:
        for attempt, seal in seals.items():
            stack.push_async_callback(_lift, seal, written)
            async with site.plain() as connection:
                await seal.take(connection, site.service_time.lineage_n)
            log.debug("sealed", attempt=str(attempt))
        reply = await staff_requests.once(site.engine, login, asked, change, now_ms=site.service_time.now_ms())
    return reply, written[0] if written else None


async def _lift(seal: Seal, written: list[Written]) -> None:
    """A seal that was held may have met a COMMIT whose outcome is unknown: then it is left to expire."""
    if written or not seal.held:
        await seal.lift()


async def _pages(site: Site, ask: Ask) -> list[UUID]:
    """The attempts with an epoch that this would close or take away, by id; none when it is refused as things stand:
    the transaction then says so, or finds that it was done before."""
    async with site.engine.connect() as conn:
        try:
            known = await round_snapshot.look(conn, ask, site.service_time.now_ms())
        except Refused:
            return []
    return sorted(each for each in _touched(known) if known.attempts[each]["epoch"])


def _touched(known: Known) -> set[UUID]:
    """Attempts that are closed or go along."""
    people: list[Sitter] = [*known.plan.closes, *(m.sitter for m in known.plan.moves if not m.sitter.stays_closed)]
    return {each.attempt.id for each in people if each.attempt is not None}


async def _locked(site: Site, conn: AsyncConnection, ask: Ask) -> tuple[Known, int]:
    """The plan as it is under the locks, and the instant of the decision: looked at once to know whom to lock, and
    again when they are. A decision on time may hold the exam meanwhile, and a session begin: an instant of before the
    wait would move or close people as of a moment that never was."""
    sessions = {ask.session} | ({ask.other} if ask.other is not None else set())
    await rounds.lock_sessions(conn, sessions)
    looked = await round_snapshot.look(conn, ask, site.service_time.now_ms())
    whole = sessions if ask.kind == "swap" else sessions - {ask.session}
    await rounds.lock_attempts(conn, whole, ask.session, [each.candidate_id for each in looked.plan.sitters])
    now_ms = site.service_time.now_ms()
    return await round_snapshot.look(conn, ask, now_ms), now_ms


async def _held(conn: AsyncConnection, known: Known, seals: Mapping[UUID, Seal]) -> dict[UUID, int]:
    """Renew every seal under the row locks; the newest epoch known of each page. Raises SealLost."""
    epochs: dict[UUID, int] = {}
    for attempt in sorted(_touched(known)):
        epoch = known.attempts[attempt]["epoch"]
        if not epoch:
            continue
        seal = seals.get(attempt)
        if seal is None:
            raise SealLost("somebody has signed in meanwhile")
        await seal.hold(epoch)
        stranded = await attempts.newest_stranded_epoch(conn, attempt)
        epochs[attempt] = max(epoch, stranded, seal.known.epoch if seal.known else 0)
    return epochs


def _body(ask: Ask, confirmed: Confirmed) -> dict[str, Any]:
    return {
        "session": ask.session,
        "other": ask.other,
        "rooms": list(ask.rooms),
        "tickets": list(ask.tickets),
        "seen": confirmed.seen,
        "number": confirmed.number,
        "text": confirmed.words,
    }


def _subject(known: Known) -> dict[str, object]:
    plan = known.plan
    return {
        "exam": known.exam["exam_code"],
        "sessions": [known.sessions[each]["number"] for each in plan.sessions],
        "candidates": len(plan.sitters),
        "tickets": sorted(each.ticket for each in plan.sitters),
        "closed": sorted(each.ticket for each in plan.closes),
    }


async def _afterwards(site: Site, decision_id: int, written: Written | None) -> None:
    """After the commit: pages hear of it, and what was closed becomes final (I9, step two).

    Nothing rests on the push; a process that dies here leaves attempts that have ended, which the sweeper finalises.
    """
    async with site.engine.connect() as conn:
        closing = await rounds.waiting_to_close(conn, decision_id)
    if written is not None:
        for attempt, notice in written.told.items():
            await site.tell(Event("notice", attempt=str(attempt), data=dict(notice)))
        for attempt in sorted(written.left):
            await site.tell(Event("closed", attempt=str(attempt), data={"reason": "moved"}))
    at_once = asyncio.Semaphore(FINALISED_AT_ONCE)

    async def finalise(attempt: UUID) -> None:
        async with at_once:
            await ending.finalise(site, attempt)

    await asyncio.gather(*(finalise(attempt) for attempt in closing))
