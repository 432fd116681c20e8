"""The demo's invented hall: the shapes of a real roster, and nobody real."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from app.demo.people import REGION, Hall, hall
from app.domain.identity import resident_fault, says_male

HALL = hall()


def test_the_hall_is_full() -> None:
    assert len(HALL.people) == 1880
    assert len(HALL.rooms) == 47
    assert len({room.building for room in HALL.rooms}) == 3
    assert {room.seats for room in HALL.rooms} == {40}
    assert {room.spares for room in HALL.rooms} == {2, 3}
    assert len({room.number for room in HALL.rooms}) == 47


def test_every_seat_holds_one_person_and_each_person_sits_once() -> None:
    assert len({(person.room, person.seat) for person in HALL.people}) == 1880
    assert len({person.ticket for person in HALL.people}) == 1880
    assert len({person.id_number for person in HALL.people}) == 1880
    assert {person.room for person in HALL.people} == {room.name for room in HALL.rooms}


def test_the_sessions_have_their_own_candidates_and_rooms() -> None:
    assert Counter(person.session for person in HALL.people) == {1: 960, 2: 920}
    rooms = {number: {person.room for person in HALL.people if person.session == number} for number in (1, 2)}
    assert not rooms[1] & rooms[2]


def test_resident_ids_are_well_formed_and_of_a_region_that_does_not_exist() -> None:
    residents = [person for person in HALL.people if person.id_kind == "resident"]
    for person in residents:
        assert resident_fault(person.id_number, on=date(2026, 1, 1)) is None
        assert person.id_number.startswith(REGION)
        assert says_male(person.id_number) == (person.gender == "男")
        assert len(person.id_tail) == 6
    assert len(residents) < len(HALL.people), "some documents are passports"
    assert any(person.id_tail.endswith("X") for person in residents)


def test_names_are_as_unusual_as_real_ones() -> None:
    names = [person.name for person in HALL.people]
    assert len(set(names)) > 1700
    assert any(name.startswith("欧阳") for name in names)
    assert sum("·" in name for name in names) >= 5
    assert any(any(0x20000 <= ord(char) <= 0x2A6DF for char in name) for name in names), "extension B"
    assert any(name.isascii() for name in names)
    assert all(name == name.strip() for name in names)


def test_the_same_people_every_time() -> None:
    assert hall() == HALL
    assert HALL.people[0].ticket == "20260101"


def test_listed_sign_ins_sit_in_the_running_session_mostly_in_one_room() -> None:
    listed = HALL.listed()
    assert len(listed) >= 10
    assert {person.session for person in listed} == {1}
    rooms = Counter(person.room for person in listed)
    assert rooms[HALL.rooms[0].name] > len(listed) / 2
    assert any("·" in person.name for person in listed)
    assert any(person.id_tail.endswith("X") for person in listed)


@pytest.mark.parametrize("candidates", [80, 100, 1880, 2000])
def test_a_hall_of_another_size_keeps_both_sessions(candidates: int) -> None:
    other: Hall = hall(candidates)
    assert len(other.people) == candidates
    assert {person.session for person in other.people} == {1, 2}
    assert len(other.listed()) == 12
    assert other.people[:40] == HALL.people[:40]


def test_a_hall_without_room_for_both_sessions_is_refused() -> None:
    with pytest.raises(ValueError, match="80"):
        hall(79)
