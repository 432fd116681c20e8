"""Bodies of the endpoints of incidents and plans."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from app.api.schemas.staff import BIGGEST_ID, Body, Id, Line
from app.services.incident_entries import Entry
from app.services.incident_entries import Kind as EntryKind
from app.services.incident_scope import Asked, Kind
from app.services.incidents import Opening

MOST_PEOPLE = 5_000
# Longer ago than a session lasts it would be another day's incident.
LONGEST_AGO_MIN = 600
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000, pattern=r"^[^\x00]*$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100, pattern=r"^[^\x00]*$")]
Code = Annotated[str, StringConstraints(max_length=40, pattern=r"^[^\x00]*$")]
Ago = Annotated[int, Field(ge=0, le=LONGEST_AGO_MIN)]
Seen = Annotated[int, Field(ge=1, le=BIGGEST_ID)]


class Scope(Body):
    """What is affected: the site, ``buildings``, ``rooms``, a list of ``tickets``, or one candidate by ticket."""

    kind: Kind
    buildings: Annotated[tuple[Id, ...], Field(max_length=1000)] = ()
    rooms: Annotated[tuple[Id, ...], Field(max_length=1000)] = ()
    tickets: Annotated[tuple[Line, ...], Field(max_length=MOST_PEOPLE)] = ()


class OpenIncident(Body):
    """It began at ``from_ms`` of service time, or ``minutes_ago``. ``sealed``: null leaves it to the plan."""

    session: Id
    plan: Code
    scope: Scope
    title: Line = ""
    note: Words = ""
    told_by: Name = ""
    sealed: bool | None = None
    from_ms: Annotated[int, Field(ge=0, le=BIGGEST_ID)] | None = None
    minutes_ago: Ago = 0

    def meant(self) -> Opening:
        of = Asked(self.scope.kind, self.scope.buildings, self.scope.rooms, self.scope.tickets)
        return Opening(
            self.session, self.plan, of, self.title, self.note, self.told_by, self.sealed, self.from_ms,
            self.minutes_ago,
        )  # fmt: skip


class WriteEntry(Body):
    """By ``kind``: step (``step``, ``done``), note (``text``), told (``who``, ``how``, ``text``), people (``rooms``,
    ``tickets``, ``removed``), evidence (``files``: ids of what was sent), change (``title``, ``sealed``,
    ``minutes_ago``)."""

    kind: EntryKind
    text: Words = ""
    told_by: Name = ""
    step: Code = ""
    done: bool = True
    who: Name = ""
    how: Name = ""
    rooms: Annotated[tuple[Id, ...], Field(max_length=1000)] = ()
    tickets: Annotated[tuple[Line, ...], Field(max_length=MOST_PEOPLE)] = ()
    removed: bool = False
    files: Annotated[tuple[Id, ...], Field(max_length=20)] = ()
    title: Line = ""
    sealed: bool | None = None
    minutes_ago: Ago | None = None

    @model_validator(mode="after")
    def _files_with_evidence(self) -> WriteEntry:
        if (self.kind == "evidence") is not bool(self.files):
            raise ValueError("kind evidence takes files, and only it does")
        return self

    def meant(self) -> Entry:
        return Entry(**self.model_dump())


class Turn(Body):
    """Closing, reopening, signing. ``seen``: the newest entry on the page, so that nobody signs what they have not
    read."""

    seen: Seen
    note: Words = ""
    told_by: Name = ""


class Step(Body):
    """``id`` empty: a new step."""

    id: Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z0-9-]*$")] = ""
    zh: Annotated[Line, Field(min_length=1)]
    en: Annotated[Line, Field(min_length=1)]


class EditPlan(Body):
    """``seen``: the version that was edited."""

    session: Id
    title_zh: Annotated[Name, Field(min_length=1)]
    title_en: Annotated[Name, Field(min_length=1)]
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=40)]
    seen: Seen


Format = Literal["html", "xlsx", "docx"]
Language = Literal["zh", "en"]
