"""A planted bug: the epoch is read without locking the attempt's row, so a grant that is under way is not seen (I5)."""

from __future__ import annotations

from app.checkpoint import statement
from tests.faults.planted.serve import serve

LOCK = "ORDER BY id FOR NO KEY UPDATE"


def plant() -> None:
    assert statement.WRITE.count(LOCK) == 1
    statement.WRITE = statement.WRITE.replace(LOCK, "ORDER BY id")


if __name__ == "__main__":
    serve("epoch_without_lock")
