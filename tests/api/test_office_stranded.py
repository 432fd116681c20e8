"""What was kept aside, before the office: looked at, adopted, dismissed; on real stores, through the API."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.attempt_proof import Proof, prove
from app.domain.checkpoints import Checkpoint, Row
from app.domain.responses import canonical, value_hash
from app.domain.roles import ROLES
from app.services import ending
from app.storage.postgres import attempt_history, audit
from tests.candidates import SECRET, Candidate, running
from tests.factories import open_relog, world
from tests.staff import Staff, signed_in


@pytest.fixture
async def made(fresh_db):
    return await world(fresh_db, SECRET.encode())


@pytest.fixture
async def hall(fresh_url, redis_url, redis, made):
    async with running(fresh_url, redis_url) as (app, client):
        yield app, client


@pytest.fixture
def client(hall):
    return hall[1]


@pytest.fixture
def site(hall):
    return hall[0].state.deps.site


@pytest.fixture
async def office(client, fresh_db) -> Staff:
    return await signed_in(client, fresh_db, "office")


async def _rows(engine, statement: str, **values) -> list[Any]:
    async with engine.connect() as conn:
        return list((await conn.execute(text(statement), values)).all())


async def moved(client, fresh_db, made, n: int = 0, *, answers=("A",)) -> tuple[Candidate, Candidate]:
    """A candidate at a spare seat, and the PC they left, which gave ``answers`` to the first items before."""
    person = made.people[n]
    old = Candidate(client, person)
    assert (await old.sign_in()).status_code == 200
    for item, value in zip(made.items, answers, strict=False):
        assert (await old.answer(item, value)).json()["durability"] == "durable"
    await open_relog(fresh_db, made, person, made.spares[n])
    new = Candidate(client, person)
    assert (await new.sign_in()).status_code == 200
    new.revs = dict(old.revs)
    return old, new


async def strand(candidate: Candidate, item: int, value, at_ms: int | None = None) -> None:
    reply = await candidate.send(candidate.response(item, value, at_ms))
    assert reply.status_code == 409, reply.text
    assert reply.json()["items"][-1]["status"] == "stranded"


async def listed(office: Staff, made, **more) -> dict:
    reply = await office.get("/stranded", session=made.session_id, **more)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def first(office: Staff, made) -> tuple[dict, dict]:
    """The first item that waits, and the first value kept aside for it."""
    item = (await listed(office, made))["attempts"][0]["items"][0]
    return item, item["kept"][0]


def choice(item: dict, kept: dict) -> dict:
    return {"stranded": kept["stranded"], "seen": item["seen"]}


async def adopt(office: Staff, *choices: dict, key: str | None = None, note: str = "", how: str = "adopt"):
    return await office.post(f"/stranded/{how}", {"items": list(choices), "note": note}, key=key)


async def accepted(candidate: Candidate, item: int):
    return (await candidate.state())["responses"].get(str(item), {}).get("value")


async def whole(engine, attempt) -> Proof:
    """What the auditor's command says of the attempt: nothing is amiss, in its chain, its answers or its adoptions."""
    async with engine.connect() as conn:
        proof = prove(await attempt_history.snapshot(conn, attempt))
        assert await audit.verify(conn) is None
    assert proof.findings == ()
    return proof


async def _audited(engine) -> list[tuple[str, dict]]:
    return [
        tuple(row)
        for row in await _rows(
            engine, "SELECT action, subject FROM audit_entry WHERE action LIKE 'stranded.%' ORDER BY n"
        )
    ]


