"""A place among the server's processes, with real processes and a clock in the test's hand."""

from __future__ import annotations

import subprocess
import time

import pytest

from app.children import LONGEST_PAUSE_S, LOUD_AFTER, PAUSE_S, READY_S, Place


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Spawner:
    """Starts what ``script`` says now; ``$READY`` in it is the descriptor to say something to."""

    def __init__(self, script: str) -> None:
        self.script = script
        self.made: list[subprocess.Popen[bytes]] = []

    def __call__(self, ready: int) -> subprocess.Popen[bytes]:
        line = self.script.replace("$READY", str(ready))
        self.made.append(subprocess.Popen(["sh", "-c", line], pass_fds=(ready,)))
        return self.made[-1]


@pytest.fixture
def spawner():
    made = Spawner("exec sleep 300")
    yield made
    for one in made.made:
        one.kill()
        one.wait()


def watch_until(place: Place, condition, what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        place.watch()
        time.sleep(0.01)


def test_what_dies_young_is_started_ever_more_seldom_and_loudly(clock, spawner, capsys):
    spawner.script = "exit 3"
    place = Place("api", spawner, 5, clock)
    place.start()
    pauses = []
    for n in range(1, 10):
        watch_until(place, lambda: place.pid is None, "noticed")
        before = clock.at
        while len(spawner.made) == n:
            clock.at += 0.25
            place.watch()
        pauses.append(clock.at - before)
    assert pauses[:4] == [PAUSE_S, 2 * PAUSE_S, 4 * PAUSE_S, 8 * PAUSE_S]
    assert pauses[-1] == LONGEST_PAUSE_S
    lines = [line for line in capsys.readouterr().out.splitlines() if "process died" in line]
    assert [("critical" in line) for line in lines] == [n >= LOUD_AFTER for n in range(1, len(lines) + 1)]


def test_one_that_lived_is_back_at_once(clock, spawner):
    place = Place("api", spawner, 5, clock)
    place.start()
    clock.at += 3600
    spawner.made[0].kill()
    watch_until(place, lambda: place.pid is None, "noticed")
    clock.at += PAUSE_S
    place.watch()
    assert place.pid == spawner.made[1].pid


def test_the_old_one_goes_only_when_the_new_one_can_answer(clock, spawner, tmp_path):
    place = Place("api", spawner, 5, clock)
    place.start()
    gate = tmp_path / "gate"
    spawner.script = f"while [ ! -e {gate} ]; do sleep 0.05; done; printf + >/dev/fd/$READY; exec sleep 300"
    place.replace()
    for _ in range(5):
        place.watch()
        assert place.pid == spawner.made[0].pid
        assert place.replacing
    gate.touch()
    watch_until(place, lambda: not place.replacing, "replaced")
    assert place.pid == spawner.made[1].pid
    assert spawner.made[0].returncode is not None
    assert place.refused is None


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exit 1", "died"),
        ("printf - >/dev/fd/$READY; exec sleep 300", "cannot answer"),
        ("exec sleep 300", "not ready"),
    ],
)
def test_a_successor_that_is_no_good_leaves_the_old_one(clock, spawner, script, why):
    place = Place("api", spawner, 5, clock)
    place.start()
    spawner.script = script
    place.replace()
    if why == "not ready":
        place.watch()
        clock.at += READY_S + 1
    watch_until(place, lambda: not place.replacing, "given up")
    assert why in place.refused
    assert place.pid == spawner.made[0].pid
    assert spawner.made[0].poll() is None
    assert spawner.made[1].wait(60) is not None


def test_a_successor_takes_the_place_of_one_that_dies_meanwhile(clock, spawner):
    place = Place("api", spawner, 5, clock)
    place.start()
    place.replace()
    spawner.made[0].kill()
    watch_until(place, lambda: place.pid == spawner.made[1].pid, "succeeded")
    assert not place.replacing


def test_what_does_not_go_is_killed(clock, spawner):
    spawner.script = "trap '' TERM; printf + >/dev/fd/$READY; while :; do sleep 0.05; done"
    place = Place("worker", spawner, 5, clock)
    place.start()
    # A trap is set a moment after the start: what it says of itself is the sign.
    deadline = time.monotonic() + 60
    while place._current.listen() != b"+":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    place.leave()
    assert not place.empty()
    clock.at += 6
    watch_until(place, place.empty, "killed")
    assert spawner.made[0].returncode == -9


def test_a_successor_that_cannot_even_be_started_leaves_the_old_one_and_is_told(clock, spawner):
    """No memory, no descriptors: it must not look as if the place had been refilled."""
    starts = [spawner]

    def spawn(ready: int):
        if not starts:
            raise OSError(12, "Cannot allocate memory")
        return starts.pop()(ready)

    place = Place("api", spawn, 5, clock)
    place.start()
    pid = place.pid
    place.replace()
    assert not place.replacing
    assert place.refused is not None
    assert "Cannot allocate memory" in place.refused
    assert place.pid == pid
