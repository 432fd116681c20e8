"""The table of who may do what, cell by cell: a change to it must change this test."""

from __future__ import annotations

import pytest

from app.domain.roles import ACTION_WORDS, ACTIONS, ROLE_NAMES, ROLES, allows

READS = {"view-room", "time-view", "incident-view", "discrepancy-view", "item-report-view"}
IN_A_ROOM = READS | {
    "check-in", "leave", "confirm-absent", "swap-seats", "relog", "mark-seat", "sign-off-room", "time-pause-one",
    "time-pause-room", "time-propose", "roll-call", "withdraw", "incident-open", "discrepancy-open", "misconduct-open",
    "misconduct-view", "item-report", "acknowledge",
}  # fmt: skip
CHIEF = IN_A_ROOM | {
    "admit-late", "release-room", "manage-duty", "misconduct-remove", "announce", "view-stranded", "hall-view",
    "time-pause-building",
}  # fmt: skip
OFFICE = CHIEF | {
    "time-decide", "rounds-decide", "decide-stranded", "incident-sealed", "incident-sign", "incident-plans",
    "discrepancy-decide", "manage-site", "export", "read-audit",
}  # fmt: skip
INSPECTOR = READS | {"view-stranded", "hall-view"}
# role → actions allowed in an own room, in a foreign room.
EXPECTED = {
    "invigilator": (IN_A_ROOM, set()),
    "chief": (CHIEF, set()),
    "office": (OFFICE,) * 2,
    "admin": (OFFICE | {"manage-staff"},) * 2,
    "auditor": (INSPECTOR | {"incident-sealed", "misconduct-view", "export", "read-audit"},) * 2,
    "inspector": (INSPECTOR,) * 2,
}


def test_every_role_is_expected_and_everything_has_its_words():
    assert set(EXPECTED) == set(ROLES) == set(ROLE_NAMES)
    assert set(ACTION_WORDS) == set(ACTIONS)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("own", [True, False])
def test_cell(role, action, own):
    rooms = frozenset({7} if own else {8})
    expected = action in EXPECTED[role][0 if own else 1]
    assert allows(role, action, room_id=7, own_room_ids=rooms) is expected