async def test_the_list_shows_both_values_with_where_and_when(client, fresh_db, made, office):
    async with fresh_db.begin() as conn:
        item = await conn.scalar(
            text(
                "INSERT INTO item_version"
                " (item_id, version, type, topic, stem, options, key, points_milli, content_hash)"
                " SELECT item_id, 2, type, topic, stem, CAST(:o AS jsonb), key, points_milli, content_hash"
                " FROM item_version WHERE id = :i RETURNING id"
            ),
            {"o": '[{"id":"A","text":"甲"},{"id":"B","text":"乙"},{"id":"C","text":"丙"}]', "i": made.items[0]},
        )
        await conn.execute(
            text("UPDATE paper_item SET item_version_id = :v, option_order = 'CAB' WHERE item_version_id = :i"),
            {"v": item, "i": made.items[0]},
        )
    made.items[0] = item
    old, _ = await moved(client, fresh_db, made)
    await strand(old, item, "B")
    # A clock that is wrong by hours shows as no later than the arrival.
    await strand(old, made.items[4], "很长的回答", at_ms=old.service_ms + 2**50)
    told = await listed(office, made)
    assert (told["kept"], told["next"], told["session"]["name"]) == (2, None, "第一场")
    [person] = told["attempts"]
    assert (person["name"], person["ticket"], person["seat"], person["room"], person["state"]) == (
        "考生1", made.people[0].ticket, "备1", "第01考室", "open",
    )  # fmt: skip
    one, other = person["items"]
    assert (one["position"], one["type"], one["stem"]) == (1, "single", "题 1")
    assert [option["id"] for option in one["options"]] == ["C", "A", "B"]
    assert (one["accepted"]["value"], one["accepted"]["seat"], one["accepted"]["adopted_by"]) == ("A", "1", None)
    [kept] = one["kept"]
    assert (kept["value"], kept["seat"], kept["reason"], kept["same"], kept["state"]) == (
        "B", "1", "old_epoch", False, "kept",
    )  # fmt: skip
    assert kept["device"] == old.device_id[: len(kept["device"])]
    assert "电脑" in kept["reason_zh"]
    assert "PC" in kept["reason_en"]
    assert kept["typed_at"] <= kept["received_at"] < "9999"
    # Typed at the last contact of the PC that was left: from there on the move was credited.
    assert (kept["in_credit"], other["kept"][0]["in_credit"]) == (True, False)
    assert other["kept"][0]["typed_at"][:19] <= other["kept"][0]["received_at"][:19]
    assert (other["seen"], other["accepted"], other["kept"][0]["value"]) == (None, None, "很长的回答")
    counts = (await office.get("/stranded/counts")).json()["sessions"]
    assert counts == [{"id": made.session_id, "kept": 2}]


async def test_adopting_makes_it_count_and_says_so_everywhere(client, fresh_db, made, office, site):
    old, new = await moved(client, fresh_db, made)
    item, attempt = made.items[0], made.people[0].attempt
    await strand(old, item, "B")
    seen, kept = await first(office, made)
    reply = await adopt(office, choice(seen, kept), note="考生要求")
    assert reply.status_code == 200, reply.text
    assert reply.json() == {"items": [{"stranded": kept["stranded"], "item": item, "result": "adopted"}]}
    assert await accepted(new, item) == "B"
    assert (await listed(office, made))["attempts"] == []
    [person] = (await listed(office, made, decided=True))["attempts"]
    [decided] = person["items"][0]["kept"]
    assert (decided["state"], decided["decided_by"], decided["note"]) == ("adopted", office.name, "考生要求")
    assert person["items"][0]["accepted"]["adopted_by"] == office.name
    assert person["items"][0]["accepted"]["seat"] == "1"
    [row] = await _rows(fresh_db, "SELECT epoch, rev, adopt_n, seq FROM response_history WHERE adopt_n > 0")
    assert tuple(row) == (old.epoch, 1, 1, 0)
    [(action, subject)] = await _audited(fresh_db)
    assert (action, subject["note"], subject["items"][0]["seen"], subject["items"][0]["version"]) == (
        "stranded.adopt", "考生要求", f"{old.epoch}.1.0", f"{old.epoch}.1.1",
    )  # fmt: skip
    assert "value" not in str(subject)
    # The hot copy has it too, without anybody having looked.
    hot = (await site.hot().read(attempt)).responses[item]
    assert (hot.adopt_n, hot.value) == (1, "B")
    await whole(fresh_db, attempt)


