"""One supervisor per data directory.

A ``flock`` and not a pid file decides: the kernel drops it with its holder, so a ``kill -9`` or a power cut can never
leave a lock behind, and a recycled pid can never look like a holder. The pid inside the file only names the holder.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import weakref
from pathlib import Path

from app.embedded.errors import EmbeddedError, from_os_error

_held: weakref.WeakSet[DirectoryLock] = weakref.WeakSet()


class DirectoryLock:
    """An exclusive lock kept in ``path`` (a file that is never removed: removing it would let two holders in)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take the lock at once or raise ``embedded-in-use`` with the holder's pid."""
        if self._fd is not None:
            return
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise from_os_error(error, self.path) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(fd, 0)
            os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError as error:
            holder = os.pread(fd, 32, 0).decode(errors="replace").strip() or "?"
            os.close(fd)
            raise EmbeddedError("embedded-in-use", path=self.path.parent, pid=holder) from error
        except OSError as error:
            os.close(fd)
            raise from_os_error(error, self.path) from error
        self._fd = fd
        _held.add(self)

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
            _held.discard(self)


def _forget_in_child() -> None:
    # A forked child shares the open file description, and with it the lock: it would go on holding the directory
    # after its parent was killed. Closing its copy leaves the parent's lock alone.
    for lock in list(_held):
        if lock._fd is not None:  # noqa: SLF001 -- same module
            with contextlib.suppress(OSError):
                os.close(lock._fd)  # noqa: SLF001
            lock._fd = None  # noqa: SLF001


os.register_at_fork(after_in_child=_forget_in_child)
