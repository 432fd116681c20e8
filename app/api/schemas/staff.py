"""Bodies of the staff endpoints. Unknown fields are refused: a misspelt one must not be silently left out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, NaiveDatetime, StringConstraints, model_validator

from app.services.relog import Reason

BIGGEST_ID = 2**63 - 1
# PostgreSQL stores no NUL.
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00]*$")]
Id = Annotated[int, Field(strict=True, ge=1, le=BIGGEST_ID)]
# A day from either end of what a datetime can say, every zone is still within it.
EARLIEST, LATEST = datetime(1, 1, 3), datetime(9999, 12, 29)  # noqa: DTZ001 - also for wall time without a zone.
Instant = Annotated[AwareDatetime, Field(ge=EARLIEST.replace(tzinfo=UTC), le=LATEST.replace(tzinfo=UTC))]
LocalTime = Annotated[NaiveDatetime, Field(ge=EARLIEST, le=LATEST)]
# Who asked for it by telephone, when the office does it for a room.
ToldBy = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100, pattern=r"^[^\x00]*$")]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SignIn(Body):
    username: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
    password: Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class OpenRelog(Body):
    """Either ``to_seat_id`` or ``same_seat: true``."""

    to_seat_id: Id | None = None
    same_seat: bool = False
    reason: Reason = "pc_failed"
    note: Line = ""
    told_by: ToldBy = ""

    @model_validator(mode="after")
    def _one_target(self) -> OpenRelog:
        if (self.to_seat_id is None) is not self.same_seat:
            raise ValueError("give to_seat_id, or same_seat: true, and not both")
        return self


class MarkSeat(Body):
    """Why the seat is out of order, or null: its PC works."""

    out_of_order: Annotated[Line, Field(min_length=1)] | None
    told_by: ToldBy = ""
