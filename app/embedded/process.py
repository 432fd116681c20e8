"""A store as a child process: started with its own log, watched until ready, ended together with all it left behind."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from app.embedded.errors import EmbeddedError, from_os_error
from app.embedded.identity import Identity

_POLL = 0.02
_AFTER_KILL = 10.0


def environment() -> dict[str, str]:
    """Ours without what would steer a PostgreSQL elsewhere, in a locale that every machine has."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG", "TZ"))}
    return kept | {"LC_ALL": "C"}


def spawn(
    command: Sequence[str | Path], *, cwd: Path, log: Path, who: Identity, say: str | None = None
) -> tuple[subprocess.Popen[bytes], int]:
    """Start ``command``, ``say`` being all its input; returns the child and where in ``log`` its lines begin.

    Its own session: Ctrl-C in a terminal goes to the whole foreground group, and a store that stopped before the app
    had drained would turn a clean stop into a crash.
    """
    try:
        with log.open("ab") as out:
            began = out.tell()
            child = subprocess.Popen(  # noqa: S603
                [*who.prefix, *map(str, command)],
                cwd=cwd,
                stdin=subprocess.DEVNULL if say is None else subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=environment(),
                start_new_session=True,
                **who.popen,  # type: ignore[call-overload]
            )
    except OSError as error:
        raise from_os_error(error, error.filename or cwd) from error
    if child.stdin is not None and say is not None:
        with contextlib.suppress(BrokenPipeError), child.stdin:  # one that died already explains itself in its log
            child.stdin.write(say.encode())
    return child, began


def wait_ready(
    child: subprocess.Popen[bytes], ready: Callable[[], bool], *, store: str, log: Path, began: int, timeout: float
) -> None:
    """Return once ``ready()``; a child that exits or takes longer than ``timeout`` seconds is an EmbeddedError."""
    deadline = time.monotonic() + timeout
    while not ready():
        if child.poll() is not None:
            raise explain(store, log, began)
        if time.monotonic() > deadline:
            raise EmbeddedError("embedded-slow", store=store, seconds=round(timeout), log=log)
        time.sleep(_POLL)


def explain(store: str, log: Path, began: int) -> EmbeddedError:
    """What the store's own last words mean."""
    with log.open("rb") as lines:
        lines.seek(began)
        said = lines.read()[-8000:].decode(errors="replace")
    if "No space left on device" in said:
        return EmbeddedError("embedded-disk-full", path=log.parent.parent, free_mb=0, need_mb=1)
    refused = re.search(r'"?([^"\n]*)"?: (Permission denied|Read-only file system)', said)
    if refused:
        return EmbeddedError("embedded-not-writable", path=log.parent.parent, reason=refused.group(0).strip())
    telling = [line for line in said.splitlines() if re.search(r"FATAL|PANIC|ERROR|error:|# |failed", line)]
    last = (telling or said.split("\n")[-2:-1] or ["exit"])[-1].strip()
    return EmbeddedError("embedded-failed", store=store, reason=last or "exit", log=log)


def working_in(directory: Path, names: frozenset[str]) -> list[psutil.Process]:
    """Processes called one of ``names`` whose working directory is ``directory``.

    Both stores keep their data directory as their working directory for life, which is proof where a pid from a file
    is only a hint: pids are used again.
    """
    found = []
    place = str(directory.resolve())
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() in names and process.cwd() == place and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def end_all(directory: Path, names: frozenset[str], *, store: str, ask: signal.Signals, patience: float) -> None:
    """No process of the store is left on ``directory`` when this returns.

    The head of the family is asked first and gets ``patience`` seconds (its children follow it); what is left then is
    killed, which the write-ahead log and the append-only file are made for.
    """
    family = working_in(directory, names)
    pids = {process.pid for process in family}
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.ppid() not in pids:
                process.send_signal(ask)
    if not family or not (left := _left_after(patience, directory, names)):
        return
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    if remaining := _left_after(_AFTER_KILL, directory, names):
        raise EmbeddedError("embedded-stuck", store=store, pid=remaining[0].pid)


def _left_after(seconds: float, directory: Path, names: frozenset[str]) -> list[psutil.Process]:
    # Looked for again and again and not waited for by pid: they are not our children, and where nobody reaps orphans
    # (a container without an init) a dead one keeps its pid for ever.
    deadline = time.monotonic() + seconds
    while (left := working_in(directory, names)) and time.monotonic() < deadline:
        time.sleep(_POLL)
    return left


def end_child(child: subprocess.Popen[bytes], ask: signal.Signals, patience: float) -> None:
    """Ask our child to end, kill it after ``patience`` seconds, and reap it."""
    if child.poll() is None:
        child.send_signal(ask)
        try:
            child.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            child.kill()
    child.wait(timeout=_AFTER_KILL)
