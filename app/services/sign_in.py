"""A candidate signs in: who they are, which session, and which device may write (I5).

1. The ticket and the last six of the ID say who; failures are counted, successes are not.
2. The session is the one they are in the middle of, else the first of theirs that is open now.
3. The old epoch is sealed and drained in Redis, so that what was promised `buffered` before a move is in the record
   before the move (DESIGN §4.6).
4. Under the attempt's row lock ``lease.decide`` says resume, grant, held or wrong seat.
5. A grant after a move takes the seat, credits the time since the last activity known from any source, and fences the
   old device with the commit, not before.
6. Nobody runs in two sessions (``services.one_at_a_time``): another one that has begun is held in the same transaction.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.checkpoint import recovery
from app.domain import identity, lease
from app.domain.errors import Refused
from app.services import limits, measured_gap, one_at_a_time
from app.services.mirroring import mirror
from app.services.site import Site
from app.services.tokens import Claims
from app.storage.postgres import admissions, attempts
from app.storage.redis.events import Event

log = structlog.get_logger(__name__)
SHORTEST_SECRET = 32


@dataclass(frozen=True, slots=True)
class Request:
    ticket: str
    id_tail: str
    device_id: str | None
    lease_secret: str | None
    # What the PC's start address says it is.
    room: str | None
    seat: str | None
    address: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    claims: Claims
    lease_secret: str
    moved: bool


async def sign_in(site: Site, request: Request) -> SignedIn:
    """The device's claims. Refuses with sign-in-failed, too-many-tries, not-allocated, not-open, too-late,
    lease-held, wrong-seat or closed."""
    site.require_postgres()
    ticket = identity.ticket_key(request.ticket)
    tries = await _within_limits(site, ticket, request.address)
    try:
        now_ms = site.service_time.now_ms()
        async with site.engine.connect() as conn:
            allocations = await attempts.of_ticket(conn, ticket)
            begun = await one_at_a_time.seated(site, conn, {row["candidate_id"] for row in allocations}, now_ms)
    except Exception:
        # Nothing was judged: a candidate must not be locked out by a server that was recovering.
        await limits.give_back(site, "ticket", ticket)
        await limits.give_back(site, "address", request.address)
        raise
    mine = _proved(site.secret, allocations, identity.fold(request.id_tail))
    if not mine:
        raise Refused("sign-in-failed", attempts_left=max(0, site.settings.ticket_failures - tries))
    await limits.forget(site, "ticket", ticket)
    await limits.give_back(site, "address", request.address)
    chosen = choose(mine, now_ms, begun)
    attempt: UUID = chosen["attempt_id"]
    return await recovery.under_seal(
        site.plain,
        site.hot_or_none(),
        site.service_time.lineage_n,
        attempt,
        lambda seal: _decide(site, request, chosen, _past_admission(chosen, now_ms), seal),
    )


async def _within_limits(site: Site, ticket: str, address: str) -> int:
    """Count this try before it is judged, so that a burst of parallel ones is no way around the limit; a success gives
    it back. How many of the ticket's tries are now counted."""
    settings = site.settings
    await limits.check(site, "ticket", ticket, settings.ticket_failures)
    await limits.check(site, "address", address, settings.address_failures)
    tries = await limits.failed(site, "ticket", ticket)
    if tries > settings.ticket_failures:
        raise limits.too_many(site)
    if await limits.failed(site, "address", address) > settings.address_failures:
        raise limits.too_many(site)
    return tries


def _proved(secret: bytes, allocations: Sequence[RowMapping], tail: str) -> list[RowMapping]:
    """Rows of whoever has this tail: on record, or on the document they were admitted with (信息不符)."""
    shown = identity.id_tail_hmac(secret, tail)
    return [
        row
        for row in allocations
        if hmac.compare_digest(row["id_tail_hmac"], shown)
        or any(
            hmac.compare_digest(identity.id_tail_hmac(secret, identity.id_tail(one)), shown)
            for one in row["claimed_ids"]
        )
    ]


