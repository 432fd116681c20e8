"""Start the server with a bug planted into each of its processes, for tests and nothing else.

``python -m tests.faults.planted.ack_before_commit`` is ``holdfast serve`` with that bug: a folder with a
``sitecustomize.py`` goes in front of PYTHONPATH, which the supervisor hands to what it starts. Production code has no
flag for it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

BUG = "PLANTED_BUG"


def serve(name: str) -> None:
    """Become ``holdfast serve`` with the bug of module ``tests.faults.planted.<name>``."""
    site = str(Path(__file__).with_name("site"))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [site, os.environ.get("PYTHONPATH")]))
    os.environ[BUG] = f"tests.faults.planted.{name}"
    os.execv(sys.executable, [sys.executable, "-m", "app.cli", "serve"])  # noqa: S606 -- no shell is wanted
