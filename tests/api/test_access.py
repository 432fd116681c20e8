"""Who may call what, cell by cell through the API: every endpoint of the staff with every role.

The endpoints are read off the application, so one that is added is in the table or fails here.
"""

from __future__ import annotations

import re
import secrets
from uuid import UUID

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import text
from structlog.testing import capture_logs

from app.api.access import declared
from app.domain.roles import ROLES, allows
from app.main import create_app
from tests.candidates import SECRET, running, test_settings
from tests.docs import flat
from tests.factories import world
from tests.staff import Staff, account, signed_in

PREFIX = "/api/v1"


def staff_routes(app) -> list[APIRoute]:
    return [route for route in flat(app.routes) if getattr(route, "path", "").startswith(f"{PREFIX}/staff")]


@pytest.fixture(scope="module")
def routes() -> list[APIRoute]:
    return staff_routes(create_app(test_settings(), database_url="postgresql:///-", redis_url="redis://-/0"))


def calls(routes) -> list[tuple[str, str, APIRoute]]:
    return [(method, route.path, route) for route in routes for method in sorted(route.methods - {"HEAD"})]


def filled(path: str, **known: object) -> str:
    """The path with ids that exist where the test made some, and that exist nowhere for the rest."""
    nobody = str(UUID(int=0))
    return re.sub(r"{(\w+)}", lambda m: str(known.get(m[1], nobody if m[1].startswith("attempt") else 2**40)), path)


async def ask(member: Staff, method: str, path: str):
    """An empty request: whoever may not is refused before it is read, whoever may is told what it lacks."""
    headers = {"Idempotency-Key": secrets.token_hex(8)} | (member.headers if member.token else {})
    body = {"json": {}} if method == "POST" else {}
    return await member.client.request(method, path.removeprefix(PREFIX), headers=headers, **body)


def test_every_staff_endpoint_says_who_may_call_it(routes):
    assert len(routes) > 20
    silent = []
    for route in routes:
        # A plain route would know neither the login nor its action.
        assert isinstance(route, APIRoute), route.path
        try:
            declared(route)
        except LookupError as fault:
            silent.append(str(fault))
    assert silent == []


def test_only_the_sign_in_is_open_to_everybody(routes):
    open_to_all = [route.path for route in routes if declared(route) is None]
    assert open_to_all == [f"{PREFIX}/staff/sign-in"]
    before_a_password = {route.path for route in routes if (asked := declared(route)) and not asked.new_password}
    assert before_a_password == {f"{PREFIX}/staff/{name}" for name in ("me", "sign-out", "password")}


async def test_every_cell_of_role_and_endpoint(fresh_db, fresh_url, redis_url, redis):
    made = await world(fresh_db, SECRET.encode())
    async with running(fresh_url, redis_url) as (app, client):
        for role in ROLES:
            member = await signed_in(client, fresh_db, role, room_ids=[made.room_id])
            for method, path, route in calls(staff_routes(app)):
                asked = declared(route)
                if asked is None or not asked.actions:
                    continue
                with capture_logs() as logs:
                    reply = await ask(member, method, filled(path, room_id=made.room_id, session_id=made.session_id))
                told = reply.json() if "json" in reply.headers["content-type"] else {}
                where = (role, method, path, told)
                refusals = [line for line in logs if line["event"] == "not permitted"]
                # Not ``asked.admits``: the table is asked, and the endpoint answers.
                if any(allows(role, one, room_id=None, own_room_ids=frozenset()) for one in asked.actions):
                    assert reply.status_code != 401, where
                    assert told.get("code") != "not-permitted", where
                    assert reply.status_code < 500, where
                else:
                    assert (reply.status_code, told["code"]) == (403, "not-permitted"), where
                    assert [(one["staff"], one["method"]) for one in refusals] == [(member.username, method)], where


async def test_without_a_login_or_a_password_of_ones_own_nothing_is_done(fresh_db, fresh_url, redis_url, redis):
    async with running(fresh_url, redis_url) as (app, client):
        nobody = Staff(client, "nobody")
        fresh = Staff(client, await account(fresh_db, "admin", must_change=True))
        assert (await fresh.sign_in()).json()["staff"]["must_change"] is True
        for method, path, route in calls(staff_routes(app)):
            asked = declared(route)
            if asked is None:
                continue
            reply = await ask(nobody, method, filled(path))
            assert (reply.status_code, reply.json()["code"]) == (401, "login-ended"), path
            if asked.new_password:
                reply = await ask(fresh, method, filled(path))
                assert (reply.status_code, reply.json()["code"]) == (403, "password-must-change"), path
        async with fresh_db.connect() as conn:
            done = (await conn.execute(text("SELECT action FROM audit_entry ORDER BY n"))).scalars().all()
        assert done == ["staff.add", "staff.sign-in"]


async def test_a_room_of_somebody_else_is_refused_and_logged(fresh_db, fresh_url, redis_url, redis):
    made = await world(fresh_db, SECRET.encode())
    async with running(fresh_url, redis_url) as (_, client):
        elsewhere = await signed_in(client, fresh_db, "invigilator")
        async with fresh_db.connect() as conn:
            seat = (await conn.execute(text("SELECT id FROM seat WHERE is_spare ORDER BY id LIMIT 1"))).scalar_one()
        asked = [
            ("GET", f"/staff/rooms/{made.room_id}?session={made.session_id}", None),
            ("GET", f"/staff/rooms/{made.room_id}/events?session={made.session_id}", None),
            ("POST", f"/staff/attempts/{made.people[0].attempt}/relog", {"to_seat_id": seat}),
            ("POST", f"/staff/seats/{seat}/mark", {"out_of_order": "键盘失灵"}),
            ("GET", f"/staff/attempts/{made.people[0].attempt}/time", None),
        ]
        for method, path, body in asked:
            headers = {**elsewhere.headers, "Idempotency-Key": secrets.token_hex(8)}
            with capture_logs() as logs:
                reply = await client.request(method, path, json=body, headers=headers)
            assert (reply.status_code, reply.json()["code"]) == (403, "not-permitted"), path
            told = [one["staff"] for one in logs if one["event"] == "not permitted"]
            assert told == [elsewhere.username], path
