"""What a door says of a ticket, and in which order."""

from __future__ import annotations

from app.services.printables import sheet, tails

ROOM = {"exam": "考试", "building": "南楼", "name": "第01考室", "session": "第一场"}


def seat(n: int, name: str, ticket: str) -> dict:
    return {
        "seat_id": n, "seat": str(n), "ordinal": n, "is_spare": False, "out_of_order": None, "candidate_id": n,
        "ticket": ticket, "name": name, "gender": "女", "id_number": "99000119800101000X",
    }  # fmt: skip


def test_a_door_says_no_more_of_a_ticket_than_tells_two_of_one_name_apart():
    one, two, other = seat(1, "张伟", "2026011234"), seat(2, "张伟", "2026021234"), seat(3, "李娜", "2026031234")
    assert tails([one, other]) == ["1234", "1234"]
    assert tails([one, two, other]) == ["11234", "21234", "31234"]
    same = [seat(1, "张伟", "1"), seat(2, "张伟", "12")]
    assert tails(same) == ["1", "12"]
    assert tails([]) == []


def test_a_door_list_goes_by_the_sound_of_the_names():
    people = [seat(1, "张伟", "A0001"), seat(2, "安宁", "A0002"), seat(3, "李娜", "A0003"), seat(4, "𠮷田", "A0004")]
    made = sheet("door-list", ROOM, people, "zh", starts="", printed="", faces={})
    names = [row[1] for row in made.blocks[0].rows]
    # Rare characters have no place among the sounds: they stand together.
    assert [name for name in names if name != "𠮷田"] == ["安宁", "李娜", "张伟"]
    assert names[0] == "𠮷田" or names[-1] == "𠮷田"
