"""Bodies of the calls that swap rounds, move people between them, and defer them."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from app.api.schemas.staff import Body, Id, Line
from app.services.round_snapshot import Ask

# A whole site is fewer rooms and fewer people than this.
MOST_ROOMS = 500
MOST_TICKETS = 5000
Ticket = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000, pattern=r"^[^\x00]*$")]
Ids = Annotated[tuple[Id, ...], Field(max_length=MOST_ROOMS)]


class Who(Body):
    """Whom a decision is about, of one session: all of it (``site``), buildings, rooms, a list, or one attempt."""

    session: Id
    kind: Literal["site", "building", "room", "list", "candidate"]
    buildings: Ids = ()
    rooms: Ids = ()
    tickets: Annotated[tuple[Ticket, ...], Field(max_length=MOST_TICKETS)] = ()
    attempt: UUID | None = None

    @model_validator(mode="after")
    def _one(self) -> Who:
        named = {"building": self.buildings, "room": self.rooms, "list": self.tickets}
        given = {kind for kind, values in named.items() if values} | ({"candidate"} if self.attempt else set())
        if given != ({self.kind} - {"site"}):
            raise ValueError("name what the kind says, and nothing else")
        return self


class Rounds(Body):
    """``swap``: ``session`` and ``with_session`` are exchanged. ``move``, and ``allocate`` for those who were deferred:
    ``scope`` goes to ``to_session``. ``defer``: ``scope``."""

    kind: Literal["swap", "move", "defer", "allocate"]
    session: Id | None = None
    with_session: Id | None = None
    scope: Who | None = None
    to_session: Id | None = None
    number: Line = ""
    text: Words = ""

    @model_validator(mode="after")
    def _whole(self) -> Rounds:
        given = {name for name in ("session", "with_session", "scope", "to_session") if getattr(self, name) is not None}
        wanted = {"swap": {"session", "with_session"}, "defer": {"scope"}}.get(self.kind, {"scope", "to_session"})
        if given != wanted:
            raise ValueError(f"{self.kind} takes {' and '.join(sorted(wanted))}")
        return self

    def ask(self) -> Ask:
        if self.scope is None:
            return Ask(self.kind, self.session or 0, self.with_session)
        who = self.scope
        return Ask(
            self.kind,
            who.session,
            self.to_session,
            everyone=who.kind == "site",
            buildings=who.buildings,
            rooms=who.rooms,
            tickets=who.tickets,
            attempt=who.attempt,
        )


class Confirm(Rounds):
    """``seen`` as the preview told it; ``number`` and ``text`` of the office's decision."""

    seen: Annotated[str, StringConstraints(max_length=64)]
