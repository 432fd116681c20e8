"""An adopted answer that was typed inside a credited gap: the credit is proposed to be shorter (DESIGN §5).

A gap is credited because nobody could work in it. An answer from the middle of it shows that somebody did, until then
at least; the office, which has just let the answer count, decides whether the time counts twice.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import clock
from app.storage.postgres import adjustments, proposals, stranded


async def propose(conn: AsyncConnection, adopted: Collection[int], *, staff_id: int, now_ms: int) -> None:
    """For every credit that one of the ``adopted`` stranded responses was typed in, a proposal to let it begin with
    the last of them. The attempts' rows are locked by the caller."""
    typed = await stranded.typed(conn, adopted)
    ledgers = await adjustments.load(conn, sorted({row["attempt_id"] for row in typed}))
    rows = {row["attempt_id"]: row for row in typed}
    newest: dict[tuple[UUID, int], tuple[int, clock.Interval]] = {}
    for row in typed:
        for entry, gap in _credits(ledgers[row["attempt_id"]]):
            # Typed in the very first moment of it: there is nothing to shorten.
            if gap.from_ms < row["typed_ms"] < gap.to_ms:
                newest[row["attempt_id"], entry] = (row["typed_ms"], gap)
    for (attempt, entry), (typed_ms, gap) in sorted(newest.items(), key=lambda one: one[0]):
        session_id = rows[attempt]["session_id"]
        await proposals.replace_older(conn, session_id, "shorten", f"{attempt}:{entry}:")
        await proposals.make(
            conn,
            proposals.New(
                session_id=session_id,
                kind="shorten",
                source=f"{attempt}:{entry}:{typed_ms}",
                scope="candidate",
                scope_names=[rows[attempt]["ticket"]],
                from_ms=typed_ms,
                to_ms=gap.to_ms,
                attempts=[attempt],
                made_ms=now_ms,
                evidence={
                    "entry": entry, "typed_ms": typed_ms, "credited_ms": gap.to_ms - gap.from_ms,
                    "reason": gap.reason,
                },
                proposed_by=staff_id,
            ),
        )  # fmt: skip


def _credits(ledger: clock.Ledger) -> list[tuple[int, clock.Interval]]:
    return [
        (entry.id, clock.Interval(entry.from_ms, entry.to_ms, entry.reason))
        for entry in clock.live(ledger.entries)
        if entry.kind == "credit" and entry.from_ms is not None and entry.to_ms is not None
    ]
