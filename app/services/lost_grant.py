"""A device shows a grant that the record has lost.

A record that was put back to an earlier hour, or promoted from an older copy, does not know the grants given since.
Their tokens do: they are signed, and were handed out only after a commit. So an epoch in a token that is greater than
the record's is not a stranger's but the last word of a history that is gone, and whoever holds it with the lease secret
was the one writer when it ended. Answered `superseded`, that device would strand everything the candidate has typed,
and nobody could sign them in: the admission may be over, and the seat is theirs.

1. Every call under such an epoch is refused `grant-lost`; what it brought is not acknowledged, so the browser keeps it.
2. The browser shows token and lease secret here, without asking anybody.
3. Under the attempt's row lock the grant is entered again as it was: same epoch, device and seat. Whoever holds the
   attempt in the record was overtaken in the lost history, and is fenced again.
4. What Redis still holds under that epoch is repaired after it, not before: only now is it the live one's.

Contact and term stay as the record has them: the next checkpoint is the reconnect that is credited, and answers typed
in the lost history are not late because the device is here now.
"""

from __future__ import annotations

import hashlib
import hmac

import structlog
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.services.mirroring import mirror
from app.services.site import Site
from app.services.tokens import Claims
from app.storage.postgres import attempts
from app.storage.redis.events import Event

log = structlog.get_logger(__name__)
SHORTEST_SECRET = 32


def refuse_lost(claims: Claims, live_epoch: int) -> None:
    """Refused `grant-lost` when the token's epoch is one that the record has never granted."""
    if claims.epoch > live_epoch:
        raise Refused("grant-lost")


async def enter_again(site: Site, claims: Claims, device_id: str, lease_secret: str, address: str) -> None:
    """Make the token's grant the live one again; a repeat changes nothing. Refused `bad-token` for another device,
    `superseded` when the record has gone on, `closed` after the end, `seat-taken` when somebody else sits there now."""
    site.require_postgres()
    if device_id != claims.device_id or len(lease_secret) < SHORTEST_SECRET:
        raise Refused("bad-token")
    if claims.lineage_n > site.service_time.lineage_n:
        raise Refused("bad-token")
    digest = hashlib.sha256(lease_secret.encode()).digest()
    try:
        async with site.engine.begin() as conn:
            entered = await _enter(site, conn, claims, digest, address)
    except IntegrityError as fault:
        async with site.reading() as conn:
            label = await attempts.seat_label(conn, claims.seat_id)
        raise Refused("seat-taken", seat=label) from fault
    if not entered:
        return
    log.warning("a lost grant was entered again", attempt=str(claims.attempt), epoch=claims.epoch)
    await site.tell(Event("superseded", attempt=str(claims.attempt), data={"epoch": claims.epoch}))
    await mirror(site, claims.attempt, claims.epoch)


async def _enter(site: Site, conn: AsyncConnection, claims: Claims, digest: bytes, address: str) -> bool:
    """Whether anything was changed."""
    row = await attempts.lock(conn, claims.attempt)
    if row is None:
        raise Refused("bad-token")
    if row["epoch"] >= claims.epoch:
        held = await attempts.live_lease(conn, claims.attempt)
        mine = held is not None and held["epoch"] == claims.epoch and held["device_id"] == claims.device_id
        if held is not None and mine and hmac.compare_digest(held["secret_hash"], digest):
            return False
        raise Refused("superseded", seat="", items=[])
    if row["state"] == "final":
        raise Refused("closed")
    now_ms = site.service_time.now_ms()
    await attempts.grant(
        conn, claims.attempt, epoch=claims.epoch, device_id=claims.device_id, secret_hash=digest,
        seat_id=claims.seat_id, now_ms=now_ms, term=site.service_time.term, address=address,
        gap_from_ms=row["gap_from_ms"],
    )  # fmt: skip
    await conn.execute(
        text("UPDATE attempt SET contact_ms = :contact, contact_term = :term WHERE id = :attempt"),
        {"contact": row["contact_ms"], "term": row["contact_term"], "attempt": claims.attempt},
    )
    move = await attempts.open_relog(conn, claims.attempt)
    if move is not None and move["to_seat_id"] == claims.seat_id:
        # The record went back to between the click and the arrival: they have arrived.
        await attempts.use_relog(conn, move, now_ms=now_ms)
    else:
        await conn.execute(
            text(
                "UPDATE allocation SET seat_id = :seat WHERE (session_id, candidate_id) = (:session, :candidate)"
                " AND seat_id <> :seat"
            ),
            {"seat": claims.seat_id, "session": row["session_id"], "candidate": row["candidate_id"]},
        )
    return True
