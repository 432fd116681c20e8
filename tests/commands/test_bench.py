"""``holdfast bench``: that every row comes out and nothing fails. How fast says nothing here."""

from __future__ import annotations

import math

import pytest
from typer.testing import CliRunner

from app.bench import export, push, watch
from app.bench.checkpoint import CONDITIONS, run
from app.commands.bench import app
from app.settings import Settings


@pytest.mark.timeout(600)
def test_every_level_is_measured_with_both_stores_and_with_either_one_gone():
    said: list[str] = []
    levels = run(Settings(), levels=[1, 3], pairs=1, seconds=0.3, say=said.append)
    assert [(one.stores, one.connections) for one in levels] == [(c, n) for c in CONDITIONS for n in (1, 3)]
    assert [one.failures for one in levels] == [0] * 6
    assert len(said) == 6
    for one in levels:
        assert one.written > 0
        assert one.empty > 0
        assert one.bare > 0
        assert (one.alone is not None) is (one.stores == "both")
        assert math.isfinite(one.cpu_ratio)
    # A store that is gone costs no time of its own, one that is there does.
    spent = {one.stores: one.cpu for one in levels}
    assert spent["both"]["postgres"] > 0
    assert spent["redis-away"]["redis"] == 0
    assert spent["postgres-away"]["postgres"] == 0


def test_only_stores_of_its_own_are_stopped(tmp_path):
    outside = Settings(data_dir=tmp_path, database_url="postgresql://127.0.0.1:1/none")
    with pytest.raises(ValueError, match="HOLDFAST_DATABASE_URL"):
        run(outside, levels=[1], pairs=1, seconds=0.2, say=print)


def test_a_condition_that_there_is_not_is_named():
    result = CliRunner().invoke(app, ["checkpoint", "--stores", "both,none"])
    assert result.exit_code == 2
    assert "redis-away, postgres-away" in result.output


@pytest.mark.timeout(600)
def test_a_pause_is_timed_from_its_commit_to_the_last_stream_beside_a_bare_fan_out(capfd):
    said: list[str] = []
    measured = push.run(Settings(), count=30, rounds=2, say=said.append)
    assert (measured.streams, len(measured.rounds), measured.lost) == (30, 2, 0)
    assert len(said) == 4
    for one in measured.rounds:
        assert 0 < one.first <= one.middle <= one.last
        assert one.decided > 0
        assert one.bare > 0
    assert measured.median("last") <= measured.worst
    assert math.isfinite(measured.ratio)
    # Each of its streams ends, and none of them says so.
    assert "/api/v1/attempt/events" not in capfd.readouterr().err


def test_what_a_server_said_is_shown_when_the_bench_fails(tmp_path, capfd):
    def fails() -> None:
        with push.kept_quiet(tmp_path / "server.log") as output:
            output.write(b'{"path": "/api/v1/attempt/events", "event": "request"}\n{"event": "bug"}\nTraceback\n')
            output.flush()
            raise TimeoutError

    with pytest.raises(TimeoutError):
        fails()
    assert capfd.readouterr().err == '{"event": "bug"}\nTraceback\n'


def test_the_commit_of_a_pause_can_only_be_read_from_stores_of_its_own():
    outside = Settings(database_url="postgresql://127.0.0.1:1/none")
    with pytest.raises(ValueError, match="HOLDFAST_DATABASE_URL"):
        push.run(outside, count=1, rounds=1, say=print)


def test_the_staffs_pages_are_one_and_a_half_per_room_and_the_offices():
    wanted = watch.paths([*range(1, 48)], 9, 81)
    in_rooms = [path for path in wanted if "/rooms/" in path]
    assert (len(wanted), len(in_rooms), len(set(in_rooms))) == (81, 71, 47)
    assert set(wanted) - set(in_rooms) == {"/api/v1/staff/hall/events?session=9"}
    outside = Settings(database_url="postgresql://127.0.0.1:1/none")
    with pytest.raises(ValueError, match="HOLDFAST_DATABASE_URL"):
        watch.run(outside, candidates=1, pages=1, rounds=1, seconds=1, say=print)


async def test_every_list_of_a_session_is_measured_beside_a_copy_of_its_rows(fresh_url, fresh_db):
    said: list[str] = []
    measured = await export.run(Settings(), fresh_db, fresh_url, candidates=3, items=10, say=said.append)
    assert [(one.kind, one.form) for one in measured] == list(export.MEASURED)
    assert [one.rows for one in measured] == [3, 3, 30, 30, 30]
    for one in measured:
        assert one.size > 0
        assert math.isfinite(one.ratio)
