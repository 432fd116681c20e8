"""The staff's accounts: one's own password, and what an administrator does to the accounts of others.

A password is in no stored request: what tells a repeated request from another one is made with the server's secret.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api.access import SIGNED_IN, needs
from app.api.deps import get_deps
from app.api.schemas.accounts import ChangePassword, NewAccount, SetPassword, SetRooms
from app.api.staff import Id, Key
from app.services import own_password, passwords, staff_admin, staff_requests
from app.services.staff_admin import New
from app.services.staff_requests import Done
from app.services.staff_requests import Request as StaffRequest
from app.storage.postgres.staff import Login

router = APIRouter(prefix="/api/v1/staff", tags=["staff"])
Admin = Annotated[Login, needs("manage-staff")]


async def _once(
    request: Request, login: Login, asked: StaffRequest, act: Callable[[AsyncConnection], Awaitable[Done]]
) -> dict[str, Any]:
    deps = get_deps(request)
    return await staff_requests.once(deps.engine, login, asked, act, now_ms=deps.service_time.now_ms())


def _about(request: Request, key: str, *typed: str) -> dict[str, str]:
    return {"passwords": passwords.fingerprint(get_deps(request).site.secret, key, *typed)}


@router.post("/password")
async def change_password(
    request: Request, login: Annotated[Login, SIGNED_IN], key: Key, body: ChangePassword
) -> dict[str, Any]:
    """One's own password; the account's other logins end: `{logins}`."""
    act = partial(own_password.change, get_deps(request).site, login=login, old=body.old, new=body.new)
    return await _once(request, login, StaffRequest(key, "password", _about(request, key, body.old, body.new)), act)


@router.get("/accounts", dependencies=[needs("manage-staff")])
async def accounts(request: Request) -> dict[str, Any]:
    """Every account: `{accounts: [{id, username, name, role, needs_rooms, is_demo, disabled, must_change, created_at,
    rooms: [{id, name}], logins: [{created_at, expires_at, address}]}], timezone}`, with the logins that are live."""
    async with get_deps(request).engine.connect() as conn:
        return await staff_admin.listed(conn)


@router.post("/accounts")
async def add_account(request: Request, login: Admin, key: Key, body: NewAccount) -> dict[str, Any]:
    """A new account, whose password is changed at its first sign-in: `{id, username}`."""
    new = New(body.username, body.name, body.role, body.password, body.room_ids)
    about = {**body.model_dump(mode="json", exclude={"password"}), **_about(request, key, body.password)}
    asked = StaffRequest(key, "account.add", about)
    return await _once(request, login, asked, partial(staff_admin.add, new=new))


@router.post("/accounts/{account_id}/password")
async def set_password(request: Request, login: Admin, key: Key, account_id: Id, body: SetPassword) -> dict[str, Any]:
    """A password for one sign-in, at which it is changed; every login of the account ends: `{username, logins}`."""
    act = partial(staff_admin.set_password, login=login, staff_id=account_id, password=body.password)
    asked = StaffRequest(key, f"account.password {account_id}", _about(request, key, body.password))
    return await _once(request, login, asked, act)


@router.post("/accounts/{account_id}/disable")
async def disable(request: Request, login: Admin, key: Key, account_id: Id) -> dict[str, Any]:
    """Nobody signs in with it any more, and its logins end: `{username, logins}`."""
    act = partial(staff_admin.disable, login=login, staff_id=account_id)
    return await _once(request, login, StaffRequest(key, f"account.disable {account_id}", {}), act)


@router.post("/accounts/{account_id}/enable")
async def enable(request: Request, login: Admin, key: Key, account_id: Id) -> dict[str, Any]:
    """Let it sign in again: `{username}`."""
    act = partial(staff_admin.enable, login=login, staff_id=account_id)
    return await _once(request, login, StaffRequest(key, f"account.enable {account_id}", {}), act)


@router.post("/accounts/{account_id}/rooms")
async def set_rooms(request: Request, login: Admin, key: Key, account_id: Id, body: SetRooms) -> dict[str, Any]:
    """Make these its rooms, unless others than `seen` are by now: `{username, rooms}`."""
    act = partial(staff_admin.set_rooms, login=login, staff_id=account_id, room_ids=body.room_ids, seen=body.seen)
    asked = StaffRequest(key, f"account.rooms {account_id}", body.model_dump(mode="json"))
    return await _once(request, login, asked, act)


@router.post("/accounts/{account_id}/logins/revoke")
async def revoke_logins(request: Request, login: Admin, key: Key, account_id: Id) -> dict[str, Any]:
    """End every login of the account, open pages too: `{username, logins}`."""
    act = partial(staff_admin.revoke_logins, login=login, staff_id=account_id)
    return await _once(request, login, StaffRequest(key, f"account.revoke {account_id}", {}), act)
