"""The table of who may do what, cell by cell: a change to it must change this test."""

from __future__ import annotations

import pytest

from app.domain.roles import ACTIONS, ROLES, allows

IN_A_ROOM = {
    "view-room", "relog", "mark-seat", "time-view", "time-pause-one", "time-propose",
    "check-in", "confirm-absent", "swap-seats", "sign-off-room", "leave",
    "incident-open", "incident-view",
}  # fmt: skip
CHIEF = IN_A_ROOM | {"admit-late", "release-room", "manage-duty"}
OFFICE = (
    CHIEF
    | {"read-audit", "view-stranded", "decide-stranded", "time-decide", "rounds-decide"}
    | {
        "incident-sealed",
        "incident-sign",
        "incident-plans",
    }
)
# role → actions allowed in an own room, in a foreign room.
EXPECTED = {
    "invigilator": (IN_A_ROOM, set()),
    "chief": (CHIEF | {"view-stranded"}, set()),
    "office": (OFFICE,) * 2,
    "admin": (OFFICE,) * 2,
    "auditor": ({"view-room", "read-audit", "view-stranded", "time-view", "incident-view", "incident-sealed"},) * 2,
    "inspector": ({"view-room", "view-stranded", "time-view", "incident-view"},) * 2,
}


def test_every_role_is_expected():
    assert set(EXPECTED) == set(ROLES)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("own", [True, False])
def test_cell(role, action, own):
    rooms = frozenset({7} if own else {8})
    expected = action in EXPECTED[role][0 if own else 1]
    assert allows(role, action, room_id=7, own_room_ids=rooms) is expected
