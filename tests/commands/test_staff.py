"""holdfast staff and holdfast audit, as an office types them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.commands import process

PASSWORD = "办公室用密码-1234"


@pytest.fixture
def holdfast(fresh_url, tmp_path):
    """Run the command on a database of the test's own: ``holdfast("staff", "list") -> CompletedProcess``."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    environment |= {"HOLDFAST_DATABASE_URL": fresh_url, "PYTHONPATH": str(Path.cwd()), "COLUMNS": "160"}

    def run(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return process.holdfast(*arguments, environment=environment, cwd=tmp_path, typed=typed)

    return run


def test_an_account_from_the_first_day_to_the_last(holdfast):
    done = holdfast("staff", "add", "zhang", "--role", "office", "--name", "张三", "--password-stdin", typed=PASSWORD)
    assert (done.returncode, done.stderr) == (0, "")
    assert "has to be changed at the first sign-in" in done.stdout
    assert "zhang" in holdfast("staff", "list").stdout
    assert "disabled" not in holdfast("staff", "list").stdout
    assert holdfast("staff", "password", "zhang", "--password-stdin", typed=PASSWORD + "5\n").returncode == 0
    assert holdfast("staff", "revoke", "zhang").returncode == 0
    assert holdfast("staff", "disable", "zhang").returncode == 0
    assert "disabled" in holdfast("staff", "list").stdout
    assert holdfast("staff", "enable", "zhang").returncode == 0
    log = holdfast("audit", "list").stdout
    actions = [line.partition('"action": "')[2].partition('"')[0] for line in log.splitlines()]
    assert actions == ["staff.add", "staff.password", "staff.revoke", "staff.disable", "staff.enable"]
    assert PASSWORD not in log
    assert holdfast("audit", "verify").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "typed", "code"),
    [
        (["add", "li", "--role", "office", "--name", "李"], "short\n", "staff-weak-password"),
        (["add", " li", "--role", "office", "--name", "李"], PASSWORD, "staff-bad-name"),
        (["add", "li", "--role", "invigilator", "--name", "李", "--rooms", "无此考室"], PASSWORD, "room-unknown"),
        (["password", "nobody"], PASSWORD, "staff-unknown"),
    ],
)
def test_what_cannot_be_done_is_said_in_both_languages(holdfast, arguments, typed, code):
    done = holdfast("staff", *arguments, "--password-stdin", typed=typed)
    assert done.returncode == 2
    assert f"[{code}]" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 3


def test_an_existing_username_is_not_taken_over(holdfast):
    add = ["staff", "add", "zhang", "--role", "office", "--name", "张三", "--password-stdin"]
    assert holdfast(*add, typed=PASSWORD).returncode == 0
    done = holdfast(*add, typed=PASSWORD)
    assert (done.returncode, "[staff-exists]" in done.stderr) == (2, True)


def test_an_invigilator_without_rooms_is_pointed_out(holdfast):
    done = holdfast("staff", "add", "li", "--role", "invigilator", "--name", "李", "--password-stdin", typed=PASSWORD)
    assert done.returncode == 0
    assert "no room" in done.stderr


def test_a_broken_log_is_named_and_fails_the_command(holdfast, fresh_url):
    holdfast("staff", "add", "zhang", "--role", "office", "--name", "张三", "--password-stdin", typed=PASSWORD)
    _behind_the_back(fresh_url, "UPDATE audit_entry SET actor = 'nobody' WHERE n = 1")
    done = holdfast("audit", "verify")
    assert done.returncode == 1
    assert "entry 1" in done.stderr


def _behind_the_back(url: str, statement: str) -> None:
    import asyncio

    import asyncpg

    from app.storage.postgres.engine import asyncpg_arguments

    async def change() -> None:
        connection = await asyncpg.connect(**asyncpg_arguments(url))
        await connection.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        await connection.execute(statement)
        await connection.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")
        await connection.close()

    asyncio.run(change())
