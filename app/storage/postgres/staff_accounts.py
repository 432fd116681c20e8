"""The staff's accounts as an administrator looks at them: with their rooms, their logins, and who changed them last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.storage.postgres.audit_search import timezone
from app.storage.postgres.tables import audit_entry, login, room, staff, staff_room


async def listed(conn: AsyncConnection) -> list[dict[str, Any]]:
    """Every account by username: ``[{id, username, name, role, is_demo, disabled, must_change, created_at, rooms:
    [{id, name}], logins: [{created_at, expires_at, address}]}]``, live logins only, the newest first."""
    query = sa.select(
        staff.c.id,
        staff.c.username,
        staff.c.name,
        staff.c.role,
        staff.c.is_demo,
        staff.c.disabled,
        staff.c.must_change,
        staff.c.created_at,
    ).order_by(staff.c.username)
    accounts = {row["id"]: {**row, "rooms": [], "logins": []} for row in (await conn.execute(query)).mappings()}
    assigned = (
        sa.select(staff_room.c.staff_id, room.c.id, room.c.name)
        .join(room, room.c.id == staff_room.c.room_id)
        .order_by(room.c.exam_id, room.c.ordinal)
    )
    for row in await conn.execute(assigned):
        accounts[row.staff_id]["rooms"].append({"id": row.id, "name": row.name})
    live = (
        sa.select(login.c.staff_id, login.c.created_at, login.c.expires_at, login.c.address)
        .where(login.c.revoked_at.is_(None), login.c.expires_at > sa.func.now())
        .order_by(login.c.created_at.desc())
    )
    for each in (await conn.execute(live)).mappings():
        told = {key: each[key] for key in ("created_at", "expires_at", "address")}
        accounts[each["staff_id"]]["logins"].append(told)
    return list(accounts.values())


async def room_ids(conn: AsyncConnection, staff_id: int) -> list[int]:
    """The rooms of an account, by id."""
    query = sa.select(staff_room.c.room_id).where(staff_room.c.staff_id == staff_id).order_by(staff_room.c.room_id)
    return list((await conn.execute(query)).scalars())


async def room_names(conn: AsyncConnection, ids: Sequence[int]) -> dict[int, str]:
    """Names by id; an id that is no room has no key."""
    query = sa.select(room.c.id, room.c.name).where(room.c.id.in_(ids)).order_by(room.c.exam_id, room.c.ordinal)
    return {row.id: row.name for row in await conn.execute(query)}


async def last_change(conn: AsyncConnection, username: str, actions: Sequence[str]) -> dict[str, Any] | None:
    """``{by, at}`` of the newest of these changes to the account, from the audit log; ``at`` in the exam's zone."""
    query = (
        sa.select(audit_entry.c.actor.label("by"), audit_entry.c.at)
        .where(
            sa.or_(*(audit_entry.c.subject.contains({key: username}) for key in ("username", "joined", "left"))),
            audit_entry.c.action.in_(actions),
        )
        .order_by(audit_entry.c.n.desc())
        .limit(1)
    )
    row = (await conn.execute(query)).mappings().one_or_none()
    return {"by": row["by"], "at": row["at"].astimezone(ZoneInfo(await timezone(conn)))} if row is not None else None
