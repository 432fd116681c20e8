"""Bodies of the office's endpoints."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from app.api.schemas.staff import Body, Id, Line

# More than a paper has items: one click decides for one candidate, or for a handful.
MOST = 200


class Chosen(Body):
    """One stranded response, with ``seen`` as the list told it: what was accepted when it was looked at."""

    stranded: Id
    seen: Annotated[str, StringConstraints(max_length=160)] | None


class Decide(Body):
    items: Annotated[list[Chosen], Field(min_length=1, max_length=MOST)]
    note: Line = ""

    @field_validator("items")
    @classmethod
    def _each_once(cls, items: list[Chosen]) -> list[Chosen]:
        if len({one.stranded for one in items}) < len(items):
            raise ValueError("each stranded response once")
        return items