async def test_the_candidates_own_change_wins_before_and_after(client, fresh_db, made, office):
    """The page at the new seat was not loaded again: its revisions are those it knew."""
    old, new = await moved(client, fresh_db, made, answers=("A", ["A"]))
    one, two, fresh = made.items[0], made.items[1], made.items[4]
    for item, value in ((one, "B"), (two, ["B"]), (fresh, "旧机上的话")):
        await strand(old, item, value)
    [person] = (await listed(office, made))["attempts"]
    by_item = {item["item"]: item for item in person["items"]}
    # Moved on while the office was looking: nothing is decided, and what there is now is said.
    assert (await new.answer(two, ["C"])).json()["durability"] == "durable"
    stale = await adopt(office, *(choice(by_item[item], by_item[item]["kept"][0]) for item in (one, two)))
    assert (stale.status_code, stale.json()["code"]) == (409, "adopt-moved-on")
    assert [result["result"] for result in stale.json()["results"]] == ["unchanged", "moved-on"]
    assert "考生1" in stale.json()["detail_zh"]
    assert (await accepted(new, one), await accepted(new, two)) == ("A", ["C"])
    assert await _audited(fresh_db) == []

    adopted = await adopt(office, *(choice(by_item[item], by_item[item]["kept"][0]) for item in (one, fresh)))
    assert adopted.status_code == 200, adopted.text
    assert (await accepted(new, one), await accepted(new, fresh)) == ("B", "旧机上的话")
    # A repeat of what was accepted before is no change, and does not bring it back.
    again = await old.send({"item": one, "rev": 1, "value": "A", "at_ms": old.service_ms})
    assert again.json()["items"][0]["status"] == "durable"
    assert await accepted(new, one) == "B"
    for item, value in ((one, "D"), (fresh, "新的话")):
        assert (await new.answer(item, value)).json()["items"][0]["status"] == "durable"
        assert await accepted(new, item) == value
    # Over nothing too: the first revision of the new seat wins.
    versions = await _rows(fresh_db, "SELECT epoch, rev, adopt_n FROM response WHERE item_id = :i", i=fresh)
    assert [tuple(row) for row in versions] == [(new.epoch, 1, 0)]
    await whole(fresh_db, made.people[0].attempt)


async def test_of_two_members_of_staff_at_once_one_decides(client, fresh_db, made, office):
    other = await signed_in(client, fresh_db, "admin")
    old, new = await moved(client, fresh_db, made)
    item = made.items[0]
    for round_, value in enumerate(("B", "C", "D")):
        await strand(old, item, value)
        seen, kept = await first(office, made)
        replies = await asyncio.gather(
            adopt(office, choice(seen, kept)), adopt(other, choice(seen, kept), how=("adopt", "dismiss")[round_ % 2])
        )
        assert sorted(reply.status_code for reply in replies) == [200, 409], [reply.text for reply in replies]
        [lost] = [reply for reply in replies if reply.status_code == 409]
        assert (lost.json()["code"], lost.json()["results"]) == (
            "stranded-decided", [{"stranded": kept["stranded"], "result": "decided"}],
        )  # fmt: skip
        assert lost.json()["by"] in (office.name, other.name)
    assert len(await _audited(fresh_db)) == 3
    assert await accepted(new, item) == "D"
    await whole(fresh_db, made.people[0].attempt)


async def test_two_values_for_one_item_cannot_both_be_adopted_in_one_click(client, fresh_db, made, office):
    old, new = await moved(client, fresh_db, made)
    await strand(old, made.items[0], "B")
    await strand(old, made.items[0], "C")
    item = (await listed(office, made))["attempts"][0]["items"][0]
    assert [kept["value"] for kept in item["kept"]] == ["B", "C"]
    both = await adopt(office, *(choice(item, kept) for kept in item["kept"]))
    assert (both.status_code, both.json()["code"]) == (409, "adopt-moved-on")
    assert await accepted(new, made.items[0]) == "A"
    # One after the other is a decision each; the second is made on what the first left.
    assert (await adopt(office, choice(item, item["kept"][0]))).status_code == 200
    assert (await adopt(office, choice(item, item["kept"][1]))).json()["code"] == "adopt-moved-on"
    seen, kept = await first(office, made)
    assert (await adopt(office, choice(seen, kept))).status_code == 200
    assert await accepted(new, made.items[0]) == "C"
    assert [tuple(row) for row in await _rows(fresh_db, "SELECT rev, adopt_n FROM response")] == [(1, 2)]
    await whole(fresh_db, made.people[0].attempt)


