"""What a room's picture tells of the door and of who came, from the same rows: pure, as all of the picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.attendance import Door, Standing, balance, door, standing

Row = Mapping[str, Any]


def standing_of(row: Row) -> Standing:
    return standing(
        checked_in=row["checked_in_ms"] is not None,
        signed_in=row["signed_in_ms"] is not None,
        absent=row["absent_ms"] is not None,
        end_reason=row["end_reason"],
    )


def own_start(row: Row, start_ms: int | None) -> int | None:
    """The session's start, later by what was postponed for this candidate alone."""
    return None if start_ms is None else start_ms + (row["postponed_ms"] or 0)


def door_told(session: Row, start_ms: int | None, now_ms: int) -> dict[str, Any]:
    """``{opens_in_ms, last_admission_in_ms, hand_in_in_ms}``: of the session's own start, negative once it has passed,
    null while it has none."""
    found = _door_of(session, start_ms)
    return {
        "opens_in_ms": None if found.opens_ms is None else found.opens_ms - now_ms,
        "last_admission_in_ms": None if found.last_admission_ms is None else found.last_admission_ms - now_ms,
        "hand_in_in_ms": None if found.hand_in_ms is None else found.hand_in_ms - now_ms,
    }


def _door_of(session: Row, start_ms: int | None) -> Door:
    return door(
        start_ms,
        opens_ms=session["sign_in_opens_ms"],
        last_admission_ms=session["last_admission_ms"],
        hand_in_ms=session["earliest_hand_in_ms"],
    )


def absent_due(session: Row, seats: Sequence[Row], start_ms: int | None, now_ms: int) -> list[str]:
    """Nobody is proposed while one of them may still come: the room is confirmed at once."""
    missing = [row for row in seats if row["ticket"] is not None and standing_of(row) == "unaccounted"]
    if any(_door_of(session, own_start(row, start_ms)).open_at(now_ms) for row in missing):
        return []
    return [row["ticket"] for row in missing]


def may_come(session: Row, people: Sequence[Row], start_ms: int | None, now_ms: int) -> bool:
    """Whether somebody who is missing may still come without anybody's leave."""
    return any(
        standing_of(one) == "unaccounted" and _door_of(session, own_start(one, start_ms)).open_at(now_ms)
        for one in people
    )


def numbers(seats: Sequence[Row]) -> dict[str, int]:
    """``{expected, present, absent, unaccounted}`` of everybody who sits there."""
    return balance(standing_of(row) for row in seats if row["ticket"] is not None).numbers()
