"""Who sits which session after a decision on rounds: seats, clashes, and what is refused with its numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import rounds
from app.domain.errors import Refused
from app.domain.round_picture import Attempt, Picture, Seat, Session, Sitter

HOUR = 3_600_000
SPACE = UUID(int=7)


def seat(number: int, room: int = 1, building: int = 1, **more: Any) -> Seat:
    return Seat(
        room * 100 + number, room, f"第{room}考室", room, building, f"{building}号楼", str(number), number, **more
    )


def session(number: int, begins_h: float, **more: Any) -> Session:
    given_: dict[str, Any] = {"duration_ms": HOUR, "begun": False, **more}
    return Session(number, number, f"第{number}场", int(begins_h * HOUR), **given_)


def sitter(ticket: int, session_id: int, at: Seat, *, attempt: Attempt | str | None = "open", **more: Any) -> Sitter:
    made = Attempt(uuid5(SPACE, f"{ticket} {session_id}"), "open") if attempt == "open" else attempt
    assert not isinstance(made, str)
    return Sitter(ticket, f"T{ticket}", f"考生{ticket}", more.pop("extra_ms", 0), session_id, at, made, **more)


def picture(sessions: list[Session], seats: list[Seat], sitters: list[Sitter]) -> Picture:
    return Picture({each.id: each for each in sessions}, seats, sitters)


def refusal(code: str, decide: Any, *args: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        decide(*args)
    assert refused.value.code == code
    assert refused.value.text("zh")
    assert refused.value.text("en")
    return refused.value


SEATS = [seat(n) for n in range(1, 7)]
THREE = [session(1, 8), session(2, 10), session(3, 14)]


def test_rounds_that_are_swapped_keep_their_seats() -> None:
    people = [sitter(n, 1, SEATS[n]) for n in range(3)] + [sitter(10 + n, 2, SEATS[n + 1]) for n in range(3)]
    plan = rounds.swap(picture(THREE, SEATS, people), 1, 2)
    assert {(m.sitter.ticket, m.to) for m in plan.moves} == {(p.ticket, 3 - p.session_id) for p in people}
    assert all(move.kept_seat for move in plan.moves)
    assert plan.closes == ()


def test_a_seat_that_is_taken_is_exchanged_for_one_in_the_room_then_in_the_building() -> None:
    seats = [seat(1), seat(2), seat(3, spare=True), seat(1, room=2), seat(1, room=3, building=2)]
    people = [sitter(1, 1, seats[0]), sitter(2, 1, seats[1]), sitter(3, 2, seats[0])]
    plan = rounds.move(picture(THREE, seats, people), 1, 2, {1, 2})
    assert {(m.sitter.ticket, m.seat.id) for m in plan.moves} == {("T2", seats[1].id), ("T1", seats[3].id)}

    full = [*people, sitter(4, 2, seats[3])]
    told = refusal("round-no-seats", rounds.move, picture(THREE, seats, full), 1, 2, {1, 2})
    assert told.params["lines_zh"] == "1号楼：需要 1 个机位，空闲 0 个"


def test_a_seat_out_of_order_is_given_to_nobody() -> None:
    seats = [seat(1, out_of_order=True), seat(2)]
    people = [sitter(1, 1, seats[0])]
    (move,) = rounds.move(picture(THREE, seats, people), 1, 2, {1}).moves
    assert move.seat == seats[1]


def test_a_seat_of_a_session_at_the_same_time_is_taken() -> None:
    parallel = [session(1, 8), session(2, 10), session(3, 10.5)]
    people = [sitter(1, 1, SEATS[0]), sitter(2, 3, SEATS[0])]
    (move,) = rounds.move(picture(parallel, SEATS, people), 1, 2, {1}).moves
    assert move.seat == SEATS[1]


def test_extra_time_counts_when_sessions_overlap() -> None:
    close = [session(1, 8), session(2, 10), session(3, 11)]
    people = [sitter(1, 1, SEATS[0]), sitter(1, 2, SEATS[0])]
    assert rounds.move(picture(close, SEATS, people), 1, 3, {1}).moves
    slower = [replace(each, extra_ms=1) for each in people]
    told = refusal("round-overlaps", rounds.move, picture(close, SEATS, slower), 1, 3, {1})
    assert (told.params["session"], told.params["other"], told.params["count"]) == (3, 2, 1)
    # What is over or deferred is sat no more.
    for state in ("over", "deferred"):
        done = replace(slower[1], attempt=Attempt(UUID(int=2), state))
        assert rounds.move(picture(close, SEATS, [slower[0], done]), 1, 3, {1}).moves


def test_who_has_begun_is_closed_and_who_has_not_goes_along() -> None:
    began = Attempt(UUID(int=1), "open", seen=True)
    people = [sitter(1, 1, SEATS[0], attempt=began), sitter(2, 1, SEATS[1]), sitter(3, 1, SEATS[2], attempt=None)]
    now = picture([session(1, 8, begun=True), *THREE[1:]], SEATS, people)
    plan = rounds.move(now, 1, 3, {1, 2, 3})
    assert [each.ticket for each in plan.closes] == ["T1"]
    running = replace(people[0], attempt=replace(began, runs=True))
    told = refusal("round-runs", rounds.move, picture(THREE, SEATS, [running]), 1, 3, {1})
    assert "T1" in str(told.params["who"])
    # To defer, nobody needs to be paused: an illness does not wait.
    assert rounds.defer(picture(THREE, SEATS, [running]), 1, {1}).closes == (running,)


def test_each_mistake_has_its_own_refusal() -> None:
    over, deferred = Attempt(UUID(int=1), "over"), Attempt(UUID(int=2), "deferred", seen=True)
    people = [
        sitter(1, 1, SEATS[0]),
        sitter(2, 1, SEATS[1], attempt=over),
        sitter(3, 1, SEATS[2], attempt=deferred),
        sitter(4, 1, SEATS[3], attempt=deferred, gone_on=True),
        sitter(5, 1, SEATS[4], attempt=None),
        sitter(1, 2, SEATS[0]),
    ]
    now = picture([*THREE, session(4, 20, begun=True)], SEATS, people)
    refusal("round-same-session", rounds.swap, now, 1, 1)
    refusal("round-begun", rounds.swap, now, 1, 4)
    refusal("round-begun", rounds.move, now, 1, 4, {1})
    refusal("round-begun", rounds.allocate, now, 1, 4, {3})
    refusal("round-nobody", rounds.swap, picture(THREE, SEATS, []), 1, 2)
    refusal("round-nobody", rounds.move, now, 1, 3, {99})
    refusal("round-both", rounds.move, now, 1, 2, {1})
    refusal("round-over", rounds.move, now, 1, 3, {1, 2})
    refusal("round-over", rounds.defer, now, 1, {1, 2})
    refusal("round-already-deferred", rounds.move, now, 1, 3, {1, 3})
    refusal("round-already-deferred", rounds.defer, now, 1, {1, 3})
    refusal("round-not-deferred", rounds.allocate, now, 1, 3, {1, 3})
    refusal("round-gone-on", rounds.allocate, now, 1, 3, {3, 4})
    refusal("not-drawn", rounds.defer, now, 1, {1, 5})


def test_the_digest_moves_with_whatever_was_seen() -> None:
    people = [sitter(1, 1, SEATS[0]), sitter(2, 2, SEATS[0])]
    now = picture(THREE, SEATS, people)
    seen = rounds.swap(now, 1, 2).digest(now)
    assert rounds.swap(now, 1, 2).digest(now) == seen
    for other in (
        picture(THREE, SEATS, [replace(people[0], seat=SEATS[1]), people[1]]),
        picture(THREE, SEATS, [people[0]]),
        picture([replace(THREE[0], duration_ms=HOUR + 1), *THREE[1:]], SEATS, people),
    ):
        assert rounds.swap(other, 1, 2).digest(other) != seen


@given(st.data())
def test_nobody_ever_shares_a_seat_and_nobody_is_left_out(data: st.DataObject) -> None:
    seats = [seat(n, room, 1 + room // 3, spare=n == 5) for room in (1, 2, 3) for n in range(1, 6)]
    people: list[Sitter] = []
    for session_id in (1, 2, 3):
        chosen = data.draw(st.lists(st.sampled_from(seats), unique_by=lambda each: each.id, max_size=12))
        for at in chosen:
            seen = data.draw(st.booleans())
            attempt = Attempt(UUID(int=len(people) + 1), "open", seen=seen)
            people.append(sitter(len(people), session_id, at, attempt=attempt))
    now = picture(THREE, seats, people)
    first = [each.candidate_id for each in now.of(1)]
    who = set(data.draw(st.lists(st.sampled_from(first)))) if first else set()
    try:
        plan = data.draw(st.sampled_from([lambda: rounds.swap(now, 1, 2), lambda: rounds.move(now, 1, 3, who)]))()
    except Refused as refused:
        if refused.code not in ("round-no-seats", "round-nobody"):
            raise
        return
    after = {(each.session_id, each.candidate_id): each.seat.id for each in people}
    for move in plan.moves:
        if not move.sitter.stays_closed:
            del after[move.sitter.session_id, move.sitter.candidate_id]
    for move in plan.moves:
        after[move.to, move.sitter.candidate_id] = move.seat.id
        assert move.kept_seat or not move.seat.spare
        assert move.seat.building == move.sitter.seat.building
    taken = [(session_id, at) for (session_id, _), at in after.items()]
    assert len(taken) == len(set(taken))
    assert {move.sitter.candidate_id for move in plan.moves} == (
        who if plan.kind == "move" else {each.candidate_id for each in (*now.of(1), *now.of(2))}
    )
