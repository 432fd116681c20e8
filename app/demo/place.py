"""The demo's data directory: whose it is, what it holds, and how it is emptied.

A marker file says that everything here was made by the demo. Nothing is ever wiped in a directory without it, and the
demo moves into no directory that holds something else: ``--data-dir ~`` must cost nobody anything.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.demo.refusals import DemoRefused
from app.embedded.lock import DirectoryLock
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis

MARKER = "holdfast-demo.json"
LOCK = "demo.lock"
FORM = 1

# Everything the demo and its stores make; what else lies in the directory is not ours to remove.
_OURS = (
    "postgres",
    "postgres.new",
    "postgres.lock",
    "redis",
    "redis.lock",
    "run",
    "logs",
    "secret_key",
    "simulated.json",
    MARKER,
)


@dataclass(frozen=True, slots=True)
class Marker:
    """``ready`` is false while the demo is being made: what a killed first run left is made anew, not continued."""

    form: int
    candidates: int
    ready: bool


class Place:
    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.absolute()
        self._marker = self.data_dir / MARKER
        self._lock = DirectoryLock(self.data_dir / LOCK)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """The directory for one demo at a time. EmbeddedError ``embedded-in-use`` names the process that has it."""
        self._refuse_foreign()
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise DemoRefused("demo-dir-unusable", path=self.data_dir, reason=error.strerror or str(error)) from error
        self._lock.acquire()
        try:
            yield
        finally:
            self._lock.release()

    def _refuse_foreign(self) -> None:
        if not self.data_dir.exists() or self._marker.exists():
            return
        if not self.data_dir.is_dir():
            raise DemoRefused("demo-dir-unusable", path=self.data_dir, reason="not a directory")
        if any(entry.name != LOCK for entry in self.data_dir.iterdir()):
            raise DemoRefused("demo-dir-foreign", path=self.data_dir)

    def begin(self, *, fresh: bool, candidates: int) -> tuple[bool, int]:
        """(whether a demo has to be made, how many candidates it has).

        ``fresh`` wipes the demo that is here. A demo that was never finished is wiped too: nobody has sat in it.
        """
        marker = None if fresh else self._read()
        if marker is not None and marker.ready:
            return False, marker.candidates
        self.wipe()
        self.mark(candidates=candidates, ready=False)
        return True, candidates

    def _read(self) -> Marker | None:
        """The marker, or None where there is none. Refused where another version wrote it."""
        try:
            found: dict[str, Any] = json.loads(self._marker.read_text(encoding="utf-8"))
            marker = Marker(**found)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise DemoRefused("demo-dir-old", path=self.data_dir) from error
        if marker.form != FORM:
            raise DemoRefused("demo-dir-old", path=self.data_dir)
        return marker

    def mark(self, *, candidates: int, ready: bool) -> None:
        staged = self._marker.with_suffix(".new")
        with staged.open("w", encoding="utf-8") as file:
            json.dump(asdict(Marker(FORM, candidates, ready)), file)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(self._marker)

    def wipe(self) -> None:
        """Remove the demo that the marker speaks of, servers that a killed run left on it first; the lock stays held.

        Without a marker there is nothing of ours to remove. The marker goes last: a wipe cut short can be repeated.
        """
        if not self._marker.exists():
            return
        for store in (EmbeddedPostgres(self.data_dir), EmbeddedRedis(self.data_dir)):
            store.take_over()
            store.stop()
        for name in _OURS:
            path = self.data_dir / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
