"""Passwords of staff: argon2, off the event loop, and the same work whether or not the account exists."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()
# A hash takes 64 MiB and tens of milliseconds by design: two at a time, so that a burst of tries neither fills the
# memory nor takes both cores from the checkpoint path.
_HASHING = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


@cache
def _nobody() -> str:
    """The hash of a password that nobody knows: an unknown username costs the same work as a wrong password."""
    return _HASHER.hash(secrets.token_urlsafe(32))


async def hashed(password: str) -> str:
    """The argon2id hash to store."""
    return await asyncio.get_running_loop().run_in_executor(_HASHING, _HASHER.hash, password)


def _matches(password_hash: str | None, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False


async def match(password_hash: str | None, password: str) -> bool:
    """Whether the password fits; None (no such account) never does, and takes as long to find out."""
    matches = await asyncio.get_running_loop().run_in_executor(_HASHING, _matches, password_hash, password)
    return matches and password_hash is not None


def outdated(password_hash: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(password_hash)


def fingerprint(secret: bytes, request_key: str, *typed: str) -> str:
    """Tells a repeated request from one with other passwords under the same key. Without the server's secret nothing
    can be guessed from it, and the same password looks different in every request."""
    parts = b"".join(len(one.encode()).to_bytes(8) + one.encode() for one in (request_key, *typed))
    return hmac.new(secret, b"request-password:" + parts, sha256).hexdigest()
