"""Bodies of the endpoints of misconduct."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from app.api.schemas.attendance import Ticket
from app.api.schemas.discrepancies import Files
from app.api.schemas.incidents import Ago, Name, Seen, Words
from app.api.schemas.staff import Body, Id, ToldBy
from app.services.misconduct import Measure, Opening, Signature
from app.services.misconduct_entries import Entry, Kind


class Witness(Body):
    name: Annotated[Name, Field(min_length=1)]
    text: Words = ""


class OpenMisconduct(Body):
    """Two members of staff: whoever sends this (or ``told_by``), and ``second_staff``."""

    session_id: Id
    room_id: Id
    ticket: Ticket
    facts: Annotated[Words, Field(min_length=1)]
    second_staff: Annotated[Name, Field(min_length=1)]
    told: bool
    signature: Signature = ""
    measure: Measure = "noted"
    minutes_ago: Ago = 0
    witnesses: Annotated[tuple[Witness, ...], Field(max_length=20)] = ()
    files: Files = ()
    incident: Id | None = None
    told_by: ToldBy = ""

    @model_validator(mode="after")
    def _signed_what_was_told(self) -> OpenMisconduct:
        if self.signature and not self.told:
            raise ValueError("nobody signs, or refuses to, without having been told")
        return self

    def meant(self) -> Opening:
        return Opening(
            self.session_id, self.room_id, self.ticket, self.facts, self.second_staff, self.told, self.signature,
            self.measure, self.minutes_ago, tuple((one.name, one.text) for one in self.witnesses), self.files,
            self.incident, self.told_by,
        )  # fmt: skip


class WriteMisconduct(Body):
    """By ``kind``: note (``text``), witness (``name``, ``text``), told (``signature``, ``text``), evidence (``files``),
    measure (``measure``, ``text``). ``seen``: the newest entry on the page."""

    kind: Kind
    seen: Seen
    text: Words = ""
    name: Name = ""
    signature: Signature = ""
    measure: Measure | None = None
    files: Files = ()
    told_by: ToldBy = ""

    @model_validator(mode="after")
    def _files_with_evidence(self) -> WriteMisconduct:
        if (self.kind == "evidence") is not bool(self.files):
            raise ValueError("kind evidence takes files, and only it does")
        return self

    def meant(self) -> Entry:
        return Entry(**self.model_dump())
