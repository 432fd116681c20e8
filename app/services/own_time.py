"""The candidate's own question: why is this my end time."""

from __future__ import annotations

from typing import Any

from app.domain import clock
from app.domain.errors import Refused
from app.services import lost_grant, time_scope, timing
from app.services.site import Site
from app.services.time_facts import ms
from app.services.time_lookup import ending_of, explained, theirs
from app.services.tokens import Claims
from app.storage.postgres import adjustments, attempts, time_terms


async def own_time(site: Site, claims: Claims) -> dict[str, Any]:
    """``{lines: [{kind, ms, text_zh, text_en}], explain_zh, explain_en}`` from the ledger as it stands now.

    Refused: bad-token, grant-lost, superseded.
    """
    site.require_postgres()
    site.refuse_foreign(claims.lineage_n)
    async with site.engine.connect() as conn:
        row = await attempts.state(conn, claims.attempt)
        if row is None:
            raise Refused("bad-token")
        lost_grant.refuse_lost(claims, row["epoch"])
        if row["epoch"] != claims.epoch:
            raise Refused("superseded", seat="", items=[])
        session = await time_scope.session_of(conn, row["session_id"])
        found = await adjustments.load(conn, [claims.attempt], outage_ms=ms(site.settings.handover_gap))
        now_ms = site.service_time.now_ms()
        wall = await time_terms.wall_time(conn, now_ms)
    ended = ending_of(row["ended_ms"], row["end_reason"], now_ms)
    ledger = theirs(found[claims.attempt], ended)
    zh, en = explained(ledger, wall, now_ms, session.timezone, ended)
    lines = [timing.told(part) for part in clock.because(ledger, now_ms)]
    return {"lines": lines, "explain_zh": zh, "explain_en": en}
