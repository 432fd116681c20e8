"""Whether answers of a room still wait to be written, asked of the buffer once nothing of the room can move."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.checkpoint import drain
from app.domain.checkpoints import StoreAway
from app.services.site import Site
from app.storage.redis.client import RedisAway


async def waiting(site: Site, conn: AsyncConnection, attempts: Sequence[UUID]) -> int:
    """How many checkpoints of these attempts were promised and are not in the record; their rows are locked by the
    caller, so that none is drained meanwhile and counted as neither.

    Raises StoreAway while Redis cannot be asked: that nothing is known to wait is not that nothing waits.
    """
    driver = (await conn.get_raw_connection()).driver_connection
    if driver is None:
        raise StoreAway("the connection is gone")
    hot = site.hot()
    try:
        after = await drain.place(driver, hot, site.service_time.lineage_n)
        return sum([len(await hot.pending(attempt, after)) for attempt in attempts])
    except RedisAway as fault:
        raise StoreAway("the buffer cannot be asked") from fault