def choose(mine: Sequence[RowMapping], now_ms: int, begun: Collection[UUID] = ()) -> RowMapping:
    """The session to sit now, of the candidate's allocations by planned start.

    0. The one they are in the middle of (``begun``): whatever else is open waits for it.
    1. One they are being moved in: their gap grows, whatever the clock says.
    2. The first that is open now: from when sign-in opens to its end; after last admission for whoever has signed in
       before, or was admitted by a chief.
    3. One that is over but not final: a reboot may still bring late answers.
    Otherwise the refusal that says most: too-late, not-open (with the shortest wait), closed.
    """
    allocated = [row for row in mine if row["session_id"] is not None]
    if not allocated:
        raise Refused("not-allocated")
    sat = [row for row in allocated if row["attempt_id"] is not None and row["state"] != "final"]
    for row in sat:
        if row["attempt_id"] in begun:
            return row
    for row in sat:
        if row["moving"] and row["state"] == "open" and row["signed_in_ms"] is not None:
            return row
    late = False
    for row in sat:
        if row["state"] == "open" and _is_open(row, now_ms):
            if row["signed_in_ms"] is not None or not _past_admission(row, now_ms) or row["admitted"]:
                return row
            late = True
    for row in sat:
        if row["signed_in_ms"] is not None and (row["state"] == "ended" or _is_over(row, now_ms)):
            return row
    if late:
        raise Refused("too-late")
    waits = [row["start_ms"] - row["sign_in_opens_ms"] - now_ms for row in sat if row["start_ms"] is not None]
    ahead = [ms for ms in waits if ms > 0]
    if ahead:
        raise Refused("not-open", opens_in_ms=min(ahead))
    if any(row["start_ms"] is None or row["attempt_id"] is None for row in allocated if row["state"] != "final"):
        raise Refused("not-open")
    raise Refused("too-late" if sat else "closed")


def _past_admission(row: RowMapping, now_ms: int) -> bool:
    return row["start_ms"] is not None and now_ms > row["start_ms"] + row["last_admission_ms"]


def _is_over(row: RowMapping, now_ms: int) -> bool:
    return row["end_ms"] is not None and now_ms >= row["end_ms"]


def _is_open(row: RowMapping, now_ms: int) -> bool:
    return (
        row["start_ms"] is not None
        and now_ms >= row["start_ms"] - row["sign_in_opens_ms"]
        and not _is_over(row, now_ms)
    )


async def _decide(site: Site, request: Request, chosen: RowMapping, late: bool, seal: recovery.Seal) -> SignedIn:
    attempt: UUID = chosen["attempt_id"]
    try:
        async with site.engine.begin() as conn:
            # By id, together with those of the candidate's other sessions: one of them may have to be held.
            await one_at_a_time.lock_all(conn, attempt)
            signed_in = await _grant(site, conn, request, chosen, late, seal)
            told = await one_at_a_time.hold_beside(site, conn, attempt)
    except IntegrityError as fault:
        # Somebody else took the spare seat between the click and the arrival.
        raise Refused("seat-taken", seat=request.seat or "") from fault
    await one_at_a_time.announce(site, told)
    if signed_in.moved:
        await site.tell(Event("superseded", attempt=str(attempt), data={"epoch": signed_in.claims.epoch}))
    if await mirror(site, attempt, signed_in.claims.epoch):
        # The hot copy knows the new epoch, which fences the old one by itself.
        await seal.lift()
    return signed_in


