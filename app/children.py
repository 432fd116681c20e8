"""One place among a server's processes (an API process, the worker): kept filled, and refilled without a gap.

A place never waits: its owner calls ``watch`` again and again and it does what is due.

* What dies is started again after a pause. The pause doubles while it dies young, and the log gets loud.
* ``replace`` starts a successor beside the process that serves. Only when it says that it can answer is the old one
  asked to go. A successor that dies, or cannot answer in time, is ended, and the old one stays.
* What was asked to go and does not is killed after ``patience_s``.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)
PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
# A process that lived this long did not die of its start.
STEADY_S = 15.0
LOUD_AFTER = 3
# A successor's time to be ready: long enough for a machine under full load.
READY_S = 60.0
CAN_ANSWER = b"+"

# Starts a process that writes one byte to the descriptor it is given when it serves.
Spawn = Callable[[int], "subprocess.Popen[bytes]"]


@dataclass(slots=True)
class Child:
    process: subprocess.Popen[bytes]
    began: float
    # The end that ``said`` is read from; -1 once it has spoken or is gone.
    ear: int
    said: bytes | None = None

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def listen(self) -> bytes | None:
        """What it has said of itself: None yet, one byte, or b"" when it went without a word."""
        if self.ear >= 0:
            with contextlib.suppress(BlockingIOError):
                self.said = os.read(self.ear, 1)
                self.forget()
        return self.said

    def forget(self) -> None:
        if self.ear >= 0:
            os.close(self.ear)
            self.ear = -1


class Place:
    """``role`` names it in the log; ``patience_s`` is how long one that was asked to go may take."""

    def __init__(
        self, role: str, spawn: Spawn, patience_s: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.role = role
        self._spawn = spawn
        self._patience_s = patience_s
        self._now = monotonic
        self._current: Child | None = None
        self._successor: Child | None = None
        self._going: list[tuple[Child, float]] = []
        self._young_deaths = 0
        self._not_before = 0.0
        # Why the last replacement was given up; None while there is nothing to say.
        self.refused: str | None = None

    @property
    def pid(self) -> int | None:
        """The process that serves."""
        return self._current.process.pid if self._current is not None else None

    @property
    def replacing(self) -> bool:
        return self._successor is not None or bool(self._going)

    def start(self) -> None:
        self._current = self._begin()

    def _begin(self) -> Child:
        ear, mouth = os.pipe()
        os.set_blocking(ear, False)
        try:
            return Child(self._spawn(mouth), self._now(), ear)
        except BaseException:
            os.close(ear)
            raise
        finally:
            os.close(mouth)

    def replace(self) -> None:
        """Begin to put a successor in; ``replacing`` ends when that is done or ``refused`` says why not."""
        self.refused = None
        try:
            self._successor = self._begin()
        except OSError as fault:
            self.refused = f"the new process cannot be started: {fault}"

    def watch(self) -> None:
        """Do what is due now."""
        self._see_off()
        if self._successor is not None:
            self._succeed(self._successor)
        if self._current is None:
            if self._now() >= self._not_before:
                self.start()
        elif not self._current.alive:
            self._died(self._current)

    def _died(self, dead: Child) -> None:
        dead.forget()
        if self._successor is not None:
            # It came for the place and takes it now, ready or not.
            self._current, self._successor = self._successor, None
            return
        young = self._now() - dead.began < STEADY_S
        self._young_deaths = self._young_deaths + 1 if young else 1
        pause = min(LONGEST_PAUSE_S, PAUSE_S * 2 ** (self._young_deaths - 1))
        tell = log.critical if self._young_deaths >= LOUD_AFTER else log.warning
        tell(
            "process died", role=self.role, pid=dead.process.pid, status=dead.process.returncode,
            in_a_row=self._young_deaths, again_in_s=pause,
        )  # fmt: skip
        self._current = None
        self._not_before = self._now() + pause

    def _succeed(self, successor: Child) -> None:
        said = successor.listen()
        if said == CAN_ANSWER:
            old, self._current, self._successor = self._current, successor, None
            if old is not None:
                self._send_off(old)
            return
        if said is not None or not successor.alive:
            self.refused = "the new process died" if not said else "the new process cannot answer"
        elif self._now() - successor.began > READY_S:
            self.refused = f"the new process was not ready within {READY_S:g} s"
        else:
            return
        self._successor = None
        self._send_off(successor)

    def _send_off(self, child: Child, patience_s: float | None = None) -> None:
        child.forget()
        if child.alive:
            child.process.terminate()
            self._going.append((child, self._now() + (self._patience_s if patience_s is None else patience_s)))

    def _see_off(self) -> None:
        still = []
        for child, until in self._going:
            if not child.alive:
                continue
            if self._now() > until:
                log.error("process killed: it did not go", role=self.role, pid=child.process.pid)
                child.process.kill()
            still.append((child, until))
        self._going = still

    def leave(self, patience_s: float | None = None) -> None:
        """Ask everything here to go; ``empty``, asked again and again, says when it has."""
        for child in (self._current, self._successor):
            if child is not None:
                self._send_off(child, patience_s)
        self._current = self._successor = None

    def empty(self) -> bool:
        self._see_off()
        return not self._going
