"""Bodies of the endpoints of announcements."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from app.api.schemas.staff import Body, Id
from app.api.schemas.timing import Scope
from app.services.announcements import Addressed, Announcing

# What a page shows in a few lines; whoever has more to say comes into the room.
MOST_CHARS = 500
Said = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MOST_CHARS, pattern=r"^[^\x00]*$")]


class Announce(Body):
    """``zh`` as it was typed; without ``en`` every page shows that."""

    scope: Scope
    to: Addressed = "candidates"
    zh: Annotated[Said, Field(min_length=1)]
    en: Said = ""

    def meant(self) -> Announcing:
        return Announcing(self.scope.meant(), self.to, self.zh, self.en)


class Acknowledge(Body):
    room_id: Id
