"""What a server's processes are told by their supervisor."""

from __future__ import annotations

from pathlib import Path

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
