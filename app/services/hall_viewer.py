"""Who looks at the hall, as far as it decides what they are shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.adjustments import NAMING
from app.domain.errors import Refused
from app.domain.roles import scope
from app.storage.postgres.hall import Seated
from app.storage.postgres.staff import Login


@dataclass(frozen=True, slots=True)
class Viewer:
    """``rooms`` None: all of them. Two of the office see the same and are one viewer; who sees only some sealed
    incidents and records of misconduct, those they wrote themselves, is one of their own (``staff_id``)."""

    rooms: frozenset[int] | None
    sealed: bool
    misconduct: bool
    staff_id: int | None

    def sees(self, room_ids: Collection[int]) -> bool:
        """Whether something in these rooms is in reach; what is in no room is for those who see the whole hall."""
        return self.rooms is None or any(one in self.rooms for one in room_ids)

    def named(self, tickets: Iterable[str], room_ids: Collection[int], seated: Mapping[str, Seated]) -> list[str]:
        """Of the tickets of something in these rooms those whom the viewer may be told of: all of them when it is in no
        other room, otherwise who sits, or sat, in one of theirs."""
        if self.rooms is None or (room_ids and self.rooms.issuperset(room_ids)):
            return [str(one) for one in tickets]
        return [str(one) for one in tickets if one in seated and not self.rooms.isdisjoint(seated[one].room_ids)]

    def names(
        self, scope: str | None, names: Iterable[str], room_ids: Collection[int], seated: Mapping[str, Seated]
    ) -> list[str]:
        """The names of a scope; those of people are tickets."""
        return self.named(names, room_ids, seated) if scope in NAMING else [str(one) for one in names]

    def sees_incident(self, head: Mapping[str, Any]) -> bool:
        """As ``incident_scope.may_read``."""
        if self.staff_id is not None and head["staff_id"] == self.staff_id:
            return True
        return (self.sealed or not head["sealed"]) and self.sees(head["room_ids"])


def viewer_of(login: Login) -> Viewer:
    """Refused not-permitted."""
    reach = scope(login.role, "hall-view")
    if reach is None:
        raise Refused("not-permitted")
    sealed = scope(login.role, "incident-sealed") == "all"
    misconduct = scope(login.role, "misconduct-view") == "all"
    everything = reach == "all" and sealed and misconduct
    return Viewer(
        rooms=None if reach == "all" else login.own_room_ids,
        sealed=sealed,
        misconduct=misconduct,
        staff_id=None if everything else login.staff_id,
    )