async def test_the_same_key_again_is_the_same_decision(client, fresh_db, made, office):
    old, new = await moved(client, fresh_db, made)
    await strand(old, made.items[0], "B")
    seen, kept = await first(office, made)
    replies = [await adopt(office, choice(seen, kept), key="one-click") for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200] * 3
    assert replies[0].json() == replies[2].json()
    other = await adopt(office, choice(seen, kept), key="one-click", how="dismiss")
    assert other.json()["code"] == "idempotency-mismatch"
    assert len(await _audited(fresh_db)) == 1
    assert (await new.state())["count"] == 2
    await whole(fresh_db, made.people[0].attempt)


async def test_several_candidates_in_one_click_have_a_link_each(client, fresh_db, made, office):
    chosen = []
    for n in range(2):
        old, _ = await moved(client, fresh_db, made, n, answers=("A", ["A"], "T"))
        for item, value in zip(made.items[:3], ("B", ["B"], "F"), strict=True):
            await strand(old, item, value)
    for person in (await listed(office, made))["attempts"]:
        chosen += [choice(item, item["kept"][0]) for item in person["items"]]
    reply = await adopt(office, *chosen)
    assert [item["result"] for item in reply.json()["items"]] == ["adopted"] * 6
    links = await _rows(
        fresh_db, "SELECT count(DISTINCT link) FROM response_history WHERE adopt_n > 0 GROUP BY attempt_id"
    )
    assert [tuple(row) for row in links] == [(1,), (1,)]
    [(_, subject)] = await _audited(fresh_db)
    assert len(subject["items"]) == 6
    for person in made.people[:2]:
        await whole(fresh_db, person.attempt)


async def test_dismissing_keeps_it_on_record_and_changes_nothing_else(client, fresh_db, made, office):
    old, new = await moved(client, fresh_db, made)
    await strand(old, made.items[0], "B")
    before = await _rows(fresh_db, "SELECT chain, count FROM attempt ORDER BY id")
    seen, kept = await first(office, made)
    reply = await adopt(office, choice(seen, kept), how="dismiss", note="考生确认以现答案为准")
    assert reply.json()["items"][0]["result"] == "dismissed"
    assert await accepted(new, made.items[0]) == "A"
    assert await _rows(fresh_db, "SELECT chain, count FROM attempt ORDER BY id") == before
    [row] = await _rows(fresh_db, "SELECT state, note, decided_ms FROM stranded")
    assert (row.state, row.note) == ("dismissed", "考生确认以现答案为准")
    assert row.decided_ms > 0
    assert (await new.state())["stranded"] == []
    assert [action for action, _ in await _audited(fresh_db)] == ["stranded.dismiss"]


