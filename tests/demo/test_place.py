"""What the demo may wipe: its own directory and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.demo.place import LOCK, MARKER, Place
from app.demo.refusals import DemoRefused
from app.embedded.errors import EmbeddedError


def begin(directory: Path, *, fresh: bool = False, candidates: int = 80) -> tuple[bool, int]:
    place = Place(directory)
    with place.hold():
        return place.begin(fresh=fresh, candidates=candidates)


def finish(directory: Path, candidates: int = 80) -> None:
    place = Place(directory)
    with place.hold():
        place.begin(fresh=False, candidates=candidates)
        place.mark(candidates=candidates, ready=True)


def test_a_new_directory_is_made_and_marked(tmp_path: Path) -> None:
    assert begin(tmp_path / "a" / "b") == (True, 80)
    assert (tmp_path / "a" / "b" / MARKER).exists()


def test_a_finished_demo_is_continued_with_its_own_size(tmp_path: Path) -> None:
    finish(tmp_path, candidates=120)
    (tmp_path / "postgres").mkdir()
    assert begin(tmp_path, candidates=80) == (False, 120)
    assert (tmp_path / "postgres").exists()


def test_a_demo_that_was_never_finished_is_made_anew(tmp_path: Path) -> None:
    begin(tmp_path)
    (tmp_path / "postgres").mkdir()
    assert begin(tmp_path) == (True, 80)
    assert not (tmp_path / "postgres").exists()


def test_fresh_wipes_what_the_demo_made_and_leaves_the_rest(tmp_path: Path) -> None:
    finish(tmp_path)
    for name in ("postgres", "redis", "logs"):
        (tmp_path / name).mkdir()
    (tmp_path / "secret_key").write_text("x")
    (tmp_path / "notes.txt").write_text("mine")
    assert begin(tmp_path, fresh=True, candidates=100) == (True, 100)
    assert {entry.name for entry in tmp_path.iterdir()} - {"postgres.lock", "redis.lock"} == {LOCK, MARKER, "notes.txt"}


@pytest.mark.parametrize("fresh", [False, True])
def test_a_directory_of_somebody_else_is_refused_untouched(tmp_path: Path, *, fresh: bool) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("18")
    with pytest.raises(DemoRefused) as refusal:
        begin(tmp_path, fresh=fresh)
    assert refusal.value.code == "demo-dir-foreign"
    assert str(tmp_path) in refusal.value.text("zh")
    assert [entry.name for entry in tmp_path.iterdir()] == ["postgres"]


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DemoRefused) as refusal:
        begin(tmp_path / "file")
    assert refusal.value.code == "demo-dir-unusable"


def test_a_directory_is_one_demos_at_a_time(tmp_path: Path) -> None:
    with Place(tmp_path).hold(), pytest.raises(EmbeddedError) as refusal, Place(tmp_path).hold():
        pass
    assert refusal.value.code == "embedded-in-use"


@pytest.mark.parametrize("content", [{"form": 99, "candidates": 80, "ready": True}, {"what": 1}])
def test_another_versions_demo_is_kept_until_fresh_is_asked_for(tmp_path: Path, content: dict[str, object]) -> None:
    (tmp_path / MARKER).write_text(json.dumps(content))
    with pytest.raises(DemoRefused) as refusal:
        begin(tmp_path)
    assert refusal.value.code == "demo-dir-old"
    assert json.loads((tmp_path / MARKER).read_text()) == content
    assert begin(tmp_path, fresh=True) == (True, 80)
