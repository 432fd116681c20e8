"""Plan 9: one candidate's PC will not run, and no spare seat is left in the room: the nearest room is asked, says yes,
and the candidate begins there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect
from sqlalchemy import text

from tests.e2e.exam import SPARES, room_name
from tests.e2e.eyes import accessible
from tests.e2e.hall import Hall

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def test_a_spare_seat_is_found_in_the_next_room(make_hall: Callable[..., Awaitable[Hall]]) -> None:
    hall = await make_hall("ZK09-", candidates=4, rooms=2)
    person = hall.exam.people[2]
    async with hall.record.begin() as conn:
        other = await conn.scalar(
            text("SELECT id FROM room WHERE exam_id = :e AND id <> :r"), {"e": hall.exam.id, "r": hall.exam.room_id}
        )
        await conn.execute(
            text("UPDATE seat SET out_of_order = '无法开机' WHERE room_id = :r AND label = :l"),
            {"r": hall.exam.room_id, "l": SPARES[1]},
        )
    desk = await hall.invigilator()
    page = desk.page
    # The last spare PC here does not start either.
    await desk.open_seat(SPARES[0])
    await desk.button("spare.broken").click()
    await desk.button("spare.fault.boot").click()
    await desk.sees(SPARES[0], "broken")
    await desk.open_seat(person.seat)
    await desk.open_incident("9", "主机通电无显示，本室备用机位也不能用")
    await desk.tab_of("room").click()
    await desk.button("spare.ask", room=room_name(1)).click()
    await expect(page.locator(".panel")).to_contain_text(desk.words["spare.waits"])
    await accessible(page, "the next room is asked")
    await hall.picture(desk, "plan-09")
    there = await hall.next_door(other)
    asked = there.page.locator(".asked-one")
    await expect(asked).to_contain_text(person.ticket)
    await hall.picture(there, "plan-09-next-room")
    await there.button("spare.yes").click()
    await expect(asked).to_have_count(0)
    await expect(page.get_by_role("region", name=desk.words["relog.pending"])).to_contain_text(SPARES[0])

    sitting = hall.sitting(2, "spare")
    await sitting.pc.switch_on(f"/?room={room_name(1)}&seat={SPARES[0]}")
    await sitting.sign_in()
    await sitting.confirm()
    await sitting.sees_question(1)
    await expect(sitting.page.get_by_text(f"{room_name(1)}").first).to_be_visible()
    await hall.picture(sitting, "plan-09-candidate")

    actions = ["seat.mark", "incident.open", "spare.ask", "spare.yes"]
    assert [one["action"] for one in await hall.audited(*actions)] == actions
    await desk.back_to_incident()
    await desk.tick(1, 2, 3, 4)
    await desk.says("个别应考人员无法开考", "主机通电无显示")
    # The office's paper names whoever has gone to the other room, and the seat.
    for words in (person.ticket, SPARES[0], "主机通电无显示"):
        assert words in await hall.report()