async def test_after_the_end_and_after_final_it_can_be_adopted_and_the_receipt_stays(
    client, fresh_db, made, office, site
):
    person = made.people[0]
    old, new = await moved(client, fresh_db, made)
    receipt = (await new.send(path="hand-in")).json()["receipt"]
    assert receipt["count"] == 1
    await strand(old, made.items[0], "B")
    # The PC at which it was handed in brings one more as well.
    late = await new.answer(made.items[2], "T")
    assert (late.status_code, late.json()["items"][0]["code"]) == (409, "final")
    [told] = (await listed(office, made))["attempts"]
    assert told["state"] == "final"
    assert {item["kept"][0]["reason"] for item in told["items"]} == {"old_epoch", "final"}
    reply = await adopt(office, *(choice(item, item["kept"][0]) for item in told["items"]))
    assert reply.status_code == 200, reply.text
    rows = await _rows(fresh_db, "SELECT item_id, value, late, adopt_n FROM response ORDER BY item_id")
    assert [tuple(row) for row in rows] == [(made.items[0], "B", False, 1), (made.items[2], "T", True, 1)]
    [kept] = await _rows(fresh_db, "SELECT receipt, state, count FROM attempt WHERE id = :a", a=person.attempt)
    assert (kept.receipt, kept.state, kept.count) == (receipt, "final", 3)
    # The head on the receipt is still one of the chain's: what was adopted came behind it.
    befores = await _rows(fresh_db, "SELECT chain_before FROM response_history WHERE adopt_n > 0")
    assert {bytes(row.chain_before).hex() for row in befores} == {receipt["chain"]}
    assert (await whole(fresh_db, person.attempt)).adopted_since == 1

    other = Candidate(client, made.people[1])
    await other.sign_in()
    await ending.end(site, made.people[1].attempt, "forced")
    late = await other.send(other.response(made.items[0], "C", at_ms=other.service_ms + 3_600_000))
    assert late.json()["items"][0]["code"] == "ended"
    seen, one = await first(office, made)
    assert (seen["accepted"], one["reason"]) == (None, "ended")
    assert (await adopt(office, choice(seen, one))).status_code == 200
    assert await accepted(other, made.items[0]) == "C"
    [version] = await _rows(
        fresh_db, "SELECT epoch, rev, adopt_n FROM response WHERE attempt_id = :a", a=made.people[1].attempt
    )
    assert tuple(version) == (0, 1, 1)
    await whole(fresh_db, made.people[1].attempt)


@pytest.mark.parametrize("role", ROLES)
async def test_who_may_see_and_who_may_decide(client, fresh_db, made, role):
    old, _ = await moved(client, fresh_db, made)
    await strand(old, made.items[0], "B")
    [[stranded]] = await _rows(fresh_db, "SELECT id FROM stranded")
    member = await signed_in(client, fresh_db, role, room_ids=[made.room_id])
    sees, decides = role != "invigilator", role in ("office", "admin")
    for path in ("/stranded/counts", "/stranded"):
        reply = await member.get(path, **({"session": made.session_id} if path == "/stranded" else {}))
        assert reply.status_code == (200 if sees else 403), reply.text
    body = {"stranded": stranded, "seen": "not what is there"}
    for how in ("adopt", "dismiss"):
        reply = await adopt(member, body, how=how)
        expected = (409, "adopt-moved-on") if decides else (403, "not-permitted")
        assert (reply.status_code, reply.json()["code"]) == expected
    may = (await member.get("/me")).json()["staff"]["may"]
    assert ("view-stranded" in may, "decide-stranded" in may) == (sees, decides)


async def test_a_chief_sees_only_the_own_rooms(client, fresh_db, made):
    old, _ = await moved(client, fresh_db, made)
    await strand(old, made.items[0], "B")
    elsewhere = await signed_in(client, fresh_db, "chief")
    assert (await listed(elsewhere, made))["attempts"] == []
    assert (await listed(elsewhere, made))["kept"] == 0
    here = await signed_in(client, fresh_db, "chief", room_ids=[made.room_id])
    assert (await listed(here, made))["kept"] == 1


async def test_nothing_of_an_item_is_shown_before_its_session_begins(client, fresh_db, made, office):
    old, _ = await moved(client, fresh_db, made)
    await strand(old, made.items[0], "B")
    seen, kept = await first(office, made)
    async with fresh_db.begin() as conn:
        await conn.execute(text("UPDATE session SET start_ms = 900000000"))
    reply = await office.get("/stranded", session=made.session_id)
    assert (reply.status_code, reply.json()["code"]) == (403, "session-not-begun")
    assert (await adopt(office, choice(seen, kept))).json()["code"] == "session-not-begun"
    async with fresh_db.begin() as conn:
        await conn.execute(text("UPDATE session SET start_ms = NULL"))
    assert (await office.get("/stranded", session=made.session_id)).json()["code"] == "session-not-begun"
    assert (await office.get("/stranded", session=10**9)).json()["code"] == "not-found"


