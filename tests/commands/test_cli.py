"""The command line as a person meets it: in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli import AREAS
from app.commands.failures import MESSAGES, failure
from app.embedded.errors import EmbeddedError
from app.embedded.stores import stores
from app.settings import Settings

Run = Callable[..., subprocess.CompletedProcess[str]]
CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def holdfast(tmp_path: Path) -> Run:
    """Runs ``holdfast`` with nothing of the developer's environment and a data directory of the test's own."""

    def run(*args: str, **variables: str) -> subprocess.CompletedProcess[str]:
        env = {
            "PATH": os.defpath,
            "HOLDFAST_DATA_DIR": str(tmp_path / "data"),
            "COLUMNS": "200",
            "PYTHONPATH": str(CHECKOUT),
        }
        return subprocess.run(
            [sys.executable, "-m", "app.cli", *args],
            env=env | variables, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return run


def test_help_lists_every_command_without_importing_any(holdfast: Run) -> None:
    done = holdfast("--help")
    assert done.returncode == 0, done.stderr
    for name, area in AREAS.items():
        assert name in done.stdout
        assert area.help.split(" · ")[0] in done.stdout
    script = (
        "import sys, app.cli; print([m for m in ('sqlalchemy', 'fastapi', 'openpyxl', 'asyncpg') if m in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=CHECKOUT, check=True)
    assert loaded.stdout.strip() == "[]"


def test_the_version_is_that_of_the_package(holdfast: Run) -> None:
    assert holdfast("--version").stdout.strip() == "0.1.0"


def test_a_wrong_setting_is_one_sentence_and_never_its_value(holdfast: Run) -> None:
    done = holdfast("check", HOLDFAST_PORT="hunter2")
    assert done.returncode == 2
    assert done.stderr.count("HOLDFAST_PORT") == 2
    assert "[bad-setting]" in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_does_not_answer_is_one_sentence(holdfast: Run) -> None:
    done = holdfast("migrate", HOLDFAST_DATABASE_URL="postgresql://a:hunter2@127.0.0.1:1/x")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "[database-unreachable]"
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


def test_traceback_is_shown_when_asked_for(holdfast: Run) -> None:
    done = holdfast("--traceback", "migrate", HOLDFAST_DATABASE_URL="postgresql://a@127.0.0.1:1/x")
    assert done.returncode == 2
    assert "Traceback" in done.stderr


def test_migrate_and_check_on_embedded_stores(holdfast: Run) -> None:
    for _ in range(2):
        done = holdfast("migrate")
        assert done.returncode == 0, done.stderr
    done = holdfast("check", "--json")
    assert done.returncode == 0, done.stdout
    report = json.loads(done.stdout)
    assert report["ok"] is True
    codes = [finding["code"] for finding in report["findings"]]
    assert "schema-current" in codes
    assert "redis-answers" in codes


def test_check_looks_at_the_stores_of_a_running_server(holdfast: Run, tmp_path: Path) -> None:
    with stores(Settings(data_dir=tmp_path / "data")):
        report = json.loads(holdfast("check", "--json").stdout)
    assert {"postgres-answers", "redis-answers"} <= {finding["code"] for finding in report["findings"]}


def test_check_says_what_to_mend_and_fails(holdfast: Run) -> None:
    done = holdfast("check", HOLDFAST_DATABASE_URL="postgresql://a:hunter2@127.0.0.1:1/x", HOLDFAST_SECRET_KEY="short")
    assert done.returncode == 1
    assert "hunter2" not in done.stdout + done.stderr
    assert "short" not in done.stdout
    assert "无法连接 PostgreSQL" in done.stdout
    assert "PostgreSQL cannot be reached" in done.stdout
    assert "HOLDFAST_SECRET_KEY 短于" in done.stdout


def test_unknown_commands_and_options_are_refused(holdfast: Run) -> None:
    assert holdfast("no-such-thing").returncode == 2
    assert holdfast("check", "--no-such-option").returncode == 2


def test_what_is_not_known_is_called_unexpected() -> None:
    said = failure(RuntimeError("boom"))
    assert (said.code, said.exit_code) == ("unexpected", 70)
    assert "boom" in said.zh


def test_a_refusal_keeps_its_own_code_and_words() -> None:
    said = failure(EmbeddedError("embedded-in-use", path="/data", pid=7))
    assert said.code == "embedded-in-use"
    assert said.exit_code == 2
    assert "7" in said.zh


def test_a_file_that_refuses_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file") as refused:
        (tmp_path / "roster.xlsx").open()
    said = failure(refused.value)
    assert said.code == "file-trouble"
    assert "roster.xlsx" in said.zh


def test_every_sentence_has_both_languages() -> None:
    for code, (zh, en) in MESSAGES.items():
        assert any("\u4e00" <= letter <= "\u9fff" for letter in zh), code
        assert en.isascii(), code
