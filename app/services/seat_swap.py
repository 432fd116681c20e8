"""Two candidates who sit at each other's PCs before the start: the record is put right, in one action naming both.

Nobody is fenced by it: each goes on at the PC they are at, under its right name. So no new grant tells the stores where
they sit now, and that is done here after the commit (``after``), as a grant does it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import identity
from app.domain.errors import Refused
from app.services.attendance import Where, permit, still_open, told, unknown
from app.services.known import Known
from app.services.mirroring import mirror
from app.services.site import Site
from app.services.staff_requests import Done
from app.storage.postgres import attempts, attendance, leaves, notices, relogs
from app.storage.postgres.attendance import Placed
from app.storage.postgres.staff import Login


async def swap_seats(
    conn: AsyncConnection,
    login: Login,
    session_id: int,
    seats: Sequence[tuple[str, int]],
    *,
    reason: str,
    told_by: str,
    clock: Callable[[], int],
) -> Done:
    """Two candidates get each other's seats, before either of them starts; ``seats``: ticket and seat as seen.
    ``clock`` is read under the locks: a sign-in that is waited for may take it past the start.

    ``{candidates: [both, as they sit now]}``. Refuses not-permitted (both rooms must be one's own), swap-one-person,
    ticket-unknown, seats-changed, swap-too-late, relog-open, room-signed.
    """
    wanted = {identity.ticket_key(ticket): seat for ticket, seat in seats}
    if len(wanted) != 2:
        # Two spellings of one ticket: a scanner's and a hand's.
        raise Refused("swap-one-person", ticket="、".join(wanted))
    found = await attendance.lock(conn, session_id, wanted)
    now_ms = clock()
    for ticket in wanted.keys() - {one.ticket for one in found}:
        raise await unknown(conn, session_id, ticket)
    one, other = found
    for place in found:
        permit(login, "swap-seats", place.room_id)
    if any(place.seat_id != wanted[place.ticket] for place in found):
        now = "、".join(f"{place.name} {place.room} {place.seat}" for place in found)
        raise Refused("seats-changed", seats=now)
    for place in found:
        if (place.start_ms is not None and now_ms >= place.start_ms) or place.state not in (None, "open"):
            raise Refused("swap-too-late", name=place.name)
        await _nobody_moves(conn, place)
        await still_open(conn, Where(session_id, place.room_id), now_ms)
    await attendance.swap(conn, one, other)
    after = await attendance.lock(conn, session_id, wanted)
    for place in after:
        await _tell_seat(conn, place, now_ms)
    subject = {
        **one.subject(),
        "tickets": [one.ticket, other.ticket],
        "attempts": [str(place.attempt_id) for place in found if place.attempt_id is not None],
        "before": {place.ticket: f"{place.room} {place.seat}" for place in found},
        "after": {place.ticket: f"{place.room} {place.seat}" for place in after},
        "reason": reason,
        "told_by": told_by,
    }
    return Done({"candidates": [told(place) for place in after]}, "attendance.swap", subject, now_ms)


async def _nobody_moves(conn: AsyncConnection, place: Placed) -> None:
    moving = await relogs.open_to_seat(conn, place.session_id, place.seat_id)
    if moving is None and place.attempt_id is not None:
        moving = await relogs.open_of_attempt(conn, place.attempt_id)
    if moving is not None:
        raise Refused("relog-open", name=moving.name, seat=moving.to_seat, room=moving.to_room, by=moving.by)


async def _tell_seat(conn: AsyncConnection, place: Placed, now_ms: int) -> None:
    """Whoever has signed in sees their right seat with the page's next reply: nothing is waiting for it."""
    if place.attempt_id is None or place.signed_in_ms is None:
        return
    zh = f"您的机位已更正为 {place.room} {place.seat} 号。"
    en = f"Your seat is now recorded as {place.seat} in {place.room}."
    await notices.create(conn, place.session_id, "seat", None, zh, en, [place.attempt_id], now_ms)
    await leaves.move_page(conn, place.attempt_id)


async def after(site: Site, known: Known, moved: Collection[UUID]) -> None:
    """After the commit: what this process and Redis know of where these attempts sit is read again.

    Another process may remember the old seat until the next grant, and does nothing with it: a page is told its seat
    from the record (``services.resuming``), and what Redis holds is from here.
    """
    for attempt in moved:
        async with site.reading() as conn:
            row = await attempts.state(conn, attempt)
        if row is not None and row["signed_in_ms"] is not None:
            known.forget_seat(attempt, row["epoch"])
            await mirror(site, attempt, row["epoch"])