async def test_pages_follow_each_other_and_lose_nobody(client, fresh_db, made, office):
    for n in range(2):
        old, _ = await moved(client, fresh_db, made, n)
        await strand(old, made.items[0], "B")
    page = await listed(office, made, limit=1)
    assert (page["kept"], len(page["attempts"])) == (2, 1)
    # Deciding on the first page does not shift the second.
    item = page["attempts"][0]["items"][0]
    assert (await adopt(office, choice(item, item["kept"][0]), how="dismiss")).status_code == 200
    rest = await listed(office, made, limit=1, after=page["next"])
    assert [person["name"] for person in rest["attempts"]] == ["考生2"]
    assert rest["next"] is None


async def test_a_bad_body_is_refused_and_an_unknown_answer_not_found(made, office):
    for body in (
        {"items": []},
        {"items": [{"stranded": 1}]},
        {"items": [{"stranded": 0, "seen": None}]},
        {"items": [{"stranded": 1, "seen": None}] * 2},
        {"items": [{"stranded": 1, "seen": "x" * 200}]},
        {"items": [{"stranded": 1, "seen": None}], "extra": 1},
    ):
        assert (await office.post("/stranded/adopt", body)).json()["code"] == "bad-body"
    reply = await adopt(office, {"stranded": 10**9, "seen": None})
    assert (reply.status_code, reply.json()["code"]) == (404, "not-found")


async def test_what_is_still_buffered_is_seen_before_anything_is_decided(client, fresh_db, made, office, site):
    """An answer of the candidate's that lies in Redis only refuses the decision instead of being decided over."""
    old, new = await moved(client, fresh_db, made)
    item, attempt = made.items[0], made.people[0].attempt
    await strand(old, item, "B")
    seen, kept = await first(office, made)
    row = Row(item, 2, canonical("D").decode(), value_hash("D"), new.service_ms)
    [[verdict, *_]] = await site.hot().append(
        [Checkpoint(attempt, new.epoch, seq=9, stamp_ms=new.service_ms, rows=[row])]
    )
    assert verdict == b"ok"
    reply = await adopt(office, choice(seen, kept))
    assert (reply.status_code, reply.json()["code"]) == (409, "adopt-moved-on")
    assert await accepted(new, item) == "D"


async def test_a_candidates_open_page_is_told(client, fresh_db, made, office, hall):
    app, _ = hall
    old, _ = await moved(client, fresh_db, made)
    await strand(old, made.items[0], "B")
    seen, kept = await first(office, made)
    with app.state.hub.stream(str(made.people[0].attempt), since=time.monotonic(), paused=False) as queue:
        for _ in range(600):
            if app.state.deps.site.store.up and (await site_listens(app)):
                break
            await asyncio.sleep(0.1)
        assert (await adopt(office, choice(seen, kept))).status_code == 200
        async with asyncio.timeout(60):
            while (event := await queue.get()).name != "adopted":
                pass
    assert event.attempt == str(made.people[0].attempt)


async def site_listens(app) -> bool:
    site = app.state.deps.site
    [[_, listeners]] = await site.store.call(site.store.client.pubsub_numsub(site.keys.events))
    return listeners > 0


async def test_without_redis_the_office_decides_all_the_same(fresh_url, fresh_db, made):
    """Nothing listens there: neither the repair before nor the hot copy and the push after are needed."""
    async with running(fresh_url, "redis://127.0.0.1:1/0") as (_, client):
        office = await signed_in(client, fresh_db, "office")
        old, new = await moved(client, fresh_db, made)
        await strand(old, made.items[0], "B")
        seen, kept = await first(office, made)
        reply = await adopt(office, choice(seen, kept))
        assert reply.status_code == 200, reply.text
        assert await accepted(new, made.items[0]) == "B"
        assert (await new.answer(made.items[0], "C")).json()["durability"] == "durable"
        assert await accepted(new, made.items[0]) == "C"
        await whole(fresh_db, made.people[0].attempt)
