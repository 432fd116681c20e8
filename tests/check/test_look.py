"""Looking at real stores, at none, and at settings with secrets in them."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.check.look import look_at_machine, look_at_postgres, look_at_redis
from app.reference import masked_url, setting_rows, without_password
from app.settings import Settings


async def test_a_migrated_database_is_read(database_url: str) -> None:
    seen = await look_at_postgres(database_url, Settings())
    assert seen.error is None
    assert int(seen.facts["number"]) >= 150_000
    assert seen.facts["revision"] == seen.facts["head"] != ""
    assert seen.facts["in_recovery"] == "false"
    assert 0 < seen.latency_ms < 1000


async def test_redis_is_read(redis_url: str) -> None:
    seen = await look_at_redis(redis_url, Settings())
    assert seen.error is None
    assert seen.facts["role"] == "master"
    assert seen.facts["aof_enabled"] in {"0", "1"}
    assert seen.facts["appendfsync"] in {"always", "everysec", "no"}
    assert seen.facts["maxmemory-policy"]


async def test_silence_is_an_error_with_words_and_without_the_password() -> None:
    with socket.socket() as nobody:  # bound and not listening: refused at once, and nobody else can take the port
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        seen = await look_at_postgres(f"postgresql://office:hunter2@127.0.0.1:{port}/x", Settings())
        assert seen.error
        assert "hunter2" not in seen.error
        seen = await look_at_redis(f"redis://:hunter2@127.0.0.1:{port}/0", Settings())
        assert seen.error
        assert "hunter2" not in seen.error


def test_a_taken_port_is_seen(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = Settings(data_dir=tmp_path / "not" / "yet", port=taken.getsockname()[1])
        seen = look_at_machine(settings)
    assert seen.port == "taken"
    assert seen.writable
    assert seen.free_bytes > 0
    assert look_at_machine(settings).port == "free"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://office:hunter2@db:5432/exam", "postgresql://office:***@db:5432/exam"),
        ("postgresql://office:hun@ter2@db/exam", "postgresql://office:***@db/exam"),
        (
            "postgresql://office@/exam?host=/run/pg&password=hunter2",
            "postgresql://office@/exam?host=/run/pg&password=***",
        ),
        ("redis://:hunter2@cache/0", "redis://:***@cache/0"),
        ("unix:///run/redis.sock?db=0&password=hunter2", "unix:///run/redis.sock?db=0&password=***"),
        ("office:hunter2@db", "***"),
        ("redis://cache/0", "redis://cache/0"),
    ],
)
def test_no_address_shows_its_password(url: str, shown: str) -> None:
    assert masked_url(url) == shown


def test_words_of_a_driver_lose_the_password() -> None:
    url = "postgresql://office:hunter2@db/exam?password=other"
    assert without_password("bad: hunter2 and other", url) == "bad: *** and ***"


def test_settings_are_shown_without_secrets() -> None:
    settings = Settings(
        secret_key=SecretStr("k" * 40), database_url=SecretStr("postgresql://a:hunter2@db/x"), workers=3
    )
    rows = {row.variable: row for row in setting_rows(settings)}
    assert len(rows) == len(Settings.model_fields)
    assert rows["HOLDFAST_SECRET_KEY"].value == "*** (40)"
    assert rows["HOLDFAST_DATABASE_URL"].value == "postgresql://a:***@db/x"
    assert (rows["HOLDFAST_WORKERS"].value, rows["HOLDFAST_WORKERS"].is_set) == ("3", True)
    assert (rows["HOLDFAST_TICK"].value, rows["HOLDFAST_TICK"].is_set) == ("0.5", False)
    assert "hunter2" not in repr(rows)
