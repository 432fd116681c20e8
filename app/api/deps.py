"""What a request handler works with: the process's site and the services built on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request

from app.domain.errors import Refused
from app.services.known import Known
from app.services.notices import Receipts
from app.services.resuming import Resuming
from app.services.service_time import ServiceTime
from app.services.site import Site
from app.services.sitting import Sitting
from app.services.tokens import Claims, Tokens
from app.settings import Settings


@dataclass(slots=True)
class Deps:
    """One per process, at ``app.state.deps``."""

    site: Site
    tokens: Tokens
    known: Known
    sitting: Sitting
    resuming: Resuming
    receipts: Receipts

    @property
    def settings(self) -> Settings:
        return self.site.settings

    @property
    def engine(self) -> AsyncEngine:
        return self.site.engine

    @property
    def redis(self) -> Any:
        return self.site.redis

    @property
    def service_time(self) -> ServiceTime:
        return self.site.service_time


def get_deps(request: Request) -> Deps:
    return cast("Deps", request.app.state.deps)


def bearer(request: Request) -> str:
    """The request's bearer token. Refused `bad-token` without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused("bad-token")
    return token


def claims_of(request: Request) -> Claims:
    """The device token's claims; whether they still hold is decided under the attempt's lock."""
    claims = get_deps(request).tokens.read(bearer(request))
    request.scope["state"]["attempt"] = str(claims.attempt)
    return claims


def address_of(request: Request) -> str:
    """The client's address; a forwarded one is believed only from a listed proxy."""
    peer = request.client.host if request.client else ""
    forwarded = request.headers.get("x-forwarded-for")
    if forwarded and peer in get_deps(request).settings.trusted_proxies:
        return forwarded.rsplit(",", 1)[-1].strip()
    return peer
