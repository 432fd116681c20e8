"""The picture of a room, decided from plain rows: every state, on both sides of every boundary."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from app.services.room import Loaded, picture, seat_state, session_clock, session_state
from app.services.room_sight import standing

START, END, SILENT = 1_000_000, 6_400_000, 25_000
NEVER = 4_000_000_000_000_000
SESSION = {
    "id": 1, "exam_id": 1, "number": 1, "name": "第一场", "planned_start": datetime(2024, 7, 20, tzinfo=UTC),
    "duration_ms": END - START, "start_ms": START, "held": None, "sign_in_opens_ms": 1_800_000,
    "last_admission_ms": 900_000, "earliest_hand_in_ms": 0, "timezone": "Asia/Shanghai",
}  # fmt: skip
EMPTY = dict.fromkeys(
    [
        "ticket", "name", "gender", "specialty", "employer", "extra_time_ms", "planned_label", "planned_room_id",
        "planned_room", "attempt_id", "state", "signed_in_ms", "contact_ms", "end_ms", "end_reason", "ended_ms",
        "count", "item_count", "relog_id", "to_seat_id", "relog_reason", "relog_opened_ms", "to_label", "to_room_id",
        "to_room", "relog_by", "arriving_id", "from_label", "from_room_id", "from_room", "comer_name", "comer_ticket",
        "out_of_order", "left_ms", "postponed_ms", "candidate_id", "checked_in_ms", "checked_in_by", "absent_ms",
        "admitted_ms", "admitted_reason", "admitted_by", "provisional_id", "leave_kind", "leave_ms", "withdrew_ms",
        "withdrew_by", "withdrew_reason", "to_released",
    ]
)  # fmt: skip


def seat(n: int, **more):
    return {**EMPTY, "seat_id": n, "label": str(n), "ordinal": n, "is_spare": False, **more}


def seated(n: int, **more):
    person = {
        "ticket": f"T{n}", "name": f"考生{n}", "planned_label": str(n), "planned_room_id": 1, "planned_room": "一",
        "attempt_id": uuid.uuid5(uuid.NAMESPACE_OID, str(n)), "state": "open", "end_ms": END, "count": 0,
        "item_count": 100,
    }  # fmt: skip
    return seat(n, **{**person, **more})


def spare(n: int, **more):
    return seat(n, label=f"备{n}", is_spare=True, **more)


def room_of(*seats, answered=None, left=frozenset(), now_ms=START + 60_000, session=SESSION):
    room = {
        "id": 1,
        "name": "一",
        "number": "101",
        "building": "南楼",
        "exam_name": "考试",
        "timezone": "Asia/Shanghai",
    }
    return picture(Loaded(room, session, seats, answered or {}, frozenset(left)), now_ms, SILENT)


@pytest.mark.parametrize(
    ("row", "now_ms", "expected"),
    [
        ({}, START, ("not_arrived", None)),
        ({"attempt_id": None}, START, ("not_arrived", None)),
        ({"signed_in_ms": START - 1}, START - 1, ("waiting", None)),
        ({"signed_in_ms": START - 1}, START, ("answering", None)),
        ({"signed_in_ms": START, "contact_ms": START}, START + SILENT - 1, ("answering", None)),
        ({"signed_in_ms": START, "contact_ms": START}, START + SILENT, ("silent", 25)),
        ({"signed_in_ms": START, "contact_ms": START}, START + 90_999, ("silent", 90)),
        ({"signed_in_ms": START - 100_000, "contact_ms": None}, START - 1, ("silent", 99)),
        # A sign-in is a sign of life, also before the first checkpoint at the new seat.
        ({"signed_in_ms": START + 90_000, "contact_ms": START}, START + 90_000, ("answering", None)),
        ({"signed_in_ms": START, "contact_ms": END - 1}, END - 1, ("answering", None)),
        ({"signed_in_ms": START, "contact_ms": END - 1}, END, ("timed_out", None)),
        ({"signed_in_ms": START, "end_ms": END + 60_000, "contact_ms": END}, END, ("answering", None)),
        ({"signed_in_ms": START, "state": "ended", "end_reason": "hand_in"}, START + 9, ("handed_in", None)),
        ({"signed_in_ms": START, "state": "final", "end_reason": "hand_in"}, END + 9, ("handed_in", None)),
        ({"signed_in_ms": START, "state": "final", "end_reason": "time_out"}, END + 9, ("timed_out", None)),
        ({"signed_in_ms": START, "state": "ended", "end_reason": "forced"}, START + 9, ("forced", None)),
        ({"signed_in_ms": START, "state": "ended", "end_reason": "deferred"}, START + 9, ("deferred", None)),
        # A pause is told as one, heard or not; before the start there is nothing to stop.
        ({"signed_in_ms": START, "left_ms": 5000, "end_ms": NEVER}, START + 90_000, ("paused", None)),
        ({"signed_in_ms": START - 1, "left_ms": 5000, "end_ms": NEVER}, START - 1, ("waiting", None)),
        ({"left_ms": 5000, "end_ms": NEVER}, START + 9, ("not_arrived", None)),
        # Postponed for this one candidate.
        ({"signed_in_ms": START, "postponed_ms": 10_000, "end_ms": END + 10_000}, START + 9999, ("waiting", None)),
        ({"signed_in_ms": START, "postponed_ms": 10_000, "end_ms": END + 10_000}, START + 10_000, ("answering", None)),
        # Seen at the door, or confirmed as missing; a sign-in says more than either.
        ({"checked_in_ms": START - 9}, START, ("checked_in", None)),
        ({"absent_ms": START + 900_000}, END - 9, ("absent", None)),
        ({"absent_ms": START, "checked_in_ms": START - 9}, START, ("checked_in", None)),
        ({"absent_ms": START, "signed_in_ms": START, "contact_ms": START}, START + 1, ("answering", None)),
        # Out of the room, heard or not; a pause and an end are told before it.
        ({"signed_in_ms": START, "leave_ms": START + 5}, START + 90_000, ("on_leave", None)),
        ({"signed_in_ms": START, "leave_ms": START + 5, "left_ms": 5, "end_ms": NEVER}, START + 9, ("paused", None)),
        ({"signed_in_ms": START, "leave_ms": START + 5}, END, ("timed_out", None)),
        # Who never came is absent, not timed out.
        ({"state": "final", "end_reason": "time_out"}, END + 9, ("not_arrived", None)),
        # Deferred before they came: neither missing nor absent.
        ({"state": "final", "end_reason": "deferred"}, START + 9, ("deferred", None)),
        ({"state": "final", "end_reason": "deferred", "absent_ms": START}, START + 9, ("deferred", None)),
    ],
)
def test_seat_state(row, now_ms, expected):
    assert seat_state(seated(1, **row), START, now_ms, SILENT) == expected


@pytest.mark.parametrize(
    ("session", "now_ms", "state"),
    [
        ({"start_ms": None}, START, "planned"),
        ({}, START - 1, "waiting"),
        ({}, START, "running"),
        ({}, END - 1, "running"),
        ({}, END, "ended"),
        ({"held": "outage"}, START, "held"),
    ],
)
def test_session_state(session, now_ms, state):
    assert session_state({**SESSION, **session}, now_ms) == state


def test_the_clock_before_during_and_after():
    assert session_clock({**SESSION, "start_ms": None}, 5)["remaining_ms"] == END - START
    before = session_clock(SESSION, START - 7)
    assert (before["starts_in_ms"], before["remaining_ms"]) == (7, END - START)
    during = session_clock(SESSION, START + 7, END + 100)
    assert (during["starts_in_ms"], during["remaining_ms"], during["longest_ms"]) == (
        None,
        END - START - 7,
        END - START + 93,
    )
    assert session_clock(SESSION, END + 1)["remaining_ms"] == 0


def test_time_that_stands_is_told_as_what_is_left_and_not_as_anybodys_end():
    paused = seated(1, signed_in_ms=START, contact_ms=START, left_ms=4_000_000, end_ms=NEVER)
    postponed = seated(2, signed_in_ms=START, contact_ms=START, postponed_ms=120_000, end_ms=END + 120_000)
    room = room_of(paused, postponed, now_ms=START + 20_000)
    first, second = (one["occupant"] for one in room["seats"])
    assert (first["state"], first["remaining_ms"]) == ("paused", 4_000_000)
    assert (second["state"], second["remaining_ms"]) == ("waiting", END - START)
    assert room["clock"]["longest_ms"] == END + 120_000 - START - 20_000
    assert (room["counts"]["paused"], room["counts"]["arrived"]) == (1, 2)
    assert room_of(paused)["clock"]["longest_ms"] is None


def test_the_first_free_spare_is_suggested():
    room = room_of(
        seated(1), spare(2, out_of_order="显示器坏"), spare(3, arriving_id=5, comer_name="某"), spare(4), spare(5)
    )
    assert room["suggested_seat_id"] == 4
    assert room["spare_left"] == 2


def test_a_spare_that_somebody_had_to_leave_comes_last():
    room = room_of(spare(2), spare(3), left={2})
    assert room["suggested_seat_id"] == 3
    assert room_of(spare(2), left={2})["suggested_seat_id"] == 2
    assert room_of(seated(1))["suggested_seat_id"] is None


def test_an_empty_ordinary_seat_is_free_but_not_a_spare():
    room = room_of(seat(1), seated(2))
    assert [(one["free"], one["occupant"] is None) for one in room["seats"]] == [(True, True), (False, False)]
    assert room["spare_left"] == 0


def test_counts_add_up():
    room = room_of(
        seated(1),
        seated(2, signed_in_ms=START, contact_ms=START + 59_000),
        seated(3, signed_in_ms=START, contact_ms=START),
        seated(4, signed_in_ms=START, state="final", end_reason="hand_in"),
        spare(5),
    )
    counts = room["counts"]
    assert (counts["expected"], counts["arrived"]) == (4, 3)
    assert (counts["not_arrived"], counts["answering"], counts["silent"], counts["handed_in"]) == (1, 1, 1, 1)


def test_a_pending_move_is_seen_from_both_seats():
    leaving = {
        "relog_id": 9,
        "to_seat_id": 2,
        "to_label": "备2",
        "to_room_id": 1,
        "relog_reason": "pc_failed",
        "relog_by": "王",
        "relog_opened_ms": START,
    }
    arriving = {"arriving_id": 9, "comer_name": "考生1", "comer_ticket": "T1", "from_label": "1", "from_room_id": 1}
    first, second = room_of(seated(1, **leaving), spare(2, **arriving))["seats"]
    assert (first["occupant"]["relog"]["to_seat"], first["occupant"]["relog"]["opened_s"]) == ("备2", 60)
    assert (second["arriving"]["name"], second["free"]) == ("考生1", False)
    assert second["arriving"]["from_room"] is None


def test_progress_tells_how_many_and_never_what():
    one = seated(1, signed_in_ms=START, contact_ms=START)
    room = room_of(one, answered={one["attempt_id"]: 37})
    occupant = room["seats"][0]["occupant"]
    assert (occupant["answered"], occupant["total"]) == (37, 100)
    assert not {"value", "responses", "id_number"} & set(occupant)


def test_only_seconds_passing_is_no_change():
    one = seated(1, signed_in_ms=START, contact_ms=START)
    at = [room_of(one, now_ms=START + SILENT + ms) for ms in (0, 1500)]
    assert at[0] != at[1]
    assert standing(at[0]) == standing(at[1])
    assert standing(at[0]) != standing(room_of(one, now_ms=START + SILENT - 1))


def test_absentees_are_proposed_together_and_only_when_nobody_may_come_any_more():
    last = START + SESSION["last_admission_ms"]
    here, missing = seated(1, checked_in_ms=START), seated(2)
    later = seated(3, postponed_ms=60_000)
    assert room_of(here, missing, now_ms=last)["absent_due"] == []
    assert room_of(here, missing, now_ms=last + 1)["absent_due"] == ["T2"]
    # One of them starts later, and may still come.
    assert room_of(here, missing, later, now_ms=last + 60_000)["absent_due"] == []
    assert room_of(here, missing, later, now_ms=last + 60_001)["absent_due"] == ["T2", "T3"]
    confirmed = room_of(here, seated(2, absent_ms=last + 1), now_ms=last + 2)
    assert confirmed["absent_due"] == []
    assert confirmed["numbers"] == {"expected": 2, "present": 1, "absent": 1, "deferred": 0, "unaccounted": 0}
    unset = room_of(missing, session={**SESSION, "start_ms": None})
    assert (unset["absent_due"], set(unset["door"].values())) == ([], {None})
