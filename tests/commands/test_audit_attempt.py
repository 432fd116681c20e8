"""holdfast audit attempt, as an office types it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path

import asyncpg
import pytest

from app.commands.attempt_words import FINDINGS, KINDS, TELL, finding
from app.domain.attempt_history import Kind
from app.domain.attempt_proof import CODES, Finding
from app.domain.chain import short
from tests.candidates import SECRET
from tests.commands import process
from tests.factories import world
from tests.sitting_story import a_move_and_two_hand_ins


@pytest.fixture
async def sat(fresh_db, fresh_url, redis_url, redis):
    made = await world(fresh_db, SECRET.encode(), candidates=2)
    await a_move_and_two_hand_ins(made, fresh_db, fresh_url, redis_url)
    return made


@pytest.fixture
def audit(fresh_url, tmp_path):
    """``await audit("EXAM-1", …) -> CompletedProcess`` on the test's database; no server runs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    environment |= {"HOLDFAST_DATABASE_URL": fresh_url, "PYTHONPATH": str(Path.cwd()), "COLUMNS": "180"}

    async def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return await asyncio.to_thread(
            process.holdfast, "audit", "attempt", *arguments, environment=environment, cwd=tmp_path
        )

    return run


async def test_a_clerk_reads_the_history_and_the_verdict(audit, sat):
    done = await audit("exam-1")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    for told in (
        "第 1 题 = B",
        "第 5 题 = 𠮷野家 👩‍🔬",
        "第 2 题 = （清空 cleared）",
        "第01考室 备1",
        "来自已换下的电脑",
    ):
        assert any(told in line for line in lines), told
    assert lines[-2].startswith("链条完整：4 环，6 次修改，链条码 ")
    assert lines[-1].startswith("The chain is whole: 4 links, 6 revisions, chain code ")
    # Nothing of a person but the ticket and the name.
    assert sat.people[0].tail not in done.stdout

    plain = json.loads((await audit("EXAM-1", "--json")).stdout)
    assert plain["whole"] is True
    assert [one["kind"] for one in plain["events"] if one["kind"] == "revision"] == ["revision"] * 6
    assert {one["at"] is None for one in plain["events"] if one["kind"] != "start"} == {False}
    assert short(plain["chain"]["head"]) in lines[-1]

    compared = await audit("EXAM-1", "--receipt", short(plain["chain"]["head"]).upper())
    assert compared.returncode == 0
    assert "The candidate's receipt is the record's, at link 4." in compared.stdout
    foreign = await audit("EXAM-2", "--receipt", plain["chain"]["head"])
    assert foreign.returncode == 1
    assert "The candidate's receipt is not on this chain" in foreign.stdout


async def test_a_falsified_record_ends_with_one(audit, sat, fresh_url):
    connection = await asyncpg.connect(fresh_url)
    try:
        await connection.execute(f"ALTER TABLE response_history_s{sat.session_id} DISABLE TRIGGER USER")
        await connection.execute(
            "UPDATE response_history SET stamp_ms = stamp_ms + 1 WHERE attempt_id = $1 AND link = 3",
            sat.people[0].attempt,
        )
    finally:
        await connection.close()
    done = await audit("EXAM-1")
    assert done.returncode == 1
    assert "链条在第 3 环断开" in done.stdout
    assert "The chain breaks at link 3" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("The record does not hold together")
    plain = await audit("EXAM-1", "--json")
    assert plain.returncode == 1
    found = json.loads(plain.stdout)["findings"]
    assert [(one["code"], one.get("link")) for one in found] == [("chain-altered", 3), ("answer-differs", 3)]
    # The other candidate's is not touched by it.
    assert (await audit("EXAM-2")).returncode == 0


async def test_refusals_are_said_in_both_languages(audit, sat):
    for arguments, code in (
        (["nobody"], "ticket-unknown"),
        (["EXAM-1", "--session", "3"], "session-unknown"),
        (["EXAM-1", "--exam", "none"], "exam-unknown"),
        (["EXAM-1", "--receipt", "ab12"], "head-unreadable"),
    ):
        done = await audit(*arguments)
        assert done.returncode == 2, done
        assert f"[{code}]" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 3


def test_every_event_and_every_finding_has_its_words():
    assert set(KINDS) == set(TELL) == set(Kind.__args__)
    assert set(FINDINGS) == set(CODES)
    everything = dict.fromkeys(
        ("link", "links", "item", "position", "epoch", "row", "leases", "receipt", "record", "now", "history"), 1
    )
    for code in CODES:
        for sentence in finding(Finding(code, everything)):
            assert "{" not in sentence
            assert sentence.endswith(("。", "."))
