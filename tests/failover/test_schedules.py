"""A seed is a schedule, and a results file is a run that can go on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time

import pytest

from failover import run, wall_clock
from failover.schedules import FEWEST, LOAD_S, plan


def test_a_seed_gives_the_same_faults_again():
    assert plan(7, candidates=16) == plan(7, candidates=16)
    assert plan(7, candidates=16) != plan(8, candidates=16)


def test_every_schedule_has_load_faults_and_takeovers():
    kinds = set()
    for seed in range(300):
        faults = plan(seed, candidates=16)
        assert len([one for one in faults if one.kind != "takeovers"]) + 1 >= FEWEST
        assert any(one.kind == "takeovers" for one in faults)
        assert all(0 < one.at_s < LOAD_S for one in faults)
        kinds |= {(one.kind, one.target) for one in faults}
    assert {kind for kind, _ in kinds} == {
        "kill", "freeze", "reset", "refuse", "drop", "stall", "delay", "clock", "takeovers"
    }  # fmt: skip
    assert {target for kind, target in kinds if kind == "kill"} == {
        "api", "worker", "server", "postgres", "backend", "redis", "everything"
    }  # fmt: skip


def test_two_writers_append_whole_lines(tmp_path):
    file = tmp_path / "results.jsonl"

    def lane(first):
        for seed in range(first, first + 200):
            run.append(file, {"seed": seed, "filler": "x" * 500})

    lanes = [threading.Thread(target=lane, args=(first,)) for first in (0, 1000)]
    for one in lanes:
        one.start()
    for one in lanes:
        one.join()
    assert sorted(one["seed"] for one in run.recorded(file)) == [*range(200), *range(1000, 1200)]


def test_a_line_that_a_power_cut_tore_is_not_counted(tmp_path):
    file = tmp_path / "results.jsonl"
    file.write_text(json.dumps({"seed": 1}) + "\n" + '{"seed": 2, "ok"', encoding="utf-8")
    assert run.recorded(file) == [{"seed": 1}]
    run.append(file, {"seed": 3})
    assert [one["seed"] for one in run.recorded(file)] == [1, 3]


@pytest.mark.skipif(wall_clock.library() is None, reason="libfaketime has no library for this machine")
def test_the_wall_clock_of_one_process_moves_and_its_monotonic_clock_does_not(tmp_path):
    clock = wall_clock.WallClock(tmp_path / "clock")
    clock.set(-3600)
    told = subprocess.run(
        [sys.executable, "-c", "import time; print(time.time(), time.monotonic())"],
        env={**os.environ, **clock.environment}, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip

    wall, mono = map(float, told.stdout.split())
    assert 3500 < time.time() - wall < 3700
    assert abs(time.monotonic() - mono) < 100
