"""What a look sees of one room: its people's states, and what decides whether its page changes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.services import room

COUNTING = {
    "service_ms", "remaining_ms", "longest_ms", "starts_in_ms", "silent_s", "last_seen_s", "opened_s",
    "opens_in_ms", "last_admission_in_ms", "hand_in_in_ms", "away_s",
}  # fmt: skip


def standing(value: Any) -> Any:
    """The part of a picture that does not change merely because time passes."""
    if isinstance(value, dict):
        return {key: standing(inner) for key, inner in value.items() if key not in COUNTING}
    if isinstance(value, list):
        return [standing(inner) for inner in value]
    return value


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look saw of a room. When ``layout`` moves (who sits where, under which lease), names and moves have;
    when ``hard`` moves the page must hear of it at once; ``soft``: counts of changes to answers."""

    people: Sequence[Mapping[str, Any]]
    states: tuple[str, ...]
    layout: tuple[Any, ...]
    hard: tuple[Any, ...]
    soft: tuple[Any, ...]


NOBODY = Sight((), (), (), (), ())


def sight(people: Sequence[Mapping[str, Any]], session: Mapping[str, Any], now_ms: int, silent_ms: int) -> Sight:
    start_ms = session["start_ms"]
    states = tuple(room.seat_state(one, start_ms, now_ms, silent_ms)[0] for one in people)
    return Sight(
        people=people,
        states=states,
        layout=tuple((one["seat_id"], one["attempt_id"], one["epoch"]) for one in people),
        hard=(
            room.session_state(session, now_ms), start_ms, states,
            tuple((one["end_ms"], one["left_ms"], one["checked_in_ms"]) for one in people),
        ),
        soft=tuple(one["count"] for one in people),
    )  # fmt: skip
