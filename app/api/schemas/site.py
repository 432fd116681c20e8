"""Bodies of the administration: exams, sessions, rooms, imports and draws."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from app.api.schemas.staff import Body, LocalTime
from app.services.exam_rooms import RoomForm
from app.services.exam_setup import SessionForm

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
MaybeName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100, pattern=r"^[^\x00]*$")]
# It stands in file names and commands.
Code = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40, pattern=r"^[A-Za-z0-9._-]+$")
]
Minutes = Annotated[int, Field(ge=0, le=24 * 60)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class NewExam(Body):
    code: Code
    name: Name
    timezone: Name = "Asia/Shanghai"


class RenameExam(Body):
    """``seen``: the name the page showed."""

    name: Name
    seen: str = Field(max_length=1000)


class SessionIn(Body):
    """``start``: wall time in the exam's zone; ``minutes`` long; the last three are minutes as well, the first of them
    before the start, the others after it."""

    name: Name
    start: LocalTime
    minutes: Annotated[int, Field(ge=1, le=24 * 60)]
    sign_in_opens: Minutes = 30
    last_admission: Minutes = 15
    earliest_hand_in: Minutes = 0

    def form(self) -> SessionForm:
        return SessionForm(
            self.name, self.start.replace(second=0, microsecond=0), self.minutes, self.sign_in_opens,
            self.last_admission, self.earliest_hand_in,
        )  # fmt: skip


class SessionSeen(Body):
    """A session as a page showed it, whatever it is now."""

    name: str = Field(max_length=1000)
    start: LocalTime
    minutes: int
    sign_in_opens: int
    last_admission: int
    earliest_hand_in: int

    def form(self) -> SessionForm:
        return SessionForm(
            self.name, self.start, self.minutes, self.sign_in_opens, self.last_admission, self.earliest_hand_in
        )


class ChangeSession(SessionIn):
    seen: SessionSeen


class RemoveSession(Body):
    seen: SessionSeen


class RoomIn(Body):
    """Regular seats become '1'…'N', spare seats '备1'…'备k'; ``number`` is what stands on the door."""

    name: Name
    building: Name
    number: MaybeName = ""
    seats: Annotated[int, Field(ge=1, le=500)]
    spares: Annotated[int, Field(ge=0, le=100)] = 2

    def form(self) -> RoomForm:
        return RoomForm(self.name, self.building, self.number, self.seats, self.spares)


class RoomSeen(Body):
    """A room as a page showed it, whatever it is now."""

    name: str = Field(max_length=1000)
    building: str = Field(max_length=1000)
    number: str = Field(max_length=1000)
    seats: int
    spares: int

    def form(self) -> RoomForm:
        return RoomForm(self.name, self.building, self.number, self.seats, self.spares)


class ChangeRoom(RoomIn):
    seen: RoomSeen


class RemoveRoom(Body):
    seen: RoomSeen


class RenameBuilding(Body):
    name: Name
    seen: str = Field(max_length=1000)


class SetBlueprint(Body):
    """``items`` on every paper, in the bank's own proportions; ``seen``: how many there were, null for none."""

    items: Annotated[int, Field(ge=1, le=1000)]
    seen: int | None


class Draw(Body):
    """The same ``seed`` draws the same papers; ``seen``: the digest of the papers that are there, null for none."""

    seed: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00]*$")] | None = None
    columns: Annotated[int, Field(ge=1, le=100)] | None = None
    redraw: bool = False
    seen: Digest | None


class Confirm(Body):
    """``seen``: the digest of what the page showed."""

    seen: Digest
