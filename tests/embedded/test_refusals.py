"""What an embedded store says when the machine refuses, and that it leaves nothing running."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.embedded import places
from app.embedded.errors import MESSAGES, EmbeddedError
from app.embedded.identity import dropped, ordinary_account
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis
from app.embedded.stores import stores
from app.settings import Settings
from tests.embedded.conftest import CHECKOUT, SCRIPT, Supervisor, query, site_packages

STORES = [EmbeddedPostgres, EmbeddedRedis]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="changes its user: needs root")


def refusal(store: EmbeddedPostgres | EmbeddedRedis) -> EmbeddedError:
    with pytest.raises(EmbeddedError) as refused:
        store.start()
    assert not store.running
    return refused.value


@pytest.mark.parametrize("store", STORES)
def test_a_directory_that_cannot_be_made_is_named(data_dir: Path, store: type[EmbeddedPostgres]) -> None:
    data_dir.write_text("a file where the directory should be")
    error = refusal(store(data_dir / "inside"))
    assert error.code == "embedded-not-writable"
    assert str(data_dir) in error.text("zh")
    assert str(data_dir) in error.text("en")


@pytest.mark.parametrize("store", STORES)
def test_too_full_a_disk_is_refused_before_anything_is_started(
    data_dir: Path, store: type[EmbeddedPostgres], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places.enough_room, "__defaults__", (1 << 60,))
    error = refusal(store(data_dir))
    assert error.code == "embedded-disk-full"
    assert "MB" in error.text("en")
    assert not (data_dir / "postgres").exists()
    assert not (data_dir / "redis/appendonly.aof").exists()
    monkeypatch.undo()
    with store(data_dir) as started:
        assert started.running


def test_a_disk_that_is_really_full_is_called_so(data_dir: Path) -> None:
    """On a file system of 40 MB: no room check can be fooled there, and the sentence says how much is missing."""
    data_dir.mkdir()
    root = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    mounted = ["sh", "-c", f'mount -t tmpfs -o size=40m tmpfs {data_dir} && exec "$0" {SCRIPT} {data_dir}']
    env = {"PATH": os.defpath, "PYTHONPATH": f"{CHECKOUT}:{site_packages()}"}
    done = subprocess.run(
        [*root, *mounted, sys.executable], capture_output=True, text=True, env=env, timeout=60, check=False
    )
    if "unshare failed" in done.stderr or "permission denied" in done.stderr:
        pytest.skip(f"this machine lets nobody mount a small file system: {done.stderr.strip()}")
    assert '"embedded-disk-full"' in done.stdout, done.stderr
    assert re.search(r"\d\d MB left, 256 MB needed", done.stdout)


def test_files_that_are_not_ours_are_left_alone(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    (data_dir / "postgres/thesis.docx").write_text("years of work")
    assert refusal(EmbeddedPostgres(data_dir)).code == "embedded-foreign-files"
    assert (data_dir / "postgres/thesis.docx").read_text() == "years of work"


def test_a_cluster_of_another_version_is_refused(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir):
        pass
    (data_dir / "postgres/PG_VERSION").write_text("16\n")
    error = refusal(EmbeddedPostgres(data_dir))
    assert (error.code, error.params["found"], error.params["needed"]) == ("embedded-version", "16", "18")


def test_a_server_that_dies_at_the_start_is_quoted(data_dir: Path) -> None:
    error = refusal(EmbeddedPostgres(data_dir, settings={"shared_buffers": "1kB"}))
    assert error.code == "embedded-failed"
    assert "shared_buffers" in error.text("en")
    assert str(data_dir / "logs/postgres.log") in error.text("zh")
    with EmbeddedPostgres(data_dir) as started:
        assert query(started.url, "SELECT 1") == "1"


def test_a_damaged_append_only_file_is_not_started_over(data_dir: Path) -> None:
    (data_dir / "redis").mkdir(parents=True)
    (data_dir / "redis/appendonly.aof").write_text("this is not an append-only file\n")
    assert refusal(EmbeddedRedis(data_dir)).code == "embedded-failed"
    assert (data_dir / "redis/appendonly.aof").read_text() == "this is not an append-only file\n"


def test_a_socket_directory_that_another_could_enter_is_refused(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = data_dir.parent / "shared"
    shared.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(shared))
    long = data_dir / ("z" * 120)
    places.socket_dir(long).chmod(0o755)
    with pytest.raises(EmbeddedError) as refused:
        places.socket_dir(long)
    assert refused.value.code == "embedded-socket-unsafe"


@as_root
def test_root_can_hand_the_directory_to_an_ordinary_account_instead(data_dir: Path) -> None:
    data_dir.mkdir(mode=0o755)
    with EmbeddedPostgres(data_dir) as before:
        query(before.url, "CREATE TABLE kept AS SELECT 5 AS n")
    with EmbeddedPostgres(data_dir, who=dropped()) as postgres:
        assert query(postgres.url, "SELECT n FROM kept") == "5"
        owner = ordinary_account().pw_uid
        assert Path(f"/proc/{postgres.pid}").stat().st_uid == owner
    with EmbeddedPostgres(data_dir) as after:
        assert query(after.url, "SELECT n FROM kept") == "5"


@pytest.fixture
def ordinary_user() -> Callable[[Path], Supervisor]:
    """Starts a supervisor as an ordinary account, on a Python that account can run."""
    account = pwd.getpwnam("nobody")
    become = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/python{minor}"):
        try:
            subprocess.run(
                [python, "-c", "import pydantic_settings, app"], check=True, capture_output=True, cwd="/",
                env={"PYTHONPATH": f"{CHECKOUT}:{site_packages()}"}, **become,
            )  # fmt: skip
        except (OSError, subprocess.CalledProcessError):
            continue
        return lambda data_dir: Supervisor(data_dir, command=(python,), **become)
    pytest.skip("no Python here that an ordinary account can run together with this checkout")


@as_root
def test_an_ordinary_user_needs_nothing_of_root(data_dir: Path, ordinary_user: Callable[[Path], Supervisor]) -> None:
    data_dir.mkdir()
    os.chown(data_dir, pwd.getpwnam("nobody").pw_uid, -1)
    supervisor = ordinary_user(data_dir)
    assert supervisor.said["uid"] == pwd.getpwnam("nobody").pw_uid
    pid = supervisor.said["pids"]["postgres"]
    assert Path(f"/proc/{pid}").stat().st_uid == pwd.getpwnam("nobody").pw_uid
    assert supervisor.stop() == 0


@as_root
def test_an_ordinary_user_is_told_which_directory_refuses(
    data_dir: Path, ordinary_user: Callable[[Path], Supervisor]
) -> None:
    data_dir.mkdir(mode=0o755)
    supervisor = ordinary_user(data_dir)
    assert supervisor.said["code"] == "embedded-not-writable"
    assert str(data_dir) in supervisor.said["zh"]
    assert supervisor.stop() == 2


def test_a_store_that_fails_takes_the_other_one_down_again(data_dir: Path) -> None:
    (data_dir / "redis").mkdir(parents=True)
    (data_dir / "redis/appendonly.aof").write_text("broken")
    with pytest.raises(EmbeddedError), stores(Settings(data_dir=data_dir)):
        raise AssertionError("Redis cannot have started")
    assert not (data_dir / "postgres/postmaster.pid").exists()


def test_every_refusal_speaks_both_languages_with_the_same_parameters() -> None:
    for code, (zh, en) in MESSAGES.items():
        assert sorted(set(re.findall(r"{(\w+)}", zh))) == sorted(set(re.findall(r"{(\w+)}", en))), code
        assert re.search(r"[\u4e00-\u9fff]", zh), code
