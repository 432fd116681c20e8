"""Proposals over HTTP: a room falls silent and comes back, and what the office makes of it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import text

from tests.halls import S, opened
from tests.staff import signed_in

MINUTE = 60 * S


async def lost_and_back(hall, *, of: int = 40, silent: int = 38) -> tuple[dict, list]:
    """Most of the first room was away for a minute: the proposal, closed, and who was lost."""
    dark = hall.rooms[0][:silent]
    alive = [one for one in hall.everybody if one not in dark]
    await hall.silent_since(dark, 60)
    await hall.look(alive)
    await hall.heard(dark)
    (loss,) = await hall.look(alive)
    assert not loss["evidence"]["going"]
    return loss, dark


async def ends(engine) -> dict:
    async with engine.connect() as conn:
        return {row.id: row.end_ms for row in await conn.execute(text("SELECT id, end_ms FROM attempt"))}


async def count(engine, table: str, where: str = "true") -> int:
    async with engine.connect() as conn:
        return await conn.scalar(text(f"SELECT count(*) FROM {table} WHERE {where}"))


async def test_the_office_approves_what_was_measured_for_exactly_those_who_lost_it(
    fresh_url, redis_url, redis, fresh_db
):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 40), ("南楼", 40)]) as (_, client, hall):
        office = await signed_in(client, fresh_db, "office")
        before = await ends(fresh_db)
        loss, dark = await lost_and_back(hall)
        reply = await office.get("/time/proposals", session=hall.made.session_id)
        assert reply.status_code == 200, reply.text
        (shown,) = reply.json()["proposals"]
        lost_ms = loss["to_ms"] - loss["from_ms"]
        assert (shown["kind"], shown["names"], shown["candidates"], shown["amount_ms"], shown["state"]) == (
            "room-loss", ["第1考室"], 38, lost_ms, "open",
        )  # fmt: skip
        assert shown["evidence"] == {
            "of": 40, "silent": 38, "going": False, "rooms": hall.room_ids[:1], "after_outage": False,
            "building": shown["evidence"]["building"],
        }  # fmt: skip
        first, last = (datetime.fromisoformat(shown[name]) for name in ("from_at", "to_at"))
        assert abs((last - first) - timedelta(milliseconds=lost_ms)) <= timedelta(seconds=1)
        assert shown["zh"].startswith(f"考室断联 {first:%H:%M:%S}–{last:%H:%M:%S}，40 台中 38 台无响应，建议补时 1:")
        assert "38 of 40 seats silent" in shown["en"]

        look = await office.post(f"/time/proposals/{shown['id']}/preview")
        assert look.status_code == 200, look.text
        assert (look.json()["effect"]["candidates"], look.json()["effect"]["rooms"]) == (38, 1)
        assert await ends(fresh_db) == before

        done = await office.post(f"/time/proposals/{shown['id']}/approve", {"note": "总闸跳闸", "reason": "power"})
        assert done.status_code == 200, done.text
        told = done.json()
        assert (told["proposal"]["state"], told["proposal"]["entry"], told["proposal"]["note"]) == (
            "approved", told["entry"]["id"], "总闸跳闸",
        )  # fmt: skip
        assert (told["entry"]["kind"], told["entry"]["reason"], told["entry"]["candidates"]) == ("credit", "power", 38)
        after = await ends(fresh_db)
        assert {one: after[one] - before[one] for one in hall.everybody} == {
            one: lost_ms if one in dark else 0 for one in hall.everybody
        }
        # What the candidates read, and what the record says of it.
        assert await count(fresh_db, "notice_attempt", f"notice_id = {told['notice']}") == 38
        async with fresh_db.connect() as conn:
            subject = await conn.scalar(text("SELECT subject FROM audit_entry WHERE action = 'proposal.approve'"))
        # A service instant is told in wall time to the second, and may round the other way a moment later.
        assert subject["proposal"]["words"].partition("，")[2] == shown["zh"].partition("，")[2]


async def test_a_repeated_request_approves_once_and_a_second_person_is_told_who_was_first(
    fresh_url, redis_url, redis, fresh_db
):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 40)]) as (_, client, hall):
        one, other = await signed_in(client, fresh_db, "office"), await signed_in(client, fresh_db, "admin")
        loss, _ = await lost_and_back(hall)
        path = f"/time/proposals/{loss['id']}/approve"
        replies = await asyncio.gather(
            one.post(path, {"note": "停电"}, key="k"),
            other.post(path, {"note": "停电"}),
            one.post(path, {"note": "停电"}, key="k"),
        )
        accepted = [reply.json() for reply in replies if reply.status_code == 200]
        refused = [reply.json() for reply in replies if reply.status_code != 200]
        assert len(accepted) in (1, 2), [reply.text for reply in replies]
        assert len({reply["entry"]["id"] for reply in accepted}) == 1
        assert {reply["code"] for reply in refused} == {"proposal-decided"}
        assert accepted[0]["proposal"]["decided_by"] in refused[0]["detail_zh"]
        assert await count(fresh_db, "adjustment") == 1
        late = await other.post(f"/time/proposals/{loss['id']}/dismiss", {"note": "不必"})
        assert (late.status_code, late.json()["code"]) == (409, "proposal-decided")


async def test_the_office_changes_what_is_proposed(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 40)]) as (_, client, hall):
        office = await signed_in(client, fresh_db, "office")
        before = await ends(fresh_db)
        loss, dark = await lost_and_back(hall)
        path = f"/time/proposals/{loss['id']}/approve"
        for wrong, code in (
            ({"ms": -5}, "duration-not-positive"),
            ({"from_ms": loss["to_ms"], "to_ms": loss["from_ms"]}, "interval-backwards"),
            ({"to_ms": hall.now_ms + MINUTE}, "interval-in-future"),
        ):
            reply = await office.post(path, wrong)
            assert reply.json()["code"] == code, reply.text
        assert await ends(fresh_db) == before
        reply = await office.post(path, {"ms": 45 * S})
        assert reply.status_code == 200, reply.text
        assert reply.json()["proposal"]["state"] == "changed"
        entry = reply.json()["entry"]
        assert (entry["from_ms"], entry["to_ms"]) == (loss["from_ms"], loss["from_ms"] + 45 * S)
        after = await ends(fresh_db)
        assert {after[one] - before[one] for one in dark} == {45 * S}


async def test_a_proposal_that_is_left_aside_changes_no_clock_and_says_why(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 40)]) as (_, client, hall):
        office = await signed_in(client, fresh_db, "office")
        before = await ends(fresh_db)
        loss, _ = await lost_and_back(hall)
        silent = await office.post(f"/time/proposals/{loss['id']}/dismiss", {"note": " "})
        assert (silent.status_code, silent.json()["code"]) == (422, "proposal-note-missing")
        reply = await office.post(f"/time/proposals/{loss['id']}/dismiss", {"note": "演练"})
        assert (reply.status_code, reply.json()["proposal"]["state"]) == (200, "dismissed")
        assert (await ends(fresh_db), await count(fresh_db, "adjustment")) == (before, 0)
        assert (await office.post("/time/proposals/999/dismiss", {"note": "x"})).status_code == 404


async def test_more_than_the_cap_is_refused_and_stays_open(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 40)], time_cap=30) as (_, client, hall):
        office = await signed_in(client, fresh_db, "office")
        loss, _ = await lost_and_back(hall)
        path = f"/time/proposals/{loss['id']}/approve"
        reply = await office.post(path, {})
        assert (reply.status_code, reply.json()["code"], len(reply.json()["over_cap"])) == (409, "cap-exceeded", 38)
        (still,) = await hall.proposals()
        assert (still["state"], await count(fresh_db, "adjustment")) == ("open", 0)
        assert (await office.post(path, {"ms": 30 * S})).status_code == 200


async def test_what_was_credited_already_is_not_credited_twice(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 40)]) as (_, client, hall):
        office = await signed_in(client, fresh_db, "office")
        before = await ends(fresh_db)
        loss, dark = await lost_and_back(hall)
        scope = {"session": hall.made.session_id, "kind": "room", "rooms": hall.room_ids[:1]}
        given = await office.post(
            "/time/actions",
            {
                "action": "credit",
                "scope": scope,
                "from_ms": loss["from_ms"],
                "to_ms": loss["from_ms"] + 40 * S,
                "reason": "power",
            },
        )
        assert given.status_code == 200, given.text
        assert (await office.post(f"/time/proposals/{loss['id']}/approve", {})).status_code == 200
        after = await ends(fresh_db)
        assert {after[one] - before[one] for one in dark} == {loss["to_ms"] - loss["from_ms"]}


async def test_approved_while_it_lasts_the_rest_is_proposed_when_it_is_over(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 40)]) as (_, client, hall):
        office = await signed_in(client, fresh_db, "office")
        before = await ends(fresh_db)
        first, _ = await hall.silent_since(hall.everybody, 60)
        (loss,) = await hall.look()
        shown = (await office.get("/time/proposals", session=hall.made.session_id)).json()["proposals"][0]
        assert shown["going"] is True
        assert "起仍未恢复" in shown["zh"]
        reply = await office.post(f"/time/proposals/{loss['id']}/approve", {})
        assert reply.status_code == 200, reply.text
        await asyncio.sleep(0.5)
        decided, rest = await hall.look()
        assert (decided["state"], decided["evidence"]["going"]) == ("approved", False)
        assert (rest["state"], rest["from_ms"], rest["evidence"]["going"]) == ("open", decided["to_ms"], True)
        back = await hall.heard(hall.everybody)
        _, rest = await hall.look()
        assert (rest["to_ms"], rest["evidence"]["going"]) == (back, False)
        assert (await office.post(f"/time/proposals/{rest['id']}/approve", {})).status_code == 200
        after = await ends(fresh_db)
        assert {after[one] - before[one] for one in hall.everybody} == {back - first}


async def test_an_invigilator_asks_for_their_own_room_and_decides_nothing(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 20), ("南楼", 20)]) as (_, client, hall):
        own = await signed_in(client, fresh_db, "invigilator", room_ids=hall.room_ids[:1])
        office = await signed_in(client, fresh_db, "office")
        session = hall.made.session_id
        now = hall.now_ms
        asked = {
            "scope": {"session": session, "kind": "room", "rooms": hall.room_ids[:1]},
            "from_ms": now - 90 * S, "to_ms": now - 30 * S, "reason": "power", "note": "跳闸",
        }  # fmt: skip
        reply = await own.post("/time/proposals", asked)
        assert reply.status_code == 200, reply.text
        made = reply.json()["proposal"]
        assert (made["kind"], made["candidates"], made["reason_zh"], made["note"]) == ("asked", 20, "断电", "跳闸")
        assert made["zh"].startswith(f"{own.name} 申请补时 ")
        # A length alone is asked for as more time; a person in another room, or a slip, is refused.
        person = str(hall.rooms[0][0])
        more = await own.post(
            "/time/proposals",
            {"scope": {"session": session, "kind": "candidate", "attempt": person}, "ms": 120 * S, "reason": "pc"},
        )
        assert more.json()["proposal"]["zh"] == f"{own.name} 申请延长 2:00", more.text
        foreign = {**asked, "scope": {"session": session, "kind": "site"}}
        assert (await own.post("/time/proposals", foreign)).json()["code"] == "not-permitted"
        assert (await own.post("/time/proposals", {**asked, "to_ms": now + MINUTE})).json()[
            "code"
        ] == "interval-in-future"
        assert (await own.post("/time/proposals", {**asked, "reason": "relog"})).json()["code"] == "reason-unknown"
        assert (await own.post(f"/time/proposals/{made['id']}/approve", {})).json()["code"] == "not-permitted"
        # Who has no business there does not see it; the office decides.
        stranger = await signed_in(client, fresh_db, "invigilator", room_ids=hall.room_ids[1:])
        assert (await stranger.get("/time/proposals", session=session)).json()["proposals"] == []
        assert len((await own.get("/time/proposals", session=session)).json()["proposals"]) == 2
        before = await ends(fresh_db)
        # Nobody approves what they proposed themselves, whatever they may decide without a proposal.
        self_made = (await office.post("/time/proposals", asked)).json()["proposal"]["id"]
        refused = await office.post(f"/time/proposals/{self_made}/approve", {})
        assert (refused.status_code, refused.json()["code"]) == (403, "proposal-same-person")
        assert await ends(fresh_db) == before
        for proposal in (made["id"], more.json()["proposal"]["id"]):
            assert (await office.post(f"/time/proposals/{proposal}/approve", {})).status_code == 200
        after = await ends(fresh_db)
        assert {one: after[one] - before[one] for one in hall.everybody} == {
            one: (60 * S if one in hall.rooms[0] else 0) + (120 * S if str(one) == person else 0)
            for one in hall.everybody
        }
