"""Somebody changes their own password, which is all that one chosen by somebody else is good for."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.services import limits, passwords
from app.services.site import Site
from app.services.staff_accounts import check_password
from app.services.staff_requests import Done
from app.storage.postgres import staff
from app.storage.postgres.staff import Login


async def change(site: Site, conn: AsyncConnection, *, login: Login, old: str, new: str) -> Done:
    """``{logins}``: how many others of the account it ended; this one goes on.

    Refuses staff-weak-password, staff-same-password, staff-wrong-password, staff-too-many-tries. Wrong tries count as
    those of the sign-in do: a page that somebody left open is no place to guess.
    """
    check_password(new)
    if new == old:
        raise Refused("staff-same-password")
    await _count_the_try(site, login)
    # Under the row's lock: of two pages at once the second one's old password is wrong by now.
    account = await staff.lock(conn, login.staff_id)
    if account is None or account.disabled:
        raise Refused("login-ended")
    if not await passwords.match(account.password_hash, old):
        left = site.settings.ticket_failures - await limits.failures(site, "staff", login.username)
        raise Refused("staff-wrong-password", attempts_left=max(0, left))
    await limits.forget(site, "staff", login.username)
    await staff.set_password_hash(conn, account.id, await passwords.hashed(new), must_change=False)
    ended = await staff.revoke_logins(conn, account.id, but=login.token_hash)
    return Done({"logins": ended}, "staff.own-password", {"username": account.username, "logins": ended})


async def _count_the_try(site: Site, login: Login) -> None:
    """Counted before the slow hash, and forgotten when the password is right."""
    if await limits.failed(site, "staff", login.username) > site.settings.ticket_failures:
        raise Refused("staff-too-many-tries", retry_after=int(site.settings.failure_window.total_seconds()))
