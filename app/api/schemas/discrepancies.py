"""Bodies of the endpoints of discrepancies and corrections."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field as Bound
from pydantic import StringConstraints, model_validator

from app.api.schemas.attendance import Ticket
from app.api.schemas.incidents import Words
from app.api.schemas.staff import Body, Id, Line, ToldBy
from app.domain.discrepancies import FIELDS, Field
from app.services.corrections import Decision
from app.services.discrepancies import Opening

Value = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00]*$")]
Files = Annotated[tuple[Id, ...], Bound(max_length=20)]
MOST_DECISIONS = 500


class Claim(Body):
    """What the document says; of a photo the number of the file that shows it."""

    field: Field
    claimed: Annotated[Value, Bound(min_length=1)]


class OpenDiscrepancy(Body):
    """``identified``: how it was made sure that this is the person."""

    session_id: Id
    room_id: Id
    ticket: Ticket
    fields: Annotated[tuple[Claim, ...], Bound(min_length=1, max_length=len(FIELDS))]
    identified: Annotated[Line, Bound(min_length=1)]
    note: Words = ""
    told_by: ToldBy = ""
    files: Files = ()

    @model_validator(mode="after")
    def _each_once(self) -> OpenDiscrepancy:
        if len({one.field for one in self.fields}) < len(self.fields):
            raise ValueError("name every field once")
        return self

    def meant(self) -> Opening:
        return Opening(
            self.session_id, self.room_id, self.ticket, {one.field: one.claimed for one in self.fields},
            self.identified, self.note, self.told_by, self.files,
        )  # fmt: skip


class AttachFiles(Body):
    files: Annotated[tuple[Id, ...], Bound(min_length=1, max_length=20)]
    told_by: ToldBy = ""


class Decide(Body):
    """``seen``: what the record held, as ``now`` told it."""

    discrepancy: Id
    field: Field
    approve: bool
    seen: Value
    note: Line = ""


class DecideAll(Body):
    decisions: Annotated[tuple[Decide, ...], Bound(min_length=1, max_length=MOST_DECISIONS)]

    @model_validator(mode="after")
    def _each_once(self) -> DecideAll:
        if len({(one.discrepancy, one.field) for one in self.decisions}) < len(self.decisions):
            raise ValueError("decide on every field once")
        return self

    def meant(self) -> list[Decision]:
        return [Decision(one.discrepancy, one.field, one.approve, one.seen, one.note) for one in self.decisions]
