"""``holdfast demo`` itself: one real run, a candidate who answers, a stop, a start, and nothing lost.

One story in one module-scoped place, because making a demo takes seconds; each test is a chapter that reads what the
command did.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from app.demo.accounts import ACCOUNTS
from app.demo.people import hall
from app.demo.place import MARKER
from app.demo.simulate import FILE
from app.demo.sitter import Lease, Sitter
from app.embedded.postgres import EmbeddedPostgres, binaries
from app.embedded.redis import EmbeddedRedis

READY_S = 90.0
STOP_S = 60.0
PATIENT_S = 60.0
HOLDFAST = Path(sys.executable).with_name("holdfast")
# The first test waits for the whole story.
pytestmark = pytest.mark.timeout(400)


@dataclass
class Run:
    """A demo process that has printed its line."""

    process: subprocess.Popen[str]
    line: dict[str, Any]
    took_s: float
    stderr: Path

    @property
    def pids(self) -> list[int]:
        told = self.line["pids"]
        return [*told["app"], told["postgres"], told["redis"]]

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.line["url"] + "/api/v1", trust_env=False, timeout=PATIENT_S)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """The exit code; fails when the demo or anything it started outlives it."""
        family = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        self.process.send_signal(number)
        code = self.process.wait(STOP_S)
        _, left = psutil.wait_procs(family, timeout=60)
        assert not left, left
        return code


@dataclass
class Demo:
    """A data directory and the runs on it."""

    data_dir: Path
    runs: list[Run] = field(default_factory=list)

    def start(self, *more: str) -> Run:
        stderr = self.data_dir.parent / f"stderr-{len(self.runs)}.txt"
        began = time.monotonic()
        with stderr.open("w") as out:
            process = subprocess.Popen(
                [HOLDFAST, "demo", "--json", "--port", "0", "--data-dir", self.data_dir, "--candidates", "80", *more],
                stdout=subprocess.PIPE,
                stderr=out,
                text=True,
                env={name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")},
            )
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], READY_S)
        line = process.stdout.readline() if ready else ""
        assert line, stderr.read_text()
        run = Run(process, json.loads(line), time.monotonic() - began, stderr)
        self.runs.append(run)
        return run

    def sql(self, statement: str) -> str:
        done = subprocess.run(
            [binaries() / "psql", EmbeddedPostgres(self.data_dir).url, "-XAtc", statement],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    # Short: a unix socket's path has its limit.
    path = Path(tempfile.mkdtemp(prefix="hf-demo-"))
    yield path
    # An initdb that was interrupted takes down what it has made at its own pace.
    ends = time.monotonic() + 60
    while path.exists():
        shutil.rmtree(path, ignore_errors=time.monotonic() < ends)


@pytest.fixture(scope="module")
def demo(place: Path) -> Iterator[Demo]:
    demo = Demo(place / "d")
    yield demo
    for run in demo.runs:
        if run.process.poll() is None:
            run.process.kill()
        run.process.communicate()
    for store in (EmbeddedPostgres(demo.data_dir), EmbeddedRedis(demo.data_dir)):
        store.take_over()
        store.stop()


@dataclass
class Seat:
    """A candidate at a PC."""

    client: httpx.Client
    ticket: str
    id_tail: str
    reply: dict[str, Any] = field(default_factory=dict)

    def sign_in(self) -> None:
        body = {"ticket": self.ticket, "id_tail": self.id_tail}
        if self.reply:
            body |= {"device_id": self.reply["device_id"], "lease_secret": self.reply["lease_secret"]}
        answer = self.client.post("/candidate/sign-in", json=body)
        assert answer.status_code == 200, answer.text
        self.reply = answer.json()
        self.client.headers["Authorization"] = f"Bearer {self.reply['token']}"

    def get(self, path: str) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def checkpoint(self, seq: int, *responses: dict[str, Any]) -> dict[str, Any]:
        body = {"seq": seq, "responses": list(responses), "position": 1, "marked": [], "elapsed_ms": 1000}
        answer = self.client.post("/attempt/checkpoints", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@pytest.fixture(scope="module")
def first(demo: Demo) -> Run:
    return demo.start("--simulate", "5")


@pytest.fixture(scope="module")
def story(demo: Demo, first: Run) -> dict[str, Any]:
    """A listed candidate signs in and answers three items; then the demo is stopped, and started again."""
    told = first.line["candidates"][0]
    kept: dict[str, Any] = {"told": told}
    with first.client() as client:
        seat = Seat(client, told["ticket"], told["id_tail"])
        seat.sign_in()
        kept["paper"] = seat.get("/attempt/paper")
        items = kept["paper"]["sections"][0]["items"][:3]
        at_ms = seat.reply["clock"]["service_ms"]
        kept["answers"] = {
            str(item["item"]): {"item": item["item"], "rev": 1, "value": item["options"][0]["id"], "at_ms": at_ms}
            for item in items
        }
        kept["reply"] = seat.checkpoint(seat.reply["next_seq"], *kept["answers"].values())
        kept["simulated"] = _wait_for_simulated(demo)
    # Session 2 is to begin while nobody serves.
    demo.sql("UPDATE session SET planned_start = now() + interval '2 seconds' WHERE number = 2")
    kept["term"] = int(demo.sql("SELECT max(n) FROM term"))
    kept["exit"] = first.stop()
    stopped = time.monotonic()
    time.sleep(max(0.0, 3 - (time.monotonic() - stopped)))
    second = demo.start("--simulate", "5")
    kept["second"] = second
    # Where the first run's clock stood when it had stopped: the next term begins there.
    kept["counter_ms"] = int(demo.sql(f"SELECT min(start_ms) FROM term WHERE n > {kept['term']}"))
    with second.client() as client:
        again = Seat(client, told["ticket"], told["id_tail"], seat.reply)
        again.sign_in()
        kept["after"] = again.get("/attempt")
        kept["paper_after"] = again.get("/attempt/paper")
        kept["reply_after"] = again.checkpoint(again.reply["next_seq"])
    return kept


def _wait_for_simulated(demo: Demo) -> int:
    """How many of the five hold their lease; they arrive within 15 s.

    Not how many the record knows: whoever is cut off before the reply has come is no device that goes on afterwards.
    """
    kept = demo.data_dir / FILE
    deadline = time.monotonic() + 90
    while True:
        leases = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
        count = sum(bool(lease["secret"]) for lease in leases.values())
        if count >= 5:
            return count
        assert time.monotonic() < deadline, f"only {count} simulated candidates have signed in"
        time.sleep(0.3)


# --- chapter 1: ready


def test_the_line_says_where_to_go_and_who_may_sign_in(first: Run) -> None:
    assert set(first.line) == {"url", "candidates", "staff", "pids"}
    assert len(first.line["candidates"]) >= 10
    for candidate in first.line["candidates"]:
        assert set(candidate) == {"ticket", "id_tail", "seat", "room", "session"}
        assert candidate["session"] == 1
    roles = sorted(account["role"] for account in first.line["staff"])
    assert roles == ["admin", "auditor", "chief", "inspector", "invigilator", "office", "office"]
    assert set(first.line["pids"]) == {"app", "postgres", "redis"}
    # Two API processes and the worker; all of them live.
    assert len(first.line["pids"]["app"]) == 3
    assert "uvicorn" not in first.stderr.read_text()


def test_both_pages_are_served(first: Run, story: dict[str, Any]) -> None:
    with httpx.Client(base_url=story["second"].line["url"], trust_env=False, timeout=PATIENT_S) as client:
        for path in ("/", "/console"):
            assert client.get(path).status_code == 200
        # A store that a busy machine lets wait counts as away for a moment.
        deadline = time.monotonic() + PATIENT_S
        while not (told := client.get("/readyz").json())["ready"] and time.monotonic() < deadline:
            time.sleep(0.5)
        assert told["ready"] is True, told


def test_the_listed_candidate_sat_with_the_whole_session_ahead(story: dict[str, Any]) -> None:
    clock = story["reply"]["clock"]
    assert clock["state"] == "running"
    assert 85 * 60_000 < clock["remaining_ms"] <= 90 * 60_000
    assert story["reply"]["durability"] == "durable"
    types = [section["items"][0]["type"] for section in story["paper"]["sections"]]
    assert types == ["single", "multiple", "true_false", "blank", "text"]
    assert sum(len(section["items"]) for section in story["paper"]["sections"]) == 60


def test_simulated_candidates_sit_and_are_never_the_listed_ones(demo: Demo, story: dict[str, Any]) -> None:
    assert story["simulated"] == 5
    listed = ",".join(f"'{one['ticket']}'" for one in story["second"].line["candidates"])
    signed_in = demo.sql(
        "SELECT string_agg(c.ticket, ',') FROM attempt a JOIN candidate c ON c.id = a.candidate_id"
        f" WHERE a.signed_in_ms IS NOT NULL AND c.ticket IN ({listed})"
    )
    assert signed_in == story["told"]["ticket"]


def test_the_database_knows_that_it_is_a_demo(demo: Demo, story: dict[str, Any]) -> None:
    assert demo.sql("SELECT code, is_demo FROM exam") == "DEMO|t"
    assert demo.sql("SELECT count(*) FROM staff WHERE is_demo") == str(len(ACCOUNTS))


@pytest.mark.parametrize("n", range(5))
def test_every_listed_account_signs_in(story: dict[str, Any], n: int) -> None:
    run: Run = story["second"]
    account = run.line["staff"][n]
    with run.client() as client:
        answer = client.post("/staff/sign-in", json={name: account[name] for name in ("username", "password")})
    assert answer.status_code == 200, answer.text
    staff = answer.json()["staff"]
    assert staff["role"] == account["role"]
    if account["role"] == "invigilator":
        rooms = [one["room"] for one in run.line["candidates"]]
        assert [room["name"] for room in staff["rooms"]] == [max(set(rooms), key=rooms.count)]


# --- chapter 2: stopped and started again


def test_a_stop_ends_everything_at_once_and_well(story: dict[str, Any]) -> None:
    assert story["exit"] == 0


def test_the_answers_are_there_on_the_same_paper(story: dict[str, Any]) -> None:
    assert story["paper_after"] == story["paper"]
    found = {item: response["value"] for item, response in story["after"]["responses"].items()}
    assert found == {item: response["value"] for item, response in story["answers"].items()}
    assert {response["status"] for response in story["after"]["responses"].values()} == {"durable"}


def test_nobody_lost_a_second(story: dict[str, Any]) -> None:
    before, after = story["reply"]["clock"], story["reply_after"]["clock"]
    served_ms = story["counter_ms"] - before["service_ms"]
    lost = before["remaining_ms"] - after["remaining_ms"] - served_ms
    assert -1000 <= lost <= 1000, (lost, before, after)


def test_a_session_that_missed_its_start_begins_a_fresh_countdown(demo: Demo, story: dict[str, Any]) -> None:
    held, starts_in = demo.sql(
        "SELECT held IS NOT NULL, start_ms - counter_ms FROM session, service_clock WHERE number = 2"
    ).split("|")
    assert held == "f"
    assert 9 * 60_000 < int(starts_in) <= 10 * 60_000
    ends = demo.sql(
        "SELECT count(*) FROM attempt a JOIN session s ON s.id = a.session_id"
        " WHERE a.end_ms IS DISTINCT FROM s.start_ms + a.allotted_ms AND s.number = 2"
    )
    assert ends == "0"


def test_the_simulated_go_on_with_their_own_leases(demo: Demo, story: dict[str, Any]) -> None:
    listed = ",".join(f"'{one['ticket']}'" for one in story["second"].line["candidates"])
    deadline = time.monotonic() + 90
    while True:
        # Not the newest term: on a busy machine the service may have begun another one since.
        back = int(
            demo.sql(
                "SELECT count(*) FROM attempt a JOIN candidate c ON c.id = a.candidate_id"
                f" WHERE a.contact_term > {story['term']} AND c.ticket NOT IN ({listed})"
            )
        )
        if back >= 5:
            break
        assert time.monotonic() < deadline, f"{back} are back"
        time.sleep(0.3)
    assert demo.sql("SELECT count(*) FROM lease WHERE revoked_ms IS NOT NULL") == "0"


async def test_a_simulated_candidate_in_a_hurry_answers_everything_and_hands_in(
    demo: Demo, story: dict[str, Any]
) -> None:
    person = hall(80).listed()[1]
    url = story["second"].line["url"]
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENT_S) as client:
        sitter = Sitter(client, person, Lease(), "a hurry", lambda: None, speed=5000)
        await asyncio.wait_for(sitter.run(), 90)
    assert sitter.state == "handed in"
    state, reason, responses = demo.sql(
        "SELECT a.state, a.end_reason, (SELECT count(*) FROM response r WHERE r.attempt_id = a.id) FROM attempt a"
        f" JOIN candidate c ON c.id = a.candidate_id WHERE c.ticket = '{person.ticket}'"
    ).split("|")
    assert (state, reason, int(responses)) == ("final", "hand_in", 60)


# --- chapter 3: what is refused, and the end


def test_a_second_demo_on_the_same_directory_is_refused(demo: Demo, story: dict[str, Any]) -> None:
    done = _refused(demo.data_dir, "--port", "0")
    assert "[embedded-in-use]" in done.stderr
    assert str(story["second"].process.pid) in done.stderr


def test_a_busy_port_is_one_clear_sentence_before_anything_is_made(place: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        done = _refused(place / "other", "--port", str(port))
    assert "[demo-port-busy]" in done.stderr
    assert f"--port {port + 1}" in done.stderr
    assert not (place / "other").exists()


def test_serve_refuses_to_start_with_the_demos_accounts(demo: Demo, story: dict[str, Any]) -> None:
    story["second"].stop()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    done = subprocess.run(
        [HOLDFAST, "serve", "--port", "0", "--data-dir", demo.data_dir],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )
    assert done.returncode not in (0, 70)
    assert "[demo-accounts]" in done.stderr


def test_ctrl_c_while_it_is_being_made_leaves_nothing_running(demo: Demo, story: dict[str, Any]) -> None:
    process = subprocess.Popen(
        [HOLDFAST, "demo", "--fresh", "--port", "0", "--data-dir", demo.data_dir],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 90
    while not psutil.Process(process.pid).children():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    family = psutil.Process(process.pid).children(recursive=True)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=STOP_S)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    _, left = psutil.wait_procs(family, timeout=60)
    assert not left
    assert json.loads((demo.data_dir / MARKER).read_text())["ready"] is False


def _refused(data_dir: Path, *options: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [HOLDFAST, "demo", "--data-dir", data_dir, *options],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode not in (0, 70)
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done
