"""What is printed for a room, beside what its record says."""

from __future__ import annotations

import pytest

from tests.doors import hall
from tests.staff import signed_in

__all__ = ["hall"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
HOUR = 3_600_000


async def second_room(hall, made) -> int:
    """Another room of the exam, to which the third candidate goes."""
    room_id = await hall.sql(
        "INSERT INTO room (exam_id, building_id, name, ordinal, seat_count, spare_count)"
        " SELECT exam_id, building_id, '第02考室', 2, 1, 0 FROM room WHERE id = :r RETURNING id",
        r=made.room_id,
    )
    seat = await hall.sql("INSERT INTO seat (room_id, label, ordinal) VALUES (:r, '1', 1) RETURNING id", r=room_id)
    await hall.sql("UPDATE allocation SET seat_id = :s WHERE candidate_id = :c", s=seat, c=made.people[2].candidate_id)
    return room_id


async def test_sheets_of_ones_rooms_and_of_no_other(hall):
    made, member, _ = await hall.at(HOUR)
    other = await second_room(hall, made)
    await hall.sql("UPDATE candidate SET name = '<b>王·五</b>' WHERE id = :c", c=made.people[0].candidate_id)
    await hall.sql(
        "INSERT INTO candidate_photo (candidate_id, sha256, content_type, body) VALUES (:c, 'x', 'image/png', 'face')",
        c=made.people[1].candidate_id,
    )

    async def sheet(who, what, **asked):
        reply = await who.get(f"/print/{what}", session=made.session_id, **asked)
        assert reply.status_code == 200, reply.text
        assert reply.headers["cache-control"] == "no-store"
        return reply.text

    door = await sheet(member, "door-list", room=made.room_id)
    assert "&lt;b&gt;王·五&lt;/b&gt;" in door
    assert (door.count('<section class="sheet'), "考生2" in door, "考生3" in door) == (1, True, False)
    # A door says neither the whole ticket nor anything of a document.
    assert made.people[1].ticket not in door
    assert "9900" not in door
    signing = await sheet(member, "sign-in-sheet", room=made.room_id, language="en")
    assert ("Signature" in signing, "data:image/png;base64,ZmFjZQ==" in signing) == (True, True)
    assert "9900****02" in signing
    # Every room in reach: for the invigilator this one, for the office both, one after the other.
    assert (await sheet(member, "roll")).count('<section class="sheet') == 1
    office = await signed_in(hall.client, hall.engine, "office")
    everywhere = await sheet(office, "roll")
    assert everywhere.count('<section class="sheet') == 2
    assert everywhere.index("第01考室") < everywhere.index("第02考室") < everywhere.index("考生3")
    await hall.sql("UPDATE seat SET out_of_order = '无法开机' WHERE id = :s", s=made.spares[1])
    seats = await sheet(office, "seat-map", room=made.room_id)
    assert (seats.count("sheet-taken"), seats.count("sheet-spare"), seats.count("sheet-broken")) == (2, 1, 1)
    denied = await member.get("/print/roll", session=made.session_id, room=other)
    assert (denied.status_code, denied.json()["code"]) == (403, "not-permitted")
    nobody = await office.get("/print/roll", session=2**40)
    assert (nobody.status_code, nobody.json()["code"]) == (404, "not-found")
