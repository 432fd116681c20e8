"""The gap of a move, measured by the service: credited at once, and what is more than the cap put before the office.

A relog is never refused for the cap (DESIGN I8): the candidate sits and works, and has at once what may be given
without a decision. The office decides on the rest.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.proposals import surplus_from
from app.settings import Settings
from app.storage.postgres import adjustments, proposals, time_scope


async def credit(
    conn: AsyncConnection,
    settings: Settings,
    attempt: UUID,
    *,
    session_id: int,
    from_ms: int,
    to_ms: int,
    reason: str,
    source: str,
    now_ms: int,
    staff_id: int | None = None,
) -> bool:
    """Credit ``[from_ms, to_ms)`` as far as the cap allows and propose the rest; False when this source was entered
    before. Row locked by the caller."""
    ledger = (await adjustments.load(conn, [attempt]))[attempt]
    cap_ms = int(settings.time_cap.total_seconds() * 1000)
    limit_ms = max(cap_ms, (await time_scope.limits(conn, [attempt])).get(attempt, 0))
    within_ms = surplus_from(ledger, from_ms, to_ms, now_ms=now_ms, limit_ms=limit_ms)
    entered = await adjustments.credit(
        conn,
        attempt,
        session_id=session_id,
        from_ms=from_ms,
        to_ms=within_ms,
        reason=reason,
        source=source,
        now_ms=now_ms,
        staff_id=staff_id,
    )
    if entered and within_ms < to_ms:
        tickets = [member.ticket for member in await time_scope.members(conn, session_id, attempts=[attempt])]
        await proposals.make(
            conn,
            proposals.New(
                session_id=session_id,
                kind="relog-surplus",
                source=f"{attempt}:{source}",
                scope="candidate",
                scope_names=tickets,
                from_ms=within_ms,
                to_ms=to_ms,
                attempts=[attempt],
                made_ms=now_ms,
                evidence={"reason": reason, "measured_ms": to_ms - from_ms, "credited_ms": within_ms - from_ms},
            ),
        )
    return entered
