"""The candidate's protocol, end to end on real stores."""

from __future__ import annotations

import asyncio
import time

import pytest
from sqlalchemy import text

from app.domain.errors import ClockUnconfirmed
from app.storage.postgres import schedule
from tests.candidates import SECRET, Candidate, running
from tests.factories import open_relog, world

SEAT = {"room": "第01考室", "seat": "1"}


@pytest.fixture
async def made(fresh_db):
    return await world(fresh_db, SECRET.encode())


@pytest.fixture
async def hall(fresh_url, redis_url, redis, made):
    async with running(fresh_url, redis_url) as (app, client):
        await _until_ready(client)
        yield app, client


async def _until_ready(client) -> None:
    for _ in range(100):
        reply = await client.get("http://test/readyz")
        if reply.status_code == 200 and reply.json()["postgres"]:
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"not ready: {reply.text}")


async def test_a_candidate_signs_in_answers_and_finds_the_answers_again(hall, made):
    _, client = hall
    one = Candidate(client, made.people[0])
    reply = await one.sign_in(seat=SEAT)
    assert reply.status_code == 200, reply.text
    signed = reply.json()
    assert signed["candidate"]["ticket"] == "EXAM-1"
    assert "id_number" not in reply.text
    assert signed["clock"]["state"] == "running"
    assert signed["seat"]["seat"] == "1"

    reply = await one.answer(made.items[0], "A")
    assert reply.status_code == 200, reply.text
    data = reply.json()
    assert data["durability"] == "durable"
    assert data["items"] == [{"item": made.items[0], "rev": 1, "status": "durable"}]
    assert data["acked_seq"] == 1
    assert data["count"] == 1

    state = await one.state()
    assert state["responses"][str(made.items[0])]["value"] == "A"
    assert state["next_seq"] == 2


async def test_a_repeated_request_changes_nothing_and_is_durable_again(hall, made):
    _, client = hall
    one = Candidate(client, made.people[0])
    await one.sign_in()
    body = {"seq": 1, "responses": [one.response(made.items[0], "A")]}
    first = await client.post("/attempt/checkpoints", json=body, headers=one.headers)
    second = await client.post("/attempt/checkpoints", json=body, headers=one.headers)
    assert [reply.json()["durability"] for reply in (first, second)] == ["durable", "durable"]
    assert second.json()["count"] == 1


async def test_an_older_revision_that_arrives_late_does_not_win(hall, made):
    _, client = hall
    one = Candidate(client, made.people[0])
    await one.sign_in()
    item = made.items[0]
    old, new = one.response(item, "A"), one.response(item, "B")
    await one.send(new)
    await one.send(old)
    assert (await one.state())["responses"][str(item)]["value"] == "B"


async def test_all_five_types_and_a_cleared_answer(hall, made):
    _, client = hall
    one = Candidate(client, made.people[0])
    await one.sign_in()
    values = ["B", ["A", "C"], "F", ["1.5", "2"], "第一行\n第二行 𠮷"]
    reply = await one.send(*[one.response(item, value) for item, value in zip(made.items, values, strict=False)])
    assert reply.json()["durability"] == "durable"
    await one.answer(made.items[0], None)
    responses = (await one.state())["responses"]
    assert [responses[str(item)]["value"] for item in made.items[:5]] == [None, *values[1:]]


async def test_one_bad_response_harms_no_neighbour(hall, made):
    _, client = hall
    one = Candidate(client, made.people[0])
    await one.sign_in()
    bodies = [
        ("not-on-paper", {"item": 999_999_999, "rev": 1, "value": "A", "at_ms": 1}),
        ("bad-value", {"item": made.items[0], "rev": 1, "value": ["A"], "at_ms": 1}),
        ("bad-characters", {"item": made.items[4], "rev": 1, "value": "a\x00b", "at_ms": 1}),
        ("bad-characters", {"item": made.items[9], "rev": 1, "value": "a\ud800b", "at_ms": 1}),
    ]
    reply = await one.send(*[body for _, body in bodies], one.response(made.items[2], "T"))
    assert reply.status_code == 200, reply.text
    statuses = [(item["status"], item.get("code")) for item in reply.json()["items"]]
    assert statuses == [*[("refused", code) for code, _ in bodies], ("durable", None)]
    assert (await one.state())["responses"].keys() == {str(made.items[2])}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 422, "bad-body"),
        (b"[]", 422, "bad-body"),
        (b'{"seq": 0}', 422, "bad-body"),
        (b'{"seq": 1, "responses": [{"item": 1, "rev": -1, "at_ms": 0}]}', 422, "bad-body"),
        (b'{"seq": 1, "responses": [{"item": "x"}]}', 422, "bad-body"),
        (b"\xff\xfe", 422, "bad-body"),
        (b'{"seq": 1, "responses": ' + b"[" * 5000 + b"]" * 5000 + b"}", 422, "bad-body"),
        (b"x" * 300_000, 413, "body-too-large"),
    ],
)
async def test_a_malformed_body_is_refused_in_words(hall, made, body, status, code):
    _, client = hall
    one = Candidate(client, made.people[0])
    await one.sign_in()
    reply = await client.post("/attempt/checkpoints", content=body, headers=one.headers)
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["detail_zh"] != reply.json()["detail_en"]


