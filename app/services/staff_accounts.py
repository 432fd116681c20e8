"""Accounts of staff: made, found and given rooms by the command line and the demo."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.domain.roles import ROLE_ACTIONS, Role
from app.services import passwords
from app.storage.postgres import audit, staff
from app.storage.postgres.staff import Account

SHORTEST_PASSWORD = 8


async def create(
    conn: AsyncConnection,
    *,
    username: str,
    name: str,
    role: Role,
    password: str,
    room_ids: Sequence[int] = (),
    is_demo: bool = False,
    must_change: bool = False,
    actor: str = "cli",
) -> int:
    """A new account with its rooms, in the caller's transaction; its id. ``must_change``: the password was chosen by
    somebody else, and is good for choosing another one only.

    Ends with the audit entry, so it is the last thing before COMMIT. Refuses staff-exists, staff-bad-name,
    staff-weak-password. Demo accounts have fixed passwords and sign in only where the setting ``demo`` allows it.
    """
    check_username(username)
    if not is_demo:
        check_password(password)
    staff_id = await staff.create(
        conn,
        username=username,
        name=name,
        role=role,
        password_hash=await passwords.hashed(password),
        is_demo=is_demo,
        must_change=must_change,
    )
    if staff_id is None:
        raise Refused("staff-exists", username=username)
    await staff.assign(conn, staff_id, room_ids)
    subject = {"username": username, "name": name, "role": role, "room_ids": sorted(room_ids), "is_demo": is_demo}
    await audit.append(conn, actor=actor, action="staff.add", subject=subject)
    return staff_id


def check_username(username: str) -> None:
    """Refuses staff-bad-name."""
    if not username or username != username.strip() or len(username) > 64 or not username.isprintable():
        raise Refused("staff-bad-name", username=username)


def check_password(password: str) -> None:
    """Refuses staff-weak-password."""
    if len(password) < SHORTEST_PASSWORD:
        raise Refused("staff-weak-password", shortest=SHORTEST_PASSWORD)


async def find(conn: AsyncConnection, username: str) -> Account | None:
    """The account of that username, disabled ones too."""
    return await staff.find(conn, username)


async def room_ids_named(conn: AsyncConnection, names: Sequence[str], *, exam_code: str | None = None) -> list[int]:
    """Ids of rooms by name. Refuses room-unknown, and room-ambiguous when several exams have one of that name."""
    found = await staff.rooms_named(conn, names, exam_code=exam_code)
    for name in names:
        if name not in found:
            raise Refused("room-unknown", room=name)
        if len(found[name]) > 1:
            raise Refused("room-ambiguous", room=name)
    return [found[name][0] for name in names]


async def assign(conn: AsyncConnection, username: str, room_ids: Sequence[int], *, actor: str = "cli") -> None:
    """Make ``room_ids`` the account's rooms. Refuses staff-unknown. Ends with the audit entry."""
    account = await staff.find(conn, username)
    if account is None:
        raise Refused("staff-unknown", username=username)
    await staff.assign(conn, account.id, room_ids)
    subject = {"username": username, "room_ids": sorted(room_ids)}
    await audit.append(conn, actor=actor, action="staff.rooms", subject=subject)


async def set_password(conn: AsyncConnection, username: str, password: str, *, actor: str = "cli") -> int:
    """A new password, to be changed at the next sign-in; every login made with the old one ends, and their number is
    returned.

    Refuses staff-unknown and staff-weak-password. Ends with the audit entry.
    """
    check_password(password)
    account = await staff.find(conn, username)
    if account is None:
        raise Refused("staff-unknown", username=username)
    await staff.set_password_hash(conn, account.id, await passwords.hashed(password), must_change=True)
    ended = await staff.revoke_logins(conn, account.id)
    await audit.append(conn, actor=actor, action="staff.password", subject={"username": username, "logins": ended})
    return ended


async def enable(conn: AsyncConnection, username: str, *, actor: str = "cli") -> None:
    """Let a disabled account sign in again. Refuses staff-unknown. Ends with the audit entry."""
    account = await staff.find(conn, username)
    if account is None:
        raise Refused("staff-unknown", username=username)
    await staff.set_disabled(conn, account.id, disabled=False)
    await audit.append(conn, actor=actor, action="staff.enable", subject={"username": username})


async def revoke(conn: AsyncConnection, username: str, *, disable: bool, actor: str = "cli") -> int:
    """End every login of the account, and with ``disable`` let it never sign in again; how many logins ended.

    Refuses staff-unknown, and staff-last-admin to disable the one administrator there is. Ends with the audit entry.
    """
    account = await staff.find(conn, username)
    if account is None:
        raise Refused("staff-unknown", username=username)
    if disable:
        await keep_an_admin(conn, account)
        await staff.set_disabled(conn, account.id, disabled=True)
    ended = await staff.revoke_logins(conn, account.id)
    action = "staff.disable" if disable else "staff.revoke"
    await audit.append(conn, actor=actor, action=action, subject={"username": username, "logins": ended})
    return ended


async def keep_an_admin(conn: AsyncConnection, leaving: Account) -> None:
    """Refuses staff-last-admin when nobody would be left to let anybody in. Locks the administrators' rows: of two who
    disable each other the second is refused."""
    if leaving.role != "admin":
        return
    # An account of the demo signs in nowhere but there.
    others = [
        one
        for one in await staff.lock_admins(conn)
        if one.id != leaving.id and not one.disabled and one.is_demo <= leaving.is_demo
    ]
    if not others:
        raise Refused("staff-last-admin", username=leaving.username)


def needs_rooms(role: Role) -> bool:
    """Whether an account of this role sees nothing until rooms are assigned to it."""
    return "own" in ROLE_ACTIONS[role].values()
