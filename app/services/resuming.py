"""A candidate comes back to their attempt: resume, first paint, and the gate before the paper."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from app.checkpoint import recovery
from app.domain import clock as clock_rules
from app.domain import identity
from app.domain.errors import Refused
from app.services import lost_grant, measured_gap, timing
from app.services.known import Known
from app.services.site import Site
from app.services.tokens import Claims
from app.storage.postgres import attempts, leaves
from app.storage.postgres.attempts import Seated


class Resuming:
    """The calls of a page that has just been loaded, for one process of a site."""

    def __init__(self, site: Site, known: Known) -> None:
        self._site = site
        self._known = known

    async def resume(self, claims: Claims) -> dict[str, Any]:
        """The attempt as it stands, merged from both stores and repaired before it is shown (DESIGN §4.7)."""
        site = self._site
        site.require_postgres()
        site.refuse_foreign(claims.lineage_n)
        async with site.plain() as connection:
            await recovery.repair(connection, site.hot_or_none(), site.service_time.lineage_n, claims.attempt)
        async with site.engine.connect() as conn:
            row = await attempts.state(conn, claims.attempt)
            seated = await attempts.seated(conn, claims.attempt)
            if row is None or seated is None:
                raise Refused("bad-token")
            lost_grant.refuse_lost(claims, row["epoch"])
            if row["epoch"] != claims.epoch:
                raise Refused("superseded", seat=f"{seated.seat['room']} {seated.seat['seat']}", items=[])
            answers = await attempts.responses(conn, claims.attempt)
            aside = await attempts.kept_aside(conn, claims.attempt)
            on_leave, leave_notice = await leaves.is_out(conn, claims.attempt)
        if self._known.plans.get(row["session_id"]) is None:
            await self._known.refresh_plans()
        view = timing.View(
            stored=row["state"],
            signed_in=row["signed_in_ms"] is not None,
            start_ms=row["start_ms"],
            end_ms=row["end_ms"],
            ended_ms=row["ended_ms"],
            allotted_ms=row["allotted_ms"],
            left_ms=row["left_ms"],
        )
        clock = timing.compose(
            view, site.service_time.now_ms(), await self._known.because(claims.attempt, row["clock_rev"])
        )
        return {
            "attempt_id": str(claims.attempt),
            "lineage": site.service_time.lineage_uid,
            "epoch": row["epoch"],
            "state": clock["state"],
            "clock": clock,
            "position": row["position"],
            "marked": row["marked"],
            "responses": {
                str(one["item_id"]): {
                    "epoch": one["epoch"],
                    "rev": one["rev"],
                    "value": one["value"],
                    "status": "durable",
                }
                for one in answers
            },
            "stranded": [{"item": one["item_id"], "value": one["value"], "reason": one["reason"]} for one in aside],
            "count": row["count"],
            "acked_seq": row["acked_seq"],
            "next_seq": row["last_seq"] + 1,
            "elapsed_ms": row["elapsed_ms"],
            **described(seated),
            "on_leave": on_leave,
            "leave_notice": leave_notice,
            "receipt": row["receipt"],
        }

    async def ready(self, claims: Claims) -> dict[str, Any]:
        """First paint after a move: the gap that began with the grant ends, and is credited (DESIGN §5)."""
        site = self._site
        site.require_postgres()
        async with site.engine.begin() as conn:
            row = await attempts.lock(conn, claims.attempt)
            lost_grant.refuse_lost(claims, 0 if row is None else row["epoch"])
            if row is None or row["epoch"] != claims.epoch:
                raise Refused("superseded", seat="", items=[])
            now_ms = site.service_time.now_ms()
            gap_from = row["gap_from_ms"]
            if gap_from is not None:
                await conn.execute(text("UPDATE attempt SET gap_from_ms = NULL WHERE id = :a"), {"a": claims.attempt})
                await measured_gap.credit(
                    conn,
                    site.settings,
                    claims.attempt,
                    session_id=row["session_id"],
                    from_ms=gap_from,
                    to_ms=min(now_ms, gap_from + timing.READY_LIMIT_MS),
                    reason="ready",
                    source=f"ready:{claims.epoch}",
                    now_ms=now_ms,
                )
        state = await self.resume(claims)
        return {"clock": state["clock"], "gap_ms": 0 if gap_from is None else now_ms - gap_from}

    async def gate(self, claims: Claims) -> None:
        """I12: nothing of a paper leaves before its attempt begins, or after it is final.

        Who was paused before the start and ever since has not begun, whatever the clock says: their questions come when
        they go on. Who had begun may have the paper back while paused: it was seen, and a page that was moved meanwhile
        loses nothing when it goes on.
        """
        self._site.require_postgres()
        async with self._site.engine.connect() as conn:
            row = await attempts.state(conn, claims.attempt)
            ledger = None
            if row is not None and row["left_ms"] is not None:
                ledger = (await timing.load(conn, [claims.attempt]))[claims.attempt]
        if row is None:
            raise Refused("bad-token")
        lost_grant.refuse_lost(claims, row["epoch"])
        if row["epoch"] != claims.epoch:
            raise Refused("superseded", seat=await self._known.seat_now(claims.attempt), items=[])
        if row["state"] == "final":
            raise Refused("closed")
        # From the same look, not from the plans of a second ago: a session that was just moved leaks nothing.
        start_ms = row["start_ms"]
        now_ms = self._site.service_time.now_ms()
        if start_ms is None or now_ms < start_ms:
            raise Refused("not-started", starts_in_ms=None if start_ms is None else start_ms - now_ms)
        if ledger is not None and not clock_rules.has_run(ledger, now_ms):
            raise Refused("paused-at-start")


def described(seated: Seated) -> dict[str, Any]:
    """Candidate, exam, session and seat as the browser shows them; the ID number masked."""
    candidate = dict(seated.candidate)
    candidate["id_masked"] = identity.mask_id(candidate.pop("id_number"))
    return {"candidate": candidate, "exam": {"name": seated.exam}, "session": seated.session, "seat": seated.seat}
