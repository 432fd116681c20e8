"""What a server's processes are told by their supervisor."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.embedded.stores import Urls
from app.secrets import site_secret
from app.settings import Settings
from app.supervise import environment


def test_a_data_directory_given_as_an_option_is_the_childrens_too(tmp_path, monkeypatch):
    """Otherwise they would make a secret key of their own, under which nobody of the roster can sign in."""
    monkeypatch.chdir(tmp_path)
    given = Settings(data_dir=Path("site"))
    for name, value in environment(given, Urls("postgresql:///x", "redis://x")).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir("/")
    assert site_secret(Settings()) == site_secret(Settings(data_dir=tmp_path / "site"))


@pytest.mark.parametrize("module", ["app.processes", "app.supervise"])
def test_a_process_is_started_by_either_name(module):
    """The second is what a supervisor uses that was started before the release that has the first was installed."""
    nobody = "999999999"
    started = subprocess.run(
        [sys.executable, "-m", module, "migrate", nobody], capture_output=True, text=True, timeout=60, check=False
    )
    assert (started.returncode, started.stderr.strip()) == (1, "the supervisor is gone")
