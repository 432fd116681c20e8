"""Who among the staff may do what, and where: one table.

``own`` means the rooms the account is assigned to (table ``staff_room``), ``all`` every room of every exam. What a role
does not list it may not do. The table is tested cell by cell, and the endpoints ask nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Role = Literal["invigilator", "chief", "office", "admin", "auditor", "inspector"]
Action = Literal[
    "view-room", "relog", "mark-seat", "read-audit", "view-stranded", "decide-stranded", "time-view", "time-decide",
    "time-pause-one", "time-propose", "rounds-decide", "check-in", "confirm-absent", "swap-seats", "sign-off-room",
    "leave", "admit-late", "release-room", "manage-duty", "incident-open", "incident-view", "incident-sealed",
    "incident-sign", "incident-plans",
]  # fmt: skip
Scope = Literal["own", "all"]

ROLES: tuple[Role, ...] = get_args(Role)
ACTIONS: tuple[Action, ...] = get_args(Action)

ROLE_ACTIONS: Mapping[Role, Mapping[Action, Scope]] = {
    "invigilator": {
        "view-room": "own", "relog": "own", "mark-seat": "own", "time-view": "own", "time-pause-one": "own",
        "time-propose": "own", "check-in": "own", "confirm-absent": "own", "swap-seats": "own", "sign-off-room": "own",
        "leave": "own", "incident-open": "own", "incident-view": "own",
    },
    "chief": {
        "view-room": "own", "relog": "own", "mark-seat": "own", "view-stranded": "own", "time-view": "own",
        "time-pause-one": "own", "time-propose": "own", "check-in": "own", "confirm-absent": "own", "swap-seats": "own",
        "sign-off-room": "own", "leave": "own", "admit-late": "own", "release-room": "own", "manage-duty": "own",
        "incident-open": "own", "incident-view": "own",
    },
    "office": {
        "view-room": "all", "relog": "all", "mark-seat": "all", "read-audit": "all", "view-stranded": "all",
        "decide-stranded": "all", "time-view": "all", "time-decide": "all", "time-pause-one": "all",
        "time-propose": "all", "rounds-decide": "all", "check-in": "all", "confirm-absent": "all",
        "swap-seats": "all", "sign-off-room": "all", "leave": "all", "admit-late": "all", "release-room": "all",
        "manage-duty": "all", "incident-open": "all", "incident-view": "all", "incident-sealed": "all",
        "incident-sign": "all", "incident-plans": "all",
    },
    "admin": {
        "view-room": "all", "relog": "all", "mark-seat": "all", "read-audit": "all", "view-stranded": "all",
        "decide-stranded": "all", "time-view": "all", "time-decide": "all", "time-pause-one": "all",
        "time-propose": "all", "rounds-decide": "all", "check-in": "all", "confirm-absent": "all",
        "swap-seats": "all", "sign-off-room": "all", "leave": "all", "admit-late": "all", "release-room": "all",
        "manage-duty": "all", "incident-open": "all", "incident-view": "all", "incident-sealed": "all",
        "incident-sign": "all", "incident-plans": "all",
    },
    # Auditor and inspector only read (巡考): what they do must never change what they look at.
    "auditor": {
        "view-room": "all", "read-audit": "all", "view-stranded": "all", "time-view": "all", "incident-view": "all",
        "incident-sealed": "all",
    },
    "inspector": {"view-room": "all", "view-stranded": "all", "time-view": "all", "incident-view": "all"},
}  # fmt: skip


def scope(role: Role, action: Action) -> Scope | None:
    """How far ``action`` reaches for ``role``; None when the role may not do it at all."""
    return ROLE_ACTIONS[role].get(action)


def allows(role: Role, action: Action, *, room_id: int | None, own_room_ids: frozenset[int]) -> bool:
    """Whether ``role`` may do ``action`` in the room; ``room_id`` None asks about no room in particular."""
    reach = scope(role, action)
    return reach == "all" or (reach == "own" and (room_id is None or room_id in own_room_ids))
