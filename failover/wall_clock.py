"""The wall clock of single processes, moved while they run; their monotonic clock goes on.

libfaketime is preloaded into them and reads its offset from a file, once a second.
"""

from __future__ import annotations

from importlib import util
from pathlib import Path


def library() -> Path | None:
    """The library to preload, None where the wheel is not installed or holds none for this machine."""
    spec = util.find_spec("libfaketime")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "vendor/libfaketime/src/libfaketime.so.1"
    return path if path.exists() else None


class WallClock:
    """The clock that every process started with ``environment`` reads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(0)

    @property
    def environment(self) -> dict[str, str]:
        found = library()
        if found is None:
            return {}
        return {
            "LD_PRELOAD": str(found),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_CACHE_DURATION": "1",
        }

    def set(self, seconds: float) -> None:
        """So many seconds away from the true time, at the latest a second from now."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{seconds:+.3f}\n", encoding="ascii")
        new.rename(self._file)