async def test_more_responses_than_allowed_and_a_text_too_long(hall, made):
    _, client = hall
    one = Candidate(client, made.people[0])
    await one.sign_in()
    many = [{"item": made.items[0], "rev": n, "value": "A", "at_ms": 1} for n in range(1, 202)]
    reply = await one.send(*many)
    assert (reply.status_code, reply.json()["code"]) == (422, "too-many-responses")
    reply = await one.send(one.response(made.items[4], "长" * 20_001))
    assert reply.json()["items"][0]["code"] == "text-too-long"


async def test_another_device_is_refused_until_the_invigilator_moves_the_candidate(hall, made, fresh_db):
    _, client = hall
    old, new = Candidate(client, made.people[0]), Candidate(client, made.people[0])
    await old.sign_in()
    await old.answer(made.items[0], "A")
    refused = await new.sign_in()
    assert (refused.status_code, refused.json()["code"]) == (409, "lease-held")
    assert refused.json()["seat"] == "1"

    await open_relog(fresh_db, made, made.people[0], made.spares[0])
    # The click alone fences nobody.
    assert (await old.answer(made.items[1], ["A"])).status_code == 200

    wrong = await new.sign_in(seat={"room": "第01考室", "seat": "备2"})
    assert (wrong.status_code, wrong.json()["code"], wrong.json()["expected"]) == (403, "wrong-seat", "备1")
    arrived = await new.sign_in(seat={"room": "第01考室", "seat": "备1"})
    assert arrived.status_code == 200, arrived.text
    assert arrived.json()["seat"]["seat"] == "备1"
    assert set((await new.state())["responses"]) == {str(made.items[0]), str(made.items[1])}

    late = await old.answer(made.items[2], "T")
    assert (late.status_code, late.json()["code"]) == (409, "superseded")
    assert late.json()["items"][0]["status"] == "stranded"
    state = await new.state()
    assert str(made.items[2]) not in state["responses"]
    assert [one["item"] for one in state["stranded"]] == [made.items[2]]


async def test_a_move_costs_no_time(hall, made, fresh_db):
    _, client = hall
    old, new = Candidate(client, made.people[0]), Candidate(client, made.people[0])
    await old.sign_in()
    before = (await old.answer(made.items[0], "A")).json()["clock"]["remaining_ms"]
    await open_relog(fresh_db, made, made.people[0], made.spares[0])
    await asyncio.sleep(3)
    await new.sign_in()
    ready = (await client.post("/attempt/ready", headers=new.headers)).json()
    after = ready["clock"]["remaining_ms"]
    assert abs(before - after) <= 1000
    assert any(part["kind"] == "credit" for part in ready["clock"]["because"])
    again = (await client.post("/attempt/ready", headers=new.headers)).json()
    assert again["gap_ms"] == 0


async def test_the_same_device_comes_back_under_its_own_epoch(hall, made):
    _, client = hall
    one = Candidate(client, made.people[0])
    first = (await one.sign_in()).json()
    await one.answer(made.items[0], "A")
    again = (await one.sign_in()).json()
    assert again["epoch"] == first["epoch"]
    assert again["next_seq"] == 2


async def test_sign_in_failures_are_counted_and_successes_are_not(hall, made):
    _, client = hall
    one = Candidate(client, made.people[1])
    for _ in range(6):
        assert (await one.sign_in()).status_code == 200
    body = {"ticket": " ｅxam-2", "id_tail": "000000"}
    codes = [(await client.post("/candidate/sign-in", json=body)).json()["code"] for _ in range(6)]
    assert codes == ["sign-in-failed"] * 5 + ["too-many-tries"]
    limited = await client.post("/candidate/sign-in", json=body)
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "300")
    other = Candidate(client, made.people[2])
    assert (await other.sign_in()).status_code == 200


