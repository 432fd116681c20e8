"""Bodies of the endpoints about proposals; an instant is service time or a wall time with its zone."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import StringConstraints

from app.api.schemas.staff import Body, Id, Line
from app.api.schemas.timing import Code, Ms, Scope


class Ask(Body):
    """What somebody asks the office for, for whom, and why: the credit of an interval, or ``ms`` more."""

    scope: Scope
    ms: Ms | None = None
    from_ms: Ms | None = None
    to_ms: Ms | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None
    reason: Code
    note: Line = ""
    incident: Line = ""


class Approve(Body):
    """Nothing but the note: as it was proposed. ``ms`` is a length from the proposal's own begin; ``decision`` the
    approved one that lifts the cap; ``seen`` the digest of the preview."""

    ms: Ms | None = None
    from_ms: Ms | None = None
    to_ms: Ms | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None
    reason: Code = ""
    note: Line = ""
    decision: Id | None = None
    seen: Annotated[str, StringConstraints(max_length=64)] | None = None


class Dismiss(Body):
    """Why the proposal is not followed: it stays on record beside it."""

    note: Line = ""
