"""Staff accounts, their logins, and the replies already given to their requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.roles import Role
from app.storage.postgres.tables import building, exam, login, room, staff, staff_request, staff_room


@dataclass(frozen=True, slots=True)
class Account:
    """One row of ``staff``; ``password_hash`` never leaves the sign-in."""

    id: int
    username: str
    name: str
    role: Role
    password_hash: str
    is_demo: bool
    disabled: bool
    must_change: bool


@dataclass(frozen=True, slots=True)
class Login:
    """A live login: who is asking."""

    staff_id: int
    username: str
    name: str
    role: Role
    expires_at: datetime
    own_room_ids: frozenset[int]
    token_hash: bytes
    # The password was chosen by somebody else: good for choosing another one only.
    must_change: bool = False
    # Who asked for it by telephone, as this request says: not of the login, but of everything it does.
    told_by: str = ""


_ACCOUNT = (
    staff.c.id,
    staff.c.username,
    staff.c.name,
    staff.c.role,
    staff.c.password_hash,
    staff.c.is_demo,
    staff.c.disabled,
    staff.c.must_change,
)


async def find(conn: AsyncConnection, username: str) -> Account | None:
    """The account of that name, disabled or not."""
    found = await conn.execute(sa.select(*_ACCOUNT).where(staff.c.username == username))
    row = found.mappings().one_or_none()
    return Account(**row) if row is not None else None


async def by_id(conn: AsyncConnection, staff_id: int) -> Account | None:
    """The account of that id, disabled or not."""
    row = (await conn.execute(sa.select(*_ACCOUNT).where(staff.c.id == staff_id))).mappings().one_or_none()
    return Account(**row) if row is not None else None


async def accounts(conn: AsyncConnection) -> list[tuple[Account, int, int]]:
    """Every account by username, with its number of rooms and of live logins."""
    rooms = (
        sa.select(sa.func.count()).select_from(staff_room).where(staff_room.c.staff_id == staff.c.id).scalar_subquery()
    )
    live = sa.select(sa.func.count()).select_from(login).where(login.c.staff_id == staff.c.id, _is_live())
    query = sa.select(*_ACCOUNT, rooms.label("rooms"), live.scalar_subquery().label("live")).order_by(staff.c.username)
    found = []
    for row in (await conn.execute(query)).mappings():
        values = dict(row)
        room_count, live_count = values.pop("rooms"), values.pop("live")
        found.append((Account(**values), room_count, live_count))
    return found


async def demo_accounts_present(conn: AsyncConnection) -> bool:
    """Whether an account of the demo could sign in here: its password is known to everyone."""
    query = sa.select(sa.exists().where(staff.c.is_demo.is_(True), staff.c.disabled.is_(False)))
    return bool((await conn.execute(query)).scalar_one())


async def create(
    conn: AsyncConnection,
    *,
    username: str,
    name: str,
    role: Role,
    password_hash: str,
    is_demo: bool = False,
    must_change: bool = False,
) -> int | None:
    """The new account's id, or None when the username is taken."""
    statement = (
        insert(staff)
        .values(
            username=username,
            name=name,
            role=role,
            password_hash=password_hash,
            is_demo=is_demo,
            must_change=must_change,
        )
        .on_conflict_do_nothing(index_elements=[staff.c.username])
        .returning(staff.c.id)
    )
    return cast("int | None", (await conn.execute(statement)).scalar_one_or_none())


async def set_password_hash(
    conn: AsyncConnection, staff_id: int, password_hash: str, *, must_change: bool | None = None
) -> None:
    """``must_change`` None: the same password, hashed anew."""
    values = {"password_hash": password_hash} | ({} if must_change is None else {"must_change": must_change})
    await conn.execute(sa.update(staff).where(staff.c.id == staff_id).values(values))


async def lock(conn: AsyncConnection, staff_id: int) -> Account | None:
    """The account's row, locked until the transaction ends; None when there is none.

    FOR NO KEY UPDATE: the claim of a request refers to its own account's row, and must not stand in another's way.
    """
    found = await conn.execute(sa.select(*_ACCOUNT).where(staff.c.id == staff_id).with_for_update(key_share=True))
    row = found.mappings().one_or_none()
    return Account(**row) if row is not None else None


async def lock_admins(conn: AsyncConnection) -> list[Account]:
    """Every administrator, locked in the order of the ids: two who disable each other take turns."""
    query = sa.select(*_ACCOUNT).where(staff.c.role == "admin").order_by(staff.c.id).with_for_update(key_share=True)
    return [Account(**row) for row in (await conn.execute(query)).mappings()]


async def set_disabled(conn: AsyncConnection, staff_id: int, *, disabled: bool) -> None:
    await conn.execute(sa.update(staff).where(staff.c.id == staff_id).values(disabled=disabled))


async def assign(conn: AsyncConnection, staff_id: int, room_ids: Sequence[int]) -> None:
    """Make ``room_ids`` the account's rooms, whatever they were."""
    await conn.execute(sa.delete(staff_room).where(staff_room.c.staff_id == staff_id))
    if room_ids:
        await conn.execute(
            sa.insert(staff_room), [{"staff_id": staff_id, "room_id": room_id} for room_id in sorted(set(room_ids))]
        )


