"""What the office says reaches the pages it is for, survives one that is away, and is acknowledged by the rooms."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.api.test_events import stream
from tests.candidates import Candidate
from tests.doors import audit, hall
from tests.staff import signed_in

__all__ = ["hall"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
MIN = 60_000
WORDS = "请各位应考人员检查桌面，手机关机。"


def said(made, **more):
    return {"scope": {"session": made.session_id, "kind": "site"}, "to": "both", "zh": WORDS, **more}


async def seated(hall, person) -> Candidate:
    one = Candidate(hall.client, person)
    assert (await one.sign_in()).status_code == 200
    return one


async def test_open_pages_hear_it_at_once_and_one_that_was_away_with_its_next_reply(hall):
    made, _, _ = await hall.at(-MIN)
    office = await signed_in(hall.client, hall.engine, "office")
    here, away = await seated(hall, made.people[0]), await seated(hall, made.people[1])
    app = hall.client._transport.app
    async with stream(app, here.token) as page:
        await page.until("snapshot")
        reply = await office.post("/announcements", said(made), key="once")
        assert reply.status_code == 200, reply.text
        heard = await page.until("notice")
    assert (await office.post("/announcements", said(made), key="once")).json() == reply.json()
    assert (heard["kind"], heard["zh"], heard["en"]) == ("announcement", WORDS, WORDS)
    made_one = reply.json()["announcement"]
    assert (made_one["candidates"], made_one["rooms"]) == ({"of": 2, "shown": 0, "absent": 1}, {"of": 1, "known": 0})
    assert (await away.send()).json()["notices"] == [heard]
    # Whoever signs in later has it too.
    late = await seated(hall, made.people[2])
    assert (await late.send()).json()["notices"] == [heard]
    for one in (here, late):
        body = {"notices": [heard["id"]]}
        assert (await hall.client.post("/attempt/event-receipts", json=body, headers=one.headers)).status_code == 200
    path = f"/announcements/{made_one['id']}"
    async with asyncio.timeout(60):
        while (seen := (await office.get(path)).json())["announcement"]["candidates"]["shown"] != 2:
            await asyncio.sleep(0.05)
    assert seen["announcement"]["candidates"] == {"of": 3, "shown": 2, "absent": 0}
    assert [each["ticket"] for each in seen["missing"]] == [made.people[1].ticket]
    [entry] = await audit(hall, made, "notice.announce")
    assert (entry["text"], entry["candidates"], entry["room_id"]) == (WORDS, 3, made.room_id)


async def test_a_room_has_it_on_its_page_until_one_of_its_staff_acknowledges_it(hall):
    made, member, chief = await hall.at(-MIN)
    office = await signed_in(hall.client, hall.engine, "office")
    reply = await office.post("/announcements", said(made, to="staff", en="Check the desks."))
    made_one = reply.json()["announcement"]
    assert made_one["candidates"] is None
    [shown] = (await member.room(made.room_id, made.session_id))["announcements"]
    assert (shown["id"], shown["zh"], shown["en"], shown["by"]) == (
        made_one["id"],
        WORDS,
        "Check the desks.",
        office.name,
    )
    assert (await office.get("/announcements", session=made.session_id)).json()["announcements"][0]["waiting"] == [
        made.room_id
    ]
    path, body = f"/announcements/{made_one['id']}/acknowledge", {"room_id": made.room_id}
    one, other = [reply.json() for reply in await asyncio.gather(member.post(path, body), chief.post(path, body))]
    assert sorted((one["already"], other["already"])) == [False, True]
    assert one["known"] == other["known"]
    assert (await member.room(made.room_id, made.session_id))["announcements"] == []
    seen = (await office.get(f"/announcements/{made_one['id']}")).json()
    assert (seen["rooms"][0]["known"], seen["announcement"]["waiting"]) == (one["known"], [])
    assert len(await audit(hall, made, "notice.acknowledge")) == 1
    inspector = await signed_in(hall.client, hall.engine, "inspector")
    assert (await inspector.post(path, body)).json()["code"] == "not-permitted"


async def test_nobody_says_anything_to_rooms_that_are_not_theirs_or_to_nobody(hall):
    made, member, _ = await hall.at(-MIN)
    elsewhere = await signed_in(hall.client, hall.engine, "chief", room_ids=[])
    office = await signed_in(hall.client, hall.engine, "office")
    for one in (member, elsewhere):
        assert (await one.post("/announcements", said(made))).json()["code"] == "not-permitted"
    await seated(hall, made.people[0])
    listed = {"session": made.session_id, "kind": "list", "tickets": [made.people[0].ticket]}
    only = (await office.post("/announcements", said(made, scope=listed, to="candidates"))).json()["announcement"]
    assert (only["candidates"], only["rooms"]) == ({"of": 1, "shown": 0, "absent": 0}, None)
    unknown = {**listed, "tickets": ["X-404"]}
    for body, code in (
        (said(made, scope=unknown), "scope-unknown"),
        (said(made, scope={"session": made.session_id, "kind": "room"}), "scope-malformed"),
        (said(made, zh="  "), "bad-body"),
        (said(made, zh="字" * 501), "bad-body"),
        (said(made, zh="空\x00"), "bad-body"),
    ):
        reply = await office.post("/announcements", body)
        assert reply.json()["code"] == code, body
    half = json.dumps(said(made, zh="半个\ud83d"))
    headers = {**office.headers, "Idempotency-Key": "half", "Content-Type": "application/json"}
    assert (await hall.client.post("/staff/announcements", content=half, headers=headers)).json()["code"] == "bad-body"
    assert (await office.post("/announcements/1099511627776/acknowledge", {"room_id": 1})).json()["code"] == "not-found"