async def test_hand_in_gives_a_receipt_and_ends_everything(hall, made):
    _, client = hall
    one = Candidate(client, made.people[0])
    await one.sign_in()
    await one.answer(made.items[0], "A")
    reply = await one.send(one.response(made.items[2], "F"), path="hand-in")
    assert reply.status_code == 200, reply.text
    receipt = reply.json()["receipt"]
    assert (receipt["answered"], receipt["total"], receipt["count"]) == (2, 10, 2)
    assert len(receipt["answers_hash"].replace(" ", "")) == 12
    # A lost reply: the same hand-in again gives the same receipt.
    repeat = await client.post("/attempt/hand-in", json={"seq": 2, "responses": []}, headers=one.headers)
    assert repeat.json()["receipt"] == receipt
    late = await one.answer(made.items[5], "B")
    assert (late.status_code, late.json()["code"]) == (409, "closed")
    assert (await client.get("/attempt/paper", headers=one.headers)).json()["code"] == "closed"


async def test_bad_tokens(hall, made):
    _, client = hall
    for headers in ({}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic abc"}):
        reply = await client.get("/attempt", headers=headers)
        assert (reply.status_code, reply.json()["code"]) == (401, "bad-token")


async def test_the_paper_is_served_as_prepared(hall, made):
    _, client = hall
    one = Candidate(client, made.people[0])
    await one.sign_in()
    reply = await client.get("/attempt/paper", headers=one.headers)
    assert reply.headers["content-encoding"] == "gzip"
    assert reply.json() == {"paper": "p", "sections": []}
    unchanged = await client.get("/attempt/paper", headers={**one.headers, "If-None-Match": reply.headers["etag"]})
    assert unchanged.status_code == 304


async def test_a_stream_begins_with_a_snapshot_and_tells_of_a_move(hall, made, fresh_db):
    app, client = hall
    one, two = Candidate(client, made.people[0]), Candidate(client, made.people[0])
    await one.sign_in()
    await open_relog(fresh_db, made, made.people[0], made.spares[0])
    hub = app.state.hub
    with hub.stream(str(made.people[0].attempt), since=time.monotonic(), paused=False) as queue:
        for _ in range(600):
            await asyncio.sleep(0.02)
            (_, heard_by), *_ = await app.state.deps.site.redis.pubsub_numsub(app.state.deps.site.keys.events)
            if heard_by:
                break
        await two.sign_in()
        event = await asyncio.wait_for(queue.get(), 40)
    assert event.name == "superseded"


async def test_unknown_addresses_and_methods(hall):
    _, client = hall
    assert (await client.get("/nothing")).json()["code"] == "not-found"
    refused = await client.delete("/attempt")
    assert (refused.status_code, refused.json()["code"]) == (405, "bad-method")
    assert "GET" in refused.headers["allow"]


@pytest.mark.parametrize("path", ["/candidate/sign-in", "/attempt/checkpoints", "/staff/sign-in"])
async def test_no_call_takes_a_body_over_the_limit(hall, made, path):
    """Also from somebody who has not signed in, and also when the length is not told beforehand."""
    _, client = hall

    async def pieces():
        for _ in range(300):
            yield b"x" * 1024

    headers = {"Content-Type": "application/json"}
    if path.startswith("/attempt"):
        one = Candidate(client, made.people[0])
        await one.sign_in()
        headers |= one.headers
    for content in (b"x" * 300_000, pieces()):
        reply = await client.post(path, content=content, headers=headers)
        assert (reply.status_code, reply.json()["code"]) == (413, "body-too-large")


async def test_a_burst_of_parallel_tries_is_no_way_around_the_limit(hall, made):
    _, client = hall
    body = {"ticket": made.people[3].ticket, "id_tail": "999999"}
    codes: list[str] = []
    for _ in range(20):
        # A burst that meets a starved process is not judged, and not counted.
        replies = await asyncio.gather(*[client.post("/candidate/sign-in", json=body) for _ in range(30)])
        codes += [reply.json()["code"] for reply in replies]
        if "too-many-tries" in codes:
            break
    assert codes.count("sign-in-failed") <= 5
    assert set(codes) <= {"sign-in-failed", "too-many-tries", "unavailable", "record-away"}
    assert "too-many-tries" in codes


async def test_a_try_that_could_not_be_judged_is_not_counted(hall, made, monkeypatch):
    app, client = hall
    body = {"ticket": made.people[3].ticket, "id_tail": made.people[3].tail}

    def unknown() -> int:
        raise ClockUnconfirmed

    with monkeypatch.context() as patched:
        patched.setattr(app.state.deps.service_time, "now_ms", unknown)
        codes = {(await client.post("/candidate/sign-in", json=body)).json()["code"] for _ in range(8)}
    assert codes == {"unavailable"}
    assert (await client.post("/candidate/sign-in", json=body)).status_code == 200


async def test_the_limit_per_address_stops_whoever_tries_many_tickets(fresh_url, redis_url, redis, made):
    async with running(fresh_url, redis_url, address_failures=3) as (_, client):
        await _until_ready(client)
        codes = []
        for n in range(5):
            reply = await client.post("/candidate/sign-in", json={"ticket": f"NONE-{n}", "id_tail": "111111"})
            codes.append(reply.json()["code"])
        assert codes == ["sign-in-failed"] * 3 + ["too-many-tries"] * 2


async def test_a_forwarded_address_is_believed_only_from_a_listed_proxy(fresh_url, redis_url, redis, made):
    for proxies, expected in (([], "too-many-tries"), (["127.0.0.1"], "sign-in-failed")):
        await redis.flushdb()
        async with running(fresh_url, redis_url, address_failures=2, trusted_proxies=proxies) as (_, client):
            await _until_ready(client)
            for n in range(3):
                reply = await client.post(
                    "/candidate/sign-in",
                    json={"ticket": f"NONE-{n}", "id_tail": "111111"},
                    headers={"X-Forwarded-For": f"10.0.0.{n}"},
                )
            assert reply.json()["code"] == expected


async def test_logs_carry_ids_and_never_an_answer_or_an_id_number(hall, made, capfd):
    """Every request line names the attempt; what a candidate wrote, who they are and their token are in no line."""
    _, client = hall
    one = Candidate(client, made.people[0])
    await one.sign_in()
    await one.answer(made.items[4], "绝密答案ZQ")
    await one.answer(made.items[0], ["wrong shape"])
    await client.get("/attempt/paper", headers=one.headers)
    reply = await one.send({"item": made.items[0], "rev": -1, "value": "绝密答案ZQ", "at_ms": 0})
    assert reply.status_code == 422
    out, err = capfd.readouterr()
    logged = out + err
    assert str(made.people[0].attempt) in logged
    assert "/attempt/paper" in logged
    for secret in ("绝密答案ZQ", "wrong shape", made.people[0].tail, one.token, one.lease_secret):
        assert secret not in logged


async def test_a_device_that_brings_its_own_pair_survives_a_lost_sign_in_reply(hall, made):
    _, client = hall
    body = {"ticket": made.people[0].ticket, "id_tail": made.people[0].tail, "device_id": "d" * 32}
    body["lease_secret"] = "s" * 64
    first = (await client.post("/candidate/sign-in", json=body)).json()
    second = (await client.post("/candidate/sign-in", json=body)).json()
    assert (first["device_id"], first["lease_secret"]) == (body["device_id"], body["lease_secret"])
    assert second["epoch"] == first["epoch"]
    other = await client.post("/candidate/sign-in", json={**body, "lease_secret": "t" * 64})
    assert other.json()["code"] == "lease-held"


async def test_a_nul_anywhere_is_refused_in_words(hall, made):
    _, client = hall
    good = {"ticket": made.people[0].ticket, "id_tail": made.people[0].tail}
    nul = "a" + chr(0)
    for bad in ({"device_id": nul}, {"lease_secret": nul * 20}, {"seat": {"room": nul, "seat": "1"}}, {"ticket": nul}):
        reply = await client.post("/candidate/sign-in", json=good | bad)
        assert (reply.status_code, reply.json()["code"]) == (422, "bad-body")
    one = Candidate(client, made.people[0])
    await one.sign_in()
    reply = await client.get("/attempt/media/a%00", headers=one.headers)
    assert (reply.status_code, reply.json()["code"]) == (404, "not-found")


async def test_a_process_that_has_not_looked_yet_sends_nobody_back_to_waiting(
    fresh_url, fresh_db, redis_url, redis, monkeypatch
):
    monkeypatch.setattr("app.main.PLANS_EVERY_S", 3600.0)
    made = await world(fresh_db, SECRET.encode(), start_ms=None)
    async with (
        running(fresh_url, redis_url) as (_, first),
        running(fresh_url, redis_url) as (_, second),
    ):
        await _until_ready(first)
        await _until_ready(second)
        async with fresh_db.begin() as conn:
            now_ms = await conn.scalar(text("SELECT counter_ms FROM service_clock"))
            await schedule.anchor(conn, made.session_id, now_ms + 600_000)
        one = Candidate(first, made.people[0])
        assert (await one.sign_in()).status_code == 200
        one.client = second
        clock = (await one.send()).json()["clock"]
        assert clock["state"] == "waiting"
        assert 590_000 < clock["starts_in_ms"] <= 600_000
