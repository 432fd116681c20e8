"""A command in a process of its own, forked from one that has everything imported already.

What a user types is `python -m app.cli …`; a second of it is imports, and the suite types hundreds of them. Standard
input and output are files and the exit code is the process's own, so what a test sees is what a shell would.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.cli import main

CHECKOUT = Path(__file__).resolve().parents[2]
COMMANDS = sorted(path.stem for path in (CHECKOUT / "app" / "commands").glob("*.py") if path.stem != "__init__")
_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload(["tests.commands.process", *(f"app.commands.{name}" for name in COMMANDS)])
STREAMS = ("in", "out", "err")


def holdfast(
    *arguments: str, environment: Mapping[str, str], cwd: Path, typed: str = "", timeout_s: float = 100
) -> subprocess.CompletedProcess[str]:
    """``holdfast <arguments>`` in ``cwd`` with exactly that environment; blocks until it has ended."""
    with tempfile.TemporaryDirectory(prefix="hf-typed-") as name:
        place = Path(name)
        (place / "in").write_text(typed, encoding="utf-8")
        process = _forking.Process(target=_child, args=(list(arguments), dict(environment), str(cwd), name))
        process.start()
        process.join(timeout_s)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(f"holdfast {' '.join(arguments)} has not ended: {(place / 'err').read_text()}")
        out, err = ((place / stream).read_text(encoding="utf-8") for stream in STREAMS[1:])
        return subprocess.CompletedProcess(arguments, process.exitcode, out, err)


def _child(arguments: Sequence[str], environment: Mapping[str, str], cwd: str, place: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    for number, stream in enumerate(STREAMS):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT
        opened = os.open(f"{place}/{stream}", flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 -- for as long as the process lives
        for number, mode in enumerate("rww")
    )
    sys.argv = ["holdfast", *arguments]
    main()
