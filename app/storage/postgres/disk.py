"""The disk an embedded PostgreSQL writes to, watched so that it is never filled to its last byte.

A PostgreSQL that cannot extend its log ends at once (PANIC) and needs room to recover: nothing that was committed is
lost, but nobody is served until somebody has made room. So the writer stops before, loudly, and the server stays up.
"""

from __future__ import annotations

import os
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)
# Of the reserve, that much more must be free before anything is written again: no flapping at the edge.
AGAIN = 1.25
MB = 1 << 20


class DiskFull(Exception):  # noqa: N818 -- names the state
    """Less is free than the reserve."""


class Disk:
    """``folder`` lies on the disk; None when the server is elsewhere and its disk is not ours to see."""

    def __init__(self, folder: Path | None, reserve_mb: int) -> None:
        self._folder = folder
        self._reserve_mb = reserve_mb
        # Whether less was free than must be when last looked at.
        self.short = False

    @property
    def free_mb(self) -> int | None:
        """What is free for an ordinary account, in MB; None where it cannot be seen."""
        if self._folder is None:
            return None
        try:
            seen = os.statvfs(self._folder)
        except OSError as fault:
            log.warning("disk not seen", folder=str(self._folder), fault=repr(fault))
            return None
        return seen.f_bavail * seen.f_frsize // MB

    def look(self) -> bool:
        """Whether less is free than must be."""
        free_mb = self.free_mb
        if free_mb is not None:
            self.short = free_mb < self._reserve_mb * (AGAIN if self.short else 1)
        return self.short


def own_disk(data_dir: Path, database_url: str, reserve_mb: int) -> Disk:
    """The disk of the cluster under ``data_dir`` when ``database_url`` is a socket, as an embedded one's is."""
    cluster = data_dir / "postgres"
    embedded = "host=/" in database_url and (cluster / "PG_VERSION").exists()
    return Disk(cluster if embedded else None, reserve_mb)
