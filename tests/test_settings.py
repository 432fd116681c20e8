"""Settings as an environment writes them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from app.settings import Settings


@pytest.mark.parametrize(
    ("written", "read"),
    [("12", 12), ("0.25", 0.25), (" 3 ", 3), ("PT1M30S", 90), ("00:01:30", 90)],
)
def test_a_length_of_time_is_seconds_or_iso_8601(monkeypatch: pytest.MonkeyPatch, written: str, read: float) -> None:
    monkeypatch.setenv("HOLDFAST_SILENT_AFTER", written)
    assert Settings().silent_after == timedelta(seconds=read)


@pytest.mark.parametrize("written", ["", "soon", "nan", "inf", "12 parsecs"])
def test_what_is_no_length_of_time_is_refused(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("HOLDFAST_SILENT_AFTER", written)
    with pytest.raises(ValidationError):
        Settings()


def test_a_number_of_seconds_is_read_for_lengths_of_time_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_SECRET_KEY", "12345678901234567890123456789012")
    secret = Settings().secret_key
    assert secret is not None
    assert secret.get_secret_value() == "12345678901234567890123456789012"
