"""Bodies of the endpoints about time. Lengths are milliseconds; an instant is service time or a wall time with zone."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from app.api.schemas.staff import BIGGEST_ID, Body, Id, Line
from app.domain.adjustments import Kind, ScopeKind
from app.domain.adjustments import Scope as Meant

# A hall has some thousands of seats.
MOST_TICKETS = 5_000
# Strict: ``true`` is no millisecond, and a number in quotes was put together by something that is not ours.
Ms = Annotated[int, Field(strict=True, ge=-BIGGEST_ID, le=BIGGEST_ID)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000, pattern=r"^[^\x00]*$")]
Code = Annotated[str, StringConstraints(max_length=40, pattern=r"^[^\x00]*$")]


class Scope(Body):
    """Whom is meant: by ``kind`` all of the session, ``buildings``, ``rooms``, a list of ``tickets``, or one person
    (``attempt`` or one ticket)."""

    session: Id
    kind: ScopeKind
    buildings: Annotated[tuple[Id, ...], Field(max_length=1000)] = ()
    rooms: Annotated[tuple[Id, ...], Field(max_length=1000)] = ()
    tickets: Annotated[tuple[Line, ...], Field(max_length=MOST_TICKETS)] = ()
    attempt: UUID | None = None

    def meant(self) -> Meant:
        return Meant(self.session, self.kind, self.buildings, self.rooms, self.tickets, self.attempt)


class Action(Body):
    """A change of time, for a preview and for the deed. ``entry``: which one is undone, or which pause is resumed;
    ``seen``: the digest of the preview; ``decision``: the approved decision that stands behind it."""

    action: Kind
    scope: Scope
    ms: Ms | None = None
    from_ms: Ms | None = None
    to_ms: Ms | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None
    reason: Code = ""
    note: Line = ""
    incident: Line = ""
    entry: Id | None = None
    seen: Annotated[str, StringConstraints(max_length=64)] | None = None
    decision: Id | None = None


class Propose(Body):
    """A decision of the office that lifts the cap for those in the scope, to be approved by a second person."""

    kind: Literal["lift-cap"]
    scope: Scope
    number: Line
    text: Words
    limit_ms: Ms
