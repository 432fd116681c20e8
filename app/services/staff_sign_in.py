"""Staff sign in with username and password and hold a *login*: a bearer token that expires and can be revoked.

The token is 32 random bytes; the database keeps its SHA-256 only, so the table alone signs nobody in.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.domain.roles import scope
from app.services import limits, passwords
from app.services.site import Site
from app.storage.postgres import audit, staff
from app.storage.postgres.staff import Account, Login

log = structlog.get_logger(__name__)
TOKEN_BYTES = 32
LONGEST_PASSWORD = 1024


@dataclass(frozen=True, slots=True)
class SignedIn:
    """``token`` is shown once, to the browser that signed in."""

    token: str
    login: Login


def token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def sign_in(site: Site, *, username: str, password: str, address: str) -> SignedIn:
    """Check the password and open a login.

    Refuses staff-sign-in-failed, staff-too-many-tries, staff-disabled, staff-demo-account. Which of username and
    password was wrong is not told, and a disabled account says so only to whoever knows its password.
    """
    await _within_limits(site, username, address)
    async with site.engine.connect() as conn:
        account = await staff.find(conn, username)
    matches = await passwords.match(account.password_hash if account is not None else None, password)
    if account is None or not matches:
        count = await limits.failures(site, "staff", username)
        await limits.failed(site, "staff-address", address)
        log.info("staff sign-in failed", username=username, address=address, failures=count)
        raise Refused("staff-sign-in-failed", attempts_left=max(0, site.settings.ticket_failures - count))
    await limits.forget(site, "staff", username)
    if account.disabled:
        raise Refused("staff-disabled")
    if account.is_demo and not site.settings.demo:
        raise Refused("staff-demo-account")
    return await _open_login(site, account, password, address)


async def _within_limits(site: Site, username: str, address: str) -> None:
    limit = site.settings.ticket_failures
    refused = Refused("staff-too-many-tries", retry_after=int(site.settings.failure_window.total_seconds()))
    if await limits.failures(site, "staff-address", address) >= site.settings.address_failures:
        raise refused
    if await limits.failures(site, "staff", username) >= limit:
        raise refused
    # The try is counted before the slow hash and forgotten when the password is right: a burst of parallel tries
    # is no way around the limit.
    if await limits.failed(site, "staff", username) > limit:
        raise refused


async def _open_login(site: Site, account: Account, password: str, address: str) -> SignedIn:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    renewed = await passwords.hashed(password) if passwords.outdated(account.password_hash) else None
    async with site.engine.begin() as conn:
        now = await staff.lock(conn, account.id)
        if now is None or now.password_hash != account.password_hash:
            # Changed while the slow hash was compared: what was typed is no longer the password.
            raise Refused("staff-sign-in-failed", attempts_left=site.settings.ticket_failures)
        if renewed is not None:
            await staff.set_password_hash(conn, account.id, renewed)
        await staff.open_login(
            conn,
            token_hash=token_hash(token),
            staff_id=account.id,
            life=site.settings.login_life,
            address=address,
        )
        login = await staff.live_login(conn, token_hash(token), demo=site.settings.demo)
        if login is None:  # disabled in this very moment
            raise Refused("staff-disabled")
        await audit.append(
            conn,
            actor=account.username,
            action="staff.sign-in",
            subject={"address": address},
            staff_id=account.id,
        )
    return SignedIn(token, login)


async def find_login(site: Site, token: str) -> Login:
    """Who holds the token now. Refuses login-ended when it is unknown, expired, revoked or the account is disabled."""
    async with site.engine.connect() as conn:
        login = await staff.live_login(conn, token_hash(token), demo=site.settings.demo)
    if login is None:
        raise Refused("login-ended")
    return login


async def sign_out(site: Site, login: Login) -> None:
    """Revoke this login; once more is no fault."""
    async with site.engine.begin() as conn:
        if await staff.revoke_login(conn, login.token_hash):
            await audit.append(conn, actor=login.username, action="staff.sign-out", subject={}, staff_id=login.staff_id)


async def rooms_in_reach(conn: AsyncConnection, login: Login) -> list[dict[str, Any]]:
    """The rooms the login may look at: ``[{id, name, number, building, exam_id}]`` in roster order."""
    reach = scope(login.role, "view-room")
    if reach is None:
        return []
    return await staff.rooms_of(conn, None if reach == "all" else login.own_room_ids)
