"""One schedule, end to end: the real server, real faults, and the checker's word on it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from failover import run

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


async def test_one_random_schedule_holds(tmp_path):
    results = tmp_path / "results.jsonl"
    # Unix sockets lie below it: pytest's own directories are too long.
    with tempfile.TemporaryDirectory(prefix="hf-") as place:
        done = await run.run(Path(place), seed=3, schedules=1, minutes=None, results=results)
    assert [one.line for one in done if not one.ok] == []
    acks = done[0].verdict.acks
    assert acks["durable"] > 0
    assert acks["stranded"] + acks["superseded"] > 0
    written = run.recorded(results)
    assert [(one["seed"], one["ok"], one["lost"]) for one in written] == [(3, True, 0)]
