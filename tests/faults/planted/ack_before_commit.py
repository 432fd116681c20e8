"""A planted bug: the batch is acknowledged when its statement has run, and committed some time later (against I2)."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import asyncpg

from app.checkpoint import statement, writer
from tests.faults.planted.serve import serve

LATER_S = 0.3


def plant(later_s: float = LATER_S) -> None:
    writer.write = Lazy(later_s)


class Lazy:
    """``statement.write`` whose COMMIT comes with the next batch, or after ``later_s``."""

    def __init__(self, later_s: float) -> None:
        self._later_s = later_s
        self._open: dict[int, Any] = {}

    async def __call__(self, connection: Any, checkpoints: Any) -> Any:
        await self._commit(connection)
        transaction = connection.transaction()
        await transaction.start()
        self._open[id(connection)] = transaction
        outcomes = await statement.write(connection, checkpoints)
        asyncio.get_running_loop().call_later(self._later_s, self._soon, connection, transaction)
        return outcomes

    def _soon(self, connection: Any, transaction: Any) -> None:
        if self._open.get(id(connection)) is transaction:
            self._task = asyncio.ensure_future(self._commit(connection))

    async def _commit(self, connection: Any) -> None:
        transaction = self._open.pop(id(connection), None)
        if transaction is not None:
            # The bug: whoever was told does not hear of it.
            with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                await transaction.commit()


if __name__ == "__main__":
    serve("ack_before_commit")
