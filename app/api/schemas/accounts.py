"""Bodies about the staff's own accounts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from app.api.schemas.staff import Body, Id
from app.domain.roles import Role

Password = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Username = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
RoomIds = Annotated[list[Id], Field(max_length=500)]


class ChangePassword(Body):
    old: Password
    new: Password


class NewAccount(Body):
    """``password`` is good for one sign-in, at which it is changed."""

    username: Username
    name: Name
    role: Role
    password: Password
    room_ids: RoomIds = Field(default=[])


class SetPassword(Body):
    password: Password


class SetRooms(Body):
    """``seen``: the rooms the page showed before."""

    room_ids: RoomIds
    seen: RoomIds
