"""Who may call what: every staff endpoint names its actions, and one object both enforces and tells them.

``login: Annotated[Login, needs("relog")]`` refuses whoever may do none of the named actions anywhere; where they may is
asked with the room at hand (``permit`` here, ``domain.roles.allows`` in the services). The table of endpoints in
docs/roles.md, and the test that walks every cell of it, read the same objects off the routes, so an endpoint cannot say
one thing and do another, and one that says nothing is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from fastapi import Depends
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import Request

from app.api.deps import bearer, get_deps
from app.domain.errors import Refused
from app.domain.roles import Action, Role, allows, scope
from app.services import staff_sign_in
from app.storage.postgres.staff import Login

# As the field of that name in a body (schemas.staff.ToldBy).
LONGEST_NAME = 100


async def login_of(request: Request, *, new_password: bool = True) -> Login:
    """Who is asking. Refuses login-ended, and password-must-change unless ``new_password`` is False."""
    try:
        token = bearer(request)
    except Refused as missing:
        raise Refused("login-ended") from missing
    login = await staff_sign_in.find_login(get_deps(request).site, token)
    # For the log: a refusal says whom (``problems.on_known``).
    request.scope["state"]["staff"] = login.username
    if login.must_change and new_password:
        raise Refused("password-must-change")
    told_by = told_by_of(request)
    return replace(login, told_by=told_by) if told_by else login


def told_by_of(request: Request) -> str:
    """Who asked by telephone for what this request does: the header ``Told-By``, percent-encoded UTF-8, because names
    are Chinese and headers are not. Refused bad-body."""
    name = unquote(request.headers.get("told-by", ""), errors="replace").strip()
    if len(name) > LONGEST_NAME or not name.isprintable() or "\ufffd" in name:
        raise Refused("bad-body", reason="Told-By")
    return name


@dataclass(frozen=True, slots=True)
class Needs:
    """A dependency that gives the login. Any one of ``actions`` is enough; none means whoever is signed in.

    ``new_password`` False lets in who has yet to choose a password of their own: nothing else will.
    """

    actions: tuple[Action, ...]
    new_password: bool = True

    async def __call__(self, request: Request) -> Login:
        login = await login_of(request, new_password=self.new_password)
        if not self.admits(login.role):
            raise Refused("not-permitted")
        return login

    def admits(self, role: Role) -> bool:
        """Whether the role may call it at all, be it for its own rooms only."""
        return not self.actions or any(scope(role, action) is not None for action in self.actions)


def needs(*actions: Action) -> Any:
    """For ``Annotated``: a login that may do one of ``actions`` somewhere."""
    if not actions:
        raise ValueError("name the action, or use Signed")
    return Depends(Needs(actions))


# Whoever is signed in, and that before they have chosen a password of their own.
SIGNED_IN = Depends(Needs((), new_password=False))


async def nobody_yet() -> None:
    """The mark of an endpoint for people who have no login: the sign-in."""


def permit(login: Login, action: Action, room_id: int | None = None) -> None:
    """Refuses not-permitted."""
    if not allows(login.role, action, room_id=room_id, own_room_ids=login.own_room_ids):
        raise Refused("not-permitted")


# --- what the routes say ---


def declared(route: APIRoute) -> Needs | None:
    """What the endpoint asks for; None when it asks for nothing and is open to people without a login.

    Raises LookupError when it does not say: then nobody has thought about who may call it.
    """
    for call in _calls(route.dependant):
        if isinstance(call, Needs):
            return call
        if call is nobody_yet:
            return None
    raise LookupError(f"{route.path} does not say who may call it (app.api.access)")


def _calls(dependant: Dependant) -> Iterator[Any]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _calls(inner)
