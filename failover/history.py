"""The history of one schedule: one JSON object per line, in the order of what happened.

Every line has ``t`` (monotonic seconds), ``wall`` (seconds since 1970, of this machine) and ``kind``:

* ``sign-in``  candidate, device, epoch, lineage
* ``shown``    candidate, device, epoch, count, items ``[[item, epoch, rev, hash]]``: what GET /attempt showed
* ``typed``    candidate, device, epoch, item ``[item, rev, hash]``: what the candidate chose, sent or not
* ``send``     n (the request's number), candidate, device, epoch, seq, path, again, items ``[[item, rev, hash]]``
* ``reply``    n, status, code, durability, items ``[[item, rev, status, code]]``, count, lineage, acked_seq,
  service_ms, remaining_ms, state
* ``silence``  n, fault: no reply, so the outcome is unknown
* ``receipt``  candidate, device, count, chain
* ``fault``    what was broken, and ``mended`` when it was whole again
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Event = dict[str, Any]


class History:
    """Appends events to ``path`` and keeps them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events: list[Event] = []
        self._requests = 0
        self._file = path.open("w", encoding="utf-8")

    def add(self, kind: str, **fields: Any) -> None:
        event = {"t": round(time.monotonic(), 6), "wall": round(time.time(), 6), "kind": kind, **fields}
        self.events.append(event)
        self._file.write(json.dumps(event, ensure_ascii=False) + "\n")

    def number(self) -> int:
        """A new request's number."""
        self._requests += 1
        return self._requests

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def read(path: Path) -> list[Event]:
    """The events of a history file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
