"""The page of results says what the results file says."""

from __future__ import annotations

import pytest

from failover import report
from failover.run import recorded

GOOD = {
    "seed": 1, "ok": True, "load_s": 15.0, "faults": ["kill:redis@1.0", "clock:server:-30@2.0+1.5", "takeovers:4@3.0"],
    "unsettled": [], "acks": {"durable": 10, "503": 2}, "lost": 0, "doubled": 0, "stale_applied": 0, "violations": [],
}  # fmt: skip


def test_the_results_of_the_page_are_those_of_the_file():
    page = report.PAGE.read_text(encoding="utf-8")
    results = recorded(report.RESULTS)
    if results:
        assert report.written(page, results) == page, "docs/reliability.md is out of date: python -m failover.report"


def test_schedules_faults_and_acknowledgements_are_counted():
    said = report.section([GOOD, GOOD])
    assert "2 schedules, 0 failed; 6 faults" in said
    assert "`durable=20 503=4`" in said
    assert "| `kill -9` |  |  |  |  |  | 2 |  |" in said
    assert "| wall clock jumps |  |  | 2 |  |  |  |  |" in said
    assert "Storms of takeovers: 2." in said


def test_a_failure_is_named_with_its_seed():
    said = report.section([GOOD | {"ok": False, "seed": 77, "lost": 1, "violations": ["lost: item 1"]}])
    assert "1 failed" in said
    assert "| 77 | kill:redis@1.0" in said
    assert "lost: item 1" in said


def test_writing_twice_changes_nothing():
    page = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"
    once = report.written(page, [GOOD])
    assert once.startswith("before\n")
    assert once.endswith("\nafter\n")
    assert report.written(once, [GOOD]) == once
    with pytest.raises(ValueError, match="no place"):
        report.written("nothing", [GOOD])
