"""Repair before it is shown (DESIGN §4.6, §4.7).

Before an attempt is read for a resume, moved, or ended, what Redis holds beyond the record is committed under the
stamp rule: applied, or kept as stranded. So nothing is ever shown that the record does not hold.

A move and an end do so under a seal (``under_seal``), so that nothing more is promised `buffered` meanwhile:

1. Read the live epoch from the record and seal it in Redis, under a token of our own.
2. Drain the attempt's entries and repair: the record now holds all that was ever promised under the epoch.
3. The caller's transaction locks the attempt's row and asks ``Seal.hold`` before it changes anything. It renews the
   seal and succeeds only if it has lain there since step 1 and the live epoch is still the one that was sealed.
   Otherwise the transaction is rolled back and all begins again: something may have slipped in.
4. Commit. The renewed seal outlasts it.

Who dies between 1 and 4 leaves a seal that expires by itself. Two at once have a seal each; the row lock orders them,
and the second one finds another epoch or state than it sealed. Without Redis there is no seal and nothing to drain:
what it holds is judged by its stamp when it is back, and what it was promised is stranded at worst, never lost.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import structlog

from app.checkpoint import drain
from app.domain.checkpoints import Checkpoint, Row, StoreAway
from app.domain.errors import Refused
from app.domain.responses import Version, canonical
from app.storage.redis.client import RedisAway
from app.storage.redis.hot import Hot, HotAttempt

log = structlog.get_logger(__name__)
T = TypeVar("T")
Connect = Callable[[], AbstractAsyncContextManager["asyncpg.Connection[Any]"]]
TRIES = 4


class SealLost(StoreAway):
    """The seal expired, or another epoch was granted, between the drain and the lock."""


class Seal:
    """One try at sealing, draining and deciding. ``known`` is what Redis knew of the attempt; ``drained`` says that
    nothing promised under ``epoch`` is left in Redis, False when Redis did not answer."""

    def __init__(self, hot: Hot | None, attempt: UUID) -> None:
        self._hot = hot
        self._attempt = attempt
        self._token = secrets.token_hex(8)
        self._lies = False
        self.epoch = 0
        self.known: HotAttempt | None = None
        self.drained = False
        self.held = False

    async def take(self, connection: asyncpg.Connection[Any], lineage_n: int) -> None:
        """Steps 1 and 2."""
        self.epoch = await connection.fetchval("SELECT epoch FROM attempt WHERE id = $1", self._attempt) or 0
        if not self.epoch:
            # Nobody was ever granted an epoch, so nobody has a token to buffer anything with.
            self.drained = True
            return
        if self._hot is None:
            return
        # Said before it is so: a call whose reply was lost may have sealed all the same.
        self._lies = True
        try:
            await self._hot.seal(self._attempt, self.epoch, self._token)
        except RedisAway as fault:
            log.info("not sealed", attempt=str(self._attempt), fault=str(fault))
            return
        self.known = await repair(connection, self._hot, lineage_n, self._attempt)
        # The seal itself is part of the hot copy: a repair that knows none did not reach Redis.
        self.drained = self.known is not None

    async def hold(self, live_epoch: int) -> None:
        """Step 3, under the attempt's row lock, ``live_epoch`` being what the locked row says. Raises SealLost."""
        if live_epoch != self.epoch:
            raise SealLost("another epoch was granted meanwhile")
        if self._hot is not None and self._lies and self.drained:
            try:
                if not await self._hot.renew_seal(self._attempt, self.epoch, self._token):
                    raise SealLost("the seal has expired")
            except RedisAway as fault:
                self.drained = False
                log.info("seal not renewed", attempt=str(self._attempt), fault=str(fault))
        self.held = True

    async def lift(self) -> None:
        """Let the live epoch be buffered again; a Redis that does not answer lets the seal expire."""
        if self._hot is None or not self._lies:
            return
        try:
            await self._hot.lift_seal(self._attempt, self._token)
        except RedisAway as fault:
            log.info("seal left to expire", attempt=str(self._attempt), fault=str(fault))


async def under_seal(
    connect: Connect, hot: Hot | None, lineage_n: int, attempt: UUID, decide: Callable[[Seal], Awaitable[T]]
) -> T:
    """What ``decide`` returns, run with the attempt sealed and drained; run again when the seal was lost.

    ``decide`` locks the row, calls ``hold`` before its first change, and commits. A refusal, and any fault before
    ``hold``, changed nothing and lifts the seal. After ``hold`` a fault may have met the COMMIT: the outcome is unknown
    then and the seal is left to expire. Raises StoreAway when the seal is lost again and again.
    """
    for _ in range(TRIES):
        seal = Seal(hot, attempt)
        try:
            async with connect() as connection:
                await seal.take(connection, lineage_n)
            done = await decide(seal)
        except SealLost as lost:
            log.info("sealing again", attempt=str(attempt), why=str(lost))
            await seal.lift()
            continue
        except Refused:
            await seal.lift()
            raise
        except BaseException:
            if not seal.held:
                await seal.lift()
            raise
        if not seal.held:
            await seal.lift()
        return done
    raise StoreAway("the attempt's seal was lost again and again")


async def drain_attempt(connection: asyncpg.Connection[Any], hot: Hot, lineage_n: int, attempt: UUID) -> int:
    """Commit the attempt's own buffered entries; how many there were. The cursor stays where it is.

    Raises RedisAway when Redis does not answer; what it holds is then judged by its stamp when it is back.
    """
    cursor = await drain.place(connection, hot, lineage_n)
    entries = await hot.pending(attempt, cursor)
    await drain.commit(connection, [checkpoint for _, checkpoint in entries])
    return len(entries)


async def recorded(connection: asyncpg.Connection[Any], attempt: UUID) -> dict[int, Version]:
    """The version of each response in the record."""
    rows = await connection.fetch(
        "SELECT item_id, epoch, rev, adopt_n, value_hash FROM response WHERE attempt_id = $1", attempt
    )
    return {row["item_id"]: Version(row["epoch"], row["rev"], row["adopt_n"], row["value_hash"]) for row in rows}


def beyond(hot: HotAttempt, record: dict[int, Version], attempt: UUID) -> list[Checkpoint]:
    """What the hot copy has and the record has not, one checkpoint per (epoch, stamp), oldest first."""
    groups: dict[tuple[int, int], list[Row]] = {}
    for item, response in hot.responses.items():
        version = Version(response.epoch, response.rev, response.adopt_n, response.hash)
        if item in record and record[item] >= version:
            continue
        text = canonical(response.value).decode()
        row = Row(item, response.rev, text, response.hash, response.at_ms, response.adopt_n)
        groups.setdefault((response.epoch, response.stamp_ms), []).append(row)
    return [
        Checkpoint(attempt, epoch, seq=0, stamp_ms=stamp, rows=rows, buffered=True)
        for (epoch, stamp), rows in sorted(groups.items())
    ]


async def repair(
    connection: asyncpg.Connection[Any], hot: Hot | None, lineage_n: int, attempt: UUID
) -> HotAttempt | None:
    """Bring the record up to everything Redis holds of the attempt; what Redis knew, or None without Redis."""
    if hot is None:
        return None
    try:
        await drain_attempt(connection, hot, lineage_n, attempt)
        known = await hot.read(attempt)
    except RedisAway as fault:
        log.info("resume from the record alone", attempt=str(attempt), fault=str(fault))
        return None
    if known is None:
        return None
    missing = beyond(known, await recorded(connection, attempt), attempt)
    if missing:
        log.warning("record was behind the hot copy", attempt=str(attempt), groups=len(missing))
        await drain.commit(connection, missing)
    return known
