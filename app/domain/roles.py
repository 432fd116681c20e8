"""Who among the staff may do what, and where: one table.

``own`` means the rooms the account is assigned to (table ``staff_room``), ``all`` every room of every exam. What a role
does not list it may not do. Every endpoint names its actions (``app.api.access``), docs/roles.md is made from both, and
the table is tested cell by cell, here and through the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Role = Literal["invigilator", "chief", "office", "admin", "auditor", "inspector"]
Action = Literal[
    "view-room", "check-in", "leave", "confirm-absent", "swap-seats", "relog", "mark-seat", "sign-off-room",
    "admit-late", "release-room", "manage-duty", "time-view", "time-pause-one", "time-pause-room",
    "time-pause-building", "time-propose", "time-decide", "roll-call", "withdraw", "rounds-decide",
    "view-stranded", "decide-stranded", "incident-view", "incident-open", "incident-sealed",
    "incident-sign", "incident-plans", "discrepancy-view", "discrepancy-open", "discrepancy-decide",
    "misconduct-view", "misconduct-open", "misconduct-remove", "item-report-view", "item-report", "hall-view",
    "announce", "acknowledge", "manage-site", "export", "read-audit", "manage-staff",
]  # fmt: skip
Scope = Literal["own", "all"]

ROLES: tuple[Role, ...] = get_args(Role)
ACTIONS: tuple[Action, ...] = get_args(Action)

# Everybody reads what is in reach; what a seat's neighbour may not know of (misconduct) is not among it.
_READS: tuple[Action, ...] = ("view-room", "time-view", "incident-view", "discrepancy-view", "item-report-view")
_IN_A_ROOM: tuple[Action, ...] = (
    *_READS, "check-in", "leave", "confirm-absent", "swap-seats", "relog", "mark-seat", "sign-off-room",
    "time-pause-one", "time-pause-room", "time-propose", "roll-call", "withdraw",
    "incident-open", "discrepancy-open", "misconduct-open", "misconduct-view", "item-report",
    "acknowledge",
)  # fmt: skip
_FOR_ROOMS: tuple[Action, ...] = (
    *_IN_A_ROOM, "admit-late", "release-room", "manage-duty", "misconduct-remove", "announce", "view-stranded",
    "time-pause-building", "hall-view",
)  # fmt: skip
_FOR_THE_EXAM: tuple[Action, ...] = (
    *_FOR_ROOMS, "time-decide", "rounds-decide", "decide-stranded", "incident-sealed", "incident-sign",
    "incident-plans", "discrepancy-decide", "manage-site", "export", "read-audit",
)  # fmt: skip


def _all(*actions: Action) -> Mapping[Action, Scope]:
    return dict.fromkeys(actions, "all")


ROLE_ACTIONS: Mapping[Role, Mapping[Action, Scope]] = {
    # Of misconduct both see only what they wrote themselves: the rest is for the office.
    "invigilator": dict.fromkeys(_IN_A_ROOM, "own"),
    "chief": dict.fromkeys(_FOR_ROOMS, "own"),
    "office": _all(*_FOR_THE_EXAM),
    "admin": _all(*_FOR_THE_EXAM, "manage-staff"),
    # Auditor and inspector only read (巡考): what they do must never change what they look at.
    "auditor": _all(
        *_READS, "view-stranded", "hall-view", "incident-sealed", "misconduct-view", "export", "read-audit"
    ),
    "inspector": _all(*_READS, "view-stranded", "hall-view"),
}  # fmt: skip

ROLE_NAMES: Mapping[Role, tuple[str, str]] = {
    "invigilator": ("监考人员", "invigilator"),
    "chief": ("主考", "chief"),
    "office": ("考务办公室", "exam office"),
    "admin": ("系统管理员", "admin"),
    "auditor": ("审计人员", "auditor"),
    "inspector": ("巡考", "inspector"),
}

ACTION_WORDS: Mapping[Action, tuple[str, str]] = {
    "view-room": ("查看考室", "look at a room"),
    "check-in": ("入场签到、核对照片", "check candidates in, see their photos"),
    "leave": ("登记离场与返回", "write down who leaves and returns"),
    "confirm-absent": ("确认缺考", "confirm the absentees of a room"),
    "swap-seats": ("开考前调换座位", "exchange seats before the start"),
    "relog": ("换机登录", "move a candidate to another PC"),
    "mark-seat": ("标记机位故障或恢复", "mark a seat out of order or back in order"),
    "sign-off-room": ("签署考室情况", "sign off a room"),
    "admit-late": ("准许迟到人员入场", "admit a late candidate"),
    "release-room": ("考室放行", "release a room"),
    "manage-duty": ("替换或增派监考人员", "replace or add an invigilator"),
    "time-view": ("查看时间", "look at the time and where it comes from"),
    "time-pause-one": ("暂停、恢复一名应考人员", "pause and resume one candidate"),
    "time-pause-room": ("暂停、恢复一个考室", "pause and resume a room"),
    "time-pause-building": ("暂停、恢复整栋楼", "pause and resume a building"),
    "time-propose": ("提出时间调整建议", "propose a change of time"),
    "time-decide": ("决定时间调整", "decide on time"),
    "roll-call": ("点名", "call the roll"),
    "withdraw": ("登记本人退出", "write down who leaves for good"),
    "rounds-decide": ("决定轮次调整", "decide on rounds"),
    "view-stranded": ("查看搁置的答案", "look at answers kept aside"),
    "decide-stranded": ("处置搁置的答案", "decide on answers kept aside"),
    "incident-view": ("查看突发事件", "read incidents"),
    "incident-open": ("登记突发事件、记录步骤", "open an incident, write down its steps"),
    "incident-sealed": ("查看保密的突发事件", "read sealed incidents"),
    "incident-sign": ("签署突发事件", "sign off an incident"),
    "incident-plans": ("编辑应急预案", "edit the contingency plans"),
    "discrepancy-view": ("查看信息不符", "read discrepancies"),
    "discrepancy-open": ("登记信息不符", "write down a discrepancy"),
    "discrepancy-decide": ("审批信息更正", "decide on corrections"),
    "misconduct-view": ("查看违纪登记", "read records of misconduct"),
    "misconduct-open": ("登记违纪", "write down misconduct"),
    "misconduct-remove": ("令违纪人员退场", "remove a candidate from the exam"),
    "item-report-view": ("查看试题异议", "read what is said to be wrong with items"),
    "item-report": ("登记试题异议", "write down that an item is said to be wrong"),
    "hall-view": ("查看考务总览", "look at the office's overview"),
    "announce": ("发布通知", "make announcements"),
    "acknowledge": ("代表考室确认已知悉通知", "acknowledge an announcement for a room"),
    "manage-site": ("管理场次、考室、机位和名单", "manage sessions, rooms, seats and the roster"),
    "export": ("导出", "export"),
    "read-audit": ("查看审计日志", "read the audit log"),
    "manage-staff": ("管理考务账户", "manage the staff's accounts"),
}


def scope(role: Role, action: Action) -> Scope | None:
    """How far ``action`` reaches for ``role``; None when the role may not do it at all."""
    return ROLE_ACTIONS[role].get(action)


def allows(role: Role, action: Action, *, room_id: int | None, own_room_ids: frozenset[int]) -> bool:
    """Whether ``role`` may do ``action`` in the room; ``room_id`` None asks about no room in particular."""
    reach = scope(role, action)
    return reach == "all" or (reach == "own" and (room_id is None or room_id in own_room_ids))
