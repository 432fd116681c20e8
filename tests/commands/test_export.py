"""holdfast export, with the record alone: no service runs."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import os
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.candidates import SECRET
from tests.commands import process
from tests.factories import world


@pytest.fixture
def holdfast(fresh_url, tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    environment |= {
        "HOLDFAST_DATABASE_URL": fresh_url, "HOLDFAST_SECRET_KEY": SECRET, "PYTHONPATH": str(Path.cwd()),
        "HOLDFAST_DATA_DIR": str(tmp_path / "data"), "COLUMNS": "160",
    }  # fmt: skip

    async def run(*arguments: str):
        return await asyncio.to_thread(process.holdfast, "export", *arguments, environment=environment, cwd=tmp_path)

    return run


async def test_a_list_is_written_whole_audited_and_never_over_another(holdfast, tmp_path, fresh_db):
    await world(fresh_db, SECRET.encode(), candidates=3)
    done = await holdfast("attendance", "--session", "1", "--out", "到考.csv")
    assert (done.returncode, "已导出 3 行" in done.stdout) == (0, True), done.stderr
    written = (tmp_path / "到考.csv").read_bytes()
    lines = list(csv.reader(written.decode("utf-8-sig").splitlines()))
    assert [row[1] for row in lines[1:]] == ["EXAM-1", "EXAM-2", "EXAM-3"]
    assert lines[1][5].startswith("9900****")
    async with fresh_db.connect() as conn:
        entry = (await conn.execute(text("SELECT actor, staff_id, subject FROM audit_entry"))).one()
    assert (entry.actor, entry.staff_id, entry.subject["rows"]) == ("holdfast export", None, 3)
    assert entry.subject["sha256"] == hashlib.sha256(written).hexdigest()

    again = await holdfast("attendance", "--out", "到考.csv")
    assert (again.returncode, "[export-file-exists]" in again.stderr) == (2, True)
    assert (tmp_path / "到考.csv").read_bytes() == written
    named = await holdfast("times", "--format", "json", "--whole-ids")
    assert (named.returncode, (tmp_path / "times-exam.json").exists()) == (0, True), named.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["times-exam.json", "到考.csv"]
    unknown = await holdfast("times", "--session", "7")
    assert (unknown.returncode, "[session-unknown]" in unknown.stderr) == (2, True)
