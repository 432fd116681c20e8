"""A planted bug: what lies in the buffer is written whatever was granted since it was stamped (against DESIGN §4.6)."""

from __future__ import annotations

from dataclasses import replace

from app.checkpoint import drain
from app.domain.checkpoints import Checkpoint
from tests.faults.planted.serve import serve


def _without_stamp(checkpoint: Checkpoint) -> Checkpoint:
    """Older than every grant: so it always counts."""
    return replace(checkpoint, buffered=True, stamp_ms=0)


def plant() -> None:
    drain.by_stamp = _without_stamp


if __name__ == "__main__":
    serve("drain_without_stamp")
