"""What a look sees of one room: its people's states, and what decides whether its page changes. Pure.

Every second all rows have moved by a heartbeat, and hardly a state has. So a sight knows until when it holds by the
clock alone: as long as nothing but heartbeats came, it is not worked out again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.domain.attendance import Standing
from app.services import room, room_door

COUNTING = {
    "service_ms", "remaining_ms", "longest_ms", "starts_in_ms", "silent_s", "last_seen_s", "opened_s",
    "opens_in_ms", "last_admission_in_ms", "hand_in_in_ms", "away_s",
}  # fmt: skip
# Of a row of ``storage.postgres.hall.moving``: the columns that no heartbeat moves come first.
FACTS = 14


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
    when ``hard`` moves the page must hear of it at once; ``soft``: counts of changes to answers. ``until``: the instant
    from which a state may be another by the clock alone."""

    people: Sequence[Any]
    facts: Sequence[Any]
    states: tuple[str, ...]
    standings: tuple[Standing, ...]
    door_open: bool
    layout: tuple[Any, ...]
    hard: tuple[Any, ...]
    soft: tuple[Any, ...]
    until: int


NOBODY = Sight((), (), (), (), True, (), (), (), 0)


def sight(
    before: Sight | None, people: Sequence[Any], session: Mapping[str, Any], now_ms: int, silent_ms: int
) -> Sight:
    """``before``: the sight of the last look, whose session was the same but for what ``hard`` holds of it."""
    facts = [one[:FACTS] for one in people]
    soft = tuple(one["count"] for one in people)
    start_ms, state = session["start_ms"], room.session_state(session, now_ms)
    if (
        before is not None and now_ms < before.until and before.facts == facts
        and before.hard[:3] == (state, start_ms, session["last_admission_ms"])
    ):  # fmt: skip
        return replace(before, people=people, soft=soft)
    states = tuple(room.seat_state(one, start_ms, now_ms, silent_ms)[0] for one in people)
    return Sight(
        people=people,
        facts=facts,
        states=states,
        standings=tuple(room_door.standing_of(one) for one in people),
        door_open=room_door.may_come(session, people, start_ms, now_ms),
        layout=tuple((one["seat_id"], one["attempt_id"], one["epoch"]) for one in people),
        hard=(
            state, start_ms, session["last_admission_ms"], states,
            tuple((one["end_ms"], one["left_ms"], one["checked_in_ms"]) for one in people),
        ),
        soft=soft,
        until=_until(people, states, session, now_ms, silent_ms),
    )  # fmt: skip


def _until(
    people: Sequence[Any], states: Sequence[str], session: Mapping[str, Any], now_ms: int, silent_ms: int
) -> int:
    """0 while somebody is silent: their next heartbeat is news."""
    if "silent" in states:
        return 0
    start_ms = session["start_ms"]
    instants: list[int] = [] if start_ms is None else [start_ms + session["duration_ms"]]
    for one in people:
        own_ms = room_door.own_start(one, start_ms)
        if own_ms is not None:
            instants += [own_ms, own_ms + session["last_admission_ms"] + 1]
        if one["end_ms"] is not None:
            instants.append(one["end_ms"])
        if one["signed_in_ms"] is not None:
            instants.append(max(one["signed_in_ms"], one["contact_ms"] or 0) + silent_ms)
    # A minute at most: what nobody thought of is seen all the same.
    return min([*(at for at in instants if at > now_ms), now_ms + 60_000])