async def _grant(
    site: Site, conn: AsyncConnection, request: Request, chosen: RowMapping, late: bool, seal: recovery.Seal
) -> SignedIn:
    attempt: UUID = chosen["attempt_id"]
    seen_ms = seal.known.seen_ms if seal.known is not None else None
    row = await attempts.lock(conn, attempt)
    if row is None or row["state"] == "final":
        raise Refused("closed")
    if row["session_id"] != chosen["session_id"]:
        # Sent to another session while this waited for the lock: whether that one is open was never asked.
        raise Refused("not-open")
    # Stamped under the lock: the order of stamps is the order of commits.
    now_ms = site.service_time.now_ms()
    begun = await one_at_a_time.seated(site, conn, {row["candidate_id"]}, now_ms)
    if begun and attempt not in begun:
        # Another one of theirs has come to run since this was chosen: whoever asks again is sent there.
        raise Refused("not-open")
    if late and row["signed_in_ms"] is None and not await admissions.stands(conn, attempt):
        # A chief let them in and has taken it back while this waited for the lock.
        raise Refused("too-late")
    held = await attempts.live_lease(conn, attempt)
    move = await attempts.open_relog(conn, attempt)
    proved = held is not None and _matches(held, request)
    answer = lease.decide(
        lease.Ask(request.device_id, proved, await _named_seat(conn, row, request)),
        lease.Held(held["epoch"], held["device_id"], held["seat_id"]) if held else None,
        lease.Move(move["id"], move["to_seat_id"]) if move else None,
        await attempts.allocated_seat(conn, row["session_id"], row["candidate_id"]),
    )
    log.info("sign-in decided", attempt=str(attempt), answer=answer.kind, why=answer.why)
    lineage_n = site.service_time.lineage_n
    if answer.kind == "resume" and held is not None:
        await attempts.resumed(conn, attempt, now_ms=now_ms)
        claims = Claims(lineage_n, attempt, held["epoch"], held["device_id"], held["seat_id"])
        return SignedIn(claims, request.lease_secret or "", moved=False)
    if row["state"] != "open":
        # Before any word about seats: nobody can be moved into what is over, so nobody need be asked to do it.
        raise Refused("closed")
    if answer.kind == "held" and held is not None:
        last = max(row["contact_ms"] or held["granted_ms"], seen_ms or 0)
        seat = await attempts.seat_label(conn, held["seat_id"])
        raise Refused("lease-held", seat=seat, last_seen_s=max(0, now_ms - last) // 1000)
    if answer.kind == "wrong_seat":
        raise Refused("wrong-seat", expected=await attempts.seat_label(conn, answer.seat_id))
    # Everything promised under the epoch that ends here is in the record, and nothing more is.
    await seal.hold(row["epoch"])
    device_id, lease_secret = _pair(request)
    # A record that was put back without a word may have lost a grant: its number is never given to a second device.
    seen = max(row["epoch"], seal.known.epoch if seal.known else 0, await attempts.newest_stranded_epoch(conn, attempt))
    epoch = lease.next_epoch(lineage_n, seen)
    first = held is None
    await attempts.grant(
        conn,
        attempt,
        epoch=epoch,
        device_id=device_id,
        secret_hash=hashlib.sha256(lease_secret.encode()).digest(),
        seat_id=answer.seat_id,
        now_ms=now_ms,
        term=site.service_time.term,
        address=request.address,
        gap_from_ms=None if first else now_ms,
    )
    if move is not None:
        await attempts.use_relog(conn, move, now_ms=now_ms)
    if not first:
        last = max(row["contact_ms"] or 0, seen_ms or 0)
        if move is not None:
            # A PC that is left behind may go on beating: from the click on, only an answer shows that somebody works.
            last = min(last, max(move["opened_ms"], await attempts.last_answer_ms(conn, attempt)))
        await measured_gap.credit(
            conn,
            site.settings,
            attempt,
            session_id=row["session_id"],
            from_ms=min(last, now_ms),
            to_ms=now_ms,
            reason="relog",
            source=f"relog:{epoch}",
            now_ms=now_ms,
            staff_id=move["staff_id"] if move else None,
        )
    return SignedIn(Claims(lineage_n, attempt, epoch, device_id, answer.seat_id), lease_secret, moved=not first)


def _pair(request: Request) -> tuple[str, str]:
    """The device's own pair where it brought one, so that a sign-in whose reply was lost is settled by its repeat."""
    if request.device_id and request.lease_secret and len(request.lease_secret) >= SHORTEST_SECRET:
        return request.device_id, request.lease_secret
    return secrets.token_urlsafe(12), secrets.token_urlsafe(24)


def _matches(held: RowMapping, request: Request) -> bool:
    shown = hashlib.sha256((request.lease_secret or "").encode()).digest()
    return request.device_id == held["device_id"] and hmac.compare_digest(held["secret_hash"], shown)


async def _named_seat(conn: AsyncConnection, row: RowMapping, request: Request) -> int | None:
    if not request.room or not request.seat:
        return None
    return await attempts.seat_named(conn, row["session_id"], request.room, request.seat)
