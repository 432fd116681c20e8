"""Every judgement, on facts a server might tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.check.judge import judge_machine, judge_postgres, judge_redis
from app.check.look import Machine, Store
from app.check.words import WORDS
from app.settings import Settings

SETTINGS = Settings(data_dir=Path("/data"), workers=2)
MACHINE = Machine(writable=True, free_bytes=10 * 1024**3, port="free", open_files=65536)
POSTGRES = {
    "version": "15.18", "number": "150018", "fsync": "on", "full_page_writes": "on", "synchronous_commit": "on",
    "encoding": "UTF8", "max_connections": "200", "in_recovery": "false", "revision": "b2", "head": "b2",
}  # fmt: skip
REDIS = {
    "redis_version": "7.0.15", "role": "master", "aof_enabled": "1",
    "appendfsync": "always", "maxmemory-policy": "noeviction",
}  # fmt: skip


def levels(findings) -> dict[str, str]:
    return {finding.code: finding.level for finding in findings}


def test_a_good_machine_and_good_stores_give_no_warning():
    assert levels(judge_machine(MACHINE, SETTINGS)) == {"disk-writable": "ok", "port-free": "ok"}
    assert levels(judge_postgres(Store(0.4, POSTGRES), SETTINGS)) == {"postgres-answers": "ok", "schema-current": "ok"}
    assert levels(judge_redis(Store(0.1, REDIS))) == {"redis-answers": "ok"}


@pytest.mark.parametrize(
    ("change", "settings", "code", "level"),
    [
        ({"writable": False}, {}, "disk-refuses", "fail"),
        ({"free_bytes": 255 << 20}, {}, "disk-full", "fail"),
        ({"free_bytes": 256 << 20}, {}, "disk-low", "warn"),
        ({"free_bytes": 2 << 30}, {}, "disk-writable", "ok"),
        ({"port": "taken"}, {}, "port-taken", "warn"),
        ({"port": "Permission denied"}, {}, "port-refused", "fail"),
        ({"open_files": 1024}, {}, "open-files-low", "warn"),
        ({}, {"demo": True}, "demo-accounts", "warn"),
        ({}, {"secret_key": SecretStr("x" * 31)}, "secret-weak", "fail"),
    ],
)
def test_the_machine_is_judged(change, settings, code, level):
    machine = replace(MACHINE, **change)
    assert levels(judge_machine(machine, SETTINGS.model_copy(update=settings)))[code] == level


@pytest.mark.parametrize(
    ("change", "code", "level"),
    [
        ({"number": "140012", "version": "14.12"}, "postgres-old", "fail"),
        ({"encoding": "SQL_ASCII"}, "postgres-encoding", "fail"),
        ({"fsync": "off"}, "postgres-unsafe", "fail"),
        ({"full_page_writes": "off"}, "postgres-unsafe", "fail"),
        ({"synchronous_commit": "off"}, "postgres-unsafe", "fail"),
        ({"in_recovery": "true"}, "postgres-standby", "fail"),
        ({"max_connections": "59"}, "postgres-connections", "warn"),
        ({"revision": ""}, "schema-missing", "warn"),
        ({"revision": "a1"}, "schema-other", "fail"),
    ],
)
def test_postgres_is_judged(change, code, level):
    assert levels(judge_postgres(Store(0.4, POSTGRES | change), SETTINGS))[code] == level


@pytest.mark.parametrize(
    ("change", "code", "level"),
    [
        ({"redis_version": "6.0.16"}, "redis-old", "fail"),
        ({"role": "slave"}, "redis-replica", "fail"),
        ({"aof_enabled": "0"}, "redis-no-aof", "fail"),
        ({"appendfsync": "everysec"}, "redis-fsync", "warn"),
        ({"maxmemory-policy": "allkeys-lru"}, "redis-evicts", "fail"),
    ],
)
def test_redis_is_judged(change, code, level):
    assert levels(judge_redis(Store(0.4, REDIS | change)))[code] == level


def test_a_redis_that_hides_its_configuration_is_said_so():
    hidden = {name: value for name, value in REDIS.items() if name not in {"appendfsync", "maxmemory-policy"}}
    assert levels(judge_redis(Store(0.4, hidden)))["redis-config-hidden"] == "warn"


def test_slow_and_silent_stores_are_named():
    assert levels(judge_postgres(Store(21.0, POSTGRES), SETTINGS))["postgres-slow"] == "warn"
    assert levels(judge_redis(Store(21.0, REDIS)))["redis-slow"] == "warn"
    assert levels(judge_postgres(Store(error="refused"), SETTINGS)) == {"postgres-away": "fail"}
    assert levels(judge_redis(Store(error="refused"))) == {"redis-away": "fail"}


def test_every_finding_that_is_not_well_says_what_to_do_in_both_languages():
    for code, words in WORDS.items():
        assert words.zh.endswith("。"), code
        assert words.en.endswith("."), code
        assert any("\u4e00" <= letter <= "\u9fff" for letter in words.zh), code
