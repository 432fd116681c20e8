"""holdfast import and holdfast session as an exam office runs them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from app.importers.roster import read_roster
from tests.commands import process
from tests.importers import workbooks

Run = Callable[..., subprocess.CompletedProcess[str]]
CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def holdfast(tmp_path: Path) -> Run:
    """Runs ``holdfast`` in a directory of the test's own; ``database`` puts it on a database."""

    def run(*args: str, database: str | None = None) -> subprocess.CompletedProcess[str]:
        env = {
            "PATH": os.defpath,
            "HOLDFAST_DATA_DIR": str(tmp_path / "data"),
            "COLUMNS": "160",
            "PYTHONPATH": str(CHECKOUT),
            # What must not be touched would fail at once.
            "HOLDFAST_DATABASE_URL": database or "postgresql://nobody@127.0.0.1:1/nothing",
        }
        return process.holdfast(*args, environment=env, cwd=tmp_path)

    return run


def test_a_dry_run_needs_no_database(holdfast: Run, tmp_path: Path) -> None:
    workbooks.roster(tmp_path / "r.xlsx")
    workbooks.bank(tmp_path / "b.xlsx")
    for kind, file in (("roster", "r.xlsx"), ("bank", "b.xlsx")):
        done = holdfast("import", kind, file, "--dry-run")
        assert done.returncode == 0, done.stderr
        assert "没有错误" in done.stdout
        assert "no faults" in done.stdout
    assert not (tmp_path / "data").exists()


def test_a_faulty_file_is_refused_with_its_whole_report(holdfast: Run, tmp_path: Path) -> None:
    rows = workbooks.people()
    rows[0][8], rows[1][2], rows[2][9] = 99, None, "7"
    workbooks.roster(tmp_path / "r.xlsx", rows)
    for args in ((), ("--dry-run",), ("--apply-changes",)):
        done = holdfast("import", "roster", "r.xlsx", *args)
        assert done.returncode == 1
        for code in ("seat-beyond-room", "missing-value", "unknown-session"):
            assert f"[{code}]" in done.stdout
        assert "[import-faults]" in done.stderr
        assert "3 处错误" in done.stderr
        assert "Traceback" not in done.stderr
    told = json.loads(holdfast("import", "roster", "r.xlsx", "--json").stdout)
    assert [fault["cell"] for fault in told["faults"]] == ["I3", "C4", "J5"]


def test_what_cannot_be_read_is_one_sentence(holdfast: Run, tmp_path: Path) -> None:
    (tmp_path / "r.xlsx").write_bytes(b"%PDF-1.4")
    done = holdfast("import", "roster", "r.xlsx")
    assert done.returncode == 2
    assert done.stderr.splitlines()[2] == "[not-a-workbook]"
    assert "PDF" in done.stderr
    told = json.loads(holdfast("import", "bank", "none.csv", "--json").stdout)
    assert told["error"]["code"] == "file-missing"


def test_templates_are_written_and_not_overwritten(holdfast: Run, tmp_path: Path) -> None:
    assert holdfast("import", "template", "roster").returncode == 0
    assert read_roster(tmp_path / "roster-template.xlsx")[1].fault_count == 3
    done = holdfast("import", "template", "roster")
    assert done.returncode == 2
    assert "[file-exists]" in done.stderr
    assert holdfast("import", "template", "roster", "--force").returncode == 0
    assert holdfast("import", "template", "bank", "题库.xlsx").returncode == 0
    assert (tmp_path / "题库.xlsx").is_file()


def test_from_the_first_import_to_a_rescheduled_day(holdfast: Run, tmp_path: Path, fresh_url: str) -> None:
    workbooks.roster(tmp_path / "r.xlsx")
    workbooks.bank(tmp_path / "b.xlsx")
    shown = holdfast("import", "roster", "r.xlsx", "--diff", database=fresh_url)
    assert (shown.returncode, "将导入" in shown.stdout) == (0, True)
    for word in ("已导入", "完全一致"):
        for kind, file in (("roster", "r.xlsx"), ("bank", "b.xlsx")):
            done = holdfast("import", kind, file, database=fresh_url)
            assert done.returncode == 0, done.stderr
            assert word in done.stdout
    rows = workbooks.people()
    rows[0][6] = "另一局"
    workbooks.roster(tmp_path / "r2.xlsx", rows)
    done = holdfast("import", "roster", "r2.xlsx", database=fresh_url)
    assert done.returncode == 1
    assert "工作单位：某局 → 另一局" in done.stdout
    assert "[import-differs]" in done.stderr
    told = json.loads(holdfast("import", "roster", "r2.xlsx", "--apply-changes", "--json", database=fresh_url).stdout)
    assert (told["outcome"]["state"], told["outcome"]["summary"]) == ("changed", {"change candidate": 1})
    done = holdfast("session", "reschedule", "--date", "2030-01-02", database=fresh_url)
    assert done.returncode == 0, done.stderr
    listed = json.loads(holdfast("session", "list", "--json", database=fresh_url).stdout)
    assert [each["start"] for each in listed] == ["2030-01-02T08:30:00+08:00", "2030-01-02T10:30:00+08:00"]
    assert "2030-01-02 08:30–10:00" in holdfast("session", "list", database=fresh_url).stdout
    done = holdfast("session", "open-day", database=fresh_url)
    assert done.returncode == 2
    assert "[clock-standing]" in done.stderr


def test_the_progress_bar_keeps_out_of_pipes(holdfast: Run, tmp_path: Path) -> None:
    workbooks.roster(tmp_path / "r.xlsx")
    assert holdfast("import", "roster", "r.xlsx", "--dry-run").stderr == ""


def test_every_planted_fault_of_real_input_is_in_the_report(holdfast: Run, shared_data: Path, fresh_url: str) -> None:
    done = holdfast("import", "roster", str(shared_data / "roster-with-errors.xlsx"), "--json", database=fresh_url)
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert len(told["faults"]) == 12
    listed = holdfast("session", "list", database=fresh_url)
    assert "[exam-none]" in listed.stderr
