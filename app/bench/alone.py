"""The batch statement without a server around it: what PostgreSQL's own work allows at most.

As many connections as there are API processes, each with batches as large as that many connections would bring, one
after the other. This process encodes and decodes them, as a server's would.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence

from app.bench.seats import Seat
from app.checkpoint.statement import write
from app.domain.checkpoints import Checkpoint, Row
from app.settings import Settings
from app.storage.postgres.engine import attempt_id, connect_writer

DIGESTS = {value: hashlib.sha256(value.encode()).digest() for value in ('"A"', '"B"', '"C"', '"D"')}
VALUES = list(DIGESTS)


async def rate(
    url: str, settings: Settings, seats: Sequence[Seat], revs: list[int], *, connections: int, seconds: float
) -> float:
    """Checkpoints of one response per second, of ``connections`` candidates. ``revs`` goes on counting, as for the
    server's own: a number that was used before would be a repeat, which costs less."""
    writers = min(settings.workers, connections)
    shares = [range(n, connections, writers) for n in range(writers)]
    began = time.perf_counter()
    written = await asyncio.gather(*[_write(url, settings, seats, revs, share, began + seconds) for share in shares])
    return sum(written) / (time.perf_counter() - began)


async def _write(
    url: str, settings: Settings, seats: Sequence[Seat], revs: list[int], share: Sequence[int], until: float
) -> int:
    connection = await connect_writer(url, settings, name="holdfast-bench-alone")
    attempts = {n: attempt_id(seats[n].attempt.hex) for n in share}
    written = 0
    try:
        while time.perf_counter() < until:
            batch = []
            for n in share[: settings.batch_limit]:
                revs[n] += 1
                rev, seat = revs[n], seats[n]
                value = VALUES[rev % len(VALUES)]
                row = Row(seat.items[rev % len(seat.items)], rev, value, DIGESTS[value], 1000 + rev)
                batch.append(
                    Checkpoint(
                        attempts[n], seat.epoch, rev, 1000 + rev, [row], rev % len(seat.items) + 1, None, rev * 1000
                    )
                )
            written += len(await write(connection, batch))
    finally:
        await connection.close()
    return written
