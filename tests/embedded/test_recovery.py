"""The embedded stores on a bad day: kill -9, leftovers, stale files, a second start."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import redis

from app.embedded.errors import EmbeddedError
from app.embedded.postgres import EmbeddedPostgres, binaries
from app.embedded.redis import EmbeddedRedis
from app.embedded.stores import stores
from app.settings import Settings
from tests.embedded.conftest import Supervisor, alive, query, wait_until

Supervise = Callable[..., Supervisor]


def write(said: dict[str, object], n: int) -> None:
    query(str(said["database_url"]), f"CREATE TABLE IF NOT EXISTS kept (n int); INSERT INTO kept VALUES ({n})")
    with redis.Redis.from_url(str(said["redis_url"])) as client:
        client.rpush("kept", n)


def read(said: dict[str, object]) -> tuple[list[int], list[int]]:
    rows = [int(line) for line in query(str(said["database_url"]), "SELECT n FROM kept ORDER BY n").split()]
    with redis.Redis.from_url(str(said["redis_url"])) as client:
        return rows, [int(value) for value in client.lrange("kept", 0, -1)]


def answers(database_url: str, redis_url: str) -> bool:
    try:
        with redis.Redis.from_url(redis_url) as client:
            client.ping()
    except redis.ConnectionError:
        return False
    asked = subprocess.run([binaries() / "psql", database_url, "-c", ""], capture_output=True, check=False)
    return asked.returncode == 0


def test_kill_9_of_everything_loses_nothing_acknowledged(supervise: Supervise) -> None:
    for n in range(3):
        supervisor = supervise()
        write(supervisor.said, n)
        supervisor.kill_everything()
    assert read(supervise().said) == ([0, 1, 2], [0, 1, 2])


def test_servers_left_by_a_killed_supervisor_are_ended_before_new_ones_start(supervise: Supervise) -> None:
    first = supervise()
    write(first.said, 7)
    first.kill()
    left = first.said["pids"]
    assert all(alive(pid) for pid in left.values())
    second = supervise()
    assert not any(alive(pid) for pid in left.values())
    assert read(second.said) == ([7], [7])


def test_frozen_leftovers_are_ended_too(supervise: Supervise, monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> None:
    first = supervise()
    first.kill()
    left = first.said["pids"]
    for pid in left.values():
        os.kill(pid, signal.SIGSTOP)
    # A frozen server cannot answer a polite request: what is bounded here is the patience before it is killed.
    monkeypatch.setattr("app.embedded.postgres.STOP_SECONDS", 1.0)
    monkeypatch.setattr("app.embedded.redis.STOP_SECONDS", 1.0)
    with stores(Settings(data_dir=data_dir)) as urls:
        assert not any(alive(pid) for pid in left.values())
        assert query(urls.database_url, "SELECT 1") == "1"


def test_start_brings_back_a_server_that_died_under_us(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as postgres, EmbeddedRedis(data_dir) as server:
        for store in (postgres, server):
            died = store.pid
            os.kill(died, signal.SIGKILL)
            wait_until(lambda store=store: not store.running, "the server is gone")
            store.start()
            assert store.pid != died
        assert query(postgres.url, "SELECT 1") == "1"
        with redis.Redis.from_url(server.url) as client:
            assert client.ping()


def test_stores_that_die_under_a_living_supervisor_are_brought_back(data_dir: Path) -> None:
    with stores(Settings(data_dir=data_dir)) as urls:
        said: dict[str, object] = {"database_url": urls.database_url, "redis_url": urls.redis_url}
        write(said, 3)
        for pid in urls.pids.values():
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: answers(urls.database_url, urls.redis_url), "both stores answer again")
        assert read(said) == ([3], [3])


def test_starting_twice_is_one_start(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as postgres:
        pid = postgres.pid
        postgres.start()
        assert postgres.pid == pid


def test_a_pid_file_whose_pid_is_somebody_else_by_now_does_not_block(supervise: Supervise, data_dir: Path) -> None:
    supervise().kill_everything()
    pid_file = data_dir / "postgres/postmaster.pid"
    lines = pid_file.read_text().splitlines()
    lines[0] = str(os.getpid())
    pid_file.write_text("\n".join(lines) + "\n")
    (data_dir / "run/.s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n")
    (data_dir / "run/redis.sock").unlink()
    (data_dir / "run/redis.sock").write_text("not a socket")
    with stores(Settings(data_dir=data_dir)) as urls:
        assert query(urls.database_url, "SELECT 1") == "1"


def test_a_half_made_cluster_is_made_again(data_dir: Path) -> None:
    half = data_dir / "postgres.new"
    half.mkdir(parents=True, mode=0o700)
    (half / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(data_dir) as postgres:
        assert query(postgres.url, "SELECT 1") == "1"
    assert not half.exists()


def test_an_append_only_file_cut_off_by_the_power_is_loaded_up_to_the_cut(data_dir: Path) -> None:
    with EmbeddedRedis(data_dir) as server, redis.Redis.from_url(server.url) as client:
        client.set("whole", "1")
    with (data_dir / "redis/appendonly.aof").open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$4\r\nhal")
    with EmbeddedRedis(data_dir) as server, redis.Redis.from_url(server.url) as client:
        assert client.keys() == [b"whole"]


@pytest.mark.parametrize("store", [EmbeddedPostgres, EmbeddedRedis])
def test_a_second_start_in_the_same_process_is_refused(data_dir: Path, store: type[EmbeddedPostgres]) -> None:
    with store(data_dir) as first:
        with pytest.raises(EmbeddedError) as refused:
            store(data_dir).start()
        assert refused.value.code == "embedded-in-use"
        assert first.running


def test_a_second_supervisor_is_refused_and_told_who_holds_the_directory(supervise: Supervise, data_dir: Path) -> None:
    first = supervise()
    second = supervise()
    assert second.said["code"] == "embedded-in-use"
    for language in ("zh", "en"):
        assert str(first.process.pid) in second.said[language]
        assert str(data_dir) in second.said[language]
    assert second.stop() == 2
    assert query(first.said["database_url"], "SELECT 1") == "1"


def test_a_forked_child_does_not_keep_the_directory_locked(data_dir: Path) -> None:
    server = EmbeddedRedis(data_dir)
    server.start()
    child = os.fork()
    if child == 0:
        signal.pause()
    try:
        server.stop()
        with EmbeddedRedis(data_dir) as again:
            assert psutil.pid_exists(child)
            assert again.running
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
