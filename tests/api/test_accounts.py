"""The accounts of the staff through the API: passwords of one's own, and what an administrator does to others."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from starlette.requests import Request

from app.api import staff
from app.domain.errors import Refused
from app.services import staff_accounts
from app.storage.postgres import audit
from tests.candidates import SECRET, running
from tests.factories import world
from tests.staff import PASSWORD, Staff, account, signed_in

OWN = "自己选的密码-1234"
GIVEN = "别人给的密码-1234"


@pytest.fixture
async def made(fresh_db):
    return await world(fresh_db, SECRET.encode())


@pytest.fixture
async def client(fresh_url, redis_url, redis):
    async with running(fresh_url, redis_url) as (_, client):
        yield client


@pytest.fixture
async def admin(client, fresh_db):
    return await signed_in(client, fresh_db, "admin")


async def logged(engine) -> list[tuple[str, dict]]:
    """What the log holds beyond sign-ins and the accounts of the test itself."""
    async with engine.connect() as conn:
        found = await conn.execute(text("SELECT actor, action, subject FROM audit_entry ORDER BY n"))
        assert await audit.verify(conn) is None
    return [(row.action, row.subject) for row in found if row.actor != "cli" and row.action != "staff.sign-in"]


async def one(admin, username) -> dict:
    listed = (await admin.get("/accounts")).json()["accounts"]
    return next(each for each in listed if each["username"] == username)


def code(reply) -> tuple[int, str]:
    return reply.status_code, reply.json().get("code", "")


async def test_a_password_somebody_else_chose_is_good_for_choosing_another(client, fresh_db, admin, made):
    new = {"username": "shen", "name": "沈知夏", "role": "invigilator", "password": GIVEN, "room_ids": [made.room_id]}
    reply = await admin.post("/accounts", new)
    assert reply.status_code == 200, reply.text
    shen = Staff(client, "shen", GIVEN)
    assert (await shen.sign_in()).json()["staff"]["must_change"] is True
    assert code(await shen.get("/sessions")) == (403, "password-must-change")
    assert code(await shen.post("/password", {"old": "not this one", "new": OWN})) == (403, "staff-wrong-password")
    assert code(await shen.post("/password", {"old": GIVEN, "new": "short"})) == (422, "staff-weak-password")
    assert code(await shen.post("/password", {"old": GIVEN, "new": GIVEN})) == (422, "staff-same-password")
    elsewhere = Staff(client, "shen", GIVEN)
    await elsewhere.sign_in()
    reply = await shen.post("/password", {"old": GIVEN, "new": OWN}, key="once")
    assert (reply.status_code, reply.json()) == (200, {"logins": 1})
    # The reply was lost: asked again it is the same, though the old password is no longer the right one.
    assert (await shen.post("/password", {"old": GIVEN, "new": OWN}, key="once")).json() == {"logins": 1}
    assert (await shen.get("/sessions")).status_code == 200
    assert (await shen.get("/me")).json()["staff"]["must_change"] is False
    assert code(await elsewhere.get("/me")) == (401, "login-ended")
    assert code(await Staff(client, "shen", GIVEN).sign_in()) == (401, "staff-sign-in-failed")
    assert (await Staff(client, "shen", OWN).sign_in()).status_code == 200
    assert [(action, subject["username"]) for action, subject in await logged(fresh_db)] == [
        ("staff.add", "shen"), ("staff.own-password", "shen"),
    ]  # fmt: skip
    async with fresh_db.connect() as conn:
        stored = (await conn.execute(text("SELECT string_agg(r::text, ' ') FROM staff_request r"))).scalar_one()
        subjects = (await conn.execute(text("SELECT string_agg(subject::text, ' ') FROM audit_entry"))).scalar_one()
    for secret in (OWN, GIVEN):
        assert secret not in stored
        assert secret not in subjects


async def test_guessing_the_old_password_is_limited_as_the_sign_in_is(client, fresh_db):
    member = await signed_in(client, fresh_db, "office")
    codes = [code(await member.post("/password", {"old": f"guess {n}", "new": OWN}))[1] for n in range(6)]
    assert codes == ["staff-wrong-password"] * 5 + ["staff-too-many-tries"]
    assert code(await member.post("/password", {"old": PASSWORD, "new": OWN})) == (429, "staff-too-many-tries")


async def test_the_list_names_rooms_and_logins_and_no_secret(client, fresh_db, admin, made):
    username = await account(fresh_db, "invigilator", room_ids=[made.room_id])
    member = Staff(client, username)
    await member.sign_in()
    told = await one(admin, username)
    assert told["rooms"] == [{"id": made.room_id, "name": "第01考室"}]
    assert told["needs_rooms"] is True
    assert [set(each) for each in told["logins"]] == [{"created_at", "expires_at", "address"}]
    assert "password_hash" not in told
    assert (await one(admin, admin.username))["needs_rooms"] is False


async def test_a_password_set_by_the_administrator_ends_every_login(client, fresh_db, admin):
    member = await signed_in(client, fresh_db, "office")
    told = await one(admin, member.username)
    reply = await admin.post(f"/accounts/{told['id']}/password", {"password": GIVEN}, key="set")
    assert reply.json() == {"username": member.username, "logins": 1}
    # Under the same key nobody is told that another password was set.
    path = f"/accounts/{told['id']}/password"
    assert (await admin.post(path, {"password": GIVEN}, key="set")).json() == reply.json()
    assert code(await admin.post(path, {"password": OWN}, key="set"))[1] == "idempotency-mismatch"
    assert code(await member.get("/me")) == (401, "login-ended")
    again = Staff(client, member.username, GIVEN)
    assert (await again.sign_in()).json()["staff"]["must_change"] is True


async def test_disabled_and_enabled_and_whoever_comes_second_is_told_who_was_first(client, fresh_db, admin):
    other = await signed_in(client, fresh_db, "admin")
    member = await signed_in(client, fresh_db, "office")
    path = f"/accounts/{(await one(admin, member.username))['id']}"
    first, second = await asyncio.gather(admin.post(f"{path}/disable"), other.post(f"{path}/disable"))
    replies = {reply.status_code: (who, reply) for who, reply in ((admin, first), (other, second))}
    assert set(replies) == {200, 409}
    assert replies[200][1].json() == {"username": member.username, "logins": 1}
    refusal = replies[409][1].json()
    assert (refusal["code"], refusal["by"]) == ("staff-already-disabled", replies[200][0].username)
    assert code(await member.get("/me")) == (401, "login-ended")
    assert code(await member.sign_in()) == (403, "staff-disabled")
    assert (await other.post(f"{path}/enable")).json() == {"username": member.username}
    refusal = (await admin.post(f"{path}/enable")).json()
    assert (refusal["code"], refusal["by"]) == ("staff-already-enabled", other.username)
    assert (await member.sign_in()).status_code == 200
    assert [action for action, _ in await logged(fresh_db)] == ["staff.disable", "staff.enable"]


async def test_logins_are_ended_and_an_account_without_any_is_not_written_down(client, fresh_db, admin):
    member = await signed_in(client, fresh_db, "office")
    path = f"/accounts/{(await one(admin, member.username))['id']}/logins/revoke"
    assert (await admin.post(path)).json() == {"username": member.username, "logins": 1}
    assert (await admin.post(path)).json() == {"username": member.username, "logins": 0}
    assert code(await member.get("/me")) == (401, "login-ended")
    assert [action for action, _ in await logged(fresh_db)] == ["staff.revoke"]


async def test_rooms_are_saved_only_over_those_that_were_seen(client, fresh_db, admin, made):
    username = await account(fresh_db, "invigilator")
    path = f"/accounts/{(await one(admin, username))['id']}/rooms"
    assert (await admin.post(path, {"room_ids": [made.room_id], "seen": []})).status_code == 200
    reply = await admin.post(path, {"room_ids": [], "seen": []})
    assert code(reply) == (409, "staff-rooms-changed")
    assert (reply.json()["rooms"], reply.json()["by"]) == ("第01考室", admin.username)
    assert code(await admin.post(path, {"room_ids": [2**40], "seen": [made.room_id]})) == (404, "not-found")
    assert (await admin.post(path, {"room_ids": [], "seen": [made.room_id]})).json()["rooms"] == []
    subjects = [subject for action, subject in await logged(fresh_db) if action == "staff.rooms"]
    assert [(one["before"], one["room_ids"], one["rooms"]) for one in subjects] == [
        ([], [made.room_id], ["第01考室"]), ([made.room_id], [], []),
    ]  # fmt: skip


@pytest.mark.parametrize("what", ["password", "disable", "enable", "rooms", "logins/revoke"])
async def test_nobody_acts_on_themselves(admin, what):
    me = await one(admin, admin.username)
    body = {"password": {"password": GIVEN}, "rooms": {"room_ids": [], "seen": []}}.get(what)
    assert code(await admin.post(f"/accounts/{me['id']}/{what}", body)) == (403, "staff-own-account")
    assert (await admin.get("/me")).status_code == 200


async def test_two_administrators_who_disable_each_other_leave_one(client, fresh_db, admin):
    other = await signed_in(client, fresh_db, "admin")
    ids = [(await one(admin, each.username))["id"] for each in (other, admin)]
    replies = await asyncio.gather(admin.post(f"/accounts/{ids[0]}/disable"), other.post(f"/accounts/{ids[1]}/disable"))
    assert sorted(reply.status_code for reply in replies) in ([200, 401], [200, 409])
    async with fresh_db.connect() as conn:
        left = await conn.execute(text("SELECT count(*) FROM staff WHERE role = 'admin' AND NOT disabled"))
        assert left.scalar_one() == 1
    async with fresh_db.begin() as conn:
        last = (
            await conn.execute(text("SELECT username FROM staff WHERE role = 'admin' AND NOT disabled"))
        ).scalar_one()
        with pytest.raises(Refused) as refused:
            await staff_accounts.revoke(conn, last, disable=True)
    assert refused.value.code == "staff-last-admin"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"username": " zhang"}, (422, "staff-bad-name")),
        ({"username": "zhang\u200b"}, (422, "staff-bad-name")),
        ({"password": "short"}, (422, "staff-weak-password")),
        ({"role": "root"}, (422, "bad-body")),
        ({"name": ""}, (422, "bad-body")),
        ({"name": "张\x00"}, (422, "bad-body")),
        ({"room_ids": [2**40]}, (404, "not-found")),
        ({"is_demo": True}, (422, "bad-body")),
    ],
)
async def test_what_makes_no_account(admin, fresh_db, change, expected):
    body = {"username": "zhang", "name": "张三", "role": "office", "password": GIVEN} | change
    assert code(await admin.post("/accounts", body)) == expected
    async with fresh_db.connect() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM staff"))).scalar_one() == 1


async def test_a_username_is_not_taken_over(admin):
    body = {"username": "zhang", "name": "张三", "role": "office", "password": GIVEN}
    first, second = await asyncio.gather(admin.post("/accounts", body), admin.post("/accounts", body))
    assert sorted(code(reply) for reply in (first, second)) == [(200, ""), (409, "staff-exists")]


async def test_an_open_page_is_closed_when_its_login_is_ended(fresh_url, fresh_db, redis_url, redis, made, monkeypatch):
    """The stream of a room outlives neither the login nor the assignment; asked at every turn here, else each 10 s."""
    monkeypatch.setattr(staff, "LOGIN_CHECK_S", 0)
    async with running(fresh_url, redis_url) as (app, client):
        admin = await signed_in(client, fresh_db, "admin")
        ended, moved = [await signed_in(client, fresh_db, "invigilator", room_ids=[made.room_id]) for _ in range(2)]

        def stream(member):
            headers = [(b"authorization", f"Bearer {member.token}".encode())]
            request = Request({"type": "http", "app": app, "headers": headers, "state": {}})
            return request, staff.login_of(request)

        for member, act in (
            (ended, lambda told: admin.post(f"/accounts/{told['id']}/logins/revoke")),
            (moved, lambda told: admin.post(f"/accounts/{told['id']}/rooms", {"room_ids": [], "seen": [made.room_id]})),
        ):
            request, login = stream(member)
            events = staff._stream(request, await login, made.room_id, made.session_id)
            assert (await anext(events)).startswith("event: room")
            assert (await act(await one(admin, member.username))).status_code == 200
            said = [event async for event in events]
            code_of = {ended: "login-ended", moved: "not-permitted"}[member]
            assert said[-1] == f'event: closed\ndata: {{"code": "{code_of}"}}\n\n'
