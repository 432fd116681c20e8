"""The life of an attempt (I9): scheduled → waiting → running → ended → final, and what the office may do to it.

Only what the clock cannot tell is stored (`open`, `ended`, `final`); the rest is derived, so that 1,880 attempts
start in the same second without one row being written.
"""

from __future__ import annotations

from typing import Literal

State = Literal["scheduled", "waiting", "running", "paused", "ended", "final"]
Stored = Literal["open", "ended", "final"]
Event = Literal[
    "sign_in", "start", "pause", "resume", "hand_in", "time_out", "force_end", "defer", "finalise", "reopen"
]

# The diagram in docs/lifecycle.md is generated from this table.
TRANSITIONS: dict[tuple[State, Event], State] = {
    ("scheduled", "sign_in"): "waiting",
    ("scheduled", "start"): "running",
    ("scheduled", "time_out"): "ended",
    ("scheduled", "force_end"): "ended",
    ("waiting", "start"): "running",
    ("waiting", "force_end"): "ended",
    ("running", "hand_in"): "ended",
    ("running", "time_out"): "ended",
    ("running", "force_end"): "ended",
    ("running", "pause"): "paused",
    ("paused", "resume"): "running",
    ("paused", "force_end"): "ended",
    ("scheduled", "defer"): "ended",
    ("waiting", "defer"): "ended",
    ("running", "defer"): "ended",
    ("paused", "defer"): "ended",
    ("ended", "finalise"): "final",
    ("ended", "reopen"): "running",
    ("final", "reopen"): "running",
}


class NotAllowed(ValueError):  # noqa: N818 -- names the fault
    """The event does not apply in this state."""


def after(state: State, event: Event) -> State:
    """The state after ``event``; NotAllowed when the table has no such step."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise NotAllowed(f"{event} does not apply to an attempt that is {state}") from None


def derive(
    stored: Stored,
    *,
    signed_in: bool,
    start_ms: int | None,
    end_ms: int | None,
    now_ms: int,
    paused: bool = False,
) -> State:
    """The attempt's state at ``now_ms`` (service time); ``start_ms`` is its own start.

    Past its end an attempt is `ended` for everyone who asks, whether or not the sweeper has come by. A pause that began
    before the start shows from the start on: until then there is nothing to stop.
    """
    if stored != "open":
        return stored
    if start_ms is None or now_ms < start_ms:
        return "waiting" if signed_in else "scheduled"
    if paused:
        return "paused"
    if end_ms is not None and now_ms >= end_ms:
        return "ended"
    return "running"


def mermaid() -> str:
    """The transitions as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> scheduled"]
    lines += [f"    {state} --> {target}: {event}" for (state, event), target in TRANSITIONS.items()]
    return "\n".join([*lines, "    final --> [*]"])
