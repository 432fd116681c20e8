"""``holdfast papers`` as the exam office uses it, on a real database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from typer.testing import CliRunner

from app.bench.draw import bench
from app.bench.hall import invent
from app.commands.papers import RULES, STAGES, app
from app.domain.errors import Refused
from app.settings import Settings, settings
from app.storage.postgres.engine import create_engine

BANK = {("机电", "single"): 30, ("水文", "single"): 20, ("水文", "text"): 10}


def on_database(url: str, work: Callable[[AsyncConnection], Any]) -> Any:
    async def run() -> Any:
        engine = create_engine(url, Settings(), name="holdfast-test", pool_size=1)
        try:
            async with engine.begin() as conn:
                return await work(conn)
        finally:
            await engine.dispose()

    return asyncio.run(run())


@pytest.fixture
def office(fresh_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """Runs ``holdfast papers …`` on a database with an exam of two sessions for twelve candidates."""
    on_database(fresh_url, lambda conn: invent(conn, code="E", rooms=[8, 4], bank=BANK, sessions=2))
    monkeypatch.setenv("HOLDFAST_DATABASE_URL", fresh_url)
    monkeypatch.setenv("COLUMNS", "120")
    settings.cache_clear()
    yield lambda *args: CliRunner().invoke(app, list(args))
    settings.cache_clear()


def refusal(result: Result) -> Refused:
    assert isinstance(result.exception, Refused), result.output
    assert result.exit_code != 0
    return result.exception


def test_from_a_blueprint_to_checked_papers(office: Callable[..., Result], fresh_url: str) -> None:
    assert refusal(office("draw")).code == "blueprint-missing"
    assert refusal(office("verify", "1")).code == "not-drawn"

    done = office("blueprint", "set", "all", "--items", "12")
    assert done.exit_code == 0, done.output
    # 12 of 60 in the bank's proportions is 6, 4 and 2; two sessions need twice that.
    shown = [line.replace("│", " ").split() for line in done.output.splitlines()]
    assert ["单选题", "机电", "6", "12", "30", "—"] in shown
    assert ["简答题", "水文", "2", "4", "10", "—"] in shown

    done = office("draw", "--seed", "s", "--columns", "4")
    assert done.exit_code == 0, done.output
    assert "12 papers of 12 items" in done.output
    assert refusal(office("draw", "--session", "2")).code == "already-drawn"
    again = office("draw", "--session", "1", "--seed", "s", "--redraw")
    assert again.exit_code == 0, again.output
    for number in ("1", "2"):
        assert office("verify", number).exit_code == 0

    found = [json.loads(line) for line in office("who-drew", "7", "--json").stdout.splitlines()]
    assert found
    assert {row["session"] for row in found} <= {1, 2}
    # In the order of sessions and seats.
    assert found == sorted(found, key=lambda row: (row["session"], row["room"], int(row["seat"])))
    table = office("who-drew", "7").output
    assert all(row["ticket"] in table for row in found)

    on_database(fresh_url, lambda conn: conn.execute(text("UPDATE paper_item SET points_milli = 5 WHERE position = 1")))
    broken = office("verify", "1")
    assert broken.exit_code == 1
    assert RULES["points"] in broken.stderr
    assert "more" in broken.stderr


def test_a_blueprint_file_goes_in_and_comes_out(office: Callable[..., Result], tmp_path: Path) -> None:
    spec = {
        "sections": [
            {"title": "客观题", "strata": [{"topic": None, "type": "single", "count": 10, "points_milli": 2500}]}
        ],
        "shuffle_options": False,
    }
    file = tmp_path / "blueprint.json"
    file.write_text(json.dumps(spec, ensure_ascii=False), encoding="utf-8")
    assert office("blueprint", "set", "2", "--file", str(file)).exit_code == 0
    assert json.loads(office("blueprint", "show", "2", "--json").stdout) == spec
    assert refusal(office("blueprint", "show", "1")).code == "blueprint-missing"
    file.write_text('{"sections": [', encoding="utf-8")
    assert refusal(office("blueprint", "set", "2", "--file", str(file))).code == "blueprint-not-json"
    file.write_text('{"sections": []}', encoding="utf-8")
    assert refusal(office("blueprint", "set", "2", "--file", str(file))).params["where"] == "sections"
    assert json.loads(office("blueprint", "show", "2", "--json").stdout) == spec


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["blueprint", "set", "1"], "blueprint-one-source"),
        (["blueprint", "set", "1", "--items", "31"], "bank-too-small"),
        (["blueprint", "set", "7", "--items", "3"], "session-unknown"),
        (["draw", "--session", "7"], "session-unknown"),
        (["draw", "--session", "first"], "session-unknown"),
        (["draw", "--exam", "none"], "exam-unknown"),
        (["who-drew", "no such"], "item-unknown"),
        (["verify", "7"], "session-unknown"),
    ],
)
def test_a_wrong_call_is_refused_in_both_languages(office: Callable[..., Result], args: list[str], code: str) -> None:
    no = refusal(office(*args))
    assert no.code == code
    assert no.text("zh") != no.text("en")


def test_a_shortage_over_both_sessions_is_shown_and_refused(office: Callable[..., Result], tmp_path: Path) -> None:
    strata = [{"topic": "水文", "type": "text", "count": 6, "points_milli": None}]
    file = tmp_path / "blueprint.json"
    file.write_text(json.dumps({"sections": [{"title": "简答题", "strata": strata}]}), encoding="utf-8")
    done = office("blueprint", "set", "all", "--file", str(file))
    assert "10 ✗" in done.output
    no = refusal(office("draw"))
    assert (no.code, no.params["shortages"][0]["needed"]) == ("bank-too-small", 12)


def test_every_stage_of_a_draw_has_its_words() -> None:
    assert list(STAGES) == ["read", "select", "place", "check", "build", "store"]


def test_the_bench_draws_on_a_database_of_its_own(fresh_url: str) -> None:
    results = bench(
        Settings(database_url=SecretStr(fresh_url)), candidates=50, items=20, sessions=2, progress=lambda *_: None
    )
    assert [(each.drawn.session, each.drawn.papers, each.drawn.items) for each in results] == [(1, 50, 20), (2, 50, 20)]
    assert all(each.total_s > 0 < each.plain_s for each in results)
    names = on_database(fresh_url, lambda conn: conn.execute(text("SELECT datname FROM pg_database")))
    assert not [name for (name,) in names if name.startswith("holdfast_bench")]
    assert on_database(fresh_url, lambda conn: conn.scalar(text("SELECT count(*) FROM exam"))) == 0
