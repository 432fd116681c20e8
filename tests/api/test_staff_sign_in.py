"""Staff sign-in: passwords, limits, and logins that end."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from app.services import staff_accounts
from tests.candidates import SECRET, running
from tests.factories import world
from tests.staff import Staff, account, signed_in


@pytest.fixture
async def made(fresh_db):
    return await world(fresh_db, SECRET.encode())


@pytest.fixture
async def client(fresh_url, redis_url, redis):
    async with running(fresh_url, redis_url) as (_, client):
        yield client


async def test_a_login_names_the_person_their_role_and_their_rooms(client, fresh_db, made):
    member = Staff(client, await account(fresh_db, "invigilator", room_ids=[made.room_id]))
    reply = await member.sign_in()
    assert reply.status_code == 200, reply.text
    told = reply.json()
    assert len(told["token"]) >= 43  # 32 bytes
    assert told["staff"]["role"] == "invigilator"
    assert [room["name"] for room in told["staff"]["rooms"]] == ["第01考室"]
    may = set(told["staff"]["may"])
    assert {"check-in", "mark-seat", "relog", "time-pause-one"} <= may
    assert not may & {"admit-late", "release-room", "read-audit", "time-decide"}
    assert (await member.get("/me")).json()["staff"] == told["staff"]
    async with fresh_db.connect() as conn:
        stored = (await conn.execute(text("SELECT token_hash FROM login"))).scalar_one()
        audited = (await conn.execute(text("SELECT action FROM audit_entry ORDER BY n"))).scalars().all()
    assert told["token"].encode() not in bytes(stored)
    assert audited == ["staff.add", "staff.sign-in"]


async def test_an_account_without_rooms_sees_none_and_the_office_sees_all(client, fresh_db, made):
    nobody = await signed_in(client, fresh_db, "invigilator")
    office = await signed_in(client, fresh_db, "office")
    assert (await nobody.get("/me")).json()["staff"]["rooms"] == []
    assert (await nobody.get("/sessions")).json() == {"sessions": []}
    assert len((await office.get("/me")).json()["staff"]["rooms"]) == 1
    sessions = (await office.get("/sessions")).json()["sessions"]
    assert [(one["number"], one["room_ids"]) for one in sessions] == [(1, [made.room_id])]


async def test_a_wrong_password_and_an_unknown_username_look_the_same(client, fresh_db):
    known = Staff(client, await account(fresh_db, "office"), "wrong password")
    unknown = Staff(client, "nobody-of-that-name", "wrong password")
    replies = [await known.sign_in(), await unknown.sign_in()]
    assert [reply.status_code for reply in replies] == [401, 401]
    first, second = (reply.json() for reply in replies)
    assert first == second
    assert first["code"] == "staff-sign-in-failed"
    assert first["attempts_left"] == 4


async def test_after_five_failures_even_the_right_password_waits(client, fresh_db):
    username = await account(fresh_db, "office")
    wrong = Staff(client, username, "wrong password")
    left = [(await wrong.sign_in()).json()["attempts_left"] for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    reply = await Staff(client, username).sign_in()
    assert (reply.status_code, reply.json()["code"]) == (429, "staff-too-many-tries")
    assert int(reply.headers["retry-after"]) > 0
    other = Staff(client, await account(fresh_db, "office"))
    assert (await other.sign_in()).status_code == 200


async def test_parallel_tries_are_no_way_around_the_limit(client, fresh_db):
    username = await account(fresh_db, "office")
    replies = await asyncio.gather(*(Staff(client, username, f"guess {n}").sign_in() for n in range(12)))
    codes = [reply.status_code for reply in replies]
    assert codes.count(401) == 5
    assert codes.count(429) == 7


async def test_a_success_forgets_the_failures_before_it(client, fresh_db):
    username = await account(fresh_db, "office")
    for _ in range(3):
        for _ in range(4):
            assert (await Staff(client, username, "wrong password").sign_in()).status_code == 401
        assert (await Staff(client, username).sign_in()).status_code == 200


async def test_many_failures_from_one_address_close_it_for_a_while(fresh_url, fresh_db, redis_url, redis):
    async with running(fresh_url, redis_url, address_failures=3) as (_, client):
        for n in range(3):
            assert (await Staff(client, f"nobody-{n}", "wrong password").sign_in()).status_code == 401
        reply = await Staff(client, await account(fresh_db, "office")).sign_in()
        assert reply.json()["code"] == "staff-too-many-tries"


async def test_failures_are_counted_without_redis(fresh_url, fresh_db, tmp_path):
    async with running(fresh_url, f"unix://{tmp_path}/no.sock") as (_, client):
        username = await account(fresh_db, "office")
        codes = [(await Staff(client, username, "wrong password").sign_in()).status_code for _ in range(6)]
        assert codes == [401] * 5 + [429]


async def test_signing_out_ends_this_login_and_no_other(client, fresh_db):
    here = await signed_in(client, fresh_db, "office")
    there = Staff(client, here.username)
    await there.sign_in()
    assert (await here.post("/sign-out")).status_code == 200
    reply = await here.get("/me")
    assert (reply.status_code, reply.json()["code"]) == (401, "login-ended")
    assert (await there.get("/me")).status_code == 200


async def test_a_revoked_login_is_over_at_once(client, fresh_db):
    member = await signed_in(client, fresh_db, "office")
    async with fresh_db.begin() as conn:
        assert await staff_accounts.revoke(conn, member.username, disable=False) == 1
    assert (await member.get("/me")).json()["code"] == "login-ended"
    assert (await member.sign_in()).status_code == 200


async def test_a_disabled_account_is_out_and_stays_out(client, fresh_db):
    member = await signed_in(client, fresh_db, "office")
    async with fresh_db.begin() as conn:
        await staff_accounts.revoke(conn, member.username, disable=True)
    assert (await member.get("/me")).json()["code"] == "login-ended"
    reply = await member.sign_in()
    assert (reply.status_code, reply.json()["code"]) == (403, "staff-disabled")
    # Only who knows the password learns that the account exists.
    wrong = await Staff(client, member.username, "wrong password").sign_in()
    assert wrong.json()["code"] == "staff-sign-in-failed"


async def test_a_sign_in_under_way_does_not_outlive_a_new_password(client, fresh_db):
    username = await account(fresh_db, "office")
    member = Staff(client, username)
    async with fresh_db.begin() as conn:
        await staff_accounts.set_password(conn, username, "另一个测试密码-correct-2")
        waiting = asyncio.create_task(member.sign_in())
        async with fresh_db.connect() as beside:
            for _ in range(1200):
                if await beside.scalar(text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")):
                    break
                await asyncio.sleep(0.05)
            else:
                pytest.fail("the sign-in never came to the account")
    reply = await waiting
    assert (reply.status_code, reply.json()["code"]) == (401, "staff-sign-in-failed")
    assert (await member.sign_in()).status_code == 401


async def test_an_expired_login_is_over(client, fresh_db):
    member = await signed_in(client, fresh_db, "office")
    async with fresh_db.begin() as conn:
        await conn.execute(text("UPDATE login SET expires_at = now() - interval '1 second'"))
    assert (await member.get("/me")).json()["code"] == "login-ended"


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer "}, {"Authorization": "Basic abc"}, {"Authorization": "Bearer x"}]
)
async def test_without_a_login_nothing_is_told(client, headers):
    for path in ("/me", "/sessions", "/rooms/1?session=1", "/rooms/1/events?session=1", "/audit"):
        reply = await client.get(f"/staff{path}", headers=headers)
        assert (reply.status_code, reply.json()["code"]) == (401, "login-ended")


async def test_demo_accounts_sign_in_only_where_the_demo_runs(fresh_url, fresh_db, redis_url, redis):
    username = await account(fresh_db, "office", is_demo=True)
    async with running(fresh_url, redis_url) as (_, client):
        assert (await Staff(client, username).sign_in()).json()["code"] == "staff-demo-account"
    async with running(fresh_url, redis_url, demo=True) as (_, client):
        member = Staff(client, username)
        assert (await member.sign_in()).status_code == 200
    # A login made in the demo is worth nothing on a real server that got the demo's database.
    async with running(fresh_url, redis_url) as (_, client):
        member.client = client
        assert (await member.get("/me")).json()["code"] == "login-ended"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "a"},
        {"username": "", "password": "x"},
        {"username": "a", "password": "x" * 1025},
        {"username": "a\x00", "password": "x"},
        {"username": "a", "password": "x", "more": 1},
    ],
)
async def test_a_malformed_sign_in_is_refused_before_any_work(client, body):
    reply = await client.post("/staff/sign-in", json=body)
    assert (reply.status_code, reply.json()["code"]) == (422, "bad-body")
