"""``holdfast rounds`` as the office uses it when the console cannot be reached, beside the running service."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from click.testing import Result
from typer.testing import CliRunner

from app.commands.rounds import app
from app.domain.errors import Refused
from app.settings import settings
from tests.candidates import SECRET, running
from tests.rounds_exam import exam_in_rounds
from tests.staff import account

WORDS = ("--number", "考务〔2026〕8 号", "--text", "台风")


@pytest.fixture
async def service(fresh_url, redis_url, redis, fresh_db, monkeypatch):
    """The service runs in this process; the command runs as any other process would, in a thread with its own loop."""
    monkeypatch.setenv("HOLDFAST_DATABASE_URL", fresh_url)
    monkeypatch.setenv("HOLDFAST_REDIS_URL", redis_url)
    monkeypatch.setenv("HOLDFAST_SECRET_KEY", SECRET)
    monkeypatch.setenv("COLUMNS", "140")
    settings.cache_clear()
    before = structlog.get_config()
    async with running(fresh_url, redis_url):
        yield
    structlog.configure(**before)
    settings.cache_clear()


async def run(*args: str, answer: str | None = None) -> Result:
    invoke: Callable[..., Result] = CliRunner().invoke
    return await asyncio.to_thread(invoke, app, list(args), input=answer)


def code(result: Result) -> str:
    assert isinstance(result.exception, Refused), result.output
    return result.exception.code


async def test_the_office_sees_what_it_does_and_is_asked_once(service, fresh_db) -> None:
    exam = await exam_in_rounds(fresh_db, SECRET.encode(), seats=9)
    by = ("--by", await account(fresh_db, "office"))
    sat = await exam.sits()

    refused = await run("swap", "1", "2", *by, *WORDS, answer="n\n")
    assert refused.exit_code == 1
    assert "第 1 场与第 2 场对调" in refused.output
    assert "Nothing was changed." in refused.output
    assert await exam.sits() == sat

    done = await run("swap", "1", "2", *by, *WORDS, answer="y\n")
    assert done.exit_code == 0, done.output
    swapped = await exam.sits()
    assert {ticket for ticket in sat if sat[ticket] != swapped[ticket]} == {
        person.ticket for people in exam.people[:2] for person in people
    }

    moved = await run("move", "2", "3", "--rooms", "第01考室", *by, *WORDS, "--yes", "--json")
    told: dict[str, Any] = json.loads(moved.output)
    assert (told["effect"]["candidates"], told["decision"]["text"]) == (4, "台风")
    ticket = exam.people[1][0].ticket
    assert (await run("defer", "1", "--tickets", ticket, *by, *WORDS, "--yes")).exit_code == 0
    assert (await run("allocate", "1", "3", "--tickets", ticket, *by, *WORDS, "--yes")).exit_code == 0
    assert (await exam.sits())[ticket][0] == exam.sessions[2]
    kinds = [row["kind"] for row in await exam.rows("SELECT kind FROM decision ORDER BY id")]
    assert kinds == ["swap", "move", "defer", "move"]


async def test_what_is_not_there_or_not_allowed_is_refused(service, fresh_db) -> None:
    await exam_in_rounds(fresh_db, SECRET.encode(), draw=False)
    office = ("--by", await account(fresh_db, "office"), *WORDS)
    invigilator = ("--by", await account(fresh_db, "invigilator"), *WORDS)
    assert code(await run("swap", "1", "7", *office)) == "session-unknown"
    assert code(await run("move", "1", "2", "--rooms", "第99考室", *office)) == "scope-unknown"
    assert code(await run("defer", "1", "--tickets", "X9", *office)) == "scope-unknown"
    assert code(await run("defer", "1", "--rooms", "第01考室", *office)) == "not-drawn"
    assert code(await run("swap", "1", "2", *invigilator)) == "not-permitted"
    assert code(await run("swap", "1", "2", "--by", "nobody", *WORDS)) == "staff-unknown"
    assert (await run("move", "1", "2", *office)).exit_code == 2
    assert (await run("swap", "1", "2", "--json", *office)).exit_code == 2
