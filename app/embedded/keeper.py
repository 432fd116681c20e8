"""Brings embedded stores back when they die under a living supervisor (the out-of-memory killer, a stray ``kill -9``).

An exam must not wait for a person to notice. What is acknowledged is on disk, so starting again is always safe.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol

import structlog

from app.embedded.errors import EmbeddedError

log = structlog.get_logger(__name__)
WATCH_SECONDS = 0.2
# A store that cannot start (a full disk) is tried again, but not so often that its log hides the reason.
PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0


class Store(Protocol):
    @property
    def running(self) -> bool: ...

    @property
    def url(self) -> str: ...

    def start(self) -> None: ...


class Keeper:
    """Watches ``stores`` from entry to exit. On exit it has let go of them, so they can be stopped without a race."""

    def __init__(self, stores: Sequence[Store]) -> None:
        self._stores = stores
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="embedded-keeper", daemon=True)

    def _watch(self) -> None:
        pause = PAUSE_SECONDS
        while not self._leaving.wait(WATCH_SECONDS):
            for store in self._stores:
                if store.running or self._leaving.is_set():
                    continue
                name = type(store).__name__
                log.error("embedded store died", store=name)
                try:
                    store.start()
                except EmbeddedError as error:
                    log.critical("embedded store cannot start", store=name, code=error.code, detail=error.text("en"))
                    self._leaving.wait(pause)
                    pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                else:
                    log.warning("embedded store is back", store=name)
                    pause = PAUSE_SECONDS

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        self._thread.join()
