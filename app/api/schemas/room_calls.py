"""Bodies of what a room asks of another, of its roll call, and of a candidate who leaves for good."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.api.schemas.attendance import Reason, Ticket
from app.api.schemas.staff import Body, Id, ToldBy
from app.services.relog import Reason as Why


class AskSpare(Body):
    """``to_room_id``: the room that was suggested."""

    to_room_id: Id
    reason: Why = "pc_failed"
    told_by: ToldBy = ""


class AnswerSpare(Body):
    answer: Literal["yes", "no"]
    told_by: ToldBy = ""


class Told(Body):
    told_by: ToldBy = ""


class RollCall(Body):
    session_id: Id
    told_by: ToldBy = ""


class MarkRoll(RollCall):
    """``found``: true for who is there, false for who is missing, null to take a mark back."""

    tickets: Annotated[list[Ticket], Field(min_length=1, max_length=2000)]
    found: bool | None


class Withdraw(Body):
    reason: Reason
    told_by: ToldBy = ""
