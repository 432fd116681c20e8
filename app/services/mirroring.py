"""Tell Redis of a grant, so that its device is served while PostgreSQL is away."""

from __future__ import annotations

from uuid import UUID

import structlog

from app.domain import clock
from app.services.site import Site
from app.storage.postgres import attempts
from app.storage.redis.client import RedisAway

log = structlog.get_logger(__name__)


async def mirror(site: Site, attempt: UUID, epoch: int) -> bool:
    """After the grant's commit: the epoch, the end and the facts that any process needs then. Without Redis (False)
    nobody but this process knows them until it is back (``services.known``)."""
    async with site.reading() as conn:
        seated = await attempts.seated(conn, attempt)
        row = await attempts.state(conn, attempt)
    facts = {} if seated is None else seated.facts()
    ends = clock.packed(row["end_ms"], row["left_ms"]) if row else None
    try:
        await site.hot().grant(attempt, epoch, facts, ends, rev=row["clock_rev"] if row else 0)
    except RedisAway as fault:
        log.info("grant not mirrored", attempt=str(attempt), fault=str(fault))
        return False
    return True
