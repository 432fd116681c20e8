"""A planted bug, in the browser of the recording client: an answer leaves the outbox when it is sent, not when it was
acknowledged (STYLE 22)."""

from __future__ import annotations

from typing import Any

from failover import client


def plant() -> None:
    waiting = client.Outbox.waiting

    def emptied(self: client.Outbox, *limit: Any) -> list[client.Kept]:
        sent = waiting(self, *limit)
        for one in sent:
            del self.queue[one.item]
            del self.kept[one.item]
        return sent

    client.Outbox.waiting = emptied
