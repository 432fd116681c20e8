"""Where an embedded store keeps its files, its log and its socket."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

from app.embedded.errors import EmbeddedError, from_os_error

# sun_path holds 108 bytes with its NUL; the longest socket name here is '.s.PGSQL.5432'.
SOCKET_LIMIT = 107
_LONGEST_NAME = len("/.s.PGSQL.5432")
# Two WAL segments, a checkpoint and an append-only file's rewrite fit; below it a store would start only to stop.
NEED_BYTES = 256 * 1024 * 1024
_LOG_LIMIT = 16 * 1024 * 1024


def private_dir(path: Path) -> Path:
    """``path`` as a directory that only we may enter."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(13, "permission denied", str(path))
    except OSError as error:
        raise from_os_error(error, path) from error
    return path


def enough_room(path: Path, need: int = NEED_BYTES) -> None:
    """Refuse before anything is started: a store that fills its disk half-way is worse than one that never ran."""
    free = shutil.disk_usage(path).free
    if free < need:
        raise EmbeddedError("embedded-disk-full", path=path, free_mb=free >> 20, need_mb=need >> 20)


def socket_dir(data_dir: Path) -> Path:
    """A private directory for sockets: inside ``data_dir``, or a short one elsewhere when that path will not do.

    The name elsewhere is a hash of ``data_dir``, so two directories never share one and a restart finds its own.
    """
    inside = data_dir / "run"
    if _fits(inside):
        private_dir(inside)
        inside.chmod(0o700)
        return inside
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    name = f"holdfast-{os.geteuid()}-{digest}"
    for base in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"):  # noqa: S108 -- checked below
        if base and os.access(base, os.W_OK | os.X_OK) and _fits(outside := Path(base, name)):
            return _own_dir(outside)
    raise EmbeddedError("embedded-socket-path", path=inside, limit=SOCKET_LIMIT - _LONGEST_NAME)


def leave(sockets: Path, data_dir: Path) -> None:
    """Remove a socket directory made elsewhere once the last store is out of it."""
    if sockets.parent != data_dir:
        with contextlib.suppress(OSError):  # the other store's socket is still there, or somebody removed it
            sockets.rmdir()


def _fits(directory: Path) -> bool:
    # A comma separates hosts in a connection URL, and no escape is understood by every client.
    return len(os.fsencode(directory)) + _LONGEST_NAME <= SOCKET_LIMIT and not set(',"') & set(str(directory))


def _own_dir(path: Path) -> Path:
    """Anyone may have made a directory of that name in a shared place before us: then it is not used."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid in (os.geteuid(), _server_uid())
    if not ours or stat.S_IMODE(found.st_mode) & 0o077:
        raise EmbeddedError("embedded-socket-unsafe", path=path)
    return path


def _server_uid() -> int:
    from app.embedded.identity import identity  # noqa: PLC0415 -- asks the kernel; only this rare path needs it

    uid = identity().uid
    return os.geteuid() if uid is None else uid


def log_file(data_dir: Path, store: str) -> Path:
    """The store's log, the one before kept beside it once it has grown."""
    path = private_dir(data_dir / "logs") / f"{store}.log"
    if path.exists() and path.stat().st_size > _LOG_LIMIT:
        path.replace(path.with_suffix(".log.1"))
    return path