async def rooms_named(
    conn: AsyncConnection, names: Sequence[str], *, exam_code: str | None = None
) -> dict[str, list[int]]:
    """Room ids by name; more than one id under a name when several exams use it, no key when none does."""
    query = (
        sa.select(room.c.name, room.c.id)
        .join(exam, exam.c.id == room.c.exam_id)
        .where(room.c.name.in_(names))
        .order_by(room.c.id)
    )
    if exam_code is not None:
        query = query.where(exam.c.code == exam_code)
    found: dict[str, list[int]] = {}
    for name, room_id in await conn.execute(query):
        found.setdefault(name, []).append(room_id)
    return found


async def rooms_of(conn: AsyncConnection, room_ids: frozenset[int] | None) -> list[dict[str, Any]]:
    """``[{id, name, number, building, building_id, exam_id}]`` in roster order; None asks for every room."""
    query = (
        sa.select(
            room.c.id, room.c.name, room.c.number, building.c.name.label("building"), room.c.building_id, room.c.exam_id
        )
        .join(building, building.c.id == room.c.building_id)
        .order_by(room.c.exam_id, room.c.ordinal)
    )
    if room_ids is not None:
        query = query.where(room.c.id.in_(sorted(room_ids)))
    return [dict(row) for row in (await conn.execute(query)).mappings()]


# --- logins ---


def _is_live() -> sa.ColumnElement[bool]:
    # The database's clock decides for every server alike.
    return sa.and_(login.c.revoked_at.is_(None), login.c.expires_at > sa.func.now())


async def open_login(
    conn: AsyncConnection, *, token_hash: bytes, staff_id: int, life: timedelta, address: str
) -> datetime:
    """Record a login and return when it expires."""
    statement = (
        sa.insert(login)
        .values(token_hash=token_hash, staff_id=staff_id, expires_at=sa.func.now() + life, address=address)
        .returning(login.c.expires_at)
    )
    return cast("datetime", (await conn.execute(statement)).scalar_one())


async def live_login(conn: AsyncConnection, token_hash: bytes, *, demo: bool) -> Login | None:
    """The login of a token, unless it is revoked, expired, of a disabled account, or of a demo account without demo."""
    own = (
        sa.select(sa.func.coalesce(sa.func.array_agg(staff_room.c.room_id), sa.text("'{}'::bigint[]")))
        .where(staff_room.c.staff_id == staff.c.id)
        .scalar_subquery()
    )
    query = (
        sa.select(
            staff.c.id.label("staff_id"),
            staff.c.username,
            staff.c.name,
            staff.c.role,
            staff.c.must_change,
            login.c.expires_at,
            own.label("own_room_ids"),
        )
        .join(staff, staff.c.id == login.c.staff_id)
        .where(login.c.token_hash == token_hash, _is_live(), staff.c.disabled.is_(False))
    )
    if not demo:
        query = query.where(staff.c.is_demo.is_(False))
    row = (await conn.execute(query)).mappings().one_or_none()
    if row is None:
        return None
    values = dict(row)
    return Login(**{**values, "own_room_ids": frozenset(values["own_room_ids"])}, token_hash=token_hash)


async def revoke_login(conn: AsyncConnection, token_hash: bytes) -> bool:
    """End one login; False when it had ended already."""
    done = await conn.execute(
        sa.update(login)
        .where(login.c.token_hash == token_hash, login.c.revoked_at.is_(None))
        .values(revoked_at=sa.func.now())
    )
    return done.rowcount == 1


async def revoke_logins(conn: AsyncConnection, staff_id: int, *, but: bytes | None = None) -> int:
    """End every live login of an account, except the one with the hash ``but``, and say how many there were."""
    ends = sa.update(login).where(login.c.staff_id == staff_id, _is_live()).values(revoked_at=sa.func.now())
    if but is not None:
        ends = ends.where(login.c.token_hash != but)
    return (await conn.execute(ends)).rowcount


# --- requests already answered ---


@dataclass(frozen=True, slots=True)
class Given:
    """The reply an idempotency key was given, and what was asked for it."""

    endpoint: str
    body_hash: bytes
    status: int
    reply: dict[str, Any]


async def claim_request(
    conn: AsyncConnection, *, staff_id: int, key: str, endpoint: str, body_hash: bytes
) -> Given | None:
    """None when the key is new and now this transaction's; otherwise what it was answered.

    Insert-on-conflict on the primary key: a second request with the key waits for the first one's COMMIT (and reads
    its reply) or ROLLBACK (and takes its place), so two at once never both act.
    """
    statement = (
        insert(staff_request)
        .values(staff_id=staff_id, idempotency_key=key, endpoint=endpoint, body_hash=body_hash, status=0, reply={})
        .on_conflict_do_nothing()
        .returning(staff_request.c.staff_id)
    )
    if (await conn.execute(statement)).scalar_one_or_none() is not None:
        return None
    query = sa.select(
        staff_request.c.endpoint, staff_request.c.body_hash, staff_request.c.status, staff_request.c.reply
    ).where(staff_request.c.staff_id == staff_id, staff_request.c.idempotency_key == key)
    row = (await conn.execute(query)).one()
    return Given(row.endpoint, bytes(row.body_hash), row.status, row.reply)


async def answer_request(conn: AsyncConnection, *, staff_id: int, key: str, status: int, reply: dict[str, Any]) -> None:
    """Store the reply of a claimed key, in the transaction that claimed it."""
    await conn.execute(
        sa.update(staff_request)
        .where(staff_request.c.staff_id == staff_id, staff_request.c.idempotency_key == key)
        .values(status=status, reply=reply)
    )
