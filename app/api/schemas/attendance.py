"""Bodies of what is done at the door and in the room."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from app.api.schemas.staff import Body, Id, Line, ToldBy
from app.services.leave import Kind

Ticket = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
Reason = Annotated[Line, Field(min_length=1)]
Username = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
Remarks = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000, pattern=r"^[^\x00]*$")]
Count = Annotated[int, Field(ge=0, le=100_000)]


class CheckIn(Body):
    session_id: Id
    ticket: Ticket
    told_by: ToldBy = ""


class WithReason(CheckIn):
    """Undoing a check-in, or admitting late: why."""

    reason: Reason


class ConfirmAbsent(Body):
    """``tickets``: exactly those who were shown as missing."""

    session_id: Id
    tickets: Annotated[list[Ticket], Field(max_length=2000)]
    told_by: ToldBy = ""


class Seen(Body):
    """A candidate where the page showed them."""

    ticket: Ticket
    seat_id: Id


class SwapSeats(Body):
    session_id: Id
    candidates: Annotated[list[Seen], Field(min_length=2, max_length=2)]
    reason: Reason
    told_by: ToldBy = ""

    @model_validator(mode="after")
    def _two(self) -> SwapSeats:
        one, other = self.candidates
        if one.ticket == other.ticket or one.seat_id == other.seat_id:
            raise ValueError("name two candidates at two seats")
        return self


class SignOff(Body):
    """The numbers as they were shown."""

    session_id: Id
    expected: Count
    present: Count
    absent: Count
    remarks: Remarks = ""
    told_by: ToldBy = ""


class Reopen(Body):
    session_id: Id
    reason: Reason
    told_by: ToldBy = ""


class Release(Body):
    session_id: Id
    told_by: ToldBy = ""


class Leave(Body):
    kind: Kind
    note: Line = ""
    told_by: ToldBy = ""


class Return(Body):
    told_by: ToldBy = ""


class ChangeDuty(Body):
    """Usernames: who joins, who leaves, or both (a replacement)."""

    joined: Username | None = None
    left: Username | None = None
    reason: Reason
    told_by: ToldBy = ""

    @model_validator(mode="after")
    def _someone(self) -> ChangeDuty:
        if self.joined == self.left:
            raise ValueError("name who joins, who leaves, or two different people")
        return self
