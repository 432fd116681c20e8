"""What an administrator does to the accounts of others, at the console.

Each is one act of a request (``staff_requests.once``): the account's row is locked first, so of two administrators at
once the second is told what the first one did. Nobody acts on themselves here: the one who could lift their own rights
could also lock everybody out by a slip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.domain.roles import Role
from app.services import passwords
from app.services.staff_accounts import check_password, check_username, keep_an_admin, needs_rooms
from app.services.staff_requests import Done
from app.storage.postgres import audit_search, staff, staff_accounts
from app.storage.postgres.staff import Account, Login


@dataclass(frozen=True, slots=True)
class New:
    """An account to be made; ``password`` is good for one sign-in, at which it is changed."""

    username: str
    name: str
    role: Role
    password: str
    room_ids: Sequence[int]


async def listed(conn: AsyncConnection) -> dict[str, Any]:
    """``{accounts, timezone}``: every account (``storage.postgres.staff_accounts.listed``), and whether its role needs
    rooms."""
    found = await staff_accounts.listed(conn)
    accounts = [{**_told(one), "needs_rooms": needs_rooms(one["role"])} for one in found]
    return {"accounts": accounts, "timezone": await audit_search.timezone(conn)}


async def add(conn: AsyncConnection, new: New) -> Done:
    """``{id, username}``. Refuses staff-bad-name, staff-weak-password, staff-exists, not-found (a room)."""
    check_username(new.username)
    check_password(new.password)
    names = await _rooms(conn, new.room_ids)
    staff_id = await staff.create(
        conn,
        username=new.username,
        name=new.name,
        role=new.role,
        password_hash=await passwords.hashed(new.password),
        must_change=True,
    )
    if staff_id is None:
        raise Refused("staff-exists", username=new.username)
    await staff.assign(conn, staff_id, new.room_ids)
    subject = {"username": new.username, "name": new.name, "role": new.role, **_subject(new.room_ids, names)}
    return Done({"id": staff_id, "username": new.username}, "staff.add", subject)


async def set_password(conn: AsyncConnection, login: Login, staff_id: int, password: str) -> Done:
    """A password for one sign-in, and the end of every login: ``{username, logins}``."""
    check_password(password)
    account = await _other(conn, login, staff_id)
    await staff.set_password_hash(conn, account.id, await passwords.hashed(password), must_change=True)
    ended = await staff.revoke_logins(conn, account.id)
    reply = {"username": account.username, "logins": ended}
    return Done(reply, "staff.password", reply)


async def disable(conn: AsyncConnection, login: Login, staff_id: int) -> Done:
    """Nobody signs in with it any more, and every login ends: ``{username, logins}``.

    Refuses staff-own-account, staff-last-admin, staff-already-disabled (by whom, when).
    """
    # The administrators before the account: two who disable each other lock the same rows in the same order.
    known = await _find(conn, staff_id)
    if known.id != login.staff_id:
        await keep_an_admin(conn, known)
    account = await _other(conn, login, staff_id)
    if account.disabled:
        raise await _already(conn, "staff-already-disabled", account, "staff.disable")
    await staff.set_disabled(conn, account.id, disabled=True)
    reply = {"username": account.username, "logins": await staff.revoke_logins(conn, account.id)}
    return Done(reply, "staff.disable", reply)


async def enable(conn: AsyncConnection, login: Login, staff_id: int) -> Done:
    """``{username}``. Refuses staff-own-account, staff-already-enabled (by whom, when)."""
    account = await _other(conn, login, staff_id)
    if not account.disabled:
        raise await _already(conn, "staff-already-enabled", account, "staff.enable", "staff.add")
    await staff.set_disabled(conn, account.id, disabled=False)
    reply = {"username": account.username}
    return Done(reply, "staff.enable", reply)


async def set_rooms(
    conn: AsyncConnection, login: Login, staff_id: int, room_ids: Sequence[int], *, seen: Sequence[int]
) -> Done:
    """Make these the account's rooms: ``{username, rooms}``. ``seen``: those the page showed before.

    Refuses staff-own-account, staff-rooms-changed (to what, by whom, when), not-found.
    """
    account = await _other(conn, login, staff_id)
    names = await _rooms(conn, room_ids)
    now = await staff_accounts.room_ids(conn, account.id)
    if sorted(set(seen)) != now:
        there = await staff_accounts.room_names(conn, now)
        raise await _already(
            conn,
            "staff-rooms-changed",
            account,
            "staff.rooms",
            "staff.add",
            "duty.change",
            rooms="、".join(there.values()) or "—",
        )
    await staff.assign(conn, account.id, room_ids)
    subject = {"username": account.username, "before": now, **_subject(room_ids, names)}
    return Done({"username": account.username, "rooms": sorted(set(room_ids))}, "staff.rooms", subject)


async def revoke_logins(conn: AsyncConnection, login: Login, staff_id: int) -> Done:
    """End every login of the account: ``{username, logins}``; with none nothing is written down."""
    account = await _other(conn, login, staff_id)
    ended = await staff.revoke_logins(conn, account.id)
    reply = {"username": account.username, "logins": ended}
    return Done(reply, "staff.revoke", reply) if ended else Done(reply)


async def _find(conn: AsyncConnection, staff_id: int) -> Account:
    account = await staff.by_id(conn, staff_id)
    if account is None:
        raise Refused("not-found")
    return account


async def _other(conn: AsyncConnection, login: Login, staff_id: int) -> Account:
    """The account, locked. Refuses not-found, and staff-own-account."""
    account = await staff.lock(conn, staff_id)
    if account is None:
        raise Refused("not-found")
    if account.id == login.staff_id:
        raise Refused("staff-own-account")
    return account


async def _already(conn: AsyncConnection, code: str, account: Account, *actions: str, **more: str) -> Refused:
    """What somebody else did first, with who it was and when."""
    last = await staff_accounts.last_change(conn, account.username, actions)
    by, at = (last["by"], f"{last['at']:%m-%d %H:%M}") if last is not None else ("—", "—")
    return Refused(code, username=account.username, by=by, at=at, **more)


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


async def _rooms(conn: AsyncConnection, room_ids: Sequence[int]) -> dict[int, str]:
    names = await staff_accounts.room_names(conn, room_ids)
    if set(names) != set(room_ids):
        raise Refused("not-found")
    return names


def _subject(room_ids: Sequence[int], names: dict[int, str]) -> dict[str, object]:
    return {"room_ids": sorted(set(room_ids)), "rooms": list(names.values())}


def _told(one: dict[str, Any]) -> dict[str, Any]:
    logins = [{**each, "created_at": _moment(each["created_at"]), "expires_at": _moment(each["expires_at"])}
              for each in one["logins"]]  # fmt: skip
    return {**one, "created_at": _moment(one["created_at"]), "logins": logins}
