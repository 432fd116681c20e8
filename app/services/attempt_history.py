"""The audit of one attempt: its whole history from the record, and whether it holds together.

Read, then judge: one read-only snapshot of the record, two pure functions on it (``domain.attempt_history``,
``domain.attempt_proof``). Nothing is written, no other store is asked, and the server may be running or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.domain import identity
from app.domain.attempt_history import Event, events
from app.domain.attempt_proof import Proof, head_digits, prove
from app.domain.attempt_record import Snapshot
from app.domain.errors import Refused
from app.storage.postgres import attempt_history as store
from app.storage.postgres import exams


@dataclass(frozen=True, slots=True)
class Report:
    snapshot: Snapshot
    events: Sequence[Event]
    proof: Proof


async def report(
    engine: AsyncEngine,
    ticket: str,
    *,
    session: int | None = None,
    exam: str | None = None,
    printed: str | None = None,
    quiet: timedelta,
    outage: timedelta,
) -> Report:
    """The history and the proof of the attempt that ``ticket`` (and ``session``, ``exam`` where there are several)
    names. ``printed``: the head on a receipt, to be looked up in the chain.

    Refused: ticket-unknown, exam-unclear, exam-unknown, session-unclear, session-unknown, not-drawn, head-unreadable.
    """
    if printed is not None:
        try:
            head_digits(printed)
        except ValueError as fault:
            raise Refused("head-unreadable") from fault
    async with engine.connect() as plain:
        # One instant for everything: a candidate may be answering while this is read.
        conn = await plain.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        attempt = await _named(conn, identity.ticket_key(ticket), session, exam)
        snapshot = await store.snapshot(conn, attempt)
    return Report(
        snapshot,
        events(snapshot, quiet_ms=quiet // timedelta(milliseconds=1), outage_ms=outage // timedelta(milliseconds=1)),
        prove(snapshot, printed),
    )


async def _named(conn: AsyncConnection, ticket: str, session: int | None, exam: str | None) -> UUID:
    if exam is None:
        codes = await store.exams_of_ticket(conn, ticket)
        if len(codes) > 1:
            raise Refused("exam-unclear", known="、".join(codes))
        exam = codes[0] if codes else None
        if exam is None:
            raise Refused("ticket-unknown", ticket=ticket)
    rows = await store.of_ticket(conn, (await exams.resolve(conn, exam)).id, ticket)
    if not rows:
        raise Refused("ticket-unknown", ticket=ticket)
    known = "、".join(str(row["number"]) for row in rows)
    chosen = [row for row in rows if session is None or row["number"] == session]
    if not chosen:
        raise Refused("session-unknown", session=session, known=known)
    if len(chosen) > 1:
        raise Refused("session-unclear", ticket=ticket, known=known)
    attempt: UUID | None = chosen[0]["attempt_id"]
    if attempt is None:
        raise Refused("not-drawn", session=chosen[0]["number"])
    return attempt
