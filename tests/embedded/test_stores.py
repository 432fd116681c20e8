"""The embedded stores on a good day: real, durable, private, side by side."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest
import redis
from pydantic import SecretStr

from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis
from app.embedded.stores import stores
from app.settings import Settings
from tests.embedded.conftest import alive, query


def test_what_was_committed_is_there_after_a_clean_stop(data_dir: Path) -> None:
    with stores(Settings(data_dir=data_dir)) as urls:
        query(urls.database_url, "CREATE TABLE kept AS SELECT 41 AS n")
        with redis.Redis.from_url(urls.redis_url) as client:
            client.set("kept", "41")
        assert all(alive(pid) for pid in urls.pids.values())
    assert not any(alive(pid) for pid in urls.pids.values())
    with stores(Settings(data_dir=data_dir)) as urls:
        assert query(urls.database_url, "SELECT n FROM kept") == "41"
        with redis.Redis.from_url(urls.redis_url) as client:
            assert client.get("kept") == b"41"


def test_every_acknowledgement_is_on_disk(data_dir: Path) -> None:
    with stores(Settings(data_dir=data_dir)) as urls:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert query(urls.database_url, f"SHOW {name}") == "on"
        with redis.Redis.from_url(urls.redis_url) as client:
            assert client.config_get("append*")["appendonly"] == "yes"
            assert client.config_get("append*")["appendfsync"] == "always"
            assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"


def test_the_database_knows_every_script_and_counts_in_utc(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as postgres:
        assert query(postgres.url, "SELECT upper('é') || length('𠮷·é')") == "É3"
        assert query(postgres.url, "SHOW timezone") == "UTC"
        assert query(postgres.url, "SHOW server_encoding") == "UTF8"


def test_nothing_listens_on_a_network_and_nobody_else_may_enter(data_dir: Path) -> None:
    with stores(Settings(data_dir=data_dir)) as urls:
        for pid in urls.pids.values():
            assert psutil.Process(pid).net_connections(kind="inet") == []
        assert (data_dir / "run").stat().st_mode & 0o777 == 0o700
        assert (data_dir / "postgres").stat().st_mode & 0o777 == 0o700
        assert data_dir.stat().st_mode & 0o777 == 0o700


def test_two_instances_run_side_by_side(data_dir: Path) -> None:
    one, two = data_dir / "one", data_dir / "two"
    with stores(Settings(data_dir=one)) as first, stores(Settings(data_dir=two)) as second:
        query(first.database_url, "CREATE TABLE only_here ()")
        assert query(second.database_url, "SELECT to_regclass('only_here') IS NULL") == "t"
        with redis.Redis.from_url(first.redis_url) as here, redis.Redis.from_url(second.redis_url) as there:
            here.set("only", "here")
            assert there.get("only") is None


@pytest.mark.parametrize("name", ['考 务,数据 "x" %41\'', "y" * 150], ids=["odd characters", "too long for a socket"])
def test_any_directory_name_will_do_and_no_socket_directory_stays_behind(data_dir: Path, name: str) -> None:
    with stores(Settings(data_dir=data_dir / name)) as urls:
        assert query(urls.database_url, "SELECT 1") == "1"
        with redis.Redis.from_url(urls.redis_url) as client:
            assert client.ping()
        elsewhere = Path(urls.redis_url.removeprefix("unix://").partition("?")[0]).parent
        assert elsewhere.exists()
    assert not elsewhere.exists()


def test_external_urls_are_used_as_they_are(data_dir: Path) -> None:
    external = Settings(
        data_dir=data_dir,
        database_url=SecretStr("postgresql://a:b@db.invalid/c"),
        redis_url=SecretStr("redis://cache.invalid/0"),
    )
    with stores(external) as urls:
        assert (urls.database_url, urls.redis_url) == ("postgresql://a:b@db.invalid/c", "redis://cache.invalid/0")
        assert urls.pids == {}
    assert not data_dir.exists()


def test_ctrl_c_in_the_terminal_does_not_reach_the_stores(data_dir: Path) -> None:
    with stores(Settings(data_dir=data_dir)) as urls:
        assert all(os.getpgid(pid) != os.getpgrp() for pid in urls.pids.values())


def test_further_settings_reach_the_servers(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, settings={"max_connections": "20"}) as postgres:
        assert query(postgres.url, "SHOW max_connections") == "20"
    with EmbeddedRedis(data_dir, settings={"maxclients": "77"}) as server, redis.Redis.from_url(server.url) as client:
        assert client.config_get("maxclients")["maxclients"] == "77"
